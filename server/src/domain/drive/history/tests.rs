//! What several readings of one drive must say together, in whatever order they come.

use cartable_common::{
    SerialNumber, Text,
    report::{AtaAttribute, DriveKind, NvmeHealth, SelfAssessment},
};
use proptest::prelude::*;

use super::*;
use crate::domain::{
    drive::{is_unread, judge_with},
    policy::Policy,
    verdict::Judgement,
};

const SERIAL: &str = "S3X9NX0M";

fn disk(counts: [(u8, &str, u64); 3]) -> Drive {
    let attribute = |(id, name, raw): (u8, &str, u64)| AtaAttribute {
        id,
        name: Text::meaningful(name),
        value: Some(100),
        threshold: Some(5),
        raw: Some(raw),
        ..AtaAttribute::default()
    };
    Drive {
        serial_number: SerialNumber::parse(SERIAL).into(),
        kind: Some(DriveKind::Hdd),
        self_assessment: Some(SelfAssessment::Passed),
        ata_attributes: counts.map(attribute).to_vec(),
        ..Drive::default()
    }
}

fn with(reallocated: u64, pending: u64) -> Drive {
    disk([
        (5, "Reallocated_Sector_Ct", reallocated),
        (197, "Current_Pending_Sector", pending),
        (198, "Offline_Uncorrectable", 0),
    ])
}

fn nvme(media_errors: u64) -> Drive {
    let percent = cartable_common::Percent::new;
    let log = NvmeHealth {
        critical_warning: Some(0),
        available_spare_percent: percent(100),
        available_spare_threshold_percent: percent(10),
        percentage_used_percent: percent(1),
        media_errors: Some(media_errors),
        unsafe_shutdowns: None,
    };
    Drive { serial_number: SerialNumber::parse(SERIAL).into(), nvme: Some(log), ..Drive::default() }
}

fn on(day: i64) -> UtcMillis {
    UtcMillis::new(1_790_000_000_000).unwrap_or_default().plus_days(day)
}

/// The judgement of the last of `readings`, each on its day.
fn last(readings: &[(i64, Drive)]) -> Judgement {
    let past: Vec<Level> = readings.iter().flat_map(|(day, drive)| levels(drive, on(*day))).collect();
    let (day, drive) = readings.iter().max_by_key(|(day, _)| *day).expect("a reading");
    judge_with(drive, &past, on(*day), &Policy::default())
}

fn codes(judgement: &Judgement) -> Vec<&str> {
    judgement.reasons.iter().map(|reason| reason.code).collect()
}

#[test]
fn growth_weighs_more_than_the_value() {
    let stands = last(&[(0, with(8, 0)), (30, with(8, 0)), (60, with(8, 0))]);
    assert_eq!((stands.verdict, codes(&stands)), (Verdict::Worn, vec!["reallocated_sectors"]));
    let grows = last(&[(0, with(0, 0)), (30, with(8, 0))]);
    assert_eq!((grows.verdict, codes(&grows)), (Verdict::Failing, vec!["reallocated_growing", "reallocated_sectors"]));
    assert_eq!(last(&[(0, with(1, 0)), (30, with(2, 0))]).verdict, Verdict::Worn, "few, and sooner");
    assert_eq!(last(&[(0, nvme(5)), (30, nvme(5))]).verdict, Verdict::Worn);
    let media = last(&[(0, nvme(5)), (30, nvme(7))]);
    assert_eq!(media.verdict, Verdict::Failing);
    assert_eq!(media.reasons[0].value.en, "5 → 7");
    assert!(media.reasons[0].said.en.starts_with("unreadable data (media errors) rising: 5 on 2"), "{media:?}");
}

#[test]
fn growth_that_ended_long_ago_no_longer_speaks() {
    let readings = [(0, with(0, 0)), (10, with(8, 0)), (99, with(8, 0)), (200, with(8, 0))];
    assert_eq!(last(&readings[..3]).verdict, Verdict::Failing);
    assert_eq!(last(&readings).verdict, Verdict::Worn);
}

#[test]
fn one_odd_reading_condemns_nobody_and_what_recovered_is_remembered() {
    let odd = last(&[(0, with(0, 0)), (10, with(0, 500)), (20, with(0, 0))]);
    assert_eq!((odd.verdict, codes(&odd)), (Verdict::Healthy, vec!["recovered"]));
    assert_eq!(odd.reasons[0].value.en, "500 → 0");
    // Low once is odd too: the count did not grow.
    let dip = last(&[(0, with(8, 0)), (10, with(0, 0)), (20, with(8, 0))]);
    assert_eq!(dip.verdict, Verdict::Worn);
    let back = last(&[(0, with(5, 0)), (10, with(2, 0)), (20, with(4, 0))]);
    assert_eq!(back.verdict, Verdict::Worn, "below where it was is no growth");
    // While it stands it counts.
    assert_eq!(last(&[(0, with(0, 0)), (10, with(0, 500))]).verdict, Verdict::Failing);
    // A spike at the opening of the window is not the level from which a rise counts.
    let spike = last(&[(0, with(0, 0)), (5, with(900, 0)), (8, with(0, 0)), (100, with(3, 0))]);
    assert_eq!(
        (spike.verdict, codes(&spike)),
        (Verdict::Worn, vec!["reallocated_growing", "reallocated_sectors", "recovered"])
    );
}

#[test]
fn another_drive_and_later_readings_are_left_aside() {
    let mut other = with(0, 0);
    other.serial_number = SerialNumber::parse("OTHER77").into();
    assert_eq!(last(&[(0, other), (30, with(8, 0))]).verdict, Verdict::Worn);
    let past = levels(&with(0, 0), on(40));
    let judged = judge_with(&with(8, 0), &past, on(30), &Policy::default());
    assert_eq!(codes(&judged), ["reallocated_sectors"]);
    let nameless = Drive { serial_number: None.into(), ..with(0, 0) };
    assert_eq!(levels(&nameless, on(0)), []);
}

#[test]
fn the_history_of_the_server_names_counts_by_their_path() {
    let change = |path: &str| levels_of_change(path, Some("0"), Some("8"), on(3));
    let found = change("drives[S3X9NX0M].ata_attributes[197].raw");
    let level = |at, value| Level { drive: SERIAL.to_owned(), counter: Counter::Pending, at, value };
    assert_eq!(found, [level(on(3).plus_millis(-1), 0), level(on(3), 8)]);
    assert_eq!(change("drives[S3X9NX0M].nvme.media_errors").len(), 2);
    for path in ["drives[S3X9NX0M].ata_attributes[5].value", "drives[S3X9NX0M]", "memory.total_bytes", "drives["] {
        assert_eq!(change(path), [], "{path}");
    }
    assert_eq!(levels_of_change("drives[A].ata_attributes[187].raw", Some("8647409707"), None, on(0)), [], "packed");
}

#[test]
fn without_dates_a_drives_own_hours_tell_the_order() {
    let hours = |count| at_hours(Hours::new(count).unwrap_or_default());
    let past = levels(&with(0, 0), hours(100));
    let judged = judge_with(&with(8, 0), &past, hours(1_400), &Policy::default());
    assert_eq!(judged.verdict, Verdict::Failing);
    assert_eq!(judged.reasons[0].said.en, "reallocated sectors (5) rising: 0 at 100 hours, 8 now");
}

const fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Healthy => 0,
        Verdict::Unknown => 1,
        Verdict::Worn => 2,
        Verdict::Failing => 3,
    }
}

proptest! {
    /// The order of readings decides nothing, and neither does reading one twice.
    #[test]
    fn the_order_of_reports_does_not_matter(
        counts in proptest::collection::vec((0_i64..200, 0_u64..30, 0_u64..3), 1..8), seed in any::<u64>(),
    ) {
        let mut days = std::collections::BTreeMap::new();
        for (day, reallocated, pending) in counts {
            days.insert(day, with(reallocated, pending));
        }
        let readings: Vec<(i64, Drive)> = days.into_iter().collect();
        let expected = last(&readings);
        let mut shuffled = readings.clone();
        shuffled.extend(readings);
        // Any order will do: a rotation and a reversal reach many.
        let turn = usize::try_from(seed % 16).unwrap_or_default() % shuffled.len();
        shuffled.rotate_left(turn);
        if seed % 2 == 0 { shuffled.reverse(); }
        prop_assert_eq!(last(&shuffled), expected);
    }

    /// A higher count now never makes a better verdict, whatever came before.
    #[test]
    fn more_damage_now_is_never_judged_better(
        past in proptest::collection::vec((0_i64..200, 0_u64..30, 0_u64..3), 0..6),
        (low, pending) in (0_u64..40, 0_u64..3), (more, waiting) in (0_u64..40, 0_u64..3),
    ) {
        let mut readings: Vec<(i64, Drive)> = past.into_iter().map(|(day, r, p)| (day, with(r, p))).collect();
        readings.push((300, with(low, pending)));
        let better = last(&readings).verdict;
        readings.pop();
        readings.push((300, with(low + more, pending + waiting)));
        prop_assert!(rank(better) <= rank(last(&readings).verdict));
    }
}

#[test]
fn a_drive_stopped_answering_when_less_is_read_of_it_than_before() {
    let policy = Policy::default();
    let unread = |drive: &Drive, past: &[Level]| is_unread(drive, past, on(9), &policy);
    let passed = |drive: Drive| Drive { self_assessment: Some(SelfAssessment::Passed), ..drive };
    let known = levels(&with(0, 8), on(0));
    let silent = Drive { serial_number: SerialNumber::parse(SERIAL).into(), ..Drive::default() };
    assert!(unread(&silent, &[]), "nothing was read");
    assert!(unread(&Drive { smartctl_exit_status: Some(2), ..passed(silent.clone()) }, &[]), "nothing was asked");
    assert!(unread(&passed(silent.clone()), &known), "it counted, and counts no more");
    assert!(!unread(&passed(silent), &[]), "it never said more than that it is well");
    assert!(!unread(&with(0, 8), &known) && !unread(&with(0, 0), &known));
}
