//! What those who run the cloud look at and switch, and what members may not.

use anyhow::Result;
use kube::Api;
use ostler_crds::Host;
use ostler_tests_clients::{Http, NODE, World};
use reqwest::Method;
use serde_json::{Value, json};

const ROOT: &str = "/compute/v2.1";

async fn at(http: &Http, version: &str, method: Method, path: &str, body: Value) -> Result<(u16, Value)> {
    let request = http.request(method, &format!("{ROOT}{path}"));
    let request = request.header("openstack-api-version", format!("compute {version}"));
    let request = if body.is_null() { request } else { request.json(&body) };
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    Ok((status, serde_json::from_slice(&answer.bytes().await?).unwrap_or_default()))
}

async fn see(http: &Http, version: &str, path: &str) -> Result<(u16, Value)> {
    at(http, version, Method::GET, path, Value::Null).await
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_are_hypervisors_and_services_and_an_administrator_switches_them() -> Result<()> {
    let world = World::shared().await?;
    let (pat, vic) = (world.http("pat", &world.project).await?, world.http("vic", &world.project).await?);
    let (_, old) = see(&pat, "2.1", "/os-hypervisors/detail").await?;
    let host = &old["hypervisors"][0];
    assert_eq!(
        (&host["hypervisor_hostname"], &host["state"], &host["status"]),
        (&json!(NODE), &json!("up"), &json!("enabled"))
    );
    assert!(host["id"].is_u64() && host["memory_mb"].as_u64() > Some(0) && host["cpu_info"].is_string(), "{host}");
    let (_, new) =
        see(&pat, "2.53", &format!("/os-hypervisors?hypervisor_hostname_pattern={NODE}&with_servers=true")).await?;
    let id = new["hypervisors"][0]["id"].as_str().unwrap_or_default().to_owned();
    let (status, shown) = see(&pat, "2.53", &format!("/os-hypervisors/{id}")).await?;
    assert_eq!((status, &shown["hypervisor"]["hypervisor_hostname"]), (200, &json!(NODE)));
    let (_, uptime) = see(&pat, "2.53", &format!("/os-hypervisors/{id}/uptime")).await?;
    assert!(uptime["hypervisor"]["uptime"].as_str().is_some_and(|u| u.contains(" up ")), "{uptime}");
    for (version, path, code) in [
        ("2.53", "/os-hypervisors/no-uuid".to_owned(), 400),
        ("2.1", "/os-hypervisors/no-number".to_owned(), 404),
        ("2.1", format!("/os-hypervisors/{NODE}/search"), 200),
        ("2.53", format!("/os-hypervisors/{NODE}/search"), 404),
        ("2.1", format!("/os-hypervisors/{NODE}/servers"), 200),
        ("2.1", "/os-hypervisors/nowhere/search".to_owned(), 404),
        ("2.1", "/os-hypervisors/statistics".to_owned(), 200),
        ("2.1", "/os-hosts".to_owned(), 200),
        ("2.1", format!("/os-hosts/{NODE}"), 200),
        ("2.1", "/os-hosts/nowhere".to_owned(), 404),
        ("2.43", "/os-hosts".to_owned(), 404),
        ("2.1", "/os-instance_usage_audit_log".to_owned(), 200),
        ("2.1", "/os-instance_usage_audit_log/yesterday".to_owned(), 400),
    ] {
        assert_eq!(see(&pat, version, &path).await?.0, code, "{version} {path}");
        assert_eq!(
            see(&vic, version, &path).await?.0,
            if code == 404 && version != "2.1" { 404 } else { 403 },
            "{path}"
        );
    }

    // Disabled: no new guests. It is the only host, so it is enabled again at once.
    let hosts: Api<Host> = Api::all(world.admin().await?);
    let (_, services) = see(&pat, "2.53", "/os-services?binary=nova-compute").await?;
    let service = &services["services"][0];
    let path = format!("/os-services/{}", service["id"].as_str().unwrap_or_default());
    let body = json!({"status": "disabled", "disabled_reason": "fan"});
    assert_eq!(at(&vic, "2.53", Method::PUT, &path, body.clone()).await?.0, 403);
    let (status, changed) = at(&pat, "2.53", Method::PUT, &path, body).await?;
    assert_eq!(
        (status, &changed["service"]["status"], &changed["service"]["disabled_reason"]),
        (200, &json!("disabled"), &json!("fan"))
    );
    let spec = hosts.get(NODE).await?.spec;
    let (status, enabled) =
        at(&pat, "2.1", Method::PUT, "/os-services/enable", json!({"host": NODE, "binary": "nova-compute"})).await?;
    assert_eq!((spec.schedulable, spec.disabled_reason.as_deref()), (false, Some("fan")));
    assert_eq!((status, &enabled["service"]["status"]), (200, &json!("enabled")));
    assert!(hosts.get(NODE).await?.spec.schedulable);
    assert_eq!(at(&pat, "2.53", Method::DELETE, &path, Value::Null).await?.0, 501);
    // The stock client.
    let cli = world.cli("pat", &world.project)?;
    assert_eq!(cli.json(&["hypervisor", "list"])?[0]["Hypervisor Hostname"], NODE);
    assert_eq!(cli.json(&["compute", "service", "list"])?[0]["Host"], NODE);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_and_what_is_kept_of_old_is_shown() -> Result<()> {
    let world = World::shared().await?;
    let (pat, eve) = (world.http("pat", &world.project).await?, world.http("eve", &world.rival).await?);
    let own = format!("/os-simple-tenant-usage/{}", world.rival);
    assert_eq!(see(&eve, "2.1", &own).await?, (200, json!({"tenant_usage": {}})));
    assert_eq!(see(&eve, "2.1", "/os-simple-tenant-usage").await?.0, 403);
    assert_eq!(see(&eve, "2.1", &format!("/os-simple-tenant-usage/{}", world.project)).await?.0, 403);
    assert_eq!(see(&pat, "2.1", "/os-simple-tenant-usage?detailed=1").await?.0, 200);
    assert_eq!(see(&pat, "2.1", "/os-simple-tenant-usage?start=never").await?.0, 400);
    let (_, extensions) = see(&eve, "2.1", "/extensions").await?;
    assert!(extensions["extensions"].as_array().into_iter().flatten().any(|e| e["name"] == "Hosts"));
    assert_eq!(
        (see(&eve, "2.1", "/extensions/os-hosts").await?.0, see(&eve, "2.1", "/extensions/none").await?.0),
        (200, 404)
    );
    let (_, networks) = see(&eve, "2.1", "/os-tenant-networks").await?;
    assert!(networks["networks"].as_array().into_iter().flatten().any(|n| n["label"] == "lan"), "{networks}");
    for (method, path, code) in [
        (Method::GET, "/os-floating-ips", 200),
        (Method::POST, "/os-floating-ips", 404),
        (Method::POST, "/os-security-groups", 400),
        (Method::POST, "/os-networks", 501),
        (Method::GET, "/os-networks", 200),
    ] {
        assert_eq!(at(&eve, "2.35", method.clone(), path, json!({})).await?.0, code, "{path}");
        assert!(matches!(at(&eve, "2.36", method, path, json!({})).await?.0, 404), "{path}");
    }
    Ok(())
}
