//! The image cache as it lies on disk: what is in it, who needs it, and the removal of what is decided to go.

use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use ostler_engine::image_cache::{Cached, FileSystem, Limit, evicted};

use super::{backing, layout::Layout};

/// How old the note of the last use of an image may get while it is in use.
const NOTED: Duration = Duration::from_secs(240);

/// The cache after it was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheState {
    /// Images in it.
    pub images: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// Bytes of those that may not go.
    pub needed_bytes: u64,
    /// Bytes that it may keep.
    pub limit_bytes: u64,
    /// Images that were removed just now.
    pub removed: u64,
    /// Their bytes.
    pub removed_bytes: u64,
}

/// Brings the cache below its limit. `wanted` are digests that Servers of this host may need. The caller sees to it that
/// no disk is made meanwhile.
pub(super) fn tidy(layout: &Layout, limit: Limit, wanted: &BTreeSet<String>) -> io::Result<CacheState> {
    let in_use = in_use(layout)?;
    let now = Timestamp::now();
    let mut cached = Vec::new();
    for entry in fs::read_dir(layout.images())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !is_digest(&name) || !entry.file_type()?.is_file() {
            continue;
        }
        let (file, needed) = (entry.metadata()?, in_use.contains(&name) || wanted.contains(&name));
        let noted = file.modified()?;
        if needed && noted.elapsed().is_ok_and(|age| age > NOTED) {
            note_use(&entry.path());
        }
        let used_at = if needed { now } else { Timestamp::try_from(noted).unwrap_or(now) };
        cached.push(Cached { sha256: name, bytes: file.blocks() * 512, used_at, needed });
    }
    let disk = file_system(layout)?;
    let out = evicted(&cached, limit, disk, now);
    let mut state = CacheState { limit_bytes: limit.bytes(disk.size), ..CacheState::default() };
    for image in &cached {
        if out.contains(&image.sha256) {
            fs::remove_file(layout.image(&image.sha256))?;
            tracing::info!(sha256 = image.sha256, bytes = image.bytes, "removed an image that nobody needs");
            state.removed += 1;
            state.removed_bytes += image.bytes;
        } else {
            state.images += 1;
            state.bytes += image.bytes;
            state.needed_bytes += if image.needed { image.bytes } else { 0 };
        }
    }
    Ok(state)
}

/// Notes that an image is in use now. Its order among others depends on it, and nothing else.
pub(super) fn note_use(image: &Path) {
    if let Err(error) = fs::File::open(image).and_then(|file| file.set_modified(SystemTime::now())) {
        tracing::debug!(%error, image = %image.display(), "cannot note that an image is in use");
    }
}

/// Digests that any disk of any guest stands on, whatever its name, and however unfinished. One file that cannot be read is
/// an error: it may stand on anything.
fn in_use(layout: &Layout) -> io::Result<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for folder in fs::read_dir(layout.guests())? {
        let folder = folder?;
        if !folder.file_type()?.is_dir() {
            continue;
        }
        let files = match fs::read_dir(folder.path()) {
            // Its guest was just deleted.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            files => files?,
        };
        for file in files {
            let file = file?;
            if !file.file_type()?.is_file() {
                continue;
            }
            let base = match backing::of(&file.path()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                base => base?,
            };
            let base = base.filter(|base| base.parent() == Some(&layout.images()));
            all.extend(base.and_then(|b| Some(b.file_name()?.to_str()?.to_owned())));
        }
    }
    Ok(all)
}

fn file_system(layout: &Layout) -> io::Result<FileSystem> {
    let stats = rustix::fs::statvfs(layout.images())?;
    Ok(FileSystem {
        size: stats.f_blocks.saturating_mul(stats.f_frsize),
        free: stats.f_bavail.saturating_mul(stats.f_frsize),
    })
}

fn is_digest(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit())
}
