//! The gate against hostile images: an image that would make QEMU open another file, or is not what it is called, is
//! refused before QEMU or qemu-img sees it. Nothing that the image names is ever opened here.

use std::path::Path;

use imago::{file::File, format::drivers::FormatDriverInstance, qcow2::Qcow2};
use ostler_crds::image::DiskFormat;
use thiserror::Error;
use tokio::io::AsyncReadExt;

/// The magic number at the start of a qcow2 file.
const QCOW2_MAGIC: &[u8; 4] = b"QFI\xfb";
/// Largest first-level table that QEMU itself accepts, in entries of 8 bytes (32 MiB).
const MAX_L1_ENTRIES: u32 = 32 * 1024 * 1024 / 8;
/// Largest disk that a guest may be shown: 64 TiB.
const MAX_VIRTUAL_SIZE: u64 = 64 << 40;

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
    /// It is called qcow2 and is not.
    #[error("diskFormat is qcow2, but the bytes are not a qcow2 image")]
    NotQcow2,
    /// It is called raw and begins like a qcow2 image.
    #[error("diskFormat is raw, but the bytes are a qcow2 image")]
    RawIsQcow2,
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
    match format {
        DiskFormat::Raw if head.starts_with(QCOW2_MAGIC) => Err(Refusal::RawIsQcow2),
        DiskFormat::Raw if size > MAX_VIRTUAL_SIZE => Err(Refusal::TooLarge(size)),
        DiskFormat::Raw => Ok(Inspected { virtual_size: size }),
        DiskFormat::Qcow2 => {
            check_header(&head)?;
            inspect_qcow2(path).await
        }
    }
}

/// Bytes of a version 2 qcow2 header; all that is read from it here lies in these.
const HEADER: usize = 72;

/// Refuses what the library would allocate for or does not look at, before it opens the file.
fn check_header(head: &[u8]) -> Result<(), Refusal> {
    let field32 = |at: usize| head.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes);
    let field64 = |at: usize| head.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_be_bytes);
    if !head.starts_with(QCOW2_MAGIC) {
        return Err(Refusal::NotQcow2);
    }
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

async fn inspect_qcow2(path: &Path) -> Result<Inspected, Refusal> {
    // Opens the file itself only: neither a backing file nor a data file.
    let image = Qcow2::<File>::open_path(path, false).await.map_err(|e| Refusal::Damaged(e.to_string()))?;
    if image.implicit_backing_file().is_some() {
        return Err(Refusal::BackingFile);
    }
    if image.requires_external_data_file() || image.implicit_external_data_file().is_some() {
        return Err(Refusal::DataFile);
    }
    Ok(Inspected { virtual_size: image.size() })
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
    async fn an_image_called_raw_that_is_qcow2_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = made(&dir, "a", &[]);
        assert!(matches!(inspect(&path, DiskFormat::Raw).await, Err(Refusal::RawIsQcow2)));
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
        assert!(matches!(inspect(&path, DiskFormat::Qcow2).await, Err(Refusal::NotQcow2)));
        assert_eq!(inspect(&path, DiskFormat::Raw).await.unwrap().virtual_size, 5);
        std::fs::write(&path, b"").unwrap();
        assert!(matches!(inspect(&path, DiskFormat::Raw).await, Err(Refusal::Empty)));
    }

    proptest! {
        #[test]
        fn no_header_makes_the_gate_panic(version in 2u32..4, body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("a");
            let mut bytes = QCOW2_MAGIC.to_vec();
            bytes.extend(version.to_be_bytes());
            bytes.extend(body);
            std::fs::write(&path, bytes).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            // Whatever it says, it says it.
            let _ = runtime.block_on(inspect(&path, DiskFormat::Qcow2));
        }
    }
}
