//! The attributes of a SATA drive.
//!
//! Makers agree on little: the same number means different things, raw values hide several counters, and a drive may
//! be failing by its normalised value while the raw one is zero. So an attribute counts only where number, name and
//! form say what it is. Attribute 199 is a cable, 188 alone is weak, temperatures are not health.

use cartable_common::report::{AtaAttribute, Drive, WhenFailed};

use super::{Findings, Reason, Said, Step, Verdict, maker, number, rotates};
use crate::domain::policy::{DrivePolicy, Policy, source_of};

pub(super) fn look(drive: &Drive, policy: &Policy, findings: &mut Findings) {
    for attribute in &drive.ata_attributes {
        look_at_threshold(attribute, findings);
    }
    if rotates(drive) {
        look_at_disk(drive, &policy.drive, findings);
    } else {
        look_at_flash(drive, &policy.drive, findings);
    }
    look_at_log(drive, &policy.drive, findings);
}

/// The normalised value against the maker's own threshold.
fn look_at_threshold(attribute: &AtaAttribute, findings: &mut Findings) {
    let (Some(value), Some(threshold)) = (attribute.value, attribute.threshold) else { return };
    let below = match attribute.when_failed {
        Some(WhenFailed::Now) => true,
        Some(WhenFailed::Never | WhenFailed::Past) => false,
        Some(WhenFailed::Unknown) | None => threshold > 0 && value <= threshold,
    };
    let heat = matches!(attribute.id, 190 | 194) || named(attribute, &["temp"]);
    if !below || heat {
        return;
    }
    let cable = attribute.id == CABLE;
    let name = attribute.name.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
    findings.reason(Reason {
        code: "below_threshold",
        verdict: if cable { Verdict::Healthy } else { Verdict::Failing },
        value: number(u64::from(value)),
        threshold: Some(number(u64::from(threshold))),
        source: maker(),
        said: Said::new(
            format!("attribut {}{name} à {value}, au seuil du fabricant ({threshold}) ou en dessous", attribute.id),
            format!("attribute {}{name} at {value}, at or below the maker's threshold ({threshold})", attribute.id),
        ),
    });
}

const REALLOCATED: u8 = 5;
const UNCORRECTABLE: u8 = 187;
const PENDING: u8 = 197;
const OFFLINE: u8 = 198;
const CABLE: u8 = 199;

fn look_at_disk(drive: &Drive, policy: &DrivePolicy, findings: &mut Findings) {
    if let Some(count) = counted(drive, REALLOCATED, findings) {
        let steps = [
            Step::worn(policy.reallocated_worn, "drive.reallocated_worn"),
            Step::failing(policy.reallocated_failing, "drive.reallocated_failing"),
        ];
        findings.count("reallocated_sectors", count, &steps, sectors(count, ("réalloué", "réalloués"), "reallocated"));
    }
    if let Some(count) = counted(drive, PENDING, findings) {
        let steps = [Step::failing(policy.pending_failing, "drive.pending_failing")];
        let said = sectors(count, ("en attente de réallocation", "en attente de réallocation"), "pending reallocation");
        findings.count("pending_sectors", count, &steps, said);
    }
    if let Some(count) = counted(drive, OFFLINE, findings) {
        let steps = [Step::failing(policy.offline_failing, "drive.offline_failing")];
        findings.count("unreadable_sectors", count, &steps, sectors(count, ("illisible", "illisibles"), "unreadable"));
    }
    if let Some(count) = counted(drive, UNCORRECTABLE, findings) {
        let steps = [Step::failing(policy.uncorrectable_failing, "drive.uncorrectable_failing")];
        findings.count("uncorrectable_errors", count, &steps, uncorrectable(count));
    }
}

fn look_at_flash(drive: &Drive, policy: &DrivePolicy, findings: &mut Findings) {
    if let Some(count) = counted(drive, REALLOCATED, findings) {
        let steps = [Step::worn(policy.flash_blocks_worn, "drive.flash_blocks_worn")];
        let shown = number(count);
        let said = Said::new(
            if count < 2 { format!("{} bloc retiré", shown.fr) } else { format!("{} blocs retirés", shown.fr) },
            format!("{} retired block{}", shown.en, if count == 1 { "" } else { "s" }),
        );
        findings.count("retired_blocks", count, &steps, said);
    }
    for id in [UNCORRECTABLE, OFFLINE] {
        if let Some(count) = counted(drive, id, findings) {
            let steps = [
                Step::worn(policy.flash_errors_worn, "drive.flash_errors_worn"),
                Step::failing(policy.flash_errors_failing, "drive.flash_errors_failing"),
            ];
            let code = if id == OFFLINE { "unreadable_sectors" } else { "uncorrectable_errors" };
            findings.count(code, count, &steps, uncorrectable(count));
        }
    }
    // Flash rewrites a pending block at once; some firmware shows a passing 1 here. Worth watching, no more.
    if let Some(count) = counted(drive, PENDING, findings) {
        let said = sectors(count, ("en attente de réallocation", "en attente de réallocation"), "pending reallocation");
        findings.count("pending_sectors", count, &[], said);
    }
}

/// The drive's error log, less what its cable explains. A solid-state drive's mostly holds commands that it does not
/// know, sent by the operating system: worth watching, no more.
fn look_at_log(drive: &Drive, policy: &DrivePolicy, findings: &mut Findings) {
    let cable = attribute(drive, CABLE).and_then(|attribute| attribute.raw).unwrap_or_default();
    let own = drive.logged_errors.unwrap_or_default().saturating_sub(cable & 0xFFFF_FFFF);
    if own < u64::from(policy.logged_errors_worn) {
        return;
    }
    let shown = number(own);
    findings.reason(Reason {
        code: "logged_errors",
        verdict: if rotates(drive) { Verdict::Worn } else { Verdict::Healthy },
        value: shown.clone(),
        threshold: Some(number(u64::from(policy.logged_errors_worn))),
        source: source_of("drive.logged_errors_worn"),
        said: Said::new(
            format!("{} erreurs dans son journal, que son câble n'explique pas", shown.fr),
            format!("{} errors in its log that its cable does not explain", shown.en),
        ),
    });
}

/// What attribute `id` of `drive` counts, if it has it under a name that says so and in a form that can be read.
fn counted(drive: &Drive, id: u8, findings: &mut Findings) -> Option<u64> {
    let attribute = attribute(drive, id)?;
    let names: &[&str] = match id {
        REALLOCATED => &["realloc", "retired", "bad_bl", "new_bad"],
        PENDING => &["pending"],
        UNCORRECTABLE | OFFLINE => &["uncorrect"],
        _ => &[],
    };
    let unnamed = attribute.name.as_ref().is_none_or(|name| name.as_str().to_lowercase().contains("unknown"));
    let understood = named(attribute, names) || (unnamed && rotates(drive));
    if !understood {
        return None;
    }
    let raw = attribute.raw?;
    match id {
        // smartctl's own form for attribute 5: the count is the low word, the others are the maker's.
        REALLOCATED if raw > WORD => Some(raw & WORD),
        UNCORRECTABLE if raw > WORD => {
            findings.unclear = true;
            findings.missing(
                "L'attribut 187 contient plusieurs compteurs (mots de 16 bits) que le fabricant ne documente pas.",
                "Attribute 187 holds several counters (16-bit words) that the maker does not document.",
            );
            None
        }
        PENDING | OFFLINE if raw > 0xFFFF_FFFF => Some(raw & WORD),
        _ => Some(raw),
    }
}

/// Sixteen bits: where makers pack several counters into one raw value, each has a word.
const WORD: u64 = 0xFFFF;

pub(super) fn attribute(drive: &Drive, id: u8) -> Option<&AtaAttribute> {
    drive.ata_attributes.iter().find(|attribute| attribute.id == id)
}

/// Whether the attribute's name holds one of `words`.
pub(super) fn named(attribute: &AtaAttribute, words: &[&str]) -> bool {
    let name = attribute.name.as_ref().map(|name| name.as_str().to_lowercase()).unwrap_or_default();
    words.iter().any(|word| name.contains(word))
}

fn sectors(count: u64, fr: (&str, &str), en: &str) -> Said {
    let shown = number(count);
    Said::new(
        if count < 2 { format!("{} secteur {}", shown.fr, fr.0) } else { format!("{} secteurs {}", shown.fr, fr.1) },
        format!("{} sector{} {en}", shown.en, if count == 1 { "" } else { "s" }),
    )
}

fn uncorrectable(count: u64) -> Said {
    let shown = number(count);
    Said::new(
        if count < 2 {
            format!("{} erreur de lecture irrécupérable", shown.fr)
        } else {
            format!("{} erreurs de lecture irrécupérables", shown.fr)
        },
        format!("{} uncorrectable read error{}", shown.en, if count == 1 { "" } else { "s" }),
    )
}
