//! Networks and subnets as an administrator writes them. Pure.

use ostler_crds::network::{AddressPool, Subnet};
use serde_json::{Map, Value};

use crate::{fault::Fault, observe::clean};

type Body = Map<String, Value>;

fn invalid(key: &str, why: &str) -> Fault {
    Fault::bad_request(format!("Invalid input for {key}. Reason: {why}")).kind("HTTPBadRequest")
}

pub(super) fn text(body: &Body, key: &str) -> Result<Option<String>, Fault> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() <= 255 => Ok(Some(text.clone())),
        Some(_) => Err(invalid(key, "it is not a string of at most 255 characters.")),
    }
}

fn flag(body: &Body, key: &str) -> Result<Option<bool>, Fault> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(Value::String(word)) => {
            crate::http::query::truth(word).map(Some).ok_or_else(|| invalid(key, "it is not a boolean."))
        }
        Some(_) => Err(invalid(key, "it is not a boolean.")),
    }
}

/// Refuses keys that Neutron does not have, and what it has and this version has not unless it is said to be as it is here.
pub(super) fn known(body: &Body, served: &[&str], only: &[(&str, &[Value])]) -> Result<(), Fault> {
    for (key, value) in body.iter().filter(|(k, _)| !served.contains(&k.as_str())) {
        match only.iter().find(|(k, _)| k == key) {
            Some((_, values)) if values.contains(value) => {}
            Some(_) => return Err(Fault::not_served(&format!("'{}' with this value", clean(key)))),
            None => {
                let message = format!("Unrecognized attribute(s) '{}'", clean(key));
                return Err(Fault::bad_request(message).kind("HTTPBadRequest"));
            }
        }
    }
    Ok(())
}

/// A network as it is asked for; what is absent is not changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct NetworkWish {
    /// Name.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Whether all projects may use it.
    pub shared: Option<bool>,
    /// Largest packet.
    pub mtu: Option<u32>,
    /// Whether a server that names no network gets it.
    pub default: Option<bool>,
    /// The project that may use it.
    pub project: Option<String>,
}

/// Reads a creation or change of a network.
pub fn network(body: &Body) -> Result<NetworkWish, Fault> {
    let same = [
        ("admin_state_up", vec![true.into()]),
        ("router:external", vec![false.into()]),
        ("port_security_enabled", vec![false.into()]),
        ("vlan_transparent", vec![Value::Null, false.into()]),
        ("availability_zone_hints", vec![Value::Array(vec![])]),
        ("qos_policy_id", vec![Value::Null]),
    ];
    let same: Vec<(&str, &[Value])> = same.iter().map(|(k, v)| (*k, v.as_slice())).collect();
    known(body, &["name", "description", "shared", "mtu", "is_default", "tenant_id", "project_id"], &same)?;
    let mtu = match body.get("mtu") {
        None | Some(Value::Null) => None,
        Some(value) => Some(
            value.as_u64().and_then(|n| u32::try_from(n).ok()).ok_or_else(|| invalid("mtu", "it is not a number."))?,
        ),
    };
    Ok(NetworkWish {
        name: text(body, "name")?,
        description: text(body, "description")?,
        shared: flag(body, "shared")?,
        mtu,
        default: flag(body, "is_default")?,
        project: text(body, "project_id")?.or(text(body, "tenant_id")?),
    })
}

/// A subnet of a network, as it is asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct SubnetWish {
    /// The network.
    pub network: String,
    /// The range.
    pub subnet: Subnet,
}

/// Reads a creation of a subnet.
pub fn subnet(body: &Body) -> Result<SubnetWish, Fault> {
    let same = [
        ("ip_version", vec![4.into(), "4".into()]),
        ("enable_dhcp", vec![true.into()]),
        ("host_routes", vec![Value::Array(vec![])]),
        ("service_types", vec![Value::Array(vec![])]),
        ("description", vec!["".into()]),
        ("subnetpool_id", vec![Value::Null]),
        ("ipv6_ra_mode", vec![Value::Null]),
        ("ipv6_address_mode", vec![Value::Null]),
        ("segment_id", vec![Value::Null]),
    ];
    let same: Vec<(&str, &[Value])> = same.iter().map(|(k, v)| (*k, v.as_slice())).collect();
    let served =
        ["network_id", "cidr", "gateway_ip", "dns_nameservers", "allocation_pools", "name", "tenant_id", "project_id"];
    known(body, &served, &same)?;
    let needed = |key: &str| text(body, key)?.ok_or_else(|| invalid(key, "it is required."));
    let dns = match body.get("dns_nameservers") {
        None | Some(Value::Null) => None,
        Some(Value::Array(items)) if items.is_empty() => None,
        Some(Value::Array(items)) => {
            let all: Option<Vec<String>> = items.iter().map(|i| i.as_str().map(str::to_owned)).collect();
            Some(all.ok_or_else(|| invalid("dns_nameservers", "it is not a list of addresses."))?)
        }
        Some(_) => return Err(invalid("dns_nameservers", "it is not a list of addresses.")),
    };
    if body.get("gateway_ip") == Some(&Value::Null) {
        return Err(Fault::not_served("A subnet without a gateway"));
    }
    let pool = match body.get("allocation_pools").and_then(Value::as_array).map(Vec::as_slice) {
        None | Some([]) => None,
        Some([one]) => {
            let end = |key: &str| one.get(key).and_then(Value::as_str).map(str::to_owned);
            let pair = end("start").zip(end("end"));
            let (first, last) = pair.ok_or_else(|| invalid("allocation_pools", "each has a start and an end."))?;
            Some(AddressPool { first, last })
        }
        Some(_) => return Err(Fault::not_served("A subnet with several allocation pools")),
    };
    let subnet = Subnet { cidr: needed("cidr")?, gateway: text(body, "gateway_ip")?, dns_servers: dns, pool };
    Ok(SubnetWish { network: needed("network_id")?, subnet })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(value: Value) -> Body {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn what_is_not_here_is_refused_by_name() {
        let code = |v: Value| network(&body(v)).map_or_else(|f| f.status.as_u16(), |_| 200);
        assert_eq!(code(json!({"name": "a", "admin_state_up": true, "router:external": false, "mtu": 1400})), 200);
        assert_eq!(code(json!({"router:external": true})), 501);
        assert_eq!(code(json!({"admin_state_up": false})), 501);
        for bad in [json!({"colour": 1}), json!({"name": 1}), json!({"shared": "perhaps"}), json!({"mtu": "x"})] {
            assert_eq!(code(bad.clone()), 400, "{bad}");
        }
        let wish = network(&body(json!({"shared": "True", "tenant_id": "prod"}))).unwrap();
        assert_eq!((wish.shared, wish.project.as_deref()), (Some(true), Some("prod")));
    }

    #[test]
    fn a_subnet_is_read_with_its_pool() {
        let base = |more: Value| {
            let mut all = body(json!({"network_id": "n", "cidr": "10.0.0.0/24", "ip_version": 4}));
            all.extend(body(more));
            subnet(&all).map_err(|f| f.status.as_u16())
        };
        let wish = base(
            json!({"allocation_pools": [{"start": "10.0.0.5", "end": "10.0.0.9"}], "dns_nameservers": ["9.9.9.9"]}),
        );
        let wish = wish.unwrap();
        assert_eq!(wish.subnet.pool, Some(AddressPool { first: "10.0.0.5".into(), last: "10.0.0.9".into() }));
        assert_eq!(wish.subnet.dns_servers, Some(vec!["9.9.9.9".to_owned()]));
        for (more, code) in [
            (json!({"ip_version": 6}), 501),
            (json!({"enable_dhcp": false}), 501),
            (json!({"gateway_ip": null}), 501),
            (json!({"cidr": null}), 400),
            (json!({"dns_nameservers": "x"}), 400),
            (json!({"allocation_pools": [{"start": "x"}]}), 400),
            (json!({"colour": 1}), 400),
        ] {
            assert_eq!(base(more.clone()), Err(code), "{more}");
        }
    }
}
