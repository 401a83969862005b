//! `cargo demo`: a whole Cartable on this computer, with this computer in it and a lifelike fleet around it.
//!
//! Real programs only: the server's and the agent's binaries are started as they would be for real, and simulated
//! devices use the agent's own code over mutual TLS. What live devices cannot have yet, a past, is written into the
//! new database before the server first starts, through the server's own ingest ([`past`]).

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use cartable_common::UtcMillis;
use clap::Parser;
use serde::Serialize;

use crate::{
    harness::{Agent, Api, Installation, Process, Server, binaries::workspace},
    simulator::{Fleet, Keyring, Roster, device::Link, fleet::Progress, keyring::FleetHeader},
};

pub mod directory;
pub mod lending;
pub mod lots;
pub mod past;
pub mod people;
pub mod planning;
pub mod port;
pub mod prepare;
pub mod progress;
pub mod workshop;

use directory::{Directory, LOGIN, Remembered};
use people::Account;
use prepare::Age;

/// The fleet is drawn from this: every newcomer sees the same one.
const SEED: u64 = 2021;

/// How long this computer may take to appear in the console.
const APPEAR_TIMEOUT: Duration = Duration::from_secs(90);

/// Starts a Cartable server, enrols this computer, and fills the console with a lifelike simulated fleet.
#[derive(Debug, Parser)]
#[command(name = "cargo demo")]
pub struct Arguments {
    /// How many devices the fleet has; a fleet that exists keeps its size.
    #[arg(long, value_name = "N", default_value_t = 2000)]
    devices: usize,
    /// The console's port; 0 takes a free one. Without it: the last one, 8080, or a free one.
    #[arg(long, value_name = "P")]
    port: Option<u16>,
    /// Where everything is kept [default: target/demo].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A PostgreSQL database to use instead of SQLite: postgres://USER@HOST/NAME.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// When ready, print one line of JSON on standard output; everything else goes to standard error.
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Ready {
    console: String,
    gateway: String,
    roots: PathBuf,
    user: &'static str,
    /// Who else may sign in, with the same password.
    people: Vec<Account>,
    password: String,
    api_token: String,
    this_device: String,
    pid: u32,
}

/// Runs the demonstration until Ctrl-C.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut interrupted = Box::pin(interrupted());
    let demo = tokio::select! {
        demo = Demo::start(&arguments) => demo?,
        () = &mut interrupted => return Ok(()),
    };
    demo.announce(arguments.json)?;
    demo.live(interrupted).await
}

/// A running demonstration. Dropped, its programs are stopped.
struct Demo {
    // Fields are dropped in this order: the agent first, so that it does not report a lost server.
    agent: Process,
    server: Server,
    fleet: Fleet,
    people: Vec<Account>,
    remembered: Remembered,
    roots: PathBuf,
    this_device: String,
}

impl Demo {
    async fn start(arguments: &Arguments) -> anyhow::Result<Self> {
        if arguments.port.is_some() {
            port::console(arguments.port, 0)?;
        }
        let path = arguments.data.clone().unwrap_or_else(|| workspace().join("target").join("demo"));
        let directory = Directory::take(&path)?;
        say("building the programs");
        let (installation, mut remembered, age) = installation(&directory, arguments)?;
        let console = port::console(arguments.port, remembered.console_port)?;
        let gateway = port::gateway(remembered.gateway_port)?;
        let header = FleetHeader { seed: SEED, devices: arguments.devices, epoch: cartable_agent::clock::now() };
        let keyring = Arc::new(Keyring::open(&directory.keyring(), header)?);
        if keyring.header().devices != arguments.devices {
            say(&format!(
                "this fleet has {} devices: --devices is for a new one (--data DIR)",
                keyring.header().devices
            ));
        }
        let roster = Arc::new(Roster::drawn(keyring.header().seed, keyring.header().devices));
        say("preparing the database");
        let vault = installation.vault()?;
        // The collèges stand before the people who see one alone; people before what they have proposed and approved.
        prepare::sites(&installation.database_url(), &roster, now()).await?;
        let people = people::accounts(&roster);
        if age == Age::New {
            people::make(&installation, &people, &remembered.password)?;
        }
        let tokens = prepare::database(&installation.database_url(), &roster, &keyring, &vault, age, now()).await?;
        let server = installation.serve_at(&format!("127.0.0.1:{console}"), &format!("127.0.0.1:{gateway}"))?;
        remembered.console_port = port::of_address(server.console());
        remembered.gateway_port = port::of_address(server.gateway());
        directory.remember(&remembered)?;
        let roots_pem = installation.roots_pem()?;
        directory::write_private(&directory.roots(), &roots_pem)?;
        let api = Api::new(server.console(), &remembered.api_token)?;
        let (agent, this_device) = this_computer(&installation, &directory, &server, &roster).await?;
        wait_until_visible(&api, &this_device).await?;
        let link = Link::new(server.gateway(), &roots_pem)?;
        let progress = Arc::new(Progress::default());
        let lived = Arc::new(past::lived(&roster, keyring.header()));
        let fleet = Fleet { roster, lived, keyring, link, tokens: Arc::new(tokens), progress };
        Ok(Self { agent, server, fleet, people, remembered, roots: directory.roots(), this_device })
    }

    fn announce(&self, json: bool) -> anyhow::Result<()> {
        use std::io::Write as _;
        let ready = Ready {
            console: self.server.console().to_owned(),
            gateway: self.server.gateway().to_owned(),
            roots: self.roots.clone(),
            user: LOGIN,
            people: self.people.clone(),
            password: self.remembered.password.clone(),
            api_token: self.remembered.api_token.clone(),
            this_device: self.this_device.clone(),
            pid: std::process::id(),
        };
        let mut stdout = std::io::stdout().lock();
        if json {
            writeln!(stdout, "{}", serde_json::to_string(&ready)?)?;
        } else {
            let Ready { console, user, people, password, this_device, .. } = &ready;
            writeln!(stdout, "\n  Cartable   {console}\n  password   {password}, for everybody")?;
            write!(stdout, "  user       {user:<13}administrator\n{}", people::told(people))?;
            writeln!(stdout, "\n  this computer   {console}/devices/{this_device}\n  Ctrl-C stops everything\n")?;
        }
        Ok(stdout.flush()?)
    }

    /// Fills the fleet and keeps it alive until `interrupted`, or until a program ends by itself.
    async fn live(mut self, interrupted: impl Future<Output = ()>) -> anyhow::Result<()> {
        let shown = tokio::spawn(progress::show(Arc::clone(&self.fleet.progress), self.fleet.live()));
        let fleet = self.fleet.clone();
        let filling = tokio::spawn(async move {
            let due = fleet.fill().await;
            fleet.keep_alive(due).await;
        });
        let ended = tokio::select! {
            () = interrupted => None,
            ended = first_to_end(&mut self.agent, &mut self.server) => Some(ended),
        };
        filling.abort();
        shown.abort();
        // Only an aborted task is an error here, and that was asked for.
        drop(filling.await);
        drop(shown.await);
        if let Some(words) = ended {
            bail!("{words}");
        }
        say("stopping");
        self.agent.stop()?;
        self.server.stop()?;
        Ok(())
    }
}

/// The installation of an earlier run, or a new one.
fn installation(directory: &Directory, arguments: &Arguments) -> anyhow::Result<(Installation, Remembered, Age)> {
    let Some(remembered) = directory.remembered()? else {
        let (installation, remembered) = directory.set_up(arguments.database.as_deref())?;
        return Ok((installation, remembered, Age::New));
    };
    if arguments.database.is_some() && arguments.database != remembered.database {
        bail!("this fleet lies in another database: choose another directory with --data for a new one");
    }
    let installation = Installation::at(&directory.server(), &remembered.key, remembered.database.as_deref())?;
    Ok((installation, remembered, Age::Resumed))
}

/// Enrols this computer, unless it is, and starts its agent.
async fn this_computer(
    installation: &Installation,
    directory: &Directory,
    server: &Server,
    roster: &Roster,
) -> anyhow::Result<(Process, String)> {
    let agent = Agent::new(installation, directory.agent());
    if agent.device_id().is_err() {
        say("enrolling this computer");
        let site = roster.sites.first().context("a fleet has a site")?;
        let token = installation.create_enrolment_token(&site.uai, 1)?;
        agent.enrol(server.gateway(), &token, &directory.roots())?;
        // The first contact now, not after the random wait with which a whole school's laptops spread.
        agent.once()?;
    }
    let device = agent.device_id()?;
    Ok((agent.start()?, device))
}

/// Waits until the console knows what this computer measured.
async fn wait_until_visible(api: &Api, device: &str) -> anyhow::Result<()> {
    let deadline = tokio::time::Instant::now() + APPEAR_TIMEOUT;
    loop {
        let answer = api.get(&format!("/api/v1/devices/{device}")).await;
        let told = match answer {
            Ok(found) if !found["health"].is_null() => return Ok(()),
            Ok(_) => "it has not reported yet".to_owned(),
            Err(error) => format!("{error:#}"),
        };
        if tokio::time::Instant::now() > deadline {
            bail!("this computer did not appear in the console within {APPEAR_TIMEOUT:?}: {told}");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Tells which program ended by itself, with its last words.
async fn first_to_end(agent: &mut Process, server: &mut Server) -> String {
    loop {
        if !server.is_running() {
            return format!("the server ended by itself:\n{}", server.log().text());
        }
        if !agent.is_running() {
            return format!("the agent ended by itself:\n{}", agent.log().text());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Ctrl-C, or a polite request to end.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => return,
                _ = terminate.recv() => return,
            }
        }
    }
    drop(tokio::signal::ctrl_c().await);
}

fn say(words: &str) {
    eprintln!("{words}");
}

fn now() -> UtcMillis {
    cartable_agent::clock::now()
}
