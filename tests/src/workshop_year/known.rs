//! What the database would hold on a day: nothing of what came after, nothing of what is hidden.

use std::collections::BTreeMap;

use cartable_server::domain::{
    forecast::{ForecastInput, Kinds, LoanEnd, PastLoan, PastOrder, Place, Shelf, StageTime, Unit, days_between},
    verdict::Verdict,
    work_order::{Disposition, Stage},
};
use jiff::civil::Date;

use super::{Device, KINDS, MODELS, Order, World};

impl Device {
    const fn verdict(&self) -> Verdict {
        if self.claims_worn { Verdict::Worn } else { Verdict::Healthy }
    }

    /// The due day as it stood on a day.
    fn due_on(&self, day: Date) -> Date {
        match self.extended {
            Some((at, before)) if day < at => before,
            Some(_) | None => self.due,
        }
    }

    fn is_extended_on(&self, day: Date) -> bool {
        self.extended.is_some_and(|(at, _)| at <= day)
    }

    fn ended_by(&self, day: Date) -> Option<(Date, LoanEnd)> {
        let back = self.back.filter(|back| *back <= day).map(|back| (back, LoanEnd::Returned));
        back.or_else(|| self.lost.filter(|lost| *lost <= day).map(|lost| (lost, LoanEnd::Lost)))
    }

    fn unit(&self, place: Place) -> Unit {
        let needs = Kinds::default();
        Unit {
            model: self.model,
            place,
            advised: Some(self.advised),
            verdict: self.verdict(),
            needs,
            inspected: false,
            given_up: false,
        }
    }

    fn on_bench(&self, order: &Order, day: Date) -> Unit {
        let stage = order.stage_on(day);
        let inspected = order.inspected.is_some_and(|at| at <= day);
        let mut unit = self.unit(Place::Bench(stage));
        if inspected {
            // At the repair and before, what was put in is not known by day; afterwards, nothing is wanting.
            let wanting = matches!(stage, Stage::Erasure | Stage::Repair);
            unit.needs = order.faults.iter().copied().filter(|_| wanting).collect();
            unit.inspected = true;
        }
        unit
    }
}

impl Order {
    fn stage_on(&self, day: Date) -> Stage {
        self.spent.iter().find(|(left, ..)| *left > day).map_or(self.stage, |(_, stage, _)| *stage)
    }
}

impl World {
    /// What is known at the end of `day`.
    #[must_use]
    pub fn known(&self, day: Date) -> ForecastInput {
        let mut input = ForecastInput::empty(day);
        input.models = MODELS.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut stages: BTreeMap<Stage, (u32, i64)> = BTreeMap::new();
        for one in self.devices.iter().filter(|one| one.out <= day) {
            loan(one, day, &mut input);
            let order = one.order.as_ref().filter(|order| order.opened <= day);
            match order {
                None if one.ended_by(day).is_none() => {
                    let place = Place::Lent {
                        due: Some(one.due_on(day)),
                        appointed: None,
                        extended: one.is_extended_on(day),
                        zone: None,
                    };
                    input.units.push(one.unit(place));
                }
                None if one.back.is_some_and(|back| back <= day) => input.units.push(one.unit(Place::Waiting)),
                None => {}
                Some(order) => bench(one, order, day, &mut input, &mut stages),
            }
        }
        input.stages = stages
            .into_iter()
            .map(|(stage, (orders, days))| StageTime { stage, orders, hours: u32::try_from(days * 24).unwrap_or(0) })
            .collect();
        let shelf = self.shelf.iter().find(|(at, _)| *at == day).map_or([0; 3], |(_, shelf)| *shelf);
        input.shelf = KINDS
            .iter()
            .zip(shelf)
            .map(|(kind, count)| Shelf {
                kind: *kind,
                model: None,
                count: u32::try_from(count).unwrap_or(0),
                unit_cents: 3_000,
            })
            .collect();
        input
    }
}

fn loan(one: &Device, day: Date, input: &mut ForecastInput) {
    let due = one.due_on(day);
    let (until, end) = one.ended_by(day).unwrap_or((day, LoanEnd::Open));
    if end != LoanEnd::Open {
        input.extended.loans += 1;
        input.extended.extended += u32::from(one.extended.is_some());
    }
    input.loans.push(PastLoan {
        appointed: false,
        from: days_between(due, one.out),
        until: days_between(due, until),
        end,
    });
}

fn bench(one: &Device, order: &Order, day: Date, input: &mut ForecastInput, stages: &mut BTreeMap<Stage, (u32, i64)>) {
    let closed = order.closed.filter(|(at, _)| *at <= day);
    input.orders.push(PastOrder {
        model: one.model,
        verdict: one.verdict(),
        became: closed.map(|(_, became)| became),
        used: order.used.iter().copied().filter(|_| closed.is_some()).collect(),
        opened: order.opened,
        begun: order.inspected.filter(|at| *at <= day),
        closed: closed.map(|(at, _)| at),
    });
    match closed {
        Some((_, became)) => {
            input.ready_to_donate += u32::from(became == Disposition::Donate);
            input.ready_to_lend += u32::from(became == Disposition::Relend);
            for (_, stage, days) in &order.spent {
                let known = stages.entry(*stage).or_default();
                known.0 += 1;
                known.1 += days;
            }
        }
        None => input.units.push(one.on_bench(order, day)),
    }
}
