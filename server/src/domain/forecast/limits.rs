//! What holds the units up, and which parts to order.

use super::{
    Played, Question, dice_of,
    input::{ForecastInput, KINDS, place},
    learnt::Learnt,
    percent, quantile,
    run::{Constraint, Stand},
};
use crate::domain::{part::PartKind, policy::Policy};

/// Runs in which a constraint is relaxed: against the same runs with it, so that few tell them apart.
const RUNS: u32 = 100;
/// Parts that are relaxed one by one: those of which most pieces are missing.
const PARTS: usize = 4;
/// Chance below which a gain is no more than noise, in percent.
const LEAST_GAIN: u32 = 1;

/// What would be without one constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bottleneck {
    /// What is no limit any more: without end, or for parts, ordered today.
    pub constraint: Constraint,
    /// The chance then, in percent.
    pub percent: u32,
    /// The chance with it, in the same runs.
    pub percent_now: u32,
    /// The median of units on the last day then.
    pub median: u32,
    /// The median with it, in the same runs.
    pub median_now: u32,
}

/// A part to order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartOrder {
    /// What.
    pub kind: PartKind,
    /// The place of the model that it is to fit.
    pub model: usize,
    /// How many.
    pub quantity: u32,
    /// How many lie on the shelf for that model alone.
    pub on_shelf: u32,
    /// The price of a piece, in cents.
    pub unit_cents: u32,
    /// Whether that price is an estimate of the policy: none was ever bought.
    pub estimated: bool,
}

impl PartOrder {
    /// The price of all of them, in cents.
    #[must_use]
    pub fn cents(&self) -> u64 {
        u64::from(self.quantity) * u64::from(self.unit_cents)
    }
}

/// The parts that were missing in the runs, in such numbers that they suffice in the share that the policy names.
pub(super) fn parts_to_order(missing: &[Vec<[u32; KINDS]>], input: &ForecastInput, policy: &Policy) -> Vec<PartOrder> {
    let mut orders = Vec::new();
    for model in 0..input.models.len() {
        for kind in PartKind::ALL {
            let of = |run: &Vec<[u32; KINDS]>| run.get(model).map_or(0, |kinds| kinds[place(*kind)]);
            let mut counts: Vec<u32> = missing.iter().map(of).collect();
            if counts.iter().all(|count| *count == 0) {
                continue;
            }
            counts.sort_unstable();
            let quantity = quantile(&counts, policy.forecast.service_percent);
            if quantity == 0 {
                continue;
            }
            let fits = |own: Option<usize>| input.shelf.iter().filter(move |one| one.kind == *kind && one.model == own);
            let known = fits(Some(model)).chain(fits(None)).map(|one| one.unit_cents).find(|cents| *cents > 0);
            orders.push(PartOrder {
                kind: *kind,
                model,
                quantity,
                on_shelf: fits(Some(model)).map(|one| one.count).sum(),
                unit_cents: known.unwrap_or_else(|| estimate(*kind, policy)),
                estimated: known.is_none(),
            });
        }
    }
    orders.sort_by_key(|order| (std::cmp::Reverse(order.quantity), order.kind, order.model));
    orders
}

const fn estimate(kind: PartKind, policy: &Policy) -> u32 {
    let rules = &policy.disposition;
    100 * match kind {
        PartKind::Battery => rules.battery_euros,
        PartKind::Drive => rules.drive_euros,
        PartKind::Memory
        | PartKind::Screen
        | PartKind::Keyboard
        | PartKind::Trackpad
        | PartKind::Hinges
        | PartKind::Ports
        | PartKind::Camera
        | PartKind::Sound
        | PartKind::WiFi
        | PartKind::Charger
        | PartKind::Casing
        | PartKind::Fan
        | PartKind::Other => rules.fault_euros,
    }
}

/// Plays some runs again without each constraint in turn.
pub(super) fn relax(
    stand: &Stand<'_>,
    learnt: &Learnt,
    played: &Played,
    question: Question,
    parts: &[PartOrder],
) -> Vec<Bottleneck> {
    let runs = question.runs.min(RUNS);
    let now = median(played.last().iter().take(usize::try_from(runs).unwrap_or_default()).copied());
    let met_now = played.met(question.target, runs);
    let mut constraints = vec![Constraint::Bench, Constraint::Returns];
    if !parts.is_empty() {
        constraints.push(Constraint::Parts);
    }
    constraints.extend(parts.iter().take(PARTS).map(|part| Constraint::Part(part.kind, part.model)));
    let mut ready: Vec<Vec<u32>> = vec![Vec::new(); constraints.len()];
    for run in 0..runs {
        let (mut unknown, mut units) = dice_of(question.seed, run);
        let drawn = learnt.draw(&mut unknown);
        let mut usual = stand.queue(&drawn, &mut units.clone(), false);
        let mut punctual = stand.queue(&drawn, &mut units, true);
        for (all, constraint) in ready.iter_mut().zip(&constraints) {
            let queue = if *constraint == Constraint::Returns { &mut punctual } else { &mut usual };
            let outcome = stand.work(queue, &drawn, Some(*constraint));
            all.push(played.start + outcome.ready.iter().sum::<u32>());
        }
    }
    let mut relaxed: Vec<(u32, Bottleneck)> = constraints
        .into_iter()
        .zip(ready)
        .map(|(constraint, ready)| {
            let met = ready.iter().filter(|ready| **ready >= question.target).count();
            let met = u32::try_from(met).unwrap_or(u32::MAX);
            let found = Bottleneck {
                constraint,
                percent: percent(met, runs),
                percent_now: percent(met_now, runs),
                median: median(ready.into_iter()),
                median_now: now,
            };
            (met, found)
        })
        .collect();
    relaxed.sort_by_key(|(met, one)| std::cmp::Reverse((*met, one.median)));
    relaxed.into_iter().map(|(_, one)| one).collect()
}

fn median(values: impl Iterator<Item = u32>) -> u32 {
    let mut all: Vec<u32> = values.collect();
    all.sort_unstable();
    quantile(&all, 50)
}

/// The constraint that gains most. All parts together always gain as much as one of them: where they are what holds units
/// up, the one part that gains most is named, if one gains at all.
pub(super) fn bottleneck(relaxed: &[Bottleneck]) -> Option<Bottleneck> {
    let gains = |one: &&Bottleneck| {
        one.percent >= one.percent_now + LEAST_GAIN || one.percent >= one.percent_now && one.median > one.median_now
    };
    let first = relaxed.iter().find(gains)?;
    let is_part = |one: &&Bottleneck| matches!(one.constraint, Constraint::Part(..));
    match first.constraint {
        Constraint::Parts => Some(*relaxed.iter().filter(is_part).find(gains).unwrap_or(first)),
        Constraint::Part(..) | Constraint::Bench | Constraint::Returns => Some(*first),
    }
}
