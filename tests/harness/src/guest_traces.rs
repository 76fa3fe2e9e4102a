//! What a host shows of its guests from outside: consoles, domains, folders, reserved addresses.

use anyhow::{Context, Result};

use crate::libvirt_node::LibvirtNode;

impl LibvirtNode {
    /// The console log of the guest with this uuid, as it lies on the host; empty while there is none.
    pub fn console(&self, guest: &str) -> String {
        let path = self.state_dir().join("guests").join(guest).join("console.log");
        std::fs::read(path).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default()
    }

    /// The line with which the test guest said that it is ready for the `boots`th time, if it has.
    pub fn ready_line(&self, guest: &str, boots: usize) -> Option<String> {
        let text = self.console(guest);
        // The last line may be still on its way.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().filter(|l| l.contains("OSTLER-READY")).nth(boots.checked_sub(1)?).map(str::to_owned)
    }

    /// Names of all domains, running or not.
    ///
    /// # Errors
    /// virsh fails.
    pub fn domains(&self) -> Result<Vec<String>> {
        let text = self.enter(&["virsh", "list", "--all", "--name"])?;
        Ok(text.split_whitespace().map(str::to_owned).collect())
    }

    /// All that is there of any guest: names of domains and of folders, and the lines that reserve addresses in the libvirt
    /// network `network`.
    ///
    /// # Errors
    /// virsh fails, or the state folder has none for guests.
    pub fn traces(&self, network: &str) -> Result<Vec<String>> {
        let mut traces = self.domains()?;
        let guests = self.state_dir().join("guests");
        for entry in std::fs::read_dir(&guests).with_context(|| guests.display().to_string())? {
            traces.push(entry?.file_name().to_string_lossy().into_owned());
        }
        // No network is there before the first guest needs it.
        let xml = self.enter(&["virsh", "net-dumpxml", network]).unwrap_or_default();
        traces.extend(xml.lines().filter(|l| l.contains("<host mac")).map(|l| l.trim().to_owned()));
        Ok(traces)
    }
}
