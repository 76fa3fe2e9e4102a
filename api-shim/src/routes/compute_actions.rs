//! The actions on a server: rows of [`table`], with what runs. An action that Nova has and this version has not is refused
//! with 501.

use super::row;
use crate::{
    http::Action,
    nova::actions::{
        console, create_backup, create_image, delete, evacuate, lock, network_info, password, power, reboot, rebuild,
        rescue, reset_state, resize, run, security_groups, table,
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
    row!(table::ADD_SECURITY_GROUP, security_groups::add),
    row!(table::REMOVE_SECURITY_GROUP, security_groups::remove),
    row!(table::REBOOT, reboot::reboot),
    row!(table::REBUILD, rebuild::rebuild),
    row!(table::RESIZE, resize::resize),
    row!(table::CONFIRM_RESIZE, resize::confirm),
    row!(table::RESCUE, rescue::rescue),
    row!(table::CHANGE_PASSWORD, password::change),
    row!(table::CREATE_IMAGE, create_image::create),
    row!(table::CREATE_BACKUP, create_backup::create),
    row!(table::FORCE_DELETE, delete::force),
    edit!(table::RESTORE, delete::restore),
    row!(table::CONSOLE_OUTPUT, console::output),
    row!(table::INJECT_NETWORK_INFO, network_info::accept),
    row!(table::RESET_NETWORK, network_info::accept),
    row!(table::MIGRATE, run::refuse),
    row!(table::LIVE_MIGRATE, run::refuse),
    row!(table::EVACUATE, evacuate::evacuate),
    row!(table::CRASH_DUMP, run::refuse),
    row!(table::ADD_FIXED_IP, run::refuse),
    row!(table::REMOVE_FIXED_IP, run::refuse),
    row!(table::ADD_FLOATING_IP, run::refuse),
    row!(table::REMOVE_FLOATING_IP, run::refuse),
    row!(table::VNC_CONSOLE, run::refuse),
    row!(table::SPICE_CONSOLE, run::refuse),
    row!(table::SERIAL_CONSOLE, run::refuse),
    row!(table::RDP_CONSOLE, run::refuse),
];
