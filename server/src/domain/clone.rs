//! Cloned keys: what to think of a machine that shows a key which is bound to another, and where its agent may go.
//!
//! A master image that was taken with the agent's key makes thirty machines of one key; a main board that was exchanged
//! makes another machine of one. Both begin alike. What tells them apart is time: the machine with a new board stays the
//! new one, and while it was on the bench it was silent; clones speak in turns, and at once. In doubt nothing is refused
//! for good: the key is set aside, what the stranger measured waits in its spool, and a technician is told.

use cartable_common::{DeviceId, UtcMillis, machine::Likeness, report::Hardware};

use super::{
    device::DeviceStatus,
    enrolment::{Arrival, EnrolmentStatus, Refused},
};

/// New keys that the keys of one device may vouch for within [`HEALING_DAYS`], those that still wait for a person among
/// them however long they do: a trolley of thirty laptops, twice. Whoever holds a stolen key gets no further, and fills no
/// more of the approval queue.
pub const HEALINGS_PER_DEVICE: i64 = 64;
/// See [`HEALINGS_PER_DEVICE`].
pub const HEALING_DAYS: i64 = 7;
/// Machines that are remembered as having shown one key: as many as may heal. That the key is set aside needs no more, and
/// whoever invents machines adds no further rows.
pub const MACHINES_PER_KEY: i64 = 64;

/// What is known of the machines that showed the keys of a device and are not it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloneFacts {
    /// How many machines.
    pub others: u64,
    /// How many of them by their serial number. The rest differ in the UUID alone, as one laptop does from itself after a
    /// firmware update.
    pub by_serial: u64,
    /// How many of them have no enrolment of their own yet.
    pub waiting: u64,
    /// Whether a key of the device is still set aside: its own machine has not made another.
    pub key_held: bool,
    /// Whether one of them, by its serial number, spoke within the same interval as the device's own machine.
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
        if self.by_serial > 1 || self.at_once || alternates { Suspicion::Cloned } else { Suspicion::Doubtful }
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

/// What tells a machine from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldBy {
    /// Its serial number.
    Serial,
    /// The UUID alone: on one side at least there is no serial number.
    UuidAlone,
}

/// What tells `reported` from the machines in `bound`, of which it is none.
#[must_use]
pub fn told_by(bound: &[Hardware], reported: &Hardware) -> ToldBy {
    let has_serial = |hardware: &Hardware| hardware.serial_number.get().is_some();
    if has_serial(reported) && bound.iter().any(has_serial) { ToldBy::Serial } else { ToldBy::UuidAlone }
}

/// What an old key is good for when a machine asks with it for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vouching {
    /// It vouches for new keys.
    Good,
    /// Another key took its place. It vouches only where it was on several machines, and gives nobody anything without a
    /// person; else it hears what became of the keys that it vouched for.
    Ended,
    /// Nothing: its device is set aside.
    SetAside,
    /// Nothing.
    Refused(Refused),
}

/// What a key with that status, of a device with that status, is good for. It vouches for nobody unless its device is in
/// full service: what a person shut out must not come back through a copied key, nor let others in.
#[must_use]
pub const fn vouching(key: EnrolmentStatus, device: DeviceStatus) -> Vouching {
    match (device, key) {
        (DeviceStatus::Revoked, _) | (_, EnrolmentStatus::Revoked) => Vouching::Refused(Refused::Revoked),
        (DeviceStatus::Released, _) | (_, EnrolmentStatus::Released) => Vouching::Refused(Refused::Released),
        (DeviceStatus::Pending, _) | (_, EnrolmentStatus::Pending) => Vouching::Refused(Refused::Pending),
        (DeviceStatus::Quarantined, _) => Vouching::SetAside,
        (DeviceStatus::Active, EnrolmentStatus::Replaced) => Vouching::Ended,
        (DeviceStatus::Active, EnrolmentStatus::Active | EnrolmentStatus::Quarantined) => Vouching::Good,
    }
}

/// What speaks for a recorded machine besides the old key, which is no more than a token that never ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nearness {
    /// It is recorded at the site of the device that the old key is bound to, and a check-in of it was turned away before
    /// it asked: a flag stands, and the site's people read of it.
    Neighbour,
    /// Nothing does.
    Stranger,
}

/// Where the agent of a machine that shows an old key goes with a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is the machine that the old key is bound to: the same device.
    Own,
    /// It is recorded, an agent is awaited on it, and more than the old key speaks for it.
    Recorded(DeviceId),
    /// A person must approve it, as this device.
    Waits(DeviceId),
    /// Nobody knows it: a person must approve it, as a new device.
    WaitsAnew,
}

/// What the place of a machine is decided from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    /// Whether it is the machine that the old key is bound to.
    pub whose: Likeness,
    /// What a token would have led to.
    pub arrival: Arrival,
    /// What speaks for it, where it is recorded.
    pub nearness: Nearness,
    /// What to think of the machines that showed keys of the device.
    pub suspicion: Suspicion,
}

/// Decides where, given the device `bound` that the old key speaks for and where that key stands.
#[must_use]
pub fn place(asker: Asker, (bound, old): (DeviceId, EnrolmentStatus)) -> Place {
    // Then the device has another key already, and a serial number proves nothing: whoever says so now may hold a copy.
    let ended = old == EnrolmentStatus::Replaced;
    match (asker.whose, asker.arrival) {
        (Likeness::Same, _) if !ended => Place::Own,
        (Likeness::Other, Arrival::FirstEnrolment(device)) if !ended && asker.nearness == Nearness::Neighbour => {
            Place::Recorded(device)
        }
        (Likeness::Other, Arrival::FirstEnrolment(device) | Arrival::Replacement(device)) => Place::Waits(device),
        (Likeness::Other, Arrival::NewDevice) if asker.suspicion == Suspicion::Cloned => Place::WaitsAnew,
        // It cannot say who it is, or it is perhaps the device itself with a new main board: approving says so.
        (Likeness::Same | Likeness::Unknown, _) | (Likeness::Other, Arrival::NewDevice) => Place::Waits(bound),
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
        let (first_at, last_at) = (at(0), at(0));
        CloneFacts { others: 1, by_serial: 1, waiting: 1, key_held: true, at_once: false, first_at, last_at }
    }

    #[test]
    fn a_new_main_board_is_no_clone_and_thirty_clones_are() {
        let exchanged = one_other();
        assert_eq!(exchanged.suspicion(Some(at(-3 * 1440))), Suspicion::Doubtful, "silent while it was repaired");
        assert_eq!(exchanged.suspicion(None), Suspicion::Doubtful);
        assert_eq!(exchanged.suspicion(Some(at(5))), Suspicion::Cloned, "A, B, A");
        assert_eq!(CloneFacts { at_once: true, ..exchanged }.suspicion(Some(at(-20))), Suspicion::Cloned);
        assert_eq!(CloneFacts { others: 30, by_serial: 30, ..exchanged }.suspicion(None), Suspicion::Cloned);
        assert!(is_at_once(Some(at(-20)), at(0), 60) && is_at_once(Some(at(1)), at(0), 60));
        assert!(!is_at_once(Some(at(-61)), at(0), 60) && !is_at_once(None, at(0), 60));
    }

    #[test]
    fn a_firmware_that_gives_new_uuids_makes_no_clone_until_the_old_machine_speaks_again() {
        let updated = CloneFacts { others: 2, by_serial: 0, ..one_other() };
        assert_eq!(updated.suspicion(Some(at(-20))), Suspicion::Doubtful, "updated twice within the hour");
        assert_eq!(updated.suspicion(Some(at(20))), Suspicion::Cloned);
        let (own, other) = (hardware("PF2ABCDE", 7), hardware("PF2ZZZZZ", 8));
        assert_eq!(told_by(&[hardware("", 9), own.clone()], &other), ToldBy::Serial);
        assert_eq!(told_by(&[own], &hardware("", 8)), ToldBy::UuidAlone);
        assert_eq!(told_by(&[hardware("Default string", 7)], &other), ToldBy::UuidAlone);
        assert_eq!(told_by(&[], &other), ToldBy::UuidAlone);
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
        let (held, ended) = ((bound, EnrolmentStatus::Quarantined), (bound, EnrolmentStatus::Replaced));
        let arrivals = [Arrival::NewDevice, Arrival::FirstEnrolment(other), Arrival::Replacement(other)];
        for suspicion in [Suspicion::Doubtful, Suspicion::Cloned] {
            for nearness in [Nearness::Neighbour, Nearness::Stranger] {
                let of = |whose, arrival| Asker { whose, arrival, nearness, suspicion };
                for arrival in arrivals {
                    assert_eq!(place(of(Likeness::Same, arrival), held), Place::Own);
                    assert_eq!(place(of(Likeness::Same, arrival), ended), Place::Waits(bound), "a key that ended");
                    assert_eq!(place(of(Likeness::Unknown, arrival), held), Place::Waits(bound));
                }
                let unknown = if suspicion == Suspicion::Cloned { Place::WaitsAnew } else { Place::Waits(bound) };
                let recorded =
                    if nearness == Nearness::Neighbour { Place::Recorded(other) } else { Place::Waits(other) };
                let places = |old| arrivals.map(|arrival| place(of(Likeness::Other, arrival), old));
                assert_eq!(places(held), [unknown, recorded, Place::Waits(other)]);
                assert_eq!(places(ended), [unknown, Place::Waits(other), Place::Waits(other)], "never by itself");
            }
        }
    }

    #[test]
    fn only_keys_of_devices_in_full_service_vouch() {
        for &device in DeviceStatus::ALL {
            for &key in EnrolmentStatus::ALL {
                let vouches = vouching(key, device) == Vouching::Good;
                let in_service = matches!(key, EnrolmentStatus::Active | EnrolmentStatus::Quarantined);
                assert_eq!(vouches, device == DeviceStatus::Active && in_service, "{device} {key}");
            }
        }
        let of = |device| vouching(EnrolmentStatus::Quarantined, device);
        assert_eq!(of(DeviceStatus::Quarantined), Vouching::SetAside, "a person shut the device out, not its key");
        assert_eq!(of(DeviceStatus::Released), Vouching::Refused(Refused::Released));
        assert_eq!(vouching(EnrolmentStatus::Replaced, DeviceStatus::Active), Vouching::Ended);
    }

    proptest! {
        /// Further machines and further contacts only make it surer; and one change that stays is never a clone.
        #[test]
        fn suspicion_only_grows(
            others in 1_u64..40, more in 0_u64..40, at_once: bool, also: bool, own in proptest::option::of(-10_000_i64..10_000),
            later in 0_i64..10_000,
        ) {
            let before = CloneFacts { others, by_serial: others, at_once, ..one_other() };
            let (others_after, also) = (others + more, at_once || also);
            let after = CloneFacts { others: others_after, by_serial: others_after, at_once: also, ..before };
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
