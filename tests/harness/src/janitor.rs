//! What cleans up after a test, however its process ends.
//!
//! A static is never dropped and a killed process drops nothing, so a shell in a process group of its own holds the read
//! end of a pipe, and works when the pipe ends with the test process.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// A shell script that runs when this is dropped or when the test process has ended.
#[derive(Debug)]
pub struct Janitor(Child);

impl Janitor {
    /// Takes a script for `sh`; the arguments are its `$0`, `$1`, ….
    ///
    /// # Errors
    /// There is no shell.
    pub fn hire<S: AsRef<OsStr>>(script: &str, arguments: impl IntoIterator<Item = S>) -> Result<Self> {
        Command::new("sh")
            .arg("-c")
            .arg(format!("cat; {script}"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A Ctrl-C at the terminal is for the tests.
            .process_group(0)
            .spawn()
            .context("sh")
            .map(Self)
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        // The end of its stdin is its signal; nothing can be done about a failure here.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::unique_path;

    #[test]
    fn it_works_when_it_is_dropped_and_not_before() {
        let path = unique_path("janitor");
        let janitor = Janitor::hire("echo \"$1\" >\"$0\"", [path.as_os_str(), OsStr::new("done")]).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert!(!path.exists());
        drop(janitor);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "done\n");
        std::fs::remove_file(path).unwrap();
    }
}
