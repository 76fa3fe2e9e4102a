use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use ostler_crds::server::MetadataOptions;
use proptest::prelude::*;
use rstest::rstest;

use super::{
    Caller, Method, Request, Response, answer,
    token::{NONCE_LENGTH, Sealer},
};
use crate::guest::config_drive::{DriveSource, GuestKey, InjectedFile, Link};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const TTL: &str = "X-aws-ec2-metadata-token-ttl-seconds";
const TOKEN: &str = "X-aws-ec2-metadata-token";

fn source() -> DriveSource {
    DriveSource {
        uuid: "0b5b6d3e-1f6c-4c8e-9f5a-0123456789ab".into(),
        name: "Web 1".into(),
        hostname: "web-1".into(),
        project_id: "shop".into(),
        availability_zone: None,
        meta: BTreeMap::from([("role".into(), "web".into()), ("a/b".into(), "hidden".into())]),
        key: Some(GuestKey { name: "ada".into(), public_key: "ssh-ed25519 AAAA ada@example.org".into() }),
        user_data: Some(b"#!/bin/sh\n\xff".to_vec()),
        password: None,
        files: vec![InjectedFile { path: "/etc/motd".into(), contents: b"hello".to_vec() }],
        flavor: "small".into(),
        image: "9f0f1d0a-0000-4000-8000-000000000000".into(),
        security_groups: vec!["default".into()],
        links: vec![Link {
            mac: "fa:16:3e:00:00:05".into(),
            mtu: Some(1450),
            network: "lan".into(),
            address: [10, 77, 0, 5].into(),
            prefix_length: 24,
            gateway: Some("10.77.0.1".into()),
            dns_servers: vec![],
        }],
    }
}

fn sealer() -> Sealer {
    Sealer::new(&[7; 32])
}

/// A guest that asks.
struct Guest {
    uid: &'static str,
    source: DriveSource,
    options: MetadataOptions,
    password: Option<Vec<u8>>,
}

impl Guest {
    fn new(source: DriveSource, options: MetadataOptions) -> Self {
        Self { uid: "u-1", source, options, password: None }
    }

    fn asks_at(&self, now: Timestamp, method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let headers: Vec<_> = headers.iter().map(|(n, v)| (n.to_ascii_lowercase(), (*v).to_owned())).collect();
        let request = Request { method, path, headers: &headers, body };
        let caller = Caller {
            uid: self.uid,
            source: &self.source,
            options: self.options.clone(),
            zone: "nova",
            password: self.password.as_deref(),
            seed: "c2VlZA==",
            nonce: [1; NONCE_LENGTH],
        };
        answer(&request, &caller, &sealer(), now)
    }

    fn asks(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
        self.asks_at(NOW, method, path, headers, b"")
    }

    fn gets(&self, path: &str) -> Response {
        self.asks(Method::Get, path, &[])
    }

    fn token(&self, ttl: &str) -> String {
        let answer = self.asks(Method::Put, "/latest/api/token", &[(TTL, ttl)]);
        assert_eq!(answer.status, 200);
        String::from_utf8(answer.body).unwrap()
    }
}

fn open() -> Guest {
    Guest::new(source(), MetadataOptions::default())
}

fn closed() -> Guest {
    Guest::new(source(), MetadataOptions { tokens_required: true, ..MetadataOptions::default() })
}

fn text(response: Response) -> String {
    assert_eq!(response.status, 200, "{:?}", String::from_utf8_lossy(&response.body));
    String::from_utf8(response.body).unwrap()
}

#[test]
fn m_01_m_02_where_tokens_are_optional_both_ways_work() {
    let guest = open();
    assert_eq!(text(guest.gets("/latest/meta-data/hostname")), "web-1");
    for name in [TOKEN, "X-aliyun-ecs-metadata-token"] {
        let token = guest.token("60");
        let data = text(guest.asks(Method::Get, "/openstack/latest/meta_data.json", &[(name, &token)]));
        assert!(data.contains("web-1"));
    }
}

#[test]
fn m_03_m_04_where_tokens_are_required_only_they_open() {
    let guest = closed();
    for path in ["/", "/openstack", "/openstack/latest/user_data", "/latest/meta-data/", "/no/such/thing"] {
        assert_eq!(guest.gets(path).status, 401, "{path}");
    }
    let token = guest.token("60");
    assert_eq!(guest.asks(Method::Get, "/latest/meta-data/", &[(TOKEN, &token)]).status, 200);
}

#[test]
fn m_05_ended_unknown_and_foreign_tokens_are_refused_even_where_none_is_required() {
    for guest in [open(), closed()] {
        let token = guest.token("60");
        let get = |guest: &Guest, token: &str, second| {
            let now = NOW + SignedDuration::from_secs(second);
            guest.asks_at(now, Method::Get, "/latest/meta-data/", &[(TOKEN, token)], b"").status
        };
        assert_eq!((get(&guest, &token, 59), get(&guest, &token, 60)), (200, 401));
        let other = Guest { uid: "u-2", ..open() };
        assert_eq!(get(&other, &token, 0), 401, "another guest's token");
        for broken in ["", "x", &token[1..], &format!("{token}A"), &token.to_uppercase()] {
            assert_eq!(get(&guest, broken, 0), 401, "{broken}");
        }
    }
}

#[rstest]
#[case::m_06_too_short(Some("0"), 400)]
#[case::m_06_too_long(Some("21601"), 400)]
#[case::m_06_text(Some("an hour"), 400)]
#[case::m_06_negative(Some("-1"), 400)]
#[case::m_06_missing(None, 400)]
#[case::m_07_shortest(Some("1"), 200)]
#[case::m_07_longest(Some("21600"), 200)]
fn tokens_live_from_1_to_21600_seconds(#[case] ttl: Option<&str>, #[case] status: u16) {
    for name in [TTL, "X-aliyun-ecs-metadata-token-ttl-seconds"] {
        let headers: Vec<_> = ttl.iter().map(|ttl| (name, *ttl)).collect();
        let answer = open().asks(Method::Put, "/latest/api/token", &headers);
        assert_eq!(answer.status, status);
        let echoed = answer.headers.iter().any(|(n, v)| n.eq_ignore_ascii_case(name) && Some(v.as_str()) == ttl);
        assert_eq!(echoed, status == 200);
    }
}

#[rstest]
#[case::m_08_proxy(Method::Put, "/latest/api/token", &[(TTL, "60"), ("X-Forwarded-For", "10.0.0.1")], 403)]
#[case::m_09_get(Method::Get, "/latest/api/token", &[], 405)]
#[case::m_09_post(Method::Post, "/latest/api/token", &[], 405)]
#[case::versioned(Method::Put, "/2021-03-23/api/token", &[(TTL, "60")], 403)]
#[case::put_elsewhere(Method::Put, "/latest/meta-data/", &[(TTL, "60")], 405)]
#[case::post_elsewhere(Method::Post, "/openstack/latest/meta_data.json", &[], 405)]
#[case::other(Method::Other, "/latest/meta-data/", &[], 405)]
#[case::m_12_unknown_item(Method::Get, "/latest/meta-data/no-such-item", &[], 404)]
#[case::m_12_unknown_version(Method::Get, "/1999-01-01/meta-data/", &[], 404)]
#[case::m_12_unknown_openstack(Method::Get, "/openstack/2012-08-11/meta_data.json", &[], 404)]
#[case::content_is_not_listed(Method::Get, "/openstack/content", &[], 404)]
#[case::no_such_content(Method::Get, "/openstack/content/0001", &[], 404)]
#[case::head(Method::Head, "/latest/meta-data/hostname", &[], 200)]
fn requests_out_of_the_ordinary(
    #[case] method: Method,
    #[case] path: &str,
    #[case] headers: &[(&str, &str)],
    #[case] status: u16,
) {
    assert_eq!(open().asks(method, path, headers).status, status);
}

#[test]
fn m_10_an_endpoint_that_is_off_answers_nothing() {
    let guest = Guest::new(source(), MetadataOptions { endpoint_enabled: false, ..MetadataOptions::default() });
    for (method, path) in
        [(Method::Get, "/latest/meta-data/"), (Method::Put, "/latest/api/token"), (Method::Get, "/no")]
    {
        assert_eq!(guest.asks(method, path, &[(TTL, "60")]).status, 403);
    }
}

#[test]
fn m_11_the_hop_limit_is_for_answers_that_carry_a_token() {
    let guest = Guest::new(source(), MetadataOptions { hop_limit: 3, ..MetadataOptions::default() });
    assert_eq!(guest.asks(Method::Put, "/latest/api/token", &[(TTL, "60")]).hop_limit, Some(3));
    assert_eq!(guest.gets("/latest/meta-data/").hop_limit, None);
}

#[test]
fn m_12_unset_user_data_is_not_there() {
    let guest = Guest::new(DriveSource { user_data: None, ..source() }, MetadataOptions::default());
    for path in ["/latest/user-data", "/openstack/latest/user_data"] {
        assert_eq!(guest.gets(path).status, 404);
    }
    assert_eq!(text(guest.gets("/latest/")), "meta-data/");
    assert!(!text(guest.gets("/openstack/latest")).contains("user_data"));
}

#[test]
fn m_13_m_14_m_15_the_owners_pairs_key_data_and_files_are_there() {
    let guest = open();
    let data: serde_json::Value = serde_json::from_str(&text(guest.gets("/openstack/latest/meta_data.json"))).unwrap();
    assert_eq!(data["meta"]["role"], "web");
    assert_eq!(data["public_keys"]["ada"], "ssh-ed25519 AAAA ada@example.org");
    assert_eq!(data["files"], serde_json::json!([{"path": "/etc/motd", "content_path": "/content/0000"}]));
    assert_eq!(text(guest.gets("/openstack/content/0000")), "hello");
    assert_eq!(text(guest.gets("/latest/meta-data/public-keys/")), "0=ada");
    assert_eq!(text(guest.gets("/latest/meta-data/public-keys/0/")), "openssh-key");
    assert_eq!(text(guest.gets("/latest/meta-data/public-keys/0/openssh-key")), "ssh-ed25519 AAAA ada@example.org");
    for path in ["/openstack/latest/user_data", "/latest/user-data"] {
        assert_eq!(guest.gets(path).body, b"#!/bin/sh\n\xff");
    }
}

#[test]
fn tags_are_there_where_they_are_turned_on() {
    let guest = Guest::new(source(), MetadataOptions { tags_enabled: true, ..MetadataOptions::default() });
    assert_eq!(text(guest.gets("/latest/meta-data/tags/instance/")), "role", "a key that no path can name is left out");
    assert_eq!(text(guest.gets("/latest/meta-data/tags/instance/role")), "web");
    assert_eq!(open().gets("/latest/meta-data/tags/instance/role").status, 404);
    assert!(!text(open().gets("/latest/meta-data/")).contains("tags"));
}

#[test]
fn a_password_is_left_once_and_read_back() {
    let post = |guest: &Guest, body: &[u8]| guest.asks_at(NOW, Method::Post, "/openstack/latest/password", &[], body);
    let mut guest = open();
    assert_eq!(text(guest.gets("/openstack/2013-04-04/password")), "");
    assert_eq!(guest.gets("/openstack/2012-08-10/password").status, 404);
    assert_eq!(post(&guest, &[b'x'; 1021]).status, 400);
    assert_eq!(guest.asks(Method::Other, "/openstack/latest/password", &[]).status, 400);
    assert_eq!(post(&closed(), b"secret").status, 401);
    let kept = post(&guest, &[b'x'; 1020]);
    assert_eq!((kept.status, kept.keep_password.as_deref().map(<[u8]>::len)), (200, Some(1020)));
    guest.password = kept.keep_password;
    assert_eq!(post(&guest, b"another").status, 409);
    assert_eq!(guest.gets("/openstack/latest/password").body.len(), 1020);
}

#[test]
fn both_trees_as_a_guest_sees_them() {
    let mut seen = String::new();
    let guest = Guest::new(source(), MetadataOptions { tags_enabled: true, ..MetadataOptions::default() });
    for root in [
        "/",
        "/openstack",
        "/openstack/2012-08-10",
        "/openstack/latest",
        "/1.0/meta-data/",
        "/latest",
        "/latest/meta-data/",
    ] {
        seen.push_str(&format!("{root}\n  {}\n", text(guest.gets(root)).replace('\n', "\n  ")));
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn an_older_version_of_meta_data_has_only_its_keys() {
    let keys = |version: &str| {
        let data: serde_json::Value =
            serde_json::from_str(&text(open().gets(&format!("/openstack/{version}/meta_data.json")))).unwrap();
        data.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    let first = keys("2012-08-10");
    for (key, since) in [
        ("random_seed", "2013-04-04"),
        ("project_id", "2015-10-15"),
        ("devices", "2016-06-30"),
        ("dedicated_cpus", "2020-10-14"),
    ] {
        assert!(!first.contains(&key.to_owned()) && keys(since).contains(&key.to_owned()), "{key}");
    }
}

fn any_source() -> impl Strategy<Value = DriveSource> {
    let pairs = proptest::collection::btree_map("[ -~]{1,12}", "\\PC{0,20}", 0..6);
    let key = proptest::option::of(("\\PC{1,12}", "[ -~]{1,40}"));
    let data = proptest::option::of(proptest::collection::vec(any::<u8>(), 0..200));
    ("\\PC{0,20}", pairs, key, data, 0..4_usize, proptest::collection::vec(any::<u8>(), 0..40)).prop_map(
        |(name, meta, key, user_data, links, file)| DriveSource {
            name,
            meta,
            key: key.map(|(name, public_key)| GuestKey { name, public_key }),
            user_data,
            files: vec![InjectedFile { path: "/a".into(), contents: file }],
            links: (0..links)
                .map(|i| Link { mac: format!("fa:16:3e:00:00:0{i}"), ..source().links[0].clone() })
                .collect(),
            ..source()
        },
    )
}

/// All files below a folder, found by its listings alone.
fn walk(guest: &Guest, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for name in text(guest.gets(folder)).lines() {
        let name = if folder.ends_with("public-keys/") { "0/" } else { name };
        let path = format!("{folder}{name}");
        let is_folder = name.ends_with('/') || folder == "/" || folder == "/openstack/";
        if is_folder {
            found.extend(walk(guest, &format!("{}/", path.trim_end_matches('/'))));
        } else {
            let file = guest.gets(&path);
            assert_eq!(file.status, 200, "{path} is listed");
            found.insert(path, file.body);
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever a Server holds: all that is listed is there, and the drive says the same as the service.
    #[test]
    fn what_is_listed_is_there_and_the_drive_says_the_same(source in any_source(), tags in any::<bool>()) {
        let drive = source.files("nova");
        let guest = Guest::new(source, MetadataOptions { tags_enabled: tags, ..MetadataOptions::default() });
        walk(&guest, "/");
        let service = walk(&guest, "/openstack/");
        for (path, contents) in drive {
            let served = guest.gets(&format!("/{path}"));
            prop_assert_eq!(served.status, 200, "{}", path);
            if path.ends_with("meta_data.json") {
                let mut served: serde_json::Value = serde_json::from_slice(&served.body).unwrap();
                for only_service in ["random_seed", "dedicated_cpus"] {
                    served.as_object_mut().unwrap().remove(only_service);
                }
                prop_assert_eq!(served, serde_json::from_slice::<serde_json::Value>(&contents).unwrap());
            } else {
                prop_assert_eq!(&served.body, &contents, "{}", path);
                prop_assert!(path.contains("content") || service.contains_key(&format!("/{path}")), "{} is not listed", path);
            }
        }
    }

    /// No path and no token make it panic, and no token opens that was not sealed.
    #[test]
    fn anything_may_be_asked(path in "\\PC{0,60}", token in "\\PC{0,80}", tail in "(/|[a-z0-9.-]{0,12}){0,6}") {
        let guest = closed();
        for path in [path, format!("/latest/meta-data/{tail}"), format!("/openstack/{tail}")] {
            for method in [Method::Get, Method::Head, Method::Put, Method::Post, Method::Other] {
                let answer = guest.asks(method, &path, &[(TOKEN, &token), (TTL, &token)]);
                prop_assert!(answer.status >= 400 || method == Method::Put, "{}", path);
            }
            open().gets(&path);
        }
    }
}
