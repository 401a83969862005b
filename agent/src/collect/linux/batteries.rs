//! The machine's own batteries, from /sys/class/power_supply.

use cartable_common::{
    MilliampHours, MilliwattHours, Text,
    report::{Battery, Subject, UnreadReason},
};

use super::Source;

const FOLDER: &str = "sys/class/power_supply";

pub(super) fn read(source: &Source) -> Vec<Battery> {
    let supplies = source.names(FOLDER).into_iter().map(|name| Supply::new(source, &name));
    let batteries: Vec<Battery> = supplies.filter(Supply::is_own_battery).map(|supply| supply.battery()).collect();
    if batteries.is_empty() {
        source.missing(Subject::Batteries, UnreadReason::NotPresent, "");
    }
    if batteries.iter().any(|b| b.full_milliwatt_hours.is_none() && b.full_milliamp_hours.is_none()) {
        source.missing(Subject::Batteries, UnreadReason::NotPresent, "full capacity");
    }
    batteries
}

/// One power supply: its files, with `uevent` standing in for those that are missing.
struct Supply<'a> {
    source: &'a Source,
    folder: String,
    uevent: String,
}

impl<'a> Supply<'a> {
    fn new(source: &'a Source, name: &str) -> Self {
        let folder = format!("{FOLDER}/{name}");
        let uevent = source.bytes(&format!("{folder}/uevent")).unwrap_or_default();
        Self { source, folder, uevent: String::from_utf8_lossy(&uevent).into_owned() }
    }

    fn word(&self, name: &str) -> Option<String> {
        self.source.word(&format!("{}/{name}", self.folder)).or_else(|| {
            let key = format!("POWER_SUPPLY_{}", name.to_ascii_uppercase());
            let line = self.uevent.lines().find_map(|line| line.strip_prefix(&key)?.strip_prefix('='))?;
            Some(line.trim().to_owned())
        })
    }

    /// A mouse's battery has the scope "Device"; an empty bay is a battery that is not present. Older kernels leave
    /// the type out of uevent, but only a battery has a capacity when full.
    fn is_own_battery(&self) -> bool {
        let has_capacity = || self.word("energy_full").or_else(|| self.word("charge_full")).is_some();
        let is_battery = self.word("type").map_or_else(has_capacity, |kind| kind == "Battery");
        is_battery && self.word("scope").as_deref() != Some("Device") && self.word("present").as_deref() != Some("0")
    }

    /// The kernel counts in millionths; zero means that the battery does not tell.
    fn thousandths(&self, name: &str) -> Option<u32> {
        let millionths: u64 = self.word(name)?.parse().ok()?;
        u32::try_from(millionths / 1000).ok().filter(|value| *value > 0)
    }

    fn battery(&self) -> Battery {
        let text = |name: &str| self.word(name).as_deref().and_then(Text::meaningful);
        Battery {
            manufacturer: text("manufacturer"),
            model: text("model_name"),
            design_milliwatt_hours: self.thousandths("energy_full_design").and_then(MilliwattHours::new),
            full_milliwatt_hours: self.thousandths("energy_full").and_then(MilliwattHours::new),
            design_milliamp_hours: self.thousandths("charge_full_design").and_then(MilliampHours::new),
            full_milliamp_hours: self.thousandths("charge_full").and_then(MilliampHours::new),
            cycle_count: self.word("cycle_count").and_then(|count| count.parse().ok()).filter(|count| *count > 0),
            technology: text("technology"),
        }
    }
}

#[cfg(test)]
mod tests {
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
