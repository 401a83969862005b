//! Another system's agent that speaks for one recorded device by a certificate of ours: which device may have one, and which
//! inventories are of that device.
//!
//! The certificate decides which device it is. But it is a file like any other and ends up in master images: so an inventory
//! that names another machine is refused, and no two histories are mixed.

use cartable_common::{SerialNumber, Text, UtcMillis};

use super::{
    brought::{self, BroughtRefused},
    device::DeviceStatus,
    enrolment::is_same_maker,
    loan::LendingState,
    reading::agents::AgentInventory,
};

/// How many hours pass between two inventories: these agents list a whole machine each time, and a day is enough for what is
/// judged by school days.
pub const INTERVAL_HOURS: u32 = 24;

/// What is never wanted of a machine: GLPI Agent leaves these categories out when it is told so. All of them exist in every
/// version that knows the setting; one that an agent does not know would keep it from making any inventory.
pub const UNWANTED_CATEGORIES: &str =
    "software,user,local_user,local_group,process,environment,network,printer,remote_mgmt";

/// What GLPI Agent can do besides listing its machine, and must not do here.
pub const UNWANTED_TASKS: [&str; 7] =
    ["collect", "deploy", "esx", "netdiscovery", "netinventory", "remoteinventory", "wakeonlan"];

/// How a device stands for which a certificate is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stands {
    /// Its state in the programme.
    pub status: DeviceStatus,
    /// Whether it was put away.
    pub archived: bool,
    /// Where it is in its lending.
    pub place: Option<LendingState>,
    /// Whether a key of our own agent speaks for it, or waits to.
    pub has_agent: bool,
}

/// Why a device gets no certificate for another system's agent, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssueRefused {
    /// There is none, or not within the asking person's sites.
    #[error("no such device: record it first")]
    UnknownDevice,
    /// It was put away.
    #[error("the device is archived: take it out of the archive first")]
    Archived,
    /// It belongs to somebody else now.
    #[error("the device was given away")]
    Given,
    /// It is not in service.
    #[error("the device is {0}: put it in service first")]
    NotInService(DeviceStatus),
    /// Our own agent tells more.
    #[error("an agent of Cartable is enrolled on this device, or asks to be: what it says stands")]
    AgentSpeaks,
    /// The key of the certificate request is another's.
    #[error("this key belongs to another enrolment: make a new one")]
    KeyInUse,
}

/// Whether a device that stands so may have one.
pub const fn may_have(stands: Stands) -> Result<(), IssueRefused> {
    if stands.archived {
        return Err(IssueRefused::Archived);
    }
    if matches!(stands.place, Some(LendingState::Ceded)) {
        return Err(IssueRefused::Given);
    }
    match stands.status {
        // Recorded and awaited: it comes into service with its certificate.
        DeviceStatus::Pending | DeviceStatus::Active => {}
        DeviceStatus::Quarantined | DeviceStatus::Revoked | DeviceStatus::Released => {
            return Err(IssueRefused::NotInService(stands.status));
        }
    }
    if stands.has_agent { Err(IssueRefused::AgentSpeaks) } else { Ok(()) }
}

/// Why an inventory that arrived by a device's certificate is not taken, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InventoryRefused {
    /// It says nothing of any device, or nothing that counts.
    #[error(transparent)]
    Useless(#[from] BroughtRefused),
    /// It is of another machine than the certificate.
    #[error(
        "this certificate is for the device with the serial number {recorded}, and the inventory is of another machine: \
         was the file copied? Issue a certificate for each machine"
    )]
    OtherMachine {
        /// The serial number on record.
        recorded: String,
    },
}

/// The machine on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnRecord<'a> {
    /// Its serial number.
    pub serial: Option<&'a str>,
    /// Its maker.
    pub manufacturer: Option<&'a str>,
}

/// What an inventory is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// It tells the whole machine, as of that moment.
    Facts(UtcMillis),
    /// It lists changes alone: what is not in it would look as if it were gone. But the machine spoke.
    Contact,
}

/// What an inventory is worth, if it may be of the machine on record. What either does not say speaks against nothing.
pub fn worth(inventory: &AgentInventory, on_record: OnRecord<'_>, now: UtcMillis) -> Result<Worth, InventoryRefused> {
    let hardware = &inventory.report.hardware;
    if let Some((recorded, told)) = on_record.serial.zip(hardware.serial_number.get().map(SerialNumber::as_str)) {
        let is_same = recorded.eq_ignore_ascii_case(told)
            && is_same_maker(on_record.manufacturer, hardware.manufacturer.as_ref().map(Text::as_str));
        if !is_same {
            return Err(InventoryRefused::OtherMachine { recorded: recorded.to_owned() });
        }
    }
    if inventory.is_partial {
        return Ok(Worth::Contact);
    }
    // A clock that is a little ahead measured nothing in the future.
    Ok(Worth::Facts(brought::dated(inventory, now)?.min(now)))
}

#[cfg(test)]
mod tests {
    use cartable_common::report::HealthReport;

    use super::*;
    use crate::domain::reading::agents::Tool;

    fn now() -> UtcMillis {
        UtcMillis::new(1_795_521_600_000).unwrap()
    }

    fn inventory(serial: &str, maker: &str) -> AgentInventory {
        let mut report = HealthReport::default();
        report.hardware.serial_number = SerialNumber::parse(serial).into();
        report.hardware.manufacturer = Text::meaningful(maker);
        AgentInventory { tool: Tool::Glpi, version: None, made_at: Some(now()), is_partial: false, report }
    }

    #[test]
    fn only_a_device_in_service_without_our_agent_may_have_one() {
        let fit = Stands { status: DeviceStatus::Active, archived: false, place: None, has_agent: false };
        assert_eq!(may_have(fit), Ok(()));
        assert_eq!(may_have(Stands { status: DeviceStatus::Pending, ..fit }), Ok(()));
        assert_eq!(may_have(Stands { place: Some(LendingState::Lent), ..fit }), Ok(()));
        assert_eq!(may_have(Stands { archived: true, ..fit }), Err(IssueRefused::Archived));
        assert_eq!(may_have(Stands { place: Some(LendingState::Ceded), ..fit }), Err(IssueRefused::Given));
        assert_eq!(may_have(Stands { has_agent: true, ..fit }), Err(IssueRefused::AgentSpeaks));
        for status in [DeviceStatus::Quarantined, DeviceStatus::Revoked, DeviceStatus::Released] {
            assert_eq!(may_have(Stands { status, ..fit }), Err(IssueRefused::NotInService(status)));
        }
    }

    #[test]
    fn an_inventory_that_names_another_machine_is_refused() {
        let lenovo = OnRecord { serial: Some("PF2CART7"), manufacturer: Some("LENOVO") };
        for (serial, maker) in [("PF2CART7", "Lenovo"), ("pf2cart7", ""), ("Default string", "Dell Inc.")] {
            assert_eq!(worth(&inventory(serial, maker), lenovo, now()), Ok(Worth::Facts(now())), "{serial} {maker}");
        }
        assert_eq!(
            worth(&inventory("X", "HP"), OnRecord { serial: None, manufacturer: None }, now()),
            Ok(Worth::Facts(now()))
        );
        for (serial, maker) in [("PF2CART8", "Lenovo"), ("PF2CART7", "Dell Inc.")] {
            let refused = worth(&inventory(serial, maker), lenovo, now()).unwrap_err();
            assert_eq!(refused, InventoryRefused::OtherMachine { recorded: "PF2CART7".to_owned() });
            assert!(!refused.to_string().contains("PF2CART8"), "what a stranger sent is not repeated");
        }
        let partial = |serial| AgentInventory { is_partial: true, made_at: None, ..inventory(serial, "Lenovo") };
        assert_eq!(worth(&partial("PF2CART7"), lenovo, now()), Ok(Worth::Contact));
        assert!(worth(&partial("PF2CART8"), lenovo, now()).is_err());
        let undated = AgentInventory { made_at: None, ..inventory("PF2CART7", "Lenovo") };
        let refused = worth(&undated, lenovo, now()).unwrap_err();
        assert_eq!(refused, InventoryRefused::Useless(BroughtRefused::Undated));
    }

    #[test]
    fn a_clock_that_is_a_little_ahead_measured_nothing_in_the_future() {
        let ahead = AgentInventory { made_at: Some(now().plus_millis(60_000)), ..inventory("PF2CART7", "Lenovo") };
        assert_eq!(worth(&ahead, OnRecord { serial: None, manufacturer: None }, now()), Ok(Worth::Facts(now())));
    }
}
