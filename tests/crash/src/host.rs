//! What a host shows of a guest, so that two ends can be compared, and what must not be there.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use anyhow::{Context, Result};
use ostler_test_harness::LibvirtNode;

/// Always there in the folder of a guest.
const ALWAYS: [&str; 5] = ["owner", "root.qcow2", "root.json", "config.iso", "console.log"];
/// Where the mark is written, in a disk of 1 GiB that the guest fills from its beginning.
const MARK_AT: &str = "1000M 1M";

/// All that libvirt and the file system show, in words; `uid` is written as `GUEST`.
///
/// # Errors
/// A command fails.
pub fn fingerprint(libvirt: &LibvirtNode, uid: &str) -> Result<String> {
    let script = "d=ostler-$1
        virsh dominfo $d 2>/dev/null | grep -E '^(State|CPU.s.|Max memory|Persistent|Autostart|Managed save)' || echo no domain
        virsh domblklist $d 2>/dev/null | sed -n '3,$p' | sed 's,/.*/,,'
        virsh domiflist $d 2>/dev/null | sed -n '3,$p' | awk '{print $2, $3, $4}'
        virsh nwfilter-list | sed -n '3,$p' | awk '{print $2}' | grep -c ostler
        virsh net-list --all --name | sort";
    let text = libvirt.enter(&["sh", "-c", script, "sh", uid])?;
    // The definition of a guest that is off is made anew before it starts.
    let off = text.contains("shut off");
    let mut lines: Vec<String> =
        text.replace(uid, "GUEST").lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let folder = libvirt.state_dir().join("guests").join(uid);
    for disk in ["root.qcow2", "kept.qcow2", "rescue.qcow2"].map(|d| folder.join(d)).iter().filter(|d| d.exists()) {
        lines.push(describe(disk)?);
    }
    lines.retain(|l| !(l.is_empty() || off && (l.starts_with("CPU(s)") || l.starts_with("Max memory"))));
    Ok(lines.join("\n"))
}

/// A disk's sizes and base.
fn describe(disk: &Path) -> Result<String> {
    let out = Command::new("qemu-img").args(["info", "-U", "--output=json"]).arg(disk).output().context("qemu-img")?;
    let info: serde_json::Value = serde_json::from_slice(&out.stdout)?;
    let name = disk.file_name().unwrap_or_default().to_string_lossy();
    let base = info["backing-filename"].as_str().unwrap_or("none").rsplit('/').next().unwrap_or_default();
    Ok(format!("{name} {} {base}", info["virtual-size"]))
}

/// What lies about: `present` are the uids of Servers that have a guest here, `uid` is the one that was worked on, with
/// `files` in its folder.
///
/// # Errors
/// A command fails, or a folder cannot be read.
pub fn leftovers(libvirt: &LibvirtNode, present: &[String], uid: &str, files: &[&str]) -> Result<Vec<String>> {
    let mut left = Vec::new();
    let present: BTreeSet<&str> = present.iter().map(String::as_str).collect();
    for domain in libvirt.domains()? {
        if !present.contains(domain.trim_start_matches("ostler-")) {
            left.push(format!("domain {domain}"));
        }
    }
    for folder in names(&libvirt.state_dir().join("guests"))? {
        if !present.contains(folder.as_str()) {
            left.push(format!("guests/{folder}"));
        }
    }
    let allowed: BTreeSet<&str> = ALWAYS.iter().chain(files).copied().collect();
    let folder = libvirt.state_dir().join("guests").join(uid);
    // A Server that is gone has no uid.
    if present.contains(uid) && folder.exists() {
        let found = names(&folder)?;
        left.extend(found.iter().filter(|f| !allowed.contains(f.as_str())).map(|f| format!("guests/{uid}/{f}")));
    }
    for image in names(&libvirt.state_dir().join("images"))? {
        if image.len() != 64 {
            left.push(format!("images/{image}"));
        }
    }
    let script = "virsh net-dumpxml ostler-lan 2>/dev/null | grep -c '<host mac' || true
        ls -A /var/lib/libvirt/qemu/save /var/lib/libvirt/qemu/snapshot 2>/dev/null | grep ostler- || true
        echo taps $(ip -o link show type tun 2>/dev/null | grep -c vnet)
        echo bindings $(virsh nwfilter-binding-list | grep -c vnet)
        echo running $(virsh list --name | grep -c ostler-)";
    let said = libvirt.enter(&["sh", "-c", script])?;
    let number = |word: &str| {
        let line = said.lines().find_map(|l| l.strip_prefix(word));
        line.and_then(|n| n.trim().parse::<usize>().ok()).unwrap_or_default()
    };
    let running = number("running");
    for (word, n) in [("taps", number("taps")), ("bindings", number("bindings"))] {
        if n > running {
            left.push(format!("{n} {word} for {running} guests that run"));
        }
    }
    let reserved: usize = said.lines().next().and_then(|n| n.trim().parse().ok()).unwrap_or_default();
    if reserved != present.len() {
        left.push(format!("{reserved} addresses for {} guests", present.len()));
    }
    for saved in said.lines().filter(|l| l.ends_with(".save")) {
        let id = saved.trim_start_matches("ostler-").trim_end_matches(".save");
        if !present.contains(id) {
            left.push(format!("saved memory {saved}"));
        }
    }
    Ok(left)
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut names = entries.map(|e| Ok(e?.file_name().to_string_lossy().into_owned())).collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// Writes a mark to a disk that nobody uses.
///
/// # Errors
/// qemu-io fails.
pub fn mark(disk: &Path) -> Result<()> {
    qemu_io(disk, &["-c", &format!("write -q -P 170 {MARK_AT}")]).map(drop)
}

/// Whether a disk bears the mark (true) or nothing at that place (false); it may be in use.
///
/// # Errors
/// It bears something else, or cannot be read.
pub fn is_marked(disk: &Path) -> Result<bool> {
    for (pattern, marked) in [("170", true), ("0", false)] {
        let said = qemu_io(disk, &["-U", "-r", "-c", &format!("read -P {pattern} {MARK_AT}")])?;
        if !said.contains("Pattern verification failed") {
            return Ok(marked);
        }
    }
    anyhow::bail!("{} bears neither the mark nor nothing", disk.display())
}

fn qemu_io(disk: &Path, args: &[&str]) -> Result<String> {
    let out = Command::new("qemu-io").args(["-f", "qcow2"]).args(args).arg(disk).output().context("qemu-io")?;
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    anyhow::ensure!(!said.contains("can't open"), "qemu-io: {said}");
    Ok(said)
}
