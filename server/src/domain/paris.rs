//! Moments on the wall clock of French schools. Pure: the time zone's rules are compiled in.

use cartable_common::UtcMillis;
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// `moment` as clocks in Paris show it.
#[must_use]
pub fn date_time(moment: UtcMillis) -> DateTime {
    // Only the last day of 9999 lies beyond a Timestamp's range; the zone is compiled in.
    let timestamp = Timestamp::from_millisecond(moment.get()).unwrap_or(Timestamp::MAX);
    let zone = TimeZone::get("Europe/Paris").unwrap_or(TimeZone::UTC);
    zone.to_datetime(timestamp)
}

/// The day of `moment` in Paris.
#[must_use]
pub fn date(moment: UtcMillis) -> Date {
    date_time(moment).date()
}

/// The moment at which `day` begins in Paris.
#[must_use]
pub fn midnight(day: Date) -> UtcMillis {
    let zone = TimeZone::get("Europe/Paris").unwrap_or(TimeZone::UTC);
    let began = zone.to_timestamp(day.at(0, 0, 0, 0)).map(Timestamp::as_millisecond);
    // Days before 1970 and beyond 9999 are none that anything happened on.
    began.ok().and_then(UtcMillis::new).unwrap_or_default()
}

/// The moment at which clocks in Paris show `at`: in the hour that comes twice, the first; of one that is left out, an
/// hour later. None before 1970 and beyond 9999.
#[must_use]
pub fn moment(at: DateTime) -> Option<UtcMillis> {
    let zone = TimeZone::get("Europe/Paris").unwrap_or(TimeZone::UTC);
    zone.to_timestamp(at).ok().and_then(|moment| UtcMillis::new(moment.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_evening_in_summer_is_already_tomorrow() {
        let moment = |text: &str| UtcMillis::new(text.parse::<Timestamp>().unwrap().as_millisecond()).unwrap();
        assert_eq!(date(moment("2026-06-30T22:30:00Z")), jiff::civil::date(2026, 7, 1));
        assert_eq!(date_time(moment("2026-11-24T07:05:00Z")).hour(), 8);
        let new_year = moment("2025-12-31T23:00:00Z");
        assert_eq!(midnight(jiff::civil::date(2026, 1, 1)), new_year);
        assert_eq!(date(new_year), jiff::civil::date(2026, 1, 1));
        assert_eq!(midnight(jiff::civil::date(2026, 7, 1)), moment("2026-06-30T22:00:00Z"));
        let typed = "2026-11-24T08:05".parse().unwrap();
        assert_eq!(super::moment(typed), Some(moment("2026-11-24T07:05:00Z")));
        let last = UtcMillis::default().plus_days(i64::MAX);
        assert_eq!(date(last).year(), 9999);
    }
}
