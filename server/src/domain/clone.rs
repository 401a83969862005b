//! Cloned keys: what to think of a machine that shows a key which is bound to another, and where its agent may go.
//!
//! A master image that was taken with the agent's key makes thirty machines of one key; a main board that was exchanged
//! makes another machine of one. Both begin alike. What tells them apart is time: the machine with a new board stays the
//! new one, and while it was on the bench it was silent; clones speak in turns, and at once. In doubt nothing is refused
//! for good: the key is set aside, what the stranger measured waits in its spool, and a technician is told.

use cartable_common::{DeviceId, UtcMillis, machine::Likeness, report::Hardware};

use super::enrolment::{Arrival, EnrolmentStatus};

/// New keys that one old key may vouch for within [`HEALING_DAYS`]: a trolley of thirty laptops, twice. Whoever holds a
/// stolen key gets no further.
pub const HEALINGS_PER_KEY: i64 = 64;
/// See [`HEALINGS_PER_KEY`].
pub const HEALING_DAYS: i64 = 7;

/// What is known of the machines that showed the keys of a device and are not it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloneFacts {
    /// How many machines.
    pub others: u64,
    /// How many of them have no enrolment of their own yet.
    pub waiting: u64,
    /// Whether a key of the device is still set aside: its own machine has not made another.
    pub key_held: bool,
    /// Whether one of them spoke within the same interval as the device's own machine.
    pub at_once: bool,
    /// When the first was seen.
    pub first_at: UtcMillis,
    /// When one was last seen.
    pub last_at: UtcMillis,
}

/// What to think of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suspicion {
    /// One other machine, and the device's own has been silent since: a new main board, or the first clone. A person must
    /// look.
    Doubtful,
    /// Several machines have one key.
    Cloned,
}

impl CloneFacts {
    /// What to think of it, given when the device's own machine was last heard. More evidence never makes it milder.
    #[must_use]
    pub fn suspicion(&self, own_heard: Option<UtcMillis>) -> Suspicion {
        // A, then B, then A: no board is exchanged back.
        let alternates = own_heard.is_some_and(|own| own > self.first_at);
        if self.others > 1 || self.at_once || alternates { Suspicion::Cloned } else { Suspicion::Doubtful }
    }

    /// Whether it is still to be told at `now`: somebody has not healed, and it was seen less than `days` ago.
    #[must_use]
    pub fn stands(&self, now: UtcMillis, days: u32) -> bool {
        (self.waiting > 0 || self.key_held) && now.millis_since(self.last_at) < i64::from(days) * UtcMillis::DAY
    }
}

/// Whether two contacts of different machines are too close for a repair to lie between them.
#[must_use]
pub fn is_at_once(own_heard: Option<UtcMillis>, other_heard: UtcMillis, minutes: u32) -> bool {
    own_heard.is_some_and(|own| other_heard.millis_since(own).unsigned_abs() < u64::from(minutes) * 60_000)
}

/// Whether `reported` is the machine that goes by any of the descriptions in `bound`: the device's record, which staff may
/// have corrected, and its current report.
#[must_use]
pub fn whose(bound: &[Hardware], reported: &Hardware) -> Likeness {
    let mut likeness = Likeness::Unknown;
    for known in bound {
        match Likeness::of(known, reported) {
            Likeness::Same => return Likeness::Same,
            Likeness::Other => likeness = Likeness::Other,
            Likeness::Unknown => {}
        }
    }
    likeness
}

/// Where the agent of a machine that shows an old key goes with a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is the machine that the old key is bound to: the same device.
    Own,
    /// It is recorded, and an agent is awaited on it.
    Recorded(DeviceId),
    /// A person must approve it on this device.
    Waits(DeviceId),
    /// Nobody knows it: a new device, which a person must approve.
    WaitsAnew,
}

/// Decides where. `whose` compares the asker with the device `bound` that the old key speaks for, `old` is where that key
/// stands; `arrival` says what a token would have led to.
#[must_use]
pub fn place(
    whose: Likeness,
    arrival: Arrival,
    (bound, old): (DeviceId, EnrolmentStatus),
    suspicion: Suspicion,
) -> Place {
    match (whose, arrival, suspicion) {
        // The device has another key already, and a serial number proves nothing: whoever says so now may hold a copy.
        (Likeness::Same, ..) if old == EnrolmentStatus::Replaced => Place::Waits(bound),
        (Likeness::Same, ..) => Place::Own,
        (Likeness::Other, Arrival::FirstEnrolment(device), _) => Place::Recorded(device),
        (Likeness::Other, Arrival::Replacement(device), _) => Place::Waits(device),
        // It cannot say who it is, or it is perhaps the device itself with a new main board: approving says so.
        (Likeness::Unknown, ..) | (Likeness::Other, Arrival::NewDevice, Suspicion::Doubtful) => Place::Waits(bound),
        (Likeness::Other, Arrival::NewDevice, Suspicion::Cloned) => Place::WaitsAnew,
    }
}

#[cfg(test)]
mod tests {
    use cartable_common::{SerialNumber, SystemUuid};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn at(minutes: i64) -> UtcMillis {
        UtcMillis::default().plus_days(20_000).plus_millis(minutes * 60_000)
    }

    fn hardware(serial: &str, uuid: u128) -> Hardware {
        Hardware {
            serial_number: SerialNumber::parse(serial).into(),
            system_uuid: SystemUuid::parse(&Uuid::from_u128(uuid).to_string()).into(),
            ..Hardware::default()
        }
    }

    fn one_other() -> CloneFacts {
        CloneFacts { others: 1, waiting: 1, key_held: true, at_once: false, first_at: at(0), last_at: at(0) }
    }

    #[test]
    fn a_new_main_board_is_no_clone_and_thirty_clones_are() {
        let exchanged = one_other();
        assert_eq!(exchanged.suspicion(Some(at(-3 * 1440))), Suspicion::Doubtful, "silent while it was repaired");
        assert_eq!(exchanged.suspicion(None), Suspicion::Doubtful);
        assert_eq!(exchanged.suspicion(Some(at(5))), Suspicion::Cloned, "A, B, A");
        assert_eq!(CloneFacts { at_once: true, ..exchanged }.suspicion(Some(at(-20))), Suspicion::Cloned);
        assert_eq!(CloneFacts { others: 30, ..exchanged }.suspicion(None), Suspicion::Cloned);
        assert!(is_at_once(Some(at(-20)), at(0), 60) && is_at_once(Some(at(1)), at(0), 60));
        assert!(!is_at_once(Some(at(-61)), at(0), 60) && !is_at_once(None, at(0), 60));
    }

    #[test]
    fn it_is_told_until_everybody_healed_or_nobody_came_for_long() {
        let facts = one_other();
        assert!(facts.stands(at(1440), 30));
        assert!(!facts.stands(at(30 * 1440), 30));
        assert!(CloneFacts { waiting: 0, ..facts }.stands(at(1), 30), "its own machine still shows the old key");
        assert!(CloneFacts { key_held: false, ..facts }.stands(at(1), 30), "another machine waits");
        assert!(!CloneFacts { waiting: 0, key_held: false, ..facts }.stands(at(1), 30));
    }

    #[test]
    fn a_record_that_staff_corrected_and_a_report_of_before_are_both_the_device() {
        let (record, report) = (hardware("LABEL-1", 0), hardware("PF2ABCDE", 7));
        let bound = [record, report.clone()];
        assert_eq!(whose(&bound, &report), Likeness::Same);
        assert_eq!(whose(&bound, &hardware("LABEL-1", 9)), Likeness::Same);
        assert_eq!(whose(&bound, &hardware("PF2ZZZZZ", 9)), Likeness::Other);
        assert_eq!(whose(&bound, &hardware("", 0)), Likeness::Unknown);
        assert_eq!(whose(&[], &report), Likeness::Unknown);
    }

    #[test]
    fn nobody_gets_a_device_that_is_not_theirs_without_a_person() {
        let (bound, other) = (DeviceId(Uuid::from_u128(1)), DeviceId(Uuid::from_u128(2)));
        let held = (bound, EnrolmentStatus::Quarantined);
        for suspicion in [Suspicion::Doubtful, Suspicion::Cloned] {
            for arrival in [Arrival::NewDevice, Arrival::FirstEnrolment(other), Arrival::Replacement(other)] {
                assert_eq!(place(Likeness::Same, arrival, held, suspicion), Place::Own);
                let ended = (bound, EnrolmentStatus::Replaced);
                assert_eq!(place(Likeness::Same, arrival, ended, suspicion), Place::Waits(bound), "a key that ended");
                assert_eq!(place(Likeness::Unknown, arrival, held, suspicion), Place::Waits(bound));
            }
            let of = |arrival| place(Likeness::Other, arrival, held, suspicion);
            assert_eq!(of(Arrival::FirstEnrolment(other)), Place::Recorded(other));
            assert_eq!(of(Arrival::Replacement(other)), Place::Waits(other));
        }
        assert_eq!(place(Likeness::Other, Arrival::NewDevice, held, Suspicion::Doubtful), Place::Waits(bound));
        assert_eq!(place(Likeness::Other, Arrival::NewDevice, held, Suspicion::Cloned), Place::WaitsAnew);
    }

    proptest! {
        /// Further machines and further contacts only make it surer; and one change that stays is never a clone.
        #[test]
        fn suspicion_only_grows(
            others in 1_u64..40, more in 0_u64..40, at_once: bool, also: bool, own in proptest::option::of(-10_000_i64..10_000),
            later in 0_i64..10_000,
        ) {
            let before = CloneFacts { others, at_once, ..one_other() };
            let after = CloneFacts { others: others + more, at_once: at_once || also, ..before };
            let own_later = own.map(|own| at(own + later));
            prop_assert!(after.suspicion(own_later) >= before.suspicion(own.map(at)));
            if others == 1 && !at_once && own.is_none_or(|own| own <= 0) {
                prop_assert_eq!(before.suspicion(own.map(at)), Suspicion::Doubtful);
            }
        }

        /// The order in which a device's descriptions are looked at does not matter.
        #[test]
        fn whose_it_is_does_not_hang_on_the_order(
            bound in proptest::collection::vec((0_u8..4, 0_u128..4), 0..5), serial in 0_u8..4, uuid in 0_u128..4,
        ) {
            let named = |serial: u8, uuid| hardware(&if serial == 0 { String::new() } else { format!("SN-{serial}") }, uuid);
            let forward: Vec<Hardware> = bound.iter().map(|(serial, uuid)| named(*serial, *uuid)).collect();
            let backward: Vec<Hardware> = forward.iter().rev().cloned().collect();
            prop_assert_eq!(whose(&forward, &named(serial, uuid)), whose(&backward, &named(serial, uuid)));
        }
    }
}
