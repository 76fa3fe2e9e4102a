//! An Image for all namespaces, and one of a Server: policies image-visibility and server-images.

use anyhow::Result;
use kube::api::{Patch, PatchParams, PostParams};
use ostler_test_harness::{Cluster, control_plane::client_as};
use ostler_tests_apiserver::object::{api, object};
use ostler_tests_apiserver::verdict::expect;
use serde_json::json;

use super::grant;

#[tokio::test]
async fn publishing_an_image_needs_its_own_permission() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let (admin, namespace) = (cluster.admin().await?, cluster.namespace().await?);
    let image = |name: &str, visibility: &str| {
        object("images", name, &json!({"source": {"upload": {}}, "diskFormat": "raw", "visibility": visibility}))
    };
    let refusal = r#"spec.visibility: user "dave" needs verb update on images/publicize"#;
    let daves = api(&cluster.user("dave").await?, "images", &namespace)?;
    let create = PostParams::default();
    grant(&admin, &namespace, "dave", &[(&["images"], &["create", "patch"])]).await?;
    expect("create public", daves.create(&create, &image("a", "Public")?).await, Some(refusal))?;
    expect("create private", daves.create(&create, &image("a", "Private")?).await, None)?;
    let publish = Patch::Merge(json!({"spec": {"visibility": "Public"}}));
    expect("publish", daves.patch("a", &PatchParams::default(), &publish).await, Some(refusal))?;

    api(&admin, "images", &namespace)?.patch("a", &PatchParams::default(), &publish).await?;
    let rename = Patch::Merge(json!({"spec": {"displayName": "new"}}));
    expect("rename a public one", daves.patch("a", &PatchParams::default(), &rename).await, None)?;

    let more: &[(&[&str], &[&str])] = &[(&["images"], &["create"]), (&["images/publicize"], &["update"])];
    grant(&admin, &namespace, "dave", more).await?;
    expect("create public", daves.create(&create, &image("b", "Public")?).await, None)?;
    let shims = api(&cluster.shim().await?.client().await?, "images", &namespace)?;
    expect("the shim", shims.create(&create, &image("c", "Public")?).await, None)
}

#[tokio::test]
async fn the_manager_makes_and_deletes_shelves_alone_and_nobody_else_makes_one() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let (admin, namespace) = (cluster.admin().await?, cluster.namespace().await?);
    let of = |name: &str, shelf: bool| {
        let mut image = object("images", name, &json!({"source": {"server": {"name": "a"}}, "diskFormat": "qcow2"}))?;
        if shelf {
            image.metadata.labels = Some([("compute.ostler.dev/shelf-of".to_owned(), "u".to_owned())].into());
        }
        anyhow::Ok(image)
    };
    let (alone, managers) = (Some("the manager makes and deletes only"), Some("is the manager's"));
    let manager = api(&cluster.manager().await?.client().await?, "images", &namespace)?;
    let admins = api(&admin, "images", &namespace)?;
    let create = PostParams::default();
    expect("manager, another", manager.create(&create, &of("a", false)?).await, alone)?;
    expect("manager, a shelf", manager.create(&create, &of("s", true)?).await, None)?;
    expect("admin, a shelf", admins.create(&create, &of("t", true)?).await, managers)?;
    expect("admin, another", admins.create(&create, &of("b", false)?).await, None)?;
    let label = Patch::Merge(json!({"metadata": {"labels": {"compute.ostler.dev/shelf-of": "u"}}}));
    expect("admin, the label", admins.patch("b", &PatchParams::default(), &label).await, managers)?;
    expect("manager deletes another", manager.delete("b", &Default::default()).await.map(drop), alone)?;
    let only_copy = Some("the Image is the disk of a shelved Server");
    expect("admin deletes a shelf", admins.delete("s", &Default::default()).await.map(drop), only_copy)?;
    let all = admins.delete_collection(&Default::default(), &Default::default()).await;
    expect("admin deletes all", all.map(drop), only_copy)?;
    let generation = Patch::Merge(json!({"metadata": {"labels": {"compute.ostler.dev/shelf-generation": "9"}}}));
    expect("admin, its age", admins.patch("s", &PatchParams::default(), &generation).await, managers)?;
    let groups = ["system:serviceaccounts", "system:authenticated", "system:masters"];
    let collector =
        client_as(cluster.kubeconfig(), "system:serviceaccount:kube-system:generic-garbage-collector", &groups);
    let collected = api(&collector.await?, "images", &namespace)?;
    expect("the garbage collector", collected.delete("s", &Default::default()).await.map(drop), None)?;
    expect("manager, a shelf again", manager.create(&create, &of("s", true)?).await, None)?;
    expect("manager deletes a shelf", manager.delete("s", &Default::default()).await.map(drop), None)
}

#[tokio::test]
async fn an_image_of_a_server_needs_the_permission_for_that_server() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let (admin, namespace) = (cluster.admin().await?, cluster.namespace().await?);
    let of = |name: &str, server: &str| {
        object("images", name, &json!({"source": {"server": {"name": server}}, "diskFormat": "qcow2"}))
    };
    let refusal = r#"user "erin" needs verb update on servers/createimage to make an image of Server "a""#;
    let erins = api(&cluster.user("erin").await?, "images", &namespace)?;
    let create = PostParams::default();
    grant(&admin, &namespace, "erin", &[(&["images"], &["create"])]).await?;
    expect("without", erins.create(&create, &of("i", "a")?).await, Some(refusal))?;
    let upload = object("images", "u", &json!({"source": {"upload": {}}, "diskFormat": "raw"}))?;
    expect("another source", erins.create(&create, &upload).await, None)?;
    let more: &[(&[&str], &[&str])] = &[(&["images"], &["create"]), (&["servers/createimage"], &["update"])];
    grant(&admin, &namespace, "erin", more).await?;
    expect("with", erins.create(&create, &of("i", "a")?).await, None)?;
    let shims = api(&cluster.shim().await?.client().await?, "images", &namespace)?;
    expect("the shim", shims.create(&create, &of("j", "a")?).await, None)
}

#[tokio::test]
async fn nobody_says_for_another_namespace_that_it_wants_an_image() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let (admin, namespace) = (cluster.admin().await?, cluster.namespace().await?);
    let spec = json!({"source": {"upload": {}}, "diskFormat": "raw", "visibility": "Shared", "members": ["victim"]});
    let said = |word: &str| Patch::Merge(json!({"spec": {"memberStatus": {"victim": word}}}));
    let refusal = Some("spec.memberStatus is what members say");
    let images = api(&admin, "images", &namespace)?;
    let mut born = spec.clone();
    born["memberStatus"] = json!({"victim": "Accepted"});
    let create = PostParams::default();
    expect("at birth", images.create(&create, &object("images", "bait", &born)?).await, refusal)?;
    expect("shared", images.create(&create, &object("images", "bait", &spec)?).await, None)?;
    expect("later", images.patch("bait", &PatchParams::default(), &said("Accepted")).await, refusal)?;
    let shims = api(&cluster.shim().await?.client().await?, "images", &namespace)?;
    expect("the shim", shims.patch("bait", &PatchParams::default(), &said("Rejected")).await, None)?;
    expect("turned round", images.patch("bait", &PatchParams::default(), &said("Accepted")).await, refusal)?;
    let rename = Patch::Merge(json!({"spec": {"displayName": "new"}}));
    expect("rename", images.patch("bait", &PatchParams::default(), &rename).await, None)
}
