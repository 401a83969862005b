//! One future: what comes back, what it becomes, when the bench has done it, and whether the parts were there.
//!
//! Units are worked on in the order in which they arrive. Where parts are missing, the work on a unit is done all the
//! same and the unit waits for its piece; pieces go to units in that order too. So nothing that is added (hands, pieces)
//! makes any unit ready later than without it.

use super::{
    calendar::Days,
    dice::{Dice, Lot},
    input::{ForecastInput, KINDS, Kinds, Place, ReadyFor, Shelf, Unit, days_between, place},
    learnt::{Drawn, Learnt, base_minutes, part_minutes},
};
use crate::domain::{
    part::PartKind,
    policy::Policy,
    school_calendar::Zone,
    work_order::{Disposition, Stage},
};

/// What is not a limit in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// Hands at the bench.
    Bench,
    /// Loans that come back late, or not at all.
    Returns,
    /// Parts of all kinds.
    Parts,
    /// Parts of one kind and model.
    Part(PartKind, usize),
}

/// A unit, ready to be played.
#[derive(Clone, Copy, Debug)]
struct Piece {
    class: usize,
    model: usize,
    /// Its loan; none where it is here.
    loan: Option<Out>,
    needs: Kinds,
    inspected: bool,
    given_up: bool,
    /// Share of the work that is left.
    left: f64,
    /// Which of the three waits are left: from that one on.
    waits: usize,
}

/// A loan that a unit comes back from.
#[derive(Clone, Copy, Debug)]
struct Out {
    /// The place in [`Stand::wanted`] of the day on which it is to come back.
    wanted: usize,
    appointed: bool,
    extended: bool,
    zone: Option<Zone>,
}

/// What every run of a forecast shares.
#[derive(Debug)]
pub(super) struct Stand<'a> {
    policy: &'a Policy,
    days: &'a Days,
    learnt: &'a Learnt,
    ready: ReadyFor,
    pieces: Vec<Piece>,
    /// The days, from today, on which loans are to come back.
    wanted: Vec<i32>,
    /// Pieces on the shelf, by kind and model; then those that fit any.
    shelf: Vec<[u32; KINDS]>,
    any: [u32; KINDS],
}

/// What arrives at the bench.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    day: usize,
    minutes: f64,
    became: usize,
    model: usize,
    needs: Kinds,
    delay: usize,
}

/// A unit that is back.
#[derive(Clone, Copy, Debug)]
struct Back {
    day: usize,
    piece: usize,
    lot: Lot,
}

/// What stands before the bench in one run. A full bench sees its head alone, so that what units become is asked when
/// they are reached, and once.
#[derive(Debug)]
pub(super) struct Queue {
    back: Vec<Back>,
    seen: Vec<Arrival>,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// For each day, how many units became ready on it.
    pub(super) ready: Vec<u32>,
    /// By model and kind, how many pieces were missing for units that were in time otherwise.
    pub(super) missing: Vec<[u32; KINDS]>,
}

/// The share of a unit's work that is left at each stage, in percent: inspection 30, erasure 10, repair and
/// re-installation 35, final test 15, papers 10. Of a checklist of eleven checks, gone through twice.
const fn left_at(stage: Stage) -> u8 {
    match stage {
        Stage::Intake | Stage::Inspection | Stage::Quarantine => 100,
        Stage::Erasure => 70,
        Stage::Repair => 60,
        Stage::Reinstallation => 45,
        Stage::FinalTest => 25,
        Stage::Grading => 12,
        Stage::Disposition => 8,
    }
}

const fn waits_at(stage: Stage) -> usize {
    match stage {
        Stage::Intake | Stage::Inspection | Stage::Erasure | Stage::Quarantine => 0,
        Stage::Repair | Stage::Reinstallation | Stage::FinalTest | Stage::Grading => 1,
        Stage::Disposition => 2,
    }
}

impl<'a> Stand<'a> {
    pub(super) fn new(
        (input, policy): (&ForecastInput, &'a Policy),
        days: &'a Days,
        learnt: &'a Learnt,
        ready: ReadyFor,
    ) -> Self {
        let (mut pieces, mut lent) = (Vec::with_capacity(input.units.len()), Vec::new());
        let mut on_bench: Vec<(Stage, Piece)> = Vec::new();
        let wanted = wanted_days(input);
        for unit in &input.units {
            let mut piece = Piece {
                class: learnt.class_of(unit),
                model: unit.model.min(input.models.len().saturating_sub(1)),
                loan: None,
                needs: unit.needs,
                inspected: unit.inspected,
                given_up: unit.given_up,
                left: 1.0,
                waits: 0,
            };
            match unit.place {
                Place::Lent { due, appointed, extended, zone } => {
                    // What nobody expects is not waited for.
                    let Some(day) = appointed.or(due) else { continue };
                    let wanted = wanted.binary_search(&days_between(input.today, day)).unwrap_or_default();
                    piece.loan = Some(Out { wanted, appointed: appointed.is_some(), extended, zone });
                    lent.push(piece);
                }
                Place::Waiting => pieces.push(piece),
                Place::Bench(stage) => {
                    piece.left = f64::from(left_at(stage)) / 100.0;
                    piece.waits = waits_at(stage);
                    piece.given_up |= stage == Stage::Quarantine;
                    on_bench.push((stage, piece));
                }
            }
        }
        // What is nearly done is done first.
        on_bench.sort_by_key(|(stage, _)| std::cmp::Reverse(*stage));
        let pieces = on_bench.into_iter().map(|(_, piece)| piece).chain(pieces).chain(lent).collect();
        let (shelf, any) = shelves(&input.shelf, input.models.len());
        Self { policy, days, learnt, ready, pieces, wanted, shelf, any }
    }

    /// What arrives at the bench by the last day, in order; `punctual` where every loan comes back on its day at the latest.
    pub(super) fn queue(&self, drawn: &Drawn, dice: &mut Dice, punctual: bool) -> Queue {
        let mut back: Vec<Back> = Vec::new();
        let mut of_day = vec![0_usize; self.days.last + 2];
        let stays = [&drawn.due, &drawn.appointed].map(|chances| {
            let of = |wanted: &i32| chances.stays(*wanted, self.days.last);
            self.wanted.iter().map(of).collect::<Vec<f64>>()
        });
        for (piece, number) in self.pieces.iter().zip(0..) {
            let lot = Lot::draw(dice);
            let Some(day) = self.back(piece, drawn, lot, (&stays, punctual)) else { continue };
            if let Some(count) = of_day.get_mut(day + 1) {
                *count += 1;
            }
            back.push(Back { day, piece: number, lot });
        }
        // By day, and within a day in the order of the units: a counting sort, for there are thousands.
        for day in 1..of_day.len() {
            of_day[day] += of_day[day - 1];
        }
        let mut sorted = back.clone();
        for one in back {
            let at = &mut of_day[one.day];
            sorted[*at] = one;
            *at += 1;
        }
        Queue { back: sorted, seen: Vec::new() }
    }

    /// The day on which a unit is back; none if it is not by the last.
    fn back(&self, piece: &Piece, drawn: &Drawn, lot: Lot, (stays, punctual): (&[Vec<f64>; 2], bool)) -> Option<usize> {
        const EXTENDED: u64 = 1_000;
        const LOST: u64 = 1_001;
        let Some(loan) = piece.loan else { return Some(0) };
        let stay = stays.get(usize::from(loan.appointed)).and_then(|of| of.get(loan.wanted)).copied();
        let ends = stay.is_some_and(|stay| lot.back() > stay);
        if !ends && !punctual {
            return None;
        }
        let wanted = self.wanted.get(loan.wanted).copied().unwrap_or_default();
        if wanted > 0 && !loan.extended && !loan.appointed && lot.happens(EXTENDED, drawn.extended) {
            return None;
        }
        let chances = if loan.appointed { &drawn.appointed } else { &drawn.due };
        let back = ends.then(|| chances.end(wanted, lot.back(), self.days.last));
        let back = back.filter(|(_, lost)| !lot.happens(LOST, *lost)).map(|(day, _)| day);
        let day = if punctual {
            let on_its_day = usize::try_from(wanted.max(1)).ok()?;
            back.map_or(on_its_day, |day| day.min(on_its_day))
        } else {
            back?
        };
        self.days.school(loan.zone, day)
    }

    /// The unit that stands at that place of the queue.
    fn reach(&self, queue: &mut Queue, number: usize, drawn: &Drawn) -> Option<Arrival> {
        if let Some(known) = queue.seen.get(number) {
            return Some(*known);
        }
        let back = queue.back.get(number)?;
        let arrival = self.arrival(self.pieces.get(back.piece)?, back.day, drawn, back.lot);
        queue.seen.push(arrival);
        Some(arrival)
    }

    fn arrival(&self, piece: &Piece, day: usize, drawn: &Drawn, lot: Lot) -> Arrival {
        const LIST: [Disposition; 4] =
            [Disposition::Relend, Disposition::Donate, Disposition::Parts, Disposition::Recycle];
        let share = lot.outcome();
        let shares = drawn.outcomes.get(piece.class).copied().unwrap_or_default();
        let became = if piece.given_up { 3 } else { shares.iter().filter(|until| share >= **until).count() };
        let mut needs = Kinds::default();
        if became < 2 {
            // What the advice would repair is repaired for a loan; what staff found is repaired for a gift too.
            if piece.inspected || became == 0 {
                needs = piece.needs;
            }
            if !piece.inspected {
                let shares = drawn.needs.get(piece.model).copied().unwrap_or_default();
                for (number, ((kind, _, _), share)) in (0..).zip(self.learnt.kinds.iter().zip(shares)) {
                    if lot.happens(number, share) {
                        needs.add(*kind);
                    }
                }
            }
        }
        let became = LIST.get(became).copied().unwrap_or(Disposition::Recycle);
        let mut minutes = f64::from(base_minutes(became, self.policy)) * piece.left;
        minutes += needs.each().map(|kind| f64::from(part_minutes(kind, self.policy))).sum::<f64>();
        let mean: f64 = drawn.delays.iter().skip(piece.waits).sum();
        // To the nearest day.
        let delay = whole(mean * lot.delay() - 0.5);
        Arrival { day, minutes, became: super::learnt::outcome(became), model: piece.model, needs, delay }
    }

    /// Works through what arrives, where what is `relaxed` is no limit.
    pub(super) fn work(&self, queue: &mut Queue, drawn: &Drawn, relaxed: Option<Constraint>) -> Outcome {
        let wanted = match self.ready {
            ReadyFor::Lend => 0,
            ReadyFor::Donate => 1,
        };
        let (mut own, mut any) = (self.shelf.clone(), self.any);
        let mut ready = vec![0; self.days.last + 1];
        let mut missing = vec![[0; KINDS]; self.shelf.len()];
        let lead = usize::try_from(self.policy.forecast.part_lead_days).unwrap_or(usize::MAX);
        let transport = usize::try_from(self.policy.forecast.transport_days).unwrap_or(usize::MAX);
        let mut done = 0.0_f64;
        for number in 0..queue.back.len() {
            let Some(arrival) = self.reach(queue, number, drawn) else { break };
            // What is here is here; what comes back is collected first.
            let way = if arrival.day == 0 { 0 } else { transport };
            let at_bench = self.days.next_working(arrival.day).saturating_add(way);
            if relaxed == Some(Constraint::Bench) {
                done = real(at_bench);
            } else {
                done = done.max(real(at_bench)) + arrival.minutes / drawn.bench;
            }
            // A day's work that ends with the day is done on it.
            let working = whole(done).saturating_sub(1).max(at_bench);
            // Nothing that comes later is done sooner.
            let Some(day) = self.days.day_of_working(working) else { break };
            let (there, lacks) = take(&arrival, (&mut own, &mut any), lead, relaxed);
            let in_time = day.saturating_add(arrival.delay) <= self.days.last;
            if in_time && !lacks.is_empty() {
                for kind in lacks.each() {
                    missing[arrival.model][place(kind)] += 1;
                }
            }
            let Some(there) = there else { continue };
            if arrival.became == wanted
                && let Some(count) = ready.get_mut(day.max(there).saturating_add(arrival.delay))
            {
                *count += 1;
            }
        }
        Outcome { ready, missing }
    }
}

/// Takes an arrival's pieces: the day on which all are there (none if one never is), and what the shelf had not.
fn take(
    arrival: &Arrival,
    (shelf, any): (&mut [[u32; KINDS]], &mut [u32; KINDS]),
    lead: usize,
    relaxed: Option<Constraint>,
) -> (Option<usize>, Kinds) {
    let (mut there, mut lacks) = (Some(0), Kinds::default());
    for kind in arrival.needs.each() {
        let at = place(kind);
        let own = &mut shelf[arrival.model][at];
        let from = if *own > 0 { own } else { &mut any[at] };
        if *from > 0 {
            *from -= 1;
            continue;
        }
        lacks.add(kind);
        let ordered = match relaxed {
            Some(Constraint::Parts) => true,
            Some(Constraint::Part(one, model)) => one == kind && model == arrival.model,
            Some(Constraint::Bench | Constraint::Returns) | None => false,
        };
        there = there.filter(|_| ordered).map(|day: usize| day.max(lead));
    }
    (there, lacks)
}

/// Each day on which a loan is to come back, once, in order.
fn wanted_days(input: &ForecastInput) -> Vec<i32> {
    let day = |unit: &Unit| match unit.place {
        Place::Lent { due, appointed, .. } => appointed.or(due).map(|day| days_between(input.today, day)),
        Place::Waiting | Place::Bench(_) => None,
    };
    let mut days: Vec<i32> = input.units.iter().filter_map(day).collect();
    days.sort_unstable();
    days.dedup();
    days
}

fn shelves(shelf: &[Shelf], models: usize) -> (Vec<[u32; KINDS]>, [u32; KINDS]) {
    let (mut own, mut any) = (vec![[0; KINDS]; models.max(1)], [0; KINDS]);
    for one in shelf {
        let counts = match one.model {
            Some(model) => own.get_mut(model),
            None => Some(&mut any),
        };
        if let Some(counts) = counts {
            let count: &mut u32 = &mut counts[place(one.kind)];
            *count = count.saturating_add(one.count);
        }
    }
    (own, any)
}

/// A number of days as a real number.
fn real(days: usize) -> f64 {
    f64::from(u32::try_from(days).unwrap_or(u32::MAX))
}

/// A span rounded up to whole days.
fn whole(days: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float becomes the nearest number of days"
    )]
    let whole = days.ceil().clamp(0.0, 1e6) as usize;
    whole
}
