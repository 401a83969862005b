//! Check-ins: what one costs the server over a new connection, a resumed one and one that stays open, on both engines;
//! beside the bare TLS handshake and the same exchange without storage, measured in the same run.
//!
//! Server and load generator are processes of their own, each held to one core where the machine has two.
//! PostgreSQL's processes are not held and not counted in the server's processor time.

use std::{net::SocketAddr, time::Duration};

use cartable_server::clock;
use cartable_tests::{
    bench::{
        Figures, Options,
        bare::{Bare, Exchange},
        figure::{count, median},
        load::{self, LoadDevice, Mode},
        stage::{LOAD_CORE, Stage, hosts},
        storeless, usage,
    },
    harness::{Binaries, Server, stored},
    simulator::keyring::Identity,
};
use clap::Parser as _;

/// Devices that check in at once.
const AT_ONCE: usize = 128;

/// Tables in which an unchanged check-in must add nothing. `contact_hourly` gains a row an hour, whoever comes.
const TABLES: [&str; 9] =
    ["device", "enrolment", "contact", "report", "health", "health_change", "health_daily", "flag", "audit"];

fn main() -> anyhow::Result<()> {
    if storeless::serve_if_asked()? {
        return Ok(());
    }
    let options = Options::parse();
    let figures = Figures::new("check_in", &options);
    // Built before this process, and with it the compiler, is held to one core.
    Binaries::find()?;
    let alone = usage::stay_on_core(LOAD_CORE);
    figures.note(if alone { "server on one core, load on the other" } else { "server and load share the cores" });
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure(&options, figures))
}

/// The server's processor time for one check-in, in microseconds.
type Cost = f64;

/// What a way of connecting cost, by its place in [`Mode::ALL`].
type Costs = [Cost; 3];

async fn measure(options: &Options, figures: Figures) -> anyhow::Result<()> {
    let mut reference = None;
    for engine in ["sqlite", "postgres"].into_iter().filter(|engine| options.wants(engine)) {
        figures.note(&format!("{engine}: filling the store with {} devices", options.devices()));
        let stage = Stage::set(engine, options.devices()).await?;
        let server = stage.serve()?;
        let (identities, devices) = stage.devices(&server, AT_ONCE).await?;
        let (bare, storeless) = match reference {
            Some(reference) => reference,
            None => {
                let bare = bare_handshakes(&stage, &identities[0], options, figures)?;
                let without = stage.serve_without_storage()?;
                let storeless = costs(&without, &devices, "without storage", options, figures).await?;
                *reference.insert((bare, storeless))
            }
        };
        unchanged(&stage, &server, &devices, engine, figures).await?;
        let measured = costs(&server, &devices, engine, options, figures).await?;
        memory(&server, engine, options, figures)?;
        let case = format!("{engine}: ratios");
        figures.tell(&case, "new connection / bare full handshake", "×", measured[0] / bare)?;
        figures.tell(&case, "resumed / same without storage", "×", measured[1] / storeless[1])?;
        figures.tell(&case, "kept alive / same without storage", "×", measured[2] / storeless[2])?;
    }
    Ok(())
}

/// Tells the cost of bare handshakes; gives that of the full one with the agents' key exchange.
fn bare_handshakes(stage: &Stage, identity: &Identity, options: &Options, figures: Figures) -> anyhow::Result<Cost> {
    let handshakes = if options.quick { 100 } else { 500 };
    let mut agents = 0.0;
    for exchange in [Exchange::X25519, Exchange::X25519MlKem768] {
        let key = stage.master_key()?;
        let bare = Bare::new(stage.installation.directory(), &key, &hosts(), identity, exchange, clock::now())?;
        bare.full(20)?;
        let (mut full, mut resumed) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds() {
            full.push(micros(bare.full(handshakes)?));
            resumed.push(micros(bare.resumed(handshakes)?));
        }
        let case = format!("bare handshake, {}", exchange.name());
        figures.tell(&case, "server CPU, full", "µs", median(&full))?;
        figures.tell(&case, "server CPU, resumed", "µs", median(&resumed))?;
        if exchange == Exchange::X25519 {
            agents = median(&full);
        }
    }
    Ok(agents)
}

/// Loads `server` in each way and tells what that came to.
async fn costs(
    server: &Server,
    devices: &[LoadDevice],
    case: &str,
    options: &Options,
    figures: Figures,
) -> anyhow::Result<Costs> {
    let address: SocketAddr = server.gateway_authority().parse()?;
    let length = Duration::from_secs(if options.quick { 1 } else { 4 });
    let mut costs = Costs::default();
    // What they would resume is a session of another server, which this one rightly refuses.
    load::greet(devices, address).await?;
    for (place, mode) in Mode::ALL.into_iter().enumerate() {
        load::run(devices, address, mode, length / 4).await?;
        let (mut cpu, mut rate) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds() {
            let before = usage::cpu(server.pid())?;
            let (round, _) = load::run(devices, address, mode, length).await?;
            let spent = usage::cpu(server.pid())?.saturating_sub(before);
            cpu.push(micros(spent) / count(round.check_ins.max(1)));
            rate.push(count(round.check_ins) / round.took.as_secs_f64());
        }
        costs[place] = median(&cpu);
        let case = format!("{case}: {}", mode.name());
        figures.tell(&case, "server CPU per check-in", "µs", costs[place])?;
        figures.tell(&case, "check-ins per server core", "1/s", 1e6 / costs[place])?;
        figures.tell(&case, "check-ins, as measured", "1/s", median(&rate))?;
    }
    Ok(costs)
}

/// Tells what an unchanged check-in takes: bytes of HTTP, rows.
async fn unchanged(
    stage: &Stage,
    server: &Server,
    devices: &[LoadDevice],
    engine: &str,
    figures: Figures,
) -> anyhow::Result<()> {
    let address: SocketAddr = server.gateway_authority().parse()?;
    let before = rows(stage).await?;
    let (round, bytes) = load::run(devices, address, Mode::KeptAlive, Duration::from_secs(1)).await?;
    let added = rows(stage).await? - before;
    let case = format!("{engine}: unchanged check-in");
    figures.tell(&case, "HTTP to the server", "bytes", count(bytes.request as u64))?;
    figures.tell(&case, "HTTP from the server", "bytes", count(bytes.answer as u64))?;
    figures.tell(&case, "check-ins counted", "check-ins", count(round.check_ins))?;
    figures.tell(&case, "rows they added", "rows", count(u64::try_from(added)?))
}

async fn rows(stage: &Stage) -> anyhow::Result<i64> {
    let url = stage.database_url();
    let mut sum = 0;
    for table in TABLES {
        sum += stored::count(&url, table).await?;
    }
    Ok(sum)
}

fn memory(server: &Server, engine: &str, options: &Options, figures: Figures) -> anyhow::Result<()> {
    let case = format!("{engine}: memory, {} devices", options.devices());
    for (figure, field) in [("resident after the load", "VmRSS"), ("resident at most", "VmHWM")] {
        figures.tell(&case, figure, "MiB", count(usage::status(server.pid(), field)?) / 1024.0)?;
    }
    figures.tell(&case, "of which anonymous", "MiB", count(usage::status(server.pid(), "RssAnon")?) / 1024.0)
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
