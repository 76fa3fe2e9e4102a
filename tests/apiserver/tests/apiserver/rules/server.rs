use ostler_tests_apiserver::case::{Table, accepts, allows_change, refuses, refuses_change};
use serde_json::{Value, json};

fn text(length: usize) -> Value {
    Value::String("x".repeat(length))
}

pub fn table() -> Table {
    let all = json!({
        "displayName": "Größe 1 ☃", "description": "d", "keyPair": "k", "networks": [{"name": "n", "address": "10.0.0.9"}],
        "userData": {"text": "#!/bin/sh"}, "metadata": {"a": "b"}, "tags": ["t"], "nodeSelector": {"disk": "ssd"},
        "availabilityZone": "nova", "action": {"id": "1", "type": "RebootSoft"}, "powerState": "Stopped",
        "configDrive": false, "hostname": "web-1", "locked": true, "lockedReason": "r",
        "adminPassword": {"hash": "$6$salt$0123456789abcdef"},
    });
    Table {
        plural: "servers",
        base: json!({"flavor": "small", "image": "debian"}),
        cases: vec![
            accepts("every field that is served", all.clone()),
            accepts("an image of another namespace", json!({"image": "golden/debian-12.1"})),
            accepts("user data in base64", json!({"userData": {"base64": "aGk="}})),
            accepts("user data of 64 KiB", json!({"userData": {"text": text(65536)}})),
            accepts("no network at all", json!({"networks": []})),
            // Missing and malformed fields.
            refuses(json!({"flavor": null}), "spec.flavor: Required value"),
            refuses(json!({"image": null}), "image is required"),
            refuses(json!({"image": "a/b/c"}), "spec.image"),
            refuses(json!({"image": "UPPER"}), "spec.image"),
            refuses(json!({"powerState": "On"}), "spec.powerState: Unsupported value"),
            refuses(json!({"userData": {"text": text(65537)}}), "spec.userData.text: Too long"),
            refuses(json!({"userData": {"base64": "not base64!"}}), "spec.userData.base64"),
            refuses(json!({"userData": {}}), "userData must have exactly one of text, base64, secretRef"),
            refuses(
                json!({"userData": {"text": "a", "base64": "aGk="}}),
                "userData must have exactly one of text, base64, secretRef",
            ),
            refuses(json!({"networks": [{"name": "n", "address": "fe80::1"}]}), "spec.networks[0].address"),
            refuses(json!({"action": {"id": "with space", "type": "RebootHard"}}), "spec.action.id"),
            refuses(json!({"action": {"id": "1", "type": "Explode"}}), "spec.action.type: Unsupported value"),
            refuses(json!({"displayName": text(256)}), "spec.displayName: Too long"),
            refuses(json!({"networks": [{"name": "n"}, {"name": "n"}]}), "networks must name each Network once"),
            refuses(json!({"securityGroups": ["a", "a"]}), "securityGroups must name each SecurityGroup once"),
            accepts("no security group", json!({"securityGroups": []})),
            accepts("two networks", json!({"networks": [{"name": "n"}, {"name": "m"}]})),
            refuses(json!({"metadata": {("x".repeat(256)): "v"}}), "keys of metadata must have 1 to 255 characters"),
            refuses(json!({"userData": {"text": "☃".repeat(30_000)}}), "userData.text must have at most 65536 bytes"),
            accepts("files", json!({"files": [{"path": "/a", "base64": "aGk="}]})),
            accepts(
                "the largest file",
                json!({"files": [{"path": "/a", "base64": format!("{}==", "A".repeat(13654))}]}),
            ),
            refuses(json!({"files": [{"path": "a", "base64": ""}]}), "path must be absolute"),
            refuses(
                json!({"files": [{"path": format!("/{}", "☃".repeat(100)), "base64": ""}]}),
                "at most 255 bytes in UTF-8",
            ),
            refuses(
                json!({"files": [{"path": "/a", "base64": "A".repeat(13656)}]}),
                "at most 10240 bytes when decoded",
            ),
            refuses(json!({"files": [{"path": "/a", "base64": "aGk"}]}), "base64 must be whole"),
            accepts("metadataOptions in part", json!({"metadataOptions": {"tokensRequired": true}})),
            refuses(json!({"metadataOptions": {"hopLimit": 0}}), "should be greater than or equal to 1"),
            refuses(json!({"metadataOptions": {"hopLimit": 65}}), "should be less than or equal to 64"),
            refuses(json!({"metadata": {"k": text(256)}}), "spec.metadata.k: Too long"),
            refuses(json!({"nodeSelector": {"k": text(64)}}), "spec.nodeSelector.k: Too long"),
            // Not served yet: refused, never ignored.
            refuses(json!({"bootVolume": "v"}), "spec.bootVolume: Forbidden: bootVolume is not served yet"),
            refuses(json!({"bootVolume": "v"}), "bootVolume is not served yet: volumes do not exist in this version"),
            refuses(json!({"adminPassword": {"hash": "in clear, and long"}}), "spec.adminPassword.hash"),
            refuses(json!({"action": {"id": "1", "type": "ChangePassword"}}), "ChangePassword sets adminPassword"),
            accepts("evacuation", json!({"action": {"id": "1", "type": "Evacuate"}})),
            refuses(json!({"action": {"id": "1", "type": "Migrate"}}), "type must not be Migrate"),
            refuses(json!({"hostname": "a_b"}), "spec.hostname"),
            refuses(json!({"lockedReason": "why"}), "lockedReason is only for a locked Server"),
            accepts(
                "scheduler hints",
                json!({"schedulerHints": {"group": "g", "sameHost": ["a"], "differentHost": ["b"]}}),
            ),
            refuses_change(json!({}), json!({"schedulerHints": {"group": "g"}}), "schedulerHints cannot be changed"),
            refuses(json!({"userData": {"secretRef": {"name": "s", "key": "k"}}}), "secretRef is not served yet"),
            accepts("a guest that stands still", json!({"powerState": "Paused"})),
            accepts("a guest whose memory is saved", json!({"powerState": "Suspended"})),
            accepts("the shelf", json!({"powerState": "Shelved"})),
            // Changes.
            allows_change(
                "wishes and names",
                all,
                json!({
                    "powerState": "Running", "action": {"id": "2", "type": "RebootHard"}, "displayName": "new",
                    "description": null, "metadata": {"a": "c"}, "tags": [],
                }),
            ),
            allows_change(
                "a resize, a rebuild, a rescue",
                json!({"keyPair": "k"}),
                json!({
                    "flavor": "large", "image": "other", "keyPair": null, "userData": {"text": "a"},
                    "resizePolicy": "Verify", "rescue": {"image": "golden/rescue"},
                }),
            ),
            refuses(json!({"rescue": {"image": "a/b/c"}}), "spec.rescue.image"),
            refuses_change(json!({}), json!({"networks": []}), "networks cannot be changed"),
            refuses_change(
                json!({"networks": [{"name": "a"}]}),
                json!({"networks": [{"name": "a"}, {"name": "b"}]}),
                "networks cannot be changed",
            ),
            refuses_change(json!({}), json!({"files": [{"path": "/a", "base64": ""}]}), "files cannot be changed"),
            refuses_change(json!({}), json!({"availabilityZone": "z"}), "availabilityZone cannot be changed"),
            refuses_change(json!({}), json!({"nodeSelector": {"a": "b"}}), "nodeSelector cannot be changed"),
            refuses_change(json!({}), json!({"configDrive": false}), "configDrive cannot be changed"),
        ],
    }
}
