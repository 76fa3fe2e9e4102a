//! Tokens, the catalog, and who is turned away.

use anyhow::Result;
use ostler_tests_clients::{World, users::password};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_issued_and_the_catalog_names_every_service() -> Result<()> {
    let world = World::shared().await?;
    let ada = world.ada()?;
    let token = ada.json(&["token", "issue"])?;
    assert_eq!(token["project_id"], *world.project);
    assert_eq!(token["user_id"].as_str().map(str::len), Some(32), "{token}");
    assert!(token["expires"].as_str().is_some_and(|e| e.ends_with("+0000")), "{token}");

    let catalog = ada.json(&["catalog", "list"])?;
    let mut services: Vec<_> = catalog.as_array().unwrap().iter().map(|s| s["Type"].as_str().unwrap()).collect();
    services.sort_unstable();
    assert_eq!(services, ["compute", "identity", "image", "network"]);
    assert!(catalog.to_string().contains(&format!("{}/compute/v2.1", world.shim.url)), "{catalog}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_an_unknown_user_and_a_foreign_project_are_refused_with_401() -> Result<()> {
    let world = World::shared().await?;
    let url = format!("{}/v3", world.shim.url);
    let turned_away = |user: &str, password: &str, project: &str| {
        ostler_tests_clients::Cli::new(&url, user, password, project)?.refused(&["token", "issue"])
    };
    let said = turned_away("ada", "guess", &world.project)?;
    assert!(said.contains("The request you have made requires authentication. (HTTP 401)"), "{said}");
    // Whether there is such a user is nobody's business.
    let unknown = turned_away("nobody", "guess", &world.project)?;
    assert_eq!(without_request_id(&unknown), without_request_id(&said));
    // Who has proven himself is told more, but not whether there is such a project.
    let foreign = turned_away("eve", &password("eve"), &world.project)?;
    assert!(foreign.contains("eve has no role in project") && foreign.contains("(HTTP 401)"), "{foreign}");
    let missing = turned_away("eve", &password("eve"), "no-such")?;
    assert_eq!(
        without_request_id(&missing).replace("no-such", "X"),
        without_request_id(&foreign).replace(&world.project, "X")
    );
    Ok(())
}

fn without_request_id(said: &str) -> String {
    said.split(" (Request-ID").next().unwrap_or_default().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down_and_a_revoked_token_is_good_no_more() -> Result<()> {
    let world = World::shared().await?;
    let guess = json!({"auth": {"identity": {"methods": ["password"], "password": {
        "user": {"name": "victim", "domain": {"id": "default"}, "password": "guess"}}}}});
    let ada = world.http("ada", &world.project).await?;
    let mut codes = Vec::new();
    for _ in 0..5 {
        codes.push(ada.send(Method::POST, "/v3/auth/tokens", guess.clone()).await?.0);
    }
    assert_eq!(codes, [401, 401, 401, 429, 429]);

    // Nor does it help to send them all at once.
    let guess = json!({"auth": {"identity": {"methods": ["password"], "password": {
        "user": {"name": "other", "domain": {"id": "default"}, "password": "guess"}}}}});
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (ada, guess) = (ada.clone(), guess.clone());
        all.spawn(async move { ada.send(Method::POST, "/v3/auth/tokens", guess).await.map(|a| a.0) });
    }
    let codes: Vec<u16> = all.join_all().await.into_iter().collect::<Result<_>>()?;
    let looked_at = codes.iter().filter(|c| **c == 401).count();
    assert!((3..=4).contains(&looked_at) && codes.iter().all(|c| matches!(c, 401 | 429)), "{codes:?}");

    let second = world.http("ada", &world.project).await?;
    assert_eq!(second.get("/v3/auth/catalog").await?.0, 200);
    // A token may be revoked by whoever holds another of the same user.
    let request = ada.request(Method::DELETE, "/v3/auth/tokens").header("x-subject-token", second.token());
    assert_eq!(request.send().await?.status().as_u16(), 204);
    assert_eq!(second.get("/v3/auth/catalog").await?.0, 401);
    assert_eq!(ada.get("/v3/auth/catalog").await?.0, 200);
    for bad in ["", "nonsense", &format!("{}x", ada.token()), &ada.token()[1..]] {
        let (status, fault) = ada.with_token(bad).get("/compute/v2.1/servers").await?;
        assert_eq!((status, &fault["unauthorized"]["code"]), (401, &json!(401)), "{bad}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kubernetes_token_is_a_credential_too_and_what_comes_of_it_ends_with_it() -> Result<()> {
    let world = World::shared().await?;
    let anybody = world.http("ada", &world.project).await?;
    // The manager's ServiceAccount may list Servers everywhere, so it is a reader of the project.
    let admin = world.admin().await?;
    let token = ostler_test_harness::identity::token(&admin, "ostler-manager", None, None).await?;
    let ask = |token: &str| {
        json!({"auth": {"identity": {"methods": ["token"], "token": {"id": token}},
            "scope": {"project": {"id": world.project}}}})
    };
    let (status, issued) = anybody.send(Method::POST, "/v3/auth/tokens", ask(&token)).await?;
    assert_eq!(status, 201, "{issued}");
    assert_eq!(issued["token"]["user"]["name"], "system:serviceaccount:ostler-system:ostler-manager");
    assert_eq!(issued["token"]["roles"], json!([{"id": "reader", "name": "reader"}]));
    // One for another audience is none for the API server, and no credential here.
    let stream = std::fs::read_to_string(world.cluster.manager().await?.stream_token)?;
    assert_eq!(anybody.send(Method::POST, "/v3/auth/tokens", ask(&stream)).await?.0, 401);
    assert_eq!(anybody.send(Method::POST, "/v3/auth/tokens", ask("a.b.c")).await?, (401, refusal()));
    Ok(())
}

fn refusal() -> Value {
    json!({"error": {"code": 401, "title": "Unauthorized",
        "message": "The request you have made requires authentication."}})
}
