//! Loans in a file: one row a loan, by its device and the day on which it began. A file brings in loans that other
//! systems kept, and ends open ones; it never reopens what has ended.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    FieldChange, Outcome,
    cells::{Cells, Line, Reading, Wanted},
    device::site_key,
    fault::{Fault, Reason},
    field::Field,
    value::{self, day_text},
    words::Worded as _,
};
use crate::domain::{
    borrower::Reference,
    loan::{Condition, LendingState, LoanStateName, MAX_POLICE_REPORT_CHARS},
};

const MAX_WORD_CHARS: usize = 80;
const MAX_NAME_CHARS: usize = 160;

/// A row that could be read.
#[derive(Clone, Debug)]
pub struct LoanRecord {
    /// Its line.
    pub line: u32,
    /// The device's serial number.
    pub serial: Option<String>,
    /// The device's asset tag.
    pub asset_tag: Option<String>,
    /// The borrower's reference.
    pub reference: Option<Reference>,
    /// The borrower's number at school.
    pub school_number: Option<String>,
    /// The programme's code.
    pub programme: Option<String>,
    /// The code or the folded name of the site.
    pub site: Option<String>,
    /// The day on which it began.
    pub start: i64,
    due: Wanted<i64>,
    state: LoanStateName,
    end: Option<i64>,
    condition: Option<Condition>,
    police_report: Option<String>,
}

/// A device that rows name.
#[derive(Clone, Copy, Debug)]
pub struct LoanDevice {
    /// Which one.
    pub id: Uuid,
    /// Where it is in its lending.
    pub lending: LendingState,
    /// Where it belongs.
    pub site: Option<Uuid>,
    /// Whether it is archived.
    pub archived: bool,
    /// Whether it is in a lot of donation that was not given up.
    pub in_lot: bool,
}

/// A loan, as imports know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownLoan {
    /// Which one.
    pub id: Uuid,
    /// Of which device.
    pub device: Uuid,
    /// Who holds it.
    pub borrower: Uuid,
    /// Under which programme.
    pub programme: Uuid,
    /// The site that answers for it.
    pub site: Option<Uuid>,
    /// What its state is called.
    pub state: LoanStateName,
    /// The day on which it began.
    pub start: i64,
    /// The day on which it is due.
    pub due: Option<i64>,
    /// The day on which it ended.
    pub end: Option<i64>,
    /// In what condition the device came back.
    pub condition: Option<Condition>,
    /// The reference of the complaint.
    pub police_report: Option<String>,
}

impl KnownLoan {
    /// Whether the device is in the borrower's hands, or set aside.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.end.is_none()
    }
}

/// What is known of what some rows name.
#[derive(Clone, Debug, Default)]
pub struct KnownLoans {
    /// Devices by `s:` and serial number, or `t:` and asset tag; several where makers repeat themselves.
    pub devices: HashMap<String, Vec<LoanDevice>>,
    /// Borrowers by reference.
    pub by_reference: HashMap<String, Uuid>,
    /// Borrowers by the hash of their number.
    pub by_key: HashMap<Vec<u8>, Uuid>,
    /// Programmes by code: which one, and whether it is open.
    pub programmes: HashMap<String, (Uuid, bool)>,
    /// Sites by code, and by folded name where only one has it.
    pub sites: HashMap<String, Uuid>,
    /// The loans of these devices.
    pub loans: Vec<KnownLoan>,
}

impl KnownLoans {
    /// The device that a row is about, where it is clear.
    #[must_use]
    pub fn device_of(&self, record: &LoanRecord) -> Option<Uuid> {
        record.device(self).ok().map(|device| device.id)
    }
}

/// What a row does to its device besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoanChange {
    /// The loan as it will be.
    pub loan: KnownLoan,
    /// Where the device then is; absent when it stays where it is.
    pub device_goes: Option<LendingState>,
    /// Whether the due date moved.
    pub extended: bool,
}

impl LoanRecord {
    /// Reads a row; `today` is the civil day.
    pub fn read(reading: Reading<'_>, line: &Line, today: i64) -> Result<Self, Vec<Fault>> {
        let mut cells = Cells::new(reading, line);
        let text = |wanted: Wanted<String>| wanted.over(None);
        let serial = text(cells.text(Field::SerialNumber, MAX_WORD_CHARS));
        let asset_tag = text(cells.text(Field::AssetTag, MAX_WORD_CHARS));
        let start = cells.parse(Field::StartDay, MAX_WORD_CHARS, value::day).over(None);
        let reference =
            cells.parse(Field::Reference, MAX_WORD_CHARS, |text| text.parse().map_err(|_| Reason::ReferenceForm));
        let school_number = text(cells.text(Field::SchoolNumber, MAX_WORD_CHARS));
        let due = cells.parse(Field::DueDay, MAX_WORD_CHARS, value::day);
        let end = cells.parse(Field::EndDay, MAX_WORD_CHARS, value::day).over(None);
        let state = cells
            .parse(Field::LoanState, MAX_WORD_CHARS, |t| LoanStateName::from_word(t).ok_or(Reason::UnknownWord))
            .over(None);
        let record = Self {
            line: line.number,
            serial,
            asset_tag,
            reference: reference.over(None),
            school_number,
            programme: text(cells.parse(Field::Programme, MAX_WORD_CHARS, value::programme)),
            site: text(cells.parse(Field::Site, MAX_NAME_CHARS, site_key)),
            start: start.unwrap_or_default(),
            due,
            state: state.unwrap_or(if end.is_some() { LoanStateName::Returned } else { LoanStateName::HandedOver }),
            end,
            condition: cells
                .parse(Field::Condition, MAX_WORD_CHARS, |t| Condition::from_word(t).ok_or(Reason::UnknownWord))
                .over(None),
            police_report: text(cells.text(Field::PoliceReport, MAX_POLICE_REPORT_CHARS)),
        };
        if cells.is_sound() && (start.is_none() || (record.serial.is_none() && record.asset_tag.is_none())) {
            cells.refuse_row(Reason::NoKey);
        }
        record.check_days(&mut cells, today);
        if cells.is_sound() { Ok(record) } else { Err(cells.faults()) }
    }

    fn check_days(&self, cells: &mut Cells<'_>, today: i64) {
        use LoanStateName::{Ceded, HandedOver, Lost, Reserved, Returned, Stolen, WrittenOff};
        if self.start > today {
            cells.refuse(Field::StartDay, Reason::InTheFuture);
        }
        if self.due.value().is_some_and(|due| *due < self.start) {
            cells.refuse(Field::DueDay, Reason::EndBeforeStart);
        }
        if self.end.is_some_and(|end| end < self.start) {
            cells.refuse(Field::EndDay, Reason::EndBeforeStart);
        }
        if self.end.is_some_and(|end| end > today) {
            cells.refuse(Field::EndDay, Reason::InTheFuture);
        }
        match self.state {
            HandedOver if self.end.is_some() => cells.refuse(Field::LoanState, Reason::EndBeforeStart),
            Returned | Lost | Stolen | WrittenOff | Ceded if self.end.is_none() => {
                cells.refuse(Field::EndDay, Reason::Missing);
            }
            // Reservations live for days; a file of yesterday would bring back what was dropped since.
            Reserved | LoanStateName::Cancelled => cells.refuse(Field::LoanState, Reason::UnknownWord),
            HandedOver | Returned | Lost | Stolen | WrittenOff | Ceded => {}
        }
        if self.state == Returned && self.condition.is_none() {
            cells.refuse(Field::Condition, Reason::NoCondition);
        }
        if self.state == Stolen && self.police_report.is_none() {
            cells.refuse(Field::PoliceReport, Reason::NoPoliceReport);
        }
    }

    /// What the row does. `key` is the hash of the borrower's number.
    pub fn decide(&self, known: &KnownLoans, key: Option<&[u8]>, new_id: Uuid) -> Outcome<LoanChange> {
        self.try_decide(known, key, new_id).unwrap_or_else(|fault| Outcome::Bad(vec![fault]))
    }

    fn try_decide(&self, known: &KnownLoans, key: Option<&[u8]>, new_id: Uuid) -> Result<Outcome<LoanChange>, Fault> {
        let device = self.device(known)?;
        let stored = known.loans.iter().find(|loan| loan.device == device.id && loan.start == self.start);
        let borrower = self.borrower(known, key)?;
        match stored {
            Some(stored) => self.over(stored, borrower, known),
            None => self.new_loan(device, borrower, known, new_id),
        }
    }

    fn new_loan(
        &self,
        device: LoanDevice,
        borrower: Option<Uuid>,
        known: &KnownLoans,
        id: Uuid,
    ) -> Result<Outcome<LoanChange>, Fault> {
        // What linked it to those who held it was erased at the hand-over: no list brings it back, past loans included.
        if device.lending == LendingState::Ceded {
            return Err(Fault::of_row(Reason::DeviceArchived));
        }
        let borrower = borrower.ok_or_else(|| fault(Field::Reference, Reason::Missing))?;
        let programme = self.programme.as_ref().ok_or_else(|| fault(Field::Programme, Reason::Missing))?;
        let (programme, open) =
            *known.programmes.get(programme).ok_or_else(|| fault(Field::Programme, Reason::UnknownProgramme))?;
        let site = match &self.site {
            Some(site) => Some(*known.sites.get(site).ok_or_else(|| fault(Field::Site, Reason::UnknownSite))?),
            None => device.site,
        };
        if self.state == LoanStateName::Ceded {
            return Err(fault(Field::LoanState, Reason::CededNeedsLot));
        }
        let others = || known.loans.iter().filter(|loan| loan.device == device.id);
        let loan = KnownLoan {
            id,
            device: device.id,
            borrower,
            programme,
            site,
            state: self.state,
            start: self.start,
            due: self.due.clone().over(None),
            end: self.end,
            condition: self.condition.filter(|_| self.state == LoanStateName::Returned),
            police_report: self.police_report.clone().filter(|_| self.state == LoanStateName::Stolen),
        };
        if loan.is_open() {
            if device.archived {
                return Err(Fault::of_row(Reason::DeviceArchived));
            }
            if !open {
                return Err(fault(Field::Programme, Reason::ProgrammeClosed));
            }
            if others().any(KnownLoan::is_open) {
                return Err(Fault::of_row(Reason::OpenLoan));
            }
            if !matches!(device.lending, LendingState::InStock | LendingState::Intake) {
                return Err(Fault::of_row(Reason::NotLendable));
            }
            if device.in_lot {
                return Err(Fault::of_row(Reason::InLot));
            }
            return Ok(Outcome::New(LoanChange { loan, device_goes: Some(LendingState::Lent), extended: false }));
        }
        // A past loan says where the device is only if it is its last, and it did not come back from it. A device on the
        // bench is there, whatever a list says.
        let last = others().all(|other| other.start < loan.start) && others().all(|other| !other.is_open());
        let on_bench = matches!(device.lending, LendingState::Refurbishment | LendingState::SetAside);
        let device_goes = gone(self.state).filter(|_| last && !device.archived && !on_bench);
        Ok(Outcome::New(LoanChange { loan, device_goes, extended: false }))
    }

    fn over(
        &self,
        stored: &KnownLoan,
        borrower: Option<Uuid>,
        known: &KnownLoans,
    ) -> Result<Outcome<LoanChange>, Fault> {
        let programme = self.programme.as_ref().map(|code| known.programmes.get(code).map(|(id, _)| *id));
        if borrower.is_some_and(|borrower| borrower != stored.borrower)
            || programme.is_some_and(|programme| programme != Some(stored.programme))
        {
            return Err(Fault::of_row(Reason::OtherLoan));
        }
        let mut loan = stored.clone();
        loan.due = self.due.clone().over(stored.due);
        if self.state != stored.state {
            if self.state == LoanStateName::Ceded {
                return Err(fault(Field::LoanState, Reason::CededNeedsLot));
            }
            loan.state = self.state;
            loan.end = self.end;
            loan.condition = self.condition.filter(|_| self.state == LoanStateName::Returned);
            loan.police_report = self.police_report.clone().filter(|_| self.state == LoanStateName::Stolen);
        }
        if loan == *stored {
            return Ok(Outcome::Same);
        }
        if stored.state != LoanStateName::HandedOver {
            return Err(Fault::of_row(Reason::LoanEnded));
        }
        let device_goes = match loan.state {
            LoanStateName::Returned => Some(LendingState::Intake),
            LoanStateName::Reserved
            | LoanStateName::Cancelled
            | LoanStateName::HandedOver
            | LoanStateName::Lost
            | LoanStateName::Stolen
            | LoanStateName::WrittenOff
            | LoanStateName::Ceded => gone(loan.state),
        };
        let extended = loan.due != stored.due;
        let changes = changes(stored, &loan);
        Ok(Outcome::Changed(LoanChange { loan, device_goes, extended }, changes))
    }

    fn device(&self, known: &KnownLoans) -> Result<LoanDevice, Fault> {
        let find = |prefix: &str, text: &Option<String>| {
            text.as_ref().map(|text| known.devices.get(&format!("{prefix}:{text}")).map_or(&[][..], Vec::as_slice))
        };
        match (find("t", &self.asset_tag), find("s", &self.serial)) {
            (Some([tagged]), Some(serials)) if !serials.iter().any(|device| device.id == tagged.id) => {
                Err(fault(Field::AssetTag, Reason::KeyConflict))
            }
            (Some([tagged]), _) => Ok(*tagged),
            (_, Some([one])) => Ok(*one),
            (_, Some([_, _, ..])) => Err(fault(Field::SerialNumber, Reason::AmbiguousSerial)),
            _ => Err(Fault::of_row(Reason::UnknownDevice)),
        }
    }

    fn borrower(&self, known: &KnownLoans, key: Option<&[u8]>) -> Result<Option<Uuid>, Fault> {
        let referred = self.reference.as_ref().map(|reference| known.by_reference.get(reference.as_str()));
        let keyed = key.map(|key| known.by_key.get(key));
        match (referred, keyed) {
            (None, None) => Ok(None),
            (Some(Some(one)), Some(Some(other))) if one != other => Err(fault(Field::Reference, Reason::KeyConflict)),
            (Some(Some(found)), _) | (None, Some(Some(found))) => Ok(Some(*found)),
            (Some(None), _) => Err(fault(Field::Reference, Reason::UnknownBorrower)),
            (None, Some(None)) => Err(fault(Field::SchoolNumber, Reason::UnknownBorrower)),
        }
    }
}

fn fault(field: Field, reason: Reason) -> Fault {
    Fault { column: Some(field.as_str().to_owned()), reason, value: None }
}

/// Where a device is after a loan from which it did not come back.
const fn gone(state: LoanStateName) -> Option<LendingState> {
    match state {
        LoanStateName::Lost => Some(LendingState::Lost),
        LoanStateName::Stolen => Some(LendingState::Stolen),
        LoanStateName::WrittenOff => Some(LendingState::WrittenOff),
        LoanStateName::Reserved
        | LoanStateName::Cancelled
        | LoanStateName::HandedOver
        | LoanStateName::Returned
        | LoanStateName::Ceded => None,
    }
}

fn changes(before: &KnownLoan, after: &KnownLoan) -> Vec<FieldChange> {
    let pairs = [
        (Field::LoanState, Some(before.state.to_string()), Some(after.state.to_string())),
        (Field::DueDay, before.due.map(day_text), after.due.map(day_text)),
        (Field::EndDay, before.end.map(day_text), after.end.map(day_text)),
    ];
    pairs
        .into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(field, before, after)| FieldChange { field, before, after })
        .collect()
}
