//! Devices in a test's database and check-ins from them, below the gateway: for tests of the store and the ingest.

use cartable_common::{
    Bytes, DeviceId, EnrolmentId, ReportId, Text, UtcMillis,
    protocol::{CheckInRequest, ReportEnvelope},
    report::{Drive, Hardware, HealthReport, OsFamily, SelfAssessment, Volume, VolumeRole},
};
use cartable_server::{
    domain::{
        device::DeviceStatus,
        policy::{LivePolicy, Policy},
    },
    store::{
        Store,
        device::{self, NewDevice},
        ingest::{CheckIn, Ingest},
    },
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use crate::raw::Raw;

/// A Tuesday of term, 2026-11-24 12:00 UTC.
pub const NOON: i64 = 1_795_521_600_000;

/// `NOON` and some days, hours and minutes.
pub fn at(days: i64, hours: i64, minutes: i64) -> UtcMillis {
    UtcMillis::new(NOON).unwrap_or_default().plus_millis(((days * 24 + hours) * 60 + minutes) * 60_000)
}

/// A device in service and the enrolment that speaks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// The device.
    pub device: DeviceId,
    /// The enrolment.
    pub enrolment: EnrolmentId,
}

/// Records a device in service, enrolled at `now`.
pub async fn enrol(store: &Store, url: &str, site: Option<Uuid>, now: UtcMillis) -> anyhow::Result<Enrolled> {
    let enrolled = Enrolled { device: DeviceId(Uuid::new_v4()), enrolment: EnrolmentId(Uuid::new_v4()) };
    let mut tx = store.write().await?;
    let new = NewDevice {
        id: enrolled.device,
        status: DeviceStatus::Active,
        hardware: Hardware::default(),
        asset_tag: None,
        programme: None,
        site,
        enrolled_at: Some(now),
    };
    device::insert(&mut tx, &new, now).await?;
    tx.commit().await?;
    let mut raw = Raw::connect(url).await?;
    let sql = format!(
        "INSERT INTO enrolment (id, device_id, request_id, spki_sha256, status, created_at) \
         VALUES ({0}, {1}, {0}, {2}, 'active', {3})",
        raw.uuid(enrolled.enrolment.0),
        raw.uuid(enrolled.device.0),
        raw.bytes(enrolled.enrolment.0.as_bytes()),
        now,
    );
    raw.execute(&sql).await?;
    Ok(enrolled)
}

/// A running ingest that stops with the test.
#[derive(Debug)]
pub struct RunningIngest {
    /// The ingest.
    pub ingest: Ingest,
    tracker: TaskTracker,
    shutdown: CancellationToken,
}

impl RunningIngest {
    /// Starts an ingest with the default policy.
    pub fn start(store: &Store) -> Self {
        let (tracker, shutdown) = (TaskTracker::new(), CancellationToken::new());
        let ingest = Ingest::start(store.clone(), LivePolicy::new(Policy::default()), &tracker, shutdown.clone());
        Self { ingest, tracker, shutdown }
    }

    /// Stops it as a server does at its end, after what waits is written.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

impl Enrolled {
    /// A check-in at `now`, from an agent whose clock is right.
    pub fn check_in(self, now: UtcMillis, reports: Vec<ReportEnvelope>) -> CheckIn {
        CheckIn {
            device_id: self.device,
            enrolment_id: self.enrolment,
            received_at: now,
            request: CheckInRequest { reports, ..CheckInRequest::bare(Text::clean("0.1.0"), now) },
        }
    }
}

/// A report with a new identifier.
pub fn envelope(sequence: u64, measured_at: UtcMillis, report: HealthReport) -> ReportEnvelope {
    ReportEnvelope { report_id: ReportId(Uuid::new_v4()), sequence, measured_at, report }
}

/// A healthy laptop with `free` percent of its system volume left.
pub fn laptop(free: u64) -> HealthReport {
    const VOLUME: u64 = 256_000_000_000;
    let mut report = HealthReport::default();
    report.hardware.manufacturer = Text::meaningful("Lenovo");
    report.hardware.model = Text::meaningful("ThinkPad L13 Gen 2");
    report.memory.total_bytes = Bytes::new(8 << 30);
    report.operating_system.family = Some(OsFamily::Linux);
    report.operating_system.name = Text::meaningful("debian");
    report.operating_system.version = Text::meaningful("13");
    report.volumes.push(Volume {
        role: Some(VolumeRole::System),
        total_bytes: Bytes::new(VOLUME),
        available_bytes: Bytes::new(VOLUME / 100 * free),
        ..Volume::default()
    });
    report.drives.push(Drive {
        model: Text::meaningful("KBG40ZNV256G"),
        serial_number: cartable_common::SerialNumber::parse("91FPC0A0PQSL").into(),
        capacity_bytes: Bytes::new(VOLUME),
        self_assessment: Some(SelfAssessment::Passed),
        ..Drive::default()
    });
    report
}
