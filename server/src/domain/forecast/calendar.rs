//! The days ahead: those on which the workshop works, and those on which pupils bring something back.

use jiff::{
    Span,
    civil::{Date, Weekday},
};

use super::input::days_between;
use crate::domain::school_calendar::{Closure, Zone, is_public_holiday, is_school_day};

/// The days from today to the last one looked at, numbered from 0.
#[derive(Clone, Debug)]
pub(super) struct Days {
    /// How many come after today.
    pub(super) last: usize,
    /// The working days after today, in order.
    working: Vec<usize>,
    /// For each day, how many working days came until then: the number of the next one.
    before: Vec<usize>,
    /// For each zone and day, the first day from then on that has school; none beyond the last.
    school: Vec<Vec<Option<usize>>>,
}

/// Whether the workshop works on `day`.
pub(super) fn is_working_day(day: Date, closed: &[Closure]) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
        && !is_public_holiday(day)
        && !closed.iter().any(|closure| (closure.first..=closure.last).contains(&day))
}

impl Days {
    /// The days after `today` until `by`.
    pub(super) fn new(today: Date, by: Date, closed: &[Closure], closures: &[Closure]) -> Self {
        let last = usize::try_from(days_between(today, by)).unwrap_or_default();
        let all: Vec<Date> = today.series(Span::new().days(1)).take(last + 1).collect();
        let (mut working, mut before) = (Vec::new(), Vec::with_capacity(all.len()));
        for (number, day) in all.iter().enumerate() {
            if number > 0 && is_working_day(*day, closed) {
                working.push(number);
            }
            before.push(working.len());
        }
        let zones = Zone::ALL.iter().copied().map(Some).chain([None]);
        let school = zones
            .map(|zone| {
                let mut next = None;
                let mut table: Vec<Option<usize>> = Vec::with_capacity(all.len());
                for (number, day) in all.iter().enumerate().rev() {
                    if is_school_day(*day, zone, closures) {
                        next = Some(number);
                    }
                    table.push(next);
                }
                table.reverse();
                table
            })
            .collect();
        Self { last, working, before, school }
    }

    /// The number of the first working day after `day`.
    pub(super) fn next_working(&self, day: usize) -> usize {
        self.before.get(day).copied().unwrap_or(self.working.len())
    }

    /// The day of a working day; none beyond the last.
    pub(super) fn day_of_working(&self, number: usize) -> Option<usize> {
        self.working.get(number).copied()
    }

    /// The first day with school from `day` on.
    pub(super) fn school(&self, zone: Option<Zone>, day: usize) -> Option<usize> {
        let table = match zone {
            Some(Zone::A) => 0,
            Some(Zone::B) => 1,
            Some(Zone::C) => 2,
            None => 3,
        };
        self.school.get(table).and_then(|table| table.get(day)).copied().flatten()
    }
}
