//! What a device was like before: one row for each change of its content, and a few numbers for each day.

use std::collections::HashMap;

use cartable_common::{DeviceId, ReportId, UtcMillis};
use uuid::Uuid;

use super::{
    StoreError, Tx, device, on,
    rows::{Cell, Rows, Type},
    value::moment,
};
use crate::domain::{
    change::Change,
    daily::DailyFigures,
    drive::history::{Level, levels_of_change},
    policy::Policy,
    scope::Scope,
};

/// Most changes that one page shows.
const CHANGES_SHOWN: i64 = 200;

/// One change of a device's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRow {
    /// When the server learned of it, or when the inventory was made that a person brought; to the day after 30 days.
    pub received_at: UtcMillis,
    /// When it was measured, by the agent's clock less its skew; for people.
    pub measured_at: UtcMillis,
    /// The report that told.
    pub report_id: ReportId,
    /// What changed.
    pub change: Change,
}

#[derive(sqlx::FromRow)]
struct RawChange {
    received_at: i64,
    measured_at: i64,
    report_id: Uuid,
    path: String,
    before: Option<String>,
    after: Option<String>,
}

/// The newest changes of a device, newest first; empty for a device outside `scope`.
pub async fn changes_of(tx: &mut Tx, scope: &Scope, id: DeviceId) -> Result<Vec<ChangeRow>, StoreError> {
    if device::find(tx, scope, id).await?.is_none() {
        return Ok(Vec::new());
    }
    let sql = "SELECT received_at, measured_at, report_id, path, before, after FROM health_change \
               WHERE device_id = $1 ORDER BY received_at DESC, measured_at DESC, path LIMIT $2";
    let rows: Vec<RawChange> = on!(tx, |c| sqlx::query_as(sql).bind(id.0).bind(CHANGES_SHOWN).fetch_all(c).await)?;
    rows.into_iter()
        .map(|raw| {
            Ok(ChangeRow {
                received_at: moment("health_change.received_at", raw.received_at)?,
                measured_at: moment("health_change.measured_at", raw.measured_at)?,
                report_id: ReportId(raw.report_id),
                change: Change { path: raw.path, before: raw.before, after: raw.after },
            })
        })
        .collect()
}

/// The figures of one day of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// Whole days since 1970-01-01 UTC.
    pub day: i64,
    /// The day's last figures.
    pub figures: DailyFigures,
}

#[derive(sqlx::FromRow)]
struct RawDay {
    day: i64,
    system_volume_available_percent: Option<i64>,
    drive_wear_percent: Option<i64>,
    battery_health_percent: Option<i64>,
    hottest_celsius: Option<i64>,
}

/// A device's days from `from_day` on, oldest first; empty for a device outside `scope`.
pub async fn daily_of(tx: &mut Tx, scope: &Scope, id: DeviceId, from_day: i64) -> Result<Vec<Day>, StoreError> {
    if device::find(tx, scope, id).await?.is_none() {
        return Ok(Vec::new());
    }
    let sql = "SELECT day, system_volume_available_percent, drive_wear_percent, battery_health_percent, \
               hottest_celsius FROM health_daily WHERE device_id = $1 AND day >= $2 ORDER BY day";
    let rows: Vec<RawDay> = on!(tx, |c| sqlx::query_as(sql).bind(id.0).bind(from_day).fetch_all(c).await)?;
    let day = |raw: RawDay| Day {
        day: raw.day,
        figures: DailyFigures {
            system_volume_available_percent: raw.system_volume_available_percent,
            drive_wear_percent: raw.drive_wear_percent,
            battery_health_percent: raw.battery_health_percent,
            hottest_celsius: raw.hottest_celsius,
        },
    };
    Ok(rows.into_iter().map(day).collect())
}

#[derive(sqlx::FromRow)]
struct RawLevel {
    device_id: Uuid,
    measured_at: i64,
    path: String,
    before: Option<String>,
    after: Option<String>,
}

/// What the drives of some devices counted before, from the changes received since `since`, by device.
///
/// Only the paths of counts are read; a range of the primary key, on PostgreSQL of the last months' partitions.
pub(crate) async fn drive_levels(
    tx: &mut Tx,
    devices: &[Uuid],
    since: UtcMillis,
) -> Result<HashMap<Uuid, Vec<Level>>, StoreError> {
    let mut rows = Rows::new([("id", Type::Uuid), ("since", Type::Int)]);
    for device in devices {
        rows.push([(*device).into(), since.get().into()]);
    }
    let sql = "SELECT h.device_id, h.measured_at, h.path, h.before, h.after FROM {rows} \
               JOIN health_change h ON h.device_id = r.id AND h.received_at >= r.since \
               WHERE h.path LIKE 'drives[%].raw' OR h.path LIKE 'drives[%].nvme.media_errors'";
    let raw: Vec<RawLevel> = rows.fetch(tx, sql).await?;
    let mut levels: HashMap<Uuid, Vec<Level>> = HashMap::new();
    for one in raw {
        let at = moment("health_change.measured_at", one.measured_at)?;
        let found = levels_of_change(&one.path, one.before.as_deref(), one.after.as_deref(), at);
        levels.entry(one.device_id).or_default().extend(found);
    }
    Ok(levels)
}

/// A change to store.
#[derive(Clone, Debug)]
pub(crate) struct NewChange {
    pub(crate) device: Uuid,
    pub(crate) report_id: Uuid,
    /// As in [`ChangeRow`]: an inventory that is brought later says nothing of its drives after it was made.
    pub(crate) received_at: UtcMillis,
    pub(crate) measured_at: UtcMillis,
    pub(crate) change: Change,
}

impl NewChange {
    /// What a drive counted before and after it.
    pub(crate) fn levels(&self) -> Vec<Level> {
        let Change { path, before, after } = &self.change;
        levels_of_change(path, before.as_deref(), after.as_deref(), self.measured_at)
    }
}

/// Days of history that rules look at: twice the window of growth, so that a level which stood when the window opened is
/// known by the change that left it.
pub(crate) fn days_looked_at(policy: &Policy) -> i64 {
    2 * i64::from(policy.drive.growth_days)
}

/// Stores changes, one statement for all.
pub(crate) async fn add_changes(tx: &mut Tx, changes: Vec<NewChange>) -> Result<(), StoreError> {
    let mut rows = Rows::new([
        ("device_id", Type::Uuid),
        ("received_at", Type::Int),
        ("report_id", Type::Uuid),
        ("path", Type::Text),
        ("measured_at", Type::Int),
        ("before", Type::Text),
        ("after", Type::Text),
    ]);
    for one in changes {
        rows.push([
            one.device.into(),
            one.received_at.get().into(),
            one.report_id.into(),
            one.change.path.into(),
            one.measured_at.get().into(),
            Cell::from(one.change.before),
            Cell::from(one.change.after),
        ]);
    }
    // A path stands once in a comparison; were it ever there twice, the report must not be lost for it.
    let sql = "INSERT INTO health_change (device_id, received_at, report_id, path, measured_at, before, after) \
               SELECT device_id, received_at, report_id, path, measured_at, before, after FROM {rows} WHERE true \
               ON CONFLICT (device_id, received_at, report_id, path) DO NOTHING";
    rows.execute(tx, sql).await?;
    Ok(())
}

/// Figures to store. Each (device, day) stands once in a call.
#[derive(Clone, Debug)]
pub(crate) struct NewDay {
    pub(crate) device: Uuid,
    pub(crate) measured_at: UtcMillis,
    pub(crate) figures: DailyFigures,
}

/// Stores figures, one statement for all. The day's last measurement wins, in whatever order they arrive.
pub(crate) async fn add_days(tx: &mut Tx, days: impl Iterator<Item = NewDay>) -> Result<(), StoreError> {
    let mut rows = Rows::new([
        ("device_id", Type::Uuid),
        ("day", Type::Int),
        ("measured_at", Type::Int),
        ("available", Type::Int),
        ("wear", Type::Int),
        ("battery", Type::Int),
        ("hottest", Type::Int),
    ]);
    for one in days {
        rows.push([
            one.device.into(),
            one.measured_at.day_number().into(),
            one.measured_at.get().into(),
            Cell::from(one.figures.system_volume_available_percent),
            Cell::from(one.figures.drive_wear_percent),
            Cell::from(one.figures.battery_health_percent),
            Cell::from(one.figures.hottest_celsius),
        ]);
    }
    let sql = "INSERT INTO health_daily (device_id, day, measured_at, system_volume_available_percent, \
               drive_wear_percent, battery_health_percent, hottest_celsius) \
               SELECT device_id, day, measured_at, available, wear, battery, hottest FROM {rows} WHERE true \
               ON CONFLICT (device_id, day) DO UPDATE SET measured_at = excluded.measured_at, \
               system_volume_available_percent = excluded.system_volume_available_percent, \
               drive_wear_percent = excluded.drive_wear_percent, \
               battery_health_percent = excluded.battery_health_percent, hottest_celsius = excluded.hottest_celsius \
               WHERE excluded.measured_at >= health_daily.measured_at";
    rows.execute(tx, sql).await?;
    Ok(())
}
