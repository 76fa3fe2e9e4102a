//! Revoked tokens: their audit ids with the time when they would have expired, in a Secret that all replicas watch.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    Api, Client,
    api::{ObjectMeta, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use super::{keys::LABEL, ticket::Ticket};
use crate::{
    fault::Fault,
    store::{Cache, refusal},
};

/// Name of the Secret.
pub const SECRET: &str = "ostler-revoked-tokens";

/// Whether the token with this audit id was revoked.
pub fn is_revoked(cache: &Cache<Secret>, namespace: &str, audit_id: &str) -> bool {
    cache.get(Some(namespace), SECRET).is_some_and(|s| s.data.as_ref().is_some_and(|d| d.contains_key(audit_id)))
}

/// Revokes a token, and forgets revocations whose token has expired by itself.
pub async fn revoke(client: &Client, cache: &Cache<Secret>, namespace: &str, ticket: &Ticket) -> Result<(), Fault> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let known = cache.get(Some(namespace), SECRET);
    let data = known.as_ref().and_then(|s| s.data.clone()).unwrap_or_default();
    let patch = json!({ "data": changes(&data, ticket, Timestamp::now().as_second()) });
    let patched = api.patch(SECRET, &PatchParams::default(), &Patch::Merge(&patch)).await;
    let written = match patched {
        Err(kube::Error::Api(status)) if status.code == 404 => {
            let created = api.create(&PostParams::default(), &first(ticket)).await;
            match created {
                // Another replica made it meanwhile.
                Err(kube::Error::Api(s)) if s.code == 409 => {
                    api.patch(SECRET, &PatchParams::default(), &Patch::Merge(&patch)).await
                }
                other => other,
            }
        }
        other => other,
    };
    let written = written.map_err(|e| refusal::write_fault("token revocation", &e))?;
    cache.wait_for(&written).await;
    Ok(())
}

fn changes(known: &BTreeMap<String, ByteString>, ticket: &Ticket, now: i64) -> BTreeMap<String, Value> {
    let expiry = |v: &ByteString| std::str::from_utf8(&v.0).ok().and_then(|t| t.parse::<i64>().ok()).unwrap_or(0);
    let mut out: BTreeMap<String, Value> =
        known.iter().filter(|(_, v)| expiry(v) <= now).map(|(k, _)| (k.clone(), Value::Null)).collect();
    out.insert(ticket.audit_id.clone(), STANDARD.encode(ticket.expires_at.to_string()).into());
    out
}

fn first(ticket: &Ticket) -> Secret {
    Secret {
        metadata: ObjectMeta {
            name: Some(SECRET.to_owned()),
            labels: Some([(LABEL.to_owned(), "true".to_owned())].into()),
            ..Default::default()
        },
        string_data: Some([(ticket.audit_id.clone(), ticket.expires_at.to_string())].into()),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authenticate::ticket::Origin;

    #[test]
    fn expired_revocations_are_forgotten_with_the_next_write() {
        let ticket = Ticket {
            user: "a".into(),
            groups: vec![],
            origin: Origin::Kubernetes,
            project: None,
            reach: None,
            methods: vec![],
            audit_id: "new".into(),
            issued_at: 0,
            expires_at: 500,
        };
        let known = [("old".to_owned(), ByteString(b"90".to_vec())), ("live".to_owned(), ByteString(b"200".to_vec()))];
        let changes = changes(&known.into(), &ticket, 100);
        assert_eq!(changes.get("old"), Some(&Value::Null));
        assert!(!changes.contains_key("live"));
        assert_eq!(changes.get("new"), Some(&json!("NTAw")));
    }
}
