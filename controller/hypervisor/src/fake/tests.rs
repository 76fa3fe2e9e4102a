use std::{
    future::Future,
    net::Ipv4Addr,
    path::PathBuf,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use ostler_crds::host::Accelerator;
use uuid::Uuid;

use super::ModelHypervisor;
use crate::{
    DomainDefinition, DomainState, ErrorClass, GuestEvent, GuestId, Hypervisor, HypervisorStep, NetworkDefinition,
    NicDefinition, Owner, PasswordHash,
    contract::{self, Fixture},
};

/// The model never waits, so one poll is enough.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the model waited"),
    }
}

fn fixture() -> Fixture {
    let network = NetworkDefinition {
        name: "ostler-contract".into(),
        uid: "n".into(),
        gateway: Ipv4Addr::new(10, 1, 0, 1),
        prefix_length: 24,
        dns_servers: vec![],
        mtu: None,
    };
    let nic = NicDefinition {
        mac: "fa:16:3e:00:00:02".into(),
        network: network.name.clone(),
        address: Ipv4Addr::new(10, 1, 0, 2),
        prefix_length: 24,
        gateway: network.gateway,
        dns_servers: vec![],
        mtu: None,
    };
    let domain = DomainDefinition {
        id: GuestId(Uuid::from_u128(1)),
        owner: Owner { namespace: "a".into(), name: "b".into(), uid: "c".into() },
        vcpus: 1,
        memory_mib: 128,
        accelerator: Accelerator::Tcg,
        root_disk: PathBuf::from("/g/root.qcow2"),
        second_disk: None,
        config_drive: None,
        nics: vec![nic],
        console_log: PathBuf::from("/g/console.log"),
    };
    Fixture { network, domain }
}

fn defined() -> (ModelHypervisor, GuestId) {
    let (model, fixture) = (ModelHypervisor::default(), fixture());
    let guest = fixture.domain.id;
    now(model.execute(&HypervisorStep::EnsureNetwork(fixture.network))).unwrap();
    now(model.execute(&HypervisorStep::Define(fixture.domain))).unwrap();
    (model, guest)
}

fn state(model: &ModelHypervisor, guest: GuestId) -> DomainState {
    now(model.observe(guest)).unwrap().unwrap().state
}

#[test]
fn it_keeps_the_contract() {
    now(contract::all(&ModelHypervisor::default(), &fixture()));
}

#[test]
fn it_is_unreachable_on_demand_and_its_guests_run_on() {
    let (model, guest) = defined();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = heard.clone();
    model.subscribe(Box::new(move |event| sink.lock().unwrap().push(event)));
    now(model.execute(&HypervisorStep::Start(guest))).unwrap();
    model.set_reachable(false);
    assert_eq!(now(model.observe(guest)).unwrap_err().class, ErrorClass::Unreachable);
    model.set_reachable(false);
    model.set_reachable(true);
    assert_eq!((state(&model, guest), model.boots(guest)), (DomainState::Running, 1));
    let wanted = [GuestEvent::Resync, GuestEvent::Changed(guest), GuestEvent::Disconnected, GuestEvent::Resync];
    assert_eq!(*heard.lock().unwrap(), wanted);
}

#[test]
fn it_fails_as_told_before_doing_anything() {
    let (model, guest) = defined();
    model.fail_next(2, ErrorClass::NoSpace);
    for _ in 0..2 {
        assert_eq!(now(model.execute(&HypervisorStep::Start(guest))).unwrap_err().class, ErrorClass::NoSpace);
        assert_eq!(state(&model, guest), DomainState::Off);
    }
    now(model.execute(&HypervisorStep::Start(guest))).unwrap();
    model.fail_where(|step| matches!(step, HypervisorStep::Destroy(_)).then_some(ErrorClass::Refused));
    assert_eq!(now(model.execute(&HypervisorStep::Destroy(guest))).unwrap_err().class, ErrorClass::Refused);
    assert_eq!(state(&model, guest), DomainState::Running);
}

#[test]
fn it_loses_answers_as_told_after_doing_the_work() {
    let (model, guest) = defined();
    model.lose_answers(1);
    assert_eq!(now(model.execute(&HypervisorStep::Start(guest))).unwrap_err().class, ErrorClass::Timeout);
    assert_eq!(state(&model, guest), DomainState::Running);
}

#[test]
fn guests_obey_unless_told_otherwise() {
    let (model, guest) = defined();
    now(model.execute(&HypervisorStep::Start(guest))).unwrap();
    model.set_guests_obey(false);
    now(model.execute(&HypervisorStep::Shutdown(guest))).unwrap();
    assert_eq!(state(&model, guest), DomainState::Running);
    model.set_guests_obey(true);
    now(model.execute(&HypervisorStep::Shutdown(guest))).unwrap();
    assert_eq!(state(&model, guest), DomainState::Off);
}

#[test]
fn foreign_domains_and_networks_are_seen_and_left_alone() {
    let model = ModelHypervisor::default();
    let Fixture { network, domain } = fixture();
    model.add_foreign_domain(domain.id, DomainState::Running);
    model.add_foreign_network(&network.name);
    let guest = domain.id;
    assert_eq!(now(model.observe(guest)).unwrap().unwrap().owner, None);
    assert!(now(model.observe_all()).unwrap().is_empty());
    let steps = [
        HypervisorStep::Define(domain),
        HypervisorStep::Start(guest),
        HypervisorStep::Shutdown(guest),
        HypervisorStep::Reboot(guest),
        HypervisorStep::Destroy(guest),
        HypervisorStep::Undefine(guest),
        HypervisorStep::Pause(guest),
        HypervisorStep::Save(guest),
        HypervisorStep::DiscardSaved(guest),
        password(guest),
        HypervisorStep::EnsureNetwork(network.clone()),
    ];
    for step in steps {
        assert_eq!(now(model.execute(&step)).unwrap_err().class, ErrorClass::Foreign, "{step:?}");
    }
    assert_eq!(state(&model, guest), DomainState::Running);
    // A foreign network holds nothing of ours; a deletion must not wait for it.
    now(model.execute(&HypervisorStep::ReleaseAddress { network: network.name, mac: "x".into() })).unwrap();
}

fn password(guest: GuestId) -> HypervisorStep {
    HypervisorStep::SetPassword { guest, user: "root".into(), hash: PasswordHash("$6$a$b".into()) }
}

#[test]
fn a_password_is_set_in_a_running_guest_only() {
    let (model, guest) = defined();
    assert_eq!(now(model.execute(&password(guest))).unwrap_err().class, ErrorClass::Refused);
    now(model.execute(&HypervisorStep::Start(guest))).unwrap();
    now(model.execute(&password(guest))).unwrap();
    assert_eq!(model.password(guest, "root"), Some(PasswordHash("$6$a$b".into())));
}

#[test]
fn a_crash_is_seen_and_a_start_mends_it() {
    let (model, guest) = defined();
    now(model.execute(&HypervisorStep::Start(guest))).unwrap();
    model.crash(guest);
    assert_eq!(state(&model, guest), DomainState::Crashed);
    now(model.execute(&HypervisorStep::Start(guest))).unwrap();
    for stand_still in [ModelHypervisor::pause, ModelHypervisor::starve] {
        stand_still(&model, guest);
        now(model.execute(&HypervisorStep::Start(guest))).unwrap();
    }
    assert_eq!((state(&model, guest), model.boots(guest)), (DomainState::Running, 2));
}
