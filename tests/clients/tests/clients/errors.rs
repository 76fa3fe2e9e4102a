//! What cannot be done, in the words and forms of Nova (spec K-06 … K-13).

use anyhow::{Context, Result};
use ostler_test_harness::wait_for;
use ostler_tests_clients::{Http, IMAGE, PATIENCE, World};
use reqwest::Method;
use serde_json::{Value, json};

const SERVERS: &str = "/compute/v2.1/servers";

/// The id of what has this name in a list.
async fn id_of(http: &Http, path: &str, key: &str, name: &str) -> Result<String> {
    let (_, list) = http.get(path).await?;
    let found = list[key].as_array().and_then(|l| l.iter().find(|i| i["name"] == name));
    Ok(found.and_then(|i| i["id"].as_str()).with_context(|| format!("no {name} in {list}"))?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_is_refused_in_the_form_of_novas_faults() -> Result<()> {
    let world = World::shared().await?;
    let http = world.http("ada", &world.project).await?;
    let image = id_of(&http, "/image/v2/images", "images", IMAGE).await?;
    let flavor = id_of(&http, "/compute/v2.1/flavors", "flavors", "small").await?;
    let nothing = "11111111-2222-4333-8444-555555555555";
    // An image of 2 GiB does not fit into a flavor of 1 GiB.
    let large = json!({"name": "large", "disk_format": "raw", "container_format": "bare", "min_disk": 2});
    let (_, large) = http.send(Method::POST, "/image/v2/images", large).await?;
    let large = large["id"].as_str().context("no id")?.to_owned();
    let empty = large.clone();
    let request = http.request(Method::PUT, &format!("/image/v2/images/{large}/file"));
    let good = |name: &str| json!({"name": name, "imageRef": image, "flavorRef": flavor});
    let with = |key: &str, value: Value| {
        let mut server = good("refused");
        server[key] = value;
        server
    };
    let refused = async |server: Value| -> Result<String> {
        let (status, fault) = http.send(Method::POST, SERVERS, json!({"server": server})).await?;
        assert_eq!((status, &fault["badRequest"]["code"]), (400, &json!(400)), "{server} {fault}");
        Ok(fault["badRequest"]["message"].as_str().unwrap_or_default().to_owned())
    };
    let not_active = refused(with("imageRef", json!(empty))).await?;
    assert!(not_active.contains("is not active"), "{not_active}");
    assert_eq!(
        request.header("content-type", "application/octet-stream").body("x").send().await?.status().as_u16(),
        204
    );

    for (server, wanted) in [
        (with("flavorRef", json!(nothing)), "Flavor 11111111-2222-4333-8444-555555555555 could not be found."),
        (with("flavorRef", json!("no-such")), "Flavor no-such could not be found."),
        (with("imageRef", json!(nothing)), "Can not find requested image"),
        (with("imageRef", json!(large)), "Flavor's disk is too small for requested image."),
        (with("key_name", json!("no-such")), "Invalid key_name provided."),
        (with("networks", json!([{"uuid": nothing}])), "could not be found"),
        (with("availability_zone", json!("moon")), "availability zone is not available"),
        (with("name", json!("x".repeat(256))), "Invalid input for field/attribute server.name"),
        (with("name", json!("")), "Invalid input for field/attribute server.name"),
        (with("min_count", json!(0)), "min_count"),
        (with("user_data", json!("not base64!")), "server.user_data"),
        (with("colour", json!("red")), "Additional properties are not allowed ('colour' was unexpected)"),
        (with("metadata", json!({"a": "x".repeat(256)})), "metadata.a"),
    ] {
        let said = refused(server).await?;
        assert!(said.contains(wanted), "{said:?} lacks {wanted:?}");
    }
    // K-07, K-09, K-10, K-13, and a body that is none.
    for (method, path, code, element) in [
        (Method::GET, format!("{SERVERS}/{nothing}"), 404, "itemNotFound"),
        (Method::GET, format!("{SERVERS}/a-name"), 404, "itemNotFound"),
        (Method::GET, "/compute/v2.1/no-such".to_owned(), 404, "itemNotFound"),
        (Method::PATCH, SERVERS.to_owned(), 405, "badMethod"),
        (Method::POST, SERVERS.to_owned(), 400, "badRequest"),
        (Method::GET, format!("{SERVERS}?limit=-1"), 400, "badRequest"),
        (Method::GET, format!("{SERVERS}?marker={nothing}"), 400, "badRequest"),
    ] {
        let (status, fault) = http.send(method.clone(), &path, Value::Null).await?;
        assert_eq!((status, &fault[element]["code"]), (code, &json!(code)), "{method} {path} {fault}");
    }
    // K-16: what this version does not serve says so.
    let action = format!("{SERVERS}/{nothing}/action");
    assert_eq!(http.send(Method::POST, &action, json!({"pause": null})).await?.0, 404);
    let project = &world.project;
    for (method, path, element) in [
        (Method::GET, format!("/compute/v2.1/{project}/os-aggregates"), "notImplemented"),
        (Method::GET, "/compute/v2.1/os-volumes".to_owned(), "notImplemented"),
        (Method::GET, format!("/image/v2/images/{nothing}/locations"), "message"),
    ] {
        let (status, fault) = http.send(method, &path, Value::Null).await?;
        let said = fault[element]["message"].as_str().or(fault[element].as_str()).unwrap_or_default();
        assert!(status == 501 && said.ends_with("is not served by this version."), "{path} {status} {fault}");
    }
    let request = http.request(Method::POST, SERVERS).header("content-type", "text/plain").body("x");
    assert_eq!(request.send().await?.status().as_u16(), 415);
    let request = http.request(Method::POST, SERVERS).header("content-type", "application/json");
    assert_eq!(request.body(vec![b' '; 2 << 20]).send().await?.status().as_u16(), 413);
    let request = http.request(Method::GET, SERVERS).header("openstack-api-version", "compute 2.999");
    assert_eq!(request.send().await?.status().as_u16(), 406);
    assert_eq!(http.send(Method::DELETE, &format!("/image/v2/images/{large}"), Value::Null).await?.0, 204);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_the_permission_to_create_is_told_so() -> Result<()> {
    let world = World::shared().await?;
    let vic = world.cli("vic", &world.project)?;
    let said = vic.refused(&["server", "create", "--image", IMAGE, "--flavor", "small", "forbidden"])?;
    assert!(said.starts_with("ForbiddenException: 403"), "{said}");
    assert!(said.contains(&format!("it needs permission to create servers in project {}", world.project)), "{said}");
    assert!(world.servers().await?.get_opt("forbidden").await?.is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_no_host_can_take_is_in_error_with_a_fault_and_can_be_deleted() -> Result<()> {
    let world = World::shared().await?;
    let (ada, http) = (world.ada()?, world.http("ada", &world.project).await?);
    let said = ada.refused(&["server", "create", "--image", IMAGE, "--flavor", "huge", "--wait", "too big"])?;
    assert!(said.contains("Error creating server"), "{said}");
    let shown = ada.json(&["server", "show", "too big"])?;
    assert_eq!((&shown["status"], &shown["addresses"]), (&json!("ERROR"), &json!({})), "{shown}");
    assert_eq!(shown["fault"]["code"], 500, "{shown}");
    let message = shown["fault"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("No valid host") || message.contains("memory"), "{shown}");
    let id = shown["id"].as_str().context("no id")?.to_owned();
    // It never ran, so nothing can be asked of it but to go.
    let (status, fault) = http.send(Method::POST, &format!("{SERVERS}/{id}/action"), json!({"os-start": null})).await?;
    assert_eq!((status, &fault["conflictingRequest"]["code"]), (409, &json!(409)), "{fault}");
    assert_eq!(http.send(Method::DELETE, &format!("{SERVERS}/{id}"), Value::Null).await?.0, 204);
    wait_for("it to be gone", PATIENCE, || async {
        Ok((http.get(&format!("{SERVERS}/{id}")).await?.0 == 404).then_some(()))
    })
    .await
}
