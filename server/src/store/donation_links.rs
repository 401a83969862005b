//! Erases what links donated devices to those who once held them.
//!
//! The loans themselves stay: how often a device was lent, for how long, and in what condition it came back are figures of
//! the device. Who held it is not the new owner's, nor anybody's any more. A loan must name somebody, so all of them name
//! one borrower that stands for nobody; signatures, and letters that were finished, go, and so does why a need was met
//! first.

use cartable_common::{DeviceId, UtcMillis};
use uuid::Uuid;

use super::{
    StoreError, Tx,
    borrower::{self, NOBODY, NOBODYS_REFERENCE},
    need, on,
    rows::{Rows, Type},
    value::parsed,
};
use crate::domain::borrower::{Borrower, BorrowerKind, Reference};

/// What it is called where loans are shown.
const NAME: &str = "Lien effacé · Link erased";

/// Erases the links of these devices, none of which is on an open loan.
pub(super) async fn erase(tx: &mut Tx, devices: &[DeviceId], now: UtcMillis) -> Result<(), StoreError> {
    keep_ends(tx, devices).await?;
    need::forget_devices(tx, devices).await?;
    let nobody = nobody(tx, now).await?;
    let mut rows = Rows::new([("id", Type::Uuid), ("nobody", Type::Uuid)]);
    for device in devices {
        rows.push([device.0.into(), nobody.into()]);
    }
    for sql in [
        "DELETE FROM loan_signature WHERE loan_id IN (SELECT l.id FROM {rows} JOIN loan l ON l.device_id = r.id)",
        // What still waits to be written leaves as usual: it is about a return, and for the family alone.
        "DELETE FROM notice WHERE recipient_kind = 'borrower' AND state <> 'waiting' \
         AND loan_id IN (SELECT l.id FROM {rows} JOIN loan l ON l.device_id = r.id) AND (message_id IS NULL \
         OR EXISTS (SELECT 1 FROM message m WHERE m.id = notice.message_id AND m.finished_at IS NOT NULL))",
        "UPDATE document SET borrower_id = r.nobody FROM {rows} WHERE document.device_id = r.id \
         AND document.borrower_id IS NOT NULL",
        "UPDATE loan SET borrower_id = r.nobody FROM {rows} WHERE loan.device_id = r.id",
    ] {
        rows.execute(tx, sql).await?;
    }
    Ok(())
}

/// Writes down with each borrower when the last of these loans ended: `forgetting` counts from there.
async fn keep_ends(tx: &mut Tx, devices: &[DeviceId]) -> Result<(), StoreError> {
    let rows = Rows::of_ids(devices.iter().map(|device| device.0));
    if matches!(tx, Tx::Postgres(_)) {
        // In the order in which `forgetting` holds them: neither waits for the other in a circle.
        let sql = "SELECT b.id FROM borrower b WHERE b.id IN (SELECT l.borrower_id FROM {rows} \
                   JOIN loan l ON l.device_id = r.id) ORDER BY b.id FOR NO KEY UPDATE";
        let _: Vec<(Uuid,)> = rows.fetch(tx, sql).await?;
    }
    let sql = "UPDATE borrower SET last_loan_ended_at = x.ended_at FROM (SELECT l.borrower_id, max(l.ended_at) \
               AS ended_at FROM {rows} JOIN loan l ON l.device_id = r.id GROUP BY l.borrower_id) x \
               WHERE borrower.id = x.borrower_id AND (borrower.last_loan_ended_at IS NULL \
               OR borrower.last_loan_ended_at < x.ended_at)";
    rows.execute(tx, sql).await.map(drop)
}

/// The borrower that stands for nobody, recorded if it is not yet.
async fn nobody(tx: &mut Tx, now: UtcMillis) -> Result<Uuid, StoreError> {
    // `borrower::find` does not find it: nobody is not to be asked for.
    let sql = "SELECT count(*) FROM borrower WHERE id = $1";
    let recorded: i64 = on!(tx, |c| sqlx::query_scalar(sql).bind(NOBODY).fetch_one(c).await)?;
    if recorded == 0 {
        let reference: Reference = parsed("borrower.reference", NOBODYS_REFERENCE)?;
        let made = Borrower {
            id: NOBODY,
            reference,
            kind: BorrowerKind::Institution,
            institution_name: Some(NAME.to_owned()),
            site: None,
            level: None,
            left_site_day: None,
            created_at: now,
            identity_erased_at: None,
        };
        borrower::insert(tx, &made, None).await?;
    }
    Ok(NOBODY)
}
