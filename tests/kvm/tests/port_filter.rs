//! The filter at the guests' ports, before real guests that try what they should not.

use std::io::Read;
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use ostler_hypervisor::HypervisorStep::{Define, EnsureFilter, EnsureNetwork, ReserveAddress, Start, Undefine};
use ostler_hypervisor::contract::Fixture;
use ostler_hypervisor::{ErrorClass, FilterDefinition, Hypervisor};
use ostler_test_harness::network_namespace::in_network_namespace;
use ostler_test_harness::wait_for;
use ostler_tests_kvm::guest::{BOOT, console_line, filter, guest};
use ostler_tests_kvm::{Node, listener};

/// Says `YES what` or `NO what`.
const TRY: &str = "#!/bin/sh\n\
    try() { what=$1; shift; if timeout 4 \"$@\" >/dev/null 2>&1 </dev/null; then echo YES $what; else echo NO $what; fi; }\n\
    get() { try $1 wget -q -O /dev/null http://$1/; }\n";

async fn start(node: &Node, guest: &Fixture) -> Result<()> {
    let nic = guest.domain.nics[0].clone();
    let steps = [
        EnsureNetwork(guest.network.clone()),
        ReserveAddress { network: nic.network, mac: nic.mac, address: nic.address },
        EnsureFilter(filter()),
        Define(guest.domain.clone()),
        Start(guest.domain.id),
    ];
    for step in steps {
        node.hypervisor.execute(&step).await?;
    }
    Ok(())
}

/// A namespace beyond the host: the outside world. It knows a way back to the guests' addresses only through the host.
fn outside_world(node: &Node) -> Result<PathBuf> {
    node.shell(
        "ip netns add out && ip link add out0 type veth peer name eth0 netns out && ip addr add 198.51.100.1/24 dev out0 && \
         ip link set out0 up && ip -n out addr add 198.51.100.9/24 dev eth0 && ip -n out link set eth0 up && \
         ip -n out link set lo up",
    )?;
    let own = node.libvirt.network_namespace()?;
    Ok(own.parent().and_then(|ns| ns.parent()).map(|process| process.join("root/run/netns/out")).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_reaches_neighbours_and_the_world_but_not_its_host_and_spoofs_nobody() -> Result<()> {
    let node = Node::start("filter")?;
    let host = node.libvirt.network_namespace()?;
    let outside = outside_world(&node)?;
    // Addresses of the host beside the gateway; what a cloud serves there; and a cluster's Service behind a denied range.
    node.shell(
        "ip addr add 192.0.2.7/32 dev lo; ip addr add 169.254.169.254/32 dev lo; ip addr add 10.96.0.1/32 dev lo",
    )?;

    let neighbour = guest(
        &node,
        32,
        "#!/bin/sh\nwhile :; do if udhcpc -n -q -t 2 -T 1 -i eth0 -s /bin/true >/dev/null 2>&1; \
                                      then echo LEASE; else echo NOLEASE; fi; done\n",
    )?;
    start(&node, &neighbour).await?;
    for port in ["22", "6443", "10250", "10350"] {
        listener::serve(&host, &format!("0.0.0.0:{port}"))?;
    }
    listener::serve(&host, "169.254.169.254:80")?;
    listener::serve(&outside, "198.51.100.9:80")?;
    console_line(&neighbour.domain, "LEASE", 1).await?;

    let script = format!(
        "{TRY}get 10.88.0.32\nget 198.51.100.9\nget 169.254.169.254\ntry ping-gateway ping -c1 -W3 10.88.0.1\n\
         try own-arp arping -c1 -w3 -I eth0 10.88.0.1\n\
         for to in 10.88.0.1:22 10.88.0.1:6443 10.88.0.1:10250 10.88.0.1:10350 192.0.2.7:10250 10.96.0.1:6443 \
         169.254.169.254:22 198.51.100.1:22; do get $to; done\n\
         try stolen-arp arping -c1 -w3 -I eth0 -s 10.88.0.32 10.88.0.1\n\
         ip addr add 10.88.0.77/24 dev eth0\ntry stolen-address ping -c1 -W2 -I 10.88.0.77 10.88.0.1\n\
         ip addr del 10.88.0.77/24 dev eth0\n\
         ip -6 addr add fd00:88::31/64 dev eth0 nodad\ntry ipv6 ping6 -c1 -W2 fe80::f816:3eff:fe00:20%eth0\n\
         ip link set eth0 down; ip link set eth0 address fa:16:3e:00:00:99; ip link set eth0 up\n\
         try stolen-mac ping -c1 -W2 10.88.0.1\n\
         ip link set eth0 down; ip link set eth0 address fa:16:3e:00:00:1f; ip link set eth0 up\n\
         printf 'start 10.88.0.90\\nend 10.88.0.99\\ninterface eth0\\nlease_file /tmp/l\\n' >/tmp/udhcpd.conf\n\
         udhcpd /tmp/udhcpd.conf && echo ROGUE\n"
    );
    let attacker = guest(&node, 31, &script)?;
    start(&node, &attacker).await?;
    console_line(&attacker.domain, "ROGUE", 1).await?;
    let console = std::fs::read_to_string(&attacker.domain.console_log)?;
    let seen: Vec<&str> =
        console.lines().map(str::trim).filter(|l| l.starts_with("YES ") || l.starts_with("NO ")).collect();
    let wanted = "YES 10.88.0.32,YES 198.51.100.9,YES 169.254.169.254,YES ping-gateway,YES own-arp,NO 10.88.0.1:22,\
                  NO 10.88.0.1:6443,NO 10.88.0.1:10250,NO 10.88.0.1:10350,NO 192.0.2.7:10250,NO 10.96.0.1:6443,\
                  NO 169.254.169.254:22,NO 198.51.100.1:22,NO stolen-arp,NO stolen-address,NO ipv6,NO stolen-mac";
    ensure!(seen.join(",") == wanted, "{seen:#?}");

    // With the real DHCP server silent, the rogue one answers, and nobody hears it.
    node.shell("kill -STOP $(pgrep -o -f dnsmasq/ostler-contract.conf)")?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let silent = std::fs::read_to_string(&neighbour.domain.console_log)?.matches("NOLEASE").count();
    console_line(&neighbour.domain, "NOLEASE", silent + 3).await?;
    let rules = node.shell("ebtables -t nat -L --Lc | grep -- '--ip-sport 67 -j DROP'")?;
    ensure!(rules.lines().any(|rule| !rule.contains("pcnt = 0 ")), "the rogue server did not answer: {rules}");

    // The host reaches its guests.
    let mut banner = [0; 4];
    in_network_namespace(&host, || {
        let mut ssh = TcpStream::connect("10.88.0.32:22")?;
        Ok(ssh.read_exact(&mut banner)?)
    })?;
    ensure!(&banner == b"SSH-");

    // Another list of denied ranges holds for running guests at once.
    let mut wider = filter();
    wider.denied.push("198.51.100.0/24".parse()?);
    node.hypervisor.execute(&EnsureFilter(wider)).await?;
    wait_for("the new rule at both ports", BOOT, async || {
        let rules = node.shell("ebtables -t nat -L | grep -c 198.51.100.0/24 || true")?;
        Ok((rules.trim() == "2").then_some(()))
    })
    .await?;
    for guest in [&attacker, &neighbour] {
        node.hypervisor.execute(&Undefine(guest.domain.id)).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_filter_is_ensured_again_without_a_change_and_a_foreign_one_is_left_alone() -> Result<()> {
    let node = Node::start("foreignf")?;
    let dump = || node.shell("virsh -q nwfilter-dumpxml ostler-guest");
    node.hypervisor.execute(&EnsureFilter(filter())).await?;
    let first = dump()?;
    node.hypervisor.execute(&EnsureFilter(filter())).await?;
    ensure!(dump()? == first);
    node.hypervisor.execute(&EnsureFilter(FilterDefinition::default())).await?;
    ensure!(!dump()?.contains("169.254.169.254"), "the metadata service is not served, and its address is open");

    node.shell(
        "virsh -q nwfilter-undefine ostler-guest; echo \"<filter name='ostler-guest' chain='root'/>\" >/run/f.xml && \
         virsh -q nwfilter-define /run/f.xml",
    )?;
    let foreign = dump()?;
    let refused = node.hypervisor.execute(&EnsureFilter(filter())).await;
    ensure!(refused.is_err_and(|error| error.class == ErrorClass::Foreign));
    ensure!(dump()? == foreign);
    Ok(())
}
