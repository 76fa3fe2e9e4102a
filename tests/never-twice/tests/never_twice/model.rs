//! Who may do what next.

use ostler_engine::guest::Goal;
use ostler_hypervisor::{HypervisorStep, Step, StorageStep};
use stateright::{Model, Property};

use super::{
    decided,
    state::{Domain, Fence, Guest, Machine, Record, State, Write},
};

/// What must never be.
pub const NEVER: [&str; 2] = ["a Server runs on one Host at most", "no disk is removed that is in use"];

/// How large the cluster is, and how much may go wrong.
pub struct Protocol {
    pub hosts: u8,
    pub servers: u8,
    /// Machines that lose power, node roles that die, cuts.
    pub faults: u8,
    /// Fences that are set.
    pub fences: u8,
    /// Whether node roles say in a Server that they are about to start it.
    pub claims: bool,
    /// Writes on their way at once.
    pub in_flight: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    // What users and administrators do.
    Delete(u8),
    AskEvacuation(u8),
    Fence(u8),
    LiftFence(u8),
    // What goes wrong, and right again.
    PowerFails(u8),
    PowerReturns(u8),
    RoleDies(u8),
    RoleStarts(u8),
    CutOff(u8),
    Reconnected(u8),
    /// The guest shuts itself down.
    GuestEnds {
        host: u8,
        server: u8,
    },
    // The manager.
    ManagerSees(u8),
    ManagerSeesFence(u8),
    Silence(u8),
    Heartbeat(u8),
    Place {
        server: u8,
        host: u8,
    },
    LetGo(u8),
    // The node role.
    RoleSees {
        host: u8,
        server: u8,
    },
    RoleReadsFence(u8),
    /// A pass that ends, or is cut off, after this many steps.
    Pass {
        host: u8,
        server: u8,
        steps: u8,
    },
    // The net.
    Arrives(u8),
    Lost(u8),
}

impl Protocol {
    fn has_room(&self, state: &State) -> bool {
        state.writes.len() < self.in_flight
    }

    fn manager(&self, state: &State, events: &mut Vec<Event>) {
        for server in 0..self.servers {
            let cached = state.cached[usize::from(server)];
            if cached != state.servers[usize::from(server)] {
                events.push(Event::ManagerSees(server));
            }
            let Some(record) = cached.filter(|_| self.has_room(state)) else { continue };
            if record.deleting && record.host.is_none() {
                events.push(Event::LetGo(server));
                continue;
            }
            let leaves = record.host.is_some_and(|from| {
                let machine = &state.machines[usize::from(from)];
                decided::wants_to_leave(record) && decided::is_dead(record, machine.seen, machine.heard)
            });
            if (record.host.is_none() && !record.deleting) || leaves {
                let hosts = (0..self.hosts).filter(|h| Some(*h) != record.host);
                let alive = hosts.filter(|h| {
                    let machine = &state.machines[usize::from(*h)];
                    machine.heard && !machine.seen.fenced
                });
                events.extend(alive.map(|host| Event::Place { server, host }));
            }
        }
    }

    fn machine(&self, state: &State, host: u8, events: &mut Vec<Event>) {
        let machine = &state.machines[usize::from(host)];
        let can_fail = state.faults_left > 0;
        if machine.powered {
            if can_fail {
                events.push(Event::PowerFails(host));
            }
            match machine.role {
                Some(_) if can_fail => events.push(Event::RoleDies(host)),
                Some(_) => {}
                None if !machine.cut => events.push(Event::RoleStarts(host)),
                None => {}
            }
        } else {
            events.push(Event::PowerReturns(host));
            if !machine.host.fenced && state.fences_left > 0 {
                events.push(Event::Fence(host));
            }
        }
        if machine.host.fenced {
            events.push(Event::LiftFence(host));
        }
        if machine.cut {
            events.push(Event::Reconnected(host));
        } else if can_fail {
            events.push(Event::CutOff(host));
        }
        if machine.host != machine.seen {
            events.push(Event::ManagerSeesFence(host));
        }
        match (machine.role_reaches_api(), machine.heard) {
            (true, false) => events.push(Event::Heartbeat(host)),
            (false, true) => events.push(Event::Silence(host)),
            _ => {}
        }
        let Some(known) = machine.role.filter(|_| machine.powered) else { return };
        if machine.role_reaches_api() && known != machine.host {
            events.push(Event::RoleReadsFence(host));
        }
        for server in 0..self.servers {
            self.guest(state, host, server, events);
        }
    }

    fn guest(&self, state: &State, host: u8, server: u8, events: &mut Vec<Event>) {
        let machine = &state.machines[usize::from(host)];
        let guest = &machine.guests[usize::from(server)];
        let shown = state.servers[usize::from(server)].filter(|r| r.host == Some(host));
        if machine.role_reaches_api() && guest.cache != shown {
            events.push(Event::RoleSees { host, server });
        }
        if guest.domain == Domain::Running && state.faults_left > 0 {
            events.push(Event::GuestEnds { host, server });
        }
        let Some(record) = guest.cache else { return };
        let Some(known) = machine.role else { return };
        if known.fenced {
            if guest.domain == Domain::Running {
                events.push(Event::Pass { host, server, steps: 1 });
            }
            return;
        }
        let plan = decided::plan(record, guest);
        if self.claims && decided::must_claim(record, known.generation, &plan.steps) {
            let claim = Write::Claim { server, by: host, claim: known.generation };
            if self.has_room(state) && !state.writes.contains(&claim) {
                events.push(Event::Pass { host, server, steps: 0 });
            }
            return;
        }
        let steps = u8::try_from(plan.steps.len()).unwrap();
        events.extend((1..steps).map(|steps| Event::Pass { host, server, steps }));
        let says =
            report(record, guest_after(*guest, &plan.steps), &plan.goal, plan.memory.finished.is_some(), host, server);
        if steps > 0 || says.is_some_and(|write| self.has_room(state) && !state.writes.contains(&write)) {
            events.push(Event::Pass { host, server, steps });
        }
    }
}

fn guest_after(mut guest: Guest, steps: &[Step]) -> Guest {
    for step in steps {
        match step {
            Step::Storage(StorageStep::CreateRootDisk { .. }) => guest.disk = true,
            Step::Storage(StorageStep::RemoveGuestFiles { .. }) => guest.disk = false,
            Step::Hypervisor(HypervisorStep::Define(_)) if guest.domain == Domain::None => guest.domain = Domain::Off,
            Step::Hypervisor(HypervisorStep::Start(_)) => guest.domain = Domain::Running,
            Step::Hypervisor(HypervisorStep::Destroy(_) | HypervisorStep::Shutdown(_))
                if guest.domain == Domain::Running =>
            {
                guest.domain = Domain::Off;
            }
            Step::Hypervisor(HypervisorStep::Undefine(_)) => guest.domain = Domain::None,
            _ => {}
        }
    }
    guest
}

/// What a finished pass tells the API server, if that is news.
fn report(record: Record, guest: Guest, goal: &Goal, finished: bool, host: u8, server: u8) -> Option<Write> {
    match goal {
        Goal::Gone | Goal::GoneButForeign => Some(Write::Gone { server, version: record.version, by: Some(host) }),
        _ => {
            let launched = guest.domain == Domain::Running && record.launched_on != Some(host);
            let echoed = finished && !record.echoed;
            (launched || echoed).then_some(Write::Report { server, by: host, launched, echoed })
        }
    }
}

fn pass(claims: bool, state: &mut State, host: u8, server: u8, steps: u8) {
    let truth = state.servers[usize::from(server)];
    let machine = &mut state.machines[usize::from(host)];
    let Some(known) = machine.role else { return };
    let guest = &mut machine.guests[usize::from(server)];
    if known.fenced {
        guest.domain = Domain::Off;
        return;
    }
    let Some(record) = guest.cache else { return };
    let plan = decided::plan(record, guest);
    if claims && decided::must_claim(record, known.generation, &plan.steps) {
        state.writes.push(Write::Claim { server, by: host, claim: known.generation });
        return;
    }
    let done = usize::from(steps);
    for step in &plan.steps[..done] {
        let before = *guest;
        *guest = guest_after(before, std::slice::from_ref(step));
        let kept = truth.is_some_and(|r| !r.deleting && r.host == Some(host));
        state.lost |= before.disk && !guest.disk && (kept || before.domain == Domain::Running);
    }
    if done == plan.steps.len() {
        let finished = plan.memory.finished.is_some();
        let write = report(record, *guest, &plan.goal, finished, host, server);
        if let Some(write) = write.filter(|w| !state.writes.contains(w)) {
            state.writes.push(write);
        }
    }
}

fn start_role(state: &mut State, host: u8) {
    let machine = &mut state.machines[usize::from(host)];
    machine.role = Some(machine.host);
    for (guest, truth) in machine.guests.iter_mut().zip(&state.servers) {
        // strays::remove, then the list.
        let elsewhere = truth.is_some_and(|r| r.host.is_some_and(|h| h != host));
        if guest.domain != Domain::None && elsewhere && !machine.host.fenced {
            *guest = Guest { domain: Domain::None, disk: false, cache: None };
        }
        guest.cache = truth.filter(|r| r.host == Some(host));
    }
}

fn arrives(servers: &mut [Option<Record>], write: Write) {
    let (Write::Bind { server, .. }
    | Write::Claim { server, .. }
    | Write::Report { server, .. }
    | Write::Gone { server, .. }) = write;
    let slot = &mut servers[usize::from(server)];
    let Some(record) = slot else { return };
    let before = *record;
    match write {
        Write::Bind { version, host, claim, .. } if record.version == version => {
            (record.host, record.claim) = (Some(host), claim);
        }
        // The same policy as below.
        Write::Claim { by, claim, .. } if record.host == Some(by) => record.claim = claim,
        // Policy server-writers: a node role writes only Servers that are bound to its machine.
        Write::Report { by, launched, echoed, .. } if record.host == Some(by) => {
            if launched {
                record.launched_on = Some(by);
            }
            record.echoed |= echoed;
        }
        Write::Gone { version, by, .. } if record.version == version && (by.is_none() || record.host == by) => {
            *slot = None;
            return;
        }
        _ => return,
    }
    // A write that changes nothing makes no new version.
    if *record != before {
        record.version += 1;
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Event;

    fn init_states(&self) -> Vec<State> {
        let record = Record {
            version: 0,
            host: None,
            deleting: false,
            evacuate: false,
            echoed: false,
            launched_on: None,
            claim: 0,
        };
        let fence = Fence { fenced: false, generation: 1 };
        let guest = Guest { domain: Domain::None, disk: false, cache: None };
        let machine = Machine {
            host: fence,
            powered: true,
            role: Some(fence),
            cut: false,
            heard: true,
            seen: fence,
            guests: vec![guest; self.servers.into()],
        };
        vec![State {
            servers: vec![Some(record); self.servers.into()],
            cached: vec![Some(record); self.servers.into()],
            machines: vec![machine; self.hosts.into()],
            writes: vec![],
            faults_left: self.faults,
            fences_left: self.fences,
            lost: false,
        }]
    }

    fn actions(&self, state: &State, events: &mut Vec<Event>) {
        for server in 0..self.servers {
            if let Some(record) = state.servers[usize::from(server)].filter(|r| !r.deleting) {
                events.push(Event::Delete(server));
                if !record.evacuate && record.host.is_some() {
                    events.push(Event::AskEvacuation(server));
                }
            }
        }
        self.manager(state, events);
        for host in 0..self.hosts {
            self.machine(state, host, events);
        }
        for write in 0..u8::try_from(state.writes.len()).unwrap() {
            events.extend([Event::Arrives(write), Event::Lost(write)]);
        }
    }

    fn next_state(&self, last: &State, event: Event) -> Option<State> {
        let mut state = last.clone();
        match event {
            Event::Delete(server) => change(&mut state, server, |r| r.deleting = true),
            Event::AskEvacuation(server) => change(&mut state, server, |r| r.evacuate = true),
            Event::Fence(host) => {
                state.fences_left -= 1;
                let host = &mut state.machines[usize::from(host)].host;
                *host = Fence { fenced: true, generation: host.generation + 1 };
            }
            Event::LiftFence(host) => {
                let host = &mut state.machines[usize::from(host)].host;
                *host = Fence { fenced: false, generation: host.generation + 1 };
            }
            Event::PowerFails(host) => {
                state.faults_left -= 1;
                let machine = &mut state.machines[usize::from(host)];
                (machine.powered, machine.role) = (false, None);
                for guest in &mut machine.guests {
                    guest.cache = None;
                    if guest.domain == Domain::Running {
                        guest.domain = Domain::Off;
                    }
                }
            }
            Event::PowerReturns(host) => state.machines[usize::from(host)].powered = true,
            Event::RoleDies(host) => {
                state.faults_left -= 1;
                let machine = &mut state.machines[usize::from(host)];
                machine.role = None;
                machine.guests.iter_mut().for_each(|g| g.cache = None);
            }
            Event::RoleStarts(host) => start_role(&mut state, host),
            Event::CutOff(host) => {
                state.faults_left -= 1;
                state.machines[usize::from(host)].cut = true;
            }
            Event::Reconnected(host) => state.machines[usize::from(host)].cut = false,
            Event::GuestEnds { host, server } => {
                state.faults_left -= 1;
                state.machines[usize::from(host)].guests[usize::from(server)].domain = Domain::Off;
            }
            Event::ManagerSees(server) => state.cached[usize::from(server)] = state.servers[usize::from(server)],
            Event::ManagerSeesFence(host) => {
                let machine = &mut state.machines[usize::from(host)];
                machine.seen = machine.host;
            }
            Event::Silence(host) => state.machines[usize::from(host)].heard = false,
            Event::Heartbeat(host) => state.machines[usize::from(host)].heard = true,
            Event::Place { server, host } => {
                let version = state.cached[usize::from(server)]?.version;
                let claim = state.machines[usize::from(host)].seen.generation;
                send(&mut state, Write::Bind { server, version, host, claim })?;
            }
            Event::LetGo(server) => {
                let version = state.cached[usize::from(server)]?.version;
                send(&mut state, Write::Gone { server, version, by: None })?;
            }
            Event::RoleSees { host, server } => {
                let shown = state.servers[usize::from(server)].filter(|r| r.host == Some(host));
                state.machines[usize::from(host)].guests[usize::from(server)].cache = shown;
            }
            Event::RoleReadsFence(host) => {
                let machine = &mut state.machines[usize::from(host)];
                machine.role = Some(machine.host);
            }
            Event::Pass { host, server, steps } => pass(self.claims, &mut state, host, server, steps),
            Event::Arrives(i) => {
                let write = state.writes.remove(i.into());
                arrives(&mut state.servers, write);
            }
            Event::Lost(i) => drop(state.writes.remove(i.into())),
        }
        state.writes.sort_unstable();
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NEVER[0], |_, state: &State| {
                (0..state.servers.len())
                    .all(|s| state.machines.iter().filter(|m| m.guests[s].domain == Domain::Running).count() <= 1)
            }),
            Property::always(NEVER[1], |_, state: &State| !state.lost),
            Property::sometimes(
                "an evacuated Server runs on another Host, its old disk still there",
                |_, state: &State| {
                    (0..state.servers.len()).any(|s| {
                        let disks = state.machines.iter().filter(|m| m.guests[s].disk).count();
                        disks > 1 && state.machines.iter().any(|m| m.guests[s].domain == Domain::Running)
                    })
                },
            ),
            Property::sometimes(
                "a Server that ran is gone, and nothing of it is left",
                |protocol: &Self, state: &State| {
                    state.faults_left < protocol.faults
                        && state.servers.iter().all(Option::is_none)
                        && state.machines.iter().flat_map(|m| &m.guests).all(|g| !g.disk && g.domain == Domain::None)
                },
            ),
        ]
    }
}

fn change(state: &mut State, server: u8, f: impl FnOnce(&mut Record)) {
    if let Some(record) = &mut state.servers[usize::from(server)] {
        f(record);
        record.version += 1;
    }
}

fn send(state: &mut State, write: Write) -> Option<()> {
    if state.writes.contains(&write) {
        return None;
    }
    state.writes.push(write);
    Some(())
}
