//! Takes in check-ins: many at once in one unit of work, each answered only after it is durable.
//!
//! One task per process writes. While one unit of work is on its way to the disk, arriving check-ins wait in a bounded
//! queue; then all of them (up to a limit) make the next. Nothing lingers, so a lone check-in waits for nobody, and
//! under load the cost of a commit is shared by hundreds. A full queue answers [`IngestError::Busy`] at once.

mod batch;
pub(crate) mod brought;
mod current;
mod prepare;
mod reports;
mod state;
mod stranger;
mod takeover;
mod writer;

use std::sync::Arc;

use cartable_common::{
    ContentHash, DeviceId, EnrolmentId, ReportId, UtcMillis,
    protocol::{CheckInRequest, RefusedReport},
};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    prepare::Prepared,
    writer::{Job, Writer},
};
use super::{Store, StoreError};
use crate::domain::{device::DeviceStatus, policy::LivePolicy};

/// Check-ins that may wait: a second's worth at full speed. More would only make each wait longer than agents do.
const QUEUE: usize = 8_192;
/// KiB of reports that may wait in memory, whatever their number.
const QUEUE_KIB: usize = 64 * 1024;

/// One authenticated contact. The gateway vouches for the identifiers: they come from the certificate.
#[derive(Clone, Debug)]
pub struct CheckIn {
    /// The device that speaks.
    pub device_id: DeviceId,
    /// The enrolment whose key it proved.
    pub enrolment_id: EnrolmentId,
    /// When its request arrived.
    pub received_at: UtcMillis,
    /// What it said.
    pub request: CheckInRequest,
}

/// What is durable once a check-in is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Reports that are stored, now or before.
    pub acknowledged: Vec<ReportId>,
    /// Reports that will never be stored.
    pub refused: Vec<RefusedReport>,
    /// The content that is held for the device.
    pub content_hash: Option<ContentHash>,
}

/// Why a check-in was not taken in. Nothing of it is stored, unless said otherwise: the agent repeats it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// Too many wait already: try again shortly.
    #[error("too many check-ins wait already; try again in a few seconds")]
    Busy,
    /// The device or its enrolment is not in service (any more).
    #[error("the device is not in service ({})", .0.map_or("unknown", DeviceStatus::as_str))]
    NotInService(Option<DeviceStatus>),
    /// The machine is not the one that its key is bound to, and the key is set aside.
    #[error("this key is bound to another machine")]
    KeyCloned,
    /// The database cannot store anything now. It may have stored this check-in without being able to say so.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The database refuses this very check-in, which points to a fault of this program.
    #[error("this check-in cannot be stored: {0}")]
    Unstorable(String),
}

/// Takes in check-ins. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ingest {
    queue: mpsc::Sender<Job>,
    room: Arc<Semaphore>,
    policy: LivePolicy,
}

impl Ingest {
    /// Starts the writing task in `tracker`. Once `shutdown` is cancelled it takes no more, writes what waits and ends.
    pub fn start(store: Store, policy: LivePolicy, tracker: &TaskTracker, shutdown: CancellationToken) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tracker.spawn(Writer::new(store, policy.clone()).run(waiting, shutdown));
        Self { queue, room: Arc::new(Semaphore::new(QUEUE_KIB)), policy }
    }

    /// Stores a check-in; returns when it is durable.
    pub async fn check_in(&self, check_in: CheckIn) -> Result<Receipt, IngestError> {
        // Hashing and judging reports happens here, on the task of the request, not on the one that writes.
        let prepared = Prepared::new(check_in, &self.policy);
        let kib = u32::try_from(prepared.bytes() / 1024 + 1).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).try_acquire_many_owned(kib).map_err(|_| IngestError::Busy)?;
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Job { prepared, answer, _room: room }).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => IngestError::Busy,
            mpsc::error::TrySendError::Closed(_) => IngestError::Unavailable("the server is stopping".to_owned()),
        })?;
        answered.await.unwrap_or_else(|_| Err(IngestError::Unavailable("the server is stopping".to_owned())))
    }
}

impl From<&StoreError> for IngestError {
    fn from(error: &StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use cartable_common::Text;
    use futures_util::future::join_all;
    use uuid::Uuid;

    use super::*;

    fn check_in() -> CheckIn {
        let now = UtcMillis::new(1_795_521_600_000).unwrap();
        let request = CheckInRequest::bare(Text::clean("0"), now);
        let (device_id, enrolment_id) = (DeviceId(Uuid::nil()), EnrolmentId(Uuid::nil()));
        CheckIn { device_id, enrolment_id, received_at: now, request }
    }

    #[tokio::test]
    async fn a_full_queue_answers_at_once_and_takes_more_once_it_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}", directory.path().join("t.db").display())).await.unwrap();
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let ingest = Ingest::start(store, LivePolicy::new(crate::domain::policy::Policy::default()), &tracker, stop);
        // On one thread, all of them arrive before the writer has its turn.
        let answers = join_all((0..QUEUE + 50).map(|_| ingest.check_in(check_in()))).await;
        let busy = answers.iter().filter(|answer| **answer == Err(IngestError::Busy)).count();
        assert_eq!(busy, 50);
        let unknown = Err(IngestError::NotInService(None));
        assert_eq!(answers.iter().filter(|answer| **answer == unknown).count(), QUEUE);
        assert_eq!(ingest.check_in(check_in()).await, unknown);
    }
}
