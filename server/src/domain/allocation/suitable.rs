//! Which devices in stock the policy lets be lent. Missing evidence is never health: a machine that should report and
//! has no reading is left out unless the policy says otherwise.

use cartable_common::DeviceId;
use uuid::Uuid;

use crate::domain::{
    grade::Grade,
    policy::AllocationPolicy,
    verdict::{Verdict, text_enum},
};

/// A device that is in stock, not archived and in service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InStock {
    /// The device.
    pub device: DeviceId,
    /// The site whose stock it is in; none is the depot.
    pub site: Option<Uuid>,
    /// The programme it is kept for; none is any.
    pub programme: Option<Uuid>,
    /// Its grade, if it was inspected.
    pub grade: Option<Grade>,
    /// Whether an agent is expected to report from it: not from a tablet.
    pub reports: bool,
    /// The verdict on its drives, if there is a reading.
    pub drive: Option<Verdict>,
    /// Its battery's share of the design capacity, if known.
    pub battery: Option<u32>,
}

text_enum! {
    /// Why a device in stock is not proposed.
    pub enum Unfit {
        /// A drive at risk: never lent, whatever the policy.
        FailingDrive = "failing_drive",
        /// A worn drive.
        WornDrive = "worn_drive",
        /// A battery below the policy's least.
        WeakBattery = "weak_battery",
        /// A grade that the policy does not lend.
        Grade = "grade",
        /// Never inspected.
        Ungraded = "ungraded",
        /// It should report, and nothing is known of its health.
        Unread = "unread",
    }
}

/// Why the policy does not let this device be lent; none if it does.
#[must_use]
pub fn unfit(device: &InStock, policy: &AllocationPolicy) -> Option<Unfit> {
    match device.drive {
        Some(Verdict::Failing) => return Some(Unfit::FailingDrive),
        Some(Verdict::Worn) if !policy.worn_drives => return Some(Unfit::WornDrive),
        Some(Verdict::Unknown) | None if device.reports && !policy.unread => return Some(Unfit::Unread),
        Some(Verdict::Healthy | Verdict::Worn | Verdict::Unknown) | None => {}
    }
    if device.battery.is_some_and(|percent| percent < policy.battery_min_percent) {
        return Some(Unfit::WeakBattery);
    }
    match device.grade {
        None if !policy.ungraded => Some(Unfit::Ungraded),
        Some(grade) if !policy.grades.contains(&grade) => Some(Unfit::Grade),
        Some(_) | None => None,
    }
}
