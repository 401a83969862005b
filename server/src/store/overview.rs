//! The figures of the overview: totals from maintained counters, and when devices were last heard from.

use cartable_common::UtcMillis;

use super::{StoreError, Tx, clause::Clause, device_list::parsed};
use crate::domain::{device::DeviceStatus, flag::FlagCode, flag::Severity, scope::Scope};

/// Hours of check-ins that the overview draws.
pub const HOURS: i64 = 48;
/// Days of last contacts that the overview tells apart; what is older is one figure.
pub const DAYS: i64 = 30;

/// The figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// Devices in service by status.
    pub by_status: Vec<(DeviceStatus, i64)>,
    /// Archived devices.
    pub archived: i64,
    /// Open flags by code.
    pub by_code: Vec<(FlagCode, i64)>,
    /// Devices by their worst open flag.
    pub by_severity: Vec<(Severity, i64)>,
    /// Check-ins per hour: the last [`HOURS`] hours, oldest first, hours without any included. Absent for a person
    /// who does not see the whole programme: the figure is not kept by site.
    pub hourly: Option<Vec<Hour>>,
    /// When active devices were last heard from.
    pub last_heard: LastHeard,
}

/// One hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour {
    /// Its first moment.
    pub starts: UtcMillis,
    /// Contacts in it.
    pub check_ins: i64,
    /// Reports in them.
    pub reports: i64,
}

/// Active devices by the age of their last contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastHeard {
    /// Today or yesterday.
    pub fresh: i64,
    /// In the last week, before that.
    pub week: i64,
    /// In the last [`DAYS`] days, before that.
    pub month: i64,
    /// Longer ago.
    pub older: i64,
    /// Never.
    pub never: i64,
}

impl Overview {
    /// Devices in service.
    pub fn devices(&self) -> i64 {
        self.by_status.iter().map(|(_, count)| count).sum()
    }
}

/// Reads the figures.
pub async fn read(tx: &mut Tx, scope: &Scope, now: UtcMillis) -> Result<Overview, StoreError> {
    let mut overview = Overview {
        hourly: if *scope == Scope::Everything { Some(hourly(tx, now).await?) } else { None },
        last_heard: last_heard(tx, scope, now).await?,
        ..Overview::default()
    };
    for total in totals(tx, scope).await? {
        match (total.name.as_str(), total.key.as_str()) {
            ("device_status", "archived") => overview.archived = total.value,
            ("device_status", status) => overview.by_status.push((parsed("device status", status)?, total.value)),
            ("flag_code", code) => overview.by_code.push((parsed("flag code", code)?, total.value)),
            ("flag_severity", key) => {
                let severity = key.parse().ok().and_then(|number: i64| Severity::try_from(number).ok());
                overview.by_severity.extend(severity.map(|severity| (severity, total.value)));
            }
            // A total that a newer version keeps.
            _ => {}
        }
    }
    overview.by_status.sort_unstable();
    overview.by_code.sort_unstable_by_key(|(code, count)| (-count, *code));
    overview.by_severity.sort_unstable_by(|one, other| other.cmp(one));
    Ok(overview)
}

#[derive(sqlx::FromRow)]
struct TotalRow {
    name: String,
    key: String,
    value: i64,
}

async fn totals(tx: &mut Tx, scope: &Scope) -> Result<Vec<TotalRow>, StoreError> {
    // PostgreSQL's sum of BIGINT is a NUMERIC.
    let mut clause = Clause::new("SELECT name, key, CAST(SUM(value) AS BIGINT) AS value FROM counter WHERE 1 = 1");
    clause.within("site_id", scope).sql(" GROUP BY name, key");
    clause.rows(tx).await
}

#[derive(sqlx::FromRow)]
struct HourRow {
    hour: i64,
    check_ins: i64,
    reports: i64,
}

async fn hourly(tx: &mut Tx, now: UtcMillis) -> Result<Vec<Hour>, StoreError> {
    const HOUR: i64 = 3_600_000;
    let current = now.get() / HOUR;
    let first = current - HOURS + 1;
    let mut clause = Clause::new("SELECT hour, check_ins, reports FROM contact_hourly WHERE hour >= ");
    clause.value(first).sql(" AND hour <= ").value(current);
    let rows: Vec<HourRow> = clause.rows(tx).await?;
    let hour = |number: i64| {
        let row = rows.iter().find(|row| row.hour == number);
        Hour {
            starts: UtcMillis::new(number * HOUR).unwrap_or_default(),
            check_ins: row.map_or(0, |row| row.check_ins),
            reports: row.map_or(0, |row| row.reports),
        }
    };
    Ok((first..=current).map(hour).collect())
}

#[derive(sqlx::FromRow)]
struct HeardRow {
    age: i64,
    devices: i64,
}

async fn last_heard(tx: &mut Tx, scope: &Scope, now: UtcMillis) -> Result<LastHeard, StoreError> {
    let today = now.day_number();
    // `|| ''` keeps SQLite from the status's index: nearly all devices are active, and reading through is faster.
    let mut clause = Clause::new("SELECT CAST(CASE WHEN last_contact_day IS NULL THEN 4 WHEN last_contact_day >= ");
    clause.value(today - 1).sql(" THEN 0 WHEN last_contact_day >= ").value(today - 7);
    clause.sql(" THEN 1 WHEN last_contact_day >= ").value(today - DAYS).sql(" THEN 2 ELSE 3 END AS BIGINT) AS age, ");
    clause.sql("count(*) AS devices FROM device WHERE status || '' = 'active' AND archived_at IS NULL");
    clause.within("site_id", scope).sql(" GROUP BY 1");
    let rows: Vec<HeardRow> = clause.rows(tx).await?;
    let of = |age| rows.iter().filter(|row| row.age == age).map(|row| row.devices).sum();
    Ok(LastHeard { fresh: of(0), week: of(1), month: of(2), older: of(3), never: of(4) })
}
