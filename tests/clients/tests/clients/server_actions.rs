//! What is asked of a server: done, kept off by locks, told in its events, and remembered when it is gone (spec C-17 … C-23,
//! With server groups, which the scheduler honours.

use anyhow::{Context, Result};
use ostler_test_harness::wait_for;
use ostler_tests_clients::{Http, IMAGE, PATIENCE, World};
use reqwest::Method;
use serde_json::{Value, json};

const SERVERS: &str = "/compute/v2.1/servers";

async fn at(http: &Http, version: &str, method: Method, path: &str, body: Value) -> Result<(u16, Value)> {
    let request = http.request(method, path).header("openstack-api-version", format!("compute {version}"));
    let request = if body.is_null() { request } else { request.json(&body) };
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    Ok((status, serde_json::from_slice(&answer.bytes().await?).unwrap_or_default()))
}

async fn act(http: &Http, id: &str, body: Value) -> Result<(u16, Value)> {
    at(http, "2.96", Method::POST, &format!("{SERVERS}/{id}/action"), body).await
}

async fn wait_status(http: &Http, id: &str, wanted: &str) -> Result<()> {
    wait_for(&format!("{id} to be {wanted}"), PATIENCE, || async {
        let (_, body) = http.get(&format!("{SERVERS}/{id}")).await?;
        let settled = body["server"]["status"] == wanted && body["server"]["OS-EXT-STS:task_state"].is_null();
        Ok(settled.then_some(()))
    })
    .await
}

fn told(list: &Value) -> Vec<&str> {
    list["instanceActions"].as_array().into_iter().flatten().filter_map(|e| e["action"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_of_a_server_is_done_told_and_remembered() -> Result<()> {
    let world = World::shared().await?;
    let (ada, http) = (world.ada()?, world.http("ada", &world.project).await?);
    let pat = world.http("pat", &world.rival).await?;
    let group = ada.json(&["server", "group", "create", "--policy", "anti-affinity", "apart"])?;
    let group = group["id"].as_str().context("no id")?.to_owned();
    let hint = format!("group={group}");
    let create = ["server", "create", "--image", IMAGE, "--flavor", "small", "--network", "lan", "--hint", &hint];
    let made = ada.json(&[&create[..], &["--tag", "red", "--wait", "acted"]].concat())?;
    let id = made["id"].as_str().context("no id")?.to_owned();
    let shown = ada.json(&["server", "group", "show", &group])?;
    assert!(shown["members"].to_string().contains(&id), "{shown}");
    let (_, full) = at(&http, "2.71", Method::GET, &format!("{SERVERS}/{id}"), Value::Null).await?;
    assert_eq!((&full["server"]["server_groups"], &full["server"]["tags"]), (&json!([group]), &json!(["red"])));

    // There is one host, and it has one of the group.
    let said = ada.refused(&[&create[..], &["--wait", "too near"]].concat())?;
    assert!(said.contains("Error creating server"), "{said}");
    let near = ada.json(&["server", "show", "too near"])?;
    let why = near["fault"]["message"].as_str().unwrap_or_default();
    assert!(why.contains("with a Server that schedulerHints keeps it from"), "{near}");
    ada.text(&["server", "delete", "--wait", "too near"])?;

    // Tags.
    let tag = |tag: &str| format!("{SERVERS}/{id}/tags/{tag}");
    assert_eq!(at(&http, "2.26", Method::PUT, &tag("blue"), Value::Null).await?.0, 201);
    assert_eq!(at(&http, "2.26", Method::PUT, &tag("blue"), Value::Null).await?.0, 204);
    assert_eq!(at(&http, "2.26", Method::DELETE, &tag("red"), Value::Null).await?.0, 204);
    assert_eq!(at(&http, "2.26", Method::GET, &tag("red"), Value::Null).await?.0, 404);
    let (_, list) = at(&http, "2.26", Method::GET, &format!("{SERVERS}?tags=blue"), Value::Null).await?;
    assert_eq!(list["servers"].as_array().map(Vec::len), Some(1), "{list}");

    // A lock keeps off its owner, and not an administrator of another project.
    ada.text(&["server", "lock", "--reason", "mine", &id])?;
    let (status, fault) = act(&http, &id, json!({"pause": null})).await?;
    let said = fault["conflictingRequest"]["message"].as_str().unwrap_or_default();
    assert!(status == 409 && said.ends_with("is locked"), "{status} {fault}");
    let (_, full) = at(&http, "2.73", Method::GET, &format!("{SERVERS}/{id}"), Value::Null).await?;
    assert_eq!((&full["server"]["locked"], &full["server"]["locked_reason"]), (&json!(true), &json!("mine")));
    assert_eq!(act(&pat, &id, json!({"pause": null})).await?.0, 202);
    wait_status(&http, &id, "PAUSED").await?;
    ada.text(&["server", "unlock", &id])?;
    let (status, fault) = act(&http, &id, json!({"pause": null})).await?;
    let said = fault["conflictingRequest"]["message"].as_str().unwrap_or_default();
    assert!(status == 409 && said.ends_with("while it is in vm_state paused"), "{status} {fault}");
    ada.text(&["server", "unpause", &id])?;
    wait_status(&http, &id, "ACTIVE").await?;

    // A state that is set shows at once, and is for administrators.
    assert_eq!(act(&http, &id, json!({"os-resetState": {"state": "error"}})).await?.0, 403);
    for (state, shown) in [("error", "ERROR"), ("active", "ACTIVE")] {
        assert_eq!(act(&pat, &id, json!({"os-resetState": {"state": state}})).await?.0, 202);
        assert_eq!(http.get(&format!("{SERVERS}/{id}")).await?.1["server"]["status"], shown);
    }
    // A stranger of another project sees nothing of it.
    let eve = world.http("eve", &world.rival).await?;
    assert_eq!(act(&eve, &id, json!({"pause": null})).await?.0, 404);

    let events = format!("{SERVERS}/{id}/os-instance-actions");
    let (_, list) = at(&http, "2.58", Method::GET, &events, Value::Null).await?;
    let wanted = ["resetState", "resetState", "unpause", "unlock", "pause", "lock", "create"];
    assert_eq!(told(&list), wanted, "{list}");
    let ours = ada.json(&["server", "event", "list", &id])?;
    assert_eq!(ours.as_array().map(Vec::len), Some(wanted.len()), "{ours}");

    let before = full["server"]["created"].as_str().context("created")?.to_owned();
    ada.text(&["server", "delete", "--wait", &id])?;
    let (_, list) = http.get(&format!("{SERVERS}/detail?changes-since={before}")).await?;
    let gone = list["servers"].as_array().into_iter().flatten().find(|s| s["id"] == id.as_str());
    assert_eq!(gone.context("not remembered")?["status"], "DELETED", "{list}");
    let (_, list) = http.get(SERVERS).await?;
    assert!(!list.to_string().contains(&id), "{list}");
    assert_eq!(at(&http, "2.20", Method::GET, &events, Value::Null).await?.0, 404);
    let (_, list) = at(&http, "2.21", Method::GET, &events, Value::Null).await?;
    assert_eq!(told(&list).first(), Some(&"delete"), "{list}");
    ada.text(&["server", "group", "delete", &group])?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn from_2_75_on_queries_are_strict() -> Result<()> {
    let world = World::shared().await?;
    let http = world.http("ada", &world.project).await?;
    for (version, path, wanted) in [
        ("2.74", format!("{SERVERS}?colour=red"), 200),
        ("2.75", format!("{SERVERS}?colour=red"), 400),
        ("2.96", format!("{SERVERS}/detail?deleted=False&limit=1&sort_key=created_at&sort_dir=desc"), 200),
        ("2.75", "/compute/v2.1/os-server-groups?colour=red".to_owned(), 400),
        ("2.96", format!("{SERVERS}?sort_key=host"), 403),
        ("2.97", SERVERS.to_owned(), 406),
    ] {
        let (status, body) = at(&http, version, Method::GET, &path, Value::Null).await?;
        assert_eq!(status, wanted, "{version} {path} {body}");
    }
    Ok(())
}
