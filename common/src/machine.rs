//! Whether two descriptions of hardware are of one machine: by serial number and system UUID, the two that name a unit.
//!
//! Agent and server ask it alike: the agent whether it was carried to another machine with its key, the server whether a
//! report comes from the machine that its key is bound to. It authenticates nothing.

use crate::{hash::ContentHash, identity::SerialNumber, report::Hardware};

/// What two descriptions say of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// One machine: the serial number or the system UUID is the same. Either may have changed: a technician writes the old
    /// serial number into a new main board, firmware updates give new UUIDs.
    Same,
    /// Two machines: what both of them say differs, and nothing is the same.
    Other,
    /// They have nothing in common that could be compared. Placeholders are such a nothing: see
    /// [`Known`](crate::identity::Known).
    Unknown,
}

impl Likeness {
    /// Compares `one` with `other`; the order does not matter.
    #[must_use]
    pub fn of(one: &Hardware, other: &Hardware) -> Self {
        let serials = one.serial_number.get().zip(other.serial_number.get());
        let same_serial = serials.map(|(one, other)| one.as_str().eq_ignore_ascii_case(other.as_str()));
        let same_uuid = one.system_uuid.get().zip(other.system_uuid.get()).map(|(one, other)| one == other);
        if same_serial == Some(true) || same_uuid == Some(true) {
            Self::Same
        } else if same_serial.is_some() || same_uuid.is_some() {
            Self::Other
        } else {
            Self::Unknown
        }
    }
}

/// Whether `hardware` names a unit at all.
#[must_use]
pub fn is_named(hardware: &Hardware) -> bool {
    hardware.serial_number.get().is_some() || hardware.system_uuid.get().is_some()
}

/// A short name of the machine, to count machines by: the same for the same serial number and UUID.
#[must_use]
pub fn fingerprint(hardware: &Hardware) -> ContentHash {
    let serial = hardware.serial_number.get().map(SerialNumber::as_str).unwrap_or_default().to_ascii_lowercase();
    let uuid = hardware.system_uuid.get().map(ToString::to_string).unwrap_or_default();
    ContentHash::of(format!("{serial}\n{uuid}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::SystemUuid;
    use proptest::prelude::*;

    fn hardware(serial: &str, uuid: u128) -> Hardware {
        Hardware {
            serial_number: SerialNumber::parse(serial).into(),
            system_uuid: SystemUuid::parse(&uuid::Uuid::from_u128(uuid).to_string()).into(),
            ..Hardware::default()
        }
    }

    #[test]
    fn a_machine_is_told_from_another_by_what_names_it() {
        let own = hardware("PF2ABCDE", 7);
        for (other, likeness) in [
            (hardware("pf2abcde", 7), Likeness::Same),
            // A new main board with the old serial number, and firmware that lost it.
            (hardware("PF2ABCDE", 8), Likeness::Same),
            (hardware("", 7), Likeness::Same),
            (hardware("PF2ABCDE", 0), Likeness::Same),
            (hardware("PF2ZZZZZ", 8), Likeness::Other),
            (hardware("", 8), Likeness::Other),
            (hardware("PF2ZZZZZ", 0), Likeness::Other),
            // Placeholders say nothing.
            (hardware("Default string", 0), Likeness::Unknown),
        ] {
            assert_eq!(Likeness::of(&own, &other), likeness, "{other:?}");
        }
        assert_eq!(Likeness::of(&hardware("PF2ABCDE", 0), &hardware("", 7)), Likeness::Unknown);
        assert!(is_named(&own) && !is_named(&hardware("To be filled by O.E.M.", 0)));
        assert_eq!(fingerprint(&own), fingerprint(&hardware("pf2abcde", 7)));
        assert_ne!(fingerprint(&own), fingerprint(&hardware("PF2ABCDE", 8)));
    }

    proptest! {
        #[test]
        fn likeness_has_no_order_and_a_named_machine_is_itself(
            one in "[A-C]{0,1}[1-9]{0,4}", other in "[A-C]{0,1}[1-9]{0,4}", first in 0_u128..4, second in 0_u128..4,
        ) {
            let (one, other) = (hardware(&one, first), hardware(&other, second));
            prop_assert_eq!(Likeness::of(&one, &other), Likeness::of(&other, &one));
            let itself = Likeness::of(&one, &one.clone());
            prop_assert_eq!(itself, if is_named(&one) { Likeness::Same } else { Likeness::Unknown });
        }
    }
}
