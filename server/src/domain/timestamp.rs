//! Moments and days as the API and the command line write them: RFC 3339 in UTC.

use cartable_common::UtcMillis;
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// The moment, to the millisecond: `2026-11-24T11:30:00.000Z`.
pub fn rfc3339(moment: UtcMillis) -> String {
    // Every `UtcMillis` lies within 1970 to 9999. A jiff timestamp ends a day earlier (room for any zone): a civil
    // moment covers all of it.
    let since_epoch = SignedDuration::from_millis(moment.get());
    EPOCH.checked_add(since_epoch).map(|moment| format!("{moment:.3}Z")).unwrap_or_default()
}

/// The day, from its number since 1970-01-01 UTC: `2026-11-24`.
pub fn date(day: i64) -> Option<String> {
    let moment = Timestamp::from_second(day.checked_mul(24 * 60 * 60)?).ok()?;
    Some(moment.to_zoned_datetime(TimeZone::UTC).date().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_days_are_written_in_full() {
        assert_eq!(rfc3339(UtcMillis::default()), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(UtcMillis::default().plus_millis(i64::MAX)), "9999-12-31T23:59:59.999Z");
        assert_eq!(date(20_000).as_deref(), Some("2024-10-04"));
        assert_eq!(date(i64::MAX), None);
    }
}
