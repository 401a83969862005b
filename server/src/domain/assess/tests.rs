//! Readings that come together, as the command line hands them over.

use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use super::*;
use crate::domain::reading::read;

fn judged(texts: &[String]) -> Vec<Assessment> {
    let readings: Vec<Result<Reading, Unreadable>> = texts.iter().map(|text| read(text.as_bytes())).collect();
    assess(&readings, &Policy::default(), UtcMillis::new(1_795_521_600_000).unwrap_or_default())
}

fn one(text: &str) -> Assessment {
    judged(&[text.to_owned()]).remove(0)
}

fn codes(assessment: &Assessment) -> Vec<&str> {
    assessment.judgement.reasons.iter().map(|reason| reason.code).collect()
}

fn smartctl(serial: &str, day: i64, reallocated: u64, pending: u64) -> String {
    let seconds = 1_790_000_000 + day * 86_400;
    format!(
        r#"{{"smartctl":{{"exit_status":0}},"local_time":{{"time_t":{seconds}}},"model_name":"EXAMPLE 500","serial_number":"{serial}",
        "rotation_rate":5400,"smart_status":{{"passed":true}},"ata_smart_attributes":{{"table":[
        {{"id":5,"name":"Reallocated_Sector_Ct","value":100,"thresh":10,"raw":{{"value":{reallocated}}}}},
        {{"id":197,"name":"Current_Pending_Sector","value":100,"thresh":0,"raw":{{"value":{pending}}}}},
        {{"id":198,"name":"Offline_Uncorrectable","value":100,"thresh":0,"raw":{{"value":0}}}}]}}}}"#
    )
}

#[test]
fn a_healthy_drive_shows_its_evidence_and_what_is_missing() {
    let found = one(&smartctl("EX123", 0, 0, 0));
    assert_eq!((found.kind, found.judgement.verdict), (Kind::Drive, Verdict::Healthy));
    assert_eq!(codes(&found), ["reallocated_sectors", "pending_sectors", "unreadable_sectors", "own_status"]);
    let missing: Vec<&str> = found.judgement.missing.iter().map(|said| said.en.as_str()).collect();
    assert_eq!(missing, ["Its hours powered on.", "Its temperature."]);
}

#[test]
fn another_agents_inventory_speaks_of_batteries_and_not_of_drives() {
    let found = one(include_str!("../reading/agents/samples/fusioninventory-2.6.xml"));
    assert_eq!((found.kind, found.judgement.verdict), (Kind::Device, Verdict::Worn));
    assert_eq!(found.name.as_deref(), Some("LENOVO 20VH0019FR"));
    let missing = found.judgement.missing.iter().any(|said| said.en.contains("ask smartctl"));
    assert!(missing, "{:?}", found.judgement.missing);
}

#[test]
fn an_nvme_drive_that_is_only_hot_is_not_failing_though_its_status_alone_was_asked() {
    let asked = |bits: u8| {
        let answer = format!(
            r#"{{"device":{{"protocol":"NVMe"}},"smart_status":{{"passed":false,"nvme":{{"value":{bits}}}}}}}"#
        );
        one(&answer).judgement.verdict
    };
    assert_eq!((asked(2), asked(4)), (Verdict::Unknown, Verdict::Failing));
}

#[test]
fn a_sound_drive_hides_no_other_of_the_same_text() {
    let answer = |serial: &str, pending: u32| {
        format!(
            "smartctl 7.2 2020-12-30 r5155 [x86_64-linux-5.10.0] (local build)\n=== START OF INFORMATION SECTION ===\n\
             Device Model: EXAMPLE 500\nSerial Number: {serial}\nRotation Rate: 5400 rpm\n\
             === START OF READ SMART DATA SECTION ===\nSMART overall-health self-assessment test result: PASSED\n\
             ID# ATTRIBUTE_NAME FLAG VALUE WORST THRESH TYPE UPDATED WHEN_FAILED RAW_VALUE\n\
             5 Reallocated_Sector_Ct 0x0033 100 100 010 Pre-fail Always - 0\n\
             197 Current_Pending_Sector 0x0012 100 100 000 Old_age Always - {pending}\n\
             198 Offline_Uncorrectable 0x0010 100 100 000 Old_age Offline - 0\n\n"
        )
    };
    assert_eq!(one(&answer("EX100001", 0)).judgement.verdict, Verdict::Healthy);
    let failing = one(&format!("{}{}", answer("EX100001", 0), answer("EX100002", 8)));
    assert_eq!((failing.kind, failing.judgement.verdict), (Kind::Device, Verdict::Failing));
    let sound = one(&format!("{}{}", answer("EX100001", 0), answer("EX100002", 0)));
    assert_eq!(sound.judgement.verdict, Verdict::Unknown, "nothing was read of that machine's batteries");
}

#[test]
fn several_readings_of_one_drive_are_judged_together_each_by_its_day() {
    let texts = [smartctl("EX123", 20, 8, 0), smartctl("EX123", 0, 0, 0), smartctl("EX999", 0, 0, 0)];
    let verdicts: Vec<&str> = judged(&texts).iter().map(|one| one.judgement.verdict.as_str()).collect();
    assert_eq!(verdicts, ["failing", "healthy", "healthy"]);
    let masked = [smartctl("REDACTED", 20, 8, 0), smartctl("REDACTED", 0, 0, 0)];
    assert_eq!(judged(&masked)[0].judgement.verdict, Verdict::Worn, "a masked number is nobody's");
}

#[test]
fn a_check_in_and_reports_of_one_device() {
    let report = |sequence: u64, day: i64, errors: u64| {
        let at = 1_790_000_000_000 + day * 86_400_000;
        format!(
            r#"{{"report_id":"0198f3a0-0000-7000-8000-00000000000{sequence}","sequence":{sequence},"measured_at":{at},"report":{{
            "hardware":{{"manufacturer":"LENOVO","chassis":"laptop"}},
            "drives":[{{"serial_number":"S3X9NX0M","nvme":{{"critical_warning":0,"available_spare_percent":100,
            "available_spare_threshold_percent":10,"percentage_used_percent":2,"media_errors":{errors}}}}}],
            "batteries":[{{"full_milliwatt_hours":20000,"design_milliwatt_hours":50000}}]}}}}"#
        )
    };
    let spool = format!(r#"{{"agent_version":"1","sent_at":1,"reports":[{},{}]}}"#, report(2, 9, 6), report(1, 0, 5));
    let found = one(&spool);
    assert_eq!((found.kind, found.judgement.verdict), (Kind::Device, Verdict::Failing));
    assert_eq!(codes(&found)[..3], ["media_errors_growing", "media_errors", "battery_capacity"]);
    let apart = judged(&[report(2, 9, 6), report(1, 0, 5)]);
    assert_eq!(apart[0].judgement.verdict, Verdict::Failing);
    assert_eq!(
        apart[1].judgement.verdict,
        Verdict::Worn,
        "five errors that stand, and a battery that it can do without"
    );
    assert_eq!(one(r#"{"drives":[]}"#).judgement.verdict, Verdict::Unknown);
    assert_eq!(one(r#"{"agent_version":"1","sent_at":1,"reports":[]}"#).judgement.verdict, Verdict::Unknown);
}

#[test]
fn batteries_that_are_there_and_that_are_not() {
    let uevent = |full: u32, design: u32| {
        format!(
            "POWER_SUPPLY_NAME=BAT0\nPOWER_SUPPLY_TYPE=Battery\nPOWER_SUPPLY_ENERGY_FULL={full}000\nPOWER_SUPPLY_ENERGY_FULL_DESIGN={design}000\n"
        )
    };
    let verdict = |full, design| one(&uevent(full, design)).judgement.verdict.as_str();
    assert_eq!(
        [verdict(40_000, 50_000), verdict(39_000, 50_000), verdict(24_000, 50_000)],
        ["healthy", "worn", "failing"]
    );
    assert_eq!([verdict(40_000, 0), verdict(40_000, 3_000)], ["unknown", "unknown"]);
    let over = one(&uevent(54_000, 50_000));
    assert_eq!((over.judgement.verdict, over.judgement.missing.len()), (Verdict::Healthy, 1), "clamped and marked");
    let two = one(&(uevent(45_000, 50_000) + &uevent(20_000, 50_000)));
    assert_eq!(two.judgement.verdict, Verdict::Failing);
    assert_eq!(two.judgement.reasons[0].value.en, "battery 2: 40%");
    let none = one("POWER_SUPPLY_NAME=AC\nPOWER_SUPPLY_TYPE=Mains\n");
    assert_eq!((none.kind, none.judgement.verdict), (Kind::Battery, Verdict::Unknown));
}

#[test]
fn a_list_of_parts_is_never_healthy_and_tells_an_old_machine() {
    let dmi = "# dmidecode 3.3\n\nHandle 0x0000, DMI type 0, 24 bytes\nBIOS Information\n\tRelease Date: 03/12/2011\n";
    let found = one(dmi);
    assert_eq!((found.kind, found.judgement.verdict), (Kind::Device, Verdict::Unknown));
    assert_eq!(codes(&found), ["older_than_reuse"]);
    assert_eq!(codes(&one(&dmi.replace("2011", "2023"))), Vec::<&str>::new());
    let unread = one("milk, eggs");
    assert_eq!(
        (unread.kind, unread.judgement.verdict, codes(&unread)),
        (Kind::Unknown, Verdict::Unknown, vec!["format_unknown"])
    );
}

fn attribute(id: u8, name: &str, threshold: u8, raw: u32) -> Value {
    json!({ "id": id, "name": name, "value": 100, "threshold": threshold, "raw": raw })
}

/// A laptop in which nothing is wrong, as its agent reports it.
fn sound() -> Value {
    json!({
        "hardware": { "manufacturer": "LENOVO", "model": "ThinkPad L13", "chassis": "laptop" },
        "drives": [
            {
                "serial_number": "S3X9NX0M", "model": "PM981", "kind": "nvme", "self_assessment": "passed",
                "power_on_hours": 4200, "temperature_celsius": 35,
                "nvme": {
                    "critical_warning": 0, "available_spare_percent": 100, "available_spare_threshold_percent": 10,
                    "percentage_used_percent": 2, "media_errors": 0,
                },
            },
            {
                "serial_number": "WX11A", "kind": "hdd", "self_assessment": "passed",
                "ata_attributes": [
                    attribute(3, "Spin_Up_Time", 21, 4000),
                    attribute(5, "Reallocated_Sector_Ct", 10, 0),
                    attribute(197, "Current_Pending_Sector", 0, 0),
                    attribute(198, "Offline_Uncorrectable", 0, 0),
                ],
            },
        ],
        "batteries": [{ "full_milliwatt_hours": 45_000, "design_milliwatt_hours": 50_000, "cycle_count": 12 }],
    })
}

/// What that laptop must have told to be called healthy: docs/EVIDENCE.md says why.
const NEEDED: [&str; 18] = [
    "/drives",
    "/drives/0/nvme",
    "/drives/0/nvme/critical_warning",
    "/drives/0/nvme/available_spare_percent",
    "/drives/0/nvme/available_spare_threshold_percent",
    "/drives/0/nvme/percentage_used_percent",
    "/drives/0/nvme/media_errors",
    "/drives/1/self_assessment",
    "/drives/1/ata_attributes",
    "/drives/1/ata_attributes/1/id",
    "/drives/1/ata_attributes/1/raw",
    "/drives/1/ata_attributes/2/id",
    "/drives/1/ata_attributes/2/raw",
    "/drives/1/ata_attributes/3/id",
    "/drives/1/ata_attributes/3/raw",
    "/batteries",
    "/batteries/0/full_milliwatt_hours",
    "/batteries/0/design_milliwatt_hours",
];

/// Every field below `value`, wherever it stands, as a JSON pointer.
fn fields(value: &Value, path: &str) -> Vec<String> {
    match value {
        Value::Object(own) => own
            .iter()
            .flat_map(|(name, field)| {
                let path = format!("{path}/{name}");
                let mut below = fields(field, &path);
                below.push(path);
                below
            })
            .collect(),
        Value::Array(all) => {
            all.iter().enumerate().flat_map(|(place, one)| fields(one, &format!("{path}/{place}"))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// The verdict on that laptop when its agent leaves these fields out.
fn verdict_without(dropped: &[String]) -> Verdict {
    let mut report = sound();
    for path in dropped {
        let (holder, name) = path.rsplit_once('/').unwrap_or_default();
        if let Some(Value::Object(own)) = report.pointer_mut(holder) {
            own.remove(name);
        }
    }
    let report: HealthReport = serde_json::from_value(report).unwrap();
    let policy = Policy::default();
    machine(&report, |drive| drive::judge(drive, &policy), &policy).verdict
}

#[test]
fn a_machine_is_healthy_until_something_that_decides_is_left_out() {
    assert_eq!(verdict_without(&[]), Verdict::Healthy);
    let fields = fields(&sound(), "");
    assert!(NEEDED.iter().all(|needed| fields.iter().any(|field| field == needed)), "{fields:?}");
    for field in fields {
        let expected = if NEEDED.contains(&field.as_str()) { Verdict::Unknown } else { Verdict::Healthy };
        assert_eq!(verdict_without(std::slice::from_ref(&field)), expected, "{field}");
    }
}

proptest! {
    /// However much is left out: what decides is missed, and what is missing accuses nobody.
    #[test]
    fn missing_evidence_never_makes_a_machine_healthy(dropped in proptest::collection::vec(any::<Index>(), 0..12)) {
        let fields = fields(&sound(), "");
        let dropped: Vec<String> = dropped.iter().map(|place| place.get(&fields).clone()).collect();
        let verdict = verdict_without(&dropped);
        prop_assert!(matches!(verdict, Verdict::Healthy | Verdict::Unknown), "{:?}: {}", dropped, verdict);
        if dropped.iter().any(|field| NEEDED.contains(&field.as_str())) {
            prop_assert_eq!(verdict, Verdict::Unknown, "{:?}", dropped);
        }
    }

    /// Whatever the order of files, each gets the same judgement.
    #[test]
    fn the_order_of_files_does_not_matter(
        counts in proptest::collection::vec((0_i64..200, 0_u64..20, 0_u64..2), 1..6), turn in 0_usize..6,
    ) {
        let texts: Vec<String> = counts.iter().map(|(day, r, p)| smartctl("EX123", *day, *r, *p)).collect();
        let expected = judged(&texts);
        let turn = turn % texts.len();
        let mut turned = texts.clone();
        turned.rotate_left(turn);
        let mut found = judged(&turned);
        found.rotate_right(turn);
        prop_assert_eq!(&found, &expected);
        turned.reverse();
        let mut found = judged(&turned);
        found.reverse();
        found.rotate_right(turn);
        prop_assert_eq!(found, expected);
    }
}
