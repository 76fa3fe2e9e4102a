use ostler_crds::{ImageStatus, ServerSpec, server::state::ServerState};
use rstest::rstest;
use serde_json::json;

use super::*;

const UID: &str = "00000000-0000-0000-0000-000000000007";

fn image(state: ImageState, generation: i64) -> Image {
    let mut image: Image = serde_json::from_value(json!({
        "apiVersion": "compute.ostler.dev/v1alpha1", "kind": "Image",
        "metadata": { "name": "a-shelved", "namespace": "n", "uid": UID,
            "labels": { SHELF_LABEL: UID, SHELF_GENERATION_LABEL: generation.to_string() } },
        "spec": { "source": { "server": { "name": "a" } }, "diskFormat": "qcow2" },
    }))
    .unwrap();
    image.status = Some(ImageStatus {
        state: Some(state),
        sha256: Some("ab".repeat(32)),
        size: Some(7),
        virtual_size: Some(1 << 30),
        ..ImageStatus::default()
    });
    image
}

fn server(wish: PowerState, vm: VmState, host: Option<&str>, shelf: Option<Option<&str>>) -> Server {
    let mut server = Server::new("a", ServerSpec { power_state: wish, ..Default::default() });
    server.metadata.uid = Some(UID.into());
    server.metadata.generation = Some(3);
    let kept = resolved(&image(ImageState::Active, 3)).unwrap();
    server.status = Some(ServerStatus {
        observed_generation: Some(3),
        host: host.map(Into::into),
        state: Some(ServerState::new(vm, None, ObservedPower::Shutdown)),
        shelf: shelf.map(|host| Shelf { image: kept, host: host.map(Into::into) }),
        ..Default::default()
    });
    server
}

#[test]
fn an_image_is_made_of_a_guest_at_rest_and_the_host_lets_go_when_it_is_whole() {
    use PowerState::Shelved;
    assert_eq!(next(&server(Shelved, VmState::Active, Some("h"), None), None), Next::Nothing, "it still runs");
    let off = server(Shelved, VmState::Stopped, Some("h"), None);
    assert_eq!(next(&off, None), Next::MakeImage);
    for state in [ImageState::Queued, ImageState::Saving] {
        assert_eq!(next(&off, Some(&image(state, 3))), Next::Nothing);
    }
    let Next::Commit(shelf) = next(&off, Some(&image(ImageState::Active, 3))) else { panic!("it is whole") };
    assert_eq!(shelf.host.as_deref(), Some("h"));
    assert_eq!(next(&server(Shelved, VmState::Stopped, Some("h"), Some(Some("h"))), None), Next::Nothing);
    let off = server(Shelved, VmState::ShelvedOffloaded, Some("h"), Some(Some("h")));
    assert_eq!(next(&off, None), Next::LetGo);
    assert_eq!(next(&server(Shelved, VmState::ShelvedOffloaded, None, Some(None)), None), Next::Nothing);
}

#[test]
fn a_copy_that_may_be_older_than_the_guest_is_never_kept_in_its_place() {
    let whole = image(ImageState::Active, 2);
    assert_eq!(next(&server(PowerState::Shelved, VmState::Stopped, Some("h"), None), Some(&whole)), Next::Discard);
    let mut unseen = server(PowerState::Shelved, VmState::Stopped, Some("h"), None);
    unseen.metadata.generation = Some(4);
    assert_eq!(next(&unseen, Some(&image(ImageState::Active, 4))), Next::Nothing, "the host has not seen the wish");
    assert_eq!(next(&unseen, None), Next::Nothing);
    let running = server(PowerState::Running, VmState::Stopped, Some("h"), None);
    assert_eq!(next(&running, Some(&image(ImageState::Active, 3))), Next::Discard, "taken back in time");
}

#[rstest]
#[case(VmState::ShelvedOffloaded, Next::Nothing)]
#[case(VmState::Error, Next::Nothing)]
#[case(VmState::Active, Next::Forget)]
#[case(VmState::Stopped, Next::Forget)]
fn the_image_is_kept_until_the_guest_is_there_again(#[case] vm: VmState, #[case] wanted: Next) {
    let back = server(PowerState::Running, vm, Some("h2"), Some(None));
    assert_eq!(next(&back, Some(&image(ImageState::Active, 3))), wanted);
}

#[test]
fn an_image_that_cannot_be_made_is_told_and_the_guest_stays() {
    let off = server(PowerState::Shelved, VmState::Stopped, Some("h"), None);
    let Next::Say(why) = next(&off, Some(&image(ImageState::Killed, 3))) else { panic!("it is to be said") };
    assert!(why.reason == reason::SHELVING_FAILED && why.message.contains("stays on its host"), "{why:?}");
}
