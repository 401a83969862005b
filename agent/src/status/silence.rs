//! Why an agent that is well makes no contact for now.

use std::time::Duration;

use cartable_common::UtcMillis;

use super::{Facts, Service, span};
use crate::{
    fairness::{self, LOW_BATTERY_PERCENT},
    language::Language,
};

/// What keeps it silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// Pupils sit an exam, for so long at most.
    Exams(Duration),
    /// Battery or network hold contacts back, for so long already. Which of them is not written down.
    Held(Duration),
}

impl Silence {
    /// What keeps the agent silent, if anything does. A service that does not run waits for no better battery.
    pub(super) fn of(facts: &Facts, now: UtcMillis) -> Option<Self> {
        if let Some(left) = fairness::exams_left(facts.memory.exams_until, now) {
            return Some(Self::Exams(left));
        }
        let held = fairness::held_for(facts.memory.held_since, now)?;
        (facts.service == Service::Running).then_some(Self::Held(held))
    }

    pub(super) fn words(self, language: Language) -> String {
        match (self, language) {
            (Self::Exams(left), Language::French) => {
                format!("Silencieux pendant un examen, encore {} min au plus.", left.as_secs().div_ceil(60))
            }
            (Self::Exams(left), Language::English) => {
                format!("Silent during an exam, for {} min at most.", left.as_secs().div_ceil(60))
            }
            (Self::Held(held), Language::French) => format!(
                "Contacts retenus depuis {} : batterie sous {LOW_BATTERY_PERCENT} %, ou connexion limitée (celle d'un téléphone). L'agent regarde de nouveau toutes les heures : branchez l'ordinateur ou changez de réseau. Au bout d'un jour il écrit quand même.",
                span(held.as_secs() / 60, language)
            ),
            (Self::Held(held), Language::English) => format!(
                "Contacts held back for {}: battery below {LOW_BATTERY_PERCENT} %, or a metered network (a telephone's). The agent looks again every hour: plug the computer in or change the network. After a day it writes all the same.",
                span(held.as_secs() / 60, language)
            ),
        }
    }
}
