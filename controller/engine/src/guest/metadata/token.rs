//! Session tokens (IMDSv2): sealed for one guest until a time. Nothing of them is kept, so they outlive a restart of the
//! node role with its key, and any number may be in use.
//!
//! ```text
//!   base64url( end: seconds since 1970, 8 bytes | nonce, 16 bytes | HMAC-SHA256 of uid, end and nonce )
//! ```

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use sha2::Sha256;

/// Shortest and longest life of a token in seconds.
pub const TTL: std::ops::RangeInclusive<u32> = 1..=21600;
/// Bytes of a key.
pub const KEY_LENGTH: usize = 32;
/// Bytes of a nonce.
pub const NONCE_LENGTH: usize = 16;

const END: usize = 8;
const HEAD: usize = END + NONCE_LENGTH;

/// Seals tokens. Not printed, for it is a secret.
#[derive(Clone)]
pub struct Sealer(Hmac<Sha256>);

impl Sealer {
    /// With this key.
    pub fn new(key: &[u8; KEY_LENGTH]) -> Self {
        let mut padded = hmac::digest::Key::<Hmac<Sha256>>::default();
        if let Some(start) = padded.get_mut(..KEY_LENGTH) {
            start.copy_from_slice(key);
        }
        Self(<Hmac<Sha256> as hmac::digest::KeyInit>::new(&padded))
    }

    /// A token for the guest of the Server `uid` for `ttl` seconds from `now` on. `nonce` makes it another one each time.
    pub fn seal(&self, uid: &str, ttl: u32, nonce: [u8; NONCE_LENGTH], now: Timestamp) -> String {
        let end = now.as_second().saturating_add(i64::from(ttl));
        let mut token = end.to_be_bytes().to_vec();
        token.extend(nonce);
        let seal = self.mac(uid, &token).finalize().into_bytes();
        token.extend(seal);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Whether the token was sealed for this guest and has not ended.
    pub fn holds(&self, token: &str, uid: &str, now: Timestamp) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else { return false };
        let Some((head, seal)) = bytes.split_at_checked(HEAD) else { return false };
        let Some(end) = head.first_chunk::<END>() else { return false };
        self.mac(uid, head).verify_slice(seal).is_ok() && now.as_second() < i64::from_be_bytes(*end)
    }

    fn mac(&self, uid: &str, head: &[u8]) -> Hmac<Sha256> {
        // The head has a fixed length, so that no uid can run into it.
        self.0.clone().chain_update(head).chain_update(uid.as_bytes())
    }
}
