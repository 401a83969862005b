//! The machine's own batteries, from their driver (root\wmi): capacities in milliwatt-hours, cycles.

use cartable_common::{
    MilliwattHours, Text,
    report::{Battery, Subject, UnreadReason},
};

use super::{Reading, Row};

/// `BATTERY_INFORMATION.Capabilities` (poclass.h): the machine runs from it; an uninterruptible supply; no unit.
const OF_THE_SYSTEM: u32 = 0x8000_0000;
const SHORT_TERM: u32 = 0x2000_0000;
const RELATIVE: u32 = 0x4000_0000;

pub(super) fn read(reading: &Reading<'_>) -> Vec<Battery> {
    let fulls = reading.rows("BatteryFullChargedCapacity", Subject::Batteries);
    let cycles = reading.rows_if_any("BatteryCycleCount");
    let statics = reading.rows("BatteryStaticData", Subject::Batteries);
    let batteries: Vec<Battery> =
        statics.into_iter().filter_map(|battery| self::battery(reading, battery, &fulls, &cycles)).collect();
    if batteries.is_empty() {
        reading.missing(Subject::Batteries, UnreadReason::NotPresent, "");
    } else if batteries.iter().any(|battery| battery.full_milliwatt_hours.is_none()) {
        reading.missing(Subject::Batteries, UnreadReason::NotPresent, "full capacity");
    }
    batteries
}

fn battery(reading: &Reading<'_>, battery: Row<'_>, fulls: &[Row<'_>], cycles: &[Row<'_>]) -> Option<Battery> {
    let capabilities: u32 = battery.number("Capabilities").unwrap_or(OF_THE_SYSTEM);
    if capabilities & OF_THE_SYSTEM == 0 || capabilities & SHORT_TERM != 0 {
        return None;
    }
    let is_relative = capabilities & RELATIVE != 0;
    if is_relative {
        reading.missing(Subject::Batteries, UnreadReason::NotPresent, "the battery counts in shares, not in energy");
    }
    let own = |rows: &[Row<'_>], name: &str| -> Option<u32> {
        let instance = battery.word("InstanceName")?;
        rows.iter().find(|row| row.word("InstanceName") == Some(instance))?.number(name)
    };
    // Zero and all bits set mean that the battery does not tell.
    let energy = |value: Option<u32>| {
        value.filter(|value| *value > 0 && *value != u32::MAX && !is_relative).and_then(MilliwattHours::new)
    };
    Some(Battery {
        manufacturer: battery.text("ManufactureName"),
        model: battery.text("DeviceName"),
        design_milliwatt_hours: energy(battery.number("DesignedCapacity")),
        full_milliwatt_hours: energy(own(fulls, "FullChargedCapacity")),
        cycle_count: own(cycles, "CycleCount").filter(|count| *count > 0),
        technology: battery.number("Chemistry").and_then(chemistry),
        ..Battery::default()
    })
}

/// Four characters in one number, the first in its lowest byte: 0x6E6F494C is "LIon".
fn chemistry(code: u32) -> Option<Text> {
    let characters: String = code.to_le_bytes().into_iter().filter(u8::is_ascii_graphic).map(char::from).collect();
    Text::meaningful(&characters)
}
