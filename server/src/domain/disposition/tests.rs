//! The disposition of ordinary devices, and what must hold of all.

use proptest::prelude::*;

use super::*;
use crate::domain::fitness::facts::Machine;
use cartable_common::report::Switch;

const GIB: u64 = 1 << 30;

fn at(year: i16, month: i8) -> UtcMillis {
    let moment: jiff::Timestamp = format!("{year:04}-{month:02}-15T12:00:00Z").parse().unwrap();
    UtcMillis::new(moment.as_millisecond()).unwrap()
}

fn now() -> UtcMillis {
    at(2026, 11)
}

fn machine() -> Machine {
    Machine {
        evidence_at: now(),
        processor: Some("Intel(R) Core(TM) i5-1035G1 CPU @ 1.00GHz".to_owned()),
        architecture: Some("x86_64".to_owned()),
        memory_bytes: Some(8 * GIB * 9 / 10),
        storage_bytes: Some(256_000_000_000),
        secure_boot: Some(Switch::On),
        tpm_version: Some(2),
        drives: Verdict::Healthy,
        battery: BatteryRead::Left(91),
        support: None,
    }
}

fn facts(machine: Machine) -> Facts {
    Facts {
        recorded_at: at(2024, 9),
        warranty_until: None,
        lending: LendingState::InStock,
        grade: Some(Grade::B),
        returned: None,
        machine: Some(machine),
    }
}

fn old(name: &str) -> Machine {
    Machine { processor: Some(name.to_owned()), tpm_version: Some(2), ..machine() }
}

fn asked(facts: &Facts) -> (Disposition, Confidence) {
    let advice = advise(facts, &Policy::default(), now());
    (advice.disposition, advice.confidence)
}

#[test]
fn ordinary_devices() {
    use Confidence::{High, Low, Medium};
    use Disposition::{Donate, Parts, Recycle, Relend, Repair};
    let seventh = || old("Intel(R) Core(TM) i5-7200U CPU @ 2.50GHz");
    let third = || old("Intel(R) Core(TM) i3-3110M CPU @ 2.40GHz");
    let ungraded = |machine| Facts { grade: None, ..facts(machine) };
    let cases = [
        ("sound and inspected", facts(machine()), (Relend, High)),
        ("sound, not inspected", ungraded(machine()), (Relend, Medium)),
        ("battery at 79 %", facts(Machine { battery: BatteryRead::Left(79), ..machine() }), (Repair, High)),
        ("drive at risk", facts(Machine { drives: Verdict::Failing, ..machine() }), (Repair, High)),
        ("no Windows 11, sound", facts(seventh()), (Donate, High)),
        (
            "no Windows 11, battery at 70 %",
            facts(Machine { battery: BatteryRead::Left(70), ..seventh() }),
            (Donate, High),
        ),
        (
            "no Windows 11, battery at 55 %",
            facts(Machine { battery: BatteryRead::Left(55), ..seventh() }),
            (Parts, High),
        ),
        (
            "no Windows 11, nothing good left",
            facts(Machine { battery: BatteryRead::Left(30), drives: Verdict::Failing, ..seventh() }),
            (Recycle, High),
        ),
        ("sold until 2015", facts(third()), (Recycle, Medium)),
        ("grade D, no Windows 11", Facts { grade: Some(Grade::D), ..facts(seventh()) }, (Parts, High)),
        ("nothing read, nobody looked", Facts { machine: None, ..ungraded(machine()) }, (Relend, Low)),
        ("an old reading and no grade", ungraded(Machine { evidence_at: at(2026, 5), ..machine() }), (Relend, Low)),
    ];
    for (name, facts, expected) in cases {
        assert_eq!(asked(&facts), expected, "{name}");
    }
}

#[test]
fn ten_years_of_records_are_certain_and_recycled() {
    let facts = Facts { recorded_at: at(2016, 11), ..facts(machine()) };
    let advice = advise(&facts, &Policy::default(), now());
    assert_eq!((advice.disposition, advice.confidence), (Disposition::Recycle, Confidence::High));
    assert!(advice.missing.is_empty() && advice.checks.iter().all(|check| check.kind != CheckKind::PurchaseDate));
    assert!(advice.reasons[0].source.en.contains("REEN"), "{:?}", advice.reasons);
}

#[test]
fn staffs_word_stands_above_the_machines() {
    let sound = facts(machine());
    let broken = Facts { grade: Some(Grade::D), ..sound.clone() };
    assert_eq!(asked(&broken).0, Disposition::Repair, "every reading is good, and yet");
    let returned = Facts { grade: None, returned: Some(Condition::NotWorking), ..sound.clone() };
    assert_ne!(asked(&returned).0, Disposition::Relend);
}

/// A laptop graded B in 2025, lent, and handed back dead was "relend, nothing speaks against it": its old grade hid it.
#[test]
fn a_grade_from_before_a_loan_hides_nothing_that_the_desk_saw_since() {
    let graded = |returned| Facts { grade: Some(Grade::B), returned: Some(returned), ..facts(machine()) };
    let condition = |facts: &Facts| {
        let all = fitness::assess(facts, &Policy::default(), now());
        let linux = all.into_iter().find(|one| one.usage == fitness::Use::Linux).unwrap();
        linux.requirements.into_iter().find(|one| one.kind == fitness::RequirementKind::Condition).unwrap().answer
    };
    for (returned, disposition, met) in [
        (Condition::NotWorking, Disposition::Repair, Answer::NotMet),
        (Condition::Damaged, Disposition::Repair, Answer::NotMet),
        (Condition::Worn, Disposition::Relend, Answer::Met),
        (Condition::Good, Disposition::Relend, Answer::Met),
    ] {
        let facts = graded(returned);
        assert_eq!((asked(&facts).0, condition(&facts)), (disposition, met), "{returned}");
    }
    // An inspection may find it in order all the same.
    let checks = advise(&graded(Condition::Damaged), &Policy::default(), now()).checks;
    assert!(checks.iter().any(|one| one.kind == CheckKind::Inspection && one.may_become == [Disposition::Relend]));
    // Inspected since, its note is read no more: the grade of that inspection stands.
    assert_eq!(asked(&facts(machine())), (Disposition::Relend, Confidence::High));
}

#[test]
fn money_is_counted_and_a_dear_repair_is_refused() {
    let failing = facts(Machine { drives: Verdict::Failing, battery: BatteryRead::Left(40), ..machine() });
    let advice = advise(&failing, &Policy::default(), now());
    // Drive 35 and battery 45 euros; 20 + 15 + 30 minutes at 35 euros an hour.
    assert_eq!(advice.cost, Cost { parts_euros: 80, minutes: 65, euros: 118 });
    // Machines of 2019 were sold until 2022: 3 years and 10 months old at least, 74 months left at 5 euros.
    assert_eq!((advice.disposition, advice.value_euros), (Disposition::Repair, 74 * 5));
    let mut dear = Policy::default();
    dear.disposition.repair_share_percent = 20;
    let refused = advise(&failing, &dear, now());
    assert_ne!(refused.disposition, Disposition::Repair);
    assert!(refused.reasons.iter().any(|reason| reason.source.en.contains("repair_share_percent")));
}

#[test]
fn what_is_worth_more_than_the_ceiling_is_not_given_away() {
    // 40 GB: no Windows 11; worth 370 euros.
    let small = facts(Machine { storage_bytes: Some(40_000_000_000), ..machine() });
    let advice = advise(&small, &Policy::default(), now());
    assert_eq!(advice.disposition, Disposition::Relend);
    let gift = advice.fitness.iter().find(|one| one.usage == fitness::Use::Donation).unwrap();
    assert_eq!(gift.answer, Answer::NotMet);
    let mut policy = Policy::default();
    policy.disposition.donation_ceiling_euros = 400;
    assert_eq!(advise(&small, &policy, now()).disposition, Disposition::Donate);
}

#[test]
fn one_more_check_is_named_with_what_it_could_change() {
    let unread = facts(Machine { drives: Verdict::Unknown, ..machine() });
    let advice = advise(&unread, &Policy::default(), now());
    let drive = advice.checks.iter().find(|check| check.kind == CheckKind::Drive).unwrap();
    assert_eq!(drive.may_become, [Disposition::Repair]);
    let known = advise(&facts(machine()), &Policy::default(), now());
    assert!(known.checks.iter().all(|check| check.kind == CheckKind::PurchaseDate), "{:?}", known.checks);
}

#[test]
fn months_that_are_left_say_what_ends_them() {
    let months = |machine| advise(&facts(machine), &Policy::default(), now()).remaining;
    assert_eq!(months(machine()).months, 74);
    assert_eq!(months(Machine { battery: BatteryRead::Left(70), ..machine() }).months, 18);
    assert_eq!(months(Machine { drives: Verdict::Failing, ..machine() }).months, 0);
    let seventh = months(old("Intel(R) Core(TM) i5-7200U CPU @ 2.50GHz"));
    assert!(seventh.limits.iter().any(|limit| limit.said.en.contains("Ubuntu 26.04")), "{seventh:?}");
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![Just(Verdict::Healthy), Just(Verdict::Worn), Just(Verdict::Failing), Just(Verdict::Unknown)]
}

fn battery() -> impl Strategy<Value = BatteryRead> {
    prop_oneof![
        Just(BatteryRead::NoneExpected),
        Just(BatteryRead::Gone),
        Just(BatteryRead::Swollen),
        Just(BatteryRead::NotRead),
        (0_u8..=100).prop_map(BatteryRead::Left),
    ]
}

prop_compose! {
    fn machines()(
        processor in prop::option::of(prop_oneof![
            Just("Intel(R) Core(TM) i5-8250U CPU"), Just("Intel(R) Core(TM) i5-6200U CPU"),
            Just("Intel(R) Celeron(R) N4020 CPU"), Just("who knows"),
        ]),
        memory in prop::option::of(0_u64..32), storage in prop::option::of(0_u64..600),
        tpm in prop::option::of(1_u8..=2), on in prop::option::of(Just(Switch::Off)),
        drives in verdict(), battery in battery(), days in 0_i64..200,
    ) -> Machine {
        Machine {
            evidence_at: now().plus_days(-days),
            processor: processor.map(str::to_owned),
            architecture: Some("x86_64".to_owned()),
            memory_bytes: memory.map(|gigabytes| gigabytes * GIB),
            storage_bytes: storage.map(|gigabytes| gigabytes * 1_000_000_000),
                secure_boot: on,
            tpm_version: tpm,
            drives,
            battery,
            support: None,
        }
    }
}

prop_compose! {
    fn devices()(
        machine in prop::option::weighted(0.95, machines()), days in 0_i64..5_000,
        grade in prop::option::of(prop::sample::select(Grade::ALL.to_vec())),
        returned in prop::option::of(prop::sample::select(Condition::ALL.to_vec())),
    ) -> Facts {
        Facts { recorded_at: now().plus_days(-days), warranty_until: None, lending: LendingState::Intake, grade, returned,
            machine }
    }
}

/// The same device with one thing known to be worse.
fn worse(facts: &Facts, which: u8, amount: u8) -> Facts {
    let mut worse = facts.clone();
    let step = |verdict| match verdict {
        Verdict::Healthy => Verdict::Worn,
        Verdict::Worn | Verdict::Failing => Verdict::Failing,
        Verdict::Unknown => Verdict::Unknown,
    };
    match (which, worse.machine.as_mut()) {
        (0, Some(machine)) => machine.drives = step(machine.drives),
        (1, Some(machine)) => {
            if let BatteryRead::Left(left) = machine.battery {
                machine.battery = BatteryRead::Left(left.saturating_sub(amount));
            }
        }
        (2, Some(machine)) => machine.memory_bytes = machine.memory_bytes.map(|bytes| bytes / 2),
        (3, Some(machine)) => machine.storage_bytes = machine.storage_bytes.map(|bytes| bytes / 2),
        (4, Some(machine)) => machine.tpm_version = machine.tpm_version.map(|_| 1),
        (5, _) => worse.recorded_at = worse.recorded_at.plus_days(-i64::from(amount) * 10),
        (6, _) => worse.grade = worse.grade.map(|_| Grade::D),
        _ => worse.returned = worse.returned.map(|_| Condition::NotWorking),
    }
    worse
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn worse_evidence_never_improves_the_disposition(facts in devices(), which in 0_u8..8, amount in 1_u8..100) {
        let policy = Policy::default();
        let (before, after) = (
            disposition_of(&facts, &policy, now()),
            disposition_of(&worse(&facts, which, amount), &policy, now()),
        );
        prop_assert!(after >= before, "{before} became {after}");
    }

    #[test]
    fn missing_evidence_never_yields_a_loan_with_high_confidence(facts in devices()) {
        let advice = advise(&facts, &Policy::default(), now());
        let known = facts.machine.as_ref().is_some_and(|machine| {
            machine.drives != Verdict::Unknown && machine.battery != BatteryRead::NotRead
                && fitness::runs_windows_11(&facts, &Policy::default()) != Answer::Unknown
        }) && (facts.grade.is_some() || facts.returned.is_some());
        if !known && advice.disposition == Disposition::Relend {
            prop_assert_ne!(advice.confidence, Confidence::High);
        }
        prop_assert!(!advice.reasons.is_empty(), "every advice says why");
        prop_assert!(advice.reasons.iter().all(|reason| !reason.source.en.is_empty() && !reason.value.fr.is_empty()));
    }

    #[test]
    fn the_count_of_a_fleet_says_what_the_page_of_a_device_says(facts in devices()) {
        let policy = Policy::default();
        prop_assert_eq!(disposition_of(&facts, &policy, now()), advise(&facts, &policy, now()).disposition);
    }
}
