//! The agent's program under strace, for what no test can do to it from outside: its waits made short, its death at one
//! exact step, a disk that is full from one step on. Nothing of it is in the program.
//!
//! A step is a system call by which the agent changes its files or speaks. What happens to it is the same in each run,
//! whatever the machine's load: a kill comes before the call, so that the kill at the next step is the one after it.

use std::{
    collections::BTreeMap,
    fmt,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Command, ExitStatus, Output},
};

use anyhow::{Context as _, bail, ensure};

/// The calls by which the agent changes its files or speaks.
const CALLS: [&str; 9] = ["mkdir", "flock", "write", "fsync", "rename", "unlink", "connect", "writev", "recvfrom"];

/// Those of them that come the same in each run: how often the others do depends on how packets fall.
const FILE_CALLS: [&str; 5] = ["mkdir", "flock", "fsync", "rename", "unlink"];

/// The calls that a full disk fails: the first is made only for files.
const DISK_CALLS: [&str; 2] = ["fsync", "rename"];

/// Every wait of the agent's own (timerfd) becomes 20 ms: a `struct itimerspec` without an interval, as the kernel reads
/// it on a little-endian machine of 64 bits.
const SHORT_WAITS: &str =
    "inject=timerfd_settime:poke_enter=@arg3=000000000000000000000000000000000000000000000000002d310100000000";

/// The n-th call of a kind, of one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    call: &'static str,
    number: usize,
}

impl Step {
    /// Whether it makes something durable: what a full disk may fail.
    pub fn is_durable_write(self) -> bool {
        self.call == DISK_CALLS[0]
    }

    /// Whether it changes files, and so comes in each run: of words to the server there may be fewer.
    pub fn changes_files(self) -> bool {
        FILE_CALLS.contains(&self.call)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.call, self.number)
    }
}

/// The steps of `command`, which runs to its end once, and how it ended.
pub fn steps(command: &Command) -> anyhow::Result<(Vec<Step>, Output)> {
    let folder = tempfile::tempdir()?;
    let trace = folder.path().join("trace");
    let output = run(&mut under(command, &trace, &[format!("trace={}", CALLS.join(","))]))?;
    let trace = std::fs::read_to_string(trace).context("what strace wrote")?;
    let of = |call| (1..=most_made(&trace, call)).map(move |number| Step { call, number });
    let steps: Vec<Step> = CALLS.into_iter().flat_map(of).collect();
    if steps.is_empty() {
        bail!("strace saw nothing of {command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok((steps, output))
}

/// Runs `command` and kills it (SIGKILL) at `step`. Whether it was: a call that depends on how packets fall may not come.
/// That a call came and did not end it is an error.
pub fn killed_at(command: &Command, step: Step) -> anyhow::Result<bool> {
    let Step { call, number } = step;
    let folder = tempfile::tempdir()?;
    let trace = folder.path().join("trace");
    let injected = format!("inject={call}:signal=KILL:when={number}");
    let output = run(&mut under(command, &trace, &[format!("trace={call}"), injected]))?;
    if is_killed(output.status) {
        return Ok(true);
    }
    let made = most_made(&std::fs::read_to_string(trace).context("what strace wrote")?, call);
    ensure!(made < number, "{call} was made {made} times, and {step} killed nobody: {}", output.status);
    Ok(false)
}

/// How often one thread made `call` at most in what strace wrote: it counts each thread's calls apart, also to inject.
fn most_made(trace: &str, call: &str) -> usize {
    let begins = format!("{call}(");
    let mut made: BTreeMap<&str, usize> = BTreeMap::new();
    // "4711 fsync(11) = 0"
    for (thread, rest) in trace.lines().filter_map(|line| line.split_once(' ')) {
        if rest.trim_start().starts_with(&begins) {
            *made.entry(thread).or_default() += 1;
        }
    }
    made.into_values().max().unwrap_or_default()
}

/// Runs `command` on a disk that is full from its n-th durable write on; gives its end, and what it said.
pub fn full_from(command: &Command, number: usize) -> anyhow::Result<Output> {
    let calls = DISK_CALLS.join(",");
    let injected = DISK_CALLS.map(|call| format!("inject={call}:error=ENOSPC:when={number}+"));
    let options: Vec<String> = [format!("trace={calls}")].into_iter().chain(injected).collect();
    run(&mut under(command, Path::new("/dev/null"), &options))
}

/// `command` with waits of 20 ms. It dies with strace, however that ends.
pub fn hurried(command: &Command) -> Command {
    let options = ["trace=timerfd_settime".to_owned(), SHORT_WAITS.to_owned()];
    under_wrapped(command, Path::new("/dev/null"), &options, &["setpriv", "--pdeathsig", "KILL"])
}

/// strace ends as the program did.
fn is_killed(status: ExitStatus) -> bool {
    status.signal() == Some(9) || status.code() == Some(128 + 9)
}

fn run(command: &mut Command) -> anyhow::Result<Output> {
    command.output().context("strace could not be started: install it (tests/run does)")
}

fn under(command: &Command, trace: &Path, options: &[String]) -> Command {
    under_wrapped(command, trace, options, &[])
}

/// `strace OPTIONS WRAPPER… COMMAND`, with the command's environment.
fn under_wrapped(command: &Command, trace: &Path, options: &[String], wrapper: &[&str]) -> Command {
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qq", "-o"]).arg(trace);
    for option in options {
        traced.arg("-e").arg(option);
    }
    traced.args(wrapper).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => traced.env(name, value),
            None => traced.env_remove(name),
        };
    }
    traced
}
