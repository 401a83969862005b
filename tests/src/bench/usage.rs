//! What a process used, read from /proc; on which core it runs.

use std::{
    fs,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::Context as _;

/// The length of a tick in /proc/PID/stat: USER_HZ is 100 on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// Processor time of a process so far, all threads, ended ones included; exact to a tick.
pub fn cpu(pid: u32) -> anyhow::Result<Duration> {
    Ok(TICK * ticks(pid, 2)?)
}

/// The same, with that of the processes which it started and waited for.
pub fn cpu_with_children(pid: u32) -> anyhow::Result<Duration> {
    Ok(TICK * ticks(pid, 4)?)
}

/// The sum of the first `fields` of utime, stime, cutime and cstime in /proc/PID/stat.
fn ticks(pid: u32, fields: usize) -> anyhow::Result<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the process has ended")?;
    // The name in parentheses may hold anything.
    let (_, rest) = stat.rsplit_once(')').context("/proc/PID/stat")?;
    let numbers = rest.split_whitespace().skip(11).take(fields);
    numbers.map(|number| number.parse::<u32>().context("/proc/PID/stat")).sum()
}

/// Processor time of the present threads of a process, exact to the nanosecond.
pub fn cpu_of_threads(pid: u32) -> anyhow::Result<Duration> {
    let nanos = |text: &String| text.split_whitespace().next().and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    Ok(Duration::from_nanos(of_threads(pid, "schedstat")?.iter().map(nanos).sum()))
}

/// A file of /proc of each thread of a process. A thread may end between the list of them and its turn.
fn of_threads(pid: u32, file: &str) -> anyhow::Result<Vec<String>> {
    let mut texts = Vec::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task")).context("the process has ended")? {
        texts.extend(fs::read_to_string(thread?.path().join(file)).ok());
    }
    Ok(texts)
}

/// Voluntary context switches of all threads: how often something woke it.
pub fn wake_ups(pid: u32) -> anyhow::Result<u64> {
    of_threads(pid, "status")?.iter().map(|text| field(text, "voluntary_ctxt_switches")).sum()
}

/// A number in /proc/PID/status, such as `VmRSS` (KiB) or `Threads`.
pub fn status(pid: u32, name: &str) -> anyhow::Result<u64> {
    field(&fs::read_to_string(format!("/proc/{pid}/status")).context("the process has ended")?, name)
}

fn field(status: &str, name: &str) -> anyhow::Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next()).and_then(|word| word.parse().ok());
    number.with_context(|| format!("{name} in /proc/PID/status"))
}

/// `command`, held to one core from its start, where the machine has more than one and util-linux is there.
pub fn on_core(core: usize, command: &Command) -> Command {
    if !can_pin() {
        return copy(command, Command::new(command.get_program()));
    }
    let mut pinned = Command::new("taskset");
    pinned.arg("-c").arg(core.to_string()).arg(command.get_program());
    copy(command, pinned)
}

/// Holds this process's present threads, and those they start, to one core; whether that worked.
pub fn stay_on_core(core: usize) -> bool {
    let own = std::process::id().to_string();
    can_pin() && taskset(&["-a", "-p", "-c", &core.to_string(), &own])
}

fn can_pin() -> bool {
    std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) || taskset(&["-p", "1"])
}

fn taskset(arguments: &[&str]) -> bool {
    let status = Command::new("taskset").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn copy(from: &Command, mut to: Command) -> Command {
    to.args(from.get_args());
    for (name, value) in from.get_envs() {
        match value {
            Some(value) => to.env(name, value),
            None => to.env_remove(name),
        };
    }
    to
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// A process of its own: the threads of this one come and go with the other tests, and take their time with them.
    #[test]
    fn a_busy_process_is_seen_to_work() {
        let mut busy = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let (pid, begun) = (busy.id(), std::time::Instant::now());
        let before = cpu_of_threads(pid).unwrap();
        while cpu(pid).unwrap() == Duration::ZERO && begun.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(TICK);
        }
        assert!(cpu_of_threads(pid).unwrap() > before);
        assert!(cpu(pid).unwrap() > Duration::ZERO);
        assert!(status(pid, "VmRSS").unwrap() > 100);
        assert_eq!(status(pid, "Threads").unwrap(), 1);
        busy.kill().unwrap();
        busy.wait().unwrap();
    }
}
