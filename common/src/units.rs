//! Quantities with their unit in the type.
//!
//! All are whole numbers: a report carries no floating point, so there is no NaN, no infinity and no rounding to
//! disagree about. Values that a database column (64-bit signed) cannot hold are refused when parsed.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::describe::Described;

macro_rules! quantity {
    ($(#[$meta:meta])* $name:ident, $inner:ty, $range:expr, $unit:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name($inner);

        impl $name {
            /// The value, if it lies in the range of the unit.
            pub fn new(value: $inner) -> Option<Self> {
                ($range).contains(&value).then_some(Self(value))
            }

            /// The bare number.
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = <$inner>::deserialize(deserializer)?;
                Self::new(value).ok_or_else(|| {
                    D::Error::custom(format_args!("{value} {} is outside {:?}", $unit, $range))
                })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Described for $name {
            const UNIT: &'static str = $unit;
        }
    };
}

/// Largest number that a database column and every JSON reader hold exactly.
const MAX_EXACT: u64 = 1 << 53;

/// 9999-12-31T23:59:59.999Z, the last moment that four-digit years can write.
const END_OF_9999: i64 = 253_402_300_799_999;

quantity!(
    /// A size in bytes, at most 2⁵³ (9 petabytes).
    Bytes, u64, 0..=MAX_EXACT, "bytes"
);
quantity!(
    /// A share in percent. Up to 255, because NVMe's "percentage used" may pass 100.
    Percent, u8, 0..=u8::MAX, "percent"
);
quantity!(
    /// A temperature in whole degrees Celsius, −60 to 200: beyond that a sensor is broken, not hot.
    Celsius, i16, -60..=200, "degrees Celsius"
);
quantity!(
    /// A duration in whole hours, at most 1,000,000 (114 years).
    Hours, u32, 0..=1_000_000, "hours"
);
quantity!(
    /// An energy in milliwatt-hours, at most 1,000,000 (ten times a large laptop battery's).
    MilliwattHours, u32, 0..=1_000_000, "milliwatt-hours"
);
quantity!(
    /// A charge in milliampere-hours, at most 1,000,000.
    MilliampHours, u32, 0..=1_000_000, "milliampere-hours"
);
quantity!(
    /// A moment: milliseconds since 1970-01-01 UTC, from 1970 to the end of 9999.
    UtcMillis, i64, 0..=END_OF_9999, "UTC milliseconds"
);

impl UtcMillis {
    /// Milliseconds in a day.
    pub const DAY: i64 = 24 * 60 * 60 * 1000;

    /// The moment `millis` later (earlier if negative), held within the range of the type.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis).clamp(0, END_OF_9999))
    }

    /// The moment `days` later (earlier if negative).
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        self.plus_millis(days.saturating_mul(Self::DAY))
    }

    /// Milliseconds from `earlier` to this moment; negative if `earlier` is later.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// Whole days since 1970-01-01 UTC.
    pub const fn day_number(self) -> i64 {
        self.0.div_euclid(Self::DAY)
    }
}

/// A day, as its first moment (UTC): whatever moment it is made of or read from, the time of day is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "UtcMillis", into = "UtcMillis")]
pub struct UtcDay(UtcMillis);

impl UtcDay {
    /// Its first moment.
    pub const fn start(self) -> UtcMillis {
        self.0
    }
}

impl From<UtcMillis> for UtcDay {
    fn from(moment: UtcMillis) -> Self {
        Self(UtcMillis::default().plus_days(moment.day_number()))
    }
}

impl From<UtcDay> for UtcMillis {
    fn from(day: UtcDay) -> Self {
        day.0
    }
}

impl Described for UtcDay {
    const UNIT: &'static str = "UTC day, by its first millisecond";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_outside_its_range_is_refused_with_the_range() {
        let error = serde_json::from_str::<Celsius>("300").unwrap_err().to_string();
        assert!(error.starts_with("300 degrees Celsius is outside -60..=200"), "{error}");
        for bad in ["1e999", "NaN", "-1", "1.5", "\"1\"", &"9".repeat(400)] {
            assert!(serde_json::from_str::<Bytes>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_day_has_no_time_of_day_whatever_it_is_made_of_or_read_from() {
        let moment = UtcMillis::default().plus_days(20_000).plus_millis(UtcMillis::DAY - 1);
        assert_eq!(UtcDay::from(moment).start(), UtcMillis::default().plus_days(20_000));
        // An older agent's moment, and the server's record of it.
        let read: UtcDay = serde_json::from_str(&moment.to_string()).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), (20_000 * UtcMillis::DAY).to_string());
    }

    #[test]
    fn moments_never_leave_their_range() {
        let last = UtcMillis::new(253_402_300_799_999).unwrap();
        assert_eq!(last.plus_days(i64::MAX), last);
        assert_eq!(UtcMillis::default().plus_days(-1), UtcMillis::default());
    }
}
