//! Agent outdated: its version, as told at the last contact, is below the least that the policy asks for. A version that cannot
//! be read says nothing.

use cartable_common::version::AgentVersion;

use super::{DeviceFacts, Finding, FlagCode, Policy, Said, Severity, Statement};
use crate::domain::policy::source_of;

pub(super) fn find(facts: &DeviceFacts<'_>, policy: &Policy) -> Option<Finding> {
    let (told, seen_at) = facts.agent_version.zip(facts.last_contact)?;
    let (version, least): (AgentVersion, _) = (told.parse().ok()?, policy.agent.least_version);
    if version >= least {
        return None;
    }
    Some(Finding::from(Statement {
        code: FlagCode::AgentOutdated,
        subject: String::new(),
        severity: Severity::Warning,
        value: Said::same(version.to_string()),
        threshold: Some(Said::same(least.to_string())),
        source: source_of("agent.least_version"),
        evidence_at: Some(seen_at),
        sentence: Said::new(
            format!("L'agent est en version {version}, or il faut au moins la {least} : le mettre à jour."),
            format!("The agent is version {version}, but at least {least} is asked for: update it."),
        ),
        missing: Vec::new(),
    }))
}
