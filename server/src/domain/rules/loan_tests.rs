//! What the rules that join loan and machine must say, and must not.

use cartable_common::{
    MilliwattHours, Text,
    report::{Battery, Drive, HealthReport},
};
use jiff::civil::date;

use super::*;
use crate::domain::{
    facts::{ErasureFacts, HealthFacts, LoanFacts, WorkFacts, Zone},
    forecast::Kinds,
    loan::{LendingState, LoanStateName},
    part::PartKind,
    work_order::{Disposition, Position, Stage},
};

fn at(text: &str) -> UtcMillis {
    UtcMillis::new(format!("{text}T10:00:00Z").parse::<jiff::Timestamp>().unwrap().as_millisecond()).unwrap()
}

const TODAY: &str = "2026-11-24";

/// A device that is lent, fit and heard from today.
fn lent(due: Option<Date>) -> LendingFacts {
    let loan = LoanFacts {
        state: LoanStateName::HandedOver,
        handed_over_at: Some(at("2026-09-07")),
        due,
        ended_at: None,
        borrower_left: None,
    };
    LendingFacts {
        state: LendingState::Lent,
        agent_expected: true,
        kept_here: true,
        stocked_at: None,
        warranty_until: None,
        loan: Some(loan),
        work: None,
        release: None,
    }
}

/// One whose loan ended on `day`.
fn ended(state: LendingState, name: LoanStateName, day: &str) -> LendingFacts {
    let open = lent(Some(date(2027, 7, 2)));
    let loan = open.loan.map(|loan| LoanFacts { state: name, ended_at: Some(at(day)), ..loan });
    LendingFacts { state, loan, ..open }
}

fn device(lending: LendingFacts, last_contact: Option<&str>) -> DeviceFacts<'static> {
    DeviceFacts {
        status: DeviceStatus::Active,
        archived: false,
        created_at: at("2026-08-24"),
        enrolled_at: last_contact.map(|_| at("2026-08-25")),
        last_contact: last_contact.map(at),
        skew_millis: Some(0),
        agent_version: Some("0.1.0"),
        zone: Some(Zone::C),
        health: None,
        baseline: None,
        lending: Some(lending),
        erasure: None,
        cloned: None,
        silence: None,
    }
}

fn said(facts: &DeviceFacts<'_>) -> Vec<Finding> {
    evaluate(facts, &Policy::default(), at(TODAY))
}

fn codes(facts: &DeviceFacts<'_>) -> Vec<FlagCode> {
    said(facts).into_iter().map(|finding| finding.code).collect()
}

fn with_battery(percent: u32) -> HealthReport {
    let battery = Battery {
        full_milliwatt_hours: MilliwattHours::new(percent * 450),
        design_milliwatt_hours: MilliwattHours::new(45_000),
        ..Battery::default()
    };
    HealthReport { batteries: vec![battery], ..HealthReport::default() }
}

fn measured(report: &HealthReport, lending: LendingFacts) -> DeviceFacts<'_> {
    let health = HealthFacts { report, measured_at: at("2026-11-23"), received_at: at("2026-11-23"), past: &[] };
    DeviceFacts { health: Some(health), ..device(lending, Some(TODAY)) }
}

#[test]
fn loan_sentences() {
    let overdue = lent(Some(date(2026, 11, 12)));
    let worn = with_battery(72);
    let left = lent(None);
    let left = LendingFacts {
        loan: left.loan.map(|loan| LoanFacts { borrower_left: Some(date(2026, 11, 20)), ..loan }),
        ..left
    };
    let cases = [
        device(lent(Some(date(2026, 12, 15))), Some(TODAY)),
        device(lent(Some(date(2026, 11, 25))), Some(TODAY)),
        device(lent(Some(date(2026, 11, 24))), Some(TODAY)),
        device(overdue, Some("2026-11-23")),
        device(overdue, Some("2026-10-12")),
        device(overdue, None),
        device(LendingFacts { agent_expected: false, ..overdue }, None),
        device(ended(LendingState::Intake, LoanStateName::Returned, "2026-11-16"), Some("2026-11-23")),
        device(ended(LendingState::InStock, LoanStateName::Returned, "2026-10-05"), Some("2026-11-23")),
        device(ended(LendingState::Lost, LoanStateName::Lost, "2026-11-09"), Some("2026-11-23")),
        device(ended(LendingState::Stolen, LoanStateName::Stolen, "2026-11-09"), Some("2026-11-23")),
        device(ended(LendingState::Ceded, LoanStateName::Ceded, "2026-11-09"), Some("2026-11-23")),
        device(left, Some(TODAY)),
        device(LendingFacts { warranty_until: Some(date(2026, 12, 31)), ..lent(None) }, Some(TODAY)),
        measured(&worn, lent(Some(date(2026, 12, 4)))),
    ];
    insta::assert_snapshot!(cases.map(|facts| super::tests::lines(&said(&facts))).join("\n"));
}

#[test]
fn a_device_that_is_where_it_should_be_raises_nothing() {
    let far = lent(Some(date(2027, 7, 2)));
    let fine = with_battery(95);
    for facts in [
        device(far, Some(TODAY)),
        device(lent(None), Some(TODAY)),
        device(LendingFacts { warranty_until: Some(date(2028, 9, 1)), ..far }, Some(TODAY)),
        measured(&fine, LendingFacts { warranty_until: Some(date(2026, 11, 23)), ..far }),
        measured(&with_battery(72), far),
        device(ended(LendingState::Intake, LoanStateName::Returned, "2026-11-20"), Some("2026-11-23")),
        device(ended(LendingState::Intake, LoanStateName::Returned, "2026-09-20"), Some("2026-11-02")),
        device(ended(LendingState::Lost, LoanStateName::Lost, "2026-11-24"), Some("2026-11-23")),
        device(ended(LendingState::Ceded, LoanStateName::Ceded, "2026-11-20"), Some(TODAY)),
        device(ended(LendingState::WrittenOff, LoanStateName::WrittenOff, "2026-10-01"), Some(TODAY)),
    ] {
        let battery = facts.health.is_some();
        let other: Vec<FlagCode> =
            codes(&facts).into_iter().filter(|code| !battery || *code != FlagCode::BatteryWorn).collect();
        assert_eq!(other, [], "{facts:?}");
    }
}

#[test]
fn an_order_is_stuck_after_its_stages_limit_and_a_ready_unit_waits_a_month() {
    let with = |state, position, since: &str| {
        let work = Some(WorkFacts { position, since: at(since), lacking: Kinds::default(), in_lot: false });
        codes(&device(LendingFacts { work, ..ended(state, LoanStateName::Returned, "2026-09-01") }, Some("2026-08-31")))
    };
    let bench = |stage, since| with(LendingState::Refurbishment, Position::Open(stage), since);
    assert_eq!(bench(Stage::Repair, "2026-11-09"), [], "fifteen days are allowed");
    assert_eq!(bench(Stage::Repair, "2026-11-08"), [FlagCode::StageOverdue]);
    assert_eq!(bench(Stage::Quarantine, "2026-11-21"), [FlagCode::StageOverdue], "each stage has its own limit");
    let relend = Position::Closed(Disposition::Relend);
    assert_eq!(with(LendingState::InStock, relend, "2026-10-25"), []);
    assert_eq!(with(LendingState::InStock, relend, "2026-10-24"), [FlagCode::ReadyUnassigned]);
    assert_eq!(with(LendingState::InStock, relend, "2026-08-20"), [], "lent and returned since");
    assert_eq!(with(LendingState::Reserved, relend, "2026-10-24"), [], "assigned");
    let donate = Position::Closed(Disposition::Donate);
    assert_eq!(with(LendingState::SetAside, donate, "2026-10-24"), [FlagCode::ReadyUnassigned]);
    let parts = Position::Closed(Disposition::Parts);
    assert_eq!(with(LendingState::SetAside, parts, "2026-01-24"), [], "parts wait for nobody");
}

#[test]
fn a_unit_that_lacks_a_part_says_which_and_one_in_a_lot_is_promised() {
    let with = |state, work| {
        said(&device(LendingFacts { work: Some(work), ..ended(state, LoanStateName::Returned, "2026-09-01") }, None))
    };
    let of = |findings: Vec<Finding>| findings.into_iter().map(|finding| finding.code).collect::<Vec<_>>();
    let lacking = [PartKind::Battery, PartKind::Screen].into_iter().collect();
    let repair = Position::Open(Stage::Repair);
    let waiting = WorkFacts { position: repair, since: at("2026-11-20"), lacking, in_lot: false };
    let found = with(LendingState::Refurbishment, waiting);
    let found = found.iter().find(|finding| finding.code == FlagCode::PartToOrder).unwrap();
    assert_eq!(found.severity, Severity::Info);
    assert!(found.evidence.sentence_fr.contains("batterie, écran"), "{}", found.evidence.sentence_fr);
    assert!(found.evidence.sentence_en.contains("battery, screen"), "{}", found.evidence.sentence_en);
    let closed = WorkFacts { position: Position::Closed(Disposition::Parts), ..waiting };
    assert!(!of(with(LendingState::SetAside, closed)).contains(&FlagCode::PartToOrder), "it is no longer repaired");
    let donate = Position::Closed(Disposition::Donate);
    let ready = WorkFacts { position: donate, since: at("2026-09-24"), lacking: Kinds::default(), in_lot: false };
    assert!(of(with(LendingState::SetAside, ready)).contains(&FlagCode::ReadyUnassigned));
    let promised = WorkFacts { in_lot: true, ..ready };
    assert!(!of(with(LendingState::SetAside, promised)).contains(&FlagCode::ReadyUnassigned));
}

#[test]
fn what_the_last_borrower_left_is_asked_for_wherever_the_device_waits() {
    let drive = Drive { model: Text::meaningful("Disk"), ..Drive::default() };
    let report = HealthReport { drives: vec![drive], ..HealthReport::default() };
    let nothing = ErasureFacts::default();
    let flagged = |lending| {
        let facts = DeviceFacts { erasure: Some(&nothing), ..measured(&report, lending) };
        codes(&facts).contains(&FlagCode::ErasureMissing)
    };
    let back = |state| ended(state, LoanStateName::Returned, "2026-09-01");
    assert!(flagged(back(LendingState::Intake)));
    assert!(flagged(back(LendingState::InStock)), "an import put it there");
    assert!(!flagged(back(LendingState::Refurbishment)), "the bench has its own gate");
    let closed = |since: &str| WorkFacts {
        position: Position::Closed(Disposition::Relend),
        since: at(since),
        lacking: Kinds::default(),
        in_lot: false,
    };
    let refurbished = |since| LendingFacts { work: Some(closed(since)), ..back(LendingState::InStock) };
    assert!(!flagged(refurbished("2026-09-20")), "the bench has asked");
    assert!(flagged(refurbished("2026-08-20")), "that was before the loan");
}

#[test]
fn where_no_contact_is_expected_none_is_missed() {
    let tablet = LendingFacts { agent_expected: false, ..lent(None) };
    let listed = DeviceFacts { created_at: at("2025-09-01"), ..device(tablet, None) };
    for status in [DeviceStatus::Active, DeviceStatus::Pending] {
        assert_eq!(codes(&DeviceFacts { status, ..listed }), [], "{status}");
    }
    let quiet = |lending| codes(&device(lending, Some("2026-09-25")));
    assert_eq!(quiet(lent(None)), [FlagCode::Silent], "a lent laptop is missed");
    for (state, name) in [
        (LendingState::InStock, LoanStateName::Returned),
        (LendingState::Intake, LoanStateName::Returned),
        (LendingState::Lost, LoanStateName::Lost),
        (LendingState::Stolen, LoanStateName::Stolen),
        (LendingState::Ceded, LoanStateName::Ceded),
    ] {
        assert_eq!(quiet(ended(state, name, "2026-10-01")), [], "{state}");
    }
    let unkept = LendingFacts { state: LendingState::InStock, kept_here: false, loan: None, ..lent(None) };
    assert_eq!(quiet(unkept), [FlagCode::Silent], "where no loans are kept, every device is missed as before");
    assert_eq!(codes(&device(unkept, Some(TODAY))), [], "nor is it in stock");
}

#[test]
fn an_overdue_device_is_alive_or_silent_or_neither_and_holidays_make_none_silent() {
    let overdue = |due, last: Option<&str>, today| {
        let facts = device(lent(Some(due)), last);
        let found = evaluate(&facts, &Policy::default(), at(today));
        found.into_iter().map(|finding| finding.code).filter(|code| *code != FlagCode::Silent).collect::<Vec<_>>()
    };
    assert_eq!(overdue(date(2026, 11, 23), Some(TODAY), TODAY), [FlagCode::OverdueAlive]);
    assert_eq!(overdue(date(2026, 11, 24), Some(TODAY), TODAY), [FlagCode::LoanDueSoon], "not yet");
    assert_eq!(overdue(date(2026, 7, 2), Some("2026-07-03"), "2026-08-31"), [FlagCode::OverdueAlive], "the summer");
    assert_eq!(overdue(date(2026, 7, 2), Some("2026-07-03"), "2026-09-29"), [FlagCode::OverdueSilent]);
    assert_eq!(overdue(date(2026, 7, 2), None, "2026-08-31"), [FlagCode::LoanOverdue]);
}

#[test]
fn a_device_at_risk_is_swapped_while_lent_and_refurbished_once_back() {
    let (failing, worn) = (with_battery(40), with_battery(72));
    let due = |lending| codes(&measured(&failing, lending)).contains(&FlagCode::DueForRefurbishment);
    assert!(due(lent(Some(date(2027, 7, 2)))) && due(lent(None)));
    assert!(!due(lent(Some(date(2026, 12, 4)))), "due back within days: another flag says so");
    assert!(due(ended(LendingState::Intake, LoanStateName::Returned, "2026-11-20")));
    assert!(!due(ended(LendingState::InStock, LoanStateName::Returned, "2026-11-20")), "in stock again");
    assert!(!codes(&measured(&worn, lent(None))).contains(&FlagCode::DueForRefurbishment), "wear can wait");
}

#[test]
fn no_loan_no_statement() {
    let never_lent = LendingFacts { state: LendingState::InStock, loan: None, ..lent(None) };
    assert_eq!(codes(&device(never_lent, Some(TODAY))), [FlagCode::StockInUse]);
    let prepared = DeviceFacts { enrolled_at: Some(at("2026-11-20")), ..device(never_lent, Some(TODAY)) };
    assert_eq!(codes(&prepared), [], "it is being prepared");
    let unknown = DeviceFacts { lending: None, ..device(lent(Some(date(2026, 1, 1))), Some(TODAY)) };
    assert_eq!(codes(&unknown), []);
}
