//! Weeks of school: when laptops are carried about, and when they lie in a drawer.
//!
//! One year's holidays for all years (2025-2026, zone B, arrêté du 7 décembre 2022), so that a simulated past and future
//! have terms too. It knows nothing of the server's calendar.

use jiff::civil::{Date, Weekday, date};

use super::chance;

/// Holidays as (month, day) of their first and last day.
const HOLIDAYS: [((i8, i8), (i8, i8)); 6] = [
    ((7, 4), (8, 31)),
    ((10, 18), (11, 2)),
    ((12, 20), (12, 31)),
    ((1, 1), (1, 4)),
    ((2, 14), (3, 1)),
    ((4, 11), (4, 26)),
];

/// The month in which a school year begins.
const FIRST_MONTH: i8 = 9;

/// School days of a year, about: rates for a year are spread over them.
pub const SCHOOL_DAYS: f64 = 177.0;

/// The Monday after 1970-01-01, in days since then: week 0 begins on it.
const FIRST_MONDAY: i64 = 4;

/// The week of a day, both counted from 1970.
pub const fn week_of(day: i64) -> i64 {
    (day - FIRST_MONDAY).div_euclid(7)
}

/// The Monday of a week, in days since 1970.
pub const fn monday(week: i64) -> i64 {
    FIRST_MONDAY + 7 * week
}

/// The day number of a date.
pub fn day_number(day: Date) -> i64 {
    day.since(date(1970, 1, 1)).map_or(0, |span| i64::from(span.get_days()))
}

/// A week as the simulation steps through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Week {
    /// Its number since 1970.
    pub number: i64,
    /// School days in it, 0 to 5.
    pub school_days: u8,
    /// The school year it belongs to, named after the year in which that begins; July and August end a year.
    pub school_year: i16,
}

impl Week {
    /// Its Monday, in days since 1970.
    pub const fn monday(&self) -> i64 {
        monday(self.number)
    }

    /// Which part of a year of school it is.
    pub fn part_of_school_year(&self) -> f64 {
        f64::from(self.school_days) / SCHOOL_DAYS
    }

    /// A day of this week on which the device is at work, by a share between 0 and 1; Monday in holidays.
    pub fn day_at(&self, share: f64) -> i64 {
        let place = chance::whole(share * f64::from(self.school_days));
        self.monday() + i64::try_from(place).unwrap_or_default()
    }
}

/// Consecutive weeks, worked out once for a whole fleet.
#[derive(Clone, Debug)]
pub struct Calendar {
    first: i64,
    weeks: Vec<Week>,
}

impl Calendar {
    /// The weeks that hold the days `from` to `to`, both since 1970.
    pub fn of_days(from: i64, to: i64) -> Self {
        let first = week_of(from);
        Self { first, weeks: (first..=week_of(to)).map(week).collect() }
    }

    /// The weeks from the one that holds the day `from` to the one that holds `to`, as far as they are known here.
    pub fn weeks(&self, from: i64, to: i64) -> &[Week] {
        let place = |day| usize::try_from(week_of(day) - self.first).unwrap_or_default().min(self.weeks.len());
        let (from, to) = (place(from), place(to.saturating_add(7)));
        self.weeks.get(from..to).unwrap_or_default()
    }
}

fn week(number: i64) -> Week {
    let span = jiff::Span::new().try_days(monday(number)).unwrap_or_default();
    let monday = date(1970, 1, 1).checked_add(span).unwrap_or(Date::ZERO);
    let school_days = monday.series(jiff::Span::new().days(1)).take(5).filter(|day| is_school_day(*day)).count();
    let school_year = if monday.month() >= FIRST_MONTH || is_first_week(monday) {
        monday.year()
    } else {
        monday.year().saturating_sub(1)
    };
    Week { number, school_days: u8::try_from(school_days).unwrap_or_default(), school_year }
}

/// The week in which August ends belongs to the year that begins in it.
fn is_first_week(monday: Date) -> bool {
    monday.month() == FIRST_MONTH - 1 && monday.day() >= 27
}

fn is_school_day(day: Date) -> bool {
    let at = (day.month(), day.day());
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
        && !HOLIDAYS.iter().any(|(first, last)| (*first..=*last).contains(&at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> i64 {
        day_number(text.parse().unwrap())
    }

    #[test]
    fn a_year_has_its_school_days_and_its_summer() {
        let calendar = Calendar::of_days(day("2020-01-01"), day("2030-12-31"));
        for year in 2020..2030 {
            let all = calendar.weeks(day(&format!("{year}-08-31")), day(&format!("{}-08-25", year + 1)));
            let of_year = all.iter().filter(|week| week.school_year == year);
            let days: u32 = of_year.map(|week| u32::from(week.school_days)).sum();
            assert!((168..=182).contains(&days), "{year}: {days}");
        }
        let summer = calendar.weeks(day("2028-07-10"), day("2028-08-25"));
        assert_eq!(summer.iter().map(|week| week.school_days).max(), Some(0));
    }

    #[test]
    fn days_and_weeks_agree() {
        let calendar = Calendar::of_days(day("2026-06-01"), day("2026-07-03"));
        let weeks = calendar.weeks(day("2026-06-03"), day("2026-06-16"));
        assert_eq!(
            weeks.iter().map(Week::monday).collect::<Vec<_>>(),
            ["2026-06-01", "2026-06-08", "2026-06-15"].map(day)
        );
        assert_eq!(weeks[0].day_at(0.99), day("2026-06-05"));
        assert_eq!(weeks[0].school_year, 2025);
        assert!(calendar.weeks(day("2027-01-01"), day("2027-02-01")).is_empty());
    }
}
