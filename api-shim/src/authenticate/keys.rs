//! The keys that tokens are sealed with (Fernet: AES-128-CBC and HMAC-SHA-256). They live in a Secret whose entries are
//! numbered: the highest seals, all open, so adding a higher one rotates without logging anybody out.

use std::collections::BTreeMap;

use fernet::{Fernet, MultiFernet};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};

use super::ticket::Ticket;
use crate::{fault::Fault, store::Cache};

/// Name of the Secret.
pub const SECRET: &str = "ostler-token-keys";
/// Label of the Secrets that the Keystone front keeps for itself.
pub const LABEL: &str = "compute.ostler.dev/keystone";

/// The keys.
pub struct KeyRing(MultiFernet);

impl KeyRing {
    /// The keys of a Secret's data, newest first; `None` if it has no usable one.
    pub fn read(data: &BTreeMap<String, ByteString>) -> Option<Self> {
        let key = |(name, value): (&String, &ByteString)| {
            let number = name.parse::<u32>().ok()?;
            Some((number, Fernet::new(std::str::from_utf8(&value.0).ok()?.trim())?))
        };
        let mut keys: Vec<(u32, Fernet)> = data.iter().filter_map(key).collect();
        keys.sort_by_key(|k| std::cmp::Reverse(k.0));
        let keys: Vec<Fernet> = keys.into_iter().map(|(_, k)| k).collect();
        if keys.is_empty() { None } else { Some(Self(MultiFernet::new(keys))) }
    }

    /// Seals with the newest key.
    pub fn seal(&self, ticket: &Ticket) -> Result<String, Fault> {
        let bytes = serde_json::to_vec(ticket).map_err(|e| Fault::internal("seal token", &e))?;
        // The padding of base64 is of no use in a header and trips clients that put tokens into URLs.
        Ok(self.0.encrypt(&bytes).trim_end_matches('=').to_owned())
    }

    /// Opens with any key; `None` for whatever was not sealed by us.
    pub fn open(&self, token: &str) -> Option<Ticket> {
        if !token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'=')) {
            return None;
        }
        let bare = token.trim_end_matches('=');
        let padded = format!("{bare}{}", "=".repeat((4 - bare.len() % 4) % 4));
        serde_json::from_slice(&self.0.decrypt(&padded).ok()?).ok()
    }
}

/// The keys as the cache has them; 503 until it does.
pub fn ring(cache: &Cache<Secret>, namespace: &str) -> Result<KeyRing, Fault> {
    let secret = cache.get(Some(namespace), SECRET);
    let ring = secret.and_then(|s| s.data.as_ref().and_then(KeyRing::read));
    ring.ok_or_else(|| Fault::unavailable("The keys for tokens are not at hand yet; try again."))
}

/// Makes the Secret with a first key if there is none. Safe to race over: the first replica wins.
pub async fn ensure(client: &Client, namespace: &str) -> Result<(), kube::Error> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    if api.get_opt(SECRET).await?.is_some() {
        return Ok(());
    }
    let secret = Secret {
        metadata: ObjectMeta {
            name: Some(SECRET.to_owned()),
            labels: Some([(LABEL.to_owned(), "true".to_owned())].into()),
            ..Default::default()
        },
        string_data: Some([("0".to_owned(), Fernet::generate_key())].into()),
        ..Default::default()
    };
    match api.create(&PostParams::default(), &secret).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::authenticate::ticket::{Origin, new_audit_id};

    fn data(keys: &[(&str, &str)]) -> BTreeMap<String, ByteString> {
        keys.iter().map(|(n, k)| ((*n).to_owned(), ByteString(k.as_bytes().to_vec()))).collect()
    }

    fn ticket() -> Ticket {
        Ticket {
            user: "alice".into(),
            groups: vec![],
            origin: Origin::Kubernetes,
            project: Some("prod".into()),
            reach: None,
            methods: vec!["password".into()],
            audit_id: new_audit_id(),
            issued_at: 1,
            expires_at: 2,
        }
    }

    #[test]
    fn a_higher_key_rotates_without_logging_anybody_out() {
        let (old, new) = (Fernet::generate_key(), Fernet::generate_key());
        let before = KeyRing::read(&data(&[("2", &old)])).unwrap();
        let both = KeyRing::read(&data(&[("2", &old), ("10", &new)])).unwrap();
        let after = KeyRing::read(&data(&[("10", &new)])).unwrap();
        let (t, text) = (ticket(), before.seal(&ticket()).unwrap());
        assert_eq!(both.open(&text).map(|t| t.user), Some(t.user.clone()));
        assert_eq!(after.open(&text), None);
        assert!(after.open(&both.seal(&t).unwrap()).is_some());
    }

    #[test]
    fn a_token_that_was_changed_does_not_open() {
        let ring = KeyRing::read(&data(&[("0", &Fernet::generate_key())])).unwrap();
        let text = ring.seal(&ticket()).unwrap();
        for at in [0, text.len() / 2, text.len() - 2] {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(ring.open(std::str::from_utf8(&bytes).unwrap()), None);
        }
    }

    #[test]
    fn a_secret_without_a_usable_key_gives_none() {
        assert!(KeyRing::read(&data(&[("0", "short"), ("x", &Fernet::generate_key())])).is_none());
    }

    proptest! {
        #[test]
        fn no_text_opens_or_panics(text in "\\PC{0,300}") {
            let ring = KeyRing::read(&data(&[("0", "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=")])).unwrap();
            prop_assert_eq!(ring.open(&text), None);
        }
    }
}
