//! Adjusting a proposal: a device exchanged, a line dropped, each with a reason. Whoever adjusts cannot approve.

use cartable_common::{DeviceId, UtcMillis};
use uuid::Uuid;

use super::{
    StoreError, Tx,
    allocation::{AllocationState, Explanation, LineState, in_stock, locked},
    allocation_line::{LineRow, one},
    on,
    value::to_json,
};
use crate::domain::{
    allocation::{Unfit, given, serves, unfit},
    policy::AllocationPolicy,
};

/// Why a line was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdjustRefused {
    /// It was approved or given up meanwhile.
    #[error("the proposal is no longer a draft")]
    NotDraft,
    /// There is no such proposal or line.
    #[error("there is no such line")]
    NoLine,
    /// The device is not in stock, or not in service.
    #[error("the device is not in stock")]
    NotInStock,
    /// The policy does not let it be lent.
    #[error("the policy does not let this device be lent: {0}")]
    Unfit(Unfit),
    /// It is another site's or another programme's.
    #[error("the device is kept for another site or programme")]
    NotForIt,
    /// Another line has it.
    #[error("another line of the proposal has this device")]
    Taken,
}

/// Why adjusting failed.
#[derive(Debug, thiserror::Error)]
pub enum AdjustError {
    /// It makes no sense; nothing was written.
    #[error(transparent)]
    Refused(#[from] AdjustRefused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who changes which line, and why.
#[derive(Clone, Copy, Debug)]
pub struct Adjustment<'a> {
    /// The proposal.
    pub allocation: Uuid,
    /// The line.
    pub rank: i64,
    /// Why.
    pub remark: &'a str,
    /// Who.
    pub by: Uuid,
    /// When.
    pub now: UtcMillis,
}

/// Gives a line this device instead of what it has.
pub async fn swap(
    tx: &mut Tx,
    adjustment: Adjustment<'_>,
    device: DeviceId,
    policy: &AllocationPolicy,
) -> Result<(), AdjustError> {
    let line = open_line(tx, adjustment).await?;
    let stock = in_stock(tx, Some(&[device.0])).await?.pop().ok_or(AdjustRefused::NotInStock)?;
    if let Some(why) = unfit(&stock, policy) {
        return Err(AdjustRefused::Unfit(why).into());
    }
    if !serves(&stock, (line.site, line.programme), policy) {
        return Err(AdjustRefused::NotForIt.into());
    }
    let sql = "SELECT count(*) FROM allocation_line WHERE allocation_id = $1 AND device_id = $2 AND state = 'proposed'";
    let held: i64 = on!(tx, |c| sqlx::query_scalar(sql).bind(adjustment.allocation).bind(device.0).fetch_one(c).await)
        .map_err(StoreError::from)?;
    if held > 0 {
        return Err(AdjustRefused::Taken.into());
    }
    let explanation =
        Explanation { given: Some(given(&stock, (line.site, line.programme))), ..line.explanation.clone() };
    write(tx, adjustment, LineState::Proposed, (Some(device.0), None), &explanation).await?;
    Ok(())
}

/// Takes a line's device away.
pub async fn drop_line(tx: &mut Tx, adjustment: Adjustment<'_>) -> Result<(), AdjustError> {
    let line = open_line(tx, adjustment).await?;
    let explanation = Explanation { given: None, ..line.explanation.clone() };
    write(tx, adjustment, LineState::Dropped, (None, Some("dropped")), &explanation).await?;
    Ok(())
}

async fn open_line(tx: &mut Tx, adjustment: Adjustment<'_>) -> Result<LineRow, AdjustError> {
    let found = locked(tx, adjustment.allocation).await?.ok_or(AdjustRefused::NoLine)?;
    if found.state != AllocationState::Draft {
        return Err(AdjustRefused::NotDraft.into());
    }
    Ok(one(tx, adjustment.allocation, adjustment.rank).await?.ok_or(AdjustRefused::NoLine)?)
}

async fn write(
    tx: &mut Tx,
    adjustment: Adjustment<'_>,
    state: LineState,
    (device, cause): (Option<Uuid>, Option<&str>),
    explanation: &Explanation,
) -> Result<(), StoreError> {
    let sql = "UPDATE allocation_line SET state = $3, device_id = $4, cause = $5, remark = $6, explanation = $7 \
               WHERE allocation_id = $1 AND rank = $2";
    let explanation = to_json("allocation_line.explanation", explanation)?;
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(adjustment.allocation)
            .bind(adjustment.rank)
            .bind(state.as_str())
            .bind(device)
            .bind(cause)
            .bind(adjustment.remark)
            .bind(explanation)
            .execute(c)
            .await
            .map(drop)
    })?;
    let sql = "UPDATE allocation SET adjusted_by = $2, adjusted_at = $3 WHERE id = $1";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(adjustment.allocation)
            .bind(adjustment.by)
            .bind(adjustment.now.get())
            .execute(c)
            .await
            .map(drop)
    })?;
    let sql = "INSERT INTO allocation_adjuster (allocation_id, person_id, adjusted_at) VALUES ($1, $2, $3) \
               ON CONFLICT (allocation_id, person_id) DO NOTHING";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(adjustment.allocation)
            .bind(adjustment.by)
            .bind(adjustment.now.get())
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}
