//! The exams that answers to check-ins heed.

use std::sync::Arc;

use cartable_common::UtcMillis;

use super::recent::Recent;
use crate::{
    domain::exam::Exam,
    store::{Store, StoreError, exam},
};

/// The exams that are near. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Exams {
    store: Store,
    known: Recent<Exam>,
}

impl Exams {
    /// None yet.
    pub(super) fn new(store: Store) -> Self {
        Self { store, known: Recent::nothing("exams") }
    }

    /// Those that an answer given at `now` has to heed. Where the database does not answer, those known before.
    pub(super) async fn near(&self, now: UtcMillis) -> Arc<[Exam]> {
        self.known.near(now, self.read(now)).await
    }

    async fn read(&self, now: UtcMillis) -> Result<Vec<Exam>, StoreError> {
        let mut tx = self.store.read().await?;
        exam::near(&mut tx, now).await
    }
}
