//! Sections of an inventory into the facts of a report. Units as the agents write them: memory and file systems in MiB
//! (from /proc/meminfo, `df -k` and WMI, divided by 1024), drives in what `drive_units` tells, batteries in mWh.

use cartable_common::{
    Bytes, MilliwattHours, SerialNumber, SystemUuid, Text, UtcMillis, limits,
    report::{
        Battery, Chassis, Drive, DriveKind, Hardware, HealthReport, OperatingSystem, OsFamily, Processor, Subject,
        Unread, UnreadReason,
    },
};
use jiff::{
    civil::DateTime,
    tz::{Offset, TimeZone},
};

use super::{AgentInventory, Entry, Sections, Tool, volumes};
use crate::domain::reading::{inventory::chassis, json::kind_of_bus};

pub(super) fn inventory(sections: &Sections) -> AgentInventory {
    AgentInventory {
        tool: tool(&sections.client),
        version: Text::meaningful(&sections.client),
        made_at: made_at(sections),
        is_partial: sections.is_partial,
        report: report(sections),
    }
}

fn tool(client: &str) -> Tool {
    if client.to_ascii_lowercase().starts_with("glpi") { Tool::Glpi } else { Tool::FusionInventory }
}

fn report(sections: &Sections) -> HealthReport {
    let units = drive_units(sections);
    let known = |section: &'static str, field: &str| sections.first(section, field).and_then(Text::meaningful);
    let mut report = HealthReport {
        hardware: hardware(sections),
        processor: processor(sections),
        operating_system: operating_system(sections),
        volumes: volumes::of(sections),
        drives: sections.of("STORAGES").filter_map(|entry| drive(entry, units)).take(limits::MAX_DRIVES).collect(),
        batteries: sections.of("BATTERIES").map(battery).take(limits::MAX_BATTERIES).collect(),
        unread: unread().collect(),
        ..HealthReport::default()
    };
    report.memory.total_bytes = sections.first("HARDWARE", "MEMORY").and_then(whole).and_then(mebibytes);
    report.firmware.vendor = known("BIOS", "BMANUFACTURER");
    report.firmware.version = known("BIOS", "BVERSION");
    report.firmware.date = known("BIOS", "BDATE");
    report
}

/// What these agents do not ask. That no battery is listed is not said here: it may not have been looked for.
fn unread() -> impl Iterator<Item = Unread> {
    [Subject::SecureBoot, Subject::Tpm, Subject::DriveHealth, Subject::Temperatures, Subject::Uptime]
        .into_iter()
        .map(|subject| Unread { subject: Some(subject), reason: Some(UnreadReason::Unsupported), detail: None })
}

fn hardware(sections: &Sections) -> Hardware {
    let word = |section: &'static str, field: &str| sections.first(section, field);
    // Physical is what is written where no virtual machine was recognised.
    let is_virtual = word("HARDWARE", "VMSYSTEM").is_some_and(|system| !system.eq_ignore_ascii_case("physical"));
    Hardware {
        manufacturer: word("BIOS", "SMANUFACTURER").and_then(Text::meaningful),
        model: word("BIOS", "SMODEL").and_then(Text::meaningful),
        chassis: if is_virtual { Some(Chassis::Virtual) } else { word("HARDWARE", "CHASSIS_TYPE").and_then(chassis) },
        serial_number: word("BIOS", "SSN").and_then(SerialNumber::parse).into(),
        system_uuid: word("HARDWARE", "UUID").and_then(SystemUuid::parse).into(),
    }
}

fn processor(sections: &Sections) -> Processor {
    // One entry for each socket; its threads are all of that socket's.
    let sum = |field: &str| {
        let counts: Option<Vec<u64>> = sections.of("CPUS").map(|cpu| cpu.get(field).and_then(|n| whole(n))).collect();
        let sum = counts?.into_iter().try_fold(0_u64, u64::checked_add)?;
        u16::try_from(sum).ok().filter(|sum| *sum > 0)
    };
    let model = sections.first("CPUS", "NAME").and_then(Text::meaningful);
    Processor { model, cores: sum("CORE"), threads: sum("THREAD") }
}

fn operating_system(sections: &Sections) -> OperatingSystem {
    let word = |field: &str| sections.first("OPERATINGSYSTEM", field);
    let family = word("KERNEL_NAME").and_then(family);
    let (name, version) = match family {
        Some(OsFamily::Windows) => (Some(Text::clean("windows")), word("FULL_NAME").and_then(windows_version)),
        Some(OsFamily::Linux) => (word("NAME").and_then(distribution), word("VERSION").and_then(Text::meaningful)),
        Some(OsFamily::MacOs) => (Some(Text::clean("macos")), word("VERSION").and_then(Text::meaningful)),
        Some(OsFamily::Unknown) | None => {
            (word("NAME").and_then(Text::meaningful), word("VERSION").and_then(Text::meaningful))
        }
    };
    OperatingSystem {
        family,
        name,
        version,
        build: word("KERNEL_VERSION").and_then(Text::meaningful),
        architecture: word("ARCH").and_then(architecture),
        reboot_pending: None,
    }
}

fn family(kernel: &str) -> Option<OsFamily> {
    match kernel.to_ascii_lowercase().as_str() {
        "linux" => Some(OsFamily::Linux),
        "mswin32" => Some(OsFamily::Windows),
        "darwin" => Some(OsFamily::MacOs),
        _ => None,
    }
}

/// The short name under which ends of support are looked up: `debian` of "Debian GNU/Linux".
fn distribution(name: &str) -> Option<Text> {
    let name = name.to_lowercase();
    let short = match name.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["linux", "mint", ..] => "linuxmint",
        [first, ..] => *first,
        [] => return None,
    };
    Text::meaningful(short)
}

/// `11 Professionnel` of "Microsoft Windows 11 Professionnel": edition and release decide when support ends.
fn windows_version(full_name: &str) -> Option<Text> {
    // Some editions are written with a mark behind each name.
    let name = full_name.replace(['®', '™'], "");
    let name = name.trim().trim_start_matches("Microsoft").trim_start();
    Text::meaningful(name.trim_start_matches("Windows").trim())
}

fn architecture(words: &str) -> Option<Text> {
    let folded = words.to_ascii_lowercase();
    let name = match folded.as_str() {
        "x86_64" | "amd64" | "64-bit" | "64 bits" | "64-bits" => "x86_64",
        "i386" | "i586" | "i686" | "x86" | "32-bit" | "32 bits" | "32-bits" => "x86",
        "aarch64" | "arm64" => "aarch64",
        _ => return Text::meaningful(words),
    };
    Some(Text::clean(name))
}

/// The bytes of each unit that the agent may have counted a drive's size in, the usual one first. None where a version that
/// decides is not to be read.
///
/// On macOS both agents divide by 1024² (`MacOS/Storages.pm`). On Windows fusioninventory-agent and GLPI Agent before 1.6 divide
/// what WMI tells by 1024², unless hdparm is there: its line "M = 1000*1000" then takes that place (`Win32/Storages.pm`). On
/// Linux fusioninventory-agent takes the first of the kernel's sectors and hdparm in MB, smartctl and HAL in MiB and
/// `fdisk -s`, whose KiB it divides by 1000 (`Linux/Storages.pm`, `Tools/Unix.pm`); which, no inventory says.
fn drive_units(sections: &Sections) -> &'static [u64] {
    const MEGABYTES_SINCE: (u32, u32) = (1, 6);
    let family = sections.first("OPERATINGSYSTEM", "KERNEL_NAME").and_then(family);
    match (family, tool(&sections.client)) {
        (Some(OsFamily::MacOs), _) => &[MEBIBYTE],
        (Some(OsFamily::Windows), Tool::FusionInventory) => &[MEBIBYTE, MEGABYTE],
        (Some(OsFamily::Windows), Tool::Glpi) => match version(&sections.client) {
            None => &[],
            Some(version) if version < MEGABYTES_SINCE => &[MEBIBYTE, MEGABYTE],
            Some(_) => &[MEGABYTE],
        },
        (Some(OsFamily::Linux | OsFamily::Unknown) | None, Tool::FusionInventory) => {
            &[MEGABYTE, MEBIBYTE, THOUSAND_KIBIBYTES]
        }
        (Some(OsFamily::Linux | OsFamily::Unknown) | None, Tool::Glpi) => &[MEGABYTE],
    }
}

/// `(1, 11)` of `GLPI-Agent_v1.11-1`.
fn version(client: &str) -> Option<(u32, u32)> {
    let (_, version) = client.split_once("_v")?;
    let mut numbers = version.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// So many of the usual one of `units`; where that is no size that drives are made in, of the only other one in which it is.
/// Nothing where it is in several others.
fn capacity(count: u64, units: &[u64]) -> Option<Bytes> {
    let (usual, others) = units.split_first()?;
    let mut fitting = others.iter().filter(|unit| is_made(count, **unit));
    let unit = if is_made(count, *usual) {
        usual
    } else {
        let first = fitting.next();
        if fitting.next().is_some() {
            return None;
        }
        first.unwrap_or(usual)
    };
    Bytes::new(count.checked_mul(*unit)?)
}

/// Whether drives are made of `count` whole units and a part of one. Makers agreed how many sectors of 512 bytes a drive of so
/// many GB has, from 50 on: 97,696,368 and 1,953,504 for each GB more (IDEMA LBA1-03, SFF-8447). No size that is sold is one
/// in MB and in MiB too.
fn is_made(count: u64, unit: u64) -> bool {
    const SECTOR: u64 = 512;
    const LEAST: u64 = 97_696_368 * SECTOR;
    const STEP: u64 = 1_953_504 * SECTOR;
    let end = count.checked_add(1).and_then(|next| next.checked_mul(unit));
    // The greatest of these sizes below the end is not below the begin.
    end.and_then(|end| end.checked_sub(LEAST + 1)).is_some_and(|over| over % STEP < unit)
}

/// Whether a drive is none of the machine itself. One that can be unplugged belongs to a person, not to the laptop; one that a
/// network or a file holds is no drive of it.
pub(super) fn is_foreign(entry: &Entry) -> bool {
    // GLPI Agent writes the first word alone of names that have several. What is soldered tells MMC.
    const FOREIGN: [&str; 8] =
        ["usb", "sd", "1394", "ieee", "ieee 1394", "iscsi", "file-backed", "file-backed virtual"];
    let kind = folded(entry, "TYPE");
    ["removable", "external", "amovible", "floppy", "tape"].iter().any(|other| kind.contains(other))
        || ["cd", "dvd", "optical"].iter().any(|disc| kind.starts_with(disc))
        || FOREIGN.contains(&folded(entry, "INTERFACE").as_str())
        || folded(entry, "DESCRIPTION").contains("usb")
}

fn folded(entry: &Entry, field: &str) -> String {
    entry.get(field).map(String::as_str).unwrap_or_default().to_lowercase()
}

/// A drive of the machine itself, whose size is in one of `units`.
fn drive(entry: &Entry, units: &[u64]) -> Option<Drive> {
    if is_foreign(entry) {
        return None;
    }
    let word = |field: &str| entry.get(field).map(String::as_str);
    let [kind, described, bus] = ["TYPE", "DESCRIPTION", "INTERFACE"].map(|field| folded(entry, field));
    let name = word("NAME").unwrap_or_default();
    Some(Drive {
        model: word("MODEL").and_then(Text::meaningful),
        serial_number: word("SERIALNUMBER")
            .or_else(|| word("SERIAL"))
            .filter(|serial| !is_of_a_volume(serial))
            .and_then(SerialNumber::parse)
            .into(),
        firmware: word("FIRMWARE").and_then(Text::meaningful),
        kind: drive_kind(name, [&kind, &described, &bus]),
        capacity_bytes: word("DISKSIZE")
            .and_then(whole)
            .filter(|size| *size > 0)
            .and_then(|size| capacity(size, units)),
        ..Drive::default()
    })
}

fn drive_kind(name: &str, words: [&str; 3]) -> Option<DriveKind> {
    let is = |word: &str| words.iter().any(|said| said.split_whitespace().any(|part| part == word));
    if is("nvme") {
        return Some(DriveKind::Nvme);
    }
    kind_of_bus(name).or_else(|| if is("ssd") { Some(DriveKind::Ssd) } else { is("hdd").then_some(DriveKind::Hdd) })
}

/// Where a drive tells no serial number, fusioninventory-agent writes what was written on it and goes with the next
/// partitioning: fdisk's "Disk identifier", a GUID or eight digits (`1b2e0f3c`), else the UUID of the LVM volume
/// (`BskNPA-2ece-cWgR-cLon-iFjr-EH2e-c6Cg39`). Cloned drives share it; it proves nothing of the drive.
fn is_of_a_volume(serial: &str) -> bool {
    const GUID: [usize; 5] = [8, 4, 4, 4, 12];
    const LVM: [usize; 7] = [6, 4, 4, 4, 4, 4, 6];
    let serial = serial.trim();
    let lengths: Vec<usize> = serial.split('-').map(str::len).collect();
    let is_of_fdisk = serial.len() == 8 && serial.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    lengths == LVM || lengths == GUID || is_of_fdisk
}

fn battery(entry: &Entry) -> Battery {
    let word = |field: &str| entry.get(field).map(String::as_str);
    let energy = |field: &str| {
        let value = word(field).and_then(whole).filter(|value| *value > 0)?;
        MilliwattHours::new(u32::try_from(value).ok()?)
    };
    Battery {
        manufacturer: word("MANUFACTURER").and_then(Text::meaningful),
        model: word("NAME").and_then(Text::meaningful),
        design_milliwatt_hours: energy("CAPACITY"),
        full_milliwatt_hours: energy("REAL_CAPACITY"),
        technology: word("CHEMISTRY").and_then(Text::meaningful),
        ..Battery::default()
    }
}

const MEGABYTE: u64 = 1_000_000;
pub(super) const MEBIBYTE: u64 = 1 << 20;
const THOUSAND_KIBIBYTES: u64 = 1_000 << 10;

pub(super) fn mebibytes(count: u64) -> Option<Bytes> {
    Bytes::new(count.checked_mul(MEBIBYTE)?).filter(|bytes| bytes.get() > 0)
}

/// A bare number as machines of both languages write it, whole: `8192`, `47 520`, `47520,5`. A mark before exactly three
/// digits may separate thousands or decimals: that says nothing, as anything else does.
pub(super) fn whole(text: &str) -> Option<u64> {
    const MOST_DIGITS: usize = 15;
    let bare: String = text.trim().chars().filter(|c| !matches!(c, ' ' | '\u{A0}' | '\u{202F}' | '\u{2009}')).collect();
    let (whole, decimals) = bare.split_once(['.', ',']).map_or((bare.as_str(), None), |(a, b)| (a, Some(b)));
    let is_digits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let is_clear = decimals.is_none_or(|decimals| is_digits(decimals) && decimals.len() != 3);
    if !is_digits(whole) || whole.len() > MOST_DIGITS || !is_clear {
        return None;
    }
    whole.parse().ok()
}

/// When the inventory was made: the agents write local time, and newer ones by how much it differs from UTC. Without that,
/// clocks are those of Paris.
fn made_at(sections: &Sections) -> Option<UtcMillis> {
    let local: DateTime = sections.first("ACCESSLOG", "LOGDATE")?.parse().ok()?;
    let zone = match sections.first("OPERATINGSYSTEM", "TIMEZONE/OFFSET").and_then(offset) {
        Some(offset) => TimeZone::fixed(offset),
        None => TimeZone::get("Europe/Paris").unwrap_or(TimeZone::UTC),
    };
    let at = zone.to_ambiguous_zoned_datetime(local).earlier().ok()?;
    UtcMillis::new(at.timestamp().as_millisecond())
}

/// `+0200`, `-03:30`.
fn offset(text: &str) -> Option<Offset> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.replace(':', "");
    if digits.len() != 4 || !digits.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let number: i32 = digits.parse().ok()?;
    Offset::from_seconds(sign * (number / 100 * 3600 + number % 100 * 60)).ok()
}
