//! Keys themselves: made, read, and their fingerprints.

use md5::{Digest, Md5};
use rsa::{
    RsaPrivateKey,
    pkcs1::{EncodeRsaPrivateKey, LineEnding},
};
use ssh_key::PublicKey;
use thiserror::Error;

/// Bits of a key that we make, as Nova does.
const BITS: usize = 2048;

/// A key that cannot be used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Not a line of an OpenSSH public key.
    #[error("Keypair data is invalid: failed to generate fingerprint")]
    Malformed,
    /// Making a key failed.
    #[error("cannot make a key: {0}")]
    Generate(String),
}

/// A key pair that was just made.
pub struct Made {
    /// One line in OpenSSH's form.
    pub public: String,
    /// PEM; shown once and kept nowhere.
    pub private: String,
}

/// Makes an RSA key. Takes up to a second of a core: call it off the async threads.
pub fn generate() -> Result<Made, KeyError> {
    let failed = |e: &dyn std::fmt::Display| KeyError::Generate(e.to_string());
    let key = RsaPrivateKey::new(&mut ssh_key::rand_core::OsRng, BITS).map_err(|e| failed(&e))?;
    let private = key.to_pkcs1_pem(LineEnding::LF).map_err(|e| failed(&e))?.to_string();
    let data = ssh_key::public::RsaPublicKey::try_from(&key.to_public_key()).map_err(|e| failed(&e))?;
    let public = PublicKey::new(data.into(), "Generated-by-Nova").to_openssh().map_err(|e| failed(&e))?;
    Ok(Made { public: public + "\n", private })
}

/// Nova's fingerprint: MD5 of the key blob, hexadecimal pairs joined by colons. Fails for what is no key.
pub fn fingerprint(public: &str) -> Result<String, KeyError> {
    let line = public.trim();
    // One line: a second one would be a second key in the guest's file of authorized keys.
    if line.lines().count() != 1 {
        return Err(KeyError::Malformed);
    }
    let blob = PublicKey::from_openssh(line).and_then(|k| k.to_bytes()).map_err(|_| KeyError::Malformed)?;
    let hex: Vec<String> = Md5::digest(&blob).iter().map(|b| format!("{b:02x}")).collect();
    Ok(hex.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti user@example.com";

    #[test]
    fn a_key_that_we_make_can_be_read() {
        let made = generate().unwrap();
        assert!(made.private.starts_with("-----BEGIN RSA PRIVATE KEY-----"));
        assert!(made.public.starts_with("ssh-rsa ") && made.public.ends_with(" Generated-by-Nova\n"));
        assert_eq!(fingerprint(&made.public).unwrap().len(), 47);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert_eq!(fingerprint(ED25519).unwrap().split(':').count(), 16);
        for bad in ["", "ssh-rsa", "ssh-rsa JUNK", "nonsense", &format!("{ED25519}\n{ED25519}")] {
            assert!(fingerprint(bad).is_err(), "{bad}");
        }
    }
}
