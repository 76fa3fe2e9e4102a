//! The files of uploaded images, named by the Image's uid and the digest of the bytes: images never share bytes, so that
//! removing one never harms another, and two uploads to one Image cannot overwrite each other. The uid and not the OpenStack
//! id, because a user may choose the latter (label) and so name somebody else's.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{fs, sync::broadcast::error::RecvError};

use crate::app::App;

/// The folder of uploaded images.
#[derive(Debug, Clone)]
pub struct ImageFiles {
    dir: PathBuf,
    limit: u64,
}

impl ImageFiles {
    /// Files in `dir`, each at most `limit` bytes.
    pub fn new(dir: PathBuf, limit: u64) -> Self {
        Self { dir, limit }
    }

    /// Largest upload in bytes.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The file of an Image's bytes. Both come from the API server; `sha256` is in hexadecimal.
    pub fn path(&self, uid: &str, sha256: &str) -> PathBuf {
        self.dir.join(format!("{uid}-{sha256}.img"))
    }

    /// The file of bytes that are not the Image's yet. It goes with the Image.
    pub fn staged(&self, uid: &str, sha256: &str) -> PathBuf {
        self.dir.join(format!("{uid}-staged-{sha256}.img"))
    }

    /// A new name for bytes on their way in. A crash may leave it behind; [`ImageFiles::prepare`] clears such.
    pub fn incoming(&self, uid: &str) -> PathBuf {
        self.dir.join(format!("{uid}.{}.part", uuid::Uuid::new_v4().simple()))
    }

    /// Makes the folder, and removes parts that nobody has written to for a day.
    pub async fn prepare(&self) -> std::io::Result<()> {
        fs::create_dir_all(&self.dir).await?;
        let mut entries = fs::read_dir(&self.dir).await?;
        while let Some(entry) = entries.next_entry().await? {
            let is_part = entry.path().extension().is_some_and(|e| e == "part");
            let age = entry.metadata().await.ok().and_then(|m| m.modified().ok()).and_then(|t| t.elapsed().ok());
            if is_part && age.is_some_and(|a| a.as_secs() > 86_400) {
                fs::remove_file(entry.path()).await?;
            }
        }
        Ok(())
    }

    /// Removes an Image's bytes, if there are any, and what a lost race or a crash left of it.
    pub async fn remove(&self, uid: &str) {
        if let Err(error) = self.remove_all(&format!("{uid}-")).await {
            tracing::warn!(image = uid, %error, "cannot remove the bytes of a deleted image");
        }
    }

    /// Removes bytes that an upload brought and the Image did not take.
    pub async fn discard(&self, uid: &str, sha256: &str) {
        match fs::remove_file(self.path(uid, sha256)).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(image = uid, %error, "cannot remove the bytes of an upload that was not taken");
            }
            _ => {}
        }
    }

    async fn remove_all(&self, prefix: &str) -> std::io::Result<()> {
        let mut entries = fs::read_dir(&self.dir).await?;
        while let Some(entry) = entries.next_entry().await? {
            if entry.file_name().to_str().is_some_and(|n| n.starts_with(prefix)) {
                fs::remove_file(entry.path()).await?;
            }
        }
        Ok(())
    }
}

/// Removes the bytes of every Image whose deletion is seen, whichever front asked for it. An Image that was deleted while
/// no shim ran leaves its bytes behind: nothing is removed only because its object is not found.
pub fn spawn_cleaner(app: &Arc<App>) {
    let (app, mut deleted) = (app.clone(), app.stores.images.deletions());
    tokio::spawn(async move {
        loop {
            match deleted.recv().await {
                Ok(image) => {
                    if let Some(uid) = &image.metadata.uid {
                        app.files.remove(uid).await;
                    }
                }
                Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "deleted images whose bytes stay on disk"),
                Err(RecvError::Closed) => return,
            }
        }
    });
}
