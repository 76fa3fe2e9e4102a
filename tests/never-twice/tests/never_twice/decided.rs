//! What the engine decides for a record and what its host shows. Few inputs, so each is asked once.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{LazyLock, Mutex},
};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use ostler_crds::{
    Host, HostSpec, Server, ServerSpec, ServerStatus,
    host::Accelerator,
    image::DiskFormat,
    server::{ActionType, LastAction, ResolvedFlavor, ResolvedImage, ServerAction},
};
use ostler_engine::{
    evacuation,
    guest::{Decision, DiskFile, Files, Folder, HostContext, Memory, Observed, decide, identify, validate},
};
use ostler_hypervisor::{DomainState, ObservedDomain, Owner, Step};

use super::state::{Domain, Fence, Guest, Record};

const UID: &str = "11111111-2222-4333-8444-555555555555";

type Key = (Record, Domain, bool);
static PLANS: LazyLock<Mutex<HashMap<Key, Decision>>> = LazyLock::new(Mutex::default);

/// The node role's plan for a guest.
pub fn plan(record: Record, guest: &Guest) -> Decision {
    // These change nothing.
    let key = (Record { version: 0, claim: 0, ..record }, guest.domain, guest.disk);
    PLANS.lock().unwrap().entry(key).or_insert_with(|| asked(record, guest)).clone()
}

/// Whether the Server asks to leave its Host.
pub fn wants_to_leave(record: Record) -> bool {
    evacuation::asked(&server(record)).is_some()
}

/// Whether a Server's guest is proven dead with its Host.
pub fn is_dead(record: Record, seen: Fence, heard: bool) -> bool {
    let mut host = Host::new("h", HostSpec { fenced: seen.fenced, ..HostSpec::default() });
    host.metadata.generation = Some(seen.generation.into());
    evacuation::is_dead(&server(record), &host, heard)
}

/// Whether the node role must claim the Server before it does these steps.
pub fn must_claim(record: Record, generation: u8, steps: &[Step]) -> bool {
    evacuation::must_claim(&server(record).status.unwrap_or_default(), generation.into(), steps)
}

fn asked(record: Record, guest: &Guest) -> Decision {
    let server = server(record);
    let validated = validate(identify(&server).unwrap(), &server, &BTreeMap::new()).unwrap();
    decide(&validated, &observed(guest), &context(), &Memory::default(), Timestamp::UNIX_EPOCH)
}

fn name(host: u8) -> String {
    format!("h{host}")
}

fn server(record: Record) -> Server {
    let action = record.evacuate.then(|| ServerAction { id: "1".into(), type_: ActionType::Evacuate });
    let spec =
        ServerSpec { flavor: "f".into(), image: Some("i".into()), action: action.clone(), ..ServerSpec::default() };
    let mut server = Server::new("a", spec);
    server.metadata.namespace = Some("n".into());
    server.metadata.uid = Some(UID.into());
    server.metadata.deletion_timestamp = record.deleting.then_some(Time(Timestamp::UNIX_EPOCH));
    let echo = |a: ServerAction| LastAction { id: a.id, type_: a.type_, succeeded: true, message: None };
    server.status = Some(ServerStatus {
        host: record.host.map(name),
        host_generation: Some(record.claim.into()),
        launched_at: record.launched_on.map(|_| Time(Timestamp::UNIX_EPOCH)),
        launched_on: record.launched_on.map(name),
        last_action: action.filter(|_| record.echoed).map(echo),
        flavor: Some(ResolvedFlavor {
            name: "f".into(),
            id: "f".into(),
            display_name: "f".into(),
            vcpus: 1,
            memory_mib: 64,
            disk_gib: 1,
            extra_specs: BTreeMap::new(),
        }),
        image: Some(ResolvedImage {
            namespace: "n".into(),
            name: "i".into(),
            id: "i".into(),
            sha256: "0".repeat(64),
            disk_format: DiskFormat::Raw,
            size: 1,
            virtual_size: 1,
            url: None,
        }),
        ..ServerStatus::default()
    });
    server
}

fn observed(guest: &Guest) -> Observed {
    let state = match guest.domain {
        Domain::None => None,
        Domain::Off => Some(DomainState::Off),
        Domain::Running => Some(DomainState::Running),
    };
    let owner = || Owner { namespace: "n".into(), name: "a".into(), uid: UID.into() };
    let domain = state.map(|state| ObservedDomain {
        id: ostler_hypervisor::GuestId(uuid::Uuid::parse_str(UID).unwrap()),
        name: "ostler-a".into(),
        owner: Some(owner()),
        state,
        persistent: true,
        boot_disk: None,
        saved: false,
        nics: vec![],
    });
    let folder = if guest.disk { Folder::Of(UID.into()) } else { Folder::Missing };
    let root_disk = guest.disk.then(DiskFile::default);
    let cached = ["0".repeat(64)].into();
    let files = Files { folder, root_disk, config_drive: guest.disk, cached, ..Files::default() };
    Observed { domain, files }
}

fn context() -> HostContext {
    HostContext {
        zone: "nova".into(),
        accelerator: Accelerator::Tcg,
        root_disk: PathBuf::from("/g/root.qcow2"),
        rescue_disk: PathBuf::from("/g/rescue.qcow2"),
        config_drive: PathBuf::from("/g/config.iso"),
        console_log: PathBuf::from("/g/console.log"),
    }
}
