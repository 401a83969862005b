//! What a simulated drive counts on one day, and how its kind tells it: ATA attributes, NVMe log, eMMC registers.

use cartable_common::{
    Bytes, Celsius, Hours, SerialNumber, Text,
    report::{Drive, DriveKind, EmmcHealth, NvmeHealth, SelfAssessment},
};

use super::chance;
use crate::simulator::{
    catalogue::DriveModel,
    drive::{attribute, percent},
    random::Random,
};

/// Counts at their worst, and how they come there.
#[derive(Clone, Debug)]
pub struct Signs {
    reallocated: f64,
    pending: f64,
    uncorrectable: f64,
    media_errors: f64,
    spare_lost: f64,
    /// From which part of its decline a drive says itself that it fails; past 1 never.
    says_so_from: f64,
    /// How suddenly counts grow: 1 evenly, more at the end.
    steepness: f64,
    /// The day after which nothing shows any more.
    pub until: i64,
}

/// Counts of a dying drive at its end, median and scatter: assumed, in the range that Backblaze's classes span.
const AT_THE_END: (f64, f64) = (60.0, 1.5);
/// How often each count is among the signs: assumed; 93 % of disks that failed by their own status had one (linuxhw).
const SHOWN: [f64; 3] = [0.75, 0.6, 0.5];
/// Counts that mean nothing: median and scatter, assumed.
const FEW: (f64, f64) = (2.0, 0.7);
/// How long sectors that wait are seen until they are written again, in days: assumed.
const WAITS: (f64, f64) = (14.0, 120.0);

const NONE: Signs = Signs {
    reallocated: 0.0,
    pending: 0.0,
    uncorrectable: 0.0,
    media_errors: 0.0,
    spare_lost: 0.0,
    says_so_from: 2.0,
    steepness: 1.0,
    until: i64::MAX,
};

impl Signs {
    /// Those of a drive that comes to its end.
    pub fn of_an_end(random: &mut Random, kind: DriveKind, says_so: bool) -> Self {
        let size = chance::around(random, AT_THE_END.0, AT_THE_END.1);
        let mut part = |shown: f64, low: f64, high: f64| {
            let (shows, part) = (chance::happens(random, shown), chance::between(random, low, high));
            if shows { (size * part).max(1.0) } else { 0.0 }
        };
        let (mut reallocated, pending) = (part(SHOWN[0], 0.3, 1.0), part(SHOWN[1], 0.05, 0.5));
        let (uncorrectable, spare_lost) = (part(SHOWN[2], 0.02, 0.3), part(SHOWN[1], 1.0, 1.0));
        let media_errors = part(SHOWN[0], 0.2, 1.0);
        if pending + uncorrectable <= 0.0 {
            reallocated = reallocated.max(1.0);
        }
        let flash = matches!(kind, DriveKind::Nvme | DriveKind::Emmc | DriveKind::Unknown);
        Self {
            reallocated,
            pending: if kind == DriveKind::Hdd { pending } else { 0.0 },
            uncorrectable,
            media_errors: if flash && spare_lost <= 0.0 { media_errors.max(1.0) } else { media_errors },
            spare_lost: if kind == DriveKind::Emmc {
                // All that such a drive can tell is that its spare blocks go.
                chance::between(random, 80.0, 100.0)
            } else if spare_lost > 0.0 {
                chance::between(random, 30.0, 97.0)
            } else {
                0.0
            },
            says_so_from: if says_so { chance::between(random, 0.5, 1.0) } else { 2.0 },
            steepness: chance::between(random, 0.7, 3.0),
            until: i64::MAX,
        }
    }

    /// A few bad sectors of a drive that lives on, from the day `at`.
    pub fn that_mean_nothing(random: &mut Random, kind: DriveKind, at: i64) -> Self {
        let few = chance::around(random, FEW.0, FEW.1).max(1.0);
        let waits = chance::whole(chance::between(random, WAITS.0, WAITS.1));
        match (kind, random.below(10)) {
            (DriveKind::Nvme | DriveKind::Unknown, _) => Self { media_errors: few, ..NONE },
            (DriveKind::Hdd, 0..4) => Self { pending: few, until: at + i64::try_from(waits).unwrap_or(30), ..NONE },
            (_, 8..) => Self { uncorrectable: few, ..NONE },
            _ => Self { reallocated: few, ..NONE },
        }
    }

    /// Adds what shows once that part of the way is gone.
    pub fn add_at(&self, values: &mut Values, part: f64) {
        let grown =
            |worst: f64| if worst > 0.0 { chance::whole((worst * part.powf(self.steepness)).max(1.0)) } else { 0 };
        values.reallocated += grown(self.reallocated);
        values.pending += grown(self.pending);
        values.uncorrectable += grown(self.uncorrectable);
        values.media_errors += grown(self.media_errors);
        values.spare_lost += grown(self.spare_lost);
        values.says_so |= part >= self.says_so_from;
    }
}

/// What a drive counts on one day.
#[derive(Clone, Debug)]
pub struct Values {
    seed: u64,
    day: i64,
    hours: u64,
    worn_percent: u64,
    reallocated: u64,
    pending: u64,
    uncorrectable: u64,
    media_errors: u64,
    spare_lost: u64,
    says_so: bool,
}

/// SATA drives whose cable lost some transfers: attribute 199 above 0 in 4 of 57 readings of our corpus; it means nothing.
const BAD_CABLES: u64 = 40;
/// Solid-state drives that answer a temperature of 0: assumed, as one reading of our corpus does.
const NO_THERMOMETER: u64 = 60;
/// Readings in a thousand that show one waiting sector which the next does not: assumed, as seen on flash.
const ODD_READINGS: u64 = 2;

impl Values {
    /// Those of a drive without a sign.
    pub fn new(seed: u64, day: i64, hours: f64, worn: f64) -> Self {
        let worn_percent = chance::whole(worn * 100.0).min(255);
        Self {
            seed,
            day,
            hours: chance::whole(hours),
            worn_percent,
            reallocated: 0,
            pending: 0,
            uncorrectable: 0,
            media_errors: 0,
            spare_lost: 0,
            says_so: false,
        }
    }

    /// Sectors of which it says that something is wrong.
    #[cfg(test)]
    pub const fn sectors(&self) -> u64 {
        self.reallocated + self.pending + self.uncorrectable
    }

    /// What the drive of that model and serial number says.
    pub fn told(&self, model: &DriveModel, serial: &str) -> Drive {
        // Draws that belong to the drive, the same every day.
        let mut own = Random::seeded(self.seed);
        let mut drive = Drive {
            model: Text::meaningful(model.name),
            serial_number: SerialNumber::parse(serial).into(),
            firmware: Text::meaningful(model.firmware),
            kind: Some(model.kind),
            capacity_bytes: Bytes::new(model.bytes),
            ..Drive::default()
        };
        if model.kind == DriveKind::Emmc {
            drive.emmc = Some(self.emmc(&mut own));
            return drive;
        }
        let nvme = (model.kind == DriveKind::Nvme).then(|| self.nvme(&mut own));
        let failed = nvme.as_ref().map_or(self.says_so, |nvme| nvme.critical_warning.is_some_and(|bits| bits != 0));
        drive.self_assessment = Some(if failed { SelfAssessment::Failed } else { SelfAssessment::Passed });
        drive.smartctl_exit_status = Some(if failed { 8 } else { 0 });
        drive.power_on_hours = Hours::new(u32::try_from(self.hours).unwrap_or_default());
        drive.power_cycles = Some(self.hours / own.between(3, 6));
        let warm = if model.kind != DriveKind::Hdd && own.happens(NO_THERMOMETER) { 0 } else { own.between(28, 41) };
        drive.temperature_celsius = Celsius::new(i16::try_from(warm).unwrap_or(33));
        drive.nvme = nvme;
        match model.kind {
            DriveKind::Ssd => self.fill_flash(&mut drive, &mut own),
            DriveKind::Hdd => self.fill_disk(&mut drive, &mut own),
            DriveKind::Nvme | DriveKind::Emmc | DriveKind::Unknown => {}
        }
        drive
    }

    fn nvme(&self, own: &mut Random) -> NvmeHealth {
        const SPARE_THRESHOLD: u64 = 10;
        let spare = 100 - self.spare_lost.min(100);
        // Bit 0: the spare blocks are used up; bit 2: unreliable.
        let warning = u8::from(spare < SPARE_THRESHOLD) | u8::from(self.says_so) << 2;
        NvmeHealth {
            critical_warning: Some(warning),
            available_spare_percent: percent(spare),
            available_spare_threshold_percent: percent(SPARE_THRESHOLD),
            percentage_used_percent: percent(self.worn_percent),
            media_errors: Some(self.media_errors),
            unsafe_shutdowns: Some(self.hours / 60 + own.between(3, 90)),
        }
    }

    /// JESD84-B51: wear in steps of ten percent, and how much of the spare blocks is used in three steps.
    fn emmc(&self, own: &mut Random) -> EmmcHealth {
        let step = |percent: u64| u8::try_from((percent / 10 + 1).min(11)).ok();
        let spare = match self.spare_lost.max(if self.says_so { 90 } else { 0 }) {
            90.. => 3,
            80.. => 2,
            _ => 1,
        };
        let other = self.worn_percent * own.between(50, 100) / 100;
        EmmcHealth { life_time_a: step(self.worn_percent), life_time_b: step(other), pre_end_of_life: Some(spare) }
    }

    fn fill_flash(&self, drive: &mut Drive, own: &mut Random) {
        let cable = if own.happens(BAD_CABLES) { own.between(1, 60) } else { 0 };
        let odd = Random::of(self.seed, "odd", self.day.unsigned_abs()).happens(ODD_READINGS);
        let left = 100 - self.worn_percent.min(99);
        drive.endurance_used_percent = percent(self.worn_percent);
        drive.logged_errors = Some(self.uncorrectable / 2);
        drive.ata_attributes = vec![
            attribute(5, "Reallocated_Sector_Ct", 100 - (self.reallocated / 8).min(99), 10, self.reallocated),
            attribute(9, "Power_On_Hours", 99, 0, self.hours),
            attribute(12, "Power_Cycle_Count", 99, 0, drive.power_cycles.unwrap_or_default()),
            attribute(177, "Wear_Leveling_Count", left, 0, self.worn_percent * 12),
            attribute(187, "Reported_Uncorrect", 100, 0, self.uncorrectable),
            attribute(194, "Temperature_Celsius", 68, 0, 32),
            attribute(197, "Current_Pending_Sector", 100, 0, u64::from(odd)),
            attribute(199, "UDMA_CRC_Error_Count", 100, 0, cable),
        ];
    }

    fn fill_disk(&self, drive: &mut Drive, own: &mut Random) {
        let cable = if own.happens(BAD_CABLES) { own.between(1, 60) } else { 0 };
        let odd = Random::of(self.seed, "odd", self.day.unsigned_abs()).happens(ODD_READINGS);
        // Some makers pack three counters of timeouts into one raw value.
        let timeouts = if own.happens(300) { own.between(1, 9) * 0x1_0001_0001 } else { 0 };
        let pending = self.pending + u64::from(odd);
        drive.logged_errors = Some(self.uncorrectable + cable);
        drive.ata_attributes = vec![
            attribute(1, "Raw_Read_Error_Rate", 200, 51, own.between(0, 9)),
            attribute(4, "Start_Stop_Count", 97, 0, self.hours / 3),
            attribute(5, "Reallocated_Sector_Ct", 200 - (self.reallocated / 12).min(190), 140, self.reallocated),
            attribute(9, "Power_On_Hours", 92, 0, self.hours),
            attribute(10, "Spin_Retry_Count", 100, 0, 0),
            attribute(12, "Power_Cycle_Count", 97, 0, drive.power_cycles.unwrap_or_default()),
            attribute(187, "Reported_Uncorrect", 100 - self.uncorrectable.min(99), 0, self.uncorrectable),
            attribute(188, "Command_Timeout", 100, 0, timeouts),
            attribute(193, "Load_Cycle_Count", 190, 0, self.hours * 9),
            attribute(194, "Temperature_Celsius", 113, 0, 34),
            attribute(197, "Current_Pending_Sector", 200, 0, pending),
            attribute(198, "Offline_Uncorrectable", 100, 0, self.pending / 4),
            attribute(199, "UDMA_CRC_Error_Count", 200, 0, cable),
        ];
    }
}
