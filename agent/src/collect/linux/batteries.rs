//! The machine's own batteries, from /sys/class/power_supply.

use cartable_common::{
    power_supply,
    report::{Battery, Subject, UnreadReason},
};

use super::Source;

const FOLDER: &str = "sys/class/power_supply";

pub(super) fn read(source: &Source) -> Vec<Battery> {
    let batteries: Vec<Battery> =
        source.names(FOLDER).into_iter().filter_map(|name| battery(source, &format!("{FOLDER}/{name}"))).collect();
    if batteries.is_empty() {
        source.missing(Subject::Batteries, UnreadReason::NotPresent, "");
    }
    if batteries.iter().any(|b| b.full_milliwatt_hours.is_none() && b.full_milliamp_hours.is_none()) {
        source.missing(Subject::Batteries, UnreadReason::NotPresent, "full capacity");
    }
    batteries
}

/// The battery in `folder`: its files, with `uevent` standing in for those that are missing.
fn battery(source: &Source, folder: &str) -> Option<Battery> {
    let uevent = source.bytes(&format!("{folder}/uevent")).unwrap_or_default();
    let uevent = String::from_utf8_lossy(&uevent);
    power_supply::battery(|name| {
        source.word(&format!("{folder}/{name}")).or_else(|| power_supply::in_uevent(&uevent, name).map(str::to_owned))
    })
}

#[cfg(test)]
mod tests {
    use cartable_common::{MilliampHours, MilliwattHours};

    use super::*;

    fn machine(files: &[(&str, &str)]) -> (Vec<Battery>, usize) {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join(FOLDER).join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let source = Source::new(root.path());
        (read(&source), source.into_unread().len())
    }

    #[test]
    fn a_mouse_and_an_empty_bay_are_no_batteries_of_the_laptop() {
        let (batteries, missing) = machine(&[
            ("AC/type", "Mains"),
            ("hidpp_battery_0/type", "Battery"),
            ("hidpp_battery_0/scope", "Device"),
            ("BAT1/type", "Battery"),
            ("BAT1/present", "0"),
            ("BAT0/type", "Battery"),
            ("BAT0/present", "1"),
            ("BAT0/charge_full", "2800000"),
            ("BAT0/charge_full_design", "4000000"),
            ("BAT0/cycle_count", "0"),
            ("BAT0/technology", "Li-poly"),
        ]);
        assert_eq!((batteries.len(), missing), (1, 0));
        assert_eq!(batteries[0].full_milliamp_hours, MilliampHours::new(2800));
        assert_eq!((batteries[0].cycle_count, batteries[0].full_milliwatt_hours), (None, None));
    }

    #[test]
    fn uevent_alone_is_enough() {
        let (batteries, _) = machine(&[(
            "BAT0/uevent",
            "POWER_SUPPLY_NAME=BAT0\nPOWER_SUPPLY_PRESENT=1\nPOWER_SUPPLY_CYCLE_COUNT=412\nPOWER_SUPPLY_ENERGY_FULL_DESIGN=50000000\nPOWER_SUPPLY_ENERGY_FULL=31250000\n",
        )]);
        assert_eq!(batteries[0].full_milliwatt_hours, MilliwattHours::new(31_250));
        assert_eq!(batteries[0].cycle_count, Some(412));
    }

    #[test]
    fn a_real_thinkpad_of_the_corpus_is_read() {
        let Some(corpus) = super::super::super::corpus() else { return };
        let uevent = std::fs::read_to_string(corpus.join("battery_ThinkPad_LNV-45N1_over100.uevent.txt")).unwrap();
        let (batteries, _) = machine(&[("BAT0/uevent", &uevent)]);
        assert_eq!(batteries[0].design_milliwatt_hours, MilliwattHours::new(47_520));
        assert_eq!(batteries[0].cycle_count, None);
    }
}
