//! The other agents of Debian, in rounds, one after the other in each.

use std::{net::SocketAddr, path::Path, process::Command, time::Duration};

use anyhow::Context as _;
use cartable_tests::{
    bench::{
        Figures,
        figure::count,
        neighbours, usage,
        wire::{Passed, Relay},
    },
    harness::Process,
};

use super::{IDLE, SETTLE, millis, tell_bytes, tell_median};

/// Questions to a program that stays, in one round.
const QUESTIONS: u32 = 20;

/// Measures those that are installed, and tells medians.
pub(super) async fn measure(rounds: usize, folder: &Path, figures: Figures) -> anyhow::Result<()> {
    let inventories = neighbours::inventory_server().await?;
    let (mut fusion, mut ocs) = (Vec::new(), Vec::new());
    let (mut waiting, mut exporter, mut zabbix) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        figures.note(&format!("the other agents, round {}", round + 1));
        if neighbours::is_installed("fusioninventory-agent") {
            keep(figures, &mut fusion, inventory(neighbours::fusioninventory, inventories, folder).await);
            keep(figures, &mut waiting, idle(&neighbours::fusioninventory_waiting(inventories, folder)?).await);
        }
        if neighbours::is_installed("ocsinventory-agent") {
            keep(figures, &mut ocs, inventory(neighbours::ocsinventory, inventories, folder).await);
        }
        if neighbours::is_installed("prometheus-node-exporter") {
            keep(figures, &mut exporter, asked(neighbours::node_exporter()?, neighbours::scrape).await);
        }
        if neighbours::is_installed("zabbix_agent2") {
            keep(figures, &mut zabbix, asked(neighbours::zabbix_agent(folder)?, neighbours::ask_zabbix).await);
        }
    }
    tell_inventories(figures, "fusioninventory-agent, an inventory", &fusion)?;
    tell_idle(figures, "fusioninventory-agent, waiting", &waiting)?;
    tell_inventories(figures, "ocsinventory-agent, an inventory", &ocs)?;
    tell_asked(figures, "prometheus-node-exporter, a scrape", &exporter)?;
    tell_asked(figures, "zabbix-agent2, eight items", &zabbix)
}

/// Keeps what was measured. A stranger's program that fails once costs that one measurement.
fn keep<T>(figures: Figures, into: &mut Vec<T>, measured: anyhow::Result<T>) {
    match measured {
        Ok(measured) => into.push(measured),
        Err(error) => figures.note(&format!("left out: {error:#}")),
    }
}

async fn inventory(
    agent: fn(SocketAddr, &Path) -> anyhow::Result<Command>,
    server: SocketAddr,
    folder: &Path,
) -> anyhow::Result<(neighbours::Run, Passed)> {
    let relay = Relay::start(server).await?;
    let mut command = agent(relay.address, folder)?;
    let run = tokio::task::spawn_blocking(move || neighbours::run(&mut command)).await??;
    // The relay counts a connection once both sides have seen its end.
    tokio::time::sleep(SETTLE).await;
    Ok((run, sum(&relay.passed())))
}

fn tell_inventories(figures: Figures, case: &str, runs: &[(neighbours::Run, Passed)]) -> anyhow::Result<()> {
    if runs.is_empty() {
        figures.note(&format!("{case}: not measured"));
        return Ok(());
    }
    tell_median(figures, (case, "CPU, its children's too", "ms"), runs, |(run, _)| millis(run.cpu))?;
    tell_median(figures, (case, "resident at most", "MiB"), runs, |(run, _)| count(run.peak_kib) / 1024.0)?;
    tell_bytes(figures, case, &runs.iter().map(|(_, passed)| *passed).collect::<Vec<_>>())
}

/// What a program costs that stays, while nobody asks it anything.
#[derive(Clone, Copy)]
struct Idle {
    wake_ups: u64,
    cpu: Duration,
    memory_kib: u64,
    threads: u64,
}

async fn idle(process: &Process) -> anyhow::Result<Idle> {
    let pid = process.pid();
    tokio::time::sleep(SETTLE).await;
    let (wake_ups, cpu) = (usage::wake_ups(pid)?, usage::cpu_of_threads(pid)?);
    tokio::time::sleep(IDLE).await;
    Ok(Idle {
        wake_ups: usage::wake_ups(pid)? - wake_ups,
        cpu: usage::cpu_of_threads(pid)?.saturating_sub(cpu),
        memory_kib: usage::status(pid, "VmRSS")?,
        threads: usage::status(pid, "Threads")?,
    })
}

fn tell_idle(figures: Figures, case: &str, seen: &[Idle]) -> anyhow::Result<()> {
    if seen.is_empty() {
        figures.note(&format!("{case}: not measured"));
        return Ok(());
    }
    tell_median(figures, (case, "idle for 40 s: wake-ups", "times"), seen, |one| count(one.wake_ups))?;
    tell_median(figures, (case, "idle for 40 s: CPU", "ms"), seen, |one| millis(one.cpu))?;
    tell_median(figures, (case, "resident", "MiB"), seen, |one| count(one.memory_kib) / 1024.0)?;
    tell_median(figures, (case, "threads", "threads"), seen, |one| count(one.threads))
}

/// What such a program costs that is asked.
struct Asked {
    idle: Idle,
    /// Of one question, in milliseconds.
    cpu: f64,
    wake_ups: f64,
    bytes: Passed,
    peak_kib: u64,
}

async fn asked(
    (process, address): (Process, SocketAddr),
    ask: fn(SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<Asked> {
    let (pid, relay) = (process.pid(), Relay::start(address).await?);
    let near = relay.address;
    let questions = move |times: u32| tokio::task::spawn_blocking(move || (0..times).try_for_each(|_| ask(near)));
    tokio::task::spawn_blocking(move || neighbours::wait_for(address)).await?.with_context(|| process.log().text())?;
    questions(1).await??;
    let idle = idle(&process).await?;
    let (wake_ups, cpu, passed) = (usage::wake_ups(pid)?, usage::cpu_of_threads(pid)?, relay.passed().len());
    questions(QUESTIONS).await??;
    tokio::time::sleep(SETTLE).await;
    let spent = usage::cpu_of_threads(pid)?.saturating_sub(cpu);
    let Passed { up, down } = sum(relay.passed().get(passed..).unwrap_or_default());
    Ok(Asked {
        idle,
        cpu: millis(spent) / f64::from(QUESTIONS),
        wake_ups: count(usage::wake_ups(pid)? - wake_ups) / f64::from(QUESTIONS),
        bytes: Passed { up: up / u64::from(QUESTIONS), down: down / u64::from(QUESTIONS) },
        peak_kib: usage::status(pid, "VmHWM")?,
    })
}

fn tell_asked(figures: Figures, case: &str, seen: &[Asked]) -> anyhow::Result<()> {
    tell_idle(figures, case, &seen.iter().map(|one| one.idle).collect::<Vec<_>>())?;
    if seen.is_empty() {
        return Ok(());
    }
    tell_median(figures, (case, "CPU", "ms"), seen, |one| one.cpu)?;
    tell_median(figures, (case, "wake-ups", "times"), seen, |one| one.wake_ups)?;
    tell_median(figures, (case, "resident at most", "MiB"), seen, |one| count(one.peak_kib) / 1024.0)?;
    tell_bytes(figures, case, &seen.iter().map(|one| one.bytes).collect::<Vec<_>>())
}

fn sum(passed: &[Passed]) -> Passed {
    let all = passed.iter();
    Passed { up: all.clone().map(|one| one.up).sum(), down: all.map(|one| one.down).sum() }
}
