//! The built-in drives, and what Windows itself knows of their health.
//!
//! smartctl, where it is installed, is asked afterwards and knows better. A drive that can be unplugged is a person's own
//! and is left out, unless the system runs from it; so is a mounted image of a drive, and what lies on either.

use cartable_common::{
    Bytes, Celsius, Hours, Percent, SerialNumber,
    report::{Drive, DriveKind, SelfAssessment, Subject, UnreadReason},
};

use super::{Reading, Row, volumes};

/// `MSFT_PhysicalDisk.BusType`.
const FIREWIRE: u32 = 4;
const USB: u32 = 7;
const ISCSI: u32 = 9;
const SD: u32 = 12;
const MMC: u32 = 13;
const VIRTUAL: u32 = 14;
const FILE_BACKED: u32 = 15;
const SPACES: u32 = 16;
const NVME: u32 = 17;

/// `MSFT_PhysicalDisk.MediaType`.
const ROTATING: u32 = 3;
const SOLID_STATE: u32 = 4;

/// `MSFT_PhysicalDisk.HealthStatus`.
const UNHEALTHY: u32 = 2;

/// The drives and their names for smartctl, in the same order.
pub(super) fn read(reading: &Reading<'_>) -> (Vec<Drive>, Vec<String>) {
    let mut found = of_storage(reading);
    if found.is_empty() {
        found = of_cim(reading);
    }
    if found.is_empty() {
        reading.missing(Subject::Drives, UnreadReason::NotPresent, "");
    }
    found.sort_by_key(|(number, _)| *number);
    found.into_iter().map(|(number, drive)| (drive, format!("pd{number}"))).unzip()
}

/// Whether the volume with this letter lies on a drive of the laptop, or on that which holds the system: some laptops call
/// their eMMC a card.
pub(super) fn is_own_letter(reading: &Reading<'_>, letter: char, system_letter: Option<char>) -> bool {
    let Some(number) = disk_of(reading, letter) else {
        // An encrypted container and a cloud's folder have no partition. Old systems and Wine tell of none at all.
        let partitions = reading.rows_if_any("MSFT_Partition");
        return !partitions.iter().any(|partition| partition.letter("DriveLetter").is_some());
    };
    if system_letter.and_then(|letter| disk_of(reading, letter)) == Some(number) {
        return true;
    }
    // Not all is among these: a storage space of the laptop's own drives is not.
    let disks = reading.rows_if_any("MSFT_PhysicalDisk");
    let disk = disks.iter().find(|disk| disk.number::<u32>("DeviceId") == Some(number));
    !disk.and_then(|disk| disk.number("BusType")).is_some_and(is_foreign)
}

/// Whether what is on this bus can be unplugged, or is held by a network or a file.
const fn is_foreign(bus: u32) -> bool {
    matches!(bus, FIREWIRE | USB | ISCSI | SD | VIRTUAL | FILE_BACKED)
}

fn disk_of(reading: &Reading<'_>, letter: char) -> Option<u32> {
    let partitions = reading.rows_if_any("MSFT_Partition");
    partitions.iter().find(|partition| partition.letter("DriveLetter") == Some(letter))?.number("DiskNumber")
}

/// As Windows 8 and later tell it.
fn of_storage(reading: &Reading<'_>) -> Vec<(u32, Drive)> {
    let system_disk = volumes::system_letter(reading).and_then(|letter| disk_of(reading, letter));
    let counters = reading.rows_if_any("MSFT_StorageReliabilityCounter");
    let disks = reading.rows("MSFT_PhysicalDisk", Subject::Drives);
    disks
        .into_iter()
        .filter_map(|disk| {
            let number: u32 = disk.number("DeviceId")?;
            let bus = disk.number("BusType").unwrap_or(0);
            if (is_foreign(bus) || bus == SPACES) && system_disk != Some(number) {
                return None;
            }
            let mut drive = Drive {
                model: disk.text("Model"),
                serial_number: serial(disk).into(),
                firmware: disk.text("FirmwareVersion"),
                kind: kind(bus, disk.number("MediaType").unwrap_or(0)),
                capacity_bytes: disk.number("Size").and_then(Bytes::new),
                self_assessment: self_assessment(reading, number, disk.number("HealthStatus")),
                ..Drive::default()
            };
            if let Some(counter) = counters.iter().find(|row| row.number::<u32>("DeviceId") == Some(number)) {
                count(&mut drive, *counter);
            }
            Some((number, drive))
        })
        .collect()
}

/// As every Windows tells it, with less.
fn of_cim(reading: &Reading<'_>) -> Vec<(u32, Drive)> {
    let disks = reading.rows("Win32_DiskDrive", Subject::Drives);
    let built_in = disks.into_iter().filter(|disk| {
        disk.word("InterfaceType") != Some("USB")
            && disk.word("MediaType").is_some_and(|kind| kind.starts_with("Fixed"))
    });
    built_in
        .filter_map(|disk| {
            let number = disk.number("Index")?;
            let drive = Drive {
                model: disk.text("Model"),
                serial_number: disk.word("SerialNumber").and_then(SerialNumber::parse).into(),
                firmware: disk.text("FirmwareRevision"),
                capacity_bytes: disk.number("Size").and_then(Bytes::new),
                self_assessment: self_assessment(reading, number, None),
                ..Drive::default()
            };
            Some((number, drive))
        })
        .collect()
}

/// Of an NVMe drive Windows gives the namespace's identifier ("0025_3852_01B2_F2F7.") as the serial number, and the
/// printed one as the adapter's.
fn serial(disk: Row<'_>) -> Option<SerialNumber> {
    let printed = disk.word("AdapterSerialNumber");
    let number = printed.or_else(|| disk.word("SerialNumber").filter(|number| !is_identifier(number)))?;
    SerialNumber::parse(number)
}

fn is_identifier(number: &str) -> bool {
    let Some(groups) = number.strip_suffix('.') else { return false };
    groups.split('_').count() >= 4
        && groups.split('_').all(|group| group.len() == 4 && group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

const fn kind(bus: u32, media: u32) -> Option<DriveKind> {
    match (bus, media) {
        (NVME, _) => Some(DriveKind::Nvme),
        (MMC, _) => Some(DriveKind::Emmc),
        (VIRTUAL | FILE_BACKED, _) => None,
        (_, ROTATING) => Some(DriveKind::Hdd),
        (_, SOLID_STATE) => Some(DriveKind::Ssd),
        _ => None,
    }
}

/// What the drive says of itself (SMART RETURN STATUS), matched over its plug-and-play name. Windows' own "healthy" is no
/// word of the drive; its "unhealthy" is bad enough.
fn self_assessment(reading: &Reading<'_>, number: u32, health: Option<u32>) -> Option<SelfAssessment> {
    let drives = reading.rows_if_any("Win32_DiskDrive");
    let name = drives.iter().find(|drive| drive.number::<u32>("Index") == Some(number));
    let name = name.and_then(|drive| drive.word("PNPDeviceID")).map(str::to_ascii_uppercase);
    let said = reading.rows_if_any("MSStorageDriver_FailurePredictStatus");
    let predicts = name.and_then(|name| {
        let own = said.iter().find(|row| {
            // The instance is the drive's name and a number: SCSI\DISK&VEN_…\4&1F_0.
            row.word("InstanceName")
                .and_then(|own| own.rsplit_once('_'))
                .is_some_and(|(own, _)| own.to_ascii_uppercase() == name)
        });
        own?.truth("PredictFailure")
    });
    match (predicts, health) {
        (Some(true), _) | (_, Some(UNHEALTHY)) => Some(SelfAssessment::Failed),
        (Some(false), _) => Some(SelfAssessment::Passed),
        (None, _) => None,
    }
}

/// Windows' counters. What it does not know it leaves out, or gives as zero hours or degrees.
fn count(drive: &mut Drive, counter: Row<'_>) {
    drive.power_on_hours = counter.number("PowerOnHours").and_then(Hours::new).filter(|hours| hours.get() > 0);
    drive.temperature_celsius =
        counter.number("Temperature").and_then(Celsius::new).filter(|celsius| celsius.get() > 0);
    drive.endurance_used_percent = counter.number("Wear").and_then(Percent::new);
    let errors = |name: &str| counter.number::<u64>(name);
    drive.uncorrected_errors = match (errors("ReadErrorsUncorrected"), errors("WriteErrorsUncorrected")) {
        (None, None) => None,
        (read, written) => Some(read.unwrap_or(0).saturating_add(written.unwrap_or(0))),
    };
}
