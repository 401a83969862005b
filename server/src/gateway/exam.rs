//! The exams that answers to check-ins heed, held in memory: reading them for each check-in would cost a statement.
//!
//! They are read again by the first check-in that finds them old, so that a port that nobody asks reads nothing. Each
//! process holds its own: what is ordered or called off is heeded everywhere within [`SEEN_WITHIN_MILLIS`].

use std::sync::Arc;

use cartable_common::UtcMillis;
use tokio::sync::Mutex;

use crate::{
    domain::exam::Exam,
    store::{Store, StoreError, exam},
};

/// How old, in milliseconds, what is held may be.
const SEEN_WITHIN_MILLIS: i64 = 10_000;

/// The exams that are near. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Exams {
    store: Store,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    exams: Arc<[Exam]>,
    read_at: Option<UtcMillis>,
}

impl Held {
    /// Whether it is too old at `now`, or from a moment to come: the clock went back. Check-ins that arrived a little
    /// before the one that read it find it new.
    fn is_old(&self, now: UtcMillis) -> bool {
        self.read_at.is_none_or(|read_at| now.millis_since(read_at).abs() >= SEEN_WITHIN_MILLIS)
    }
}

impl Exams {
    /// None yet.
    pub(super) fn new(store: Store) -> Self {
        Self { store, held: Arc::default() }
    }

    /// Those that an answer given at `now` has to heed. Where the database does not answer, those known before.
    pub(super) async fn near(&self, now: UtcMillis) -> Arc<[Exam]> {
        let mut held = self.held.lock().await;
        if held.is_old(now) {
            match self.read(now).await {
                Ok(exams) => held.exams = exams.into(),
                Err(error) => tracing::warn!(%error, "exams could not be read; those known before are heeded"),
            }
            // A database in trouble is not asked by each check-in either.
            held.read_at = Some(now);
        }
        Arc::clone(&held.exams)
    }

    async fn read(&self, now: UtcMillis) -> Result<Vec<Exam>, StoreError> {
        let mut tx = self.store.read().await?;
        exam::near(&mut tx, now).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_read_again_after_some_seconds_and_when_the_clock_jumps() {
        let at = UtcMillis::default().plus_days(20_000);
        let held = Held { read_at: Some(at), ..Held::default() };
        assert!(Held::default().is_old(at), "nothing was read yet");
        for (millis, is_old) in [(-10_000, true), (-9_999, false), (0, false), (9_999, false), (10_000, true)] {
            assert_eq!(held.is_old(at.plus_millis(millis)), is_old, "{millis}");
        }
    }
}
