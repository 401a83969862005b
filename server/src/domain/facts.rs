//! What the rules know of one device: the values the store hands to [`super::rules::evaluate`].

use cartable_common::{
    Bytes, UtcMillis,
    report::{Drive, HealthReport},
};
use serde::{Deserialize, Serialize};

use super::device::DeviceStatus;
pub use super::school_calendar::Zone;

/// One device as the rules see it.
#[derive(Clone, Copy, Debug)]
pub struct DeviceFacts<'a> {
    /// Its state in the programme.
    pub status: DeviceStatus,
    /// Whether it was archived: nothing is said about such a device any more.
    pub archived: bool,
    /// When it was first recorded.
    pub created_at: UtcMillis,
    /// When an agent was last enrolled on it.
    pub enrolled_at: Option<UtcMillis>,
    /// Its last contact, by the server's clock.
    pub last_contact: Option<UtcMillis>,
    /// Its clock minus the server's, at the last contact.
    pub skew_millis: Option<i64>,
    /// The school zone of its site; without one, only holidays that all zones share are left out.
    pub zone: Option<Zone>,
    /// Its current health.
    pub health: Option<HealthFacts<'a>>,
    /// The memory and drives that staff know.
    pub baseline: Option<&'a Baseline>,
}

/// The current report and its moments.
#[derive(Clone, Copy, Debug)]
pub struct HealthFacts<'a> {
    /// The report.
    pub report: &'a HealthReport,
    /// When it was measured, by the device's clock.
    pub measured_at: UtcMillis,
    /// When it arrived, by the server's clock.
    pub received_at: UtcMillis,
}

impl HealthFacts<'_> {
    /// The date of the evidence: the device's own time where it is believable, else the time of arrival.
    #[must_use]
    pub fn evidence_at(&self) -> UtcMillis {
        const LONGEST_SPOOL: i64 = 120 * UtcMillis::DAY;
        let waited = self.received_at.millis_since(self.measured_at);
        if (0..=LONGEST_SPOOL).contains(&waited) { self.measured_at } else { self.received_at }
    }
}

/// Memory and drives as first seen, or as staff last accepted them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<Bytes>,
    /// The drives.
    #[serde(default)]
    pub drives: Vec<BaselineDrive>,
}

/// A drive as it was known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineDrive {
    /// Its serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Its model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Bytes>,
}

impl Baseline {
    /// What `report` shows.
    #[must_use]
    pub fn of(report: &HealthReport) -> Self {
        Self { memory_bytes: report.memory.total_bytes, drives: report.drives.iter().map(BaselineDrive::of).collect() }
    }
}

impl BaselineDrive {
    /// What identifies `drive`.
    #[must_use]
    pub fn of(drive: &Drive) -> Self {
        Self {
            serial: drive.serial_number.get().map(ToString::to_string),
            model: drive.model.as_ref().map(ToString::to_string),
            capacity: drive.capacity_bytes,
        }
    }
}
