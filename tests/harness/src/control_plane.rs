//! A real API server on loopback with etcd and the controller manager, and nothing in it yet.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use kube::{Client, Config, config::KubeConfigOptions, config::Kubeconfig};

use crate::paths::repository;
use crate::scratch::{Scratch, unique_path};
use crate::script::{Script, output};
use crate::wait::wait_for;

/// A control plane that ends with its value or with the test process.
#[derive(Debug)]
pub struct ControlPlane {
    // Fields drop in order: first the processes, then the folder.
    script: Script,
    dir: PathBuf,
    scratch: Scratch,
}

impl ControlPlane {
    /// Starts one; about 3 s when its binaries are built (tests/cluster/build.sh).
    ///
    /// # Errors
    /// It does not start; the error has the end of the failing daemon's log.
    pub fn start() -> Result<Self> {
        let scratch = Scratch::new("tests")?;
        let dir = unique_path("cluster");
        let script = Script::start(
            &repository().join("tests/cluster/cluster"),
            &["run", "--size", "bare", "--dir", &dir.display().to_string()],
            &scratch.path().join("cluster.log"),
        )?;
        Ok(Self { script, dir, scratch })
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> &Path {
        Path::new(self.script.ready())
    }

    /// A folder for files of the tests, with the logs of our binaries.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// Lets the API server stand still (SIGSTOP): connections stay open and nobody answers.
    ///
    /// # Errors
    /// It does not run.
    pub fn freeze(&self) -> Result<()> {
        self.signal("-STOP")
    }

    /// Lets it go on after [`ControlPlane::freeze`].
    ///
    /// # Errors
    /// It does not run.
    pub fn thaw(&self) -> Result<()> {
        self.signal("-CONT")
    }

    /// Kills the API server; connections are refused until [`ControlPlane::bring_back`].
    ///
    /// # Errors
    /// It does not run.
    pub fn take_away(&self) -> Result<()> {
        std::fs::write(self.away(), "")?;
        self.signal("-KILL")
    }

    /// Starts the API server again after [`ControlPlane::take_away`], and waits until it answers.
    ///
    /// # Errors
    /// It does not come back.
    pub async fn bring_back(&self) -> Result<()> {
        std::fs::remove_file(self.away())?;
        let admin = self.admin().await?;
        wait_for("the API server to be back", Duration::from_secs(60), || async {
            Ok(admin.apiserver_version().await.is_ok().then_some(()))
        })
        .await
    }

    fn away(&self) -> PathBuf {
        self.dir.join("log/kube-apiserver.away")
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let pid = std::fs::read_to_string(self.dir.join("log/kube-apiserver.pid"))?;
        output(std::process::Command::new("kill").args([signal, &pid])).map(drop)
    }

    /// The administrator's client. A client belongs to the runtime of the test that made it.
    ///
    /// # Errors
    /// The kubeconfig cannot be used.
    pub async fn admin(&self) -> Result<Client> {
        client(self.kubeconfig()).await
    }
}

/// A client of a kubeconfig.
///
/// # Errors
/// The kubeconfig cannot be read or used.
pub async fn client(kubeconfig: &Path) -> Result<Client> {
    Ok(Client::try_from(config(kubeconfig).await?)?)
}

/// A client of a kubeconfig that acts as another user; the API server judges that user's own permissions.
///
/// # Errors
/// The kubeconfig cannot be read or used.
pub async fn client_as(kubeconfig: &Path, user: &str, groups: &[&str]) -> Result<Client> {
    let mut config = config(kubeconfig).await?;
    config.auth_info.impersonate = Some(user.to_owned());
    config.auth_info.impersonate_groups = Some(groups.iter().map(|g| (*g).to_owned()).collect());
    Ok(Client::try_from(config)?)
}

async fn config(kubeconfig: &Path) -> Result<Config> {
    // Tests need no particular provider, but two may be compiled in; the first call decides.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let text = Kubeconfig::read_from(kubeconfig)?;
    Ok(Config::from_custom_kubeconfig(text, &KubeConfigOptions::default()).await?)
}

/// Path of a binary of the cluster (`kubectl`, `helm`), built now if it is missing.
///
/// # Errors
/// It cannot be built.
pub fn tool(name: &str) -> Result<PathBuf> {
    let build = repository().join("tests/cluster/build.sh");
    if name == "kubectl"
        && let Some(given) = std::env::var_os("KUBEBUILDER_ASSETS").map(|d| PathBuf::from(d).join(name))
        && given.is_file()
    {
        return Ok(given);
    }
    output(std::process::Command::new(&build).arg(name))?;
    let dir = output(std::process::Command::new(&build).arg("--dir"))?;
    Ok(PathBuf::from(dir).join(name))
}
