//! When a device should come back.
//!
//! Ordinary check-ins come back after one interval, moved a little at random. At the hours when a whole class opens its
//! laptops at once the spread is wide, and each device also has its own place in it, so that the burst of eight o'clock
//! is not seen again at nine.

use cartable_common::{DeviceId, UtcMillis, limits};

use super::{paris, policy::Policy};

/// Seconds to the next check-in of `device`. `random` is any number; the same arguments give the same answer.
#[must_use]
pub fn next_check_in_seconds(device: DeviceId, now: UtcMillis, policy: &Policy, random: u64) -> u32 {
    let rules = &policy.check_in;
    let interval = u64::from(rules.interval_minutes) * 60;
    let hour = u32::from(paris::date_time(now).hour().unsigned_abs());
    let herd = (rules.herd_from_hour..rules.herd_until_hour).contains(&hour);
    let jitter = u64::from(if herd { rules.herd_jitter_percent } else { rules.jitter_percent });
    let spread = interval * jitter / 100;
    let place = mix(device.0.as_u128(), if herd { random % HERD_PLACES } else { random });
    let seconds = interval - spread + place % (2 * spread + 1);
    u32::try_from(seconds)
        .unwrap_or(limits::MAX_CHECK_IN_SECONDS)
        .clamp(limits::MIN_CHECK_IN_SECONDS, limits::MAX_CHECK_IN_SECONDS)
}

/// At herd hours a device keeps to one of a few places of its own: two devices that met once seldom meet again.
const HERD_PLACES: u64 = 4;

/// Spreads two numbers over all 64 bits (the finaliser of SplitMix64).
fn mix(device: u128, random: u64) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "both halves are folded into one word")]
    let folded = (device as u64) ^ ((device >> 64) as u64);
    let mut word = folded.wrapping_add(random.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn at(text: &str) -> UtcMillis {
        UtcMillis::new(text.parse::<jiff::Timestamp>().unwrap().as_millisecond()).unwrap()
    }

    #[test]
    fn a_class_that_opens_at_eight_does_not_meet_again() {
        let eight = at("2026-11-24T07:00:00Z");
        let mut arrivals = std::collections::BTreeMap::<u32, u32>::new();
        for device in 0..2_000_u128 {
            let device = DeviceId(Uuid::from_u128(device << 64 | 0x7000_8000));
            let seconds = next_check_in_seconds(
                device,
                eight,
                &Policy::default(),
                u64::try_from(device.0.as_u128() >> 64).unwrap() * 7,
            );
            *arrivals.entry(seconds / 60).or_default() += 1;
        }
        let busiest = arrivals.values().max().copied().unwrap();
        assert!(arrivals.len() >= 45, "spread over {} minutes", arrivals.len());
        assert!(busiest < 2 * 2_000 / 48, "{busiest} in one minute of 48");
    }

    proptest! {
        #[test]
        fn the_interval_stays_in_its_bounds(device: u128, now in 0..=253_402_300_799_999_i64, random: u64, minutes in 1_u32..=1440) {
            let mut policy = Policy::default();
            policy.check_in.interval_minutes = minutes;
            let now = UtcMillis::new(now).unwrap();
            let seconds = next_check_in_seconds(DeviceId(Uuid::from_u128(device)), now, &policy, random);
            let hour = paris::date_time(now).hour();
            let share = if (8..10).contains(&hour) { 40 } else { 10 };
            let (low, high) = (minutes * 60 * (100 - share) / 100, minutes * 60 * (100 + share) / 100);
            prop_assert!(seconds >= low.max(30) && seconds <= high.clamp(30, 86_400), "{low} ≤ {seconds} ≤ {high}");
        }
    }
}
