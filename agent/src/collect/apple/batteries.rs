//! The battery, from its driver (AppleSmartBattery): capacities in milliampere-hours, cycles.

use cartable_common::{
    MilliampHours,
    report::{Battery, Subject, UnreadReason},
};

use super::{Asked, Reading, Row};

/// Newer systems give `MaxCapacity` in percent; no battery of a laptop holds so little in milliampere-hours.
const MOST_PERCENT: u32 = 100;

pub(super) fn read(reading: &Reading<'_>) -> Vec<Battery> {
    let rows = reading.rows(Asked::Battery, Subject::Batteries);
    let batteries: Vec<Battery> = rows.into_iter().filter_map(battery).collect();
    if batteries.is_empty() {
        reading.missing(Subject::Batteries, UnreadReason::NotPresent, "");
    } else if batteries.iter().any(|battery| battery.full_milliamp_hours.is_none()) {
        reading.missing(Subject::Batteries, UnreadReason::NotPresent, "full capacity");
    }
    batteries
}

fn battery(row: Row<'_>) -> Option<Battery> {
    if row.truth("BatteryInstalled") == Some(false) {
        return None;
    }
    // Some systems have what the gauge says one object deeper. Zero means that it does not tell.
    let inner = row.row("BatteryData");
    let number = |name: &str| {
        let told = row.number::<u32>(name).or_else(|| inner.number(name));
        told.filter(|value| *value > 0)
    };
    let full = number("AppleRawMaxCapacity")
        .or_else(|| number("NominalChargeCapacity"))
        .or_else(|| number("MaxCapacity").filter(|value| *value > MOST_PERCENT));
    Some(Battery {
        manufacturer: row.text("Manufacturer"),
        model: row.text("DeviceName"),
        design_milliamp_hours: number("DesignCapacity").and_then(MilliampHours::new),
        full_milliamp_hours: full.and_then(MilliampHours::new),
        cycle_count: number("CycleCount"),
        ..Battery::default()
    })
}
