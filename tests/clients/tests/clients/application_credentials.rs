//! Application credentials and passwords, and the wider scopes of an administrator.

use anyhow::{Context, Result, ensure};
use ostler_tests_clients::{Cli, Http, World, users::password};
use reqwest::Method;
use serde_json::{Value, json};

const TOKENS: &str = "/v3/auth/tokens";

async fn own_path(http: &Http) -> Result<String> {
    let request = http.request(Method::GET, TOKENS).header("x-subject-token", http.token());
    let shown: Value = request.send().await?.json().await?;
    let id = shown["token"]["user"]["id"].as_str().context("no user")?;
    Ok(format!("/v3/users/{id}"))
}

async fn make(http: &Http, body: Value) -> Result<Value> {
    let path = format!("{}/application_credentials", own_path(http).await?);
    let (status, made) = http.send(Method::POST, &path, json!({"application_credential": body})).await?;
    ensure!(status == 201, "{status} {made}");
    Ok(made["application_credential"].clone())
}

async fn login(http: &Http, credential: &Value) -> Result<Http> {
    let (id, secret) = (&credential["id"], &credential["secret"]);
    let body = json!({"auth": {"identity": {"methods": ["application_credential"],
        "application_credential": {"id": id, "secret": secret}}}});
    let answer = http.request(Method::POST, TOKENS).json(&body).send().await?;
    ensure!(answer.status().as_u16() == 201, "{}", answer.status());
    let token = answer.headers().get("x-subject-token").context("no token")?.to_str()?.to_owned();
    Ok(http.with_token(&token))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_credential_is_a_credential_of_the_stock_client() -> Result<()> {
    let world = World::shared().await?;
    let ada = world.ada()?;
    let made =
        ada.json(&["application", "credential", "create", "--role", "reader", "--description", "builds", "ci"])?;
    let (id, secret) = (made["ID"].as_str().context("no id")?, made["Secret"].as_str().context("no secret")?);
    let listed = ada.json(&["application", "credential", "list"])?;
    assert!(listed.as_array().into_iter().flatten().any(|c| c["Name"] == "ci"), "{listed}");
    let shown = ada.json(&["application", "credential", "show", "ci"])?;
    assert!(shown["Description"] == "builds" && !shown.to_string().contains(secret), "{shown}");

    let robot = Cli::with_application_credential(&format!("{}/v3", world.shim.url), id, secret)?;
    assert_eq!(robot.json(&["token", "issue"])?["project_id"], *world.project);
    robot.json(&["server", "list"])?;
    let said = robot.refused(&["keypair", "create", "robots"])?;
    assert!(said.contains("403"), "{said}");
    ada.text(&["application", "credential", "delete", "ci"])?;
    assert!(robot.refused(&["token", "issue"])?.contains("HTTP 401"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_gives_no_more_than_it_was_given_and_ends_when_it_is_deleted() -> Result<()> {
    let world = World::shared().await?;
    let ada = world.http("ada", &world.project).await?;
    let own = own_path(&ada).await?;
    let (all, some) =
        (make(&ada, json!({"name": "all"})).await?, json!({"name": "some", "roles": [{"name": "reader"}]}));
    let some = make(&ada, some).await?;
    let (all_token, some_token) = (login(&ada, &all).await?, login(&ada, &some).await?);

    let key = |name: &str| json!({"keypair": {"name": name}});
    assert_eq!(some_token.get("/compute/v2.1/servers").await?.0, 200);
    assert_eq!(some_token.send(Method::POST, "/compute/v2.1/os-keypairs", key("one")).await?.0, 403);
    assert_eq!(all_token.send(Method::POST, "/compute/v2.1/os-keypairs", key("one")).await?.0, 200);
    assert_eq!(all_token.send(Method::DELETE, "/compute/v2.1/os-keypairs/one", Value::Null).await?.0, 202);

    // Restricted as it is, it makes no others, and leads to no other scope.
    let path = format!("{own}/application_credentials");
    let another = json!({"application_credential": {"name": "another"}});
    assert_eq!(all_token.send(Method::POST, &path, another.clone()).await?.0, 403);
    assert_eq!(ada.send(Method::POST, &path, json!({"application_credential": {"name": "all"}})).await?.0, 409);
    let again = |scope: Value| json!({"auth": {"identity": {"methods": ["token"], "token": {"id": all_token.token()}}, "scope": scope}});
    assert_eq!(ada.send(Method::POST, TOKENS, again(json!("unscoped"))).await?.0, 403);
    let (status, shown) = ada.send(Method::POST, TOKENS, again(json!({"project": {"id": world.project}}))).await?;
    assert_eq!((status, &shown["token"]["application_credential"]["restricted"]), (201, &json!(true)), "{shown}");
    let change = json!({"user": {"original_password": password("ada"), "password": "x"}});
    assert_eq!(all_token.send(Method::POST, &format!("{own}/password"), change).await?.0, 403);

    // Nobody else sees it, but for an administrator.
    let one = format!("{path}/{}", all["id"].as_str().context("no id")?);
    let (vic, pat) = (world.http("vic", &world.project).await?, world.http("pat", &world.project).await?);
    assert_eq!((vic.get(&one).await?.0, pat.get(&one).await?.0), (403, 200));
    for (token, credential) in [(&all_token, &all), (&some_token, &some)] {
        let one = format!("{path}/{}", credential["id"].as_str().context("no id")?);
        assert_eq!(ada.send(Method::DELETE, &one, Value::Null).await?.0, 204);
        assert_eq!(token.get("/compute/v2.1/servers").await?.0, 401);
    }
    // Under the same name there is a new one, for which the old secret is none.
    let anew = make(&ada, json!({"name": "all", "unrestricted": true})).await?;
    assert_eq!(anew["id"], all["id"]);
    assert!(login(&ada, &all).await.is_err());
    let free = login(&ada, &anew).await?;
    assert_eq!(free.send(Method::POST, &path, another).await?.0, 201);
    for name in ["all", "another"] {
        let (_, found) = ada.get(&format!("{path}?name={name}")).await?;
        let id = found["application_credentials"][0]["id"].as_str().context("not listed")?;
        assert_eq!(ada.send(Method::DELETE, &format!("{path}/{id}"), Value::Null).await?.0, 204);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_changes_the_password_and_every_token_of_the_old_one_ends() -> Result<()> {
    let world = World::shared().await?;
    let kim = world.http("kim", &world.project).await?;
    let path = format!("{}/password", own_path(&kim).await?);
    let change = |from: &str, to: &str| json!({"user": {"original_password": from, "password": to}});
    let old = password("kim");
    assert_eq!(kim.send(Method::POST, &path, change("guess", "new")).await?.0, 401);
    assert_eq!(kim.send(Method::POST, &path, change(&old, "")).await?.0, 400);
    let ada = world.http("ada", &world.project).await?;
    assert_eq!(ada.send(Method::POST, &path, change(&old, "new")).await?.0, 403);
    assert_eq!(kim.send(Method::POST, &path, change(&old, "new")).await?.0, 204);
    assert_eq!(kim.get("/v3/auth/catalog").await?.0, 401);
    assert!(world.http("kim", &world.project).await.is_err());
    let kim = Http::login(&world.shim.url, "kim", "new", &world.project).await?;
    assert_eq!(kim.send(Method::POST, &path, change("new", &old)).await?.0, 204);
    world.http("kim", &world.project).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_domain_and_the_system_are_scopes_of_administrators_and_all_may_read_the_registry() -> Result<()> {
    let world = World::shared().await?;
    let anybody = world.http("ada", &world.project).await?;
    let ask = |user: &str, scope: Value| {
        json!({"auth": {"identity": {"methods": ["password"], "password": {
            "user": {"name": user, "domain": {"id": "default"}, "password": password(user)}}}, "scope": scope}})
    };
    for (scope, key) in [(json!({"domain": {"id": "default"}}), "domain"), (json!({"system": {"all": true}}), "system")]
    {
        let (status, issued) = anybody.send(Method::POST, TOKENS, ask("pat", scope.clone())).await?;
        assert!(
            status == 201 && !issued["token"][key].is_null() && issued["token"]["roles"][0]["id"] == "admin",
            "{issued}"
        );
        assert!(issued["token"]["project"].is_null() && !issued["token"]["catalog"].is_null(), "{issued}");
        assert_eq!(anybody.send(Method::POST, TOKENS, ask("ada", scope)).await?.0, 401);
    }
    let (ada, pat) = (world.ada()?, world.cli("pat", &world.project)?);
    assert_eq!(pat.json(&["endpoint", "list"])?.as_array().map(Vec::len), Some(12));
    assert_eq!(pat.json(&["role", "list"])?.as_array().map(Vec::len), Some(3));
    assert_eq!(pat.json(&["domain", "show", "Default"])?["id"], "default");
    let users = pat.json(&["user", "list"])?;
    assert!(users.to_string().contains("vic"), "{users}");
    let said = ada.refused(&["user", "list"])?;
    assert!(said.contains("403"), "{said}");
    let assigned =
        pat.json(&["role", "assignment", "list", "--names", "--user", "vic", "--project", &world.project])?;
    assert_eq!(assigned.as_array().map(Vec::len), Some(1), "{assigned}");
    assert_eq!((&assigned[0]["Role"], &assigned[0]["User"]), (&json!("reader"), &json!("vic@Default")));
    Ok(())
}
