//! What a guest finds on its config drive (spec/imds.md §7; Nova's `nova/api/metadata/base.py` is the model).
//!
//! ```text
//!   openstack/{latest,2018-08-27}/meta_data.json      who the guest is
//!                                 user_data           only if set
//!                                 network_data.json   only if it has an interface: cloud-init configures none for []
//!                                 vendor_data.json    the administrator's password, if any, for cloud-init
//!                                 vendor_data2.json   empty
//!   openstack/content/NNNN                            the injected files, in the order of spec.files
//! ```

use std::{collections::BTreeMap, net::Ipv4Addr};

use ostler_hypervisor::PasswordHash;
use serde_json::{Map, Value, json};

/// Folders with the same contents: what clients ask for without a version, and the newest version that cloud-init knows.
const VERSIONS: [&str; 2] = ["2018-08-27", "latest"];

/// What a guest is told of itself: on its config drive, and by the metadata service.
#[derive(Clone, PartialEq, Eq)]
pub struct DriveSource {
    /// The guest's OpenStack id.
    pub uuid: String,
    /// Its OpenStack name.
    pub name: String,
    /// Its host name.
    pub hostname: String,
    /// Its project: the namespace.
    pub project_id: String,
    /// The availability zone that was asked for; `None`: the host's.
    pub availability_zone: Option<String>,
    /// The owner's key and value pairs.
    pub meta: BTreeMap<String, String>,
    /// The ssh key.
    pub key: Option<GuestKey>,
    /// User data, as cloud-init gets it.
    pub user_data: Option<Vec<u8>>,
    /// The administrator's password, which cloud-init sets at the first boot.
    pub password: Option<PasswordHash>,
    /// Files that the owner wants in the guest.
    pub files: Vec<InjectedFile>,
    /// OpenStack name of the Flavor.
    pub flavor: String,
    /// OpenStack id of the Image.
    pub image: String,
    /// Names of the SecurityGroups that it is in.
    pub security_groups: Vec<String>,
    /// Interfaces in the guest's order.
    pub links: Vec<Link>,
}

/// A file that the owner wants in the guest (Nova's personality).
#[derive(Clone, PartialEq, Eq)]
pub struct InjectedFile {
    /// Absolute path in the guest.
    pub path: String,
    /// Contents.
    pub contents: Vec<u8>,
}

/// An ssh key that the guest accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestKey {
    /// OpenStack name of the KeyPair.
    pub name: String,
    /// The public key.
    pub public_key: String,
}

/// An interface as the guest is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// MAC address.
    pub mac: String,
    /// Largest packet.
    pub mtu: Option<u32>,
    /// Name of the Network.
    pub network: String,
    /// The address.
    pub address: Ipv4Addr,
    /// Length of the subnet's prefix.
    pub prefix_length: u8,
    /// The router.
    pub gateway: Option<String>,
    /// DNS servers; empty: the router.
    pub dns_servers: Vec<String>,
}

// User data may hold secrets, so a log or an error never shows it.
impl std::fmt::Debug for DriveSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DriveSource").field("uuid", &self.uuid).field("name", &self.name).finish_non_exhaustive()
    }
}

impl DriveSource {
    /// The files of the drive: (path, contents), sorted by path. `zone` is the host's availability zone.
    pub fn files(&self, zone: &str) -> Vec<(String, Vec<u8>)> {
        let items = self.items(zone);
        let version = |v: &&str| {
            items.iter().map(|(name, bytes)| (format!("openstack/{v}/{name}"), bytes.clone())).collect::<Vec<_>>()
        };
        let content = self.files.iter().enumerate();
        let content = content.map(|(i, file)| (format!("openstack{}", content_path(i)), file.contents.clone()));
        VERSIONS.iter().flat_map(version).chain(content).collect()
    }

    /// What cloud-init takes before the user's own data, which wins where both say something.
    fn vendor_data(&self) -> Value {
        let Some(PasswordHash(hash)) = &self.password else { return json!({}) };
        let users = json!([{ "name": "root", "password": hash, "type": "hash" }]);
        let config = json!({ "chpasswd": { "expire": false, "users": users } });
        // JSON is YAML.
        json!({ "cloud-init": format!("#cloud-config\n{config}\n") })
    }

    /// What is in the folder of the newest version: (name, contents), sorted by name.
    pub(super) fn items(&self, zone: &str) -> Vec<(&'static str, Vec<u8>)> {
        let mut items = vec![("meta_data.json", text(&Value::Object(self.meta_data(zone))))];
        if !self.links.is_empty() {
            items.push(("network_data.json", text(&self.network_data())));
        }
        if let Some(data) = &self.user_data {
            items.push(("user_data", data.clone()));
        }
        items.push(("vendor_data.json", text(&self.vendor_data())));
        items.push(("vendor_data2.json", b"{}".to_vec()));
        items
    }

    /// The injected file at `openstack/content/NUMBER`.
    pub(super) fn content(&self, number: &str) -> Option<&[u8]> {
        let at =
            self.files.iter().enumerate().find(|(i, _)| content_path(*i).strip_prefix("/content/") == Some(number));
        at.map(|(_, file)| file.contents.as_slice())
    }

    pub(super) fn meta_data(&self, zone: &str) -> Map<String, Value> {
        let mut data = Map::new();
        data.insert("uuid".into(), json!(self.uuid));
        data.insert("name".into(), json!(self.name));
        data.insert("hostname".into(), json!(self.hostname));
        data.insert("availability_zone".into(), json!(self.availability_zone.as_deref().unwrap_or(zone)));
        data.insert("launch_index".into(), json!(0));
        data.insert("project_id".into(), json!(self.project_id));
        if !self.meta.is_empty() {
            data.insert("meta".into(), json!(self.meta));
        }
        if let Some(key) = &self.key {
            data.insert("public_keys".into(), json!({ &key.name: key.public_key }));
            data.insert("keys".into(), json!([{ "name": key.name, "type": "ssh", "data": key.public_key }]));
        }
        let nics: Vec<Value> =
            self.links.iter().map(|l| json!({ "type": "nic", "bus": "pci", "mac": l.mac, "tags": [] })).collect();
        data.insert("devices".into(), json!(nics));
        if !self.files.is_empty() {
            let file = |(i, f): (usize, &InjectedFile)| json!({ "path": f.path, "content_path": content_path(i) });
            data.insert("files".into(), self.files.iter().enumerate().map(file).collect());
        }
        data
    }

    fn network_data(&self) -> Value {
        let link = |(i, l): (usize, &Link)| {
            json!({ "id": format!("nic{i}"), "vif_id": format!("{}-nic{i}", self.uuid), "type": "phy", "mtu": l.mtu,
                    "ethernet_mac_address": l.mac })
        };
        let links: Vec<Value> = self.links.iter().enumerate().map(link).collect();
        let networks: Vec<Value> = self.links.iter().enumerate().map(|(i, l)| network(i, l)).collect();
        let mut services: Vec<Value> = self.links.iter().flat_map(dns).collect();
        services.dedup();
        json!({ "links": links, "networks": networks, "services": services })
    }
}

fn network(index: usize, link: &Link) -> Value {
    // Two default routes would fight, so only the first interface gets one.
    let routes: Vec<Value> = match (&link.gateway, index) {
        (Some(gateway), 0) => vec![json!({ "network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": gateway })],
        (Some(_) | None, _) => vec![],
    };
    json!({
        "id": format!("network{index}"),
        "type": "ipv4",
        "link": format!("nic{index}"),
        "network_id": link.network,
        "ip_address": link.address,
        "netmask": netmask(link.prefix_length),
        "routes": routes,
        "services": dns(link),
    })
}

fn dns(link: &Link) -> Vec<Value> {
    let servers = if link.dns_servers.is_empty() { link.gateway.as_slice() } else { &link.dns_servers };
    servers.iter().map(|address| json!({ "type": "dns", "address": address })).collect()
}

fn content_path(index: usize) -> String {
    format!("/content/{index:04}")
}

pub(super) fn netmask(prefix_length: u8) -> Ipv4Addr {
    Ipv4Addr::from(u32::MAX.checked_shl(32 - u32::from(prefix_length.min(32))).unwrap_or(0))
}

fn text(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn netmasks_of_all_lengths() {
        assert_eq!(netmask(0), Ipv4Addr::UNSPECIFIED);
        assert_eq!(netmask(24), Ipv4Addr::new(255, 255, 255, 0));
        assert_eq!(netmask(32), Ipv4Addr::BROADCAST);
    }
}
