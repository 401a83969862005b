//! A/B of décret 2023-266, art. 3, and the age at reform.
//!
//! A: units that a recipient took in the year. B: reformed units in stock when 1 January began. Of both, units that were
//! more than ten years old at their reform are left out (art. 1), and what belongs to others. Of unknown age, a unit is in
//! B and not in A: what is not known never improves the ratio.

use jiff::{ToSpan as _, civil::Date};

use super::{
    Year,
    age::AgeClass,
    fact::{Unit, Way},
    history::{Exit, Histories, History},
    line::{Event, How, Line, Reason},
    policy_data::{ReuseTarget, target_of},
};
use crate::domain::{policy::Policy, work_order::Disposition};

/// A/B of a year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reuse {
    /// A.
    pub reused: Vec<Line>,
    /// Every other unit that left in the year, with the reason.
    pub not_reused: Vec<Line>,
    /// B.
    pub stock: Vec<Line>,
    /// Every other reformed unit that was in stock, with the reason.
    pub not_in_stock: Vec<Line>,
    /// How many of A are in B.
    pub reused_of_stock: usize,
    /// The year's target.
    pub target: Option<ReuseTarget>,
}

impl Reuse {
    /// A/B in thousandths, rounded down; none where B is zero: then it is not defined.
    #[must_use]
    pub fn per_mille(&self) -> Option<u64> {
        (self.reused.len() as u64).saturating_mul(1000).checked_div(self.stock.len() as u64)
    }

    /// Whether the target is reached; none where the ratio is not defined, or there is no target.
    #[must_use]
    pub fn is_reached(&self) -> Option<bool> {
        let target = self.target?;
        let (a, b) = (self.reused.len() as u64, self.stock.len() as u64);
        (b > 0).then(|| a.saturating_mul(100) >= b.saturating_mul(target.percent.into()))
    }
}

/// How old the units were that were reformed in the year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ages {
    /// They, each once, by their last reform.
    pub reformed: Vec<Line>,
    /// How many were at most ten years old.
    pub within: usize,
    /// How many were older.
    pub over: usize,
    /// How many may have been either.
    pub unknown: usize,
    /// The ages in months of those whose day of purchase is known, youngest first.
    pub months: Vec<i64>,
}

impl Ages {
    /// The middle age in months; of two in the middle, what lies between them, in whole months.
    #[must_use]
    pub fn median(&self) -> Option<i64> {
        let (count, upper) = (self.months.len(), *self.months.get(self.months.len() / 2)?);
        let lower = if count.is_multiple_of(2) { *self.months.get(count / 2 - 1)? } else { upper };
        Some(i64::midpoint(lower, upper))
    }
}

pub(super) fn count(year: Year, histories: &Histories<'_>, policy: &Policy) -> Reuse {
    let (mut reused, mut not_reused) = (Vec::new(), Vec::new());
    let (mut stock, mut not_in_stock) = (Vec::new(), Vec::new());
    let mut reused_of_stock = 0;
    for history in histories.iter() {
        let in_stock = stocked(history, year, policy);
        let in_stock_counts = in_stock.as_ref().is_some_and(|line| line.reason.is_none());
        for (place, exit) in history.exits().iter().enumerate().filter(|(_, exit)| year.has(exit.day())) {
            let line = leaving(history, *exit, place > 0, policy);
            let counts = line.reason.is_none();
            reused_of_stock += usize::from(counts && in_stock_counts);
            if counts { &mut reused } else { &mut not_reused }.push(line);
        }
        if let Some(line) = in_stock {
            if in_stock_counts { &mut stock } else { &mut not_in_stock }.push(line);
        }
    }
    for lines in [&mut reused, &mut not_reused, &mut stock, &mut not_in_stock] {
        Line::sort(lines);
    }
    let target = target_of(&policy.figures.reuse_targets, year.number());
    Reuse { reused, not_reused, stock, not_in_stock, reused_of_stock, target }
}

/// Whether a unit belongs to one of the partners that the policy names.
fn is_ours(unit: &Unit, policy: &Policy) -> bool {
    let same =
        |name: &String| unit.owner.as_ref().is_some_and(|owner| owner.trim().to_lowercase() == name.to_lowercase());
    !policy.figures.not_ours.iter().any(same)
}

/// The unit with what is known of its age on `day`, or at its reform.
pub(super) fn line_of(unit: &Unit, day: Date, event: Event, reformed: Option<Date>, policy: &Policy) -> Line {
    let born = unit.birth.born(policy);
    let age = born.class(reformed.unwrap_or(day), policy.figures.most_years);
    Line { unit: unit.clone(), day, event, born, reformed, age, reason: None, work: None }
}

/// The day after: what happened on `day` is before it.
pub(super) fn after(day: Date) -> Date {
    day.checked_add(1.day()).unwrap_or(Date::MAX)
}

/// A unit that left, and why it is not in A where it is not.
fn leaving(history: &History<'_>, exit: Exit<'_>, again: bool, policy: &Policy) -> Line {
    let reform = history.reform(after(exit.day()));
    let became = reform.as_ref().map(|reform| reform.how.clone());
    let mut line = line_of(history.unit, exit.day(), exit.event(), reform.map(|reform| reform.day), policy);
    line.reason = if again {
        Some(Reason::CountedBefore)
    } else {
        match exit {
            Exit::Left(left) => Some(without_recipient(left.way, became.as_ref())),
            Exit::Delivered(..) if !is_ours(history.unit, policy) => Some(Reason::NotOurs),
            Exit::Delivered(..) => match line.age {
                AgeClass::Within => None,
                AgeClass::Over => Some(Reason::TooOld),
                AgeClass::Unknown => Some(Reason::AgeUnknown),
            },
        }
    };
    line
}

const fn without_recipient(way: Way, became: Option<&How>) -> Reason {
    match (way, became) {
        (Way::CededByLoan, _) => Reason::NoLegalBasis,
        (Way::WrittenOff, _) => Reason::WrittenOff,
        (Way::Archived, Some(How::Workshop(Disposition::Parts | Disposition::Recycle))) => Reason::Recycled,
        (Way::Archived, Some(_)) => Reason::NotGiven,
        (Way::Archived, None) => Reason::PutAway,
    }
}

/// A unit that was reformed and in stock when the year began, and why it is not in B where it is not.
fn stocked(history: &History<'_>, year: Year, policy: &Policy) -> Option<Line> {
    if history.left().is_some_and(|day| day < year.first()) {
        return None;
    }
    let reform = history.reform(year.first())?;
    let mut line = line_of(history.unit, reform.day, Event::Reformed(reform.how), Some(reform.day), policy);
    line.reason = match line.age {
        _ if !is_ours(history.unit, policy) => Some(Reason::NotOurs),
        AgeClass::Over => Some(Reason::TooOld),
        AgeClass::Within | AgeClass::Unknown => None,
    };
    Some(line)
}

/// The age of what was reformed in the year: as it stood when the unit left, or when the year ended.
pub(super) fn ages(year: Year, histories: &Histories<'_>, policy: &Policy) -> Ages {
    let mut reformed = Vec::new();
    for history in histories.iter() {
        let end = history.left().map_or(year.end(), |day| after(day).min(year.end()));
        let Some(reform) = history.reform(end).filter(|reform| year.has(reform.day)) else { continue };
        reformed.push(line_of(history.unit, reform.day, Event::Reformed(reform.how), Some(reform.day), policy));
    }
    Line::sort(&mut reformed);
    let of = |class| reformed.iter().filter(|line| line.age == class).count();
    let (within, over, unknown) = (of(AgeClass::Within), of(AgeClass::Over), of(AgeClass::Unknown));
    let mut months: Vec<i64> = reformed.iter().filter_map(|line| line.born.months(line.day)).collect();
    months.sort_unstable();
    Ages { reformed, within, over, unknown, months }
}
