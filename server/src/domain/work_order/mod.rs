//! Work orders: which steps a returned device's way through refurbishment may take.
//!
//! Intake → inspection → erasure → repair → reinstallation → final test → grading → disposition → closed. A transition
//! takes the order and gives the next one, or says why not; the database holds the same rules as CHECKs. A swollen battery
//! stops everything: from quarantine an order goes to the battery's removal or to recycling, never on.

pub mod checklist;
pub mod grading;
pub mod time;

use cartable_common::{DeviceId, UtcMillis};
use uuid::Uuid;

use self::{checklist::Findings, grading::graded};
use super::{grade::Grade, loan::LendingState, verdict::text_enum};

text_enum! {
    /// Where an open order is.
    pub enum Stage {
        /// It arrived; nobody has looked at it.
        Intake = "intake",
        /// It is gone through by the checklist.
        Inspection = "inspection",
        /// Its drives are erased.
        Erasure = "erasure",
        /// What does not work is repaired.
        Repair = "repair",
        /// Its system is installed anew.
        Reinstallation = "reinstallation",
        /// It is gone through once more.
        FinalTest = "final_test",
        /// It gets its grade.
        Grading = "grading",
        /// It is decided what becomes of it.
        Disposition = "disposition",
        /// A swollen battery: apart, in a fire-proof place.
        Quarantine = "quarantine",
    }
}

text_enum! {
    /// What a unit becomes.
    pub enum Disposition {
        /// It is lent again.
        Relend = "relend",
        /// It is ready for donation. Nothing here gives it to anybody.
        Donate = "donate",
        /// Its parts serve others.
        Parts = "parts",
        /// It is recycled.
        Recycle = "recycle",
    }
}

/// What a closed order's stage is called where stages are stored.
pub const CLOSED: &str = "closed";

/// Where an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// On its way.
    Open(Stage),
    /// At its end.
    Closed(Disposition),
}

impl Position {
    /// The stage of an open order.
    #[must_use]
    pub const fn stage(self) -> Option<Stage> {
        match self {
            Self::Open(stage) => Some(stage),
            Self::Closed(_) => None,
        }
    }

    /// What a closed order's unit became.
    #[must_use]
    pub const fn disposition(self) -> Option<Disposition> {
        match self {
            Self::Open(_) => None,
            Self::Closed(disposition) => Some(disposition),
        }
    }

    /// The stage's name, or [`CLOSED`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open(stage) => stage.as_str(),
            Self::Closed(_) => CLOSED,
        }
    }

    /// Where the device then is.
    #[must_use]
    pub const fn lending_state(self) -> LendingState {
        match self {
            Self::Open(_) => LendingState::Refurbishment,
            Self::Closed(Disposition::Relend) => LendingState::InStock,
            Self::Closed(Disposition::Donate | Disposition::Parts | Disposition::Recycle) => LendingState::SetAside,
        }
    }
}

/// What is recorded of the erasure of a unit's drives. Without any of it, no order passes the erasure stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErasureState {
    /// Nothing is recorded: not erased, as far as anybody knows.
    NothingRecorded,
    /// Somebody with the right has put down why there is nothing to erase here. No erasure is claimed by it.
    Waived,
}

text_enum! {
    /// What let an order pass the erasure stage.
    pub enum ErasureBasis {
        /// A waiver with its reason.
        Waived = "waived",
    }
}

impl ErasureState {
    /// What lets an order pass; none keeps it.
    #[must_use]
    pub const fn basis(self) -> Option<ErasureBasis> {
        match self {
            Self::NothingRecorded => None,
            Self::Waived => Some(ErasureBasis::Waived),
        }
    }
}

/// Why an order may pass the erasure stage without an erasure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// When it was put down.
    pub at: UtcMillis,
    /// The login of the one who did.
    pub by: String,
    /// Why: the unit has no drive, its drive was taken out and destroyed…
    pub reason: String,
}

/// Longest reason of a waiver, in characters.
pub const MAX_WAIVER_CHARS: usize = 300;

/// A returned device's way through refurbishment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkOrder {
    /// Never given to another.
    pub id: Uuid,
    /// The unit.
    pub device: DeviceId,
    /// When it was taken in.
    pub opened_at: UtcMillis,
    /// Where it is.
    pub position: Position,
    /// Since when.
    pub since: UtcMillis,
    /// Whether its battery is swollen, and still in it.
    pub battery_swollen: bool,
    /// What staff found last; none until it was inspected, and again once it is reopened.
    pub findings: Option<Findings>,
    /// Its grade, from disposition on.
    pub grade: Option<Grade>,
    /// What let it pass the erasure stage, once it did.
    pub erasure: Option<ErasureBasis>,
    /// Why there is nothing to erase, where somebody said so.
    pub waiver: Option<Waiver>,
    /// How often it was reopened.
    pub reopened: u32,
}

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

impl WorkOrder {
    /// The order of a unit that has just been taken in.
    #[must_use]
    pub const fn taken_in(id: Uuid, device: DeviceId, at: UtcMillis) -> Self {
        Self {
            id,
            device,
            opened_at: at,
            position: Position::Open(Stage::Intake),
            since: at,
            battery_swollen: false,
            findings: None,
            grade: None,
            erasure: None,
            waiver: None,
            reopened: 0,
        }
    }

    /// The best grade that its findings support.
    #[must_use]
    pub fn supported_grade(&self) -> Option<Grade> {
        self.findings.as_ref().map(|findings| graded(findings).grade)
    }

    /// Takes a step at `now`, with what is recorded of the unit's erasure.
    pub fn take(self, step: Move, erasure: ErasureState, now: UtcMillis) -> Result<Self, Refused> {
        let name = step.name();
        let at = self.position;
        let Position::Open(stage) = at else { return self.after_its_end(name, now) };
        if self.battery_swollen {
            return self.out_of_quarantine(&step, erasure, now);
        }
        let to = match (stage, step) {
            (_, Move::Quarantine) => return Ok(Self { battery_swollen: true, grade: None, ..self }.at(Stage::Quarantine, now)),
            (Stage::Intake, Move::Begin) => Stage::Inspection,
            (Stage::Inspection, Move::Inspect(findings)) => return Ok(self.inspected(findings, now)),
            (Stage::Erasure, Move::Reinstall) if self.has_faults() => return Err(Refused::Faulty),
            (Stage::Erasure, Move::Repair) => return Ok(self.erased(erasure)?.at(Stage::Repair, now)),
            (Stage::Erasure, Move::Reinstall) => return Ok(self.erased(erasure)?.at(Stage::Reinstallation, now)),
            (Stage::Erasure, Move::GiveUp) => return Ok(self.erased(erasure)?.given_up(now)),
            (Stage::Repair, Move::Reinstall) => Stage::Reinstallation,
            (Stage::Reinstallation, Move::Installed) => Stage::FinalTest,
            (Stage::FinalTest, Move::Test(findings)) => return Ok(self.tested(findings, now)),
            (Stage::Reinstallation | Stage::FinalTest | Stage::Grading | Stage::Disposition, Move::Repair) => {
                return Ok(Self { grade: None, ..self }.at(Stage::Repair, now));
            }
            (Stage::Repair | Stage::Reinstallation | Stage::FinalTest | Stage::Grading, Move::GiveUp) => {
                return Ok(self.given_up(now));
            }
            (Stage::Grading, Move::Grade(grade)) => return self.graded(grade, now),
            (Stage::Disposition, Move::Dispose(disposition)) => return self.disposed(disposition, now),
            _ => return Err(Refused::NotFrom { at: at.as_str(), step: name }),
        };
        Ok(self.at(to, now))
    }

    /// Puts down why there is nothing to erase.
    pub fn waive_erasure(self, by: &str, reason: &str, now: UtcMillis) -> Result<Self, Refused> {
        if self.position.stage().is_none() || self.waiver.is_some() {
            return Err(Refused::NotWaivable);
        }
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > MAX_WAIVER_CHARS || reason.contains(char::is_control) {
            return Err(Refused::NoReason);
        }
        Ok(Self { waiver: Some(Waiver { at: now, by: by.to_owned(), reason: reason.to_owned() }), ..self })
    }

    /// The steps that are open now, without what only findings or the erasure can refuse: for buttons.
    #[must_use]
    pub fn offered(&self) -> &'static [MoveName] {
        use MoveName::{
            Begin, Dispose, GiveUp, Grade, Inspect, Installed, Quarantine, Reinstall, RemoveBattery, Reopen, Repair, Test,
        };
        match self.position {
            Position::Open(Stage::Intake) => &[Begin, Quarantine],
            Position::Open(Stage::Inspection) => &[Inspect, Quarantine],
            Position::Open(Stage::Erasure) if self.has_faults() => &[Repair, GiveUp, Quarantine],
            Position::Open(Stage::Erasure) => &[Reinstall, Repair, GiveUp, Quarantine],
            Position::Open(Stage::Repair) => &[Reinstall, GiveUp, Quarantine],
            Position::Open(Stage::Reinstallation) => &[Installed, Repair, GiveUp, Quarantine],
            Position::Open(Stage::FinalTest) => &[Test, Repair, GiveUp, Quarantine],
            Position::Open(Stage::Grading) => &[Grade, Repair, GiveUp, Quarantine],
            Position::Open(Stage::Disposition) => &[Dispose, Repair, Quarantine],
            Position::Open(Stage::Quarantine) => &[RemoveBattery, Dispose],
            Position::Closed(_) => &[Reopen],
        }
    }

    /// What may become of it.
    #[must_use]
    pub fn dispositions(&self) -> &'static [Disposition] {
        use Disposition::{Donate, Parts, Recycle, Relend};
        match (self.position, self.grade) {
            (Position::Open(Stage::Quarantine), _) => &[Recycle],
            (Position::Open(Stage::Disposition), Some(Grade::D) | None) => &[Parts, Recycle],
            (Position::Open(Stage::Disposition), Some(_)) => &[Relend, Donate, Parts, Recycle],
            _ => &[],
        }
    }

    fn has_faults(&self) -> bool {
        self.findings.as_ref().is_some_and(|findings| findings.faults().next().is_some())
    }

    fn at(self, stage: Stage, now: UtcMillis) -> Self {
        Self { position: Position::Open(stage), since: now, ..self }
    }

    fn inspected(self, findings: Findings, now: UtcMillis) -> Self {
        let battery_swollen = findings.swollen();
        let to = if battery_swollen { Stage::Quarantine } else { Stage::Erasure };
        Self { findings: Some(findings), battery_swollen, ..self }.at(to, now)
    }

    fn tested(self, findings: Findings, now: UtcMillis) -> Self {
        let battery_swollen = findings.swollen();
        let to = if battery_swollen {
            Stage::Quarantine
        } else if findings.faults().next().is_some() {
            Stage::Repair
        } else {
            Stage::Grading
        };
        Self { findings: Some(findings), battery_swollen, ..self }.at(to, now)
    }

    /// The gate of the erasure stage.
    fn erased(self, erasure: ErasureState) -> Result<Self, Refused> {
        let basis = erasure.basis().ok_or(Refused::NotErased)?;
        Ok(Self { erasure: Some(basis), ..self })
    }

    fn given_up(self, now: UtcMillis) -> Self {
        Self { grade: Some(Grade::D), ..self }.at(Stage::Disposition, now)
    }

    fn graded(self, grade: Grade, now: UtcMillis) -> Result<Self, Refused> {
        let supported = self.supported_grade().unwrap_or(Grade::D);
        if grade < supported {
            return Err(Refused::BetterThanFound(supported));
        }
        Ok(Self { grade: Some(grade), ..self }.at(Stage::Disposition, now))
    }

    fn disposed(self, disposition: Disposition, now: UtcMillis) -> Result<Self, Refused> {
        let needs_working = matches!(disposition, Disposition::Relend | Disposition::Donate);
        if needs_working && self.grade.is_none_or(|grade| grade == Grade::D) {
            return Err(Refused::NotWorking);
        }
        Ok(Self { position: Position::Closed(disposition), since: now, ..self })
    }

    fn out_of_quarantine(self, step: &Move, erasure: ErasureState, now: UtcMillis) -> Result<Self, Refused> {
        match step {
            Move::RemoveBattery => Ok(Self { battery_swollen: false, ..self }.at(Stage::Inspection, now)),
            // A drive with a pupil's work does not leave the house because the battery is in a hurry.
            Move::Dispose(Disposition::Recycle) => {
                Self { grade: Some(Grade::D), ..self.erased(erasure)? }.disposed(Disposition::Recycle, now)
            }
            Move::Dispose(_)
            | Move::Begin
            | Move::Inspect(_)
            | Move::Repair
            | Move::Reinstall
            | Move::Installed
            | Move::Test(_)
            | Move::Grade(_)
            | Move::GiveUp
            | Move::Quarantine
            | Move::Reopen => Err(Refused::Swollen),
        }
    }

    /// What is gone through again is looked at, and its erasure asked for, as if it had just come. A swollen battery is
    /// still in it.
    fn after_its_end(self, step: MoveName, now: UtcMillis) -> Result<Self, Refused> {
        if step != MoveName::Reopen {
            return Err(Refused::NotFrom { at: CLOSED, step });
        }
        let to = if self.battery_swollen { Stage::Quarantine } else { Stage::Inspection };
        let reopened = self.reopened.saturating_add(1);
        let blank = Self { findings: None, grade: None, erasure: None, waiver: None, reopened, ..self };
        Ok(blank.at(to, now))
    }
}

#[cfg(test)]
mod tests;
