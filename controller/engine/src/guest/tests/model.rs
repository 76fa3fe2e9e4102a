//! A host that does what steps ask, may fail at any of them, and whose guests do as they like.

use std::{collections::BTreeMap, path::PathBuf};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta, Time};
use ostler_crds::{
    Network, NetworkSpec, Server, ServerSpec, ServerStatus,
    host::{Accelerator, Resources},
    image::DiskFormat,
    names::condition,
    network::{NetworkMode, Subnet},
    server::{
        ActionType, OpenResize, PowerState, ResizePolicy, ResolvedFlavor, ResolvedImage, ResolvedKey, ServerAddress,
        UserData, state::VmState,
    },
};
use ostler_hypervisor::{DomainState, HypervisorStep, ObservedDomain, Owner, PasswordHash, Step, StorageStep};

use super::catalog;
use crate::guest::{
    Decision, DiskFile, Failure, FailureKind, Files, Folder, Goal, HostContext, Memory, Observed, Verdict, decide,
    identify, node_part, status, validate,
};
use crate::{
    change::{self, Objects, Room},
    placement::manager_part,
    resolve::Named,
};

pub(super) const UID: &str = "11111111-2222-4333-8444-555555555555";

/// A Server that the manager has bound.
pub(super) fn server() -> Server {
    let spec = ServerSpec {
        flavor: "small".into(),
        image: Some("tiny".into()),
        config_drive: true,
        metadata: [("role".to_owned(), "web".to_owned())].into(),
        user_data: Some(UserData { text: Some("#cloud-config\n".into()), ..UserData::default() }),
        ..ServerSpec::default()
    };
    let mut server = Server::new("web", spec);
    server.metadata.namespace = Some("prod".into());
    server.metadata.uid = Some(UID.into());
    server.metadata.generation = Some(1);
    server.metadata.creation_timestamp = Some(Time(at(0)));
    server.status = Some(ServerStatus {
        host: Some("h1".into()),
        host_generation: Some(1),
        addresses: vec![ServerAddress {
            network: "default".into(),
            label: "default".into(),
            mac: "52:54:00:00:00:01".into(),
            address: "10.20.0.5".into(),
            prefix_length: 24,
            gateway: Some("10.20.0.1".into()),
            dns_servers: vec![],
            mtu: None,
        }],
        flavor: Some(ResolvedFlavor {
            name: "small".into(),
            id: "f".into(),
            display_name: "small".into(),
            vcpus: 1,
            memory_mib: 128,
            disk_gib: 1,
            extra_specs: BTreeMap::new(),
        }),
        image: Some(ResolvedImage {
            namespace: "prod".into(),
            name: "tiny".into(),
            id: "i".into(),
            sha256: "ab".repeat(32),
            disk_format: DiskFormat::Qcow2,
            size: 20 << 20,
            virtual_size: 64 << 20,
            url: None,
        }),
        key: Some(ResolvedKey { key_pair: None, name: "me".into(), public_key: "ssh-ed25519 AAAA me".into() }),
        ..ServerStatus::default()
    });
    server
}

/// The Networks of the cluster.
pub(super) fn networks() -> BTreeMap<String, Network> {
    let subnet = Subnet { cidr: "10.20.0.0/24".into(), gateway: None, dns_servers: None, pool: None };
    let spec = NetworkSpec {
        display_name: None,
        description: None,
        mode: NetworkMode::Nat,
        bridge: None,
        subnets: vec![subnet],
        mtu: None,
        default: true,
        access: None,
    };
    let mut network = Network::new("default", spec);
    network.metadata = ObjectMeta { uid: Some("99999999-2222-4333-8444-555555555555".into()), ..network.metadata };
    [("default".to_owned(), network)].into()
}

/// The time `seconds` after the Server's creation.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub(super) fn context() -> HostContext {
    HostContext {
        zone: "nova".into(),
        accelerator: Accelerator::Tcg,
        root_disk: PathBuf::from("/s/guests/g/root.qcow2"),
        rescue_disk: PathBuf::from("/s/guests/g/rescue.qcow2"),
        config_drive: PathBuf::from("/s/guests/g/config.iso"),
        console_log: PathBuf::from("/s/guests/g/console.log"),
    }
}

/// A Server, its host and its node role.
pub(super) struct World {
    pub(super) server: Server,
    pub(super) networks: BTreeMap<String, Network>,
    pub(super) observed: Observed,
    pub(super) memory: Memory,
    pub(super) now: Timestamp,
    /// Whether the guest heeds a request to shut down.
    pub(super) obedient: bool,
    /// How many more steps succeed before one fails; `None`: all do.
    pub(super) fail_after: Option<usize>,
    /// Steps done so far.
    pub(super) done: Vec<Step>,
    /// Status writes so far.
    pub(super) writes: usize,
    /// Whether the finalizer is off.
    pub(super) gone: bool,
    /// The administrator's password in the guest.
    pub(super) password: Option<PasswordHash>,
    /// What was ever written to the root disk: one number a start.
    pub(super) data: Vec<usize>,
    /// Size and contents of the kept disk.
    pub(super) kept: (Option<u64>, Vec<usize>),
    /// Processors and memory that the guest was started with.
    pub(super) sized: (u32, u64),
    /// What its host can still give.
    pub(super) free: Resources,
    /// What each pass came to.
    pub(super) seen_words: Vec<VmState>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            server: server(),
            networks: networks(),
            observed: Observed::default(),
            memory: Memory::default(),
            now: at(1),
            obedient: true,
            fail_after: None,
            done: vec![],
            writes: 0,
            gone: false,
            password: None,
            data: vec![],
            kept: (None, vec![]),
            sized: (0, 0),
            free: Resources { vcpus: 100, memory_mib: 100_000, disk_gib: 1000 },
            seen_words: vec![],
        }
    }

    /// One pass of the node role: what it decided, or why it could not.
    pub(super) fn pass(&mut self) -> Result<Decision, Failure> {
        let identity = identify(&self.server).unwrap();
        let validated = validate(identity, &self.server, &self.networks);
        let validated = match validated {
            Ok(v) => v,
            Err(failure) => {
                self.report(&Verdict::Failed(failure.clone()));
                return Err(failure);
            }
        };
        let decision = decide(&validated, &self.observed, &context(), &self.memory, self.now);
        let acted = self.act(&decision);
        let verdict = match acted {
            Err(failure) if decision.failed(&failure).is_some() => {
                self.memory = Memory { finished: decision.failed(&failure), ..decision.memory.clone() };
                let Goal::Settled(settled) = &decision.goal else { panic!("only what is settled has an attempt") };
                Verdict::Settled(settled.clone())
            }
            Err(failure) => Verdict::Failed(failure),
            Ok(()) => {
                self.memory = decision.memory.clone();
                match &decision.goal {
                    Goal::Settled(settled) => Verdict::Settled(settled.clone()),
                    Goal::Waiting => Verdict::Waiting,
                    Goal::Rebooting(type_) => Verdict::Rebooting(*type_),
                    Goal::Resting => Verdict::Resting,
                    Goal::Blocked(failure) => Verdict::Failed(failure.clone()),
                    Goal::Gone | Goal::GoneButForeign => {
                        self.gone = true;
                        return Ok(decision);
                    }
                }
            }
        };
        self.report(&verdict);
        Ok(decision)
    }

    /// Passes of the node role and the manager until nothing is left to do; panics if that takes too long.
    pub(super) fn settle(&mut self) {
        for _ in 0..200 {
            let decision = self.pass();
            let changed = self.manage();
            match decision {
                Ok(d) if self.gone || (!changed && d.steps.is_empty() && d.requeue.is_none()) => return,
                Ok(d) => self.now = self.now.checked_add(d.requeue.unwrap_or_default()).unwrap(),
                Err(_) => return,
            }
        }
        panic!("no end: {:?} {:?}", self.observed, self.memory);
    }

    fn report(&mut self, verdict: &Verdict) {
        let previous = self.server.status.clone().unwrap_or_default();
        let generation = self.server.metadata.generation.unwrap();
        let domain = self.observed.domain.as_ref();
        if let Verdict::Settled(settled) = verdict {
            self.seen_words.push(settled.vm);
        }
        let next = status(&previous, generation, verdict, domain, self.memory.finished.as_ref(), self.now);
        if next != node_part(&previous) {
            self.writes += 1;
        }
        let manager = manager_part(&previous);
        let conditions = next.conditions.iter().chain(&manager.conditions).cloned().collect();
        self.server.status = Some(ServerStatus {
            observed_generation: next.observed_generation,
            state: next.state,
            host_generation: next.host_generation,
            launched_at: next.launched_at,
            launched_on: next.launched_on,
            last_action: next.last_action,
            fault: next.fault,
            disk: next.disk,
            conditions,
            ..manager
        });
    }

    /// One pass of the manager: whether it had something to write.
    pub(super) fn manage(&mut self) -> bool {
        if self.gone || self.server.metadata.deletion_timestamp.is_some() {
            return false;
        }
        let (flavors, images) = (catalog::flavors(), catalog::images());
        let named = Named {
            flavor: flavors.get(&self.server.spec.flavor),
            image: self.server.image_ref().and_then(|r| images.get(&r.name)),
            ..Named::default()
        };
        let rescue = self.server.rescue_ref().and_then(|r| images.get(&r.name).cloned());
        let held = self.server.status.as_ref().unwrap().footprint();
        let room = Room { free: self.free, held };
        let objects = Objects { named: &named, rescue: rescue.as_ref() };
        let next = change::changed(&self.server, &objects, room, &|_| Ok(()), self.now);
        if change::says_already(&self.server, &next) {
            return false;
        }
        let status = self.server.status.as_mut().unwrap();
        let node = |c: &Condition| c.type_ != condition::CHANGE_REFUSED && c.type_ != condition::SCHEDULED;
        let mut conditions: Vec<_> = status.conditions.iter().filter(|c| node(c)).cloned().collect();
        conditions.extend(next.conditions.into_iter().filter(|c| !node(c)));
        (status.flavor, status.resize, status.image) = (next.flavor, next.resize, next.image);
        (status.key, status.rescue_image, status.conditions) = (next.key, next.rescue_image, conditions);
        true
    }

    fn act(&mut self, decision: &Decision) -> Result<(), Failure> {
        for step in &decision.steps {
            match self.fail_after.as_mut() {
                Some(0) => {
                    self.fail_after = None;
                    return Err(Failure::new(FailureKind::HypervisorRefused, "cannot go on", "because"));
                }
                Some(n) => *n -= 1,
                None => {}
            }
            self.apply(step);
            self.done.push(step.clone());
        }
        Ok(())
    }

    /// Whether nothing of the guest shall be left here.
    fn leaves(&self) -> bool {
        let kept = self.server.status.as_ref().is_some_and(ServerStatus::is_to_leave);
        kept || self.server.metadata.deletion_timestamp.is_some()
    }

    fn apply(&mut self, step: &Step) {
        let leaves = self.leaves();
        let files = &mut self.observed.files;
        match step {
            Step::Storage(StorageStep::FetchImage { sha256, .. }) => drop(files.cached.insert(sha256.clone())),
            Step::Storage(StorageStep::CreateRootDisk { size, origin, .. }) => {
                assert!(files.cached.contains(&origin.sha256), "a disk needs its base");
                assert!(files.root_disk.is_none(), "a disk is never made over another");
                files.root_disk = Some(DiskFile { size: Some(*size), origin: Some(origin.clone()) });
                files.folder = Folder::Of(UID.into());
                self.data = vec![];
            }
            Step::Storage(StorageStep::ReplaceRootDisk { size, origin, .. }) => {
                assert!(files.cached.contains(&origin.sha256), "a disk needs its base");
                assert!(!self.observed.is_active(), "a guest runs on this disk");
                let files = &mut self.observed.files;
                let other =
                    files.root_disk.as_ref().and_then(|d| d.origin.as_ref()).is_some_and(|o| o.image != origin.image);
                let asked = self.server.spec.action.as_ref().is_some_and(|a| a.type_ == ActionType::Rebuild);
                assert!(other || asked, "only a rebuild makes a disk anew");
                files.root_disk = Some(DiskFile { size: Some(*size), origin: Some(origin.clone()) });
                files.folder = Folder::Of(UID.into());
                self.data = vec![];
            }
            Step::Storage(StorageStep::MarkRootDisk { origin, .. }) => {
                files.root_disk.as_mut().expect("a disk to mark").origin = Some(origin.clone());
            }
            Step::Storage(StorageStep::GrowRootDisk { size, .. }) => {
                assert!(!self.observed.is_active(), "a guest runs on this disk");
                let disk = self.observed.files.root_disk.as_mut().expect("a disk to grow");
                assert!(disk.size.is_some_and(|now| now < *size), "a disk never shrinks");
                disk.size = Some(*size);
            }
            Step::Storage(StorageStep::KeepRootDisk { kept, .. }) => {
                assert!(!self.observed.is_active(), "a guest runs on this disk");
                let files = &mut self.observed.files;
                if files.kept.is_none() {
                    files.kept = Some(kept.clone());
                    self.kept = (files.root_disk.as_ref().and_then(|d| d.size), self.data.clone());
                }
            }
            Step::Storage(StorageStep::RestoreRootDisk { .. }) => {
                assert!(!self.observed.is_active(), "a guest runs on this disk");
                let kept = self.observed.files.kept.take().expect("a kept disk");
                let status = self.server.status.as_ref().unwrap();
                let base = status.resize.as_ref().map_or_else(|| status.flavor.clone().unwrap(), |r| r.from.clone());
                assert_eq!(base.name, kept.origin.flavor, "only a revert takes the old disk back");
                self.observed.files.root_disk = Some(DiskFile { size: self.kept.0, origin: Some(kept.origin) });
                self.data = self.kept.1.clone();
            }
            Step::Storage(StorageStep::RemoveKeptDisk { .. }) => {
                let status = self.server.status.as_ref().unwrap();
                let verify = self.server.spec.resize_policy == Some(ResizePolicy::Verify);
                let confirms = self.server.spec.action.as_ref().is_some_and(|a| a.type_ == ActionType::ConfirmResize);
                let wanted = files.kept.as_ref().is_some_and(|k| {
                    let of = |r: &OpenResize| r.from.name == k.origin.flavor;
                    status.resize.as_ref().is_some_and(of) && status.flavor.as_ref().is_some_and(|f| f.name == k.to)
                });
                assert!(!(wanted && verify && !confirms), "what a revert needs is kept until it is confirmed");
                files.kept = None;
            }
            Step::Storage(StorageStep::CreateRescueDisk { base, .. }) => {
                assert!(files.cached.contains(base), "a disk needs its base");
                files.rescue_disk = Some(base.clone());
            }
            Step::Storage(StorageStep::RemoveRescueDisk { .. }) => {
                let boots = self.observed.domain.as_ref().and_then(|d| d.boot_disk.clone());
                let runs = self.observed.is_active() && boots == Some(context().rescue_disk);
                assert!(!runs, "a guest runs on this disk");
                self.observed.files.rescue_disk = None;
            }
            Step::Storage(StorageStep::WriteConfigDrive { .. }) => files.config_drive = true,
            Step::Storage(StorageStep::RemoveGuestFiles { .. }) => {
                assert!(leaves, "only a deletion, and an image in its place, removes files");
                assert!(self.observed.domain.is_none(), "a domain stands on these files");
                *files = Files { cached: files.cached.clone(), ..Files::default() };
            }
            Step::Storage(StorageStep::MarkSaved { .. }) => files.saved_mark = true,
            Step::Storage(StorageStep::UnmarkSaved { .. }) => files.saved_mark = false,
            Step::Hypervisor(step) => self.apply_hypervisor(step),
        }
    }

    fn apply_hypervisor(&mut self, step: &HypervisorStep) {
        match step {
            HypervisorStep::EnsureNetwork(_)
            | HypervisorStep::EnsureFilter(_)
            | HypervisorStep::ReserveAddress { .. }
            | HypervisorStep::ReleaseAddress { .. }
            | HypervisorStep::Reboot(_) => {}
            HypervisorStep::Define(d) => {
                assert!(self.observed.files.root_disk.is_some(), "a domain needs its disk");
                let there = self.observed.domain.as_ref();
                let (state, saved) = there.map_or((DomainState::Off, false), |d| (d.state, d.saved));
                // One that runs is left as it is, and so is what saved memory goes on with.
                let stays = there.filter(|d| d.state.is_active() || d.saved).and_then(|d| d.boot_disk.clone());
                if !state.is_active() && !saved {
                    self.sized = (d.vcpus, d.memory_mib);
                }
                self.observed.domain = Some(ObservedDomain {
                    id: d.id,
                    name: d.id.domain_name(),
                    owner: Some(d.owner.clone()),
                    state,
                    persistent: true,
                    saved,
                    boot_disk: stays.or(Some(d.root_disk.clone())),
                    nics: d.nics.iter().map(|n| (n.network.clone(), n.mac.clone())).collect(),
                });
            }
            HypervisorStep::Start(_) => {
                let domain = self.observed.domain.as_mut().expect("a domain to start");
                if domain.saved {
                    domain.saved = false;
                } else if !domain.state.is_active() {
                    let held = self.observed.files.saved_mark;
                    assert!(!held, "memory that was to be saved is never booted past");
                }
                let rescued = domain.boot_disk == Some(context().rescue_disk);
                assert!(!rescued || self.observed.files.rescue_disk.is_some(), "a domain needs its disk");
                self.power(DomainState::Running);
                if !rescued {
                    self.data.push(self.done.len());
                }
            }
            HypervisorStep::Pause(_) => self.power(DomainState::Paused),
            HypervisorStep::Save(_) => {
                assert!(self.observed.is_active() && self.observed.files.saved_mark, "marked and running");
                self.power(DomainState::Off);
                self.observed.domain.as_mut().expect("a domain to save").saved = true;
            }
            HypervisorStep::DiscardSaved(_) => {
                let power = self.server.spec.power_state;
                let reboots = self.server.spec.action.as_ref().is_some_and(|a| a.type_ == ActionType::RebootHard);
                let rebuilds = self.server.status.as_ref().unwrap().disk.as_ref().map(|d| &d.image)
                    != self.server.status.as_ref().unwrap().image.as_ref().map(|i| &i.id)
                    || self.server.spec.action.as_ref().is_some_and(|a| a.type_ == ActionType::Rebuild);
                let asked = power == PowerState::Stopped || reboots || rebuilds;
                assert!(asked, "memory is given up only when that is asked for");
                if let Some(domain) = self.observed.domain.as_mut() {
                    domain.saved = false;
                }
            }
            HypervisorStep::SetPassword { hash, .. } => self.password = Some(hash.clone()),
            HypervisorStep::Shutdown(_) if self.obedient => self.power(DomainState::Off),
            HypervisorStep::Shutdown(_) => {}
            HypervisorStep::Destroy(_) => self.power(DomainState::Off),
            HypervisorStep::Undefine(_) => {
                assert!(self.leaves(), "only a deletion, and an image in its place, undefines");
                self.observed.domain = None;
            }
        }
    }

    /// The guest's power changes, by a step or by the guest itself.
    pub(super) fn power(&mut self, state: DomainState) {
        if let Some(domain) = self.observed.domain.as_mut() {
            domain.state = state;
        }
    }

    pub(super) fn domain(&self) -> Option<DomainState> {
        self.observed.domain.as_ref().map(|d| d.state)
    }

    pub(super) fn word(&self) -> String {
        self.server.status.as_ref().and_then(|s| s.state.as_ref()).map(|s| s.status.clone()).unwrap_or_default()
    }

    pub(super) fn somebody_elses(&self) -> Owner {
        Owner { namespace: "dev".into(), name: "other".into(), uid: "somebody-else".into() }
    }
}
