//! Units that will be ready by a day, as a distribution: returns × what they become × the bench × parts.
//!
//! A Monte Carlo simulation. Each run draws anew what is not known for sure (how quick returns are, what units become, what
//! they need, how fast the bench is), then plays every unit. Runs of one seed throw the same dice whatever the bench and
//! the shelf hold, so that more hands or pieces never lower the answer. docs/forecast.md says what it does not know.

mod calendar;
mod dice;
mod input;
mod learnt;
mod limits;
mod returns;
mod run;
mod sentence;
#[cfg(test)]
mod tests;
mod wanting;

use jiff::{Span, civil::Date};

pub use input::{
    Extended, ForecastInput, InvalidQuestion, Kinds, LoanEnd, MOST_DAYS, MOST_RUNS, MOST_TARGET, PastLoan, PastOrder,
    Place, Question, RUNS, ReadyFor, SEED, Shelf, StageTime, Unit, days_between,
};
pub use limits::{Bottleneck, PartOrder};
pub use run::Constraint;
pub use sentence::{constraint_said, part_said};
pub use wanting::{Wanting, wanting};

use self::{calendar::Days, dice::Dice, learnt::Learnt, run::Stand};
use super::policy::Policy;

/// The shares of futures that lie below what is given for each week, in percent.
pub const QUANTILES: [u32; 5] = [5, 25, 50, 75, 95];
const WEEK: usize = 7;

/// How many units are ready on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Week {
    /// The day.
    pub day: Date,
    /// Units, for each of [`QUANTILES`].
    pub units: [u32; QUANTILES.len()],
}

/// What the answer rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rests {
    /// Loans whose return was seen.
    pub returns: u32,
    /// Orders that were closed.
    pub orders: u32,
    /// Working days on which enough lay on the benches to see how fast they are.
    pub pace_days: u32,
    /// Minutes at the bench per working day, as now believed.
    pub bench_minutes: u32,
    /// Units that may become ready.
    pub units: u32,
    /// Whether there were more units than are looked at.
    pub more: bool,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// What was asked.
    pub question: Question,
    /// Units that are ready now.
    pub ready_now: u32,
    /// Today, every seventh day from it, and the day that was asked for.
    pub weeks: Vec<Week>,
    /// In how many of the runs the target was met.
    pub met: u32,
    /// What holds it up most; none where nothing that can be relaxed does.
    pub bottleneck: Option<Bottleneck>,
    /// Each constraint that was relaxed, the one that gains most first.
    pub relaxed: Vec<Bottleneck>,
    /// Parts to order so that none is missing by that day, most pieces first.
    pub parts: Vec<PartOrder>,
    /// The names of models, for [`PartOrder`] and [`Constraint`].
    pub models: Vec<String>,
    /// What it rests on.
    pub rests: Rests,
}

impl Forecast {
    /// The chance that the target is met, in percent: never 0 or 100 while some runs said otherwise.
    #[must_use]
    pub fn percent(&self) -> u32 {
        percent(self.met, self.question.runs)
    }
}

/// `part` of `whole` in percent, rounded; what is neither none nor all is never said to be.
fn percent(part: u32, whole: u32) -> u32 {
    let whole = whole.max(1);
    if part == 0 {
        return 0;
    }
    if part >= whole {
        return 100;
    }
    let rounded = (u64::from(part) * 100 + u64::from(whole) / 2) / u64::from(whole);
    u32::try_from(rounded).unwrap_or(100).clamp(1, 99)
}

/// Answers `question` from what is known in `input`.
#[must_use]
pub fn forecast(input: &ForecastInput, policy: &Policy, question: Question) -> Forecast {
    answer(input, policy, question, true)
}

/// The distribution alone, without what holds it up: for comparing many forecasts with what came.
#[must_use]
pub fn distribution(input: &ForecastInput, policy: &Policy, question: Question) -> Forecast {
    answer(input, policy, question, false)
}

fn answer(input: &ForecastInput, policy: &Policy, question: Question, explained: bool) -> Forecast {
    let days = Days::new(input.today, question.by, &policy.forecast.closed, &input.closures);
    let learnt = Learnt::new(input, policy);
    let stand = Stand::new((input, policy), &days, &learnt, question.ready);
    let ready_now = input.ready_now(question.ready);
    let played = Played::of(&stand, &learnt, question, (&days, ready_now));
    let parts = limits::parts_to_order(&played.missing, input, policy);
    let relaxed = if explained { limits::relax(&stand, &learnt, &played, question, &parts) } else { Vec::new() };
    Forecast {
        question,
        ready_now,
        weeks: weeks(&played, input.today, &days),
        met: played.met(question.target, question.runs),
        bottleneck: limits::bottleneck(&relaxed),
        relaxed,
        parts,
        models: input.models.clone(),
        rests: Rests {
            returns: learnt.due.seen.saturating_add(learnt.appointed.seen),
            orders: learnt.orders,
            pace_days: learnt.pace_days,
            bench_minutes: learnt::minutes_a_day(&learnt),
            units: u32::try_from(input.units.len()).unwrap_or(u32::MAX),
            more: input.more,
        },
    }
}

/// All runs.
#[derive(Debug)]
struct Played {
    /// Units that are ready before the first day.
    start: u32,
    /// For each day that is shown, the units ready on it, run by run.
    shown: Vec<(usize, Vec<u32>)>,
    /// For each run, model and kind, the pieces that were missing.
    missing: Vec<Vec<[u32; input::KINDS]>>,
}

/// The dice of a run: those for what is not known, and those of the units.
fn dice_of(seed: u64, run: u32) -> (Dice, Dice) {
    let stream = u64::from(run) * 2;
    (Dice::new(seed, stream), Dice::new(seed, stream + 1))
}

impl Played {
    fn of(stand: &Stand<'_>, learnt: &Learnt, question: Question, (days, start): (&Days, u32)) -> Self {
        let mut shown: Vec<(usize, Vec<u32>)> =
            (0..days.last).step_by(WEEK).chain([days.last]).map(|day| (day, Vec::new())).collect();
        let mut missing = Vec::new();
        for run in 0..question.runs {
            let (mut unknown, mut units) = dice_of(question.seed, run);
            let drawn = learnt.draw(&mut unknown);
            let outcome = stand.work(&mut stand.queue(&drawn, &mut units, false), &drawn, None);
            let (mut ready, mut from) = (start, 0);
            for (day, all) in &mut shown {
                ready += outcome.ready.get(from..=*day).map_or(0, |days| days.iter().sum());
                from = *day + 1;
                all.push(ready);
            }
            missing.push(outcome.missing);
        }
        Self { start, shown, missing }
    }

    /// The units ready on the last day, run by run.
    fn last(&self) -> &[u32] {
        self.shown.last().map_or(&[], |(_, all)| all)
    }

    /// In how many of the first `runs` the target was met.
    fn met(&self, target: u32, runs: u32) -> u32 {
        let runs = usize::try_from(runs).unwrap_or(usize::MAX);
        let met = self.last().iter().take(runs).filter(|ready| **ready >= target).count();
        u32::try_from(met).unwrap_or(u32::MAX)
    }
}

fn weeks(played: &Played, today: Date, days: &Days) -> Vec<Week> {
    let mut sorted: Vec<(usize, Vec<u32>)> = played.shown.clone();
    for (_, all) in &mut sorted {
        all.sort_unstable();
    }
    sorted
        .iter()
        .map(|(day, all)| Week {
            day: day_of(today, *day.min(&days.last)),
            units: QUANTILES.map(|share| quantile(all, share)),
        })
        .collect()
}

fn day_of(today: Date, number: usize) -> Date {
    let days = i64::try_from(number).unwrap_or(i64::MAX);
    Span::new().try_days(days).and_then(|span| today.checked_add(span)).unwrap_or(today)
}

/// The value below or at which `share` percent of `sorted` lie: the nearest one.
fn quantile(sorted: &[u32], share: u32) -> u32 {
    let last = sorted.len().saturating_sub(1);
    let place = (last * usize::try_from(share).unwrap_or(100) + 50) / 100;
    sorted.get(place).copied().unwrap_or_default()
}
