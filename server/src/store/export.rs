//! What exports hold besides what lists show: read a page at a time, by key.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    StoreError, Tx,
    clause::Clause,
    page::{Cursor, CursorKey},
    rows::Rows,
    value::parsed,
};
use crate::domain::{
    borrower::{BorrowerKind, Level, Reference},
    loan::LendingState,
    scope::Scope,
};

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

/// A borrower, without who it is.
#[derive(Clone, Debug)]
pub struct BorrowerRow {
    /// What stands for it.
    pub reference: Reference,
    /// A person or an institution.
    pub kind: BorrowerKind,
    /// An institution's name.
    pub institution_name: Option<String>,
    /// The code of its site.
    pub uai: Option<String>,
    /// A person's class level.
    pub level: Option<Level>,
    /// The day on which the person left.
    pub left_on: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct RawBorrower {
    id: Uuid,
    reference: String,
    kind: String,
    institution_name: Option<String>,
    uai: Option<String>,
    level: Option<String>,
    left_site_day: Option<i64>,
}

/// One page of the borrowers of `scope`, by reference; and where the next page begins.
pub async fn borrowers(
    tx: &mut Tx,
    scope: &Scope,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<(Vec<BorrowerRow>, Option<Cursor>), StoreError> {
    let mut clause = Clause::new(
        "SELECT b.id, b.reference, b.kind, b.institution_name, s.uai, b.level, b.left_site_day FROM borrower b \
         LEFT JOIN site s ON s.id = b.site_id WHERE 1 = 1",
    );
    clause.within("b.site_id", scope);
    if let Some(Cursor { key: CursorKey::Text(reference), .. }) = after {
        clause.sql(" AND b.reference > ").value(reference.as_str());
    }
    clause.sql(" ORDER BY b.reference LIMIT ").value(i64::try_from(limit).unwrap_or(i64::MAX));
    let raw: Vec<RawBorrower> = clause.rows(tx).await?;
    let full = raw.len() == limit;
    let next =
        raw.last().filter(|_| full).map(|last| Cursor { key: CursorKey::Text(last.reference.clone()), id: last.id });
    let rows: Result<Vec<BorrowerRow>, StoreError> = raw
        .into_iter()
        .map(|one| {
            Ok(BorrowerRow {
                reference: parsed("borrower.reference", &one.reference)?,
                kind: parsed("borrower.kind", &one.kind)?,
                institution_name: one.institution_name,
                uai: one.uai,
                level: one.level.map(|level| parsed("borrower.level", &level)).transpose()?,
                left_on: one.left_site_day,
            })
        })
        .collect();
    Ok((rows?, next))
}
