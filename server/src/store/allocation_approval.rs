//! Approving a proposal: every line's device is reserved. A line whose device or need has moved on meanwhile is refused
//! with the reason; the others go through.
//!
//! A proposal of a whole programme has thousands of lines. They are reserved some at a time, a unit of work each, so that
//! check-ins get their turn in between. The first one approves the proposal: from then on nobody changes it, and whoever
//! approves it again goes on where an earlier approval was cut off.

use cartable_common::DeviceId;
use serde_json::json;
use uuid::Uuid;

use super::{
    Store, StoreError, Tx,
    allocation::{AllocationState, LineState, is_own, locked},
    allocation_line::{LineRow, proposed},
    audit::{self, NewAudit},
    borrower,
    lending::{Clerk, Lending, LendingError, Wish},
    need, on,
};
use crate::domain::borrower::{Borrower, BorrowerKind, Reference};

/// Lines reserved in one unit of work: some tenths of a second, for which check-ins on SQLite wait.
pub const AT_ONCE: i64 = 200;

/// Why a proposal was not approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalRefused {
    /// There is no such proposal.
    #[error("there is no such proposal")]
    NoProposal,
    /// It was approved or given up meanwhile.
    #[error("the proposal is no longer a draft")]
    NotDraft,
    /// Nobody approves what is their own.
    #[error("a proposal is approved by somebody who neither proposed nor adjusted it")]
    Own,
    /// No reference could be drawn for a new borrower.
    #[error("the system gives no randomness for borrowers' references")]
    NoReference,
}

/// Why approving failed.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// It makes no sense; nothing was written.
    #[error(transparent)]
    Refused(#[from] ApprovalRefused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of the lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Approved {
    /// Devices that are now reserved.
    pub reserved: u32,
    /// Lines that could not be.
    pub refused: u32,
}

/// Approves the proposal `id` as `person`, or goes on with an approval that was cut off. A need that names no borrower
/// gets one with a `reference` of its own: who it is, the site says at the hand-over. Each unit of work leaves its own
/// row in the audit beside those of its acts of lending.
pub async fn approve(
    store: &Store,
    id: Uuid,
    person: Uuid,
    clerk: Clerk<'_>,
    reference: &mut (dyn FnMut() -> Option<Reference> + Send),
) -> Result<Approved, ApprovalError> {
    let mut approved = Approved::default();
    let mut goes_on = false;
    loop {
        let (mut tx, part) = match part(store.write().await?, id, person, clerk, reference).await {
            // The unit of work before this one had the last line.
            Err(ApprovalError::Refused(ApprovalRefused::NotDraft)) if goes_on => return Ok(approved),
            result => result?,
        };
        let mut details = json!({ "reserved": part.reserved, "refused": part.refused });
        if let Some(token) = clerk.token {
            details["api_token"] = json!(token);
        }
        let object_id = id.to_string();
        let act = NewAudit {
            actor: clerk.actor,
            action: "allocation.approve",
            object_kind: "allocation",
            object_id: &object_id,
            details,
        };
        audit::append(&mut tx, act, clerk.now).await?;
        tx.commit().await?;
        approved.reserved += part.reserved;
        approved.refused += part.refused;
        if i64::from(part.reserved + part.refused) < AT_ONCE {
            return Ok(approved);
        }
        goes_on = true;
    }
}

/// The next [`AT_ONCE`] lines, in a unit of work that the caller commits.
pub async fn part(
    tx: Tx,
    id: Uuid,
    person: Uuid,
    clerk: Clerk<'_>,
    reference: &mut (dyn FnMut() -> Option<Reference> + Send),
) -> Result<(Tx, Approved), ApprovalError> {
    let mut lending = Lending::within(tx, clerk);
    let found = locked(lending.tx(), id).await?.ok_or(ApprovalRefused::NoProposal)?;
    if is_own(lending.tx(), &found, person).await? {
        return Err(ApprovalRefused::Own.into());
    }
    let policy = &clerk.policy.allocation;
    let seen = proposed(lending.tx(), id, AT_ONCE, policy).await?;
    match found.state {
        AllocationState::Draft => set_approved(lending.tx(), id, person, clerk).await?,
        AllocationState::Approved if !seen.is_empty() => {}
        AllocationState::Approved | AllocationState::Dropped => return Err(ApprovalRefused::NotDraft.into()),
    }
    // Held before they are looked at: what is seen of them stays true.
    let devices: Vec<DeviceId> =
        seen.iter().filter_map(|line| line.device.as_ref()).map(|device| DeviceId(device.id)).collect();
    lending.hold(devices).await?;
    need::lock(lending.tx(), seen.iter().map(|line| line.need)).await?;
    let mut approved = Approved::default();
    let mut lines = proposed(lending.tx(), id, AT_ONCE, policy).await?;
    // Not by rank: the audit's readers may know the ranks' reasons, and the order of its rows would tell whose they are.
    lines.sort_unstable_by_key(|line| line.device.as_ref().map(|device| device.id));
    for line in lines {
        match reserve(&mut lending, &line, clerk, reference).await? {
            Ok(loan) => {
                write(lending.tx(), id, &line, (LineState::Reserved, None, Some(loan))).await?;
                approved.reserved += 1;
            }
            Err(code) => {
                write(lending.tx(), id, &line, (LineState::Refused, Some(code), None)).await?;
                approved.refused += 1;
            }
        }
    }
    Ok((lending.close().await?, approved))
}

async fn set_approved(tx: &mut Tx, id: Uuid, person: Uuid, clerk: Clerk<'_>) -> Result<(), StoreError> {
    let sql = "UPDATE allocation SET state = 'approved', decided_by = $2, decided_at = $3 WHERE id = $1";
    on!(tx, |c| sqlx::query(sql).bind(id).bind(person).bind(clerk.now.get()).execute(c).await.map(drop))?;
    Ok(())
}

/// Reserves one line's device; the code of the reason if that cannot be.
async fn reserve(
    lending: &mut Lending<'_>,
    line: &LineRow,
    clerk: Clerk<'_>,
    reference: &mut (dyn FnMut() -> Option<Reference> + Send),
) -> Result<Result<Uuid, &'static str>, ApprovalError> {
    if let Some(code) = line.stale {
        return Ok(Err(code));
    }
    let Some(device) = &line.device else { return Ok(Err("not_in_stock")) };
    let fresh = line.borrower.is_none();
    let borrower = if let Some(known) = line.borrower {
        known
    } else {
        let reference = reference().ok_or(ApprovalRefused::NoReference)?;
        insert_borrower(lending.tx(), line, reference, clerk).await?
    };
    let wish = Wish { device: DeviceId(device.id), borrower, programme: line.programme };
    match lending.reserve(wish).await {
        Ok(loan) => {
            if need::meet(lending.tx(), line.need, (loan.id, borrower), clerk.now).await? {
                return Ok(Ok(loan.id));
            }
            // It was open a moment ago, and is held.
            let why = format!("need {} was closed while it was held", line.need);
            Err(StoreError::Corrupt { what: "need.state", why }.into())
        }
        Err(LendingError::Refused(refused)) => {
            if fresh {
                let sql = "DELETE FROM borrower WHERE id = $1";
                on!(lending.tx(), |c| sqlx::query(sql).bind(borrower).execute(c).await.map(drop))
                    .map_err(StoreError::from)?;
            }
            Ok(Err(refused.code()))
        }
        Err(LendingError::Store(error)) => Err(error.into()),
    }
}

async fn insert_borrower(
    tx: &mut Tx,
    line: &LineRow,
    reference: Reference,
    clerk: Clerk<'_>,
) -> Result<Uuid, StoreError> {
    let new = Borrower {
        id: Uuid::now_v7(),
        reference,
        kind: BorrowerKind::Person,
        institution_name: None,
        site: Some(line.site),
        level: line.level,
        left_site_day: None,
        created_at: clerk.now,
        identity_erased_at: None,
    };
    borrower::insert(tx, &new, None).await?;
    Ok(new.id)
}

async fn write(
    tx: &mut Tx,
    id: Uuid,
    line: &LineRow,
    (state, cause, loan): (LineState, Option<&str>, Option<Uuid>),
) -> Result<(), StoreError> {
    let sql = "UPDATE allocation_line SET state = $3, cause = $4, loan_id = $5 WHERE allocation_id = $1 AND rank = $2";
    on!(tx, |c| {
        sqlx::query(sql).bind(id).bind(line.rank).bind(state.as_str()).bind(cause).bind(loan).execute(c).await.map(drop)
    })?;
    Ok(())
}
