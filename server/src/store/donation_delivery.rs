//! Handing an approved lot over: the only writer of the state in which a device belongs to somebody else.
//!
//! Everything is looked at once more, then all of it happens or none: each device changes owner, its keys end, its agent is
//! ordered to remove itself, what links it to borrowers is erased, and it is archived. Triggers on both engines refuse the
//! first of these steps to everybody else.

use cartable_common::DeviceId;
use jiff::civil::Date;
use serde_json::json;
use uuid::Uuid;

use super::{
    StoreError, Tx, device, device_archive,
    donation_approval::{devices, ready, record},
    donation_links,
    donation_lot::{LotError, LotRefused, LotRow, locked},
    lending::Clerk,
    on, release,
    rows::{Rows, Type},
    value::day_number,
};
use crate::domain::{
    device::DeviceStatus,
    document::{DocumentKind, DocumentNumber},
    donation::{LotState, basis::LegalBasis},
    loan::LendingState,
    paris,
    scope::Scope,
};

/// What the hand-over rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// The day on which the recipient took the devices.
    pub day: Date,
    /// The deed that was signed.
    pub deed: DocumentNumber,
}

/// Hands the lot over as `person`; tells how many devices changed owner. The caller commits.
pub async fn deliver(
    tx: &mut Tx,
    id: Uuid,
    person: Uuid,
    hand_over: HandOver,
    clerk: Clerk<'_>,
) -> Result<usize, LotError> {
    let lot = locked(tx, id).await?;
    if lot.state != LotState::Approved {
        return Err(LotRefused::NotApproved(lot.state).into());
    }
    check(tx, &lot, hand_over, clerk).await?;
    let lines = ready(tx, &lot, clerk).await?;
    // What is kept with each unit for good is what was approved: it must be what proves the erasures today.
    if lines.iter().any(|line| line.approved != line.facts.erasure.proofs) {
        return Err(LotRefused::EvidenceChanged.into());
    }
    let given = devices(&lines);
    cede(tx, &given).await?;
    release::order(tx, &given, id, clerk.now).await?;
    donation_links::erase(tx, &given, clerk.now).await?;
    let reason = format!("Don · Donation : {}", lot.name);
    for device in &given {
        device::set_status(tx, &Scope::Everything, *device, DeviceStatus::Released).await?;
        // Ceded above, it is not a device that somebody still holds.
        device_archive::archive(tx, &Scope::Everything, *device, &reason, clerk.now).await?;
        let details = json!({ "lot": id, "deed": hand_over.deed.to_string() });
        record(tx, "device.donate", ("device", device.0), details, clerk).await?;
    }
    delivered(tx, &lot, person, hand_over, clerk).await?;
    Ok(given.len())
}

/// That the deed is one of this lot, made since it was approved, and that the day makes sense.
async fn check(tx: &mut Tx, lot: &LotRow, hand_over: HandOver, clerk: Clerk<'_>) -> Result<(), LotError> {
    let approved = lot.approved_at.ok_or(LotRefused::NotApproved(lot.state))?;
    let sql = "SELECT count(*) FROM document WHERE number = $1 AND kind = $2 AND lot_id = $3 AND made_at >= $4";
    let found = on!(tx, |c| {
        sqlx::query_scalar::<_, i64>(sql)
            .bind(hand_over.deed.to_string())
            .bind(DocumentKind::DonationDeed.as_str())
            .bind(lot.id)
            .bind(approved.get())
            .fetch_one(c)
            .await
    });
    if found.map_err(StoreError::from)? != 1 {
        return Err(LotRefused::NoDeed.into());
    }
    let days = paris::date(approved)..=paris::date(clerk.now);
    if days.contains(&hand_over.day) { Ok(()) } else { Err(LotRefused::BadDay.into()) }
}

/// The one place that writes this state.
async fn cede(tx: &mut Tx, given: &[DeviceId]) -> Result<(), StoreError> {
    let mut rows = Rows::new([("id", Type::Uuid), ("state", Type::Text)]);
    for device in given {
        rows.push([device.0.into(), LendingState::Ceded.as_str().into()]);
    }
    let sql = "UPDATE device SET lending_state = r.state FROM {rows} WHERE device.id = r.id";
    rows.execute(tx, sql).await.map(drop)
}

async fn delivered(
    tx: &mut Tx,
    lot: &LotRow,
    person: Uuid,
    hand_over: HandOver,
    clerk: Clerk<'_>,
) -> Result<(), StoreError> {
    let sql = "UPDATE donation_line SET state = 'delivered' WHERE lot_id = $1";
    on!(tx, |c| sqlx::query(sql).bind(lot.id).execute(c).await.map(drop))?;
    let sql = "UPDATE donation_lot SET state = 'delivered', delivered_by = $2, delivered_at = $3, delivered_day = $4, \
               deed = $5 WHERE id = $1";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(lot.id)
            .bind(person)
            .bind(clerk.now.get())
            .bind(day_number(hand_over.day))
            .bind(hand_over.deed.to_string())
            .execute(c)
            .await
            .map(drop)
    })?;
    let details = json!({
        "units": lot.units, "deed": hand_over.deed.to_string(), "day": hand_over.day.to_string(),
        "recipient": lot.terms.recipient, "basis": lot.terms.basis.map(LegalBasis::as_str),
    });
    record(tx, "donation_lot.deliver", ("donation_lot", lot.id), details, clerk).await
}
