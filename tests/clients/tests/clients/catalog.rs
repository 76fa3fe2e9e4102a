//! What there is to choose from: flavors, key pairs, networks, zones, limits (spec C-02, C-24 … C-26, C-44 … C-47).

use anyhow::Result;
use kube::{Api, ResourceExt};
use ostler_crds::KeyPair;
use ostler_tests_clients::World;
use reqwest::Method;
use serde_json::{Value, json};

const ED25519: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti user@example.com";

fn names(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|item| item["Name"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn c24_flavors_networks_zones_and_limits_are_shown() -> Result<()> {
    let world = World::shared().await?;
    let vic = world.cli("vic", &world.project)?;

    let flavors = vic.json(&["flavor", "list"])?;
    assert!(names(&flavors).contains(&"small") && names(&flavors).contains(&"huge"), "{flavors}");
    let small = vic.json(&["flavor", "show", "small"])?;
    assert_eq!((&small["vcpus"], &small["ram"], &small["disk"]), (&json!(1), &json!(128), &json!(1)));
    assert_eq!(small["properties"], json!({"hw:colour": "grey"}));
    assert_eq!(
        (&small["description"], &small["os-flavor-access:is_public"]),
        (&json!("One of the small ones"), &json!(true))
    );

    let networks = vic.json(&["network", "list"])?;
    assert_eq!(names(&networks), ["lan"]);
    let lan = vic.json(&["network", "show", "lan"])?;
    assert_eq!((&lan["status"], &lan["shared"], &lan["mtu"]), (&json!("ACTIVE"), &json!(true), &json!(1500)));
    assert_eq!(lan["subnets"], networks[0]["Subnets"]);
    let subnets = vic.json(&["subnet", "list"])?;
    assert_eq!((&subnets[0]["Subnet"], &subnets[0]["Network"]), (&json!("10.77.0.0/24"), &lan["id"]));

    let zones = vic.json(&["availability", "zone", "list", "--compute"])?;
    assert_eq!(zones, json!([{"Zone Name": "nova", "Zone Status": "available"}]));

    let limits = vic.json(&["limits", "show", "--absolute"])?;
    let limit = |name: &str| {
        let found = limits.as_array().into_iter().flatten().find(|l| l["Name"] == name);
        found.map(|l| l["Value"].clone()).unwrap_or_default()
    };
    // Spec L-01, L-11; what is not limited says −1.
    assert_eq!((limit("max_server_meta"), limit("max_total_keypairs")), (json!(128), json!(100)), "{limits}");
    assert_eq!(limit("max_total_instances"), json!(-1), "{limits}");
    assert!(limit("total_instances_used").as_u64().is_some(), "{limits}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn c44_key_pairs_are_made_shown_and_deleted_and_belong_to_their_user() -> Result<()> {
    let world = World::shared().await?;
    let ada = world.ada()?;
    let file = world.cluster.scratch().join("imported.pub");
    std::fs::write(&file, ED25519)?;
    let imported = ada.json(&["keypair", "create", "--public-key", file.to_str().unwrap(), "imported one"])?;
    assert_eq!(imported["fingerprint"].as_str().map(str::len), Some(47), "{imported}");
    // Without a key the client makes one and prints its private half.
    let private = ada.text(&["keypair", "create", "generated"])?;
    assert!(private.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----"), "{private}");

    let shown = ada.json(&["keypair", "show", "imported one"])?;
    assert_eq!((&shown["name"], &shown["type"]), (&json!("imported one"), &json!("ssh")));
    assert_eq!(shown["fingerprint"], imported["fingerprint"]);
    let listed = ada.json(&["keypair", "list"])?;
    assert!(names(&listed).contains(&"imported one") && names(&listed).contains(&"generated"), "{listed}");

    // The same objects by the other front; a name that Kubernetes does not allow is derived.
    let pairs: Api<KeyPair> = Api::namespaced(world.admin().await?, &world.project);
    assert_eq!(pairs.get("imported-one").await?.display_name(), "imported one");
    // Another user of the project sees none of them, and may not make any.
    let vic = world.http("vic", &world.project).await?;
    let (status, list) = vic.get("/compute/v2.1/os-keypairs").await?;
    assert_eq!((status, &list["keypairs"]), (200, &json!([])));
    assert_eq!(vic.get("/compute/v2.1/os-keypairs/generated").await?.0, 404);
    let body = json!({"keypair": {"name": "x", "public_key": ED25519}});
    let (status, fault) = vic.send(reqwest::Method::POST, "/compute/v2.1/os-keypairs", body).await?;
    assert_eq!((status, &fault["forbidden"]["code"]), (403, &json!(403)));
    assert!(fault["forbidden"]["message"].as_str().is_some_and(|m| m.contains("create keypairs")), "{fault}");

    ada.text(&["keypair", "delete", "imported one", "generated"])?;
    let left: Vec<String> = pairs.list(&Default::default()).await?.iter().map(|k| k.name_any()).collect();
    assert!(!left.contains(&"imported-one".to_owned()) && !left.contains(&"generated".to_owned()), "{left:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn c01_version_2_0_of_compute_is_2_1_without_microversions() -> Result<()> {
    let world = World::shared().await?;
    let vic = world.http("vic", &world.project).await?;
    let (_, versions) = vic.get("/compute").await?;
    assert_eq!((&versions["versions"][0]["id"], &versions["versions"][1]["id"]), (&json!("v2.0"), &json!("v2.1")));
    let (status, own) = vic.get("/compute/v2/").await?;
    assert_eq!((status, &own["version"]["links"][0]), (200, &versions["versions"][0]["links"][0]));

    for (path, echo) in [("/compute/v2/flavors", None), ("/compute/v2.1/flavors", Some("compute 2.61"))] {
        let answer = vic.request(Method::GET, path).header("openstack-api-version", "compute 2.61").send().await?;
        assert_eq!(answer.headers().get("openstack-api-version").and_then(|v| v.to_str().ok()), echo, "{path}");
        let list: Value = answer.json().await?;
        let link = list["flavors"][0]["links"][0]["href"].as_str().unwrap_or_default();
        assert!(link.contains(&format!("{path}/")), "{link}");
    }
    Ok(())
}
