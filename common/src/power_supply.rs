//! Turns what the kernel says of a power supply (`/sys/class/power_supply/*`) into a [`Battery`], unjudged.
//!
//! Whoever reads hands over a function that finds a property by its name; the text of `uevent` is one such place. Only
//! the machine's own batteries count: never a mouse's, never an empty bay.

use crate::{MilliampHours, MilliwattHours, Text, report::Battery};

/// The property `name` (`energy_full`, `scope`…) in the text of a `uevent` file.
#[must_use]
pub fn in_uevent<'t>(uevent: &'t str, name: &str) -> Option<&'t str> {
    let matches =
        |key: &str| key.trim().strip_prefix("POWER_SUPPLY_").is_some_and(|key| key.eq_ignore_ascii_case(name));
    uevent.lines().find_map(|line| line.split_once('=').filter(|(key, _)| matches(key))).map(|(_, value)| value.trim())
}

/// The battery whose properties `word` finds, if it is one of the machine's own.
///
/// A mouse's battery has the scope "Device"; an empty bay is a battery that is not present. Older kernels leave the
/// type out of uevent, but only a battery has a capacity when full.
pub fn battery(word: impl Fn(&str) -> Option<String>) -> Option<Battery> {
    let has_capacity = || ["energy_full", "charge_full"].iter().any(|name| word(name).is_some());
    let is_battery = word("type").map_or_else(has_capacity, |kind| kind.eq_ignore_ascii_case("battery"));
    let elsewhere = word("scope").is_some_and(|scope| scope.eq_ignore_ascii_case("device"));
    if !is_battery || elsewhere || word("present").as_deref() == Some("0") {
        return None;
    }
    // The kernel counts in millionths; zero means that the battery does not tell.
    let thousandths = |name: &str| -> Option<u32> {
        let millionths: u64 = word(name)?.parse().ok()?;
        u32::try_from(millionths / 1000).ok().filter(|value| *value > 0)
    };
    let text = |name: &str| word(name).as_deref().and_then(Text::meaningful);
    Some(Battery {
        manufacturer: text("manufacturer"),
        model: text("model_name"),
        design_milliwatt_hours: thousandths("energy_full_design").and_then(MilliwattHours::new),
        full_milliwatt_hours: thousandths("energy_full").and_then(MilliwattHours::new),
        design_milliamp_hours: thousandths("charge_full_design").and_then(MilliampHours::new),
        full_milliamp_hours: thousandths("charge_full").and_then(MilliampHours::new),
        cycle_count: word("cycle_count").and_then(|count| count.parse().ok()).filter(|count| *count > 0),
        technology: text("technology"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(uevent: &str) -> Option<Battery> {
        battery(|name| in_uevent(uevent, name).map(str::to_owned))
    }

    #[test]
    fn a_laptops_battery_and_what_is_none() {
        let own = "POWER_SUPPLY_NAME=BAT0\nPOWER_SUPPLY_PRESENT=1\nPOWER_SUPPLY_CHARGE_FULL_DESIGN=4000000\n\
                   POWER_SUPPLY_CHARGE_FULL=2800000\nPOWER_SUPPLY_CYCLE_COUNT=0\nPOWER_SUPPLY_MODEL_NAME=N/A\n";
        let battery = read(own).unwrap();
        assert_eq!(battery.full_milliamp_hours, MilliampHours::new(2_800));
        assert_eq!((battery.cycle_count, battery.model, battery.full_milliwatt_hours), (None, None, None));
        assert_eq!(read(&format!("{own}POWER_SUPPLY_SCOPE=Device\n")), None);
        assert_eq!(read(&own.replace("PRESENT=1", "PRESENT=0")), None);
        assert_eq!(read("POWER_SUPPLY_NAME=AC\nPOWER_SUPPLY_TYPE=Mains\nPOWER_SUPPLY_ONLINE=1\n"), None);
    }

    #[test]
    fn odd_numbers_are_not_told() {
        for odd in ["0", "-5", "N/A", "", "1e9", "99999999999999999999", "18446744073709551615"] {
            let battery = read(&format!("POWER_SUPPLY_TYPE=Battery\nPOWER_SUPPLY_ENERGY_FULL={odd}\n")).unwrap();
            assert_eq!(battery.full_milliwatt_hours, None, "{odd}");
        }
    }
}
