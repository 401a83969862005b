//! When the agent speaks next. Pure functions: no clock, no randomness, no waiting.
//!
//! The server dictates the interval. After a failure the agent waits a random time that grows to an hour at most; a
//! refused agent goes slower, never gives up and never hurries. What must survive a restart is in [`Pace`].

use std::time::Duration;

use cartable_common::{
    UtcMillis,
    limits::{DEFAULT_CHECK_IN_SECONDS, MAX_CHECK_IN_SECONDS, MIN_CHECK_IN_SECONDS},
};
use serde::{Deserialize, Serialize};

use crate::trouble::{Trouble, TroubleKind};

/// The first check-in after a start happens within this: 21,000 laptops opened at 8 o'clock spread over a minute.
pub const FIRST_WITHIN_SECONDS: u32 = 60;

/// Longest wait after a failure: whatever happens, the agent tries every hour.
pub const LONGEST_RETRY_SECONDS: u32 = 60 * 60;

/// The first backoff is drawn from up to this.
const FIRST_BACKOFF_SECONDS: u32 = 60;

/// Shortest wait after a refusal: nothing changes on a server within minutes unless a person acts.
const SHORTEST_REFUSED_SECONDS: u32 = 30 * 60;

/// A waking laptop's network needs a moment, and a whole class wakes together.
const AFTER_WAKE_SECONDS: u32 = 45;

/// How the last contacts went, as far as the next one depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Failures since the last success.
    #[serde(default)]
    pub failures: u32,
    /// When the next contact was planned, by this machine's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<UtcMillis>,
}

/// How a contact ended.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// Well; the server dictates the next one.
    Success {
        /// Seconds to the next check-in, as the server says.
        next_check_in_seconds: u32,
    },
    /// Badly.
    Failure(&'a Trouble),
}

/// The pace and the wait after a contact. `random` is any random number.
#[must_use]
pub fn after(pace: Pace, outcome: Outcome<'_>, now: UtcMillis, random: u64) -> (Pace, Duration) {
    let (failures, seconds) = match outcome {
        Outcome::Success { next_check_in_seconds } => (0, accepted_interval(next_check_in_seconds)),
        Outcome::Failure(trouble) => {
            let failures = pace.failures.saturating_add(1);
            (failures, retry_seconds(trouble, failures, random))
        }
    };
    let wait = Duration::from_secs(u64::from(seconds));
    (Pace { failures, next_at: Some(now.plus_millis(i64::from(seconds) * 1000)) }, wait)
}

/// The wait before the first contact after a start: a random part of `first_within`, but never less than what is left
/// of a backoff, so that a restart loop is not a retry loop.
#[must_use]
pub fn at_start(pace: Pace, first_within_seconds: u32, now: UtcMillis, random: u64) -> Duration {
    let first = i64::from(draw(0, first_within_seconds, random)) * 1000;
    let left = match pace.next_at {
        Some(next_at) if pace.failures > 0 => next_at.millis_since(now),
        _ => 0,
    };
    // A plan further away than the longest retry was made by a clock that has jumped since.
    let left = if left > i64::from(LONGEST_RETRY_SECONDS) * 1000 { 0 } else { left };
    Duration::from_millis(u64::try_from(first.max(left)).unwrap_or(0))
}

/// The further wait when the machine slept past the planned moment.
#[must_use]
pub fn after_wake(overdue: Duration, random: u64) -> Duration {
    if overdue < Duration::from_secs(u64::from(AFTER_WAKE_SECONDS)) {
        return Duration::ZERO;
    }
    Duration::from_secs(u64::from(draw(AFTER_WAKE_SECONDS / 3, AFTER_WAKE_SECONDS, random)))
}

/// Whether a failure is worth a line in the log: the first ones, then ever rarer, at least about daily. A laptop at
/// home all summer fills no disk with "no network".
#[must_use]
pub const fn is_worth_a_line(failures: u32) -> bool {
    failures.is_power_of_two() || failures.is_multiple_of(24)
}

/// The server's interval, held within what an agent accepts; zero means "as usual".
fn accepted_interval(seconds: u32) -> u32 {
    if seconds == 0 {
        return DEFAULT_CHECK_IN_SECONDS;
    }
    seconds.clamp(MIN_CHECK_IN_SECONDS, MAX_CHECK_IN_SECONDS)
}

fn retry_seconds(trouble: &Trouble, failures: u32, random: u64) -> u32 {
    let waits_for_people = [
        TroubleKind::Refused,
        TroubleKind::AwaitsApproval,
        TroubleKind::QueueFull,
        TroubleKind::KeyCloned,
        TroubleKind::KeyLost,
    ];
    if waits_for_people.contains(&trouble.kind) {
        return draw(SHORTEST_REFUSED_SECONDS, LONGEST_RETRY_SECONDS, random);
    }
    // Full jitter: anything between the shortest wait and a ceiling that doubles.
    let ceiling = FIRST_BACKOFF_SECONDS
        .checked_shl(failures.saturating_sub(1).min(6))
        .unwrap_or(LONGEST_RETRY_SECONDS)
        .min(LONGEST_RETRY_SECONDS);
    let backoff = draw(MIN_CHECK_IN_SECONDS, ceiling, random);
    let asked = trouble.retry_after_seconds.unwrap_or(0).min(LONGEST_RETRY_SECONDS);
    // All who were told "in 60 seconds" would come back together: up to a quarter more.
    let asked = draw(asked, asked.saturating_add(asked / 4), random);
    backoff.max(asked).min(LONGEST_RETRY_SECONDS)
}

/// A number from `low` to `high`, both included.
pub(crate) fn draw(low: u32, high: u32, random: u64) -> u32 {
    let span = u64::from(high.saturating_sub(low)) + 1;
    low.saturating_add(u32::try_from(random % span).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trouble(kind: TroubleKind) -> Trouble {
        Trouble::new(kind, "test")
    }

    #[test]
    fn a_success_obeys_the_server_within_bounds_and_forgets_failures() {
        let pace = Pace { failures: 9, next_at: None };
        let now = UtcMillis::default();
        for (asked, kept) in [(3600, 3600), (1, 30), (0, 3600), (u32::MAX, 86_400)] {
            let (pace, wait) = after(pace, Outcome::Success { next_check_in_seconds: asked }, now, 7);
            assert_eq!((pace.failures, wait.as_secs()), (0, kept));
        }
    }

    #[test]
    fn a_refused_agent_slows_down_but_comes_back_within_the_hour() {
        let refused = trouble(TroubleKind::Refused);
        for random in [0, 1, u64::MAX, 123_456_789] {
            let (_, wait) = after(Pace::default(), Outcome::Failure(&refused), UtcMillis::default(), random);
            assert!((1800..=3600).contains(&wait.as_secs()), "{wait:?}");
        }
    }

    #[test]
    fn who_finds_the_queue_full_asks_as_often_as_who_waits_in_it() {
        let full = Trouble { retry_after_seconds: Some(3600), ..trouble(TroubleKind::QueueFull) };
        for (failures, random) in [(0, 0), (9, 1), (0, u64::MAX)] {
            let pace = Pace { failures, next_at: None };
            let wait = |trouble: &Trouble| after(pace, Outcome::Failure(trouble), UtcMillis::default(), random).1;
            assert_eq!(wait(&full), wait(&trouble(TroubleKind::AwaitsApproval)), "{failures}, {random}");
        }
    }

    /// What anybody on the way to the server can bring about: portals, forged alerts, certificates of their own.
    #[test]
    fn whoever_proves_nothing_costs_no_more_than_a_network_that_is_down() {
        let wait = |kind, failures, random| {
            let pace = Pace { failures, next_at: None };
            after(pace, Outcome::Failure(&trouble(kind)), UtcMillis::default(), random).1
        };
        for kind in [
            TroubleKind::NameResolution,
            TroubleKind::TimedOut,
            TroubleKind::Proxy,
            TroubleKind::CaptivePortal,
            TroubleKind::UntrustedServer,
            TroubleKind::Clock,
            TroubleKind::NotUnderstood,
        ] {
            for failures in 0..10 {
                for random in [0, 1, 123_456_789, u64::MAX] {
                    let down = wait(TroubleKind::Unreachable, failures, random);
                    assert_eq!(wait(kind, failures, random), down, "{kind:?} after {failures}");
                }
            }
        }
    }

    #[test]
    fn a_busy_server_is_obeyed() {
        let busy = Trouble { retry_after_seconds: Some(600), ..trouble(TroubleKind::Busy) };
        let (_, wait) = after(Pace::default(), Outcome::Failure(&busy), UtcMillis::default(), 0);
        assert!((600..=750).contains(&wait.as_secs()), "{wait:?}");
    }

    #[test]
    fn a_restart_continues_a_backoff_but_not_one_from_a_clock_that_jumped() {
        let now = UtcMillis::default().plus_days(20_000);
        let pace = |millis| Pace { failures: 3, next_at: Some(now.plus_millis(millis)) };
        assert_eq!(at_start(pace(600_000), 60, now, 30), Duration::from_mins(10));
        assert_eq!(at_start(pace(-5), 60, now, 30), Duration::from_secs(30));
        assert_eq!(at_start(pace(UtcMillis::DAY), 60, now, 30), Duration::from_secs(30));
        let well = Pace { failures: 0, next_at: Some(now.plus_millis(600_000)) };
        assert_eq!(at_start(well, 0, now, 30), Duration::ZERO);
    }

    #[test]
    fn a_woken_laptop_waits_for_its_network() {
        assert_eq!(after_wake(Duration::from_secs(2), 99), Duration::ZERO);
        assert!((15..=45).contains(&after_wake(Duration::from_hours(2), 99).as_secs()));
    }

    #[test]
    fn a_summer_without_network_is_a_hundred_lines() {
        let lines = (1..=24 * 70).filter(|failures| is_worth_a_line(*failures)).count();
        assert!((70..100).contains(&lines), "{lines}");
        assert!(is_worth_a_line(1) && is_worth_a_line(2) && !is_worth_a_line(3));
    }

    proptest! {
        #[test]
        fn never_a_tight_loop_never_longer_than_an_hour(failures in any::<u32>(), random in any::<u64>(), asked in any::<Option<u32>>(), refused in any::<bool>()) {
            let kind = if refused { TroubleKind::Refused } else { TroubleKind::Busy };
            let trouble = Trouble { retry_after_seconds: asked, ..trouble(kind) };
            let now = UtcMillis::default();
            let (pace, wait) = after(Pace { failures, next_at: None }, Outcome::Failure(&trouble), now, random);
            prop_assert!((u64::from(MIN_CHECK_IN_SECONDS)..=u64::from(LONGEST_RETRY_SECONDS)).contains(&wait.as_secs()));
            prop_assert_eq!(pace.failures, failures.saturating_add(1));
            prop_assert!(at_start(pace, 0, now, random) == wait);
        }
    }
}
