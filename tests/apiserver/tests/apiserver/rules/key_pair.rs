use ostler_tests_apiserver::case::{Table, accepts, allows_change, refuses, refuses_change};
use serde_json::json;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

pub fn table() -> Table {
    let line = "publicKey must be one line of an OpenSSH public key";
    let fixed = "the key of a KeyPair cannot be changed";
    Table {
        plural: "keypairs",
        base: json!({"publicKey": KEY}),
        cases: vec![
            accepts("a comment and a last line's end", json!({"publicKey": format!("{KEY} me@home and more\n")})),
            accepts("an RSA key", json!({"publicKey": "ssh-rsa AAAAB3NzaC1yc2E="})),
            accepts("a name and a user", json!({"displayName": "Schlüssel", "user": "alice"})),
            refuses(json!({"publicKey": null}), "spec.publicKey: Required value"),
            refuses(json!({"publicKey": "-----BEGIN OPENSSH PRIVATE KEY-----"}), line),
            refuses(json!({"publicKey": format!("{KEY} a\nssh-rsa AAAA b")}), line),
            refuses(json!({"publicKey": "ssh-dss AAAA"}), line),
            refuses(json!({"publicKey": "ssh-rsa blah"}), line),
            refuses(json!({"publicKey": KEY.replace("ssh-ed25519", "ssh-rsa")}), line),
            refuses(json!({"type": "X509"}), "type X509 is not served yet"),
            allows_change("its name", json!({}), json!({"displayName": "new"})),
            refuses_change(json!({}), json!({"publicKey": format!("{KEY} other")}), fixed),
        ],
    }
}
