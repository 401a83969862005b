//! Counts unknown enrolment tokens and unproven recoveries per address, recoveries per key, and tells whoever tries too many
//! to wait.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use cartable_common::UtcMillis;

use super::limits::BAD_TOKENS_PER_MINUTE;

const WINDOW_MILLIS: i64 = 60_000;
/// Sources remembered; beyond, the oldest window is forgotten.
const MAX_SOURCES: usize = 10_000;

/// The counts for each source. Per process and forgotten at a restart: tokens are too long to guess either way.
#[derive(Debug)]
pub(super) struct Throttle<S> {
    sources: Mutex<HashMap<S, Window>>,
}

impl<S> Default for Throttle<S> {
    fn default() -> Self {
        Self { sources: Mutex::default() }
    }
}

#[derive(Clone, Copy, Debug)]
struct Window {
    since: UtcMillis,
    bad: u32,
}

impl<S: Copy + Eq + Hash> Throttle<S> {
    /// Seconds that `source` must wait, if it must.
    pub(super) fn wait_seconds(&self, source: impl Into<S>, now: UtcMillis) -> Option<u32> {
        let source: S = source.into();
        let sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let window = sources.get(&source).filter(|window| window.is_open(now))?;
        let left = WINDOW_MILLIS - now.millis_since(window.since);
        (window.bad >= BAD_TOKENS_PER_MINUTE).then(|| u32::try_from(left / 1000 + 1).unwrap_or(60))
    }

    /// Counts an attempt of `source`.
    pub(super) fn count(&self, source: impl Into<S>, now: UtcMillis) {
        let source: S = source.into();
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if sources.len() >= MAX_SOURCES {
            sources.retain(|_, window| window.is_open(now));
        }
        if sources.len() >= MAX_SOURCES {
            let oldest = sources.iter().min_by_key(|(_, window)| window.since).map(|(source, _)| *source);
            oldest.map(|oldest| sources.remove(&oldest));
        }
        let fresh = Window { since: now, bad: 0 };
        let window = sources.entry(source).or_insert(fresh);
        if !window.is_open(now) {
            *window = fresh;
        }
        window.bad += 1;
    }
}

impl Window {
    /// A clock that was set back ends the window rather than prolonging it.
    fn is_open(self, now: UtcMillis) -> bool {
        (0..WINDOW_MILLIS).contains(&now.millis_since(self.since))
    }
}

/// What counts as one address: an IPv6 user owns at least a /64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Network(IpAddr);

impl From<IpAddr> for Network {
    fn from(source: IpAddr) -> Self {
        Self(match source.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
            four @ IpAddr::V4(_) => four,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_guesses_waits_and_others_do_not() {
        let throttle = Throttle::<Network>::default();
        let (pupil, other): (IpAddr, IpAddr) = ("2001:db8::1".parse().unwrap(), "192.0.2.1".parse().unwrap());
        let now = UtcMillis::new(1_000_000).unwrap();
        for _ in 0..BAD_TOKENS_PER_MINUTE {
            assert_eq!(throttle.wait_seconds(pupil, now), None);
            throttle.count(pupil, now);
        }
        assert_eq!(throttle.wait_seconds(pupil, now), Some(61));
        let neighbour: IpAddr = "2001:db8::2".parse().unwrap();
        assert_eq!(throttle.wait_seconds(neighbour, now.plus_millis(30_000)), Some(31));
        assert_eq!(throttle.wait_seconds(other, now), None);
        assert_eq!(throttle.wait_seconds(pupil, now.plus_millis(60_000)), None);
        assert_eq!(throttle.wait_seconds(pupil, now.plus_millis(-1)), None);
    }
}
