//! The periodic jobs: how often each runs, and when it is missed.

use std::time::Duration;

use cartable_common::UtcMillis;

use super::verdict::text_enum;

text_enum! {
    /// A periodic job.
    pub enum Job {
        /// Raises and clears the flags that time alone changes.
        FlagSweep = "flag_sweep",
        /// Makes the tables of the months ahead.
        HistoryMonths = "history_months",
        /// Forgets in time.
        Retention = "retention",
        /// Forgets who borrowers were.
        IdentityErasure = "identity_erasure",
        /// Writes to people.
        Notices = "notices",
        /// Tells other systems.
        Webhooks = "webhooks",
    }
}

/// What a job may be late by, besides three of its intervals.
const GRACE: Duration = Duration::from_mins(10);

impl Job {
    /// Between two runs.
    pub const fn every(self) -> Duration {
        match self {
            Self::FlagSweep => Duration::from_mins(10),
            Self::HistoryMonths => Duration::from_hours(12),
            Self::Retention | Self::IdentityErasure => Duration::from_hours(6),
            Self::Notices => Duration::from_mins(5),
            Self::Webhooks => Duration::from_mins(1),
        }
    }

    /// Whether the job is missed: it last ended well at `succeeded`, or never and was known since `known`; `failing` when
    /// its last run ended badly.
    #[must_use]
    pub fn is_missed(self, known: UtcMillis, succeeded: Option<UtcMillis>, failing: bool, now: UtcMillis) -> bool {
        let allowed = self.every() * 3 + GRACE;
        let waited = now.millis_since(succeeded.unwrap_or(known));
        waited > i64::try_from(allowed.as_millis()).unwrap_or(i64::MAX) || (succeeded.is_none() && failing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_missed_after_three_intervals_and_when_it_never_ended_well() {
        let known = UtcMillis::default().plus_days(1);
        let after = |minutes: i64| known.plus_millis(minutes * 60_000);
        assert!(!Job::Notices.is_missed(known, None, false, after(25)));
        assert!(Job::Notices.is_missed(known, None, false, after(26)));
        assert!(!Job::Notices.is_missed(known, Some(after(20)), true, after(45)));
        assert!(Job::Notices.is_missed(known, Some(after(20)), true, after(46)));
        assert!(Job::Notices.is_missed(known, None, true, after(1)));
    }
}
