//! How old a unit was: from the day it was recorded, the end of its warranty and the year of its processor, as bounds.
//! What lies between the bounds is not known, and is never guessed.

use jiff::{ToSpan as _, civil::Date};

use crate::domain::{fitness::facts::months, policy::Policy, verdict::text_enum};

/// What tells when a unit was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Birth {
    /// The day on which Cartable first knew it: it is at least as old.
    pub recorded: Date,
    /// The last day of the maker's warranty.
    pub warranty_until: Option<Date>,
    /// The year in which its processor's generation came out: it is at most as old.
    pub processor_year: Option<i16>,
}

text_enum! {
    /// Whether a unit was more than ten years old.
    pub enum AgeClass {
        /// It was not.
        Within = "within",
        /// It was.
        Over = "over",
        /// Nothing says so, or the contrary.
        Unknown = "unknown",
    }
}

/// Between which days a unit was bought new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Born {
    /// Not before this day; none where nothing says so.
    pub earliest: Option<Date>,
    /// Not after this day.
    pub latest: Date,
}

impl Birth {
    /// Between which days it was bought. The end of the warranty gives the day itself, unless another fact refutes it: a
    /// unit that was recorded before has a warranty that was renewed, and one that is older than its processor's
    /// generation has a warranty of another length. Then the bounds are those that make it look old.
    #[must_use]
    pub fn born(self, policy: &Policy) -> Born {
        let processor = self.processor_year.and_then(|year| Date::new(year, 1, 1).ok());
        let (bounds, years) = (Born { earliest: processor, latest: self.recorded }, policy.disposition.warranty_years);
        let bought = self.warranty_until.and_then(|end| end.checked_sub(i64::from(years).years()).ok());
        match (bought, processor) {
            (Some(day), _) if day > self.recorded => bounds,
            (Some(day), Some(earliest)) if day < earliest => Born { earliest: Some(day), ..bounds },
            (Some(day), _) => Born { earliest: Some(day), latest: day },
            (None, _) => bounds,
        }
    }
}

impl Born {
    /// Whether it was more than `years` years old on `day`.
    #[must_use]
    pub fn class(self, day: Date, years: u32) -> AgeClass {
        let turns = |born: Date| born.checked_add(i64::from(years).years()).unwrap_or(Date::MAX);
        if day > turns(self.latest) {
            AgeClass::Over
        } else if self.earliest.is_some_and(|earliest| day <= turns(earliest)) {
            AgeClass::Within
        } else {
            AgeClass::Unknown
        }
    }

    /// Its age in whole months on `day`, where the day on which it was bought is known.
    #[must_use]
    pub fn months(self, day: Date) -> Option<i64> {
        (self.earliest == Some(self.latest)).then(|| months(self.latest, day).max(0))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn born(recorded: Date, warranty_until: Option<Date>, processor_year: Option<i16>) -> Born {
        Birth { recorded, warranty_until, processor_year }.born(&Policy::default())
    }

    #[test]
    fn ten_years_end_on_the_tenth_birthday() {
        // Three years of warranty: bought on 1 September 2016.
        let bought = born(date(2017, 1, 1), Some(date(2019, 9, 1)), None);
        assert_eq!(bought, Born { earliest: Some(date(2016, 9, 1)), latest: date(2016, 9, 1) });
        assert_eq!(bought.class(date(2026, 9, 1), 10), AgeClass::Within);
        assert_eq!(bought.class(date(2026, 9, 2), 10), AgeClass::Over);
        assert_eq!(bought.months(date(2026, 8, 31)), Some(119));
    }

    #[test]
    fn bounds_say_what_they_can_and_no_more() {
        let processor = born(date(2024, 5, 1), None, Some(2018));
        assert_eq!(processor.class(date(2027, 12, 31), 10), AgeClass::Within);
        assert_eq!(processor.class(date(2028, 1, 2), 10), AgeClass::Unknown, "it may have been sold later");
        assert_eq!(processor.months(date(2026, 1, 1)), None);
        let recorded = born(date(2015, 5, 1), None, None);
        assert_eq!(recorded.class(date(2025, 5, 1), 10), AgeClass::Unknown);
        assert_eq!(recorded.class(date(2025, 5, 2), 10), AgeClass::Over);
    }

    #[test]
    fn a_warranty_that_is_refuted_makes_nothing_young() {
        let renewed = born(date(2014, 1, 1), Some(date(2026, 1, 1)), None);
        assert_eq!(renewed, Born { earliest: None, latest: date(2014, 1, 1) });
        let short = born(date(2020, 1, 1), Some(date(2018, 1, 1)), Some(2019));
        assert_eq!(short, Born { earliest: Some(date(2015, 1, 1)), latest: date(2020, 1, 1) });
    }
}
