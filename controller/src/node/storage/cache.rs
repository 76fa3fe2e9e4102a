//! The image cache: bytes by digest. `node::fetch` sees to it that they are fetched once however many guests wait, and
//! `node::image_cache` that what nobody needs any more goes.

use std::{fs, io, os::unix::fs::PermissionsExt};

use ostler_crds::image::DiskFormat;

use super::{
    error::StorageError,
    layout::{Layout, sync_folder},
    shim::ShimSource,
};
use crate::image::{Fetcher, Wanted};

/// Fetches images into the cache.
pub struct ImageCache {
    layout: Layout,
    web: Fetcher,
    shim: ShimSource,
}

/// Which bytes are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Bytes<'a> {
    /// OpenStack id of the Image.
    pub image: &'a str,
    /// SHA-256 in hexadecimal.
    pub sha256: &'a str,
    /// Exact size.
    pub size: u64,
    /// Format.
    pub format: DiskFormat,
    /// Web address; `None`: the shim has them.
    pub url: Option<&'a str>,
}

impl ImageCache {
    /// A cache that fetches from web servers and from the shim.
    pub fn new(layout: Layout, web: Fetcher, shim: ShimSource) -> Self {
        Self { layout, web, shim }
    }

    /// Whether bytes with this digest are there. They appear whole or not at all.
    pub fn has(layout: &Layout, sha256: &str) -> io::Result<bool> {
        layout.image(sha256).try_exists()
    }

    /// Has the bytes.
    pub async fn ensure(&self, bytes: Bytes<'_>) -> Result<(), StorageError> {
        let looking = StorageError::io("looking into the image cache");
        if Self::has(&self.layout, bytes.sha256).map_err(looking)? {
            return Ok(());
        }
        let target = self.layout.image(bytes.sha256);
        let wanted = Wanted { sha256: bytes.sha256.to_owned(), size: Some(bytes.size), format: bytes.format };
        tracing::info!(sha256 = bytes.sha256, bytes = bytes.size, from_shim = bytes.url.is_none(), "fetching an image");
        match bytes.url {
            Some(url) => self.web.fetch(url, &wanted, &target, |_, _| {}).await?,
            None => {
                let (request, url) = self.shim.request(bytes.image, bytes.sha256).await?;
                self.web.fetch_request(request, &url, &wanted, &target, |_, _| {}).await?
            }
        };
        // QEMU's user reads it; nobody writes it.
        fs::set_permissions(&target, fs::Permissions::from_mode(0o444))
            .and_then(|()| sync_folder(&self.layout.images()))
            .map_err(StorageError::io("keeping the image"))
    }
}
