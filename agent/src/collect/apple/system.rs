//! Firmware with its protections, the operating system and its uptime.

use cartable_common::{
    Hours, Text, UtcMillis,
    report::{Firmware, OperatingSystem, OsFamily, Subject, Switch, UnreadReason},
};

use super::{Asked, Reading, hardware};

const MILLIS_PER_SECOND: i64 = 1_000;
const MILLIS_PER_HOUR: i64 = 3_600_000;

pub(super) fn firmware(reading: &Reading<'_>) -> Firmware {
    let machine = reading.machine(Subject::Firmware);
    let version = machine.text("boot_rom_version");
    if version.is_none() {
        reading.missing(Subject::Firmware, UnreadReason::NotPresent, "version");
    }
    // No Mac has one: Apple's own chip does its work.
    reading.missing(Subject::Tpm, UnreadReason::NotPresent, "");
    Firmware { vendor: hardware::maker(machine), version, secure_boot: secure_boot(reading), ..Firmware::default() }
}

/// The policy of Apple's security chip (T2 or Apple silicon), where there is one. Each level but the lowest starts only what
/// Apple signed. The words follow the system's language: those of another than English are not known here.
fn secure_boot(reading: &Reading<'_>) -> Option<Switch> {
    let chips = reading.section("SPiBridgeDataType", Subject::SecureBoot);
    let policy = chips.iter().find_map(|chip| chip.word("ibridge_secure_boot"));
    match policy {
        Some("Full Security" | "Medium Security" | "Reduced Security") => Some(Switch::On),
        Some("No Security" | "Permissive Security") => Some(Switch::Off),
        Some(_) => {
            reading.missing(Subject::SecureBoot, UnreadReason::Malformed, "words that are not known");
            None
        }
        None => {
            reading.missing(Subject::SecureBoot, UnreadReason::NotPresent, "");
            None
        }
    }
}

pub(super) fn operating_system(reading: &Reading<'_>) -> OperatingSystem {
    let told = |name: &str| reading.named(Asked::System, name, Subject::OperatingSystem).and_then(Text::meaningful);
    let version = told("ProductVersion");
    if version.is_none() {
        reading.missing(Subject::OperatingSystem, UnreadReason::NotPresent, "version");
    }
    OperatingSystem {
        family: Some(OsFamily::MacOs),
        name: Some(Text::clean("macos")),
        version,
        build: told("BuildVersion"),
        architecture: architecture(reading),
        reboot_pending: None,
    }
}

/// The machine's own, also where this program was made for the other one. Only Apple silicon knows the value.
fn architecture(reading: &Reading<'_>) -> Option<Text> {
    let told = |name: &str| reading.named(Asked::Kernel, name, Subject::OperatingSystem);
    told("hw.memsize")?;
    Some(Text::clean(if told("hw.optional.arm64") == Some("1") { "aarch64" } else { "x86_64" }))
}

/// macOS sets its word right when its clock is set.
pub(super) fn uptime(reading: &Reading<'_>, now: UtcMillis) -> Option<Hours> {
    let told = reading.named(Asked::Kernel, "kern.boottime", Subject::Uptime);
    let hours = told.and_then(start).and_then(|start| {
        let millis = now.millis_since(start);
        Hours::new(u32::try_from(millis / MILLIS_PER_HOUR).ok().filter(|_| millis >= 0)?)
    });
    if hours.is_none() {
        reading.missing(Subject::Uptime, UnreadReason::NotPresent, "");
    }
    hours
}

/// `{ sec = 1700000000, usec = 123456 } Tue Nov 14 22:13:20 2023`
fn start(words: &str) -> Option<UtcMillis> {
    let (_, rest) = words.split_once("sec = ")?;
    let seconds: i64 = rest.split(',').next()?.trim().parse().ok()?;
    UtcMillis::new(seconds.checked_mul(MILLIS_PER_SECOND)?)
}
