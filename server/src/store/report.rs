//! Every report that was acknowledged, once: what makes a repeat recognisable.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    rows::{Rows, Type},
};

/// A report to remember.
#[derive(Clone, Debug)]
pub(crate) struct NewReport {
    pub(crate) device: Uuid,
    pub(crate) report_id: Uuid,
    pub(crate) enrolment: Uuid,
    pub(crate) sequence: i64,
    pub(crate) measured_at: UtcMillis,
    pub(crate) received_at: UtcMillis,
    pub(crate) body_hash: String,
}

/// A report that is stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Stored {
    pub(crate) device_id: Uuid,
    pub(crate) report_id: Uuid,
    pub(crate) body_hash: String,
}

/// Remembers reports, one statement for all, and tells which were new. Each (device, report) stands once in `reports`.
pub(crate) async fn insert(tx: &mut Tx, reports: &[NewReport]) -> Result<Vec<Stored>, StoreError> {
    let mut rows = Rows::new([
        ("device_id", Type::Uuid),
        ("report_id", Type::Uuid),
        ("enrolment_id", Type::Uuid),
        ("sequence", Type::Int),
        ("measured_at", Type::Int),
        ("received_at", Type::Int),
        ("body_hash", Type::Text),
    ]);
    for report in reports {
        rows.push([
            report.device.into(),
            report.report_id.into(),
            report.enrolment.into(),
            report.sequence.into(),
            report.measured_at.get().into(),
            report.received_at.get().into(),
            report.body_hash.as_str().into(),
        ]);
    }
    let sql = "INSERT INTO report (device_id, report_id, enrolment_id, sequence, measured_at, received_at, body_hash) \
               SELECT device_id, report_id, enrolment_id, sequence, measured_at, received_at, body_hash FROM {rows} \
               WHERE true ON CONFLICT (device_id, report_id) DO NOTHING RETURNING device_id, report_id, body_hash";
    rows.fetch(tx, sql).await
}

/// What is stored under some (device, report) identifiers.
pub(crate) async fn stored(tx: &mut Tx, ids: impl Iterator<Item = (Uuid, Uuid)>) -> Result<Vec<Stored>, StoreError> {
    let mut rows = Rows::new([("device_id", Type::Uuid), ("report_id", Type::Uuid)]);
    for (device, report) in ids {
        rows.push([device.into(), report.into()]);
    }
    let sql = "SELECT s.device_id, s.report_id, s.body_hash FROM {rows} \
               JOIN report s ON s.device_id = r.device_id AND s.report_id = r.report_id";
    rows.fetch(tx, sql).await
}
