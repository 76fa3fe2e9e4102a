//! Bytes on their way in: written to a part file, hashed as they pass, looked at, and only then given their name.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use axum::body::Body;
use futures::StreamExt;
use http::StatusCode;
use ostler_crds::ImageSpec;
use ostler_images::{Digests, Hasher, Refusal, inspect};
use tokio::{
    fs,
    io::{AsyncReadExt, AsyncWriteExt},
};

use super::files::ImageFiles;
use crate::fault::Fault;

/// Longest pause between two pieces of an upload; a client that stands still does not hold a part file for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes after which they are written through, so that the client is not faster than the disk and the end comes soon.
const SYNC_EVERY: u64 = 256 << 20;

/// What was found out about uploaded bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Their digests and number.
    pub digests: Digests,
    /// Bytes of the disk that a guest would see, where it is known.
    pub virtual_size: Option<u64>,
    /// Why no guest can start from them; they are kept as they are.
    pub obstacle: Option<String>,
}

/// A file on its way in. It goes with this value, however that ends: a client that hangs up ends the request in the middle.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        match std::fs::remove_file(&self.0) {
            // It got its name.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%error, "cannot remove a part of an upload"),
            Ok(()) => {}
        }
    }
}

/// Receives the bytes of the Image with this uid. Whatever goes wrong, no part is left behind.
pub async fn receive(files: &ImageFiles, uid: &str, spec: &ImageSpec, body: Body) -> Result<Received, Fault> {
    let part = Part(files.incoming(uid));
    let digests = write(files, body, &part.0).await?;
    let (virtual_size, obstacle) = judge(&part.0, spec).await?;
    fs::rename(&part.0, files.path(uid, &digests.sha256)).await.map_err(|e| disk_fault(&e))?;
    Ok(Received { digests, virtual_size, obstacle })
}

/// Receives bytes that are not yet the Image's; their SHA-256. They are looked at when they are taken.
pub async fn stage(files: &ImageFiles, uid: &str, body: Body) -> Result<String, Fault> {
    let part = Part(files.incoming(uid));
    let digests = write(files, body, &part.0).await?;
    fs::rename(&part.0, files.staged(uid, &digests.sha256)).await.map_err(|e| disk_fault(&e))?;
    Ok(digests.sha256)
}

/// Makes staged bytes the Image's.
pub async fn unstage(files: &ImageFiles, uid: &str, sha256: &str, spec: &ImageSpec) -> Result<Received, Fault> {
    let staged = files.staged(uid, sha256);
    let digests = hash(&staged).await?;
    let (virtual_size, obstacle) = judge(&staged, spec).await?;
    fs::rename(&staged, files.path(uid, &digests.sha256)).await.map_err(|e| disk_fault(&e))?;
    Ok(Received { digests, virtual_size, obstacle })
}

/// Looks at bytes. What would make a host read another file, or is another format in disguise, is refused. What is merely
/// not what it is called, or of a format that no guest starts from, may be kept: nobody ever opens it as a disk.
async fn judge(path: &Path, spec: &ImageSpec) -> Result<(Option<u64>, Option<String>), Fault> {
    if !spec.disk_format.boots() {
        return Ok((None, Some(format!("no guest can start from the format {}", spec.disk_format.as_str()))));
    }
    match inspect(path, spec.disk_format).await {
        Ok(inspected) => Ok((Some(inspected.virtual_size), None)),
        Err(Refusal::Io(error)) => Err(disk_fault(&error)),
        Err(refusal @ Refusal::WrongFormat { found: "raw", .. }) => Ok((None, Some(refusal.to_string()))),
        Err(refusal) => Err(Fault::bad_request(format!("The image was refused: {refusal}."))),
    }
}

async fn hash(path: &Path) -> Result<Digests, Fault> {
    let mut file = fs::File::open(path).await.map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => {
            Fault::not_found("The staged bytes are not here. Do all replicas share one image folder?")
        }
        _ => disk_fault(&e),
    })?;
    let (mut hasher, mut buffer) = (Hasher::default(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer).await.map_err(|e| disk_fault(&e))? {
            0 => return Ok(hasher.finish()),
            n => hasher.update(buffer.get(..n).unwrap_or_default()),
        }
    }
}

async fn write(files: &ImageFiles, body: Body, part: &Path) -> Result<Digests, Fault> {
    let mut file = fs::File::create_new(part).await.map_err(|e| disk_fault(&e))?;
    let (mut hasher, mut synced) = (Hasher::default(), 0);
    let mut stream = body.into_data_stream();
    loop {
        let next = tokio::time::timeout(PATIENCE, stream.next()).await;
        let next = next.map_err(|_| Fault::new(StatusCode::REQUEST_TIMEOUT, "The upload stood still for too long."))?;
        let Some(chunk) = next else { break };
        let chunk = chunk.map_err(|_| Fault::bad_request("The upload was cut off."))?;
        hasher.update(&chunk);
        if hasher.size() > files.limit() {
            let message = format!("The image is larger than the limit of {} bytes.", files.limit());
            return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, message));
        }
        file.write_all(&chunk).await.map_err(|e| disk_fault(&e))?;
        if hasher.size() - synced >= SYNC_EVERY {
            synced = hasher.size();
            file.sync_data().await.map_err(|e| disk_fault(&e))?;
        }
    }
    file.sync_all().await.map_err(|e| disk_fault(&e))?;
    Ok(hasher.finish())
}

fn disk_fault(error: &std::io::Error) -> Fault {
    if error.kind() == std::io::ErrorKind::StorageFull {
        tracing::error!("the image folder is full");
        return Fault::new(StatusCode::INSUFFICIENT_STORAGE, "There is no room for the image.");
    }
    Fault::internal("handle image file", error)
}

#[cfg(test)]
mod tests {
    use ostler_crds::image::DiskFormat;

    use super::*;

    fn spec(format: DiskFormat) -> ImageSpec {
        ImageSpec { disk_format: format, ..crate::glance::images::convert::blank().spec }
    }

    const UID: &str = "00000000-0000-0000-0000-000000000007";

    async fn left(dir: &Path) -> Vec<String> {
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[tokio::test]
    async fn bytes_are_hashed_and_kept_under_the_uid() {
        let dir = tempfile::tempdir().unwrap();
        let files = ImageFiles::new(dir.path().to_owned(), 100);
        let got = receive(&files, UID, &spec(DiskFormat::Raw), Body::from("abc")).await.unwrap();
        let digests = got.digests;
        assert_eq!((digests.size, got.virtual_size, got.obstacle), (3, Some(512), None));
        assert_eq!(digests.md5, "900150983cd24fb0d6963f7d28e17f72");
        assert!(digests.sha256.starts_with("ba7816bf") && digests.sha512.starts_with("ddaf35a1"));
        assert_eq!(left(dir.path()).await, [format!("{UID}-{}.img", digests.sha256)]);
        files.remove(UID).await;
        assert!(left(dir.path()).await.is_empty());
    }

    #[tokio::test]
    async fn a_refused_upload_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let files = ImageFiles::new(dir.path().to_owned(), 4);
        let large = receive(&files, UID, &spec(DiskFormat::Raw), Body::from("abcdef")).await.unwrap_err();
        assert_eq!(large.status.as_u16(), 413);
        for (format, bytes) in [(DiskFormat::Qcow2, "KDMV"), (DiskFormat::Raw, "KDMV"), (DiskFormat::Raw, "")] {
            let wrong = receive(&files, UID, &spec(format), Body::from(bytes)).await.unwrap_err();
            assert_eq!(wrong.status.as_u16(), 400, "{bytes}");
        }
        assert!(left(dir.path()).await.is_empty());
    }

    #[tokio::test]
    async fn what_is_no_disk_is_kept_and_said_to_be_none() {
        let dir = tempfile::tempdir().unwrap();
        let files = ImageFiles::new(dir.path().to_owned(), 100);
        for format in [DiskFormat::Qcow2, DiskFormat::Iso, DiskFormat::Vmdk] {
            let got = receive(&files, UID, &spec(format), Body::from("KDM")).await.unwrap();
            assert!(got.obstacle.is_some() && got.virtual_size.is_none(), "{format:?}");
        }
        files.remove(UID).await;
    }

    #[tokio::test]
    async fn staged_bytes_are_looked_at_when_they_are_taken() {
        let dir = tempfile::tempdir().unwrap();
        let files = ImageFiles::new(dir.path().to_owned(), 100);
        let sha256 = stage(&files, UID, Body::from("abc")).await.unwrap();
        let got = unstage(&files, UID, &sha256, &spec(DiskFormat::Raw)).await.unwrap();
        assert_eq!((got.digests.sha256.as_str(), got.virtual_size), (sha256.as_str(), Some(512)));
        assert_eq!(left(dir.path()).await, [format!("{UID}-{sha256}.img")]);
        assert_eq!(unstage(&files, UID, &sha256, &spec(DiskFormat::Raw)).await.unwrap_err().status.as_u16(), 404);
        let hostile = stage(&files, UID, Body::from("QFI\u{fb}")).await.unwrap();
        assert!(
            unstage(&files, UID, &hostile, &spec(DiskFormat::Raw)).await.is_ok(),
            "two bytes of UTF-8 are no magic"
        );
        files.remove(UID).await;
        assert!(left(dir.path()).await.is_empty());
    }

    #[tokio::test]
    async fn a_client_that_hangs_up_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let files = ImageFiles::new(dir.path().to_owned(), 100);
        let (began, mut seen) = tokio::sync::mpsc::unbounded_channel();
        let still = futures::stream::once(async { Ok::<_, std::io::Error>("abc") }).chain(futures::stream::pending());
        let still = still.inspect(move |_| began.send(()).unwrap());
        let request =
            tokio::spawn(async move { receive(&files, UID, &spec(DiskFormat::Raw), Body::from_stream(still)).await });
        seen.recv().await;
        assert_eq!(left(dir.path()).await.len(), 1);
        request.abort();
        assert!(request.await.unwrap_err().is_cancelled());
        assert!(left(dir.path()).await.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_that_stands_still_ends() {
        let dir = tempfile::tempdir().unwrap();
        let files = ImageFiles::new(dir.path().to_owned(), 100);
        let still = futures::stream::once(async { Ok::<_, std::io::Error>("abc") }).chain(futures::stream::pending());
        let fault = receive(&files, UID, &spec(DiskFormat::Raw), Body::from_stream(still)).await.unwrap_err();
        assert_eq!(fault.status.as_u16(), 408);
        assert!(left(dir.path()).await.is_empty());
    }
}
