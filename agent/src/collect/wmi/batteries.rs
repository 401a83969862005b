//! The machine's own batteries, from their driver (by root\wmi, or asked itself): capacities in milliwatt-hours, cycles.

use cartable_common::{
    MilliwattHours, Text,
    report::{Battery, Subject, UnreadReason},
};

use super::{BATTERIES, Reading, Row};

/// `BATTERY_INFORMATION.Capabilities` (poclass.h): the machine runs from it; an uninterruptible supply; no unit.
const OF_THE_SYSTEM: u32 = 0x8000_0000;
const SHORT_TERM: u32 = 0x2000_0000;
const RELATIVE: u32 = 0x4000_0000;

pub(super) fn read(reading: &Reading<'_>) -> Vec<Battery> {
    let [statics, fulls, cycles] = rows(reading);
    let batteries: Vec<Battery> =
        statics.into_iter().filter_map(|battery| self::battery(reading, battery, &fulls, &cycles)).collect();
    if batteries.is_empty() {
        reading.missing(Subject::Batteries, UnreadReason::NotPresent, "");
    } else if batteries.iter().any(|battery| battery.full_milliwatt_hours.is_none()) {
        reading.missing(Subject::Batteries, UnreadReason::NotPresent, "full capacity");
    }
    batteries
}

/// What is fixed, what the battery holds when full, and its cycles. WMI fails on some laptops where the drivers answer: then
/// their rows hold all that WMI has three classes for.
fn rows<'a>(reading: &Reading<'a>) -> [Vec<Row<'a>>; 3] {
    const STATICS: &str = "BatteryStaticData";
    const FULLS: &str = "BatteryFullChargedCapacity";
    let of_drivers = reading.rows_if_any(BATTERIES);
    if !of_drivers.is_empty() && [STATICS, FULLS].iter().any(|class| reading.rows_if_any(class).is_empty()) {
        return [of_drivers.clone(), of_drivers.clone(), of_drivers];
    }
    let fulls = reading.rows(FULLS, Subject::Batteries);
    [reading.rows(STATICS, Subject::Batteries), fulls, reading.rows_if_any("BatteryCycleCount")]
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
