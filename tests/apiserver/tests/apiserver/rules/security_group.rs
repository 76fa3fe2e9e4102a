use ostler_tests_apiserver::case::{Table, accepts, allows_change, refuses};
use serde_json::{Value, json};

fn rule(more: Value) -> Value {
    let mut rule = json!({"direction": "Ingress"});
    if let (Some(rule), Some(more)) = (rule.as_object_mut(), more.as_object()) {
        rule.extend(more.clone());
    }
    json!({ "rules": [rule] })
}

pub fn table() -> Table {
    let most: Vec<Value> = (1..=128)
        .map(|n| json!({"direction": "Egress", "protocol": "tcp", "portMin": n, "portMax": n, "remoteCidr": "10.2.3.0/24"}))
        .collect();
    Table {
        plural: "securitygroups",
        base: json!({}),
        cases: vec![
            accepts("a name and no rule", json!({"displayName": "Größe ☃", "description": "d"})),
            accepts("as many rules as can be", json!({ "rules": most })),
            accepts("a rule for everything", rule(json!({}))),
            accepts(
                "a range with bits of a host",
                rule(json!({"protocol": "tcp", "portMin": 1, "portMax": 65535, "remoteCidr": "10.2.3.124/24"})),
            ),
            accepts("IPv6", rule(json!({"etherType": "IPv6", "remoteCidr": "fd00::/8", "protocol": "ipv6-icmp"}))),
            accepts("a group", rule(json!({"remoteGroup": "web", "protocol": "132", "portMin": 1, "portMax": 2}))),
            accepts("a type of ICMP", rule(json!({"protocol": "icmp", "portMin": 8}))),
            accepts("a code of ICMP", rule(json!({"protocol": "1", "portMin": 3, "portMax": 4}))),
            refuses(json!({"displayName": "default"}), "displayName must not be default"),
            refuses(json!({"rules": [{}]}), "spec.rules[0].direction: Required value"),
            refuses(rule(json!({"direction": "ingress"})), "Unsupported value"),
            refuses(rule(json!({"protocol": "TCP"})), "spec.rules[0].protocol"),
            refuses(rule(json!({"protocol": "256"})), "protocol must be a name, any, or a number of 0 to 255"),
            refuses(rule(json!({"portMin": 1, "portMax": 2})), "portMin and portMax are only for the protocols"),
            refuses(rule(json!({"protocol": "gre", "portMin": 1})), "portMin and portMax are only for the protocols"),
            refuses(rule(json!({"protocol": "tcp", "portMin": 1})), "portMin and portMax must both be there"),
            refuses(rule(json!({"protocol": "6", "portMin": 2, "portMax": 1})), "portMin must not be above portMax"),
            refuses(rule(json!({"protocol": "udp", "portMin": 0, "portMax": 1})), "from 1 on"),
            refuses(rule(json!({"protocol": "tcp", "portMin": 1, "portMax": 65536})), "spec.rules[0].portMax"),
            refuses(rule(json!({"protocol": "icmp", "portMax": 1})), "there is no code without a type"),
            refuses(rule(json!({"protocol": "icmp", "portMin": 256})), "both of 0 to 255"),
            refuses(rule(json!({"remoteCidr": "10.0.0.0"})), "remoteCidr must be a range"),
            refuses(rule(json!({"remoteCidr": "fd00::/8"})), "remoteCidr must be a range of the etherType"),
            refuses(rule(json!({"remoteCidr": "10.0.0.0/8", "remoteGroup": "a"})), "not both"),
            allows_change("the rules", rule(json!({})), json!({"rules": []})),
        ],
    }
}
