//! Runs a foreign program for its answer: it gets a time limit, its answer a size limit, and it is killed when this agent
//! stops. What its exit status means is for who asks.
//!
//! One that hangs in a driver outlives being killed, and on Windows it keeps a thread of this process for as long. It is
//! not started once more beside itself: a bad drive costs its own answer, not the laptop its way back. A packaged probe knows
//! of one question alone: there `reader` puts the next one a day later.

use std::{
    io,
    process::Stdio,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cartable_common::report::UnreadReason;
use tokio::{
    io::AsyncReadExt as _,
    process::{Child, Command},
    time::timeout,
};

/// How long a killed program may take to end before it counts as one that hangs. It takes a few milliseconds.
const ENDS_WITHIN: Duration = Duration::from_secs(2);

/// The programs of this process that hang.
static HANGING: Hanging = Hanging(Mutex::new(Vec::new()));

/// Programs that were killed and have not ended, each with the command that started it.
#[derive(Debug)]
struct Hanging(Mutex<Vec<(String, Child)>>);

/// Why a program gave no answer, in words that follow its name.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("is not installed")]
    Missing,
    #[error("may not be run")]
    Forbidden,
    #[error("failed: {0}")]
    Broken(#[from] io::Error),
    #[error("gave too long an answer")]
    TooLong,
    #[error("did not answer in time")]
    TimedOut,
    #[error("still hangs since it was asked before")]
    Hangs,
}

impl NoAnswer {
    pub(super) const fn reason(&self) -> UnreadReason {
        match self {
            Self::Missing => UnreadReason::ToolMissing,
            Self::Forbidden => UnreadReason::PermissionDenied,
            Self::Broken(_) => UnreadReason::ToolFailed,
            Self::TooLong => UnreadReason::Malformed,
            Self::TimedOut | Self::Hangs => UnreadReason::TimedOut,
        }
    }

    fn not_started(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            Self::Missing
        } else if error.kind() == io::ErrorKind::PermissionDenied {
            Self::Forbidden
        } else {
            Self::Broken(error)
        }
    }
}

/// What `command` writes to its standard output, at most `largest` bytes.
pub(super) async fn answer(command: &mut Command, limit: Duration, largest: u64) -> Result<Vec<u8>, NoAnswer> {
    let mut answer = Vec::new();
    HANGING.read(command, limit, largest, &mut answer).await.map(|()| answer)
}

/// The same for a program of which also counts what came before it failed; that is in `answer` then.
#[cfg(windows)]
pub(super) async fn read(
    command: &mut Command,
    limit: Duration,
    largest: u64,
    answer: &mut Vec<u8>,
) -> Result<(), NoAnswer> {
    HANGING.read(command, limit, largest, answer).await
}

impl Hanging {
    async fn read(
        &self,
        command: &mut Command,
        limit: Duration,
        largest: u64,
        answer: &mut Vec<u8>,
    ) -> Result<(), NoAnswer> {
        let words = format!("{:?}", command.as_std());
        if self.has(&words) {
            return Err(NoAnswer::Hangs);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().map_err(NoAnswer::not_started)?;
        let reading = async {
            if let Some(output) = child.stdout.take() {
                output.take(largest + 1).read_to_end(answer).await?;
            }
            if answer.len() as u64 > largest {
                return Err(NoAnswer::TooLong);
            }
            child.wait().await?;
            Ok(())
        };
        let read = timeout(limit, reading).await.unwrap_or(Err(NoAnswer::TimedOut));
        if read.is_err() {
            self.end(words, child).await;
        }
        read
    }

    /// Kills the program, and remembers it if it does not end.
    async fn end(&self, words: String, mut child: Child) {
        // One that ended by itself cannot be killed, and does not hang.
        let _ = child.start_kill();
        if timeout(ENDS_WITHIN, child.wait()).await.is_err() {
            tracing::warn!("a program that was asked about the hardware hangs; it is not started again before it ends");
            self.programs().push((words, child));
        }
    }

    /// Whether the program that this command started hangs; what has ended meanwhile is forgotten.
    fn has(&self, words: &str) -> bool {
        let mut programs = self.programs();
        programs.retain_mut(|(_, child)| matches!(child.try_wait(), Ok(None)));
        programs.iter().any(|(started, _)| started == words)
    }

    fn programs(&self) -> MutexGuard<'_, Vec<(String, Child)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn echo(word: &str) -> Command {
        let mut command = Command::new("echo");
        command.arg(word);
        command
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_not_started_beside_itself_and_silences_no_other() {
        let hanging = Hanging(Mutex::default());
        let read = async |command: &mut Command| {
            let mut answer = Vec::new();
            hanging.read(command, Duration::from_secs(20), 100, &mut answer).await.map(|()| answer)
        };
        // Only a driver can make one outlive its end: this one merely has not been killed.
        let stuck = Command::new("sleep").arg("600").kill_on_drop(true).spawn().unwrap();
        hanging.programs().push((format!("{:?}", echo("a").as_std()), stuck));
        assert!(matches!(read(&mut echo("a")).await, Err(NoAnswer::Hangs)));
        assert_eq!(read(&mut echo("b")).await.unwrap(), b"b\n");

        let (words, stuck) = hanging.programs().pop().unwrap();
        hanging.end(words, stuck).await;
        assert!(hanging.programs().is_empty(), "one that can be killed does not hang");
        assert_eq!(read(&mut echo("a")).await.unwrap(), b"a\n");
    }

    #[tokio::test]
    async fn what_came_before_the_limit_is_there_and_the_program_is_not() {
        let hanging = Hanging(Mutex::default());
        let mut answer = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$; exec sleep 600"]);
        let read = hanging.read(&mut command, Duration::from_secs(1), 100, &mut answer).await;
        assert!(matches!(read, Err(NoAnswer::TimedOut)), "{read:?}");
        let process = String::from_utf8(answer).unwrap();
        assert!(!std::path::Path::new("/proc").join(process.trim()).exists(), "{process} runs on");
        assert!(hanging.programs().is_empty());
    }
}
