//! What a disk stands on, as its own header says.

use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// Longest name that the format allows, in bytes.
const NAME: u32 = 1023;

/// The backing file of a qcow2 file; `None`: it stands alone, or is no qcow2 file.
pub fn of(disk: &Path) -> io::Result<Option<PathBuf>> {
    let mut file = File::open(disk)?;
    let mut header = [0_u8; 20];
    match file.read_exact(&mut header) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    if !header.starts_with(b"QFI\xfb") {
        return Ok(None);
    }
    let at = header.get(8..16).and_then(|b| b.try_into().ok()).map_or(0, u64::from_be_bytes);
    let length = header.get(16..20).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes);
    if at == 0 || length == 0 {
        return Ok(None);
    }
    if length > NAME {
        return Err(io::Error::from(ErrorKind::InvalidData));
    }
    let mut name = vec![0_u8; length as usize];
    file.read_exact_at(&mut name, at)?;
    String::from_utf8(name).map(|name| Some(name.into())).map_err(|_| ErrorKind::InvalidData.into())
}
