//! The link: what callers and subscribers see when libvirtd is away.

use std::{
    sync::mpsc::channel,
    time::{Duration, Instant},
};

use ostler_hypervisor::{ErrorClass, GuestEvent, GuestId, Hypervisor, HypervisorError, HypervisorStep};
use ostler_libvirt::{Config, LibvirtHypervisor};
use uuid::Uuid;

fn connect(uri: &str) -> Result<LibvirtHypervisor, HypervisorError> {
    LibvirtHypervisor::connect(Config { uri: uri.into(), state_dir: "/".into(), accelerator: None })
}

const NOWHERE: &str = "qemu+unix:///system?socket=/does/not/exist/libvirt-sock";

#[tokio::test(flavor = "multi_thread")]
async fn without_libvirtd_every_call_is_unreachable_at_once() {
    let hypervisor = connect(NOWHERE).unwrap();
    let guest = GuestId(Uuid::from_u128(1));
    let began = Instant::now();
    assert_eq!(hypervisor.host().await.unwrap_err().class, ErrorClass::Unreachable);
    assert_eq!(hypervisor.observe(guest).await.unwrap_err().class, ErrorClass::Unreachable);
    assert_eq!(hypervisor.observe_all().await.unwrap_err().class, ErrorClass::Unreachable);
    let refused = hypervisor.execute(&HypervisorStep::Start(guest)).await.unwrap_err();
    assert_eq!(refused.class, ErrorClass::Unreachable);
    assert!(refused.message.contains("/does/not/exist"), "{refused}");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_subscriber_hears_at_once_where_it_stands() {
    let (sender, events) = channel();
    let away = connect(NOWHERE).unwrap();
    let to = sender.clone();
    away.subscribe(Box::new(move |event| to.send(event).unwrap_or_default()));
    assert_eq!(events.recv_timeout(Duration::from_secs(1)).unwrap(), GuestEvent::Disconnected);

    let there = connect("test:///default").unwrap();
    there.observe_all().await.unwrap();
    there.subscribe(Box::new(move |event| sender.send(event).unwrap_or_default()));
    assert_eq!(events.recv_timeout(Duration::from_secs(1)).unwrap(), GuestEvent::Resync);
}

/// Each has a thread of its own for the link; they share the one event loop.
#[tokio::test(flavor = "multi_thread")]
async fn many_come_and_go() {
    for _ in 0..20 {
        let hypervisor = connect("test:///default").unwrap();
        assert!(hypervisor.host().await.unwrap().capacity.vcpus > 0);
        drop(hypervisor);
        drop(connect(NOWHERE).unwrap());
    }
}
