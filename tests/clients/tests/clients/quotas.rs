//! Quotas and limits: administrators set them, members see their own, and servers are made within them (spec C-02).

use anyhow::Result;
use ostler_tests_clients::{Http, IMAGE, World};
use reqwest::Method;
use serde_json::{Value, json};

const SETS: &str = "/compute/v2.1/os-quota-sets";

async fn set(pat: &Http, project: &str, limits: Value) -> Result<(u16, Value)> {
    pat.send(Method::PUT, &format!("{SETS}/{project}"), json!({ "quota_set": limits })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn members_see_their_own_quota_and_administrators_change_it() -> Result<()> {
    let world = World::shared().await?;
    let (pat, eve) = (world.http("pat", &world.project).await?, world.http("eve", &world.rival).await?);
    let own = format!("{SETS}/{}", world.rival);
    let (status, defaults) = eve.get(&format!("{own}/defaults")).await?;
    assert_eq!(
        (status, &defaults["quota_set"]["key_pairs"], &defaults["quota_set"]["ram"]),
        (200, &json!(100), &json!(-1))
    );
    assert_eq!(eve.get(&own).await?.1["quota_set"]["ram"], -1);
    assert_eq!(eve.get(&format!("{SETS}/{}", world.project)).await?.0, 403);
    assert_eq!(set(&eve, &world.rival, json!({"ram": 1})).await?.0, 403);
    assert_eq!(pat.get(&format!("{SETS}/nowhere")).await?.0, 400);
    assert_eq!(set(&pat, &world.rival, json!({"ram": "much"})).await?.0, 400);

    let (status, changed) = set(&pat, &world.rival, json!({"ram": "5120", "instances": 0, "key_pairs": 0})).await?;
    assert_eq!((status, &changed["quota_set"]["ram"], changed["quota_set"].get("id")), (200, &json!(5120), None));
    let detail = eve.get(&format!("{own}/detail")).await?.1;
    assert_eq!(detail["quota_set"]["ram"], json!({"limit": 5120, "in_use": 0, "reserved": 0}));
    let limits = eve.get("/compute/v2.1/limits").await?.1;
    assert_eq!(
        (&limits["limits"]["absolute"]["maxTotalRAMSize"], &limits["limits"]["absolute"]["maxTotalInstances"]),
        (&json!(5120), &json!(0))
    );

    // Nothing can be made any more.
    let flavors = eve.get("/compute/v2.1/flavors").await?.1;
    let small =
        flavors["flavors"].as_array().into_iter().flatten().find(|f| f["name"] == "small").map(|f| f["id"].clone());
    let body = json!({"keypair": {"name": "one"}});
    let (status, fault) = eve.send(Method::POST, "/compute/v2.1/os-keypairs", body).await?;
    assert_eq!((status, &fault["forbidden"]["message"]), (403, &json!("Quota exceeded, too many key pairs.")));
    let image = world.ada()?.json(&["image", "show", IMAGE])?["id"].clone();
    world.ada()?.text(&["image", "set", "--community", IMAGE])?;
    let body = json!({"server": {"name": "x", "flavorRef": small, "imageRef": image}});
    let (status, fault) = eve.send(Method::POST, "/compute/v2.1/servers", body).await?;
    let said = fault["forbidden"]["message"].as_str().unwrap_or_default();
    assert!(
        status == 403 && said.starts_with("Quota exceeded for instances: Requested 1, but already used 0 of 0"),
        "{fault}"
    );

    // A user's own.
    let user = format!("{own}?user_id=somebody");
    let body = json!({"quota_set": {"ram": 2048}});
    assert_eq!(pat.send(Method::PUT, &user, body).await?.1["quota_set"]["ram"], 2048);
    assert_eq!(
        (&eve.get(&user).await?.1["quota_set"]["ram"], &eve.get(&own).await?.1["quota_set"]["ram"]),
        (&json!(2048), &json!(5120))
    );

    assert_eq!(pat.send(Method::DELETE, &own, Value::Null).await?.0, 202);
    assert_eq!(eve.get(&own).await?.1["quota_set"]["ram"], -1);
    assert_eq!(eve.send(Method::DELETE, &own, Value::Null).await?.0, 403);
    // The stock client.
    world.cli("pat", &world.project)?.text(&["quota", "set", "--cores", "77", &world.rival])?;
    let shown = world.cli("eve", &world.rival)?.json(&["quota", "show"])?;
    let cores = shown.as_array().into_iter().flatten().find(|q| q["Resource"] == "cores").map(|q| q["Limit"].clone());
    assert_eq!(cores, Some(json!(77)), "{shown}");
    assert_eq!(pat.send(Method::DELETE, &own, Value::Null).await?.0, 202);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_class_holds_for_all_that_say_nothing() -> Result<()> {
    let world = World::shared().await?;
    let (pat, vic) = (world.http("pat", &world.project).await?, world.http("vic", &world.project).await?);
    let path = "/compute/v2.1/os-quota-class-sets/default";
    let (status, before) = pat.get(path).await?;
    assert_eq!(
        (status, &before["quota_class_set"]["id"], &before["quota_class_set"]["metadata_items"]),
        (200, &json!("default"), &json!(128))
    );
    let body = json!({"quota_class_set": {"server_group_members": 11}});
    assert_eq!(pat.send(Method::PUT, path, body.clone()).await?.0, 200);
    let own = vic.get(&format!("{SETS}/{}", world.project)).await?.1;
    assert_eq!(own["quota_set"]["server_group_members"], 11);
    assert_eq!((vic.get(path).await?.0, vic.send(Method::PUT, path, body.clone()).await?.0), (403, 403));
    assert_eq!(pat.send(Method::PUT, "/compute/v2.1/os-quota-class-sets/gold", body).await?.0, 404);
    Ok(())
}
