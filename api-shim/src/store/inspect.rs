//! The gate for hostile images: what was uploaded is looked at before anything uses it. A qcow2 file that names another
//! file, or is encrypted, is refused; a file that is not what it claims to be too. No other file is ever opened.

use std::{fs::File, io::Read, path::Path, sync::Arc};

use imago::{FormatAccess, file::File as ImageFile, format::drivers::FormatDriverInstance, qcow2::Qcow2};
use ostler_crds::image::DiskFormat;
use thiserror::Error;

/// Longest level-1 table that is read: 32 MiB, QEMU's own limit.
const L1_ENTRIES: u32 = 4 << 20;
/// Largest disk: 1 EiB would overflow sums of ours.
const LARGEST: u64 = 1 << 50;

/// Why an image is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// Names another file as its backing.
    #[error("the image names a backing file")]
    BackingFile,
    /// Keeps its data in another file.
    #[error("the image keeps its data in another file")]
    DataFile,
    /// Is encrypted.
    #[error("the image is encrypted")]
    Encrypted,
    /// Is not of the format that it claims.
    #[error("the image is not {claimed} but {found}")]
    WrongFormat {
        /// What it claims.
        claimed: &'static str,
        /// What it seems to be.
        found: &'static str,
    },
    /// Cannot be read as the format that it claims.
    #[error("the image is damaged: {0}")]
    Damaged(String),
    /// Would be larger than anything that we serve.
    #[error("the image's disk is too large")]
    TooLarge,
    /// The file could not be read; not the image's fault.
    #[error("the file could not be read: {0}")]
    Io(String),
}

/// Signatures at the start of a file, so that a raw image is none of these in disguise.
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"QFI\xfb", "qcow2"),
    (b"KDMV", "vmdk"),
    (b"# Disk DescriptorFile", "vmdk"),
    (b"vhdxfile", "vhdx"),
    (b"conectix", "vhd"),
    (b"<<< Oracle VM VirtualBox Disk Image >>>", "vdi"),
    (b"LUKS\xba\xbe", "luks"),
    (b"QED\0", "qed"),
];

/// Size in bytes of the disk that a guest would see. Blocks: call it off the async threads of a runtime.
pub fn inspect(path: &Path, claimed: DiskFormat) -> Result<u64, Refusal> {
    let io = |e: std::io::Error| Refusal::Io(e.to_string());
    let mut file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    let mut head = Vec::new();
    file.by_ref().take(512).read_to_end(&mut head).map_err(io)?;
    let found = SIGNATURES.iter().find(|(magic, _)| head.starts_with(magic)).map_or("raw", |(_, name)| *name);
    if found != claimed.as_str() {
        return Err(Refusal::WrongFormat { claimed: claimed.as_str(), found });
    }
    let size = match claimed {
        DiskFormat::Raw => length.next_multiple_of(512),
        DiskFormat::Qcow2 => qcow2(path, &head)?,
    };
    if size > LARGEST { Err(Refusal::TooLarge) } else { Ok(size) }
}

fn qcow2(path: &Path, head: &[u8]) -> Result<u64, Refusal> {
    // Fields of the header that imago would act on before it lets us look at them, or does not show.
    let word = |at: usize| head.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes);
    let cut = || Refusal::Damaged("the header is cut off".to_owned());
    if word(32).ok_or_else(cut)? != 0 {
        return Err(Refusal::Encrypted);
    }
    if word(36).ok_or_else(cut)? > L1_ENTRIES {
        return Err(Refusal::TooLarge);
    }
    type Layers = Arc<FormatAccess<ImageFile>>;
    let damaged =
        |e: std::io::Error| Refusal::Damaged(e.to_string().chars().filter(|c| !c.is_control()).take(200).collect());
    let image = futures::executor::block_on(Qcow2::<ImageFile, Layers>::open_path(path, false)).map_err(damaged)?;
    if image.requires_external_data_file() || image.implicit_external_data_file().is_some() {
        return Err(Refusal::DataFile);
    }
    if image.implicit_backing_file().is_some() || image.implicit_backing_format().is_some() {
        return Err(Refusal::BackingFile);
    }
    Ok(image.size())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn written(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    /// The header of an empty version 3 image of 1 MiB with clusters of 64 KiB, and its level-1 table.
    fn image(edit: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
        let mut b = vec![0u8; 4 * 65536];
        let mut put = |at: usize, bytes: &[u8]| b[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"QFI\xfb");
        put(4, &3u32.to_be_bytes());
        put(20, &16u32.to_be_bytes());
        put(24, &(1u64 << 20).to_be_bytes());
        put(36, &1u32.to_be_bytes());
        put(40, &(3u64 * 65536).to_be_bytes());
        put(48, &65536u64.to_be_bytes());
        put(56, &1u32.to_be_bytes());
        put(96, &4u32.to_be_bytes());
        put(100, &104u32.to_be_bytes());
        edit(&mut b);
        b
    }

    fn verdict(bytes: &[u8]) -> Result<u64, Refusal> {
        inspect(written(bytes).path(), DiskFormat::Qcow2)
    }

    #[test]
    fn a_plain_image_tells_its_size() {
        assert_eq!(verdict(&image(|_| {})), Ok(1 << 20));
        assert_eq!(inspect(written(&[7; 700]).path(), DiskFormat::Raw), Ok(1024));
    }

    #[test]
    fn an_image_that_names_another_file_is_refused() {
        let backed = image(|b| {
            b[8..16].copy_from_slice(&512u64.to_be_bytes());
            b[16..20].copy_from_slice(&11u32.to_be_bytes());
            b[512..523].copy_from_slice(b"/etc/passwd");
        });
        assert_eq!(verdict(&backed), Err(Refusal::BackingFile));
        let data = image(|b| {
            b[79] = 4;
            b[104..112].copy_from_slice(&[0x44, 0x41, 0x54, 0x41, 0, 0, 0, 11]);
            b[112..123].copy_from_slice(b"/etc/shadow");
        });
        assert_eq!(verdict(&data), Err(Refusal::DataFile));
    }

    #[test]
    fn an_encrypted_or_oversized_image_is_refused() {
        assert_eq!(verdict(&image(|b| b[35] = 2)), Err(Refusal::Encrypted));
        assert_eq!(verdict(&image(|b| b[36] = 0xff)), Err(Refusal::TooLarge));
    }

    #[test]
    fn a_disguise_is_seen_through() {
        let raw = inspect(written(&image(|_| {})).path(), DiskFormat::Raw);
        assert_eq!(raw, Err(Refusal::WrongFormat { claimed: "raw", found: "qcow2" }));
        assert_eq!(verdict(b"KDMV...."), Err(Refusal::WrongFormat { claimed: "qcow2", found: "vmdk" }));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_header_breaks_the_gate(at in 4usize..600, bytes in prop::collection::vec(any::<u8>(), 1..32)) {
            let hostile = image(|b| b[at..at + bytes.len()].copy_from_slice(&bytes));
            let _ = verdict(&hostile);
        }
    }
}
