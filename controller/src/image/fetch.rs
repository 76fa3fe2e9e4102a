//! Fetches an image into a file, with its size, digest and inspection checked before anybody may use it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use futures::StreamExt;
use ipnet::IpNet;
use ostler_crds::{image::DiskFormat, names::reason};
use ostler_images::{Digests, Hasher, Inspected, Refusal, inspect};
use thiserror::Error;
use tokio::{fs, io::AsyncWriteExt};

use super::AddressGuard;
use crate::common::crash;

/// How images are fetched.
#[derive(clap::Args, Debug, Clone)]
#[group(id = "image-fetch")]
pub struct Args {
    /// Range of addresses that images may be fetched from although it is special (loopback, link-local). Repeatable.
    #[arg(long, env = "OSTLER_IMAGE_ALLOW_CIDR", value_delimiter = ',')]
    pub image_allow_cidr: Vec<IpNet>,
    /// Largest image that is fetched, in bytes.
    #[arg(long, env = "OSTLER_IMAGE_MAX_BYTES", default_value_t = 64 << 30)]
    pub image_max_bytes: u64,
}

/// What the bytes must be.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// Exact size in bytes, where it is known.
    pub size: Option<u64>,
    /// Their format.
    pub format: DiskFormat,
}

/// Bytes that may be used.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Their digests.
    pub digests: Digests,
    /// What the inspection found.
    pub inspected: Inspected,
}

/// Why there are no bytes.
#[derive(Debug, Error)]
pub enum FetchError {
    /// The URL is not one that may be asked.
    #[error("{0} may not be asked for images: its address is closed; an admin can open it with --image-allow-cidr")]
    Closed(String),
    /// The server could not be asked, or broke off.
    #[error("fetching {url} failed: {message}")]
    Unreachable {
        /// The URL.
        url: String,
        /// What went wrong.
        message: String,
    },
    /// The server answered, but not with the image.
    #[error("{url} answered {status}")]
    Status {
        /// The URL.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// The server answered, and then sent next to nothing.
    #[error("{url} sends less than {} KiB a minute", LEAST_A_MINUTE / 1024)]
    TooSlow {
        /// The URL.
        url: String,
    },
    /// More bytes than are accepted.
    #[error("{url} sends more than {limit} bytes")]
    TooLarge {
        /// The URL.
        url: String,
        /// Bytes that are accepted.
        limit: u64,
    },
    /// Other bytes than were promised.
    #[error("{url} sends bytes with sha256 {found}, but {wanted} was promised")]
    DigestMismatch {
        /// The URL.
        url: String,
        /// What was promised.
        wanted: String,
        /// What came.
        found: String,
    },
    /// The bytes are not fit for use.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The disk is full.
    #[error("no room on the disk for the image")]
    NoSpace,
    /// The file could not be written.
    #[error("the image could not be written: {0}")]
    Io(std::io::Error),
}

impl From<std::io::Error> for FetchError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::NoSpace,
            _ => Self::Io(error),
        }
    }
}

impl FetchError {
    /// Reason for a condition (one of [`reason`]).
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Closed(_) | Self::Refused(_) | Self::TooLarge { .. } => reason::IMAGE_REFUSED,
            Self::Unreachable { .. } | Self::Status { .. } | Self::TooSlow { .. } => reason::IMAGE_UNREACHABLE,
            Self::Io(_) => reason::STORAGE_ERROR,
            Self::DigestMismatch { .. } => reason::IMAGE_DIGEST_MISMATCH,
            Self::NoSpace => reason::DISK_FULL,
        }
    }

    /// Whether another try may succeed without a change of the Image.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Closed(_) | Self::Refused(_) | Self::TooLarge { .. } | Self::DigestMismatch { .. } => false,
            Self::Unreachable { .. } | Self::Status { .. } | Self::TooSlow { .. } | Self::NoSpace | Self::Io(_) => true,
        }
    }
}

/// Fetches images.
#[derive(Clone)]
pub struct Fetcher {
    client: reqwest::Client,
    guard: AddressGuard,
    limit: u64,
}

impl Fetcher {
    /// A fetcher for web servers. Fails if the TLS roots cannot be loaded.
    pub fn new(args: &Args) -> Result<Self, reqwest::Error> {
        let guard = AddressGuard::new(args.image_allow_cidr.clone());
        let redirects = guard.clone();
        let policy = reqwest::redirect::Policy::custom(move |attempt| {
            if attempt.previous().len() > 5 {
                attempt.error("more than five redirects")
            } else if redirects.permits_url(attempt.url()) {
                attempt.follow()
            } else {
                attempt.error("it redirects to a closed address")
            }
        });
        let client = reqwest::Client::builder()
            .redirect(policy)
            .no_proxy()
            .dns_resolver(Arc::new(guard.clone()))
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(30))
            .user_agent("ostler")
            .build()?;
        Ok(Self { client, guard, limit: args.image_max_bytes })
    }

    /// Fetches `url` into `target`, which appears whole or not at all. `progress` is told the number of bytes so far.
    pub async fn fetch(
        &self,
        url: &str,
        wanted: &Wanted,
        target: &Path,
        progress: impl Fn(u64, Option<u64>) + Send,
    ) -> Result<Fetched, FetchError> {
        let parsed: reqwest::Url = url.parse().map_err(|_| FetchError::Closed(url.to_owned()))?;
        if !self.guard.permits_url(&parsed) {
            return Err(FetchError::Closed(url.to_owned()));
        }
        self.fetch_request(self.client.get(parsed), url, wanted, target, progress).await
    }

    /// As [`Fetcher::fetch`], for a request that the caller made itself (the shim, with a token).
    pub async fn fetch_request(
        &self,
        request: reqwest::RequestBuilder,
        url: &str,
        wanted: &Wanted,
        target: &Path,
        progress: impl Fn(u64, Option<u64>) + Send,
    ) -> Result<Fetched, FetchError> {
        let unreachable = |e: &reqwest::Error| FetchError::Unreachable { url: url.to_owned(), message: innermost(e) };
        let response = request.send().await.map_err(|e| unreachable(&e))?;
        if !response.status().is_success() {
            return Err(FetchError::Status { url: url.to_owned(), status: response.status().as_u16() });
        }
        let limit = wanted.size.unwrap_or(self.limit).min(self.limit);
        let announced = response.content_length();
        if announced.is_some_and(|size| size > limit) {
            return Err(FetchError::TooLarge { url: url.to_owned(), limit });
        }
        let part = PartFile::beside(target);
        let mut file = fs::File::create(&part.path).await?;
        let mut hasher = Hasher::default();
        let mut pace = Pace::default();
        let mut body = response.bytes_stream();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|e| unreachable(&e))?;
            if !pace.keeps(chunk.len(), Instant::now()) {
                return Err(FetchError::TooSlow { url: url.to_owned() });
            }
            if hasher.size() + chunk.len() as u64 > limit {
                return Err(FetchError::TooLarge { url: url.to_owned(), limit });
            }
            hasher.update(&chunk);
            file.write_all(&chunk).await?;
            progress(hasher.size(), announced);
        }
        file.flush().await?;
        file.sync_all().await?;
        let digests = hasher.finish();
        if digests.sha256 != wanted.sha256 {
            let (wanted, found) = (wanted.sha256.clone(), digests.sha256);
            return Err(FetchError::DigestMismatch { url: url.to_owned(), wanted, found });
        }
        let inspected = inspect(&part.path, wanted.format).await?;
        fs::rename(&part.path, target).await?;
        crash::point("image named");
        Ok(Fetched { digests, inspected })
    }
}

/// Bytes that a server must send in a minute. Only a few images are fetched at once, and one that trickles for ever
/// would keep all others waiting.
const LEAST_A_MINUTE: usize = 1 << 20;

/// How fast bytes come.
#[derive(Default)]
struct Pace {
    minute: Option<(Instant, usize)>,
}

impl Pace {
    /// Notes bytes that came; says whether they come fast enough.
    fn keeps(&mut self, bytes: usize, now: Instant) -> bool {
        let (began, so_far) = self.minute.unwrap_or((now, 0));
        let over = now.saturating_duration_since(began) >= Duration::from_secs(60);
        self.minute = Some(if over { (now, bytes) } else { (began, so_far.saturating_add(bytes)) });
        !over || so_far >= LEAST_A_MINUTE
    }
}

/// The part of an error that says what happened, without the URL that stands beside it anyway.
fn innermost(error: &reqwest::Error) -> String {
    let mut source: &dyn std::error::Error = error;
    while let Some(next) = source.source() {
        source = next;
    }
    source.to_string()
}

/// A file that is removed unless it was renamed.
struct PartFile {
    path: PathBuf,
}

impl PartFile {
    fn beside(target: &Path) -> Self {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", uuid::Uuid::new_v4().simple()));
        Self { path: target.with_file_name(name) }
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        // After a rename there is nothing to remove.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests;
