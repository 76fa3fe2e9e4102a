//! A guest's files and definition, as the node role would make them.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use ostler_crds::host::Accelerator;
use ostler_hypervisor::contract::Fixture;
use ostler_hypervisor::{
    DomainDefinition, FilterDefinition, GuestId, NetworkDefinition, NicDefinition, Owner, config_drive,
};
use ostler_test_harness::{GuestImage, wait_for};
use uuid::Uuid;

use crate::Node;

/// How long a guest may take to boot on a machine that is busy with other things.
pub const BOOT: Duration = Duration::from_secs(180);

/// The network of the tests.
pub fn network() -> NetworkDefinition {
    NetworkDefinition {
        name: "ostler-contract".into(),
        uid: "2f0b9a52-6a9f-4d2c-9d0a-000000000001".into(),
        gateway: Ipv4Addr::new(10, 88, 0, 1),
        prefix_length: 24,
        dns_servers: vec![Ipv4Addr::new(9, 9, 9, 9)],
        mtu: Some(1400),
    }
}

/// The filter of the tests.
pub fn filter() -> FilterDefinition {
    let denied = ["169.254.0.0/16", "10.96.0.0/12", "192.0.2.7/32", "198.51.100.1/32"];
    FilterDefinition { metadata_service: true, denied: denied.iter().filter_map(|range| range.parse().ok()).collect() }
}

/// A guest with an overlay over the tests' image, a config drive with this user data, and `10.88.0.LAST` on
/// [`network`].
///
/// # Errors
/// The image cannot be built, or a file not be written.
pub fn guest(node: &Node, last: u8, user_data: &str) -> Result<Fixture> {
    let id = GuestId(Uuid::new_v4());
    let network = network();
    let nic = NicDefinition {
        mac: format!("fa:16:3e:00:00:{last:02x}"),
        network: network.name.clone(),
        address: Ipv4Addr::new(10, 88, 0, last),
        prefix_length: network.prefix_length,
        gateway: network.gateway,
        dns_servers: network.dns_servers.clone(),
        mtu: network.mtu,
    };
    let dir = node.guests_dir().join(id.to_string());
    fs::create_dir_all(&dir)?;
    for folder in [node.guests_dir(), dir.clone()] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o711))?;
    }
    let root_disk = dir.join("root.qcow2");
    let made = Command::new("qemu-img")
        .args(["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b"])
        .arg(image(node)?)
        .arg(&root_disk)
        .status()
        .context("qemu-img")?;
    ensure!(made.success(), "qemu-img create failed");
    let drive = dir.join("config.iso");
    let metadata = format!(r#"{{"uuid": "{id}", "hostname": "guest-{last}"}}"#);
    let files = [("meta_data.json", metadata.as_str()), ("user_data", user_data)]
        .map(|(name, text)| (format!("openstack/latest/{name}"), text.as_bytes().to_vec()));
    fs::write(&drive, config_drive::build(&files)?)?;
    let domain = DomainDefinition {
        id,
        owner: Owner { namespace: "shop".into(), name: format!("web-{last}"), uid: Uuid::new_v4().to_string() },
        vcpus: 1,
        memory_mib: 128,
        accelerator: Accelerator::Tcg,
        root_disk,
        second_disk: None,
        config_drive: Some(drive),
        nics: vec![nic],
        console_log: dir.join("console.log"),
    };
    Ok(Fixture { network, domain })
}

/// The base image, where QEMU's user may read it.
fn image(node: &Node) -> Result<PathBuf> {
    let base = node.libvirt.state_dir().join("base.qcow2");
    if !base.exists() {
        fs::copy(GuestImage::get()?.path(), &base)?;
        fs::set_permissions(&base, fs::Permissions::from_mode(0o444))?;
    }
    Ok(base)
}

/// Waits for the `nth` line (from 1) of the guest's console that begins with `start`, and returns it.
///
/// # Errors
/// It does not come within [`BOOT`].
pub async fn console_line(domain: &DomainDefinition, start: &str, nth: usize) -> Result<String> {
    wait_for(&format!("line {nth} {start} on the console"), BOOT, async || {
        let log = fs::read(&domain.console_log).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        Ok(text.lines().filter(|line| line.starts_with(start)).nth(nth - 1).map(str::to_owned))
    })
    .await
}
