//! Temperatures: the hottest of each sensor chip, from hwmon, or from the thermal zones where there is no hwmon.

use cartable_common::{
    Celsius,
    report::{Sensor, Subject, Temperature, UnreadReason},
};

use super::Source;

pub(super) fn read(source: &Source) -> Vec<Temperature> {
    let mut temperatures = hwmon(source);
    if temperatures.is_empty() {
        temperatures = zones(source);
    }
    if temperatures.is_empty() {
        source.missing(Subject::Temperatures, UnreadReason::NotPresent, "");
    }
    temperatures
}

fn hwmon(source: &Source) -> Vec<Temperature> {
    const FOLDER: &str = "sys/class/hwmon";
    /// Behind this name each look asks a SATA drive, one that sleeps too. smartctl tells its temperature, once a day and without
    /// waking it.
    const ASKS_A_DRIVE: &str = "drivetemp";
    let chips = source.names(FOLDER).into_iter().filter_map(|chip| {
        let folder = format!("{FOLDER}/{chip}");
        let name = source.word(&format!("{folder}/name")).unwrap_or_default();
        if name == ASKS_A_DRIVE {
            return None;
        }
        let inputs = source.names(&folder).into_iter().filter(|n| n.starts_with("temp") && n.ends_with("_input"));
        let hottest = inputs.filter_map(|input| degrees(source, &format!("{folder}/{input}"))).max()?;
        Some(Temperature { sensor: Some(sensor(&name)), celsius: Some(hottest) })
    });
    chips.collect()
}

fn zones(source: &Source) -> Vec<Temperature> {
    const FOLDER: &str = "sys/class/thermal";
    let zones = source.names(FOLDER).into_iter().filter(|name| name.starts_with("thermal_zone")).filter_map(|zone| {
        let celsius = degrees(source, &format!("{FOLDER}/{zone}/temp"))?;
        let kind = source.word(&format!("{FOLDER}/{zone}/type")).unwrap_or_default();
        Some(Temperature { sensor: Some(sensor(&kind)), celsius: Some(celsius) })
    });
    zones.collect()
}

/// Thousandths of a degree, to the nearest whole one: NVMe drives count in kelvins, and their 323 K (50 °C, as smartctl
/// says) arrive here as 49,850. Zero and below freezing far out are channels without a sensor.
fn degrees(source: &Source, path: &str) -> Option<Celsius> {
    let thousandths: i64 = source.number(path)?;
    let nearest = thousandths.saturating_add(500).div_euclid(1000);
    Celsius::new(i16::try_from(nearest).ok()?).filter(|celsius| celsius.get() != 0)
}

/// What a chip of this name sits on.
fn sensor(name: &str) -> Sensor {
    let name = name.to_ascii_lowercase();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    if starts(&["coretemp", "k10temp", "k8temp", "zenpower", "cpu", "x86_pkg_temp", "soc_thermal"]) {
        Sensor::Processor
    } else if starts(&["nvme"]) {
        Sensor::Drive
    } else if starts(&["bat"]) {
        Sensor::Battery
    } else if starts(&["acpitz", "pch", "dell", "thinkpad", "asus", "hp", "int3400", "nct", "it87", "b0d4"]) {
        Sensor::Board
    } else {
        Sensor::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_chip_gives_its_hottest_plausible_value() {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in [
            ("hwmon0/name", "coretemp"),
            ("hwmon0/temp1_input", "61000"),
            ("hwmon0/temp2_input", "58000"),
            ("hwmon0/temp1_max", "100000"),
            ("hwmon1/name", "thinkpad"),
            ("hwmon1/temp1_input", "45000"),
            ("hwmon1/temp2_input", "-128000"),
            ("hwmon1/temp3_input", "junk"),
            ("hwmon2/name", "iwlwifi"),
            ("hwmon2/temp1_input", "0"),
            ("hwmon4/name", "drivetemp"),
            ("hwmon4/temp1_input", "31000"),
            ("hwmon3/name", "nvme"),
            ("hwmon3/temp1_input", "49850"),
        ] {
            let path = root.path().join("sys/class/hwmon").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let seen: Vec<_> =
            read(&Source::new(root.path())).iter().map(|t| (t.sensor.unwrap(), t.celsius.unwrap().get())).collect();
        assert_eq!(seen, [(Sensor::Processor, 61), (Sensor::Board, 45), (Sensor::Drive, 50)]);
    }
}
