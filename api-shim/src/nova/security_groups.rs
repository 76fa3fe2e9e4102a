//! What stood for Neutron's security groups in Nova up to 2.35, and the groups of a server. It shows rules of what comes in
//! alone, as Nova did.

use http::StatusCode;
use ostler_crds::{
    SecurityGroup,
    security_group::{Direction, EtherType, SecurityGroupRule},
};
use serde_json::{Map, Value, json};

use crate::{
    authorize::{Permit, Rule},
    fault::Fault,
    http::{Inbound, Reply},
    neutron::security_groups::{group as neutron, group_wire, rule, rule_wire, view},
    observe::clean,
    store::{Stores, reads, security_groups as store, servers},
};

const EVERYWHERE: Rule = Rule::on("list", "securitygroups").everywhere();

fn document(stores: &Stores, group: &SecurityGroup) -> Value {
    let incoming = group.spec.rules.iter().filter(|r| r.direction == Direction::Ingress);
    let rules: Vec<Value> = incoming.map(|r| rule_document(stores, group, r)).collect();
    json!({
        "id": store::id(group), "name": group.display_name(), "tenant_id": group.metadata.namespace, "rules": rules,
        "description": group.spec.description.clone().unwrap_or_default(),
    })
}

fn rule_document(stores: &Stores, group: &SecurityGroup, rule: &SecurityGroupRule) -> Value {
    let project = group.metadata.namespace.as_deref().unwrap_or_default();
    let protocol = rule.protocol.as_deref().filter(|p| *p != "any");
    let whole = match protocol {
        Some("tcp" | "udp") => (1, 65535),
        _ => (-1, -1),
    };
    let port = |port: Option<u16>, none: i32| port.map_or(none, i32::from);
    let all = if rule.ether_type == EtherType::IPv6 { "::/0" } else { "0.0.0.0/0" };
    let (source, range) = match &rule.remote_group {
        Some(name) => {
            let known = store::get(stores, project, name);
            let name = known.as_ref().map_or(name.as_str(), |g| g.display_name());
            (json!({"name": name, "tenant_id": project}), json!({}))
        }
        None => (json!({}), json!({"cidr": rule.remote_cidr.as_deref().unwrap_or(all)})),
    };
    json!({
        "id": view::rule_id(group, rule), "parent_group_id": store::id(group), "ip_protocol": protocol,
        "from_port": port(rule.port_min, whole.0), "to_port": port(rule.port_max, if rule.port_min.is_some() { -1 } else { whole.1 }),
        "group": source, "ip_range": range,
    })
}

/// Neutron's refusals were all 400 here, but for what is not there.
fn as_nova(fault: Fault) -> Fault {
    match fault.status {
        StatusCode::CONFLICT => Fault { status: StatusCode::BAD_REQUEST, ..fault },
        _ => fault,
    }
}

/// `GET /os-security-groups`: an administrator sees those of all projects if he asks.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let app = &inbound.app;
    let wide = inbound.query.get("all_tenants").is_some_and(|w| crate::http::query::truth(w) != Some(false))
        && app.authorizer.may_also(&permit, EVERYWHERE).await?;
    let groups: Vec<Value> = store::all(&app.stores, &permit, wide).iter().map(|g| document(&app.stores, g)).collect();
    Ok(Reply::ok(&json!({ "security_groups": groups })))
}

/// `GET /os-security-groups/{id}`.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let app = &inbound.app;
    let group = store::find(&app.client, &app.stores, &permit, inbound.param("id")).await?;
    Ok(Reply::ok(&json!({"security_group": document(&app.stores, &group)})))
}

/// `POST /os-security-groups`.
pub async fn create(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let body = inbound.json_under("security_group").await?;
    let group = group_wire::new(group_wire::read(&body, permit.project())?).map_err(as_nova)?;
    let group = neutron::make(&inbound.app, &permit, group).await.map_err(as_nova)?;
    Ok(Reply::ok(&json!({"security_group": document(&inbound.app.stores, &group)})))
}

/// `PUT /os-security-groups/{id}`.
pub async fn update(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let wish = group_wire::read(&inbound.json_under("security_group").await?, permit.project())?;
    let group = neutron::rename(&inbound, &permit, &wish).await.map_err(as_nova)?;
    Ok(Reply::ok(&json!({"security_group": document(&inbound.app.stores, &group)})))
}

/// `DELETE /os-security-groups/{id}`.
pub async fn delete(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    neutron::remove(&inbound, &permit).await.map_err(as_nova)?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

/// `POST /os-security-group-rules`.
pub async fn create_rule(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let body = as_neutron(&inbound.json_under("security_group_rule").await?)?;
    let wish = rule_wire::read(&body, permit.project())?;
    let (group, rule) = rule::make(&inbound, &permit, wish).await.map_err(as_nova)?;
    Ok(Reply::ok(&json!({"security_group_rule": rule_document(&inbound.app.stores, &group, &rule)})))
}

/// `DELETE /os-security-group-rules/{id}`.
pub async fn delete_rule(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    rule::remove(&inbound, &permit).await.map_err(as_nova)?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

/// Nova's form of a rule in Neutron's words. Pure.
fn as_neutron(body: &Map<String, Value>) -> Result<Map<String, Value>, Fault> {
    const KEYS: &[(&str, &str)] = &[
        ("parent_group_id", "security_group_id"),
        ("ip_protocol", "protocol"),
        ("from_port", "port_range_min"),
        ("to_port", "port_range_max"),
        ("cidr", "remote_ip_prefix"),
        ("group_id", "remote_group_id"),
    ];
    let parent = body.get("parent_group_id").and_then(Value::as_str).unwrap_or_default();
    if reads::uuid_of(parent).is_none() {
        return Err(Fault::bad_request("Security group id should be a uuid."));
    }
    let mut out = Map::from_iter([("direction".to_owned(), json!("ingress"))]);
    for (key, value) in body {
        let Some((_, name)) = KEYS.iter().find(|(known, _)| known == key) else {
            return Err(Fault::bad_request(format!("Unrecognized attribute(s) '{}'", clean(key))));
        };
        // Nova's word for all ports, types and codes.
        let all = name.starts_with("port_range") && (*value == json!(-1) || *value == json!("-1"));
        out.insert((*name).to_owned(), if all { Value::Null } else { value.clone() });
    }
    if !["remote_ip_prefix", "remote_group_id"].iter().any(|key| out.get(*key).is_some_and(|v| !v.is_null())) {
        out.insert("remote_ip_prefix".to_owned(), json!("0.0.0.0/0"));
    }
    if out.get("remote_ip_prefix").and_then(Value::as_str).is_some_and(|range| range.contains(':')) {
        out.insert("ethertype".to_owned(), json!("IPv6"));
    }
    Ok(out)
}

/// `GET /servers/{id}/os-security-groups`.
pub async fn of_server(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let stores = &inbound.app.stores;
    let server = servers::find(&inbound.app.client, stores, &permit, inbound.param("id")).await?;
    let groups: Vec<Value> = store::of_server(stores, &server).iter().map(|g| document(stores, g)).collect();
    Ok(Reply::ok(&json!({ "security_groups": groups })))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6d5b1f0c-0000-4000-8000-000000000001";

    fn read(more: Value) -> Result<SecurityGroupRule, u16> {
        let mut body = json!({ "parent_group_id": ID });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let Value::Object(body) = body else { unreachable!() };
        let read = as_neutron(&body).and_then(|body| rule_wire::read(&body, "prod"));
        read.map(|wish| wish.rule).map_err(|f| f.status.as_u16())
    }

    #[test]
    fn rules_of_old_are_those_of_today() {
        let ssh = read(json!({"ip_protocol": "tcp", "from_port": 22, "to_port": "22"})).unwrap();
        assert_eq!((ssh.port_min, ssh.port_max, ssh.remote_cidr.as_deref()), (Some(22), Some(22), Some("0.0.0.0/0")));
        let ping =
            read(json!({"ip_protocol": "icmp", "from_port": -1, "to_port": -1, "cidr": "10.2.3.124/24"})).unwrap();
        assert_eq!((ping.port_min, ping.remote_cidr.as_deref()), (None, Some("10.2.3.124/24")));
        assert_eq!(read(json!({"ip_protocol": "tcp", "cidr": "::/0"})).unwrap().ether_type, EtherType::IPv6);
        for bad in [
            json!({"parent_group_id": "x"}),
            json!({"ip_protocol": "999x", "from_port": 1, "to_port": 1}),
            json!({"ip_protocol": "tcp", "from_port": 22, "to_port": 21}),
            json!({"ip_protocol": "tcp", "from_port": 65_537, "to_port": 22}),
            json!({"colour": "red"}),
        ] {
            assert_eq!(read(bad.clone()), Err(400), "{bad}");
        }
    }

    #[test]
    fn a_rule_is_shown_as_nova_did() {
        let mut group = SecurityGroup::new("g", Default::default());
        group.metadata.namespace = Some("prod".into());
        let shown = |more: Value| rule_document(&Stores::empty(), &group, &read(more).unwrap());
        let all = shown(json!({"ip_protocol": "tcp"}));
        assert_eq!(
            (&all["from_port"], &all["to_port"], &all["ip_range"]),
            (&json!(1), &json!(65535), &json!({"cidr": "0.0.0.0/0"}))
        );
        let ping = shown(json!({"ip_protocol": "icmp", "from_port": 8, "to_port": -1}));
        assert_eq!((&ping["from_port"], &ping["to_port"], &ping["group"]), (&json!(8), &json!(-1), &json!({})));
    }
}
