//! A device certificate as a lease: for whom, under which serial number, from when to when, and when to renew it.
//!
//! A lease is recorded before the certificate is signed, so that no certificate exists unrecorded.

use cartable_common::{DeviceId, EnrolmentId, UtcMillis};

/// Life of a device certificate in days: longer than a summer away from school.
const DAYS: i64 = 180;
/// Life in days of a certificate for a key that is set aside because it is on several machines: time to ask for another key
/// and, hour by hour, whether a person agreed; the next is asked for like this one.
const SET_ASIDE_DAYS: i64 = 7;
/// Life of the certificate of another system's agent in days: a person renews it, by hand.
const FOREIGN_DAYS: i64 = 365;
/// How far a certificate begins in the past: laptops' clocks run behind.
const BACKDATED_MILLIS: i64 = 60 * 60 * 1000;
/// When an agent begins to renew, in days after issue.
const RENEW_FROM_DAYS: i64 = 60;
/// How far agents' renewals spread, in days: a class enrolled together does not renew together.
const RENEW_SPREAD_DAYS: u64 = 10;
/// When the server asks for a renewal itself, in days after issue: that agent's clock or schedule is wrong.
const RENEW_ASKED_DAYS: i64 = 75;

/// What a certificate is issued for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Names the certificate: 126 random bits, always 16 bytes. Never derived from the key: a renewal would repeat it.
    pub serial: [u8; 16],
    /// The device.
    pub device: DeviceId,
    /// The enrolment whose key it certifies.
    pub enrolment: EnrolmentId,
    /// When it begins.
    pub not_before: UtcMillis,
    /// When it ends.
    pub not_after: UtcMillis,
}

impl Lease {
    /// A new lease from `now`, its serial number made of `random`.
    pub fn new(device: DeviceId, enrolment: EnrolmentId, random: [u8; 16], now: UtcMillis) -> Self {
        Self::lasting(DAYS, (device, enrolment), random, now)
    }

    /// The same for another system's agent, which cannot renew by itself.
    pub fn of_foreign_agent(device: DeviceId, enrolment: EnrolmentId, random: [u8; 16], now: UtcMillis) -> Self {
        Self::lasting(FOREIGN_DAYS, (device, enrolment), random, now)
    }

    fn lasting(days: i64, (device, enrolment): (DeviceId, EnrolmentId), random: [u8; 16], now: UtcMillis) -> Self {
        Self {
            serial: serial(random),
            device,
            enrolment,
            not_before: whole_seconds(now.plus_millis(-BACKDATED_MILLIS)),
            not_after: whole_seconds(now.plus_days(days)),
        }
    }

    /// The same for a key that is set aside: a short one.
    pub fn of_key_set_aside(device: DeviceId, enrolment: EnrolmentId, random: [u8; 16], now: UtcMillis) -> Self {
        let not_after = whole_seconds(now.plus_days(SET_ASIDE_DAYS));
        Self { not_after, ..Self::new(device, enrolment, random, now) }
    }

    /// From when on the agent should renew; spread by `random`. Not before a short one ends.
    pub fn renew_from(&self, random: u64) -> UtcMillis {
        let spread = i64::try_from(random % (RENEW_SPREAD_DAYS * 86_400)).unwrap_or_default() * 1000;
        self.not_before.plus_days(RENEW_FROM_DAYS).plus_millis(spread).min(self.not_after)
    }
}

/// When a certificate that begins at `not_before` was issued, to the second.
pub fn issued_at(not_before: UtcMillis) -> UtcMillis {
    not_before.plus_millis(BACKDATED_MILLIS)
}

/// Whether a certificate of that term is one that an agent of ours has for itself: not that of another system's agent, nor the
/// short one of a key that is set aside.
pub fn is_of_an_agent(not_before: UtcMillis, not_after: UtcMillis) -> bool {
    whole_seconds(issued_at(not_before).plus_days(DAYS)) == whole_seconds(not_after)
}

/// A positive serial number that is always 16 bytes long.
pub const fn serial(mut random: [u8; 16]) -> [u8; 16] {
    random[0] = (random[0] & 0x7f) | 0x40;
    random
}

/// Whether a certificate that began at `not_before` is so old at `now` that the server asks for a renewal.
pub fn is_renewal_overdue(not_before: UtcMillis, now: UtcMillis) -> bool {
    not_before.plus_days(RENEW_ASKED_DAYS) <= now
}

/// Certificates count in whole seconds; the record must say the same.
pub(super) fn whole_seconds(moment: UtcMillis) -> UtcMillis {
    moment.plus_millis(-(moment.get() % 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease() -> Lease {
        let now = UtcMillis::new(1_796_000_000_123).unwrap();
        Lease::new(DeviceId(uuid::Uuid::nil()), EnrolmentId(uuid::Uuid::nil()), [0xff; 16], now)
    }

    #[test]
    fn it_counts_in_whole_seconds_and_its_serial_is_positive() {
        let lease = lease();
        assert_eq!(lease.not_before.get(), 1_795_996_400_000);
        assert_eq!(lease.not_after.get(), 1_811_552_000_000);
        assert_eq!(lease.serial[0], 0x7f);
        assert_eq!(serial([0; 16])[0], 0x40);
    }

    #[test]
    fn a_key_that_is_set_aside_has_a_week_and_is_not_renewed_within_it() {
        let long = lease();
        let short = Lease::of_key_set_aside(long.device, long.enrolment, [0xff; 16], long.not_before);
        assert_eq!(short.not_after, long.not_before.plus_days(7));
        assert_eq!(short.renew_from(0), short.not_after);
        assert!(short.not_after < long.not_after && !is_of_an_agent(short.not_before, short.not_after));
    }

    #[test]
    fn that_of_another_systems_agent_lasts_a_year() {
        let (own, now) = (lease(), UtcMillis::new(1_796_000_000_123).unwrap());
        let foreign = Lease::of_foreign_agent(own.device, own.enrolment, [0xff; 16], now);
        assert_eq!(foreign.not_after, own.not_after.plus_days(365 - 180));
        assert_eq!(Lease { not_after: own.not_after, ..foreign }, own);
        assert!(
            is_of_an_agent(own.not_before, own.not_after) && !is_of_an_agent(foreign.not_before, foreign.not_after)
        );
    }

    #[test]
    fn renewal_begins_on_day_60_and_is_asked_for_on_day_75() {
        let lease = lease();
        for random in [0, 1, u64::MAX] {
            let day = lease.renew_from(random).millis_since(lease.not_before) / UtcMillis::DAY;
            assert!((60..70).contains(&day), "{day}");
        }
        assert!(!is_renewal_overdue(lease.not_before, lease.not_before.plus_days(74)));
        assert!(is_renewal_overdue(lease.not_before, lease.not_before.plus_days(75)));
    }
}
