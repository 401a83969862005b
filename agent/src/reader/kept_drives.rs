//! What each drive said last, and when. Pure: nothing is asked here.
//!
//! Each drive is for itself: one that sleeps keeps its last word while the others' fresh ones count, and none is asked sooner
//! because another one was exchanged. A drive is known by what it is, never by what it counts: Windows tells hours and
//! temperatures at each look, and they are no reason to ask it.

use cartable_common::{
    UtcMillis, limits,
    report::{Drive, HealthReport, Subject, Unread, UnreadReason},
};
use serde::{Deserialize, Serialize};

use crate::{
    collect::{self, DriveAnswer},
    fairness::{self, LastQuestion, Surroundings},
};

/// From this age on a report says that the last word of a drive that sleeps is old. A month: long for a drive that may fail, and
/// far more than a drive that is used needs to be met awake.
const OLD_WORD_MILLIS: i64 = 30 * UtcMillis::DAY;

/// What the drives said, each for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptDrives {
    drives: Vec<KeptDrive>,
}

/// What one drive said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeptDrive {
    /// Which one (see [`identity`]).
    which: Drive,
    /// When it was asked last.
    asked: LastQuestion,
    /// When it said what is kept; of one that never answered when it was asked first.
    said_at: UtcMillis,
    /// The drive with what it said.
    said: Option<Drive>,
    /// What it did not say, and why.
    missing: Option<Unread>,
}

impl KeptDrives {
    /// The places of those drives, of all that are `seen`, that may be asked now.
    pub(super) fn due(&self, seen: &[Drive], around: &Surroundings, now: UtcMillis) -> Vec<usize> {
        let (kept, _) = self.of_each(seen);
        let may_ask = |kept: Option<&KeptDrive>| fairness::may_ask_drive(around, kept.map(|one| one.asked), now);
        kept.into_iter().enumerate().filter(|(_, kept)| may_ask(*kept)).map(|(place, _)| place).collect()
    }

    /// What is kept once some of the drives that are `seen` answered.
    pub(super) fn after(&self, seen: &[Drive], answers: &[DriveAnswer], now: UtcMillis) -> Self {
        let (kept, gone) = self.of_each(seen);
        let mut drives = Vec::with_capacity(seen.len());
        for ((place, drive), before) in seen.iter().enumerate().zip(kept) {
            let which = identity(drive);
            // Between two looks of a probe a drive may be exchanged: its words are not the other's.
            let own = answers.iter().find(|answer| answer.place == place && identity(&answer.seen) == which);
            let own = own.map(|answer| KeptDrive::after(before, which, answer, now));
            drives.extend(own.or_else(|| before.cloned()));
        }
        // One that is missing from a single look is no reason to ask it again.
        drives.extend(gone.into_iter().filter(|one| one.asked.is_recent(now)).cloned());
        drives.truncate(2 * limits::MAX_DRIVES);
        Self { drives }
    }

    /// The same where nobody answered for the drives in these places: they were asked, and said nothing.
    pub(super) fn after_silence(&self, seen: &[Drive], places: &[usize], missing: &Unread, now: UtcMillis) -> Self {
        let silent = |place: usize| {
            let seen = seen.get(place)?.clone();
            Some(DriveAnswer { place, seen, said: None, missing: Some(missing.clone()) })
        };
        let answers: Vec<DriveAnswer> = places.iter().copied().filter_map(silent).collect();
        self.after(seen, &answers, now)
    }

    /// `report`, with what its drives said.
    pub(super) fn complete(&self, mut report: HealthReport, now: UtcMillis) -> HealthReport {
        let (kept, _) = self.of_each(&report.drives);
        for (place, kept) in kept.into_iter().enumerate() {
            let Some(kept) = kept else { continue };
            collect::tell(&mut report, place, kept.said.as_ref(), kept.missing.as_ref());
            if kept.is_old(now) {
                let words = "the drive slept whenever it was asked, and what it said is more than a month old";
                report.unread.push(collect::unread(Subject::DriveHealth, UnreadReason::Asleep, words));
            }
        }
        collect::within_limits(report)
    }

    /// What is kept of each drive that is `seen`, and what is kept of others. Drives that nothing tells apart stand in their
    /// order.
    fn of_each(&self, seen: &[Drive]) -> (Vec<Option<&KeptDrive>>, Vec<&KeptDrive>) {
        let mut left: Vec<&KeptDrive> = self.drives.iter().collect();
        let mut each = Vec::with_capacity(seen.len());
        for drive in seen {
            let which = identity(drive);
            let place = left.iter().position(|kept| kept.which == which);
            each.push(place.map(|place| left.remove(place)));
        }
        (each, left)
    }
}

impl KeptDrive {
    /// One that sleeps keeps what it said.
    fn after(before: Option<&Self>, which: Drive, answer: &DriveAnswer, now: UtcMillis) -> Self {
        let asked = if answer.is_asleep() { LastQuestion::Slept(now) } else { LastQuestion::Put(now) };
        match before {
            Some(before) if answer.is_asleep() && before.said.is_some() => Self { asked, ..before.clone() },
            _ => Self { which, asked, said_at: now, said: answer.said.clone(), missing: answer.missing.clone() },
        }
    }

    fn is_old(&self, now: UtcMillis) -> bool {
        let is_asleep = matches!(self.asked, LastQuestion::Slept(_));
        is_asleep && self.said.is_some() && now.millis_since(self.said_at) >= OLD_WORD_MILLIS
    }
}

/// Of a drive, what makes it this one and never moves: model, serial number, kind (rotating, ATA, NVMe, eMMC) and size.
fn identity(drive: &Drive) -> Drive {
    Drive {
        model: drive.model.clone(),
        serial_number: drive.serial_number.clone(),
        kind: drive.kind,
        capacity_bytes: drive.capacity_bytes,
        ..Drive::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cartable_common::{
        Hours, SerialNumber, Text,
        report::{NvmeHealth, SelfAssessment},
    };

    const WINDOWS: &str = include_str!("../collect/wmi/recorded/laptop.jsonl");

    fn hour(hours: i64) -> UtcMillis {
        UtcMillis::default().plus_days(20_000).plus_millis(hours * 3_600_000)
    }

    fn drive(serial: &str) -> Drive {
        Drive { serial_number: SerialNumber::parse(serial).into(), ..Drive::default() }
    }

    fn says(place: usize, seen: &Drive, hours: u32) -> DriveAnswer {
        let assessment = Some(SelfAssessment::Passed);
        let said = Drive { self_assessment: assessment, power_on_hours: Hours::new(hours), ..seen.clone() };
        DriveAnswer { place, seen: seen.clone(), said: Some(said), missing: None }
    }

    fn sleeps(place: usize, seen: &Drive) -> DriveAnswer {
        let missing = Some(collect::unread(Subject::DriveHealth, UnreadReason::Asleep, "STANDBY"));
        DriveAnswer { place, seen: seen.clone(), said: None, missing }
    }

    fn due(kept: &KeptDrives, seen: &[Drive], now: UtcMillis) -> Vec<usize> {
        kept.due(seen, &Surroundings::default(), now)
    }

    fn told(kept: &KeptDrives, seen: &[Drive], now: UtcMillis) -> HealthReport {
        kept.complete(HealthReport { drives: seen.to_vec(), ..HealthReport::default() }, now)
    }

    #[test]
    fn hours_and_temperatures_that_windows_counts_are_no_reason_to_ask() {
        let first = collect::of_wmi(WINDOWS.as_bytes()).drives;
        let moved = WINDOWS.replace("\"PowerOnHours\":4210", "\"PowerOnHours\":4212");
        let moved = moved.replace("\"Temperature\":41", "\"Temperature\":47").replace("\"Wear\":12", "\"Wear\":13");
        let later = collect::of_wmi(moved.as_bytes());
        assert_ne!(later.drives, first, "nothing moved");
        let kept = KeptDrives::default().after(&first, &[says(0, &first[0], 4_209), says(1, &first[1], 7)], hour(0));
        assert_eq!(due(&kept, &later.drives, hour(23)), [0_usize; 0], "asked although only its counters moved");
        let report = kept.complete(later.clone(), hour(23));
        assert_eq!(report.drives[0].power_on_hours, Hours::new(4_209), "what smartctl said stands between two askings");
        assert_eq!(report.drives[0].self_assessment, Some(SelfAssessment::Passed));
        assert_eq!(due(&kept, &later.drives, hour(24)), [0, 1]);
    }

    #[test]
    fn a_sleeping_drive_keeps_its_own_word_and_the_others_fresh_ones_count() {
        let seen = [drive("NVME0001"), drive("HDD00001")];
        let both = KeptDrives::default().after(&seen, &[says(0, &seen[0], 1), says(1, &seen[1], 2)], hour(0));
        let mut warns = says(0, &seen[0], 25);
        let nvme = NvmeHealth { critical_warning: Some(4), ..NvmeHealth::default() };
        warns.said.as_mut().unwrap().nvme = Some(nvme.clone());
        let kept = both.after(&seen, &[warns, sleeps(1, &seen[1])], hour(24));
        let report = told(&kept, &seen, hour(24));
        assert_eq!(report.drives[0].nvme, Some(nvme), "the word of the drive that is awake was thrown away");
        assert_eq!((report.drives[1].power_on_hours, report.unread.len()), (Hours::new(2), 0));
        assert_eq!(due(&kept, &seen, hour(47)), [0_usize; 0], "neither is asked within the day");
        assert_eq!((due(&kept, &seen, hour(48)), due(&kept, &seen, hour(53))), (vec![0], vec![0, 1]));
    }

    #[test]
    fn a_word_that_is_a_month_old_is_said_to_be_and_one_that_never_came_is_missing() {
        let seen = [drive("HDD00001")];
        let never = KeptDrives::default().after(&seen, &[sleeps(0, &seen[0])], hour(0));
        assert_eq!(told(&never, &seen, hour(1)).unread[0].reason, Some(UnreadReason::Asleep));
        let awake = KeptDrives::default().after(&seen, &[says(0, &seen[0], 1)], hour(0));
        let asleep = awake.after(&seen, &[sleeps(0, &seen[0])], hour(29 * 24));
        assert!(told(&asleep, &seen, hour(29 * 24)).unread.is_empty());
        let old = told(&asleep, &seen, hour(30 * 24));
        assert_eq!((old.drives[0].power_on_hours, old.unread.len()), (Hours::new(1), 1));
    }

    #[test]
    fn an_exchanged_drive_is_asked_at_once_and_one_that_is_back_within_the_day_is_not() {
        let (old, new) = (drive("OLD00001"), drive("NEW00001"));
        let kept = KeptDrives::default().after(std::slice::from_ref(&old), &[says(0, &old, 1)], hour(0));
        assert_eq!(due(&kept, std::slice::from_ref(&new), hour(1)), [0]);
        let kept = kept.after(std::slice::from_ref(&new), &[says(0, &new, 2)], hour(1));
        let both = [new.clone(), old.clone()];
        assert_eq!(due(&kept, &both, hour(2)), [0_usize; 0]);
        let hours: Vec<_> = told(&kept, &both, hour(2)).drives.iter().map(|one| one.power_on_hours).collect();
        assert_eq!(hours, [Hours::new(2), Hours::new(1)]);
        let swapped = DriveAnswer { place: 0, ..says(1, &old, 3) };
        let kept = kept.after(&both, &[swapped], hour(30));
        assert_eq!(told(&kept, &both, hour(30)).drives[0].power_on_hours, Hours::new(2), "another drive's words");
    }

    #[test]
    fn drives_that_nobody_answered_for_count_as_asked_and_the_others_keep_their_words() {
        let seen = [drive("NVME0001"), drive("HDD00001")];
        let both = KeptDrives::default().after(&seen, &[says(0, &seen[0], 1), says(1, &seen[1], 2)], hour(0));
        let missing = collect::unread(Subject::DriveHealth, UnreadReason::TimedOut, "the probe did not answer");
        let kept = both.after_silence(&seen, &[1, 7], &missing, hour(24));
        let report = told(&kept, &seen, hour(24));
        let hours: Vec<_> = report.drives.iter().map(|one| one.power_on_hours).collect();
        assert_eq!((hours, report.unread), (vec![Hours::new(1), None], vec![missing]));
        assert_eq!((due(&kept, &seen, hour(47)), due(&kept, &seen, hour(48))), (vec![0], vec![0, 1]));
    }

    #[test]
    fn two_drives_that_nothing_tells_apart_keep_their_order() {
        let twin = Drive { model: Text::meaningful("Twin"), ..Drive::default() };
        let seen = [twin.clone(), twin];
        let kept = KeptDrives::default().after(&seen, &[says(0, &seen[0], 1), says(1, &seen[1], 2)], hour(0));
        let kept = kept.after(&seen, &[says(0, &seen[0], 3)], hour(24));
        let hours: Vec<_> = told(&kept, &seen, hour(24)).drives.iter().map(|one| one.power_on_hours).collect();
        assert_eq!(hours, [Hours::new(3), Hours::new(2)]);
        assert_eq!(due(&kept, &seen, hour(25)), [1]);
    }

    #[test]
    fn what_an_older_agent_kept_costs_one_question() {
        let older = r#"{"asked_at":1,"as_seen":[],"said":[],"unread":[]}"#;
        assert!(serde_json::from_str::<KeptDrives>(older).is_err(), "it would count as never asked");
        let seen = [drive("HDD00001")];
        let kept = KeptDrives::default().after(&seen, &[sleeps(0, &seen[0])], hour(0));
        let again: KeptDrives = serde_json::from_str(&serde_json::to_string(&kept).unwrap()).unwrap();
        assert_eq!(again, kept);
    }
}
