//! What systemd is to the packaged agent: for each question at the probe's socket it starts a process of the program, which
//! answers and ends (packaging/linux/cartable-agent-probe.socket and cartable-agent-probe@.service). What these processes
//! use is counted.

use std::{
    os::{
        fd::OwnedFd,
        unix::net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::ensure;
use cartable_tests::bench::usage;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

/// How often the memory of a probe is looked at, which ends after some milliseconds.
const LOOK_EVERY: Duration = Duration::from_micros(200);

/// What an agent's probes used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    /// How many there were.
    pub(super) probes: u64,
    /// Their processor time, without that of the programs that they started (smartctl).
    pub(super) cpu: Duration,
    /// How often something woke them.
    pub(super) wake_ups: u64,
    /// The largest memory of one of them, in KiB.
    pub(super) peak_kib: u64,
}

impl Spent {
    fn and(self, other: Self) -> Self {
        Self {
            probes: self.probes + other.probes,
            cpu: self.cpu + other.cpu,
            wake_ups: self.wake_ups + other.wake_ups,
            peak_kib: self.peak_kib.max(other.peak_kib),
        }
    }

    /// What was used after `before`; the largest memory is that of all time.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            probes: self.probes - before.probes,
            cpu: self.cpu.saturating_sub(before.cpu),
            wake_ups: self.wake_ups - before.wake_ups,
            peak_kib: self.peak_kib,
        }
    }
}

/// An agent's socket for questions; it ends with this program.
pub(super) struct Probe {
    /// Where it lies.
    pub(super) socket: PathBuf,
    spent: Arc<Mutex<Spent>>,
}

impl Probe {
    /// Listens at `socket`; each question is answered by what `command` makes.
    pub(super) fn start(socket: &Path, command: impl Fn() -> Command + Send + 'static) -> anyhow::Result<Self> {
        let listener = UnixListener::bind(socket)?;
        let probe = Self { socket: socket.to_owned(), spent: Arc::default() };
        let spent = Arc::clone(&probe.spent);
        // One after the other, as an agent asks.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                match answer(command(), stream) {
                    Ok(one) => {
                        let mut spent = spent.lock().unwrap_or_else(PoisonError::into_inner);
                        *spent = spent.and(one);
                    }
                    Err(error) => eprintln!("a probe failed: {error:#}"),
                }
            }
        });
        Ok(probe)
    }

    /// What its processes used so far.
    pub(super) fn spent(&self) -> Spent {
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One question, by a process of its own.
fn answer(command: Command, stream: UnixStream) -> anyhow::Result<Spent> {
    let mut child = spawn(command, stream)?;
    let (pid, mut peak_kib) = (child.id(), 0);
    while let Ok(now) = usage::status(pid, "VmHWM") {
        peak_kib = peak_kib.max(now);
        std::thread::sleep(LOOK_EVERY);
    }
    // Ended but not yet waited for, it has no memory any more; what else it used can still be read.
    waitid(WaitId::Pid(Pid::from_child(&child)), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
    let (cpu, wake_ups) = (usage::cpu_of_threads(pid)?, usage::wake_ups(pid)?);
    let status = child.wait()?;
    ensure!(status.success(), "it ended with {status}");
    Ok(Spent { probes: 1, cpu, wake_ups, peak_kib })
}

/// Starts it with the connection as its input and output. This process's ends of it go with `command`.
fn spawn(mut command: Command, stream: UnixStream) -> std::io::Result<Child> {
    let input = OwnedFd::from(stream.try_clone()?);
    command.stdin(input).stdout(OwnedFd::from(stream)).spawn()
}
