//! Calendar months in UTC: what history is kept and forgotten by.

use std::{fmt, str::FromStr};

use cartable_common::UtcMillis;
use jiff::civil::{Date, date};

const EPOCH: Date = date(1970, 1, 1);

/// A month of a year from 1970 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    /// Months since January 1970.
    number: i32,
}

impl Month {
    /// The month that `moment` lies in.
    #[must_use]
    pub fn of(moment: UtcMillis) -> Self {
        let seconds = jiff::SignedDuration::from_millis(moment.get());
        // Every `UtcMillis` lies within 1970 to 9999.
        let day = EPOCH.checked_add(seconds).unwrap_or(Date::MAX);
        Self { number: (i32::from(day.year()) - 1970) * 12 + i32::from(day.month()) - 1 }
    }

    /// The month after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self { number: self.number + 1 }
    }

    /// Its first day, in whole days since 1970-01-01.
    #[must_use]
    pub fn first_day(self) -> i64 {
        let (year, month) = self.year_and_month();
        // The first day after the calendar's end is asked for by the last month alone, and never reached.
        Date::new(year, month, 1).map_or(i64::MAX / UtcMillis::DAY, |first| first.duration_since(EPOCH).as_hours() / 24)
    }

    /// Its first moment, in milliseconds.
    #[must_use]
    pub fn first_millis(self) -> i64 {
        self.first_day() * UtcMillis::DAY
    }

    fn year_and_month(self) -> (i16, i8) {
        let year = i16::try_from(1970 + self.number.div_euclid(12)).unwrap_or(i16::MAX);
        (year, i8::try_from(self.number.rem_euclid(12) + 1).unwrap_or(1))
    }
}

/// `2026_11`, as it stands in names.
impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month) = self.year_and_month();
        write!(f, "{year:04}_{month:02}")
    }
}

/// The text names no month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a month: write 2026_11")]
pub struct NoMonth;

impl FromStr for Month {
    type Err = NoMonth;

    fn from_str(text: &str) -> Result<Self, NoMonth> {
        let (year, month) = text.split_once('_').ok_or(NoMonth)?;
        let (year, month): (i32, i32) = (year.parse().map_err(|_| NoMonth)?, month.parse().map_err(|_| NoMonth)?);
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
            return Err(NoMonth);
        }
        Ok(Self { number: (year - 1970) * 12 + month - 1 })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment(text: &str) -> UtcMillis {
        UtcMillis::new(text.parse::<jiff::Timestamp>().unwrap().as_millisecond()).unwrap()
    }

    #[test]
    fn a_year_ends_in_december_and_a_february_may_have_29_days() {
        let december = Month::of(moment("2027-12-31T23:59:59.999Z"));
        assert_eq!((december.to_string(), december.next().to_string()), ("2027_12".to_owned(), "2028_01".to_owned()));
        let february: Month = "2028_02".parse().unwrap();
        assert_eq!(february.next().first_day() - february.first_day(), 29);
        assert_eq!(Month::of(moment("2028-03-01T00:00:00Z")), february.next());
    }

    #[test]
    fn the_calendar_has_both_ends_and_no_thirteenth_month() {
        assert_eq!(Month::of(UtcMillis::default()).to_string(), "1970_01");
        let last = Month::of(UtcMillis::default().plus_days(i64::MAX));
        assert_eq!(last.to_string(), "9999_12");
        assert!(last.next().first_millis() > last.first_millis());
        for text in ["2026_13", "2026_00", "default", "1969_12", "10000_01", "2026-11", ""] {
            assert_eq!(text.parse::<Month>(), Err(NoMonth), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_lies_in_its_month(millis in 0..253_402_300_799_999_i64) {
            let moment = UtcMillis::new(millis).unwrap();
            let month = Month::of(moment);
            prop_assert!((month.first_millis()..month.next().first_millis()).contains(&millis));
            prop_assert_eq!(month.to_string().parse(), Ok(month));
        }
    }
}
