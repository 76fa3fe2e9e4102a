//! EC2's tree, as Nova serves it beside its own, with the names that Alibaba's clients ask for in `latest` and its version.

use std::collections::BTreeMap;

use super::{Found, TEXT};
use crate::guest::config_drive::{DriveSource, netmask};

/// EC2's versions, oldest first.
const VERSIONS: [&str; 9] = [
    "1.0",
    "2007-01-19",
    "2007-03-01",
    "2007-08-29",
    "2007-10-10",
    "2007-12-15",
    "2008-02-01",
    "2008-09-01",
    "2009-04-04",
];
/// Alibaba's version, which has all that there is; so has `latest`.
const ALIBABA: &str = "2016-01-01";
const LATEST: &str = "latest";

/// What is at `/PATH`. `None`: nothing.
pub(super) fn find(source: &DriveSource, zone: &str, tags: bool, path: &[&str]) -> Option<Found> {
    let version = match path {
        [] => return Some(Found::Folder(VERSIONS.into_iter().chain([ALIBABA, LATEST]).map(str::to_owned).collect())),
        [version, ..] => known(version)?,
    };
    match path.get(1..).unwrap_or_default() {
        [] => {
            let data = source.user_data.as_ref().map(|_| "user-data".to_owned());
            Some(Found::Folder(std::iter::once("meta-data/".to_owned()).chain(data).collect()))
        }
        ["user-data"] => source.user_data.clone().map(|data| Found::File(TEXT, data)),
        ["meta-data", rest @ ..] => within(&leaves(source, zone, tags, version), rest),
        _ => None,
    }
}

fn known(name: &str) -> Option<&'static str> {
    VERSIONS.into_iter().chain([ALIBABA, LATEST]).find(|version| *version == name)
}

/// The file at this path, or the folder. A key's folder is listed as `0=NAME`, which clients cut at the sign.
fn within(leaves: &BTreeMap<String, String>, path: &[&str]) -> Option<Found> {
    let path = path.join("/");
    if let Some(text) = leaves.get(&path) {
        return Some(Found::File(TEXT, text.clone().into_bytes()));
    }
    let folder = if path.is_empty() { String::new() } else { format!("{path}/") };
    let mut names: Vec<String> = Vec::new();
    for rest in leaves.keys().filter_map(|leaf| leaf.strip_prefix(&folder)) {
        let name = match rest.split_once('/') {
            Some((name, _)) => format!("{name}/"),
            None => rest.to_owned(),
        };
        if names.last() != Some(&name) {
            names.push(name);
        }
    }
    if path == "public-keys" {
        names = leaves.get(KEY_NAME).map(|name| vec![format!("0={name}")])?;
    }
    names.retain(|name| name != KEY_NAME);
    (!names.is_empty()).then_some(Found::Folder(names))
}

/// Holds the key's name; no request can name it.
const KEY_NAME: &str = "\0key";

/// All files below `meta-data`: path and contents.
fn leaves(source: &DriveSource, zone: &str, tags: bool, version: &str) -> BTreeMap<String, String> {
    let zone = source.availability_zone.as_deref().unwrap_or(zone);
    let short: String = source.uuid.chars().filter(char::is_ascii_hexdigit).take(8).collect();
    let first = source.links.first();
    let address = first.map(|link| link.address.to_string()).unwrap_or_default();
    let everything = version == LATEST || version == ALIBABA;
    // From EC2's version on, path, contents; as in Nova, a version has what the earlier ones have.
    let mut all: Vec<(&str, String, String)> = Vec::new();
    let mut put = |since: &'static str, path: &str, text: &str| all.push((since, path.to_owned(), text.to_owned()));
    put("1.0", "ami-id", &format!("ami-{}", source.image.get(..8).unwrap_or("00000000")));
    put("1.0", "ami-launch-index", "0");
    put("1.0", "ami-manifest-path", "(unknown)");
    put("1.0", "instance-id", &format!("i-{short}"));
    put("1.0", "hostname", &source.hostname);
    put("1.0", "local-ipv4", &address);
    put("1.0", "reservation-id", &format!("r-{short}"));
    put("1.0", "security-groups", &source.security_groups.join("\n"));
    if let Some(key) = &source.key {
        put("1.0", "public-keys/0/openssh-key", &key.public_key);
        put("1.0", KEY_NAME, &key.name);
    }
    put("2007-01-19", "local-hostname", &source.hostname);
    put("2007-01-19", "public-hostname", &source.hostname);
    put("2007-01-19", "public-ipv4", "");
    put("2007-08-29", "instance-type", &source.flavor);
    put("2007-12-15", "block-device-mapping/ami", "vda");
    put("2007-12-15", "block-device-mapping/root", "/dev/vda");
    put("2008-02-01", "placement/availability-zone", zone);
    put("2008-09-01", "instance-action", "none");
    if everything {
        alibaba(source, zone, &address, &mut put);
        for (key, value) in source.meta.iter().filter(|(key, _)| tags && is_tag(key)) {
            put(LATEST, &format!("tags/instance/{key}"), value);
        }
    }
    let there = |since: &str| everything || since <= version;
    all.into_iter().filter(|(since, ..)| there(since)).map(|(_, path, text)| (path, text)).collect()
}

/// Alibaba's names for what EC2 has none or another for.
fn alibaba(source: &DriveSource, zone: &str, address: &str, put: &mut impl FnMut(&'static str, &str, &str)) {
    put(ALIBABA, "instance/instance-name", &source.name);
    put(ALIBABA, "instance/instance-type", &source.flavor);
    put(ALIBABA, "image-id", &source.image);
    put(ALIBABA, "owner-account-id", &source.project_id);
    put(ALIBABA, "serial-number", &source.uuid);
    put(ALIBABA, "zone-id", zone);
    put(ALIBABA, "private-ipv4", address);
    let Some(first) = source.links.first() else { return };
    put(ALIBABA, "mac", &first.mac);
    let servers: Vec<&str> = if first.dns_servers.is_empty() {
        first.gateway.as_deref().into_iter().collect()
    } else {
        first.dns_servers.iter().map(String::as_str).collect()
    };
    if !servers.is_empty() {
        put(ALIBABA, "dns-conf/nameservers", &servers.join("\n"));
    }
    for link in &source.links {
        let nic = format!("network/interfaces/macs/{}", link.mac);
        put(ALIBABA, &format!("{nic}/primary-ip-address"), &link.address.to_string());
        put(ALIBABA, &format!("{nic}/private-ipv4s"), &format!("[{}]", link.address));
        put(ALIBABA, &format!("{nic}/netmask"), &netmask(link.prefix_length).to_string());
        if let Some(gateway) = &link.gateway {
            put(ALIBABA, &format!("{nic}/gateway"), gateway);
        }
    }
}

/// Whether a key of the owner's can be named in a path: EC2's rule for tags in metadata.
fn is_tag(key: &str) -> bool {
    !matches!(key, "." | "..") && key.chars().all(|c| c.is_ascii_alphanumeric() || "@:_-.=,+".contains(c))
}
