//! Reads stored values back into their types. What does not parse was not written by this program: an error that names
//! the column, never a default.

use std::{fmt::Display, str::FromStr};

use cartable_common::UtcMillis;
use jiff::civil::Date;
use serde::de::DeserializeOwned;

use super::StoreError;

const EPOCH: Date = jiff::civil::date(1970, 1, 1);

pub(crate) fn moment(what: &'static str, millis: i64) -> Result<UtcMillis, StoreError> {
    UtcMillis::new(millis).ok_or_else(|| StoreError::Corrupt { what, why: format!("{millis} is no moment") })
}

pub(crate) fn optional_moment(what: &'static str, millis: Option<i64>) -> Result<Option<UtcMillis>, StoreError> {
    millis.map(|millis| moment(what, millis)).transpose()
}

pub(crate) fn parsed<T: FromStr<Err: Display>>(what: &'static str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|why: T::Err| StoreError::Corrupt { what, why: why.to_string() })
}

pub(crate) fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|why| StoreError::Corrupt { what, why: why.to_string() })
}

pub(crate) fn to_json<T: serde::Serialize>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|why| StoreError::Corrupt { what, why: why.to_string() })
}

/// A civil day as it is stored: whole days since 1970-01-01.
pub(crate) fn day_number(day: Date) -> i64 {
    let days = day.since(EPOCH).map(|span| span.get_days()).unwrap_or_default();
    i64::from(days)
}

/// The civil day of [`day_number`].
pub(crate) fn day(what: &'static str, number: i64) -> Result<Date, StoreError> {
    let days = jiff::Span::new().try_days(number);
    days.and_then(|span| EPOCH.checked_add(span))
        .map_err(|_| StoreError::Corrupt { what, why: format!("{number} is no day") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_survive_being_stored() {
        for date in [Date::MIN, jiff::civil::date(2027, 7, 2), EPOCH, Date::MAX] {
            assert_eq!(day("test", day_number(date)).unwrap(), date);
        }
        assert_eq!(day_number(jiff::civil::date(1970, 1, 2)), 1);
        assert!(day("test", i64::MAX).is_err());
    }
}
