//! Does the steps of a plan, in order, up to the first that fails. Nothing is decided here.

use std::time::{Duration, Instant};

use ostler_crds::host::Accelerator;
use ostler_engine::guest::{Failure, Identity};
use ostler_hypervisor::{Hypervisor, HypervisorStep, Step, StorageStep};

use super::{Node, fetch::Answer};
use crate::common::crash;

/// How far a plan got.
#[derive(Debug)]
pub enum Acted {
    /// All steps are done.
    Done,
    /// It is not the guest's turn to boot yet.
    Deferred,
    /// Its image is on its way; a signal comes when it is there.
    Fetching,
    /// Its disk is being copied where it lies; a signal comes when that is done.
    Copying,
    /// Its image cannot be had; there is no use in asking again before this time is over.
    NotFetched(Failure, Duration),
    /// The API server was not told that the guest is about to be started; there is no use in asking again before this time.
    NotClaimed(Duration),
    /// A step failed; those after it were not tried.
    Failed(Failure),
}

/// Does `steps` for one guest.
pub async fn act<H: Hypervisor>(node: &Node<H>, id: &Identity, accelerator: Accelerator, steps: &[Step]) -> Acted {
    let uid = &id.owner.uid;
    for step in steps {
        let name = name_of(step);
        let began = Instant::now();
        if needs_disk(step) && node.snapshots.reads_disk(uid) {
            return Acted::Copying;
        }
        if matches!(step, Step::Storage(StorageStep::RemoveGuestFiles { .. })) && !node.snapshots.quit(uid).await {
            return Acted::Deferred;
        }
        let result = match step {
            Step::Storage(step) => match node.fetches.ask(step, uid, id.guest) {
                Some(Answer::UnderWay) => return Acted::Fetching,
                Some(Answer::Failed(failure, rest)) => return Acted::NotFetched(failure, rest),
                None => node.storage.execute(step, uid).await,
            },
            Step::Hypervisor(step @ HypervisorStep::Start(_)) => {
                let Some(slot) = node.gate.enter().await else { return Acted::Deferred };
                match node.port_rules.ensure_for(uid).await {
                    Ok(()) => {
                        let started = execute(node, step).await;
                        if started.is_ok() {
                            node.gate.booting(slot, accelerator);
                        }
                        started
                    }
                    refused => refused,
                }
            }
            Step::Hypervisor(step @ HypervisorStep::EnsureNetwork(_)) => match execute(node, step).await {
                Ok(()) => node.metadata.ensure(&node.hypervisor).await,
                failed => failed,
            },
            Step::Hypervisor(step @ HypervisorStep::Define(_)) => match node.port_filter.ensure(&node.hypervisor).await
            {
                Ok(()) => execute(node, step).await,
                Err(failure) => Err(failure),
            },
            Step::Hypervisor(step) => execute(node, step).await,
        };
        node.metrics.step(name, result.as_ref().err().map(|f| f.kind), began.elapsed());
        if let Err(failure) = result {
            tracing::warn!(step = name, kind = failure.kind.label(), cause = failure.cause, uid, "a step failed");
            return Acted::Failed(failure);
        }
        tracing::debug!(step = name, uid, "done");
        crash::point(name);
    }
    Acted::Done
}

/// Whether a step writes to the guest's root disk, or lets the guest do so.
fn needs_disk(step: &Step) -> bool {
    match step {
        // Whoever removes the disk has ended the copy before.
        Step::Storage(
            StorageStep::FetchImage { .. }
            | StorageStep::WriteConfigDrive { .. }
            | StorageStep::RemoveGuestFiles { .. },
        ) => false,
        Step::Storage(_) => true,
        Step::Hypervisor(step) => matches!(step, HypervisorStep::Start(_)),
    }
}

async fn execute<H: Hypervisor>(node: &Node<H>, step: &HypervisorStep) -> Result<(), Failure> {
    node.hypervisor.execute(step).await.map_err(|e| Failure::of_hypervisor(e, doing(step)))
}

fn doing(step: &HypervisorStep) -> &'static str {
    match step {
        HypervisorStep::EnsureNetwork(_) => "cannot make the network",
        HypervisorStep::ReserveAddress { .. } => "cannot reserve the address",
        HypervisorStep::ReleaseAddress { .. } => "cannot release the address",
        HypervisorStep::EnsureFilter(_) => "cannot have the filter at the guests' ports",
        HypervisorStep::Define(_) => "cannot define the guest",
        HypervisorStep::Start(_) => "cannot start the guest",
        HypervisorStep::Shutdown(_) => "cannot ask the guest to shut down",
        HypervisorStep::Reboot(_) => "cannot ask the guest to reboot",
        HypervisorStep::Destroy(_) => "cannot power off the guest",
        HypervisorStep::Undefine(_) => "cannot undefine the guest",
        HypervisorStep::Pause(_) => "cannot pause the guest",
        HypervisorStep::Save(_) => "cannot save the guest's memory",
        HypervisorStep::DiscardSaved(_) => "cannot discard the guest's saved memory",
        HypervisorStep::SetPassword { .. } => "cannot set the password",
    }
}

/// A step's name in logs and metrics. Its data never gets there: a config drive holds user data.
fn name_of(step: &Step) -> &'static str {
    match step {
        Step::Storage(StorageStep::FetchImage { .. }) => "fetch_image",
        Step::Storage(StorageStep::CreateRootDisk { .. }) => "create_root_disk",
        Step::Storage(StorageStep::ReplaceRootDisk { .. }) => "replace_root_disk",
        Step::Storage(StorageStep::MarkRootDisk { .. }) => "mark_root_disk",
        Step::Storage(StorageStep::GrowRootDisk { .. }) => "grow_root_disk",
        Step::Storage(StorageStep::KeepRootDisk { .. }) => "keep_root_disk",
        Step::Storage(StorageStep::RestoreRootDisk { .. }) => "restore_root_disk",
        Step::Storage(StorageStep::RemoveKeptDisk { .. }) => "remove_kept_disk",
        Step::Storage(StorageStep::CreateRescueDisk { .. }) => "create_rescue_disk",
        Step::Storage(StorageStep::RemoveRescueDisk { .. }) => "remove_rescue_disk",
        Step::Storage(StorageStep::WriteConfigDrive { .. }) => "write_config_drive",
        Step::Storage(StorageStep::MarkSaved { .. }) => "mark_saved",
        Step::Storage(StorageStep::UnmarkSaved { .. }) => "unmark_saved",
        Step::Storage(StorageStep::RemoveGuestFiles { .. }) => "remove_guest_files",
        Step::Hypervisor(HypervisorStep::EnsureNetwork(_)) => "ensure_network",
        Step::Hypervisor(HypervisorStep::ReserveAddress { .. }) => "reserve_address",
        Step::Hypervisor(HypervisorStep::ReleaseAddress { .. }) => "release_address",
        Step::Hypervisor(HypervisorStep::EnsureFilter(_)) => "ensure_filter",
        Step::Hypervisor(HypervisorStep::Define(_)) => "define",
        Step::Hypervisor(HypervisorStep::Start(_)) => "start",
        Step::Hypervisor(HypervisorStep::Shutdown(_)) => "shutdown",
        Step::Hypervisor(HypervisorStep::Reboot(_)) => "reboot",
        Step::Hypervisor(HypervisorStep::Destroy(_)) => "destroy",
        Step::Hypervisor(HypervisorStep::Undefine(_)) => "undefine",
        Step::Hypervisor(HypervisorStep::Pause(_)) => "pause",
        Step::Hypervisor(HypervisorStep::Save(_)) => "save",
        Step::Hypervisor(HypervisorStep::DiscardSaved(_)) => "discard_saved",
        Step::Hypervisor(HypervisorStep::SetPassword { .. }) => "set_password",
    }
}
