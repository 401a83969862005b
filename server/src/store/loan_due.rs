//! Until when a device handed over today is lent, as its programme and the school calendar say.

use jiff::civil::Date;
use uuid::Uuid;

use super::{StoreError, Tx, on, value::parsed};
use crate::domain::{policy::Policy, programme::Programme, school_calendar::Zone};

/// The day on which a loan of `programme` that begins on `start` at `site` is due; none under an open term.
pub async fn suggested(
    tx: &mut Tx,
    programme: &Programme,
    site: Option<Uuid>,
    start: Date,
    policy: &Policy,
) -> Result<Option<Date>, StoreError> {
    let zone = zone_of(tx, site).await?;
    // A fixed day that has passed is no day for a loan that begins now: somebody must choose one.
    Ok(programme.term.due(start, zone, &policy.calendar.closures).filter(|due| *due >= start))
}

async fn zone_of(tx: &mut Tx, site: Option<Uuid>) -> Result<Option<Zone>, StoreError> {
    let Some(site) = site else { return Ok(None) };
    let sql = "SELECT academic_zone FROM site WHERE id = $1";
    let zone: Option<String> = on!(tx, |c| sqlx::query_scalar(sql).bind(site).fetch_optional(c).await)?;
    zone.map(|zone| parsed("site.academic_zone", &zone)).transpose()
}
