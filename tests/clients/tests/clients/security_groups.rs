//! Security groups through the Neutron front and Nova's proxies. That they hold is tested with real guests in tests/node.

use anyhow::{Context, Result};
use kube::Api;
use ostler_crds::{SecurityGroup, Server};
use ostler_tests_clients::{IMAGE, World};
use reqwest::Method;
use serde_json::{Value, json};

const RULES: &str = "/network/v2.0/security-group-rules";
const GROUPS: &str = "/network/v2.0/security-groups";

#[tokio::test(flavor = "multi_thread")]
async fn a_project_makes_groups_with_rules_and_puts_servers_into_them() -> Result<()> {
    let world = World::shared().await?;
    let (ada, vic) = (world.ada()?, world.cli("vic", &world.project)?);
    let http = world.http("ada", &world.project).await?;
    let admin = world.admin().await?;
    let groups: Api<SecurityGroup> = Api::namespaced(admin.clone(), &world.project);
    let servers: Api<Server> = Api::namespaced(admin, &world.project);

    // A new group lets everything out, as Neutron's does.
    let made = ada.json(&["security", "group", "create", "--description", "d", "Web ☃"])?;
    let id = made["id"].as_str().context("no id")?.to_owned();
    assert_eq!(groups.get("web").await?.spec.rules.len(), 2);
    let rule = ["security", "group", "rule", "create", "--protocol", "tcp", "--dst-port", "22:23", "Web ☃"];
    let rule_made = ada.json(&rule)?;
    assert_eq!((&rule_made["port_range_max"], &rule_made["direction"]), (&json!(23), &json!("ingress")));
    let again = ada.refused(&rule)?;
    assert!(again.contains("Security group rule already exists"), "{again}");
    let peer = json!({"security_group_rule": {"security_group_id": id, "direction": "ingress", "remote_group_id": id}});
    let (status, peer): (u16, Value) = http.send(Method::POST, RULES, peer).await?;
    assert_eq!((status, &peer["security_group_rule"]["remote_group_id"]), (201, &json!(id)), "{peer}");
    assert_eq!(groups.get("web").await?.spec.rules[3].remote_group.as_deref(), Some("web"));
    let listed = vic.json(&["security", "group", "rule", "list", &id])?;
    assert_eq!(listed.as_array().map(Vec::len), Some(4), "{listed}");
    let said = vic.refused(&["security", "group", "create", "mine"])?;
    assert!(said.contains("403"), "{said}");
    let said = ada.refused(&["security", "group", "create", "default"])?;
    assert!(said.contains("409"), "{said}");

    // Terraform makes the rules of a group all at once.
    let rules = (1..=12).map(|port| {
        let rule = json!({"security_group_id": id, "direction": "ingress", "protocol": "udp", "port_range_min": port,
            "port_range_max": port});
        http.send(Method::POST, RULES, json!({ "security_group_rule": rule }))
    });
    for (status, answer) in futures::future::try_join_all(rules).await? {
        assert_eq!(status, 201, "{answer}");
    }
    assert_eq!(groups.get("web").await?.spec.rules.len(), 16);

    // Servers are asked for in groups, come into others and leave them.
    let create = ["server", "create", "--image", IMAGE, "--flavor", "small", "--network", "lan"];
    let server = ada.json(&[&create[..], &["--security-group", "Web ☃", "grouped"]].concat())?;
    let server_id = server["id"].as_str().context("no id")?.to_owned();
    assert_eq!(server["security_groups"].to_string().matches("Web ☃").count(), 1, "{server}");
    let in_groups = async || anyhow::Ok(servers.get("grouped").await?.spec.security_groups);
    assert_eq!(in_groups().await?, Some(vec!["web".to_owned()]));
    ada.text(&["server", "add", "security", "group", "grouped", "default"])?;
    assert_eq!(in_groups().await?, Some(vec!["web".to_owned(), "default".to_owned()]));
    let (_, shown) = http.get(&format!("/compute/v2.1/servers/{server_id}/os-security-groups")).await?;
    assert_eq!(shown["security_groups"].as_array().map(Vec::len), Some(2), "{shown}");
    let in_use = ada.refused(&["security", "group", "delete", "Web ☃"])?;
    assert!(in_use.contains("in use"), "{in_use}");
    ada.text(&["server", "remove", "security", "group", "grouped", "Web ☃"])?;
    assert_eq!(in_groups().await?, None);
    let unknown = ada.refused(&[&create[..], &["--security-group", "none", "x"]].concat())?;
    assert!(unknown.contains("none"), "{unknown}");

    // A group takes the rules of others that speak of it with it.
    let other = ada.json(&["security", "group", "create", "other"])?;
    ada.json(&["security", "group", "rule", "create", "--remote-group", &id, "other"])?;
    ada.text(&["security", "group", "delete", &id])?;
    assert_eq!(groups.get("other").await?.spec.rules.len(), 2);
    ada.text(&["security", "group", "delete", other["id"].as_str().context("no id")?])?;
    ada.text(&["server", "delete", "grouped"])?;

    // The group that is there without an object, until it is changed.
    let eve = world.http("eve", &world.rival).await?;
    let (_, all) = eve.get(&format!("{GROUPS}?name=default")).await?;
    let default = &all["security_groups"][0];
    assert_eq!(default["security_group_rules"].as_array().map(Vec::len), Some(4), "{all}");
    let open = default["security_group_rules"].as_array().into_iter().flatten().find(|r| r["direction"] == "ingress");
    let open = open.and_then(|r| r["id"].as_str()).context("no rule")?;
    let (status, _): (u16, Value) = eve.send(Method::DELETE, &format!("{RULES}/{open}"), Value::Null).await?;
    assert_eq!(status, 204);
    let own: Api<SecurityGroup> = Api::namespaced(world.admin().await?, &world.rival);
    assert_eq!(own.get("default").await?.spec.rules.len(), 3);
    let (_, after) = eve.get(&format!("{GROUPS}/{}", default["id"].as_str().context("no id")?)).await?;
    assert_eq!(after["security_group"]["security_group_rules"].as_array().map(Vec::len), Some(3), "{after}");
    own.delete("default", &Default::default()).await?;
    Ok(())
}
