//! The label that overrides an object's OpenStack id: policy identity.

use anyhow::Result;
use kube::api::PostParams;
use ostler_tests_apiserver::object::object;
use ostler_tests_apiserver::verdict::expect;
use serde_json::{Value, json};

use super::Stage;

const ID: &str = "0a1b2c3d-0000-4000-8000-00000000000f";

fn label(value: Value) -> Value {
    json!({"metadata": {"labels": {"compute.ostler.dev/id": value}}})
}

#[tokio::test]
async fn an_id_is_given_at_birth_or_never() -> Result<()> {
    let stage = Stage::with_server_on("").await?;
    let admin = stage.cluster.admin().await?;
    let fixed = Some("cannot be changed once the object exists");
    expect("later", stage.change(&admin, label(json!(ID))).await, fixed)?;

    let servers = stage.servers(&admin)?;
    let mut server = object("servers", "b", &json!({"flavor": "small", "image": "debian"}))?;
    for (id, refusal) in [("42", Some("must be a lower-case UUID")), (ID, None)] {
        server.metadata.labels = Some([("compute.ostler.dev/id".to_owned(), id.to_owned())].into());
        expect(id, servers.create(&PostParams::default(), &server).await, refusal)?;
    }
    let other = kube::api::Patch::Merge(label(Value::Null));
    expect("removed", servers.patch("b", &Default::default(), &other).await, fixed)
}

#[tokio::test]
async fn a_flavor_has_an_id_of_any_kind_at_birth_or_never() -> Result<()> {
    let stage = Stage::with_server_on("").await?;
    let admin = stage.cluster.admin().await?;
    let flavors = ostler_tests_apiserver::object::api(&admin, "flavors", "")?;
    let mut flavor = object("flavors", "id-of-any-kind", &json!({"vcpus": 1, "memoryMiB": 128}))?;
    flavor.metadata.labels = Some([("compute.ostler.dev/id".to_owned(), "m1.small".to_owned())].into());
    expect("at birth", flavors.create(&PostParams::default(), &flavor).await, None)?;
    let other = kube::api::Patch::Merge(label(json!("m1.large")));
    let fixed = Some("cannot be changed once the object exists");
    expect("changed", flavors.patch("id-of-any-kind", &Default::default(), &other).await, fixed)
}
