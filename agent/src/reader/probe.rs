//! Asks the probe: one line to its socket, one line back.
//!
//! Its line feed ends the answer, not the end of the socket: systemd holds that open until the last process of the probe's
//! unit is gone, and a program that hangs in a drive's driver does not go.

use std::path::Path;
#[cfg(target_os = "linux")]
use std::time::Duration;

use cartable_common::report::{Subject, Unread, UnreadReason};
use serde::de::DeserializeOwned;

use crate::collect;

/// Largest answer of a probe: ten times a report with sixteen drives.
#[cfg(target_os = "linux")]
const ANSWER_LIMIT: usize = 1024 * 1024;

/// Longest wait for a probe: sixteen drives of twenty seconds, and its start.
#[cfg(target_os = "linux")]
const PROBE_LIMIT: Duration = Duration::from_mins(6);

/// A question that the probe did not answer.
#[derive(Debug, thiserror::Error)]
#[error(
    "the probe did not answer ({words}); see: systemctl status cartable-agent-probe.socket, journalctl -u 'cartable-agent-probe@*'"
)]
pub struct ReadError {
    reason: UnreadReason,
    words: String,
}

impl ReadError {
    pub(super) fn new(reason: UnreadReason, words: impl Into<String>) -> Self {
        Self { reason, words: words.into() }
    }

    /// What a report says of the drives that were asked in vain. Always in the same words, for they are part of its content;
    /// the system's own are for the log.
    pub(super) fn of_drives(&self) -> Unread {
        collect::unread(Subject::DriveHealth, self.reason, "the probe did not answer")
    }
}

impl From<std::io::Error> for ReadError {
    fn from(error: std::io::Error) -> Self {
        Self::new(UnreadReason::ToolFailed, error.to_string())
    }
}

#[cfg(target_os = "linux")]
pub(super) async fn ask<T: DeserializeOwned>(socket: &Path, question: &str) -> Result<T, ReadError> {
    ask_within(PROBE_LIMIT, socket, question).await
}

#[cfg(target_os = "linux")]
async fn ask_within<T: DeserializeOwned>(limit: Duration, socket: &Path, question: &str) -> Result<T, ReadError> {
    let answer = tokio::time::timeout(limit, exchange(socket, question)).await;
    let answer = answer.map_err(|_| ReadError::new(UnreadReason::TimedOut, "too slow"))??;
    serde_json::from_slice(&answer).map_err(|error| ReadError::new(UnreadReason::Malformed, error.to_string()))
}

/// Connecting and writing a line to a local socket do not wait; the answer does. (A socket of tokio's own would be a
/// hundredth of the program.)
#[cfg(target_os = "linux")]
async fn exchange(socket: &Path, question: &str) -> Result<Vec<u8>, ReadError> {
    use std::io::{ErrorKind, Read as _, Write as _};

    let mut stream = std::os::unix::net::UnixStream::connect(socket)?;
    stream.write_all(format!("{question}\n").as_bytes())?;
    stream.set_nonblocking(true)?;
    let watched = crate::sleep::watched(stream.try_clone()?.into())?;
    let (mut answer, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return Err(ReadError::new(UnreadReason::ToolFailed, "it ended before its answer did")),
            Ok(length) => answer.extend_from_slice(piece.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => watched.readable().await?.clear_ready(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
        if answer.len() > ANSWER_LIMIT {
            return Err(ReadError::new(UnreadReason::Malformed, "its answer is too long"));
        }
        if answer.ends_with(b"\n") {
            return Ok(answer);
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) async fn ask<T: DeserializeOwned>(_: &Path, _: &str) -> Result<T, ReadError> {
    Err(ReadError::new(UnreadReason::Unsupported, "there are no probes on this system"))
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{BufRead as _, BufReader, Write as _},
        os::unix::net::UnixListener,
    };

    /// What a probe does once it has written what it has to say.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Then {
        /// It ends, and its socket with it.
        Ends,
        /// Its socket stays open: a process that it started hangs, or it does so itself.
        Stays,
    }

    /// What is heard within `limit` from a probe that writes `words`.
    async fn heard(words: &[u8], then: Then, limit: Duration) -> Result<Vec<u32>, ReadError> {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("probe");
        let listener = UnixListener::bind(&socket).unwrap();
        let words = words.to_vec();
        let probe = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut question = String::new();
            BufReader::new(&stream).read_line(&mut question).unwrap();
            assert_eq!(question, "facts\n");
            // Who hears too much leaves in the middle.
            let _ = stream.write_all(&words);
            (then == Then::Stays).then_some(stream)
        });
        let heard = ask_within(limit, &socket, "facts").await;
        // Until here the thread's result, and with it the socket, is kept.
        probe.join().unwrap();
        heard
    }

    /// Why nothing is heard.
    async fn reason(words: &[u8], then: Then, limit: Duration) -> Result<Vec<u32>, UnreadReason> {
        heard(words, then, limit).await.map_err(|error| error.reason)
    }

    #[tokio::test]
    async fn an_answer_is_whole_with_its_line_and_its_socket_may_stay_open() {
        let limit = Duration::from_mins(1);
        for then in [Then::Stays, Then::Ends] {
            assert_eq!(heard(b"[1,2]\n", then, limit).await.unwrap(), [1, 2]);
        }
        let long = serde_json::to_string(&vec![1_u32; 100_000]).unwrap() + "\n";
        assert_eq!(heard(long.as_bytes(), Then::Stays, limit).await.unwrap().len(), 100_000);
    }

    #[tokio::test]
    async fn each_way_of_not_answering_has_its_reason() {
        let (short, long) = (Duration::from_millis(200), Duration::from_mins(1));
        assert_eq!(reason(b"", Then::Stays, short).await, Err(UnreadReason::TimedOut));
        assert_eq!(reason(b"[1,2]", Then::Stays, short).await, Err(UnreadReason::TimedOut), "half a line");
        assert_eq!(reason(b"", Then::Ends, long).await, Err(UnreadReason::ToolFailed));
        assert_eq!(reason(b"[1,2]", Then::Ends, long).await, Err(UnreadReason::ToolFailed), "half a line");
        assert_eq!(reason(b"smartctl\n", Then::Stays, long).await, Err(UnreadReason::Malformed));
        let endless = vec![b' '; ANSWER_LIMIT + 1];
        assert_eq!(reason(&endless, Then::Stays, long).await, Err(UnreadReason::Malformed));
    }
}
