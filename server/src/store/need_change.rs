//! Changing a need while it is open: for console and API alike.

use uuid::Uuid;

use super::{StoreError, Tx, borrower, need::NeedRow, on, programme, value::to_json};
use crate::domain::{
    borrower::{Level, Reference},
    import::cells::Wanted,
    need::{Need, NeedState, Reasons},
    scope::Scope,
};

/// What is changed of a need; what is kept stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The programme.
    pub programme: Option<Uuid>,
    /// The class level.
    pub level: Wanted<Level>,
    /// Why it may come before others: all of them.
    pub reasons: Option<Reasons>,
    /// For whom, by reference.
    pub borrower: Wanted<Reference>,
}

/// Why a need stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefused {
    /// It was met or withdrawn.
    #[error("the need is no longer open")]
    NotOpen,
    /// There is no such programme, or it lends no more.
    #[error("there is no such programme, or it lends no more")]
    Programme,
    /// A proposal gives it a device.
    #[error("a proposal that waits for approval gives this need a device: its programme stays until that is decided")]
    Proposed,
    /// There is no such borrower at its site.
    #[error("there is no borrower with this reference at that site")]
    Borrower,
}

/// Why changing failed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It makes no sense; nothing was written.
    #[error(transparent)]
    Refused(#[from] ChangeRefused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Changes the need `before`, which the caller found within `scope`, and gives the names of what became different. The
/// caller writes them into the audit in the same unit of work, without values: a level or a reason may tell a child's
/// situation.
pub async fn change(
    tx: &mut Tx,
    scope: &Scope,
    before: &NeedRow,
    change: Change,
) -> Result<Vec<&'static str>, ChangeError> {
    if before.state != NeedState::Open {
        return Err(ChangeRefused::NotOpen.into());
    }
    let borrower = match change.borrower {
        Wanted::Keep => before.need.borrower,
        Wanted::Erase => None,
        Wanted::Set(reference) => {
            let found = borrower::find_by_reference(tx, scope, &reference).await?;
            let found = found.filter(|found| found.site == Some(before.need.site));
            Some(found.ok_or(ChangeRefused::Borrower)?.id)
        }
    };
    let after = Need {
        programme: change.programme.unwrap_or(before.need.programme),
        level: change.level.over(before.need.level),
        reasons: change.reasons.unwrap_or_else(|| before.need.reasons.clone()),
        borrower,
        ..before.need.clone()
    };
    if after.programme != before.need.programme {
        programme::find(tx, after.programme).await?.filter(|one| one.open).ok_or(ChangeRefused::Programme)?;
        if is_proposed(tx, after.id).await? {
            return Err(ChangeRefused::Proposed.into());
        }
    }
    // What met it in the meantime stands: the statement asks again.
    if !save(tx, &after).await? {
        return Err(ChangeRefused::NotOpen.into());
    }
    Ok(different(&before.need, &after))
}

fn different(before: &Need, after: &Need) -> Vec<&'static str> {
    let fields = [
        ("programme", before.programme != after.programme),
        ("level", before.level != after.level),
        ("reasons", before.reasons != after.reasons),
        ("borrower", before.borrower != after.borrower),
    ];
    fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

/// A device of the old programme would be lent under the new one.
async fn is_proposed(tx: &mut Tx, id: Uuid) -> Result<bool, StoreError> {
    let sql = "SELECT a.id FROM allocation_line l JOIN allocation a ON a.id = l.allocation_id \
               WHERE l.need_id = $1 AND l.state = 'proposed' AND a.state <> 'dropped' LIMIT 1";
    let found: Option<Uuid> = on!(tx, |c| sqlx::query_scalar(sql).bind(id).fetch_optional(c).await)?;
    Ok(found.is_some())
}

async fn save(tx: &mut Tx, need: &Need) -> Result<bool, StoreError> {
    let sql = "UPDATE need SET programme_id = $2, level = $3, reasons = $4, borrower_id = $5 \
               WHERE id = $1 AND state = 'open'";
    let reasons = to_json("need.reasons", &need.reasons.codes())?;
    let rows = on!(tx, |c| {
        sqlx::query(sql)
            .bind(need.id)
            .bind(need.programme)
            .bind(need.level.map(Level::as_str))
            .bind(reasons)
            .bind(need.borrower)
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}
