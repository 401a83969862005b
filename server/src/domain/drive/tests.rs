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

fn disk(attributes: Vec<AtaAttribute>) -> Drive {
    let mut drive = Drive { kind: Some(DriveKind::Hdd), ata_attributes: attributes, ..Drive::default() };
    drive.self_assessment = Some(SelfAssessment::Passed);
    drive
}

fn ssd(attributes: Vec<AtaAttribute>) -> Drive {
    Drive { kind: Some(DriveKind::Ssd), ..disk(attributes) }
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
    assert_eq!(verdict(&disk(vec![])), Verdict::Unknown, "its word alone is not enough");
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
    let with = |drive: Drive, errors| verdict(&Drive { logged_errors: Some(errors), ..drive });
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
        let mut drive = nvme(NvmeHealth { critical_warning: Some(warning), ..NvmeHealth::default() });
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
            ..NvmeHealth::default()
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
    assert_eq!(with(0, 0), Verdict::Healthy, "the other area answers");
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
        let errors = |count| rank(verdict(&nvme(NvmeHealth { media_errors: Some(count), ..NvmeHealth::default() })));
        prop_assert!(errors(low) <= errors(low + more));
        let wear = |used| {
            let percentage_used_percent = Percent::new(used);
            rank(verdict(&nvme(NvmeHealth { percentage_used_percent, ..NvmeHealth::default() })))
        };
        prop_assert!(wear(used) <= wear(used.saturating_add(extra)));
    }
}
