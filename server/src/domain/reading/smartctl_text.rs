//! smartctl's text (`-a`, `-x`), put into the shape of its JSON so that one reader judges what a field means.
//!
//! Names and forms as smartmontools 5 to 7 print them (ataprint.cpp, nvmeprint.cpp, scsiprint.cpp). Numbers may carry
//! the separators of any locale.

use cartable_common::report::HealthReport;
use serde_json::{Map, Value, json};

use super::{
    DatedReport, Reading, after, grouped,
    json::{drive_of, of_smartctl},
};

pub(super) fn read(text: &str) -> Option<Reading> {
    let is_smartctl = text.lines().take(LINES_OF_HEADING).any(|line| line.trim_start().starts_with("smartctl "))
        || text.contains(INFORMATION)
        || DATA.iter().any(|data| text.contains(data));
    if !is_smartctl {
        return None;
    }
    let told: Vec<&str> = answers(text).into_iter().filter(|answer| tells(answer)).collect();
    if told.len() < 2 {
        return Some(of_smartctl(&Value::Object(document(text))));
    }
    // The answers about several drives: a machine, of whose batteries nothing was read.
    let drives = told.into_iter().map(|answer| drive_of(&Value::Object(document(answer)))).collect();
    let report = HealthReport { drives, ..HealthReport::default() };
    Some(Reading::Device(vec![DatedReport { report, ..DatedReport::default() }]))
}

/// A prompt or a warning may stand before the name of the program.
const LINES_OF_HEADING: usize = 10;
/// What begins a drive's description, once for each.
const INFORMATION: &str = "=== START OF INFORMATION SECTION ===";
/// What begins a drive's figures, once for each: on ATA and SCSI, and on NVMe.
const DATA: [&str; 2] = ["=== START OF READ SMART DATA SECTION ===", "=== START OF SMART DATA SECTION ==="];

/// The answers that were written one after the other into `text`: each begins with the program's own line
/// (`smartctl 7.2 2020-12-30 r5155 [x86_64-linux] …`) or, where that was cut off, with a section that stood there already.
/// A field of one drive must never be taken for another's.
fn answers(text: &str) -> Vec<&str> {
    let (mut found, mut start, mut at) = (Vec::new(), 0, 0);
    let (mut begun, mut informed, mut measured) = (false, false, false);
    for line in text.split_inclusive('\n') {
        let heading = line.starts_with("smartctl ") && line.contains('[');
        let information = line.trim() == INFORMATION;
        let data = DATA.contains(&line.trim());
        if begun && heading || informed && information || measured && data {
            found.extend(text.get(start..at));
            (start, begun, informed, measured) = (at, false, false, false);
        }
        begun |= heading || information || data;
        informed |= information;
        measured |= data;
        at += line.len();
    }
    found.extend(text.get(start..));
    found
}

/// Whether an answer says anything of a drive: the name of the program alone does not.
fn tells(answer: &str) -> bool {
    answer.contains(INFORMATION) || DATA.iter().any(|data| answer.contains(data)) || not_asked(answer).is_some()
}

fn document(text: &str) -> Map<String, Value> {
    let mut found = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            found.insert(name.to_owned(), value);
        }
    };
    let field = |names: &[&str]| text.lines().find_map(|line| names.iter().find_map(|name| after(line, name)));
    let count = |names: &[&str]| field(names).and_then(grouped);
    let nvme = nvme(text);
    put("model_name", field(&["Device Model", "Model Number", "Product"]).map(Value::from));
    put("model_family", field(&["Model Family"]).map(Value::from));
    put("serial_number", field(&["Serial Number", "Serial number"]).map(Value::from));
    put("firmware_version", field(&["Firmware Version", "Revision"]).map(Value::from));
    put("rotation_rate", field(&["Rotation Rate"]).and_then(rotation).map(Value::from));
    let capacity = count(&["User Capacity", "Namespace 1 Size/Capacity", "Total NVM Capacity"]);
    put("user_capacity", capacity.map(|bytes| json!({ "bytes": bytes })));
    put("smart_status", passed(text).map(|passed| json!({ "passed": passed })));
    put("temperature", temperature(text).map(|degrees| json!({ "current": degrees })));
    let attributes = attributes(text);
    put("power_on_time", hours(text, &attributes).map(|hours| json!({ "hours": hours })));
    let cycles = count(&["Power Cycles"]).or_else(|| raw_of(&attributes, 12));
    put("power_cycle_count", cycles.map(Value::from));
    put("ata_smart_attributes", (!attributes.is_empty()).then(|| json!({ "table": attributes })));
    put("ata_smart_error_log", logged_errors(text).map(|count| json!({ "summary": { "count": count } })));
    put("ata_smart_self_test_log", self_tests(text).map(|rows| json!({ "standard": { "table": rows } })));
    put("ata_device_statistics", statistics(text).map(|pages| json!({ "pages": pages })));
    put("scsi_grown_defect_list", count(&["Elements in grown defect list"]).map(Value::from));
    put("scsi_percentage_used_endurance_indicator", count(&["Percentage used endurance indicator"]).map(Value::from));
    put("scsi_error_counter_log", scsi_errors(text));
    put("smartctl", not_asked(text));
    if let Some(log) = nvme {
        put("device", Some(json!({ "protocol": "NVMe" })));
        put("nvme_smart_health_information_log", Some(log));
    }
    found
}

fn rotation(words: &str) -> Option<u64> {
    if words.contains("Solid State") { Some(0) } else { grouped(words).filter(|rate| *rate > 0) }
}

/// ATA and NVMe say PASSED or FAILED!, SCSI says OK or what is wrong.
fn passed(text: &str) -> Option<bool> {
    let ata = ["SMART overall-health self-assessment test result", "SMART Health Status"];
    let words = text.lines().find_map(|line| ata.iter().find_map(|name| after(line, name)))?;
    match words.split_whitespace().next()? {
        "PASSED" | "OK" => Some(true),
        "FAILED!" | "FAILED" | "FAILURE" | "FAILING" => Some(false),
        word if word.chars().all(|c| c.is_ascii_uppercase()) => Some(false),
        _ => None,
    }
}

fn temperature(text: &str) -> Option<u64> {
    let names = ["Temperature", "Current Drive Temperature", "Current Temperature"];
    let words = text.lines().find_map(|line| {
        names
            .iter()
            .find_map(|name| after(line, name))
            .filter(|words| words.contains("Celsius") || words.ends_with(" C"))
    });
    words.and_then(grouped)
}

/// Hours as NVMe and SCSI print them, or attribute 9, which may go on with minutes.
fn hours(text: &str, attributes: &[Value]) -> Option<u64> {
    let nvme = || text.lines().find_map(|line| after(line, "Power On Hours")).and_then(grouped);
    let scsi = || {
        text.lines().find_map(|line| {
            let line = line.trim_start();
            let rest = line
                .strip_prefix("Accumulated power on time, hours:minutes ")
                .or_else(|| line.strip_prefix("number of hours powered up = "))?;
            raw_value(rest.trim())
        })
    };
    nvme().or_else(scsi).or_else(|| raw_of(attributes, 9))
}

fn raw_of(attributes: &[Value], id: u64) -> Option<u64> {
    let row = attributes.iter().find(|row| row.get("id").and_then(Value::as_u64) == Some(id))?;
    row.pointer("/raw/value")?.as_u64()
}

/// The table of vendor attributes, in either of its two forms (`-f old` and `-f brief`).
fn attributes(text: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut old_form = None;
    for line in text.lines() {
        if line.trim_start().starts_with("ID#") {
            old_form = Some(line.contains("TYPE"));
            continue;
        }
        let Some(old) = old_form else { continue };
        match attribute(line, old) {
            Some(row) => rows.push(row),
            // The legend of the flags and an empty line end the table.
            None if rows.is_empty() => {}
            None => break,
        }
    }
    rows
}

fn attribute(line: &str, old_form: bool) -> Option<Value> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (failed, raw) = if old_form { (8, 9) } else { (6, 7) };
    let id: u64 = words.first()?.parse().ok()?;
    let small = |place: usize| words.get(place).and_then(|word| word.parse::<u64>().ok());
    let failed = match *words.get(failed)? {
        "-" => "",
        other => other,
    };
    Some(json!({
        "id": id, "name": words.get(1)?, "value": small(3), "worst": small(4), "thresh": small(5),
        "when_failed": failed, "raw": { "value": words.get(raw).and_then(|word| raw_value(word)) },
    }))
}

/// The number at the beginning of a raw value: `31`, `48216h+18m`, `0x002e014e002e`.
fn raw_value(word: &str) -> Option<u64> {
    if let Some(hex) = word.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok();
    }
    let end = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    word.get(..end)?.parse().ok()
}

fn logged_errors(text: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        ["Device Error Count", "ATA Error Count"]
            .iter()
            .find_map(|name| after(line, name))
            .and_then(grouped)
            .or_else(|| (line.trim() == "No Errors Logged").then_some(0))
    })
}

/// The log of self-tests, newest first: `# 1  Short offline  Completed: read failure  90%  1234  56789`.
fn self_tests(text: &str) -> Option<Vec<Value>> {
    let log =
        text.split("Self-test Log Version").nth(1).or_else(|| text.split("Self-test log structure revision").nth(1))?;
    // The selective log that follows numbers spans, not tests.
    let rows = log.lines().skip(1).take_while(|line| !line.contains("Selective Self-test") && !line.trim().is_empty());
    Some(rows.filter_map(self_test).collect())
}

fn self_test(line: &str) -> Option<Value> {
    let rest = line.trim_start().strip_prefix('#')?.trim_start();
    let number = rest.find(|c: char| !c.is_ascii_digit())?;
    let rest = rest.get(number..)?.trim_start();
    let passed = if rest.contains("Completed without error") {
        Some(true)
    } else if ["failure", "Fatal", "handling damage"].iter().any(|word| rest.contains(word)) {
        Some(false)
    } else {
        None
    };
    Some(json!({ "type": { "string": rest }, "status": { "passed": passed } }))
}

/// Device statistics: `0x07  0x008  1  140  N--  Percentage Used Endurance Indicator`, grouped by page.
fn statistics(text: &str) -> Option<Vec<Value>> {
    let mut pages: Vec<(u64, Vec<Value>)> = Vec::new();
    for line in text.lines().skip_while(|line| !line.starts_with("Device Statistics (")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [page, offset, _size, value, _flags, name @ ..] = words.as_slice() else { continue };
        let hex = |word: &str| word.strip_prefix("0x").and_then(|hex| u64::from_str_radix(hex, 16).ok());
        let (Some(page), Some(_)) = (hex(page), hex(offset)) else { continue };
        // A dash stands for a value that is not valid.
        let Ok(value) = value.parse::<u64>() else { continue };
        let row = json!({ "name": name.join(" "), "value": value, "flags": { "valid": true } });
        match pages.iter_mut().find(|(number, _)| *number == page) {
            Some((_, rows)) => rows.push(row),
            None => pages.push((page, vec![row])),
        }
    }
    let page = |(number, table): (u64, Vec<Value>)| json!({ "number": number, "table": table });
    (!pages.is_empty()).then(|| pages.into_iter().map(page).collect())
}

/// The error counters of a SCSI drive; the last column counts what could not be corrected.
fn scsi_errors(text: &str) -> Option<Value> {
    let log = text.split("Error counter log:").nth(1)?;
    let row = |name: &str| {
        let words = log.lines().find_map(|line| after(line, name))?;
        words.split_whitespace().last()?.parse::<u64>().ok()
    };
    let mut found = Map::new();
    for name in ["read", "write", "verify"] {
        if let Some(errors) = row(name) {
            found.insert(name.to_owned(), json!({ "total_uncorrected_errors": errors }));
        }
    }
    (!found.is_empty()).then_some(Value::Object(found))
}

fn nvme(text: &str) -> Option<Value> {
    let log = text.split("SMART/Health Information (NVMe Log").nth(1)?;
    let field = |name: &str| log.lines().find_map(|line| after(line, name));
    let count = |name: &str| field(name).and_then(grouped);
    let warning = field("Critical Warning").and_then(raw_value);
    Some(json!({
        "critical_warning": warning,
        "available_spare": count("Available Spare"),
        "available_spare_threshold": count("Available Spare Threshold"),
        "percentage_used": count("Percentage Used"),
        "media_errors": count("Media and Data Integrity Errors"),
        "unsafe_shutdowns": count("Unsafe Shutdowns"),
    }))
}

/// smartctl's words where it could not ask the drive at all, with the exit status that it then has (bit 1).
fn not_asked(text: &str) -> Option<Value> {
    const SIGNS: [&str; 5] = [
        "failed: Permission denied",
        "failed: No such device",
        "Unable to detect device type",
        "Device is in STANDBY",
        "Please specify device type with the -d option",
    ];
    let line = text.lines().find(|line| {
        SIGNS.iter().any(|sign| line.contains(sign)) || line.trim_start().starts_with("Smartctl open device:")
    })?;
    Some(json!({ "exit_status": 2, "messages": [{ "string": line.trim(), "severity": "error" }] }))
}
