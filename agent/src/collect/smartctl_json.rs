//! Turns smartctl's JSON into a [`Drive`]'s health, unjudged.
//!
//! Field by field and tolerant: drives, bridges and versions of smartctl leave fields out or write odd ones, and one
//! odd field must not cost the others. What is not there stays absent; zero that means "not told" becomes absent.

use cartable_common::{
    Bytes, Celsius, Hours, Percent, SerialNumber, Text,
    limits::MAX_ATA_ATTRIBUTES,
    report::{AtaAttribute, Drive, DriveKind, NvmeHealth, SelfAssessment, Subject, Unread, UnreadReason, WhenFailed},
};
use serde_json::Value;

use super::unread;

/// Page 7 of the ATA device statistics: "Solid State Device Statistics".
const SOLID_STATE_PAGE: u64 = 7;

/// Adds what smartctl said to `drive`, whose facts from the kernel it refines.
pub fn merge(drive: &mut Drive, answer: &Value, missing: &mut Vec<Unread>) {
    identify(drive, answer);
    drive.smartctl_exit_status = number(answer, "/smartctl/exit_status").and_then(|bits| u8::try_from(bits).ok());
    drive.self_assessment = self_assessment(answer);
    drive.power_on_hours =
        number(answer, "/power_on_time/hours").and_then(|hours| u32::try_from(hours).ok()).and_then(Hours::new);
    drive.power_cycles = number(answer, "/power_cycle_count");
    drive.temperature_celsius = temperature(answer);
    drive.endurance_used_percent = endurance_used(answer);
    drive.logged_errors = number(answer, "/ata_smart_error_log/extended/count")
        .or_else(|| number(answer, "/ata_smart_error_log/summary/count"));
    drive.ata_attributes = attributes(answer);
    drive.nvme = nvme(answer);
    if drive.self_assessment.is_none() && drive.nvme.is_none() && drive.ata_attributes.is_empty() {
        missing.push(unread(Subject::DriveHealth, UnreadReason::NotPresent, "the drive tells nothing of its health"));
    }
}

fn identify(drive: &mut Drive, answer: &Value) {
    let known = |path| text(answer, path).and_then(Text::meaningful);
    drive.model = known("/model_name").or_else(|| known("/scsi_model_name")).or(drive.model.take());
    drive.firmware = known("/firmware_version").or(drive.firmware.take());
    if let Some(serial) = text(answer, "/serial_number").and_then(SerialNumber::parse) {
        drive.serial_number = Some(serial).into();
    }
    let capacity = number(answer, "/user_capacity/bytes").or_else(|| number(answer, "/nvme_total_capacity"));
    drive.capacity_bytes = capacity.filter(|bytes| *bytes > 0).and_then(Bytes::new).or(drive.capacity_bytes);
    drive.kind = kind(answer).or(drive.kind);
}

fn kind(answer: &Value) -> Option<DriveKind> {
    if text(answer, "/device/protocol") == Some("NVMe") {
        return Some(DriveKind::Nvme);
    }
    match number(answer, "/rotation_rate")? {
        0 => Some(DriveKind::Ssd),
        _ => Some(DriveKind::Hdd),
    }
}

fn self_assessment(answer: &Value) -> Option<SelfAssessment> {
    let passed = answer.pointer("/smart_status/passed")?.as_bool()?;
    Some(if passed { SelfAssessment::Passed } else { SelfAssessment::Failed })
}

/// Zero is what drives without a sensor answer.
fn temperature(answer: &Value) -> Option<Celsius> {
    let degrees = answer.pointer("/temperature/current")?.as_i64().filter(|degrees| *degrees != 0)?;
    Celsius::new(i16::try_from(degrees).ok()?)
}

/// "Percentage Used Endurance Indicator" of the device statistics, or what newer versions of smartctl make of it.
fn endurance_used(answer: &Value) -> Option<Percent> {
    let pages = answer.pointer("/ata_device_statistics/pages").and_then(Value::as_array);
    let page = pages.into_iter().flatten().find(|page| number(page, "/number") == Some(SOLID_STATE_PAGE));
    let rows = page.and_then(|page| page.get("table")?.as_array());
    let row = rows.into_iter().flatten().find(|row| text(row, "/name") == Some("Percentage Used Endurance Indicator"));
    // A row whose value is not valid says so in its flags.
    let valid = row.filter(|row| row.pointer("/flags/valid").and_then(Value::as_bool) != Some(false));
    // For NVMe that field repeats the log's own figure, which has its own place.
    let is_nvme = kind(answer) == Some(DriveKind::Nvme);
    let newer = || (!is_nvme).then(|| number(answer, "/endurance_used/current_percent")).flatten();
    percent(valid.and_then(|row| number(row, "/value")).or_else(newer))
}

fn attributes(answer: &Value) -> Vec<AtaAttribute> {
    let table = answer.pointer("/ata_smart_attributes/table").and_then(Value::as_array);
    table.into_iter().flatten().filter_map(attribute).take(MAX_ATA_ATTRIBUTES).collect()
}

fn attribute(row: &Value) -> Option<AtaAttribute> {
    let small = |path| number(row, path).and_then(|value| u8::try_from(value).ok());
    Some(AtaAttribute {
        id: small("/id")?,
        name: text(row, "/name").map(Text::clean),
        value: small("/value"),
        worst: small("/worst"),
        threshold: small("/thresh"),
        raw: number(row, "/raw/value"),
        when_failed: text(row, "/when_failed").map(when_failed),
    })
}

fn when_failed(word: &str) -> WhenFailed {
    match word.to_ascii_lowercase().as_str() {
        "" | "-" => WhenFailed::Never,
        "now" | "failing_now" => WhenFailed::Now,
        "past" | "in_the_past" => WhenFailed::Past,
        _ => WhenFailed::Unknown,
    }
}

fn nvme(answer: &Value) -> Option<NvmeHealth> {
    let log = answer.get("nvme_smart_health_information_log")?;
    Some(NvmeHealth {
        critical_warning: number(log, "/critical_warning").and_then(|bits| u8::try_from(bits).ok()),
        available_spare_percent: percent(number(log, "/available_spare")),
        available_spare_threshold_percent: percent(number(log, "/available_spare_threshold")),
        percentage_used_percent: percent(number(log, "/percentage_used")),
        media_errors: number(log, "/media_errors"),
        unsafe_shutdowns: number(log, "/unsafe_shutdowns"),
    })
}

fn percent(value: Option<u64>) -> Option<Percent> {
    value.and_then(|value| u8::try_from(value).ok()).and_then(Percent::new)
}

fn number(value: &Value, path: &str) -> Option<u64> {
    // 2^63 and more cannot be stored, and no real counter reaches it.
    value.pointer(path)?.as_u64().filter(|number| i64::try_from(*number).is_ok())
}

fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn drive(answer: &Value) -> Drive {
        let mut drive = Drive::default();
        merge(&mut drive, answer, &mut Vec::new());
        drive
    }

    #[test]
    fn an_ata_ssd_is_read() {
        let drive = drive(&json!({
            "device": {"protocol": "ATA"}, "model_name": "Example SSD", "serial_number": "EX123", "rotation_rate": 0,
            "firmware_version": "1.0", "user_capacity": {"bytes": 240_057_409_536_u64}, "smart_status": {"passed": true},
            "smartctl": {"exit_status": 64}, "power_on_time": {"hours": 1234}, "power_cycle_count": 56,
            "temperature": {"current": 31},
            "ata_smart_attributes": {"table": [{"id": 5, "name": "Reallocated_Sector_Ct", "value": 100, "worst": 99,
                "thresh": 10, "raw": {"value": 281_474_976_710_655_u64}, "when_failed": "past"}]},
            "ata_smart_error_log": {"extended": {"count": 3}},
            "ata_device_statistics": {"pages": [{"number": 7, "table": [
                {"name": "Percentage Used Endurance Indicator", "value": 12, "flags": {"valid": true}}]}]},
        }));
        assert_eq!((drive.kind, drive.smartctl_exit_status), (Some(DriveKind::Ssd), Some(64)));
        assert_eq!(drive.endurance_used_percent, Percent::new(12));
        assert_eq!((drive.logged_errors, drive.power_cycles), (Some(3), Some(56)));
        let attribute = &drive.ata_attributes[0];
        assert_eq!((attribute.raw, attribute.when_failed), (Some((1 << 48) - 1), Some(WhenFailed::Past)));
    }

    #[test]
    fn an_nvme_log_is_read_and_nothing_is_invented() {
        let drive = drive(&json!({
            "device": {"protocol": "NVMe"}, "temperature": {"current": 0}, "smart_status": {"passed": false},
            "nvme_smart_health_information_log": {"critical_warning": 4, "available_spare": 100, "percentage_used": 181},
        }));
        let nvme = drive.nvme.unwrap();
        assert_eq!((nvme.critical_warning, nvme.percentage_used_percent), (Some(4), Percent::new(181)));
        assert_eq!((nvme.media_errors, drive.temperature_celsius, drive.power_on_hours), (None, None, None));
        assert_eq!(drive.self_assessment, Some(SelfAssessment::Failed));
    }

    #[test]
    fn a_silent_drive_is_said_to_be_silent() {
        let mut missing = Vec::new();
        merge(&mut Drive::default(), &json!({"model_name": "x"}), &mut missing);
        assert_eq!(missing[0].reason, Some(UnreadReason::NotPresent));
    }

    #[test]
    fn every_real_reading_of_the_corpus_is_read() {
        let Some(corpus) = super::super::corpus() else { return };
        let folder = std::fs::read_dir(corpus).unwrap();
        let mut read = 0;
        for path in folder.map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.extension().is_none_or(|kind| kind != "json") || name.starts_with("no-device") {
                continue;
            }
            let answer: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let drive = drive(&answer);
            assert!(drive.model.is_some(), "{name} has no model");
            assert!(
                drive.nvme.is_some() || !drive.ata_attributes.is_empty() || drive.self_assessment.is_some(),
                "{name}"
            );
            let again: Drive = serde_json::from_str(&serde_json::to_string(&drive).unwrap()).unwrap();
            assert_eq!(again, drive, "{name} does not survive the wire");
            read += 1;
        }
        assert!(read > 20, "only {read} readings");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,20}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 30, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map("[a-z_]{1,8}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn odd_values_anywhere_never_break_a_reading(odd in any_json(), other in any_json()) {
            let answer = json!({"smart_status": odd, "temperature": {"current": other}, "serial_number": odd, "rotation_rate": other,
                "ata_smart_attributes": {"table": [odd, {"id": 5, "raw": other, "value": odd}]}, "nvme_smart_health_information_log": odd,
                "ata_device_statistics": {"pages": other}, "power_on_time": {"hours": odd}, "smartctl": other});
            let drive = drive(&answer);
            let again: Drive = serde_json::from_str(&serde_json::to_string(&drive).unwrap()).unwrap();
            prop_assert_eq!(again, drive);
        }
    }
}
