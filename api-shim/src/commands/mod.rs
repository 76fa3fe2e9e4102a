//! Subcommands that serve nothing.

pub mod iam;

use std::io::{Read, Write};

use crate::{authenticate::password, config::OpenrcArgs};

/// Longest password that is hashed, in bytes.
const LONGEST: u64 = 4096;

/// Reads a password (its first line) and prints its argon2id hash.
pub fn hash_password(input: impl Read, mut output: impl Write) -> anyhow::Result<()> {
    let mut text = String::new();
    input.take(LONGEST).read_to_string(&mut text)?;
    let password = text.lines().next().unwrap_or_default();
    anyhow::ensure!(!password.is_empty(), "no password on standard input");
    let hash = password::hash(password).map_err(|e| anyhow::anyhow!("cannot hash: {e}"))?;
    writeln!(output, "{hash}")?;
    Ok(())
}

/// Prints an openrc file that asks for the password.
pub fn openrc(args: &OpenrcArgs, mut output: impl Write) -> anyhow::Result<()> {
    let url = args.public_url.as_str().trim_end_matches('/');
    let lines = [
        ("OS_AUTH_URL", format!("{url}/identity/v3")),
        ("OS_IDENTITY_API_VERSION", "3".to_owned()),
        ("OS_USERNAME", args.user.clone()),
        ("OS_USER_DOMAIN_NAME", "Default".to_owned()),
        ("OS_PROJECT_NAME", args.project.clone()),
        ("OS_PROJECT_DOMAIN_NAME", "Default".to_owned()),
        ("OS_REGION_NAME", args.region.clone()),
    ];
    for (name, value) in lines {
        writeln!(output, "export {name}={}", quoted(&value))?;
    }
    writeln!(output, "if [ -z \"${{OS_PASSWORD:-}}\" ]; then")?;
    writeln!(
        output,
        "  printf 'Password of %s: ' \"$OS_USERNAME\" >&2; stty -echo; read -r OS_PASSWORD; stty echo; echo >&2"
    )?;
    writeln!(output, "  export OS_PASSWORD")?;
    writeln!(output, "fi")?;
    Ok(())
}

/// In single quotes for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_the_first_line_is_printed() {
        let mut out = Vec::new();
        hash_password("secret\n".as_bytes(), &mut out).unwrap();
        assert!(password::matches("secret", String::from_utf8(out).unwrap().trim()));
        assert!(hash_password("\n".as_bytes(), Vec::new()).is_err());
    }

    #[test]
    fn a_shell_reads_the_values_back() {
        assert_eq!(quoted("a'b$c"), r"'a'\''b$c'");
    }
}
