//! The end of a console log, across the files that virtlogd rotates: `console.log` is the newest, then
//! `console.log.0`, `console.log.1`, …

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// Most bytes that are returned; a console is not an archive.
pub const MAX_BYTES: u64 = 1 << 20;
/// Most rotated files that are looked at; virtlogd keeps three by default.
const MAX_ROTATED: usize = 16;

/// The last `lines` lines (Nova's `length`), or all that fits into [`MAX_BYTES`]. No log yet means no output yet.
pub fn tail(log: &Path, lines: Option<usize>) -> io::Result<Vec<u8>> {
    let mut newest_first = Vec::new();
    let mut room = MAX_BYTES;
    for path in files(log) {
        match end_of(&path, room) {
            Ok(piece) => {
                room -= piece.len() as u64;
                newest_first.push(piece);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && newest_first.is_empty() => continue,
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        }
        let have: usize = newest_first.iter().map(|p| count_lines(p)).sum();
        if room == 0 || lines.is_some_and(|wanted| have > wanted) {
            break;
        }
    }
    let text: Vec<u8> = newest_first.into_iter().rev().flatten().collect();
    Ok(match lines {
        Some(lines) => last_lines(&text, lines).to_vec(),
        None => text,
    })
}

fn files(log: &Path) -> impl Iterator<Item = PathBuf> + '_ {
    let rotated = (0..MAX_ROTATED).map(move |i| {
        let mut name = log.as_os_str().to_owned();
        name.push(format!(".{i}"));
        PathBuf::from(name)
    });
    std::iter::once(log.to_owned()).chain(rotated)
}

fn end_of(path: &Path, room: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(room)))?;
    let mut bytes = Vec::new();
    file.take(room).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn count_lines(text: &[u8]) -> usize {
    text.iter().filter(|b| **b == b'\n').count()
}

/// The last lines of a text; a line that is not ended yet counts as one.
fn last_lines(text: &[u8], lines: usize) -> &[u8] {
    if lines == 0 {
        return &[];
    }
    let body = text.strip_suffix(b"\n").unwrap_or(text);
    let breaks = body.iter().enumerate().rev().filter(|(_, b)| **b == b'\n');
    let start = breaks.map(|(i, _)| i + 1).nth(lines - 1).unwrap_or(0);
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(pieces: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("console.log");
        for (i, text) in pieces.iter().enumerate() {
            let name = if i == 0 { "console.log".to_owned() } else { format!("console.log.{}", i - 1) };
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        (dir, path)
    }

    fn lines(pieces: &[&str], lines: Option<usize>) -> String {
        let (_dir, path) = log(pieces);
        String::from_utf8(tail(&path, lines).unwrap()).unwrap()
    }

    #[test]
    fn the_last_lines_are_those_that_nova_would_give() {
        assert_eq!(lines(&["a\nb\nc\n"], Some(2)), "b\nc\n");
        assert_eq!(lines(&["a\nb\nc"], Some(2)), "b\nc");
        assert_eq!(lines(&["a\nb\n"], Some(9)), "a\nb\n");
        assert_eq!(lines(&["a\nb\n"], Some(0)), "");
        assert_eq!(lines(&["a\nb\n"], None), "a\nb\n");
    }

    #[test]
    fn rotated_files_are_read_from_the_oldest_to_the_newest() {
        assert_eq!(lines(&["5\n6\n", "3\n4\n", "1\n2\n"], None), "1\n2\n3\n4\n5\n6\n");
        assert_eq!(lines(&["5\n6\n", "3\n4\n", "1\n2\n"], Some(3)), "4\n5\n6\n");
        assert_eq!(lines(&["", "3\n4\n"], Some(1)), "4\n");
    }

    #[test]
    fn no_log_is_no_output_and_a_long_one_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("console.log");
        assert_eq!(tail(&path, None).unwrap(), b"");
        std::fs::write(&path, vec![b'x'; 3 << 20]).unwrap();
        assert_eq!(tail(&path, None).unwrap().len() as u64, MAX_BYTES);
    }
}
