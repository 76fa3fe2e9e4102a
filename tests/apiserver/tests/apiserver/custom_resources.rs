//! What a user of kubectl sees of our kinds.

use std::process::Command;

use anyhow::Result;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use ostler_test_harness::{Cluster, control_plane::tool, script::output};
use ostler_tests_apiserver::object::{api, object};
use serde_json::json;

fn kubectl(cluster: &Cluster, args: &[&str]) -> Result<String> {
    output(Command::new(tool("kubectl")?).env("KUBECONFIG", cluster.kubeconfig()).args(args))
}

#[tokio::test]
async fn kinds_have_short_names_and_the_category_compute() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let table =
        kubectl(cluster, &["api-resources", "--api-group=compute.ostler.dev", "--categories=compute", "--no-headers"])?;
    for (plural, short) in [
        ("flavors", "flv"),
        ("hosts", "hst"),
        ("images", "vmi"),
        ("keypairs", "kp"),
        ("networks", "vnet"),
        ("projectquotas", "pq"),
        ("securitygroups", "secgrp"),
        ("servergroups", "sgrp"),
        ("servers", "srv"),
    ] {
        let words: Vec<Vec<&str>> = table.lines().map(|l| l.split_whitespace().collect()).collect();
        assert!(words.iter().any(|w| w[0] == plural && w[1] == short), "no {plural} alias {short} in:\n{table}");
    }
    assert_eq!(table.lines().count(), 9, "{table}");
    Ok(())
}

#[tokio::test]
async fn explain_shows_the_text_of_fields() -> Result<()> {
    let cluster = Cluster::shared().await?;
    for (field, text) in [
        ("server", "A KVM guest."),
        ("server.spec.powerState", "Whether the guest shall run, be off, stand still"),
        ("server.status.host", "Name of the Host that runs it."),
        ("image.spec.source.http.sha256", "SHA-256 of the bytes"),
        ("flavor.spec.memoryMiB", "Memory in MiB."),
        ("keypair.spec.publicKey", "one line in OpenSSH's form"),
        ("network.spec.subnets.pool", "The part of the range that guests get."),
        ("host.spec.cpuOvercommitPercent", "How many virtual processors are given out"),
    ] {
        let shown = kubectl(cluster, &["explain", field])?.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains(text), "explain {field} does not say {text:?}:\n{shown}");
    }
    Ok(())
}

#[tokio::test]
async fn no_field_is_without_a_text() -> Result<()> {
    fn walk(path: &str, schema: &serde_json::Value, bare: &mut Vec<String>) {
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            if field["description"].as_str().is_none_or(str::is_empty) {
                bare.push(path.clone());
            }
            walk(&path, field, bare);
            walk(&path, &field["items"], bare);
        }
    }
    let mut bare = Vec::new();
    for crd in ostler_crds::all() {
        let schema = serde_json::to_value(&crd.spec.versions[0].schema)?;
        for part in ["spec", "status"] {
            walk(&format!("{}.{part}", crd.spec.names.kind), &schema["openAPIV3Schema"]["properties"][part], &mut bare);
        }
    }
    assert!(bare.is_empty(), "fields that explain says nothing about: {bare:#?}");
    Ok(())
}

#[tokio::test]
async fn lists_have_columns_and_wide_lists_more() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let (admin, namespace) = (cluster.admin().await?, cluster.namespace().await?);
    let spec = json!({"flavor": "small", "image": "debian"});
    api(&admin, "servers", &namespace)?.create(&PostParams::default(), &object("servers", "a", &spec)?).await?;
    let narrow = kubectl(cluster, &["get", "srv", "-n", &namespace])?;
    let wide = kubectl(cluster, &["get", "srv", "-n", &namespace, "-o", "wide"])?;
    let header =
        |table: &str| table.lines().next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(header(&narrow), "NAME STATE FLAVOR IMAGE ADDRESS READY AGE");
    assert_eq!(header(&wide), "NAME STATE FLAVOR IMAGE ADDRESS READY HOST REASON ID AGE");
    assert!(narrow.contains("small") && narrow.contains("debian"), "{narrow}");
    Ok(())
}

#[tokio::test]
async fn servers_are_selected_by_the_host_in_their_status() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let namespace = cluster.namespace().await?;
    let servers = api(&cluster.admin().await?, "servers", &namespace)?;
    let as_manager = api(&cluster.manager().await?.client().await?, "servers", &namespace)?;
    for (name, host) in [("a", "host-1"), ("b", "host-2"), ("c", "host-1")] {
        let spec = json!({"flavor": "small", "image": "debian"});
        servers.create(&PostParams::default(), &object("servers", name, &spec)?).await?;
        as_manager
            .patch_status(name, &PatchParams::default(), &Patch::Merge(json!({"status": {"host": host}})))
            .await?;
    }
    let found = servers.list(&ListParams::default().fields("status.host=host-1")).await?;
    let names: Vec<_> = found.items.iter().filter_map(|s| s.metadata.name.as_deref()).collect();
    assert_eq!(names, ["a", "c"]);
    Ok(())
}
