//! The forecast held against years that it did not see: how often what came lay inside its bands.

use std::{fmt::Write as _, ops::Range};

use cartable_server::domain::{
    forecast::{Question, ReadyFor, distribution},
    policy::Policy,
};
use cartable_tests::workshop_year::World;
use jiff::civil::{Date, date};

/// The worlds that are played: not those that were looked at while the forecast was written.
const SEEDS: Range<u64> = 1_000..1_040;
/// Loans of each year.
const DEVICES: usize = 900;
/// The days on which the state is frozen, in the second year.
const FROZEN: [Date; 6] =
    [date(2026, 11, 2), date(2026, 12, 7), date(2027, 1, 11), date(2027, 2, 8), date(2027, 3, 8), date(2027, 4, 12)];
/// What is asked for.
const BY: Date = date(2027, 5, 15);
/// Futures that each forecast plays.
const RUNS: u32 = 200;

#[derive(Clone, Copy, Debug, Default)]
struct Score {
    forecasts: u32,
    in_half: u32,
    in_nine: u32,
    error: f64,
    bias: f64,
    width: f64,
}

#[test]
fn what_came_lies_inside_the_bands_about_as_often_as_they_say() {
    let mut scores = [Score::default(); FROZEN.len()];
    for seed in SEEDS {
        let world = World::play(seed, DEVICES);
        let came = world.given_by(BY);
        for (score, day) in scores.iter_mut().zip(FROZEN) {
            let question = Question { ready: ReadyFor::Donate, target: 1, by: BY, seed, runs: RUNS };
            let answer = distribution(&world.known(day), &Policy::default(), question);
            let [low, lower, middle, upper, high] = answer.weeks.last().expect("the last day").units;
            score.forecasts += 1;
            score.in_half += u32::from((lower..=upper).contains(&came));
            score.in_nine += u32::from((low..=high).contains(&came));
            // What was still to come is what was forecast.
            let left = f64::from(came.saturating_sub(answer.ready_now).max(1));
            let off = (f64::from(middle) - f64::from(came)) / left;
            score.bias += off;
            score.error += off.abs();
            score.width += f64::from(high - low) / left;
        }
    }
    let mut table =
        String::from("frozen on   | inside 50 % | inside 90 % | bias | mean error | width of the 90 % band\n");
    let mut all = Score::default();
    for (score, day) in scores.iter().zip(FROZEN) {
        let _ = writeln!(table, "{day}  | {}", row(score));
        all.forecasts += score.forecasts;
        all.in_half += score.in_half;
        all.in_nine += score.in_nine;
        all.error += score.error;
        all.bias += score.bias;
        all.width += score.width;
    }
    let _ = writeln!(table, "all         | {}", row(&all));
    println!("{table}");
    let share = |count: u32| 100 * count / all.forecasts;
    assert!((75..=100).contains(&share(all.in_nine)), "the 90 % band\n{table}");
    assert!((30..=75).contains(&share(all.in_half)), "the 50 % band\n{table}");
    assert!((all.bias / f64::from(all.forecasts)).abs() < 0.15, "bias\n{table}");
}

fn row(score: &Score) -> String {
    let count = f64::from(score.forecasts);
    format!(
        "{:>3} % | {:>3} % | {:+.0} % | {:.0} % | {:.0} %",
        100 * score.in_half / score.forecasts,
        100 * score.in_nine / score.forecasts,
        100.0 * score.bias / count,
        100.0 * score.error / count,
        100.0 * score.width / count
    )
}
