//! What holds of every year, whatever happened to its units.

use cartable_common::DeviceId;
use jiff::{
    ToSpan as _,
    civil::{Date, date},
};
use proptest::prelude::*;

use super::{YEAR, id, lot, noon, order, unit};
use crate::domain::{
    figures::{
        Line, Year,
        age::Birth,
        fact::{Facts, Left, Lent, LotUnit, PartUsed, Step, StepKind, Unit, Way},
        figures,
        line::ListName,
    },
    paris,
    policy::Policy,
    work_order::{Disposition, Stage},
};

fn a_day() -> impl Strategy<Value = Date> {
    (0_i64..1_095).prop_map(|days| date(2025, 1, 1).checked_add(days.days()).unwrap())
}

fn a_disposition() -> impl Strategy<Value = Disposition> {
    prop::sample::select(Disposition::ALL)
}

/// What may have happened to one unit.
fn a_history(number: u128) -> impl Strategy<Value = Facts> {
    let bought = prop::option::of((2012_i16..2024).prop_map(|year| date(year, 6, 1)));
    let steps = prop::collection::vec((a_day(), a_disposition(), a_day()), 0..3);
    let lots = prop::collection::vec((a_day(), prop::option::of(0_i64..200), any::<bool>()), 0..2);
    let left =
        prop::option::of((a_day(), prop::sample::select(&[Way::Archived, Way::WrittenOff, Way::CededByLoan][..])));
    let loans = prop::collection::vec(a_day(), 0..3);
    (bought, steps, lots, left, loans, any::<bool>()).prop_map(move |(bought, steps, lots, left, loans, ours)| {
        let mut unit = unit(number, bought);
        unit.owner = Some(if ours { "Département" } else { "Partenaire" }.to_owned());
        let mut days: Vec<Date> = steps.iter().flat_map(|(closing, _, reopening)| [*closing, *reopening]).collect();
        days.sort();
        let kinds = steps.iter().flat_map(|(_, became, _)| [StepKind::Closed(*became), StepKind::Reopened]);
        let steps: Vec<Step> = (1..)
            .zip(days.into_iter().zip(kinds))
            .map(|(number, (day, kind))| Step {
                number,
                at: noon(day).plus_millis(number),
                kind,
                stage: (kind == StepKind::Reopened).then_some(Stage::Inspection),
            })
            .collect();
        let lots = lots.into_iter().map(|(approved, after, dropped)| {
            let later = after.and_then(|days| approved.checked_add(days.days()).ok());
            let (delivered, dropped) = if dropped { (None, later) } else { (later, None) };
            LotUnit { dropped, ..lot(number, approved, delivered) }
        });
        Facts {
            units: vec![unit],
            orders: vec![order(number, steps)],
            lots: lots.collect(),
            left: left.into_iter().map(|(day, way)| Left { device: id(number), day, way }).collect(),
            loans: loans.into_iter().map(|day| Lent { device: id(number), at: noon(day) }).collect(),
        }
    })
}

fn some_facts() -> impl Strategy<Value = Facts> {
    let histories: Vec<_> = (1..12).map(|number| a_history(number).boxed()).collect();
    histories.prop_map(|all| {
        all.into_iter().fold(Facts::default(), |mut sum, one| {
            sum.units.extend(one.units);
            sum.orders.extend(one.orders);
            sum.lots.extend(one.lots);
            sum.left.extend(one.left);
            sum.loans.extend(one.loans);
            sum
        })
    })
}

fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.figures.not_ours = vec!["Partenaire".to_owned()];
    policy
}

fn devices(lines: &[Line]) -> Vec<DeviceId> {
    let mut devices: Vec<_> = lines.iter().map(|line| line.unit.id).collect();
    devices.sort();
    devices
}

fn is_set(mut devices: Vec<DeviceId>) -> bool {
    let count = devices.len();
    devices.dedup();
    devices.len() == count
}

proptest! {
    #[test]
    fn each_unit_is_counted_once_and_every_way_out_stands_somewhere(facts in some_facts()) {
        let found = figures(YEAR, &facts, &policy());
        for name in [ListName::Reused, ListName::Reformed, ListName::Given, ListName::LentAgain, ListName::Stock] {
            prop_assert!(is_set(devices(found.list(name))), "{name}");
        }
        let reuse = &found.reuse;
        // What left in the year, and nothing else: in A or beside it, each way out once.
        let mut out: Vec<DeviceId> = facts.left.iter().filter(|left| YEAR.has(left.day)).map(|left| left.device)
            .chain(facts.lots.iter().filter(|lot| lot.delivered.is_some_and(|day| YEAR.has(day))).map(|lot| lot.device))
            .collect();
        out.sort();
        let mut listed = devices(&reuse.reused);
        listed.extend(devices(&reuse.not_reused));
        listed.sort();
        prop_assert_eq!(listed, out);
        prop_assert!(reuse.reused.iter().chain(&reuse.stock).all(|line| line.reason.is_none()));
        prop_assert!(reuse.not_reused.iter().chain(&reuse.not_in_stock).all(|line| line.reason.is_some()));
        let mut both = devices(&reuse.stock);
        both.extend(devices(&reuse.not_in_stock));
        both.sort();
        prop_assert!(is_set(both));
        prop_assert!(reuse.reused_of_stock <= reuse.stock.len().min(reuse.reused.len()));
        prop_assert_eq!(reuse.per_mille().is_none(), reuse.stock.is_empty());
    }

    #[test]
    fn the_order_of_facts_does_not_matter(facts in some_facts(), seed in any::<u64>()) {
        fn mix<T>(list: &mut [T], seed: u64) {
            for place in (1..list.len()).rev() {
                let turned = seed.rotate_left(u32::try_from(place % 64).unwrap());
                list.swap(place, usize::try_from(turned % (place as u64 + 1)).unwrap());
            }
        }
        let mut mixed = facts.clone();
        mix(&mut mixed.units, seed);
        mix(&mut mixed.orders, seed);
        mix(&mut mixed.lots, seed);
        mix(&mut mixed.left, seed);
        mix(&mut mixed.loans, seed);
        mixed.orders.iter_mut().for_each(|order| mix(&mut order.steps, seed));
        prop_assert_eq!(figures(YEAR, &mixed, &policy()), figures(YEAR, &facts, &policy()));
    }

    /// Neither a further unit of unknown age nor forgetting the age of one makes the ratio better.
    #[test]
    fn what_is_not_known_never_improves(facts in some_facts(), more in a_history(99), forgotten in 0_usize..11) {
        let before = figures(YEAR, &facts, &policy()).reuse;
        let unknown = |unit: &mut Unit| unit.birth = Birth { recorded: date(2024, 1, 1), warranty_until: None, processor_year: None };
        let mut joined = facts.clone();
        let mut more = more;
        more.units.iter_mut().for_each(unknown);
        joined.units.extend(more.units);
        joined.orders.extend(more.orders);
        joined.lots.extend(more.lots);
        joined.left.extend(more.left);
        let mut without = facts;
        unknown(&mut without.units[forgotten]);
        for facts in [joined, without] {
            let after = figures(YEAR, &facts, &policy()).reuse;
            prop_assert!(after.reused.len() <= before.reused.len());
            prop_assert!(after.stock.len() >= before.stock.len());
            // Where there was no ratio, a first unit of B defines one, and it may be any.
            if let (Some(before), Some(after)) = (before.per_mille(), after.per_mille()) {
                prop_assert!(after <= before);
            }
        }
    }

    /// Over the years, what is spent on an order is counted once.
    #[test]
    fn years_add_up(facts in some_facts()) {
        let mut facts = facts;
        let price = |number: i64| u32::try_from(number).unwrap_or_default() * 100;
        for order in &mut facts.orders {
            order.parts = order.steps.iter().map(|step| PartUsed { at: step.at, count: 1, unit_cents: price(step.number) }).collect();
        }
        let counted: u64 = (2025..=2028).map(|year| figures(Year(year), &facts, &policy()).workshop.work.parts_cents).sum();
        let spent: u64 = facts.orders.iter().flat_map(|order| {
            // What came after the last closing that stood counts in a year to come.
            let last = order.steps.iter().rposition(|step| matches!(step.kind, StepKind::Closed(_))).map_or(0, |place| place + 1);
            let stands = order.steps.get(last).is_none_or(|again| paris::date(again.at).year() > paris::date(order.steps[last - 1].at).year());
            let whole = if stands { last } else { 0 };
            order.parts.iter().take(whole).map(|part| u64::from(part.unit_cents)).collect::<Vec<_>>()
        }).sum();
        prop_assert!(counted >= spent, "{counted} of at least {spent}");
        let all: u64 = facts.orders.iter().flat_map(|order| &order.parts).map(|part| u64::from(part.unit_cents)).sum();
        prop_assert!(counted <= all);
    }
}
