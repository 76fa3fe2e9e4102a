//! `make bench`: what Servers cost, against the promises of the design. Each figure stands beside a reference that was taken
//! in the same run, and the last line is `N passed, N failed`.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use kube::{
    Api,
    api::{DeleteParams, PostParams},
};
use ostler_crds::Server;
use ostler_test_harness::{api_requests::ApiRequests, wait_for};
use ostler_tests_node::{World, condition_reason};
use serde_json::json;

/// Guests that run.
const GUESTS: u64 = 3;
/// Servers that only are there.
const SERVERS: u64 = 1000;
/// For how long nothing happens.
const IDLE: Duration = Duration::from_secs(45);
const PATIENCE: Duration = Duration::from_secs(300);
const GROUPS: [&str; 3] = ["compute.ostler.dev", "events.k8s.io", ""];

/// A figure, its promise and its reference.
struct Row {
    what: &'static str,
    measured: f64,
    promised: f64,
    unit: &'static str,
    reference: f64,
    of: &'static str,
}

impl Row {
    fn holds(&self) -> bool {
        self.measured <= self.promised
    }
}

#[tokio::main]
#[allow(clippy::print_stdout)]
async fn main() -> Result<ExitCode> {
    let mut world = World::with_front("budgets", &[]).await?;
    world.wait_image("tiny").await?;
    // The first guest brings image and network.
    world.create("first", ", powerState: Stopped").await?;
    world.wait_ready("first").await?;
    let mut rows = guests(&world).await?;
    rows.extend(servers(&mut world).await?);
    println!("{:<44} {:>9} {:>9}  {:<6} {:>9}  reference", "", "measured", "promised", "", "ratio");
    for row in &rows {
        let verdict = if row.holds() { "ok" } else { "MISSED" };
        println!(
            "{:<44} {:>9.2} {:>9.2}  {:<6} {:>9.3}  of {:.2} {} ({}) {verdict}",
            row.what,
            row.measured,
            row.promised,
            row.unit,
            row.measured / row.reference,
            row.reference,
            row.unit,
            row.of
        );
    }
    let failed = rows.iter().filter(|r| !r.holds()).count();
    println!("{} passed, {failed} failed", rows.len() - failed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Guests that run: writes on their way, writes at rest, memory beside QEMU's.
async fn guests(world: &World) -> Result<Vec<Row>> {
    let ours = || -> Result<u64> {
        let node = world.node_role.as_ref().context("no node role")?.process.resident_kib()?;
        Ok(node + resident_inside(world, "$(cat /run/libvirtd.pid) $(pgrep -x virtlogd)")?)
    };
    let (memory, before) = (ours()?, ApiRequests::read(&world.client).await?);
    for i in 0..GUESTS {
        world.create(&format!("g{i}"), "").await?;
    }
    for i in 0..GUESTS {
        wait_for("a guest", PATIENCE, || async {
            let server = world.server(&format!("g{i}")).await?;
            Ok((condition_reason(&server, "Ready") == Some("AsWished")).then_some(()))
        })
        .await?;
    }
    // An Event or a write that should not be.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let came = ApiRequests::read(&world.client).await?.since(&before);
    let of = |names: &[&str]| {
        let writes = came.writes(&GROUPS);
        let counted = writes.iter().filter(|(r, _)| names.contains(&r.resource.as_str()));
        counted.map(|(_, n)| n).sum::<u64>() - if names.contains(&"servers") { GUESTS } else { 0 }
    };
    let (to_servers, all) = (of(&["servers"]), of(&["servers", "events"]));
    let grown = ours()?.saturating_sub(memory);
    let qemu = resident_inside(world, "$(pgrep -f guest=ostler-)")?;

    let before = ApiRequests::read(&world.client).await?;
    tokio::time::sleep(IDLE).await;
    let writes = ApiRequests::read(&world.client).await?.since(&before).writes(&GROUPS);
    let idle: u64 =
        writes.iter().filter(|(r, _)| r.resource == "servers" || r.resource == "events").map(|(_, n)| n).sum();
    let each = |n: u64| n as f64 / GUESTS as f64;
    // KubeVirt's counts were taken on the same kind of machine; the design has them.
    let kubevirt = |n| (n, "KubeVirt's VMI");
    let row = |what, measured, promised, unit, (reference, of): (f64, &'static str)| Row {
        what,
        measured,
        promised,
        unit,
        reference,
        of,
    };
    Ok(vec![
        row("writes from creation to Ready", each(all), 4.0, "writes", kubevirt(11.0)),
        row("of these to the Server itself", each(to_servers), 3.0, "writes", kubevirt(11.0)),
        row("writes of idle Servers in 45 s", idle as f64, 0.0, "writes", (GUESTS as f64, "one a guest")),
        row("memory a guest beside QEMU", each(grown) / 1024.0, 10.0, "MiB", (each(qemu) / 1024.0, "its QEMU")),
    ])
}

/// Servers that only are there: what each takes in the manager and in the OpenStack front.
async fn servers(world: &mut World) -> Result<Vec<Row>> {
    let name = |i: u64| format!("cold-{i}");
    let server = |i: u64| -> Result<Server> {
        Ok(serde_json::from_value(json!({
            "apiVersion": "compute.ostler.dev/v1alpha1", "kind": "Server", "metadata": { "name": name(i) },
            // No machine has this label, so that none has work with it.
            "spec": { "flavor": "small", "image": "tiny", "powerState": "Stopped", "nodeSelector": { "no": "where" } },
        }))?)
    };
    let api: Api<Server> = world.servers();
    let resident = |world: &World| -> Result<(u64, u64)> {
        let front = world.front.as_ref().context("no front")?;
        Ok((world.manager.process.resident_kib()?, front.workload.process.resident_kib()?))
    };
    let make = async |from: u64, to: u64| -> Result<()> {
        let all = stream::iter(from..to).map(|i| {
            let (api, server) = (&api, server(i));
            async move { Ok::<_, anyhow::Error>(api.create(&PostParams::default(), &server?).await.map(drop)?) }
        });
        all.buffer_unordered(8).try_collect::<()>().await?;
        wait_for("the manager to have looked at all", PATIENCE, || async {
            let last = api.get(&name(to - 1)).await?;
            Ok(condition_reason(&last, "Scheduled").map(drop))
        })
        .await?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        Ok(())
    };
    // What a process takes at its first load is no cache.
    make(0, SERVERS / 2).await?;
    let before = resident(world)?;
    make(SERVERS / 2, SERVERS * 3 / 2).await?;
    let after = resident(world)?;
    let json_kib = serde_json::to_vec(&api.get(&name(0)).await?)?.len() as f64 / 1024.0;
    api.delete_collection(&DeleteParams::default(), &Default::default()).await?;
    let each = |a: u64, b: u64| b.saturating_sub(a) as f64 / SERVERS as f64;
    let row = |what, measured| Row { what, measured, promised: 4.0, unit: "KiB", reference: json_kib, of: "its JSON" };
    Ok(vec![
        row("cache a Server in the manager", each(before.0, after.0)),
        row("cache a Server in the OpenStack front", each(before.1, after.1)),
    ])
}

/// Memory of processes inside the host's namespaces, in KiB; `pids` is shell.
fn resident_inside(world: &World, pids: &str) -> Result<u64> {
    let script = format!("for p in {pids}; do sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$p/status; done");
    let said = world.libvirt.enter(&["sh", "-c", &script])?;
    Ok(said.lines().filter_map(|l| l.parse::<u64>().ok()).sum())
}
