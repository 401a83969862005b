//! Follows imported school calendars: every process reads them by itself, for each has its own policy in memory.

use std::time::Duration;

use crate::{
    domain::policy::LivePolicy,
    store::{Store, StoreError, school_closure},
};

/// Between two looks: an import by another process or the command line is followed soon after.
pub const EVERY: Duration = Duration::from_mins(1);

/// Brings the policy up to date; whether that changed anything. The next sweep then judges everything anew.
pub async fn run(store: &Store, policy: &LivePolicy) -> Result<bool, StoreError> {
    let mut tx = store.read().await?;
    let closures = school_closure::closures(&mut tx).await?;
    Ok(policy.set_imported(&closures))
}
