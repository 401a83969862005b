//! Runs a foreign program for its answer: it gets a time limit, its answer a size limit, and it is killed when this agent
//! stops. What its exit status means is for who asks.

use std::{io, process::Stdio, time::Duration};

use cartable_common::report::UnreadReason;
use tokio::{io::AsyncReadExt as _, process::Command, time::timeout};

/// Why a program gave no answer, in words that follow its name.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("is not installed")]
    Missing,
    #[error("may not be run")]
    Forbidden,
    #[error("failed: {0}")]
    Broken(io::Error),
    #[error("gave too long an answer")]
    TooLong,
    #[error("did not answer in time")]
    TimedOut,
}

impl NoAnswer {
    pub(super) const fn reason(&self) -> UnreadReason {
        match self {
            Self::Missing => UnreadReason::ToolMissing,
            Self::Forbidden => UnreadReason::PermissionDenied,
            Self::Broken(_) => UnreadReason::ToolFailed,
            Self::TooLong => UnreadReason::Malformed,
            Self::TimedOut => UnreadReason::TimedOut,
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
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().map_err(NoAnswer::not_started)?;
    let mut answer = Vec::new();
    let reading = async {
        if let Some(output) = child.stdout.take() {
            output.take(largest + 1).read_to_end(&mut answer).await?;
        }
        if answer.len() as u64 > largest {
            return Ok(());
        }
        child.wait().await.map(|_| ())
    };
    match timeout(limit, reading).await {
        Err(_) => Err(NoAnswer::TimedOut),
        Ok(Err(error)) => Err(NoAnswer::Broken(error)),
        Ok(Ok(())) if answer.len() as u64 > largest => Err(NoAnswer::TooLong),
        Ok(Ok(())) => Ok(answer),
    }
}
