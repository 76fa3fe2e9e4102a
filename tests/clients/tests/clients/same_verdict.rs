//! The same verdict through both fronts: what a user may not do through the shim, a patch of the object does not do either.
//! Each row is one change in both forms; it is asked by the kinds of user of docs/permissions.md, by somebody who has nothing
//! but the permission that the row names, and by somebody who has all but that.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use kube::{
    Api, Client,
    api::{DynamicObject, Patch, PatchParams, PostParams},
};
use ostler_api_shim::routes::permissions::operations;
use ostler_crds::{Image, Server};
use ostler_test_harness::{apply::apply_yaml, chart::NAMESPACE, control_plane::client_as, identity::token, wait_for};
use ostler_tests_clients::{Http, PATIENCE, World};
use reqwest::Method;
use serde_json::{Value, json};

/// What nobody has.
const NOTHING: &str = "00000000-0000-4000-8000-000000000000";

/// Permissions of actions that no field of a Server stands for, so that a patch cannot do them.
const NO_FIELD: &[&str] = &["crashdump", "interfaces", "migrate"];

/// A change in both forms.
struct Change {
    /// The virtual subresource of `servers` that it needs `update` on.
    needs: &'static str,
    /// Merged into the Server; `Null`: an image is made of it.
    patch: Value,
    /// The end of the path and the body for the shim.
    request: (&'static str, Value),
}

fn changes() -> Vec<Change> {
    let spec = |field: &str, value: Value| json!({"spec": {field: value}});
    let action = |of: &str| spec("action", json!({"id": of, "type": of}));
    let rows = [
        ("power", spec("powerState", json!("Stopped")), json!({"os-stop": null})),
        ("pause", spec("powerState", json!("Paused")), json!({"pause": null})),
        ("suspend", spec("powerState", json!("Suspended")), json!({"suspend": null})),
        ("shelve", spec("powerState", json!("Shelved")), json!({"shelve": null})),
        ("reboot", action("RebootHard"), json!({"reboot": {"type": "HARD"}})),
        ("reboot", action("RebootSoft"), json!({"reboot": {"type": "SOFT"}})),
        ("rebuild", action("Rebuild"), json!({"rebuild": {"imageRef": NOTHING}})),
        ("rebuild", spec("image", json!("other")), json!({"rebuild": {"imageRef": NOTHING}})),
        ("resize", spec("flavor", json!("other")), json!({"resize": {"flavorRef": NOTHING}})),
        ("resize", action("ConfirmResize"), json!({"confirmResize": null})),
        ("rescue", spec("rescue", json!({})), json!({"rescue": null})),
        (
            "password",
            spec("adminPassword", json!({"hash": "$6$salt$0123456789abcdef"})),
            json!({"changePassword": {"adminPass": "x"}}),
        ),
        ("resetstate", action("ResetToError"), json!({"os-resetState": {"state": "active"}})),
        ("evacuate", action("Evacuate"), json!({"evacuate": {}})),
        ("securitygroups", spec("securityGroups", json!([])), json!({"addSecurityGroup": {"name": "default"}})),
        ("lock", spec("locked", json!(true)), json!({"unlock": null})),
        ("createimage", Value::Null, json!({"createImage": {"name": "x"}})),
    ];
    let mut changes: Vec<Change> =
        rows.into_iter().map(|(needs, patch, body)| Change { needs, patch, request: ("/action", body) }).collect();
    changes.push(Change {
        needs: "metadata",
        patch: spec("metadata", json!({"a": "b"})),
        request: ("/metadata", json!({"metadata": {"a": "b"}})),
    });
    changes
}

/// A user of both fronts.
struct User {
    name: String,
    kubernetes: Client,
    openstack: Http,
}

/// The Server that all want to change.
struct Target<'a> {
    world: &'a World,
    id: String,
}

const SERVER: &str = "contested";

impl Target<'_> {
    async fn through_the_shim(&self, user: &User, change: &Change) -> Result<bool> {
        let (end, body) = &change.request;
        let path = format!("/compute/v2.1/servers/{}{end}", self.id);
        let (status, answer) = user.openstack.send(Method::POST, &path, body.clone()).await?;
        ensure!(status < 500, "{}: {path}: {status} {answer}", user.name);
        // 404 of the Server itself, not of what a body names.
        let hidden = status == 404 && answer.to_string().contains(&self.id);
        Ok(!matches!(status, 401 | 403) && !hidden)
    }

    /// Nothing is kept of it: it is a dry run.
    async fn through_kubernetes(&self, user: &User, change: &Change) -> Result<bool> {
        let project = &self.world.project;
        let answer = if change.patch.is_null() {
            let image = json!({"apiVersion": "compute.ostler.dev/v1alpha1", "kind": "Image", "metadata": {"name": "of-it"},
                "spec": {"diskFormat": "qcow2", "source": {"server": {"name": SERVER}}}});
            let images: Api<Image> = Api::namespaced(user.kubernetes.clone(), project);
            let dry = PostParams { dry_run: true, ..PostParams::default() };
            images.create(&dry, &serde_json::from_value(image)?).await.map(drop)
        } else {
            let servers: Api<Server> = Api::namespaced(user.kubernetes.clone(), project);
            let dry = PatchParams { dry_run: true, ..PatchParams::default() };
            servers.patch(SERVER, &dry, &Patch::Merge(&change.patch)).await.map(drop)
        };
        match answer {
            Ok(()) => Ok(true),
            Err(kube::Error::Api(refusal)) if refusal.code == 403 => Ok(false),
            Err(error) => Err(error).with_context(|| format!("{}: {}", user.name, change.patch)),
        }
    }

    /// Asks both; what is wrong with the answers.
    async fn judge(&self, user: &User, change: &Change, may: bool) -> Result<Option<String>> {
        let found = (self.through_kubernetes(user, change).await?, self.through_the_shim(user, change).await?);
        // What the shim did is undone, so that the next patch is a change again.
        let again = json!({"spec": {"powerState": "Running", "action": null}});
        self.world.servers().await?.patch(SERVER, &PatchParams::default(), &Patch::Merge(&again)).await?;
        let what = format!("{}: {} or {}", user.name, change.patch, change.request.1);
        Ok((found != (may, may)).then(|| format!("{what}: may: {may}, by kubectl and by the shim: {found:?}")))
    }
}

/// ServiceAccounts `only-…` and `not-…` for each permission, with tokens that both fronts know.
async fn narrow_users(world: &World, permissions: &BTreeSet<&'static str>) -> Result<Vec<(&'static str, bool, User)>> {
    let admin = world.admin().await?;
    let mut users = Vec::new();
    for permission in permissions {
        for (may, name) in [(true, format!("only-{permission}")), (false, format!("not-{permission}"))] {
            let given: Vec<String> =
                permissions.iter().filter(|p| (*p == permission) == may).map(|p| format!("servers/{p}")).collect();
            let own = format!("{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: {name}}}}}");
            apply_yaml(&admin, &own, NAMESPACE).await?;
            let objects = format!(
                "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: {name}}}
rules:
- {{apiGroups: [compute.ostler.dev], resources: [servers], verbs: [get, list, patch, update]}}
- {{apiGroups: [compute.ostler.dev], resources: [images], verbs: [get, list, create]}}
- {{apiGroups: [compute.ostler.dev], resources: {given:?}, verbs: [update]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: {name}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: {name}}}
subjects: [{{kind: ServiceAccount, name: {name}, namespace: {NAMESPACE}}}]
"
            );
            let _: Vec<DynamicObject> = apply_yaml(&admin, &objects, &world.project).await?;
            let user = format!("system:serviceaccount:{NAMESPACE}:{name}");
            let kubernetes = world.cluster.user(&user).await?;
            let bearer = token(&admin, &name, None, None).await?;
            let openstack = Http::login_by_token(&world.shim.url, &bearer, &world.project).await?;
            users.push((*permission, may, User { name, kubernetes, openstack }));
        }
    }
    Ok(users)
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_and_the_shim_say_the_same_to_every_change_of_a_server() -> Result<()> {
    let world = World::shared().await?;
    let changes = changes();
    let permissions: BTreeSet<&str> = changes.iter().map(|c| c.needs).collect();
    // A new action has a row here, or no field.
    let of_actions: BTreeSet<String> = operations()
        .iter()
        .filter(|o| o.action.is_some())
        .flat_map(|o| o.needs.iter())
        .filter_map(|need| Some(need.strip_prefix("update servers/")?.to_owned()))
        .collect();
    let known: BTreeSet<String> = permissions.iter().chain(NO_FIELD).map(|p| (*p).to_owned()).collect();
    let missing: Vec<_> = of_actions.difference(&known).collect();
    ensure!(missing.is_empty(), "actions whose permissions are in no row: {missing:?}");

    // A Server that never finds its flavor: no guest is made for it.
    let text = format!(
        "{{apiVersion: compute.ostler.dev/v1alpha1, kind: Server, metadata: {{name: {SERVER}}}, spec: {{flavor: no-such, image: no-such}}}}"
    );
    apply_yaml(&world.admin().await?, &text, &world.project).await?;
    let id = world.servers().await?.get(SERVER).await?.metadata.uid.context("no uid")?;
    let pat = world.http("pat", &world.project).await?;
    let path = format!("/compute/v2.1/servers/{id}");
    wait_for("the Server to be seen", PATIENCE, || async { Ok((pat.get(&path).await?.0 == 200).then_some(())) })
        .await?;
    let target = Target { world, id };

    let mut wrong = Vec::new();
    for (name, project, member, administrator) in [
        ("vic", &world.project, false, false),
        ("ada", &world.project, true, false),
        ("eve", &world.rival, false, false),
        ("pat", &world.project, true, true),
    ] {
        let openstack = world.http(name, project).await?;
        let user = User { name: name.to_owned(), kubernetes: world.cluster.user(name).await?, openstack };
        for change in &changes {
            let of_administrators = ["resetstate", "evacuate"].contains(&change.needs);
            let may = if of_administrators { administrator } else { member };
            wrong.extend(target.judge(&user, change, may).await?);
        }
    }
    let kubernetes = client_as(world.cluster.kubeconfig(), "system:anonymous", &["system:unauthenticated"]).await?;
    let nobody = User { name: "nobody".to_owned(), kubernetes, openstack: pat.with_token("") };
    for change in &changes {
        wrong.extend(target.judge(&nobody, change, false).await?);
    }
    for (permission, may, user) in narrow_users(world, &permissions).await? {
        for change in changes.iter().filter(|c| c.needs == permission) {
            wrong.extend(target.judge(&user, change, may).await?);
        }
    }
    ensure!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}
