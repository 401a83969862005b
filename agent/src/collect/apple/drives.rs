//! The built-in drives, and what macOS itself knows of their health.
//!
//! smartctl, where it is installed, is asked afterwards and knows better. A drive that can be unplugged is a person's own
//! and is left out.

use cartable_common::{
    Bytes, SerialNumber,
    report::{Drive, DriveKind, SelfAssessment, Subject, UnreadReason},
};

use super::{Reading, Row};

/// The drives and their names for smartctl (`disk0`), in the same order.
pub(super) fn read(reading: &Reading<'_>) -> (Vec<Drive>, Vec<String>) {
    let mut found: Vec<(u32, Drive)> = Vec::new();
    for section in ["SPNVMeDataType", "SPSerialATADataType"] {
        let controllers = reading.section(section, Subject::Drives);
        let devices = controllers.into_iter().flat_map(|controller| controller.rows("_items"));
        found.extend(devices.filter_map(|device| Some((number(device)?, drive(section, device)?))));
    }
    if found.is_empty() {
        reading.missing(Subject::Drives, UnreadReason::NotPresent, "");
    }
    found.sort_by_key(|(number, _)| *number);
    found.into_iter().map(|(number, drive)| (drive, format!("disk{number}"))).unzip()
}

/// The drive's number in its name in the system (`disk0`).
fn number(device: Row<'_>) -> Option<u32> {
    device.word("bsd_name")?.strip_prefix("disk")?.parse().ok()
}

/// Nothing for one that can be unplugged, and for an optical drive, whose medium has another size or none.
fn drive(section: &str, device: Row<'_>) -> Option<Drive> {
    if ["detachable_drive", "removable_media"].iter().any(|name| device.word(name) == Some("yes")) {
        return None;
    }
    let capacity = device.number("size_in_bytes").and_then(Bytes::new).filter(|size| size.get() > 0)?;
    Some(Drive {
        model: device.text("device_model"),
        serial_number: device.word("device_serial").and_then(SerialNumber::parse).into(),
        firmware: device.text("device_revision"),
        kind: kind(section, device),
        capacity_bytes: Some(capacity),
        self_assessment: self_assessment(device),
        ..Drive::default()
    })
}

fn kind(section: &str, device: Row<'_>) -> Option<DriveKind> {
    if section == "SPNVMeDataType" {
        return Some(DriveKind::Nvme);
    }
    match device.word("spsata_medium_type") {
        Some("Rotational") => Some(DriveKind::Hdd),
        Some("Solid State") => Some(DriveKind::Ssd),
        _ => None,
    }
}

/// What the drive says of itself, as macOS passes it on. "Not Supported" and other words tell nothing.
fn self_assessment(device: Row<'_>) -> Option<SelfAssessment> {
    match device.word("smart_status") {
        Some("Verified") => Some(SelfAssessment::Passed),
        Some("Failing") => Some(SelfAssessment::Failed),
        _ => None,
    }
}
