//! The forecast held against years that it did not see: how often what came lay inside its bands. The table of
//! docs/forecast.md is what [`Calibration::told`] gives.
//!
//! The worlds are played by [`crate::workshop_year`], which knows nothing of the forecast; here both meet.

use std::{fmt::Write as _, ops::Range};

use cartable_server::domain::{
    forecast::{Question, ReadyFor, distribution},
    policy::Policy,
};
use jiff::civil::{Date, date};

use crate::workshop_year::World;

/// The days on which the state is frozen, in the second year.
const FROZEN: [Date; 6] =
    [date(2026, 11, 2), date(2026, 12, 7), date(2027, 1, 11), date(2027, 2, 8), date(2027, 3, 8), date(2027, 4, 12)];
/// What is asked for.
const BY: Date = date(2027, 5, 15);

/// What is held against each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The worlds that are played.
    pub seeds: Range<u64>,
    /// Loans of each year.
    pub devices: usize,
    /// Futures that each forecast plays.
    pub runs: u32,
}

impl Default for Trial {
    /// The one of docs/forecast.md: not the worlds that were looked at while the forecast was written.
    fn default() -> Self {
        Self { seeds: 1_000..1_040, devices: 900, runs: 200 }
    }
}

/// Forecasts compared with what came.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    forecasts: u32,
    in_half: u32,
    in_nine: u32,
    error: f64,
    bias: f64,
    width: f64,
}

impl Score {
    /// Compares the bands of a last day with the units that came, where so many were there already.
    fn add(&mut self, units: [u32; 5], came: u32, ready_now: u32) {
        let [low, lower, middle, upper, high] = units;
        self.forecasts += 1;
        self.in_half += u32::from((lower..=upper).contains(&came));
        self.in_nine += u32::from((low..=high).contains(&came));
        // What was still to come is what was forecast.
        let left = f64::from(came.saturating_sub(ready_now).max(1));
        let off = (f64::from(middle) - f64::from(came)) / left;
        self.bias += off;
        self.error += off.abs();
        self.width += f64::from(high - low) / left;
    }

    fn and(self, other: Self) -> Self {
        Self {
            forecasts: self.forecasts + other.forecasts,
            in_half: self.in_half + other.in_half,
            in_nine: self.in_nine + other.in_nine,
            error: self.error + other.error,
            bias: self.bias + other.bias,
            width: self.width + other.width,
        }
    }

    /// How many in a hundred forecasts had what came inside their 50 % band.
    pub fn percent_in_half(&self) -> u32 {
        100 * self.in_half / self.forecasts.max(1)
    }

    /// How many in a hundred forecasts had what came inside their 90 % band.
    pub fn percent_in_nine(&self) -> u32 {
        100 * self.in_nine / self.forecasts.max(1)
    }

    /// How much was forecast too many, as a share of what was still to come; below zero, too few.
    pub fn mean_bias(&self) -> f64 {
        self.bias / self.count()
    }

    fn count(&self) -> f64 {
        f64::from(self.forecasts.max(1))
    }

    fn cells(&self) -> String {
        let percent = |share: f64| format!("{:.0} %", 100.0 * share);
        let bias = format!("{:+.0} %", 100.0 * self.mean_bias()).replace('-', "−");
        format!(
            "{} % | {} % | {bias} | {} | {} |",
            self.percent_in_half(),
            self.percent_in_nine(),
            percent(self.error / self.count()),
            percent(self.width / self.count())
        )
    }
}

/// What came of a trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    days: Vec<(Date, Score)>,
}

impl Calibration {
    /// All days together.
    pub fn all(&self) -> Score {
        self.days.iter().fold(Score::default(), |all, (_, score)| all.and(*score))
    }

    /// The table of docs/forecast.md, in Markdown.
    pub fn told(&self) -> String {
        let mut table = String::from(
            "| Frozen on | Inside the 50 % band | Inside the 90 % band | Bias | Mean error | Width of the 90 % band |\n\
             | --- | --- | --- | --- | --- | --- |\n",
        );
        // Writing to a String cannot fail.
        for (day, score) in &self.days {
            let _ = writeln!(table, "| {} | {}", day.strftime("%-d %B %Y"), score.cells());
        }
        let cells = self.all().cells().replace(" |", "** |").replace("| ", "| **");
        let _ = writeln!(table, "| **all** | **{cells}");
        table
    }
}

/// Plays the worlds of `trial`, forecasts from each frozen day under the default policy, and compares.
pub fn run(trial: &Trial) -> Calibration {
    let policy = Policy::default();
    let mut days = FROZEN.map(|day| (day, Score::default()));
    for seed in trial.seeds.clone() {
        let world = World::play(seed, trial.devices);
        let came = world.given_by(BY);
        for (day, score) in &mut days {
            let question = Question { ready: ReadyFor::Donate, target: 1, by: BY, seed, runs: trial.runs };
            let answer = distribution(&world.known(*day), &policy, question);
            let units = answer.weeks.last().map_or([answer.ready_now; 5], |week| week.units);
            score.add(units, came, answer.ready_now);
        }
    }
    Calibration { days: days.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_what_was_counted() {
        let mut score = Score::default();
        // Of 100 that were still to come: inside both bands, then below both.
        score.add([150, 180, 190, 210, 250], 200, 100);
        score.add([210, 220, 230, 240, 250], 200, 100);
        let told = Calibration { days: vec![(date(2027, 2, 8), score)] }.told();
        let rows: Vec<&str> = told.lines().skip(2).collect();
        let expected = [
            "| 8 February 2027 | 50 % | 50 % | +10 % | 20 % | 70 % |",
            "| **all** | **50 %** | **50 %** | **+10 %** | **20 %** | **70 %** |",
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn too_few_is_a_bias_below_zero() {
        let mut score = Score::default();
        score.add([80, 85, 90, 95, 99], 100, 0);
        assert!(score.cells().contains("| −10 % |"), "{}", score.cells());
        assert!(score.mean_bias() < 0.0);
    }
}
