//! Turns smartctl's JSON into a [`Drive`]'s health, unjudged.
//!
//! Field by field and tolerant: drives, bridges and versions of smartctl leave fields out or write odd ones, and one
//! odd field must not cost the others. What is not there stays absent; zero that means "not told" becomes absent.

use serde_json::Value;

use crate::{
    Bytes, Celsius, Hours, Percent, SerialNumber, Text,
    limits::MAX_ATA_ATTRIBUTES,
    report::{AtaAttribute, Drive, DriveKind, NvmeHealth, SelfAssessment, WhenFailed},
};

/// Pages of the ATA device statistics (ACS-3, 9.5): "Rotating Media", "General Errors", "Solid State Device".
const ROTATING_PAGE: u64 = 3;
const ERRORS_PAGE: u64 = 4;
const SOLID_STATE_PAGE: u64 = 7;

/// Adds what smartctl said to `drive`, whose facts from the kernel it refines.
pub fn merge(drive: &mut Drive, answer: &Value) {
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
    drive.failed_self_tests = failed_self_tests(answer);
    drive.grown_defects = statistic(answer, ROTATING_PAGE, "Number of Reallocated Logical Sectors")
        .or_else(|| number(answer, "/scsi_grown_defect_list"));
    drive.uncorrected_errors = statistic(answer, ERRORS_PAGE, "Number of Reported Uncorrectable Errors")
        .or_else(|| uncorrected_by_scsi(answer));
    drive.ata_attributes = attributes(answer);
    drive.nvme = nvme(answer);
}

/// Whether `drive` tells anything of its health.
#[must_use]
pub fn tells_health(drive: &Drive) -> bool {
    drive.self_assessment.is_some()
        || drive.nvme.is_some()
        || !drive.ata_attributes.is_empty()
        || drive.uncorrected_errors.is_some()
        || drive.grown_defects.is_some()
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
    if text(answer, "/device/protocol") == Some("NVMe") || answer.get("nvme_smart_health_information_log").is_some() {
        return Some(DriveKind::Nvme);
    }
    match number(answer, "/rotation_rate") {
        Some(0) => Some(DriveKind::Ssd),
        Some(_) => Some(DriveKind::Hdd),
        // Some bridges hide the rate; then a name may still say it.
        None => ["/model_name", "/model_family"]
            .iter()
            .any(|path| text(answer, path).is_some_and(|name| name.contains("SSD")))
            .then_some(DriveKind::Ssd),
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

/// "Percentage Used Endurance Indicator" of the device statistics, or what newer versions of smartctl and SCSI drives
/// make of it.
fn endurance_used(answer: &Value) -> Option<Percent> {
    // For NVMe that field repeats the log's own figure, which has its own place.
    let is_nvme = kind(answer) == Some(DriveKind::Nvme);
    let newer = || (!is_nvme).then(|| number(answer, "/endurance_used/current_percent")).flatten();
    percent(
        statistic(answer, SOLID_STATE_PAGE, "Percentage Used Endurance Indicator")
            .or_else(newer)
            .or_else(|| number(answer, "/scsi_percentage_used_endurance_indicator")),
    )
}

/// A value of the ATA device statistics. A row whose value is not valid says so in its flags.
fn statistic(answer: &Value, page: u64, name: &str) -> Option<u64> {
    let pages = answer.pointer("/ata_device_statistics/pages").and_then(Value::as_array);
    let page = pages.into_iter().flatten().find(|one| number(one, "/number") == Some(page));
    let rows = page.and_then(|page| page.get("table")?.as_array());
    let row = rows.into_iter().flatten().find(|row| text(row, "/name") == Some(name))?;
    (row.pointer("/flags/valid").and_then(Value::as_bool) != Some(false)).then(|| number(row, "/value")).flatten()
}

/// The errors that a SCSI drive could not correct, of reading, writing and verifying together.
fn uncorrected_by_scsi(answer: &Value) -> Option<u64> {
    let log = answer.get("scsi_error_counter_log")?;
    let of = |what: &str| number(log, &format!("/{what}/total_uncorrected_errors"));
    ["read", "write", "verify"].into_iter().filter_map(of).reduce(u64::saturating_add)
}

/// Self-tests that failed and that no later complete one has outdated, as smartctl counts for bit 7 of its exit status.
fn failed_self_tests(answer: &Value) -> Option<u64> {
    let ata = |form: &str| answer.pointer(&format!("/ata_smart_self_test_log/{form}"));
    ata("extended").or_else(|| ata("standard")).and_then(failed_in_ata_log).or_else(|| {
        let rows = answer.pointer("/nvme_self_test_log/table")?.as_array()?;
        Some(failed_in(rows.iter().map(|row| {
            // NVMe base specification, Device Self-test log: 0 passed, 5 to 7 failed, the others were stopped.
            let passed = match number(row, "/self_test_result/value") {
                Some(0) => Some(true),
                Some(5..=7) => Some(false),
                _ => None,
            };
            (passed, number(row, "/self_test_code/value") == Some(2))
        })))
    })
}

fn failed_in_ata_log(log: &Value) -> Option<u64> {
    if let Some(total) = number(log, "/error_count_total") {
        return Some(total.saturating_sub(number(log, "/error_count_outdated").unwrap_or_default()));
    }
    match log.get("table").and_then(Value::as_array) {
        Some(rows) => Some(failed_in(rows.iter().map(|row| {
            let complete = text(row, "/type/string").is_some_and(|kind| kind.starts_with("Extended"));
            (row.pointer("/status/passed").and_then(Value::as_bool), complete)
        }))),
        None => number(log, "/count").filter(|count| *count == 0),
    }
}

/// Counts failures in a log whose newest test stands first: whether each passed, and whether it was a complete one.
fn failed_in(tests: impl Iterator<Item = (Option<bool>, bool)>) -> u64 {
    let mut failed = 0;
    for test in tests {
        match test {
            (Some(true), true) => break,
            (Some(false), _) => failed += 1,
            _ => {}
        }
    }
    failed
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
    // Without the log (`smartctl -H` alone), the status still carries the warning bits: heat alone is no failure.
    let log = answer.get("nvme_smart_health_information_log").or_else(|| answer.pointer("/smart_status/nvme"))?;
    let warning = number(log, "/critical_warning").or_else(|| number(answer, "/smart_status/nvme/value"));
    Some(NvmeHealth {
        critical_warning: warning.and_then(|bits| u8::try_from(bits).ok()),
        available_spare_percent: percent(number(log, "/available_spare")),
        available_spare_threshold_percent: percent(number(log, "/available_spare_threshold")),
        percentage_used_percent: percent(number(log, "/percentage_used")),
        media_errors: number(log, "/media_errors"),
        unsafe_shutdowns: number(log, "/unsafe_shutdowns"),
    })
}

/// NVMe counts no further than 255; what lies beyond is at least that.
fn percent(value: Option<u64>) -> Option<Percent> {
    value.and_then(|value| Percent::new(u8::try_from(value).unwrap_or(u8::MAX)))
}

/// A count. What is larger than a database can hold is the largest that it can: more errors are never fewer.
fn number(value: &Value, path: &str) -> Option<u64> {
    let largest = i64::MAX.unsigned_abs();
    let found = value.pointer(path)?;
    if let Some(number) = found.as_u64() {
        return Some(number.min(largest));
    }
    // NVMe counts in 128 bits, which JSON readers give as a fraction.
    found.as_f64().filter(|number| *number >= 1.8e19).map(|_| largest)
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
        merge(&mut drive, answer);
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
    fn the_status_alone_of_an_nvme_drive_tells_its_warnings() {
        let asked = |value: Value| drive(&json!({"device": {"protocol": "NVMe"}, "smart_status": value})).nvme;
        let log = asked(json!({"passed": false, "nvme": {"value": 2}})).unwrap();
        assert_eq!((log.critical_warning, log.media_errors, log.available_spare_percent), (Some(2), None, None));
        assert_eq!(asked(json!({"passed": false})), None);
    }

    #[test]
    fn a_silent_drive_is_said_to_be_silent() {
        assert!(!tells_health(&drive(&json!({"model_name": "x"}))));
        assert!(tells_health(&drive(&json!({"smart_status": {"passed": true}}))));
    }

    #[test]
    fn self_tests_that_failed_count_until_a_complete_one_passed() {
        let ata = |log: Value| drive(&json!({"ata_smart_self_test_log": {"extended": log}})).failed_self_tests;
        let test = |kind: &str, passed: Option<bool>| json!({"type": {"string": kind}, "status": {"passed": passed}});
        assert_eq!(ata(json!({"count": 0})), Some(0));
        assert_eq!(ata(json!({"count": 9})), None, "rows that are not there were not read");
        assert_eq!(ata(json!({"error_count_total": 3, "error_count_outdated": 1, "table": []})), Some(2));
        let rows = [test("Short offline", Some(true)), test("Extended offline", Some(false)), test("Short", None)];
        assert_eq!(ata(json!({"table": rows})), Some(1), "a short one outdates nothing");
        let rows = [test("Extended offline", Some(true)), test("Extended offline", Some(false))];
        assert_eq!(ata(json!({"table": rows})), Some(0));
        let nvme = |result: u8| {
            let row = json!({"self_test_code": {"value": 1}, "self_test_result": {"value": result}});
            drive(&json!({"nvme_self_test_log": {"table": [row]}})).failed_self_tests
        };
        assert_eq!([0, 1, 5, 7, 9].map(nvme), [Some(0), Some(0), Some(1), Some(1), Some(0)]);
    }

    #[test]
    fn a_sas_drive_tells_its_defects_and_its_wear() {
        let drive = drive(&json!({
            "device": {"protocol": "SCSI"}, "scsi_model_name": "X", "rotation_rate": 10_500, "scsi_grown_defect_list": 14,
            "scsi_error_counter_log": {"read": {"total_uncorrected_errors": 2}, "write": {"total_uncorrected_errors": 1}},
            "scsi_percentage_used_endurance_indicator": 3,
        }));
        assert_eq!(
            (drive.kind, drive.grown_defects, drive.uncorrected_errors),
            (Some(DriveKind::Hdd), Some(14), Some(3))
        );
        assert_eq!(drive.endurance_used_percent, Percent::new(3));
    }

    #[test]
    fn what_does_not_fit_is_the_largest_that_does() {
        let text = r#"{"nvme_smart_health_information_log": {"media_errors": 340282366920938463463374607431768211455,
            "percentage_used": 300}}"#;
        let drive = drive(&serde_json::from_str(text).unwrap());
        let nvme = drive.nvme.unwrap();
        assert_eq!(nvme.media_errors, Some(i64::MAX.unsigned_abs()));
        assert_eq!(nvme.percentage_used_percent, Percent::new(255));
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
