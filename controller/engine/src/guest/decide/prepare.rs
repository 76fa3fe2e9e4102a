//! What a guest needs before it can be defined and started.

use ostler_hypervisor::{DomainDefinition, HypervisorStep, Step, StorageStep};

use super::super::{
    observed::{Files, HostContext},
    wish::{Guest, Identity},
};

/// Steps up to the definition. What is there already is left out where it can be seen, else the step is idempotent.
pub(super) fn steps(id: &Identity, guest: &Guest, files: &Files, host: &HostContext) -> Vec<Step> {
    let mut steps = Vec::new();
    for (i, nic) in guest.nics.iter().enumerate() {
        let known = guest.nics.iter().take(i).any(|n| n.network == nic.network);
        if let Some(network) = nic.network.as_ref().filter(|_| !known) {
            steps.push(Step::Hypervisor(HypervisorStep::EnsureNetwork(network.clone())));
        }
    }
    steps.extend(storage(id, guest, files, host).into_iter().map(Step::Storage));
    for nic in &guest.nics {
        steps.push(Step::Hypervisor(HypervisorStep::ReserveAddress {
            network: nic.definition.network.clone(),
            mac: nic.definition.mac.clone(),
            address: nic.definition.address,
        }));
    }
    // Defined anew before every start, so that a newer Ostler's idea of a domain takes effect at a cold start.
    steps.push(Step::Hypervisor(HypervisorStep::Define(definition(id, guest, host))));
    steps
}

fn storage(id: &Identity, guest: &Guest, files: &Files, host: &HostContext) -> Vec<StorageStep> {
    let mut steps = Vec::new();
    let base = &guest.base;
    // A disk that is there has its base: it is made after it, and the cache removes none that a disk stands on.
    if !files.image_cached && !files.root_disk {
        steps.push(StorageStep::FetchImage {
            image: base.id.clone(),
            sha256: base.sha256.clone(),
            size: base.size,
            format: base.format,
            url: base.url.clone(),
        });
    }
    if !files.root_disk {
        steps.push(StorageStep::CreateRootDisk {
            guest: id.guest,
            base: base.sha256.clone(),
            base_format: base.format,
            size: guest.disk_bytes,
        });
    }
    if let Some(drive) = guest.drive.as_ref().filter(|_| !files.config_drive) {
        steps.push(StorageStep::WriteConfigDrive { guest: id.guest, files: drive.files(&host.zone) });
    }
    steps
}

fn definition(id: &Identity, guest: &Guest, host: &HostContext) -> DomainDefinition {
    DomainDefinition {
        id: id.guest,
        owner: id.owner.clone(),
        vcpus: guest.vcpus,
        memory_mib: guest.memory_mib,
        accelerator: host.accelerator,
        root_disk: host.root_disk.clone(),
        second_disk: None,
        config_drive: guest.drive.as_ref().map(|_| host.config_drive.clone()),
        nics: guest.nics.iter().map(|n| n.definition.clone()).collect(),
        console_log: host.console_log.clone(),
    }
}
