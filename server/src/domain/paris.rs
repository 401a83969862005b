//! Moments on the wall clock of French schools. Pure: the time zone's rules are compiled in.

use cartable_common::UtcMillis;
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::{AmbiguousOffset, TimeZone},
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

/// Why a time that somebody wrote is no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMoment {
    /// A day alone, a time alone, or a time of another zone.
    #[error("write the day and the time in Paris, as 2027-06-14T08:00")]
    Form,
    /// It lies in the hour that is left out when summer time begins.
    #[error("this time does not exist in Paris: summer time begins that night, and clocks go from 02:00 to 03:00")]
    LeftOut,
    /// Before 1970 or beyond 9999.
    #[error("it lies outside the years 1970 to 9999")]
    Outside,
}

/// The moment at which clocks in Paris show `at`: in the hour that comes twice, the first.
pub fn moment(at: DateTime) -> Result<UtcMillis, NoMoment> {
    let zone = TimeZone::get("Europe/Paris").unwrap_or(TimeZone::UTC);
    if matches!(zone.to_ambiguous_timestamp(at).offset(), AmbiguousOffset::Gap { .. }) {
        return Err(NoMoment::LeftOut);
    }
    let moment = zone.to_timestamp(at).map_err(|_| NoMoment::Outside)?;
    UtcMillis::new(moment.as_millisecond()).ok_or(NoMoment::Outside)
}

/// The moment that a person typed at the command line, in Paris: 2027-06-14T08:00.
pub fn typed(text: &str) -> Result<UtcMillis, NoMoment> {
    // The parser would take a day alone for its first minute, and read over an offset.
    let (_, time) = text.split_once(['T', ' ']).ok_or(NoMoment::Form)?;
    if !time.contains(':') || time.contains(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.')) {
        return Err(NoMoment::Form);
    }
    let at: DateTime = text.parse().map_err(|_| NoMoment::Form)?;
    moment(at)
}

/// The moment as [`typed`] takes it, to the minute.
#[must_use]
pub fn written(moment: UtcMillis) -> String {
    date_time(moment).strftime("%Y-%m-%dT%H:%M").to_string()
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
        assert_eq!(super::moment(typed), Ok(moment("2026-11-24T07:05:00Z")));
        let last = UtcMillis::default().plus_days(i64::MAX);
        assert_eq!(date(last).year(), 9999);
    }

    #[test]
    fn a_time_is_taken_whole_or_not_at_all_and_written_as_it_is_taken() {
        let eight = typed("2027-06-14T08:00").unwrap();
        assert_eq!(written(eight), "2027-06-14T08:00");
        assert_eq!(typed("2027-06-14 08:00:00.5"), Ok(eight.plus_millis(500)));
        for bad in [
            "2027-06-14",
            "08:00",
            "2027-06-14T08",
            "2027-06-14T08:00Z",
            "2027-06-14T08:00+02:00",
            "2027-06-31T08:00",
            "",
        ] {
            assert_eq!(typed(bad), Err(NoMoment::Form), "{bad}");
        }
        assert_eq!(typed("1969-06-14T08:00"), Err(NoMoment::Outside));
    }

    #[test]
    fn the_hour_that_is_left_out_is_no_time_and_the_one_that_comes_twice_is_its_first() {
        for left_out in ["2027-03-28T02:00", "2027-03-28T02:30", "2027-03-28T02:59:59"] {
            assert_eq!(typed(left_out), Err(NoMoment::LeftOut), "{left_out}");
        }
        let (before, after) = (typed("2027-03-28T01:59").unwrap(), typed("2027-03-28T03:00").unwrap());
        assert_eq!(after.millis_since(before), 60_000);
        let (twice, later) = (typed("2027-10-31T02:30").unwrap(), typed("2027-10-31T03:30").unwrap());
        assert_eq!(later.millis_since(twice), 2 * 60 * 60_000);
    }
}
