//! The way of an order, and what no sequence of steps can do.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{
    checklist::{Check, Finding, Kind},
    *,
};
use crate::domain::loan::LendingState;

fn at(day: i64) -> UtcMillis {
    UtcMillis::default().plus_days(day)
}

fn findings(but: &[(Check, Finding)]) -> Findings {
    let mut found: BTreeMap<Check, Finding> =
        Kind::Laptop.checks().iter().map(|check| (*check, Finding::Good)).collect();
    found.extend(but.iter().copied());
    Findings::new(Kind::Laptop, found, BTreeSet::new(), "").unwrap()
}

/// Nobody knows of its drives.
fn nothing() -> ErasureState {
    ErasureState::Missing(Missing::default())
}

fn order() -> WorkOrder {
    WorkOrder::taken_in(Uuid::nil(), DeviceId(Uuid::nil()), at(0))
}

/// Takes all of these steps, with a waived erasure.
fn after(steps: &[Move]) -> Result<WorkOrder, Refused> {
    steps.iter().cloned().try_fold(order(), |order, step| order.take(step, &ErasureState::Waived, at(1)))
}

fn at_disposition(found: &[(Check, Finding)]) -> WorkOrder {
    let grade = graded(&findings(found)).grade;
    let steps = [
        Move::Begin,
        Move::Inspect(findings(&[(Check::Keyboard, Finding::Faulty)])),
        Move::Repair,
        Move::Reinstall,
        Move::Installed,
        Move::Test(findings(found)),
        Move::Grade(grade),
    ];
    after(&steps).unwrap()
}

#[test]
fn the_usual_way_of_an_order() {
    let ready = at_disposition(&[(Check::Casing, Finding::Marked)]);
    assert_eq!((ready.position, ready.grade), (Position::Open(Stage::Disposition), Some(Grade::B)));
    let donate = |erasure| ready.clone().take(Move::Dispose(Disposition::Donate), &erasure, at(2));
    assert_eq!(donate(ErasureState::Waived), Err(Refused::WaivedOnly), "no lot could take it");
    assert!(donate(ErasureState::Proved).is_ok());
    let done = ready.take(Move::Dispose(Disposition::Relend), &ErasureState::Waived, at(2)).unwrap();
    assert_eq!(done.position, Position::Closed(Disposition::Relend));
    assert_eq!(done.position.lending_state(), LendingState::InStock);
    assert_eq!(done.since, at(2));
    let again = done.take(Move::Reopen, &ErasureState::Waived, at(3)).unwrap();
    assert_eq!(again.position, Position::Open(Stage::Inspection));
    assert_eq!((again.reopened, again.findings, again.erasure, again.waiver), (1, None, None, None));
}

#[test]
fn nothing_passes_the_erasure_stage_while_nothing_is_recorded() {
    let inspected = after(&[Move::Begin, Move::Inspect(findings(&[]))]).unwrap();
    for step in [Move::Reinstall, Move::Repair, Move::GiveUp] {
        let refused = inspected.clone().take(step, &nothing(), at(2));
        assert_eq!(refused, Err(Refused::NotErased));
    }
    let waived = inspected.clone().waive_erasure("anne", " pas de disque ", at(2)).unwrap();
    assert_eq!(waived.waiver.as_ref().unwrap().reason, "pas de disque");
    assert_eq!(waived.clone().waive_erasure("anne", "encore", at(2)), Err(Refused::NotWaivable), "once");
    for reason in ["", "  ", "a\nb", &"x".repeat(MAX_WAIVER_CHARS + 1)] {
        assert_eq!(inspected.clone().waive_erasure("anne", reason, at(2)), Err(Refused::NoReason), "{reason}");
    }
    let passed = waived.take(Move::Reinstall, &ErasureState::Waived, at(2)).unwrap();
    assert_eq!(passed.erasure, Some(ErasureBasis::Waived));
    let proved = inspected.take(Move::Reinstall, &ErasureState::Proved, at(2)).unwrap();
    assert_eq!(proved.erasure, Some(ErasureBasis::Proved), "and the proof is what let it pass");
}

#[test]
fn a_swollen_battery_stops_everything_but_its_removal_and_recycling() {
    let swollen = after(&[Move::Begin, Move::Inspect(findings(&[(Check::Battery, Finding::Swollen)]))]).unwrap();
    assert_eq!(swollen.position, Position::Open(Stage::Quarantine));
    for step in [Move::Begin, Move::Repair, Move::Reinstall, Move::GiveUp, Move::Dispose(Disposition::Parts)] {
        assert_eq!(swollen.clone().take(step, &ErasureState::Waived, at(2)), Err(Refused::Swollen));
    }
    let recycled = swollen.clone().take(Move::Dispose(Disposition::Recycle), &ErasureState::Waived, at(2)).unwrap();
    let back = recycled.take(Move::Reopen, &ErasureState::Waived, at(3)).unwrap();
    assert_eq!(back.position, Position::Open(Stage::Quarantine), "the battery is still in it");
    let unproven = swollen.clone().take(Move::Dispose(Disposition::Recycle), &nothing(), at(2));
    assert_eq!(unproven, Err(Refused::NotErased), "nor does a drive leave unerased");
    let removed = swollen.take(Move::RemoveBattery, &nothing(), at(2)).unwrap();
    assert_eq!(removed.position, Position::Open(Stage::Inspection));
}

#[test]
fn what_does_not_work_is_repaired_or_given_up() {
    let broken = after(&[Move::Begin, Move::Inspect(findings(&[(Check::Screen, Finding::Faulty)]))]).unwrap();
    let skipped = broken.clone().take(Move::Reinstall, &ErasureState::Waived, at(2));
    assert_eq!(skipped, Err(Refused::Faulty));
    let given_up = broken.take(Move::GiveUp, &ErasureState::Waived, at(2)).unwrap();
    assert_eq!(given_up.grade, Some(Grade::D));
    assert_eq!(given_up.dispositions(), [Disposition::Parts, Disposition::Recycle]);
    for wrong in [Disposition::Relend, Disposition::Donate] {
        let refused = given_up.clone().take(Move::Dispose(wrong), &ErasureState::Waived, at(2));
        assert_eq!(refused, Err(Refused::NotWorking));
    }
    let usual = [Move::Begin, Move::Inspect(findings(&[])), Move::Reinstall, Move::Installed];
    let tested = after(&usual).unwrap();
    let failed = Move::Test(findings(&[(Check::WiFi, Finding::Faulty)]));
    let back = tested.take(failed, &ErasureState::Waived, at(2)).unwrap();
    assert_eq!(back.position, Position::Open(Stage::Repair));
}

#[test]
fn a_person_may_grade_worse_than_the_findings_but_not_better() {
    let marked = findings(&[(Check::Screen, Finding::Marked)]);
    let steps = [Move::Begin, Move::Inspect(marked.clone()), Move::Reinstall, Move::Installed, Move::Test(marked)];
    let tested = after(&steps).unwrap();
    let better = tested.clone().take(Move::Grade(Grade::B), &ErasureState::Waived, at(2));
    assert_eq!(better, Err(Refused::BetterThanFound(Grade::C)));
    for grade in [Grade::C, Grade::D] {
        assert!(tested.clone().take(Move::Grade(grade), &ErasureState::Waived, at(2)).is_ok());
    }
}

fn any_findings() -> impl Strategy<Value = Findings> {
    let finding = prop_oneof![
        8 => Just(Finding::Good), 2 => Just(Finding::Marked), 1 => Just(Finding::Faulty), 1 => Just(Finding::Missing)
    ];
    (proptest::collection::vec(finding, 11), proptest::bool::weighted(0.05)).prop_map(|(answers, swollen)| {
        let mut but: Vec<_> = Kind::Laptop.checks().iter().copied().zip(answers).collect();
        if swollen {
            but.push((Check::Battery, Finding::Swollen));
        }
        findings(&but)
    })
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        2 => Just(Move::Begin),
        3 => any_findings().prop_map(Move::Inspect),
        2 => Just(Move::Repair),
        3 => Just(Move::Reinstall),
        3 => Just(Move::Installed),
        3 => any_findings().prop_map(Move::Test),
        3 => proptest::sample::select(Grade::ALL).prop_map(Move::Grade),
        1 => Just(Move::GiveUp),
        4 => proptest::sample::select(Disposition::ALL).prop_map(Move::Dispose),
        1 => Just(Move::Quarantine),
        1 => Just(Move::RemoveBattery),
        1 => Just(Move::Reopen),
    ]
}

/// What holds of every order, whatever its steps were.
fn holds(order: &WorkOrder) {
    let (stage, disposition) = (order.position.stage(), order.position.disposition());
    let apart = stage == Some(Stage::Quarantine) || disposition == Some(Disposition::Recycle);
    assert!(!order.battery_swollen || apart, "a swollen battery on the way: {order:?}");
    assert!(stage != Some(Stage::Quarantine) || order.battery_swollen, "{order:?}");
    let early = [Stage::Intake, Stage::Inspection, Stage::Erasure, Stage::Quarantine];
    assert!(stage.is_some_and(|stage| early.contains(&stage)) || order.erasure.is_some(), "past the gate: {order:?}");
    let graded = stage.is_none_or(|stage| stage == Stage::Disposition);
    assert_eq!(order.grade.is_some(), graded, "{order:?}");
    if matches!(disposition, Some(Disposition::Relend | Disposition::Donate)) {
        assert!(order.grade.is_some_and(|grade| grade < Grade::D), "{order:?}");
        assert_eq!(order.findings.as_ref().unwrap().faults().count(), 0, "lent or given broken: {order:?}");
    }
}

proptest! {
    #[test]
    fn no_sequence_of_steps_breaks_a_rule(steps in proptest::collection::vec((any_move(), any::<bool>()), 1..60)) {
        let mut order = order();
        for (number, (step, erased)) in steps.into_iter().enumerate() {
            let erasure = if erased { ErasureState::Proved } else { nothing() };
            let name = step.name();
            let offered = order.offered().contains(&name);
            let now = at(i64::try_from(number).unwrap());
            let Ok(next) = order.clone().take(step, &erasure, now) else { continue };
            prop_assert!(offered, "{name} was taken from {:?} but no button offers it", order.position);
            prop_assert_eq!(next.since, now);
            holds(&next);
            order = next;
        }
    }
}
