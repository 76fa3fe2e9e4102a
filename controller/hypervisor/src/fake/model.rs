//! The model's state, and what each step does to it.

use std::{collections::BTreeMap, net::Ipv4Addr};

use crate::{
    CopyState, DomainDefinition, DomainState, ErrorClass, FilterDefinition, GuestId, HypervisorError, HypervisorStep,
    NetworkDefinition, ObservedDomain, ObservedNetwork, PasswordHash,
};

#[derive(Default)]
pub(super) struct Model {
    domains: BTreeMap<GuestId, Domain>,
    networks: BTreeMap<String, Network>,
    pub(super) filter: Option<FilterDefinition>,
    pub(super) guests_disobey: bool,
    copies: BTreeMap<GuestId, CopyState>,
}

struct Domain {
    /// `None`: not Ostler's.
    definition: Option<DomainDefinition>,
    state: DomainState,
    /// Whether its memory is saved.
    saved: bool,
    /// Hashes of passwords by account.
    passwords: BTreeMap<String, PasswordHash>,
    boots: u32,
}

impl Domain {
    fn off(definition: Option<DomainDefinition>, state: DomainState) -> Self {
        Self { definition, state, saved: false, passwords: BTreeMap::new(), boots: 0 }
    }
}

struct Network {
    /// `None`: not Ostler's.
    definition: Option<NetworkDefinition>,
    reservations: BTreeMap<String, Ipv4Addr>,
}

/// The guest that a step changed.
type Changed = Option<GuestId>;

impl Model {
    pub(super) fn execute(&mut self, step: &HypervisorStep) -> Result<Changed, HypervisorError> {
        match step {
            HypervisorStep::EnsureNetwork(definition) => self.ensure_network(definition).map(|()| None),
            HypervisorStep::ReserveAddress { network, mac, address } => {
                let reservations = self.our_network(network)?.ok_or_else(|| no_network(network))?;
                reservations.retain(|_, taken| taken != address);
                reservations.insert(mac.clone(), *address);
                Ok(None)
            }
            HypervisorStep::ReleaseAddress { network, mac } => {
                // A network that is not ours holds nothing of ours.
                if let Some(there) = self.networks.get_mut(network).filter(|there| there.definition.is_some()) {
                    there.reservations.remove(mac);
                }
                Ok(None)
            }
            HypervisorStep::EnsureFilter(definition) => {
                self.filter = Some(definition.clone());
                Ok(None)
            }
            HypervisorStep::Define(definition) => self.define(definition),
            HypervisorStep::Start(guest) => self.start(*guest),
            HypervisorStep::Shutdown(guest) => {
                let domain = self.our_domain(*guest)?.ok_or_else(|| no_domain(*guest))?;
                let running = domain.state == DomainState::Running;
                Ok(if running && !self.guests_disobey { self.set(*guest, DomainState::Off) } else { None })
            }
            HypervisorStep::Reboot(guest) => {
                let domain = self.our_domain(*guest)?.ok_or_else(|| no_domain(*guest))?;
                if domain.state != DomainState::Running {
                    return Err(not_running(*guest));
                }
                domain.boots += 1;
                Ok(Some(*guest))
            }
            HypervisorStep::Destroy(guest) => {
                let active = self.our_domain(*guest)?.is_some_and(|domain| domain.state.is_active());
                Ok(if active { self.set(*guest, DomainState::Off) } else { None })
            }
            HypervisorStep::Undefine(guest) => {
                self.our_domain(*guest)?;
                Ok(self.domains.remove(guest).map(|_| *guest))
            }
            HypervisorStep::Pause(guest) => {
                let domain = self.our_domain(*guest)?.ok_or_else(|| no_domain(*guest))?;
                match domain.state {
                    DomainState::Running => Ok(self.set(*guest, DomainState::Paused)),
                    DomainState::Paused | DomainState::NoSpace => Ok(None),
                    DomainState::ShuttingDown | DomainState::Off | DomainState::Crashed => Err(not_running(*guest)),
                }
            }
            HypervisorStep::Save(guest) => {
                let domain = self.our_domain(*guest)?.ok_or_else(|| no_domain(*guest))?;
                match (domain.state.is_active(), domain.saved) {
                    (true, _) => {
                        domain.saved = true;
                        Ok(self.set(*guest, DomainState::Off))
                    }
                    (false, true) => Ok(None),
                    (false, false) => Err(not_running(*guest)),
                }
            }
            HypervisorStep::DiscardSaved(guest) => {
                if let Some(domain) = self.our_domain(*guest)? {
                    domain.saved = false;
                }
                Ok(None)
            }
            HypervisorStep::SetPassword { guest, user, hash } => {
                let domain = self.our_domain(*guest)?.ok_or_else(|| no_domain(*guest))?;
                if domain.state != DomainState::Running {
                    return Err(not_running(*guest));
                }
                domain.passwords.insert(user.clone(), hash.clone());
                Ok(None)
            }
        }
    }

    fn ensure_network(&mut self, wanted: &NetworkDefinition) -> Result<(), HypervisorError> {
        let in_use = self.in_use(&wanted.name);
        match self.networks.get_mut(&wanted.name) {
            None => {
                let network = Network { definition: Some(wanted.clone()), reservations: BTreeMap::new() };
                self.networks.insert(wanted.name.clone(), network);
                Ok(())
            }
            Some(Network { definition: None, .. }) => Err(foreign(&format!("network {}", wanted.name))),
            Some(Network { definition: Some(there), .. }) => {
                let moved = (there.gateway, there.prefix_length) != (wanted.gateway, wanted.prefix_length);
                if moved && (there.uid == wanted.uid || in_use) {
                    let message = format!("network {} is there with another subnet", wanted.name);
                    return Err(HypervisorError::new(ErrorClass::Refused, message));
                }
                // One that is taken over keeps whom it was made for, as its bridge derives from that.
                let uid = if moved { wanted.uid.clone() } else { there.uid.clone() };
                *there = NetworkDefinition { uid, ..wanted.clone() };
                Ok(())
            }
        }
    }

    /// Whether anything holds an address of the network.
    fn in_use(&self, network: &str) -> bool {
        let plugged_in = |domain: &Domain| {
            let nics = domain.definition.iter().flat_map(|definition| &definition.nics);
            domain.state.is_active() && nics.into_iter().any(|nic| nic.network == network)
        };
        self.networks.get(network).is_some_and(|there| !there.reservations.is_empty())
            || self.domains.values().any(plugged_in)
    }

    fn define(&mut self, wanted: &DomainDefinition) -> Result<Changed, HypervisorError> {
        match self.our_domain(wanted.id)? {
            None => {
                let domain = Domain::off(Some(wanted.clone()), DomainState::Off);
                self.domains.insert(wanted.id, domain);
                Ok(Some(wanted.id))
            }
            Some(domain) => {
                if domain.definition.as_ref().is_some_and(|there| there.owner.uid != wanted.owner.uid) {
                    return Err(foreign(&format!("domain {} of another Server", wanted.id)));
                }
                if !domain.state.is_active() {
                    domain.definition = Some(wanted.clone());
                }
                Ok(None)
            }
        }
    }

    fn start(&mut self, guest: GuestId) -> Result<Changed, HypervisorError> {
        let networks: Vec<_> = self.networks.keys().cloned().collect();
        let domain = self.our_domain(guest)?.ok_or_else(|| no_domain(guest))?;
        let nics = domain.definition.iter().flat_map(|definition| &definition.nics);
        if let Some(nic) = nics.into_iter().find(|nic| !networks.contains(&nic.network)) {
            return Err(no_network(&nic.network));
        }
        match domain.state {
            DomainState::Running | DomainState::ShuttingDown => return Ok(None),
            DomainState::Paused | DomainState::NoSpace => {}
            DomainState::Off | DomainState::Crashed if domain.saved => domain.saved = false,
            DomainState::Off | DomainState::Crashed => domain.boots += 1,
        }
        domain.state = DomainState::Running;
        Ok(Some(guest))
    }

    /// The domain, unless it is foreign.
    fn our_domain(&mut self, guest: GuestId) -> Result<Option<&mut Domain>, HypervisorError> {
        match self.domains.get_mut(&guest) {
            Some(Domain { definition: None, .. }) => Err(foreign(&format!("domain {guest}"))),
            domain => Ok(domain),
        }
    }

    /// The network's reservations, unless it is foreign.
    fn our_network(&mut self, name: &str) -> Result<Option<&mut BTreeMap<String, Ipv4Addr>>, HypervisorError> {
        match self.networks.get_mut(name) {
            Some(Network { definition: None, .. }) => Err(foreign(&format!("network {name}"))),
            network => Ok(network.map(|network| &mut network.reservations)),
        }
    }

    fn set(&mut self, guest: GuestId, state: DomainState) -> Changed {
        if !state.is_active() {
            self.finish_copy(guest, CopyState::Unknown);
        }
        self.domains.get_mut(&guest).map(|domain| domain.state = state).map(|()| guest)
    }

    pub(super) fn begin_copy(&mut self, guest: GuestId) -> Result<(), HypervisorError> {
        let domain = self.our_domain(guest)?.ok_or_else(|| no_domain(guest))?;
        let active = domain.state.is_active();
        if !active || self.copy_state(guest) == CopyState::Running {
            return Err(HypervisorError::new(ErrorClass::Refused, format!("no copy of domain {guest} can begin")));
        }
        self.copies.insert(guest, CopyState::Running);
        Ok(())
    }

    pub(super) fn copy_state(&self, guest: GuestId) -> CopyState {
        self.copies.get(&guest).cloned().unwrap_or(CopyState::Unknown)
    }

    pub(super) fn end_copy(&mut self, guest: GuestId) -> Result<(), HypervisorError> {
        self.our_domain(guest)?;
        self.finish_copy(guest, CopyState::Failed("it was ended".to_owned()));
        Ok(())
    }

    pub(super) fn finish_copy(&mut self, guest: GuestId, end: CopyState) {
        if let Some(state) = self.copies.get_mut(&guest).filter(|state| **state == CopyState::Running) {
            *state = end;
        }
    }

    /// Returns whether the guest was running.
    pub(super) fn stop(&mut self, guest: GuestId, state: DomainState) -> bool {
        let active = self.domains.get(&guest).is_some_and(|domain| domain.state.is_active());
        active && self.set(guest, state).is_some()
    }

    pub(super) fn add_foreign_domain(&mut self, guest: GuestId, state: DomainState) {
        self.domains.insert(guest, Domain::off(None, state));
    }

    pub(super) fn add_foreign_network(&mut self, name: &str) {
        self.networks.insert(name.to_owned(), Network { definition: None, reservations: BTreeMap::new() });
    }

    pub(super) fn observe(&self, guest: GuestId) -> Option<ObservedDomain> {
        self.domains.get(&guest).map(|domain| observed(guest, domain))
    }

    pub(super) fn observe_all(&self) -> Vec<ObservedDomain> {
        let ours = self.domains.iter().filter(|(_, domain)| domain.definition.is_some());
        ours.map(|(guest, domain)| observed(*guest, domain)).collect()
    }

    pub(super) fn reservations(&self, network: &str) -> BTreeMap<String, Ipv4Addr> {
        self.networks.get(network).map(|network| network.reservations.clone()).unwrap_or_default()
    }

    pub(super) fn observe_networks(&self) -> Vec<ObservedNetwork> {
        let ours = self.networks.values().filter_map(|network| network.definition.as_ref());
        ours.map(|it| ObservedNetwork { name: it.name.clone(), bridge: it.bridge() }).collect()
    }

    pub(super) fn network_names(&self) -> Vec<String> {
        self.networks.keys().cloned().collect()
    }

    pub(super) fn password(&self, guest: GuestId, user: &str) -> Option<PasswordHash> {
        self.domains.get(&guest).and_then(|domain| domain.passwords.get(user).cloned())
    }

    pub(super) fn boots(&self, guest: GuestId) -> u32 {
        self.domains.get(&guest).map_or(0, |domain| domain.boots)
    }
}

fn observed(id: GuestId, domain: &Domain) -> ObservedDomain {
    let nics = domain.definition.iter().flat_map(|definition| &definition.nics);
    ObservedDomain {
        id,
        name: id.domain_name(),
        owner: domain.definition.as_ref().map(|definition| definition.owner.clone()),
        state: domain.state,
        persistent: true,
        saved: domain.saved,
        boot_disk: domain.definition.as_ref().map(|definition| definition.root_disk.clone()),
        nics: nics.map(|nic| (nic.network.clone(), nic.mac.clone())).collect(),
    }
}

fn not_running(guest: GuestId) -> HypervisorError {
    HypervisorError::new(ErrorClass::Refused, format!("domain {guest} is not running"))
}

fn no_domain(guest: GuestId) -> HypervisorError {
    HypervisorError::new(ErrorClass::NotFound, format!("there is no domain {guest}"))
}

fn no_network(name: &str) -> HypervisorError {
    HypervisorError::new(ErrorClass::NotFound, format!("there is no network {name}"))
}

fn foreign(what: &str) -> HypervisorError {
    HypervisorError::new(ErrorClass::Foreign, format!("{what} is not this Server's: it is left alone"))
}
