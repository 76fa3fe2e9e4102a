use jiff::Timestamp;
use ostler_crds::{
    ConditionBuilder, ConditionStatus, ImageStatus, ServerSpec,
    server::{
        FailedSnapshot, PowerState,
        state::{ObservedPower, ServerState},
    },
};
use rstest::rstest;
use serde_json::json;

use super::*;

fn image(uid: &str) -> Image {
    serde_json::from_value(json!({
        "apiVersion": "compute.ostler.dev/v1alpha1", "kind": "Image",
        "metadata": { "name": format!("i-{uid}"), "namespace": "n", "uid": uid },
        "spec": { "source": { "server": { "name": "a" } }, "diskFormat": "qcow2" },
    }))
    .unwrap()
}

fn with_state(uid: &str, state: ImageState, reason: &'static str) -> Image {
    let ready =
        ConditionBuilder { type_: condition::READY, status: ConditionStatus::False, reason, message: String::new() };
    let conditions = vec![ready.build(1, &[], Timestamp::UNIX_EPOCH)];
    Image { status: Some(ImageStatus { state: Some(state), conditions, ..Default::default() }), ..image(uid) }
}

fn server(vm: VmState) -> Server {
    let mut server = Server::new("a", ServerSpec { flavor: "f".into(), ..Default::default() });
    server.spec.power_state = match vm {
        VmState::Stopped => PowerState::Stopped,
        VmState::Paused => PowerState::Paused,
        VmState::Suspended => PowerState::Suspended,
        _ => PowerState::Running,
    };
    server.status = Some(ServerStatus {
        host: Some("h".into()),
        state: Some(ServerState::new(vm, None, ObservedPower::Running)),
        ..Default::default()
    });
    server
}

fn order(uid: &str) -> SnapshotOrder {
    SnapshotOrder { image: format!("i-{uid}"), uid: uid.into() }
}

#[rstest]
#[case(VmState::Active, true)]
#[case(VmState::Stopped, true)]
#[case(VmState::Paused, true)]
#[case(VmState::Suspended, true)]
#[case(VmState::Building, false)]
#[case(VmState::Error, false)]
#[case(VmState::Resized, false)]
#[case(VmState::ShelvedOffloaded, false)]
fn c23_an_image_is_made_of_a_server_at_rest_and_waits_for_any_other(#[case] vm: VmState, #[case] made: bool) {
    let standing = standing(&image("1"), Some(&server(vm)));
    match made {
        true => assert_eq!(standing, Standing::Order),
        false => {
            assert!(matches!(standing, Standing::Waits(Why { reason: reason::SERVER_BUSY, .. })), "{standing:?}");
        }
    }
}

#[test]
fn a_rebuild_a_resize_and_a_missing_host_keep_it_waiting_with_a_word_for_it() {
    let mut rebuilt = server(VmState::Active);
    rebuilt.spec.action =
        Some(ostler_crds::server::ServerAction { id: "1".into(), type_: ostler_crds::server::ActionType::Rebuild });
    let mut unbound = server(VmState::Active);
    unbound.status.as_mut().unwrap().host = None;
    for (server, word) in [(rebuilt, "rebuilding"), (unbound, "no host")] {
        let Standing::Waits(why) = standing(&image("1"), Some(&server)) else { panic!("{word}") };
        assert!(why.message.contains(word), "{why:?}");
    }
}

#[test]
fn an_image_waits_for_its_server_but_not_for_one_that_was_deleted_meanwhile() {
    assert!(matches!(standing(&image("1"), None), Standing::Waits(Why { reason: reason::SERVER_NOT_FOUND, .. })));
    let begun = with_state("1", ImageState::Saving, reason::IN_PROGRESS);
    assert!(matches!(standing(&begun, None), Standing::Lost(Why { reason: reason::SERVER_NOT_FOUND, .. })));
    let mut going = server(VmState::Active);
    going.metadata.deletion_timestamp =
        Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(Timestamp::UNIX_EPOCH));
    going.status.as_mut().unwrap().snapshots = vec![order("1")];
    assert!(matches!(standing(&begun, Some(&going)), Standing::Lost(_)));
}

#[test]
fn an_image_that_names_the_servers_id_is_not_made_of_another_one_of_that_name() {
    let mut named = image("1");
    named.spec.properties.insert("instance_uuid".into(), "00000000-0000-0000-0000-000000000007".into());
    let mut s = server(VmState::Active);
    s.metadata.uid = Some("00000000-0000-0000-0000-000000000007".into());
    assert_eq!(standing(&named, Some(&s)), Standing::Order);
    s.metadata.uid = Some("00000000-0000-0000-0000-000000000008".into());
    assert!(matches!(standing(&named, Some(&s)), Standing::Waits(Why { reason: reason::SERVER_NOT_FOUND, .. })));
}

#[test]
fn what_the_host_says_of_a_failure_is_said_at_the_image() {
    let mut s = server(VmState::Active);
    let status = s.status.as_mut().unwrap();
    status.snapshots = vec![order("1"), order("2")];
    status.failed_snapshots =
        vec![FailedSnapshot { uid: "1".into(), reason: "DiskFull".into(), message: "no room".into() }];
    let why = Why { reason: reason::DISK_FULL, message: "no room".into() };
    assert_eq!(standing(&image("1"), Some(&s)), Standing::Lost(why));
    assert_eq!(standing(&image("2"), Some(&s)), Standing::Ordered);
    // Another Image of the same name is another order.
    assert_eq!(standing(&image("3"), Some(&s)), Standing::Order);
}

#[test]
fn orders_follow_the_images_and_keep_their_order() {
    let s = server(VmState::Active);
    let present = [order("9"), order("2"), order("1")];
    let mut with = s.clone();
    with.status.as_mut().unwrap().snapshots = present.to_vec();
    let images =
        [image("1"), image("2"), image("3"), with_state("4", ImageState::Active, reason::VERIFIED), image("5")];
    let standings: Vec<_> = images.iter().map(|i| standing(i, Some(&with))).collect();
    // 9 has no Image any more.
    let all = orders(&present, images.iter().zip(&standings));
    assert_eq!(all, [order("2"), order("1"), order("3"), order("5")]);
    assert_eq!(orders(&present, []), []);
    // At most as many as the schema takes.
    let many: Vec<_> = (10..30).map(|n| image(&n.to_string())).collect();
    let standings: Vec<_> = many.iter().map(|i| standing(i, Some(&s))).collect();
    assert_eq!(orders(&[], many.iter().zip(&standings)).len(), MOST);
}
