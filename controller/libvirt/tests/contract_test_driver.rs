//! The contract of every hypervisor, on libvirt's in-memory test driver.

use std::{net::Ipv4Addr, path::PathBuf};

use ostler_crds::host::Accelerator;
use ostler_hypervisor::{
    DomainDefinition, GuestId, Hypervisor, NetworkDefinition, NicDefinition, Owner,
    contract::{self, Fixture},
};
use ostler_libvirt::{Config, LibvirtHypervisor};
use uuid::Uuid;

fn config(uri: &str) -> Config {
    Config { uri: uri.into(), state_dir: "/".into(), accelerator: Some(Accelerator::Tcg) }
}

fn fixture() -> Fixture {
    let network = NetworkDefinition {
        name: "ostler-contract".into(),
        uid: "2f0b9a52-6a9f-4d2c-9d0a-000000000001".into(),
        gateway: Ipv4Addr::new(10, 88, 0, 1),
        prefix_length: 24,
        dns_servers: vec![Ipv4Addr::new(9, 9, 9, 9)],
        mtu: Some(1400),
    };
    let nic = NicDefinition {
        mac: "fa:16:3e:00:00:02".into(),
        network: network.name.clone(),
        address: Ipv4Addr::new(10, 88, 0, 2),
        prefix_length: 24,
        gateway: network.gateway,
        dns_servers: network.dns_servers.clone(),
        mtu: Some(1400),
    };
    let domain = DomainDefinition {
        id: GuestId(Uuid::from_u128(0x5eed)),
        owner: Owner { namespace: "shop".into(), name: "web-1".into(), uid: "u-1".into() },
        vcpus: 1,
        memory_mib: 128,
        accelerator: Accelerator::Tcg,
        root_disk: PathBuf::from("/var/lib/ostler/guests/x/root.qcow2"),
        second_disk: None,
        config_drive: Some(PathBuf::from("/var/lib/ostler/guests/x/config.iso")),
        nics: vec![nic],
        console_log: PathBuf::from("/var/lib/ostler/guests/x/console.log"),
    };
    Fixture { network, domain }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_test_driver_keeps_the_contract() {
    let hypervisor = LibvirtHypervisor::connect(config("test:///default")).unwrap();
    contract::all(&hypervisor, &fixture()).await;
    // The test driver comes with a domain of its own, which is not ours.
    assert!(hypervisor.observe_all().await.unwrap().is_empty());
}
