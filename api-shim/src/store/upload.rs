//! Bytes on their way in: written to a part file, hashed as they pass, looked at, and only then given their name.

use std::path::Path;

use axum::body::Body;
use futures::StreamExt;
use http::StatusCode;
use md5::Md5;
use ostler_crds::{OpenStackId, image::DiskFormat};
use sha2::{Digest, Sha256, Sha512};
use tokio::{fs, io::AsyncWriteExt};

use super::{files::ImageFiles, inspect};
use crate::fault::Fault;

/// What was found out about uploaded bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Bytes.
    pub size: u64,
    /// Bytes of the disk that a guest would see.
    pub virtual_size: u64,
    /// MD5 in hexadecimal; Glance's `checksum`.
    pub md5: String,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// SHA-512 in hexadecimal; Glance's `os_hash_value`.
    pub sha512: String,
}

/// Receives the bytes of an Image. Whatever goes wrong, no part is left behind.
pub async fn receive(files: &ImageFiles, id: OpenStackId, format: DiskFormat, body: Body) -> Result<Received, Fault> {
    let part = files.incoming(id);
    let outcome = keep(files, id, format, body, &part).await;
    if outcome.is_err() {
        let _ = fs::remove_file(&part).await;
    }
    outcome
}

async fn keep(
    files: &ImageFiles,
    id: OpenStackId,
    format: DiskFormat,
    body: Body,
    part: &Path,
) -> Result<Received, Fault> {
    let (size, md5, sha256, sha512) = write(files, body, part).await?;
    let path = part.to_owned();
    let looked = tokio::task::spawn_blocking(move || inspect::inspect(&path, format)).await;
    let looked = looked.map_err(|e| Fault::internal("inspect image", &e))?;
    let virtual_size = match looked {
        Ok(virtual_size) => virtual_size,
        Err(inspect::Refusal::Io(e)) => return Err(Fault::internal("inspect image", &e)),
        Err(refusal) => return Err(Fault::bad_request(format!("The image was refused: {refusal}."))),
    };
    fs::rename(part, files.path(id, &sha256)).await.map_err(|e| disk_fault(&e))?;
    Ok(Received { size, virtual_size, md5, sha256, sha512 })
}

async fn write(files: &ImageFiles, body: Body, part: &Path) -> Result<(u64, String, String, String), Fault> {
    let mut file = fs::File::create_new(part).await.map_err(|e| disk_fault(&e))?;
    let (mut size, mut md5, mut sha256, mut sha512) = (0u64, Md5::new(), Sha256::new(), Sha512::new());
    let mut stream = body.into_data_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Fault::bad_request("The upload was cut off."))?;
        size += chunk.len() as u64;
        if size > files.limit() {
            let message = format!("The image is larger than the limit of {} bytes.", files.limit());
            return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, message));
        }
        md5.update(&chunk);
        sha256.update(&chunk);
        sha512.update(&chunk);
        file.write_all(&chunk).await.map_err(|e| disk_fault(&e))?;
    }
    file.sync_all().await.map_err(|e| disk_fault(&e))?;
    Ok((size, hex::encode(md5.finalize()), hex::encode(sha256.finalize()), hex::encode(sha512.finalize())))
}

fn disk_fault(error: &std::io::Error) -> Fault {
    if error.kind() == std::io::ErrorKind::StorageFull {
        tracing::error!("the image folder is full");
        return Fault::new(StatusCode::INSUFFICIENT_STORAGE, "There is no room for the image.");
    }
    Fault::internal("write image", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> OpenStackId {
        uuid::Uuid::from_u128(7).into()
    }

    async fn left(dir: &Path) -> Vec<String> {
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[tokio::test]
    async fn bytes_are_hashed_and_kept_under_the_id() {
        let dir = tempfile::tempdir().unwrap();
        let files = ImageFiles::new(dir.path().to_owned(), 100);
        let got = receive(&files, id(), DiskFormat::Raw, Body::from("abc")).await.unwrap();
        assert_eq!((got.size, got.virtual_size), (3, 512));
        assert_eq!(got.md5, "900150983cd24fb0d6963f7d28e17f72");
        assert!(got.sha256.starts_with("ba7816bf") && got.sha512.starts_with("ddaf35a1"));
        assert_eq!(left(dir.path()).await, [format!("{}-{}.img", id(), got.sha256)]);
        files.remove(id()).await;
        assert!(left(dir.path()).await.is_empty());
    }

    #[tokio::test]
    async fn a_refused_upload_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let files = ImageFiles::new(dir.path().to_owned(), 4);
        let large = receive(&files, id(), DiskFormat::Raw, Body::from("abcdef")).await.unwrap_err();
        assert_eq!(large.status.as_u16(), 413);
        let wrong = receive(&files, id(), DiskFormat::Qcow2, Body::from("abc")).await.unwrap_err();
        assert_eq!(wrong.status.as_u16(), 400);
        assert!(left(dir.path()).await.is_empty());
    }
}
