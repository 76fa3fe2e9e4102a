//! A rule as it comes in. Pure.

use ipnet::IpNet;
use ostler_crds::security_group::{Direction, EtherType, SecurityGroupRule, protocol_number};
use serde_json::{Map, Value, json};

use super::super::wire::{known, text};
use crate::{fault::Fault, observe::clean};

type Body = Map<String, Value>;

const SERVED: &[&str] = &[
    "security_group_id",
    "direction",
    "ethertype",
    "protocol",
    "port_range_min",
    "port_range_max",
    "remote_ip_prefix",
    "remote_group_id",
    "description",
];
/// Numbers of protocols whose packets have ports where TCP's have.
const WITH_PORTS: &[u8] = &[6, 17, 33, 132, 136];
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

/// A rule that is asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct RuleWish {
    /// Id of its group.
    pub group: String,
    /// Id of the group that it speaks of.
    pub remote_group: Option<String>,
    /// The rule, without that group.
    pub rule: SecurityGroupRule,
}

fn invalid(message: impl Into<String>, kind: &'static str) -> Fault {
    Fault::bad_request(message).kind(kind)
}

/// Reads a rule of this project.
pub fn read(body: &Body, project: &str) -> Result<RuleWish, Fault> {
    let own = [json!(project)];
    let only: &[(&str, &[Value])] =
        &[("tenant_id", &own), ("project_id", &own), ("remote_address_group_id", &[Value::Null])];
    known(body, SERVED, only)?;
    let needed = |key: &str| {
        let absent =
            || invalid(format!("Failed to parse request. Required attribute '{key}' not specified"), "HTTPBadRequest");
        text(body, key)?.ok_or_else(absent)
    };
    let direction = match needed("direction")?.to_ascii_lowercase().as_str() {
        "ingress" => Direction::Ingress,
        "egress" => Direction::Egress,
        other => return Err(not_one_of("direction", other, "['ingress', 'egress']")),
    };
    let ether_type = match text(body, "ethertype")?.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("ipv4") => EtherType::IPv4,
        Some("ipv6") => EtherType::IPv6,
        Some(other) => return Err(not_one_of("ethertype", other, "['IPv4', 'IPv6']")),
    };
    let remote_group = text(body, "remote_group_id")?;
    let remote_cidr = text(body, "remote_ip_prefix")?.map(|cidr| range(&cidr, ether_type)).transpose()?;
    if remote_group.is_some() && remote_cidr.is_some() {
        let why = "Only remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.";
        return Err(invalid(why, "SecurityGroupMultipleRemoteEntitites"));
    }
    let protocol = protocol(body.get("protocol"), ether_type)?;
    let (port_min, port_max) = (port(body, "port_range_min")?, port(body, "port_range_max")?);
    ports(protocol.as_deref(), port_min, port_max)?;
    let description = text(body, "description")?.filter(|d| !d.is_empty());
    let rule = SecurityGroupRule {
        direction,
        ether_type,
        protocol,
        port_min,
        port_max,
        remote_cidr,
        remote_group: None,
        description,
    };
    Ok(RuleWish { group: needed("security_group_id")?, remote_group, rule })
}

fn not_one_of(key: &str, value: &str, all: &str) -> Fault {
    invalid(format!("Invalid input for {key}. Reason: '{}' is not in {all}.", clean(value)), "HTTPBadRequest")
}

/// A range, or a single address as one.
fn range(text: &str, ether_type: EtherType) -> Result<String, Fault> {
    let address = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    let wrong = || {
        let text = clean(text);
        invalid(format!("Invalid input for remote_ip_prefix. Reason: '{text}' is not a valid CIDR."), "HTTPBadRequest")
    };
    let range = text.parse::<IpNet>().or_else(|_| address()).map_err(|_| wrong())?;
    if matches!(range, IpNet::V6(_)) != (ether_type == EtherType::IPv6) {
        let message = format!("Conflicting value ethertype for CIDR {range}");
        return Err(invalid(message, "SecurityGroupRuleParameterConflict"));
    }
    Ok(range.to_string())
}

fn protocol(value: Option<&Value>, ether_type: EtherType) -> Result<Option<String>, Fault> {
    let name = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.to_ascii_lowercase(),
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => return Err(unsupported("")),
    };
    match name.as_str() {
        "" | "any" | "-1" => Ok(None),
        "icmp" if ether_type == EtherType::IPv6 => Ok(Some("ipv6-icmp".to_owned())),
        known if protocol_number(known).is_some() => Ok(Some(name)),
        other => Err(unsupported(other)),
    }
}

fn unsupported(name: &str) -> Fault {
    let message = format!(
        "Security group rule protocol {} not supported. Only protocol values and integer representations [0 to 255] are \
         supported.",
        clean(name)
    );
    invalid(message, "SecurityGroupRuleInvalidProtocol")
}

fn port(body: &Body, key: &str) -> Result<Option<u16>, Fault> {
    let wrong = || invalid(format!("Invalid input for {key}. Reason: it is no port."), "SecurityGroupInvalidPortValue");
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => number.as_u64().and_then(|n| u16::try_from(n).ok()).map(Some).ok_or_else(wrong),
        Some(Value::String(text)) => text.parse().map(Some).map_err(|_| wrong()),
        Some(_) => Err(wrong()),
    }
}

fn ports(protocol: Option<&str>, min: Option<u16>, max: Option<u16>) -> Result<(), Fault> {
    if min.is_none() && max.is_none() {
        return Ok(());
    }
    let number = protocol.and_then(protocol_number);
    match number {
        None => {
            Err(invalid("Must also specify protocol if port range is given.", "SecurityGroupProtocolRequiredWithPorts"))
        }
        Some(ICMP | ICMPV6) => match (min, max) {
            (None, Some(_)) => Err(invalid(
                "ICMP code (port-range-max) is provided but ICMP type (port-range-min) is missing.",
                "SecurityGroupMissingIcmpType",
            )),
            (min, max) if min.into_iter().chain(max).any(|n| n > 255) => Err(invalid(
                "Invalid value for ICMP type or code. It must be 0 to 255.",
                "SecurityGroupInvalidIcmpValue",
            )),
            _ => Ok(()),
        },
        Some(number) if WITH_PORTS.contains(&number) => match (min, max) {
            (Some(min), Some(max)) if min >= 1 && min <= max => Ok(()),
            _ => Err(invalid(
                "For TCP/UDP protocols, port_range_min must be <= port_range_max, and both from 1 on",
                "SecurityGroupInvalidPortRange",
            )),
        },
        Some(_) => Err(invalid(
            "Security group rule with port range is only for the protocols tcp, udp, udplite, sctp and dccp, and for icmp",
            "SecurityGroupInvalidProtocolForPort",
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    /// Protocol, ports and range.
    type Parts<'a> = (Option<&'a str>, Option<u16>, Option<u16>, Option<&'a str>);

    fn verdict(more: Value) -> Result<SecurityGroupRule, u16> {
        let mut body = json!({"security_group_id": "g", "direction": "ingress"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let Value::Object(body) = body else { unreachable!() };
        read(&body, "prod").map(|w| w.rule).map_err(|f| f.status.as_u16())
    }

    #[rstest]
    #[case(json!({"protocol": "TCP", "port_range_min": 22, "port_range_max": "23"}), Ok((Some("tcp"), Some(22), Some(23), None)))]
    #[case(json!({"protocol": 6}), Ok((Some("6"), None, None, None)))]
    #[case(json!({"protocol": "any"}), Ok((None, None, None, None)))]
    #[case(json!({"protocol": null, "remote_ip_prefix": "10.2.3.124/24"}), Ok((None, None, None, Some("10.2.3.124/24"))))]
    #[case(json!({"remote_ip_prefix": "10.2.3.4"}), Ok((None, None, None, Some("10.2.3.4/32"))))]
    #[case(json!({"protocol": "icmp", "port_range_min": 8}), Ok((Some("icmp"), Some(8), None, None)))]
    #[case(json!({"protocol": "icmp", "ethertype": "IPv6"}), Ok((Some("ipv6-icmp"), None, None, None)))]
    #[case(json!({"protocol": "icmp", "port_range_max": 8}), Err(400))]
    #[case(json!({"protocol": "icmp", "port_range_min": 256}), Err(400))]
    #[case(json!({"protocol": "tcp", "port_range_min": 23, "port_range_max": 22}), Err(400))]
    #[case(json!({"protocol": "tcp", "port_range_min": 22, "port_range_max": 65536}), Err(400))]
    #[case(json!({"protocol": "tcp", "port_range_min": 0, "port_range_max": 1}), Err(400))]
    #[case(json!({"protocol": "gre", "port_range_min": 1, "port_range_max": 1}), Err(400))]
    #[case(json!({"port_range_min": 1, "port_range_max": 1}), Err(400))]
    #[case(json!({"protocol": "nonsense"}), Err(400))]
    #[case(json!({"protocol": 256}), Err(400))]
    #[case(json!({"remote_ip_prefix": "fd00::/8"}), Err(400))]
    #[case(json!({"remote_ip_prefix": "here"}), Err(400))]
    #[case(json!({"remote_ip_prefix": "10.0.0.0/8", "remote_group_id": "h"}), Err(400))]
    #[case(json!({"direction": "up"}), Err(400))]
    #[case(json!({"ethertype": "IPv5"}), Err(400))]
    #[case(json!({"colour": "red"}), Err(400))]
    #[case(json!({"remote_address_group_id": "a"}), Err(501))]
    fn rules_are_read(#[case] more: Value, #[case] wanted: Result<Parts<'_>, u16>) {
        let read = verdict(more);
        let read = read.as_ref().map(|r| (r.protocol.as_deref(), r.port_min, r.port_max, r.remote_cidr.as_deref()));
        assert_eq!(read.map_err(|s| *s), wanted);
    }

    proptest! {
        #[test]
        fn no_body_breaks_the_reader(key in 0..SERVED.len(), text in "\\PC{0,20}", number in any::<i64>()) {
            for value in [json!(text), json!(number), json!([text]), Value::Null] {
                let _ = verdict(json!({ SERVED[key]: value }));
            }
        }
    }
}
