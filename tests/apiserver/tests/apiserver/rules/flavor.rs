use ostler_tests_apiserver::case::{Table, accepts, allows_change, refuses, refuses_change};
use serde_json::json;

pub fn table() -> Table {
    let resized = "the size of a Flavor cannot be changed";
    Table {
        plural: "flavors",
        base: json!({"vcpus": 1, "memoryMiB": 128, "diskGiB": 1}),
        cases: vec![
            accepts("a root disk as large as the image", json!({"diskGiB": null})),
            accepts(
                "every field that is served",
                json!({
                    "displayName": "m1.☃", "description": "d", "extraSpecs": {"hw:cpu_policy": "shared"},
                    "visibility": "Private", "access": ["prod"],
                }),
            ),
            refuses(json!({"vcpus": 0}), "spec.vcpus"),
            refuses(json!({"vcpus": null}), "spec.vcpus: Required value"),
            refuses(json!({"memoryMiB": 15}), "spec.memoryMiB"),
            refuses(json!({"extraSpecs": {"k": "x".repeat(256)}}), "spec.extraSpecs.k: Too long"),
            refuses(json!({"ephemeralGiB": 1}), "ephemeralGiB is not served yet"),
            refuses(json!({"swapMiB": 1}), "swapMiB is not served yet"),
            refuses(json!({"access": ["prod"]}), "access is only for a Private Flavor"),
            allows_change(
                "names and who may use it",
                json!({}),
                json!({
                    "displayName": "new", "visibility": "Private", "access": ["prod"], "extraSpecs": {"a": "b"},
                }),
            ),
            refuses_change(json!({}), json!({"vcpus": 2}), resized),
            refuses_change(json!({}), json!({"memoryMiB": 256}), resized),
            refuses_change(json!({}), json!({"diskGiB": 2}), resized),
        ],
    }
}
