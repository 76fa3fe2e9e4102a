//! The CEL rules and schema bounds of the CRDs: one table a kind.

mod flavor;
mod image;
mod key_pair;
mod network;
mod security_group;
mod server;
mod server_group;

use anyhow::Result;
use ostler_test_harness::Cluster;
use ostler_tests_apiserver::case::Table;
use serde_json::Value;

async fn judge(table: Table) -> Result<()> {
    let cluster = Cluster::shared().await?;
    table.judge(&cluster.admin().await?, &cluster.namespace().await?).await
}

#[tokio::test]
async fn servers_are_judged_by_their_rules() -> Result<()> {
    judge(server::table()).await
}

#[tokio::test]
async fn images_are_judged_by_their_rules() -> Result<()> {
    judge(image::table()).await
}

#[tokio::test]
async fn flavors_are_judged_by_their_rules() -> Result<()> {
    judge(flavor::table()).await
}

#[tokio::test]
async fn key_pairs_are_judged_by_their_rules() -> Result<()> {
    judge(key_pair::table()).await
}

#[tokio::test]
async fn networks_are_judged_by_their_rules() -> Result<()> {
    judge(network::table()).await
}

#[tokio::test]
async fn security_groups_are_judged_by_their_rules() -> Result<()> {
    judge(security_group::table()).await
}

#[tokio::test]
async fn server_groups_are_judged_by_their_rules() -> Result<()> {
    judge(server_group::table()).await
}

/// Every message of a rule in a schema.
fn messages(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            for rule in map.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten() {
                found.extend(rule["message"].as_str().map(str::to_owned));
            }
            map.values().for_each(|v| messages(v, found));
        }
        Value::Array(items) => items.iter().for_each(|v| messages(v, found)),
        _ => {}
    }
}

#[test]
fn no_rule_is_without_a_case_that_it_refuses() {
    let mut rules = Vec::new();
    for crd in ostler_crds::all() {
        messages(&serde_json::to_value(crd).unwrap(), &mut rules);
    }
    assert!(rules.len() > 40, "found only {} rules", rules.len());
    let tables = [
        server::table(),
        image::table(),
        flavor::table(),
        key_pair::table(),
        network::table(),
        security_group::table(),
        server_group::table(),
    ];
    let refusals: Vec<&str> = tables.iter().flat_map(|t| &t.cases).filter_map(|c| c.refusal).collect();
    let untested: Vec<_> = rules.iter().filter(|m| !refusals.iter().any(|r| m.contains(r))).collect();
    assert!(untested.is_empty(), "rules without a case that they refuse: {untested:#?}");
}
