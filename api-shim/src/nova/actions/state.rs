//! Which states an action needs, and the lock. Pure; the words of the refusals are Nova's.

use ostler_crds::{
    Server,
    server::state::{self, VmState},
};

use super::table::Row;
use crate::{fault::Fault, nova::servers::view};

/// 409 if the server is not in a state that fits.
pub fn check(server: &Server, row: &Row) -> Result<(), Fault> {
    let shown = state::shown(server);
    let refuse = |why: String| {
        let (verb, id) = (row.verb, view::id(server));
        Err(Fault::conflict(format!("Cannot '{verb}' instance {id} while it {why}")))
    };
    let Some(states) = row.vm else { return Ok(()) };
    if !states.contains(&shown.vm_state) {
        return refuse(format!("is in vm_state {}", shown.vm_state.as_str()));
    }
    // A server that was never placed has nothing to act on, though ERROR is a state that some actions start from.
    let launched = server.status.as_ref().is_some_and(|s| s.launched_at.is_some());
    if shown.vm_state == VmState::Error && !launched {
        return refuse("has never been active".to_owned());
    }
    match (shown.task_state, row.tasks) {
        (Some(task), Some(tasks)) if !tasks.contains(&task) => refuse(format!("is in task_state {}", task.as_str())),
        _ => Ok(()),
    }
}

/// Whether the server is locked.
pub fn is_locked(server: &Server) -> bool {
    server.spec.locked == Some(true)
}

/// 409 if it is locked, the action heeds locks, and the caller may not go past them.
pub fn check_lock(server: &Server, row: &Row, may_override: bool) -> Result<(), Fault> {
    if row.lock && is_locked(server) && !may_override {
        return Err(Fault::conflict(format!("Instance {} is locked", view::id(server))));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ostler_crds::server::{
        PowerState, ServerStatus,
        state::{ObservedPower, ServerState},
    };
    use rstest::rstest;

    use super::super::table::*;
    use super::*;

    fn server(vm: VmState, wish: PowerState) -> Server {
        let mut server = Server::new("a", Default::default());
        server.spec.power_state = wish;
        let state = Some(ServerState::new(vm, None, ObservedPower::Running));
        server.status = Some(ServerStatus { state, ..Default::default() });
        server
    }

    fn refusal(vm: VmState, wish: PowerState, row: &Row) -> Option<String> {
        let said = check(&server(vm, wish), row).err()?.message;
        said.split_once("while it ").map(|(_, why)| why.to_owned())
    }

    /// Nova's table (nova/compute/api.py, check_instance_state), as the words of its refusals.
    #[rstest]
    #[case(&START, VmState::Stopped, PowerState::Stopped, None)]
    #[case(&START, VmState::Active, PowerState::Running, Some("is in vm_state active"))]
    #[case(&STOP, VmState::Active, PowerState::Running, None)]
    #[case(&STOP, VmState::Stopped, PowerState::Stopped, Some("is in vm_state stopped"))]
    #[case(&STOP, VmState::Building, PowerState::Running, Some("is in vm_state building"))]
    #[case(&STOP, VmState::Active, PowerState::Stopped, Some("is in task_state powering-off"))]
    #[case(&STOP, VmState::Error, PowerState::Running, Some("has never been active"))]
    #[case(&PAUSE, VmState::Paused, PowerState::Paused, Some("is in vm_state paused"))]
    #[case(&PAUSE, VmState::Active, PowerState::Paused, Some("is in task_state pausing"))]
    #[case(&UNPAUSE, VmState::Paused, PowerState::Paused, None)]
    #[case(&SUSPEND, VmState::Suspended, PowerState::Suspended, Some("is in vm_state suspended"))]
    #[case(&RESUME, VmState::Suspended, PowerState::Suspended, None)]
    #[case(&REBOOT, VmState::Stopped, PowerState::Stopped, Some("is in vm_state stopped"))]
    #[case(&REBOOT_HARD, VmState::Stopped, PowerState::Stopped, None)]
    #[case(&REBOOT_HARD, VmState::Active, PowerState::Paused, None)]
    #[case(&REBUILD, VmState::Paused, PowerState::Paused, Some("is in vm_state paused"))]
    #[case(&RESIZE, VmState::Stopped, PowerState::Stopped, None)]
    #[case(&CONFIRM_RESIZE, VmState::Active, PowerState::Running, Some("is in vm_state active"))]
    #[case(&REVERT_RESIZE, VmState::Resized, PowerState::Running, None)]
    #[case(&RESCUE, VmState::Paused, PowerState::Paused, Some("is in vm_state paused"))]
    #[case(&UNRESCUE, VmState::Active, PowerState::Running, Some("is in vm_state active"))]
    #[case(&SHELVE, VmState::Paused, PowerState::Paused, None)]
    #[case(&SHELVE_OFFLOAD, VmState::Active, PowerState::Running, Some("is in vm_state active"))]
    #[case(&UNSHELVE, VmState::ShelvedOffloaded, PowerState::Shelved, None)]
    #[case(&CREATE_IMAGE, VmState::Suspended, PowerState::Suspended, None)]
    #[case(&CREATE_IMAGE, VmState::Rescued, PowerState::Running, Some("is in vm_state rescued"))]
    #[case(&CHANGE_PASSWORD, VmState::Stopped, PowerState::Stopped, Some("is in vm_state stopped"))]
    #[case(&RESTORE, VmState::Active, PowerState::Running, Some("is in vm_state active"))]
    #[case(&LOCK, VmState::Building, PowerState::Running, None)]
    #[case(&RESET_STATE, VmState::Error, PowerState::Running, None)]
    fn c17_to_c23_an_action_needs_its_states(
        #[case] row: &Row,
        #[case] vm: VmState,
        #[case] wish: PowerState,
        #[case] refused: Option<&str>,
    ) {
        assert_eq!(refusal(vm, wish, row).as_deref(), refused);
    }

    #[test]
    fn a_lock_keeps_off_all_but_who_may_go_past_it_and_what_heeds_none() {
        let mut server = server(VmState::Active, PowerState::Running);
        server.spec.locked = Some(true);
        let said = check_lock(&server, &STOP, false).unwrap_err();
        assert_eq!((said.status.as_u16(), said.message.ends_with(" is locked")), (409, true));
        assert!(check_lock(&server, &STOP, true).is_ok());
        assert!([&UNLOCK, &CREATE_IMAGE, &RESET_STATE].iter().all(|r| check_lock(&server, r, false).is_ok()));
        assert!([&DELETE, &REBUILD, &RESIZE, &CHANGE_PASSWORD].iter().all(|r| check_lock(&server, r, false).is_err()));
        server.spec.locked = Some(false);
        assert!(check_lock(&server, &STOP, false).is_ok());
    }
}
