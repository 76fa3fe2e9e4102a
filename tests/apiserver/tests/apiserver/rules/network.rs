use ostler_tests_apiserver::case::{Table, accepts, allows_change, refuses, refuses_change};
use serde_json::{Value, json};

/// A subnet of 10.20.0.0/24 with these fields laid over.
fn subnet(patch: Value) -> Value {
    let mut subnet = json!({"cidr": "10.20.0.0/24"});
    for (key, value) in patch.as_object().into_iter().flatten() {
        subnet[key] = value.clone();
    }
    json!({"subnets": [subnet]})
}

pub fn table() -> Table {
    let range = "cidr must be an IPv4 range";
    let prefix = "cidr must name the network itself (no host bits) with a prefix of /16 to /29";
    let gateway = "gateway must be an address in cidr";
    let dns = "dnsServers must be IPv4 addresses";
    let pool = "pool.first and pool.last must be addresses in cidr";
    let fixed = "mode, subnets and mtu of a Network cannot be changed";
    let part = |first: &str, last: &str| subnet(json!({"pool": {"first": first, "last": last}}));
    Table {
        plural: "networks",
        base: subnet(json!({})),
        cases: vec![
            accepts("every field that is served", {
                let mut all = subnet(json!({
                    "gateway": "10.20.0.254", "dnsServers": ["9.9.9.9"],
                    "pool": {"first": "10.20.0.10", "last": "10.20.0.20"},
                }));
                all["displayName"] = json!("Netz ☃");
                all["description"] = json!("d");
                all["mode"] = json!("Nat");
                all["mtu"] = json!(1400);
                all["default"] = json!(true);
                all["access"] = json!(["prod"]);
                all
            }),
            refuses(subnet(json!({"gateway": "10.20.0.0"})), "gateway must not be the address of the network itself"),
            refuses(subnet(json!({"cidr": "fd00::/64"})), range),
            refuses(subnet(json!({"cidr": "everywhere"})), range),
            refuses(subnet(json!({"cidr": "10.20.0.1/24"})), prefix),
            refuses(subnet(json!({"cidr": "10.0.0.0/8"})), prefix),
            refuses(subnet(json!({"cidr": "10.20.0.0/30"})), prefix),
            refuses(subnet(json!({"gateway": "10.21.0.1"})), gateway),
            refuses(subnet(json!({"gateway": "here"})), gateway),
            refuses(subnet(json!({"dnsServers": ["2620:fe::fe"]})), dns),
            refuses(part("10.21.0.1", "10.20.0.9"), pool),
            refuses(part("10.20.0.1", "nowhere"), pool),
            accepts("a subnet that is to come", json!({"subnets": []})),
            allows_change("a subnet that comes", json!({"subnets": []}), subnet(json!({}))),
            refuses_change(json!({}), json!({"subnets": []}), fixed),
            refuses(json!({"subnets": [{"cidr": "10.20.0.0/24"}, {"cidr": "10.21.0.0/24"}]}), "spec.subnets: Too many"),
            refuses(json!({"mtu": 100}), "spec.mtu"),
            refuses(json!({"mode": "Bridge"}), "mode Bridge is not served yet: use Nat"),
            refuses(json!({"bridge": {"name": "br0"}}), "bridge is not served yet"),
            allows_change(
                "names and who may use it",
                json!({}),
                json!({
                    "displayName": "new", "default": true, "access": ["prod"],
                }),
            ),
            refuses_change(json!({}), subnet(json!({"gateway": "10.20.0.2"})), fixed),
            refuses_change(json!({}), json!({"mtu": 1400}), fixed),
        ],
    }
}
