//! Nova's tree below `/openstack` (`nova/api/metadata/base.py`): the items of the config drive, each from its version on.

use serde_json::{Map, Value, json};

use super::{Found, JSON, TEXT};
use crate::guest::config_drive::DriveSource;

/// Dated versions, oldest first; `latest` is the newest.
pub(super) const VERSIONS: [&str; 10] = [
    "2012-08-10",
    "2013-04-04",
    "2013-10-17",
    "2015-10-15",
    "2016-06-30",
    "2016-10-06",
    "2017-02-22",
    "2018-08-27",
    "2020-10-14",
    "2025-04-04",
];
const LATEST: &str = "latest";

/// From which version on there is an item, and its media type.
const ITEMS: [(&str, &str, &str); 5] = [
    ("meta_data.json", "2012-08-10", JSON),
    ("user_data", "2012-08-10", TEXT),
    ("vendor_data.json", "2013-10-17", JSON),
    ("network_data.json", "2015-10-15", JSON),
    ("vendor_data2.json", "2016-10-06", JSON),
];
/// Beside the items: not part of the drive, because the guest writes it.
pub(super) const PASSWORD: &str = "password";
const PASSWORD_SINCE: &str = "2013-04-04";

/// From which version on meta_data.json has a key. Others are there from the first.
const KEYS: [(&str, &str); 4] = [
    ("random_seed", "2013-04-04"),
    ("project_id", "2015-10-15"),
    ("devices", "2016-06-30"),
    ("dedicated_cpus", "2020-10-14"),
];

/// What is at `/openstack/PATH`. `None`: nothing.
pub(super) fn find(
    source: &DriveSource,
    zone: &str,
    seed: &str,
    password: Option<&[u8]>,
    path: &[&str],
) -> Option<Found> {
    let (version, rest) = match path {
        [] => return Some(Found::Folder(VERSIONS.iter().chain([&LATEST]).map(ToString::to_string).collect())),
        ["content", number] => {
            return source.content(number).map(|bytes| Found::File("application/octet-stream", bytes.to_vec()));
        }
        [version, rest @ ..] => (dated(version)?, rest),
    };
    match rest {
        [] => Some(Found::Folder(names(source, zone, version))),
        [PASSWORD] if version >= PASSWORD_SINCE => Some(Found::File(TEXT, password.unwrap_or_default().to_vec())),
        ["meta_data.json"] => Some(Found::File(JSON, meta_data(source, zone, seed, version))),
        [name] => {
            let (_, _, kind) = ITEMS.iter().find(|(item, since, _)| item == name && version >= *since)?;
            let items = source.items(zone);
            items.into_iter().find(|(item, _)| item == name).map(|(_, bytes)| Found::File(kind, bytes))
        }
        _ => None,
    }
}

/// Whether the password may be written at `/openstack/PATH`.
pub(super) fn takes_password(path: &[&str]) -> bool {
    matches!(path, [version, PASSWORD] if dated(version).is_some_and(|version| version >= PASSWORD_SINCE))
}

/// The dated version that a name stands for.
fn dated(name: &str) -> Option<&'static str> {
    if name == LATEST { VERSIONS.last().copied() } else { VERSIONS.into_iter().find(|version| *version == name) }
}

fn names(source: &DriveSource, zone: &str, version: &str) -> Vec<String> {
    let there: Vec<&str> = source.items(zone).into_iter().map(|(name, _)| name).collect();
    let items =
        ITEMS.iter().filter(|(name, since, _)| version >= *since && there.contains(name)).map(|(name, ..)| *name);
    items.chain((version >= PASSWORD_SINCE).then_some(PASSWORD)).map(str::to_owned).collect()
}

fn meta_data(source: &DriveSource, zone: &str, seed: &str, version: &str) -> Vec<u8> {
    let mut data: Map<String, Value> = source.meta_data(zone);
    data.insert("random_seed".into(), json!(seed));
    data.insert("dedicated_cpus".into(), json!([]));
    data.retain(|key, _| KEYS.iter().all(|(name, since)| name != key || version >= *since));
    Value::Object(data).to_string().into_bytes()
}
