//! Counts of right and wrong, and what follows from them.

/// How often a method said "it will need a repair", and how often it did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Said and needed.
    pub caught: u32,
    /// Said and not needed.
    pub false_alarms: u32,
    /// Not said and needed.
    pub missed: u32,
    /// Not said and not needed.
    pub left_alone: u32,
}

impl Score {
    /// Counts one more.
    pub const fn add(&mut self, said: bool, needed: bool) {
        let place = match (said, needed) {
            (true, true) => &mut self.caught,
            (true, false) => &mut self.false_alarms,
            (false, true) => &mut self.missed,
            (false, false) => &mut self.left_alone,
        };
        *place += 1;
    }

    /// The part of what was said that was needed; none where nothing was said.
    pub fn precision(&self) -> Option<f64> {
        part(self.caught, self.caught + self.false_alarms)
    }

    /// The part of what was needed that was said.
    pub fn recall(&self) -> Option<f64> {
        part(self.caught, self.caught + self.missed)
    }

    /// The harmonic mean of both.
    pub fn f1(&self) -> Option<f64> {
        part(2 * self.caught, 2 * self.caught + self.false_alarms + self.missed)
    }

    /// The part of what was not needed that was said.
    pub fn false_alarm_rate(&self) -> Option<f64> {
        part(self.false_alarms, self.false_alarms + self.left_alone)
    }
}

/// A part of a whole; none of nothing.
pub fn part(of: u32, whole: u32) -> Option<f64> {
    (whole > 0).then(|| f64::from(of) / f64::from(whole))
}

/// The first quartile, the median and the third quartile of some numbers; none of none.
pub fn quartiles(mut values: Vec<i64>) -> Option<[i64; 3]> {
    values.sort_unstable();
    let at = |quarter: usize| values.get((values.len() * quarter).div_ceil(4).saturating_sub(1)).copied();
    Some([at(1)?, at(2)?, at(3)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_what_its_counts_say() {
        let mut score = Score::default();
        for (said, needed, times) in [(true, true, 6), (true, false, 2), (false, true, 3), (false, false, 89)] {
            for _ in 0..times {
                score.add(said, needed);
            }
        }
        let near = |found: Option<f64>, wanted: f64| assert!((found.unwrap() - wanted).abs() < 1e-9, "{found:?}");
        near(score.precision(), 0.75);
        near(score.recall(), 6.0 / 9.0);
        near(score.f1(), 12.0 / 17.0);
        near(score.false_alarm_rate(), 2.0 / 91.0);
        assert_eq!(Score::default().precision(), None);
    }

    #[test]
    fn quartiles_are_values_that_occurred() {
        assert_eq!(quartiles(vec![4, 1, 3, 2]), Some([1, 2, 3]));
        assert_eq!(quartiles(vec![9]), Some([9, 9, 9]));
        assert_eq!(quartiles(vec![]), None);
    }
}
