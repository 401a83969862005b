//! Reads what another system's agent wrote of its machine: beside the threads that serve requests, one at a time.

use tokio::sync::Semaphore;

use crate::domain::reading::{self, Reading, Unreadable};

/// Files that are read at once: one that is made for it takes a core for a second, and more than 100 MiB of memory.
const READ_AT_ONCE: usize = 1;
static READING: Semaphore = Semaphore::const_new(READ_AT_ONCE);

/// Why nothing is said of a file: reading it failed, and not by the file's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("reading an inventory failed: {0}")]
pub struct ReadFailed(String);

/// What `file` tells. The turn belongs to the work, which goes on when nobody waits for it any more.
pub async fn read_in_turn<F>(file: F) -> Result<Result<Reading, Unreadable>, ReadFailed>
where
    F: AsRef<[u8]> + Send + 'static,
{
    let turn = READING.acquire().await.map_err(|error| ReadFailed(error.to_string()))?;
    let reading = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        reading::read(file.as_ref())
    });
    reading.await.map_err(|error| ReadFailed(error.to_string()))
}
