//! What came of the workshop's orders, by model, and what they cost.
//!
//! An order counts in the year in which it was closed, if it still was at the end of that year; its cost is everything
//! since it last counted. So each cent and each minute is counted once, whenever an order is reopened.

use std::collections::BTreeMap;

use cartable_common::UtcMillis;

use super::{
    Year,
    fact::{Facts, Order, Step, StepKind},
    history::Histories,
    line::{Event, Line, Reason, Work},
    reuse::line_of,
};
use crate::domain::{
    paris,
    policy::Policy,
    work_order::{Disposition, Stage},
};

const MINUTE: u64 = 60_000;

/// What came of the orders of one model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// Maker and model; none where it is not known.
    pub name: Option<String>,
    /// To be lent again.
    pub relend: u64,
    /// To be given.
    pub donate: u64,
    /// For parts.
    pub parts: u64,
    /// To be recycled.
    pub recycle: u64,
    /// What they cost, in cents.
    pub cents: u64,
}

impl Model {
    /// All its orders.
    #[must_use]
    pub const fn orders(&self) -> u64 {
        self.ready().saturating_add(self.parts).saturating_add(self.recycle)
    }

    /// Those that are fit for use.
    #[must_use]
    pub const fn ready(&self) -> u64 {
        self.relend.saturating_add(self.donate)
    }

    /// The share that is fit for use, in thousandths, rounded down; none without orders.
    #[must_use]
    pub const fn yield_per_mille(&self) -> Option<u64> {
        self.ready().saturating_mul(1000).checked_div(self.orders())
    }

    /// The cost of all its orders for each unit that is fit for use, in cents, rounded up; none where there is none.
    #[must_use]
    pub const fn cents_per_ready(&self) -> Option<u64> {
        match self.ready() {
            0 => None,
            ready => Some(self.cents.div_ceil(ready)),
        }
    }

    fn add(&mut self, became: Disposition, work: Work) {
        *match became {
            Disposition::Relend => &mut self.relend,
            Disposition::Donate => &mut self.donate,
            Disposition::Parts => &mut self.parts,
            Disposition::Recycle => &mut self.recycle,
        } += 1;
        self.cents = self.cents.saturating_add(work.cents());
    }
}

/// The workshop's year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workshop {
    /// The orders that were closed in the year.
    pub orders: Vec<Line>,
    /// The orders that were closed in the year and were open again when it ended.
    pub reopened: Vec<Line>,
    /// By model, the most orders first.
    pub models: Vec<Model>,
    /// All of them.
    pub all: Model,
    /// What all of them took.
    pub work: Work,
}

pub(super) fn count(year: Year, histories: &Histories<'_>, facts: &Facts, policy: &Policy) -> Workshop {
    let (mut orders, mut reopened) = (Vec::new(), Vec::new());
    for order in &facts.orders {
        let Some(history) = histories.of(order.device) else { continue };
        let mut steps = order.steps.clone();
        steps.sort_by_key(|step| step.number);
        let Some((closing, from)) = closing_in(&steps, year) else { continue };
        let (last, became) = closing.step;
        let mut line = line_of(history.unit, paris::date(last.at), Event::Closed(became), None, policy);
        if closing.stands {
            line.work = Some(work(order, steps.get(from..=closing.place).unwrap_or_default(), policy));
            orders.push(line);
        } else {
            line.reason = Some(Reason::Open);
            reopened.push(line);
        }
    }
    Line::sort(&mut orders);
    Line::sort(&mut reopened);
    let (mut models, mut all, mut sum) = (BTreeMap::new(), Model::default(), Work::default());
    for line in &orders {
        let (Event::Closed(became), Some(work)) = (&line.event, line.work) else { continue };
        let name = line.unit.model.clone();
        models.entry(name.clone()).or_insert_with(|| Model { name, ..Model::default() }).add(*became, work);
        all.add(*became, work);
        sum = Work {
            minutes: sum.minutes.saturating_add(work.minutes),
            capped: sum.capped.saturating_add(work.capped),
            parts_cents: sum.parts_cents.saturating_add(work.parts_cents),
            bench_cents: sum.bench_cents.saturating_add(work.bench_cents),
        };
    }
    let mut models: Vec<Model> = models.into_values().collect();
    models.sort_by(|a, b| b.orders().cmp(&a.orders()).then_with(|| a.name.cmp(&b.name)));
    Workshop { orders, reopened, models, all, work: sum }
}

/// A closing, its place among the steps, and whether it stood when its year ended.
struct Closing {
    step: (Step, Disposition),
    place: usize,
    stands: bool,
}

/// The closing of that year (the one that stood at its end, else the last one), and the place of the first step since the
/// order last counted.
fn closing_in(steps: &[Step], year: Year) -> Option<(Closing, usize)> {
    let mut from = 0;
    let mut found = None;
    for (place, step) in steps.iter().enumerate() {
        let StepKind::Closed(became) = step.kind else { continue };
        let its_year = Year(paris::date(step.at).year());
        let again = steps.iter().skip(place + 1).find(|later| later.kind == StepKind::Reopened);
        let stands = again.is_none_or(|again| again.at >= paris::midnight(its_year.end()));
        if its_year == year {
            found = Some((Closing { step: (*step, became), place, stands }, from));
        }
        if stands {
            from = place + 1;
        }
    }
    found
}

/// Whether hands are on the unit at that stage: an erasure and an installation go on by themselves.
const fn is_hands_on(stage: Stage) -> bool {
    match stage {
        Stage::Inspection | Stage::Repair | Stage::FinalTest | Stage::Grading | Stage::Quarantine => true,
        Stage::Intake | Stage::Erasure | Stage::Reinstallation | Stage::Disposition => false,
    }
}

/// What these steps of an order took.
fn work(order: &Order, steps: &[Step], policy: &Policy) -> Work {
    let most = u64::from(policy.figures.visit_minutes) * MINUTE;
    let (mut millis, mut capped) = (0_u64, 0);
    let mut since: Option<(Stage, UtcMillis)> = None;
    for step in steps {
        if since.map(|(stage, _)| stage) == step.stage {
            continue;
        }
        if let Some((stage, at)) = since.filter(|(stage, _)| is_hands_on(*stage)) {
            let _ = stage;
            let long = u64::try_from(step.at.millis_since(at)).unwrap_or_default();
            capped += u64::from(long > most);
            millis = millis.saturating_add(long.min(most));
        }
        since = step.stage.map(|stage| (stage, step.at));
    }
    let (first, last) = (steps.first().map(|step| step.at), steps.last().map(|step| step.at));
    let within = |at: UtcMillis| first.is_some_and(|first| at >= first) && last.is_some_and(|last| at <= last);
    let parts = order.parts.iter().filter(|part| within(part.at));
    let parts_cents = parts.map(|part| u64::from(part.count) * u64::from(part.unit_cents)).sum();
    let minutes = millis / MINUTE;
    let bench_cents = (minutes * u64::from(policy.disposition.bench_euros_per_hour) * 100).div_ceil(60);
    Work { minutes, capped, parts_cents, bench_cents }
}
