//! What a simulated drive says of itself at one moment, from its technology, age and condition.
//!
//! Values follow what real drives of that technology report: hours grow by school days, a failing drive's bad sectors
//! grow over weeks, and many failing drives still say that they are well.

use cartable_common::{
    Bytes, Celsius, Hours, Percent, SerialNumber, Text,
    report::{AtaAttribute, Drive, DriveKind, EmmcHealth, NvmeHealth, SelfAssessment, WhenFailed},
};

use super::{catalogue::DriveModel, condition::DriveCondition, random::Random};

/// A drive in a simulated machine.
#[derive(Clone, Debug)]
pub struct SimulatedDrive {
    /// Its kind.
    pub model: DriveModel,
    /// Its serial number.
    pub serial: String,
    /// Its state.
    pub condition: DriveCondition,
    /// Hours powered on when the fleet began.
    pub hours: u64,
    /// Draws that belong to this drive: the same at every moment.
    pub seed: u64,
}

/// How long a failing drive's values have been getting worse.
const DECLINE_DAYS: i64 = 40;

impl SimulatedDrive {
    /// A drive of `model`, `years` old.
    pub fn drawn(random: &mut Random, model: DriveModel, condition: DriveCondition, years: u64) -> Self {
        let serial = random.pattern(model.serial);
        let hours = years * random.between(700, 1_500) + random.between(20, 300);
        Self { model, serial, condition, hours, seed: random.draw() }
    }

    /// What it says `days` after the fleet began (before, where negative).
    pub fn at(&self, days: i64) -> Drive {
        let mut random = Random::seeded(self.seed);
        let hours = self.hours.saturating_add_signed(days * 5);
        let failed = self.condition == DriveCondition::Failing && random.happens(350) && days > -10;
        let mut drive = Drive {
            model: Text::meaningful(self.model.name),
            serial_number: SerialNumber::parse(&self.serial).into(),
            firmware: Text::meaningful(self.model.firmware),
            kind: Some(self.model.kind),
            capacity_bytes: Bytes::new(self.model.bytes),
            ..Drive::default()
        };
        if self.model.kind == DriveKind::Emmc {
            drive.emmc = Some(self.emmc(&mut random));
            return drive;
        }
        drive.self_assessment = Some(if failed { SelfAssessment::Failed } else { SelfAssessment::Passed });
        drive.smartctl_exit_status = Some(if failed { 8 } else { 0 });
        drive.power_on_hours = Hours::new(u32::try_from(hours).unwrap_or_default());
        drive.power_cycles = Some(hours / random.between(3, 6));
        drive.temperature_celsius = Celsius::new(i16::try_from(random.between(28, 41)).unwrap_or(33));
        match self.model.kind {
            DriveKind::Nvme => drive.nvme = Some(self.nvme(&mut random, hours, days)),
            DriveKind::Ssd => self.fill_ssd(&mut drive, &mut random, hours, days),
            DriveKind::Hdd => self.fill_hdd(&mut drive, &mut random, hours, days),
            DriveKind::Emmc | DriveKind::Unknown => {}
        }
        drive
    }

    /// How far the decline of a failing drive has come at `days`, in percent.
    fn decline(&self, days: i64) -> u64 {
        match self.condition {
            DriveCondition::Failing => {
                ((days + DECLINE_DAYS).clamp(0, DECLINE_DAYS) * 100 / DECLINE_DAYS).unsigned_abs()
            }
            DriveCondition::Sound | DriveCondition::Worn => 0,
        }
    }

    fn wear_percent(&self, random: &mut Random, hours: u64) -> u64 {
        match self.condition {
            DriveCondition::Worn => random.between(82, 104),
            DriveCondition::Sound | DriveCondition::Failing => (hours / random.between(500, 1_400)).min(70),
        }
    }

    fn nvme(&self, random: &mut Random, hours: u64, days: i64) -> NvmeHealth {
        let declined = self.decline(days);
        let spare = 100 - declined * random.between(93, 97) / 100;
        NvmeHealth {
            critical_warning: Some(u8::from(spare < 10)),
            available_spare_percent: percent(spare),
            available_spare_threshold_percent: percent(10),
            percentage_used_percent: percent(self.wear_percent(random, hours)),
            media_errors: Some(declined * random.between(0, 9)),
            unsafe_shutdowns: Some(hours / 60 + random.between(3, 90)),
        }
    }

    fn emmc(&self, random: &mut Random) -> EmmcHealth {
        let (low, high, spare) = match self.condition {
            DriveCondition::Sound => (1, 4, 1),
            DriveCondition::Worn => (9, 11, 1),
            DriveCondition::Failing => (10, 11, 3),
        };
        let mut steps = || u8::try_from(random.between(low, high)).ok();
        EmmcHealth { life_time_a: steps(), life_time_b: steps(), pre_end_of_life: Some(spare) }
    }

    fn fill_ssd(&self, drive: &mut Drive, random: &mut Random, hours: u64, days: i64) {
        let wear = self.wear_percent(random, hours);
        let bad = self.decline(days) * random.between(3, 40);
        drive.endurance_used_percent = percent(wear);
        drive.logged_errors = Some(bad / 100);
        drive.ata_attributes = vec![
            attribute(5, "Reallocated_Sector_Ct", 100 - bad.min(99), 10, bad),
            attribute(9, "Power_On_Hours", 99, 0, hours),
            attribute(12, "Power_Cycle_Count", 99, 0, drive.power_cycles.unwrap_or_default()),
            attribute(177, "Wear_Leveling_Count", 100 - wear.min(99), 0, wear * 12),
            attribute(187, "Reported_Uncorrect", 100, 0, bad / 50),
            attribute(194, "Temperature_Celsius", 68, 0, 32),
            attribute(199, "UDMA_CRC_Error_Count", 100, 0, if random.happens(40) { random.between(1, 60) } else { 0 }),
        ];
    }

    fn fill_hdd(&self, drive: &mut Drive, random: &mut Random, hours: u64, days: i64) {
        let declined = self.decline(days);
        let reallocated = match self.condition {
            DriveCondition::Sound => 0,
            DriveCondition::Worn => random.between(1, 9),
            DriveCondition::Failing => declined * random.between(1, 30),
        };
        let pending = declined * random.between(1, 8) / 10;
        drive.logged_errors = Some(pending / 2);
        drive.ata_attributes = vec![
            attribute(1, "Raw_Read_Error_Rate", 200, 51, random.between(0, 9)),
            attribute(4, "Start_Stop_Count", 97, 0, hours / 3),
            attribute(5, "Reallocated_Sector_Ct", 200 - (reallocated / 12).min(190), 140, reallocated),
            attribute(9, "Power_On_Hours", 92, 0, hours),
            attribute(10, "Spin_Retry_Count", 100, 0, 0),
            attribute(12, "Power_Cycle_Count", 97, 0, drive.power_cycles.unwrap_or_default()),
            attribute(187, "Reported_Uncorrect", 100, 0, pending / 3),
            attribute(193, "Load_Cycle_Count", 190, 0, hours * 9),
            attribute(194, "Temperature_Celsius", 113, 0, 34),
            attribute(197, "Current_Pending_Sector", 200, 0, pending),
            attribute(198, "Offline_Uncorrectable", 100, 0, pending / 4),
            attribute(199, "UDMA_CRC_Error_Count", 200, 0, 0),
        ];
    }
}

pub(crate) fn percent(value: u64) -> Option<Percent> {
    u8::try_from(value).ok().and_then(Percent::new)
}

pub(crate) fn attribute(id: u8, name: &str, value: u64, threshold: u8, raw: u64) -> AtaAttribute {
    let value = u8::try_from(value).unwrap_or(100);
    let below = threshold > 0 && value <= threshold;
    AtaAttribute {
        id,
        name: Some(Text::clean(name)),
        value: Some(value),
        worst: Some(value),
        threshold: Some(threshold),
        raw: Some(raw),
        when_failed: Some(if below { WhenFailed::Now } else { WhenFailed::Never }),
    }
}
