//! What the host and the guest themselves show.

use anyhow::{Context, Result};
use kube::ResourceExt;
use ostler_crds::Server;
use ostler_test_harness::wait_for;

use crate::{PATIENCE, World};

impl World {
    /// The console log of a guest, as it lies on the host.
    ///
    /// # Errors
    /// The Server has no uid.
    pub fn console(&self, server: &Server) -> Result<String> {
        Ok(self.libvirt.console(&server.uid().context("no uid")?))
    }

    /// Waits until the guest has said that it is ready for the `boots`th time, and gives the line.
    ///
    /// # Errors
    /// It does not say so.
    pub async fn wait_booted(&self, server: &Server, boots: usize) -> Result<String> {
        let what = format!("boot {boots} of {}", server.name_any());
        let uid = server.uid().context("no uid")?;
        wait_for(&what, PATIENCE, || async { Ok(self.libvirt.ready_line(&uid, boots)) }).await
    }

    /// Names of all domains of the host, running or not.
    ///
    /// # Errors
    /// virsh fails.
    pub fn domains(&self) -> Result<Vec<String>> {
        self.libvirt.domains()
    }

    /// The process id of the guest's QEMU and when it started: both stay while the guest is not touched.
    ///
    /// # Errors
    /// It does not run.
    pub fn qemu(&self, server: &Server) -> Result<String> {
        let pattern = format!("guest=ostler-{}", server.uid().context("no uid")?);
        let pid = self.libvirt.enter(&["pgrep", "-o", "-f", &pattern])?;
        let stat = self.libvirt.enter(&["cat", &format!("/proc/{}/stat", pid.trim())])?;
        Ok(format!("{} {}", pid.trim(), stat.split_whitespace().nth(21).unwrap_or_default()))
    }

    /// What is left of any guest on the host: domains, folders, reserved addresses.
    ///
    /// # Errors
    /// virsh fails.
    pub fn remains(&self) -> Result<Vec<String>> {
        self.libvirt.traces("ostler-lan")
    }
}
