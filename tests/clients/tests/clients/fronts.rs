//! Two fronts of one house: what is made by one is seen, changed and deleted by the other.

use anyhow::{Context, Result};
use kube::{
    ResourceExt,
    api::{DeleteParams, Patch, PatchParams},
};
use ostler_crds::server::PowerState;
use ostler_test_harness::{apply::apply_yaml, wait_for};
use ostler_tests_clients::{IMAGE, NODE, PATIENCE, World};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_kubectl_is_stopped_and_deleted_by_the_client() -> Result<()> {
    let world = World::shared().await?;
    let (ada, admin) = (world.ada()?, world.admin().await?);
    // Its image is named as kubectl users do, by metadata.name.
    let yaml = format!(
        "{{apiVersion: compute.ostler.dev/v1alpha1, kind: Server, metadata: {{name: by-kubectl}}, spec: {{flavor: small, image: {IMAGE}}}}}"
    );
    apply_yaml(&admin, &yaml, &world.project).await?;
    let servers = world.servers().await?;
    let uid = servers.get("by-kubectl").await?.uid().context("no uid")?;
    let http = world.http("ada", &world.project).await?;
    let path = format!("/compute/v2.1/servers/{uid}");
    let active = wait_for("it to be ACTIVE", PATIENCE, || async {
        let (_, body) = http.get(&path).await?;
        Ok((body["server"]["status"] == "ACTIVE").then(|| body["server"].clone()))
    })
    .await?;
    assert_eq!((&active["name"], &active["user_id"]), (&json!("by-kubectl"), &json!("")));
    let address = active["addresses"]["lan"][0]["addr"].as_str().context("no address")?.to_owned();

    let listed = ada.json(&["server", "list", "--name", "by-kubectl"])?;
    assert_eq!((&listed[0]["ID"], &listed[0]["Image"]), (&json!(uid), &json!(IMAGE)), "{listed}");
    ada.text(&["server", "stop", "by-kubectl"])?;
    assert_eq!(servers.get("by-kubectl").await?.spec.power_state, PowerState::Stopped);
    wait_for("it to be SHUTOFF", PATIENCE, || async {
        Ok((http.get(&path).await?.1["server"]["status"] == "SHUTOFF").then_some(()))
    })
    .await?;

    // Nobody of another project sees it, and a reader of this one only sees it.
    let eve = world.http("eve", &world.rival).await?;
    let vic = world.http("vic", &world.project).await?;
    let (status, fault) = eve.get(&path).await?;
    assert_eq!((status, &fault["itemNotFound"]["code"]), (404, &json!(404)));
    assert_eq!(vic.get(&path).await?.0, 200);
    for (method, more, body) in [
        (Method::DELETE, "", Value::Null),
        (Method::PUT, "", json!({"server": {"name": "stolen"}})),
        (Method::POST, "/action", json!({"os-start": null})),
        (Method::POST, "/action", json!({"reboot": {"type": "HARD"}})),
        (Method::POST, "/metadata", json!({"metadata": {"a": "b"}})),
        (Method::DELETE, "/metadata/a", Value::Null),
    ] {
        let path = format!("{path}{more}");
        assert_eq!(eve.send(method.clone(), &path, body.clone()).await?.0, 404, "eve {method} {path}");
        assert_eq!(vic.send(method.clone(), &path, body).await?.0, 403, "vic {method} {path}");
    }
    // Who runs the cloud sees all projects and the machine; others see neither.
    let pat = world.http("pat", &world.rival).await?;
    let everywhere = "/compute/v2.1/servers/detail?all_tenants=1";
    let (_, all) = pat.get(everywhere).await?;
    let seen = all["servers"].as_array().and_then(|l| l.iter().find(|s| s["id"] == uid)).context("not seen by pat")?;
    assert_eq!(seen["OS-EXT-SRV-ATTR:host"], NODE);
    assert_eq!(http.get(everywhere).await?.0, 403);
    assert!(http.get(&path).await?.1["server"].get("OS-EXT-SRV-ATTR:host").is_none());

    let said = world.cli("eve", &world.rival)?.refused(&["server", "show", &uid])?;
    assert!(said.to_lowercase().contains("no server found"), "{said}");

    ada.text(&["server", "delete", "--wait", "by-kubectl"])?;
    assert!(servers.get_opt("by-kubectl").await?.is_none());
    assert_eq!(world.traces_of(&uid, &address)?, Vec::<String>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_the_client_is_seen_and_deleted_through_kubernetes() -> Result<()> {
    let world = World::shared().await?;
    let ada = world.ada()?;
    // No --network: the client says "auto". No --wait: it is there all the same.
    let made = ada.json(&["server", "create", "--image", IMAGE, "--flavor", "small", "By Client"])?;
    let id = made["id"].as_str().context("no id")?;
    assert_eq!((&made["name"], &made["status"]), (&json!("By Client"), &json!("BUILD")), "{made}");
    let servers = world.servers().await?;
    // metadata.name is derived; the OpenStack id is the uid.
    let server = servers.get("by-client").await?;
    assert_eq!((server.uid().as_deref(), server.display_name()), (Some(id), "By Client"));
    assert_eq!(server.spec.image.as_deref(), Some(IMAGE));
    let creator = server.annotations().get("compute.ostler.dev/creator").context("no creator")?;
    assert_eq!(made["user_id"], **creator);
    let ready = wait_for("it to be Ready", PATIENCE, || async {
        let server = servers.get("by-client").await?;
        let conditions = server.status.as_ref().map(|s| s.conditions.clone()).unwrap_or_default();
        let ready = ostler_crds::find_condition(&conditions, "Ready").is_some_and(|c| c.status == "True");
        Ok(ready.then_some(server))
    })
    .await?;
    let address = ready.status.unwrap_or_default().addresses[0].address.clone();

    // A second one of the same name gets an object of its own; both are told apart by their ids.
    let http = world.http("ada", &world.project).await?;
    let (_, shown) = http.get(&format!("/compute/v2.1/servers/{id}")).await?;
    let body = json!({"server": {"name": "By Client", "imageRef": shown["server"]["image"]["id"],
        "flavorRef": shown["server"]["flavor"]["id"]}});
    let (status, second) = http.send(Method::POST, "/compute/v2.1/servers", body).await?;
    assert_eq!(status, 202, "{second}");
    let second = second["server"]["id"].as_str().context("no id")?.to_owned();
    let (_, list) = http.get("/compute/v2.1/servers?name=^By.Client$").await?;
    assert_eq!(list["servers"].as_array().map(Vec::len), Some(2), "{list}");
    assert_eq!(http.send(Method::DELETE, &format!("/compute/v2.1/servers/{second}"), Value::Null).await?.0, 204);

    servers.delete("by-client", &DeleteParams::default()).await?;
    let gone = |id: String| {
        let http = http.clone();
        async move {
            wait_for(&format!("{id} to be gone"), PATIENCE, || async {
                let (status, body) = http.get(&format!("/compute/v2.1/servers/{id}")).await?;
                let task = &body["server"]["OS-EXT-STS:task_state"];
                assert!(status == 404 || *task == "deleting", "{status} {body}");
                Ok((status == 404).then_some(()))
            })
            .await
        }
    };
    wait_for("the deletion to be seen", PATIENCE, || async {
        let (status, body) = http.get(&format!("/compute/v2.1/servers/{id}")).await?;
        Ok((status == 404 || body["server"]["OS-EXT-STS:task_state"] == "deleting").then_some(()))
    })
    .await?;
    gone(id.to_owned()).await?;
    gone(second).await?;
    assert_eq!(world.traces_of(id, &address)?, Vec::<String>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_names_a_server_is_good_for_that_server_alone() -> Result<()> {
    let world = World::shared().await?;
    let (servers, ned) = (world.servers().await?, world.http("ned", &world.project).await?);
    let mut paths = Vec::new();
    for name in ["neds", "not-neds"] {
        // No host takes it, so nothing has to be waited for.
        let spec = format!("{{flavor: huge, image: {IMAGE}}}");
        let yaml = format!(
            "{{apiVersion: compute.ostler.dev/v1alpha1, kind: Server, metadata: {{name: {name}}}, spec: {spec}}}"
        );
        apply_yaml(&world.admin().await?, &yaml, &world.project).await?;
        paths.push(format!("/compute/v2.1/servers/{}", servers.get(name).await?.uid().context("no uid")?));
    }
    let list = wait_for("both to be listed", PATIENCE, || async {
        let (_, list) = ned.get("/compute/v2.1/servers?name=neds").await?;
        Ok((list["servers"].as_array().map(Vec::len) == Some(2)).then_some(list))
    });
    list.await?;
    assert_eq!((ned.get(&paths[0]).await?.0, ned.get(&paths[1]).await?.0), (200, 403));
    let start = json!({"os-start": null});
    assert_eq!(ned.send(Method::POST, &format!("{}/action", paths[0]), start).await?.0, 403);
    // To reboot what is off is to start it, which the Role does not say.
    wait_for("no host to take it", PATIENCE, || async {
        Ok((ned.get(&paths[0]).await?.1["server"]["status"] == "ERROR").then_some(()))
    })
    .await?;
    let off = json!({"spec": {"powerState": "Stopped"}});
    servers.patch("neds", &PatchParams::default(), &Patch::Merge(&off)).await?;
    let (reboot, action) = (json!({"reboot": {"type": "HARD"}}), format!("{}/action", paths[0]));
    let (status, fault) = ned.send(Method::POST, &action, reboot.clone()).await?;
    let said = fault["forbidden"]["message"].as_str().unwrap_or_default();
    assert!(status == 403 && said.contains("update servers/power"), "{status} {fault}");
    assert_eq!(servers.get("neds").await?.spec.power_state, PowerState::Stopped);
    assert_eq!(ned.send(Method::POST, &format!("{}/action", paths[1]), reboot).await?.0, 403);
    assert_eq!(ned.send(Method::DELETE, &paths[1], Value::Null).await?.0, 403);
    assert_eq!(ned.send(Method::DELETE, &paths[0], Value::Null).await?.0, 204);
    servers.delete("not-neds", &DeleteParams::default()).await?;
    Ok(())
}
