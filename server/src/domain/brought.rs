//! A report that a person brings in another agent's file, for a machine that ours cannot run on: when it is taken.
//!
//! A file proves nothing of where it comes from. So it is taken only for a machine whose own agent says nothing, and only if
//! it is newer than what is known.

use cartable_common::{SerialNumber, Text, UtcMillis};

use super::{
    device::DeviceStatus, enrolment::is_same_maker, loan::LendingState, reading::agents::AgentInventory,
    timestamp::rfc3339,
};

/// How far a file may be ahead of the server's clock, in milliseconds: an hour, as clocks go.
const MOST_AHEAD: i64 = 60 * 60 * 1000;
/// How old a file may be, in days: as old as what an agent measured offline. Older, its date would not be that of the evidence.
const MOST_DAYS: i64 = 120;

/// Why a file is not taken, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BroughtRefused {
    /// It lists changes alone.
    #[error("it lists only what changed since an earlier inventory: make a full one")]
    Partial,
    /// When it was made is not in it.
    #[error("it does not tell when it was made (ACCESSLOG, LOGDATE): make it again")]
    Undated,
    /// It was made in the future.
    #[error("it is dated {}, which is yet to come: set the machine's clock and make it again", rfc3339(*.0))]
    Future(UtcMillis),
    /// It was made too long ago.
    #[error("it was made more than {MOST_DAYS} days ago, on {}: make a new one", rfc3339(*.0))]
    Stale(UtcMillis),
    /// Nothing to know the machine by.
    #[error("it tells no serial number that a maker gave: nothing says which machine it is")]
    Nameless,
    /// Nobody recorded the machine.
    #[error("no device has the serial number {0} and this maker: record it first")]
    Unknown(SerialNumber),
    /// Several machines could be meant.
    #[error("several devices have the serial number {0}: archive or correct the wrong ones first")]
    Several(SerialNumber),
    /// The machine has an agent of ours.
    #[error("an agent is enrolled on this device: what it says stands")]
    AgentSpeaks,
    /// It is not in service.
    #[error("the device is {0}: put it in service first")]
    NotInService(DeviceStatus),
    /// Something newer is known.
    #[error("it is not newer than what is known of the device, from {}", rfc3339(*.0))]
    Older(UtcMillis),
}

/// When a file was made and which machine it names.
pub fn of_file(inventory: &AgentInventory, now: UtcMillis) -> Result<(UtcMillis, SerialNumber), BroughtRefused> {
    let made_at = dated(inventory, now)?;
    let serial = inventory.report.hardware.serial_number.get().cloned().ok_or(BroughtRefused::Nameless)?;
    Ok((made_at, serial))
}

/// When an inventory was made: a whole one, of a day that counts.
pub fn dated(inventory: &AgentInventory, now: UtcMillis) -> Result<UtcMillis, BroughtRefused> {
    if inventory.is_partial {
        return Err(BroughtRefused::Partial);
    }
    let made_at = inventory.made_at.ok_or(BroughtRefused::Undated)?;
    if made_at.millis_since(now) > MOST_AHEAD {
        return Err(BroughtRefused::Future(made_at));
    }
    if made_at < now.plus_days(-MOST_DAYS) {
        return Err(BroughtRefused::Stale(made_at));
    }
    Ok(made_at)
}

/// A device with the file's serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Namesake<'a> {
    /// Its maker.
    pub manufacturer: Option<&'a str>,
    /// Whether it was put away.
    pub archived: bool,
    /// Where it is in its lending: one that was given away is nobody's to speak for.
    pub place: Option<LendingState>,
}

/// Whether the file may be of that device: as for an enrolment, its maker must not be another.
#[must_use]
pub fn may_be(namesake: Namesake<'_>, inventory: &AgentInventory) -> bool {
    let maker = inventory.report.hardware.manufacturer.as_ref().map(Text::as_str);
    let is_ours = !namesake.archived && namesake.place != Some(LendingState::Ceded);
    is_ours && is_same_maker(namesake.manufacturer, maker)
}

/// How the device stands that the file is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stands {
    /// Its state in the programme.
    pub status: DeviceStatus,
    /// Whether a key of an agent may report for it.
    pub has_agent: bool,
    /// Up to when something is known of it: its last contact, the date of the last file, the arrival of its last report.
    pub known_until: Option<UtcMillis>,
}

/// Whether a file that was made at `made_at` is taken for a device that stands so.
pub fn of_device(stands: Stands, made_at: UtcMillis) -> Result<(), BroughtRefused> {
    if stands.has_agent {
        return Err(BroughtRefused::AgentSpeaks);
    }
    match stands.status {
        DeviceStatus::Active | DeviceStatus::Quarantined => {}
        DeviceStatus::Pending | DeviceStatus::Revoked | DeviceStatus::Released => {
            return Err(BroughtRefused::NotInService(stands.status));
        }
    }
    match stands.known_until {
        Some(known) if made_at <= known => Err(BroughtRefused::Older(known)),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use cartable_common::report::HealthReport;

    use super::*;
    use crate::domain::reading::agents::Tool;

    fn moment(hours: i64) -> UtcMillis {
        UtcMillis::new(1_795_521_600_000).unwrap().plus_millis(hours * MOST_AHEAD)
    }

    fn inventory(serial: &str, maker: &str, made_at: Option<UtcMillis>) -> AgentInventory {
        let mut report = HealthReport::default();
        report.hardware.serial_number = SerialNumber::parse(serial).into();
        report.hardware.manufacturer = Text::meaningful(maker);
        AgentInventory { tool: Tool::Glpi, version: None, made_at, is_partial: false, report }
    }

    #[test]
    fn a_file_needs_a_date_that_has_come_and_a_serial_number() {
        let of = |one: &AgentInventory| of_file(one, moment(0));
        let serial = SerialNumber::parse("PF2CART7").unwrap();
        for fitting in [moment(1), moment(-MOST_DAYS * 24)] {
            assert_eq!(of(&inventory("PF2CART7", "LENOVO", Some(fitting))), Ok((fitting, serial.clone())));
        }
        let old = moment(-MOST_DAYS * 24 - 1);
        assert_eq!(of(&inventory("PF2CART7", "LENOVO", Some(old))), Err(BroughtRefused::Stale(old)));
        assert_eq!(of(&inventory("PF2CART7", "LENOVO", Some(moment(2)))), Err(BroughtRefused::Future(moment(2))));
        assert_eq!(of(&inventory("PF2CART7", "LENOVO", None)), Err(BroughtRefused::Undated));
        assert_eq!(of(&inventory("Default string", "LENOVO", Some(moment(0)))), Err(BroughtRefused::Nameless));
        let partial = AgentInventory { is_partial: true, ..inventory("PF2CART7", "LENOVO", Some(moment(0))) };
        assert_eq!(of(&partial), Err(BroughtRefused::Partial));
        assert!(BroughtRefused::Future(moment(0)).to_string().contains("2026-11-24T12:00"));
    }

    #[test]
    fn another_maker_an_archived_and_a_given_device_are_not_meant() {
        let file = inventory("PF2CART7", "LENOVO", None);
        let one = Namesake { manufacturer: Some("Lenovo"), archived: false, place: Some(LendingState::Lent) };
        assert!(may_be(one, &file));
        assert!(may_be(Namesake { manufacturer: None, ..one }, &file));
        assert!(!may_be(Namesake { manufacturer: Some("Dell Inc."), ..one }, &file));
        assert!(!may_be(Namesake { archived: true, ..one }, &file));
        assert!(!may_be(Namesake { place: Some(LendingState::Ceded), ..one }, &file));
    }

    #[test]
    fn only_newer_facts_are_taken_and_only_where_no_agent_speaks() {
        let one = Stands { status: DeviceStatus::Active, has_agent: false, known_until: None };
        assert_eq!(of_device(one, moment(0)), Ok(()));
        let known = Stands { known_until: Some(moment(0)), ..one };
        assert_eq!(of_device(known, moment(1)), Ok(()));
        for old in [moment(0), moment(-1)] {
            assert_eq!(of_device(known, old), Err(BroughtRefused::Older(moment(0))));
        }
        assert_eq!(of_device(Stands { has_agent: true, ..one }, moment(0)), Err(BroughtRefused::AgentSpeaks));
        for status in [DeviceStatus::Pending, DeviceStatus::Revoked, DeviceStatus::Released] {
            assert_eq!(of_device(Stands { status, ..one }, moment(0)), Err(BroughtRefused::NotInService(status)));
        }
    }
}
