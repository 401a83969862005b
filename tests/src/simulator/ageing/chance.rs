//! Draws of real numbers from the seeded source: shares, scatter around a median, waiting times.

use std::f64::consts::PI;

use crate::simulator::random::Random;

/// A number between 0 and 1, both left out.
pub fn share(random: &mut Random) -> f64 {
    const STEPS: u64 = 1 << 52;
    (real(random.below(STEPS)) + 0.5) / real(STEPS)
}

/// A number from `low` to `high`, each as likely as another.
pub fn between(random: &mut Random, low: f64, high: f64) -> f64 {
    low + (high - low) * share(random)
}

/// Whether something of that probability happens.
pub fn happens(random: &mut Random, probability: f64) -> bool {
    share(random) < probability
}

/// A number around 0 with a standard deviation of 1 (Box and Muller).
pub fn normal(random: &mut Random) -> f64 {
    let (radius, angle) = (share(random), share(random));
    (-2.0 * radius.ln()).sqrt() * (2.0 * PI * angle).cos()
}

/// A positive number around `median`; its logarithm has the standard deviation `scatter`.
pub fn around(random: &mut Random, median: f64, scatter: f64) -> f64 {
    median * (scatter * normal(random)).exp()
}

/// The wait until something that happens at `rate` a year, in years; for ever at a rate of 0.
pub fn wait(random: &mut Random, rate: f64) -> f64 {
    -share(random).ln() / rate
}

/// A count as a real number.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub const fn real(count: u64) -> f64 {
    count as f64
}

/// A span of days as a real number.
#[expect(clippy::cast_precision_loss, reason = "spans stay far below 2^53")]
pub const fn days(span: i64) -> f64 {
    span as f64
}

/// The whole part of what is not negative; 0 of what is.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, as wanted")]
pub const fn whole(value: f64) -> u64 {
    value as u64
}

/// Years as days, at most a century.
pub fn in_days(years: f64) -> i64 {
    i64::try_from(whole((years * YEAR_DAYS).min(36_525.0))).unwrap_or_default()
}

/// Days of a year.
pub const YEAR_DAYS: f64 = 365.25;

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(mut one: impl FnMut(&mut Random) -> f64) -> Vec<f64> {
        let mut random = Random::of(1, "chance", 0);
        let mut values: Vec<f64> = (0..20_001).map(|_| one(&mut random)).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    #[test]
    fn draws_have_the_median_and_the_scatter_that_they_say() {
        let values = drawn(|random| around(random, 3.0, 0.5));
        assert!((2.9..3.1).contains(&values[10_000]), "{}", values[10_000]);
        // One standard deviation above: 84.1 %.
        assert!((4.7..5.2).contains(&values[16_827]), "{}", values[16_827]);
        assert!(values[0] > 0.0);
    }

    #[test]
    fn a_wait_is_as_long_as_its_rate_says_and_endless_without_one() {
        let values = drawn(|random| wait(random, 0.5));
        let mean = values.iter().sum::<f64>() / real(values.len() as u64);
        assert!((1.9..2.1).contains(&mean), "{mean}");
        assert_eq!(in_days(drawn(|random| wait(random, 0.0))[0]), 36_525);
        assert_eq!(in_days(2.0), 730);
    }
}
