//! Networks for administrators through the Neutron front.

use anyhow::Result;
use kube::Api;
use ostler_crds::Network;
use ostler_tests_clients::World;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_makes_a_network_with_its_subnet_and_removes_it() -> Result<()> {
    let world = World::shared().await?;
    let pat = world.cli("pat", &world.project)?;
    let made = pat.json(&["network", "create", "--share", "--description", "d", "Back ☃ end"])?;
    assert_eq!((&made["name"], &made["shared"], &made["subnets"]), (&json!("Back ☃ end"), &json!(true), &json!([])));
    let subnet = pat.json(&[
        "subnet",
        "create",
        "--network",
        "Back ☃ end",
        "--subnet-range",
        "10.99.0.0/24",
        "--gateway",
        "10.99.0.254",
        "--allocation-pool",
        "start=10.99.0.10,end=10.99.0.20",
        "--dns-nameserver",
        "9.9.9.9",
        "back",
    ])?;
    assert_eq!((&subnet["cidr"], &subnet["gateway_ip"]), (&json!("10.99.0.0/24"), &json!("10.99.0.254")), "{subnet}");
    let networks: Api<Network> = Api::all(world.admin().await?);
    let spec = networks.get("back-end").await?.spec;
    assert_eq!(
        (spec.display_name.as_deref(), spec.access, spec.subnets[0].cidr.as_str()),
        (Some("Back ☃ end"), None, "10.99.0.0/24")
    );
    let again =
        pat.refused(&["subnet", "create", "--network", "Back ☃ end", "--subnet-range", "10.98.0.0/24", "more"])?;
    assert!(again.contains("one a network"), "{again}");

    let id = made["id"].as_str().unwrap_or_default();
    let path = format!("/network/v2.0/networks/{id}");
    let (http, eve) = (world.http("pat", &world.project).await?, world.http("eve", &world.rival).await?);
    assert_eq!(eve.get(&path).await?.0, 200);
    assert_eq!(eve.send(Method::DELETE, &path, Value::Null).await?.0, 403);
    assert_eq!(eve.send(Method::POST, "/network/v2.0/networks", json!({"network": {"name": "x"}})).await?.0, 403);
    let (status, changed) = http.send(Method::PUT, &path, json!({"network": {"shared": false, "name": "own"}})).await?;
    assert_eq!(
        (status, &changed["network"]["name"], &changed["network"]["shared"]),
        (200, &json!("own"), &json!(false))
    );
    assert_eq!(eve.get(&path).await?.0, 404);
    for (body, code) in [(json!({"router:external": true}), 501), (json!({"colour": 1}), 400)] {
        assert_eq!(http.send(Method::PUT, &path, json!({"network": body})).await?.0, code);
    }
    let subnet = format!("/network/v2.0/subnets/{}", subnet["id"].as_str().unwrap_or_default());
    assert_eq!(http.send(Method::DELETE, &subnet, Value::Null).await?.0, 409);
    assert_eq!(http.send(Method::DELETE, &path, Value::Null).await?.0, 204);
    assert_eq!((http.get(&path).await?.0, networks.get_opt("back-end").await?), (404, None));
    Ok(())
}
