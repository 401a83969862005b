//! A child process whose output is kept, and which never outlives its owner.

use std::{
    collections::VecDeque,
    io::{BufRead as _, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

/// Lines of output that are kept for a failure's message.
const KEPT_LINES: usize = 400;

/// How long a process may take to end after it was asked to.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// A running child. Dropped, it is killed and reaped; while a panic unwinds, its last output is printed first.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    child: Child,
    log: Log,
    stdout: mpsc::Receiver<String>,
}

/// The last lines that a process wrote to standard error, shared with the threads that read them.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<VecDeque<String>>>);

impl Log {
    fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The lines kept so far, as one text.
    pub fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

impl Process {
    /// Starts `command`; its output is read by threads that end with it.
    pub fn start(name: &'static str, command: &mut Command) -> anyhow::Result<Self> {
        // Ctrl-C in a terminal reaches a whole process group; only the owner decides when its children stop.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{name} could not be started"))?;
        let log = Log::default();
        let (sender, stdout) = mpsc::channel();
        if let Some(pipe) = child.stdout.take() {
            read_lines(pipe, move |line| drop(sender.send(line)));
        }
        if let Some(pipe) = child.stderr.take() {
            let log = log.clone();
            read_lines(pipe, move |line| log.push(line));
        }
        Ok(Self { name, child, log, stdout })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to standard error.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// The next line on its standard output, waiting at most `patience`.
    pub fn line(&mut self, patience: Duration) -> anyhow::Result<String> {
        match self.stdout.recv_timeout(patience) {
            Ok(line) => Ok(line),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                bail!("{} wrote nothing in {patience:?}:\n{}", self.name, self.log.text())
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                // The last words may still be on their way through the other thread.
                std::thread::sleep(Duration::from_millis(100));
                let status = self.child.wait().map(|status| status.to_string()).unwrap_or_default();
                bail!("{} ended ({status}):\n{}", self.name, self.log.text())
            }
        }
    }

    /// The lines that are left on its standard output once it has ended.
    pub fn remaining_lines(&mut self) -> Vec<String> {
        self.stdout.iter().collect()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it at once, as a power cut would (SIGKILL), and reaps it.
    pub fn kill(&mut self) {
        // Both fail only where it has already ended and was reaped.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Asks it to end (SIGTERM) and waits; killed where it does not.
    pub fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        self.signal(rustix::process::Signal::TERM)
    }

    /// Sends `signal` and waits for the end; killed where it does not come.
    pub fn signal(&mut self, signal: rustix::process::Signal) -> anyhow::Result<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        if let Some(pid) = rustix::process::Pid::from_raw(i32::try_from(self.child.id())?) {
            rustix::process::kill_process(pid, signal)
                .with_context(|| format!("{} could not be signalled", self.name))?;
        }
        let patience = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < patience {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.kill();
        bail!("{} did not end {STOP_TIMEOUT:?} after being asked to:\n{}", self.name, self.log.text())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- last words of {}:\n{}---", self.name, self.log.text());
        }
        self.kill();
    }
}

fn read_lines(pipe: impl Read + Send + 'static, mut take: impl FnMut(String) + Send + 'static) {
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            take(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
    });
}

/// Runs `command` to its end, gives it `input`, and returns its standard output; its words are in the error.
pub fn run_with_input(command: &mut Command, input: &str) -> anyhow::Result<String> {
    use std::io::Write as _;
    // Without its environment, which holds keys.
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    let shown = [command.get_program().to_string_lossy()].into_iter().chain(arguments).collect::<Vec<_>>().join(" ");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{shown} could not be started"))?;
    if let Some(mut pipe) = child.stdin.take() {
        // A program that reads nothing closes the pipe early.
        drop(pipe.write_all(input.as_bytes()));
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("{shown} failed ({}):\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_process_is_gone() {
        let process = Process::start("sleep", Command::new("sleep").arg("600")).unwrap();
        let pid = rustix::process::Pid::from_raw(i32::try_from(process.pid()).unwrap()).unwrap();
        rustix::process::test_kill_process(pid).unwrap();
        drop(process);
        assert!(rustix::process::test_kill_process(pid).is_err());
    }

    #[test]
    fn an_early_end_is_told_with_its_words() {
        let mut process = Process::start("sh", Command::new("sh").args(["-c", "echo broken >&2; exit 3"])).unwrap();
        let error = process.line(Duration::from_secs(10)).unwrap_err().to_string();
        assert!(error.contains("broken") && error.contains('3'), "{error}");
    }
}
