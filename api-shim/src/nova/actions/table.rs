//! The table of actions on a server: for each its name, versions, body, permission, the states that it needs (Nova's
//! checks), whether a lock keeps it off, and whether it is told in the server's events.

use ostler_crds::server::state::{TaskState, VmState};

use super::body::Body;
use crate::{
    authorize::{Permit, Rule},
    http::{Action, Answer, Inbound, Microversion},
    shape::Field,
};

/// An action.
pub struct Row {
    /// The key in the body.
    pub name: &'static str,
    /// First version that has it.
    pub since: Microversion,
    /// First version that has it no more.
    pub until: Option<Microversion>,
    /// The permission that it needs.
    pub rule: Rule,
    /// What its value may be.
    pub body: Body,
    /// Nova's name of it in refusals and events.
    pub verb: &'static str,
    /// States that it may start from; `None`: any.
    pub vm: Option<&'static [VmState]>,
    /// Tasks that it may interrupt, beside none; `None`: any.
    pub tasks: Option<&'static [TaskState]>,
    /// Whether a locked server refuses it.
    pub lock: bool,
    /// Whether it is told in the server's events.
    pub told: bool,
}

impl Row {
    const fn new(name: &'static str, rule: Rule) -> Self {
        let (since, until) = (Microversion::MIN, None);
        let (body, vm, tasks) = (Body::Anything, None, None);
        Self { name, since, until, rule, body, verb: name, vm, tasks, lock: true, told: true }
    }

    const fn verb(self, verb: &'static str) -> Self {
        Self { verb, ..self }
    }

    /// Needs one of these states, and no task.
    const fn vm(self, vm: &'static [VmState]) -> Self {
        Self { vm: Some(vm), tasks: Some(&[]), ..self }
    }

    const fn tasks(self, tasks: &'static [TaskState]) -> Self {
        Self { tasks: Some(tasks), ..self }
    }

    const fn any_task(self) -> Self {
        Self { tasks: None, ..self }
    }

    const fn body(self, body: Body) -> Self {
        Self { body, ..self }
    }

    /// Locked or not.
    const fn despite_lock(self) -> Self {
        Self { lock: false, ..self }
    }

    const fn untold(self) -> Self {
        Self { told: false, ..self }
    }

    const fn since(self, version: u16) -> Self {
        Self { since: Microversion(version), ..self }
    }

    const fn until(self, version: u16) -> Self {
        Self { until: Some(Microversion(version)), ..self }
    }

    /// As a row of the router's table.
    pub const fn served(&self, run: fn(Inbound, Permit, serde_json::Value) -> Answer) -> Action {
        let keys = self.body.keys();
        Action { name: self.name, since: self.since, until: self.until, rule: self.rule, keys, run }
    }
}

const fn rule(subresource: &'static str) -> Rule {
    Rule::sub("update", "servers", subresource)
}

const CONSOLE: Rule = Rule::sub("get", "servers", "console");

use TaskState as T;
use VmState::{Active, Error, Paused, Rescued, Resized, Shelved, ShelvedOffloaded, SoftDeleted, Stopped, Suspended};

/// States with a disk at rest or in use that a copy can be made of.
const COPYABLE: &[VmState] = &[Active, Stopped, Paused, Suspended];

/// `os-start`.
pub const START: Row = Row::new("os-start", rule("power")).verb("start").vm(&[Stopped]);
/// `os-stop`.
pub const STOP: Row = Row::new("os-stop", rule("power")).verb("stop").vm(&[Active, Error]);
/// `pause`.
pub const PAUSE: Row = Row::new("pause", rule("pause")).vm(&[Active]);
/// `unpause`.
pub const UNPAUSE: Row = Row::new("unpause", rule("pause")).vm(&[Paused]);
/// `suspend`.
pub const SUSPEND: Row = Row::new("suspend", rule("suspend")).vm(&[Active]);
/// `resume`.
pub const RESUME: Row = Row::new("resume", rule("suspend")).vm(&[Suspended]);
/// `reboot` of type SOFT (C-18).
pub const REBOOT: Row = Row::new("reboot", rule("reboot")).vm(&[Active]).body(Body::Object(&[Field::new("type")]));
/// `reboot` of type HARD.
pub const REBOOT_HARD: Row = Row::new("reboot", rule("reboot"))
    .vm(&[Active, Stopped, Paused, Suspended, Error])
    .tasks(&[T::Rebooting, T::Resuming, T::Unpausing, T::Pausing, T::Suspending, T::PoweringOff])
    .body(Body::Object(&[Field::new("type")]));
/// `rebuild` (C-19).
pub const REBUILD: Row = Row::new("rebuild", rule("rebuild")).vm(&[Active, Stopped, Error]).body(Body::Object(&[
    Field::new("name"),
    Field::new("imageRef"),
    Field::new("adminPass"),
    Field::new("metadata"),
    Field::new("preserve_ephemeral"),
    Field::new("OS-DCF:diskConfig"),
    Field::new("accessIPv4"),
    Field::new("accessIPv6"),
    Field::until("personality", 57),
    Field::since("description", 19),
    Field::since("key_name", 54),
    Field::since("user_data", 57),
    Field::since("trusted_image_certificates", 63),
    Field::since("hostname", 90),
]));
/// `resize` (C-20).
pub const RESIZE: Row = Row::new("resize", rule("resize"))
    .vm(&[Active, Stopped])
    .body(Body::Object(&[Field::new("flavorRef"), Field::new("OS-DCF:diskConfig")]));
/// `confirmResize` (C-21).
pub const CONFIRM_RESIZE: Row = Row::new("confirmResize", rule("resize")).vm(&[Resized]);
/// `revertResize` (C-22).
pub const REVERT_RESIZE: Row = Row::new("revertResize", rule("resize")).vm(&[Resized]);
/// `rescue`.
pub const RESCUE: Row = Row::new("rescue", rule("rescue"))
    .vm(&[Active, Stopped, Error])
    .body(Body::ObjectOrNull(&[Field::new("adminPass"), Field::new("rescue_image_ref")]));
/// `unrescue`.
pub const UNRESCUE: Row = Row::new("unrescue", rule("rescue")).vm(&[Rescued]);
/// `shelve`.
pub const SHELVE: Row = Row::new("shelve", rule("shelve")).vm(COPYABLE);
/// `shelveOffload`.
pub const SHELVE_OFFLOAD: Row = Row::new("shelveOffload", rule("shelve")).vm(&[Shelved]);
/// `unshelve`.
pub const UNSHELVE: Row = Row::new("unshelve", rule("shelve"))
    .vm(&[Shelved, ShelvedOffloaded])
    .body(Body::ObjectOrNullFrom(77, &[Field::new("availability_zone"), Field::since("host", 91)]));
/// `lock`.
pub const LOCK: Row =
    Row::new("lock", rule("lock")).despite_lock().body(Body::ObjectOrNullFrom(73, &[Field::new("locked_reason")]));
/// `unlock`.
pub const UNLOCK: Row = Row::new("unlock", rule("lock")).despite_lock();
/// `changePassword` (C-17).
pub const CHANGE_PASSWORD: Row =
    Row::new("changePassword", rule("password")).vm(&[Active]).body(Body::Object(&[Field::new("adminPass")]));
/// `createImage` (C-23).
pub const CREATE_IMAGE: Row = Row::new("createImage", rule("createimage"))
    .vm(COPYABLE)
    .despite_lock()
    .body(Body::Object(&[Field::new("name"), Field::new("metadata")]));
/// `createBackup`.
pub const CREATE_BACKUP: Row =
    Row::new("createBackup", rule("createimage")).vm(COPYABLE).despite_lock().body(Body::Object(&[
        Field::new("name"),
        Field::new("backup_type"),
        Field::new("rotation"),
        Field::new("metadata"),
    ]));
/// `os-resetState`, for administrators.
pub const RESET_STATE: Row = Row::new("os-resetState", rule("resetstate"))
    .verb("resetState")
    .despite_lock()
    .body(Body::Object(&[Field::new("state")]));
/// `forceDelete`: nothing is put aside before it is deleted, so it is a deletion, and needs the permission of one.
pub const FORCE_DELETE: Row = Row::new("forceDelete", Rule::on("delete", "servers"));
/// `restore`: no server is ever put aside for deletion, so none fits.
pub const RESTORE: Row = Row::new("restore", Rule::on("delete", "servers")).vm(&[SoftDeleted]).any_task();
/// `os-getConsoleOutput`.
pub const CONSOLE_OUTPUT: Row =
    Row::new("os-getConsoleOutput", CONSOLE).despite_lock().untold().body(Body::Object(&[Field::new("length")]));
/// `addSecurityGroup`.
pub const ADD_SECURITY_GROUP: Row =
    Row::new("addSecurityGroup", rule("securitygroups")).untold().body(Body::Object(&[Field::new("name")]));
/// `removeSecurityGroup`.
pub const REMOVE_SECURITY_GROUP: Row =
    Row::new("removeSecurityGroup", rule("securitygroups")).untold().body(Body::Object(&[Field::new("name")]));
/// `injectNetworkInfo`, for administrators.
pub const INJECT_NETWORK_INFO: Row = Row::new("injectNetworkInfo", rule("resetstate")).untold();
/// `resetNetwork`, for administrators.
pub const RESET_NETWORK: Row = Row::new("resetNetwork", rule("resetstate")).untold();

/// `evacuate`, for administrators.
pub const EVACUATE: Row =
    Row::new("evacuate", rule("evacuate")).vm(&[Active, Stopped, Error]).any_task().body(Body::Object(&[
        Field::new("host"),
        Field::until("onSharedStorage", 14),
        Field::new("adminPass"),
        Field::between("force", 29, 68),
    ]));

// What Nova has and this version has not: refused with 501, to those who may, of servers that exist.
/// `migrate`.
pub const MIGRATE: Row = Row::new("migrate", rule("migrate"));
/// `os-migrateLive`.
pub const LIVE_MIGRATE: Row = Row::new("os-migrateLive", rule("migrate"));
/// `trigger_crash_dump`.
pub const CRASH_DUMP: Row = Row::new("trigger_crash_dump", rule("crashdump")).since(17).body(Body::Null);
/// `addFixedIp`.
pub const ADD_FIXED_IP: Row = Row::new("addFixedIp", rule("interfaces")).until(44);
/// `removeFixedIp`.
pub const REMOVE_FIXED_IP: Row = Row::new("removeFixedIp", rule("interfaces")).until(44);
/// `addFloatingIp`.
pub const ADD_FLOATING_IP: Row = Row::new("addFloatingIp", rule("interfaces")).until(44);
/// `removeFloatingIp`.
pub const REMOVE_FLOATING_IP: Row = Row::new("removeFloatingIp", rule("interfaces")).until(44);
/// `os-getVNCConsole`.
pub const VNC_CONSOLE: Row = Row::new("os-getVNCConsole", CONSOLE).until(6);
/// `os-getSPICEConsole`.
pub const SPICE_CONSOLE: Row = Row::new("os-getSPICEConsole", CONSOLE).until(6);
/// `os-getSerialConsole`.
pub const SERIAL_CONSOLE: Row = Row::new("os-getSerialConsole", CONSOLE).until(6);
/// `os-getRDPConsole`.
pub const RDP_CONSOLE: Row = Row::new("os-getRDPConsole", CONSOLE).until(6);
/// The writes of metadata (C-10 … C-14), which need the same states and lock as an action.
pub const CHANGE_METADATA: Row =
    Row::new("metadata", rule("metadata")).verb("update metadata").vm(COPYABLE).any_task().untold();
/// `DELETE /servers/{id}` (C-08), which asks for the same lock as an action.
pub const DELETE: Row = Row::new("delete", Rule::on("delete", "servers"));
