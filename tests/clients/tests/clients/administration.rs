//! Projects, users and roles by Keystone, in a release that serves their administration.

use anyhow::{Result, ensure};
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use kube::Api;
use ostler_test_harness::{Cluster, chart::RELEASE, wait_for, workload};
use ostler_tests_clients::{Cli, Http, PATIENCE, World, users};
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_leaves_it_to_kubernetes_says_so() -> Result<()> {
    let world = World::shared().await?;
    let pat = world.http("pat", &world.project).await?;
    let asked = [
        (Method::POST, "/identity/v3/projects".to_owned(), json!({"project": {"name": "team"}})),
        (Method::POST, "/identity/v3/users".to_owned(), json!({"user": {"name": "zoe", "password": "x"}})),
        (Method::DELETE, format!("/identity/v3/projects/{}", world.project), json!(null)),
    ];
    for (method, path, body) in asked {
        let (status, fault) = pat.send(method, &path, body).await?;
        assert_eq!(status, 501, "{fault}");
        assert!(fault["error"]["message"].as_str().is_some_and(|m| m.contains("identityAdministration")), "{fault}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_makes_a_project_a_user_and_a_role_and_takes_them_back() -> Result<()> {
    let cluster = Cluster::start(&["apiShim.identityAdministration=true"]).await?;
    let roles = workload::identity_administration();
    let shim = workload::shim(&cluster, "shim", &roles.each_ref().map(String::as_str)).await?;
    let (admin, home) = (cluster.admin().await?, cluster.project().await?);
    for role in ["platform-admin", "identity-admin"] {
        users::make_one(&admin, "root", &format!("{RELEASE}-{role}")).await?;
    }
    users::make_one(&admin, "pat", &format!("{RELEASE}-platform-admin")).await?;
    let url = format!("{}/identity/v3", shim.url);
    let root = Cli::new(&url, "root", &users::password("root"), &home)?;
    wait_for("the shim to know root", PATIENCE, || async { Ok(root.text(&["token", "issue"]).ok()) }).await?;

    let made = root.json(&["project", "create", "--description", "of people", "--tag", "x", "Team Ä"])?;
    assert_eq!((&made["name"], &made["id"]), (&json!("Team Ä"), &json!("team")), "{made}");
    assert!(root.refused(&["project", "create", "Team Ä"])?.contains("409"));
    root.json(&["user", "create", "--password", "zoe's pass", "--email", "zoe@example.com", "zoe"])?;
    assert!(root.refused(&["user", "create", "--password", "x", "zoe"])?.contains("409"));
    assert!(root.refused(&["user", "create", "--password", "x", "pat"])?.contains("409"), "pat is somebody else");

    // Without a role she gets no token; with one at once, and loses it at once.
    let login = || Http::login(&shim.url, "zoe", "zoe's pass", "Team Ä");
    ensure!(login().await.is_err(), "zoe has no role yet");
    root.text(&["role", "add", "--user", "zoe", "--project", "Team Ä", "member"])?;
    let zoe = login().await?;
    let (status, keys) = zoe.send(Method::POST, "/compute/v2.1/os-keypairs", json!({"keypair": {"name": "k"}})).await?;
    assert_eq!(status, 200, "{keys}");
    let shown = root.json(&["role", "assignment", "list", "--user", "zoe", "--project", "Team Ä", "--names"])?;
    assert_eq!(shown.as_array().map(Vec::len), Some(2), "member, and the reader in it: {shown}");
    for (method, path) in
        [(Method::POST, "projects"), (Method::POST, "users"), (Method::GET, "projects"), (Method::GET, "users")]
    {
        let body = if method == Method::GET {
            json!(null)
        } else {
            json!({"project": {"name": "b"}, "user": {"name": "b", "password": "p"}})
        };
        assert_eq!(zoe.send(method, &format!("/identity/v3/{path}"), body).await?.0, 403, "{path}");
    }

    // Who may do all that the API group has, but bind nobody, gives no role.
    let pat = Http::login(&shim.url, "pat", &users::password("pat"), &home).await?;
    let id = root.json(&["user", "show", "zoe"])?["id"].as_str().unwrap_or_default().to_owned();
    let path = format!("/identity/v3/projects/{home}/users/{id}/roles/admin");
    let (status, fault) = pat.send(Method::PUT, &path, json!(null)).await?;
    assert_eq!(status, 403, "{fault}");
    assert_eq!(pat.send(Method::POST, "/identity/v3/projects", json!({"project": {"name": "b"}})).await?.0, 403);

    // A project with an image stays, open as before; an empty one goes with what was given in it.
    let image = json!({"name": "i", "disk_format": "raw", "container_format": "bare"});
    let (status, image) = zoe.send(Method::POST, "/image/v2/images", image).await?;
    assert_eq!(status, 201, "{image}");
    assert!(root.refused(&["project", "delete", "Team Ä"])?.contains("409"));
    let image = format!("/image/v2/images/{}", image["id"].as_str().unwrap_or_default());
    assert_eq!(zoe.send(Method::DELETE, &image, json!(null)).await?.0, 204);
    root.text(&["project", "set", "--disable", "Team Ä"])?;
    assert_eq!(zoe.get("/compute/v2.1/os-keypairs").await?.0, 401, "a closed project");
    root.text(&["project", "set", "--enable", "Team Ä"])?;
    assert_eq!(zoe.get("/compute/v2.1/os-keypairs").await?.0, 200);
    let bindings: Api<ClusterRoleBinding> = Api::all(admin.clone());
    root.text(&["role", "add", "--user", "zoe", "--project", "Team Ä", "admin"])?;
    assert_eq!(zoe.get("/identity/v3/users").await?.0, 200, "an administrator at once");
    root.text(&["role", "remove", "--user", "zoe", "--project", "Team Ä", "admin"])?;
    assert_eq!(zoe.get("/identity/v3/users").await?.0, 403);
    root.text(&["user", "set", "--disable", "zoe"])?;
    assert_eq!(zoe.get("/compute/v2.1/os-keypairs").await?.0, 401, "a user who may not come in");
    root.text(&["user", "set", "--enable", "zoe"])?;

    // The next user of a name has nothing of the last one's.
    root.text(&["role", "add", "--user", "zoe", "--project", "Team Ä", "admin"])?;
    root.text(&["user", "delete", "zoe"])?;
    root.text(&["user", "create", "--password", "zoe's pass", "zoe"])?;
    ensure!(login().await.is_err(), "zoe has nothing of the last zoe's");
    let left = bindings.list(&Default::default()).await?;
    assert!(!left.items.iter().any(|b| b.metadata.name.as_ref().is_some_and(|n| n.starts_with("keystone-"))));
    root.text(&["project", "delete", "Team Ä"])?;
    assert!(!root.text(&["project", "list"])?.contains("Team"));
    // What was not made here stays.
    assert!(root.refused(&["project", "delete", &home])?.contains("403"));
    assert!(root.refused(&["user", "delete", "pat"])?.contains("403"));
    Ok(())
}
