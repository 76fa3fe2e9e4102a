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
        let uid = server.uid().context("no uid")?;
        let path = self.libvirt.state_dir().join("guests").join(uid).join("console.log");
        Ok(std::fs::read(path).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default())
    }

    /// Waits until the guest has said that it is ready for the `boots`th time, and gives the line.
    ///
    /// # Errors
    /// It does not say so.
    pub async fn wait_booted(&self, server: &Server, boots: usize) -> Result<String> {
        let what = format!("boot {boots} of {}", server.name_any());
        wait_for(&what, PATIENCE, || async {
            let text = self.console(server)?;
            Ok(text.lines().filter(|l| l.contains("OSTLER-READY")).nth(boots - 1).map(str::to_owned))
        })
        .await
    }

    /// Names of all domains of the host, running or not.
    ///
    /// # Errors
    /// virsh fails.
    pub fn domains(&self) -> Result<Vec<String>> {
        let text = self.libvirt.enter(&["virsh", "list", "--all", "--name"])?;
        Ok(text.split_whitespace().map(str::to_owned).collect())
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
        let mut remains = self.domains()?;
        for entry in std::fs::read_dir(self.libvirt.state_dir().join("guests"))? {
            remains.push(entry?.file_name().to_string_lossy().into_owned());
        }
        let network = self.libvirt.enter(&["virsh", "net-dumpxml", "ostler-lan"]).unwrap_or_default();
        remains.extend(network.lines().filter(|l| l.contains("<host mac")).map(|l| l.trim().to_owned()));
        Ok(remains)
    }
}
