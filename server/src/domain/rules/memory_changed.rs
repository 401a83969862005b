//! Memory changed: it differs from what staff know by more than firmware takes for graphics.

use super::{Finding, FlagCode, Policy, Said, Severity, Statement};
use crate::domain::{
    facts::{Baseline, HealthFacts},
    policy::source_of,
    wording::{percent, size},
};

pub(super) fn find(health: &HealthFacts<'_>, baseline: &Baseline, policy: &Policy) -> Option<Finding> {
    let (known, found) = (baseline.memory_bytes?, health.report.memory.total_bytes?);
    let difference = known.get().abs_diff(found.get()).checked_mul(100)?.checked_div(known.get())?;
    let threshold = u64::from(policy.memory.changed_percent);
    if difference < threshold {
        return None;
    }
    let (before, now) = (size(known), size(found));
    let (severity, sentence) = if found < known {
        (
            Severity::Warning,
            Said::new(
                format!(
                    "Il manque de la mémoire : {} au lieu de {}. Barrette retirée ou défectueuse ?",
                    now.fr, before.fr
                ),
                format!(
                    "Memory is missing: {} instead of {}. Was a module removed, or is it faulty?",
                    now.en, before.en
                ),
            ),
        )
    } else {
        (
            Severity::Info,
            Said::new(
                format!("Il y a plus de mémoire qu'avant : {} au lieu de {}.", now.fr, before.fr),
                format!("There is more memory than before: {} instead of {}.", now.en, before.en),
            ),
        )
    };
    Some(Finding::from(Statement {
        code: FlagCode::MemoryChanged,
        subject: String::new(),
        severity,
        value: now,
        threshold: Some(Said::new(
            format!("{} ± {}", before.fr, percent(threshold).fr),
            format!("{} ± {}", before.en, percent(threshold).en),
        )),
        source: source_of("memory.changed_percent"),
        evidence_at: Some(health.evidence_at()),
        sentence,
        missing: Vec::new(),
    }))
}
