//! The figures of a civil year in Paris, counted from dated facts: reuse of reformed units (A/B of décret 2023-266), age
//! at reform, what refurbishing avoided, what it cost, and what came of each model. Pure: facts in, figures out.
//!
//! Each number is a list of units, each with the day and the event that put it there; what is left out stands in a list
//! of its own, with the reason. What is not known is never counted as if it were favourable: docs/figures.md.

pub mod age;
pub mod fact;
mod history;
mod impact;
pub mod line;
pub mod policy_data;
mod reuse;
pub mod said;
pub mod sample;
pub mod section;
mod work;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt::Write as _};

use cartable_common::ContentHash;
use jiff::civil::Date;

use self::{fact::Facts, history::Histories};
pub use self::{
    impact::{Impact, Saved},
    line::{Event, How, Line, ListName, Reason, Work},
    reuse::{Ages, Reuse},
    work::{Model, Workshop},
};
use super::{donation::basis::LegalBasis, policy::Policy};

/// A civil year in Paris.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Year(i16);

/// The year of the law on which the ratio rests (2021-1485): before it, nothing is asked.
pub const FIRST_YEAR: i16 = 2021;

impl Year {
    /// That year, if there are figures of it on `today`: from that of the law to the present one.
    #[must_use]
    pub fn new(number: i16, today: Date) -> Option<Self> {
        if number >= FIRST_YEAR && number <= today.year() { Some(Self(number)) } else { None }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> i16 {
        self.0
    }

    /// Its 1 January.
    #[must_use]
    pub fn first(self) -> Date {
        Date::new(self.0, 1, 1).unwrap_or(Date::MIN)
    }

    /// The first day that is not in it any more.
    #[must_use]
    pub fn end(self) -> Date {
        Date::new(self.0.saturating_add(1), 1, 1).unwrap_or(Date::MAX)
    }

    fn has(self, day: Date) -> bool {
        day.year() == self.0
    }
}

/// The figures of a year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Which year.
    pub year: Year,
    /// A/B.
    pub reuse: Reuse,
    /// How old units were when they were reformed.
    pub ages: Ages,
    /// What refurbished units avoid.
    pub impact: Impact,
    /// What came of the workshop's orders, and what they cost.
    pub workshop: Workshop,
}

/// Counts the figures of `year`.
#[must_use]
pub fn figures(year: Year, facts: &Facts, policy: &Policy) -> Figures {
    let histories = Histories::new(facts);
    Figures {
        year,
        reuse: reuse::count(year, &histories, policy),
        ages: reuse::ages(year, &histories, policy),
        impact: impact::count(year, &histories, facts, policy),
        workshop: work::count(year, &histories, facts, policy),
    }
}

impl Figures {
    /// The units behind a number, by day and then by name.
    #[must_use]
    pub fn list(&self, name: ListName) -> &[Line] {
        match name {
            ListName::Reused => &self.reuse.reused,
            ListName::NotReused => &self.reuse.not_reused,
            ListName::Stock => &self.reuse.stock,
            ListName::NotInStock => &self.reuse.not_in_stock,
            ListName::Reformed => &self.ages.reformed,
            ListName::Given => &self.impact.given,
            ListName::LentAgain => &self.impact.lent_again,
            ListName::NoImpact => &self.impact.left_out,
            ListName::Orders => &self.workshop.orders,
            ListName::Reopened => &self.workshop.reopened,
        }
    }

    /// How many units of a list are left out for which reason, the most frequent first.
    #[must_use]
    pub fn reasons(&self, name: ListName) -> Vec<(Reason, usize)> {
        let mut counts: BTreeMap<Reason, usize> = BTreeMap::new();
        for reason in self.list(name).iter().filter_map(|line| line.reason) {
            *counts.entry(reason).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), *reason));
        counts
    }

    /// A by legal basis, in the order of the texts: what counsel may not accept can be taken away.
    #[must_use]
    pub fn reused_by_basis(&self) -> Vec<(LegalBasis, usize)> {
        let mut counts: BTreeMap<LegalBasis, usize> = BTreeMap::new();
        for line in &self.reuse.reused {
            if let Event::Delivered { basis, .. } = &line.event {
                *counts.entry(*basis).or_default() += 1;
            }
        }
        counts.into_iter().collect()
    }

    /// What tells these figures from others: every list, with units, days, events, reasons and costs. The same facts give
    /// the same, whenever and wherever they are counted.
    #[must_use]
    pub fn fingerprint(&self) -> ContentHash {
        let mut text = format!("{}\n", self.year.number());
        if let Some(target) = &self.reuse.target {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "target {target}");
        }
        for factor in &self.impact.factors {
            let _ = writeln!(text, "factor {factor}");
        }
        for name in ListName::ALL {
            for line in self.list(*name) {
                let reason = line.reason.map_or("", Reason::as_str);
                let work = line.work.unwrap_or_default();
                let Work { minutes, parts_cents, bench_cents, .. } = work;
                let (device, day, event) = (line.unit.id.0, line.day, line.event.said().en);
                let age = line.age.as_str();
                let _ = writeln!(
                    text,
                    "{name} {device} {day} {age} {reason} {minutes} {parts_cents} {bench_cents} {event}"
                );
            }
        }
        ContentHash::of(text.as_bytes())
    }
}
