//! What a device is fit for: to be lent again with Windows 11 or Linux, to be donated, or for its parts. Each
//! requirement with what was read of it, what is wanted and where that comes from.
//!
//! What was not read is neither met nor missed; a use is fit for only when all its requirements are met.

pub mod facts;
pub mod processor;
mod requirement;

pub use facts::{BatteryRead, Day, Facts};
pub use requirement::{Requirement, RequirementKind, euros, months_said};

use cartable_common::UtcMillis;

use super::{policy::Policy, verdict::text_enum};

text_enum! {
    /// Whether something is so.
    pub enum Answer {
        /// Yes, and it was read.
        Met = "met",
        /// It could not be told.
        Unknown = "unknown",
        /// No, and it was read.
        NotMet = "not_met",
    }
}

text_enum! {
    /// A next life.
    pub enum Use {
        /// Lent again with Windows 11.
        Windows11 = "windows_11",
        /// Lent again with Linux.
        Linux = "linux",
        /// Given away with Linux.
        Donation = "donation",
        /// A source of parts for others of its model.
        Parts = "parts",
    }
}

/// How fit a device is for one use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fitness {
    /// The use.
    pub usage: Use,
    /// Missed when one requirement is, met when all are.
    pub answer: Answer,
    /// Each requirement.
    pub requirements: Vec<Requirement>,
}

impl Fitness {
    fn of(usage: Use, requirements: Vec<Requirement>) -> Self {
        Self { usage, answer: together(&requirements), requirements }
    }
}

/// The worst of some answers; met when there is none.
#[must_use]
pub fn together(requirements: &[Requirement]) -> Answer {
    requirements.iter().map(|one| one.answer).max().unwrap_or(Answer::Met)
}

/// How fit a device is for each use.
#[must_use]
pub fn assess(facts: &Facts, policy: &Policy, now: UtcMillis) -> Vec<Fitness> {
    let condition = requirement::of_condition(facts, policy);
    let with = |mut system: Vec<Requirement>| {
        system.extend(condition.clone());
        system
    };
    vec![
        Fitness::of(Use::Windows11, with(requirement::of_windows_11(facts, policy))),
        Fitness::of(Use::Linux, with(requirement::of_linux(facts, policy))),
        Fitness::of(Use::Donation, requirement::of_donation(facts, policy, now)),
        Fitness::of(Use::Parts, requirement::of_parts(facts, policy)),
    ]
}

/// Whether the machine can run Windows 11, whatever its condition.
#[must_use]
pub fn runs_windows_11(facts: &Facts, policy: &Policy) -> Answer {
    together(&requirement::of_windows_11(facts, policy))
}

/// Whether the machine can run Linux, whatever its condition.
#[must_use]
pub fn runs_linux(facts: &Facts, policy: &Policy) -> Answer {
    together(&requirement::of_linux(facts, policy))
}

#[cfg(test)]
mod tests;
