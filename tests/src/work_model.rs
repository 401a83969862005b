//! A small model of work orders: what may be tried, and what the model allows. Held against the store by
//! `tests/tests/refurbishment/work_order_model.rs`.

use std::collections::{BTreeMap, BTreeSet};

use cartable_server::domain::{
    grade::Grade,
    loan::LendingState,
    work_order::{
        Disposition, Move, Stage,
        checklist::{Check, Finding, Findings, Kind},
    },
};

/// What somebody tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Try {
    /// Take a unit in.
    TakeIn,
    /// Begin its inspection.
    Begin,
    /// Find nothing wrong.
    InspectClean,
    /// Find a fault.
    InspectFaulty,
    /// Find a swollen battery.
    InspectSwollen,
    /// Waive the erasure.
    Waive,
    /// To repair.
    Repair,
    /// To reinstallation.
    Reinstall,
    /// Installed.
    Installed,
    /// Test, and find nothing.
    TestClean,
    /// Test, and find a fault.
    TestFaulty,
    /// Grade A.
    GradeA,
    /// Grade D.
    GradeD,
    /// Give up.
    GiveUp,
    /// Relend.
    Relend,
    /// Make ready for donation.
    Donate,
    /// Keep for parts.
    Parts,
    /// Recycle.
    Recycle,
    /// See a swollen battery.
    Quarantine,
    /// Take it out.
    RemoveBattery,
    /// Reopen.
    Reopen,
    /// Use a part.
    UsePart,
    /// Take a part from it.
    Harvest,
    /// Lend the device.
    Lend,
    /// Take it back.
    Return,
}

/// Everything that is tried.
pub const TRIES: [Try; 25] = [
    Try::TakeIn,
    Try::Begin,
    Try::InspectClean,
    Try::InspectFaulty,
    Try::InspectSwollen,
    Try::Waive,
    Try::Repair,
    Try::Reinstall,
    Try::Installed,
    Try::TestClean,
    Try::TestFaulty,
    Try::GradeA,
    Try::GradeD,
    Try::GiveUp,
    Try::Relend,
    Try::Donate,
    Try::Parts,
    Try::Recycle,
    Try::Quarantine,
    Try::RemoveBattery,
    Try::Reopen,
    Try::UsePart,
    Try::Harvest,
    Try::Lend,
    Try::Return,
];

/// One step: who tries what with which device.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// What is tried.
    pub what: Try,
    /// By whom.
    pub clerk: usize,
    /// With which device.
    pub device: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Nowhere,
    Open(Stage),
    Closed(Disposition),
}

/// What the model knows of a device.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that the model remembers")]
pub struct Known {
    /// Where it is.
    pub at: LendingState,
    place: Place,
    swollen: bool,
    faulty: bool,
    waived: bool,
    works: bool,
    harvested: bool,
}

impl Known {
    /// A device in stock.
    pub const fn in_stock() -> Self {
        Self {
            at: LendingState::InStock,
            place: Place::Nowhere,
            swollen: false,
            faulty: false,
            waived: false,
            works: false,
            harvested: false,
        }
    }

    /// Whether the step is allowed; if so, it is taken. `pieces` is the stock.
    pub fn take(&mut self, step: Step, pieces: &mut i64) -> bool {
        // Site 2, of device 1, is not clerk 1's.
        if step.clerk == 1 && step.device == 1 {
            return false;
        }
        match (step.what, self.place) {
            (Try::TakeIn, _) => self.take_in(),
            (Try::Lend, _) => self.goes(LendingState::InStock, LendingState::Lent),
            (Try::Return, _) => self.goes(LendingState::Lent, LendingState::Intake),
            (Try::UsePart, place) => {
                let used = place == Place::Open(Stage::Repair) && *pieces > 0;
                *pieces -= i64::from(used);
                used
            }
            (Try::Harvest, place) => {
                // One keyboard, and a unit has no second one.
                let whole = self.at == LendingState::SetAside && !self.harvested;
                let taken = place == Place::Closed(Disposition::Parts) && whole;
                self.harvested |= taken;
                taken
            }
            (Try::Waive, place) => {
                let fresh = matches!(place, Place::Open(_)) && !self.waived;
                self.waived |= fresh;
                fresh
            }
            (Try::Reopen, _) => self.reopen(),
            (what, Place::Open(stage)) => self.goes_on(stage, what),
            (_, Place::Nowhere | Place::Closed(_)) => false,
        }
    }

    /// What would take a unit on just now, in the hands of somebody who sees it, in the order of [`TRIES`]: what is
    /// allowed, without what ends a unit's way early.
    pub fn onward(&self, pieces: i64) -> Vec<Try> {
        const SETBACKS: [Try; 3] = [Try::InspectSwollen, Try::Quarantine, Try::GiveUp];
        let goes = |what: &Try| {
            let again = *what == Try::TakeIn && self.at == LendingState::Refurbishment;
            let step = Step { what: *what, clerk: 0, device: 0 };
            !again && !SETBACKS.contains(what) && self.clone().take(step, &mut pieces.clone())
        };
        TRIES.into_iter().filter(goes).collect()
    }

    fn goes_on(&mut self, stage: Stage, what: Try) -> bool {
        let Some(next) = (if self.swollen { self.apart(what) } else { self.on(stage, what) }) else {
            return false;
        };
        self.place = next;
        if let Place::Closed(disposition) = next {
            self.at = if disposition == Disposition::Relend { LendingState::InStock } else { LendingState::SetAside };
        }
        true
    }

    fn goes(&mut self, from: LendingState, to: LendingState) -> bool {
        let goes = self.at == from;
        if goes {
            self.at = to;
        }
        goes
    }

    fn take_in(&mut self) -> bool {
        if matches!(self.at, LendingState::InStock | LendingState::Intake) {
            *self = Self { at: LendingState::Refurbishment, place: Place::Open(Stage::Intake), ..Self::in_stock() };
        }
        self.at == LendingState::Refurbishment
    }

    fn reopen(&mut self) -> bool {
        let Place::Closed(disposition) = self.place else { return false };
        let left = if disposition == Disposition::Relend { LendingState::InStock } else { LendingState::SetAside };
        if self.at != left || self.harvested {
            return false;
        }
        self.place = Place::Open(if self.swollen { Stage::Quarantine } else { Stage::Inspection });
        (self.at, self.waived, self.faulty) = (LendingState::Refurbishment, false, false);
        true
    }

    fn apart(&mut self, what: Try) -> Option<Place> {
        if what == Try::RemoveBattery {
            self.swollen = false;
            return Some(Place::Open(Stage::Inspection));
        }
        (what == Try::Recycle && self.waived).then_some(Place::Closed(Disposition::Recycle))
    }

    fn on(&mut self, stage: Stage, what: Try) -> Option<Place> {
        use Stage::{Disposition as Decide, Erasure, FinalTest, Grading, Inspection, Intake, Reinstallation, Repair};
        let found = |known: &mut Self, faulty: bool, next| {
            known.faulty = faulty;
            Some(Place::Open(next))
        };
        match (stage, what) {
            (_, Try::Quarantine) | (Inspection, Try::InspectSwollen) => {
                self.swollen = true;
                Some(Place::Open(Stage::Quarantine))
            }
            (Intake, Try::Begin) => Some(Place::Open(Inspection)),
            (Inspection, Try::InspectClean) => found(self, false, Erasure),
            (Inspection, Try::InspectFaulty) => found(self, true, Erasure),
            (Erasure, Try::Repair) if self.waived => Some(Place::Open(Repair)),
            (Erasure, Try::Reinstall) if self.waived && !self.faulty => Some(Place::Open(Reinstallation)),
            (Erasure, Try::GiveUp) if self.waived => self.graded(false),
            (Repair, Try::Reinstall) => Some(Place::Open(Reinstallation)),
            (Reinstallation, Try::Installed) => Some(Place::Open(FinalTest)),
            (FinalTest, Try::TestClean) => found(self, false, Grading),
            (FinalTest, Try::TestFaulty) => found(self, true, Repair),
            (Reinstallation | FinalTest | Grading | Decide, Try::Repair) => Some(Place::Open(Repair)),
            (Repair | Reinstallation | FinalTest | Grading, Try::GiveUp) | (Grading, Try::GradeD) => self.graded(false),
            (Grading, Try::GradeA) => self.graded(true),
            (Decide, Try::Relend) if self.works => Some(Place::Closed(Disposition::Relend)),
            (Decide, Try::Parts) => Some(Place::Closed(Disposition::Parts)),
            (Decide, Try::Recycle) => Some(Place::Closed(Disposition::Recycle)),
            _ => None,
        }
    }

    fn graded(&mut self, works: bool) -> Option<Place> {
        self.works = works;
        Some(Place::Open(Stage::Disposition))
    }

    /// The stage in the database.
    pub const fn stored(&self) -> &'static str {
        match self.place {
            Place::Nowhere => "",
            Place::Open(stage) => stage.as_str(),
            Place::Closed(_) => "closed",
        }
    }
}

/// Findings of a laptop: all good but what is said.
pub fn findings(kind: Kind, but: &[(Check, Finding)]) -> Findings {
    let mut found: BTreeMap<Check, Finding> = kind.checks().iter().map(|check| (*check, Finding::Good)).collect();
    found.extend(but.iter().copied().filter(|(check, _)| kind.checks().contains(check)));
    Findings::new(kind, found, BTreeSet::new(), "").expect("a whole list")
}

/// The move of an order that a try is, if it is one.
pub fn a_move(what: Try) -> Option<Move> {
    Some(match what {
        Try::Begin => Move::Begin,
        Try::InspectClean => Move::Inspect(findings(Kind::Laptop, &[])),
        Try::InspectFaulty => Move::Inspect(findings(Kind::Laptop, &[(Check::Screen, Finding::Faulty)])),
        Try::InspectSwollen => Move::Inspect(findings(Kind::Laptop, &[(Check::Battery, Finding::Swollen)])),
        Try::Repair => Move::Repair,
        Try::Reinstall => Move::Reinstall,
        Try::Installed => Move::Installed,
        Try::TestClean => Move::Test(findings(Kind::Laptop, &[])),
        Try::TestFaulty => Move::Test(findings(Kind::Laptop, &[(Check::WiFi, Finding::Missing)])),
        Try::GradeA => Move::Grade(Grade::A),
        Try::GradeD => Move::Grade(Grade::D),
        Try::GiveUp => Move::GiveUp,
        Try::Relend => Move::Dispose(Disposition::Relend),
        Try::Donate => Move::Dispose(Disposition::Donate),
        Try::Parts => Move::Dispose(Disposition::Parts),
        Try::Recycle => Move::Dispose(Disposition::Recycle),
        Try::Quarantine => Move::Quarantine,
        Try::RemoveBattery => Move::RemoveBattery,
        Try::Reopen => Move::Reopen,
        Try::TakeIn | Try::Waive | Try::UsePart | Try::Harvest | Try::Lend | Try::Return => return None,
    })
}
