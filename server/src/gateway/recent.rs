//! What answers to check-ins heed, held in memory: reading it for each check-in would cost a statement.
//!
//! It is read again by the first check-in that finds it old, so that a port that nobody asks reads nothing; the others are
//! answered meanwhile by what is known. Each process holds its own: what a person changes is heeded everywhere within
//! [`SEEN_WITHIN_MILLIS`].

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cartable_common::UtcMillis;

use crate::store::StoreError;

/// How old, in milliseconds, what is held may be.
const SEEN_WITHIN_MILLIS: i64 = 10_000;
/// How long a check-in waits for its reading: a few rows take a millisecond, and by then its reports are stored, which the
/// laptop should hear without delay.
const READ_LIMIT: Duration = Duration::from_secs(1);
/// For how long, in milliseconds, one that reads keeps the others from it: longer than it can take ([`READ_LIMIT`]). Only
/// that of a laptop that hung up meanwhile is still without an outcome then.
const READS_MILLIS: i64 = 2_000;

/// What is held, for all check-ins of this process. Cheap to clone.
#[derive(Debug)]
pub(super) struct Recent<T> {
    /// For the log.
    what: &'static str,
    held: Arc<Mutex<Held<T>>>,
}

impl<T> Clone for Recent<T> {
    fn clone(&self) -> Self {
        Self { what: self.what, held: Arc::clone(&self.held) }
    }
}

#[derive(Debug)]
struct Held<T> {
    values: Arc<[T]>,
    /// As of when they were read, or could not be.
    read_at: Option<UtcMillis>,
    /// When a check-in last began to read them.
    begun_at: Option<UtcMillis>,
}

impl<T> Held<T> {
    fn nothing() -> Self {
        Self { values: Arc::new([]), read_at: None, begun_at: None }
    }

    /// Whether it is too old at `now`, or from a moment to come: the clock went back. Check-ins that arrived a little
    /// before the one that read it find it new.
    fn is_old(&self, now: UtcMillis) -> bool {
        self.read_at.is_none_or(|read_at| now.millis_since(read_at).abs() >= SEEN_WITHIN_MILLIS)
    }

    /// Whether the check-in at `now` reads, which is noted. Until something was read each does: "none" is no answer.
    fn begin(&mut self, now: UtcMillis) -> bool {
        let is_being_read = self.begun_at.is_some_and(|begun_at| now.millis_since(begun_at).abs() < READS_MILLIS);
        let reads = self.is_old(now) && (self.read_at.is_none() || !is_being_read);
        if reads {
            self.begun_at = Some(now);
        }
        reads
    }
}

impl<T> Recent<T> {
    /// Nothing yet; `what` names it in the log.
    pub(super) fn nothing(what: &'static str) -> Self {
        Self { what, held: Arc::new(Mutex::new(Held::nothing())) }
    }

    fn lock(&self) -> MutexGuard<'_, Held<T>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known, unless the check-in at `now` is the one that reads.
    fn answer(&self, now: UtcMillis) -> Option<Arc<[T]>> {
        let mut held = self.lock();
        if held.begin(now) { None } else { Some(Arc::clone(&held.values)) }
    }

    /// What is known, by `read` where it is old. Nobody holds the lock while somebody reads. Where the database does not
    /// answer, what was known before.
    pub(super) async fn near(
        &self,
        now: UtcMillis,
        read: impl Future<Output = Result<Vec<T>, StoreError>>,
    ) -> Arc<[T]> {
        if let Some(values) = self.answer(now) {
            return values;
        }
        let read = tokio::time::timeout(READ_LIMIT, read).await;
        let mut held = self.lock();
        match read {
            Ok(Ok(values)) => held.values = values.into(),
            Ok(Err(error)) => tracing::warn!(%error, what = self.what, "not read; what was known before is heeded"),
            Err(error) => {
                tracing::warn!(%error, what = self.what, "not read in time; what was known before is heeded");
            }
        }
        // A database in trouble is not asked by each check-in either.
        held.read_at = Some(now);
        Arc::clone(&held.values)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use futures_util::FutureExt as _;

    use super::*;

    fn at(millis: i64) -> UtcMillis {
        UtcMillis::default().plus_days(20_000).plus_millis(millis)
    }

    fn nothing() -> Recent<u8> {
        Recent::nothing("numbers")
    }

    /// What a check-in at `at(millis)` is told without waiting, while the database hangs.
    fn at_once(known: &Recent<u8>, millis: i64) -> Option<Arc<[u8]>> {
        known.near(at(millis), pending()).now_or_never()
    }

    #[test]
    fn what_is_held_is_read_again_after_some_seconds_and_when_the_clock_jumps() {
        let held = Held::<u8> { read_at: Some(at(0)), ..Held::nothing() };
        assert!(Held::<u8>::nothing().is_old(at(0)), "nothing was read yet");
        for (millis, is_old) in [(-10_000, true), (-9_999, false), (0, false), (9_999, false), (10_000, true)] {
            assert_eq!(held.is_old(at(millis)), is_old, "{millis}");
        }
    }

    #[tokio::test]
    async fn a_database_that_hangs_keeps_one_check_in_waiting_and_not_for_long() {
        let known = nothing();
        let told = known.near(at(0), ready(Ok(vec![7]))).await;
        assert_eq!(*told, [7]);
        let mut reader = Box::pin(known.near(at(10_000), pending()));
        assert!(reader.as_mut().now_or_never().is_none(), "it reads");
        assert_eq!(at_once(&known, 10_001).as_deref(), Some([7].as_slice()), "the others go on");
        assert_eq!(*reader.await, [7], "what is known, after a second");
        assert_eq!(at_once(&known, 19_999).as_deref(), Some([7].as_slice()), "it is left in peace");
        assert!(at_once(&known, 20_000).is_none(), "and asked again");
    }

    #[tokio::test]
    async fn whoever_hangs_up_keeps_nobody_from_reading_and_none_is_said_of_what_was_never_read() {
        let known = nothing();
        assert!(at_once(&known, 0).is_none(), "nothing was read yet");
        assert!(at_once(&known, 0).is_none(), "by nobody");
        let refused = Err(StoreError::Address { url: "x".to_owned() });
        assert!(known.near(at(0), ready(refused)).await.is_empty(), "none is known");
        assert!(at_once(&known, 1).is_some_and(|told| told.is_empty()), "it is left in peace");
        // Dropped in the middle of its reading.
        assert!(at_once(&known, 10_000).is_none());
        assert!(at_once(&known, 11_999).is_some());
        let told = known.near(at(12_000), ready(Ok(vec![7]))).await;
        assert_eq!(*told, [7]);
    }
}
