//! Stuck: a work order is at one stage for more days than the policy allows that stage.

use cartable_common::UtcMillis;

use super::{Finding, FlagCode, LendingFacts, Policy, Said, Severity, Statement, days, days_until};
use crate::domain::{paris, policy::source_of, wording::date, work_order::Stage};

pub(super) fn find(lending: &LendingFacts, policy: &Policy, now: UtcMillis) -> Option<Finding> {
    let work = lending.work?;
    let stage = work.position.stage()?;
    let (limit, setting) = policy.refurbishment.limit(stage);
    let since = paris::date(work.since);
    let passed = days_until(since, paris::date(now));
    if passed <= i64::from(limit) {
        return None;
    }
    let (name, day, age) = (name(stage), date(since), days(passed));
    Some(Finding::from(Statement {
        code: FlagCode::StageOverdue,
        subject: String::new(),
        severity: Severity::Warning,
        value: age.clone(),
        threshold: Some(days(i64::from(limit))),
        source: source_of(setting),
        evidence_at: Some(work.since),
        sentence: Said::new(
            format!("En reconditionnement, à l'étape « {} » depuis le {} : {}.", name.fr, day.fr, age.fr),
            format!("In refurbishment, at the stage “{}” since {}: {}.", name.en, day.en, age.en),
        ),
        missing: Vec::new(),
    }))
}

fn name(stage: Stage) -> Said {
    let (fr, en) = match stage {
        Stage::Intake => ("arrivée", "intake"),
        Stage::Inspection => ("contrôle", "inspection"),
        Stage::Erasure => ("effacement", "erasure"),
        Stage::Repair => ("réparation", "repair"),
        Stage::Reinstallation => ("réinstallation", "reinstallation"),
        Stage::FinalTest => ("test final", "final test"),
        Stage::Grading => ("grade", "grading"),
        Stage::Disposition => ("orientation", "disposition"),
        Stage::Quarantine => ("quarantaine", "quarantine"),
    };
    Said::new(fr, en)
}
