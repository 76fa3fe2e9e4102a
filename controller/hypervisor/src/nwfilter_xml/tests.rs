use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::{MAX_DENIED, parameters, render};
use crate::definition::{FilterDefinition, NicDefinition};

fn nic() -> NicDefinition {
    NicDefinition {
        mac: "fa:16:3e:00:00:05".into(),
        network: "ostler-lan".into(),
        address: Ipv4Addr::new(10, 77, 3, 5),
        prefix_length: 22,
        gateway: Ipv4Addr::new(10, 77, 0, 1),
        dns_servers: vec![],
        mtu: None,
    }
}

fn ranges(texts: &[&str]) -> Vec<Ipv4Net> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn the_whole_filter() {
    let denied = ranges(&["10.96.0.0/12", "169.254.0.0/16", "192.168.7.9/32", "192.168.7.8/32"]);
    insta::assert_snapshot!(render(&FilterDefinition { metadata_service: true, denied }).unwrap());
}

#[test]
fn without_the_metadata_service_its_address_is_like_any_other() {
    let xml = render(&FilterDefinition { metadata_service: false, denied: ranges(&["169.254.0.0/16"]) }).unwrap();
    assert!(!xml.contains("169.254.169.254") && xml.contains(r#"dstipaddr="169.254.0.0" dstipmask="16""#), "{xml}");
}

#[test]
fn an_interface_tells_its_address_router_subnet_and_dns_servers() {
    let told = parameters(&nic()).iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ");
    let wanted = "IP=10.77.3.5 GATEWAY=10.77.0.1 SUBNET=10.77.0.0 SUBNET_PREFIX=22 BROADCAST=10.77.3.255 DNS=10.77.0.1";
    assert_eq!(told, wanted);
    let own = NicDefinition { dns_servers: vec![Ipv4Addr::new(9, 9, 9, 9), Ipv4Addr::new(1, 1, 1, 1)], ..nic() };
    let servers: Vec<_> = parameters(&own).into_iter().filter(|(name, _)| *name == "DNS").collect();
    assert_eq!(servers, [("DNS", "9.9.9.9".to_owned()), ("DNS", "1.1.1.1".to_owned())]);
}

#[test]
fn too_many_ranges_are_refused_rather_than_cut() {
    let denied =
        |count: u32| (0..count).map(|i| Ipv4Net::new_assert(Ipv4Addr::from(0x0a00_0000 + 2 * i), 32)).collect();
    let count = u32::try_from(MAX_DENIED).unwrap();
    assert!(render(&FilterDefinition { metadata_service: true, denied: denied(count) }).is_ok());
    assert!(render(&FilterDefinition { metadata_service: true, denied: denied(count + 1) }).is_err());
}
