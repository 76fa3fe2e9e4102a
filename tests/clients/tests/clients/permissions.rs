//! Every route as nobody, reader, member, another project's member and administrator: docs/permissions.md says what comes of
//! it, and this walk finds the same.
//!
//! The file is written anew by `OSTLER_WRITE_PERMISSIONS=1 cargo test -p ostler-tests-clients every_route`; read the
//! difference before you commit it.

use anyhow::{Context, Result, ensure};
use ostler_api_shim::routes::permissions::{Operation, operations};
use ostler_test_harness::{apply::apply_yaml, paths::repository, wait_for};
use ostler_tests_clients::{Http, PATIENCE, World};
use reqwest::Method;
use serde_json::{Value, json};

/// What nobody has.
const NOTHING: &str = "00000000-0000-4000-8000-000000000000";
const HEAD: &str = "\
# Permissions of the OpenStack front

What each operation needs: a verb on a kind, or on a virtual subresource that stands for an action, in the project of the
token. `api-shim iam ACTION…` prints the Role for IAM actions. Who may, with Kubernetes' own roles and the chart's rules in
them (`view`, `edit`, `<release>-platform-admin`): *other* is a member of another project who names an object of this one; *501* is
what this version refuses to everybody.

A test asks every operation as each of them and finds this table (`tests/clients`, permissions.rs).

| method | path | needs | nobody | reader | member | other | admin |
|---|---|---|---|---|---|---|---|
";

/// The objects of the project that the other project's member names.
struct Objects {
    server: String,
    image: String,
    key_pair: String,
}

fn path_of(operation: &Operation, objects: Option<&Objects>) -> String {
    let kind = |name: &str| operation.path.contains(&format!("/{name}/{{"));
    let first = match objects {
        Some(o) if kind("servers") => o.server.as_str(),
        Some(o) if kind("images") => o.image.as_str(),
        Some(o) if kind("os-keypairs") => o.key_pair.as_str(),
        _ => NOTHING,
    };
    let mut parts = Vec::new();
    let mut id = Some(first);
    for part in operation.path.split('/') {
        parts.push(if part.starts_with('{') { id.take().unwrap_or("x") } else { part });
    }
    parts.join("/")
}

/// A body that is fit for the operation, so that only its object is amiss.
fn body_of(operation: &Operation) -> Value {
    let rest = operation.path.rsplit_once('}').map_or("", |(_, rest)| rest);
    match (operation.action, operation.method.as_str(), operation.path.as_str()) {
        (Some("reboot"), ..) => json!({"reboot": {"type": "SOFT"}}),
        (Some("rebuild"), ..) => json!({"rebuild": {"imageRef": NOTHING}}),
        (Some("resize"), ..) => json!({"resize": {"flavorRef": NOTHING}}),
        (Some("rescue"), ..) => json!({"rescue": {}}),
        (Some("changePassword"), ..) => json!({"changePassword": {"adminPass": "x"}}),
        (Some("createImage"), ..) => json!({"createImage": {"name": "x"}}),
        (Some("createBackup"), ..) => {
            json!({"createBackup": {"name": "x", "backup_type": "daily", "rotation": 1}})
        }
        (Some("os-resetState"), ..) => json!({"os-resetState": {"state": "error"}}),
        (Some("os-getConsoleOutput"), ..) => json!({"os-getConsoleOutput": {}}),
        (Some(name @ ("addSecurityGroup" | "removeSecurityGroup")), ..) => json!({ name: {"name": "default"} }),
        (Some(name), ..) => json!({ name: null }),
        (None, "PUT", path) if path.ends_with("/servers/{id}") => json!({"server": {"name": "x"}}),
        (None, "PUT", path) if path.ends_with("/metadata/{key}") => json!({"meta": {"x": "y"}}),
        (None, "PUT", path) if path.ends_with("/members/{member}") => json!({"status": "accepted"}),
        (None, "PATCH", _) => json!([]),
        (None, ..) => match rest {
            "/metadata" => json!({"metadata": {"x": "y"}}),
            "/tags" => json!({"tags": ["x"]}),
            "/members" => json!({"member": "x"}),
            "/import" => json!({"method": {"name": "glance-direct"}}),
            _ => json!({}),
        },
    }
}

async fn verdict(operation: &Operation, caller: &Http, objects: Option<&Objects>) -> Result<&'static str> {
    let path = path_of(operation, objects);
    let method: Method = operation.method.as_str().parse()?;
    let request = caller.request(method, &path).header("openstack-api-version", format!("compute {}", operation.since));
    let bytes = ["/file", "/stage"].iter().any(|end| path.ends_with(end));
    let request = match operation.method.as_str() {
        "GET" | "DELETE" => request,
        "PUT" if bytes => request.header("content-type", "application/octet-stream").body("x"),
        "PATCH" => request
            .header("content-type", "application/openstack-images-v2.1-json-patch")
            .body(body_of(operation).to_string()),
        _ => request.json(&body_of(operation)),
    };
    let status = request.send().await.with_context(|| path.clone())?.status().as_u16();
    let owned = ["/servers/{", "/images/{", "/os-keypairs/{"].iter().any(|k| operation.path.contains(k));
    Ok(match status {
        501 => "501",
        401 | 403 => "no",
        // Whether there is such an object is not told.
        404 if objects.is_some() && owned => "no",
        _ if objects.is_some() && owned => "?",
        500.. => "5xx",
        _ => "yes",
    })
}

async fn objects(world: &World, ada: &Http) -> Result<Objects> {
    let admin = world.admin().await?;
    // A Server that never finds its flavor: no guest is made for it.
    let text = "
apiVersion: compute.ostler.dev/v1alpha1
kind: Server
metadata: {name: walked}
spec: {flavor: no-such, image: no-such}
---
apiVersion: compute.ostler.dev/v1alpha1
kind: Image
metadata: {name: walked}
spec: {diskFormat: raw, source: {upload: {}}}
";
    let made = apply_yaml(&admin, text, &world.project).await?;
    let [server, image] = made.as_slice() else { anyhow::bail!("not two objects") };
    let uid = |o: &kube::api::DynamicObject| o.metadata.uid.clone().context("no uid");
    let (status, pair) =
        ada.send(Method::POST, "/compute/v2.1/os-keypairs", json!({"keypair": {"name": "walked"}})).await?;
    ensure!(status == 200, "{pair}");
    let objects = Objects { server: uid(server)?, image: uid(image)?, key_pair: "walked".to_owned() };
    let path = format!("/compute/v2.1/servers/{}", objects.server);
    wait_for("the Server to be seen", PATIENCE, || async { Ok((ada.get(&path).await?.0 == 200).then_some(())) })
        .await?;
    let path = format!("/image/v2/images/{}", objects.image);
    wait_for("the Image to be seen", PATIENCE, || async { Ok((ada.get(&path).await?.0 == 200).then_some(())) }).await?;
    Ok(objects)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_gives_each_kind_of_user_the_verdict_that_is_documented() -> Result<()> {
    let world = World::shared().await?;
    let login = async |user: &str, project: &str| world.http(user, project).await;
    let (vic, ada) = (login("vic", &world.project).await?, login("ada", &world.project).await?);
    let (eve, pat) = (login("eve", &world.rival).await?, login("pat", &world.project).await?);
    let nobody = ada.with_token("");
    let objects = objects(world, &ada).await?;

    let (mut table, mut wrong) = (HEAD.to_owned(), Vec::new());
    for operation in operations() {
        let callers = [(&nobody, None), (&vic, None), (&ada, None), (&eve, Some(&objects)), (&pat, None)];
        let mut verdicts = Vec::new();
        for (caller, objects) in callers {
            verdicts.push(verdict(&operation, caller, objects).await?);
        }
        ensure!(operation.needs.is_empty() == (verdicts[0] == "yes"), "{operation:?}: nobody: {verdicts:?}");
        wrong.extend(verdicts.iter().any(|v| ["?", "5xx"].contains(v)).then(|| format!("{operation:?}: {verdicts:?}")));
        table += &format!("| {} | {} |\n", operation.cells().join(" | "), verdicts.join(" | "));
    }
    // Neither did anything of this break, nor was anybody told of another project's object, not even by a 400 or 409.
    ensure!(wrong.is_empty(), "{wrong:#?}");
    // Nothing of what the other one named is gone.
    for (path, key) in [("/compute/v2.1/servers/", &objects.server), ("/image/v2/images/", &objects.image)] {
        ensure!(ada.get(&format!("{path}{key}")).await?.0 == 200, "{path} is gone");
    }
    ensure!(ada.get("/compute/v2.1/os-keypairs/walked").await?.0 == 200, "the key pair is gone");

    let file = repository().join("docs/permissions.md");
    if std::env::var_os("OSTLER_WRITE_PERMISSIONS").is_some() {
        std::fs::write(&file, &table)?;
    }
    let documented = std::fs::read_to_string(&file)?;
    let differs: Vec<(&str, &str)> =
        documented.lines().zip(table.lines()).filter(|(documented, found)| documented != found).collect();
    ensure!(documented == table, "documented and found: {differs:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p12_what_an_iam_action_depends_on_is_asked_for_too() -> Result<()> {
    let world = World::shared().await?;
    let admin = world.admin().await?;
    let role = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: bytes-alone}
rules:
- {apiGroups: [compute.ostler.dev], resources: [images/bytes], verbs: [update]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: bytes-alone}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: bytes-alone}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: vic}]
";
    apply_yaml(&admin, role, &world.project).await?;
    let vic = world.http("vic", &world.project).await?;
    let path = format!("/image/v2/images/{NOTHING}/file");
    wait_for("the upload to be refused for what it depends on", PATIENCE, || async {
        let (status, fault): (u16, Value) = vic.send(Method::PUT, &path, Value::Null).await?;
        ensure!(status == 403, "{status} {fault}");
        let said = fault["message"].as_str().unwrap_or_default();
        Ok(said.contains("permission to update images in").then_some(()))
    })
    .await
}
