//! What is wrong with a simulated device, if anything: drawn once from the fleet's seed, in lifelike proportions.

use cartable_common::report::{Chassis, DriveKind};

use super::{catalogue::Model, programme::Programme, random::Random};

/// The state a drive is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriveCondition {
    /// As new for its age.
    Sound,
    /// Near or past its rated life, or with a few bad sectors.
    Worn,
    /// Its values speak of risk now, though it may say of itself that it is well.
    Failing,
}

/// Whether and how a device is in contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// It checks in.
    Live,
    /// It was last heard of that many days before the fleet began.
    Silent(u32),
    /// It was registered that many days before the fleet began and never enrolled.
    NeverEnrolled(u32),
    /// A tablet: no agent will ever report from it.
    NoAgent,
}

/// A part that somebody exchanged at the moment the fleet began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// None.
    Nothing,
    /// Another drive is in it.
    Drive,
    /// A memory module is missing.
    Memory,
}

/// Everything that may be wrong with one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Its drive.
    pub drive: DriveCondition,
    /// What its battery holds today in percent of its design.
    pub battery_percent: u64,
    /// How full its system volume is today, in per mille.
    pub full_per_mille: u64,
    /// How much fuller it becomes in a hundred days, in per mille.
    pub filling_per_mille: u64,
    /// How far its clock is off, in milliseconds.
    pub clock_off_millis: i64,
    /// Its contact.
    pub contact: Contact,
    /// What was exchanged.
    pub exchange: Exchange,
    /// Whether its agent runs without the right to ask drives.
    pub drives_unread: bool,
}

impl Condition {
    /// Draws the condition of a device of `programme`, a `model` that is `years` old.
    pub fn drawn(random: &mut Random, programme: Programme, model: &Model, kind: DriveKind, years: u64) -> Self {
        let (failing, worn) = match kind {
            DriveKind::Hdd => (45, 60),
            DriveKind::Emmc => (10, 60),
            DriveKind::Ssd => (14, 50),
            DriveKind::Nvme | DriveKind::Unknown => (7, 18),
        };
        let drive = match random.below(1000) {
            drawn if drawn < failing => DriveCondition::Failing,
            drawn if drawn < failing + worn => DriveCondition::Worn,
            _ => DriveCondition::Sound,
        };
        let small = matches!(kind, DriveKind::Emmc);
        Self {
            drive,
            battery_percent: battery_percent(random, years, model.battery.is_some()),
            full_per_mille: if random.happens(if small { 70 } else { 18 }) {
                random.between(955, 992)
            } else {
                random.between(if small { 450 } else { 150 }, 880)
            },
            filling_per_mille: random.between(0, 60),
            clock_off_millis: clock_off(random),
            contact: if model.chassis == Chassis::Tablet { Contact::NoAgent } else { contact(random, programme) },
            exchange: *random.pick_weighted(&[(Exchange::Nothing, 988), (Exchange::Memory, 7), (Exchange::Drive, 5)]),
            drives_unread: random.happens(15),
        }
    }
}

/// About 4 percent lost a year with a spread, and a few that lost much more.
fn battery_percent(random: &mut Random, years: u64, fitted: bool) -> u64 {
    if !fitted {
        return 100;
    }
    if random.happens(10 * years) {
        return random.between(22, 58);
    }
    let lost = years * random.between(2, 6) + random.between(0, 4);
    102 - lost.min(60)
}

fn clock_off(random: &mut Random) -> i64 {
    const HOUR: i64 = 60 * 60 * 1000;
    const YEAR: i64 = 365 * 24 * HOUR;
    match random.below(1000) {
        // The clock's battery is flat: back to when the firmware was built.
        0..5 => -9 * YEAR,
        // Set to the wrong zone.
        5..12 => 2 * HOUR,
        _ => i64::try_from(random.below(4_000)).unwrap_or_default() - 2_000,
    }
}

fn contact(random: &mut Random, programme: Programme) -> Contact {
    let (silent, never) = match programme {
        Programme::FirstPupilLaptops => (140, 20),
        Programme::PupilLaptops | Programme::PupilTablets | Programme::CareTablets => (70, 20),
        Programme::SchoolPool | Programme::Teachers => (30, 8),
        // Given away: the agent is gone, but for a few on which it was forgotten.
        Programme::RecycledToPupils | Programme::RecycledToAssociations => (930, 15),
    };
    match random.below(1000) {
        drawn if drawn < silent => Contact::Silent(u32::try_from(random.between(12, 160)).unwrap_or(30)),
        drawn if drawn < silent + never => Contact::NeverEnrolled(u32::try_from(random.between(20, 120)).unwrap_or(30)),
        _ => Contact::Live,
    }
}
