//! What every hypervisor promises: one suite, run over the model, libvirt's test driver and real QEMU.
//!
//! Each function is one promise and panics when it is broken. All leave nothing behind. A [`Fixture`] says what the
//! machine under test can start.

// A broken promise ends the test that asked.
#![allow(clippy::expect_used)]

use std::{
    net::Ipv4Addr,
    sync::mpsc,
    time::{Duration, Instant},
};

use uuid::Uuid;

use crate::{
    DomainDefinition, DomainState, ErrorClass, FilterDefinition, GuestEvent, GuestId, Hypervisor, HypervisorError,
    HypervisorStep, NetworkDefinition, ObservedDomain, ObservedNetwork,
};
use HypervisorStep::{
    Define, Destroy, DiscardSaved, EnsureFilter, EnsureNetwork, Pause, Reboot, ReleaseAddress, ReserveAddress, Save,
    Shutdown, Start, Undefine,
};

/// How long an event may take.
const EVENT_DEADLINE: Duration = Duration::from_secs(20);

/// A network and a domain that the hypervisor under test can start; the domain has one interface on the network.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// The network.
    pub network: NetworkDefinition,
    /// The domain.
    pub domain: DomainDefinition,
}

impl Fixture {
    fn guest(&self) -> GuestId {
        self.domain.id
    }

    fn mac(&self) -> String {
        self.domain.nics.first().expect("the fixture's domain has an interface").mac.clone()
    }

    fn reserve(&self, address: Ipv4Addr) -> HypervisorStep {
        let network = self.network.name.clone();
        ReserveAddress { network, mac: self.mac(), address }
    }

    fn filter(&self) -> HypervisorStep {
        EnsureFilter(FilterDefinition { metadata_service: true, denied: vec![] })
    }

    fn release(&self) -> HypervisorStep {
        ReleaseAddress { network: self.network.name.clone(), mac: self.mac() }
    }
}

/// Runs every promise, one after the other.
pub async fn all<H: Hypervisor>(hypervisor: &H, fixture: &Fixture) {
    facts_are_plausible(hypervisor).await;
    steps_on_what_is_not_there(hypervisor, fixture).await;
    a_network_is_ensured_twice_and_never_moved(hypervisor, fixture).await;
    reservations_are_idempotent_and_follow_changes(hypervisor, fixture).await;
    a_network_that_was_made_anew_takes_over_and_never_moves_under_guests(hypervisor, fixture).await;
    a_domain_is_defined_twice_and_undefined_twice(hypervisor, fixture).await;
    a_domain_of_another_server_is_foreign(hypervisor, fixture).await;
    a_guest_lives(hypervisor, fixture).await;
    undefine_stops_a_running_guest(hypervisor, fixture).await;
    a_guest_stands_still_and_goes_on(hypervisor, fixture).await;
    a_guest_is_saved_and_goes_on_or_is_booted_anew(hypervisor, fixture).await;
    changes_are_told(hypervisor, fixture).await;
}

/// The facts name versions and a capacity.
pub async fn facts_are_plausible<H: Hypervisor>(hypervisor: &H) {
    let facts = hypervisor.host().await.expect("host");
    assert!(facts.capacity.vcpus > 0 && facts.capacity.memory_mib > 0 && facts.capacity.disk_gib > 0, "{facts:?}");
    assert_eq!(facts.libvirt_version.split('.').count(), 3, "{facts:?}");
}

/// What is not there cannot be started, asked or reserved on; to have it off, undefined or released is no work.
pub async fn steps_on_what_is_not_there<H: Hypervisor>(hypervisor: &H, fixture: &Fixture) {
    let guest = GuestId(Uuid::from_u128(0xdead));
    assert_eq!(hypervisor.observe(guest).await.expect("observe"), None);
    for step in [Start(guest), Shutdown(guest), Reboot(guest), Pause(guest), Save(guest)] {
        assert_eq!(class(hypervisor.execute(&step).await), Some(ErrorClass::NotFound), "{step:?}");
    }
    for step in [Destroy(guest), Undefine(guest), DiscardSaved(guest)] {
        assert_eq!(hypervisor.execute(&step).await, Ok(()), "{step:?}");
    }
    let network = "ostler-contract-none".to_owned();
    let release = ReleaseAddress { network: network.clone(), mac: fixture.mac() };
    assert_eq!(hypervisor.execute(&release).await, Ok(()));
    let address = fixture.network.gateway;
    let reserve = ReserveAddress { network, mac: fixture.mac(), address };
    assert_eq!(class(hypervisor.execute(&reserve).await), Some(ErrorClass::NotFound));
}

/// A network is there after the first step, and the second changes nothing; its subnet is never moved under guests.
pub async fn a_network_is_ensured_twice_and_never_moved<H: Hypervisor>(hypervisor: &H, fixture: &Fixture) {
    run(hypervisor, &[EnsureNetwork(fixture.network.clone()), EnsureNetwork(fixture.network.clone())]).await;
    let seen = ObservedNetwork { name: fixture.network.name.clone(), bridge: fixture.network.bridge() };
    assert_eq!(hypervisor.observe_networks().await.expect("observe networks"), [seen]);
    let moved = EnsureNetwork(NetworkDefinition { gateway: elsewhere(fixture), ..fixture.network.clone() });
    assert_eq!(class(hypervisor.execute(&moved).await), Some(ErrorClass::Refused));
    run(hypervisor, &[EnsureNetwork(fixture.network.clone())]).await;
}

/// A Network that was deleted and made again takes over what is there. With another subnet it replaces it, but not while
/// anybody holds an address.
pub async fn a_network_that_was_made_anew_takes_over_and_never_moves_under_guests<H: Hypervisor>(
    hypervisor: &H,
    fixture: &Fixture,
) {
    let anew = NetworkDefinition { uid: format!("{}-anew", fixture.network.uid), ..fixture.network.clone() };
    let moved = NetworkDefinition { gateway: elsewhere(fixture), ..anew.clone() };
    let address = Ipv4Addr::from(u32::from(fixture.network.gateway) + 43);
    run(hypervisor, &[EnsureNetwork(fixture.network.clone()), fixture.reserve(address)]).await;
    run(hypervisor, &[EnsureNetwork(anew.clone()), EnsureNetwork(anew), fixture.reserve(address)]).await;
    assert_eq!(class(hypervisor.execute(&EnsureNetwork(moved.clone())).await), Some(ErrorClass::Refused));
    run(hypervisor, &[fixture.release(), EnsureNetwork(moved.clone()), EnsureNetwork(moved)]).await;
    run(hypervisor, &[EnsureNetwork(fixture.network.clone())]).await;
}

/// Another subnet's gateway.
fn elsewhere(fixture: &Fixture) -> Ipv4Addr {
    let octets = fixture.network.gateway.octets();
    Ipv4Addr::new(octets[0], octets[1], octets[2] ^ 1, octets[3])
}

/// A reservation is made once, follows a changed address, takes an address from whoever had it, and is released twice.
pub async fn reservations_are_idempotent_and_follow_changes<H: Hypervisor>(hypervisor: &H, fixture: &Fixture) {
    let gateway = u32::from(fixture.network.gateway);
    let (one, two) = (Ipv4Addr::from(gateway + 41), Ipv4Addr::from(gateway + 42));
    let network = fixture.network.name.clone();
    let other = "fa:16:3e:ff:ff:fe".to_owned();
    run(hypervisor, &[EnsureNetwork(fixture.network.clone())]).await;
    run(hypervisor, &[fixture.reserve(one), fixture.reserve(one), fixture.reserve(two), fixture.reserve(one)]).await;
    let step = ReserveAddress { network: network.clone(), mac: other.clone(), address: one };
    run(hypervisor, &[step, fixture.reserve(two)]).await;
    run(hypervisor, &[fixture.release(), fixture.release(), ReleaseAddress { network, mac: other }]).await;
}

/// A definition can be repeated and changed while the guest is off, is seen with its owner, and goes away for good.
pub async fn a_domain_is_defined_twice_and_undefined_twice<H: Hypervisor>(hypervisor: &H, fixture: &Fixture) {
    let guest = fixture.guest();
    let grown = DomainDefinition { vcpus: fixture.domain.vcpus + 1, ..fixture.domain.clone() };
    run(hypervisor, &[Define(fixture.domain.clone()), Define(grown), Define(fixture.domain.clone())]).await;
    let seen = see(hypervisor, guest).await;
    assert_eq!(seen.owner.as_ref(), Some(&fixture.domain.owner));
    assert_eq!((seen.id, seen.name.as_str()), (guest, guest.domain_name().as_str()));
    assert_eq!((seen.state, seen.persistent, seen.saved), (DomainState::Off, true, false));
    assert_eq!(seen.boot_disk.as_ref(), Some(&fixture.domain.root_disk));
    assert_eq!(seen.nics, [(fixture.network.name.clone(), fixture.mac())]);
    assert!(hypervisor.observe_all().await.expect("observe all").contains(&seen));
    run(hypervisor, &[Undefine(guest), Undefine(guest)]).await;
    assert_eq!(hypervisor.observe(guest).await.expect("observe"), None);
}

/// Two Servers that claim one id do not get each other's domain.
pub async fn a_domain_of_another_server_is_foreign<H: Hypervisor>(hypervisor: &H, fixture: &Fixture) {
    run(hypervisor, &[Define(fixture.domain.clone())]).await;
    let mut claimed = fixture.domain.clone();
    claimed.owner.uid.push_str("-other");
    assert_eq!(class(hypervisor.execute(&Define(claimed)).await), Some(ErrorClass::Foreign));
    assert_eq!(see(hypervisor, fixture.guest()).await.owner.as_ref(), Some(&fixture.domain.owner));
    run(hypervisor, &[Undefine(fixture.guest())]).await;
}

/// A guest starts once, is left alone by a second start and by a definition, reboots, and is off after destroy.
pub async fn a_guest_lives<H: Hypervisor>(hypervisor: &H, fixture: &Fixture) {
    let guest = fixture.guest();
    let address = fixture.domain.nics.first().expect("an interface").address;
    run(hypervisor, &[EnsureNetwork(fixture.network.clone()), fixture.reserve(address), fixture.filter()]).await;
    run(hypervisor, &[Define(fixture.domain.clone()), Start(guest), Start(guest)]).await;
    assert_eq!(see(hypervisor, guest).await.state, DomainState::Running);
    run(hypervisor, &[Define(fixture.domain.clone()), Reboot(guest)]).await;
    assert_eq!(see(hypervisor, guest).await.state, DomainState::Running);
    run(hypervisor, &[Destroy(guest), Destroy(guest)]).await;
    assert_eq!(see(hypervisor, guest).await.state, DomainState::Off);
    assert_eq!(class(hypervisor.execute(&Reboot(guest)).await), Some(ErrorClass::Refused));
    run(hypervisor, &[Shutdown(guest), Undefine(guest), fixture.release()]).await;
}

/// To undefine a running guest stops it first.
pub async fn undefine_stops_a_running_guest<H: Hypervisor>(hypervisor: &H, fixture: &Fixture) {
    let guest = fixture.guest();
    run(
        hypervisor,
        &[EnsureNetwork(fixture.network.clone()), fixture.filter(), Define(fixture.domain.clone()), Start(guest)],
    )
    .await;
    run(hypervisor, &[Undefine(guest)]).await;
    assert_eq!(hypervisor.observe(guest).await.expect("observe"), None);
}

/// A running guest stands still and goes on; one that is off cannot stand still.
pub async fn a_guest_stands_still_and_goes_on<H: Hypervisor>(hypervisor: &H, fixture: &Fixture) {
    let guest = fixture.guest();
    let network = EnsureNetwork(fixture.network.clone());
    run(hypervisor, &[network, fixture.filter(), Define(fixture.domain.clone())]).await;
    assert_eq!(class(hypervisor.execute(&Pause(guest)).await), Some(ErrorClass::Refused));
    run(hypervisor, &[Start(guest), Pause(guest), Pause(guest)]).await;
    assert_eq!(see(hypervisor, guest).await.state, DomainState::Paused);
    run(hypervisor, &[Start(guest)]).await;
    assert_eq!(see(hypervisor, guest).await.state, DomainState::Running);
    run(hypervisor, &[Pause(guest), Destroy(guest)]).await;
    assert_eq!(see(hypervisor, guest).await.state, DomainState::Off);
    run(hypervisor, &[Undefine(guest)]).await;
}

/// The memory of a guest, running or standing still, is saved once and outlives a definition; a start goes on from there,
/// and is a boot after it was discarded. An undefined guest leaves none.
pub async fn a_guest_is_saved_and_goes_on_or_is_booted_anew<H: Hypervisor>(hypervisor: &H, fixture: &Fixture) {
    let guest = fixture.guest();
    let define = || Define(fixture.domain.clone());
    run(hypervisor, &[EnsureNetwork(fixture.network.clone()), fixture.filter(), define()]).await;
    assert_eq!(class(hypervisor.execute(&Save(guest)).await), Some(ErrorClass::Refused));
    run(hypervisor, &[Start(guest), Save(guest), Save(guest), define()]).await;
    let seen = see(hypervisor, guest).await;
    assert_eq!((seen.state, seen.saved), (DomainState::Off, true));
    run(hypervisor, &[Start(guest)]).await;
    let seen = see(hypervisor, guest).await;
    assert_eq!((seen.state, seen.saved), (DomainState::Running, false));
    run(hypervisor, &[Pause(guest), Save(guest), Start(guest)]).await;
    assert_eq!(see(hypervisor, guest).await.state, DomainState::Running);
    run(hypervisor, &[Save(guest), DiscardSaved(guest), DiscardSaved(guest)]).await;
    assert!(!see(hypervisor, guest).await.saved);
    run(hypervisor, &[Start(guest), Save(guest), Undefine(guest), define()]).await;
    assert!(!see(hypervisor, guest).await.saved);
    run(hypervisor, &[Undefine(guest)]).await;
}

/// A subscriber hears at once where it stands, and then of every change.
pub async fn changes_are_told<H: Hypervisor>(hypervisor: &H, fixture: &Fixture) {
    let guest = fixture.guest();
    let (sender, events) = mpsc::channel();
    hypervisor.subscribe(Box::new(move |event| sender.send(event).unwrap_or_default()));
    await_event(&events, GuestEvent::Resync);
    run(hypervisor, &[EnsureNetwork(fixture.network.clone()), fixture.filter(), Define(fixture.domain.clone())]).await;
    await_event(&events, GuestEvent::Changed(guest));
    while events.try_recv().is_ok() {}
    run(hypervisor, &[Start(guest)]).await;
    await_event(&events, GuestEvent::Changed(guest));
    run(hypervisor, &[Undefine(guest)]).await;
}

fn await_event(events: &mpsc::Receiver<GuestEvent>, wanted: GuestEvent) {
    let deadline = Instant::now() + EVENT_DEADLINE;
    while let Ok(event) = events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        if event == wanted {
            return;
        }
    }
    unreachable!("{wanted:?} was not told");
}

async fn see<H: Hypervisor>(hypervisor: &H, guest: GuestId) -> ObservedDomain {
    hypervisor.observe(guest).await.expect("observe").expect("the domain is there")
}

async fn run<H: Hypervisor>(hypervisor: &H, steps: &[HypervisorStep]) {
    for step in steps {
        if let Err(error) = hypervisor.execute(step).await {
            unreachable!("{step:?} failed: {error} ({:?})", error.class);
        }
    }
}

fn class(result: Result<(), HypervisorError>) -> Option<ErrorClass> {
    result.err().map(|error| error.class)
}
