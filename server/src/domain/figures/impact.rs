//! What refurbished units avoid in a year of use, beside new ones: ADEME's factor for each, once a year and unit.
//!
//! Given and lent again are counted apart and never added: a unit that was lent again in spring and given in autumn is in
//! both. Years of use to come are not counted: nobody knows them.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Year,
    fact::{Facts, Unit},
    history::{Exit, Histories, History},
    line::{Event, Line, Reason},
    policy_data::{ImpactFactor, factor_of},
    reuse::{after, line_of},
};
use crate::domain::{paris, policy::Policy, work_order::Disposition};

/// What is avoided in a year of use, in grams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// CO2 equivalent.
    pub co2_grams: u64,
    /// Materials extracted.
    pub material_grams: u64,
    /// Electronic waste.
    pub waste_grams: u64,
}

/// What refurbished units avoid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impact {
    /// Units that were refurbished and given in the year.
    pub given: Vec<Line>,
    /// What these avoid.
    pub saved_given: Saved,
    /// Units that were lent again in the year, for the first time after the workshop.
    pub lent_again: Vec<Line>,
    /// What these avoid.
    pub saved_lent_again: Saved,
    /// The others that were given or lent again, with the reason.
    pub left_out: Vec<Line>,
    /// The factors that were used.
    pub factors: Vec<ImpactFactor>,
}

impl Saved {
    fn of(lines: &[Line], factor: impl Fn(&Unit) -> Option<ImpactFactor>) -> Self {
        lines.iter().filter_map(|line| factor(&line.unit)).fold(Self::default(), |sum, one| Self {
            co2_grams: sum.co2_grams.saturating_add(one.co2_grams.into()),
            material_grams: sum.material_grams.saturating_add(one.material_grams.into()),
            waste_grams: sum.waste_grams.saturating_add(one.waste_grams.into()),
        })
    }
}

pub(super) fn count(year: Year, histories: &Histories<'_>, facts: &Facts, policy: &Policy) -> Impact {
    let factor = |unit: &Unit| factor_of(&policy.figures.factors, unit.kind, year.end());
    let mut left_out = Vec::new();
    let mut split = |lines: Vec<Line>| {
        let mut counted = Vec::new();
        for mut line in lines {
            if line.reason.is_none() && factor(&line.unit).is_none() {
                line.reason = Some(Reason::NoFactor);
            }
            if line.reason.is_none() { &mut counted } else { &mut left_out }.push(line);
        }
        Line::sort(&mut counted);
        counted
    };
    let given = split(histories.iter().filter_map(|history| given(history, year, policy)).collect());
    let lent_again = split(lent_again(year, histories, facts, policy));
    Line::sort(&mut left_out);
    let mut factors: Vec<ImpactFactor> = Vec::new();
    for used in given.iter().chain(&lent_again).filter_map(|line| factor(&line.unit)) {
        if !factors.contains(&used) {
            factors.push(used);
        }
    }
    let (saved_given, saved_lent_again) = (Saved::of(&given, factor), Saved::of(&lent_again, factor));
    Impact { given, saved_given, lent_again, saved_lent_again, left_out, factors }
}

/// A unit that was given in the year; with a reason where the workshop did not say that it is fit to be given.
fn given(history: &History<'_>, year: Year, policy: &Policy) -> Option<Line> {
    let exit = history.exits().first().filter(|exit| year.has(exit.day()))?;
    let Exit::Delivered(_, day) = *exit else { return None };
    let reform = history.reform(after(day));
    let standing = history.standing(paris::midnight(after(day)));
    let mut line = line_of(history.unit, day, exit.event(), reform.map(|reform| reform.day), policy);
    if standing.is_none_or(|(_, became)| became != Disposition::Donate) {
        line.reason = Some(Reason::NotRefurbished);
    }
    Some(line)
}

/// The units that were lent in the year for the first time after their order was closed to lend them again; each once.
fn lent_again(year: Year, histories: &Histories<'_>, facts: &Facts, policy: &Policy) -> Vec<Line> {
    let mut loans = facts.loans.clone();
    loans.sort_by_key(|loan| (loan.at, loan.device));
    let mut known = BTreeSet::new();
    let mut first: BTreeMap<_, Line> = BTreeMap::new();
    for loan in loans {
        let Some(history) = histories.of(loan.device) else { continue };
        // What was decided in the same millisecond came first: a device on the bench is not lent.
        let Some((closed, Disposition::Relend)) = history.standing(loan.at.plus_millis(1)) else { continue };
        let day = paris::date(loan.at);
        if known.insert((loan.device, closed)) && year.has(day) {
            let line = || line_of(history.unit, day, Event::LentAgain, None, policy);
            first.entry(loan.device).or_insert_with(line);
        }
    }
    first.into_values().collect()
}
