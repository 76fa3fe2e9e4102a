//! The config drive: an ISO 9660 image with the label `config-2`, as cloud-init and its like look for.
//!
//! Joliet and Rock Ridge both, so that every guest sees the long names. The same files give the same bytes: all dates in
//! the image are one fixed date ([`settle`]).

mod settle;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, io::Cursor};

use hadris_iso::{
    joliet::JolietLevel,
    read::PathSeparator,
    rrip::RripOptions,
    write::{
        InputEntry, InputMetadata, InputTree, IsoImageWriter,
        options::{BaseIsoLevel, CreationFeatures, IsoFormatOptions},
    },
};
use thiserror::Error;

/// The label that guests look for.
pub const LABEL: &str = "config-2";
/// Most bytes that the files of a drive may have together; Nova's drives are as large.
pub const MAX_CONTENT_BYTES: usize = 64 << 20;
/// Longest name of a file or folder, in characters: Joliet's limit.
const MAX_NAME: usize = 64;
/// Bytes of a sector.
const SECTOR: usize = 2048;
/// Empty sectors after the volume, as genisoimage puts there: readers read ahead, and some that look for labels (busybox)
/// give up on a device of less than 68 KiB.
const PADDING: usize = 150;

/// A config drive cannot be made of these files.
#[derive(Debug, Error)]
pub enum ConfigDriveError {
    /// A path is empty, absolute, climbs, or has a name that is too long or holds a control character.
    #[error("the path {0:?} cannot be in a config drive")]
    Path(String),
    /// A path is there twice, or is both a file and a folder.
    #[error("the path {0:?} is there twice")]
    Twice(String),
    /// The files are too large.
    #[error("the files have {size} bytes, more than {MAX_CONTENT_BYTES}")]
    TooLarge {
        /// Bytes of all files.
        size: usize,
    },
    /// The image could not be written.
    #[error("cannot write the image: {0}")]
    Write(String),
}

enum Node<'a> {
    File(&'a [u8]),
    Folder(BTreeMap<&'a str, Node<'a>>),
}

/// The image with these files (path in the drive with `/`, contents), a whole number of 2048-byte sectors.
pub fn build(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>, ConfigDriveError> {
    let size = files.iter().fold(0_usize, |sum, (_, contents)| sum.saturating_add(contents.len()));
    if size > MAX_CONTENT_BYTES {
        return Err(ConfigDriveError::TooLarge { size });
    }
    let mut root = BTreeMap::new();
    for (path, contents) in files {
        insert(&mut root, path, contents)?;
    }
    let tree = InputTree::new(PathSeparator::ForwardSlash, entries(root));
    let written = IsoImageWriter::create(Cursor::new(Vec::new()), tree, options());
    let mut image = written.map_err(|error| ConfigDriveError::Write(error.to_string()))?.into_inner();
    image.resize(image.len().next_multiple_of(SECTOR) + PADDING * SECTOR, 0);
    settle::settle(&mut image).ok_or_else(|| ConfigDriveError::Write("the image is not as ISO 9660 says".into()))?;
    Ok(image)
}

fn insert<'a>(
    root: &mut BTreeMap<&'a str, Node<'a>>,
    path: &'a str,
    contents: &'a [u8],
) -> Result<(), ConfigDriveError> {
    let mut names: Vec<&str> = path.split('/').collect();
    if !names.iter().all(|name| is_name(name)) {
        return Err(ConfigDriveError::Path(path.to_owned()));
    }
    let Some(file) = names.pop() else { return Err(ConfigDriveError::Path(path.to_owned())) };
    let mut folder = root;
    for name in names {
        match folder.entry(name).or_insert_with(|| Node::Folder(BTreeMap::new())) {
            Node::Folder(inner) => folder = inner,
            Node::File(_) => return Err(ConfigDriveError::Twice(path.to_owned())),
        }
    }
    match folder.insert(file, Node::File(contents)) {
        None => Ok(()),
        Some(_) => Err(ConfigDriveError::Twice(path.to_owned())),
    }
}

fn is_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
        && name.encode_utf16().count() <= MAX_NAME
        && !name.chars().any(|c| c.is_control() || c == '\\')
}

fn entries(folder: BTreeMap<&str, Node<'_>>) -> Vec<InputEntry> {
    let metadata = |mode| InputMetadata { mode: Some(mode), uid: Some(0), gid: Some(0), ..InputMetadata::default() };
    let entry = |(name, node)| match node {
        Node::File(contents) => InputEntry::file(name, contents).with_metadata(metadata(0o444)),
        Node::Folder(inner) => InputEntry::directory(name, entries(inner)).with_metadata(metadata(0o555)),
    };
    folder.into_iter().map(entry).collect()
}

fn options() -> IsoFormatOptions {
    IsoFormatOptions {
        volume_name: LABEL.to_owned(),
        system_id: None,
        volume_set_id: None,
        publisher_id: None,
        preparer_id: None,
        application_id: None,
        sector_size: SECTOR,
        features: CreationFeatures {
            filenames: BaseIsoLevel::Level1 { supports_lowercase: false, supports_rrip: true },
            joliet: Some(JolietLevel::Level3),
            // Rock Ridge's own dates are left out; readers then take those of the directory records.
            rock_ridge: Some(RripOptions { preserve_timestamps: false, ..RripOptions::default() }),
            ..CreationFeatures::default()
        },
        path_separator: PathSeparator::ForwardSlash,
        // Strict would make the label upper case, which guests do not find.
        strict_charset: false,
    }
}
