//! The actions on a server: rows of [`table`], with what runs. An action that Nova has and this version has not is refused
//! with 501.

use super::action;
use crate::{
    http::Action,
    nova::actions::{
        console, create_backup, create_image, delete, lock, network_info, password, power, reboot, rebuild, rescue,
        reset_state, resize, run, security_groups, table,
    },
};

/// A row whose action is nothing but a pure change of the Server.
macro_rules! edit {
    ($row:path, $edit:path) => {
        $row.served(|inbound, permit, argument| Box::pin(run::edit(&$row, inbound, permit, argument, $edit)))
    };
}

pub(super) const ACTIONS: &[Action] = &[
    edit!(table::START, power::start),
    edit!(table::STOP, power::stop),
    edit!(table::PAUSE, power::pause),
    edit!(table::UNPAUSE, power::start),
    edit!(table::SUSPEND, power::suspend),
    edit!(table::RESUME, power::start),
    edit!(table::SHELVE, power::shelve),
    edit!(table::SHELVE_OFFLOAD, power::shelve),
    edit!(table::UNSHELVE, power::unshelve),
    edit!(table::UNRESCUE, power::unrescue),
    edit!(table::REVERT_RESIZE, resize::revert),
    edit!(table::LOCK, lock::lock),
    edit!(table::UNLOCK, lock::unlock),
    edit!(table::RESET_STATE, reset_state::reset_state),
    edit!(table::ADD_SECURITY_GROUP, security_groups::add),
    edit!(table::REMOVE_SECURITY_GROUP, security_groups::remove),
    action!(table::REBOOT, reboot::reboot),
    action!(table::REBUILD, rebuild::rebuild),
    action!(table::RESIZE, resize::resize),
    action!(table::CONFIRM_RESIZE, resize::confirm),
    action!(table::RESCUE, rescue::rescue),
    action!(table::CHANGE_PASSWORD, password::change),
    action!(table::CREATE_IMAGE, create_image::create),
    action!(table::CREATE_BACKUP, create_backup::create),
    action!(table::FORCE_DELETE, delete::force),
    edit!(table::RESTORE, delete::restore),
    action!(table::CONSOLE_OUTPUT, console::output),
    action!(table::INJECT_NETWORK_INFO, network_info::accept),
    action!(table::RESET_NETWORK, network_info::accept),
    action!(table::MIGRATE, run::refuse),
    action!(table::LIVE_MIGRATE, run::refuse),
    action!(table::EVACUATE, run::refuse),
    action!(table::CRASH_DUMP, run::refuse),
    action!(table::ADD_FIXED_IP, run::refuse),
    action!(table::REMOVE_FIXED_IP, run::refuse),
    action!(table::ADD_FLOATING_IP, run::refuse),
    action!(table::REMOVE_FLOATING_IP, run::refuse),
    action!(table::VNC_CONSOLE, run::refuse),
    action!(table::SPICE_CONSOLE, run::refuse),
    action!(table::SERIAL_CONSOLE, run::refuse),
    action!(table::RDP_CONSOLE, run::refuse),
];
