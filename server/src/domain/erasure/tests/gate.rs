//! The gate: what proves, what does not, and that no heap of the latter ever becomes the former.

use std::slice;

use proptest::prelude::*;
use uuid::Uuid;

use super::{super::*, at, now};
use crate::domain::{
    erasure::{
        gap::{Absence, Demand, Lent, Proof, SeenDrive, Why, asked, gap, left_behind},
        hand::{ByHand, InvalidHand, may_witness},
        seen::{self, DriveChange},
    },
    policy::ErasurePolicy,
};

const BYTES: u64 = 500_107_862_016;

fn key(text: &str) -> DriveKey {
    text.parse().unwrap()
}

fn seen(name: &str, medium: Medium) -> SeenDrive {
    SeenDrive {
        key: key(name),
        model: None,
        medium,
        capacity_bytes: Some(BYTES),
        last_seen: at("2026-11-20T10:30:00Z"),
    }
}

fn proof(name: &str, method: Method) -> Proof {
    Proof {
        id: Uuid::from_u128(1),
        key: key(name),
        model: None,
        medium: Medium::Unknown,
        method,
        outcome: Outcome::Erased,
        verification: if method == Method::Overwrite { Verification::LastPass } else { Verification::DeviceStatus },
        errors: 0,
        capacity_bytes: Some(BYTES),
        bytes_erased: Some(BYTES),
        ended_at: at("2026-11-25T16:00:00Z"),
        recorded_at: at("2026-11-25T17:00:00Z"),
        source: Source::NwipeLog,
        witnessed: false,
        used_again: false,
    }
}

fn absent(name: &str, when: &str) -> Absence {
    Absence { key: key(name), declared_at: at(when), seen_again: false }
}

fn why(seen: &[SeenDrive], proofs: &[Proof], absences: &[Absence], demand: Demand) -> Vec<Why> {
    gap(seen, proofs, absences, demand, &ErasurePolicy::default()).iter().map(|gap| gap.why).collect()
}

/// What the default asks of a method on a medium, to leave.
fn leaves(medium: Medium, method: Method) -> bool {
    why(&[seen("A", medium)], &[proof("A", method)], &[], Demand::Leave).is_empty()
}

#[test]
fn levels_are_those_of_the_tables() {
    let flash: Vec<Method> = Method::ALL.iter().copied().filter(|method| leaves(Medium::Flash, *method)).collect();
    assert_eq!(
        flash,
        [
            Method::AtaSanitizeBlock,
            Method::AtaSanitizeCrypto,
            Method::NvmeFormatUserData,
            Method::NvmeFormatCrypto,
            Method::NvmeSanitizeOverwrite,
            Method::NvmeSanitizeBlock,
            Method::NvmeSanitizeCrypto,
            Method::OpalCrypto,
            Method::Destruction,
        ]
    );
    for method in Method::ALL {
        assert!(leaves(Medium::Rotating, *method), "{method}");
        assert_eq!(leaves(Medium::Unknown, *method), leaves(Medium::Flash, *method), "unknown is treated as flash");
        assert!(why(&[seen("A", Medium::Flash)], &[proof("A", *method)], &[], Demand::Relend).is_empty(), "{method}");
    }
    let strict = ErasurePolicy { rotating_clear_leaves: false, ..ErasurePolicy::default() };
    assert_eq!(asked(Demand::Leave, Medium::Rotating, &strict), Level::Purge);
    assert_eq!(Method::Overwrite.level(Medium::Rotating), Level::Clear);
    assert_eq!(Method::AtaSecureEraseEnhanced.level(Medium::Rotating), Level::Purge);
    assert_eq!(Method::AtaSecureEraseEnhanced.level(Medium::Flash), Level::Clear);
}

#[test]
fn a_method_that_the_medium_does_not_know_is_worth_clear() {
    use cartable_common::report::DriveKind;
    let more = |medium: Medium| -> Vec<Method> {
        Method::ALL.iter().copied().filter(|method| method.level(medium) > Level::Clear).collect()
    };
    assert_eq!(
        more(Medium::Rotating),
        [
            Method::AtaSecureEraseEnhanced,
            Method::AtaSanitizeOverwrite,
            Method::AtaSanitizeBlock,
            Method::AtaSanitizeCrypto,
            Method::OpalCrypto,
            Method::Destruction,
        ]
    );
    assert_eq!(Medium::of(Some(DriveKind::Emmc)), Medium::Emmc);
    assert_eq!(more(Medium::Emmc), [Method::Destruction]);
    assert!(!leaves(Medium::Emmc, Method::NvmeSanitizeBlock) && leaves(Medium::Emmc, Method::Destruction));
    for medium in Medium::ALL {
        assert_eq!((medium.stricter(Medium::Emmc), Medium::Emmc.stricter(*medium)), (Medium::Emmc, Medium::Emmc));
    }
}

#[test]
fn an_overwrite_of_an_ssd_lets_it_be_lent_again_and_not_leave() {
    let (drive, nwipe) = ([seen("A", Medium::Flash)], [proof("A", Method::Overwrite)]);
    assert_eq!(why(&drive, &nwipe, &[], Demand::Relend), []);
    assert_eq!(why(&drive, &nwipe, &[], Demand::Leave), [Why::LevelTooLow]);
}

#[test]
fn each_reason_is_told() {
    let drive = [seen("A", Medium::Rotating)];
    let good = proof("A", Method::Overwrite);
    let cases = [
        (Proof { outcome: Outcome::Failed, ..good.clone() }, Why::Failed),
        (Proof { outcome: Outcome::Aborted, ..good.clone() }, Why::Failed),
        (Proof { outcome: Outcome::Incomplete, ..good.clone() }, Why::Incomplete),
        (Proof { bytes_erased: Some(BYTES - 512), ..good.clone() }, Why::Incomplete),
        // The tool saw a smaller drive than the device did.
        (Proof { bytes_erased: Some(1 << 30), capacity_bytes: Some(1 << 30), ..good.clone() }, Why::Incomplete),
        (Proof { errors: 1, ..good.clone() }, Why::Errors),
        (Proof { verification: Verification::None, ..good.clone() }, Why::Unverified),
        (Proof { source: Source::Hand, ..good.clone() }, Why::Unwitnessed),
        (Proof { used_again: true, ..good.clone() }, Why::UsedSince),
        (Proof { ended_at: at("2026-11-20T10:29:59Z"), ..good.clone() }, Why::UsedSince),
    ];
    for (record, reason) in cases {
        assert_eq!(why(&drive, std::slice::from_ref(&record), &[], Demand::Leave), [reason], "{record:?}");
        assert_eq!(why(&drive, &[record, good.clone()], &[], Demand::Leave), [], "one that holds is enough");
    }
    assert_eq!(why(&drive, &[], &[], Demand::Leave), [Why::NothingRecorded]);
    assert_eq!(why(&[], &[], &[], Demand::Leave), [Why::NoDriveKnown]);
    let hand = Proof { source: Source::Hand, witnessed: true, verification: Verification::None, ..good };
    assert_eq!(why(&drive, &[hand], &[], Demand::Leave), []);
}

#[test]
fn every_drive_counts_and_one_that_is_gone_is_said_to_be() {
    let drives = [seen("A", Medium::Rotating), seen("B", Medium::Flash)];
    let first = [proof("A", Method::Overwrite)];
    assert_eq!(why(&drives, &first, &[], Demand::Leave), [Why::NothingRecorded]);
    assert_eq!(why(&drives, &first, &[absent("B", "2026-11-26T08:00:00Z")], Demand::Leave), []);
    assert_eq!(why(&drives, &first, &[absent("B", "2026-11-19T08:00:00Z")], Demand::Leave), [Why::SeenAgain]);
    let again = Absence { seen_again: true, ..absent("B", "2026-11-26T08:00:00Z") };
    assert_eq!(why(&drives, &first, &[again], Demand::Leave), [Why::SeenAgain]);
    // A failed record of a drive that nobody saw is one more drive to prove, not a proof.
    let stranger = Proof { outcome: Outcome::Failed, ..proof("C", Method::Overwrite) };
    let all = [proof("A", Method::Overwrite), proof("B", Method::NvmeSanitizeBlock), stranger];
    assert_eq!(why(&drives, &all, &[], Demand::Leave), [Why::Failed]);
    // An unknown device is proven by a record that holds and that a second person confirmed, or by the word that it has no drive.
    let unseen = proof("A", Method::NvmeSanitizeBlock);
    assert_eq!(why(&[], slice::from_ref(&unseen), &[], Demand::Leave), [Why::Unwitnessed], "whose drive is it?");
    assert_eq!(why(&[], &[Proof { witnessed: true, ..unseen }], &[], Demand::Leave), []);
    assert_eq!(why(&[], &[], &[absent("NONE", "2026-11-26T08:00:00Z")], Demand::Leave), []);
}

#[test]
fn a_contact_that_is_known_to_the_day_only_is_judged_as_it_was() {
    let rounded = SeenDrive { last_seen: at("2026-09-01T00:00:00Z"), ..seen("A", Medium::Rotating) };
    let same_day = Proof {
        ended_at: at("2026-09-01T15:00:00Z"),
        recorded_at: at("2026-09-01T16:00:00Z"),
        ..proof("A", Method::Overwrite)
    };
    assert_eq!(
        why(slice::from_ref(&rounded), slice::from_ref(&same_day), &[], Demand::Leave),
        [],
        "recorded while it was known"
    );
    let marked = Proof { used_again: true, ..same_day.clone() };
    assert_eq!(why(slice::from_ref(&rounded), &[marked], &[], Demand::Leave), [Why::UsedSince]);
    let late = Proof { recorded_at: at("2026-10-15T16:00:00Z"), ..same_day.clone() };
    assert_eq!(why(slice::from_ref(&rounded), &[late], &[], Demand::Leave), [Why::UsedSince], "nobody knows any more");
    let day_before = Proof { ended_at: at("2026-08-31T15:00:00Z"), ..same_day };
    assert_eq!(why(&[rounded], &[day_before], &[], Demand::Leave), [Why::UsedSince]);
}

#[test]
fn a_name_that_every_drive_of_a_model_has_is_told_from_a_serial_number() {
    for (name, model, expected) in [
        ("S5GX1", Some("Samsung SSD 980"), false),
        ("SAMSUNG SSD 980", Some("Samsung SSD 980"), true),
        ("SAMSUNG SSD 980#2", Some("Samsung SSD 980"), true),
        ("SN#X", Some("SN"), false),
        ("1#2", None, true),
        ("S5GX1", None, false),
    ] {
        assert_eq!(seen::is_named_by_model(&key(name), model), expected, "{name}");
    }
}

/// What is missing to leave, and of what the last borrower left, after a loan until `until` with these drives in it.
fn after_loan(until: Option<&str>, drives: Option<&[&str]>, proof: &Proof, absence: Option<Absence>) -> Vec<Why> {
    let lent = Lent { until: until.map(at), drives: drives.map(|names| names.iter().map(|name| key(name)).collect()) };
    let (seen, policy) = ([seen("A", Medium::Rotating)], ErasurePolicy::default());
    let (mut proofs, mut absences) = (vec![proof.clone()], Vec::from_iter(absence));
    lent.mark(&seen, &mut proofs, &mut absences);
    let leaves = why(&seen, &proofs, &absences, Demand::Leave);
    if let Some(back) = until {
        let behind = left_behind(&seen, &proofs, &absences, at(back), &policy);
        assert_eq!(behind.iter().map(|gap| gap.why).collect::<Vec<_>>(), leaves);
    }
    leaves
}

#[test]
fn a_loan_is_a_use_of_the_drives_that_were_in_it() {
    // Erased on the 25th at 16:00 UTC, five days after the last that the agent told.
    let good = proof("A", Method::Overwrite);
    let in_it: Option<&[&str]> = Some(&["A"]);
    for (until, expected) in [
        (Some("2026-11-25T15:00:00Z"), vec![]),
        (Some("2026-11-25T16:00:01Z"), vec![Why::UsedSince]),
        (None, vec![Why::UsedSince]),
    ] {
        assert_eq!(after_loan(until, in_it, &good, None), expected, "{until:?}");
        assert_eq!(after_loan(until, None, &good, None), expected, "of a device without reports, each: {until:?}");
        assert_eq!(after_loan(until, Some(&["B"]), &good, None), [], "it was taken out before");
    }
    // Known to the day: the day of the return is after it, the day before is not.
    let by_hand = |day: &str| Proof { source: Source::Hand, witnessed: true, ended_at: at(day), ..good.clone() };
    let back = Some("2026-11-25T15:00:00Z");
    assert_eq!(after_loan(back, in_it, &by_hand("2026-11-24T23:00:00Z"), None), []);
    assert_eq!(after_loan(back, in_it, &by_hand("2026-11-23T23:00:00Z"), None), [Why::UsedSince]);
    // Declared gone before the loan in which the device had it.
    let old = Proof { outcome: Outcome::Failed, ..good };
    let gone = |when| Some(absent("A", when));
    assert_eq!(after_loan(back, in_it, &old, gone("2026-11-24T08:00:00Z")), [Why::SeenAgain]);
    assert_eq!(after_loan(back, in_it, &old, gone("2026-11-26T08:00:00Z")), []);
}

#[test]
fn history_tells_which_drives_there_were() {
    let change = |path: &str, before: Option<&str>, after: Option<&str>, received: &str| DriveChange {
        path: path.into(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
        received_at: at(received),
        previous_at: Some(at("2026-10-01T08:00:00Z")),
    };
    let old = "capacity_bytes: 500107862016, kind: hdd, model: WDC WD5000, serial_number: WD-1";
    let found = seen::in_history(&[
        change("drives[WD-1].power_on_hours", Some("1"), Some("2"), "2026-09-20T09:00:00Z"),
        change("drives[WD-1]", Some(old), None, "2026-10-05T09:00:00Z"),
        change("drives[S5]", None, Some("kind: nvme, model: Samsung SSD 980"), "2026-10-05T09:00:00Z"),
        change("memory.total_bytes", Some("1"), Some("2"), "2026-10-06T09:00:00Z"),
    ]);
    let told: Vec<(&str, Medium, UtcMillis)> =
        found.iter().map(|drive| (drive.key.as_str(), drive.medium, drive.last_seen)).collect();
    // The old one was last seen in the report before the one that no longer had it: it may have been erased between.
    assert_eq!(
        told,
        [("S5", Medium::Flash, at("2026-10-05T09:00:00Z")), ("WD-1", Medium::Rotating, at("2026-10-01T08:00:00Z")),]
    );
    assert_eq!(found[1].capacity_bytes, Some(BYTES));
}

#[test]
fn what_is_entered_by_hand_is_checked_and_needs_two() {
    let typed = ByHand {
        drive: " s5gx 1 ".into(),
        model: String::new(),
        method: Method::Destruction,
        with: "Broyeur, bordereau 12".into(),
        on: jiff::civil::date(2026, 11, 29),
    };
    let reading = typed.read(now()).unwrap();
    assert_eq!((reading.drive.as_str(), reading.source), ("S5GX 1", Source::Hand));
    assert_eq!(reading.ended_at, at("2026-11-28T23:00:00Z"), "the beginning of the day in Paris");
    let wrong = |change: fn(&mut ByHand)| {
        let mut typed = typed.clone();
        change(&mut typed);
        typed.read(now()).unwrap_err()
    };
    assert_eq!(wrong(|typed| typed.drive = "  ".into()), InvalidHand::Drive);
    assert_eq!(wrong(|typed| typed.with = "\n".into()), InvalidHand::With);
    assert_eq!(wrong(|typed| typed.model = "x".repeat(201)), InvalidHand::Model);
    assert_eq!(wrong(|typed| typed.on = jiff::civil::date(2026, 12, 1)), InvalidHand::Day);
    assert_eq!(wrong(|typed| typed.on = jiff::civil::date(2025, 1, 1)), InvalidHand::Day);
    assert!(may_witness("rosa", "anne"));
    assert!(!may_witness("rosa", "rosa") && !may_witness("rosa", " ROSA "));
}

/// Any record of any drive of a small world.
fn any_proof() -> impl Strategy<Value = Proof> {
    let facts = (
        prop::sample::select(vec!["A", "B"]),
        prop::sample::select(Method::ALL),
        prop::sample::select(Outcome::ALL),
        prop::sample::select(Verification::ALL),
        0_u64..3,
        prop::sample::select(Source::ALL),
    );
    let rest =
        (any::<bool>(), any::<bool>(), -10_i64..10, prop::option::of(prop::sample::select(vec![BYTES, BYTES - 1])));
    (facts, rest).prop_map(
        |((name, method, outcome, verification, errors, source), (witnessed, used_again, days, bytes))| Proof {
            outcome,
            verification,
            errors,
            source,
            witnessed,
            used_again,
            bytes_erased: bytes,
            ended_at: at("2026-11-20T10:30:00Z").plus_days(days),
            ..proof(name, method)
        },
    )
}

fn holds(proof: &Proof) -> bool {
    let looked_at =
        if proof.source == Source::Hand { proof.witnessed } else { proof.verification != Verification::None };
    proof.outcome == Outcome::Erased
        && proof.errors == 0
        && looked_at
        && !proof.used_again
        && proof.ended_at >= at("2026-11-20T10:30:00Z")
        && proof.bytes_erased.is_none_or(|bytes| bytes == BYTES)
}

proptest! {
    /// No heap of records that failed, were not verified, had errors, were short, unwitnessed or overtaken passes.
    #[test]
    fn no_combination_of_worthless_records_passes(
        records in prop::collection::vec(any_proof(), 0..12), medium in prop::sample::select(Medium::ALL),
    ) {
        let worthless: Vec<Proof> = records.into_iter().filter(|proof| !holds(proof)).collect();
        for demand in Demand::ALL {
            let missing = why(&[seen("A", medium)], &worthless, &[], *demand);
            prop_assert!(!missing.is_empty());
        }
    }

    /// A drive passes exactly when one record holds and reaches the level; order means nothing; more evidence of a drive
    /// never takes a proof away.
    #[test]
    fn a_drive_passes_by_one_good_record(
        records in prop::collection::vec(any_proof(), 0..8), medium in prop::sample::select(Medium::ALL),
    ) {
        let own: Vec<Proof> = records.into_iter().filter(|proof| proof.key.as_str() == "A").collect();
        let policy = ErasurePolicy::default();
        let enough = own.iter().any(|proof| holds(proof) && proof.method.level(medium) >= asked(Demand::Leave, medium, &policy));
        let drive = [seen("A", medium)];
        let missing = why(&drive, &own, &[], Demand::Leave);
        prop_assert_eq!(missing.is_empty(), enough);
        let backwards: Vec<Proof> = own.iter().rev().cloned().collect();
        prop_assert_eq!(why(&drive, &backwards, &[], Demand::Leave), missing);
    }
}
