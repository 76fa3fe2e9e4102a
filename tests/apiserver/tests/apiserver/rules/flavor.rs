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
            accepts(
                "disks that are kept for Nova's clients",
                json!({"ephemeralGiB": 1, "swapMiB": 1024, "rxtxFactor": 0.5}),
            ),
            accepts(
                "extra specs that Nova takes",
                json!({"extraSpecs": {"hw:cpu_policy": "mixed", "hw:numa_nodes": "2", "hw:boot_menu": "TRUE", "any:thing": "x"}}),
            ),
            refuses(json!({"extraSpecs": {"hw:cpu_policy": "banana"}}), "hw:cpu_policy takes dedicated, mixed, shared"),
            refuses(json!({"extraSpecs": {"hw:numa_nodes": "0"}}), "these take a whole number"),
            refuses(json!({"extraSpecs": {"quota:cpu_shares": "-1"}}), "these take a whole number"),
            refuses(json!({"extraSpecs": {"hw:boot_menu": "perhaps"}}), "these take true or false"),
            refuses(json!({"rxtxFactor": -1}), "spec.rxtxFactor"),
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
            refuses_change(json!({}), json!({"ephemeralGiB": 2}), resized),
            refuses_change(json!({"swapMiB": 1}), json!({"swapMiB": null}), resized),
            allows_change("none and zero are the same", json!({}), json!({"swapMiB": 0})),
        ],
    }
}
