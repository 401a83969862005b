//! Work orders: which steps a returned device's way through refurbishment may take.
//!
//! Intake → inspection → erasure → repair → reinstallation → final test → grading → disposition → closed. A transition
//! takes the order and gives the next one, or says why not; the database holds the same rules as CHECKs. A swollen battery
//! stops everything: from quarantine an order goes to the battery's removal or to recycling, never on.

pub mod checklist;
mod erasure;
pub mod grading;
mod stage;
mod step;
pub mod time;

use cartable_common::{DeviceId, UtcMillis};
use uuid::Uuid;

use self::{checklist::Findings, grading::graded};
pub use self::{
    erasure::{ErasureBasis, ErasureState, MAX_WAIVER_CHARS, Missing, Waiver},
    stage::{CLOSED, Disposition, Position, Stage},
    step::{Move, MoveName, Refused},
};
use super::grade::Grade;

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

    /// Takes a step at `now`, with what stands at the gate of the erasure stage.
    pub fn take(self, step: Move, erasure: &ErasureState, now: UtcMillis) -> Result<Self, Refused> {
        let name = step.name();
        let at = self.position;
        let Position::Open(stage) = at else { return self.after_its_end(name, now) };
        if self.battery_swollen {
            return self.out_of_quarantine(&step, erasure, now);
        }
        let to = match (stage, step) {
            (_, Move::Quarantine) => {
                return Ok(Self { battery_swollen: true, grade: None, ..self }.at(Stage::Quarantine, now));
            }
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
            (Stage::Disposition, Move::Dispose(disposition)) => return self.disposed(disposition, erasure, now),
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
            Begin, Dispose, GiveUp, Grade, Inspect, Installed, Quarantine, Reinstall, RemoveBattery, Reopen, Repair,
            Test,
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
    fn erased(self, erasure: &ErasureState) -> Result<Self, Refused> {
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

    /// What leaves the house is asked once more: to leave may ask more of an erasure than to be lent again.
    fn disposed(self, disposition: Disposition, erasure: &ErasureState, now: UtcMillis) -> Result<Self, Refused> {
        let needs_working = matches!(disposition, Disposition::Relend | Disposition::Donate);
        if needs_working && self.grade.is_none_or(|grade| grade == Grade::D) {
            return Err(Refused::NotWorking);
        }
        if disposition == Disposition::Donate && *erasure == ErasureState::Waived {
            return Err(Refused::WaivedOnly);
        }
        let checked = if disposition.leaves() { self.erased(erasure)? } else { self };
        Ok(Self { position: Position::Closed(disposition), since: now, ..checked })
    }

    fn out_of_quarantine(self, step: &Move, erasure: &ErasureState, now: UtcMillis) -> Result<Self, Refused> {
        match step {
            Move::RemoveBattery => Ok(Self { battery_swollen: false, ..self }.at(Stage::Inspection, now)),
            // A drive with a pupil's work does not leave the house because the battery is in a hurry.
            Move::Dispose(Disposition::Recycle) => {
                Self { grade: Some(Grade::D), ..self }.disposed(Disposition::Recycle, erasure, now)
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
