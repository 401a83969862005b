//! What holds for any report, however odd.

use cartable_common::Celsius;
use proptest::{collection::vec, option, prelude::*};

use super::*;
use crate::domain::{
    clone::CloneFacts,
    facts::{ErasureFacts, LendingFacts, LoanFacts, ReleaseFacts, SilenceFacts, WorkFacts},
    loan::{LendingState, LoanStateName},
    part::PartKind,
    work_order::{Disposition, Position, Stage},
};

fn any_text() -> impl Strategy<Value = Option<Text>> {
    option::of("(Reallocated_Sector_Ct|SSD_Life_Left|windows|debian|11|10\\.0\\.22631\\.1|\\PC{0,20})")
        .prop_map(|text: Option<String>| text.as_deref().and_then(Text::meaningful))
}

prop_compose! {
    fn any_attribute()(id: u8, name in any_text(), value: Option<u8>, threshold: Option<u8>, raw: Option<u64>) -> AtaAttribute {
        AtaAttribute { id, name, value, worst: value, threshold, raw, when_failed: None }
    }
}

prop_compose! {
    fn any_drive()(
        serial in option::of("[AB]"), model in any_text(), status: Option<u8>, attributes in vec(any_attribute(), 0..6),
        warning: Option<u8>, share: Option<u8>, errors: Option<u64>, is_nvme: bool, kind in 0_usize..5,
        heat in -60_i16..=200,
    ) -> Drive {
        let nvme = NvmeHealth {
            critical_warning: warning,
            available_spare_percent: share.and_then(Percent::new),
            available_spare_threshold_percent: warning.and_then(Percent::new),
            percentage_used_percent: share.and_then(Percent::new),
            media_errors: errors,
            unsafe_shutdowns: errors,
        };
        Drive {
            serial_number: serial.as_deref().and_then(SerialNumber::parse).into(),
            model,
            kind: DriveKind::ALL.get(kind).copied(),
            smartctl_exit_status: status,
            temperature_celsius: Celsius::new(heat),
            endurance_used_percent: share.and_then(Percent::new),
            logged_errors: errors,
            ata_attributes: attributes,
            nvme: is_nvme.then_some(nvme),
            ..Drive::default()
        }
    }
}

prop_compose! {
    fn any_report()(
        drives in vec(any_drive(), 0..4), memory in option::of(0_u64..=1 << 53), total in option::of(0_u64..=1 << 53),
        available in option::of(0_u64..=1 << 53), full in vec((0_u32..=1_000_000, 0_u32..=1_000_000), 0..3),
        family in 0_usize..4, name in any_text(), version in any_text(), build in any_text(),
    ) -> HealthReport {
        let battery = |(full, design)| Battery {
            full_milliwatt_hours: MilliwattHours::new(full),
            design_milliwatt_hours: MilliwattHours::new(design),
            ..Battery::default()
        };
        let mut report = HealthReport {
            drives,
            batteries: full.into_iter().map(battery).collect(),
            volumes: vec![Volume {
                role: Some(VolumeRole::System),
                total_bytes: total.and_then(Bytes::new),
                available_bytes: available.and_then(Bytes::new),
                ..Volume::default()
            }],
            ..HealthReport::default()
        };
        report.memory.total_bytes = memory.and_then(Bytes::new);
        report.operating_system = OperatingSystem { family: OsFamily::ALL.get(family).copied(), name, version, build, ..OperatingSystem::default() };
        report
    }
}

fn any_moment() -> impl Strategy<Value = UtcMillis> {
    (0..=253_402_300_799_999_i64).prop_map(|millis| UtcMillis::new(millis).unwrap())
}

fn any_day() -> impl Strategy<Value = jiff::civil::Date> {
    (1..=9999_i16, 1..=12_i8, 1..=28_i8).prop_map(|(year, month, day)| jiff::civil::date(year, month, day))
}

prop_compose! {
    fn any_work()(
        place in 0..Stage::ALL.len() + Disposition::ALL.len(), since in any_moment(), in_lot: bool,
        lacking in vec(0..PartKind::ALL.len(), 0..3),
    ) -> WorkFacts {
        let position = Stage::ALL.get(place).map_or_else(
            || Position::Closed(Disposition::ALL[place - Stage::ALL.len()]),
            |stage| Position::Open(*stage),
        );
        let lacking = lacking.into_iter().map(|place| PartKind::ALL[place]).collect();
        WorkFacts { position, since, lacking, in_lot }
    }
}

prop_compose! {
    fn any_release()(
        ordered_at in any_moment(), told_at in option::of(any_moment()), again_at in option::of(any_moment()),
    ) -> ReleaseFacts {
        ReleaseFacts { ordered_at, told_at, again_at }
    }
}

prop_compose! {
    fn any_clones()(
        others in 1_u64..40, by_serial in 0_u64..40, waiting in 0_u64..40, key_held: bool, at_once: bool,
        first_at in any_moment(), last_at in any_moment(),
    ) -> CloneFacts {
        CloneFacts { others, by_serial, waiting, key_held, at_once, first_at, last_at }
    }
}

prop_compose! {
    fn any_silence()(told_at in any_moment(), ended_at in any_moment()) -> SilenceFacts {
        SilenceFacts { told_at, ended_at }
    }
}

prop_compose! {
    fn any_lending()(
        state in 0..LendingState::ALL.len(), name in 0..LoanStateName::ALL.len(), agent_expected: bool, kept_here: bool,
        handed_over_at in option::of(any_moment()), due in option::of(any_day()), ended_at in option::of(any_moment()),
        borrower_left in option::of(any_day()), warranty_until in option::of(any_day()), lent: bool, work in option::of(any_work()), release in option::of(any_release()),
    ) -> LendingFacts {
        let loan = LoanFacts { state: LoanStateName::ALL[name], handed_over_at, due, ended_at, borrower_left };
        LendingFacts { state: LendingState::ALL[state], agent_expected, kept_here, stocked_at: ended_at, warranty_until, loan: lent.then_some(loan), work, release }
    }
}

proptest! {
    #[test]
    fn rules_never_panic_and_their_findings_are_distinct_and_explained(
        // Boxed: all of it at once, unboxed, is more than a test's stack.
        report in any_report().boxed(), known in any_report().boxed(), measured_at in any_moment(), received_at in any_moment(),
        now in any_moment(), created_at in any_moment(), last_contact in option::of(any_moment()), enrolled_at in option::of(any_moment()),
        skew_millis: Option<i64>, status in 0_usize..5, zone in option::of(0_usize..3), lending in option::of(any_lending()).boxed(),
        cloned in option::of(any_clones()), silence in option::of(any_silence()),
    ) {
        let (baseline, recorded) = (Baseline::of(&known), ErasureFacts::default());
        let facts = DeviceFacts {
            status: DeviceStatus::ALL[status],
            archived: false,
            created_at,
            enrolled_at,
            last_contact,
            skew_millis,
            agent_version: Some("0.0.9"),
            zone: zone.map(|zone| Zone::ALL[zone]),
            health: Some(HealthFacts { report: &report, measured_at, received_at, past: &[] }),
            baseline: Some(&baseline),
            lending,
            erasure: Some(&recorded),
            cloned,
            silence,
        };
        let findings = evaluate(&facts, &Policy::default(), now);
        let mut keys: Vec<_> = findings.iter().map(|finding| (finding.code, finding.subject.clone())).collect();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(keys.len(), findings.len());
        prop_assert!(findings.is_sorted_by_key(|finding| std::cmp::Reverse(finding.severity)));
        for finding in &findings {
            let evidence = &finding.evidence;
            prop_assert!(!evidence.value.is_empty() && !evidence.source.is_empty() && evidence.evidence_at.is_some());
            prop_assert!(evidence.sentence_fr.ends_with(['.', '?']) && evidence.sentence_en.ends_with(['.', '?']));
        }
    }

    /// Less room is never judged milder, more silence neither.
    #[test]
    fn severity_is_monotone(total in 1_u64..=1 << 45, room in 0_u64..=1 << 45, less in 0_u64..=1 << 45, days in 0_i64..400, more in 0_i64..400) {
        let severity = |findings: Vec<Finding>| findings.iter().map(|finding| i64::from(finding.severity)).max().unwrap_or(0);
        let room = room.min(total);
        let of_room = |room| severity(of(&with_room(total, room), None));
        prop_assert!(of_room(room.saturating_sub(less)) >= of_room(room));
        let of_silence = |days: i64| severity(all(&DeviceFacts { last_contact: Some(at(NOW).plus_days(-days)), ..active() }));
        prop_assert!(of_silence(days + more) >= of_silence(days));
    }
}
