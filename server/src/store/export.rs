//! What exports hold besides what lists show: read a page at a time, by key.

use std::collections::HashMap;

use uuid::Uuid;

use super::{StoreError, Tx, rows::Rows, value::parsed};
use crate::domain::loan::LendingState;

/// What the list of devices does not show.
#[derive(Clone, Debug)]
pub struct DeviceExtra {
    /// Code of its programme.
    pub programme: Option<String>,
    /// Where it is in its lending.
    pub lending: LendingState,
    /// Its grade.
    pub grade: Option<String>,
    /// The last day of its warranty.
    pub warranty_until: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct RawDevice {
    id: Uuid,
    programme: Option<String>,
    lending_state: String,
    grade: Option<String>,
    warranty_until: Option<i64>,
}

/// That, for these devices: the caller's list has applied the scope.
pub async fn devices(tx: &mut Tx, ids: impl Iterator<Item = Uuid>) -> Result<HashMap<Uuid, DeviceExtra>, StoreError> {
    let sql = "SELECT d.id, d.programme, d.lending_state, d.grade, d.warranty_until FROM {rows} \
               JOIN device d ON d.id = r.id";
    let raw: Vec<RawDevice> = Rows::of_ids(ids).fetch(tx, sql).await?;
    raw.into_iter()
        .map(|one| {
            let extra = DeviceExtra {
                programme: one.programme,
                lending: parsed("device.lending_state", &one.lending_state)?,
                grade: one.grade,
                warranty_until: one.warranty_until,
            };
            Ok((one.id, extra))
        })
        .collect()
}

/// The references of the complaints of these loans, where there are any.
pub async fn police_reports(tx: &mut Tx, ids: impl Iterator<Item = Uuid>) -> Result<HashMap<Uuid, String>, StoreError> {
    let sql = "SELECT l.id, l.police_report FROM {rows} JOIN loan l ON l.id = r.id WHERE l.police_report IS NOT NULL";
    let raw: Vec<(Uuid, String)> = Rows::of_ids(ids).fetch(tx, sql).await?;
    Ok(raw.into_iter().collect())
}
