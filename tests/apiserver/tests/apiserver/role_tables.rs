//! docs/rbac.md against the API server: each ServiceAccount may do exactly what its rows there say.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use k8s_openapi::api::authorization::v1::SelfSubjectRulesReview;
use kube::Client;
use kube::api::{Api, PostParams};
use ostler_test_harness::chart::NAMESPACE;
use ostler_test_harness::{Cluster, Identity, paths::repository};
use serde_json::json;

/// `verb group/resource[ (name)]`
type Permissions = BTreeSet<String>;

/// The rows `| who | where | group | resources | verbs | why |` of one ServiceAccount.
fn documented(text: &str, who: &str, in_release: bool) -> Permissions {
    let mut found = Permissions::new();
    for row in text.lines().filter(|l| l.starts_with("| ")) {
        let cells: Vec<String> = row.trim_matches('|').split('|').map(|c| c.trim().replace('`', "")).collect();
        let [subject, place, group, resources, verbs, _why] = cells.as_slice() else { continue };
        if subject != who || (place == "release" && !in_release) {
            continue;
        }
        let group = if group == "core" { "" } else { group };
        for resource in resources.split(", ") {
            found.extend(verbs.split(", ").map(|verb| format!("{verb} {group}/{resource}")));
        }
    }
    found
}

async fn granted(client: &Client, namespace: &str) -> Result<Permissions> {
    let review: SelfSubjectRulesReview = serde_json::from_value(json!({"spec": {"namespace": namespace}}))?;
    let answer = Api::<SelfSubjectRulesReview>::all(client.clone()).create(&PostParams::default(), &review).await?;
    let mut found = Permissions::new();
    for rule in answer.status.context("no answer")?.resource_rules {
        let names = match rule.resource_names.unwrap_or_default() {
            names if names.is_empty() => vec![String::new()],
            names => names.iter().map(|n| format!(" ({n})")).collect(),
        };
        for group in rule.api_groups.iter().flatten() {
            for resource in rule.resources.iter().flatten() {
                for verb in &rule.verbs {
                    found.extend(names.iter().map(|name| format!("{verb} {group}/{resource}{name}")));
                }
            }
        }
    }
    Ok(found)
}

async fn check(who: &str, identity: &Identity) -> Result<()> {
    let cluster = Cluster::shared().await?;
    let text = std::fs::read_to_string(repository().join("docs/rbac.md"))?;
    let client = identity.client().await?;
    let elsewhere = cluster.namespace().await?;
    // What every authenticated user may do is not the ServiceAccount's own.
    let common = granted(&cluster.user("nobody-in-particular").await?, &elsewhere).await?;
    for (namespace, in_release) in [(NAMESPACE, true), (elsewhere.as_str(), false)] {
        let expected = documented(&text, who, in_release);
        assert!(!expected.is_empty(), "docs/rbac.md has no rows for {who}");
        let own: Permissions = granted(&client, namespace).await?.difference(&common).cloned().collect();
        let expected: Permissions = expected.difference(&common).cloned().collect();
        let excess: Vec<_> = own.difference(&expected).collect();
        let missing: Vec<_> = expected.difference(&own).collect();
        assert!(
            excess.is_empty() && missing.is_empty(),
            "{who} in {namespace}: may, but docs/rbac.md does not say: {excess:#?}; docs/rbac.md says, but may not: {missing:#?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_manager_may_do_what_is_documented() -> Result<()> {
    check("manager", &Cluster::shared().await?.manager().await?).await
}

#[tokio::test]
async fn the_node_role_may_do_what_is_documented() -> Result<()> {
    check("node", &Cluster::shared().await?.node("host-rbac").await?).await
}

#[tokio::test]
async fn the_shim_may_do_what_is_documented() -> Result<()> {
    check("api-shim", &Cluster::shared().await?.shim().await?).await
}
