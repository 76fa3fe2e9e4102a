//! The Host object and the console over HTTPS.

use anyhow::{Context, Result};
use kube::ResourceExt;
use ostler_crds::{find_condition, names::reason};
use ostler_test_harness::wait_for;
use ostler_tests_node::{PATIENCE, World};
use reqwest::StatusCode;

#[tokio::test(flavor = "multi_thread")]
async fn the_console_is_read_by_the_shim_alone_and_the_host_says_how_libvirt_is() -> Result<()> {
    let world = World::new("cons").await?;
    let host = world.host().await?;
    let status = host.status.clone().context("no status")?;
    let capacity = status.capacity.context("no capacity")?;
    assert!(capacity.vcpus > 0 && capacity.memory_mib > 0 && capacity.disk_gib > 0, "{capacity:?}");
    assert!(host.spec.schedulable && host.spec.cpu_overcommit_percent == 400);
    assert_eq!(find_condition(&status.conditions, "Ready").context("no Ready")?.reason, reason::HYPERVISOR_READY);

    world.create("a", "").await?;
    let server = world.wait_ready("a").await?;
    world.wait_booted(&server, 1).await?;
    let endpoint = status.endpoint.context("no endpoint")?;
    let certificate = reqwest::Certificate::from_pem(endpoint.ca_bundle.as_bytes())?;
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([certificate]).build()?;
    let url = format!("{}/v1/servers/{}/console", endpoint.url, server.uid().context("no uid")?);
    let shim = std::fs::read_to_string(world.cluster.shim().await?.stream_token)?;
    let manager = std::fs::read_to_string(world.cluster.manager().await?.stream_token)?;

    let text = http.get(&url).bearer_auth(&shim).send().await?.error_for_status()?.text().await?;
    assert!(text.contains("OSTLER-READY"), "{text}");
    let last = http.get(format!("{url}?lines=3")).bearer_auth(&shim).send().await?.text().await?;
    assert_eq!(last.trim_end_matches('\n').lines().count(), 3);
    assert!(text.ends_with(&last) || !last.is_empty());
    assert_eq!(http.get(&url).send().await?.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(http.get(&url).bearer_auth("nonsense").send().await?.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(http.get(&url).bearer_auth(&manager).send().await?.status(), StatusCode::FORBIDDEN);
    let unknown = url.replace(&server.uid().unwrap_or_default(), "11111111-2222-4333-8444-555555555555");
    assert_eq!(http.get(unknown).bearer_auth(&shim).send().await?.status(), StatusCode::NOT_FOUND);

    let metrics = reqwest::get(format!("{}/metrics", world.node_role.as_ref().context("no node role")?.health)).await?;
    let metrics = metrics.text().await?;
    assert!(metrics.contains("ostler_node_hypervisor_up 1"), "{metrics}");
    wait_for("steps in the metrics", PATIENCE, || async {
        Ok(metrics.contains("ostler_node_steps_total{step=\"start\",result=\"ok\"} 1").then_some(()))
    })
    .await
}
