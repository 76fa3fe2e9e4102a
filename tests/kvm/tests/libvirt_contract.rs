//! Our hypervisor on real QEMU.

use std::time::Duration;

use anyhow::{Result, ensure};
use ostler_hypervisor::HypervisorStep::{
    Define, Destroy, EnsureFilter, EnsureNetwork, Reboot, ReleaseAddress, ReserveAddress, Shutdown, Start, Undefine,
};
use ostler_hypervisor::contract::{self, Fixture};
use ostler_hypervisor::{
    CopyState, DiskCopy, DomainState, ErrorClass, GuestEvent, GuestId, Hypervisor, HypervisorStep,
};
use ostler_test_harness::wait_for;
use ostler_tests_kvm::Node;
use ostler_tests_kvm::events::Events;
use ostler_tests_kvm::guest::{BOOT, console_line, filter, guest};

async fn run(node: &Node, steps: impl IntoIterator<Item = HypervisorStep>) -> Result<()> {
    for step in steps {
        node.hypervisor.execute(&step).await?;
    }
    Ok(())
}

/// All that is needed before a first start.
fn prepare(guest: &Fixture) -> Result<Vec<HypervisorStep>> {
    let nic = guest.domain.nics[0].clone();
    let reserve = ReserveAddress { network: nic.network, mac: nic.mac, address: nic.address };
    let filter = EnsureFilter(filter());
    Ok(vec![EnsureNetwork(guest.network.clone()), reserve, filter, Define(guest.domain.clone())])
}

async fn state(node: &Node, id: GuestId) -> Result<Option<DomainState>> {
    Ok(node.hypervisor.observe(id).await?.map(|domain| domain.state))
}

async fn await_state(node: &Node, id: GuestId, wanted: DomainState) -> Result<()> {
    wait_for(&format!("{wanted:?}"), BOOT, async || Ok((state(node, id).await? == Some(wanted)).then_some(()))).await
}

async fn class_of(node: &Node, step: HypervisorStep) -> Option<ErrorClass> {
    node.hypervisor.execute(&step).await.err().map(|error| error.class)
}

#[tokio::test(flavor = "multi_thread")]
async fn real_qemu_keeps_the_contract() -> Result<()> {
    let node = Node::start("contract")?;
    let guest = guest(&node, 20, "")?;
    contract::all(&node.hypervisor, &guest).await;
    ensure!(node.hypervisor.observe_all().await?.is_empty());
    let left = node.shell(
        "ls /var/lib/libvirt/qemu/save /etc/libvirt/qemu; virsh -q nwfilter-binding-list; pgrep -a qemu || true",
    )?;
    ensure!(!left.contains("ostler-"), "left behind: {left}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_boots_from_its_own_disk_address_and_config_drive_and_obeys() -> Result<()> {
    let node = Node::start("boots")?;
    // The guest tells what it can reach with its own address and with a stolen one.
    let user_data = "#!/bin/sh\nping -c1 -W2 10.88.0.1 >/dev/null && echo OWN-ADDRESS-WORKS\n\
                     ip addr add 10.88.0.77/24 dev eth0\n\
                     ping -c1 -W2 -I 10.88.0.77 10.88.0.1 >/dev/null || echo STOLEN-ADDRESS-FAILS\n\
                     echo MTU-$(cat /sys/class/net/eth0/mtu)\n";
    let guest = guest(&node, 21, user_data)?;
    let (domain, id) = (&guest.domain, guest.domain.id);
    let events = Events::of(&node.hypervisor);
    run(&node, prepare(&guest)?).await?;
    run(&node, [Start(id)]).await?;

    let ready = console_line(domain, "OSTLER-READY", 1).await?;
    for wanted in [&format!("uuid={id}"), "source=configdrive", "eth0=10.88.0.21/24", "host=guest-21", "cpus=1"] {
        ensure!(ready.contains(wanted), "{wanted} is not in {ready}");
    }
    console_line(domain, "OWN-ADDRESS-WORKS", 1).await?;
    console_line(domain, "STOLEN-ADDRESS-FAILS", 1).await?;
    console_line(domain, "MTU-1400", 1).await?;
    let dnsmasq = node.shell("cat /var/lib/libvirt/dnsmasq/ostler-contract.conf")?;
    ensure!(dnsmasq.contains("dhcp-range=10.88.0.1,static"), "unreserved MACs may get an address: {dnsmasq}");

    events.forget();
    run(&node, [Reboot(id)]).await?;
    console_line(domain, "OSTLER-READY", 2).await?;
    events.wait_for(GuestEvent::Changed(id), BOOT)?;
    run(&node, [Shutdown(id)]).await?;
    await_state(&node, id, DomainState::Off).await?;
    // The console of earlier boots stays in the file.
    run(&node, [Start(id)]).await?;
    console_line(domain, "OSTLER-READY", 3).await?;
    let nic = &domain.nics[0];
    let release = ReleaseAddress { network: nic.network.clone(), mac: nic.mac.clone() };
    run(&node, [Destroy(id), Undefine(id), release]).await?;
    ensure!(state(&node, id).await?.is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_does_not_notice_that_libvirtd_dies_and_comes_back() -> Result<()> {
    let node = Node::start("restart")?;
    let guest = guest(&node, 22, "")?;
    let id = guest.domain.id;
    run(&node, prepare(&guest)?).await?;
    run(&node, [Start(id)]).await?;
    let events = Events::of(&node.hypervisor);
    events.wait_for(GuestEvent::Resync, Duration::from_secs(1))?;
    let qemu = || node.shell(&format!("cat /run/libvirt/qemu/ostler-{id}.pid"));
    let before = qemu()?;
    for signal in ["TERM", "KILL"] {
        node.shell(&format!("kill -{signal} $(cat /run/libvirtd.pid)"))?;
        events.wait_for(GuestEvent::Disconnected, Duration::from_secs(20))?;
        events.wait_for(GuestEvent::Resync, Duration::from_secs(60))?;
        ensure!(state(&node, id).await? == Some(DomainState::Running));
        ensure!(qemu()? == before, "QEMU is another process");
    }
    console_line(&guest.domain, "OSTLER-READY", 1).await?;

    // A libvirtd that stands still is found out by its missing keepalives, and calls end.
    node.shell("kill -STOP $(cat /run/libvirtd.pid)")?;
    let stuck = node.hypervisor.observe(id).await;
    ensure!(stuck.as_ref().is_err_and(|e| e.class == ErrorClass::Unreachable), "{stuck:?}");
    events.wait_for(GuestEvent::Disconnected, Duration::from_secs(5))?;
    node.shell("kill -CONT $(cat /run/libvirtd.pid)")?;
    events.wait_for(GuestEvent::Resync, Duration::from_secs(30))?;
    ensure!(qemu()? == before, "QEMU is another process");

    // The new connection tells events too.
    events.forget();
    run(&node, [Destroy(id)]).await?;
    events.wait_for(GuestEvent::Changed(id), Duration::from_secs(20))?;
    run(&node, [Undefine(id)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_qemu_is_a_crash_and_a_paused_guest_goes_on_by_a_start() -> Result<()> {
    let node = Node::start("killed")?;
    let guest = guest(&node, 23, "")?;
    let id = guest.domain.id;
    let events = Events::of(&node.hypervisor);
    run(&node, prepare(&guest)?).await?;
    run(&node, [Start(id)]).await?;
    node.shell(&format!("virsh -q suspend {id}"))?;
    ensure!(state(&node, id).await? == Some(DomainState::Paused));
    run(&node, [Start(id)]).await?;
    ensure!(state(&node, id).await? == Some(DomainState::Running));
    events.forget();
    node.shell(&format!("kill -9 $(cat /run/libvirt/qemu/ostler-{id}.pid)"))?;
    events.wait_for(GuestEvent::Changed(id), Duration::from_secs(20))?;
    await_state(&node, id, DomainState::Crashed).await?;
    run(&node, [Start(id)]).await?;
    ensure!(state(&node, id).await? == Some(DomainState::Running));
    run(&node, [Undefine(id)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ours_is_refused_and_left_alone() -> Result<()> {
    let node = Node::start("foreign")?;
    let guest = guest(&node, 24, "")?;
    let id = guest.domain.id;
    let foreign = format!(
        "<domain type='qemu'><name>{}</name><memory unit='MiB'>64</memory>\
         <os><type arch='x86_64' machine='q35'>hvm</type></os></domain>",
        id.domain_name()
    );
    node.shell(&format!("echo \"{foreign}\" >/run/d.xml && virsh -q define /run/d.xml"))?;
    let net = "<network><name>ostler-contract</name><bridge name='foreign0'/></network>";
    node.shell(&format!("echo \"{net}\" >/run/n.xml && virsh -q net-define /run/n.xml"))?;

    let seen = node.hypervisor.observe(id).await?;
    ensure!(seen.is_some_and(|domain| domain.owner.is_none()));
    ensure!(node.hypervisor.observe_all().await?.is_empty());
    let nic = guest.domain.nics[0].clone();
    let steps = prepare(&guest)?.into_iter().chain([Start(id), Shutdown(id), Reboot(id), Destroy(id), Undefine(id)]);
    for step in steps.filter(|step| !matches!(step, EnsureFilter(_))) {
        let name = format!("{step:?}");
        ensure!(class_of(&node, step).await == Some(ErrorClass::Foreign), "{name}");
    }
    // A foreign network holds nothing of ours; a deletion must not wait for it.
    node.hypervisor.execute(&ReleaseAddress { network: nic.network, mac: nic.mac }).await?;
    let left = node.shell("virsh -q list --all --name; virsh -q net-list --all --name")?;
    ensure!(left.contains(&id.domain_name()) && left.contains("ostler-contract"), "{left}");
    Ok(())
}

/// Waits for the end of the copy.
async fn await_copy(node: &Node, id: GuestId) -> Result<CopyState> {
    wait_for("the copy to end", BOOT, async || {
        Ok(Some(node.hypervisor.copy_state(id).await?).filter(|state| *state != CopyState::Running))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guests_disk_is_copied_while_it_runs_or_stands_still_and_a_copy_can_be_ended() -> Result<()> {
    let node = Node::start("copy")?;
    let guest = guest(&node, 25, "")?;
    let (id, disk) = (guest.domain.id, guest.domain.root_disk.clone());
    // Enough for a copy that takes a while.
    let shown = disk.display();
    let write = |mib: u32| format!("qemu-io -f qcow2 -c 'write -q -P 7 64M {mib}M' {shown} >/dev/null");
    node.shell(&format!("qemu-img resize -q -f qcow2 {shown} 2G && {}", write(1500)))?;
    run(&node, prepare(&guest)?).await?;
    let to = disk.with_file_name("copy.qcow2");
    let copy = DiskCopy { guest: id, disk: disk.clone(), to: to.clone() };
    ensure!(node.hypervisor.begin_copy(&copy).await.is_err(), "it is off");
    node.hypervisor.end_copy(id).await?;
    run(&node, [Start(id)]).await?;
    console_line(&guest.domain, "OSTLER-READY", 1).await?;

    // Ended, twice.
    node.hypervisor.begin_copy(&copy).await?;
    ensure!(node.hypervisor.copy_state(id).await? == CopyState::Running);
    ensure!(node.hypervisor.begin_copy(&copy).await.is_err(), "one is under way");
    node.hypervisor.end_copy(id).await?;
    node.hypervisor.end_copy(id).await?;
    let ended = node.hypervisor.copy_state(id).await?;
    ensure!(matches!(ended, CopyState::Failed(_)), "ended: {ended:?}");
    let _ = std::fs::remove_file(&to);

    // A libvirtd that is started anew knows of it.
    node.hypervisor.begin_copy(&copy).await?;
    node.libvirt.restart_libvirtd()?;
    let state = wait_for("libvirtd", BOOT, async || Ok(node.hypervisor.copy_state(id).await.ok())).await?;
    ensure!(matches!(state, CopyState::Running | CopyState::Done), "after a restart: {state:?}");
    node.hypervisor.end_copy(id).await?;
    let _ = std::fs::remove_file(&to);

    // Whole: of a running guest, and of one that stands still.
    for pause in [false, true] {
        if pause {
            node.shell(&format!("virsh -q suspend {id}"))?;
        }
        node.hypervisor.begin_copy(&copy).await?;
        ensure!(await_copy(&node, id).await? == CopyState::Done);
        let info = node.shell(&format!("qemu-img check -q {0} && qemu-img info {0}", to.display()))?;
        ensure!(info.contains("virtual size: 2 GiB") && !info.contains("backing file"), "{info}");
        // Readable by the node role, which has no other power than its user id.
        let owner = node.shell(&format!("stat -c %U {}", to.display()))?;
        ensure!(owner.trim() == "root", "{owner}");
        std::fs::remove_file(&to)?;
    }
    // The end of a guest is the end of its copy.
    node.hypervisor.begin_copy(&copy).await?;
    run(&node, [Destroy(id)]).await?;
    ensure!(node.hypervisor.copy_state(id).await? == CopyState::Unknown);
    run(&node, [Undefine(id)]).await
}
