//! What the machine is and has.

use std::{fs, fs::OpenOptions, io::ErrorKind, path::Path};

use ostler_crds::host::Resources;
use ostler_hypervisor::{ErrorClass, HostFacts, HypervisorError};

use crate::{
    Config,
    accelerator::{Evidence, KvmDevice, choose, cpu_flags},
    error::failed,
    session::Session,
};

/// The facts.
pub(crate) fn host(session: &Session, config: &Config) -> Result<HostFacts, HypervisorError> {
    let connect = &session.connect;
    let node = connect.node_info().map_err(failed("read the machine's processors and memory"))?;
    let libvirt = connect.lib_version().map_err(failed("read libvirt's version"))?;
    let qemu = connect.hyp_version().map_err(failed("read QEMU's version"))?;
    Ok(HostFacts {
        capacity: Resources {
            vcpus: u64::from(node.cpus),
            memory_mib: node.memory / 1024,
            disk_gib: disk_gib(&config.state_dir)?,
        },
        accelerator: choose(config.accelerator, &evidence(session)),
        libvirt_version: version(libvirt),
        qemu_version: version(qemu),
    })
}

fn evidence(session: &Session) -> Evidence {
    // Where the file cannot be read, nothing speaks for KVM.
    let flags = fs::read_to_string("/proc/cpuinfo").map(|text| cpu_flags(&text)).unwrap_or_default();
    let offered = session.connect.domain_capabilities(None, Some("x86_64"), Some("q35"), Some("kvm"), 0).is_ok();
    Evidence { flags, device: kvm_device(Path::new("/dev/kvm")), offered_by_libvirt: offered }
}

fn kvm_device(path: &Path) -> KvmDevice {
    match OpenOptions::new().read(true).write(true).open(path).map_err(|error| error.kind()) {
        Ok(_) => KvmDevice::Opens,
        Err(ErrorKind::NotFound | ErrorKind::PermissionDenied) => KvmDevice::OutOfSight,
        Err(_) => KvmDevice::Broken,
    }
}

/// Size of the file system of a folder, in GiB, rounded down.
fn disk_gib(folder: &Path) -> Result<u64, HypervisorError> {
    let unreadable = |error| {
        let message = format!("cannot read the size of the file system of {}: {error}", folder.display());
        HypervisorError::new(ErrorClass::Refused, message)
    };
    let stat = rustix::fs::statvfs(folder).map_err(unreadable)?;
    Ok(stat.f_blocks.saturating_mul(stat.f_frsize) >> 30)
}

/// libvirt's way to write a version as a number: millions, thousands, ones.
fn version(number: u32) -> String {
    format!("{}.{}.{}", number / 1_000_000, number / 1_000 % 1_000, number % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_written_as_people_do() {
        assert_eq!((version(9_000_000), version(7_002_022)), ("9.0.0".to_owned(), "7.2.22".to_owned()));
    }

    #[test]
    fn the_size_of_a_file_system_is_read_and_a_missing_folder_is_an_error() {
        assert!(disk_gib(Path::new("/")).unwrap() > 0);
        assert_eq!(disk_gib(Path::new("/does/not/exist")).unwrap_err().class, ErrorClass::Refused);
    }

    #[test]
    fn a_file_that_is_not_there_is_out_of_sight() {
        assert_eq!(kvm_device(Path::new("/does/not/exist")), KvmDevice::OutOfSight);
    }
}
