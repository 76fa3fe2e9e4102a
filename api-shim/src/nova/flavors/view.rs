//! A flavor as Nova shows it.

use ostler_crds::{Flavor, FlavorVisibility};
use serde_json::{Value, json};

use crate::{
    http::{BaseUrl, Microversion},
    shape::{Edit, at_version, links},
};

const EDITS: &[Edit] =
    &[Edit::added(55, "description"), Edit::added(61, "extra_specs"), Edit::reformed(75, "swap", empty_swap)];

/// Below 2.75, no swap is an empty text.
fn empty_swap(value: &mut Value) {
    if *value == json!(0) {
        *value = json!("");
    }
}

/// The id of a flavor.
pub fn id(flavor: &Flavor) -> String {
    flavor.openstack_id()
}

/// Id, name and links.
pub fn brief(flavor: &Flavor, base: &BaseUrl, version: Microversion) -> Value {
    let id = id(flavor);
    let mut document = json!({
        "links": links::both(base, "flavors", &id),
        "id": id, "name": flavor.display_name(), "description": flavor.spec.description,
    });
    at_version(&mut document, EDITS, version);
    document
}

/// Everything.
pub fn full(flavor: &Flavor, base: &BaseUrl, version: Microversion) -> Value {
    let (id, spec) = (id(flavor), &flavor.spec);
    let mut document = json!({
        "links": links::both(base, "flavors", &id),
        "id": id, "name": flavor.display_name(), "description": spec.description,
        "vcpus": spec.vcpus, "ram": spec.memory_mib, "disk": spec.disk_gib,
        "swap": spec.swap_mib.unwrap_or(0), "OS-FLV-EXT-DATA:ephemeral": spec.ephemeral_gib.unwrap_or(0),
        "OS-FLV-DISABLED:disabled": false, "rxtx_factor": spec.rxtx_factor.unwrap_or(1.0),
        "os-flavor-access:is_public": spec.visibility == FlavorVisibility::Public,
        "extra_specs": spec.extra_specs,
    });
    at_version(&mut document, EDITS, version);
    document
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[test]
    fn keys_come_and_values_change_with_the_version() {
        let mut flavor: Flavor = serde_json::from_value(json!({
            "apiVersion": "compute.ostler.dev/v1alpha1", "kind": "Flavor", "metadata": {"name": "m1"},
            "spec": {"vcpus": 1, "memoryMiB": 512, "diskGiB": 1},
        }))
        .unwrap();
        flavor.metadata.uid = Some(uuid::Uuid::from_u128(1).to_string());
        let at = |v| full(&flavor, &BaseUrl::of(None, &HeaderMap::new()), Microversion(v));
        assert!(at(54).get("description").is_none() && at(55).get("description").is_some());
        assert!(at(60).get("extra_specs").is_none() && at(61).get("extra_specs").is_some());
        assert_eq!((&at(1)["swap"], &at(75)["swap"]), (&json!(""), &json!(0)));
        assert_eq!(at(1)["ram"], 512);
    }
}
