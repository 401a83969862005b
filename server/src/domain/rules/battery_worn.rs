//! Battery worn: what the judgement of each battery says. Never critical: the machine still works on mains.

use cartable_common::report::Battery;

use super::{Finding, FlagCode, Policy, Said, Severity, Statement};
use crate::domain::{
    battery::{health_percent, judge},
    facts::HealthFacts,
    verdict::Verdict,
    wording::percent,
};

pub(super) fn find(health: &HealthFacts<'_>, policy: &Policy) -> Vec<Finding> {
    let alone = health.report.batteries.len() == 1;
    let batteries = health.report.batteries.iter().zip(1_u32..);
    batteries.filter_map(|(battery, place)| find_one(health, battery, place, alone, policy)).collect()
}

fn find_one(health: &HealthFacts<'_>, battery: &Battery, place: u32, alone: bool, policy: &Policy) -> Option<Finding> {
    let judgement = judge(battery, policy);
    let reason = judgement.reasons.first()?;
    let left = u32::from(health_percent(battery)?.percent.get());
    let shown = percent(u64::from(left));
    let name = if alone {
        Said::new("La batterie", "The battery")
    } else {
        Said::new(format!("La batterie {place}"), format!("Battery {place}"))
    };
    let (severity, fr, en) = if judgement.verdict == Verdict::Failing {
        (Severity::Warning, "Elle ne tient plus une matinée : la remplacer.", "It does not last a morning: replace it.")
    } else if left < policy.battery.long_loan_percent {
        (Severity::Warning, "À remplacer avant tout prêt.", "Replace it before any loan.")
    } else {
        (Severity::Info, "À remplacer avant un long prêt.", "Replace it before a long loan.")
    };
    Some(Finding::from(Statement {
        code: FlagCode::BatteryWorn,
        subject: if alone { String::new() } else { format!("#{place}") },
        severity,
        value: reason.value.clone(),
        threshold: reason.threshold.clone(),
        source: reason.source.clone(),
        evidence_at: Some(health.evidence_at()),
        sentence: Said::new(
            format!("{} ne tient plus que {} de sa capacité d'origine. {fr}", name.fr, shown.fr),
            format!("{} holds only {} of its design capacity. {en}", name.en, shown.en),
        ),
        missing: judgement.missing,
    }))
}
