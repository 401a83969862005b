//! Entering needs by hand or by a script: one or several alike, for a site that the person sees, under a programme that
//! still lends.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{StoreError, Tx, borrower, need, programme, site};
use crate::domain::{
    borrower::{Level, Reference},
    need::{MOST_AT_ONCE, Need, Reasons},
    scope::Scope,
};

/// What a site asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The site.
    pub site: Uuid,
    /// The programme.
    pub programme: Uuid,
    /// The class level.
    pub level: Option<Level>,
    /// Why it may come before others.
    pub reasons: Reasons,
    /// For whom, by reference; only for a single need.
    pub borrower: Option<Reference>,
    /// How many alike.
    pub count: u32,
}

/// Why nothing was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryRefused {
    /// There is no such site, or it is not theirs.
    #[error("there is no such site, or it is not one of yours")]
    Site,
    /// There is no such programme, or it lends no more.
    #[error("there is no such programme, or it lends no more")]
    Programme,
    /// There is no such borrower at that site.
    #[error("there is no borrower with this reference at that site")]
    Borrower,
    /// Too few or too many, or several for one borrower.
    #[error("enter 1 to {MOST_AT_ONCE} needs at once, and one at a time with a borrower's reference")]
    Count,
}

/// Why entering failed.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// It makes no sense; nothing was written.
    #[error(transparent)]
    Refused(#[from] EntryRefused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Enters the needs and gives their ids. The caller writes the audit in the same unit of work.
pub async fn enter(
    tx: &mut Tx,
    scope: &Scope,
    entry: &Entry,
    by: &str,
    now: UtcMillis,
) -> Result<Vec<Uuid>, EntryError> {
    if !(1..=MOST_AT_ONCE).contains(&entry.count) || (entry.count > 1 && entry.borrower.is_some()) {
        return Err(EntryRefused::Count.into());
    }
    let site = site::find(tx, scope, entry.site).await?.ok_or(EntryRefused::Site)?;
    let programme = programme::find(tx, entry.programme).await?.filter(|programme| programme.open);
    let programme = programme.ok_or(EntryRefused::Programme)?;
    let borrower = match &entry.borrower {
        None => None,
        Some(reference) => {
            let found = borrower::find_by_reference(tx, scope, reference).await?;
            Some(found.filter(|found| found.site == Some(site.id)).ok_or(EntryRefused::Borrower)?)
        }
    };
    let mut ids = Vec::new();
    for _ in 0..entry.count {
        let entered = Need {
            id: Uuid::now_v7(),
            site: site.id,
            programme: programme.id,
            level: entry.level.or_else(|| borrower.as_ref().and_then(|borrower| borrower.level)),
            reasons: entry.reasons.clone(),
            borrower: borrower.as_ref().map(|borrower| borrower.id),
            entered_at: now,
        };
        need::insert(tx, &entered, by).await?;
        ids.push(entered.id);
    }
    Ok(ids)
}

/// What the audit says of it: which needs. For whom, why, at which level and under which programme is not in it: the audit
/// is read by roles that may not know, and what is in its chain cannot be erased.
#[must_use]
pub fn details(entered: &[Uuid]) -> serde_json::Value {
    serde_json::json!({ "count": entered.len(), "needs": entered })
}
