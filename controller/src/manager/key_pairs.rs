//! KeyPair → status: the fingerprint.

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures::StreamExt;
use jiff::Timestamp;
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{Patch, PatchParams},
    runtime::{Controller, controller::Action, watcher},
};
use ostler_crds::{
    ConditionBuilder, ConditionStatus, KeyPair, KeyPairStatus,
    names::{MANAGER_FIELD_MANAGER, condition, reason},
};
use ostler_images::Hasher;
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Context;

/// The controller of KeyPairs; its store is the leader's store of KeyPairs.
pub fn controller(client: &Client) -> Controller<KeyPair> {
    Controller::new(Api::<KeyPair>::all(client.clone()), watcher::Config::default())
}

/// Looks at KeyPairs until `term`, and tells `changed` of each that is new or changed.
pub async fn run(context: &Context, controller: Controller<KeyPair>, changed: Arc<Notify>, term: CancellationToken) {
    let reader = Arc::new(Reader { client: context.client.clone(), changed });
    controller
        .graceful_shutdown_on(term.cancelled_owned())
        .run(reconcile, |_, _, _| Action::requeue(Duration::from_secs(30)), reader)
        .for_each(|_| std::future::ready(()))
        .await;
}

struct Reader {
    client: Client,
    changed: Arc<Notify>,
}

async fn reconcile(pair: Arc<KeyPair>, reader: Arc<Reader>) -> Result<Action, kube::Error> {
    reader.changed.notify_one();
    let seen = pair.status.as_ref().and_then(|s| s.observed_generation);
    if pair.meta().deletion_timestamp.is_some() || seen == pair.meta().generation {
        return Ok(Action::await_change());
    }
    let api = Api::<KeyPair>::namespaced(reader.client.clone(), &pair.namespace().unwrap_or_default());
    let patch = json!({
        "apiVersion": KeyPair::api_version(&()),
        "kind": KeyPair::kind(&()),
        "metadata": { "name": pair.name_any(), "uid": pair.uid() },
        "status": status(&pair, Timestamp::now()),
    });
    let params = PatchParams::apply(MANAGER_FIELD_MANAGER).force();
    match api.patch_status(&pair.name_any(), &params, &Patch::Apply(&patch)).await {
        Err(kube::Error::Api(refusal)) if refusal.code == 404 || refusal.code == 409 => {}
        other => drop(other?),
    }
    Ok(Action::await_change())
}

fn status(pair: &KeyPair, now: Timestamp) -> KeyPairStatus {
    let fingerprint = fingerprint(&pair.spec.public_key);
    let (ok, why, message) = match &fingerprint {
        Some(_) => (ConditionStatus::True, reason::VERIFIED, "the key can be read".to_owned()),
        None => (
            ConditionStatus::False,
            reason::INVALID_SPEC,
            "spec.publicKey: the second word is not a key of the kind that the first names; make a new KeyPair"
                .to_owned(),
        ),
    };
    let generation = pair.meta().generation.unwrap_or_default();
    let previous = pair.status.as_ref().map_or(&[][..], |s| &s.conditions);
    let ready = ConditionBuilder { type_: condition::READY, status: ok, reason: why, message };
    KeyPairStatus {
        observed_generation: Some(generation),
        fingerprint,
        conditions: vec![ready.build(generation, previous, now)],
    }
}

/// Nova's fingerprint: the MD5 of the key blob, in pairs of digits. `None` if the blob is not of the kind it is called.
fn fingerprint(public_key: &str) -> Option<String> {
    let mut words = public_key.split_whitespace();
    let (kind, blob) = (words.next()?, BASE64_STANDARD.decode(words.next()?).ok()?);
    // RFC 4253: the blob begins with its own kind as a string.
    let length = u32::from_be_bytes(blob.get(..4)?.try_into().ok()?) as usize;
    if blob.get(4..4 + length)? != kind.as_bytes() {
        return None;
    }
    let mut hasher = Hasher::default();
    hasher.update(&blob);
    let digits: Vec<char> = hasher.finish().md5.chars().collect();
    Some(digits.chunks(2).map(|pair| pair.iter().collect::<String>()).collect::<Vec<_>>().join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILagBI7Ux6LpyoL+UIrhFrHZnJxGZ4/Bpi5kTAf0Ti4y me@home";

    #[test]
    fn the_fingerprint_is_sixteen_pairs_of_digits() {
        let f = fingerprint(KEY).unwrap();
        assert_eq!(f.split(':').count(), 16);
        assert!(f.split(':').all(|p| p.len() == 2));
    }

    #[test]
    fn a_blob_of_another_kind_is_refused() {
        assert_eq!(fingerprint(&KEY.replace("ssh-ed25519 ", "ssh-rsa ")), None);
        assert_eq!(fingerprint("ssh-ed25519 AAAA"), None);
    }
}
