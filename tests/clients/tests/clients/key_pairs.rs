//! Key pairs by microversion: types, other users' for administrators, pages, and names that are addresses.

use anyhow::Result;
use ostler_tests_clients::{Http, World};
use reqwest::Method;
use serde_json::{Value, json};

const KEYS: &str = "/compute/v2.1/os-keypairs";
const ED25519: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti user@example.com";

async fn at(http: &Http, version: &str, method: Method, path: &str, body: Value) -> Result<(u16, Value)> {
    let request = http.request(method, path).header("openstack-api-version", format!("compute {version}"));
    let request = if body.is_null() { request } else { request.json(&body) };
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    Ok((status, serde_json::from_slice(&answer.bytes().await?).unwrap_or_default()))
}

fn names(list: &Value) -> Vec<&str> {
    list["keypairs"].as_array().into_iter().flatten().filter_map(|k| k["keypair"]["name"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn c44_an_administrator_manages_key_pairs_of_other_users_from_2_10_on() -> Result<()> {
    let world = World::shared().await?;
    let (pat, ada) = (world.http("pat", &world.project).await?, world.http("ada", &world.project).await?);
    let made = ada.send(Method::POST, KEYS, json!({"keypair": {"name": "adas"}})).await?.1;
    assert!(made["keypair"]["private_key"].as_str().is_some_and(|k| k.starts_with("-----BEGIN RSA")));
    let user = made["keypair"]["user_id"].as_str().unwrap_or_default().to_owned();

    let body = json!({"keypair": {"name": "given", "public_key": ED25519, "user_id": user, "type": "ssh"}});
    assert_eq!(at(&pat, "2.9", Method::POST, KEYS, body.clone()).await?.0, 400);
    let (status, given) = at(&pat, "2.10", Method::POST, KEYS, body).await?;
    assert_eq!((status, &given["keypair"]["user_id"], &given["keypair"]["type"]), (201, &json!(user), &json!("ssh")));
    let mut own = names(&ada.get(KEYS).await?.1).iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    own.retain(|n| n == "adas" || n == "given");
    assert_eq!(own, ["adas", "given"]);
    let of_ada = format!("{KEYS}?user_id={user}");
    assert!(names(&at(&pat, "2.10", Method::GET, &of_ada, Value::Null).await?.1).contains(&"given"));
    assert!(!names(&at(&pat, "2.10", Method::GET, KEYS, Value::Null).await?.1).contains(&"given"));
    let vic = world.http("vic", &world.project).await?;
    assert_eq!(at(&vic, "2.10", Method::GET, &of_ada, Value::Null).await?.0, 403);

    let given = format!("{KEYS}/given?user_id={user}");
    let (status, shown) = at(&pat, "2.10", Method::GET, &given, Value::Null).await?;
    assert_eq!((status, &shown["keypair"]["user_id"]), (200, &json!(user)));
    assert_eq!(at(&pat, "2.10", Method::GET, &format!("{KEYS}/given"), Value::Null).await?.0, 404);
    assert_eq!(at(&pat, "2.10", Method::DELETE, &given, Value::Null).await?.0, 204);
    assert_eq!(ada.send(Method::DELETE, &format!("{KEYS}/adas"), Value::Null).await?.0, 202);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn c46_key_pairs_come_in_pages_from_2_35_on() -> Result<()> {
    let world = World::shared().await?;
    let eve = world.http("eve", &world.rival).await?;
    for name in ["p1", "p2", "p3"] {
        let body = json!({"keypair": {"name": name, "public_key": ED25519}});
        assert_eq!(eve.send(Method::POST, KEYS, body.clone()).await?.0, 200);
        assert_eq!(eve.send(Method::POST, KEYS, body).await?.0, 409);
    }
    let (_, page) = at(&eve, "2.35", Method::GET, &format!("{KEYS}?limit=2&marker=p1"), Value::Null).await?;
    assert_eq!((names(&page), page.get("keypairs_links")), (vec!["p2", "p3"], None));
    let (_, page) = at(&eve, "2.35", Method::GET, &format!("{KEYS}?limit=1"), Value::Null).await?;
    assert!(page["keypairs_links"][0]["href"].as_str().is_some_and(|h| h.contains("marker=p1")), "{page}");
    assert_eq!(at(&eve, "2.35", Method::GET, &format!("{KEYS}?marker=none"), Value::Null).await?.0, 400);
    for name in ["p1", "p2", "p3"] {
        assert_eq!(at(&eve, "2.2", Method::DELETE, &format!("{KEYS}/{name}"), Value::Null).await?.0, 204);
    }
    assert_eq!(eve.send(Method::DELETE, &format!("{KEYS}/p1"), Value::Null).await?.0, 404);
    Ok(())
}
