//! Drive changed: a drive that staff know is gone, or one that they don't know is there.
//!
//! Nothing is said where the drives could not be listed. A serial number decides; without one, model and size do.

use cartable_common::report::{Subject, UnreadReason};

use super::{Finding, FlagCode, Said, Severity, Statement};
use crate::domain::{
    facts::{Baseline, BaselineDrive, HealthFacts},
    wording::size,
};

pub(super) fn find(health: &HealthFacts<'_>, baseline: &Baseline) -> Vec<Finding> {
    let unread = health
        .report
        .unread
        .iter()
        .any(|unread| unread.subject == Some(Subject::Drives) && unread.reason != Some(UnreadReason::NotPresent));
    if unread || baseline.drives.is_empty() {
        return Vec::new();
    }
    let present: Vec<BaselineDrive> = health.report.drives.iter().map(BaselineDrive::of).collect();
    let mut gone = without(&baseline.drives, &present).into_iter();
    let mut new = without(&present, &baseline.drives).into_iter();
    let mut findings = Vec::new();
    loop {
        let sentence = match (gone.next(), new.next()) {
            (Some(gone), Some(new)) => (replaced(gone, new), gone, Some(new), Severity::Warning),
            (Some(gone), None) => (vanished(gone), gone, None, Severity::Warning),
            (None, Some(new)) => (appeared(new), new, Some(new), Severity::Info),
            (None, None) => return findings,
        };
        findings.push(finding(health, baseline, sentence));
    }
}

/// Those of `drives` that are not among `others`; a drive counts once.
fn without<'d>(drives: &'d [BaselineDrive], others: &[BaselineDrive]) -> Vec<&'d BaselineDrive> {
    let mut others: Vec<&BaselineDrive> = others.iter().collect();
    let mut left = Vec::new();
    for drive in drives {
        match others.iter().position(|other| is_same(drive, other)) {
            Some(place) => drop(others.swap_remove(place)),
            None => left.push(drive),
        }
    }
    left
}

fn is_same(one: &BaselineDrive, other: &BaselineDrive) -> bool {
    match (&one.serial, &other.serial) {
        (Some(one), Some(other)) => one == other,
        // A serial number that could not be read this time is no new drive.
        _ => one.model == other.model && one.capacity == other.capacity,
    }
}

fn replaced(gone: &BaselineDrive, new: &BaselineDrive) -> Said {
    let (gone, new) = (name(gone), name(new));
    Said::new(
        format!("Le disque a changé : {} au lieu de {}.", new.fr, gone.fr),
        format!("The drive was changed: {} instead of {}.", new.en, gone.en),
    )
}

fn vanished(gone: &BaselineDrive) -> Said {
    let gone = name(gone);
    Said::new(format!("Un disque n'est plus là : {}.", gone.fr), format!("A drive is no longer there: {}.", gone.en))
}

fn appeared(new: &BaselineDrive) -> Said {
    let new = name(new);
    Said::new(format!("Un disque s'est ajouté : {}.", new.fr), format!("A drive was added: {}.", new.en))
}

/// `KXG50ZNV512G, 512 Go, n° 12AB`.
fn name(drive: &BaselineDrive) -> Said {
    let room = drive.capacity.map(size);
    let parts = |room: Option<&str>, number: &str| {
        let serial = drive.serial.as_ref().map(|serial| format!("{number}{serial}"));
        let parts = [drive.model.clone(), room.map(str::to_owned), serial];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    };
    let (fr, en) = (
        parts(room.as_ref().map(|room| room.fr.as_str()), "n°\u{A0}"),
        parts(room.as_ref().map(|room| room.en.as_str()), "serial "),
    );
    if fr.is_empty() { Said::new("sans nom", "unnamed") } else { Said { fr, en } }
}

type Found<'d> = (Said, &'d BaselineDrive, Option<&'d BaselineDrive>, Severity);

fn finding(health: &HealthFacts<'_>, baseline: &Baseline, (sentence, about, present, severity): Found<'_>) -> Finding {
    let known: Vec<Said> = baseline.drives.iter().map(name).collect();
    let list = |said: fn(&Said) -> &str| known.iter().map(said).collect::<Vec<_>>().join(" + ");
    let missing = about
        .serial
        .is_none()
        .then(|| Said::new("Le numéro de série du disque n'a pas été lu.", "The drive's serial number was not read."));
    Finding::from(Statement {
        code: FlagCode::DriveChanged,
        subject: about.serial.clone().or_else(|| about.model.clone()).unwrap_or_default(),
        severity,
        value: present.map_or_else(|| Said::new("absent", "absent"), name),
        threshold: Some(Said { fr: list(|said| &said.fr), en: list(|said| &said.en) }),
        source: Said::new("dernier état accepté par l'équipe", "last state accepted by staff"),
        evidence_at: Some(health.evidence_at()),
        sentence,
        missing: missing.into_iter().collect(),
    })
}
