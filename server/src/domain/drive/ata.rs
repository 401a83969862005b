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
        look_at_motor(drive, &policy.drive, findings);
    } else {
        look_at_flash(drive, &policy.drive, findings);
    }
    look_at_log(drive, &policy.drive, findings);
    findings.expect(drive.self_assessment.is_some(), "son propre état SMART", "its own SMART status");
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

pub(super) const REALLOCATED: u8 = 5;
pub(super) const UNCORRECTABLE: u8 = 187;
pub(super) const PENDING: u8 = 197;
pub(super) const OFFLINE: u8 = 198;
const CABLE: u8 = 199;
const SPIN_RETRY: u8 = 10;
const REALLOCATIONS: u8 = 196;

fn look_at_disk(drive: &Drive, policy: &DrivePolicy, findings: &mut Findings) {
    let reallocated = with_statistic(counted(drive, REALLOCATED, findings), drive.grown_defects);
    if let Some(count) = reallocated {
        let steps = [
            Step::worn(policy.reallocated_worn, "drive.reallocated_worn"),
            Step::failing(policy.reallocated_failing, "drive.reallocated_failing"),
        ];
        findings.count("reallocated_sectors", count, &steps, sectors(count, ("réalloué", "réalloués"), "reallocated"));
    }
    let pending = counted(drive, PENDING, findings);
    if let Some(count) = pending {
        let steps = [Step::failing(policy.pending_failing, "drive.pending_failing")];
        let said = sectors(count, ("en attente de réallocation", "en attente de réallocation"), "pending reallocation");
        findings.count("pending_sectors", count, &steps, said);
    }
    let offline = counted(drive, OFFLINE, findings);
    if let Some(count) = offline {
        let steps = [Step::failing(policy.offline_failing, "drive.offline_failing")];
        findings.count("unreadable_sectors", count, &steps, sectors(count, ("illisible", "illisibles"), "unreadable"));
    }
    let uncorrected = with_statistic(counted(drive, UNCORRECTABLE, findings), drive.uncorrected_errors);
    if let Some(count) = uncorrected {
        let steps = [Step::failing(policy.uncorrectable_failing, "drive.uncorrectable_failing")];
        findings.count("uncorrectable_errors", count, &steps, uncorrectable(count));
    }
    // SCSI has no word for a sector that waits.
    let by_scsi = drive.ata_attributes.is_empty() && drive.grown_defects.is_some();
    findings.expect(reallocated.is_some(), "ses secteurs réalloués (5)", "its reallocated sectors (5)");
    findings.expect(pending.is_some() || by_scsi, "ses secteurs en attente (197)", "its pending sectors (197)");
    let unreadable = offline.is_some() || uncorrected.is_some();
    findings.expect(unreadable, "ses secteurs illisibles (187 ou 198)", "its unreadable sectors (187 or 198)");
}

/// The drive's own standard statistics count the same things; the worse of both stands.
fn with_statistic(attribute: Option<u64>, statistic: Option<u64>) -> Option<u64> {
    attribute.max(statistic)
}

/// A motor that did not start at the first attempt. More than a word is a maker's own form.
fn look_at_motor(drive: &Drive, policy: &DrivePolicy, findings: &mut Findings) {
    let Some(retries) = attribute(drive, SPIN_RETRY).filter(|one| named(one, &["spin_retry"])) else { return };
    let Some(count) = retries.raw.filter(|raw| (1..=WORD).contains(raw)) else { return };
    let steps = [Step::worn(policy.spin_retries_worn, "drive.spin_retries_worn")];
    let shown = number(count);
    let said = Said::new(
        format!("{} démarrage{} du moteur à reprendre", shown.fr, if count < 2 { "" } else { "s" }),
        format!("{} attempt{} to start its motor again", shown.en, if count == 1 { "" } else { "s" }),
    );
    findings.count("spin_retries", count, &steps, said);
}

fn look_at_flash(drive: &Drive, policy: &DrivePolicy, findings: &mut Findings) {
    // Some makers count events of retirement (196) instead of retired blocks.
    let retired = counted(drive, REALLOCATED, findings).or_else(|| count_of(drive, REALLOCATIONS));
    let retired = with_statistic(retired, drive.grown_defects);
    if let Some(count) = retired {
        let steps = [Step::worn(policy.flash_blocks_worn, "drive.flash_blocks_worn")];
        let shown = number(count);
        let said = Said::new(
            if count < 2 { format!("{} bloc retiré", shown.fr) } else { format!("{} blocs retirés", shown.fr) },
            format!("{} retired block{}", shown.en, if count == 1 { "" } else { "s" }),
        );
        findings.count("retired_blocks", count, &steps, said);
    }
    let offline = counted(drive, OFFLINE, findings);
    // Silicon Motion counts them under 160, Dell's Intel under 195.
    let elsewhere = [160, 195].into_iter().filter_map(|id| count_of(drive, id)).max();
    let uncorrected = counted(drive, UNCORRECTABLE, findings).max(elsewhere);
    let uncorrected = with_statistic(uncorrected, drive.uncorrected_errors);
    for (code, count) in [("unreadable_sectors", offline), ("uncorrectable_errors", uncorrected)] {
        if let Some(count) = count {
            let steps = [
                Step::worn(policy.flash_errors_worn, "drive.flash_errors_worn"),
                Step::failing(policy.flash_errors_failing, "drive.flash_errors_failing"),
            ];
            findings.count(code, count, &steps, uncorrectable(count));
        }
    }
    // Flash rewrites a pending block at once; some firmware shows a passing 1 here. Worth watching, no more.
    if let Some(count) = counted(drive, PENDING, findings) {
        let said = sectors(count, ("en attente de réallocation", "en attente de réallocation"), "pending reallocation");
        findings.count("pending_sectors", count, &[], said);
    }
    findings.expect(retired.is_some(), "ses blocs retirés (5)", "its retired blocks (5)");
    let unreadable = offline.is_some() || uncorrected.is_some();
    findings.expect(unreadable, "ses erreurs irrécupérables (187 ou 198)", "its uncorrectable errors (187 or 198)");
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
pub(super) fn count_of(drive: &Drive, id: u8) -> Option<u64> {
    decoded(id, understood(drive, id)?.raw?)
}

fn counted(drive: &Drive, id: u8, findings: &mut Findings) -> Option<u64> {
    let count = count_of(drive, id);
    let packed = count.is_none() && understood(drive, id).is_some_and(|attribute| attribute.raw.is_some());
    // The drive's own statistics tell the same, in a form that is a standard.
    if packed && drive.uncorrected_errors.is_none() {
        findings.unclear = true;
        findings.missing(
            "L'attribut 187 contient plusieurs compteurs (mots de 16 bits) que le fabricant ne documente pas.",
            "Attribute 187 holds several counters (16-bit words) that the maker does not document.",
        );
    }
    count
}

/// Attribute `id`, if its name says that it counts what that number usually counts.
fn understood(drive: &Drive, id: u8) -> Option<&AtaAttribute> {
    let attribute = attribute(drive, id)?;
    let names: &[&str] = match id {
        REALLOCATED | REALLOCATIONS => &["realloc", "retired", "bad_bl", "new_bad"],
        PENDING => &["pending"],
        UNCORRECTABLE | OFFLINE => &["uncorrect", "uncor_"],
        160 | 195 => &["uncorrectable"],
        _ => &[],
    };
    let unnamed = attribute.name.as_ref().is_none_or(|name| name.as_str().to_lowercase().contains("unknown"));
    (named(attribute, names) || (unnamed && rotates(drive))).then_some(attribute)
}

/// The count in a raw value of attribute `id`; none where it is packed in a form that only its maker knows.
pub(super) fn decoded(id: u8, raw: u64) -> Option<u64> {
    match id {
        // smartctl's own form for attribute 5: the count is the low word, the others are the maker's.
        REALLOCATED if raw > WORD => Some(raw & WORD),
        UNCORRECTABLE | 160 | 195 if raw > WORD => None,
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
