//! The few values of a device that its fitness and its disposition rest on. They are stored beside the advice, so that
//! a fleet can be judged again under another policy without reading its reports.

use cartable_common::{
    UtcMillis,
    report::{Chassis, HealthReport, Switch, VolumeRole},
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::processor;
use crate::domain::{
    battery::{self, Batteries},
    drive,
    facts::HealthFacts,
    grade::Grade,
    loan::{Condition, LendingState},
    os_support, paris,
    policy::Policy,
    verdict::Verdict,
};

/// What is known of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// When it was first recorded: it is at least as old.
    pub recorded_at: UtcMillis,
    /// The last day of the maker's warranty.
    pub warranty_until: Option<Day>,
    /// Where it is in its lending.
    pub lending: LendingState,
    /// What an inspection found. Staff's word stands above the machine's.
    pub grade: Option<Grade>,
    /// What the desk saw at its last return, while nobody inspected it.
    pub returned: Option<Condition>,
    /// What its agent read.
    pub machine: Option<Machine>,
}

/// What an agent read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The date of the evidence: when it was measured, or last confirmed by a check-in that changed nothing.
    pub evidence_at: UtcMillis,
    /// The processor's name.
    pub processor: Option<String>,
    /// The architecture that the system was made for.
    pub architecture: Option<String>,
    /// Memory that the system can use, in bytes.
    pub memory_bytes: Option<u64>,
    /// The largest drive, or the system volume where no drive told its size, in bytes.
    pub storage_bytes: Option<u64>,
    /// Whether Secure Boot is on.
    pub secure_boot: Option<Switch>,
    /// The major version of the TPM.
    pub tpm_version: Option<u8>,
    /// The verdict on all drives.
    pub drives: Verdict,
    /// What is left of the batteries.
    pub battery: BatteryRead,
    /// The operating system's name, where its end of support is known, and that day.
    pub support: Option<(String, Day)>,
}

/// A civil day, stored as `2026-11-24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(pub Date);

impl TryFrom<String> for Day {
    type Error = jiff::Error;
    fn try_from(text: String) -> Result<Self, jiff::Error> {
        text.parse().map(Self)
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.0.to_string()
    }
}

/// What was read of a machine's batteries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatteryRead {
    /// It runs on mains alone.
    NoneExpected,
    /// The weakest one's share of its design capacity, in percent.
    Left(u8),
    /// It was looked for and there is none.
    Gone,
    /// Staff found it swollen, whatever it says of itself.
    Swollen,
    /// Nothing usable was read.
    NotRead,
}

impl Machine {
    /// What `health` says.
    #[must_use]
    pub fn of(health: &HealthFacts<'_>, policy: &Policy) -> Self {
        let report = health.report;
        let firmware = &report.firmware;
        Self {
            evidence_at: health.evidence_at(),
            processor: report.processor.model.as_ref().map(ToString::to_string),
            architecture: report.operating_system.architecture.as_ref().map(ToString::to_string),
            memory_bytes: report.memory.total_bytes.map(cartable_common::Bytes::get),
            storage_bytes: storage(report),
            secure_boot: firmware.secure_boot.filter(|switch| *switch != Switch::Unknown),
            tpm_version: firmware.tpm_version,
            drives: drive::worst(report, health.past, health.history_until(), policy),
            battery: battery_of(report, policy),
            support: os_support::support(&report.operating_system, &policy.os)
                .map(|found| (found.name, Day(found.until_if_education.unwrap_or(found.until)))),
        }
    }
}

fn storage(report: &HealthReport) -> Option<u64> {
    let drives = report.drives.iter().filter_map(|drive| drive.capacity_bytes);
    let volumes = report.volumes.iter().filter(|volume| volume.role == Some(VolumeRole::System));
    drives.max().or_else(|| volumes.filter_map(|volume| volume.total_bytes).max()).map(cartable_common::Bytes::get)
}

fn battery_of(report: &HealthReport, policy: &Policy) -> BatteryRead {
    match battery::known(report, policy) {
        Batteries::NoneExpected(_) => BatteryRead::NoneExpected,
        // Of a kind that is not known, nobody knows whether it ought to have one.
        Batteries::NoneFound if matches!(report.hardware.chassis, Some(Chassis::Laptop | Chassis::Tablet)) => {
            BatteryRead::Gone
        }
        // One that did not tell is not taken for healthy; a weak one that told is not hidden by it.
        Batteries::NoneFound | Batteries::NotRead | Batteries::Judged(Verdict::Unknown) => BatteryRead::NotRead,
        Batteries::Judged(_) => {
            let read = report.batteries.iter().filter_map(battery::health_percent);
            read.map(|health| health.percent.get()).min().map_or(BatteryRead::NotRead, BatteryRead::Left)
        }
    }
}

/// Years in months.
const YEAR: i64 = 12;

impl Facts {
    /// Its least age in whole months at `now`, and which evidence says so.
    #[must_use]
    pub fn least_age(&self, policy: &Policy, now: UtcMillis) -> (i64, AgeFrom) {
        let today = paris::date(now);
        let recorded = (months(paris::date(self.recorded_at), today), AgeFrom::Recorded);
        let warranty = self.warranty_until.map(|end| {
            let bought = months(end.0, today) + YEAR * i64::from(policy.disposition.warranty_years);
            (bought, AgeFrom::Warranty)
        });
        let processor = self.machine.as_ref().and_then(|machine| machine.processor.as_deref());
        let sold = processor.and_then(|name| processor::known(name).year).and_then(|year| {
            let last = i16::try_from(policy.disposition.sold_years).ok()?.checked_add(year)?;
            Some((months(Date::new(last, 12, 31).ok()?, today), AgeFrom::Processor))
        });
        [Some(recorded), warranty, sold]
            .into_iter()
            .flatten()
            .max_by_key(|(age, _)| *age)
            .map_or(recorded, |(age, from)| (age.max(0), from))
    }
}

/// What a least age is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgeFrom {
    /// The day on which it was first recorded.
    Recorded,
    /// The end of its warranty.
    Warranty,
    /// The years in which machines with its processor were sold.
    Processor,
}

/// Whole months from `from` to `to`, negative where `to` comes before.
#[must_use]
pub fn months(from: Date, to: Date) -> i64 {
    let whole =
        (i64::from(to.year()) - i64::from(from.year())) * YEAR + i64::from(to.month()) - i64::from(from.month());
    whole - i64::from(to.day() < from.day())
}
