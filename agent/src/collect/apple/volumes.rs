//! The volume that holds the system: file system, sizes, FileVault. Never its name.
//!
//! The other volumes of the same container (data, recovery) share its space, and FileVault covers them.

use cartable_common::{
    Bytes,
    report::{Subject, Switch, UnreadReason, Volume, VolumeRole},
};

use super::{Asked, Reading};

pub(super) fn read(reading: &Reading<'_>) -> Vec<Volume> {
    let encryption = encryption(reading);
    let volume = reading.first(Asked::Volume, Subject::Volumes);
    let bytes = |name: &str| volume.number(name).and_then(Bytes::new);
    // A volume of APFS says that nothing is free: the container has the space.
    let total = bytes("APFSContainerSize").or_else(|| bytes("TotalSize")).filter(|total| total.get() > 0);
    if total.is_none() {
        reading.missing(Subject::Volumes, UnreadReason::NotPresent, "size");
        return Vec::new();
    }
    vec![Volume {
        role: Some(VolumeRole::System),
        file_system: volume.text("FilesystemType"),
        total_bytes: total,
        available_bytes: bytes("APFSContainerFree").or_else(|| bytes("FreeSpace")),
        encryption,
    }]
}

/// On only once it is on for good: while the drive is being encrypted, decrypted or waits for a restart, part of it is open.
fn encryption(reading: &Reading<'_>) -> Option<Switch> {
    let words = reading.words(Asked::Encryption, Subject::Encryption);
    let first = words.lines().next().unwrap_or_default().trim();
    if first == "FileVault is On." && !words.contains("in progress") {
        return Some(Switch::On);
    }
    if first.starts_with("FileVault is Off") {
        return Some(Switch::Off);
    }
    let detail = if first.starts_with("FileVault is On") { "FileVault is not done yet" } else { "" };
    reading.missing(Subject::Encryption, UnreadReason::NotPresent, detail);
    None
}
