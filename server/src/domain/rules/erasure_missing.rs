//! Taken back a while ago, and one of its drives is not proven erased: what the last borrower left may still be on it,
//! whether it waits or was put in stock all the same, by an import.

use cartable_common::UtcMillis;

use super::{DeviceFacts, Finding, FlagCode, LendingFacts, Policy, Said, Severity, Statement, days};
use crate::domain::{
    erasure::{DriveKey, gap, seen},
    loan::{LendingState, LoanStateName},
    policy::source_of,
    wording::count,
};

/// Whether it waits where the next borrower or owner may get it. An order that was closed since has asked its own gate,
/// or somebody waived it with a reason.
fn is_here(lending: &LendingFacts, back: UtcMillis) -> bool {
    let asked = lending.work.is_some_and(|work| work.position.stage().is_none() && work.since > back);
    match lending.state {
        LendingState::Intake => true,
        LendingState::InStock => !asked,
        LendingState::Reserved
        | LendingState::Lent
        | LendingState::Refurbishment
        | LendingState::SetAside
        | LendingState::Lost
        | LendingState::Stolen
        | LendingState::WrittenOff
        | LendingState::Ceded => false,
    }
}

pub(super) fn find(
    facts: &DeviceFacts<'_>,
    lending: &LendingFacts,
    policy: &Policy,
    now: UtcMillis,
) -> Option<Finding> {
    let (recorded, health) = (facts.erasure?, facts.health?);
    let back = lending.ended_in(LoanStateName::Returned).filter(|back| is_here(lending, *back))?;
    let (waited, threshold) = (now.millis_since(back) / UtcMillis::DAY, i64::from(policy.erasure.missing_after_days));
    if waited < threshold || health.report.drives.is_empty() {
        return None;
    }
    // Without any contact the report was brought in a file: it shows the drives as they were when that was made.
    let last_seen = facts.last_contact.map_or_else(|| health.evidence_at(), |contact| contact.max(health.received_at));
    let mut seen = seen::in_report(health.report, last_seen);
    let drives = seen.iter().map(|drive| drive.key.clone()).collect();
    let lent = gap::Lent { until: Some(back), drives: Some(drives) };
    seen.extend(facts.baseline.map(|known| seen::in_baseline(known, facts.created_at)).unwrap_or_default());
    // Of a drive that only an earlier report showed, the gate asks: here it would look like one that was never seen.
    let is_seen = |proof: &&gap::Proof| seen.iter().any(|drive| drive.key == proof.key);
    let mut proofs: Vec<gap::Proof> = recorded.proofs.iter().filter(is_seen).cloned().collect();
    let mut absences = recorded.absences.clone();
    lent.mark(&seen, &mut proofs, &mut absences);
    let gaps = gap::left_behind(&seen, &proofs, &absences, back, &policy.erasure);
    if gaps.is_empty() {
        return None;
    }
    let drives = count(u64::try_from(gaps.len()).unwrap_or(u64::MAX), ("disque", "drive"), ("disques", "drives"));
    let names: Vec<&str> = gaps.iter().filter_map(|gap| gap.key.as_ref()).map(DriveKey::as_str).collect();
    let (list, waited) = (names.join(", "), days(waited));
    Some(Finding::from(Statement {
        code: FlagCode::ErasureMissing,
        subject: String::new(),
        severity: Severity::Warning,
        value: Said::new(format!("{} : {list}", drives.fr), format!("{}: {list}", drives.en)),
        threshold: Some(days(threshold)),
        source: source_of("erasure.missing_after_days"),
        evidence_at: Some(back),
        sentence: Said::new(
            format!(
                "Rendu il y a {}, et {} sans preuve d'effacement : l'effacer, ou déclarer pourquoi il n'y est plus.",
                waited.fr, drives.fr
            ),
            format!(
                "Returned {} ago, and {} without proof of erasure: erase it, or declare why it is gone.",
                waited.en, drives.en
            ),
        ),
        missing: Vec::new(),
    }))
}
