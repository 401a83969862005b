//! Drive failing and drive worn: what the judgement of each drive says. An unknown drive raises nothing, and
//! clears nothing that was raised while it could be read.

use cartable_common::report::{Drive, Subject};

use super::{Finding, FlagCode, Policy, Said, Severity, Statement};
use crate::domain::{
    drive,
    facts::HealthFacts,
    verdict::{Judgement, Reason, Verdict},
};

pub(super) fn find(health: &HealthFacts<'_>, policy: &Policy) -> Vec<Finding> {
    let alone = health.report.drives.len() == 1;
    let drives = health.report.drives.iter().zip(1_u32..);
    drives.filter_map(|(drive, place)| find_one(health, drive, place, alone, policy)).collect()
}

/// The subjects of the flags of those drives that are listed and stopped answering.
pub(super) fn unread(health: &HealthFacts<'_>, policy: &Policy) -> Vec<String> {
    let alone = health.report.drives.len() == 1;
    let drives = health.report.drives.iter().zip(1_u32..);
    drives
        .filter(|(one, _)| drive::is_unread(one, health.past, health.history_until(), policy))
        .map(|(one, place)| subject(one, place, alone))
        .collect()
}

fn find_one(health: &HealthFacts<'_>, drive: &Drive, place: u32, alone: bool, policy: &Policy) -> Option<Finding> {
    let Judgement { verdict, reasons, mut missing } =
        drive::judge_with(drive, health.past, health.history_until(), policy);
    let (code, severity) = match verdict {
        Verdict::Failing => (FlagCode::DriveFailing, Severity::Critical),
        Verdict::Worn => (FlagCode::DriveWorn, Severity::Warning),
        Verdict::Healthy | Verdict::Unknown => return None,
    };
    let heaviest = reasons.first()?;
    if health.report.unread.iter().any(|unread| unread.subject == Some(Subject::DriveHealth)) {
        missing.push(Said::new(
            "Une partie de l'état des disques n'a pas pu être lue.",
            "Part of the drives' health could not be read.",
        ));
    }
    Some(Finding::from(Statement {
        code,
        subject: subject(drive, place, alone),
        severity,
        value: heaviest.value.clone(),
        threshold: heaviest.threshold.clone(),
        source: heaviest.source.clone(),
        evidence_at: Some(health.evidence_at()),
        sentence: sentence(drive, verdict, &reasons),
        missing,
    }))
}

/// The drive's serial number; without one, its place in the report where there are several.
fn subject(drive: &Drive, place: u32, alone: bool) -> String {
    match drive.serial_number.get() {
        Some(serial) => serial.to_string(),
        None if alone => String::new(),
        None => format!("#{place}"),
    }
}

/// Most reasons that a sentence tells; the rest are in the drive's judgement.
const MOST_REASONS: usize = 4;

fn sentence(drive: &Drive, verdict: Verdict, reasons: &[Reason]) -> Said {
    let telling: Vec<&Reason> =
        reasons.iter().filter(|reason| reason.verdict != Verdict::Healthy).take(MOST_REASONS).collect();
    let list = |said: fn(&Said) -> &str| telling.iter().map(|reason| said(&reason.said)).collect::<Vec<_>>().join(", ");
    let why = Said { fr: list(|said| &said.fr), en: list(|said| &said.en) };
    let name = drive.model.as_ref().map_or_else(String::new, |model| format!(" {model}"));
    match verdict {
        Verdict::Failing => Said::new(
            format!("Le disque{name} présente un risque de panne : {}. Le remplacer sans attendre.", why.fr),
            format!("The drive{name} is at risk of failing: {}. Replace it without delay.", why.en),
        ),
        Verdict::Worn | Verdict::Healthy | Verdict::Unknown => Said::new(
            format!("Le disque{name} est usé : {}. À contrôler ou à remplacer avant un nouveau prêt.", why.fr),
            format!("The drive{name} is worn: {}. Check or replace it before the next loan.", why.en),
        ),
    }
}
