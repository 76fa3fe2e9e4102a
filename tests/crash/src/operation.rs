//! What is done to a Server while a role crashes.

use serde_json::{Value, json};

/// Who crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    /// The node role.
    Node,
    /// The manager.
    Manager,
}

/// One change of the API.
#[derive(Debug, Clone, Copy)]
pub enum Wish {
    /// The Server is made, with this `powerState`.
    Create(&'static str),
    /// Fields of its spec.
    Spec(fn() -> Value),
    /// A momentary wish of this type.
    Act(&'static str),
    /// An Image of it is made.
    Image,
    /// It is deleted.
    Delete,
}

/// What its disk holds in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// What was written to it before.
    Kept,
    /// Nothing of that.
    New,
    /// It is not on the host.
    Gone,
}

/// An operation: from where to where.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Its name on the command line.
    pub name: &'static str,
    /// Who crashes.
    pub victim: Victim,
    /// What leads from a Server that is off to where it begins. One of `powerState: Running` waits until the guest has booted.
    pub from: &'static [Wish],
    /// The operation itself.
    pub wish: Wish,
    /// The state in the end as Nova names it; empty: the Server is gone.
    pub end: &'static str,
    /// The disk in the end.
    pub disk: Disk,
    /// What may lie in the guest's folder in the end, beside what is always there.
    pub files: &'static [&'static str],
}

const KEPT: &[&str] = &["kept.json", "kept.qcow2"];
const RESCUE: &[&str] = &["rescue.json", "rescue.qcow2"];
const RUN: Wish = Wish::Spec(|| json!({ "powerState": "Running" }));
const STOP: Wish = Wish::Spec(|| json!({ "powerState": "Stopped" }));
const SHELVE: Wish = Wish::Spec(|| json!({ "powerState": "Shelved" }));
const SUSPEND: Wish = Wish::Spec(|| json!({ "powerState": "Suspended" }));
const GROW: Wish = Wish::Spec(|| json!({ "flavor": "large" }));
const REVERT: Wish = Wish::Spec(|| json!({ "flavor": "small" }));
const AUTO: Wish = Wish::Spec(|| json!({ "resizePolicy": "AutoConfirm" }));
const RESCUED: Wish = Wish::Spec(|| json!({ "rescue": {}, "powerState": "Running" }));
const OWN_DISK: Wish = Wish::Spec(|| json!({ "rescue": null }));

const fn node(name: &'static str, from: &'static [Wish], wish: Wish, end: &'static str) -> Operation {
    Operation { name, victim: Victim::Node, from, wish, end, disk: Disk::Kept, files: &[] }
}

const fn manager(name: &'static str, from: &'static [Wish], wish: Wish, end: &'static str) -> Operation {
    Operation { victim: Victim::Manager, ..node(name, from, wish, end) }
}

/// All operations that are tried.
pub const OPERATIONS: &[Operation] = &[
    Operation { disk: Disk::New, ..node("create", &[], Wish::Create("Running"), "ACTIVE") },
    node("start", &[], RUN, "ACTIVE"),
    node("stop", &[RUN], STOP, "SHUTOFF"),
    node("reboot", &[RUN], Wish::Act("RebootHard"), "ACTIVE"),
    Operation { files: &["saved"], ..node("suspend", &[RUN], SUSPEND, "SUSPENDED") },
    node("resume", &[RUN, SUSPEND], RUN, "ACTIVE"),
    Operation { files: KEPT, ..node("resize", &[], GROW, "VERIFY_RESIZE") },
    Operation { files: KEPT, ..node("resize-running", &[RUN], GROW, "VERIFY_RESIZE") },
    node("resize-auto", &[AUTO], GROW, "SHUTOFF"),
    node("confirm", &[GROW], Wish::Act("ConfirmResize"), "SHUTOFF"),
    node("revert", &[GROW], REVERT, "SHUTOFF"),
    Operation { disk: Disk::New, ..node("rebuild", &[], Wish::Act("Rebuild"), "SHUTOFF") },
    Operation { disk: Disk::New, ..node("rebuild-running", &[RUN], Wish::Act("Rebuild"), "ACTIVE") },
    Operation { disk: Disk::New, ..node("other-image", &[], Wish::Spec(|| json!({ "image": "other" })), "SHUTOFF") },
    node("snapshot", &[], Wish::Image, "SHUTOFF"),
    node("snapshot-running", &[RUN], Wish::Image, "ACTIVE"),
    Operation { files: RESCUE, ..node("rescue", &[], RESCUED, "RESCUE") },
    node("unrescue", &[RESCUED], OWN_DISK, "ACTIVE"),
    Operation { disk: Disk::Gone, ..node("shelve", &[], SHELVE, "SHELVED_OFFLOADED") },
    node("unshelve", &[SHELVE], STOP, "SHUTOFF"),
    Operation { disk: Disk::Gone, ..node("delete", &[RUN], Wish::Delete, "") },
    Operation { disk: Disk::Gone, ..node("delete-resized", &[GROW], Wish::Delete, "") },
    Operation { disk: Disk::New, ..manager("manager-create", &[], Wish::Create("Stopped"), "SHUTOFF") },
    Operation { files: KEPT, ..manager("manager-resize", &[], GROW, "VERIFY_RESIZE") },
    manager("manager-resize-auto", &[AUTO], GROW, "SHUTOFF"),
    manager("manager-confirm", &[GROW], Wish::Act("ConfirmResize"), "SHUTOFF"),
    manager("manager-revert", &[GROW], REVERT, "SHUTOFF"),
    Operation {
        disk: Disk::New,
        ..manager("manager-other-image", &[], Wish::Spec(|| json!({ "image": "other" })), "SHUTOFF")
    },
    manager("manager-snapshot", &[], Wish::Image, "SHUTOFF"),
    Operation { disk: Disk::Gone, ..manager("manager-shelve", &[], SHELVE, "SHELVED_OFFLOADED") },
    manager("manager-unshelve", &[SHELVE], STOP, "SHUTOFF"),
    Operation { disk: Disk::Gone, ..manager("manager-delete", &[], Wish::Delete, "") },
    Operation { disk: Disk::Gone, ..manager("manager-delete-shelved", &[SHELVE], Wish::Delete, "") },
];

/// The operation of this name.
pub fn named(name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|o| o.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let names: HashSet<_> = OPERATIONS.iter().map(|o| o.name).collect();
        assert_eq!(names.len(), OPERATIONS.len());
        assert!(named("create").is_some() && named("no such").is_none());
    }
}
