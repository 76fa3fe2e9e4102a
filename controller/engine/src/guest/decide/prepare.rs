//! What a guest needs before it can be defined and started.

use ostler_hypervisor::{DomainDefinition, HypervisorStep, Step, StorageStep};

use super::{
    super::{observed::Seen, wish::BaseImage},
    rescue,
    scene::Scene,
};

/// Steps up to the definition. What is there already is left out where it can be seen, else the step is idempotent.
pub(super) fn steps(scene: &Scene<'_>) -> Vec<Step> {
    let mut steps = networks(scene);
    steps.extend(fetches(scene, scene.observed.files.root_disk.is_none()));
    steps.extend(disks(scene));
    steps.extend(ready(scene));
    steps
}

/// The rest, for a guest that is off and whose root disk was just made.
pub(super) fn with_new_disk(scene: &Scene<'_>) -> Vec<Step> {
    let mut steps = networks(scene);
    steps.extend(rescue::disk(scene));
    steps.extend(ready(scene));
    steps
}

fn networks(scene: &Scene<'_>) -> Vec<Step> {
    let nics = &scene.guest.nics;
    let mut steps = Vec::new();
    for (i, nic) in nics.iter().enumerate() {
        let known = nics.iter().take(i).any(|n| n.network == nic.network);
        if let Some(network) = nic.network.as_ref().filter(|_| !known) {
            steps.push(Step::Hypervisor(HypervisorStep::EnsureNetwork(network.clone())));
        }
    }
    steps
}

/// Images that are not in the cache yet. A disk that is there has its base: it is made after it, and the cache removes none
/// that a disk stands on; only a disk that is made anew (`root`) needs another.
pub(super) fn fetches(scene: &Scene<'_>, root: bool) -> Vec<Step> {
    let cached = &scene.observed.files.cached;
    let fetch = |base: &BaseImage| {
        Step::Storage(StorageStep::FetchImage {
            image: base.id.clone(),
            sha256: base.sha256.clone(),
            size: base.size,
            format: base.format,
            url: base.url.clone(),
        })
    };
    let images = [Some(&scene.guest.base).filter(|_| root), scene.guest.rescue.as_ref()];
    images.into_iter().flatten().filter(|base| !cached.contains(&base.sha256)).map(fetch).collect()
}

fn disks(scene: &Scene<'_>) -> Vec<Step> {
    let (id, guest, files) = (scene.id.guest, scene.guest, &scene.observed.files);
    let mut steps = Vec::new();
    match &files.root_disk {
        None => steps.push(Step::Storage(StorageStep::CreateRootDisk {
            guest: id,
            base_format: guest.base.format,
            size: guest.disk_bytes,
            origin: scene.new_origin(),
        })),
        Some(_) if is_short(scene) => {
            steps.push(Step::Storage(StorageStep::GrowRootDisk { guest: id, size: guest.disk_bytes }));
        }
        Some(_) => {}
    }
    if matches!(scene.seen(), Seen::Nothing | Seen::Off) {
        steps.extend(rescue::disk(scene));
    }
    steps.extend(scene.drive().filter(|_| !files.config_drive));
    steps
}

/// Whether the root disk of a guest that is off has to grow.
pub(super) fn is_short(scene: &Scene<'_>) -> bool {
    let size = scene.observed.files.root_disk.as_ref().and_then(|disk| disk.size);
    !scene.observed.is_active() && size.is_some_and(|size| size < scene.guest.disk_bytes)
}

/// Addresses and the definition.
fn ready(scene: &Scene<'_>) -> Vec<Step> {
    let guest = scene.guest;
    let reserve = |nic: &super::super::wish::Nic| {
        Step::Hypervisor(HypervisorStep::ReserveAddress {
            network: nic.definition.network.clone(),
            mac: nic.definition.mac.clone(),
            address: nic.definition.address,
        })
    };
    let mut steps: Vec<Step> = guest.nics.iter().map(reserve).collect();
    // Defined anew before every start, so that a newer Ostler's idea of a domain takes effect at a cold start.
    steps.push(Step::Hypervisor(HypervisorStep::Define(definition(scene))));
    steps
}

fn definition(scene: &Scene<'_>) -> DomainDefinition {
    let (guest, host) = (scene.guest, scene.host);
    let (root_disk, second_disk) = match &guest.rescue {
        Some(_) => (host.rescue_disk.clone(), Some(host.root_disk.clone())),
        None => (host.root_disk.clone(), None),
    };
    DomainDefinition {
        id: scene.id.guest,
        owner: scene.id.owner.clone(),
        vcpus: guest.vcpus,
        memory_mib: guest.memory_mib,
        accelerator: host.accelerator,
        root_disk,
        second_disk,
        config_drive: guest.drive.as_ref().map(|_| host.config_drive.clone()),
        nics: guest.nics.iter().map(|n| n.definition.clone()).collect(),
        console_log: host.console_log.clone(),
    }
}
