//! The three digests that Glance clients and hosts ask for, computed in one reading.

use md5::{Digest, Md5};
use sha2::{Sha256, Sha512};

/// Digests of some bytes, in lower-case hexadecimal, and their number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// MD5, Glance's `checksum`. Not for security.
    pub md5: String,
    /// SHA-256, by which hosts fetch and cache.
    pub sha256: String,
    /// SHA-512, Glance's `os_hash_value`.
    pub sha512: String,
    /// Number of bytes.
    pub size: u64,
}

/// Takes bytes as they come.
#[derive(Default)]
pub struct Hasher {
    md5: Md5,
    sha256: Sha256,
    sha512: Sha512,
    size: u64,
}

impl Hasher {
    /// Takes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.sha256.update(bytes);
        self.sha512.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// Number of bytes so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digests of all bytes.
    pub fn finish(self) -> Digests {
        Digests {
            md5: hex::encode(self.md5.finalize()),
            sha256: hex::encode(self.sha256.finalize()),
            sha512: hex::encode(self.sha512.finalize()),
            size: self.size,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digests_of_nothing_are_the_known_ones() {
        let d = Hasher::default().finish();
        assert_eq!(d.md5, "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(d.sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(d.size, 0);
    }

    #[test]
    fn the_size_of_the_pieces_does_not_matter() {
        let mut pieces = Hasher::default();
        for b in b"ostler" {
            pieces.update(&[*b]);
        }
        let mut whole = Hasher::default();
        whole.update(b"ostler");
        assert_eq!(pieces.finish(), whole.finish());
    }
}
