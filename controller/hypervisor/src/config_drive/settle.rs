//! Sets every date of an ISO 9660 image to one fixed date, so that the same files give the same bytes.
//!
//! The writer takes the clock. Dates are in two places: the volume descriptors (ECMA-119, 8.4) and the directory records
//! (9.1), of the plain tree and of Joliet's.

use std::collections::BTreeSet;

use super::SECTOR;

/// 2000-01-01 00:00:00 UTC as a directory record's date: years since 1900, month, day, hour, minute, second, zone.
const RECORD_DATE: [u8; 7] = [100, 1, 1, 0, 0, 0, 0];
/// The same as a volume descriptor's date.
const VOLUME_DATE: [u8; 17] = *b"2000010100000000\0";

/// First sector of the volume descriptors.
const DESCRIPTORS: usize = 16;
const PRIMARY: u8 = 1;
const SUPPLEMENTARY: u8 = 2;
const TERMINATOR: u8 = 255;
/// Creation and modification date in a volume descriptor; expiration and effective date are not set by the writer.
const VOLUME_DATES: [usize; 2] = [813, 830];
/// Root directory's record in a volume descriptor.
const ROOT_RECORD: usize = 156;
const ROOT_RECORD_LENGTH: usize = 34;
/// Fields of a directory record.
const EXTENT: usize = 2;
const EXTENT_LENGTH: usize = 10;
const DATE: usize = 18;
const FLAGS: usize = 25;
const FLAG_DIRECTORY: u8 = 2;

/// Settles the dates. `None`: the bytes are no ISO 9660 image.
pub(super) fn settle(image: &mut [u8]) -> Option<()> {
    let mut todo = Vec::new();
    for sector in DESCRIPTORS.. {
        let start = sector * SECTOR;
        match *image.get(start)? {
            TERMINATOR => break,
            PRIMARY | SUPPLEMENTARY => {
                for date in VOLUME_DATES {
                    put(image, start + date, &VOLUME_DATE)?;
                }
                settle_record(image, start + ROOT_RECORD, ROOT_RECORD_LENGTH, &mut todo)?;
            }
            _ => {}
        }
    }
    let mut seen = BTreeSet::new();
    while let Some((start, length)) = todo.pop() {
        if seen.insert(start) {
            settle_directory(image, start, length, &mut todo)?;
        }
    }
    Some(())
}

fn settle_directory(image: &mut [u8], start: usize, length: usize, todo: &mut Vec<(usize, usize)>) -> Option<()> {
    let end = start.checked_add(length)?;
    let mut at = start;
    while at < end {
        match usize::from(*image.get(at)?) {
            // Records do not cross sectors: the rest of this one is empty.
            0 => at = (at + 1).next_multiple_of(SECTOR),
            record => {
                settle_record(image, at, record, todo)?;
                at += record;
            }
        }
    }
    Some(())
}

fn settle_record(image: &mut [u8], at: usize, length: usize, todo: &mut Vec<(usize, usize)>) -> Option<()> {
    if length < ROOT_RECORD_LENGTH {
        return None;
    }
    put(image, at + DATE, &RECORD_DATE)?;
    if image.get(at + FLAGS)? & FLAG_DIRECTORY != 0 {
        todo.push((number(image, at + EXTENT)?.checked_mul(SECTOR)?, number(image, at + EXTENT_LENGTH)?));
    }
    Some(())
}

fn put(image: &mut [u8], at: usize, bytes: &[u8]) -> Option<()> {
    image.get_mut(at..at + bytes.len())?.copy_from_slice(bytes);
    Some(())
}

/// The little-endian half of a both-endian number.
fn number(image: &[u8], at: usize) -> Option<usize> {
    let bytes = image.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}
