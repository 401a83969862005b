//! The archive: devices that are put away, and taken out again when that was wrong.

use cartable_common::{DeviceId, UtcMillis};

use super::{
    StoreError, Tx,
    counter::{Counter, Deltas},
    device::locked,
    judgement, loan, on, review,
};
use crate::domain::{loan::LendingState, policy::Policy, scope::Scope};

/// What came of archiving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archiving {
    /// It is archived.
    Done,
    /// There is no such device within the scope.
    Unknown,
    /// A borrower holds it, or it is reserved for one: what is owed would be hidden with it.
    Lent,
    /// It is on the bench: its work order is finished first.
    OnBench,
}

/// Puts a device away for good reasons, keeping everything about it. Its flags are cleared: nothing is said about an
/// archived device any more. Archiving twice keeps the first date and reason.
pub async fn archive(
    tx: &mut Tx,
    scope: &Scope,
    id: DeviceId,
    reason: &str,
    now: UtcMillis,
) -> Result<Archiving, StoreError> {
    let Some(before) = locked(tx, scope, id).await? else { return Ok(Archiving::Unknown) };
    if before.archived_at.is_some() {
        return Ok(Archiving::Done);
    }
    if matches!(loan::lending_state(tx, id).await?, Some(LendingState::Reserved | LendingState::Lent)) {
        return Ok(Archiving::Lent);
    }
    if loan::lending_state(tx, id).await? == Some(LendingState::Refurbishment) {
        return Ok(Archiving::OnBench);
    }
    let sql = "UPDATE device SET archived_at = $2, archive_reason = $3 WHERE id = $1";
    on!(tx, |c| sqlx::query(sql).bind(id.0).bind(now.get()).bind(reason).execute(c).await.map(drop))?;
    judgement::apply(tx, id, Vec::new(), now).await?;
    let mut deltas = Deltas::default();
    deltas.shift(Counter::Status(before.status), Counter::Archived, before.site);
    deltas.apply(tx).await?;
    Ok(Archiving::Done)
}

/// What came of taking a device out of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unarchiving {
    /// It is in the lists.
    Done,
    /// There is no such device within the scope.
    Unknown,
    /// It was given away: it is somebody else's.
    Given,
}

/// Takes a device out of the archive, and judges it anew.
pub async fn unarchive(
    tx: &mut Tx,
    scope: &Scope,
    id: DeviceId,
    policy: &Policy,
    now: UtcMillis,
) -> Result<Unarchiving, StoreError> {
    let Some(before) = locked(tx, scope, id).await? else { return Ok(Unarchiving::Unknown) };
    if before.archived_at.is_some() {
        if loan::lending_state(tx, id).await? == Some(LendingState::Ceded) {
            return Ok(Unarchiving::Given);
        }
        let sql = "UPDATE device SET archived_at = NULL, archive_reason = NULL WHERE id = $1";
        on!(tx, |c| sqlx::query(sql).bind(id.0).execute(c).await.map(drop))?;
        review::device(tx, id, policy, now).await?;
        let mut deltas = Deltas::default();
        deltas.shift(Counter::Archived, Counter::Status(before.status), before.site);
        deltas.apply(tx).await?;
    }
    Ok(Unarchiving::Done)
}
