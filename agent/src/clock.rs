//! The clock by which certificates are judged.
//!
//! A laptop whose CMOS battery is dead starts in 1970 or 2015 and would refuse the server's certificate as "not yet
//! valid", for ever. So certificates are judged by the latest of three moments: the clock, the moment this agent was
//! built, and the last moment the server told. A clock that is years ahead of those, or behind them, is not believed where it
//! would shut the laptop out (`verifier`). Never sets the machine's clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use cartable_common::UtcMillis;
use rustls::{pki_types::UnixTime, time_provider::TimeProvider};

/// A clock that is so many days ahead of all that is known is wrong: nobody opens a laptop after two years and expects it to
/// find its way back by itself (the server asks a person after 400 days).
const UNBELIEVABLE_DAYS: i64 = 2 * 365;

/// A clock that is no further than this behind what is known is right. Laptops' clocks and the server's are seconds apart, and
/// a server's that went wrong for a while minutes; certificates are dated back by an hour for the same reason. So small a
/// difference hides neither an end nor a renewal of a certificate that lives for months.
const TOLERATED_MILLIS: i64 = 60 * 60 * 1000;

/// The machine's clock now. One of the few places that read it.
pub fn now() -> UtcMillis {
    let age = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    UtcMillis::default().plus_millis(i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
}

/// When this agent was built.
pub fn built_at() -> UtcMillis {
    let seconds: i64 = env!("CARTABLE_BUILT_AT").parse().unwrap_or(0);
    UtcMillis::default().plus_millis(seconds.saturating_mul(1000))
}

/// The latest of the machine's clock and a floor that only grows with what the server says.
#[derive(Clone, Debug)]
pub struct TrustedClock(Arc<AtomicI64>);

impl Default for TrustedClock {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(built_at().get())))
    }
}

impl TrustedClock {
    /// Raises the floor to a moment that an authenticated server told.
    pub fn learn(&self, server_time: UtcMillis) {
        self.0.fetch_max(server_time.get(), Ordering::Relaxed);
    }

    /// Forgets what the server told: its clock was wrong, and its own certificate is now judged as ended.
    pub fn forget(&self) {
        self.0.store(built_at().get(), Ordering::Relaxed);
    }

    /// The latest of `clock` and the floor.
    pub fn latest(&self, clock: UtcMillis) -> UtcMillis {
        clock.max(self.floor())
    }

    /// Whether what ended at `not_after` may run all the same although `now` is later: `now` is too far ahead of the floor to
    /// be believed, and at the floor it still ran.
    pub(crate) fn may_still_run(&self, now: UtcMillis, not_after: UtcMillis) -> bool {
        let floor = self.floor();
        now > floor.plus_days(UNBELIEVABLE_DAYS) && not_after >= floor
    }

    /// Whether what begins only after `now` may run already: `now` is no more than the floor, so the machine's clock is behind
    /// what is known, and how much time has passed since is not known at all.
    pub(crate) fn may_run_already(&self, now: UtcMillis) -> bool {
        now <= self.floor()
    }

    /// The last moment that is known to have passed, whatever the machine's clock says: the latest of what the server told
    /// and when this agent was built.
    pub(crate) fn floor(&self) -> UtcMillis {
        UtcMillis::default().plus_millis(self.0.load(Ordering::Relaxed))
    }

    /// Whether the floor, not `clock`, decides.
    pub fn is_ahead_of(&self, clock: UtcMillis) -> bool {
        self.latest(clock) > clock
    }

    /// Whether `clock` is certainly wrong: further behind the floor than clocks differ.
    pub(crate) fn is_far_ahead_of(&self, clock: UtcMillis) -> bool {
        self.floor().millis_since(clock) > TOLERATED_MILLIS
    }
}

impl TimeProvider for TrustedClock {
    fn current_time(&self) -> Option<UnixTime> {
        let millis = u64::try_from(self.latest(now()).get()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(millis)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_cmos_clock_is_replaced_by_what_is_known() {
        let dead = UtcMillis::default();
        let clock = TrustedClock::default();
        assert_eq!(clock.latest(dead), built_at());
        let later = built_at().plus_days(100);
        clock.learn(later);
        clock.learn(built_at().plus_days(1));
        assert_eq!(clock.latest(dead), later, "the floor never goes back by itself");
        assert!(clock.is_ahead_of(dead) && !clock.is_ahead_of(later.plus_days(1)));
        clock.forget();
        assert_eq!(clock.latest(dead), built_at());
    }

    #[test]
    fn a_clock_is_wrong_only_beyond_what_clocks_differ() {
        let told = built_at().plus_days(1);
        let clock = TrustedClock::default();
        clock.learn(told);
        for (behind, is_wrong) in [(0, false), (1_000, false), (TOLERATED_MILLIS, false), (TOLERATED_MILLIS + 1, true)]
        {
            assert_eq!(clock.is_far_ahead_of(told.plus_millis(-behind)), is_wrong, "{behind} ms");
        }
        assert!(!clock.is_far_ahead_of(told.plus_days(900)));
    }
}
