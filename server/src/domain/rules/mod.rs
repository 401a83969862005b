//! The rules that raise flags. Each file holds one rule; this one says which rules a device is subject to.
//!
//! A rule without evidence says nothing: what was not measured is neither good nor bad.

mod battery_worn;
mod clock_wrong;
mod disk_nearly_full;
mod drive_changed;
mod drive_health;
mod memory_changed;
mod never_enrolled;
mod os_out_of_support;
mod silent;

use std::collections::BTreeSet;

use cartable_common::UtcMillis;

use super::{
    device::DeviceStatus,
    facts::DeviceFacts,
    flag::{Evidence, Explanation, Finding, FlagCode, Severity},
    policy::Policy,
    wording::Said,
};

/// Everything that the rules say about a device at `now`. A flag that is no longer among the findings is cleared.
///
/// Findings differ in code or subject, and stand heaviest first.
#[must_use]
pub fn evaluate(facts: &DeviceFacts<'_>, policy: &Policy, now: UtcMillis) -> Vec<Finding> {
    if facts.archived {
        return Vec::new();
    }
    let mut findings = match facts.status {
        DeviceStatus::Pending => never_enrolled::find(facts, policy, now).into_iter().collect(),
        DeviceStatus::Active => {
            let mut findings = of_contact(facts, policy, now);
            findings.extend(of_health(facts, policy, now));
            findings
        }
        // It may not be lost, only held; but what it measures is still true.
        DeviceStatus::Quarantined => of_health(facts, policy, now),
        DeviceStatus::Revoked | DeviceStatus::Released => Vec::new(),
    };
    findings.sort_by(|a, b| (b.severity, a.code, &a.subject).cmp(&(a.severity, b.code, &b.subject)));
    let mut seen = BTreeSet::new();
    findings.retain(|finding| seen.insert((finding.code, finding.subject.clone())));
    findings
}

fn of_contact(facts: &DeviceFacts<'_>, policy: &Policy, now: UtcMillis) -> Vec<Finding> {
    [never_enrolled::find(facts, policy, now), silent::find(facts, policy, now), clock_wrong::find(facts, policy)]
        .into_iter()
        .flatten()
        .collect()
}

fn of_health(facts: &DeviceFacts<'_>, policy: &Policy, now: UtcMillis) -> Vec<Finding> {
    let Some(health) = facts.health else { return Vec::new() };
    let mut findings: Vec<Finding> = [
        disk_nearly_full::find(&health, policy),
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

#[cfg(test)]
mod tests;
