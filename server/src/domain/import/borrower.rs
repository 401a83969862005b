//! Borrowers in a file: one row a person or an institution, by its reference or by the number of the school's own
//! system. Who a person is leaves here only as an [`Identity`], which is sealed before it is stored.

use std::collections::{HashMap, HashSet};

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
use crate::domain::borrower::{BorrowerKind, Guardian, Identity, IdentityLanguage, Level, Reference};

const MAX_NAME_CHARS: usize = 160;
const MAX_WORD_CHARS: usize = 80;
const MAX_EMAIL_CHARS: usize = 254;
const MAX_PHONE_CHARS: usize = 40;

/// A row that could be read.
#[derive(Clone, Debug)]
pub struct BorrowerRecord {
    /// Its line.
    pub line: u32,
    /// The reference, a key.
    pub reference: Wanted<Reference>,
    /// The school's number, a key.
    pub school_number: Wanted<String>,
    kind: Wanted<BorrowerKind>,
    institution_name: Wanted<String>,
    /// The code or the folded name of a site.
    pub site: Wanted<String>,
    level: Wanted<Level>,
    left_on: Wanted<i64>,
    identity: IdentityRecord,
}

/// Who the person is, as far as the file says.
#[derive(Clone, Debug)]
struct IdentityRecord {
    name: Wanted<String>,
    class: Wanted<String>,
    email: Wanted<String>,
    language: Wanted<IdentityLanguage>,
    guardians: [GuardianRecord; 2],
}

#[derive(Clone, Debug)]
struct GuardianRecord {
    name: Wanted<String>,
    email: Wanted<String>,
    phone: Wanted<String>,
}

/// A borrower, as imports know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownBorrower {
    /// Which one.
    pub id: Uuid,
    /// What stands for it everywhere.
    pub reference: Reference,
    /// A person or an institution.
    pub kind: BorrowerKind,
    /// An institution's name.
    pub institution_name: Option<String>,
    /// Its site.
    pub site: Option<Uuid>,
    /// A person's class level.
    pub level: Option<Level>,
    /// The keyed hash of the school's number.
    pub key: Option<Vec<u8>>,
    /// The day on which the person left.
    pub left_on: Option<i64>,
    /// Who it is, opened.
    pub identity: Identity,
}

/// What is known of what some rows name.
#[derive(Clone, Debug, Default)]
pub struct KnownBorrowers {
    /// The borrowers with one of the references or numbers.
    pub borrowers: Vec<KnownBorrower>,
    /// Sites by code, and by folded name where only one has it.
    pub sites: HashMap<String, Uuid>,
}

impl BorrowerRecord {
    /// Reads a row.
    pub fn read(reading: Reading<'_>, line: &Line) -> Result<Self, Vec<Fault>> {
        let mut cells = Cells::new(reading, line);
        let reference =
            cells.parse(Field::Reference, MAX_WORD_CHARS, |text| text.parse().map_err(|_| Reason::ReferenceForm));
        let school_number = cells.text(Field::SchoolNumber, MAX_WORD_CHARS);
        if cells.is_sound() && reference.value().is_none() && school_number.value().is_none() {
            cells.refuse_row(Reason::NoKey);
        }
        let record = Self {
            line: line.number,
            reference,
            school_number,
            kind: cells
                .parse(Field::BorrowerKind, MAX_WORD_CHARS, |t| BorrowerKind::from_word(t).ok_or(Reason::UnknownWord)),
            institution_name: cells.text(Field::InstitutionName, MAX_NAME_CHARS),
            site: cells.parse(Field::Site, MAX_NAME_CHARS, site_key),
            level: cells.parse(Field::Level, MAX_WORD_CHARS, |t| Level::from_word(t).ok_or(Reason::UnknownWord)),
            left_on: cells.parse(Field::LeftOn, MAX_WORD_CHARS, value::day),
            identity: IdentityRecord::read(&mut cells),
        };
        if cells.is_sound() { Ok(record) } else { Err(cells.faults()) }
    }

    /// What the row does. `key` is the hash of its school number, `new` the id and reference that a new borrower gets.
    pub fn decide(
        &self,
        known: &KnownBorrowers,
        key: Option<&[u8]>,
        touched: &mut HashSet<Uuid>,
        new: (Uuid, Reference),
    ) -> Outcome<KnownBorrower> {
        let before = match self.find(known, key) {
            Ok(before) => before,
            Err(reason) => return Outcome::Bad(vec![Fault::of_row(reason)]),
        };
        if let Some(before) = before
            && !touched.insert(before.id)
        {
            return Outcome::Bad(vec![Fault::of_row(Reason::DuplicateRow)]);
        }
        match self.after(before, known, key, new) {
            Err(fault) => Outcome::Bad(vec![fault]),
            Ok(after) => match before {
                None => Outcome::New(after),
                Some(before) if *before == after => Outcome::Same,
                Some(before) => Outcome::Changed(after.clone(), changes(before, &after)),
            },
        }
    }

    fn find<'k>(&self, known: &'k KnownBorrowers, key: Option<&[u8]>) -> Result<Option<&'k KnownBorrower>, Reason> {
        let referred =
            self.reference.value().map(|reference| known.borrowers.iter().find(|b| b.reference == *reference));
        let keyed = key.and_then(|key| known.borrowers.iter().find(|b| b.key.as_deref() == Some(key)));
        match (referred, keyed) {
            (Some(None), _) => Err(Reason::UnknownBorrower),
            (Some(Some(one)), Some(other)) if one.id != other.id => Err(Reason::KeyConflict),
            (Some(found), _) | (None, found) => Ok(found),
        }
    }

    fn after(
        &self,
        before: Option<&KnownBorrower>,
        known: &KnownBorrowers,
        key: Option<&[u8]>,
        (id, reference): (Uuid, Reference),
    ) -> Result<KnownBorrower, Fault> {
        let fault = |field: Field, reason| Fault { column: Some(field.as_str().to_owned()), reason, value: None };
        let mut after = before.cloned().unwrap_or_else(|| KnownBorrower {
            id,
            reference,
            kind: self.kind.value().copied().unwrap_or(BorrowerKind::Person),
            institution_name: None,
            site: None,
            level: None,
            key: None,
            left_on: None,
            identity: Identity::default(),
        });
        if self.kind.value().is_some_and(|kind| *kind != after.kind) {
            return Err(fault(Field::BorrowerKind, Reason::KindChanged));
        }
        if after.kind == BorrowerKind::Person && self.institution_name.value().is_some() {
            return Err(fault(Field::InstitutionName, Reason::NotAnInstitution));
        }
        after.site = match &self.site {
            Wanted::Keep => after.site,
            Wanted::Erase => None,
            Wanted::Set(site) => Some(*known.sites.get(site).ok_or_else(|| fault(Field::Site, Reason::UnknownSite))?),
        };
        after.institution_name = self.institution_name.clone().over(after.institution_name);
        if after.kind == BorrowerKind::Institution && after.institution_name.is_none() {
            return Err(fault(Field::InstitutionName, Reason::Missing));
        }
        after.level = self.level.clone().over(after.level);
        after.left_on = self.left_on.clone().over(after.left_on);
        after.key = key.map(<[u8]>::to_vec).or(after.key);
        self.identity.put_on(&mut after.identity);
        Ok(after)
    }
}

impl IdentityRecord {
    fn read(cells: &mut Cells<'_>) -> Self {
        let name = cells.text(Field::PersonName, MAX_NAME_CHARS);
        let first = cells.text(Field::FirstName, MAX_NAME_CHARS);
        let name = match (name, first) {
            (Wanted::Set(name), Wanted::Set(first)) => Wanted::Set(format!("{first} {name}")),
            (name, _) => name,
        };
        let guardian = |cells: &mut Cells<'_>, [name, email, phone]: [Field; 3]| GuardianRecord {
            name: cells.text(name, MAX_NAME_CHARS),
            email: cells.parse(email, MAX_EMAIL_CHARS, value::email),
            phone: cells.text(phone, MAX_PHONE_CHARS),
        };
        Self {
            name,
            class: cells.text(Field::Class, MAX_WORD_CHARS),
            email: cells.parse(Field::Email, MAX_EMAIL_CHARS, value::email),
            language: cells.parse(Field::FamilyLanguage, MAX_WORD_CHARS, |text| {
                IdentityLanguage::from_word(text).ok_or(Reason::UnknownWord)
            }),
            guardians: [
                guardian(cells, [Field::GuardianName, Field::GuardianEmail, Field::GuardianPhone]),
                guardian(cells, [Field::SecondGuardianName, Field::SecondGuardianEmail, Field::SecondGuardianPhone]),
            ],
        }
    }

    fn put_on(&self, identity: &mut Identity) {
        identity.name = self.name.clone().over(Some(std::mem::take(&mut identity.name))).unwrap_or_default();
        identity.class = self.class.clone().over(identity.class.take());
        identity.email = self.email.clone().over(identity.email.take());
        identity.language = self.language.clone().over(identity.language);
        let mut guardians = std::mem::take(&mut identity.guardians);
        guardians.resize(guardians.len().max(self.guardians.len()), Guardian::default());
        for (guardian, record) in guardians.iter_mut().zip(&self.guardians) {
            guardian.name = record.name.clone().over(Some(std::mem::take(&mut guardian.name))).unwrap_or_default();
            guardian.email = record.email.clone().over(guardian.email.take());
            guardian.phone = record.phone.clone().over(guardian.phone.take());
        }
        guardians.retain(|guardian| *guardian != Guardian::default());
        identity.guardians = guardians;
    }
}

/// What changes; of who a person is, only that it changes.
fn changes(before: &KnownBorrower, after: &KnownBorrower) -> Vec<FieldChange> {
    let level = |borrower: &KnownBorrower| borrower.level.map(|level| level.to_string());
    let site = |borrower: &KnownBorrower| borrower.site.map(|id| id.to_string());
    let day = |borrower: &KnownBorrower| borrower.left_on.map(day_text);
    let shown = [
        (Field::InstitutionName, before.institution_name.clone(), after.institution_name.clone()),
        (Field::Site, site(before), site(after)),
        (Field::Level, level(before), level(after)),
        (Field::LeftOn, day(before), day(after)),
    ];
    let mut changes: Vec<FieldChange> = shown
        .into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(field, before, after)| FieldChange { field, before, after })
        .collect();
    for (field, changed) in
        [(Field::SchoolNumber, before.key != after.key), (Field::PersonName, before.identity != after.identity)]
    {
        if changed {
            changes.push(FieldChange { field, before: None, after: None });
        }
    }
    changes
}
