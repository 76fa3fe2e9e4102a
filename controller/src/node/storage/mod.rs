//! A guest's files on this host: image cache, root disk, config drive.

mod backing;
mod cache;
mod drive;
mod error;
mod evict;
mod folder;
mod layout;
pub mod leftovers;
mod mark;
mod resized;
mod root_disk;
pub mod shim;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, io, path::PathBuf};

use ostler_engine::{
    guest::{Failure, FailureKind, Files},
    image_cache::Limit,
};
use ostler_hypervisor::{GuestId, Origin, StorageStep};
use tokio::sync::{Notify, RwLock, RwLockReadGuard};

pub use backing::of as backing_of;
pub use cache::{Bytes, ImageCache};
pub use error::StorageError;
pub use evict::CacheState;
pub use folder::whose;
pub use layout::Layout;
use mark::write;
pub use root_disk::qemu_img;

use crate::common::crash;

/// Does steps on the file system and shows what is there.
pub struct Storage {
    layout: Layout,
    cache: ImageCache,
    /// Held for reading while a disk is made, for writing while images are removed.
    bases: RwLock<()>,
    changed: Notify,
}

impl Storage {
    /// Works below `layout`, with images from `cache`.
    pub fn new(layout: Layout, cache: ImageCache) -> Self {
        Self { layout, cache, bases: RwLock::default(), changed: Notify::new() }
    }

    /// Where things are.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What is there of a guest that may need images with these digests.
    pub async fn observe(&self, guest: GuestId, images: Vec<String>) -> Result<Files, Failure> {
        let layout = self.layout.clone();
        let seen = blocking(move || {
            Ok(Files {
                folder: whose(&layout, guest)?,
                root_disk: resized::root(&layout, guest)?,
                kept: resized::kept(&layout, guest)?,
                rescue_disk: resized::rescue(&layout, guest)?,
                config_drive: layout.config_drive(guest).try_exists()?,
                saved_mark: layout.saved_mark(guest).try_exists()?,
                cached: cached(&layout, images)?,
            })
        });
        let doing = "cannot look at the guest's files";
        seen.await.map_err(|e: io::Error| Failure::new(FailureKind::Storage, doing, e.to_string()))
    }

    /// Does one step for the Server with this uid.
    pub async fn execute(&self, step: &StorageStep, uid: &str) -> Result<(), Failure> {
        let done = self.try_execute(step, uid).await.map_err(|e| e.failure(step));
        // An image came, a disk went, or there is no room.
        let full = done.as_ref().is_err_and(|failure| failure.kind == FailureKind::DiskFull);
        if full || changes_cache(step) {
            self.changed.notify_one();
        }
        done
    }

    /// Waits until an image came, a disk went, or there was no room.
    pub async fn cache_changed(&self) {
        self.changed.notified().await;
    }

    /// Removes cached images that nobody needs, as far as `limit` asks for that. `wanted` are digests that Servers of this
    /// host may need.
    pub async fn tidy_cache(&self, limit: Limit, wanted: BTreeSet<String>) -> io::Result<CacheState> {
        let _no_disk_is_made = self.bases.write().await;
        let layout = self.layout.clone();
        blocking(move || evict::tidy(&layout, limit, &wanted)).await
    }

    /// The base of a disk that is about to be made; it stays for as long as the guard is held.
    async fn base(&self, sha256: &str) -> Result<(RwLockReadGuard<'_, ()>, PathBuf), StorageError> {
        let stays = self.bases.read().await;
        let base = self.layout.image(sha256);
        if !base.try_exists().map_err(StorageError::io("looking into the image cache"))? {
            return Err(StorageError::BaseMissing);
        }
        evict::note_use(&base);
        Ok((stays, base))
    }

    async fn try_execute(&self, step: &StorageStep, uid: &str) -> Result<(), StorageError> {
        let (layout, uid) = (self.layout.clone(), uid.to_owned());
        match step {
            StorageStep::FetchImage { image, sha256, size, format, url } => {
                let bytes = Bytes { image, sha256, size: *size, format: *format, url: url.as_deref() };
                self.cache.ensure(bytes).await
            }
            StorageStep::CreateRootDisk { guest, base_format, size, origin } => {
                let disk = layout.root_disk(*guest);
                let (_stays, base) = self.base(&origin.sha256).await?;
                let (guest, origin) = (*guest, origin.clone());
                // The mark comes first: without a disk it says nothing.
                let marked = blocking(move || {
                    folder::ensure(&layout, guest, &uid)?;
                    let there = layout.root_disk(guest).try_exists();
                    let marked = there.and_then(|t| if t { Ok(()) } else { write(&layout.root_mark(guest), &origin) });
                    marked.map_err(StorageError::io("marking the root disk"))
                });
                marked.await?;
                crash::point("root disk marked");
                root_disk::create(&disk, &base, *base_format, *size).await
            }
            StorageStep::ReplaceRootDisk { guest, base_format, size, origin } => {
                let (disk, mark) = (layout.root_disk(*guest), layout.root_mark(*guest));
                let (_stays, base) = self.base(&origin.sha256).await?;
                let (id, wanted) = (*guest, origin.clone());
                let there = blocking(move || {
                    folder::ensure(&layout, id, &uid)?;
                    let there = resized::root(&layout, id).map_err(StorageError::io("reading the root disk"))?;
                    Ok::<_, StorageError>(there.is_some_and(|disk| disk.origin == Some(wanted)))
                });
                if there.await? {
                    return Ok(());
                }
                // A mark of no image: what is cut off from here on is begun again, even if the rebuild is taken back.
                let (unsure, nothing) = (mark.clone(), Origin::of_nothing(origin));
                let doomed = move || {
                    write(&unsure, &nothing)?;
                    crash::point("root disk doomed");
                    Ok(())
                };
                root_disk::replace(&disk, &base, *base_format, *size, doomed).await?;
                crash::point("root disk replaced");
                // The mark comes last: a disk that nobody has run yet may be made anew again.
                let origin = origin.clone();
                blocking(move || write(&mark, &origin).map_err(StorageError::io("marking the root disk"))).await
            }
            StorageStep::MarkRootDisk { guest, origin } => {
                let (mark, origin) = (layout.root_mark(*guest), origin.clone());
                blocking(move || write(&mark, &origin).map_err(StorageError::io("marking the root disk"))).await
            }
            StorageStep::GrowRootDisk { guest, size } => root_disk::grow(&layout.root_disk(*guest), *size).await,
            StorageStep::KeepRootDisk { guest, kept } => {
                let (guest, kept) = (*guest, kept.clone());
                on_files(move || resized::keep(&layout, guest, &kept)).await
            }
            StorageStep::RestoreRootDisk { guest } => {
                let guest = *guest;
                on_files(move || resized::restore(&layout, guest)).await
            }
            StorageStep::RemoveKeptDisk { guest } => {
                let guest = *guest;
                on_files(move || resized::forget(&layout, guest)).await
            }
            StorageStep::CreateRescueDisk { guest, base, base_format, size } => {
                let (_stays, image) = self.base(base).await?;
                let (mark, sha256) = (layout.rescue_mark(*guest), base.clone());
                on_files(move || write(&mark, &sha256)).await?;
                crash::point("rescue disk marked");
                root_disk::create(&layout.rescue_disk(*guest), &image, *base_format, *size).await
            }
            StorageStep::RemoveRescueDisk { guest } => {
                let guest = *guest;
                on_files(move || resized::unrescue(&layout, guest)).await
            }
            StorageStep::WriteConfigDrive { guest, files } => {
                let (guest, files) = (*guest, files.clone());
                blocking(move || {
                    folder::ensure(&layout, guest, &uid)?;
                    drive::write(&layout.config_drive(guest), &files)
                })
                .await
            }
            StorageStep::MarkSaved { guest } => {
                let guest = *guest;
                blocking(move || {
                    folder::ensure(&layout, guest, &uid)?;
                    mark::set(&layout.saved_mark(guest)).map_err(StorageError::io("writing a note"))
                })
                .await
            }
            StorageStep::UnmarkSaved { guest } => {
                let mark = layout.saved_mark(*guest);
                blocking(move || mark::remove(&mark).map_err(StorageError::io("removing a note"))).await
            }
            StorageStep::RemoveGuestFiles { guest } => {
                let guest = *guest;
                blocking(move || folder::remove(&layout, guest, &uid)).await
            }
        }
    }
}

/// Whether an image comes with it, or a disk that stood on one may go.
fn changes_cache(step: &StorageStep) -> bool {
    match step {
        StorageStep::FetchImage { .. }
        | StorageStep::ReplaceRootDisk { .. }
        | StorageStep::RestoreRootDisk { .. }
        | StorageStep::RemoveKeptDisk { .. }
        | StorageStep::RemoveRescueDisk { .. }
        | StorageStep::RemoveGuestFiles { .. } => true,
        StorageStep::CreateRootDisk { .. }
        | StorageStep::MarkRootDisk { .. }
        | StorageStep::GrowRootDisk { .. }
        | StorageStep::KeepRootDisk { .. }
        | StorageStep::CreateRescueDisk { .. }
        | StorageStep::WriteConfigDrive { .. }
        | StorageStep::MarkSaved { .. }
        | StorageStep::UnmarkSaved { .. } => false,
    }
}

fn cached(layout: &Layout, images: Vec<String>) -> io::Result<BTreeSet<String>> {
    let mut cached = BTreeSet::new();
    for sha256 in images {
        if ImageCache::has(layout, &sha256)? {
            cached.insert(sha256);
        }
    }
    Ok(cached)
}

/// Works on a guest's files off the async threads.
async fn on_files(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> Result<(), StorageError> {
    blocking(work).await.map_err(StorageError::io("working on the guest's files"))
}

/// Runs what blocks off the async threads.
pub async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Cancelled> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(Cancelled.into()),
    }
}

/// The work was cut off by the end of the process, or it panicked.
pub struct Cancelled;

impl From<Cancelled> for io::Error {
    fn from(_: Cancelled) -> Self {
        Self::new(io::ErrorKind::Interrupted, "the work was cut off")
    }
}

impl From<Cancelled> for StorageError {
    fn from(cancelled: Cancelled) -> Self {
        Self::Io { what: "working on files", source: cancelled.into() }
    }
}
