use super::{Allow, Policy, PortRules, Remote, Traffic, render, revision};

fn rules() -> PortRules {
    let allow = |remote, traffic| Allow { remote, traffic };
    let ingress = [
        allow(Remote::Anybody, Traffic::Ports { protocol: 6, first: 22, last: 23 }),
        allow(Remote::Range("10.2.3.124/24".parse().unwrap()), Traffic::Protocol(47)),
        allow(Remote::Group("web".into()), Traffic::Icmp { kind: 8, code: Some(0) }),
        allow(Remote::Anybody, Traffic::Icmp { kind: 3, code: None }),
    ];
    let open = Policy { ingress: Some(ingress.into()), egress: None };
    let shut = Policy { ingress: Some([].into()), egress: Some([allow(Remote::Anybody, Traffic::Anything)].into()) };
    PortRules {
        ports: [
            ([10, 77, 0, 2].into(), "open".into()),
            ([10, 77, 0, 3].into(), "shut".into()),
            ([10, 77, 0, 4].into(), "unknown".into()),
        ]
        .into(),
        policies: [("open".into(), open), ("shut".into(), shut)].into(),
        groups: [("web".into(), [[10, 77, 0, 2].into()].into()), ("nobody".into(), [].into())].into(),
    }
}

#[test]
fn the_whole_table() {
    insta::assert_snapshot!(render(&rules()).unwrap());
}

#[test]
fn without_ports_there_is_no_table() {
    let empty = PortRules::default();
    assert_eq!(render(&empty).unwrap(), "add table inet ostler_ports\ndelete table inet ostler_ports\n");
    assert_eq!(revision(&empty).unwrap(), None);
}

#[test]
fn a_revision_is_of_its_rules_alone() {
    let mut other = rules();
    assert_eq!(revision(&rules()).unwrap(), revision(&other).unwrap());
    other.groups.get_mut("nobody").unwrap().insert([10, 77, 0, 9].into());
    assert_ne!(revision(&rules()).unwrap(), revision(&other).unwrap());
    assert!(render(&other).unwrap().contains(&revision(&other).unwrap().unwrap()));
}

#[test]
fn a_name_that_could_end_a_line_is_refused() {
    for bad in ["", "a b", "x}", "a\nb", "ä"] {
        let mut rules = rules();
        rules.groups.insert(bad.into(), [].into());
        assert!(render(&rules).is_err(), "{bad:?}");
    }
}
