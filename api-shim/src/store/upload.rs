//! Bytes on their way in: written to a part file, hashed as they pass, looked at, and only then given their name.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use axum::body::Body;
use futures::StreamExt;
use http::StatusCode;
use ostler_crds::image::DiskFormat;
use ostler_images::{Digests, Hasher, Refusal, inspect};
use tokio::{fs, io::AsyncWriteExt};

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
    /// Bytes of the disk that a guest would see.
    pub virtual_size: u64,
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
pub async fn receive(files: &ImageFiles, uid: &str, format: DiskFormat, body: Body) -> Result<Received, Fault> {
    let part = Part(files.incoming(uid));
    let digests = write(files, body, &part.0).await?;
    let inspected = inspect(&part.0, format).await.map_err(|refusal| match refusal {
        Refusal::Io(error) => disk_fault(&error),
        refusal => Fault::bad_request(format!("The image was refused: {refusal}.")),
    })?;
    fs::rename(&part.0, files.path(uid, &digests.sha256)).await.map_err(|e| disk_fault(&e))?;
    Ok(Received { digests, virtual_size: inspected.virtual_size })
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
    use super::*;

    const UID: &str = "00000000-0000-0000-0000-000000000007";

    async fn left(dir: &Path) -> Vec<String> {
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[tokio::test]
    async fn bytes_are_hashed_and_kept_under_the_uid() {
        let dir = tempfile::tempdir().unwrap();
        let files = ImageFiles::new(dir.path().to_owned(), 100);
        let got = receive(&files, UID, DiskFormat::Raw, Body::from("abc")).await.unwrap();
        let digests = got.digests;
        assert_eq!((digests.size, got.virtual_size), (3, 512));
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
        let large = receive(&files, UID, DiskFormat::Raw, Body::from("abcdef")).await.unwrap_err();
        assert_eq!(large.status.as_u16(), 413);
        for (format, bytes) in [(DiskFormat::Qcow2, "abc"), (DiskFormat::Raw, "KDMV"), (DiskFormat::Raw, "")] {
            let wrong = receive(&files, UID, format, Body::from(bytes)).await.unwrap_err();
            assert_eq!(wrong.status.as_u16(), 400, "{bytes}");
        }
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
            tokio::spawn(async move { receive(&files, UID, DiskFormat::Raw, Body::from_stream(still)).await });
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
        let fault = receive(&files, UID, DiskFormat::Raw, Body::from_stream(still)).await.unwrap_err();
        assert_eq!(fault.status.as_u16(), 408);
        assert!(left(dir.path()).await.is_empty());
    }
}
