//! The agent on a laptop: size of the binary, memory, processor time, threads, wake-ups and bytes on the wire of the
//! real program in the profile it is shipped in, run as the package does, with a probe for each question; beside other agents
//! of Debian in the same run (those that are installed). `CARTABLE_AGENT_BINARY` names a ready binary instead of building one,
//! `-- --minutes 60` lets the agents check in for an hour.

mod beside;
mod probe;

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use cartable_tests::{
    bench::{
        Figures, Options,
        figure::{count, median},
        laptop,
        stage::Stage,
        usage,
        wire::{Passed, Relay},
    },
    harness::{Process, binaries::workspace, process::run_with_input},
};
use clap::Parser as _;

use self::probe::{Probe, Spent};

/// The server asks for contacts this often, so that several fit into the measurement: the shortest that it knows.
const POLICY: &str = "[check_in]\ninterval_minutes = 1\njitter_percent = 0\nherd_jitter_percent = 0\n";
/// After a check-in, what it left to do is done within this.
const SETTLE: Duration = Duration::from_secs(3);
/// How long programs are watched while nobody asks anything of them.
const IDLE: Duration = Duration::from_secs(40);

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let figures = Figures::new("agent_footprint", &options);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure(&options, figures))
}

async fn measure(options: &Options, figures: Figures) -> anyhow::Result<()> {
    let binary = agent_binary(figures)?;
    figures.tell("binary", "size", "MiB", count(std::fs::metadata(&binary)?.len()) / 1_048_576.0)?;
    let (agents, check_ins) = if options.quick { (1, 2) } else { (8, 9) };
    let time = Duration::from_mins(options.minutes.unwrap_or_default());
    let stage = Stage::set("sqlite", 10).await?;
    std::fs::write(stage.installation.directory().join("policy.toml"), POLICY)?;
    let server = stage.serve()?;
    let home = tempfile::tempdir()?;
    let roots = home.path().join("roots.pem");
    std::fs::write(&roots, stage.installation.roots_pem()?)?;
    let token = stage.token(agents + 1)?;
    let mut fleet = Vec::new();
    for number in 0..=agents {
        let relay = Relay::start(server.gateway_authority().parse()?).await?;
        // One is a recorded laptop that ages; the others are this machine.
        let root = (number == agents).then(|| home.path().join("laptop"));
        let state = home.path().join(format!("state-{number}"));
        fleet.push(Watched::enrolled(&binary, relay, (state, root), (&roots, &token)).await?);
    }
    let mut ageing = fleet.pop().context("the laptop that ages")?;
    let begun = Instant::now();
    let before = observe_first(&fleet, figures).await?;
    let (others, ages) = tokio::join!(
        beside::measure(options.rounds(), home.path(), figures),
        ageing.age(if options.quick { 1 } else { 5 }),
    );
    ages?;
    for agent in &fleet {
        agent.wait_for(check_ins).await?;
    }
    tokio::time::sleep(time.saturating_sub(begun.elapsed()).max(SETTLE)).await;
    tell_later(&fleet, &before, figures)?;
    tell_full(&ageing, figures)?;
    tell_new_connection(&mut fleet, figures).await?;
    // Told last: what a neighbour's failure says must not cost our own figures.
    others
}

/// A running agent, what it reads and through which probe, and the relay between it and the server.
struct Watched {
    process: Process,
    probe: Probe,
    relay: Relay,
    binary: PathBuf,
    state: PathBuf,
    root: Option<PathBuf>,
}

impl Watched {
    /// Enrols an agent and starts it as the service does.
    async fn enrolled(
        binary: &Path,
        relay: Relay,
        (state, root): (PathBuf, Option<PathBuf>),
        (roots, token): (&Path, &str),
    ) -> anyhow::Result<Self> {
        if let Some(root) = &root {
            laptop::write(root, 100)?;
        }
        let mut enrol = command(binary, "enrol", &state, root.as_deref());
        enrol.args(["--server", &format!("https://{}", relay.address), "--token", token]).arg("--roots").arg(roots);
        // Blocking here would stop the relay.
        tokio::task::spawn_blocking(move || run_with_input(&mut enrol, "")).await??;
        let probe = {
            let (binary, state, root) = (binary.to_owned(), state.clone(), root.clone());
            Probe::start(&state.with_extension("sock"), move || command(&binary, "probe", &state, root.as_deref()))?
        };
        let process = start(binary, &state, root.as_deref(), &probe)?;
        Ok(Self { process, probe, relay, binary: binary.to_owned(), state, root })
    }

    /// What it has used since it started, and its probes since the first of them.
    fn used(&self) -> anyhow::Result<Used> {
        let pid = self.process.pid();
        Ok(Used { cpu: usage::cpu_of_threads(pid)?, wake_ups: usage::wake_ups(pid)?, probes: self.probe.spent() })
    }

    async fn wait_for(&self, check_ins: usize) -> anyhow::Result<()> {
        let patience = Instant::now() + Duration::from_secs(150) * u32::try_from(check_ins)?;
        while self.check_ins() < check_ins {
            ensure!(Instant::now() < patience, "the agent does not check in:\n{}", self.process.log().text());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    fn check_ins(&self) -> usize {
        self.process.log().text().matches("checked in").count()
    }

    /// Lets the laptop be older at each of so many check-ins.
    async fn age(&mut self, times: u32) -> anyhow::Result<()> {
        let root = self.root.as_deref().context("only a recorded laptop can age")?;
        for cycle in 1..=times {
            laptop::write(root, 100 + cycle)?;
            self.wait_for(self.check_ins() + 1).await?;
        }
        Ok(())
    }

    /// The contacts that went through the relay, the enrolment left out.
    fn contacts(&self) -> Vec<Passed> {
        self.relay.passed().split_off(1)
    }
}

fn command(binary: &Path, subcommand: &str, state: &Path, root: Option<&Path>) -> Command {
    let mut command = Command::new(binary);
    command.arg(subcommand).arg("--state").arg(state);
    if let Some(root) = root {
        command.arg("--root").arg(root);
    }
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(name);
    }
    command
}

fn start(binary: &Path, state: &Path, root: Option<&Path>, probe: &Probe) -> anyhow::Result<Process> {
    let mut command = command(binary, "run", state, root);
    Process::start("cartable-agent", command.args(["--first-within", "0"]).arg("--probe").arg(&probe.socket))
}

/// What an agent and its probes had used at some moment.
#[derive(Clone, Copy)]
struct Used {
    cpu: Duration,
    wake_ups: u64,
    probes: Spent,
}

impl Used {
    /// What was used after `before`.
    fn since(self, before: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(before.cpu),
            wake_ups: self.wake_ups - before.wake_ups,
            probes: self.probes.since(before.probes),
        }
    }
}

/// The first check-in of each agent, and the time after it in which nothing is to happen.
async fn observe_first(fleet: &[Watched], figures: Figures) -> anyhow::Result<Vec<Used>> {
    for agent in fleet {
        agent.wait_for(1).await?;
    }
    tokio::time::sleep(SETTLE).await;
    let of_all = || fleet.iter().map(Watched::used).collect::<anyhow::Result<Vec<Used>>>();
    let first = of_all()?;
    let case = "first check-in, report included";
    tell_median(figures, (case, "CPU since the start", "ms"), &first, |used| millis(used.cpu))?;
    tell_median(figures, (case, "CPU of its probes", "ms"), &first, |used| millis(used.probes.cpu))?;
    tell_median(figures, (case, "probes", "times"), &first, |used| count(used.probes.probes))?;
    tokio::time::sleep(IDLE).await;
    let idle: Vec<Used> = first.iter().zip(of_all()?).map(|(before, after)| after.since(*before)).collect();
    let worst = |of: fn(&Used) -> u64| count(idle.iter().map(of).max().unwrap_or_default());
    figures.tell("idle for 40 s", "wake-ups, worst agent", "times", worst(|used| used.wake_ups))?;
    figures.tell("idle for 40 s", "probes, worst agent", "times", worst(|used| used.probes.probes))?;
    tell_median(figures, ("idle for 40 s", "CPU", "ms"), &idle, |used| millis(used.cpu))?;
    Ok(first)
}

/// The unchanged check-ins after the first, over resumed connections.
fn tell_later(fleet: &[Watched], before: &[Used], figures: Figures) -> anyhow::Result<()> {
    let case = "unchanged check-in, resumed";
    // Of each agent, what it and its probes used, and for how many check-ins.
    let mut spent: Vec<(Used, f64)> = Vec::new();
    let mut bytes = Vec::new();
    for (agent, before) in fleet.iter().zip(before) {
        let contacts = agent.contacts();
        let later = contacts.get(1..).unwrap_or_default();
        spent.push((agent.used()?.since(*before), count(u64::try_from(later.len())?).max(1.0)));
        bytes.extend_from_slice(later);
    }
    figures.tell(case, "check-ins measured", "check-ins", count(u64::try_from(bytes.len())?))?;
    let tell = |figure, unit, value: fn(&Used) -> f64| {
        tell_median(figures, (case, figure, unit), &spent, |(used, times)| value(used) / times)
    };
    tell("CPU besides child processes", "ms", |used| millis(used.cpu))?;
    tell("CPU of its probes", "ms", |used| millis(used.probes.cpu))?;
    tell("CPU with its probes'", "ms", |used| millis(used.cpu + used.probes.cpu))?;
    tell("wake-ups", "times", |used| count(used.wake_ups))?;
    tell("wake-ups of its probes", "times", |used| count(used.probes.wake_ups))?;
    tell("probes", "times", |used| count(used.probes.probes))?;
    tell_bytes(figures, case, &bytes)?;
    tell_memory(fleet, figures)
}

/// What stays resident, and what a probe had at most; threads.
fn tell_memory(fleet: &[Watched], figures: Figures) -> anyhow::Result<()> {
    let probe = fleet.iter().map(|agent| agent.probe.spent().peak_kib).max().unwrap_or_default();
    figures.tell("memory of a probe", "resident at most, worst", "MiB", count(probe) / 1024.0)?;
    for (figure, field) in [("resident", "VmRSS"), ("resident at most", "VmHWM"), ("of which anonymous", "RssAnon")] {
        let sizes: anyhow::Result<Vec<u64>> =
            fleet.iter().map(|agent| usage::status(agent.process.pid(), field)).collect();
        tell_median(figures, ("memory after check-ins", figure, "MiB"), &sizes?, |kib| count(*kib) / 1024.0)?;
    }
    let threads: anyhow::Result<Vec<u64>> =
        fleet.iter().map(|agent| usage::status(agent.process.pid(), "Threads")).collect();
    figures.tell("threads", "threads, most", "threads", count(threads?.into_iter().max().unwrap_or_default()))
}

/// Check-ins with a whole report: the first over a new connection, the others over resumed ones.
fn tell_full(ageing: &Watched, figures: Figures) -> anyhow::Result<()> {
    let contacts = ageing.contacts();
    let (first, later) = contacts.split_first().context("no check-in passed the relay")?;
    tell_bytes(figures, "check-in with its report, new", &[*first])?;
    // A contact that came before the laptop was older carried no report.
    let most = later.iter().map(|passed| passed.up).max().unwrap_or_default();
    let whole: Vec<Passed> = later.iter().copied().filter(|passed| passed.up * 10 > most * 9).collect();
    tell_bytes(figures, "check-in with its report, resumed", &whole)
}

/// Unchanged check-ins over new connections: the first after a restart.
async fn tell_new_connection(fleet: &mut [Watched], figures: Figures) -> anyhow::Result<()> {
    let case = "unchanged check-in, new connection";
    let (mut bytes, mut spent, mut of_probes) = (Vec::new(), Vec::new(), Vec::new());
    for agent in fleet {
        agent.process.stop()?;
        let before = agent.contacts().len();
        let probes = agent.probe.spent();
        agent.process = start(&agent.binary, &agent.state, agent.root.as_deref(), &agent.probe)?;
        agent.wait_for(1).await?;
        tokio::time::sleep(SETTLE).await;
        let used = agent.used()?;
        spent.push(millis(used.cpu));
        of_probes.push(millis(used.probes.since(probes).cpu));
        bytes.extend(agent.contacts().get(before).copied());
    }
    figures.tell(case, "CPU since the start", "ms", median(&spent))?;
    figures.tell(case, "CPU of its probes", "ms", median(&of_probes))?;
    tell_bytes(figures, case, &bytes)
}

fn tell_median<T>(
    figures: Figures,
    (case, figure, unit): (&str, &str, &str),
    of: &[T],
    value: impl Fn(&T) -> f64,
) -> anyhow::Result<()> {
    figures.tell(case, figure, unit, median(&of.iter().map(value).collect::<Vec<_>>()))
}

fn tell_bytes(figures: Figures, case: &str, passed: &[Passed]) -> anyhow::Result<()> {
    tell_median(figures, (case, "TCP payload from the agent", "bytes"), passed, |one| count(one.up))?;
    tell_median(figures, (case, "TCP payload to the agent", "bytes"), passed, |one| count(one.down))?;
    tell_median(figures, (case, "TCP payload", "bytes"), passed, |one| count(one.up + one.down))
}

/// The agent as it is shipped.
fn agent_binary(figures: Figures) -> anyhow::Result<PathBuf> {
    if let Some(given) = std::env::var_os("CARTABLE_AGENT_BINARY") {
        return Ok(given.into());
    }
    figures.note("building the agent in its profile");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = workspace().join("target");
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--package", "cartable-agent", "--profile", "agent", "--target-dir"])
        .arg(&target)
        .current_dir(workspace())
        .status()?;
    ensure!(built.success(), "the agent could not be built");
    Ok(target.join("agent").join("cartable-agent"))
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
