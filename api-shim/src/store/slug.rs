//! `metadata.name` from a free name: a DNS-1123 label.

use rand::Rng;

/// Longest base; a suffix of six characters still fits into a label.
const LONGEST: usize = 50;

/// The base: lower-case letters, digits and inner hyphens; `fallback` if nothing is left.
pub fn slug(name: &str, fallback: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9') => out.push(c),
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
        if out.len() >= LONGEST {
            break;
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() { fallback.to_owned() } else { out.to_owned() }
}

/// The base with a random suffix, for when it is taken.
pub fn with_suffix(base: &str) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut rng = rand::rng();
    let suffix: String = (0..5).map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())])).collect();
    format!("{base}-{suffix}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_become_labels() {
        assert_eq!(slug("Web Server #1", "server"), "web-server-1");
        assert_eq!(slug("日本", "server"), "server");
        assert_eq!(slug("--a--", "server"), "a");
    }

    proptest! {
        #[test]
        fn every_name_becomes_a_dns_label(name in "\\PC{0,300}") {
            for label in [slug(&name, "server"), with_suffix(&slug(&name, "server"))] {
                prop_assert!(!label.is_empty() && label.len() <= 63);
                prop_assert!(label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
                prop_assert!(!label.starts_with('-') && !label.ends_with('-'));
            }
        }
    }
}
