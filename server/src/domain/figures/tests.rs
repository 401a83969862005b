//! A year counted by hand; what holds of every year stands beside.

mod every_year;

use cartable_common::{DeviceId, UtcMillis, report::Chassis};
use jiff::{
    ToSpan as _,
    civil::{Date, date},
};
use uuid::Uuid;

use super::{
    age::Birth,
    fact::{Facts, Left, Lent, LotUnit, Order, PartUsed, Step, StepKind, Unit, Way},
    line::Reason,
    *,
};

use crate::domain::{
    donation::basis::LegalBasis,
    paris,
    work_order::{Disposition, Stage},
};

const YEAR: Year = Year(2026);

fn id(number: u128) -> DeviceId {
    DeviceId(Uuid::from_u128(number))
}

/// A laptop that was bought on that day.
fn unit(number: u128, bought: Option<Date>) -> Unit {
    Unit {
        id: id(number),
        asset_tag: None,
        serial: Some(format!("S{number:03}")),
        model: Some(if number.is_multiple_of(2) { "HP 245" } else { "Lenovo L13" }.to_owned()),
        kind: Some(Chassis::Laptop),
        owner: Some("Département".to_owned()),
        birth: Birth {
            recorded: date(2024, 1, 1),
            warranty_until: bought.map(|day| day.checked_add(3.years()).unwrap()),
            processor_year: None,
        },
    }
}

fn noon(day: Date) -> UtcMillis {
    paris::midnight(day).plus_millis(12 * 3_600_000)
}

fn closed(number: i64, day: Date, became: Disposition) -> Step {
    Step { number, at: noon(day), kind: StepKind::Closed(became), stage: None }
}

fn reopened(number: i64, day: Date) -> Step {
    Step { number, at: noon(day), kind: StepKind::Reopened, stage: Some(Stage::Inspection) }
}

fn order(number: u128, steps: Vec<Step>) -> Order {
    Order { id: Uuid::from_u128(1000 + number), device: id(number), steps, parts: Vec::new() }
}

fn lot(number: u128, approved: Date, delivered: Option<Date>) -> LotUnit {
    LotUnit {
        device: id(number),
        lot: "Lot 1".to_owned(),
        basis: LegalBasis::Associations,
        recipient: "Emmaüs Connect".to_owned(),
        approved,
        dropped: None,
        delivered,
    }
}

fn names(lines: &[Line]) -> Vec<(&str, Option<Reason>)> {
    lines.iter().map(|line| (line.unit.serial.as_deref().unwrap_or_default(), line.reason)).collect()
}

/// Ten units whose year is known by heart.
fn a_year() -> Facts {
    use Disposition::{Donate, Parts, Recycle, Relend};
    let young = Some(date(2020, 9, 1));
    let spring = date(2026, 3, 2);
    Facts {
        units: vec![
            unit(1, young),                  // reformed in 2025, given in 2026: in A and in B
            unit(2, young),                  // reformed and given in 2026: in A alone
            unit(3, None),                   // reformed in 2025, given in 2026, of unknown age: in B alone
            unit(4, Some(date(2014, 1, 1))), // over ten years at its reform in 2025: in neither
            unit(5, young),                  // set aside for parts in 2025, archived in 2026: in B
            unit(6, young),                  // given in 2025: in neither
            unit(7, young),                  // set aside in 2025, reopened in 2025: in neither
            unit(8, young),                  // lent again after the workshop
            unit(9, young),                  // archived, nothing known
            unit(10, young),                 // in an approved lot on 1 January, given up in February: in B
        ],
        orders: vec![
            order(1, vec![closed(3, date(2025, 11, 3), Donate)]),
            order(2, vec![closed(3, date(2026, 2, 2), Donate)]),
            order(3, vec![closed(3, date(2025, 11, 3), Donate)]),
            order(4, vec![closed(3, date(2025, 11, 3), Recycle)]),
            order(5, vec![closed(3, date(2025, 12, 31), Parts)]),
            order(6, vec![closed(3, date(2025, 5, 5), Donate)]),
            order(7, vec![closed(3, date(2025, 5, 5), Donate), reopened(4, date(2025, 6, 6))]),
            order(8, vec![closed(3, date(2026, 1, 5), Relend)]),
        ],
        lots: vec![
            lot(1, spring, Some(date(2026, 4, 1))),
            lot(2, spring, Some(date(2026, 12, 31))),
            lot(3, spring, Some(date(2026, 4, 1))),
            lot(6, date(2025, 6, 1), Some(date(2025, 12, 31))),
            LotUnit { dropped: Some(date(2026, 2, 1)), ..lot(10, date(2025, 12, 1), None) },
        ],
        left: vec![
            Left { device: id(5), day: date(2026, 5, 5), way: Way::Archived },
            Left { device: id(9), day: date(2026, 5, 5), way: Way::Archived },
        ],
        loans: vec![
            Lent { device: id(8), at: noon(date(2026, 9, 7)) },
            Lent { device: id(8), at: noon(date(2026, 10, 7)) },
        ],
    }
}

#[test]
fn a_year_is_counted_as_it_is_by_hand() {
    let found = figures(YEAR, &a_year(), &Policy::default());
    let reuse = &found.reuse;
    assert_eq!(names(&reuse.reused), [("S001", None), ("S002", None)]);
    assert_eq!(
        names(&reuse.not_reused),
        [("S003", Some(Reason::AgeUnknown)), ("S005", Some(Reason::Recycled)), ("S009", Some(Reason::PutAway))]
    );
    assert_eq!(names(&reuse.stock), [("S001", None), ("S003", None), ("S010", None), ("S005", None)]);
    assert_eq!(names(&reuse.not_in_stock), [("S004", Some(Reason::TooOld))]);
    assert_eq!((reuse.reused_of_stock, reuse.per_mille(), reuse.is_reached()), (1, Some(500), Some(true)));
    assert_eq!(names(&found.ages.reformed), [("S002", None)]);
    assert_eq!(found.ages.median(), Some(65), "September 2020 to February 2026");
    assert_eq!(names(&found.impact.given), [("S001", None), ("S003", None), ("S002", None)]);
    assert_eq!(found.impact.saved_given, Saved { co2_grams: 81_000, material_grams: 381_000, waste_grams: 942 });
    assert_eq!(names(&found.impact.lent_again), [("S008", None)], "once, by its first loan");
    assert_eq!(found.impact.lent_again[0].day, date(2026, 9, 7));
    let all = &found.workshop.all;
    assert_eq!((all.relend, all.donate, all.orders(), all.yield_per_mille()), (1, 1, 2, Some(1000)));
    let said = found.reuse_said();
    assert!(
        said.fr.starts_with("50,0\u{A0}%\u{A0}: 2 appareils orientés")
            && said.fr.contains("objectif de 50\u{A0}% atteint")
    );
    assert!(
        said.en.starts_with(
            "50.0%: 2 devices steered to reuse in 2026 (A), for 4 devices reformed and in stock on 1 January (B)"
        ),
        "{}",
        said.en
    );
}

#[test]
fn the_same_facts_a_year_before_and_after() {
    let facts = |until: Date| {
        let mut facts = a_year();
        facts.orders.iter_mut().for_each(|order| order.steps.retain(|step| paris::date(step.at) < until));
        facts.lots.retain(|lot| lot.approved < until);
        facts.lots.iter_mut().for_each(|lot| lot.delivered = lot.delivered.filter(|day| *day < until));
        facts.left.retain(|left| left.day < until);
        facts
    };
    let before = figures(Year(2025), &facts(date(2026, 1, 1)), &Policy::default());
    assert_eq!(names(&before.reuse.reused), [("S006", None)]);
    assert_eq!((before.reuse.per_mille(), before.reuse.is_reached()), (None, None), "nothing in stock: not defined");
    assert!(before.reuse_said().en.starts_with("Not defined"), "{}", before.reuse_said().en);
    let after = figures(Year(2027), &a_year(), &Policy::default());
    assert_eq!((after.reuse.reused.len(), after.reuse.stock.len()), (0, 0));
    assert_eq!(names(&after.reuse.not_in_stock), [("S004", Some(Reason::TooOld))]);
}

#[test]
fn years_begin_at_midnight_in_paris() {
    let at = |hour: i64| paris::midnight(date(2026, 1, 1)).plus_millis(hour * 3_600_000);
    let mut facts = a_year();
    facts.orders = vec![
        order(1, vec![Step { at: at(-1), ..closed(1, YEAR.first(), Disposition::Donate) }]),
        order(2, vec![Step { at: at(0), ..closed(1, YEAR.first(), Disposition::Donate) }]),
    ];
    (facts.lots, facts.left) = (Vec::new(), Vec::new());
    let found = figures(YEAR, &facts, &Policy::default());
    assert_eq!((names(&found.reuse.stock), names(&found.ages.reformed)), (vec![("S001", None)], vec![("S002", None)]));
}

#[test]
fn whose_and_how_a_unit_left_decides() {
    let mut facts = a_year();
    facts.units[0].owner = Some("  société EXEMPLE ".to_owned());
    facts.left.push(Left { device: id(2), day: date(2026, 6, 1), way: Way::CededByLoan });
    facts.left.push(Left { device: id(8), day: date(2026, 12, 1), way: Way::WrittenOff });
    let mut policy = Policy::default();
    policy.figures.not_ours = vec!["Société Exemple".to_owned()];
    let reuse = figures(YEAR, &facts, &policy).reuse;
    assert!(reuse.reused.is_empty());
    let reasons = names(&reuse.not_reused);
    for expected in [
        ("S001", Some(Reason::NotOurs)),
        ("S002", Some(Reason::NoLegalBasis)),
        ("S002", Some(Reason::CountedBefore)),
        ("S008", Some(Reason::WrittenOff)),
    ] {
        assert!(reasons.contains(&expected), "{expected:?} in {reasons:?}");
    }
    assert!(names(&reuse.not_in_stock).contains(&("S001", Some(Reason::NotOurs))));
    assert_eq!(reuse.per_mille(), Some(0));
}

/// Minutes after noon of 2 March 2026.
fn minute(minutes: i64) -> UtcMillis {
    noon(date(2026, 3, 2)).plus_millis(minutes * 60_000)
}

#[test]
fn each_cent_and_each_minute_is_counted_once() {
    let at = |number, minutes, stage| Step { number, at: minute(minutes), kind: StepKind::Other, stage: Some(stage) };
    let next_year = date(2027, 2, 1);
    let mut worked = order(
        1,
        vec![
            at(1, 0, Stage::Intake),
            at(2, 600, Stage::Inspection),
            at(3, 615, Stage::Erasure),
            at(4, 900, Stage::Repair),
            // A part: a step that goes nowhere. The repair takes until the next day: an hour is counted.
            at(5, 920, Stage::Repair),
            at(6, 2400, Stage::FinalTest),
            at(7, 2410, Stage::Grading),
            at(8, 2411, Stage::Disposition),
            Step { number: 9, at: minute(2500), kind: StepKind::Closed(Disposition::Relend), stage: None },
            reopened(10, next_year),
            Step {
                number: 11,
                at: noon(next_year).plus_millis(30 * 60_000),
                kind: StepKind::Other,
                stage: Some(Stage::Erasure),
            },
            closed(12, date(2027, 2, 3), Disposition::Donate),
        ],
    );
    worked.parts = vec![
        PartUsed { at: minute(920), count: 2, unit_cents: 1_250 },
        PartUsed { at: noon(next_year).plus_millis(1), count: 1, unit_cents: 99 },
    ];
    let facts = Facts { units: vec![unit(1, None)], orders: vec![worked], ..Facts::default() };
    let mut policy = Policy::default();
    policy.disposition.bench_euros_per_hour = 30;
    let first = figures(YEAR, &facts, &policy).workshop;
    let work = Work { minutes: 15 + 60 + 10 + 1, capped: 1, parts_cents: 2_500, bench_cents: 4_300 };
    assert_eq!((first.work, first.all.cents_per_ready()), (work, Some(6_800)));
    let second = figures(Year(2027), &facts, &policy).workshop;
    assert_eq!(second.work, Work { minutes: 30, capped: 0, parts_cents: 99, bench_cents: 1_500 });
    assert_eq!((first.all.relend, second.all.donate), (1, 1));
    // Reopened within the year, it counts when it is closed for good, with everything since the beginning.
    let mut within = facts;
    for step in &mut within.orders[0].steps {
        if step.number == 10 {
            step.at = minute(2600);
        }
    }
    let first = figures(YEAR, &within, &policy).workshop;
    assert_eq!((first.orders.len(), names(&first.reopened)), (0, vec![("S001", Some(Reason::Open))]));
    assert_eq!((first.all.yield_per_mille(), first.all.cents_per_ready()), (None, None));
    let second = figures(Year(2027), &within, &policy).workshop;
    assert_eq!((second.orders.len(), second.work.parts_cents), (1, 2_599));
}

#[test]
fn what_has_no_factor_or_no_workshop_avoids_nothing() {
    let mut facts = a_year();
    facts.units[0].kind = Some(Chassis::Tablet);
    facts.orders.retain(|order| order.device != id(2));
    let impact = figures(YEAR, &facts, &Policy::default()).impact;
    assert_eq!(names(&impact.given), [("S003", None)]);
    assert_eq!(names(&impact.left_out), [("S001", Some(Reason::NoFactor)), ("S002", Some(Reason::NotRefurbished))]);
}

#[test]
fn what_was_made_ready_to_be_lent_and_is_given_went_through_the_workshop() {
    let mut facts = a_year();
    let closing = facts.orders.iter_mut().find(|order| order.device == id(2)).unwrap().steps.last_mut().unwrap();
    closing.kind = StepKind::Closed(Disposition::Relend);
    let impact = figures(YEAR, &facts, &Policy::default()).impact;
    let line = impact.left_out.iter().find(|line| line.unit.id == id(2)).unwrap();
    let why = line.reason.unwrap();
    assert_eq!((why, why.said().en.as_str()), (Reason::NotRefurbished, "given without an order closed for donation"));
}

#[test]
fn the_median_of_two_ages_lies_between_them() {
    let median =
        |months: &[i64]| Ages { reformed: vec![], within: 0, over: 0, unknown: 0, months: months.to_vec() }.median();
    assert_eq!((median(&[]), median(&[40]), median(&[40, 80])), (None, Some(40), Some(60)));
    assert_eq!((median(&[1, 40, 80, 81]), median(&[1, 40, 81])), (Some(60), Some(40)));
    assert_eq!(median(&[40, 41]), Some(40), "in whole months");
}
