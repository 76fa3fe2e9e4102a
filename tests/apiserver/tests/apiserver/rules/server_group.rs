use ostler_tests_apiserver::case::{Table, accepts, allows_change, refuses, refuses_change};
use serde_json::json;

pub fn table() -> Table {
    Table {
        plural: "servergroups",
        base: json!({"policy": "AntiAffinity"}),
        cases: vec![
            accepts("every field", json!({"displayName": "Größe ☃", "maxServersPerHost": 3})),
            accepts("a soft policy", json!({"policy": "SoftAffinity"})),
            refuses(json!({"policy": null}), "spec.policy: Required value"),
            refuses(json!({"policy": "anti-affinity"}), "spec.policy: Unsupported value"),
            refuses(json!({"maxServersPerHost": 0}), "spec.maxServersPerHost"),
            refuses(
                json!({"policy": "Affinity", "maxServersPerHost": 2}),
                "maxServersPerHost is only for the policy AntiAffinity",
            ),
            allows_change("the name", json!({}), json!({"displayName": "new"})),
            refuses_change(json!({}), json!({"policy": "SoftAntiAffinity"}), "policy cannot be changed"),
            refuses_change(json!({}), json!({"maxServersPerHost": 2}), "maxServersPerHost cannot be changed"),
        ],
    }
}
