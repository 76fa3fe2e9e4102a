//! The gate against hostile images: an image that would make QEMU open another file, or is not what it is called, is
//! refused before QEMU or qemu-img sees it. Nothing that the image names is ever opened here.

use std::path::Path;

use imago::{file::File, format::drivers::FormatDriverInstance, qcow2::Qcow2};
use ostler_crds::image::DiskFormat;
use thiserror::Error;
use tokio::io::AsyncReadExt;

/// The magic number at the start of a qcow2 file.
const QCOW2_MAGIC: &[u8; 4] = b"QFI\xfb";
/// Where and with what files begin that are images of a format of their own, so that none passes as another in disguise.
const SIGNATURES: &[(usize, &[u8], &str)] = &[
    (0, QCOW2_MAGIC, "qcow2"),
    (0, b"KDMV", "vmdk"),
    (0, b"COWD", "vmdk"),
    (0, b"# Disk DescriptorFile", "vmdk"),
    (0, b"vhdxfile", "vhdx"),
    (0, b"conectix", "vhd"),
    // Any text may stand before it.
    (64, b"\x7f\x10\xda\xbe", "vdi"),
    (0, b"LUKS\xba\xbe", "luks"),
    (0, b"QED\0", "qed"),
];
/// Virtual sizes are whole sectors: QEMU shows a guest the last, partial one of a raw file as a whole one.
const SECTOR: u64 = 512;
/// Longest message of the library that is passed on, in characters.
const MESSAGE: usize = 200;
/// Largest first-level table that QEMU itself accepts, in entries of 8 bytes (32 MiB).
const MAX_L1_ENTRIES: u32 = 32 * 1024 * 1024 / 8;
/// Largest disk that a guest may be shown: 64 TiB.
const MAX_VIRTUAL_SIZE: u64 = 64 << 40;

/// What the tables of a small disk may take, in bytes; those of a large one are a small part of it.
const TABLES: u64 = 64 << 20;

/// What was found out about an image that may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inspected {
    /// Size of the disk that the guest sees, in bytes.
    pub virtual_size: u64,
}

/// Why an image may not be used. The text is fit for a condition: it names no path of a machine.
#[derive(Debug, Error)]
pub enum Refusal {
    /// It has no bytes.
    #[error("the image is empty")]
    Empty,
    /// It is of another format than it is called.
    #[error("its format is called {called}, but the bytes are {found}")]
    WrongFormat {
        /// What it is called.
        called: &'static str,
        /// What its bytes begin like; `raw` is anything without a signature.
        found: &'static str,
    },
    /// It is of a format that no guest starts from.
    #[error("no guest can start from the format {0}; convert it: qemu-img convert -O qcow2 IN OUT")]
    NotBootable(&'static str),
    /// It is encrypted.
    #[error("the image is encrypted")]
    Encrypted,
    /// It would make the host read another file.
    #[error("the image names a backing file; flatten it first: qemu-img convert -O qcow2 IN OUT")]
    BackingFile,
    /// It would make the host read another file.
    #[error("the image keeps its data in another file; flatten it first: qemu-img convert -O qcow2 IN OUT")]
    DataFile,
    /// Its tables or its disk are larger than any honest image's.
    #[error("the image claims a disk of {0} bytes, or tables beyond what QEMU accepts")]
    TooLarge(u64),
    /// Its file is far larger than its disk: bytes that no guest sees and that would only fill hosts.
    #[error(
        "the file has {size} bytes, but its disk only {virtual_size}; compact it: qemu-img convert -O qcow2 IN OUT"
    )]
    Padded {
        /// Bytes of the file.
        size: u64,
        /// Bytes of the disk.
        virtual_size: u64,
    },
    /// Its header contradicts itself.
    #[error("the image is damaged: {0}")]
    Damaged(String),
    /// It could not be read.
    #[error("the image could not be read: {0}")]
    Io(#[from] std::io::Error),
}

/// Inspects the file at `path`, whose bytes are said to be in `format`.
pub async fn inspect(path: &Path, format: DiskFormat) -> Result<Inspected, Refusal> {
    let mut file = tokio::fs::File::open(path).await?;
    let size = file.metadata().await?.len();
    if size == 0 {
        return Err(Refusal::Empty);
    }
    let mut head = Vec::with_capacity(HEADER);
    (&mut file).take(HEADER as u64).read_to_end(&mut head).await?;
    let signed = |(at, magic, _): &&(usize, &[u8], &str)| head.get(*at..).is_some_and(|h| h.starts_with(magic));
    let found = SIGNATURES.iter().find(signed).map_or("raw", |(_, _, name)| *name);
    if found != format.as_str() {
        return Err(Refusal::WrongFormat { called: format.as_str(), found });
    }
    match format {
        DiskFormat::Raw if size > MAX_VIRTUAL_SIZE => Err(Refusal::TooLarge(size)),
        DiskFormat::Raw => Ok(Inspected { virtual_size: size.next_multiple_of(SECTOR) }),
        DiskFormat::Qcow2 => {
            check_header(&head)?;
            let inspected = inspect_qcow2(path).await?;
            check_padding(size, inspected.virtual_size)?;
            Ok(inspected)
        }
        // Only what carries a signature of its own comes here, and none of those formats is looked into.
        other => Err(Refusal::NotBootable(other.as_str())),
    }
}

/// Bytes of a version 2 qcow2 header; all that is read from it here lies in these.
const HEADER: usize = 72;

/// Refuses what the library would allocate for or does not look at, before it opens the file.
fn check_header(head: &[u8]) -> Result<(), Refusal> {
    let field32 = |at: usize| head.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes);
    let field64 = |at: usize| head.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_be_bytes);
    let (Some(backing), Some(disk), Some(crypt), Some(l1)) = (field64(8), field64(24), field32(32), field32(36)) else {
        return Err(Refusal::Damaged("the header is cut off".to_owned()));
    };
    if backing != 0 {
        return Err(Refusal::BackingFile);
    }
    if crypt != 0 {
        return Err(Refusal::Encrypted);
    }
    if disk > MAX_VIRTUAL_SIZE || l1 > MAX_L1_ENTRIES {
        return Err(Refusal::TooLarge(disk));
    }
    Ok(())
}

/// Refuses a file that is larger than its disk and the tables of a fully allocated one.
fn check_padding(size: u64, virtual_size: u64) -> Result<(), Refusal> {
    if size > virtual_size.saturating_add(virtual_size / 16).saturating_add(TABLES) {
        return Err(Refusal::Padded { size, virtual_size });
    }
    Ok(())
}

async fn inspect_qcow2(path: &Path) -> Result<Inspected, Refusal> {
    // Opens the file itself only: neither a backing file nor a data file.
    let image = Qcow2::<File>::open_path(path, false).await.map_err(|e| damaged(&e))?;
    if image.implicit_backing_file().is_some() || image.implicit_backing_format().is_some() {
        return Err(Refusal::BackingFile);
    }
    if image.requires_external_data_file() || image.implicit_external_data_file().is_some() {
        return Err(Refusal::DataFile);
    }
    Ok(Inspected { virtual_size: image.size() })
}

/// The library's message may repeat what the image says, so it is cut and loses what is not printable.
fn damaged(error: &std::io::Error) -> Refusal {
    Refusal::Damaged(error.to_string().chars().filter(|c| !c.is_control()).take(MESSAGE).collect())
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, process::Command};

    use proptest::prelude::*;

    use super::*;

    fn qemu_img(args: &[&str]) {
        let out = Command::new("qemu-img").args(args).output().expect("qemu-img is needed: package qemu-utils");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }

    fn made(dir: &tempfile::TempDir, name: &str, args: &[&str]) -> PathBuf {
        let path = dir.path().join(name);
        let mut all = vec!["create", "-q", "-f", "qcow2"];
        all.extend(args);
        let text = path.to_str().unwrap().to_owned();
        all.extend([text.as_str(), "16M"]);
        qemu_img(&all);
        path
    }

    #[tokio::test]
    async fn a_plain_qcow2_image_shows_its_disk_size() {
        let dir = tempfile::tempdir().unwrap();
        let path = made(&dir, "a", &[]);
        assert_eq!(inspect(&path, DiskFormat::Qcow2).await.unwrap().virtual_size, 16 << 20);
    }

    #[tokio::test]
    async fn a_padded_file_is_refused_and_a_fully_allocated_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let full = made(&dir, "full", &["-o", "preallocation=falloc"]);
        assert_eq!(inspect(&full, DiskFormat::Qcow2).await.unwrap().virtual_size, 16 << 20);
        let padded = made(&dir, "padded", &[]);
        std::fs::File::options().write(true).open(&padded).unwrap().set_len(60 << 30).unwrap();
        let verdict = inspect(&padded, DiskFormat::Qcow2).await;
        assert!(matches!(verdict, Err(Refusal::Padded { virtual_size: 0x100_0000, .. })), "{verdict:?}");
    }

    #[tokio::test]
    async fn a_disguise_is_seen_through() {
        let dir = tempfile::tempdir().unwrap();
        let path = made(&dir, "a", &[]);
        let verdict = inspect(&path, DiskFormat::Raw).await;
        assert!(matches!(verdict, Err(Refusal::WrongFormat { called: "raw", found: "qcow2" })), "{verdict:?}");
        for format in ["vmdk", "vdi", "vhdx", "qed"] {
            let path = dir.path().join(format);
            qemu_img(&["create", "-q", "-f", format, path.to_str().unwrap(), "16M"]);
            for called in [DiskFormat::Raw, DiskFormat::Qcow2] {
                let verdict = inspect(&path, called).await;
                assert!(matches!(verdict, Err(Refusal::WrongFormat { found, .. }) if found == format), "{verdict:?}");
            }
        }
    }

    #[tokio::test]
    async fn an_encrypted_or_oversized_image_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let plain = std::fs::read(made(&dir, "a", &[])).unwrap();
        for (at, byte) in [(35, 2), (36, 0xff), (24, 1)] {
            let mut bytes = plain.clone();
            bytes[at] = byte;
            let path = dir.path().join("b");
            std::fs::write(&path, bytes).unwrap();
            let verdict = inspect(&path, DiskFormat::Qcow2).await;
            assert!(matches!(verdict, Err(Refusal::Encrypted | Refusal::TooLarge(_))), "{at}: {verdict:?}");
        }
    }

    #[tokio::test]
    async fn a_backing_file_is_refused_and_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = made(&dir, "a", &["-u", "-b", "/nowhere/secret", "-F", "raw"]);
        assert!(matches!(inspect(&path, DiskFormat::Qcow2).await, Err(Refusal::BackingFile)));
    }

    #[tokio::test]
    async fn a_data_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let option = format!("data_file={}", dir.path().join("data").display());
        let path = made(&dir, "a", &["-o", &option]);
        assert!(matches!(inspect(&path, DiskFormat::Qcow2).await, Err(Refusal::DataFile)));
    }

    #[tokio::test]
    async fn bytes_that_are_no_image_are_refused_as_qcow2_and_taken_as_raw() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, b"hello").unwrap();
        let verdict = inspect(&path, DiskFormat::Qcow2).await;
        assert!(matches!(verdict, Err(Refusal::WrongFormat { called: "qcow2", found: "raw" })));
        assert_eq!(inspect(&path, DiskFormat::Raw).await.unwrap().virtual_size, 512);
        std::fs::write(&path, b"").unwrap();
        assert!(matches!(inspect(&path, DiskFormat::Raw).await, Err(Refusal::Empty)));
    }

    /// The header of an empty version 3 image of 1 MiB with clusters of 64 KiB, and its level-1 table.
    fn honest() -> Vec<u8> {
        let mut b = vec![0u8; 4 * 65536];
        let mut put = |at: usize, bytes: &[u8]| b[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, QCOW2_MAGIC);
        put(4, &3u32.to_be_bytes());
        put(20, &16u32.to_be_bytes());
        put(24, &(1u64 << 20).to_be_bytes());
        put(36, &1u32.to_be_bytes());
        put(40, &(3u64 * 65536).to_be_bytes());
        put(48, &65536u64.to_be_bytes());
        put(56, &1u32.to_be_bytes());
        put(96, &4u32.to_be_bytes());
        put(100, &104u32.to_be_bytes());
        b
    }

    fn verdict(bytes: &[u8]) -> Result<Inspected, Refusal> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(inspect(file.path(), DiskFormat::Qcow2))
    }

    #[test]
    fn an_image_made_by_hand_is_as_good_as_one_of_qemus() {
        assert_eq!(verdict(&honest()).unwrap().virtual_size, 1 << 20);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn no_change_of_a_good_header_makes_the_gate_panic(
            at in 4usize..600,
            bytes in proptest::collection::vec(any::<u8>(), 1..32),
        ) {
            let mut hostile = honest();
            hostile[at..at + bytes.len()].copy_from_slice(&bytes);
            let _ = verdict(&hostile);
        }

        #[test]
        fn no_header_makes_the_gate_panic(version in 2u32..4, body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = QCOW2_MAGIC.to_vec();
            bytes.extend(version.to_be_bytes());
            bytes.extend(body);
            // Whatever it says, it says it.
            let _ = verdict(&bytes);
        }
    }
}
