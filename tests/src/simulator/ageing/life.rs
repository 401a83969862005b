//! The life of one device, week by week, from the day it was bought: what it needs, and what its agent would report.
//!
//! Whatever breaks is repaired at once, and nothing is repaired before it breaks: nobody acts on advice here, so that
//! what would have happened can be compared with what was advised.

use cartable_common::{
    UtcMillis,
    report::{Battery, Drive, DriveKind, HealthReport, Unread},
};

use super::{
    battery::Cells,
    breakage::{Surroundings, carelessness},
    calendar::Week,
    chance,
    drive::Aged,
    truth::{Cause, Need, Part},
};
use crate::simulator::{machine::Machine, programme::Programme, random::Random};

/// Watts that a laptop draws at school, median and scatter; one with soldered flash, a small one, draws less: assumed.
const WATTS: (f64, f64) = (7.5, 0.2);
const SMALL_WATTS: (f64, f64) = (5.5, 0.2);
/// Full cycles on a school day, median and scatter: assumed; 106 in a year.
const CYCLES: (f64, f64) = (0.6, 0.35);
/// Holders who sit at a socket and need no battery to speak of: assumed.
const AT_A_SOCKET: f64 = 0.3;
/// Hours of a lesson; how many of them lie between two sockets; which part of them the laptop is on: French collèges have
/// three or four lessons of 55 minutes in a half-day; the rest is assumed.
const LESSON_HOURS: f64 = 55.0 / 60.0;
const LESSONS: (f64, f64) = (3.0, 6.0);
const PART_OF_A_LESSON: (f64, f64) = (0.3, 0.9);
/// No holder needs more than this share of what a new battery gives: whoever does was given another machine. Assumed.
const MOST_OF_A_NEW_ONE: f64 = 0.9;

/// Who holds a device for a school year; teachers and pools keep theirs.
#[derive(Clone, Copy, Debug)]
struct Holder {
    hours_needed: f64,
    cycles_a_day: f64,
    carelessness: f64,
}

impl Holder {
    fn of(seed: u64, index: u64, programme: Programme, school_year: i16, need: f64) -> Self {
        let stays = matches!(programme, Programme::Teachers | Programme::SchoolPool);
        let year = if stays { 0 } else { u64::from(school_year.unsigned_abs()) };
        let mut random = Random::of(seed, "holder", index * 10_000 + year);
        let at_a_socket = chance::happens(&mut random, AT_A_SOCKET);
        let lessons = chance::between(&mut random, LESSONS.0, LESSONS.1);
        let part = chance::between(&mut random, PART_OF_A_LESSON.0, PART_OF_A_LESSON.1);
        Self {
            hours_needed: if at_a_socket { 0.0 } else { LESSON_HOURS * lessons * part * need },
            cycles_a_day: chance::around(&mut random, CYCLES.0, CYCLES.1),
            carelessness: carelessness(&mut random),
        }
    }
}

/// How a fleet ages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ageing {
    /// All draws follow from it.
    pub seed: u64,
    /// How long holders need a battery to last, as a factor on the model's assumption: for asking how much rests on it.
    pub battery_need: f64,
}

/// One device as it ages.
#[derive(Clone, Debug)]
pub struct Life<'m> {
    machine: &'m Machine,
    ageing: Ageing,
    bought: i64,
    watts: f64,
    surroundings: Surroundings,
    holder: Option<(i16, Holder)>,
    cells: Option<Cells>,
    drive: Aged,
    accidents: Random,
    spares: Random,
}

impl<'m> Life<'m> {
    /// The life of `machine`, which is as old on the day `today` (since 1970) as its model is.
    pub fn of(machine: &'m Machine, ageing: Ageing, today: i64) -> Self {
        let mut random = Random::of(ageing.seed, "life", machine.index);
        let (youngest, oldest) = machine.model.years;
        let years = chance::between(&mut random, chance::real(youngest), chance::real(oldest));
        let bought = today - chance::in_days(years);
        let kind = machine.drive.model.kind;
        let (median, scatter) = if kind == DriveKind::Emmc { SMALL_WATTS } else { WATTS };
        let watts = chance::around(&mut random, median, scatter);
        let mut spares = Random::of(ageing.seed, "spares", machine.index);
        Self {
            machine,
            ageing,
            bought,
            watts,
            surroundings: Surroundings::of(machine.programme, machine.model.battery.is_some()),
            holder: None,
            cells: machine.model.battery.map(|model| Cells::fitted(&mut spares, model, bought)),
            drive: Aged::fitted(&mut spares, machine.drive.model, bought),
            accidents: Random::of(ageing.seed, "accidents", machine.index),
            spares,
        }
    }

    /// The day it was bought, since 1970.
    pub const fn bought(&self) -> i64 {
        self.bought
    }

    /// Its age on a day in years.
    pub fn years(&self, day: i64) -> f64 {
        chance::days(day - self.bought) / chance::YEAR_DAYS
    }

    /// Lets a week pass; what it came to need.
    pub fn week(&mut self, week: &Week) -> Vec<Need> {
        let holder = self.holder_in(week.school_year);
        if let Some(cells) = &mut self.cells {
            cells.week(week.monday(), holder.cycles_a_day * f64::from(week.school_days));
        }
        self.drive.week(week.school_days, week.part_of_school_year());
        let years = chance::whole(self.years(week.monday()));
        let broken = self.surroundings.week(&mut self.accidents, week, holder.carelessness, years);
        if week.school_days == 0 {
            return Vec::new();
        }
        let mut needs: Vec<Need> =
            [self.dead_drive(week), self.short_battery(week, holder), broken].into_iter().flatten().collect();
        needs.sort_unstable();
        needs
    }

    fn holder_in(&mut self, school_year: i16) -> Holder {
        match self.holder {
            Some((year, holder)) if year == school_year => holder,
            _ => {
                let Ageing { seed, battery_need } = self.ageing;
                let machine = self.machine;
                let holder = Holder::of(seed, machine.index, machine.programme, school_year, battery_need);
                self.holder = Some((school_year, holder));
                holder
            }
        }
    }

    fn dead_drive(&mut self, week: &Week) -> Option<Need> {
        let last = week.monday() + i64::from(week.school_days) - 1;
        if self.drive.dies_on > last {
            return None;
        }
        let day = self.drive.dies_on.max(week.monday());
        let need = Need { day, part: Part::Drive, cause: self.drive.cause() };
        self.drive = Aged::fitted(&mut self.spares, self.drive.model, day);
        Some(need)
    }

    fn short_battery(&mut self, week: &Week, holder: Holder) -> Option<Need> {
        let (day, model) = (week.monday(), self.machine.model.battery?);
        let cells = self.cells.as_ref()?;
        let cause = if cells.is_dead(day) {
            Cause::Sudden
        } else {
            let lasts_new = cells.design_watt_hours() / self.watts;
            if cells.holds(day) * lasts_new >= holder.hours_needed.min(MOST_OF_A_NEW_ONE * lasts_new) {
                return None;
            }
            if cells.has_weak_cell(day) { Cause::WeakCell } else { Cause::Faded }
        };
        self.cells = Some(Cells::fitted(&mut self.spares, model, day));
        Some(Need { day, part: Part::Battery, cause })
    }

    /// What its battery holds on a day, as a share of its design; none on mains alone.
    pub fn battery_holds(&self, day: i64) -> Option<f64> {
        self.cells.as_ref().map(|cells| cells.holds(day))
    }

    /// Whether its battery's gauge tells nothing of its fading.
    pub fn gauge_is_stuck(&self) -> bool {
        self.cells.as_ref().is_some_and(Cells::gauge_is_stuck)
    }

    /// What its agent reads at `at`, where nothing but battery and drive is other than in a fleet that began at `epoch`.
    pub fn report(&self, at: UtcMillis, epoch: UtcMillis) -> HealthReport {
        let mut report = self.machine.report(at, epoch);
        let day = at.day_number();
        report.drives = vec![self.drive_told(day)];
        match self.battery_told(day) {
            Some(Ok(battery)) => report.batteries = vec![battery],
            Some(Err(unread)) => {
                report.batteries.clear();
                report.unread.push(unread);
            }
            None => {}
        }
        report
    }

    fn battery_told(&self, day: i64) -> Option<Result<Battery, Unread>> {
        let cells = self.cells.as_ref()?;
        Some(cells.reading(day, self.machine.counts_cycles()))
    }

    fn drive_told(&self, day: i64) -> Drive {
        let told = self.drive.values(day).told(&self.drive.model, &self.drive.serial);
        if !self.machine.condition.drives_unread {
            return told;
        }
        Drive { model: told.model, kind: told.kind, capacity_bytes: told.capacity_bytes, ..Drive::default() }
    }
}
