use ostler_tests_apiserver::case::{Table, accepts, allows_change, refuses, refuses_change};
use serde_json::{Value, json};

fn http(url: &str, sha256: &str) -> Value {
    json!({"source": {"upload": null, "http": {"url": url, "sha256": sha256}}})
}

pub fn table() -> Table {
    let digest = "0123456789abcdef".repeat(4);
    let url = "url must be an absolute http or https URL without user information";
    let sha256 = "sha256 must be 64 lower-case hexadecimal digits";
    let one = "source must have exactly one of http, upload, oci, server";
    let fixed = "source and diskFormat of an Image cannot be changed";
    Table {
        plural: "images",
        base: json!({"source": {"upload": {}}, "diskFormat": "qcow2"}),
        cases: vec![
            accepts("a web address with a digest", http("https://example.org:8443/a/b.qcow2?c=d", &digest)),
            accepts(
                "every field that is served",
                json!({
                    "displayName": "Debian ☃", "containerFormat": "bare", "minDiskGiB": 1, "minMemoryMiB": 64,
                    "properties": {"os_distro": "debian"}, "tags": ["t"], "protected": true, "hidden": true,
                    "visibility": "Shared", "members": ["prod"], "diskFormat": "raw",
                }),
            ),
            refuses(http("ftp://example.org/a", &digest), url),
            refuses(http("file:///etc/passwd", &digest), url),
            refuses(http("https://user:secret@example.org/a", &digest), url),
            refuses(http("https://example.org", &digest), url),
            refuses(http("https://example.org/a", "abc"), sha256),
            refuses(http("https://example.org/a", &digest.to_uppercase()), sha256),
            refuses(json!({"source": {"upload": null}}), one),
            refuses(json!({"source": {"http": {"url": "https://example.org/a", "sha256": digest}}}), one),
            refuses(json!({"source": {"upload": null, "oci": {"reference": "a"}}}), "oci is not served yet"),
            accepts("a Server", json!({"source": {"upload": null, "server": {"name": "a"}}})),
            refuses(
                json!({"source": {"upload": null, "server": {"name": "a"}}, "diskFormat": "raw"}),
                "diskFormat of an image of a Server must be qcow2",
            ),
            refuses(json!({"members": ["prod"]}), "members is only for a Shared Image"),
            refuses(json!({"diskFormat": "floppy"}), "spec.diskFormat: Unsupported value"),
            accepts("bytes that are kept and never boot", json!({"diskFormat": "vmdk", "deactivated": true})),
            refuses(
                json!({"source": {"upload": null, "http": {"url": "https://example.org/a", "sha256": digest}}, "diskFormat": "iso"}),
                "bytes from a URL must be raw or qcow2",
            ),
            allows_change(
                "names, properties and who may use it",
                json!({}),
                json!({
                    "displayName": "new", "properties": {"a": "b"}, "visibility": "Shared", "members": ["prod"],
                }),
            ),
            refuses_change(json!({}), json!({"diskFormat": "raw"}), fixed),
            refuses_change(json!({}), http("https://example.org/a", &digest), fixed),
        ],
    }
}
