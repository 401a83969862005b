//! Why a device should become what it should: each reason with its value, its threshold and where that comes from.

use super::{Cost, Evidence};
use crate::domain::{
    fitness::{Answer, BatteryRead, euros, months_said},
    policy::{Policy, source_of},
    verdict::Verdict,
    wording::{Said, percent},
};

/// One reason, with the threshold it met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What was found.
    pub said: Said,
    /// The value that was read.
    pub value: Said,
    /// The threshold.
    pub threshold: Said,
    /// Where the threshold comes from.
    pub source: Said,
}

pub(super) fn too_old(age: i64, policy: &Policy) -> Reason {
    Reason {
        said: Said::new(
            "Au-delà de cet âge, la loi REEN oriente vers le recyclage.",
            "Beyond this age the REEN law sends it to recycling.",
        ),
        value: months_said(age),
        threshold: months_said(i64::from(policy.disposition.recycle_years) * 12),
        source: source_of("disposition.recycle_years"),
    }
}

pub(super) fn too_dear(cost: &Cost, worth: u32, policy: &Policy) -> Reason {
    let share = percent(u64::from(policy.disposition.repair_share_percent));
    Reason {
        said: Said::new(
            "La réparation coûte trop pour ce qu'il vaudrait.",
            "The repair costs too much for what it would be worth.",
        ),
        value: euros(cost.euros),
        threshold: Said::new(
            format!("{} de {}", share.fr, euros(worth).fr),
            format!("{} of {}", share.en, euros(worth).en),
        ),
        source: source_of("disposition.repair_share_percent"),
    }
}

/// Why it is not lent as it is; for a device that is, that nothing speaks against it.
pub(super) fn all(evidence: Evidence, policy: &Policy) -> Vec<Reason> {
    let found = [staff(evidence), drives(evidence), battery(evidence, policy), system(evidence)];
    let mut found: Vec<Reason> = found.into_iter().flatten().collect();
    if found.is_empty() {
        found.push(Reason {
            said: Said::new("Rien de ce qui a été lu ne s'y oppose.", "Nothing that was read speaks against it."),
            value: Said::new("aucun défaut lu", "no fault read"),
            threshold: Said::new("aucun défaut", "no fault"),
            source: verdicts(),
        });
    }
    found
}

fn healthy() -> Said {
    Said::new("bon état", "healthy")
}

fn verdicts() -> Said {
    Said::new("verdict des disques (docs/rules.md)", "verdict on drives (docs/rules.md)")
}

fn staff(evidence: Evidence) -> Option<Reason> {
    let (said, value) = if evidence.dead {
        (Said::new("Il ne démarre pas.", "It does not start."), Said::new("hors service", "not working"))
    } else if evidence.broken == Answer::Met {
        (
            Said::new("Quelque chose ne marche pas.", "Something does not work."),
            Said::new("à réparer", "to be repaired"),
        )
    } else {
        return None;
    };
    Some(Reason { said, value, threshold: healthy(), source: Said::new("constat du personnel", "what staff saw") })
}

fn drives(evidence: Evidence) -> Option<Reason> {
    let (said, value) = match evidence.drives {
        Verdict::Failing => {
            (Said::new("Le disque risque la panne.", "The drive is at risk."), Said::new("à risque", "at risk"))
        }
        Verdict::Worn => (Said::new("Le disque est usé.", "The drive is worn."), Said::new("usé", "worn")),
        Verdict::Healthy | Verdict::Unknown => return None,
    };
    Some(Reason { said, value, threshold: healthy(), source: verdicts() })
}

fn battery(evidence: Evidence, policy: &Policy) -> Option<Reason> {
    if !evidence.battery_below(policy.battery.relend_percent) {
        return None;
    }
    let value = match evidence.battery {
        BatteryRead::Left(left) => percent(u64::from(left)),
        BatteryRead::Swollen => Said::new("gonflée", "swollen"),
        BatteryRead::Gone | BatteryRead::NoneExpected | BatteryRead::NotRead => Said::new("absente", "gone"),
    };
    Some(Reason {
        said: Said::new("La batterie ne tient plus assez.", "The battery no longer holds enough."),
        value,
        threshold: percent(u64::from(policy.battery.relend_percent)),
        source: source_of("battery.relend_percent"),
    })
}

fn system(evidence: Evidence) -> Option<Reason> {
    (evidence.windows == Answer::NotMet).then(|| Reason {
        said: Said::new("Il ne peut pas recevoir Windows 11.", "It cannot take Windows 11."),
        value: Said::new("une exigence n'est pas remplie", "a requirement is not met"),
        threshold: Said::new("toutes remplies", "all met"),
        source: source_of("disposition.relend_with_linux"),
    })
}
