use std::{net::Ipv4Addr, sync::Arc};

use ostler_crds::{
    SecurityGroup, Server,
    security_group::{Direction, EtherType, SecurityGroupRule, SecurityGroupSpec, default_rules},
};
use ostler_hypervisor::port_rules::{Allow, Remote, Traffic, render};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::{Groups, compile, missing};

fn server(namespace: &str, name: &str, last: u8, groups: Option<&[&str]>) -> Server {
    serde_json::from_value(json!({
        "apiVersion": "compute.ostler.dev/v1alpha1", "kind": "Server", "metadata": {"name": name, "namespace": namespace},
        "spec": {"flavor": "f", "securityGroups": groups},
        "status": {"addresses": [{
            "network": "lan", "label": "lan", "mac": "fa:16:3e:00:00:01", "address": format!("10.0.0.{last}"), "prefixLength": 24,
        }]},
    }))
    .unwrap()
}

fn groups(all: &[(&str, &str, Value)]) -> Groups {
    let group =
        |rules: &Value| Arc::new(SecurityGroup::new("g", serde_json::from_value(json!({ "rules": rules })).unwrap()));
    all.iter().map(|(ns, name, rules)| (((*ns).to_owned(), (*name).to_owned()), group(rules))).collect()
}

fn ssh() -> Value {
    json!({"direction": "Ingress", "protocol": "tcp", "portMin": 22, "portMax": 22})
}

fn at(last: u8) -> Ipv4Addr {
    [10, 0, 0, last].into()
}

#[test]
fn default_lets_everything_pass_until_an_object_has_that_name() {
    let servers = [server("a", "x", 1, None), server("a", "y", 2, Some(&["default", "web"]))];
    assert!(compile(&servers.each_ref(), &groups(&[("a", "web", json!([ssh()]))])).is_empty());
    let rules = compile(&servers.each_ref(), &groups(&[("a", "default", json!([])), ("a", "web", json!([ssh()]))]));
    assert_eq!(rules.ports.len(), 2);
    assert_eq!(rules.policies[&rules.ports[&at(1)]].ingress, Some([].into()));
    assert_eq!(rules.policies[&rules.ports[&at(2)]].ingress.as_ref().map(|i| i.len()), Some(1));
    let own = SecurityGroupSpec { rules: default_rules(), ..Default::default() };
    let own = Arc::new(SecurityGroup::new("default", own));
    assert!(
        compile(&servers.each_ref(), &[(("a".into(), "default".into()), own)].into()).is_empty(),
        "the same as an object"
    );
}

#[test]
fn a_server_in_no_group_or_an_unknown_one_takes_and_makes_no_connection() {
    let servers = [server("a", "x", 1, Some(&[])), server("a", "y", 2, Some(&["gone"]))];
    let rules = compile(&servers.each_ref(), &groups(&[("b", "gone", json!([ssh()]))]));
    for last in [1, 2] {
        let policy = &rules.policies[&rules.ports[&at(last)]];
        assert_eq!((&policy.ingress, &policy.egress), (&Some([].into()), &Some([].into())));
    }
    assert_eq!(missing(&servers[0], &Groups::new()), None);
    assert_eq!(missing(&servers[1], &Groups::new()), Some("gone"));
    assert_eq!(missing(&server("a", "z", 3, None), &Groups::new()), None);
}

#[test]
fn a_remote_group_is_its_members_of_the_same_namespace() {
    let rule = json!({"direction": "Ingress", "remoteGroup": "web"});
    let servers = [
        server("a", "x", 1, Some(&["db"])),
        server("a", "y", 2, Some(&["web"])),
        server("b", "z", 3, Some(&["web"])),
        server("a", "w", 4, None),
    ];
    let rules = compile(
        &servers.each_ref(),
        &groups(&[("a", "db", json!([rule])), ("a", "web", json!([])), ("b", "web", json!([]))]),
    );
    assert_eq!(rules.groups.values().cloned().collect::<Vec<_>>(), [[at(2)].into()]);
    let ingress = rules.policies[&rules.ports[&at(1)]].ingress.clone().unwrap();
    let remote = Remote::Group(rules.groups.keys().next().unwrap().clone());
    assert_eq!(ingress, [Allow { remote, traffic: Traffic::Anything }].into());
}

#[test]
fn an_address_that_two_claim_is_shut() {
    let servers = [server("a", "x", 1, None), server("a", "y", 1, None)];
    let rules = compile(&servers.each_ref(), &Groups::new());
    assert!(!rules.policies.contains_key(&rules.ports[&at(1)]));
    assert!(render(&rules).unwrap().contains("10.0.0.1 : drop"));
}

#[rstest]
#[case(json!({}), Some((Remote::Anybody, Traffic::Anything)))]
#[case(json!({"protocol": "any", "remoteCidr": "0.0.0.0/0"}), Some((Remote::Anybody, Traffic::Anything)))]
#[case(json!({"protocol": "47"}), Some((Remote::Anybody, Traffic::Protocol(47))))]
#[case(json!({"protocol": "udp", "portMin": 5, "portMax": 9, "remoteCidr": "10.2.3.124/24"}),
       Some((Remote::Range("10.2.3.0/24".parse().unwrap()), Traffic::Ports { protocol: 17, first: 5, last: 9 })))]
#[case(json!({"protocol": "icmp", "portMin": 8}), Some((Remote::Anybody, Traffic::Icmp { kind: 8, code: None })))]
#[case(json!({"protocol": "1", "portMin": 3, "portMax": 4}), Some((Remote::Anybody, Traffic::Icmp { kind: 3, code: Some(4) })))]
#[case(json!({"protocol": "icmp", "portMin": 300}), None)]
#[case(json!({"protocol": "nonsense"}), None)]
#[case(json!({"etherType": "IPv6"}), None)]
#[case(json!({"direction": "Egress"}), None)]
fn a_rule_allows_what_it_says_or_nothing(#[case] rule: Value, #[case] wanted: Option<(Remote, Traffic)>) {
    let mut whole = json!({"direction": "Ingress"});
    whole.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
    let rules = compile(&[&server("a", "x", 1, Some(&["g"]))], &groups(&[("a", "g", json!([whole]))]));
    let wanted: std::collections::BTreeSet<Allow> =
        wanted.into_iter().map(|(remote, traffic)| Allow { remote, traffic }).collect();
    let all = wanted.iter().any(|a| a.remote == Remote::Anybody && a.traffic == Traffic::Anything);
    assert_eq!(rules.policies[&rules.ports[&at(1)]].ingress, (!all).then_some(wanted));
}

fn any_rule() -> impl Strategy<Value = SecurityGroupRule> {
    let protocol = prop_oneof![Just("any".to_owned()), "[a-z0-9-]{1,10}"];
    let port = || proptest::option::of(any::<u16>());
    let remote = (proptest::option::of("\\PC{0,20}"), proptest::option::of("\\PC{1,20}"));
    (any::<bool>(), proptest::option::of(protocol), port(), port(), remote).prop_map(
        |(up, protocol, min, max, remote)| SecurityGroupRule {
            protocol,
            port_min: min,
            port_max: max,
            remote_cidr: remote.0,
            remote_group: remote.1,
            ..SecurityGroupRule::everything(if up { Direction::Egress } else { Direction::Ingress }, EtherType::IPv4)
        },
    )
}

proptest! {
    #[test]
    fn whatever_the_rules_say_the_table_can_be_written(rules in proptest::collection::vec(any_rule(), 0..6), name in "\\PC{1,20}") {
        let spec = SecurityGroupSpec { rules, ..Default::default() };
        let groups: Groups = [(("ns".to_owned(), name.clone()), Arc::new(SecurityGroup::new("g", spec)))].into();
        let compiled = compile(&[&server("ns", "x", 1, Some(&[&name]))], &groups);
        prop_assert!(render(&compiled).is_ok());
    }
}
