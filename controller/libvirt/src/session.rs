//! An open connection.

use virt::{connect::Connect, error::Error};

/// Which of libvirt's drivers is behind a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driver {
    /// QEMU.
    Qemu,
    /// libvirt's in-memory test driver: it has neither networking nor firmware, and refuses some flags.
    Test,
}

/// An open connection; all handles are made from it.
pub(crate) struct Session {
    pub(crate) connect: Connect,
    pub(crate) driver: Driver,
}

/// Seconds between keepalives, and how many may go unanswered.
const KEEPALIVE: (i32, u32) = (5, 2);

impl Session {
    /// Opens a connection and asks for keepalives, so that a libvirtd that stands still is noticed.
    pub(crate) fn open(uri: &str) -> Result<Self, Error> {
        let connect = Connect::open(Some(uri))?;
        let driver = if connect.driver_type()?.eq_ignore_ascii_case("test") { Driver::Test } else { Driver::Qemu };
        if let Err(error) = connect.set_keep_alive(KEEPALIVE.0, KEEPALIVE.1) {
            tracing::debug!(%error, "this libvirt driver has no keepalive");
        }
        Ok(Self { connect, driver })
    }
}
