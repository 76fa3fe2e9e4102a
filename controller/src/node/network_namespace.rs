//! The network namespace that the guests' bridges are in: this process's own, or one that is named.

use std::{fs::File, io, os::fd::AsFd, path::PathBuf};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Where libvirt's bridges are.
#[derive(Debug, Clone, Default)]
pub struct NetworkNamespace(Option<PathBuf>);

impl NetworkNamespace {
    /// The namespace at this path, as `/run/netns/NAME` or `/proc/PID/ns/net`; `None`: this process's own.
    pub fn new(path: Option<PathBuf>) -> Self {
        Self(path)
    }

    /// Moves the calling thread into it for good. To enter another one needs CAP_SYS_ADMIN.
    ///
    /// # Errors
    /// It does not exist, or the kernel refuses.
    pub fn enter(&self) -> io::Result<()> {
        let Some(path) = &self.0 else { return Ok(()) };
        let file = File::open(path)?;
        Ok(move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))?)
    }

    /// Does `work` in it, on a thread of its own; that blocks the caller, so it must be short.
    ///
    /// # Errors
    /// As of [`NetworkNamespace::enter`], or there is no thread.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        std::thread::scope(|scope| {
            let inside = std::thread::Builder::new().spawn_scoped(scope, || self.enter().and_then(|()| work()))?;
            inside.join().map_err(|_| io::Error::other("the thread broke off"))?
        })
    }
}
