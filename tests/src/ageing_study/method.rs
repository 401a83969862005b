//! Ways to say of a device that it will need a repair: Cartable's advice, and three that need no Cartable.

use cartable_common::{
    UtcMillis,
    report::{HealthReport, SelfAssessment},
};
use cartable_server::domain::{
    battery,
    disposition::{Disposition, disposition_of},
    fitness::Facts,
    policy::Policy,
};

/// How many there are.
pub const METHODS: usize = 4;

/// One answer of each method, in the order of [`NAMES`].
pub type Each<T> = [T; METHODS];

/// Their names.
pub const NAMES: Each<&str> = [
    "Cartable's advice is not \"lend again\"",
    "age over 5 years",
    "SMART status",
    "SMART status or battery under 60%",
];

/// The age at which the baseline of age speaks, in years.
const OLD_YEARS: f64 = 5.0;
/// What a battery must hold for the baseline of battery, in percent.
const BATTERY_PERCENT: u8 = 60;

/// What each method says of a device that is `years` old, knows these `facts` of it and read `report` last.
pub fn alarms(facts: &Facts, report: Option<&HealthReport>, years: f64, policy: &Policy, now: UtcMillis) -> Each<bool> {
    let smart = report.is_some_and(status_failed);
    let weak = report.is_some_and(|report| {
        let read = report.batteries.iter().filter_map(battery::health_percent);
        read.map(|health| health.percent.get()).min().is_some_and(|percent| percent < BATTERY_PERCENT)
    });
    let cartable = disposition_of(facts, policy, now) != Disposition::Relend;
    [cartable, years > OLD_YEARS, smart, smart || weak]
}

fn status_failed(report: &HealthReport) -> bool {
    report.drives.iter().any(|drive| drive.self_assessment == Some(SelfAssessment::Failed))
}
