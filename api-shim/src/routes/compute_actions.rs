//! The table of actions on a server. An action that Nova has and this version has not is refused with 501.

use super::action;
use crate::{
    authorize::Rule,
    http::Action,
    nova::actions::{console, power, reboot},
};

const fn rule(subresource: &'static str) -> Rule {
    Rule::sub("update", "servers", subresource)
}

pub(super) const ACTIONS: &[Action] = &[
    action!("os-start", rule("power"), power::start),
    action!("os-stop", rule("power"), power::stop),
    action!("reboot", rule("reboot"), reboot::reboot),
    action!("os-getConsoleOutput", Rule::sub("get", "servers", "console"), console::output),
    Action::refused("addFixedIp", rule("interfaces")).until(44),
    Action::refused("addFloatingIp", rule("interfaces")).until(44),
    Action::refused("addSecurityGroup", rule("securitygroups")),
    Action::refused("changePassword", rule("password")),
    Action::refused("confirmResize", rule("resize")),
    Action::refused("createBackup", rule("createimage")),
    Action::refused("createImage", rule("createimage")),
    Action::refused("evacuate", rule("evacuate")),
    Action::refused("forceDelete", rule("forcedelete")),
    Action::refused("injectNetworkInfo", rule("resetstate")),
    Action::refused("lock", rule("lock")),
    Action::refused("migrate", rule("migrate")),
    Action::refused("os-getRDPConsole", Rule::sub("get", "servers", "console")).until(6),
    Action::refused("os-getSerialConsole", Rule::sub("get", "servers", "console")).until(6),
    Action::refused("os-getSPICEConsole", Rule::sub("get", "servers", "console")).until(6),
    Action::refused("os-getVNCConsole", Rule::sub("get", "servers", "console")).until(6),
    Action::refused("os-migrateLive", rule("migrate")),
    Action::refused("os-resetState", rule("resetstate")),
    Action::refused("pause", rule("pause")),
    Action::refused("rebuild", rule("rebuild")),
    Action::refused("removeFixedIp", rule("interfaces")).until(44),
    Action::refused("removeFloatingIp", rule("interfaces")).until(44),
    Action::refused("removeSecurityGroup", rule("securitygroups")),
    Action::refused("rescue", rule("rescue")),
    Action::refused("resetNetwork", rule("resetstate")),
    Action::refused("resize", rule("resize")),
    Action::refused("restore", rule("restore")),
    Action::refused("resume", rule("suspend")),
    Action::refused("revertResize", rule("resize")),
    Action::refused("shelve", rule("shelve")),
    Action::refused("shelveOffload", rule("shelve")),
    Action::refused("suspend", rule("suspend")),
    Action::refused("trigger_crash_dump", rule("crashdump")).since(17),
    Action::refused("unlock", rule("lock")),
    Action::refused("unpause", rule("pause")),
    Action::refused("unrescue", rule("rescue")),
    Action::refused("unshelve", rule("shelve")),
];
