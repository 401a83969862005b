//! The laptop's own volumes with a letter: role, file system, sizes, BitLocker. The letter itself stays here.
//!
//! What Windows calls removable, and what lies on a drive on USB, on a card, in a file or on no drive at all, is a person's own
//! and is left out, unless Windows runs from it.

use cartable_common::{
    Bytes,
    report::{Subject, Switch, UnreadReason, Volume, VolumeRole},
};

use super::{Reading, Row, drives};

/// `Win32_LogicalDisk.DriveType`.
const FIXED: u32 = 3;

pub(super) fn read(reading: &Reading<'_>) -> Vec<Volume> {
    let system_letter = system_letter(reading);
    let encrypted = reading.rows("Win32_EncryptableVolume", Subject::Encryption);
    let disks = reading.rows("Win32_LogicalDisk", Subject::Volumes);
    let volumes: Vec<Volume> = disks
        .into_iter()
        .filter_map(|disk| {
            let letter = disk.letter("DeviceID")?;
            let role = match disk.number::<u32>("DriveType")? {
                _ if Some(letter) == system_letter => VolumeRole::System,
                FIXED if drives::is_own_letter(reading, letter, system_letter) => VolumeRole::Data,
                // Sticks, cards and containers; network, optical and memory drives.
                _ => return None,
            };
            let bytes = |name: &str| disk.number(name).and_then(Bytes::new);
            // A locked volume has no size.
            let total_bytes = bytes("Size").filter(|total| total.get() > 0);
            if total_bytes.is_none() {
                reading.missing(Subject::Volumes, UnreadReason::NotPresent, "size");
            }
            Some(Volume {
                role: Some(role),
                file_system: disk.text("FileSystem"),
                total_bytes,
                available_bytes: bytes("FreeSpace").filter(|_| total_bytes.is_some()),
                encryption: encryption(reading, &encrypted, letter),
            })
        })
        .collect();
    if volumes.is_empty() {
        reading.missing(Subject::Volumes, UnreadReason::NotPresent, "no volume with a letter");
    }
    volumes
}

/// The letter of the volume that holds Windows.
pub(super) fn system_letter(reading: &Reading<'_>) -> Option<char> {
    reading.rows_if_any("Win32_OperatingSystem").first().and_then(|system| system.letter("SystemDrive"))
}

/// `ProtectionStatus`: 0 off (also while suspended: the key lies open on the drive), 1 on, 2 not known.
fn encryption(reading: &Reading<'_>, volumes: &[Row<'_>], letter: char) -> Option<Switch> {
    // That the class did not answer was said once.
    if volumes.is_empty() {
        return None;
    }
    let volume = volumes.iter().find(|volume| volume.letter("DriveLetter") == Some(letter));
    match volume.and_then(|volume| volume.number::<u32>("ProtectionStatus")) {
        Some(0) => Some(Switch::Off),
        Some(1) => Some(Switch::On),
        _ => {
            reading.missing(Subject::Encryption, UnreadReason::NotPresent, "Windows does not say for one volume");
            None
        }
    }
}
