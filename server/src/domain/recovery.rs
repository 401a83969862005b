//! Recovery: whether a registered key whose certificate has ended gets another by itself, or a person decides.
//!
//! The key has proved itself before this is asked, and its device is in service; what is judged is only how long it was
//! away and how often it comes back. A laptop that was shut for a summer, or left in a cupboard for a school year, finds
//! its way back; one that was gone for longer, or that keeps losing its certificate, is looked at by somebody first.

use cartable_common::UtcMillis;

use super::verdict::text_enum;

/// Life of a nonce in milliseconds. The agent answers with its next connection: two minutes are twice what one of its
/// exchanges may take.
pub const NONCE_MILLIS: i64 = 2 * 60_000;

/// How far in the future a nonce may have been given: the clocks of an installation's servers differ.
pub const NONCE_AHEAD_MILLIS: i64 = 60_000;

/// Days since the device was last heard within which no person is asked: a whole school year in a cupboard and the summers
/// around it (July to the August after next), which is what lent laptops do. Longer, and nobody knows in whose hands it is.
const AUTOMATIC_DAYS: i64 = 400;

/// Recoveries of one device in a year that need no person. A certificate lasts 180 days, so that even a laptop that is
/// opened twice a year and never renews needs no more.
const AUTOMATIC_A_YEAR: i64 = 2;

/// Length of that year in days, counted back from now.
const YEAR_DAYS: i64 = 365;

/// Days for which a person's approval waits for the laptop. It asks hourly while it is open; who approved it meant the one
/// that was asking then.
const APPROVAL_DAYS: i64 = 60;

text_enum! {
    /// Where a request for recovery stands.
    pub enum RecoveryState {
        /// Waits for a person.
        Waiting = "waiting",
        /// Granted, by the rule or by a person.
        Granted = "granted",
        /// Refused by a person: this key gets no certificate any more.
        Refused = "refused",
    }
}

text_enum! {
    /// Why a person is asked.
    pub enum Cause {
        /// The device was not heard for longer than the rule allows.
        TooLong = "too_long",
        /// It recovered too often within a year.
        TooOften = "too_often",
    }
}

/// The newest request of a key that no certificate followed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// Nobody has looked at it.
    Waiting,
    /// A person agreed.
    Approved {
        /// When.
        at: UtcMillis,
    },
    /// A person refused.
    Refused,
}

/// What a recovery is decided from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// When the device was last heard: its last contact, or the beginning of the key's last certificate if that is later.
    pub last_heard: UtcMillis,
    /// Recoveries of the device since [`year_before`] that no person decided.
    pub automatic_in_year: i64,
    /// What became of an earlier request.
    pub earlier: Option<Earlier>,
}

/// What a key that asks for recovery gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A certificate, by the rule.
    Automatic,
    /// A certificate, because a person agreed.
    Approved,
    /// Nothing yet: a person must agree.
    Waits(Cause),
    /// Nothing: a person refused.
    Refused,
}

/// Since when recoveries count for [`Facts::automatic_in_year`].
pub fn year_before(now: UtcMillis) -> UtcMillis {
    now.plus_days(-YEAR_DAYS)
}

/// Decides. A request that waits is decided anew each time it is repeated: it is granted by itself once the rule allows.
#[must_use]
pub fn decide(facts: &Facts, now: UtcMillis) -> Decision {
    match facts.earlier {
        Some(Earlier::Refused) => return Decision::Refused,
        Some(Earlier::Approved { at }) if now < at.plus_days(APPROVAL_DAYS) => return Decision::Approved,
        Some(Earlier::Approved { .. } | Earlier::Waiting) | None => {}
    }
    if now > facts.last_heard.plus_days(AUTOMATIC_DAYS) {
        Decision::Waits(Cause::TooLong)
    } else if facts.automatic_in_year >= AUTOMATIC_A_YEAR {
        Decision::Waits(Cause::TooOften)
    } else {
        Decision::Automatic
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> UtcMillis {
        UtcMillis::new(1_796_000_000_000).unwrap()
    }

    fn away(days: i64, automatic_in_year: i64) -> Facts {
        Facts { last_heard: now().plus_days(-days), automatic_in_year, earlier: None }
    }

    #[test]
    fn four_hundred_days_and_twice_a_year_need_no_person() {
        for (days, recoveries, expected) in [
            (181, 0, Decision::Automatic),
            (400, 1, Decision::Automatic),
            (401, 0, Decision::Waits(Cause::TooLong)),
            (181, 2, Decision::Waits(Cause::TooOften)),
            (9_000, 9, Decision::Waits(Cause::TooLong)),
            // The server's clock was set back since.
            (-30, 0, Decision::Automatic),
        ] {
            assert_eq!(decide(&away(days, recoveries), now()), expected, "{days} days, {recoveries}");
        }
        let a_moment_more = Facts { last_heard: now().plus_days(-400).plus_millis(-1), ..away(0, 0) };
        assert_eq!(decide(&a_moment_more, now()), Decision::Waits(Cause::TooLong));
    }

    #[test]
    fn a_persons_word_stands_above_the_rule() {
        let with = |facts, earlier| Facts { earlier: Some(earlier), ..facts };
        assert_eq!(decide(&with(away(181, 0), Earlier::Refused), now()), Decision::Refused);
        let approved = |days: i64| Earlier::Approved { at: now().plus_days(-days) };
        assert_eq!(decide(&with(away(900, 5), approved(59)), now()), Decision::Approved);
        assert_eq!(
            decide(&with(away(900, 5), approved(60)), now()),
            Decision::Waits(Cause::TooLong),
            "it had its time"
        );
    }

    #[test]
    fn what_waits_is_granted_once_the_rule_allows_it() {
        let waiting = Facts { earlier: Some(Earlier::Waiting), ..away(200, 2) };
        assert_eq!(decide(&waiting, now()), Decision::Waits(Cause::TooOften));
        let later = Facts { automatic_in_year: 1, ..waiting };
        assert_eq!(decide(&later, now()), Decision::Automatic);
    }

    proptest! {
        #[test]
        fn longer_or_oftener_never_makes_it_easier(days in 0_i64..2_000, more in 0_i64..2_000, times in 0_i64..5) {
            let automatic = |days, times| decide(&away(days, times), now()) == Decision::Automatic;
            prop_assert!(!automatic(days + more, times) || automatic(days, times));
            prop_assert!(!automatic(days, times + 1) || automatic(days, times));
        }
    }
}
