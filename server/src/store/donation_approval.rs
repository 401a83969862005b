//! Approving a lot: a second person, and only when nothing is missing for any of its units. What was found then (the
//! ceiling, the record that proves each drive's erasure) is kept with each unit.

use cartable_common::DeviceId;
use serde_json::json;
use uuid::Uuid;

use super::{
    StoreError, Tx, advice,
    audit::{self, NewAudit},
    device,
    donation_line::{self, LineRow},
    donation_lot::{LotError, LotRefused, LotRow, is_own, locked},
    lending::Clerk,
    on,
    rows::{Rows, Type},
    value::to_json,
};
use crate::domain::donation::LotState;

/// Approves the lot as `person`, with its row in the audit. The caller commits.
pub async fn approve(tx: &mut Tx, id: Uuid, person: Uuid, clerk: Clerk<'_>) -> Result<(), LotError> {
    let lot = locked(tx, id).await?;
    if lot.state != LotState::Draft {
        return Err(LotRefused::NotDraft.into());
    }
    if is_own(tx, &lot, person).await? {
        return Err(LotRefused::Own.into());
    }
    let lines = ready(tx, &lot, clerk).await?;
    keep(tx, id, &lines, clerk).await?;
    let sql = "UPDATE donation_lot SET state = 'approved', approved_by = $2, approved_at = $3 WHERE id = $1";
    on!(tx, |c| sqlx::query(sql).bind(id).bind(person).bind(clerk.now.get()).execute(c).await.map(drop))
        .map_err(StoreError::from)?;
    let policy = advice::note_version(tx, clerk.policy, clerk.now).await?;
    record(tx, "donation_lot.approve", ("donation_lot", id), json!({ "units": lines.len(), "policy": policy }), clerk)
        .await?;
    Ok(())
}

/// The units of a lot, held until this unit of work ends, with nothing missing for any of them.
pub(super) async fn ready(tx: &mut Tx, lot: &LotRow, clerk: Clerk<'_>) -> Result<Vec<LineRow>, LotError> {
    let seen = donation_line::of_lot(tx, lot, clerk.policy, clerk.now).await?;
    if seen.is_empty() {
        return Err(LotRefused::Empty.into());
    }
    // Held before they are judged: what is found of them stays true.
    device::lock(tx, seen.iter().map(|line| line.device.0)).await?;
    let lines = donation_line::of_lot(tx, lot, clerk.policy, clerk.now).await?;
    match lines.iter().filter(|line| !line.unmet.is_empty()).count() {
        0 => Ok(lines),
        unmet => Err(LotRefused::Unmet(unmet).into()),
    }
}

/// Writes down what was found of each unit.
async fn keep(tx: &mut Tx, lot: Uuid, lines: &[LineRow], clerk: Clerk<'_>) -> Result<(), LotError> {
    let mut rows = Rows::new([
        ("lot_id", Type::Uuid),
        ("device_id", Type::Uuid),
        ("ceiling_cents", Type::Int),
        ("evidence", Type::Text),
        ("at", Type::Int),
    ]);
    for line in lines {
        // Judged a moment ago: a unit without a ceiling is not ready.
        let ceiling = line.ceiling.ok_or(LotRefused::Unmet(1))?;
        rows.push([
            lot.into(),
            line.device.0.into(),
            i64::from(ceiling.get()).into(),
            to_json("donation_line.erasure_evidence", &line.facts.erasure.proofs)?.into(),
            clerk.now.get().into(),
        ]);
    }
    let sql = "UPDATE donation_line SET state = 'approved', ceiling_cents = r.ceiling_cents, erasure_evidence = r.evidence, \
               checked_at = r.at FROM {rows} WHERE donation_line.lot_id = r.lot_id AND donation_line.device_id = r.device_id";
    rows.execute(tx, sql).await?;
    Ok(())
}

/// Writes an act into the audit, in its own unit of work.
pub(super) async fn record(
    tx: &mut Tx,
    action: &str,
    (object_kind, id): (&str, Uuid),
    mut details: serde_json::Value,
    clerk: Clerk<'_>,
) -> Result<(), StoreError> {
    if let Some(token) = clerk.token {
        details["api_token"] = json!(token);
    }
    let object_id = id.to_string();
    let act = NewAudit { actor: clerk.actor, action, object_kind, object_id: &object_id, details };
    audit::append(tx, act, clerk.now).await?;
    Ok(())
}

/// The devices of these units.
pub(super) fn devices(lines: &[LineRow]) -> Vec<DeviceId> {
    lines.iter().map(|line| line.device).collect()
}
