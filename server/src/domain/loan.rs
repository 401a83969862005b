//! Loans: which steps a loan may take, and where its device then is.
//!
//! Reserved → handed over → (extended)* → returned, lost, stolen or written off. No loan leads to a new owner: that is
//! [`super::donation`]'s alone. A transition takes the loan and gives the next one, or says why not. The database holds the same rules as CHECKs.

mod states;

use cartable_common::{DeviceId, UtcMillis};
use jiff::civil::Date;
use uuid::Uuid;

pub use self::states::{Condition, HandedOver, LendingState, LoanState, LoanStateName, Return, Signature, Theft};
use super::programme::MAX_TERM_DAYS;

/// A device in a borrower's hands with a start, a due date and an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loan {
    /// Never given to another.
    pub id: Uuid,
    /// What is lent.
    pub device: DeviceId,
    /// Who holds it.
    pub borrower: Uuid,
    /// Under which programme.
    pub programme: Uuid,
    /// The site that answers for it.
    pub site: Option<Uuid>,
    /// When it was set aside.
    pub reserved_at: UtcMillis,
    /// Where it stands.
    pub state: LoanState,
}

/// Longest reference of a police report, in characters.
pub const MAX_POLICE_REPORT_CHARS: usize = 80;

/// Why a loan cannot take a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The step is not open from this state.
    #[error("a loan that is {from} cannot become {to}")]
    NotFrom {
        /// Where it stands.
        from: LoanStateName,
        /// What was asked for.
        to: LoanStateName,
    },
    /// It was extended as often as its programme allows.
    #[error("this loan was already extended as often as its programme allows ({allowed})")]
    NoMoreRenewals {
        /// How often.
        allowed: u32,
    },
    /// An extension that does not extend.
    #[error("the new due date must be later than the present one")]
    NotLater,
    /// A loan without a due date has nothing to extend.
    #[error("this loan has no due date")]
    NoDueDate,
    /// The due date is in the past.
    #[error("the due date has already passed")]
    DueInThePast,
    /// Nobody lends that long.
    #[error("the due date is more than twenty years away")]
    DueTooFar,
    /// A theft without a complaint.
    #[error(
        "a theft needs the reference of the complaint to the police (1 to {MAX_POLICE_REPORT_CHARS} printable characters)"
    )]
    NoPoliceReport,
}

/// A due date that somebody can mean: not past, and within the life of a device ([`MAX_TERM_DAYS`]).
fn sensible(due: Date, today: Date) -> Result<(), Refused> {
    if due < today {
        return Err(Refused::DueInThePast);
    }
    let far = today.until(due).is_ok_and(|span| i64::from(span.get_days()) > i64::from(MAX_TERM_DAYS));
    if far { Err(Refused::DueTooFar) } else { Ok(()) }
}

impl Loan {
    /// Whether the device is set aside for, or in the hands of, this loan's borrower.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.state.ended_at().is_none()
    }

    fn refuse(&self, to: LoanStateName) -> Refused {
        Refused::NotFrom { from: self.state.name(), to }
    }

    fn with(self, state: LoanState) -> Self {
        Self { state, ..self }
    }

    /// Goes from one of the states `from`, all of them after the hand-over, to the one that `next` makes.
    fn leave(
        self,
        from: &[LoanStateName],
        to: LoanStateName,
        next: impl FnOnce(HandedOver) -> LoanState,
    ) -> Result<Self, Refused> {
        let handed = self.state.handed_over().filter(|_| from.contains(&self.state.name())).cloned();
        match handed {
            Some(handed) => Ok(self.with(next(handed))),
            None => Err(self.refuse(to)),
        }
    }

    /// The reservation is dropped.
    pub fn cancel(self, at: UtcMillis) -> Result<Self, Refused> {
        if matches!(self.state, LoanState::Reserved) {
            Ok(self.with(LoanState::Cancelled { at }))
        } else {
            Err(self.refuse(LoanStateName::Cancelled))
        }
    }

    /// The borrower takes the device. `today` is the civil day of the hand-over where the site is.
    pub fn hand_over(self, handed: HandedOver, today: Date) -> Result<Self, Refused> {
        if !matches!(self.state, LoanState::Reserved) {
            return Err(self.refuse(LoanStateName::HandedOver));
        }
        handed.due.map_or(Ok(()), |due| sensible(due, today))?;
        Ok(self.with(LoanState::HandedOver(handed)))
    }

    /// The borrower keeps it longer. `today` is the civil day where the site is.
    pub fn extend(self, due: Date, allowed: u32, today: Date) -> Result<Self, Refused> {
        let LoanState::HandedOver(handed) = &self.state else { return Err(self.refuse(LoanStateName::HandedOver)) };
        let before = handed.due.ok_or(Refused::NoDueDate)?;
        if due <= before {
            return Err(Refused::NotLater);
        }
        sensible(due, today)?;
        if handed.extensions >= allowed {
            return Err(Refused::NoMoreRenewals { allowed });
        }
        let handed = HandedOver { due: Some(due), extensions: handed.extensions + 1, ..handed.clone() };
        Ok(self.with(LoanState::HandedOver(handed)))
    }

    /// The device came back; also one that was lost, stolen or given up, and is found.
    pub fn take_back(self, back: Return) -> Result<Self, Refused> {
        use LoanStateName::{HandedOver, Lost, Returned, Stolen, WrittenOff};
        self.leave(&[HandedOver, Lost, Stolen, WrittenOff], Returned, |handed| LoanState::Returned(handed, back))
    }

    /// The desk took back the wrong device: the loan is again what it was `before`, which is known from its history.
    pub fn undo_return(self, before: LoanState) -> Result<Self, Refused> {
        let handed = self.state.handed_over().filter(|_| matches!(self.state, LoanState::Returned(..)));
        // Only what could have been taken back can be put back, and nothing else about the loan changes.
        let same = handed.is_some() && handed == before.handed_over();
        let returnable = self.clone().with(before.clone()).take_back_is_open();
        if same && returnable { Ok(self.with(before)) } else { Err(self.refuse(before.name())) }
    }

    const fn take_back_is_open(&self) -> bool {
        use LoanState::{HandedOver, Lost, Stolen, WrittenOff};
        matches!(self.state, HandedOver(_) | Lost(..) | Stolen(..) | WrittenOff(..))
    }

    /// The borrower cannot find it.
    pub fn lose(self, at: UtcMillis) -> Result<Self, Refused> {
        self.leave(&[LoanStateName::HandedOver], LoanStateName::Lost, |handed| LoanState::Lost(handed, at))
    }

    /// It was stolen, and the theft was reported.
    pub fn steal(self, theft: Theft) -> Result<Self, Refused> {
        use LoanStateName::{HandedOver, Lost, Stolen};
        let reference = theft.police_report.trim();
        let printable = !reference.is_empty() && !reference.contains(char::is_control);
        if !printable || reference.chars().count() > MAX_POLICE_REPORT_CHARS {
            return Err(Refused::NoPoliceReport);
        }
        // A loss may turn out to be a theft.
        self.leave(&[HandedOver, Lost], Stolen, |handed| LoanState::Stolen(handed, theft))
    }

    /// The programme gives it up.
    pub fn write_off(self, at: UtcMillis) -> Result<Self, Refused> {
        use LoanStateName::{HandedOver, Lost, Stolen, WrittenOff};
        self.leave(&[HandedOver, Lost, Stolen], WrittenOff, |handed| LoanState::WrittenOff(handed, at))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const TODAY: Date = date(2027, 5, 3);

    fn at(day: i64) -> UtcMillis {
        UtcMillis::default().plus_days(day)
    }

    fn reserved() -> Loan {
        Loan {
            id: Uuid::nil(),
            device: DeviceId(Uuid::nil()),
            borrower: Uuid::nil(),
            programme: Uuid::nil(),
            site: None,
            reserved_at: at(0),
            state: LoanState::Reserved,
        }
    }

    fn handed() -> HandedOver {
        HandedOver {
            at: at(1),
            due: Some(date(2027, 7, 2)),
            extensions: 0,
            accessories: vec!["chargeur".into()],
            signature: Some(Signature::Paper),
            agreement_version: Some("prêt-1".into()),
        }
    }

    fn lent() -> Loan {
        reserved().hand_over(handed(), date(2026, 9, 7)).unwrap()
    }

    #[test]
    fn the_usual_way_of_a_loan() {
        let loan = lent();
        assert_eq!(loan.state.lending_state(), LendingState::Lent);
        let loan = loan.extend(date(2027, 8, 31), 1, TODAY).unwrap();
        assert_eq!(loan.clone().extend(date(2027, 9, 30), 1, TODAY), Err(Refused::NoMoreRenewals { allowed: 1 }));
        assert_eq!(loan.clone().extend(date(2027, 8, 31), 5, TODAY), Err(Refused::NotLater));
        let (late, day) = (date(2027, 11, 30), date(2027, 9, 1));
        assert_eq!(loan.clone().extend(day, 5, late), Err(Refused::DueInThePast), "overdue still: nothing is won");
        assert_eq!(loan.clone().extend(date(9999, 12, 31), 5, late), Err(Refused::DueTooFar));
        let back = Return { at: at(300), condition: Condition::Good, missing: vec![] };
        let loan = loan.take_back(back).unwrap();
        assert!(!loan.is_open());
        assert_eq!(loan.state.lending_state(), LendingState::Intake);
        assert!(loan.lose(at(301)).is_err());
    }

    #[test]
    fn a_theft_needs_its_complaint_and_a_stolen_device_can_be_found() {
        let theft = |report: &str| Theft { at: at(20), police_report: report.to_owned() };
        assert_eq!(lent().steal(theft("  ")), Err(Refused::NoPoliceReport));
        let stolen = lent().lose(at(19)).unwrap().steal(theft("PV 2026/123")).unwrap();
        assert_eq!(stolen.state.lending_state(), LendingState::Stolen);
        let back = Return { at: at(40), condition: Condition::Damaged, missing: vec!["chargeur".into()] };
        assert_eq!(stolen.take_back(back).unwrap().state.lending_state(), LendingState::Intake);
    }

    #[test]
    fn a_return_is_undone_to_what_was_before_and_to_nothing_else() {
        let back = || Return { at: at(40), condition: Condition::Good, missing: vec![] };
        for before in [lent(), lent().lose(at(20)).unwrap()] {
            let returned = before.clone().take_back(back()).unwrap();
            assert_eq!(returned.clone().undo_return(before.state.clone()), Ok(before));
            assert!(returned.clone().undo_return(LoanState::Reserved).is_err());
            assert!(returned.clone().undo_return(LoanState::Ceded(handed(), at(3))).is_err());
            let other = LoanState::HandedOver(HandedOver { extensions: 3, ..handed() });
            assert!(returned.undo_return(other).is_err());
        }
        assert!(lent().undo_return(lent().state).is_err());
    }

    #[test]
    fn nothing_is_handed_over_twice_or_due_before_it_begins() {
        assert!(lent().hand_over(handed(), date(2026, 9, 7)).is_err());
        assert_eq!(reserved().hand_over(handed(), date(2027, 7, 3)), Err(Refused::DueInThePast));
        assert!(lent().cancel(at(2)).is_err());
    }

    fn step(loan: Loan, number: u8) -> Result<Loan, Refused> {
        match number {
            0 => loan.cancel(at(9)),
            1 => loan.hand_over(handed(), date(2026, 9, 7)),
            2 => loan.extend(date(2028, 7, 2), 2, TODAY),
            3 => loan.take_back(Return { at: at(9), condition: Condition::Worn, missing: vec![] }),
            4 => loan.lose(at(9)),
            5 => loan.steal(Theft { at: at(9), police_report: "PV".into() }),
            _ => loan.write_off(at(9)),
        }
    }

    proptest! {
        /// Whatever is tried in whatever order: open exactly while set aside or lent, and some states are final.
        #[test]
        fn states_and_their_devices_never_disagree(steps in proptest::collection::vec(0u8..7, 0..20)) {
            let mut loan = reserved();
            for number in steps {
                let before = loan.clone();
                if let Ok(after) = step(loan.clone(), number) {
                    let final_before =
                        matches!(before.state, LoanState::Returned(..) | LoanState::Ceded(..) | LoanState::Cancelled { .. });
                    prop_assert!(!final_before, "{before:?} → {after:?}");
                    prop_assert!(after.state.lending_state() != LendingState::Ceded, "no loan leads to a new owner");
                    loan = after;
                }
                let open = matches!(loan.state.lending_state(), LendingState::Reserved | LendingState::Lent);
                prop_assert_eq!(loan.is_open(), open);
                prop_assert_eq!(loan.state.name().as_str() == "reserved", loan.state.handed_over().is_none() && loan.is_open());
            }
        }
    }
}
