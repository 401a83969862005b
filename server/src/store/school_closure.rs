//! Days without school, as imported from the Ministry's calendars: they come on top of what the program knows.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    value::{day, day_number, moment, parsed},
};
use crate::domain::{
    ical::Holiday,
    school_calendar::{Closure, Zone},
};

/// Imported days without school.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosureRow {
    /// The days, and the zone.
    pub closure: Closure,
    /// What the calendar calls them.
    pub label: String,
    /// The file they came from.
    pub source: String,
    /// When.
    pub imported_at: UtcMillis,
}

#[derive(sqlx::FromRow)]
struct Raw {
    academic_zone: Option<String>,
    first_day: i64,
    last_day: i64,
    label: String,
    source: String,
    imported_at: i64,
}

impl Raw {
    fn read(self) -> Result<ClosureRow, StoreError> {
        let zone = self.academic_zone.map(|zone| parsed("school_closure.academic_zone", &zone)).transpose()?;
        let (first, last) =
            (day("school_closure.first_day", self.first_day)?, day("school_closure.last_day", self.last_day)?);
        Ok(ClosureRow {
            closure: Closure { zone, first, last },
            label: self.label,
            source: self.source,
            imported_at: moment("school_closure.imported_at", self.imported_at)?,
        })
    }
}

/// Stores the holidays of a zone in the place of all that were imported for it between their first and their last day:
/// the same file twice changes nothing, a corrected one corrects.
pub async fn import(
    tx: &mut Tx,
    zone: Zone,
    holidays: &[Holiday],
    source: &str,
    now: UtcMillis,
) -> Result<(), StoreError> {
    let first = holidays.iter().map(|one| day_number(one.closure.first)).min().unwrap_or_default();
    let last = holidays.iter().map(|one| day_number(one.closure.last)).max().unwrap_or_default();
    let sql = "DELETE FROM school_closure WHERE academic_zone = $1 AND first_day <= $3 AND last_day >= $2";
    on!(tx, |c| sqlx::query(sql).bind(zone.as_str()).bind(first).bind(last).execute(c).await.map(drop))?;
    let sql = "INSERT INTO school_closure (id, academic_zone, first_day, last_day, label, source, imported_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    for one in holidays {
        on!(tx, |c| {
            sqlx::query(sql)
                .bind(Uuid::now_v7())
                .bind(zone.as_str())
                .bind(day_number(one.closure.first))
                .bind(day_number(one.closure.last))
                .bind(one.label.as_str())
                .bind(source)
                .bind(now.get())
                .execute(c)
                .await
                .map(drop)
        })?;
    }
    Ok(())
}

/// All that was imported, by zone and day.
pub async fn list(tx: &mut Tx) -> Result<Vec<ClosureRow>, StoreError> {
    let sql = "SELECT academic_zone, first_day, last_day, label, source, imported_at FROM school_closure \
               ORDER BY academic_zone, first_day, id";
    let raw: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    raw.into_iter().map(Raw::read).collect()
}

/// The days of all that was imported.
pub async fn closures(tx: &mut Tx) -> Result<Vec<Closure>, StoreError> {
    Ok(list(tx).await?.into_iter().map(|row| row.closure).collect())
}
