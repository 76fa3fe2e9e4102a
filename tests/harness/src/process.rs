//! Child processes that end with the test process, with their output in a file.
//!
//! The kernel kills them when the thread that started them ends (`PR_SET_PDEATHSIG`, set by setpriv), so one thread
//! that lives as long as the test process starts them all.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

type Job = (Command, mpsc::Sender<std::io::Result<Child>>);

fn spawn_on_lasting_thread(command: Command) -> Result<Child> {
    static SPAWNER: OnceLock<mpsc::Sender<Job>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, jobs) = mpsc::channel::<Job>();
        std::thread::spawn(move || {
            for (mut command, reply) in jobs {
                // A caller that is gone needs no child; it was killed with its Sender's test.
                let _ = reply.send(command.spawn());
            }
        });
        sender
    });
    let (reply, child) = mpsc::channel();
    spawner.send((command, reply)).ok().context("the spawning thread has ended")?;
    Ok(child.recv().context("the spawning thread has ended")??)
}

/// A running child. Dropping it kills it; while a test fails, the end of its log is shown.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program` with its output in `log_dir/NAME.log` (appended to, so that restarts are in one file).
    ///
    /// # Errors
    /// The log or the process cannot be made.
    pub fn start(
        name: &str,
        program: &Path,
        args: &[String],
        env: &[(String, String)],
        log_dir: &Path,
    ) -> Result<Self> {
        let log = log_dir.join(format!("{name}.log"));
        let out = File::options().create(true).append(true).open(&log).with_context(|| log.display().to_string())?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program).args(args);
        command.envs(env.iter().map(|(k, v)| (k, v)));
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let child = spawn_on_lasting_thread(command).with_context(|| format!("starting {name}"))?;
        Ok(Self { name: name.to_owned(), child, log })
    }

    /// The process id; it is the program's own, not a wrapper's.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All that it printed.
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default()
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Memory that it holds now, in KiB (VmRSS of proc(5)).
    ///
    /// # Errors
    /// It has ended.
    pub fn resident_kib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse()?)
    }

    /// Sends SIGKILL and waits: a crash.
    pub fn kill(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends SIGTERM and waits for the end, as a kubelet does.
    ///
    /// # Errors
    /// It still runs after `patience`; it is killed then.
    pub fn stop(mut self, patience: Duration) -> Result<ExitStatus> {
        let pid = self.pid().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().context("kill")?;
        let end = Instant::now() + patience;
        while Instant::now() < end {
            if let Some(status) = self.ended() {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.kill();
        bail!("{} still ran {patience:?} after SIGTERM; the end of its log:\n{}", self.name, tail(&self.log(), 30))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            show(&self.name, &self.log());
        }
    }
}

/// The last `lines` lines of a text.
pub fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

// libtest captures what the print macros write and shows it with the failed test.
#[allow(clippy::print_stderr)]
fn show(name: &str, log: &str) {
    eprintln!("---- {name}: the end of its log\n{}\n----", tail(log, 60));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_process_logs_ends_by_sigterm_and_tells_how() {
        let dir = Scratch::new("process").unwrap();
        let args =
            ["-c".to_owned(), "trap 'echo bye; exit 3' TERM; echo hello; while :; do sleep 0.05; done".to_owned()];
        let process = Process::start("sh", Path::new("sh"), &args, &[], dir.path()).unwrap();
        let end = Instant::now() + Duration::from_secs(10);
        while process.log().is_empty() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(process.resident_kib().unwrap() > 0);
        let status = process.stop(Duration::from_secs(10)).unwrap();
        assert_eq!(status.code(), Some(3));
        assert_eq!(std::fs::read_to_string(dir.path().join("sh.log")).unwrap(), "hello\nbye\n");
    }

    #[test]
    fn the_tail_of_a_short_text_is_all_of_it() {
        assert_eq!(tail("a\nb\nc", 2), "b\nc");
        assert_eq!(tail("a", 2), "a");
    }
}
