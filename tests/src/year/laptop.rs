//! One laptop: a recorded machine, and the agent's program with its own state, by whatever clock a test gives it.

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use cartable_agent::{
    spool::{Record, Spool},
    state::{Enrolment, StateDir},
};
use data_encoding::BASE64;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{PATIENCE, clock::Clock, traced};
use crate::harness::{Agent, Installation, Process};

/// How often a laptop may have to ask until it is heard.
const ATTEMPTS: usize = 5;

/// The laptop.
#[derive(Debug)]
pub struct Laptop {
    // Gone before its folder is.
    service: Option<Process>,
    agent: Agent,
    folder: tempfile::TempDir,
    invitation: Vec<String>,
    /// Its memory: what changes when there is something new to report.
    memory_kib: i64,
    ever_spooled: BTreeSet<Uuid>,
    from_image: Vec<Uuid>,
    proxy: Option<String>,
}

/// How a command of the agent's ended.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// All that it said.
    pub words: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let words = [output.stdout, output.stderr].concat();
        Self { code: output.status.code(), words: String::from_utf8_lossy(&words).into_owned() }
    }
}

impl Laptop {
    /// A laptop with that serial number.
    pub(super) fn new(installation: &Installation, serial_number: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let agent = Agent::new(installation, folder.path().join("state"));
        let mut laptop = Self {
            agent,
            invitation: Vec::new(),
            memory_kib: 4_000_000,
            ever_spooled: BTreeSet::new(),
            from_image: Vec::new(),
            service: None,
            proxy: None,
            folder,
        };
        laptop.write("sys/class/dmi/id/product_serial", &format!("{serial_number}\n"))?;
        laptop.changes()?;
        Ok(laptop)
    }

    /// Another laptop, with that serial number and a copy of this one's state, as an image of the disk makes one.
    pub(super) fn copied(&self, installation: &Installation, serial_number: &str) -> anyhow::Result<Self> {
        let mut copy = Self::new(installation, serial_number)?;
        let copied = Command::new("cp").arg("-a").arg(self.state()).arg(copy.state()).status()?;
        ensure!(copied.success(), "the agent's state could not be copied");
        copy.from_image = copy.spooled().iter().map(|record| record.report_id.0).collect();
        Ok(copy)
    }

    pub(super) fn invite(&mut self, server: &str, token: &str, roots: &Path) {
        let roots = roots.to_string_lossy().into_owned();
        self.invitation = ["--server", server, "--token", token, "--roots"].map(str::to_owned).to_vec();
        self.invitation.push(roots);
    }

    /// The agent's state folder.
    pub fn state(&self) -> &Path {
        self.agent.state()
    }

    /// Something about the machine changes: the next contact has something to report.
    pub fn changes(&mut self) -> anyhow::Result<()> {
        self.memory_kib += 1;
        self.write("proc/meminfo", &format!("MemTotal: {} kB\n", self.memory_kib))
    }

    /// Its memory, as the server should know it.
    pub const fn memory_bytes(&self) -> i64 {
        self.memory_kib * 1024
    }

    /// From now on, every contact goes through the proxy at `authority`; none: no contact does.
    pub fn goes_through(&mut self, authority: Option<&str>) {
        self.proxy = authority.map(|authority| format!("http://{authority}"));
    }

    /// `cartable-agent SUBCOMMAND` on this machine, by `clock`.
    pub fn command(&self, subcommand: &str, clock: &Clock) -> anyhow::Result<Command> {
        let mut command = self.agent.command(subcommand);
        command.env("LANG", "C").arg("--root").arg(self.folder.path().join("root"));
        if subcommand == "enrol" {
            command.args(&self.invitation);
        }
        if let Some(proxy) = &self.proxy {
            // This computer's own exceptions would lead around it.
            command.env("HTTPS_PROXY", proxy).env_remove("NO_PROXY").env_remove("no_proxy");
        }
        clock.drive(&mut command)?;
        Ok(command)
    }

    /// Asks to be enrolled.
    pub fn enrol(&mut self, clock: &Clock) -> anyhow::Result<Ran> {
        self.run("enrol", clock)
    }

    /// Checks in once.
    pub fn once(&mut self, clock: &Clock) -> anyhow::Result<Ran> {
        self.run("once", clock)
    }

    /// Checks in until it is heard: the server's word that a certificate has ended may be lost with the connection that it
    /// refuses, once in a while, and is then asked for again, as it would be within the hour. An error with all that was
    /// said where it is not heard.
    pub fn comes_back(&mut self, clock: &Clock) -> anyhow::Result<()> {
        let mut words = String::new();
        for _ in 0..ATTEMPTS {
            let ran = self.once(clock)?;
            if ran.code == Some(0) {
                return Ok(());
            }
            words.push_str(&ran.words);
        }
        bail!("the laptop does not come back: {words}")
    }

    fn run(&mut self, subcommand: &str, clock: &Clock) -> anyhow::Result<Ran> {
        let output = self.command(subcommand, clock)?.output()?;
        self.look();
        Ok(output.into())
    }

    /// Starts the service, as at a boot; its waits are short (see [`traced::hurried`]).
    pub fn opens(&mut self, clock: &Clock) -> anyhow::Result<()> {
        ensure!(self.service.is_none(), "the laptop is open already");
        let mut command = self.command("run", clock)?;
        command.args(["--first-within", "0"]);
        self.service = Some(Process::start("cartable-agent under strace", &mut traced::hurried(&command))?);
        Ok(())
    }

    /// Takes the laptop's power away: the service is killed, wherever it is.
    pub fn shuts(&mut self) -> anyhow::Result<()> {
        drop(self.service.take().context("the laptop is shut already")?);
        // The agent dies with strace, and the kernel takes a moment: its lock tells.
        let until = Instant::now() + PATIENCE;
        while StateDir::existing(self.state())?.is_in_use() {
            ensure!(Instant::now() < until, "the agent outlived strace");
            std::thread::sleep(Duration::from_millis(5));
        }
        self.look();
        Ok(())
    }

    /// Whether the service runs: nothing ends it but a person.
    pub fn is_open(&mut self) -> bool {
        self.service.as_mut().is_some_and(Process::is_running)
    }

    /// What the service said.
    pub fn words(&self) -> String {
        self.service.as_ref().map(|service| service.log().text()).unwrap_or_default()
    }

    /// Remembers what is in the spool now.
    pub fn look(&mut self) {
        let now = self.spooled();
        self.ever_spooled.extend(now.iter().map(|record| record.report_id.0));
    }

    /// What waits in the spool, oldest first.
    pub fn spooled(&self) -> Vec<Record> {
        Spool::peek(&self.state().join("spool"))
    }

    /// Every report that was ever seen in the spool.
    pub fn ever_spooled(&self) -> impl Iterator<Item = &Uuid> {
        self.ever_spooled.iter()
    }

    /// The reports in its spool that came with an image and are another laptop's.
    pub fn from_image(&self) -> &[Uuid] {
        &self.from_image
    }

    /// Reports that were set aside.
    pub fn damaged(&self) -> anyhow::Result<usize> {
        let files = std::fs::read_dir(self.state().join("spool"))?.collect::<Result<Vec<_>, _>>()?;
        Ok(files.iter().filter(|file| file.path().extension().is_some_and(|end| end == "damaged")).count())
    }

    /// The enrolment as it lies on the disk; an error where the file is torn.
    pub fn enrolment(&self) -> anyhow::Result<Option<Enrolment>> {
        if !self.state().exists() {
            return Ok(None);
        }
        Ok(StateDir::existing(self.state())?.enrolment()?)
    }

    /// The key of the enrolment or, before there is one, of the request that waits; none before both.
    pub fn public_key(&self) -> anyhow::Result<Option<String>> {
        if let Some(enrolment) = self.enrolment()? {
            return Ok(Some(enrolment.key()?.public_key_base64()));
        }
        if !self.state().exists() {
            return Ok(None);
        }
        let pending = StateDir::existing(self.state())?.pending()?;
        Ok(pending.map(|pending| pending.key().map(|key| key.public_key_base64())).transpose()?)
    }

    /// The key's name in the server's database.
    pub(super) fn registered_key(&self) -> anyhow::Result<Vec<u8>> {
        let key = self.enrolment()?.context("the laptop is not enrolled")?.key()?;
        Ok(Sha256::digest(BASE64.decode(key.public_key_base64().as_bytes())?).to_vec())
    }

    /// Which device it is.
    pub fn device_id(&self) -> anyhow::Result<Uuid> {
        Ok(self.enrolment()?.context("the laptop is not enrolled")?.grant.device_id.0)
    }

    fn write(&self, path: &str, content: &str) -> anyhow::Result<()> {
        let path = self.folder.path().join("root").join(path);
        std::fs::create_dir_all(path.parent().context("a path has a parent")?)?;
        // Whole or not at all: the agent may read it at this very moment.
        let new = path.with_extension("new");
        std::fs::write(&new, content)?;
        Ok(std::fs::rename(new, path)?)
    }
}
