use std::{net::Ipv4Addr, path::PathBuf};

use ostler_crds::host::Accelerator;
use proptest::prelude::*;
use uuid::Uuid;

use super::{DomainType, read, render};
use crate::{
    definition::{DomainDefinition, GuestId, NicDefinition, Owner},
    xml::XmlError,
};

fn definition() -> DomainDefinition {
    DomainDefinition {
        id: GuestId(Uuid::from_u128(0x0b5b_6d3e_1f6c_4c8e_9f5a_0123_4567_89ab)),
        owner: Owner { namespace: "shop".into(), name: "web-1".into(), uid: "3f0f".into() },
        vcpus: 2,
        memory_mib: 512,
        accelerator: Accelerator::Tcg,
        root_disk: "/var/lib/ostler/guests/g/root.qcow2".into(),
        second_disk: None,
        config_drive: Some("/var/lib/ostler/guests/g/config.iso".into()),
        nics: vec![NicDefinition {
            mac: "fa:16:3e:00:00:05".into(),
            network: "ostler-default".into(),
            address: Ipv4Addr::new(10, 77, 0, 5),
            prefix_length: 24,
            gateway: Ipv4Addr::new(10, 77, 0, 1),
            dns_servers: vec![Ipv4Addr::new(9, 9, 9, 9), Ipv4Addr::new(1, 1, 1, 1)],
            mtu: Some(1450),
        }],
        console_log: "/var/lib/ostler/guests/g/console.log".into(),
    }
}

#[test]
fn a_guest_under_the_translator() {
    insta::assert_snapshot!(render(&definition(), DomainType::Qemu).unwrap());
}

#[test]
fn a_guest_under_kvm_without_config_drive_and_interfaces() {
    let bare = DomainDefinition { config_drive: None, nics: vec![], ..definition() };
    insta::assert_snapshot!(render(&bare, DomainType::Kvm).unwrap());
}

#[test]
fn a_rescued_guest_boots_from_the_rescue_disk_and_has_its_own_beside_it() {
    let rescue = PathBuf::from("/var/lib/ostler/guests/g/rescue.qcow2");
    let own = definition().root_disk;
    let rescued = DomainDefinition { root_disk: rescue.clone(), second_disk: Some(own), ..definition() };
    let xml = render(&rescued, DomainType::Qemu).unwrap();
    assert_eq!(read(&xml).unwrap().boot_disk, Some(rescue));
    let second = xml.split("<disk ").nth(2).unwrap();
    assert!(second.contains("root.qcow2") && second.contains(r#"dev="vdb""#) && !second.contains("<boot"), "{second}");
}

#[test]
fn a_relative_path_is_refused() {
    let relative = DomainDefinition { root_disk: "root.qcow2".into(), ..definition() };
    assert_eq!(render(&relative, DomainType::Qemu), Err(XmlError::Path(PathBuf::from("root.qcow2"))));
}

#[test]
fn only_our_own_mark_makes_a_domain_ours() {
    let mark = |xmlns: &str, place: &str| {
        format!(
            "<domain><name>x</name><{place}><a:server xmlns:a='{xmlns}' namespace='n' name='s' uid='u'/></{place}></domain>"
        )
    };
    let owner = Owner { namespace: "n".into(), name: "s".into(), uid: "u".into() };
    assert_eq!(read(&mark(crate::xml::NAMESPACE, "metadata")).unwrap().owner, Some(owner));
    assert_eq!(read(&mark("https://example.org/other", "metadata")).unwrap().owner, None);
    assert_eq!(read(&mark(crate::xml::NAMESPACE, "devices")).unwrap().owner, None);
    assert_eq!(
        read("<domain><metadata><server namespace='n' name='s' uid='u'/></metadata></domain>").unwrap().owner,
        None
    );
}

#[test]
fn broken_documents_are_errors() {
    for broken in ["", "<domain>", "<domain></network>", "<domain a=1/>", "no xml"] {
        assert!(read(broken).is_err(), "{broken:?}");
    }
}

fn control_or_noncharacter(texts: &[&String], error: &XmlError) -> bool {
    let odd = |c: char| c.is_control() || "\u{2028}\u{2029}\u{fffe}\u{ffff}".contains(c);
    matches!(error, XmlError::Character { .. }) && texts.iter().any(|text| text.chars().any(odd))
}

proptest! {
    /// Whatever a name holds, the document stays well-formed and gives the name back, or the name is refused.
    #[test]
    fn any_text_round_trips_or_is_refused(namespace in any::<String>(), name in any::<String>(), uid in "\\PC*") {
        let owner = Owner { namespace, name, uid };
        let copy = owner.clone();
        let texts = [&copy.namespace, &copy.name, &copy.uid];
        let control = texts.iter().any(|t| t.chars().any(char::is_control));
        match render(&DomainDefinition { owner: owner.clone(), ..definition() }, DomainType::Kvm) {
            Ok(xml) => {
                prop_assert!(!control);
                let read = read(&xml).unwrap();
                prop_assert_eq!(read.owner, Some(owner));
                prop_assert_eq!(read.nics, vec![("ostler-default".to_owned(), "fa:16:3e:00:00:05".to_owned())]);
            }
            Err(error) => prop_assert!(control_or_noncharacter(&texts, &error)),
        }
    }

    /// The characters that matter to XML, alone and together, reach neither elements nor attributes.
    #[test]
    fn markup_in_a_name_is_only_text(name in "[<>&'\"=/!?\\[\\]a ;-]{0,40}") {
        let owner = Owner { name: name.clone(), ..definition().owner };
        let xml = render(&DomainDefinition { owner, ..definition() }, DomainType::Kvm).unwrap();
        prop_assert_eq!(read(&xml).unwrap().owner.unwrap().name, name);
    }

    /// The reader takes anything without a panic.
    #[test]
    fn reading_anything_never_panics(xml in "\\PC*", tail in "[<>a/=' ]{0,30}") {
        let _ = read(&xml);
        let _ = read(&format!("<domain><metadata>{tail}"));
    }
}
