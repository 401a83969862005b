//! How a drive wears and dies: with signs or without, and which signs many drives show that live on for years.
//!
//! A drive's fate is drawn when it is fitted. What it says of itself follows from that fate; the rules that judge what it
//! says had no part in it.

use cartable_common::report::DriveKind;

use super::{
    chance,
    drive_values::{Signs, Values},
    truth::Cause,
};
use crate::simulator::{catalogue::DriveModel, random::Random};

/// Hard disks that die in a year of their life: 1.0 % in a data centre of 2021 (Backblaze), 1.7 % in the first year and
/// 6 to 9 % in the second to fifth among consumers' disks (Pinheiro et al., FAST '07). Between the two.
const DISK_DEATHS: [f64; 6] = [0.015, 0.03, 0.035, 0.035, 0.04, 0.05];
/// Flash drives that die in a year: 0.98 % in 2022 (Backblaze).
const FLASH_DEATHS: f64 = 0.010;
/// Soldered flash: assumed half as much again, as cheap laptops fail a fifth more often (SquareTrade 2009).
const SOLDERED_DEATHS: f64 = 0.015;
/// How much more often a flash drive dies past its rated endurance: assumed. 22 of 76 such drives still called themselves
/// well (linuxhw).
const PAST_ENDURANCE: f64 = 3.0;
/// Dead disks that had shown no sign at all: 36 % (FAST '07).
const DISKS_WITHOUT_SIGN: f64 = 0.36;
/// Dead flash drives without a bad block or error: 54 % (37 of 69 that failed by their own status had none, linuxhw).
const FLASH_WITHOUT_SIGN: f64 = 0.54;
/// Days from the first sign to the end, median and scatter: a disk is 39 times as likely to die within 60 days of its
/// first scan error (FAST '07).
const DECLINE_DAYS: (f64, f64) = (50.0, 1.1);
/// Dying drives that say so themselves before the end: 10 of 28 worn or failing ones did (our corpus of readings).
const SAYS_SO: f64 = 0.36;
/// Wear in a year, median and scatter. NVMe: half of 12,240 drives had used 0 %, a tenth of them 10 % or more
/// (linuxhw). The others are assumed: older flash has less endurance, and 64 GB with 4 GB of memory are written often.
const NVME_WEAR: (f64, f64) = (0.010, 0.9);
const SATA_WEAR: (f64, f64) = (0.020, 0.8);
const SOLDERED_WEAR: (f64, f64) = (0.060, 0.6);
/// Drives that in a year get a few bad sectors and live on: 8 % of disks and 9 % of SATA flash that call themselves well
/// have some (linuxhw); 70 % of disks live on for 8 months after their first scan error (FAST '07). 42 of 12,240 NVMe
/// drives have media errors and call themselves well.
const DISK_DEFECTS: f64 = 0.03;
const SATA_DEFECTS: f64 = 0.02;
const NVME_DEFECTS: f64 = 0.0015;
/// Hours powered on a school day: assumed.
const HOURS: (f64, f64) = (3.0, 7.0);

/// A drive in a machine.
#[derive(Clone, Debug)]
pub struct Aged {
    /// Its kind.
    pub model: DriveModel,
    /// Its serial number.
    pub serial: String,
    hours: f64,
    hours_a_day: f64,
    worn: f64,
    wear_a_year: f64,
    /// When it dies, if it is used on that day.
    pub dies_on: i64,
    /// Signs of its end, from that day on.
    decline: Option<(i64, Signs)>,
    /// Defects that mean nothing: the day, and what they show.
    defects: Vec<(i64, Signs)>,
    seed: u64,
}

impl Aged {
    /// A drive fitted new on that day (since 1970).
    pub fn fitted(random: &mut Random, model: DriveModel, day: i64) -> Self {
        let kind = model.kind;
        let (median, scatter) = wear(kind);
        let wear_a_year = chance::around(random, median, scatter);
        let dies_on = day + chance::in_days(life(random, kind, wear_a_year));
        let decline = (!chance::happens(random, without_sign(kind))).then(|| {
            let days = chance::around(random, DECLINE_DAYS.0, DECLINE_DAYS.1);
            let says_so = chance::happens(random, SAYS_SO);
            let began = (dies_on - i64::try_from(chance::whole(days)).unwrap_or_default()).max(day);
            (began, Signs::of_an_end(random, kind, says_so))
        });
        Self {
            model,
            serial: random.pattern(model.serial),
            hours: 0.0,
            hours_a_day: chance::between(random, HOURS.0, HOURS.1),
            worn: 0.0,
            wear_a_year,
            dies_on,
            decline,
            defects: defects(random, kind, day),
            seed: random.draw(),
        }
    }

    /// A week with so many days of use, that part of a school year.
    pub fn week(&mut self, days: u8, part_of_year: f64) {
        self.hours += self.hours_a_day * f64::from(days);
        self.worn += self.wear_a_year * part_of_year;
    }

    /// Why it dies.
    pub fn cause(&self) -> Cause {
        self.decline.as_ref().map_or(Cause::Sudden, |(since, _)| Cause::Declined { since: *since })
    }

    /// What it counts on a day.
    pub fn values(&self, day: i64) -> Values {
        let mut values = Values::new(self.seed, day, self.hours, self.worn);
        if let Some((began, signs)) = self.decline.as_ref().filter(|(began, _)| day >= *began) {
            let whole = chance::days((self.dies_on - began).max(1));
            signs.add_at(&mut values, (chance::days(day - began) / whole).min(1.0));
        }
        for (_, signs) in self.defects.iter().filter(|(at, signs)| (*at..signs.until).contains(&day)) {
            signs.add_at(&mut values, 1.0);
        }
        values
    }
}

const fn wear(kind: DriveKind) -> (f64, f64) {
    match kind {
        DriveKind::Nvme | DriveKind::Unknown => NVME_WEAR,
        DriveKind::Ssd => SATA_WEAR,
        DriveKind::Emmc => SOLDERED_WEAR,
        DriveKind::Hdd => (0.0, 0.0),
    }
}

const fn without_sign(kind: DriveKind) -> f64 {
    match kind {
        DriveKind::Hdd => DISKS_WITHOUT_SIGN,
        DriveKind::Nvme | DriveKind::Ssd | DriveKind::Emmc | DriveKind::Unknown => FLASH_WITHOUT_SIGN,
    }
}

/// How many years it lives: month by month, the hazard of its age and wear is used up until it has met its draw.
fn life(random: &mut Random, kind: DriveKind, wear_a_year: f64) -> f64 {
    const MONTHS: u32 = 40 * 12;
    let mut left = chance::wait(random, 1.0);
    for month in 0..MONTHS {
        let years = f64::from(month) / 12.0;
        let past = if wear_a_year * years > 1.0 { PAST_ENDURANCE } else { 1.0 };
        let rate = past
            * match kind {
                DriveKind::Hdd => {
                    DISK_DEATHS[usize::try_from(chance::whole(years)).unwrap_or_default().min(DISK_DEATHS.len() - 1)]
                }
                DriveKind::Emmc => SOLDERED_DEATHS,
                DriveKind::Nvme | DriveKind::Ssd | DriveKind::Unknown => FLASH_DEATHS,
            };
        if left <= rate / 12.0 {
            return years + left / rate;
        }
        left -= rate / 12.0;
    }
    f64::from(MONTHS)
}

fn defects(random: &mut Random, kind: DriveKind, fitted: i64) -> Vec<(i64, Signs)> {
    const YEARS: f64 = 20.0;
    let rate = match kind {
        DriveKind::Hdd => DISK_DEFECTS,
        DriveKind::Ssd => SATA_DEFECTS,
        DriveKind::Nvme | DriveKind::Unknown => NVME_DEFECTS,
        DriveKind::Emmc => return Vec::new(),
    };
    let mut found = Vec::new();
    let mut years = chance::wait(random, rate);
    while years < YEARS {
        let at = fitted + chance::in_days(years);
        found.push((at, Signs::that_mean_nothing(random, kind, at)));
        years += chance::wait(random, rate);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::catalogue::models;
    use crate::simulator::programme::Programme;

    fn many(kind: DriveKind) -> Vec<Aged> {
        let all = Programme::SIZES.iter().flat_map(|(programme, _)| models(*programme));
        let model = all.flat_map(|(model, _)| model.drives).find(|model| model.kind == kind).copied().unwrap();
        (0..20_000).map(|index| Aged::fitted(&mut Random::of(3, "drives", index), model, 0)).collect()
    }

    fn share(drives: &[Aged], wanted: impl Fn(&Aged) -> bool) -> f64 {
        chance::real(drives.iter().filter(|one| wanted(one)).count() as u64) / chance::real(drives.len() as u64)
    }

    #[test]
    fn drives_die_as_often_and_as_silently_as_their_sources_say() {
        let disks = many(DriveKind::Hdd);
        let five_years = share(&disks, |one| one.dies_on < 1_826);
        assert!((0.13..0.16).contains(&five_years), "{five_years}");
        let silent = share(&disks, |one| one.cause() == Cause::Sudden);
        assert!((0.34..0.38).contains(&silent), "{silent}");
        let flash = share(&many(DriveKind::Nvme), |one| one.dies_on < 1_826);
        assert!((0.04..0.06).contains(&flash), "{flash}");
    }

    #[test]
    fn signs_come_before_the_end_and_grow() {
        for drive in many(DriveKind::Hdd).iter().take(2_000) {
            let Cause::Declined { since } = drive.cause() else { continue };
            let count = |day| drive.values(day).sectors();
            assert!(since <= drive.dies_on);
            if drive.defects.is_empty() {
                assert_eq!(count(since - 1), 0);
                assert!(count(drive.dies_on) > 0);
                assert!(count(drive.dies_on) >= count(i64::midpoint(since, drive.dies_on)));
            }
        }
    }
}
