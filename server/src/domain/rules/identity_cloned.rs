//! Identity cloned: another machine shows the key of this one. An image of a disk was taken with the agent's key, or the
//! main board was exchanged: [`CloneFacts::suspicion`](crate::domain::clone::CloneFacts::suspicion) says which.

use cartable_common::UtcMillis;

use super::{DeviceFacts, Finding, FlagCode, Policy, Said, Severity, Statement, days};
use crate::domain::{
    clone::Suspicion,
    paris,
    policy::source_of,
    wording::{count, date, duration},
};

const MINUTE: u64 = 60_000;

pub(super) fn find(facts: &DeviceFacts<'_>, policy: &Policy, now: UtcMillis) -> Option<Finding> {
    let cloned = facts.cloned.filter(|cloned| cloned.stands(now, policy.agent.cloned_days))?;
    let machines = count(cloned.others, ("autre machine", "other machine"), ("autres machines", "other machines"));
    let first = date(paris::date(cloned.first_at));
    let (severity, threshold, setting, sentence) = match cloned.suspicion(facts.last_contact) {
        Suspicion::Cloned => (
            Severity::Critical,
            duration(u64::from(policy.agent.two_machines_minutes) * MINUTE),
            "agent.two_machines_minutes",
            copied(&machines, &first),
        ),
        Suspicion::Doubtful => {
            (Severity::Warning, days(i64::from(policy.agent.cloned_days)), "agent.cloned_days", doubtful(&first))
        }
    };
    Some(Finding::from(Statement {
        code: FlagCode::IdentityCloned,
        subject: String::new(),
        severity,
        value: machines,
        threshold: Some(threshold),
        source: source_of(setting),
        evidence_at: Some(cloned.last_at),
        sentence,
        missing: Vec::new(),
    }))
}

fn copied(machines: &Said, first: &Said) -> Said {
    Said::new(
        format!(
            "La clé de cet appareil est sur {} depuis le {} : image de disque copiée avec la clé de l'agent. Chaque machine \
             demande une clé à elle ; les autres que lui attendent un accord, parmi les demandes d'entrée.",
            machines.fr, first.fr
        ),
        format!(
            "The key of this device is on {} since {}: a disk image was copied with the agent's key. Each machine asks for \
             a key of its own; all but this one wait for approval, among the requests to join.",
            machines.en, first.en
        ),
    )
}

fn doubtful(first: &Said) -> Said {
    Said::new(
        format!(
            "Une autre machine emploie la clé de cet appareil depuis le {}, et lui-même se tait : carte mère remplacée, ou \
             premier clone d'une image ? Si c'est la même machine, approuver sa demande d'entrée ou corriger le numéro de \
             série.",
            first.fr
        ),
        format!(
            "Another machine uses the key of this device since {}, and it is silent itself: a new main board, or the first \
             clone of an image? If it is the same machine, approve its request to join or correct the serial number.",
            first.en
        ),
    )
}
