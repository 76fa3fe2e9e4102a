//! Work inside another network namespace.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Does `work` on a thread of its own in the network namespace at `path`; needs root. Sockets that it makes stay there.
///
/// # Errors
/// The namespace is not there, or `work` fails.
pub fn in_network_namespace<T: Send>(path: &Path, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let inside = || {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))?;
        work()
    };
    std::thread::scope(|scope| scope.spawn(inside).join().map_err(|_| anyhow!("the thread broke off"))?)
}
