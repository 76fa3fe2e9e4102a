//! The policy that gives every Server its finalizer, so that nobody has to write it later.

use anyhow::Result;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use ostler_crds::names::GUEST_FINALIZER;
use ostler_test_harness::Cluster;
use ostler_tests_apiserver::object::{api, object};
use serde_json::json;

fn finalizers(server: &DynamicObject) -> Vec<&str> {
    server.metadata.finalizers.iter().flatten().map(String::as_str).collect()
}

#[tokio::test]
async fn a_created_server_has_the_finalizer_once() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let servers = api(&cluster.admin().await?, "servers", &cluster.namespace().await?)?;
    let spec = json!({"flavor": "small", "image": "debian"});
    let plain = servers.create(&PostParams::default(), &object("servers", "plain", &spec)?).await?;
    assert_eq!(finalizers(&plain), [GUEST_FINALIZER]);

    let mut own = object("servers", "own", &spec)?;
    own.metadata.finalizers = Some(vec!["example.org/mine".to_owned()]);
    let own = servers.create(&PostParams::default(), &own).await?;
    assert_eq!(finalizers(&own), ["example.org/mine", GUEST_FINALIZER]);

    let mut present = object("servers", "present", &spec)?;
    present.metadata.finalizers = Some(vec![GUEST_FINALIZER.to_owned()]);
    let present = servers.create(&PostParams::default(), &present).await?;
    assert_eq!(finalizers(&present), [GUEST_FINALIZER]);
    Ok(())
}

#[tokio::test]
async fn applying_again_does_not_take_the_finalizer_away() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let servers = api(&cluster.admin().await?, "servers", &cluster.namespace().await?)?;
    let params = PatchParams::apply("kubectl");
    let manifest = |tags: &[&str]| object("servers", "a", &json!({"flavor": "small", "image": "debian", "tags": tags}));
    let first = servers.patch("a", &params, &Patch::Apply(manifest(&[])?)).await?;
    assert_eq!(finalizers(&first), [GUEST_FINALIZER]);
    let second = servers.patch("a", &params, &Patch::Apply(manifest(&["changed"])?)).await?;
    assert_eq!(finalizers(&second), [GUEST_FINALIZER]);
    Ok(())
}
