use std::net::Ipv4Addr;

use super::{Reservation, read, render, render_host};
use crate::definition::NetworkDefinition;

fn definition() -> NetworkDefinition {
    NetworkDefinition {
        name: "ostler-default".into(),
        uid: "7f3c9f2e-55d0-4f0e-8c43-6f1f6f3b9a10".into(),
        gateway: Ipv4Addr::new(10, 77, 0, 1),
        prefix_length: 16,
        dns_servers: vec![Ipv4Addr::new(9, 9, 9, 9), Ipv4Addr::new(1, 1, 1, 1)],
        mtu: Some(1450),
    }
}

fn reservation() -> Reservation {
    Reservation { mac: "fa:16:3e:00:00:05".into(), address: Ipv4Addr::new(10, 77, 0, 5) }
}

#[test]
fn a_network_with_everything() {
    insta::assert_snapshot!(render(&definition(), &[reservation()]).unwrap());
}

#[test]
fn a_network_with_defaults() {
    let plain = NetworkDefinition { dns_servers: vec![], mtu: None, ..definition() };
    insta::assert_snapshot!(render(&plain, &[]).unwrap());
}

#[test]
fn what_was_written_is_read_back() {
    let network = read(&render(&definition(), &[reservation()]).unwrap()).unwrap();
    assert_eq!(network.reservations, vec![reservation()]);
    assert!(network.differing_identity(&definition()).is_empty());
    assert!(network.differing_settings(&definition()).is_empty());
}

#[test]
fn differences_are_named() {
    let network = read(&render(&definition(), &[]).unwrap()).unwrap();
    let moved = NetworkDefinition { gateway: Ipv4Addr::new(10, 78, 0, 1), uid: "other".into(), ..definition() };
    assert_eq!(network.differing_identity(&moved), ["gateway"]);
    let anew = NetworkDefinition { uid: "other".into(), ..definition() };
    assert!(network.differing_identity(&anew).is_empty());
    assert_eq!(network.adopted(&anew), definition());
    let retuned = NetworkDefinition { mtu: None, dns_servers: vec![], ..definition() };
    assert_eq!(network.differing_settings(&retuned), ["mtu", "DNS servers"]);
}

#[test]
fn a_stock_network_is_not_ours() {
    let stock = "<network connections='3'><name>default</name><forward mode='nat'/><bridge name='virbr0'/>\
                 <ip address='192.168.122.1' netmask='255.255.255.0'><dhcp><range start='192.168.122.2' \
                 end='192.168.122.254'/></dhcp></ip></network>";
    let network = read(stock).unwrap();
    assert_eq!((network.uid, network.prefix_length, network.connections), (None, Some(24), 3));
}

#[test]
fn a_reservation_and_a_network_take_no_names() {
    insta::assert_snapshot!(render_host(&reservation()).unwrap(), @r#"<host mac="fa:16:3e:00:00:05" ip="10.77.0.5"/>"#);
    assert!(render(&definition(), &[]).unwrap().contains(r#"value="dhcp-ignore-names""#));
}
