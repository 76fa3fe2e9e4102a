//! What a bound Server's changed names stand for: flavor (a resize), image (a rebuild), key, and the image of a rescue.
//! Pure; the manager writes what comes out.
//!
//! ```text
//!   spec.flavor ≠ status.flavor ── fits, does not shrink the disk ──► status.flavor new, status.resize from the old one
//!   spec.flavor = status.resize.from ─────────────────────────────► status.flavor old, status.resize gone: a revert
//!   status.resize, confirmed or confirmed by itself ──────────────► status.resize gone
//!   spec.image ≠ status.image ────────────────────────────────────► status.image and status.key new: a rebuild
//!   else ─────────────────────────────────────────────────────────► condition ChangeRefused, and all stays as it is
//! ```

use jiff::Timestamp;
use ostler_crds::{
    ConditionBuilder, ConditionStatus, Image, Server, ServerStatus,
    host::Resources,
    names::{condition, reason},
    server::{OpenResize, ResizePolicy, ResolvedFlavor, state::VmState},
};

use crate::{
    placement::manager_part,
    resolve::{self, Named, Refusal},
};

const GIB: u64 = 1 << 30;

/// What the host of a Server can still give, beside what the Server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// What is free.
    pub free: Resources,
    /// What the Server holds now.
    pub held: Resources,
}

impl Room {
    /// Whether the Server can hold this instead. What does not grow always fits.
    fn has(&self, wanted: Resources) -> bool {
        let fits = |free: u64, held: u64, wanted: u64| wanted <= held || wanted - held <= free;
        fits(self.free.vcpus, self.held.vcpus, wanted.vcpus)
            && fits(self.free.memory_mib, self.held.memory_mib, wanted.memory_mib)
            && fits(self.free.disk_gib, self.held.disk_gib, wanted.disk_gib)
    }
}

/// The objects that a bound Server names, as far as they exist.
#[derive(Debug, Clone, Copy)]
pub struct Objects<'a> {
    /// Those of a Server that is placed.
    pub named: &'a Named<'a>,
    /// `spec.rescue.image`.
    pub rescue: Option<&'a Image>,
}

/// Says whether the project may have the Server with this flavor.
pub type Admit<'a> = &'a dyn Fn(&ResolvedFlavor) -> Result<(), Refusal>;

/// The manager's part of a bound Server's status as it should be.
pub fn changed(server: &Server, objects: &Objects<'_>, room: Room, admit: Admit<'_>, now: Timestamp) -> ServerStatus {
    let found = server.status.clone().unwrap_or_default();
    let (named, mut part) = (objects.named, settled(server, &found));
    let refusals = [
        flavor(server, &found, named, room, admit, &mut part),
        image(server, &found, named, room, &mut part),
        key(server, named, &mut part),
        rescue_image(server, objects.rescue, &mut part),
    ];
    part.conditions.retain(|c| c.type_ != condition::CHANGE_REFUSED);
    if let Some(refusal) = refusals.into_iter().find_map(Result::err) {
        let status = if refusal.passing { ConditionStatus::False } else { ConditionStatus::True };
        let (type_, reason, message) = (condition::CHANGE_REFUSED, refusal.reason, refusal.message);
        let generation = server.metadata.generation.unwrap_or_default();
        let condition = ConditionBuilder { type_, status, reason, message };
        part.conditions.push(condition.build(generation, &found.conditions, now));
    }
    part
}

/// Whether the Server's status says that already.
pub fn says_already(server: &Server, wanted: &ServerStatus) -> bool {
    let found = server.status.clone().unwrap_or_default();
    let said = |s: &ServerStatus| ostler_crds::find_condition(&s.conditions, condition::CHANGE_REFUSED).cloned();
    found.flavor == wanted.flavor
        && found.resize == wanted.resize
        && found.image == wanted.image
        && found.key == wanted.key
        && found.rescue_image == wanted.rescue_image
        && said(&found) == said(wanted)
}

/// What the manager says now, less a resize that is over.
fn settled(server: &Server, found: &ServerStatus) -> ServerStatus {
    let mut part = manager_part(found);
    // Until the host has run the guest, what was said when it was placed is the manager's to keep.
    if !found.launched_here() {
        part.state = found.state.clone();
        part.observed_generation = found.observed_generation;
        part.host_generation = found.host_generation;
        let ready = found.conditions.iter().find(|c| c.type_ == condition::READY);
        part.conditions.extend(ready.cloned());
    }
    let auto = server.spec.resize_policy.unwrap_or(ResizePolicy::AutoConfirm) == ResizePolicy::AutoConfirm;
    let has = found.disk.as_ref().map(|d| &d.flavor);
    let done = auto && has.is_some() && has == found.flavor.as_ref().map(|f| &f.name);
    if found.resize_is_confirmed() || done {
        part.resize = None;
    }
    part
}

fn flavor(
    server: &Server,
    found: &ServerStatus,
    named: &Named<'_>,
    room: Room,
    admit: Admit<'_>,
    part: &mut ServerStatus,
) -> Result<(), Refusal> {
    let Some(present) = part.flavor.clone().filter(|f| f.name != server.spec.flavor) else { return Ok(()) };
    if let Some(open) = &part.resize {
        if open.from.name == server.spec.flavor {
            part.flavor = Some(open.from.clone());
            part.resize = None;
            return Ok(());
        }
        return Err(not_now(format!(
            "spec.flavor: a resize from {:?} to {:?} is open; confirm it by action ConfirmResize, or set spec.flavor back \
             to {:?}",
            open.from.name, present.name, open.from.name
        )));
    }
    let namespace = server.metadata.namespace.as_deref().unwrap_or_default();
    let wanted = resolve::flavor(server, named.flavor, namespace)?;
    let vm = found.state.as_ref().map_or(VmState::Building, |s| s.vm_state);
    may_change("spec.flavor", vm)?;
    let image = part.image.as_ref();
    let virtual_size = image.map_or(0, |i| i.virtual_size);
    if disk_bytes(&wanted, virtual_size) < disk_bytes(&present, virtual_size) {
        return Err(Refusal::new(
            reason::INVALID_SPEC,
            format!(
                "spec.flavor: the disk of {:?} ({} GiB) is smaller than that of {:?} ({} GiB), and a disk never shrinks; \
                 choose a larger Flavor, or set spec.flavor back to {:?}",
                wanted.name, wanted.disk_gib, present.name, present.disk_gib, present.name
            ),
        ));
    }
    if wanted.vcpus > present.vcpus || wanted.memory_mib > present.memory_mib {
        admit(&wanted)?;
    }
    let next = ServerStatus {
        flavor: Some(wanted.clone()),
        resize: Some(OpenResize { from: present.clone(), after_action: last_action(found) }),
        image: part.image.clone(),
        snapshots: part.snapshots.clone(),
        ..ServerStatus::default()
    };
    // The present disk and a copy of it are there only while the resize is open.
    if !room.has(next.footprint()) {
        return Err(no_room("spec.flavor", &present.name));
    }
    (part.flavor, part.resize) = (next.flavor, next.resize);
    Ok(())
}

fn image(
    server: &Server,
    found: &ServerStatus,
    named: &Named<'_>,
    room: Room,
    part: &mut ServerStatus,
) -> Result<(), Refusal> {
    let (Some(wished), Some(present)) = (server.image_ref(), part.image.clone()) else { return Ok(()) };
    if (&wished.namespace, &wished.name) == (&present.namespace, &present.name) {
        return Ok(());
    }
    let vm = found.state.as_ref().map_or(VmState::Building, |s| s.vm_state);
    if part.resize.is_some() {
        return Err(not_now("spec.image: a resize is open; confirm or revert it first".to_owned()));
    }
    may_change("spec.image", vm)?;
    let namespace = server.metadata.namespace.as_deref().unwrap_or_default();
    let Some(flavor) = part.flavor.clone() else { return Ok(()) };
    let wanted = resolve::image(server, named.image, namespace, &flavor)?;
    let key = resolve::key(server, named.key_pair)?;
    if !room.has(flavor.footprint(wanted.virtual_size)) {
        return Err(no_room("spec.image", &present.name));
    }
    (part.image, part.key) = (Some(wanted), key);
    Ok(())
}

/// A changed key is known at once, and told to the guest when it is rebuilt.
fn key(server: &Server, named: &Named<'_>, part: &mut ServerStatus) -> Result<(), Refusal> {
    let present = part.key.as_ref();
    let known = present.is_none_or(|k| k.key_pair.is_some());
    if known && present.and_then(|k| k.key_pair.as_ref()) != server.spec.key_pair.as_ref() {
        part.key = resolve::key(server, named.key_pair)?;
    }
    Ok(())
}

fn rescue_image(server: &Server, found: Option<&Image>, part: &mut ServerStatus) -> Result<(), Refusal> {
    let Some(wished) = server.rescue_ref() else {
        part.rescue_image = None;
        return Ok(());
    };
    let present = part.rescue_image.as_ref();
    if present.is_some_and(|i| (&i.namespace, &i.name) == (&wished.namespace, &wished.name)) {
        return Ok(());
    }
    let namespace = server.metadata.namespace.as_deref().unwrap_or_default();
    let text = server.spec.rescue.as_ref().and_then(|r| r.image.as_deref()).unwrap_or_default();
    let resolved = resolve::active_image("spec.rescue.image", text, found, namespace)?;
    part.rescue_image = Some(resolved);
    Ok(())
}

fn last_action(found: &ServerStatus) -> Option<String> {
    found.last_action.as_ref().map(|a| a.id.clone())
}

fn disk_bytes(flavor: &ResolvedFlavor, virtual_size: u64) -> u64 {
    if flavor.disk_gib == 0 { virtual_size } else { flavor.disk_gib.saturating_mul(GIB) }
}

/// States in which a guest's disk may be worked on. What is saved of it in memory would not fit its disk any more.
fn may_change(field: &str, vm: VmState) -> Result<(), Refusal> {
    let why = match vm {
        VmState::Building | VmState::Active | VmState::Paused | VmState::Stopped | VmState::Error => return Ok(()),
        VmState::Suspended => "the Server is suspended; set spec.powerState to Running or Stopped first",
        VmState::Rescued => "the Server is rescued; remove spec.rescue first",
        VmState::Resized => "a resize is being confirmed or reverted; it is done after that",
        VmState::Shelved | VmState::ShelvedOffloaded => "the Server is shelved; set spec.powerState to Running first",
        VmState::SoftDeleted => "the Server is deleted",
    };
    // The last step of a resize passes by itself.
    let text = format!("{field}: {why}");
    Err(if vm == VmState::Resized { passing(&text) } else { not_now(text) })
}

fn not_now(message: String) -> Refusal {
    Refusal::new(reason::NOT_IN_THIS_STATE, message)
}

fn passing(message: &str) -> Refusal {
    Refusal { passing: true, ..not_now(message.to_owned()) }
}

fn no_room(field: &str, present: &str) -> Refusal {
    let message = format!(
        "{field}: No valid host was found. Its host has too little left for that, and moving a Server is not served yet; \
         free some of the host, or set {field} back to {present:?}"
    );
    Refusal::new(reason::NO_HOST_FITS, message)
}
