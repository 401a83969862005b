//! Each requirement with what was read, and what is not known staying so.

use cartable_common::{Bytes, Text, report::HealthReport, report::Switch};

use super::*;
use crate::domain::{facts::HealthFacts, fitness::facts::Machine, loan::LendingState, verdict::Verdict};

fn now() -> UtcMillis {
    UtcMillis::new(1_795_521_600_000).unwrap()
}

fn facts(report: &HealthReport) -> Facts {
    let health = HealthFacts { report, measured_at: now(), received_at: now(), past: &[] };
    Facts {
        recorded_at: now(),
        warranty_until: None,
        lending: LendingState::InStock,
        grade: None,
        returned: None,
        machine: Some(Machine::of(&health, &Policy::default())),
    }
}

fn laptop() -> HealthReport {
    let mut report = HealthReport::default();
    report.processor.model = Text::meaningful("Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz");
    report.operating_system.architecture = Text::meaningful("x86_64");
    // 4 GB, of which firmware keeps some for graphics.
    report.memory.total_bytes = Bytes::new(3_890_000_000);
    report.firmware.secure_boot = Some(Switch::Off);
    report.firmware.tpm_version = Some(2);
    report.drives = vec![cartable_common::report::Drive {
        capacity_bytes: Bytes::new(63_000_000_000),
        ..cartable_common::report::Drive::default()
    }];
    report
}

#[test]
fn what_was_read_meets_windows_11() {
    assert_eq!(runs_windows_11(&facts(&laptop()), &Policy::default()), Answer::Met);
}

#[test]
fn each_requirement_is_missed_or_unknown_by_itself() {
    type Change = fn(&mut HealthReport);
    let cases: [(Change, RequirementKind, Answer); 9] = [
        (
            |report| report.processor.model = Text::meaningful("Core i5-7200U intel"),
            RequirementKind::Processor,
            Answer::NotMet,
        ),
        (
            |report| report.processor.model = Text::meaningful("Something new"),
            RequirementKind::Processor,
            Answer::Unknown,
        ),
        (|report| report.processor.model = None, RequirementKind::Processor, Answer::Unknown),
        (|report| report.memory.total_bytes = Bytes::new(2 << 30), RequirementKind::Memory, Answer::NotMet),
        (|report| report.memory.total_bytes = None, RequirementKind::Memory, Answer::Unknown),
        (
            |report| report.drives[0].capacity_bytes = Bytes::new(32_000_000_000),
            RequirementKind::Storage,
            Answer::NotMet,
        ),
        (|report| report.firmware.secure_boot = None, RequirementKind::SecureBoot, Answer::Unknown),
        (|report| report.firmware.tpm_version = Some(1), RequirementKind::Tpm, Answer::NotMet),
        (|report| report.firmware.tpm_version = None, RequirementKind::Tpm, Answer::Unknown),
    ];
    for (change, kind, expected) in cases {
        let mut report = laptop();
        change(&mut report);
        let facts = facts(&report);
        assert_eq!(runs_windows_11(&facts, &Policy::default()), expected, "{kind}");
        let all = requirement::of_windows_11(&facts, &Policy::default());
        for one in all {
            assert_eq!(one.answer, if one.kind == kind { expected } else { Answer::Met }, "{}", one.kind);
            assert!(!one.wanted.fr.is_empty() && !one.source.en.is_empty());
        }
    }
}

#[test]
fn a_device_that_never_spoke_is_fit_for_nothing_that_is_known() {
    let silent = Facts { machine: None, ..facts(&laptop()) };
    for one in assess(&silent, &Policy::default(), now()) {
        assert_ne!(one.answer, Answer::Met, "{}", one.usage);
    }
}

/// The battery that a desktop does not need was "met", and made it fit for parts whatever its drive.
#[test]
fn a_desktop_has_no_battery_to_give() {
    let parts = |drives, battery| {
        let mut facts = facts(&laptop());
        facts.machine = facts.machine.map(|machine| Machine { drives, battery, ..machine });
        let all = assess(&facts, &Policy::default(), now());
        all.into_iter().find(|one| one.usage == Use::Parts).unwrap().answer
    };
    assert_eq!(parts(Verdict::Failing, BatteryRead::NoneExpected), Answer::NotMet);
    assert_eq!(parts(Verdict::Healthy, BatteryRead::NoneExpected), Answer::Met);
    assert_eq!(parts(Verdict::Failing, BatteryRead::Left(91)), Answer::Met);
}
