//! Until when a device handed over today is lent, as its programme and the school calendar say.

use jiff::civil::Date;
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    value::{day, parsed},
};
use crate::domain::{
    policy::Policy,
    programme::Programme,
    school_calendar::{Closure, Zone},
};

#[derive(sqlx::FromRow)]
struct Raw {
    academic_zone: Option<String>,
    first_day: i64,
    last_day: i64,
}

/// The day on which a loan of `programme` that begins on `start` at `site` is due; none under an open term.
pub async fn suggested(
    tx: &mut Tx,
    programme: &Programme,
    site: Option<Uuid>,
    start: Date,
    policy: &Policy,
) -> Result<Option<Date>, StoreError> {
    let zone = zone_of(tx, site).await?;
    let closures = closures(tx, policy).await?;
    // A fixed day that has passed is no day for a loan that begins now: somebody must choose one.
    Ok(programme.term.due(start, zone, &closures).filter(|due| *due >= start))
}

/// Every day without school that is known beyond the program's own table.
pub(super) async fn closures(tx: &mut Tx, policy: &Policy) -> Result<Vec<Closure>, StoreError> {
    let mut closures = policy.calendar.closures.clone();
    closures.extend(imported(tx).await?);
    Ok(closures)
}

async fn zone_of(tx: &mut Tx, site: Option<Uuid>) -> Result<Option<Zone>, StoreError> {
    let Some(site) = site else { return Ok(None) };
    let sql = "SELECT academic_zone FROM site WHERE id = $1";
    let zone: Option<String> = on!(tx, |c| sqlx::query_scalar(sql).bind(site).fetch_optional(c).await)?;
    zone.map(|zone| parsed("site.academic_zone", &zone)).transpose()
}

/// Days without school that were imported.
pub(crate) async fn imported(tx: &mut Tx) -> Result<Vec<Closure>, StoreError> {
    let sql = "SELECT academic_zone, first_day, last_day FROM school_closure";
    let rows: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    rows.into_iter()
        .map(|row| {
            Ok(Closure {
                zone: row.academic_zone.map(|zone| parsed("school_closure.academic_zone", &zone)).transpose()?,
                first: day("school_closure.first_day", row.first_day)?,
                last: day("school_closure.last_day", row.last_day)?,
            })
        })
        .collect()
}
