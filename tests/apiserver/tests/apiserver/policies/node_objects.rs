//! A node role's own Host and Lease: policy node-objects.

use anyhow::Result;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Api, Patch, PatchParams};
use ostler_crds::names::{HEARTBEAT_LEASE_PREFIX, NODE_FIELD_MANAGER};
use ostler_test_harness::{Cluster, chart::NAMESPACE};
use ostler_tests_apiserver::object::api;
use ostler_tests_apiserver::verdict::expect;
use serde_json::{Value, json};

fn host(name: &str, rest: Value) -> Patch<Value> {
    let mut object = json!({"apiVersion": "compute.ostler.dev/v1alpha1", "kind": "Host", "metadata": {"name": name}});
    for (key, value) in rest.as_object().into_iter().flatten() {
        object[key] = value.clone();
    }
    Patch::Apply(object)
}

#[tokio::test]
async fn a_node_role_writes_its_own_host_and_leaves_the_spec_to_the_administrator() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let node = cluster.node("host-own").await?.client().await?;
    let (hosts, ours) = (api(&node, "hosts", "")?, PatchParams::apply(NODE_FIELD_MANAGER));
    let name = "host-own";
    expect("makes it", hosts.patch(name, &ours, &host(name, json!({"spec": {}}))).await, None)?;
    let status = json!({"status": {"libvirtVersion": "9.0.0"}});
    expect("reports", hosts.patch_status(name, &ours, &host(name, status)).await, None)?;
    let drain = Patch::Merge(json!({"spec": {"schedulable": false}}));
    api(&cluster.admin().await?, "hosts", "")?.patch(name, &PatchParams::default(), &drain).await?;
    let again = hosts.patch(name, &ours, &host(name, json!({"spec": {}}))).await?;
    assert_eq!(again.data["spec"]["schedulable"], false, "applying again must not undo the administrator's change");
    let spec = Some("spec of a Host is the administrator's");
    let undo = Patch::Merge(json!({"spec": {"schedulable": true}}));
    expect("undoes", hosts.patch(name, &PatchParams::default(), &undo).await, spec)
}

#[tokio::test]
async fn a_node_role_does_not_write_another_host() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let (one, two) = (cluster.node("host-one").await?.client().await?, cluster.node("host-two").await?.client().await?);
    let ours = PatchParams::apply(NODE_FIELD_MANAGER);
    let name = "host-two";
    let refusal = Some(r#"the node role of "host-one" may write hosts/host-one alone"#);
    expect("makes", api(&one, "hosts", "")?.patch(name, &ours, &host(name, json!({"spec": {}}))).await, refusal)?;
    api(&two, "hosts", "")?.patch(name, &ours, &host(name, json!({"spec": {}}))).await?;
    let status = json!({"status": {"libvirtVersion": "1.0.0"}});
    expect("reports", api(&one, "hosts", "")?.patch_status(name, &ours, &host(name, status)).await, refusal)
}

#[tokio::test]
async fn a_node_role_writes_its_own_heartbeat_alone() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let node = cluster.node("host-beat").await?.client().await?;
    let leases: Api<Lease> = Api::namespaced(node, NAMESPACE);
    let lease = |name: &str| {
        Patch::Apply(json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name},
            "spec": {"holderIdentity": "host-beat", "leaseDurationSeconds": 40},
        }))
    };
    let ours = PatchParams::apply(NODE_FIELD_MANAGER);
    let own = format!("{HEARTBEAT_LEASE_PREFIX}host-beat");
    expect("own", leases.patch(&own, &ours, &lease(&own)).await, None)?;
    let refusal = format!(r#"the node role of "host-beat" may write leases/{own} alone"#);
    for foreign in ["ostler-host-other", "ostler-manager"] {
        expect(foreign, leases.patch(foreign, &ours, &lease(foreign)).await, Some(&refusal))?;
    }
    Ok(())
}
