//! Readings in JSON: smartctl, lshw, nvme-cli, GLPI's inventories, a Cartable report or check-in.

use cartable_common::{
    Described as _, UtcMillis,
    protocol::ReportEnvelope,
    report::{Drive, DriveKind, HealthReport},
    smartctl,
};
use serde_json::{Value, json};

use super::{DatedReport, Reading, Unreadable, agents, inventory};

/// Values of a text that is read: an inventory with thousands of programs, or a spool of reports, has tens of thousands. Each
/// takes up to some hundred bytes of memory, so that a few bytes of text must not stand for one without an end.
const MOST_VALUES: usize = 400_000;

pub(super) fn read(text: &str) -> Result<Reading, Unreadable> {
    // Every value but the outermost follows one of these. Those within words are counted too: it is a bound, not a number.
    if text.bytes().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count() > MOST_VALUES {
        return Err(Unreadable::BrokenJson(format!("it has more than {MOST_VALUES} values")));
    }
    // The parser stops at a depth of 128 by itself.
    let value: Value = serde_json::from_str(text.trim()).map_err(|error| Unreadable::BrokenJson(error.to_string()))?;
    if is_smartctl(&value) {
        return Ok(of_smartctl(&value));
    }
    if let Some(log) = of_nvme_cli(&value) {
        return Ok(of_smartctl(&log));
    }
    if let Some(reading) = inventory::lshw_json(&value) {
        return Ok(reading);
    }
    if let Some(inventory) = agents::of_json(&value) {
        return Ok(Reading::Agent(Box::new(inventory)));
    }
    of_cartable(&value).unwrap_or(Err(Unreadable::Unrecognised))
}

fn is_smartctl(value: &Value) -> bool {
    const SIGNS: [&str; 8] = [
        "smartctl",
        "smart_status",
        "ata_smart_attributes",
        "ata_smart_data",
        "ata_device_statistics",
        "nvme_smart_health_information_log",
        "scsi_grown_defect_list",
        "scsi_error_counter_log",
    ];
    SIGNS.iter().any(|sign| value.get(sign).is_some())
}

/// The drive that smartctl's JSON tells of.
pub(super) fn of_smartctl(value: &Value) -> Reading {
    let drive = drive_of(value);
    let seconds = value.pointer("/local_time/time_t").and_then(Value::as_i64);
    let at = seconds.and_then(|seconds| seconds.checked_mul(1000)).and_then(UtcMillis::new);
    let messages = value.pointer("/smartctl/messages").and_then(Value::as_array);
    let words: Vec<&str> =
        messages.into_iter().flatten().filter_map(|message| message.get("string")?.as_str()).collect();
    Reading::Drive { drive: Box::new(drive), at, words: (!words.is_empty()).then(|| words.join("; ")) }
}

/// What smartctl's JSON says of its drive, without when and what went wrong.
pub(super) fn drive_of(value: &Value) -> Drive {
    let mut drive = Drive::default();
    smartctl::merge(&mut drive, value);
    drive
}

/// The answer of `nvme smart-log -o json`, under smartctl's names.
fn of_nvme_cli(value: &Value) -> Option<Value> {
    let (spare, used) = (value.get("avail_spare")?, value.get("percent_used")?);
    let field = |name: &str| value.get(name).cloned().unwrap_or_default();
    // Newer versions give the warning with its bits spelled out.
    let warning = value.pointer("/critical_warning/value").cloned().unwrap_or_else(|| field("critical_warning"));
    Some(json!({
        "device": {"protocol": "NVMe"},
        "power_on_time": {"hours": field("power_on_hours")},
        "nvme_smart_health_information_log": {
            "critical_warning": warning, "available_spare": spare, "available_spare_threshold": field("spare_thresh"),
            "percentage_used": used, "media_errors": field("media_errors"),
        },
    }))
}

/// A check-in, one of its reports with its envelope, or a bare report.
fn of_cartable(value: &Value) -> Option<Result<Reading, Unreadable>> {
    let invalid = |error: serde_json::Error| Unreadable::InvalidReport(error.to_string());
    if let Some(envelopes) = value.get("reports").and_then(Value::as_array).filter(|_| value.get("sent_at").is_some()) {
        let reports: Result<Vec<DatedReport>, _> = envelopes.iter().map(envelope).collect();
        return Some(reports.map(Reading::Device).map_err(invalid));
    }
    if value.get("report").is_some_and(Value::is_object) {
        return Some(envelope(value).map(|one| Reading::Device(vec![one])).map_err(invalid));
    }
    let is_field = |key: &String| HealthReport::FIELDS.iter().any(|field| field.name == key);
    value.as_object().filter(|members| members.keys().any(is_field)).map(|_| {
        let report: HealthReport = serde_json::from_value(value.clone()).map_err(invalid)?;
        report.check().map_err(|error| Unreadable::InvalidReport(error.to_string()))?;
        Ok(Reading::Device(vec![DatedReport { report, ..DatedReport::default() }]))
    })
}

fn envelope(value: &Value) -> Result<DatedReport, serde_json::Error> {
    let one: ReportEnvelope = serde_json::from_value(value.clone())?;
    Ok(DatedReport { sequence: one.sequence, at: Some(one.measured_at), report: one.report })
}

/// Whether `drive` is one that the kernel knows as an NVMe or another drive at all.
pub(super) fn kind_of_bus(name: &str) -> Option<DriveKind> {
    let name = name.to_ascii_lowercase();
    if name.contains("nvme") {
        Some(DriveKind::Nvme)
    } else if name.contains("mmc") {
        Some(DriveKind::Emmc)
    } else {
        None
    }
}
