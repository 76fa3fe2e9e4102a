//! The documents by version: exact sets of keys, as Tempest's closed schemas want them.

use std::collections::BTreeSet;

use http::HeaderMap;
use ostler_crds::server::{ResolvedFlavor, ServerAddress, ServerStatus};

use super::*;

fn server() -> Server {
    let mut server = Server::new("web", ostler_crds::ServerSpec { flavor: "m1".into(), ..Default::default() });
    server.metadata.uid = Some(uuid::Uuid::from_u128(1).to_string());
    server.metadata.namespace = Some("prod".into());
    server.status = Some(ServerStatus {
        host: Some("node-1".into()),
        addresses: vec![ServerAddress {
            network: "default".into(),
            label: "Default".into(),
            mac: "52:54:00:00:00:01".into(),
            address: "10.0.0.5".into(),
            prefix_length: 24,
            gateway: None,
            dns_servers: vec![],
            mtu: None,
        }],
        ..Default::default()
    });
    server
}

fn facts(privileged: bool) -> Facts {
    Facts {
        image: Some("i".into()),
        flavor: Some(ResolvedFlavor {
            name: "m1".into(),
            id: "f".into(),
            display_name: "m1.tiny".into(),
            vcpus: 1,
            memory_mib: 128,
            disk_gib: 1,
            extra_specs: Default::default(),
        }),
        zone: "nova".into(),
        key_name: None,
        host: privileged.then(|| "node-1".to_owned()),
        host_status: "UP",
        server_groups: Vec::new(),
        security_groups: vec!["default".into()],
        privileged,
    }
}

fn document(version: u16, kind: Document, privileged: bool) -> Value {
    let base = BaseUrl::of(None, &HeaderMap::new());
    full(&server(), &facts(privileged), &base, kind, Microversion(version))
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

fn came(from: u16, to: u16, kind: Document, privileged: bool) -> Vec<String> {
    let (old, new) = (keys(&document(from, kind, privileged)), keys(&document(to, kind, privileged)));
    assert!(old.is_subset(&new), "nothing goes between {from} and {to}");
    new.difference(&old).cloned().collect()
}

#[test]
fn the_document_of_2_1_has_the_keys_of_2_1() {
    let expected = "OS-DCF:diskConfig OS-EXT-AZ:availability_zone OS-EXT-STS:power_state OS-EXT-STS:task_state \
                    OS-EXT-STS:vm_state OS-SRV-USG:launched_at OS-SRV-USG:terminated_at accessIPv4 accessIPv6 addresses \
                    config_drive created flavor hostId id image key_name links metadata name \
                    os-extended-volumes:volumes_attached progress security_groups status tenant_id updated user_id";
    assert_eq!(keys(&document(1, Document::Show, false)), expected.split_whitespace().map(str::to_owned).collect());
}

#[test]
fn each_version_brings_its_keys() {
    assert_eq!(came(8, 9, Document::Show, false), ["locked"]);
    assert_eq!(came(18, 19, Document::Show, false), ["description"]);
    assert_eq!(came(25, 26, Document::Show, false), ["tags"]);
    assert_eq!(came(62, 63, Document::Show, false), ["trusted_image_certificates"]);
    assert_eq!(came(70, 71, Document::Show, false), ["server_groups"]);
    assert!(came(70, 71, Document::Entry, false).is_empty());
    assert_eq!(came(15, 16, Document::Show, true), ["host_status"]);
    assert_eq!(came(2, 3, Document::Show, true).len(), 7);
    assert!(came(2, 3, Document::Show, false).is_empty());
}

#[test]
fn the_flavor_is_a_link_below_2_47_and_embedded_from_there_on() {
    let flavor = |v| keys(&document(v, Document::Show, false)["flavor"]);
    assert_eq!(flavor(46), ["id", "links"].map(str::to_owned).into());
    let embedded = ["disk", "ephemeral", "extra_specs", "original_name", "ram", "swap", "vcpus"];
    assert_eq!(flavor(47), embedded.map(str::to_owned).into());
}

#[test]
fn an_update_answers_with_less_than_a_show() {
    let update = document(72, Document::Update, true);
    assert!(update.get("OS-EXT-STS:vm_state").is_none() && update.get("description").is_some());
    assert_eq!(keys(&update["addresses"]["Default"][0]), ["addr", "version"].map(str::to_owned).into());
    assert_eq!(keys(&document(72, Document::Show, false)["addresses"]["Default"][0]).len(), 4);
}

#[test]
fn the_host_is_hidden_behind_a_digest() {
    let text = document(72, Document::Show, false).to_string();
    assert!(!text.contains("node-1"));
    assert_eq!(document(1, Document::Show, false)["hostId"].as_str().map(str::len), Some(56));
}
