//! The workshop, day by day: five queues, hands that are sometimes absent, a meeting on Tuesdays.

use cartable_server::domain::{
    part::PartKind,
    work_order::{Disposition, Stage},
};
use jiff::civil::{Date, Weekday, date};

use super::{BEGIN, Chance, END, Hidden, KINDS, MODELS, Temper, World, plus};

/// A device on its way through the workshop.
#[derive(Clone, Debug)]
pub struct Order {
    pub(crate) opened: Date,
    pub(crate) stage: Stage,
    pub(crate) since: Date,
    /// The stages that it left, with the days there.
    pub(crate) spent: Vec<(Date, Stage, i64)>,
    /// What inspection finds wanting, and what was put in.
    pub(crate) faults: Vec<PartKind>,
    pub(crate) used: Vec<PartKind>,
    pub(crate) inspected: Option<Date>,
    pub(crate) closed: Option<(Date, Disposition)>,
    /// What will be decided.
    fate: Disposition,
}

impl Order {
    fn go(&mut self, to: Stage, day: Date) {
        self.spent.push((day, self.stage, i64::from(self.since.until(day).map_or(0, |span| span.get_days()))));
        self.stage = to;
        self.since = day;
    }
}

/// Days on which nobody works: public holidays of these years, and the last week of December.
fn closed(day: Date) -> bool {
    const HOLIDAYS: [Date; 19] = [
        date(2025, 11, 11),
        date(2026, 1, 1),
        date(2026, 4, 6),
        date(2026, 5, 1),
        date(2026, 5, 8),
        date(2026, 5, 14),
        date(2026, 5, 25),
        date(2026, 7, 14),
        date(2026, 8, 15),
        date(2026, 11, 1),
        date(2026, 11, 11),
        date(2026, 12, 25),
        date(2027, 1, 1),
        date(2027, 3, 29),
        date(2027, 5, 1),
        date(2027, 5, 6),
        date(2027, 5, 8),
        date(2027, 5, 17),
        date(2025, 12, 25),
    ];
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
        || HOLIDAYS.contains(&day)
        || (day.month() == 12 && day.day() >= 26)
        || (day.month() == 8 && day.day() <= 15)
}

impl World {
    pub(super) fn work(&mut self, temper: &Temper, chance: &mut Chance) {
        let mut shelf = temper.stock;
        let mut day = BEGIN;
        while day <= END {
            if day == date(2026, 9, 1) {
                // The yearly order.
                for (have, bought) in shelf.iter_mut().zip(temper.stock) {
                    *have += bought;
                }
            }
            if !closed(day) {
                self.take_in(day, temper, chance);
                let mut minutes = 0;
                for _ in 0..temper.hands {
                    if !chance.per_mille(temper.absent) {
                        minutes += temper.minutes + chance.between(-60, 60);
                    }
                }
                self.day(day, minutes, &mut shelf, chance);
            }
            self.shelf.push((day, shelf));
            day = plus(day, 1);
        }
        self.today = END;
    }

    /// Two collections a week bring what came back since.
    fn take_in(&mut self, day: Date, temper: &Temper, chance: &mut Chance) {
        if !matches!(day.weekday(), Weekday::Tuesday | Weekday::Thursday) {
            return;
        }
        for one in &mut self.devices {
            if one.order.is_some() || one.back.is_none_or(|back| back >= day) {
                continue;
            }
            let fate = match one.hidden {
                Hidden::Sound if MODELS[one.model].1 => Disposition::Relend,
                Hidden::Sound => Disposition::Donate,
                Hidden::Aged if MODELS[one.model].1 && !chance.per_mille(temper.given) => Disposition::Relend,
                Hidden::Aged => Disposition::Donate,
                Hidden::Broken if chance.per_mille(400) => Disposition::Donate,
                Hidden::Broken if chance.per_mille(700) => Disposition::Parts,
                Hidden::Broken | Hidden::Hopeless => Disposition::Recycle,
            };
            let mut faults = vec![];
            let needs = [
                if one.claims_worn { temper.battery * 3 } else { temper.battery / 3 },
                90,
                if one.hidden == Hidden::Broken { 300 } else { 20 },
            ];
            for (kind, share) in KINDS.iter().zip(needs) {
                if matches!(fate, Disposition::Relend | Disposition::Donate) && chance.per_mille(share.min(900)) {
                    faults.push(*kind);
                }
            }
            one.order = Some(Order {
                opened: day,
                stage: Stage::Intake,
                since: day,
                spent: vec![],
                faults,
                used: vec![],
                inspected: None,
                closed: None,
                fate,
            });
        }
    }

    /// A day's work: what is furthest is done first; the oldest of each queue before the others.
    fn day(&mut self, day: Date, mut minutes: i64, shelf: &mut [i64; 3], chance: &mut Chance) {
        let meeting = day.weekday() == Weekday::Tuesday;
        for stage in
            [Stage::Disposition, Stage::FinalTest, Stage::Reinstallation, Stage::Repair, Stage::Erasure, Stage::Intake]
        {
            let mut queue: Vec<&mut Order> = self
                .devices
                .iter_mut()
                .filter_map(|one| one.order.as_mut())
                .filter(|order| {
                    order.closed.is_none() && order.stage == stage && (order.since < day || stage == Stage::Intake)
                })
                .collect();
            queue.sort_by_key(|order| order.opened);
            for order in queue {
                if stage == Stage::Disposition {
                    if meeting {
                        order.go(Stage::Disposition, day);
                        order.closed = Some((day, order.fate));
                    }
                    continue;
                }
                if minutes <= 0 {
                    return;
                }
                minutes -= step(order, day, shelf, chance);
            }
        }
    }
}

/// One step of an order: the minutes it took.
fn step(order: &mut Order, day: Date, shelf: &mut [i64; 3], chance: &mut Chance) -> i64 {
    let good = matches!(order.fate, Disposition::Relend | Disposition::Donate);
    match order.stage {
        Stage::Intake => {
            order.inspected = Some(day);
            order.go(Stage::Erasure, day);
            chance.between(6, 22)
        }
        Stage::Erasure => {
            let to = match (good, order.faults.is_empty()) {
                (false, _) => Stage::Disposition,
                (true, false) => Stage::Repair,
                (true, true) => Stage::Reinstallation,
            };
            order.go(to, day);
            chance.between(3, 9)
        }
        Stage::Repair => {
            let mut spent = 0;
            for (place, kind) in KINDS.iter().enumerate() {
                let wants = order.faults.contains(kind) && !order.used.contains(kind);
                if wants && shelf[place] > 0 {
                    shelf[place] -= 1;
                    order.used.push(*kind);
                    spent += chance.between(4, 25);
                }
            }
            if order.used.len() == order.faults.len() {
                order.go(Stage::Reinstallation, day);
            }
            spent
        }
        Stage::Reinstallation => {
            order.go(Stage::FinalTest, day);
            chance.between(5, 14)
        }
        Stage::FinalTest => {
            order.go(Stage::Disposition, day);
            chance.between(4, 16)
        }
        Stage::Inspection | Stage::Grading | Stage::Disposition | Stage::Quarantine => 0,
    }
}
