//! Enrolments: the binding of one installed agent's key to a device, and what to do when a key asks to be let in.

use cartable_common::DeviceId;

use super::{device::DeviceStatus, device_record::ContactExpected, verdict::text_enum};

text_enum! {
    /// Where an enrolment stands.
    pub enum EnrolmentStatus {
        /// Waits for a person's approval.
        Pending = "pending",
        /// Speaks for its device.
        Active = "active",
        /// Set aside: it may report, but gets nothing else.
        Quarantined = "quarantined",
        /// Refused by a person.
        Revoked = "revoked",
        /// Its device left the programme.
        Released = "released",
        /// Another key took its place.
        Replaced = "replaced",
    }
}

text_enum! {
    /// Whose agent holds an enrolment's key.
    pub enum EnrolmentKind {
        /// Ours.
        Agent = "agent",
        /// Another system's: it brings inventories of its machine, and does nothing else.
        Foreign = "foreign",
    }
}

/// A device that the asking hardware may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which one.
    pub device: DeviceId,
    /// Where it stands.
    pub status: DeviceStatus,
    /// Whether it was put away.
    pub archived: bool,
    /// Whether any agent ever enrolled for it.
    pub was_enrolled: bool,
    /// Whether an agent is awaited on it.
    pub expected: ContactExpected,
}

/// What to do with a new key that holds a valid token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Nobody knows this hardware: add a device for it.
    NewDevice,
    /// Known, and awaited for its first enrolment: bind the key to it.
    FirstEnrolment(DeviceId),
    /// Known and enrolled before, or recorded as a device without an agent: a serial number proves nothing, so a person
    /// decides. The old key, if there is one, stays live.
    Replacement(DeviceId),
}

/// Decides what a new key is for, given the devices that its hardware may be.
#[must_use]
pub fn arrival(candidates: &[Candidate]) -> Arrival {
    match candidates {
        [] => Arrival::NewDevice,
        [one] if !one.was_enrolled && is_awaited(one) => Arrival::FirstEnrolment(one.device),
        [first, ..] => Arrival::Replacement(first.device),
    }
}

fn is_awaited(candidate: &Candidate) -> bool {
    !candidate.archived && candidate.expected == ContactExpected::Agent && may_join(candidate.status)
}

/// Whether a device in that state may be bound to its first key without a person.
const fn may_join(status: DeviceStatus) -> bool {
    match status {
        DeviceStatus::Pending | DeviceStatus::Active => true,
        DeviceStatus::Quarantined | DeviceStatus::Revoked | DeviceStatus::Released => false,
    }
}

/// Whether two devices with one serial number may be one: makers give the same numbers, and may be unknown.
#[must_use]
pub fn is_same_maker(one: Option<&str>, other: Option<&str>) -> bool {
    one.zip(other).is_none_or(|(one, other)| one.eq_ignore_ascii_case(other))
}

/// Whether a key may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Everything.
    Full,
    /// Reports are taken; nothing else.
    ReportOnly,
    /// Nothing, with the reason.
    Refused(Refused),
}

/// Why a key may do nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A person must approve it first.
    Pending,
    /// A person refused the device or this key.
    Revoked,
    /// The device left the programme.
    Released,
    /// Another key speaks for the device now.
    Replaced,
    /// It is the key of another system's agent, or of ours where only those of other systems may speak.
    OtherAgent,
}

/// What a key may do, from its enrolment and its device: the stricter of the two.
#[must_use]
pub const fn standing(enrolment: EnrolmentStatus, device: DeviceStatus) -> Standing {
    match (device, enrolment) {
        (DeviceStatus::Revoked, _) | (_, EnrolmentStatus::Revoked) => Standing::Refused(Refused::Revoked),
        (_, EnrolmentStatus::Replaced) => Standing::Refused(Refused::Replaced),
        (DeviceStatus::Released, _) | (_, EnrolmentStatus::Released) => Standing::Refused(Refused::Released),
        (DeviceStatus::Pending, _) | (_, EnrolmentStatus::Pending) => Standing::Refused(Refused::Pending),
        (DeviceStatus::Quarantined, _) | (_, EnrolmentStatus::Quarantined) => Standing::ReportOnly,
        (DeviceStatus::Active, EnrolmentStatus::Active) => Standing::Full,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(was_enrolled: bool, status: DeviceStatus, archived: bool) -> Candidate {
        let expected = ContactExpected::Agent;
        Candidate { device: DeviceId(uuid::Uuid::nil()), status, archived, was_enrolled, expected }
    }

    #[test]
    fn a_serial_number_alone_never_takes_over_a_device() {
        let id = DeviceId(uuid::Uuid::nil());
        assert_eq!(arrival(&[]), Arrival::NewDevice);
        assert_eq!(arrival(&[candidate(false, DeviceStatus::Pending, false)]), Arrival::FirstEnrolment(id));
        for known in [
            candidate(true, DeviceStatus::Active, false),
            candidate(true, DeviceStatus::Pending, false),
            candidate(false, DeviceStatus::Revoked, false),
            candidate(false, DeviceStatus::Active, true),
            Candidate { expected: ContactExpected::None, ..candidate(false, DeviceStatus::Active, false) },
        ] {
            assert_eq!(arrival(&[known]), Arrival::Replacement(id), "{known:?}");
        }
        let twice = candidate(false, DeviceStatus::Pending, false);
        assert_eq!(arrival(&[twice, twice]), Arrival::Replacement(id));
    }

    #[test]
    fn only_an_active_key_of_an_active_device_may_do_everything() {
        for &enrolment in EnrolmentStatus::ALL {
            for &device in DeviceStatus::ALL {
                let full = enrolment == EnrolmentStatus::Active && device == DeviceStatus::Active;
                assert_eq!(standing(enrolment, device) == Standing::Full, full, "{enrolment} {device}");
            }
        }
        assert_eq!(standing(EnrolmentStatus::Active, DeviceStatus::Quarantined), Standing::ReportOnly);
        assert_eq!(standing(EnrolmentStatus::Pending, DeviceStatus::Revoked), Standing::Refused(Refused::Revoked));
    }
}
