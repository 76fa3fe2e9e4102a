//! Each name that can be wrong is refused with its field.

use ostler_crds::{
    FlavorSpec, FlavorVisibility, ImageSpec, KeyPairSpec, NetworkSpec, ServerSpec,
    host::Resources,
    image::{DiskFormat, ImageSource, ImageStatus, ImageVisibility},
    network::{NetworkMode, Subnet},
    server::{ServerNetwork, footprint::GUEST_OVERHEAD_MIB},
};
use rstest::rstest;

use super::*;

fn server() -> Server {
    let spec = ServerSpec { flavor: "small".into(), image: Some("tiny".into()), ..Default::default() };
    let mut s = Server::new("web", spec);
    s.metadata.namespace = Some("prod".into());
    s
}

fn a_flavor() -> Flavor {
    Flavor::new(
        "small",
        FlavorSpec {
            display_name: None,
            description: None,
            vcpus: 1,
            memory_mib: 128,
            disk_gib: 1,
            ephemeral_gib: None,
            swap_mib: None,
            rxtx_factor: None,
            extra_specs: Default::default(),
            visibility: FlavorVisibility::Public,
            access: None,
        },
    )
}

fn an_image() -> Image {
    let spec = ImageSpec {
        display_name: None,
        source: ImageSource::default(),
        disk_format: DiskFormat::Qcow2,
        container_format: "bare".into(),
        min_disk_gib: 0,
        min_memory_mib: 0,
        properties: Default::default(),
        tags: vec![],
        protected: false,
        hidden: false,
        visibility: ImageVisibility::Private,
        members: None,
        member_status: Default::default(),
        deactivated: false,
    };
    let mut i = Image::new("tiny", spec);
    i.metadata.namespace = Some("prod".into());
    i.status = Some(ImageStatus {
        state: Some(ImageState::Active),
        sha256: Some("0".repeat(64)),
        size: Some(1000),
        virtual_size: Some(32 << 20),
        ..Default::default()
    });
    i
}

fn a_network(default: bool) -> Network {
    let subnet = Subnet { cidr: "10.0.0.0/24".into(), gateway: None, dns_servers: None, pool: None };
    Network::new(
        "lan",
        NetworkSpec {
            display_name: Some("My LAN".into()),
            description: None,
            mode: NetworkMode::Nat,
            bridge: None,
            subnets: vec![subnet],
            mtu: None,
            default,
            access: None,
        },
    )
}

fn resolved(change: impl FnOnce(&mut Server, &mut Flavor, &mut Image, &mut Network)) -> Result<Resolved, Refusal> {
    let (mut s, mut f, mut i, mut n) = (server(), a_flavor(), an_image(), a_network(true));
    change(&mut s, &mut f, &mut i, &mut n);
    resolve(&s, &Named { flavor: Some(&f), image: Some(&i), key_pair: None, networks: vec![&n] })
}

#[test]
fn a_server_that_names_what_exists_is_resolved() {
    let r = resolved(|_, _, _, _| {}).unwrap();
    assert_eq!(r.request.resources, Resources { vcpus: 1, memory_mib: 128 + GUEST_OVERHEAD_MIB, disk_gib: 1 });
    assert_eq!((r.interfaces[0].network.as_str(), r.interfaces[0].label.as_str()), ("lan", "My LAN"));
}

#[rstest]
#[case::private_flavor(|_: &mut Server, f: &mut Flavor, _: &mut Image, _: &mut Network| f.spec.visibility = FlavorVisibility::Private, reason::FLAVOR_NOT_FOUND, "spec.flavor")]
#[case::ephemeral_disk(|_: &mut Server, f: &mut Flavor, _: &mut Image, _: &mut Network| f.spec.ephemeral_gib = Some(1), reason::FLAVOR_NOT_SERVED, "spec.flavor")]
#[case::image_elsewhere(|_: &mut Server, _: &mut Flavor, i: &mut Image, _: &mut Network| i.metadata.namespace = Some("dev".into()), reason::IMAGE_NOT_FOUND, "spec.image")]
#[case::no_bytes(|_: &mut Server, _: &mut Flavor, i: &mut Image, _: &mut Network| i.status = None, reason::IMAGE_NOT_ACTIVE, "spec.image")]
#[case::deactivated(|_: &mut Server, _: &mut Flavor, i: &mut Image, _: &mut Network| i.spec.deactivated = true, reason::IMAGE_REFUSED, "deactivated")]
#[case::format(|_: &mut Server, _: &mut Flavor, i: &mut Image, _: &mut Network| i.spec.disk_format = DiskFormat::Vmdk, reason::IMAGE_REFUSED, "vmdk")]
#[case::disk(|_: &mut Server, _: &mut Flavor, i: &mut Image, _: &mut Network| i.spec.min_disk_gib = 2, reason::IMAGE_DOES_NOT_FIT, "needs a disk of 2 GiB")]
#[case::memory(|_: &mut Server, _: &mut Flavor, i: &mut Image, _: &mut Network| i.spec.min_memory_mib = 512, reason::IMAGE_DOES_NOT_FIT, "512 MiB")]
#[case::key(|s: &mut Server, _: &mut Flavor, _: &mut Image, _: &mut Network| s.spec.key_pair = Some("me".into()), reason::KEY_PAIR_NOT_FOUND, "spec.keyPair")]
#[case::no_default(|_: &mut Server, _: &mut Flavor, _: &mut Image, n: &mut Network| n.spec.default = false, reason::NETWORK_NOT_FOUND, "spec.networks")]
#[case::closed_network(|_: &mut Server, _: &mut Flavor, _: &mut Image, n: &mut Network| n.spec.access = Some(vec!["dev".into()]), reason::NETWORK_NOT_FOUND, "spec.networks")]
#[case::unknown_network(|s: &mut Server, _: &mut Flavor, _: &mut Image, _: &mut Network| s.spec.networks = Some(vec![ServerNetwork { name: "x".into(), address: None }]), reason::NETWORK_NOT_FOUND, "spec.networks[0].name")]
fn what_is_wrong_is_named(
    #[case] change: impl FnOnce(&mut Server, &mut Flavor, &mut Image, &mut Network),
    #[case] reason: &str,
    #[case] text: &str,
) {
    let refusal = resolved(change).unwrap_err();
    assert_eq!(refusal.reason, reason);
    assert!(refusal.message.contains(text), "{}", refusal.message);
}

#[test]
fn a_public_image_of_another_namespace_may_be_used() {
    let r = resolved(|s, _, i, _| {
        i.metadata.namespace = Some("images".into());
        i.spec.visibility = ImageVisibility::Public;
        s.spec.image = Some("images/tiny".into());
    });
    assert_eq!(r.unwrap().image.namespace, "images");
}

#[test]
fn no_networks_at_all_may_be_asked_for() {
    assert!(resolved(|s, _, _, _| s.spec.networks = Some(vec![])).unwrap().interfaces.is_empty());
}

#[test]
fn the_key_is_taken_as_it_is_now() {
    let mut s = server();
    s.spec.key_pair = Some("me".into());
    let spec = KeyPairSpec {
        display_name: Some("My key".into()),
        public_key: "ssh-ed25519 AAAA me\n".into(),
        type_: Default::default(),
        user: None,
    };
    let (f, i, n, k) = (a_flavor(), an_image(), a_network(true), KeyPair::new("me", spec));
    let r = resolve(&s, &Named { flavor: Some(&f), image: Some(&i), key_pair: Some(&k), networks: vec![&n] }).unwrap();
    let key = r.key.unwrap();
    assert_eq!((key.name.as_str(), key.public_key.as_str()), ("My key", "ssh-ed25519 AAAA me"));
}
