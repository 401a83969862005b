//! What the rules must raise, and must not, case by case.

use cartable_common::{
    Bytes, MilliwattHours, Percent, SerialNumber, Text,
    report::{
        AtaAttribute, Battery, Drive, DriveKind, HealthReport, NvmeHealth, OperatingSystem, OsFamily, SelfAssessment,
        Subject, Switch, Unread, UnreadReason, Volume, VolumeRole,
    },
};

use super::*;
use crate::domain::{
    clone::CloneFacts,
    facts::{Baseline, BaselineDrive, HealthFacts, SilenceFacts, Zone},
};

fn at(text: &str) -> UtcMillis {
    UtcMillis::new(text.parse::<jiff::Timestamp>().unwrap().as_millisecond()).unwrap()
}

const NOW: &str = "2026-11-24T10:00:00Z";

fn active() -> DeviceFacts<'static> {
    DeviceFacts {
        status: DeviceStatus::Active,
        archived: false,
        created_at: at("2026-09-01T08:00:00Z"),
        enrolled_at: Some(at("2026-09-02T08:00:00Z")),
        last_contact: Some(at("2026-11-24T09:00:00Z")),
        skew_millis: Some(1_200),
        agent_version: Some("0.1.0"),
        zone: Some(Zone::C),
        health: None,
        baseline: None,
        lending: None,
        erasure: None,
        cloned: None,
        silence: None,
    }
}

fn all(facts: &DeviceFacts<'_>) -> Vec<Finding> {
    evaluate(facts, &Policy::default(), at(NOW))
}

/// What the rules say of `report`, with a baseline where one is given.
fn of(report: &HealthReport, baseline: Option<&Baseline>) -> Vec<Finding> {
    let received_at = at("2026-11-24T09:00:00Z");
    let health = HealthFacts { report, measured_at: at("2026-11-24T08:59:00Z"), received_at, past: &[] };
    all(&DeviceFacts { health: Some(health), baseline, ..active() })
}

pub(super) fn lines(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let Evidence { value, threshold, source, sentence_fr, sentence_en, missing, in_french, .. } = &finding.evidence;
        let (fr, en) = (in_french.threshold.as_deref().unwrap_or("–"), threshold.as_deref().unwrap_or("–"));
        format!(
            "{} [{}] {}\n  fr {sentence_fr}\n     {} / {fr} / {}\n     {}\n  en {sentence_en}\n     {value} / {en} / {source}\n     {}\n",
            finding.code,
            finding.severity,
            finding.subject,
            in_french.value,
            in_french.source,
            in_french.missing.join(" "),
            missing.join(" "),
        )
    };
    findings.iter().map(line).collect()
}

fn with_system(name: &str, version: &str, family: OsFamily, build: &str) -> HealthReport {
    HealthReport {
        operating_system: OperatingSystem {
            family: Some(family),
            name: Text::meaningful(name),
            version: Text::meaningful(version),
            build: Text::meaningful(build),
            ..OperatingSystem::default()
        },
        ..HealthReport::default()
    }
}

fn with_room(total: u64, available: u64) -> HealthReport {
    let system = Volume {
        role: Some(VolumeRole::System),
        total_bytes: Bytes::new(total),
        available_bytes: Bytes::new(available),
        ..Volume::default()
    };
    HealthReport { volumes: vec![system], ..HealthReport::default() }
}

fn with_batteries(left: &[u32]) -> HealthReport {
    let battery = |left: &u32| Battery {
        full_milliwatt_hours: MilliwattHours::new(left * 450),
        design_milliwatt_hours: MilliwattHours::new(45_000),
        ..Battery::default()
    };
    HealthReport { batteries: left.iter().map(battery).collect(), ..HealthReport::default() }
}

fn drive(model: &str, serial: &str) -> Drive {
    Drive {
        model: Text::meaningful(model),
        serial_number: SerialNumber::parse(serial).into(),
        capacity_bytes: Bytes::new(512_110_190_592),
        ..Drive::default()
    }
}

fn with_drives(drives: Vec<Drive>) -> HealthReport {
    HealthReport { drives, ..HealthReport::default() }
}

fn with_memory(gigabytes: u64) -> HealthReport {
    let mut report = HealthReport::default();
    report.memory.total_bytes = Bytes::new(gigabytes * 1_000_000_000);
    report
}

fn hard_disk(raw: [(u8, &str, u64); 3]) -> Drive {
    let attributes = raw.map(|(id, name, raw)| AtaAttribute {
        id,
        name: Text::meaningful(name),
        value: Some(100),
        threshold: Some(5),
        raw: Some(raw),
        ..AtaAttribute::default()
    });
    Drive {
        kind: Some(DriveKind::Hdd),
        self_assessment: Some(SelfAssessment::Failed),
        ata_attributes: attributes.into(),
        ..drive("ST500LM030", "WDE1")
    }
}

fn flash(health: NvmeHealth) -> Drive {
    Drive { kind: Some(DriveKind::Nvme), nvme: Some(health), ..drive("KXG50ZNV512G", "48CS") }
}

#[test]
fn contact_sentences() {
    let silent = |last: &str, zone| DeviceFacts { last_contact: Some(at(last)), zone, ..active() };
    let skewed = |minutes: i64| DeviceFacts { skew_millis: Some(minutes * 60_000), ..active() };
    let cases = [
        silent("2026-11-06T09:00:00Z", Some(Zone::C)),
        silent("2026-10-12T09:00:00Z", None),
        silent("2020-01-01T09:00:00Z", Some(Zone::A)),
        DeviceFacts { last_contact: None, ..active() },
        DeviceFacts { status: DeviceStatus::Pending, enrolled_at: None, last_contact: None, ..active() },
        skewed(14),
        skewed(-3 * 24 * 60),
    ];
    insta::assert_snapshot!(cases.map(|facts| lines(&all(&facts))).join("\n"));
}

#[test]
fn health_sentences() {
    let nvme = |health| of(&with_drives(vec![flash(health)]), None);
    let errors =
        NvmeHealth { media_errors: Some(7), percentage_used_percent: Percent::new(181), ..NvmeHealth::default() };
    let dying = NvmeHealth {
        critical_warning: Some(0b101),
        available_spare_percent: Percent::new(1),
        available_spare_threshold_percent: Percent::new(10),
        percentage_used_percent: Percent::new(255),
        ..NvmeHealth::default()
    };
    let disk = hard_disk([
        (5, "Reallocated_Sector_Ct", 1_975),
        (197, "Current_Pending_Sector", 10_264),
        (198, "Offline_Uncorrectable", 1),
    ]);
    let cases = [
        of(&with_room(240_000_000_000, 14_300_000_000), None),
        of(&with_room(64_000_000_000, 850_000_000), None),
        of(&with_batteries(&[72]), None),
        of(&with_batteries(&[55]), None),
        of(&with_batteries(&[31, 90, 49]), None),
        nvme(errors),
        nvme(dying),
        of(&with_drives(vec![disk]), None),
    ];
    insta::assert_snapshot!(cases.map(|findings| lines(&findings)).join("\n"));
}

#[test]
fn system_sentences() {
    let system = |name, version, family, build| of(&with_system(name, version, family, build), None);
    let cases = [
        system("debian", "11", OsFamily::Linux, ""),
        system("ubuntu", "18.04", OsFamily::Linux, ""),
        system("windows", "11 Education", OsFamily::Windows, "10.0.22631.4460"),
        system("windows", "11", OsFamily::Windows, "26100.2454"),
        system("windows", "10 Professionnel", OsFamily::Windows, "19045"),
        system("macos", "13.7.8", OsFamily::MacOs, ""),
    ];
    insta::assert_snapshot!(cases.map(|findings| lines(&findings)).join("\n"));
}

#[test]
fn change_sentences() {
    let baseline = Baseline {
        memory_bytes: Bytes::new(8_000_000_000),
        drives: vec![BaselineDrive::of(&drive("KXG50ZNV512G", "48CS"))],
    };
    let changed = |report: &HealthReport| of(report, Some(&baseline));
    let same = drive("KXG50ZNV512G", "48CS");
    let cases = [
        changed(&HealthReport { drives: vec![same.clone()], ..with_memory(4) }),
        changed(&HealthReport { drives: vec![same.clone()], ..with_memory(16) }),
        changed(&with_drives(vec![drive("SA400", "50026")])),
        changed(&with_drives(vec![])),
        changed(&with_drives(vec![same, drive("Cruzer", "")])),
    ];
    insta::assert_snapshot!(cases.map(|findings| lines(&findings)).join("\n"));
}

#[test]
fn a_well_device_raises_nothing() {
    let report = HealthReport {
        volumes: with_room(1_000_000_000_000, 90_000_000_000).volumes,
        batteries: with_batteries(&[91]).batteries,
        drives: vec![flash(NvmeHealth { critical_warning: Some(0), ..NvmeHealth::default() })],
        ..with_system("debian", "13", OsFamily::Linux, "")
    };
    assert_eq!(of(&report, Some(&Baseline::of(&report))), []);
}

#[test]
fn a_drive_that_could_not_be_listed_has_not_vanished() {
    let baseline = Baseline { drives: vec![BaselineDrive::of(&drive("SA400", "50026"))], ..Baseline::default() };
    let unread = Unread { subject: Some(Subject::Drives), reason: Some(UnreadReason::ToolFailed), detail: None };
    assert_eq!(of(&HealthReport { unread: vec![unread], ..HealthReport::default() }, Some(&baseline)), []);
    let unnamed = drive("SA400", "");
    assert_eq!(
        of(&with_drives(vec![unnamed]), Some(&baseline)),
        [],
        "a serial number that was not read is no new drive"
    );
}

#[test]
fn holidays_raise_nothing() {
    let facts = DeviceFacts { last_contact: Some(at("2026-07-03T14:00:00Z")), ..active() };
    for day in ["2026-07-14T09:00:00Z", "2026-08-31T09:00:00Z", "2026-09-07T09:00:00Z"] {
        assert_eq!(evaluate(&facts, &Policy::default(), at(day)), [], "{day}");
    }
    assert_eq!(evaluate(&facts, &Policy::default(), at("2026-09-14T09:00:00Z")).len(), 1);
}

#[test]
fn what_left_the_programme_raises_nothing() {
    let lost = DeviceFacts { last_contact: Some(at("2026-01-05T09:00:00Z")), ..active() };
    assert_eq!(all(&lost).len(), 1);
    for status in [DeviceStatus::Revoked, DeviceStatus::Released, DeviceStatus::Quarantined] {
        assert_eq!(all(&DeviceFacts { status, ..lost }), [], "{status}");
    }
    assert_eq!(all(&DeviceFacts { archived: true, ..lost }), []);
}

#[test]
fn evidence_is_dated_by_the_device_only_where_that_is_believable() {
    let report = HealthReport::default();
    let received_at = at(NOW);
    let dated =
        |measured| HealthFacts { report: &report, measured_at: at(measured), received_at, past: &[] }.evidence_at();
    assert_eq!(dated("2026-11-10T08:00:00Z"), at("2026-11-10T08:00:00Z"), "it waited in the spool");
    assert_eq!(dated("1970-01-01T00:00:00Z"), received_at);
    assert_eq!(dated("2030-01-01T00:00:00Z"), received_at);
}

mod properties;

#[test]
fn an_unencrypted_system_volume_is_said_where_encryption_is_expected() {
    let volume = |role, encryption| Volume { role: Some(role), encryption, ..Volume::default() };
    let codes = |volumes, policy: &Policy| -> Vec<(FlagCode, Severity)> {
        let report = HealthReport { volumes, ..HealthReport::default() };
        let now = at(NOW);
        let health = HealthFacts { report: &report, measured_at: now, received_at: now, past: &[] };
        let found = evaluate(&DeviceFacts { health: Some(health), ..active() }, policy, now);
        found.into_iter().map(|finding| (finding.code, finding.severity)).collect()
    };
    let (system, data) = (VolumeRole::System, VolumeRole::Data);
    let mut policy = Policy::default();
    let off = || vec![volume(data, Some(Switch::Off)), volume(system, Some(Switch::Off))];
    assert_eq!(codes(off(), &policy), [(FlagCode::DiskNotEncrypted, Severity::Info)]);
    for encryption in [Some(Switch::On), Some(Switch::Unknown), None] {
        let volumes = vec![volume(data, Some(Switch::Off)), volume(system, encryption)];
        assert_eq!(codes(volumes, &policy), [], "{encryption:?}");
    }
    policy.disk.encryption_expected = false;
    assert_eq!(codes(off(), &policy), []);
}

#[test]
fn an_agent_below_the_least_version_is_outdated_and_the_present_one_is_not() {
    let mut policy = Policy::default();
    let codes = |version, policy: &Policy| -> Vec<FlagCode> {
        let found = evaluate(&DeviceFacts { agent_version: version, ..active() }, policy, at(NOW));
        found.into_iter().map(|finding| finding.code).collect()
    };
    assert_eq!(codes(Some(env!("CARGO_PKG_VERSION")), &policy), [], "agent and server are released together");
    policy.agent.least_version = "0.10.0".parse().unwrap();
    assert_eq!(codes(Some("0.9.3"), &policy), [FlagCode::AgentOutdated]);
    for version in [Some("0.10.0"), Some("1.0.0"), Some("test"), None] {
        assert_eq!(codes(version, &policy), [], "{version:?}");
    }
}

#[test]
fn a_device_that_was_silent_and_speaks_is_back_for_a_week() {
    let silence = |ended: &str| Some(SilenceFacts { told_at: at("2026-11-02T02:00:00Z"), ended_at: at(ended) });
    let back = |ended: &str, heard: &str| {
        let facts = DeviceFacts { silence: silence(ended), last_contact: Some(at(heard)), ..active() };
        all(&facts).iter().any(|finding| finding.code == FlagCode::BackAgain)
    };
    assert!(back("2026-11-23T08:00:00Z", "2026-11-23T08:00:00Z"));
    assert!(back("2026-11-18T08:00:00Z", "2026-11-24T08:00:00Z"));
    assert!(!back("2026-11-17T08:00:00Z", "2026-11-24T08:00:00Z"), "a week later");
    assert!(!back("2026-11-23T08:00:00Z", "2026-11-01T08:00:00Z"), "the silence ended, but not by a contact");
    assert_eq!(all(&DeviceFacts { silence: silence("2026-11-23T08:00:00Z"), archived: true, ..active() }), []);
}

#[test]
fn a_cloned_key_is_told_until_everybody_healed() {
    let first_at = at("2026-11-20T08:00:00Z");
    let cloned = CloneFacts {
        others: 1,
        by_serial: 1,
        waiting: 1,
        key_held: true,
        at_once: false,
        first_at,
        last_at: at("2026-11-23T08:00:00Z"),
    };
    let severity = |cloned: CloneFacts, heard: &str| {
        let facts = DeviceFacts { cloned: Some(cloned), last_contact: Some(at(heard)), ..active() };
        all(&facts).iter().find(|finding| finding.code == FlagCode::IdentityCloned).map(|finding| finding.severity)
    };
    let before = "2026-11-19T08:00:00Z";
    assert_eq!(severity(cloned, before), Some(Severity::Warning), "a new main board, or the first clone");
    assert_eq!(severity(cloned, "2026-11-21T08:00:00Z"), Some(Severity::Critical), "both speak");
    assert_eq!(severity(CloneFacts { others: 29, by_serial: 29, ..cloned }, before), Some(Severity::Critical));
    assert_eq!(severity(CloneFacts { waiting: 0, key_held: false, ..cloned }, before), None);
    assert_eq!(
        severity(CloneFacts { last_at: at("2026-10-25T08:00:00Z"), ..cloned }, before),
        None,
        "gone for a month"
    );
    let held = DeviceFacts { cloned: Some(cloned), status: DeviceStatus::Quarantined, ..active() };
    assert_eq!(all(&held).len(), 1, "a device that is held is told of too");
}
