//! KVM or the translator: a decision on evidence.
//!
//! A `/dev/kvm` that can be opened proves nothing: machines were seen where it opens, libvirt offers KVM, a guest starts,
//! and its first instruction fails. What proves it is the processor's own flag besides.

use std::collections::BTreeSet;

use ostler_crds::host::Accelerator;

/// What was found on the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The processor flags that speak of virtualization: `vmx` (Intel), `svm` (AMD).
    pub flags: BTreeSet<String>,
    /// The device file, as this process sees it.
    pub device: KvmDevice,
    /// Whether libvirt, which asked QEMU, offers domains of type `kvm`.
    pub offered_by_libvirt: bool,
}

/// `/dev/kvm`, as this process sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KvmDevice {
    /// It opens for reading and writing.
    Opens,
    /// It is not there or not permitted, as in an unprivileged pod: libvirtd, outside, may see it.
    OutOfSight,
    /// It is there and does not work.
    Broken,
}

/// KVM only where the processor says so, libvirt offers it, and the device does not speak against it; a setting
/// overrides all evidence.
pub fn choose(forced: Option<Accelerator>, evidence: &Evidence) -> Accelerator {
    if let Some(forced) = forced {
        return forced;
    }
    let device = match evidence.device {
        KvmDevice::Opens | KvmDevice::OutOfSight => true,
        KvmDevice::Broken => false,
    };
    if !evidence.flags.is_empty() && evidence.offered_by_libvirt && device {
        Accelerator::Kvm
    } else {
        Accelerator::Tcg
    }
}

/// The virtualization flags in the text of `/proc/cpuinfo`.
pub(crate) fn cpu_flags(cpuinfo: &str) -> BTreeSet<String> {
    let lines = cpuinfo.lines().filter_map(|line| line.split_once(':')).filter(|(key, _)| key.trim() == "flags");
    let flags = lines.flat_map(|(_, flags)| flags.split_ascii_whitespace());
    flags.filter(|flag| matches!(*flag, "vmx" | "svm")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(flag: bool, device: KvmDevice, offered_by_libvirt: bool) -> Evidence {
        let flags = flag.then(|| "vmx".to_owned()).into_iter().collect();
        Evidence { flags, device, offered_by_libvirt }
    }

    #[test]
    fn kvm_needs_flag_and_offer_and_no_broken_device() {
        use KvmDevice::{Broken, Opens, OutOfSight};
        let cases = [
            (evidence(true, Opens, true), Accelerator::Kvm),
            (evidence(true, OutOfSight, true), Accelerator::Kvm),
            (evidence(true, Broken, true), Accelerator::Tcg),
            (evidence(true, Opens, false), Accelerator::Tcg),
            (evidence(false, Opens, true), Accelerator::Tcg),
        ];
        for (evidence, wanted) in cases {
            assert_eq!(choose(None, &evidence), wanted, "{evidence:?}");
        }
    }

    #[test]
    fn a_setting_overrides_all_evidence() {
        let none = evidence(false, KvmDevice::Broken, false);
        assert_eq!(choose(Some(Accelerator::Kvm), &none), Accelerator::Kvm);
        let all = evidence(true, KvmDevice::Opens, true);
        assert_eq!(choose(Some(Accelerator::Tcg), &all), Accelerator::Tcg);
    }

    #[test]
    fn flags_are_read_as_words_of_the_flags_line() {
        let amd = "processor\t: 0\nflags\t\t: fpu svm nx\nbugs\t\t: vmx\n";
        assert_eq!(cpu_flags(amd), BTreeSet::from(["svm".to_owned()]));
        assert!(cpu_flags("flags\t: fpu svm_lock hypervisor\nmodel name\t: vmx\n").is_empty());
        assert!(cpu_flags("").is_empty());
    }
}
