//! How a battery fades, what its gauge says of it, and how long a machine runs on it.
//!
//! Lost capacity is a share for each cycle and one that grows with the root of its age, both with the scatter of
//! batteries of one make. Nothing here knows a verdict: a battery is at its end when it does not carry its machine from
//! one socket to the next, which depends on who holds it.

use cartable_common::{
    MilliampHours, MilliwattHours, Text,
    report::{Battery, Subject, Unread, UnreadReason},
};

use super::chance;
use crate::simulator::{
    catalogue::{BatteryModel, Counts},
    random::Random,
};

/// Capacity lost with a full cycle: 12.4 to 24.1 % after 500 cycles were measured (survey of 2003, quoted wherever the
/// capacity loss of lithium-ion is), so 0.025 to 0.048 % each.
const FADE_PER_CYCLE: f64 = 0.000_36;
/// Capacity lost by the end of the first year by age alone, growing with the root of time (Keil et al. 2016, J.
/// Electrochem. Soc. 163 A1872: growth of the SEI): between 4 % (kept half full at 25 °C) and 20 % (kept full), nearer
/// the former, for laptops are not always at a socket.
const FADE_FIRST_YEAR: f64 = 0.07;
/// Scatter among batteries of one make: assumed.
const FADE_SCATTER: f64 = 0.35;
/// What a new battery holds of its design: about all of it.
const NEW: (f64, f64) = (0.98, 1.03);
/// Batteries that get a weak cell in a year, and what they then lose in a week: assumed.
const WEAK_A_YEAR: f64 = 0.012;
const WEAK_LOSS_A_WEEK: (f64, f64) = (0.004, 0.02);
/// Batteries that die at once in a year (protection tripped, swollen): assumed.
const DEATHS_A_YEAR: f64 = 0.005;
/// Gauges that always answer the design capacity: assumed, as seen in makers' firmware.
const STUCK_GAUGES: f64 = 0.03;
/// Standard error of a gauge, once for all and anew with each calibration, and days between two: assumed.
const GAUGE_ERROR: f64 = 0.02;
const CALIBRATION_DAYS: i64 = 42;
/// Readings that make no sense and are right again the next time; as many fail altogether: assumed.
const ODD_READINGS: f64 = 0.003;

/// A battery in a machine.
#[derive(Clone, Debug)]
pub struct Cells {
    model: BatteryModel,
    fitted: i64,
    cycles: f64,
    new: f64,
    quality: f64,
    weak_from: i64,
    weak_loss: f64,
    weak_lost: f64,
    dies_on: i64,
    stuck: bool,
    bias: f64,
    seed: u64,
}

impl Cells {
    /// A battery fitted new on that day (since 1970).
    pub fn fitted(random: &mut Random, model: BatteryModel, day: i64) -> Self {
        Self {
            model,
            fitted: day,
            cycles: 0.0,
            new: chance::between(random, NEW.0, NEW.1),
            quality: chance::around(random, 1.0, FADE_SCATTER),
            weak_from: day + chance::in_days(chance::wait(random, WEAK_A_YEAR)),
            weak_loss: chance::between(random, WEAK_LOSS_A_WEEK.0, WEAK_LOSS_A_WEEK.1),
            weak_lost: 0.0,
            dies_on: day + chance::in_days(chance::wait(random, DEATHS_A_YEAR)),
            stuck: chance::happens(random, STUCK_GAUGES),
            bias: GAUGE_ERROR * chance::normal(random),
            seed: random.draw(),
        }
    }

    /// A week in which it made so many full cycles.
    pub fn week(&mut self, monday: i64, cycles: f64) {
        self.cycles += cycles;
        if monday >= self.weak_from {
            self.weak_lost += self.weak_loss;
        }
    }

    /// What it truly holds on a day, as a share of its design.
    pub fn holds(&self, day: i64) -> f64 {
        let years = chance::days((day - self.fitted).max(0)) / chance::YEAR_DAYS;
        let faded = FADE_PER_CYCLE * self.cycles + FADE_FIRST_YEAR * years.sqrt();
        (self.new - self.quality * faded - self.weak_lost).max(0.0)
    }

    /// Whether it is dead on a day.
    pub const fn is_dead(&self, day: i64) -> bool {
        day >= self.dies_on
    }

    /// Whether a weak cell shows on a day.
    pub const fn has_weak_cell(&self, day: i64) -> bool {
        day >= self.weak_from
    }

    /// Whether its gauge says nothing of its fading.
    pub const fn gauge_is_stuck(&self) -> bool {
        self.stuck
    }

    /// The energy of a new one in watt-hours.
    pub fn design_watt_hours(&self) -> f64 {
        let design = f64::from(self.model.design);
        match self.model.counts {
            Counts::Energy => design / 1e3,
            Counts::Charge => design / 1e3 * volts(self.model.design),
        }
    }

    /// What the agent reads of it on a day; nothing and the reason, on a day when it could not be read.
    pub fn reading(&self, day: i64, counts_cycles: bool) -> Result<Battery, Unread> {
        let mut random = Random::of(self.seed, "reading", day.unsigned_abs());
        let odd = chance::share(&mut random);
        if odd < ODD_READINGS {
            let subject = Some(Subject::Batteries);
            return Err(Unread { subject, reason: Some(UnreadReason::ToolFailed), detail: None });
        }
        let calibration = (day - self.fitted).div_euclid(CALIBRATION_DAYS).unsigned_abs();
        let drift = GAUGE_ERROR * chance::normal(&mut Random::of(self.seed, "gauge", calibration));
        let mut told = if self.stuck { 1.0 } else { self.holds(day) * (1.0 + self.bias + drift) };
        if self.is_dead(day) {
            told = 0.0;
        } else if odd < 2.0 * ODD_READINGS {
            told *= chance::between(&mut random, 0.1, 0.6);
        }
        Ok(self.told(told, counts_cycles))
    }

    fn told(&self, share: f64, counts_cycles: bool) -> Battery {
        let model = self.model;
        let full = u32::try_from(chance::whole(f64::from(model.design) * share / 10.0) * 10).ok();
        let energy = model.counts == Counts::Energy;
        Battery {
            manufacturer: Text::meaningful(model.maker),
            model: Text::meaningful(model.name),
            design_milliwatt_hours: energy.then_some(model.design).and_then(MilliwattHours::new),
            full_milliwatt_hours: full.filter(|_| energy).and_then(MilliwattHours::new),
            design_milliamp_hours: (!energy).then_some(model.design).and_then(MilliampHours::new),
            full_milliamp_hours: full.filter(|_| !energy).and_then(MilliampHours::new),
            cycle_count: counts_cycles.then(|| u32::try_from(chance::whole(self.cycles)).unwrap_or_default()),
            technology: Some(Text::clean("Li-ion")),
        }
    }
}

/// The nominal voltage of a battery that counts its charge: three cells in a row, two where the charge is that of a
/// larger machine.
const fn volts(milliamp_hours: u32) -> f64 {
    if milliamp_hours > 4_500 { 7.6 } else { 11.4 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: BatteryModel = BatteryModel { maker: "SMP", name: "X", design: 45_000, counts: Counts::Energy };

    #[test]
    fn batteries_of_one_make_fade_with_scatter_and_never_recover() {
        let mut after_four_years: Vec<f64> = (0..2_000)
            .map(|index| {
                let mut cells = Cells::fitted(&mut Random::of(1, "cells", index), MODEL, 0);
                let mut before = cells.holds(0);
                for week in 0..208 {
                    cells.week(7 * week, 2.0);
                    let now = cells.holds(7 * week);
                    assert!(now <= before);
                    before = now;
                }
                before
            })
            .collect();
        after_four_years.sort_by(f64::total_cmp);
        // 416 cycles and 4 years: 15 % and 14 % less, by their median.
        assert!((0.68..0.75).contains(&after_four_years[1_000]), "{}", after_four_years[1_000]);
        assert!(after_four_years[1_800] - after_four_years[200] > 0.2);
    }

    #[test]
    fn a_gauge_is_near_the_truth_but_for_odd_readings_that_recover() {
        let mut cells = Cells::fitted(&mut Random::seeded(7), MODEL, 0);
        cells.stuck = false;
        cells.dies_on = i64::MAX;
        let far = |day: i64| {
            let read = cells.reading(day, true).ok()?.full_milliwatt_hours?.get();
            Some((f64::from(read) / 45_000.0 - cells.holds(day)).abs() > 0.12)
        };
        let all: Vec<Option<bool>> = (0..3_000).map(far).collect();
        let odd = all.iter().filter(|one| **one != Some(false)).count();
        assert!((1..60).contains(&odd), "{odd}");
        assert!(
            all.windows(3).any(|three| three[1] != Some(false) && three[0] == Some(false) && three[2] == Some(false))
        );
    }
}
