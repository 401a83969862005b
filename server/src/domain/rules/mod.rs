//! The rules that raise flags. Each file holds one rule; this one says which rules a device is subject to.
//!
//! A rule without evidence says nothing: what was not measured is neither good nor bad.

mod agent_outdated;
mod back_again;
mod battery_worn;
mod borrower_left;
mod ceded_reporting;
mod clock_wrong;
mod disk_nearly_full;
mod disk_not_encrypted;
mod drive_changed;
mod drive_health;
mod due_for_refurbishment;
mod erasure_missing;
mod identity_cloned;
mod loan_due_soon;
mod loan_overdue;
mod memory_changed;
mod missing_checked_in;
mod never_enrolled;
mod not_to_relend;
mod os_out_of_support;
mod part_to_order;
mod ready_unassigned;
mod returned_in_use;
mod silent;
mod stage_overdue;
mod stock_in_use;
mod unanswered;
mod used_since;
mod warranty_ending;

pub use unanswered::{Unanswered, unanswered};

use std::collections::BTreeSet;

use cartable_common::UtcMillis;
use jiff::civil::Date;

use super::{
    device::DeviceStatus,
    facts::{DeviceFacts, LendingFacts},
    flag::{Evidence, Explanation, Finding, FlagCode, Severity},
    policy::Policy,
    wording::Said,
};

/// Everything that the rules say about a device at `now`. A flag that is no longer among the findings is cleared, but for
/// those that [`Unanswered::kept`] names.
///
/// Findings differ in code or subject, and stand heaviest first.
#[must_use]
pub fn evaluate(facts: &DeviceFacts<'_>, policy: &Policy, now: UtcMillis) -> Vec<Finding> {
    if facts.archived {
        // Nothing is said about it any more, except that our agent is still on somebody else's machine.
        let ceded = facts.lending.and_then(|lending| ceded_reporting::find(facts, &lending, policy, now));
        return ceded.into_iter().collect();
    }
    let mut findings = match facts.status {
        DeviceStatus::Pending => never_enrolled::find(facts, policy, now).into_iter().collect(),
        DeviceStatus::Active => {
            let mut findings = of_contact(facts, policy, now);
            findings.extend(of_health(facts, policy, now));
            findings
        }
        // It may not be lost, only held; but what it measures is still true.
        DeviceStatus::Quarantined => {
            let mut findings = of_health(facts, policy, now);
            findings.extend(identity_cloned::find(facts, policy, now));
            findings
        }
        DeviceStatus::Revoked | DeviceStatus::Released => Vec::new(),
    };
    // A loan runs on whatever the agent's standing: a revoked laptop is still due back.
    findings.extend(facts.lending.map(|lending| of_loan(facts, &lending, policy, now)).unwrap_or_default());
    findings.sort_by(|a, b| (b.severity, a.code, &a.subject).cmp(&(a.severity, b.code, &b.subject)));
    let mut seen = BTreeSet::new();
    findings.retain(|finding| seen.insert((finding.code, finding.subject.clone())));
    findings
}

fn of_contact(facts: &DeviceFacts<'_>, policy: &Policy, now: UtcMillis) -> Vec<Finding> {
    [
        never_enrolled::find(facts, policy, now),
        silent::find(facts, policy, now),
        back_again::find(facts, policy, now),
        identity_cloned::find(facts, policy, now),
        clock_wrong::find(facts, policy),
        agent_outdated::find(facts, policy),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What only somebody who knows both the loan and the machine's own last word can say.
fn of_loan(facts: &DeviceFacts<'_>, lending: &LendingFacts, policy: &Policy, now: UtcMillis) -> Vec<Finding> {
    [
        loan_due_soon::find(lending, policy, now),
        loan_overdue::find(facts, lending, policy, now),
        returned_in_use::find(facts, lending, policy, now),
        stock_in_use::find(facts, lending, policy, now),
        missing_checked_in::find(facts, lending),
        ceded_reporting::find(facts, lending, policy, now),
        borrower_left::find(lending, now),
        warranty_ending::find(lending, policy, now),
        not_to_relend::find(facts, lending, policy, now),
        erasure_missing::find(facts, lending, policy, now),
        stage_overdue::find(lending, policy, now),
        part_to_order::find(lending),
        ready_unassigned::find(lending, policy, now),
        due_for_refurbishment::find(facts, lending, policy, now),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn of_health(facts: &DeviceFacts<'_>, policy: &Policy, now: UtcMillis) -> Vec<Finding> {
    let Some(health) = facts.health else { return Vec::new() };
    let mut findings: Vec<Finding> = [
        disk_nearly_full::find(&health, policy),
        disk_not_encrypted::find(&health, policy),
        os_out_of_support::find(&health, policy, now),
        facts.baseline.and_then(|baseline| memory_changed::find(&health, baseline, policy)),
    ]
    .into_iter()
    .flatten()
    .collect();
    findings.extend(drive_health::find(&health, policy));
    findings.extend(battery_worn::find(&health, policy));
    findings.extend(facts.baseline.map(|baseline| drive_changed::find(&health, baseline)).unwrap_or_default());
    findings
}

/// What a rule found, before it is split into the languages of [`Evidence`].
struct Statement {
    code: FlagCode,
    subject: String,
    severity: Severity,
    value: Said,
    threshold: Option<Said>,
    source: Said,
    evidence_at: Option<UtcMillis>,
    sentence: Said,
    missing: Vec<Said>,
}

impl From<Statement> for Finding {
    fn from(statement: Statement) -> Self {
        let (missing_fr, missing_en) = statement.missing.into_iter().map(|said| (said.fr, said.en)).unzip();
        let (threshold_fr, threshold_en) = statement.threshold.map(|said| (said.fr, said.en)).unzip();
        Self {
            code: statement.code,
            subject: statement.subject,
            severity: statement.severity,
            evidence: Evidence {
                value: statement.value.en,
                threshold: threshold_en,
                source: statement.source.en,
                evidence_at: statement.evidence_at,
                sentence_fr: statement.sentence.fr,
                sentence_en: statement.sentence.en,
                missing: missing_en,
                in_french: Explanation {
                    value: statement.value.fr,
                    threshold: threshold_fr,
                    source: statement.source.fr,
                    missing: missing_fr,
                },
            },
        }
    }
}

fn days(count: i64) -> Said {
    super::wording::count(u64::try_from(count).unwrap_or_default(), ("jour", "day"), ("jours", "days"))
}

/// Days from `from` to `to`; negative where `to` comes before.
fn days_until(from: Date, to: Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}

#[cfg(test)]
mod loan_tests;
#[cfg(test)]
mod tests;
