//! What became of each row of an import's file.

use serde_json::Value;
use uuid::Uuid;

use crate::{
    domain::import::OutcomeName,
    store::{
        StoreError, Tx, on,
        rows::{Rows, Type},
        value::{from_json, parsed},
    },
};

/// One row's outcome, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowReport {
    /// Its line in the file.
    pub line: i64,
    /// What becomes of it.
    pub outcome: OutcomeName,
    /// Reasons or changes.
    pub details: Value,
}

/// Stores outcomes; `Same` is only counted.
pub async fn put_rows(tx: &mut Tx, id: Uuid, reports: &[RowReport]) -> Result<(), StoreError> {
    let mut rows =
        Rows::new([("import_id", Type::Uuid), ("line", Type::Int), ("outcome", Type::Text), ("details", Type::Text)]);
    for report in reports.iter().filter(|report| report.outcome != OutcomeName::Same) {
        rows.push([id.into(), report.line.into(), report.outcome.as_str().into(), report.details.to_string().into()]);
    }
    let sql = "INSERT INTO import_row (import_id, line, outcome, details) \
               SELECT import_id, line, outcome, details FROM {rows} WHERE true \
               ON CONFLICT (import_id, line) DO UPDATE SET outcome = excluded.outcome, details = excluded.details";
    rows.execute(tx, sql).await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct RawRow {
    line: i64,
    outcome: String,
    details: String,
}

/// Forgets the outcomes of a pass that did not write.
pub async fn forget_rows(tx: &mut Tx, id: Uuid) -> Result<(), StoreError> {
    let sql = "DELETE FROM import_row WHERE import_id = $1";
    on!(tx, |c| sqlx::query(sql).bind(id).execute(c).await.map(drop))?;
    Ok(())
}

/// Outcomes after line `after`, in the file's order; of one kind, or of all.
pub async fn rows(
    tx: &mut Tx,
    id: Uuid,
    outcome: Option<OutcomeName>,
    after: i64,
    limit: i64,
) -> Result<Vec<RowReport>, StoreError> {
    let raw: Vec<RawRow> = if let Some(outcome) = outcome {
        let sql = "SELECT line, outcome, details FROM import_row WHERE import_id = $1 AND outcome = $2 AND line > $3 \
                   ORDER BY line LIMIT $4";
        let outcome = outcome.as_str();
        on!(tx, |c| sqlx::query_as(sql).bind(id).bind(outcome).bind(after).bind(limit).fetch_all(c).await)?
    } else {
        let sql = "SELECT line, outcome, details FROM import_row WHERE import_id = $1 AND line > $2 \
                   ORDER BY line LIMIT $3";
        on!(tx, |c| sqlx::query_as(sql).bind(id).bind(after).bind(limit).fetch_all(c).await)?
    };
    raw.into_iter()
        .map(|raw| {
            Ok(RowReport {
                line: raw.line,
                outcome: parsed("import_row.outcome", &raw.outcome)?,
                details: from_json("import_row.details", &raw.details)?,
            })
        })
        .collect()
}
