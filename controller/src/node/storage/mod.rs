//! A guest's files on this host: image cache, root disk, config drive.

mod cache;
mod drive;
mod error;
mod folder;
mod layout;
pub mod leftovers;
mod mark;
mod root_disk;
pub mod shim;
#[cfg(test)]
mod tests;

use std::io;

use ostler_engine::guest::{Failure, FailureKind, Files};
use ostler_hypervisor::{GuestId, StorageStep};

pub use cache::{Bytes, ImageCache};
pub use error::StorageError;
pub use folder::whose;
pub use layout::Layout;
pub use root_disk::qemu_img;

/// Does steps on the file system and shows what is there.
pub struct Storage {
    layout: Layout,
    cache: ImageCache,
}

impl Storage {
    /// Works below `layout`, with images from `cache`.
    pub fn new(layout: Layout, cache: ImageCache) -> Self {
        Self { layout, cache }
    }

    /// Where things are.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What is there of a guest whose image has this digest.
    pub async fn observe(&self, guest: GuestId, sha256: Option<&str>) -> Result<Files, Failure> {
        let layout = self.layout.clone();
        let sha256 = sha256.map(str::to_owned);
        let seen = blocking(move || {
            Ok(Files {
                folder: whose(&layout, guest)?,
                root_disk: layout.root_disk(guest).try_exists()?,
                config_drive: layout.config_drive(guest).try_exists()?,
                saved_mark: layout.saved_mark(guest).try_exists()?,
                image_cached: sha256.map_or(Ok(false), |d| ImageCache::has(&layout, &d))?,
            })
        });
        let doing = "cannot look at the guest's files";
        seen.await.map_err(|e: io::Error| Failure::new(FailureKind::Storage, doing, e.to_string()))
    }

    /// Does one step for the Server with this uid.
    pub async fn execute(&self, step: &StorageStep, uid: &str) -> Result<(), Failure> {
        self.try_execute(step, uid).await.map_err(|e| e.failure(step))
    }

    async fn try_execute(&self, step: &StorageStep, uid: &str) -> Result<(), StorageError> {
        let (layout, uid) = (self.layout.clone(), uid.to_owned());
        match step {
            StorageStep::FetchImage { image, sha256, size, format, url } => {
                let bytes = Bytes { image, sha256, size: *size, format: *format, url: url.as_deref() };
                self.cache.ensure(bytes).await
            }
            StorageStep::CreateRootDisk { guest, base, base_format, size } => {
                let (disk, base) = (layout.root_disk(*guest), layout.image(base));
                let guest = *guest;
                blocking(move || folder::ensure(&layout, guest, &uid)).await?;
                root_disk::create(&disk, &base, *base_format, *size).await
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
