//! Flavors for administrators: make, describe, give, take and remove them; what members see of it.

use anyhow::Result;
use kube::Api;
use ostler_crds::Flavor;
use ostler_tests_clients::{Http, World};
use reqwest::Method;
use serde_json::{Value, json};

const FLAVORS: &str = "/compute/v2.1/flavors";

async fn at(http: &Http, version: &str, method: Method, path: &str, body: Value) -> Result<(u16, Value)> {
    let request = http.request(method, path).header("openstack-api-version", format!("compute {version}"));
    let request = if body.is_null() { request } else { request.json(&body) };
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    Ok((status, serde_json::from_slice(&answer.bytes().await?).unwrap_or_default()))
}

fn has(list: &Value, id: &str) -> bool {
    list["flavors"].as_array().into_iter().flatten().any(|f| f["id"] == id)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_makes_describes_and_removes_a_flavor() -> Result<()> {
    let world = World::shared().await?;
    let pat = world.cli("pat", &world.project)?;
    let made = pat.json(&[
        "flavor",
        "create",
        "--id",
        "m1.tiny-7",
        "--ram",
        "256",
        "--vcpus",
        "2",
        "--disk",
        "3",
        "--ephemeral",
        "1",
        "--swap",
        "64",
        "--rxtx-factor",
        "1.5",
        "--property",
        "hw:cpu_policy=shared",
        "--description",
        "first",
        "Tiny ☃ 7",
    ])?;
    assert_eq!((&made["id"], &made["ram"], &made["swap"]), (&json!("m1.tiny-7"), &json!(256), &json!(64)));
    let vic = world.cli("vic", &world.project)?;
    let shown = vic.json(&["flavor", "show", "Tiny ☃ 7"])?;
    assert_eq!((&shown["OS-FLV-EXT-DATA:ephemeral"], &shown["rxtx_factor"]), (&json!(1), &json!(1.5)));
    assert_eq!((&shown["properties"], &shown["description"]), (&json!({"hw:cpu_policy": "shared"}), &json!("first")));
    // The same by the other front.
    let flavors: Api<Flavor> = Api::all(world.admin().await?);
    assert_eq!(flavors.get("tiny-7").await?.openstack_id(), "m1.tiny-7");

    pat.text(&["flavor", "set", "--description", "second", "--property", "any:thing=1", "Tiny ☃ 7"])?;
    pat.text(&["flavor", "unset", "--property", "hw:cpu_policy", "Tiny ☃ 7"])?;
    let shown = vic.json(&["flavor", "show", "m1.tiny-7"])?;
    assert_eq!((&shown["properties"], &shown["description"]), (&json!({"any:thing": "1"}), &json!("second")));
    let http = world.http("pat", &world.project).await?;
    let path = format!("{FLAVORS}/m1.tiny-7");
    for (version, description, specs, swap) in [("2.1", false, false, json!(64)), ("2.55", true, false, json!(64))] {
        let (_, shown) = at(&http, version, Method::GET, &path, Value::Null).await?;
        let flavor = &shown["flavor"];
        assert_eq!((flavor.get("description").is_some(), flavor.get("extra_specs").is_some()), (description, specs));
        assert_eq!(flavor["swap"], swap);
    }

    // A server cannot have it: no such disks are made.
    let server = json!({"server": {"name": "x", "flavorRef": "m1.tiny-7", "imageRef": image(world)?}});
    let (status, fault) =
        world.http("ada", &world.project).await?.send(Method::POST, "/compute/v2.1/servers", server).await?;
    assert!(
        status == 400 && fault["badRequest"]["message"].as_str().is_some_and(|m| m.contains("swap disk")),
        "{fault}"
    );
    let body = json!({"flavor": {"name": "Other", "id": "m1.tiny-7", "ram": 256, "vcpus": 1, "disk": 1}});
    assert_eq!(http.send(Method::POST, FLAVORS, body).await?.0, 409);
    let body = json!({"flavor": {"name": "Tiny ☃ 7", "ram": 256, "vcpus": 1, "disk": 1}});
    assert_eq!(http.send(Method::POST, FLAVORS, body).await?.0, 409);
    assert_eq!(http.send(Method::PUT, &path, json!({"flavor": {"description": "x"}})).await?.0, 404, "2.55");
    pat.text(&["flavor", "delete", "Tiny ☃ 7"])?;
    assert_eq!(http.get(&path).await?.0, 404);
    assert_eq!(http.send(Method::DELETE, &path, Value::Null).await?.0, 404);
    Ok(())
}

fn image(world: &World) -> Result<Value> {
    Ok(world.ada()?.json(&["image", "show", ostler_tests_clients::IMAGE])?["id"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn extra_specs_are_judged_from_2_86_on_and_bad_values_of_known_keys_never_taken() -> Result<()> {
    let world = World::shared().await?;
    let pat = world.http("pat", &world.project).await?;
    let body = json!({"flavor": {"name": "specs", "id": 4711, "ram": 256, "vcpus": 1, "disk": 1}});
    assert_eq!(pat.send(Method::POST, FLAVORS, body).await?.0, 200);
    let path = format!("{FLAVORS}/4711/os-extra_specs");
    let set = async |version, specs: Value| at(&pat, version, Method::POST, &path, json!({"extra_specs": specs})).await;
    let specs = json!({"hw:cpu_policy": "shared", "foo:bar": "baz"});
    assert_eq!(set("2.1", specs.clone()).await?, (200, json!({"extra_specs": specs})));
    assert_eq!(set("2.1", json!({"hw:cpu_policy": "banana"})).await?.0, 400);
    assert_eq!(set("2.1", json!({"a/b": "c"})).await?.0, 400);
    let key = |key: &str| format!("{path}/{key}");
    let one = json!({"hw:numa_nodes": "2"});
    assert_eq!(pat.send(Method::PUT, &key("hw:numa_nodes"), one.clone()).await?, (200, one));
    assert_eq!(pat.send(Method::PUT, &key("hw:numa_nodes"), json!({"hw:cpu_policy": "shared"})).await?.0, 400);
    assert_eq!(pat.send(Method::DELETE, &key("hw:numa_nodes"), Value::Null).await?.0, 200);
    assert_eq!(pat.send(Method::DELETE, &key("hw:numa_nodes"), Value::Null).await?.0, 404);
    assert_eq!(pat.get(&key("foo:bar")).await?, (200, json!({"foo:bar": "baz"})));
    assert_eq!(pat.get(&key("none")).await?.0, 404);
    let vic = world.http("vic", &world.project).await?;
    assert_eq!(vic.get(&key("foo:bar")).await?.0, 200);
    for (method, path) in
        [(Method::POST, path.clone()), (Method::PUT, key("foo:bar")), (Method::DELETE, key("foo:bar"))]
    {
        assert_eq!(vic.send(method, &path, json!({"foo:bar": "x"})).await?.0, 403);
    }
    assert_eq!(pat.send(Method::DELETE, &format!("{FLAVORS}/4711"), Value::Null).await?.0, 202);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_flavor_is_seen_by_those_who_have_it() -> Result<()> {
    let world = World::shared().await?;
    let (pat, eve) = (world.http("pat", &world.project).await?, world.http("eve", &world.rival).await?);
    let body = json!({"flavor": {"name": "secret", "id": "s3", "ram": 256, "vcpus": 1, "disk": 1,
                                 "os-flavor-access:is_public": false}});
    assert_eq!(pat.send(Method::POST, FLAVORS, body).await?.0, 200);
    let (path, action) = (format!("{FLAVORS}/s3"), format!("{FLAVORS}/s3/action"));
    let access = format!("{path}/os-flavor-access");
    assert_eq!((eve.get(&path).await?.0, pat.get(&path).await?.0), (404, 200));
    assert!(
        !has(&pat.get(FLAVORS).await?.1, "s3") && has(&pat.get(&format!("{FLAVORS}?is_public=None")).await?.1, "s3")
    );
    assert!(has(&pat.get(&format!("{FLAVORS}?is_public=False")).await?.1, "s3"));
    assert!(!has(&eve.get(&format!("{FLAVORS}?is_public=None")).await?.1, "s3"));
    assert_eq!(pat.get(&format!("{FLAVORS}?is_public=perhaps")).await?.0, 400);

    let add = json!({"addTenantAccess": {"tenant": world.rival}});
    assert_eq!(eve.send(Method::POST, &action, add.clone()).await?.0, 403);
    let given = json!({"flavor_access": [{"flavor_id": "s3", "tenant_id": world.rival}]});
    assert_eq!(pat.send(Method::POST, &action, add.clone()).await?, (200, given.clone()));
    assert_eq!(pat.send(Method::POST, &action, add).await?.0, 409);
    assert_eq!(pat.send(Method::POST, &action, json!({"addTenantAccess": {"tenant": "nowhere"}})).await?.0, 400);
    assert_eq!(pat.get(&access).await?, (200, given));
    assert_eq!(eve.get(&access).await?.0, 403);
    assert!(eve.get(&path).await?.0 == 200 && has(&eve.get(FLAVORS).await?.1, "s3"));
    let remove = json!({"removeTenantAccess": {"tenant": world.rival}});
    assert_eq!(pat.send(Method::POST, &action, remove.clone()).await?, (200, json!({"flavor_access": []})));
    assert_eq!((pat.send(Method::POST, &action, remove).await?.0, eve.get(&path).await?.0), (404, 404));
    assert_eq!(pat.send(Method::DELETE, &path, Value::Null).await?.0, 202);

    let small = pat.get(&format!("{FLAVORS}/detail")).await?.1["flavors"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|f| f["name"] == "small")
        .map(|f| f["id"].clone())
        .unwrap_or_default();
    let small = format!("{FLAVORS}/{}", small.as_str().unwrap_or_default());
    assert_eq!(pat.get(&format!("{small}/os-flavor-access")).await?.0, 404, "a public one has no list");
    let (status, _) = eve.send(Method::DELETE, &small, Value::Null).await?;
    assert_eq!(status, 403);
    let body = json!({"flavor": {"name": "mine", "ram": 256, "vcpus": 1, "disk": 1}});
    assert_eq!(eve.send(Method::POST, FLAVORS, body).await?.0, 403);
    assert_eq!(at(&eve, "2.72", Method::GET, &format!("{FLAVORS}?colour=red"), Value::Null).await?.0, 200);
    Ok(())
}
