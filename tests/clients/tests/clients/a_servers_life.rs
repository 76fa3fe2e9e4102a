//! The life of a server in the hands of the stock client (spec C-03 … C-11, C-15, C-18; S-01, S-04, S-05, S-08, S-14).

use anyhow::{Context, Result};
use kube::ResourceExt;
use ostler_crds::Server;
use ostler_test_harness::wait_for;
use ostler_tests_clients::{Cli, Http, IMAGE, PATIENCE, World};
use reqwest::Method;
use serde_json::{Value, json};

const ED25519: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti user@example.com";

async fn wait_status(http: &Http, id: &str, wanted: &str) -> Result<Value> {
    wait_for(&format!("{id} to be {wanted}"), PATIENCE, || async {
        let (_, body) = http.get(&format!("/compute/v2.1/servers/{id}")).await?;
        let settled = body["server"]["status"] == wanted && body["server"]["OS-EXT-STS:task_state"].is_null();
        Ok(settled.then(|| body["server"].clone()))
    })
    .await
}

fn create(ada: &Cli, name: &str, key: &str) -> Result<Value> {
    ada.json(&[
        "server",
        "create",
        "--image",
        IMAGE,
        "--flavor",
        "small",
        "--key-name",
        key,
        "--network",
        "lan",
        "--property",
        "colour=red",
        "--description",
        "A first one",
        "--wait",
        name,
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn c04_a_server_is_made_used_and_removed() -> Result<()> {
    let world = World::shared().await?;
    let (ada, http) = (world.ada()?, world.http("ada", &world.project).await?);
    let body = json!({"keypair": {"name": "life", "public_key": ED25519}});
    assert_eq!(http.send(Method::POST, "/compute/v2.1/os-keypairs", body).await?.0, 200);

    let made = create(&ada, "Life 1", "life")?;
    assert_eq!(made["status"], "ACTIVE", "{made}");
    let id = made["id"].as_str().context("no id")?;
    let server = own(world, id).await?;
    assert_eq!((server.name_any().as_str(), server.display_name()), ("life-1", "Life 1"));
    let address = server.status.as_ref().unwrap().addresses[0].address.clone();
    assert_eq!(made["addresses"], json!({"lan": [address]}));

    columns(&ada, id, &address)?;

    let ready = world.wait_booted(id, 1).await?;
    assert!(ready.contains(&format!("uuid={id}")) && ready.contains(&address), "{ready}");
    let log = ada.text(&["console", "log", "show", "Life 1"])?;
    assert!(log.contains("OSTLER-READY"), "{log}");
    let action = format!("/compute/v2.1/servers/{id}/action");
    let (_, last) = http.send(Method::POST, &action, json!({"os-getConsoleOutput": {"length": 3}})).await?;
    let last = last["output"].as_str().context("no output")?;
    assert_eq!(last.trim_end_matches('\n').lines().count(), 3, "{last}");

    // C-18: in the guest's own words, each boot is another ready line.
    ada.text(&["server", "reboot", "--soft", "--wait", "Life 1"])?;
    world.wait_booted(id, 2).await?;
    ada.text(&["server", "reboot", "--hard", "--wait", "Life 1"])?;
    wait_status(&http, id, "ACTIVE").await?;
    // Up again, it heeds the power button.
    world.wait_booted(id, 3).await?;

    ada.text(&["server", "stop", "Life 1"])?;
    // What was asked for is seen at once.
    let (_, now) = http.get(&format!("/compute/v2.1/servers/{id}")).await?;
    let (status, task) = (&now["server"]["status"], &now["server"]["OS-EXT-STS:task_state"]);
    assert!(*task == "powering-off" || *status == "SHUTOFF", "{status} {task}");
    let off = wait_status(&http, id, "SHUTOFF").await?;
    assert_eq!((&off["OS-EXT-STS:power_state"], &off["OS-EXT-STS:vm_state"]), (&json!(4), &json!("stopped")));
    let (status, fault) = http.send(Method::POST, &action, json!({"os-stop": null})).await?;
    let said = fault["conflictingRequest"]["message"].as_str().unwrap_or_default();
    assert!(status == 409 && said.ends_with("while it is in vm_state stopped"), "{status} {fault}");
    ada.text(&["server", "start", "Life 1"])?;
    wait_status(&http, id, "ACTIVE").await?;

    // C-07, C-11.
    ada.text(&["server", "set", "--property", "shape=round", "--name", "Life 2", id])?;
    let shown = ada.json(&["server", "show", "Life 2"])?;
    assert_eq!(shown["properties"], json!({"colour": "red", "shape": "round"}));
    assert_eq!(own(world, id).await?.display_name(), "Life 2");
    let (_, list) = http.get("/compute/v2.1/servers?name=^Life&status=active").await?;
    assert_eq!(list["servers"].as_array().map(Vec::len), Some(1), "{list}");

    // C-08: gone for the client means gone from the host.
    ada.text(&["server", "delete", "--wait", "Life 2"])?;
    assert!(world.servers().await?.get_opt("life-1").await?.is_none());
    assert_eq!(world.traces_of(id, &address)?, Vec::<String>::new());
    assert_eq!(http.get(&format!("/compute/v2.1/servers/{id}")).await?.0, 404);
    assert_eq!(http.send(Method::DELETE, "/compute/v2.1/os-keypairs/life", Value::Null).await?.0, 202);
    Ok(())
}

/// Every column that the client shows of a server says something that makes sense.
fn columns(ada: &Cli, id: &str, address: &str) -> Result<()> {
    let mine = |list: &Value| list.as_array().and_then(|l| l.iter().find(|s| s["ID"] == id).cloned());
    let row = mine(&ada.json(&["server", "list"])?).context("not in the list")?;
    assert_eq!(
        row,
        json!({"ID": id, "Name": "Life 1", "Status": "ACTIVE", "Networks": {"lan": [address]}, "Image": IMAGE, "Flavor": "small"})
    );
    let row = mine(&ada.json(&["server", "list", "--long"])?).context("not in the long list")?;
    assert_eq!((&row["Task State"], &row["Power State"]), (&Value::Null, &json!(1)), "{row}");
    assert_eq!((&row["Image Name"], &row["Availability Zone"]), (&json!(IMAGE), &json!("nova")), "{row}");
    assert_eq!(row["Properties"], json!({"colour": "red"}), "{row}");

    let shown = ada.json(&["server", "show", id])?;
    let wanted = [
        ("name", json!("Life 1")),
        ("status", json!("ACTIVE")),
        ("OS-EXT-STS:vm_state", json!("active")),
        ("OS-EXT-STS:task_state", Value::Null),
        ("OS-EXT-AZ:availability_zone", json!("nova")),
        ("addresses", json!({"lan": [address]})),
        ("key_name", json!("life")),
        ("config_drive", json!("True")),
        ("description", json!("A first one")),
        ("progress", json!(100)),
        ("properties", json!({"colour": "red"})),
        ("security_groups", json!([{"name": "default"}])),
        ("volumes_attached", json!([])),
        ("locked", json!(false)),
        ("tags", json!([])),
    ];
    for (key, value) in wanted {
        assert_eq!(shown[key], value, "{key} in {shown}");
    }
    assert!(shown["flavor"].to_string().contains("small"), "{shown}");
    assert!(shown["image"].as_str().is_some_and(|i| i.starts_with(&format!("{IMAGE} ("))), "{shown}");
    for time in ["created", "updated", "OS-SRV-USG:launched_at"] {
        assert!(shown[time].as_str().is_some_and(|t| t.starts_with("20")), "{time} in {shown}");
    }
    assert_eq!(shown["hostId"].as_str().map(str::len), Some(56), "{shown}");
    Ok(())
}

/// The Server with this OpenStack id, by the Kubernetes API.
async fn own(world: &World, id: &str) -> Result<Server> {
    let list = world.servers().await?.list(&Default::default()).await?;
    list.into_iter().find(|s| s.uid().as_deref() == Some(id)).context("no such Server")
}
