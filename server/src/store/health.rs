//! The current state of each device: its newest report by sequence, whole, with typed columns for lists and charts.

use cartable_common::{
    DeviceId, EnrolmentId, ReportId, UtcMillis,
    report::{HealthReport, VolumeRole},
};
use uuid::Uuid;

use super::{
    StoreError, Tx, history,
    rows::{Cell, Rows, Type},
    value::{from_json, moment, parsed},
};
use crate::domain::{
    drive::{self, history::Level},
    facts::HealthFacts,
    policy::Policy,
    verdict::{Judgement, Verdict},
};

/// A device's current state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The enrolment that reported it.
    pub enrolment_id: EnrolmentId,
    /// The report.
    pub report_id: ReportId,
    /// The report's place among those of its enrolment.
    pub sequence: i64,
    /// When it was measured, by the agent's own clock.
    pub measured_at: UtcMillis,
    /// When the server received it; to the day after 30 days.
    pub received_at: UtcMillis,
    /// The hash of its content.
    pub content_hash: String,
    /// The worst verdict on its drives.
    pub drive_verdict: Verdict,
    /// The worst verdict on its batteries.
    pub battery_verdict: Verdict,
    /// The report itself.
    pub report: HealthReport,
    /// What its drives counted before.
    pub past: Vec<Level>,
}

impl Health {
    /// The judgement of each drive, with what it counted before.
    #[must_use]
    pub fn drives(&self, policy: &Policy) -> Vec<Judgement> {
        let facts = HealthFacts {
            report: &self.report,
            measured_at: self.measured_at,
            received_at: self.received_at,
            past: &self.past,
        };
        let judge = |drive| drive::judge_with(drive, facts.past, facts.history_until(), policy);
        self.report.drives.iter().map(judge).collect()
    }
}

#[derive(sqlx::FromRow)]
pub(crate) struct RawHealth {
    pub(crate) device_id: Uuid,
    pub(crate) enrolment_id: Uuid,
    pub(crate) report_id: Uuid,
    pub(crate) sequence: i64,
    pub(crate) measured_at: i64,
    pub(crate) received_at: i64,
    /// When the inventory was made that a person brought, if it is one.
    pub(crate) brought_from: Option<i64>,
    pub(crate) content_hash: String,
    pub(crate) drive_verdict: String,
    pub(crate) battery_verdict: String,
    pub(crate) report: String,
}

impl RawHealth {
    pub(crate) fn report(&self) -> Result<HealthReport, StoreError> {
        from_json("health.report", &self.report)
    }

    /// When its drives were seen: on its arrival; of an inventory that a person brought, when that was made.
    pub(crate) fn shown_at(&self) -> Result<UtcMillis, StoreError> {
        match self.brought_from {
            Some(made_at) => moment("brought_report.made_at", made_at),
            None => moment("health.received_at", self.received_at),
        }
    }

    fn read(self, past: Vec<Level>) -> Result<Health, StoreError> {
        Ok(Health {
            enrolment_id: EnrolmentId(self.enrolment_id),
            report_id: ReportId(self.report_id),
            sequence: self.sequence,
            measured_at: moment("health.measured_at", self.measured_at)?,
            received_at: moment("health.received_at", self.received_at)?,
            drive_verdict: parsed("health.drive_verdict", &self.drive_verdict)?,
            battery_verdict: parsed("health.battery_verdict", &self.battery_verdict)?,
            report: self.report()?,
            content_hash: self.content_hash,
            past,
        })
    }
}

/// The current state of one device. The caller has checked that it may see the device.
pub(crate) async fn of_device(tx: &mut Tx, device: DeviceId) -> Result<Option<Health>, StoreError> {
    let Some(raw) = of_devices(tx, &[device.0]).await?.pop() else { return Ok(None) };
    // One device's whole history of counts is a few rows.
    let past = history::drive_levels(tx, &[device.0], UtcMillis::default()).await?.remove(&device.0);
    raw.read(past.unwrap_or_default()).map(Some)
}

/// The current states of some devices.
pub(crate) async fn of_devices(tx: &mut Tx, devices: &[Uuid]) -> Result<Vec<RawHealth>, StoreError> {
    let sql = "SELECT h.device_id, h.enrolment_id, h.report_id, h.sequence, h.measured_at, h.received_at, \
               b.made_at AS brought_from, h.content_hash, h.drive_verdict, h.battery_verdict, h.report \
               FROM {rows} JOIN health h ON h.device_id = r.id \
               LEFT JOIN brought_report b ON b.device_id = h.device_id AND b.report_id = h.report_id";
    Rows::of_ids(devices.iter().copied()).fetch(tx, sql).await
}

/// A report on its way to become a device's current state.
#[derive(Debug)]
pub(crate) struct NewHealth<'a> {
    pub(crate) device: Uuid,
    pub(crate) enrolment: Uuid,
    pub(crate) report_id: Uuid,
    pub(crate) sequence: i64,
    pub(crate) measured_at: UtcMillis,
    pub(crate) received_at: UtcMillis,
    pub(crate) content_hash: String,
    pub(crate) drive_verdict: Verdict,
    pub(crate) battery_verdict: Verdict,
    pub(crate) report: &'a HealthReport,
    pub(crate) json: &'a str,
}

/// Makes reports the current state of their devices, one statement for all.
pub(crate) async fn set_current(tx: &mut Tx, current: &[NewHealth<'_>]) -> Result<(), StoreError> {
    let mut rows = Rows::new([
        ("device_id", Type::Uuid),
        ("enrolment_id", Type::Uuid),
        ("report_id", Type::Uuid),
        ("sequence", Type::Int),
        ("measured_at", Type::Int),
        ("received_at", Type::Int),
        ("content_hash", Type::Text),
        ("memory_bytes", Type::Int),
        ("system_volume_bytes", Type::Int),
        ("system_volume_available_bytes", Type::Int),
        ("os_name", Type::Text),
        ("os_version", Type::Text),
        ("drive_verdict", Type::Text),
        ("battery_verdict", Type::Text),
        ("report", Type::Text),
    ]);
    for one in current {
        rows.push(cells(one));
    }
    let sql = "INSERT INTO health (device_id, enrolment_id, report_id, sequence, measured_at, received_at, \
               content_hash, memory_bytes, system_volume_bytes, system_volume_available_bytes, os_name, os_version, \
               drive_verdict, battery_verdict, report) \
               SELECT device_id, enrolment_id, report_id, sequence, measured_at, received_at, content_hash, \
               memory_bytes, system_volume_bytes, system_volume_available_bytes, os_name, os_version, drive_verdict, \
               battery_verdict, report FROM {rows} WHERE true \
               ON CONFLICT (device_id) DO UPDATE SET enrolment_id = excluded.enrolment_id, \
               report_id = excluded.report_id, sequence = excluded.sequence, measured_at = excluded.measured_at, \
               received_at = excluded.received_at, content_hash = excluded.content_hash, \
               memory_bytes = excluded.memory_bytes, system_volume_bytes = excluded.system_volume_bytes, \
               system_volume_available_bytes = excluded.system_volume_available_bytes, os_name = excluded.os_name, \
               os_version = excluded.os_version, drive_verdict = excluded.drive_verdict, \
               battery_verdict = excluded.battery_verdict, report = excluded.report";
    rows.execute(tx, sql).await?;
    Ok(())
}

fn cells(one: &NewHealth<'_>) -> [Cell; 15] {
    let system = one.report.volumes.iter().find(|volume| volume.role == Some(VolumeRole::System));
    let bytes = |value: Option<cartable_common::Bytes>| Cell::from(value.map(|bytes| bytes.get().cast_signed()));
    let os = &one.report.operating_system;
    [
        one.device.into(),
        one.enrolment.into(),
        one.report_id.into(),
        one.sequence.into(),
        one.measured_at.get().into(),
        one.received_at.get().into(),
        one.content_hash.as_str().into(),
        bytes(one.report.memory.total_bytes),
        bytes(system.and_then(|volume| volume.total_bytes)),
        bytes(system.and_then(|volume| volume.available_bytes)),
        Cell::from(os.name.as_ref().map(cartable_common::Text::as_str)),
        Cell::from(os.version.as_ref().map(cartable_common::Text::as_str)),
        one.drive_verdict.as_str().into(),
        one.battery_verdict.as_str().into(),
        one.json.into(),
    ]
}
