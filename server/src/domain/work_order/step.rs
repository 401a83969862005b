//! The steps that somebody may want an order to take, and why it cannot.

use super::{checklist::Findings, erasure::MAX_WAIVER_CHARS, stage::Disposition};
use crate::domain::{erasure::gap::Demand, grade::Grade, verdict::text_enum};

/// A step that somebody wants an order to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// Somebody begins to look at it.
    Begin,
    /// The inspection's findings. A swollen battery goes to quarantine.
    Inspect(Findings),
    /// To the repair bench; also back to it.
    Repair,
    /// To reinstallation: nothing is to be repaired, or it is.
    Reinstall,
    /// Its system is installed.
    Installed,
    /// The final test's findings. What does not work goes back to repair.
    Test(Findings),
    /// Its grade: what the findings support, or a worse one.
    Grade(Grade),
    /// Not worth a repair: its grade is D, for parts or recycling.
    GiveUp,
    /// What becomes of it.
    Dispose(Disposition),
    /// Its battery is swollen.
    Quarantine,
    /// The swollen battery was taken out by somebody who may.
    RemoveBattery,
    /// It is gone through once more.
    Reopen,
}

text_enum! {
    /// What a step is called.
    pub enum MoveName {
        /// Somebody begins to look at it.
        Begin = "begin",
        /// The inspection's findings.
        Inspect = "inspect",
        /// To the repair bench.
        Repair = "repair",
        /// To reinstallation.
        Reinstall = "reinstall",
        /// Its system is installed.
        Installed = "installed",
        /// The final test's findings.
        Test = "test",
        /// Its grade.
        Grade = "grade",
        /// Not worth a repair.
        GiveUp = "give_up",
        /// What becomes of it.
        Dispose = "dispose",
        /// Its battery is swollen.
        Quarantine = "quarantine",
        /// The swollen battery was taken out.
        RemoveBattery = "remove_battery",
        /// It is gone through once more.
        Reopen = "reopen",
    }
}

impl Move {
    /// What it is called.
    #[must_use]
    pub const fn name(&self) -> MoveName {
        match self {
            Self::Begin => MoveName::Begin,
            Self::Inspect(_) => MoveName::Inspect,
            Self::Repair => MoveName::Repair,
            Self::Reinstall => MoveName::Reinstall,
            Self::Installed => MoveName::Installed,
            Self::Test(_) => MoveName::Test,
            Self::Grade(_) => MoveName::Grade,
            Self::GiveUp => MoveName::GiveUp,
            Self::Dispose(_) => MoveName::Dispose,
            Self::Quarantine => MoveName::Quarantine,
            Self::RemoveBattery => MoveName::RemoveBattery,
            Self::Reopen => MoveName::Reopen,
        }
    }

    /// What an erasure must be worth for this step, where the step asks for one.
    #[must_use]
    pub const fn erasure_demand(&self) -> Demand {
        if let Self::Dispose(disposition) = self
            && disposition.leaves()
        {
            return Demand::Leave;
        }
        Demand::Relend
    }
}

/// Why an order cannot take a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The step is not open from where it is.
    #[error("`{step}` is not possible while the order is at {at}")]
    NotFrom {
        /// Where it is.
        at: &'static str,
        /// What was asked for.
        step: MoveName,
    },
    /// A swollen battery: only its removal or recycling.
    #[error("its battery is swollen: it can only be taken out, or the unit recycled")]
    Swollen,
    /// Nothing is recorded of an erasure, and nothing waives it.
    #[error("no erasure is recorded and none is waived: the order cannot pass")]
    NotErased,
    /// A waiver says that there is nothing to erase; a lot wants each drive proved erased or declared absent.
    #[error("a waiver opens no donation: bring the proof of each drive's erasure, or have it declared absent")]
    WaivedOnly,
    /// Something does not work.
    #[error("something does not work: it is to be repaired, or given up")]
    Faulty,
    /// A better grade than what was found.
    #[error("the findings support {0} at best")]
    BetterThanFound(Grade),
    /// Grade D is neither lent nor donated.
    #[error("a unit of grade D is neither lent nor donated")]
    NotWorking,
    /// There is a waiver, or the order is closed.
    #[error("a waiver is put down once, while the order is open")]
    NotWaivable,
    /// A waiver without a reason.
    #[error("a waiver needs a reason of 1 to {MAX_WAIVER_CHARS} printable characters")]
    NoReason,
}
