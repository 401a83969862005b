//! Which drives a report and a baseline show.

use cartable_common::{
    SerialNumber, Text,
    report::{Drive, DriveKind, HealthReport},
};

use super::{super::*, at};
use crate::domain::{
    change::changes,
    erasure::{
        gap::{Absence, Demand, SeenDrive, Why, gap},
        seen::{self, DriveChange},
    },
    facts::Baseline,
    policy::ErasurePolicy,
};

fn of_model(model: Option<&str>) -> Drive {
    Drive { model: model.and_then(Text::meaningful), kind: Some(DriveKind::Emmc), ..Drive::default() }
}

fn with(drives: Vec<Drive>) -> HealthReport {
    HealthReport { drives, ..HealthReport::default() }
}

fn keys(drives: &[SeenDrive]) -> Vec<&str> {
    drives.iter().map(|drive| drive.key.as_str()).collect()
}

#[test]
fn two_drives_of_one_name_are_two_and_the_history_calls_them_so() {
    let now = at("2026-11-20T10:30:00Z");
    let serial = Drive { serial_number: SerialNumber::parse("S1").into(), ..of_model(Some("Biwin")) };
    let twins = [of_model(Some("Biwin")), serial, of_model(Some("Biwin")), of_model(None), of_model(None)];
    let report = with(twins.to_vec());
    let seen = seen::in_report(&report, now);
    assert_eq!(keys(&seen), ["BIWIN", "S1", "BIWIN#2", "1", "1#2"]);
    assert_eq!(keys(&seen::in_baseline(&Baseline::of(&report), now)), keys(&seen));

    // A declaration of one is none of the other.
    let absence = Absence { key: seen[0].key.clone(), declared_at: now.plus_days(1), seen_again: false };
    let twins = [seen[0].clone(), seen[2].clone()];
    let missing = gap(&twins, &[], &[absence], Demand::Leave, &ErasurePolicy::default());
    let told: Vec<_> = missing.iter().map(|gap| (gap.key.as_ref().map(DriveKey::as_str), gap.why)).collect();
    assert_eq!(told, [(Some("BIWIN#2"), Why::NothingRecorded)]);

    // What the history tells of both is told of no third one.
    let mut worn = report.clone();
    for drive in &mut worn.drives {
        drive.logged_errors = Some(7);
    }
    let history: Vec<DriveChange> = changes(&report, &worn)
        .into_iter()
        .map(|change| DriveChange {
            path: change.path,
            before: change.before,
            after: change.after,
            received_at: now,
            previous_at: None,
        })
        .collect();
    let mut told = keys(&seen);
    told.sort_unstable();
    assert_eq!(keys(&seen::in_history(&history)), told);
}

#[test]
fn the_longest_model_can_be_numbered() {
    let long = "ab".repeat(cartable_common::limits::MAX_TEXT_CHARS / 2);
    let report = with(vec![of_model(Some(&long)), of_model(Some(&long))]);
    let seen = seen::in_report(&report, at("2026-11-20T10:30:00Z"));
    assert_eq!(keys(&seen), [long.to_ascii_uppercase(), format!("{}#2", long.to_ascii_uppercase())]);
}
