//! The drive rules, measured on real readings: nearly every worn or failing drive is recognised, none that is well is
//! accused.
//!
//! Reads ../shared/corpus (or $CARTABLE_CORPUS), which is not part of the project; skips loudly where it is absent. The
//! judgement in its index is one reader's, not ground truth. The rules know no file, model or serial number.

use std::{collections::BTreeMap, fs, path::PathBuf};

use cartable_agent::collect::smartctl_json;
use cartable_common::report::Drive;
use cartable_server::domain::{
    drive::judge,
    policy::Policy,
    verdict::{Judgement, Verdict},
};

/// One row of the index: a smartctl JSON and what its reader thought of it.
struct Reading {
    file: String,
    expected: Verdict,
    judgement: Judgement,
}

/// The readings, or nothing where the folder is absent.
fn readings() -> Option<Vec<Reading>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus");
    let corpus = PathBuf::from(std::env::var_os("CARTABLE_CORPUS").unwrap_or_else(|| beside.into()));
    let Ok(index) = fs::read_to_string(corpus.join("index.csv")) else {
        eprintln!("\n*** SKIPPED: no real readings at {}: the drive rules were NOT measured ***\n", corpus.display());
        return None;
    };
    let rows = index.lines().skip(1).map(fields).filter(|row| row[1].starts_with("smartctl-json"));
    let read = |row: Vec<String>| {
        let answer = serde_json::from_slice(&fs::read(corpus.join(&row[0])).unwrap()).unwrap();
        let mut drive = Drive::default();
        smartctl_json::merge(&mut drive, &answer, &mut Vec::new());
        Reading {
            expected: row[3].parse().unwrap(),
            judgement: judge(&drive, &Policy::default()),
            file: row[0].clone(),
        }
    };
    Some(rows.map(read).collect())
}

/// The fields of one line of CSV; a field in quotation marks may hold commas.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => fields.last_mut().unwrap().push(other),
        }
    }
    fields
}

#[test]
fn worn_and_failing_drives_are_recognised_and_no_healthy_one_is_accused() {
    let Some(readings) = readings() else { return };
    let mut tally = BTreeMap::<(&str, &str), u32>::new();
    let (mut caught, mut missed, mut accused) = (0, Vec::new(), Vec::new());
    for Reading { file, expected, judgement } in &readings {
        let reasons: Vec<&str> = judgement.reasons.iter().map(|reason| reason.said.en.as_str()).collect();
        println!("{:<9} judged {:<9} {file}: {}", expected.as_str(), judgement.verdict.as_str(), reasons.join("; "));
        *tally.entry((expected.as_str(), judgement.verdict.as_str())).or_default() += 1;
        let raises = matches!(judgement.verdict, Verdict::Worn | Verdict::Failing);
        match expected {
            Verdict::Worn | Verdict::Failing if raises => caught += 1,
            Verdict::Worn | Verdict::Failing => missed.push(file),
            Verdict::Healthy if raises => accused.push(file),
            Verdict::Healthy | Verdict::Unknown => {}
        }
    }
    println!("caught {caught}, missed {missed:?}, falsely accused {accused:?}, (expected, judged): {tally:?}");
    assert!(readings.len() >= 35, "only {} readings", readings.len());
    assert!(caught >= 17, "caught {caught} of 18, missed {missed:?}");
    assert!(accused.is_empty(), "falsely accused: {accused:?}");
}

#[test]
fn a_reading_without_evidence_is_unknown() {
    let Some(readings) = readings() else { return };
    for reading in readings.iter().filter(|reading| reading.expected == Verdict::Unknown) {
        assert_eq!(reading.judgement.verdict, Verdict::Unknown, "{}", reading.file);
    }
}
