//! Years in the life of laptops and their server, in seconds: the real programs, each by a clock that the test drives,
//! over a network that the test breaks.
//!
//! Nothing here puts a thing right on the agent's behalf: what comes back, comes back by itself.

pub mod clock;
pub mod laptop;
pub mod traced;

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use cartable_common::UtcMillis;
use uuid::Uuid;

pub use self::{
    clock::Clock,
    laptop::{Laptop, Ran},
};
use crate::{
    gateway_client::SITE,
    harness::{Installation, Server, installation::last_word, process::run_with_input, stored},
    raw::Raw,
    relay::Relay,
};

/// How long something may take that happens several times a second.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server with its clock, and the network that leads to it.
#[derive(Debug)]
pub struct Year {
    // Gone before its data directory is.
    server: Option<Server>,
    /// The data directory.
    pub installation: Installation,
    /// The server's clock, and that of each laptop whose clock is right.
    pub clock: Clock,
    /// Between the laptops and the server.
    pub network: Relay,
    now: UtcMillis,
    addresses: (String, String),
    raw: Raw,
    laptops: usize,
    roots: tempfile::NamedTempFile,
    token: String,
}

impl Year {
    /// Begins today, with one site and a running server.
    pub async fn begin() -> anyhow::Result<Self> {
        let installation = Installation::temporary()?;
        installation.create_site(SITE, "Collège Exemple", "Lyon", "A")?;
        let roots = tempfile::NamedTempFile::new()?;
        std::fs::write(&roots, installation.roots_pem()?)?;
        // Whole seconds, as the driven clocks are set.
        let now = cartable_server::clock::now();
        let now = now.plus_millis(-(now.get() % 1000));
        let clock = Clock::at(now)?;
        let mut command = installation.command("token create");
        command.args(["--site", SITE, "--cap", "1000", "--label", "year"]);
        let token = last_word(&run_with_input(clock.drive(&mut command)?, "")?)?;
        let server = serve(&installation, &clock, ("127.0.0.1:0", "127.0.0.1:0"))?;
        let addresses = (server.console_authority().to_owned(), server.gateway_authority().to_owned());
        let network = Relay::to(&addresses.1).await?;
        let raw = Raw::connect(&installation.database_url()).await?;
        Ok(Self { installation, clock, network, now, server: Some(server), addresses, raw, laptops: 0, roots, token })
    }

    /// What the right clocks show, but for the seconds that have passed since it was set.
    pub const fn now(&self) -> UtcMillis {
        self.now
    }

    /// So much time passes for everybody whose clock is right, within an instant.
    pub fn pass(&mut self, millis: i64) -> anyhow::Result<()> {
        self.now = self.now.plus_millis(millis);
        self.clock.set(self.now)
    }

    /// So many days pass.
    pub fn pass_days(&mut self, days: i64) -> anyhow::Result<()> {
        self.pass(days * UtcMillis::DAY)
    }

    /// Ends the server as a power cut would.
    pub fn server_falls(&mut self) {
        // Killed when dropped.
        self.server = None;
    }

    /// Starts the server again, where it was.
    pub fn server_is_back(&mut self) -> anyhow::Result<()> {
        self.server_falls();
        self.server = Some(serve(&self.installation, &self.clock, (&self.addresses.0, &self.addresses.1))?);
        Ok(())
    }

    /// A laptop that is not enrolled yet, and may be on the first day. Its server is at the network's end.
    pub fn new_laptop(&mut self) -> anyhow::Result<Laptop> {
        self.laptops += 1;
        let serial_number = format!("PF2YEAR{:04}", self.laptops);
        let mut laptop = Laptop::new(&self.installation, &serial_number)?;
        laptop.invite(&format!("https://{}", self.network.authority()), &self.token, self.roots.path());
        Ok(laptop)
    }

    /// An enrolled one, on the first day.
    pub fn laptop(&mut self) -> anyhow::Result<Laptop> {
        let mut laptop = self.new_laptop()?;
        let ran = laptop.enrol(&self.clock)?;
        ensure!(ran.code == Some(0), "{ran:?}");
        Ok(laptop)
    }

    /// Another machine with a copy of the agent's state on `laptop`.
    pub fn copy(&mut self, laptop: &Laptop) -> anyhow::Result<Laptop> {
        self.laptops += 1;
        laptop.copied(&self.installation, &format!("PF2YEAR{:04}", self.laptops))
    }

    /// A person lets in everybody who waits to be. The person's clock is this computer's.
    pub fn everybody_is_let_in(&self) -> anyhow::Result<()> {
        let waiting = self.installation.run("device waiting", &[], "")?;
        let ids: Vec<&str> = waiting.lines().filter_map(|line| line.split('\t').next()).collect();
        self.installation.run("device approve", &ids, "").map(drop)
    }

    /// The one number that `sql` selects from the server's database.
    pub async fn number(&mut self, sql: &str) -> anyhow::Result<i64> {
        self.raw.number(sql).await
    }

    /// Waits until the server heard of `laptop` again, by its own clock since the time last passed.
    pub async fn heard(&mut self, laptop: &Laptop) -> anyhow::Result<()> {
        let (device, since) = (self.device(laptop)?, self.now.get());
        let sql = format!("SELECT count(*) FROM contact WHERE device_id = {device} AND last_at >= {since}");
        let until = Instant::now() + PATIENCE;
        while self.raw.number(&sql).await? == 0 {
            if Instant::now() > until {
                bail!("nothing was heard of the laptop since {since}:\n{}", laptop.words());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Certificates that were issued to `laptop`.
    pub async fn certificates(&mut self, laptop: &Laptop) -> anyhow::Result<i64> {
        let of = format!("SELECT id FROM enrolment WHERE device_id = {}", self.device(laptop)?);
        let sql = format!("SELECT count(*) FROM certificate WHERE state = 'issued' AND enrolment_id IN ({of})");
        self.raw.number(&sql).await
    }

    /// Recoveries of `laptop`.
    pub async fn recoveries(&mut self, laptop: &Laptop) -> anyhow::Result<i64> {
        let sql = format!("SELECT count(*) FROM recovery WHERE device_id = {}", self.device(laptop)?);
        self.raw.number(&sql).await
    }

    /// Fails unless `laptop` has one identity and always had: what its file holds is the key that the server registered,
    /// for one device with one enrolment; nobody waits to be let in.
    pub async fn assert_one_identity(&mut self, laptop: &Laptop) -> anyhow::Result<()> {
        self.assert_enrolments(laptop, 1).await?;
        ensure!(self.raw.number("SELECT count(*) FROM newcomer").await? == 0, "somebody waits to be let in");
        Ok(())
    }

    /// Fails unless the device that `laptop` is had so many enrolments, each of which replaced the one before, and what its
    /// file holds is the key of the last.
    pub async fn assert_enrolments(&mut self, laptop: &Laptop, enrolments: i64) -> anyhow::Result<()> {
        let device = self.device(laptop)?;
        let key = self.raw.bytes(&laptop.registered_key()?);
        let of_device = format!("SELECT count(*) FROM enrolment WHERE device_id = {device}");
        let counted = self.raw.number(&of_device).await?;
        ensure!(counted == enrolments, "the laptop enrolled {counted} times, not {enrolments}");
        let replaced = self.raw.number(&format!("{of_device} AND status = 'replaced'")).await?;
        ensure!(replaced == enrolments - 1, "{replaced} of {enrolments} enrolments were replaced");
        let own = format!("{of_device} AND status = 'active' AND spki_sha256 = {key}");
        ensure!(self.raw.number(&own).await? == 1, "the laptop's key is not the registered one");
        Ok(())
    }

    /// Fails unless everything that `laptop` ever had in its spool arrived, but for what it `thinned`, each once, and
    /// the server knows the laptop as it is; gives how many reports arrived.
    pub async fn assert_delivered(&mut self, laptop: &Laptop, thinned: &[Uuid]) -> anyhow::Result<usize> {
        ensure!(laptop.spooled().is_empty(), "something still waits in the spool: {:?}", laptop.spooled());
        ensure!(laptop.damaged()? == 0, "a report was damaged");
        let of = laptop.device_id()?;
        let stored = stored::reports(&self.installation.database_url()).await?;
        let arrived: Vec<Uuid> = stored.keys().filter(|(device, _)| *device == of).map(|(_, report)| *report).collect();
        for report in laptop.ever_spooled() {
            ensure!(arrived.contains(report) != thinned.contains(report), "{report}: lost, or thinned and sent");
        }
        let device = self.device(laptop)?;
        let sql = format!("SELECT count(DISTINCT sequence) FROM report WHERE device_id = {device}");
        ensure!(usize::try_from(self.raw.number(&sql).await?)? == arrived.len(), "two reports have one number");
        let sql = format!("SELECT memory_bytes FROM health WHERE device_id = {device}");
        ensure!(self.raw.number(&sql).await? == laptop.memory_bytes(), "the server knows the laptop as it was");
        Ok(arrived.len())
    }

    fn device(&self, laptop: &Laptop) -> anyhow::Result<String> {
        Ok(self.raw.uuid(laptop.device_id()?))
    }
}

fn serve(installation: &Installation, clock: &Clock, (console, gateway): (&str, &str)) -> anyhow::Result<Server> {
    let mut command = installation.command("serve");
    command.args(["--console", console, "--gateway", gateway, "--ready-json"]);
    Server::start(clock.drive(&mut command)?)
}
