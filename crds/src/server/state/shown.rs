//! What a client is shown: the last report with the wishes that came since laid over it.

use super::{
    super::{ActionType, PowerState, Server, ServerStatus},
    ObservedPower, ServerState, TaskState, VmState,
};

/// The state that clients are shown. A wish shows as its task from the moment that it is in the object, so that no
/// client sees the old state after a 202 (clients.md, section 1).
pub fn shown(server: &Server) -> ServerState {
    let default = ServerStatus::default();
    let status = server.status.as_ref().unwrap_or(&default);
    let reported = status
        .state
        .clone()
        .unwrap_or_else(|| ServerState::new(VmState::Building, Some(first_task(status)), ObservedPower::NoState));
    if server.metadata.deletion_timestamp.is_some() {
        return ServerState::new(reported.vm_state, Some(TaskState::Deleting), reported.power_state);
    }
    if reported.is_unknown() {
        return reported;
    }
    if let Some(vm) = reset(server, status) {
        return ServerState::new(vm, None, reported.power_state);
    }
    let task = if reported.vm_state == VmState::Building {
        reported.task_state
    } else {
        action(server, status)
            .or_else(|| rebuild(server, status))
            .or_else(|| resize(server, status, reported.vm_state))
            .or_else(|| rescue(server, status, reported.vm_state))
            .or_else(|| power(server.spec.power_state, reported.vm_state))
            .or_else(|| snapshot(status, reported.task_state))
            .or(reported.task_state)
    };
    ServerState::new(reported.vm_state, task, reported.power_state)
}

/// What an administrator says that it is, at once: nothing has to be done for it.
fn reset(server: &Server, status: &ServerStatus) -> Option<VmState> {
    match server.open_action(status)?.type_ {
        ActionType::ResetToActive => Some(VmState::Active),
        ActionType::ResetToError => Some(VmState::Error),
        _ => None,
    }
}

fn first_task(status: &ServerStatus) -> TaskState {
    if status.host.is_some() { TaskState::Spawning } else { TaskState::Scheduling }
}

fn action(server: &Server, status: &ServerStatus) -> Option<TaskState> {
    match server.open_action(status)?.type_ {
        ActionType::RebootSoft => Some(TaskState::Rebooting),
        ActionType::RebootHard => Some(TaskState::RebootingHard),
        ActionType::Rebuild => Some(TaskState::Rebuilding),
        ActionType::ChangePassword => Some(TaskState::UpdatingPassword),
        ActionType::ConfirmResize => Some(TaskState::ResizeConfirming),
        ActionType::Evacuate => Some(TaskState::Rebuilding),
        ActionType::Migrate => Some(TaskState::Migrating),
        ActionType::ResetToActive | ActionType::ResetToError => None,
    }
}

/// Another image than the one that the root disk was made from.
fn rebuild(server: &Server, status: &ServerStatus) -> Option<TaskState> {
    let wished = server.image_ref()?;
    let present = status.image.as_ref()?;
    let other = wished.namespace != present.namespace || wished.name != present.name;
    let asked = other && status.change_refused(server.metadata.generation).is_none();
    let unmade = status.disk.as_ref().is_some_and(|disk| disk.image != present.id);
    (asked || unmade).then_some(TaskState::Rebuilding)
}

fn resize(server: &Server, status: &ServerStatus, vm: VmState) -> Option<TaskState> {
    let present = status.flavor.as_ref()?;
    let previous = status.resize.as_ref().map(|r| &r.from);
    let other = server.spec.flavor != present.name && status.change_refused(server.metadata.generation).is_none();
    let unmade = status.disk.as_ref().is_none_or(|disk| disk.flavor != present.name);
    match (vm, previous) {
        (VmState::Resized, Some(p)) if other && p.name == server.spec.flavor => Some(TaskState::ResizeReverting),
        // A revert that the manager has written down and the node role has not done yet.
        (VmState::Resized, None) => Some(TaskState::ResizeReverting),
        (VmState::Active | VmState::Stopped, None) if other => Some(TaskState::ResizePrep),
        (VmState::Active | VmState::Stopped, Some(_)) if unmade && !status.resize_is_confirmed() => {
            Some(TaskState::ResizeFinish)
        }
        _ => None,
    }
}

fn rescue(server: &Server, status: &ServerStatus, vm: VmState) -> Option<TaskState> {
    // One that shall be off is off, whatever it would run from.
    let runs = server.spec.power_state == PowerState::Running;
    let asked = runs && status.change_refused(server.metadata.generation).is_none();
    match (server.spec.rescue.is_some(), vm) {
        (true, VmState::Active | VmState::Stopped | VmState::Error) if asked => Some(TaskState::Rescuing),
        (false, VmState::Rescued) => Some(TaskState::Unrescuing),
        _ => None,
    }
}

fn power(wish: PowerState, vm: VmState) -> Option<TaskState> {
    use PowerState as P;
    match (vm, wish) {
        (VmState::Active, P::Stopped) => Some(TaskState::PoweringOff),
        (VmState::Active, P::Paused) => Some(TaskState::Pausing),
        (VmState::Active, P::Suspended) => Some(TaskState::Suspending),
        (VmState::Active | VmState::Paused | VmState::Suspended | VmState::Stopped, P::Shelved) => {
            Some(TaskState::Shelving)
        }
        (VmState::Shelved, P::Shelved) => Some(TaskState::ShelvingOffloading),
        (VmState::Paused, P::Running | P::Suspended) => Some(TaskState::Unpausing),
        (VmState::Paused | VmState::Suspended, P::Stopped) => Some(TaskState::PoweringOff),
        (VmState::Suspended, P::Running | P::Paused) => Some(TaskState::Resuming),
        (VmState::Stopped, P::Running | P::Paused | P::Suspended) => Some(TaskState::PoweringOn),
        (VmState::Shelved | VmState::ShelvedOffloaded, P::Running | P::Stopped | P::Paused | P::Suspended) => {
            Some(TaskState::Unshelving)
        }
        _ => None,
    }
}

/// From the manager's order on, which stands until the image is there; the host says when the copy is made.
fn snapshot(status: &ServerStatus, reported: Option<TaskState>) -> Option<TaskState> {
    let uploading = reported.filter(|t| *t == TaskState::ImageUploading);
    (!status.snapshots.is_empty()).then_some(uploading.unwrap_or(TaskState::ImageSnapshot))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::server::{LastAction, OpenResize, ResolvedFlavor, RootDisk, ServerAction, ServerSpec};

    fn server(vm: VmState, wish: PowerState) -> Server {
        let mut s = Server::new("a", ServerSpec { power_state: wish, flavor: "small".into(), ..Default::default() });
        s.status = Some(ServerStatus {
            state: Some(ServerState::new(vm, None, ObservedPower::Running)),
            flavor: Some(flavor("small")),
            ..Default::default()
        });
        s
    }

    fn flavor(name: &str) -> ResolvedFlavor {
        ResolvedFlavor {
            name: name.into(),
            id: name.into(),
            display_name: name.into(),
            vcpus: 1,
            memory_mib: 1,
            disk_gib: 1,
            extra_specs: Default::default(),
        }
    }

    fn open(after: Option<&str>) -> OpenResize {
        OpenResize { from: flavor("small"), after_action: after.map(Into::into) }
    }

    #[test]
    fn a_confirmation_of_an_earlier_resize_does_not_count() {
        let mut s = server(VmState::Active, PowerState::Running);
        s.spec.flavor = "large".into();
        let done = LastAction { id: "7".into(), type_: ActionType::ConfirmResize, succeeded: true, message: None };
        let status = s.status.as_mut().unwrap();
        (status.flavor, status.last_action) = (Some(flavor("large")), Some(done));
        status.resize = Some(open(Some("7")));
        assert_eq!(shown(&s).status, "RESIZE");
        s.status.as_mut().unwrap().resize = Some(open(Some("6")));
        assert_eq!(shown(&s).status, "ACTIVE");
    }

    #[test]
    fn a_change_that_is_refused_does_not_show_as_a_task() {
        let mut s = server(VmState::Active, PowerState::Running);
        (s.spec.flavor, s.metadata.generation) = ("large".into(), Some(3));
        let refused = |generation| {
            let why = crate::ConditionBuilder {
                type_: crate::names::condition::CHANGE_REFUSED,
                status: crate::ConditionStatus::True,
                reason: crate::names::reason::NO_HOST_FITS,
                message: "no".into(),
            };
            vec![why.build(generation, &[], jiff::Timestamp::UNIX_EPOCH)]
        };
        s.status.as_mut().unwrap().conditions = refused(3);
        assert_eq!(shown(&s).status, "ACTIVE");
        s.status.as_mut().unwrap().conditions = refused(2);
        assert_eq!(shown(&s).status, "RESIZE");
    }

    #[test]
    fn a_resize_that_is_confirmed_by_itself_is_over_when_the_host_says_so() {
        let mut s = server(VmState::Active, PowerState::Running);
        s.spec.flavor = "large".into();
        let status = s.status.as_mut().unwrap();
        (status.flavor, status.resize) = (Some(flavor("large")), Some(open(None)));
        assert_eq!(shown(&s).status, "RESIZE");
        s.status.as_mut().unwrap().disk = Some(RootDisk { image: "i".into(), flavor: "large".into() });
        assert_eq!(shown(&s).status, "ACTIVE");
    }

    #[test]
    fn s02_a_server_without_a_report_is_building() {
        let s = Server::new("a", ServerSpec::default());
        assert_eq!(shown(&s).status, "BUILD");
        assert_eq!(shown(&s).task_state, Some(TaskState::Scheduling));
    }

    #[rstest]
    #[case(VmState::Active, PowerState::Running, "ACTIVE", None)]
    #[case(VmState::Active, PowerState::Stopped, "ACTIVE", Some("powering-off"))]
    #[case(VmState::Active, PowerState::Paused, "ACTIVE", Some("pausing"))]
    #[case(VmState::Active, PowerState::Suspended, "ACTIVE", Some("suspending"))]
    #[case(VmState::Paused, PowerState::Running, "PAUSED", Some("unpausing"))]
    #[case(VmState::Paused, PowerState::Paused, "PAUSED", None)]
    #[case(VmState::Suspended, PowerState::Running, "SUSPENDED", Some("resuming"))]
    #[case(VmState::Stopped, PowerState::Running, "SHUTOFF", Some("powering-on"))]
    #[case(VmState::Stopped, PowerState::Shelved, "SHUTOFF", Some("shelving"))]
    #[case(VmState::ShelvedOffloaded, PowerState::Shelved, "SHELVED_OFFLOADED", None)]
    #[case(VmState::ShelvedOffloaded, PowerState::Running, "SHELVED_OFFLOADED", Some("unshelving"))]
    #[case(VmState::Error, PowerState::Running, "ERROR", None)]
    fn a_standing_wish_shows_before_it_is_done(
        #[case] vm: VmState,
        #[case] wish: PowerState,
        #[case] status: &str,
        #[case] task: Option<&str>,
    ) {
        let s = shown(&server(vm, wish));
        assert_eq!((s.status.as_str(), s.task_state.map(TaskState::as_str)), (status, task));
    }

    #[test]
    fn c23_an_image_shows_as_a_task_from_the_order_until_it_is_there() {
        let mut s = server(VmState::Active, PowerState::Running);
        let task = |s: &Server| shown(s).task_state.map(TaskState::as_str);
        let status = s.status.as_mut().unwrap();
        status.snapshots = vec![crate::server::SnapshotOrder { image: "i".into(), uid: "u".into() }];
        assert_eq!(task(&s), Some("image_snapshot"));
        let state = ServerState::new(VmState::Active, Some(TaskState::ImageUploading), ObservedPower::Running);
        s.status.as_mut().unwrap().state = Some(state);
        assert_eq!((task(&s), shown(&s).status.as_str()), (Some("image_uploading"), "ACTIVE"));
    }

    #[test]
    fn s05_an_open_reboot_shows_and_a_done_one_does_not() {
        let mut s = server(VmState::Active, PowerState::Running);
        s.spec.action = Some(ServerAction { id: "1".into(), type_: ActionType::RebootHard });
        assert_eq!(shown(&s).status, "HARD_REBOOT");
        let done = LastAction { id: "1".into(), type_: ActionType::RebootHard, succeeded: true, message: None };
        s.status.as_mut().unwrap().last_action = Some(done);
        assert_eq!(shown(&s).status, "ACTIVE");
    }

    #[test]
    fn a_state_that_an_administrator_sets_shows_at_once() {
        let mut s = server(VmState::Active, PowerState::Running);
        s.spec.action = Some(ServerAction { id: "1".into(), type_: ActionType::ResetToError });
        assert_eq!((shown(&s).status.as_str(), shown(&s).task_state), ("ERROR", None));
        s.status.as_mut().unwrap().state = Some(shown(&s));
        s.spec.action = Some(ServerAction { id: "2".into(), type_: ActionType::ResetToActive });
        assert_eq!(shown(&s).status, "ACTIVE");
    }

    #[test]
    fn s11_s17_a_resize_never_shows_active_between_the_request_and_its_verification() {
        let mut s = server(VmState::Active, PowerState::Running);
        s.spec.flavor = "large".into();
        assert_eq!(shown(&s).status, "RESIZE");
        let status = s.status.as_mut().unwrap();
        (status.resize, status.flavor) = (Some(open(None)), Some(flavor("large")));
        assert_eq!(shown(&s).status, "RESIZE");
        let resized = ServerState::new(VmState::Resized, None, ObservedPower::Running);
        s.status.as_mut().unwrap().state = Some(resized);
        assert_eq!(shown(&s).status, "VERIFY_RESIZE");
        s.spec.flavor = "small".into();
        assert_eq!(shown(&s).status, "REVERT_RESIZE");
        let status = s.status.as_mut().unwrap();
        (status.resize, status.flavor) = (None, Some(flavor("small")));
        assert_eq!(shown(&s).status, "REVERT_RESIZE");
    }
}
