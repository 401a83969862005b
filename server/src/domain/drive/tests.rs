//! What the drive rules must say, case by case.

use cartable_common::{
    Percent, Text,
    report::{AtaAttribute, EmmcHealth, NvmeHealth, WhenFailed},
};
use proptest::prelude::*;

use super::*;

fn attribute(id: u8, name: &str, value: u8, threshold: u8, raw: u64) -> AtaAttribute {
    AtaAttribute {
        id,
        name: Text::meaningful(name),
        value: Some(value),
        worst: Some(value),
        threshold: Some(threshold),
        raw: Some(raw),
        when_failed: None,
    }
}

fn bare(kind: DriveKind, attributes: Vec<AtaAttribute>) -> Drive {
    let mut drive = Drive { kind: Some(kind), ata_attributes: attributes, ..Drive::default() };
    drive.self_assessment = Some(SelfAssessment::Passed);
    drive
}

/// A disk in order but for `attributes`.
fn disk(mut attributes: Vec<AtaAttribute>) -> Drive {
    for (id, name) in [(5, "Reallocated_Sector_Ct"), (197, "Current_Pending_Sector"), (198, "Offline_Uncorrectable")] {
        if !attributes.iter().any(|one| one.id == id) {
            attributes.push(attribute(id, name, 100, 5, 0));
        }
    }
    bare(DriveKind::Hdd, attributes)
}

/// A solid-state drive in order but for `attributes` and its wear.
fn ssd(mut attributes: Vec<AtaAttribute>) -> Drive {
    for (id, name) in [(5, "Retired_Block_Count"), (187, "Reported_Uncorrect")] {
        if !attributes.iter().any(|one| one.id == id) {
            attributes.push(attribute(id, name, 100, 0, 0));
        }
    }
    bare(DriveKind::Ssd, attributes)
}

/// The log of an NVMe drive in order.
fn log() -> NvmeHealth {
    NvmeHealth {
        critical_warning: Some(0),
        available_spare_percent: Percent::new(100),
        available_spare_threshold_percent: Percent::new(10),
        percentage_used_percent: Percent::new(3),
        media_errors: Some(0),
        unsafe_shutdowns: None,
    }
}

fn nvme(health: NvmeHealth) -> Drive {
    Drive { kind: Some(DriveKind::Nvme), nvme: Some(health), ..Drive::default() }
}

fn verdict(drive: &Drive) -> Verdict {
    judge(drive, &Policy::default()).verdict
}

#[test]
fn no_figures_are_never_healthy() {
    assert_eq!(verdict(&Drive::default()), Verdict::Unknown);
    assert_eq!(verdict(&bare(DriveKind::Hdd, vec![])), Verdict::Unknown, "its word alone is not enough");
    let unasked =
        Drive { smartctl_exit_status: Some(2), ..disk(vec![attribute(5, "Reallocated_Sector_Ct", 100, 5, 0)]) };
    assert_eq!(verdict(&unasked), Verdict::Unknown);
}

#[test]
fn reallocated_sectors_by_their_number() {
    let with = |raw| verdict(&disk(vec![attribute(5, "Reallocated_Sector_Ct", 100, 5, raw)]));
    assert_eq!(
        [with(0), with(3), with(4), with(15), with(16)].map(Verdict::as_str),
        ["healthy", "healthy", "worn", "worn", "failing"]
    );
    assert_eq!(with((7 << 32) | 2), Verdict::Healthy, "the low word counts");
}

#[test]
fn a_packed_187_is_unclear_not_enormous() {
    let packed = disk(vec![
        attribute(5, "Reallocated_Sector_Ct", 100, 5, 0),
        attribute(187, "Reported_Uncorrect", 100, 0, 8_647_409_707),
    ]);
    assert_eq!(verdict(&packed), Verdict::Unknown);
    let timeout = disk(vec![
        attribute(5, "Reallocated_Sector_Ct", 100, 5, 0),
        attribute(188, "Command_Timeout", 100, 0, 51_540_393_996),
    ]);
    assert_eq!(verdict(&timeout), Verdict::Healthy);
}

#[test]
fn a_normalised_value_below_its_threshold_counts_though_raw_is_zero() {
    assert_eq!(verdict(&disk(vec![attribute(5, "Reallocated_Sector_Ct", 4, 5, 0)])), Verdict::Failing);
    let mut past = attribute(5, "Reallocated_Sector_Ct", 100, 5, 0);
    past.when_failed = Some(WhenFailed::Past);
    assert_eq!(verdict(&disk(vec![past])), Verdict::Healthy);
    let hot = disk(vec![
        attribute(5, "Reallocated_Sector_Ct", 100, 5, 0),
        attribute(190, "Airflow_Temperature_Cel", 40, 45, 60),
    ]);
    assert_eq!(verdict(&hot), Verdict::Healthy);
}

#[test]
fn a_bad_cable_is_not_a_bad_drive() {
    let attributes = || {
        vec![attribute(5, "Reallocated_Sector_Ct", 100, 50, 0), attribute(199, "UDMA_CRC_Error_Count", 100, 50, 131)]
    };
    let with = |drive: Drive, errors| {
        verdict(&Drive { logged_errors: Some(errors), endurance_used_percent: Percent::new(1), ..drive })
    };
    assert_eq!(with(disk(attributes()), 131), Verdict::Healthy);
    assert_eq!(with(disk(attributes()), 331), Verdict::Worn);
    assert_eq!(with(ssd(attributes()), 331), Verdict::Healthy, "flash logs every command that it does not know");
}

#[test]
fn the_direction_of_wear_follows_from_the_name() {
    let worn = |a| wear(&ssd(vec![a])).map(|wear| wear.percent);
    assert_eq!(
        worn(attribute(231, "SSD_Life_Left", 16, 0, 84)),
        Some(16),
        "normalised runs backwards in this firmware"
    );
    assert_eq!(worn(attribute(231, "SSD_Life_Left", 100, 0, 74)), Some(26));
    assert_eq!(worn(attribute(231, "SSD_Life_Left", 100, 10, 1)), Some(0), "here raw is a switch");
    assert_eq!(worn(attribute(202, "Percent_Lifetime_Remain", 0, 1, 100)), Some(100));
    assert_eq!(worn(attribute(202, "Perc_Rated_Life_Used", 98, 0, 2)), Some(2));
    assert_eq!(worn(attribute(169, "Remaining_Lifetime_Perc", 100, 0, 96)), Some(4));
    assert_eq!(worn(attribute(169, "Remaining_Lifetime_Perc", 100, 0, 1)), Some(99), "here raw is a share");
    assert_eq!(worn(attribute(169, "Remaining_Lifetime_Perc", 100, 0, 0)), None, "either used up or not told");
    assert_eq!(worn(attribute(202, "Percent_Lifetime_Remain", 15, 1, 85)), Some(85));
    assert_eq!(worn(attribute(230, "Perc_Write/Erase_Count", 100, 0, 10)), Some(0));
    assert_eq!(worn(attribute(230, "Perc_Write/Erase_Count", 100, 0, 8_310)), Some(83));
    assert_eq!(worn(attribute(230, "Media_Wearout_Indicator", 72, 0, 0x1C2F_014E_1C2F)), Some(72), "told twice");
    assert_eq!(worn(attribute(177, "Wear_Leveling_Count", 12, 0, 2_900)), Some(88));
    assert_eq!(worn(attribute(177, "Wear_Range_Delta", 0, 0, 86)), None, "a difference, not a share");
    assert_eq!(worn(attribute(173, "MaxAvgErase_Ct", 100, 0, 52_953_976)), None);
    assert_eq!(worn(attribute(173, "Wear_Leveling_Count", 187, 100, 4)), None, "not a share of a hundred");
    assert_eq!(worn(attribute(232, "Available_Reservd_Space", 4, 0, 0)), None);
    assert_eq!(worn(attribute(241, "Total_LBAs_Written", 1, 0, 99)), None);
    assert_eq!(worn(attribute(231, "Unknown_SSD_Attribute", 7, 0, 7)), None);
    assert_eq!(worn(attribute(233, "Media_Wearout_Indicator", 22, 0, 0)), Some(78));
    assert_eq!(worn(attribute(233, "Flash_Writes_GiB", 100, 0, 979)), None);
    assert_eq!(worn(attribute(230, "Media_Wearout_Indicator", 2, 0, 0)), None, "either way at different makers");
    assert_eq!(worn(attribute(202, "Data_Address_Mark_Errs", 100, 0, 0)), None);
    let both =
        Drive { endurance_used_percent: Percent::new(15), ..ssd(vec![attribute(231, "SSD_Life_Left", 16, 0, 16)]) };
    assert_eq!(wear(&both).unwrap().percent, 15, "the drive's statistics come first");
}

#[test]
fn nvme_warnings() {
    let with = |warning| {
        let mut drive = nvme(NvmeHealth { critical_warning: Some(warning), ..log() });
        drive.self_assessment = Some(if warning == 0 { SelfAssessment::Passed } else { SelfAssessment::Failed });
        verdict(&drive)
    };
    assert_eq!(with(0), Verdict::Healthy);
    assert_eq!(with(0b10), Verdict::Healthy, "heat alone passes");
    for bit in [0, 2, 3, 4] {
        assert_eq!(with(1 << bit), Verdict::Failing, "bit {bit}");
    }
    let spare = |spare, threshold| {
        verdict(&nvme(NvmeHealth {
            available_spare_percent: Percent::new(spare),
            available_spare_threshold_percent: Percent::new(threshold),
            ..log()
        }))
    };
    assert_eq!([spare(100, 99), spare(99, 99), spare(9, 10)].map(Verdict::as_str), ["healthy", "healthy", "failing"]);
}

#[test]
fn emmc_registers() {
    let with = |life, state| {
        let emmc = EmmcHealth { life_time_a: Some(life), life_time_b: Some(1), pre_end_of_life: Some(state) };
        verdict(&Drive { kind: Some(DriveKind::Emmc), emmc: Some(emmc), ..Drive::default() })
    };
    assert_eq!(
        [with(1, 1), with(7, 1), with(8, 1), with(11, 1), with(1, 2), with(1, 3)].map(Verdict::as_str),
        ["healthy", "healthy", "worn", "worn", "worn", "failing"]
    );
    assert_eq!(with(0, 1), Verdict::Healthy, "the other area answers");
}

#[test]
fn a_drive_that_leaves_out_what_a_sound_one_says_is_unknown() {
    let without = |id: u8| {
        let mut drive = disk(vec![]);
        drive.ata_attributes.retain(|one| one.id != id);
        verdict(&drive)
    };
    assert_eq!([5, 197, 198, 9].map(without).map(Verdict::as_str), ["unknown", "unknown", "unknown", "healthy"]);
    assert_eq!(verdict(&ssd(vec![])), Verdict::Unknown, "no wear");
    let worn = Drive { endurance_used_percent: Percent::new(1), ..bare(DriveKind::Ssd, vec![]) };
    assert_eq!(verdict(&worn), Verdict::Unknown, "no errors counted");
    let less = Drive { self_assessment: None, ..disk(vec![]) };
    assert_eq!(verdict(&less), Verdict::Unknown, "it may have called itself failing");
    let events = |raw| {
        let attributes = vec![
            attribute(196, "Reallocated_Event_Count", 100, 0, raw),
            attribute(187, "Reported_Uncorrect", 100, 0, 0),
        ];
        verdict(&Drive { endurance_used_percent: Percent::new(1), ..bare(DriveKind::Ssd, attributes) })
    };
    assert_eq!([events(0), events(9)], [Verdict::Healthy, Verdict::Worn], "196 stands in for 5");
    let less: [fn(&mut NvmeHealth); 5] = [
        |log| log.critical_warning = None,
        |log| log.available_spare_percent = None,
        |log| log.available_spare_threshold_percent = None,
        |log| log.percentage_used_percent = None,
        |log| log.media_errors = None,
    ];
    for take in less {
        let mut log = log();
        take(&mut log);
        assert_eq!(verdict(&nvme(log)), Verdict::Unknown);
    }
    assert_eq!(verdict(&nvme(log())), Verdict::Healthy);
    let emmc = EmmcHealth { life_time_a: Some(1), life_time_b: Some(1), pre_end_of_life: None };
    assert_eq!(verdict(&Drive { emmc: Some(emmc), kind: Some(DriveKind::Emmc), ..Drive::default() }), Verdict::Unknown);
}

#[test]
fn packed_words_of_motors_heads_and_seeks_accuse_nobody() {
    let seagate = disk(vec![
        attribute(1, "Raw_Read_Error_Rate", 82, 44, 169_869_176),
        attribute(7, "Seek_Error_Rate", 87, 45, 539_873_210_341),
        attribute(188, "Command_Timeout", 100, 0, 51_540_393_996),
        attribute(190, "Airflow_Temperature_Cel", 66, 40, 572_653_602),
        attribute(194, "Temperature_Celsius", 34, 0, 64_424_509_474),
        attribute(240, "Head_Flying_Hours", 100, 0, 218_145_604_084_000),
    ]);
    assert_eq!(verdict(&seagate), Verdict::Healthy);
    let motor = |raw| verdict(&disk(vec![attribute(10, "Spin_Retry_Count", 100, 97, raw)]));
    assert_eq!([motor(0), motor(1), motor(1 << 32)], [Verdict::Healthy, Verdict::Worn, Verdict::Healthy]);
}

#[test]
fn its_own_statistics_count_beside_attributes() {
    let with = |drive: Drive, uncorrected, grown| {
        verdict(&Drive { uncorrected_errors: uncorrected, grown_defects: grown, ..drive })
    };
    assert_eq!(with(disk(vec![]), Some(1), None), Verdict::Failing);
    assert_eq!(with(disk(vec![]), None, Some(20)), Verdict::Failing);
    let packed = || disk(vec![attribute(187, "Reported_Uncorrect", 100, 0, 8_647_409_707)]);
    assert_eq!(with(packed(), None, None), Verdict::Unknown);
    assert_eq!(with(packed(), Some(0), None), Verdict::Healthy, "the standard form tells what 187 hides");
    let sas = Drive { kind: Some(DriveKind::Hdd), self_assessment: Some(SelfAssessment::Passed), ..Drive::default() };
    assert_eq!(with(sas.clone(), Some(0), Some(0)), Verdict::Healthy, "SCSI has no attributes");
    assert_eq!(with(sas.clone(), Some(3), Some(0)), Verdict::Failing);
    assert_eq!(with(sas, None, Some(0)), Verdict::Unknown);
}

#[test]
fn a_self_test_that_failed_is_a_drive_at_risk() {
    let with =
        |failed, exit| verdict(&Drive { failed_self_tests: failed, smartctl_exit_status: Some(exit), ..disk(vec![]) });
    assert_eq!(
        [with(Some(0), 0), with(Some(2), 0), with(None, 128)].map(Verdict::as_str),
        ["healthy", "failing", "failing"]
    );
    assert_eq!(with(Some(0), 128), Verdict::Healthy, "the log itself knows better");
    assert_eq!([32, 64, 4].map(|exit| with(None, exit)), [Verdict::Healthy; 3], "past, logged, incomplete");
    assert_eq!([8, 16].map(|exit| with(None, exit)), [Verdict::Failing; 2]);
    assert_eq!([1, 2, 3, 0xFF].map(|exit| with(None, exit)), [Verdict::Unknown; 4], "nothing was asked");
}

#[test]
fn what_is_in_order_is_told_with_its_threshold() {
    let told = evidence(&nvme(log()), &Policy::default());
    let codes: Vec<&str> = told.iter().map(|reason| reason.code).collect();
    assert_eq!(codes, ["nvme_spare", "media_errors", "wear"]);
    assert!(told.iter().all(|reason| reason.verdict == Verdict::Healthy && reason.threshold.is_some()), "{told:?}");
}

proptest! {
    /// A worse value never makes a better verdict.
    #[test]
    fn verdicts_are_monotone(low in 0_u64..70_000, more in 0_u64..70_000, used in 0_u8..=255, extra in 0_u8..=255) {
        let rank = |verdict: Verdict| super::weight(verdict);
        for (id, name) in [(5, "Reallocated_Sector_Ct"), (197, "Current_Pending_Sector"), (198, "Offline_Uncorrectable")] {
            let (low, high) = (low.min(65_535), low.saturating_add(more).min(65_535));
            let at = |raw| rank(verdict(&disk(vec![attribute(id, name, 100, 0, raw)])));
            prop_assert!(at(low) <= at(high));
        }
        let errors = |count| rank(verdict(&nvme(NvmeHealth { media_errors: Some(count), ..log() })));
        prop_assert!(errors(low) <= errors(low + more));
        let wear = |used| {
            let percentage_used_percent = Percent::new(used);
            rank(verdict(&nvme(NvmeHealth { percentage_used_percent, ..log() })))
        };
        prop_assert!(wear(used) <= wear(used.saturating_add(extra)));
    }

    /// Whatever is taken away from a reading, it never becomes healthy by that.
    #[test]
    fn less_evidence_never_makes_a_drive_healthy(
        counts in proptest::collection::vec(0_u64..3, 4), used in 0_u8..100, warning in 0_u8..32, kept in 0_u16..1024,
    ) {
        let keep = |bit: u16| kept & (1 << bit) != 0;
        let names = [(5, "Reallocated_Sector_Ct"), (187, "Reported_Uncorrect"), (197, "Current_Pending_Sector"), (198, "Offline_Uncorrectable")];
        let attributes: Vec<AtaAttribute> =
            names.iter().zip(&counts).map(|((id, name), raw)| attribute(*id, name, 100, 0, *raw)).collect();
        let log = NvmeHealth {
            critical_warning: Some(warning), media_errors: Some(counts[0]), percentage_used_percent: Percent::new(used), ..log()
        };
        let full = [
            bare(DriveKind::Hdd, attributes.clone()),
            Drive { endurance_used_percent: Percent::new(used), ..bare(DriveKind::Ssd, attributes) },
            nvme(log),
        ];
        for whole in full {
            let mut less = whole.clone();
            // 187 and 198 tell of the same damage, and half of all disks have only one of them: one may be left out.
            less.ata_attributes.retain(|one| match one.id { 5 => keep(0), 197 => keep(1), 187 | 198 => keep(2), _ => true });
            if !keep(3) { less.endurance_used_percent = None; }
            if !keep(4) { less.self_assessment = None; }
            if let Some(log) = &mut less.nvme {
                if !keep(5) { log.critical_warning = None; }
                if !keep(6) { log.available_spare_percent = None; }
                if !keep(7) { log.percentage_used_percent = None; }
                if !keep(8) { log.media_errors = None; }
                if !keep(9) { log.available_spare_threshold_percent = None; }
            }
            if verdict(&whole) != Verdict::Healthy {
                prop_assert_ne!(verdict(&less), Verdict::Healthy);
            }
        }
    }
}
