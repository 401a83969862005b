//! Approving a proposal: every line's device is reserved in one unit of work. A line whose device or need has moved on
//! meanwhile is refused with the reason; the others go through.

use cartable_common::DeviceId;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    allocation::{AllocationState, LineState, locked},
    allocation_line::{LineRow, proposed},
    borrower,
    lending::{Clerk, Lending, LendingError, Wish},
    need, on,
};
use crate::domain::borrower::{Borrower, BorrowerKind, Reference};

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

/// Approves the proposal `id` as `person`. A need that names no borrower gets one with a `reference` of its own: who it
/// is, the site says at the hand-over. The acts of lending stand in the audit; the caller adds the approval itself.
pub async fn approve(
    tx: Tx,
    id: Uuid,
    person: Uuid,
    clerk: Clerk<'_>,
    reference: &mut (dyn FnMut() -> Option<Reference> + Send),
) -> Result<(Tx, Approved), ApprovalError> {
    let mut lending = Lending::within(tx, clerk);
    let found = locked(lending.tx(), id).await?.ok_or(ApprovalRefused::NoProposal)?;
    if found.state != AllocationState::Draft {
        return Err(ApprovalRefused::NotDraft.into());
    }
    if found.is_own(person) {
        return Err(ApprovalRefused::Own.into());
    }
    let sql = "UPDATE allocation SET state = 'approved', decided_by = $2, decided_at = $3 WHERE id = $1";
    on!(lending.tx(), |c| sqlx::query(sql).bind(id).bind(person).bind(clerk.now.get()).execute(c).await.map(drop))
        .map_err(StoreError::from)?;
    let policy = &clerk.policy.allocation;
    // Held before they are looked at: what is seen of them stays true.
    let seen = proposed(lending.tx(), id, policy).await?;
    let devices: Vec<DeviceId> =
        seen.iter().filter_map(|line| line.device.as_ref()).map(|device| DeviceId(device.id)).collect();
    lending.hold(devices).await?;
    let mut approved = Approved::default();
    for line in proposed(lending.tx(), id, policy).await? {
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
            need::meet(lending.tx(), line.need, (loan.id, borrower), clerk.now).await?;
            Ok(Ok(loan.id))
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
