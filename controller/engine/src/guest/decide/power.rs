//! The standing wish for power, which is always the last thing looked at.

use ostler_hypervisor::{Step, StorageStep};

use super::{
    super::{
        failure::{Failure, FailureKind},
        memory::{self, LastStart, Memory, SHUTDOWN_REPEAT},
        observed::Seen,
        wish::Power,
    },
    Decision, Goal, prepare,
    scene::{Scene, waiting},
};

pub(super) fn decide(scene: &Scene<'_>, mut memory: Memory) -> Decision {
    match (scene.guest.power, scene.seen()) {
        (Power::Running | Power::Paused | Power::Suspended, Seen::Nothing) => start(scene, memory),
        (Power::Running | Power::Paused | Power::Suspended, Seen::Off) => start_again(scene, memory),
        (Power::Running | Power::Paused, Seen::Saved) => start(scene, memory),
        (Power::Running, Seen::Paused) => start_again(scene, memory),
        (Power::Running | Power::Suspended, Seen::Starved) => go_on(scene, memory),
        (Power::Running | Power::Paused | Power::Suspended, Seen::Ending) => waiting(vec![], memory, SHUTDOWN_REPEAT),
        (Power::Running, Seen::Running) | (Power::Paused, Seen::Paused | Seen::Starved) => {
            // A request to shut down that was taken back must not shorten the deadline of a later one.
            memory.asked_off = None;
            as_it_is(scene, memory)
        }
        (Power::Paused, Seen::Running) | (Power::Suspended, Seen::Running | Seen::Paused) => {
            let memory = Memory { asked_off: None, last_start: None, ..memory };
            scene.settled(held(scene), memory)
        }
        (Power::Suspended, Seen::Saved) => {
            let mark = scene.save().into_iter().take(1).filter(|_| !scene.observed.files.saved_mark).collect();
            scene.settled(mark, memory)
        }
        (Power::Stopped, Seen::Nothing) => scene.settled(scene.prepared(), stopped(memory)),
        (Power::Stopped, Seen::Off | Seen::Saved) => {
            let given_up = scene.discard_saved();
            if given_up.is_empty() {
                as_it_is(scene, stopped(memory))
            } else {
                scene.settled(given_up, stopped(memory))
            }
        }
        (Power::Stopped, Seen::Paused | Seen::Starved | Seen::Running | Seen::Ending) => {
            let settled = scene.settled(vec![], memory.clone()).goal;
            scene.ask_off(memory, |memory| {
                memory.last_start = None;
                settled
            })
        }
    }
}

fn stopped(memory: Memory) -> Memory {
    Memory { asked_off: None, last_start: None, ..memory }
}

/// As wished already, but for a definition, or a disk of a guest that is off that has not grown: a crash left them out.
fn as_it_is(scene: &Scene<'_>, memory: Memory) -> Decision {
    let transient = scene.observed.domain.as_ref().is_some_and(|d| !d.persistent);
    let steps = if transient || prepare::is_short(scene) { scene.prepared() } else { vec![] };
    scene.settled(steps, memory)
}

fn start(scene: &Scene<'_>, mut memory: Memory) -> Decision {
    memory.asked_off = None;
    memory.last_start = Some(LastStart { at: scene.now, quick_ends: 0 });
    started(scene, memory)
}

/// Starts a guest that was there before, after a rest if it keeps stopping by itself.
fn start_again(scene: &Scene<'_>, mut memory: Memory) -> Decision {
    if memory.asked_off.is_some() {
        return start(scene, memory);
    }
    let (earliest, start) = memory.next_start(scene.now);
    if earliest > scene.now {
        let rest = memory::since(scene.now, earliest);
        return Decision { requeue: Some(rest), ..Decision::new(vec![], Goal::Resting, memory) };
    }
    memory.last_start = Some(start);
    started(scene, memory)
}

/// Lets a guest go on that stands still for want of space. Where there is still none it stands still again at once, so
/// this waits as a start does.
fn go_on(scene: &Scene<'_>, mut memory: Memory) -> Decision {
    let cause = "its disk has to grow, and the host's file system is full";
    let goal = Goal::Blocked(Failure::new(FailureKind::DiskFull, "cannot let the guest run on", cause));
    let (earliest, start) = memory.next_start(scene.now);
    if earliest > scene.now {
        return Decision { requeue: Some(memory::since(scene.now, earliest)), ..Decision::new(vec![], goal, memory) };
    }
    memory.last_start = Some(start);
    Decision::new(vec![scene.start()], goal, memory)
}

fn started(scene: &Scene<'_>, memory: Memory) -> Decision {
    let mut steps = restored(scene);
    steps.extend(held(scene));
    scene.settled(steps, memory)
}

/// All that has the guest run, from its saved memory if there is some.
pub(super) fn restored(scene: &Scene<'_>) -> Vec<Step> {
    let mut steps = scene.prepared();
    steps.push(scene.start());
    if scene.seen() == Seen::Saved && scene.observed.files.saved_mark {
        steps.push(scene.unmark());
    }
    steps
}

/// A guest that is off, or has no domain, with `work` done to its disk before it comes to its wish.
pub(super) fn begun(scene: &Scene<'_>, work: Vec<Step>, memory: Memory) -> Decision {
    let anew = work.iter().any(|s| matches!(s, Step::Storage(StorageStep::ReplaceRootDisk { .. })));
    let mut steps = work;
    steps.extend(if anew { prepare::with_new_disk(scene) } else { scene.prepared() });
    if scene.guest.power == Power::Stopped {
        return scene.settled(steps, stopped(memory));
    }
    steps.push(scene.start());
    steps.extend(held(scene));
    let last_start = Some(LastStart { at: scene.now, quick_ends: 0 });
    scene.settled(steps, Memory { asked_off: None, last_start, ..memory })
}

/// What is still to be done to a guest that runs.
fn held(scene: &Scene<'_>) -> Vec<Step> {
    match scene.guest.power {
        Power::Running | Power::Stopped => vec![],
        Power::Paused => vec![scene.pause()],
        Power::Suspended => scene.save().into(),
    }
}
