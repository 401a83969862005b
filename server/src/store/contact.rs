//! The last contact of each device: one narrow row, updated in place by every check-in.

use cartable_common::{DeviceId, EnrolmentId, UtcMillis};
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    rows::{Cell, Rows, Type},
    value::moment,
};

/// When a device was last heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The enrolment that spoke.
    pub enrolment_id: EnrolmentId,
    /// The first contact ever; to the day after 30 days.
    pub first_at: UtcMillis,
    /// The last contact; to the day after 30 days.
    pub last_at: UtcMillis,
    /// How many check-ins there were.
    pub check_ins: i64,
    /// The agent's clock minus the server's, in milliseconds.
    pub skew_millis: i64,
    /// The agent's version.
    pub agent_version: String,
    /// The content that the server holds.
    pub content_hash: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Raw {
    enrolment_id: Uuid,
    first_at: i64,
    last_at: i64,
    check_ins: i64,
    skew_millis: i64,
    agent_version: String,
    content_hash: Option<String>,
}

/// The contact of one device. The caller has checked that it may see the device.
pub(crate) async fn of_device(tx: &mut Tx, device: DeviceId) -> Result<Option<Contact>, StoreError> {
    let sql = "SELECT enrolment_id, first_at, last_at, check_ins, skew_millis, agent_version, content_hash \
               FROM contact WHERE device_id = $1";
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(device.0).fetch_optional(c).await)?;
    raw.map(|raw| {
        Ok(Contact {
            enrolment_id: EnrolmentId(raw.enrolment_id),
            first_at: moment("contact.first_at", raw.first_at)?,
            last_at: moment("contact.last_at", raw.last_at)?,
            check_ins: raw.check_ins,
            skew_millis: raw.skew_millis,
            agent_version: raw.agent_version,
            content_hash: raw.content_hash,
        })
    })
    .transpose()
}

/// What a batch of check-ins says about one device.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) device: Uuid,
    pub(crate) enrolment: Uuid,
    pub(crate) first_at: UtcMillis,
    pub(crate) last_at: UtcMillis,
    pub(crate) check_ins: i64,
    pub(crate) skew_millis: i64,
    pub(crate) agent_version: String,
    /// Only when it changed.
    pub(crate) content_hash: Option<String>,
}

/// Writes what was heard, one statement for all devices.
pub(crate) async fn record(tx: &mut Tx, heard: impl Iterator<Item = &Heard>) -> Result<(), StoreError> {
    let mut rows = Rows::new([
        ("device_id", Type::Uuid),
        ("enrolment_id", Type::Uuid),
        ("first_at", Type::Int),
        ("last_at", Type::Int),
        ("check_ins", Type::Int),
        ("skew_millis", Type::Int),
        ("agent_version", Type::Text),
        ("content_hash", Type::Text),
    ]);
    for one in heard {
        rows.push([
            one.device.into(),
            one.enrolment.into(),
            one.first_at.get().into(),
            one.last_at.get().into(),
            one.check_ins.into(),
            one.skew_millis.into(),
            one.agent_version.as_str().into(),
            Cell::from(one.content_hash.as_deref()),
        ]);
    }
    // Several server processes may hear one device at once: only what this one knows better is overwritten.
    let sql = "INSERT INTO contact (device_id, enrolment_id, first_at, last_at, check_ins, skew_millis, \
               agent_version, content_hash) \
               SELECT device_id, enrolment_id, first_at, last_at, check_ins, skew_millis, agent_version, content_hash \
               FROM {rows} WHERE true \
               ON CONFLICT (device_id) DO UPDATE SET enrolment_id = excluded.enrolment_id, \
               last_at = CASE WHEN excluded.last_at > contact.last_at THEN excluded.last_at ELSE contact.last_at END, \
               check_ins = contact.check_ins + excluded.check_ins, skew_millis = excluded.skew_millis, \
               agent_version = excluded.agent_version, \
               content_hash = COALESCE(excluded.content_hash, contact.content_hash)";
    rows.execute(tx, sql).await?;
    Ok(())
}

/// Check-ins and reports of one hour, for the overview.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Hour {
    /// Whole hours since 1970-01-01 UTC.
    pub hour: i64,
    /// Check-ins of all devices.
    pub check_ins: i64,
    /// Reports that were new.
    pub reports: i64,
}

/// Milliseconds in an hour.
pub const HOUR_MILLIS: i64 = 60 * 60 * 1000;

/// Adds to the totals of some hours.
pub(crate) async fn count(tx: &mut Tx, hours: impl Iterator<Item = Hour>) -> Result<(), StoreError> {
    let mut rows = Rows::new([("hour", Type::Int), ("check_ins", Type::Int), ("reports", Type::Int)]);
    for hour in hours {
        rows.push([hour.hour.into(), hour.check_ins.into(), hour.reports.into()]);
    }
    let sql = "INSERT INTO contact_hourly (hour, check_ins, reports) SELECT hour, check_ins, reports FROM {rows} \
               WHERE true ON CONFLICT (hour) DO UPDATE SET check_ins = contact_hourly.check_ins + excluded.check_ins, \
               reports = contact_hourly.reports + excluded.reports";
    rows.execute(tx, sql).await?;
    Ok(())
}

/// The hours from `since` on, oldest first; hours without contact are absent. Totals of the whole programme: they name
/// no device, so they take no scope.
pub async fn hours(tx: &mut Tx, since: UtcMillis) -> Result<Vec<Hour>, StoreError> {
    let sql = "SELECT hour, check_ins, reports FROM contact_hourly WHERE hour >= $1 ORDER BY hour";
    Ok(on!(tx, |c| sqlx::query_as(sql).bind(since.get() / HOUR_MILLIS).fetch_all(c).await)?)
}
