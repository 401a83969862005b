//! The agent on a laptop: size of the binary, memory, processor time, threads, wake-ups and bytes on the wire of the
//! real program in the profile it is shipped in. `CARTABLE_AGENT_BINARY` names a ready binary instead of building one.

use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use cartable_tests::{
    bench::{Figures, Options, figure::count, stage::Stage, usage, wire::Relay},
    harness::{Process, binaries::workspace, process::run_with_input},
};
use clap::Parser as _;

/// The server asks for contacts this often, so that several fit into the measurement.
const POLICY: &str = "[check_in]\ninterval_minutes = 1\n";
/// After a check-in, what it left to do is done within this.
const SETTLE: Duration = Duration::from_secs(3);

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let figures = Figures::new("agent_footprint", &options);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure(&options, figures))
}

async fn measure(options: &Options, figures: Figures) -> anyhow::Result<()> {
    let binary = agent_binary(figures)?;
    figures.tell("binary", "size", "MiB", count(std::fs::metadata(&binary)?.len()) / 1_048_576.0)?;
    let stage = Stage::set("sqlite", 10).await?;
    std::fs::write(stage.installation.directory().join("policy.toml"), POLICY)?;
    let server = stage.serve()?;
    let relay = Relay::start(server.gateway_authority().parse()?).await?;
    let home = tempfile::tempdir()?;
    let (state, roots) = (home.path().join("state"), home.path().join("roots.pem"));
    std::fs::write(&roots, stage.installation.roots_pem()?)?;
    let agent = |subcommand: &str| {
        let mut command = Command::new(&binary);
        command.arg(subcommand).arg("--state").arg(&state);
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            command.env_remove(name);
        }
        command
    };
    let mut enrol = agent("enrol");
    enrol.args(["--server", &format!("https://{}", relay.address), "--token", &stage.token(1)?]);
    enrol.arg("--roots").arg(&roots);
    // Blocking here would stop the relay.
    tokio::task::spawn_blocking(move || run_with_input(&mut enrol, "")).await??;
    let process = Process::start("cartable-agent", agent("run").args(["--first-within", "0"]))?;
    observe(&process, &relay, if options.quick { 2 } else { 3 }, figures).await
}

/// Watches a running agent over its first check-ins.
async fn observe(process: &Process, relay: &Relay, check_ins: usize, figures: Figures) -> anyhow::Result<()> {
    let pid = process.pid();
    wait_for(process, 1).await?;
    tokio::time::sleep(SETTLE).await;
    let (first_cpu, before) = (usage::cpu_of_threads(pid)?, relay.passed().len());
    figures.tell("first check-in, report included", "CPU since the start", "ms", millis(first_cpu))?;
    let wake_ups = usage::wake_ups(pid)?;
    let idle = Duration::from_secs(40);
    tokio::time::sleep(idle).await;
    figures.tell("idle for 40 s", "wake-ups", "times", count(usage::wake_ups(pid)? - wake_ups))?;
    let idle_cpu = usage::cpu_of_threads(pid)?.saturating_sub(first_cpu);
    figures.tell("idle for 40 s", "CPU", "ms", millis(idle_cpu))?;
    wait_for(process, check_ins).await?;
    tokio::time::sleep(SETTLE).await;
    let later = u32::try_from(check_ins - 1)?.max(1);
    let spent = usage::cpu_of_threads(pid)?.saturating_sub(first_cpu) / later;
    figures.tell("unchanged check-in, resumed", "CPU besides child processes", "ms", millis(spent))?;
    let passed = relay.passed();
    let resumed = passed.get(before..).and_then(<[_]>::last).context("no later check-in passed the relay")?;
    figures.tell("unchanged check-in, resumed", "TCP payload to the server", "bytes", count(resumed.up))?;
    figures.tell("unchanged check-in, resumed", "TCP payload from the server", "bytes", count(resumed.down))?;
    figures.tell("unchanged check-in, resumed", "TCP payload", "bytes", count(resumed.up + resumed.down))?;
    for (figure, field) in [("resident", "VmRSS"), ("resident at most", "VmHWM"), ("of which anonymous", "RssAnon")] {
        figures.tell("memory after check-ins", figure, "MiB", count(usage::status(pid, field)?) / 1024.0)?;
    }
    figures.tell("threads", "threads", "threads", count(usage::status(pid, "Threads")?))
}

async fn wait_for(process: &Process, check_ins: usize) -> anyhow::Result<()> {
    let patience = Instant::now() + Duration::from_secs(150);
    while process.log().text().matches("checked in").count() < check_ins {
        ensure!(Instant::now() < patience, "the agent does not check in:\n{}", process.log().text());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
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
