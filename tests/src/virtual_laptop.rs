//! A laptop as far as QEMU is one: firmware, battery, drives, TPM and a Debian kernel, with the real agent on its SSD.
//!
//! `tests/virtual-laptop/make` makes its parts once per test program, `boot` starts it. It reaches the server of the test
//! at QEMU's host. Dropping the running laptop pulls its plug; its SSD stays for the next boot.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use crate::harness::{Binaries, Cartable, Process, binaries::workspace, process::run_with_input};

/// Longest time until a laptop says what is waited for: a minute on two free cores, ten times as long on busy ones.
const PATIENCE: Duration = Duration::from_mins(15);

/// Where the agent keeps its reports on the laptop's SSD.
const SPOOL: &str = "/var/lib/cartable-agent/spool";

/// What the agent's log says after a contact.
pub const CHECKED_IN: &str = "checked in acknowledged=";

/// One laptop, shut.
#[derive(Debug)]
pub struct VirtualLaptop {
    folder: tempfile::TempDir,
}

impl VirtualLaptop {
    /// One that was given an invitation to enrol at `cartable` with `token`, with `further` lines in it, and was never started.
    pub fn invited(cartable: &Cartable, token: &str, further: &str) -> anyhow::Result<Self> {
        let laptop = Self { folder: tempfile::tempdir()? };
        std::fs::copy(parts()?.join("disk.img"), laptop.ssd()).context("copying the SSD")?;
        let port = cartable.server.gateway_authority().rsplit(':').next().context("the server has no port")?;
        // To the laptop, localhost is QEMU's host: see `make`.
        let invitation = format!("server = https://localhost:{port}\ntoken = {token}\nroots = roots.pem\n{further}");
        let file = laptop.folder.path().join("enrol.conf");
        std::fs::write(&file, invitation)?;
        laptop.put(&file, "/etc/cartable-agent/invitations/enrol.conf")?;
        laptop.put(&cartable.roots()?, "/etc/cartable-agent/invitations/roots.pem")?;
        Ok(laptop)
    }

    /// Another laptop with a copy of this one's SSD.
    pub fn cloned(&self) -> anyhow::Result<Self> {
        let clone = Self { folder: tempfile::tempdir()? };
        std::fs::copy(self.ssd(), clone.ssd()).context("copying the SSD")?;
        Ok(clone)
    }

    /// The path of one of the parts that `make` made.
    pub fn part(name: &str) -> anyhow::Result<String> {
        Ok(parts()?.join(name).display().to_string())
    }

    /// Switches it on; `options` are those of `tests/virtual-laptop/boot`.
    pub fn boot(&self, options: &[&str]) -> anyhow::Result<Running> {
        let mut command = Command::new(workspace().join("tests/virtual-laptop/boot"));
        command.arg(parts()?).arg(self.ssd()).args(options);
        Ok(Running { console: Process::start("the virtual laptop", &mut command)?, said: Vec::new() })
    }

    /// The names of the files in its spool, as they lie on the SSD of a laptop that is off: without what the journal of its
    /// file system still holds.
    pub fn spool(&self) -> anyhow::Result<Vec<String>> {
        let listed = run_with_input(
            Command::new("/usr/sbin/debugfs").args(["-R", &format!("ls -p {SPOOL}")]).arg(self.ssd()),
            "",
        )?;
        // `/13/100600/0/0/00000001.report/1234/`
        Ok(listed.lines().filter_map(|line| line.split('/').nth(5)).map(ToOwned::to_owned).collect())
    }

    fn ssd(&self) -> PathBuf {
        self.folder.path().join("ssd.img")
    }

    fn put(&self, file: &Path, place: &str) -> anyhow::Result<()> {
        let request = format!("write {} {place}", file.display());
        let mut debugfs = Command::new("/usr/sbin/debugfs");
        run_with_input(debugfs.args(["-w", "-R", &request]).arg(self.ssd()), "").map(drop)
    }
}

/// A laptop that is on. Dropped, its plug is pulled.
#[derive(Debug)]
pub struct Running {
    console: Process,
    said: Vec<String>,
}

impl Running {
    /// Waits until a line of its console holds `words`.
    pub fn until(&mut self, words: &str) -> anyhow::Result<()> {
        let start = Instant::now();
        loop {
            let left = PATIENCE.saturating_sub(start.elapsed());
            let line = self.console.line(left);
            let line = line.with_context(|| format!("waiting for {words:?} after:\n{}", self.said.join("\n")))?;
            let (is_found, is_over) = (line.contains(words), line.contains("laptop: the agent ended"));
            self.said.push(line);
            if is_found {
                return Ok(());
            }
            if is_over {
                bail!("the agent ended:\n{}", self.said.join("\n"));
            }
        }
    }

    /// What its console said so far, as one text.
    pub fn said(&self) -> String {
        self.said.join("\n")
    }

    /// Pulls the plug: what was not yet written to the SSD is lost.
    pub fn pull_the_plug(mut self) {
        self.console.kill();
    }
}

/// The folder of the parts, made by the first who asks. Downloads are kept for the next run.
fn parts() -> anyhow::Result<&'static Path> {
    static MADE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let made = MADE.get_or_init(|| make().map_err(|error| format!("{error:#}")));
    made.as_deref().map_err(|error| anyhow::anyhow!("{error}"))
}

/// `CARTABLE_VIRTUAL_LAPTOP` names the folder; otherwise it is beside the build.
fn make() -> anyhow::Result<PathBuf> {
    let given = std::env::var_os("CARTABLE_VIRTUAL_LAPTOP").map(PathBuf::from);
    let folder = given.unwrap_or_else(|| workspace().join("target/virtual-laptop"));
    let output = Command::new(workspace().join("tests/virtual-laptop/make"))
        .args([&folder, &Binaries::find()?.agent])
        .stdin(Stdio::null())
        .output()
        .context("tests/virtual-laptop/make could not be started")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "tests/virtual-laptop/make failed:\n{said}");
    Ok(folder)
}
