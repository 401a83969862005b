//! Firmware with its protections, the operating system, its uptime, and temperatures.

use cartable_common::{
    Celsius, Hours, Text,
    report::{Firmware, OperatingSystem, OsFamily, Sensor, Subject, Switch, Temperature, UnreadReason},
};

use super::{REGISTRY, Reading, Row};

pub(super) fn firmware(reading: &Reading<'_>) -> Firmware {
    let bios = reading.first("Win32_BIOS", Subject::Firmware);
    let firmware = Firmware {
        vendor: bios.text("Manufacturer"),
        version: bios.text("SMBIOSBIOSVersion"),
        date: bios.word("ReleaseDate").and_then(smbios_date),
        secure_boot: secure_boot(reading),
        tpm_version: tpm_version(reading),
        // The key is not the machine's: whoever holds it says where it is.
        key_protection: None,
    };
    if firmware.version.is_none() {
        reading.missing(Subject::Firmware, UnreadReason::NotPresent, "version");
    }
    firmware
}

/// `20220315000000.000000+000` as SMBIOS has it, and as other systems show it: `03/15/2022`.
fn smbios_date(date: &str) -> Option<Text> {
    let digits = date.get(..8).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(Text::clean(&format!("{}/{}/{}", &digits[4..6], &digits[6..8], &digits[..4])))
}

/// The value exists where Windows was started by UEFI.
fn secure_boot(reading: &Reading<'_>) -> Option<Switch> {
    match reading.first(REGISTRY, Subject::SecureBoot).number::<u32>("SecureBoot") {
        Some(1) => Some(Switch::On),
        Some(0) => Some(Switch::Off),
        Some(_) => {
            reading.missing(Subject::SecureBoot, UnreadReason::Malformed, "");
            None
        }
        None => {
            reading.missing(Subject::SecureBoot, UnreadReason::NotPresent, "not started by UEFI");
            None
        }
    }
}

/// `2.0, 0, 1.38`: the specification's version comes first.
fn tpm_version(reading: &Reading<'_>) -> Option<u8> {
    let tpm = reading.first("Win32_Tpm", Subject::Tpm);
    let version = tpm.word("SpecVersion").and_then(|words| words.split(['.', ',']).next()?.trim().parse().ok());
    if version.is_none() {
        reading.missing(Subject::Tpm, UnreadReason::NotPresent, "");
    }
    version
}

pub(super) fn operating_system(reading: &Reading<'_>) -> OperatingSystem {
    let system = reading.first("Win32_OperatingSystem", Subject::OperatingSystem);
    let registry = reading.first(REGISTRY, Subject::OperatingSystem);
    let version = version(system, registry);
    if version.is_none() {
        reading.missing(Subject::OperatingSystem, UnreadReason::NotPresent, "version");
    }
    OperatingSystem {
        family: Some(OsFamily::Windows),
        name: Some(Text::clean("windows")),
        version,
        build: build(system, registry),
        architecture: system.word("OSArchitecture").map(architecture),
        reboot_pending: registry.truth("RebootPending"),
    }
}

/// Release, edition and half-year as the end of support depends on them: `11 Éducation 23H2`.
fn version(system: Row<'_>, registry: Row<'_>) -> Option<Text> {
    let caption = system.word("Caption")?;
    let name = caption.trim_start_matches("Microsoft").trim_start().trim_start_matches("Windows").trim();
    let half_year = registry.word("DisplayVersion").unwrap_or_default();
    Text::meaningful(&format!("{name} {half_year}"))
}

/// `22631.4460`: the build and, behind the point, the month's update.
fn build(system: Row<'_>, registry: Row<'_>) -> Option<Text> {
    let of_version = || system.word("Version").and_then(|version| version.rsplit('.').next());
    let build = registry.word("CurrentBuild").or_else(of_version)?;
    Text::meaningful(&match registry.number::<u32>("UBR") {
        Some(update) => format!("{build}.{update}"),
        None => build.to_owned(),
    })
}

/// Windows' words (`64-bit`, `64 bits`, `ARM 64-bit Processor`) as the names that other systems use.
fn architecture(words: &str) -> Text {
    let is_arm = words.to_ascii_lowercase().contains("arm");
    Text::clean(match (is_arm, words.contains("64")) {
        (true, _) => "aarch64",
        (false, true) => "x86_64",
        (false, false) => "x86",
    })
}

/// Both moments come from one answer, so that a wrong clock does not matter.
pub(super) fn uptime(reading: &Reading<'_>) -> Option<Hours> {
    let system = reading.first("Win32_OperatingSystem", Subject::Uptime);
    let minutes = |name: &str| system.word(name).and_then(minutes_of);
    let hours = minutes("LocalDateTime")
        .zip(minutes("LastBootUpTime"))
        .and_then(|(now, start)| Hours::new(u32::try_from(now.checked_sub(start)? / 60).ok()?));
    if hours.is_none() {
        reading.missing(Subject::Uptime, UnreadReason::NotPresent, "");
    }
    hours
}

/// Minutes in UTC since the year 1 of `20261130041500.123456+060`, a local time with its offset in minutes.
fn minutes_of(moment: &str) -> Option<i64> {
    let part = |range: std::ops::Range<usize>| moment.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    let (hour, minute, offset) = (part(8..10)?, part(10..12)?, moment.get(21..)?.parse::<i64>().ok()?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(0..24).contains(&hour) || !(0..60).contains(&minute)
    {
        return None;
    }
    // Years that begin in March have the leap day at their end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    Some((days * 24 + hour) * 60 + minute - offset)
}

/// Tenths of a kelvin, where the firmware has zones at all.
pub(super) fn temperatures(reading: &Reading<'_>) -> Vec<Temperature> {
    let zones = reading.rows("MSAcpi_ThermalZoneTemperature", Subject::Temperatures);
    let read: Vec<Temperature> = zones
        .iter()
        .filter_map(|zone| {
            let tenths: i32 = zone.number::<u16>("CurrentTemperature")?.into();
            let celsius = Celsius::new(i16::try_from((tenths - 2_731) / 10).ok()?)?;
            // Zero and far below are zones without a sensor.
            (celsius.get() > 0).then_some(Temperature { sensor: Some(Sensor::Board), celsius: Some(celsius) })
        })
        .collect();
    if read.is_empty() {
        reading.missing(Subject::Temperatures, UnreadReason::NotPresent, "");
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_compared_across_offsets_and_leap_days() {
        let minutes = |moment| minutes_of(moment).unwrap();
        assert_eq!(minutes("20240301000000.000000+000") - minutes("20240228000000.000000+000"), 2 * 24 * 60);
        assert_eq!(minutes("20250301000000.000000+000") - minutes("20250228000000.000000+000"), 24 * 60);
        assert_eq!(minutes("20250101003000.500000+060"), minutes("20241231233000.500000+000"));
        for bad in ["", "2025", "20251301000000.000000+000", "20250101000000.000000", "2025010100000é.000000+000"] {
            assert_eq!(minutes_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn dates_and_architectures_read_as_on_other_systems() {
        assert_eq!(smbios_date("20220315000000.000000+000").unwrap().as_str(), "03/15/2022");
        assert_eq!(smbios_date("2022"), None);
        let known = |words| architecture(words).as_str().to_owned();
        assert_eq!(
            ["64-bit", "64 bits", "32-bit", "ARM 64-bit Processor"].map(known),
            ["x86_64", "x86_64", "x86", "aarch64"]
        );
    }
}
