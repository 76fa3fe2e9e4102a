//! SecurityGroups at the ports of real guests.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kube::api::{Api, Patch, PatchParams};
use kube::{ResourceExt, api::DeleteParams};
use ostler_crds::{SecurityGroup, Server};
use ostler_test_harness::network_namespace::in_network_namespace;
use ostler_test_harness::wait_for;
use ostler_tests_node::{PATIENCE, World, condition_reason};
use serde_json::{Value, json};

/// What a guest tries again and again: the other one's ssh, and a ping.
const SCRIPT: &str = "#!/bin/sh\n\
    while :; do\n\
    echo \"SSH $(timeout 3 nc OTHER 22 </dev/null 2>/dev/null | head -c 4)\"\n\
    if ping -c1 -W2 OTHER >/dev/null 2>&1; then echo PING yes; else echo PING no; fi\n\
    sleep 1\n\
    done\n";

async fn server(world: &World, name: &str, address: &str, other: &str, groups: &str) -> Result<()> {
    let script: String = SCRIPT.replace("OTHER", other).lines().map(|line| format!("      {line}\n")).collect();
    world
        .apply(&format!(
            "apiVersion: compute.ostler.dev/v1alpha1\nkind: Server\nmetadata: {{name: {name}}}\nspec:\n  flavor: small\n  \
             image: tiny\n  networks: [{{name: lan, address: {address}}}]\n  securityGroups: {groups}\n  userData:\n    text: \
             |\n{script}"
        ))
        .await
}

/// Puts the rules of a group, which is made if there is none.
async fn group(world: &World, name: &str, rules: Value) -> Result<()> {
    let groups: Api<SecurityGroup> = Api::namespaced(world.client.clone(), &world.namespace);
    let object = json!({
        "apiVersion": "compute.ostler.dev/v1alpha1", "kind": "SecurityGroup", "metadata": {"name": name}, "spec": {"rules": rules},
    });
    groups.patch(name, &PatchParams::apply("test").force(), &Patch::Apply(&object)).await?;
    Ok(())
}

/// Waits for both lines on the guest's console after what was there before, with none of the others after the last of them.
async fn says(world: &World, server: &Server, lines: [&str; 2]) -> Result<()> {
    let before = world.console(server)?.lines().count();
    wait_for(&format!("{lines:?} of {}", server.name_any()), PATIENCE, || async {
        let console = world.console(server)?;
        let last = |word: &str| console.lines().skip(before + 2).map(str::trim).filter(|l| l.starts_with(word)).last();
        Ok((last("SSH") == Some(lines[0]) && last("PING") == Some(lines[1])).then_some(()))
    })
    .await
    .with_context(|| world.console(server).unwrap_or_default())
}

/// A connection from the host to the guest's ssh that has got its banner, if there can be one.
fn from_host(namespace: &Path, address: &str) -> Result<Option<TcpStream>> {
    in_network_namespace(namespace, || {
        let Ok(mut stream) = TcpStream::connect_timeout(&format!("{address}:22").parse()?, Duration::from_secs(3))
        else {
            return Ok(None);
        };
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut banner = [0; 4];
        stream.read_exact(&mut banner)?;
        ensure!(&banner == b"SSH-");
        Ok(Some(stream))
    })
}

fn tables(world: &World) -> Result<String> {
    world.libvirt.enter(&["nft", "list", "tables"])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_security_group_allows_passes_and_nothing_else_as_it_is_now() -> Result<()> {
    let world = World::new("secgrp").await?;
    world.wait_image("tiny").await?;
    let host = world.libvirt.network_namespace()?;
    let ping = json!({"direction": "Ingress", "protocol": "icmp", "portMin": 8});
    let ssh = |more: Value| {
        let mut rule = json!({"direction": "Ingress", "protocol": "tcp", "portMin": 22, "portMax": 22});
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rule
    };
    let out = json!({"direction": "Egress"});
    group(&world, "db", json!([ping])).await?;
    server(&world, "db", "10.77.0.50", "10.77.0.51", "[db]").await?;
    server(&world, "web", "10.77.0.51", "10.77.0.50", "[default]").await?;
    let (db, web) = (world.wait_ready("db").await?, world.wait_ready("web").await?);
    for guest in [&db, &web] {
        // They have their address by DHCP and their data by the metadata service, whatever their groups say.
        world.wait_booted(guest, 1).await?;
    }
    let processes = (world.qemu(&db)?, world.qemu(&web)?);

    // One may ping and no more; the other may not open anything, though its answers pass.
    says(&world, &web, ["SSH", "PING yes"]).await?;
    says(&world, &db, ["SSH", "PING no"]).await?;
    ensure!(from_host(&host, "10.77.0.50")?.is_none(), "the host itself is no exception");
    ensure!(from_host(&host, "10.77.0.51")?.is_some(), "default lets everything pass");

    // A rule for members of another group opens to whoever comes into it.
    group(&world, "db", json!([ping, ssh(json!({"remoteGroup": "web"}))])).await?;
    says(&world, &web, ["SSH", "PING yes"]).await?;
    group(&world, "web", json!([out])).await?;
    world.change("web", json!({"securityGroups": ["web"]})).await?;
    world.wait_ready("web").await?;
    says(&world, &web, ["SSH SSH-", "PING yes"]).await?;
    ensure!(from_host(&host, "10.77.0.50")?.is_none() && from_host(&host, "10.77.0.51")?.is_none());

    // By range; what is open stays open when its rule goes, and nothing new opens.
    group(&world, "db", json!([ssh(json!({"remoteCidr": "10.77.0.1/32"})), out])).await?;
    says(&world, &web, ["SSH", "PING no"]).await?;
    let mut open = from_host(&host, "10.77.0.50")?.context("the rule for the host's range does not hold")?;
    group(&world, "db", json!([])).await?;
    wait_for("the rule to be gone", PATIENCE, || async { Ok(from_host(&host, "10.77.0.50")?.is_none().then_some(())) })
        .await?;
    open.write_all(b"SSH-2.0-test\r\n")?;
    let mut more = [0; 64];
    ensure!(open.read(&mut more)? > 0, "the open connection was cut");
    drop(open);

    // A group that is not there is told, and shut.
    world.change("db", json!({"securityGroups": ["later"]})).await?;
    world.wait("db", "its group is missed", |s| condition_reason(s, "Ready") == Some("SecurityGroupNotFound")).await?;
    group(&world, "later", json!([ssh(json!({}))])).await?;
    world.wait_ready("db").await?;
    says(&world, &web, ["SSH SSH-", "PING no"]).await?;

    // A host that cannot filter says so, of those who have rules.
    let bridged = |on: &str| {
        world.libvirt.enter(&["sh", "-c", &format!("echo {on} >/proc/sys/net/bridge/bridge-nf-call-iptables")])
    };
    bridged("0")?;
    group(&world, "later", json!([ssh(json!({})), ping])).await?;
    world.wait("db", "it cannot be filtered", |s| condition_reason(s, "Ready") == Some("PortRulesError")).await?;
    bridged("1")?;
    world.wait_ready("db").await?;
    says(&world, &web, ["SSH SSH-", "PING yes"]).await?;

    // Somebody empties the host's firewall.
    ensure!(tables(&world)?.contains("inet ostler_ports"));
    world.libvirt.enter(&["nft", "delete", "table", "inet", "ostler_ports"])?;
    wait_for("the rules to be back", PATIENCE, || async { Ok(tables(&world)?.contains("ostler_ports").then_some(())) })
        .await?;
    says(&world, &web, ["SSH SSH-", "PING yes"]).await?;
    ensure!(processes == (world.qemu(&db)?, world.qemu(&web)?), "a guest was started anew");

    for name in ["db", "web"] {
        world.servers().delete(name, &DeleteParams::default()).await?;
    }
    wait_for("no rules without guests", PATIENCE, || async {
        Ok((!tables(&world)?.contains("ostler_ports")).then_some(()))
    })
    .await
}
