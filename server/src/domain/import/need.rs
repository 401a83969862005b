//! Needs in a file: one row a device that a site asks for. A row is recognised by the number that the need has in the
//! site's own list (or by its id here, as exports write it), else by the pupil whom it is for under a programme.
//!
//! A file enters needs and corrects those that wait; what was met or withdrawn meanwhile stays so.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::{
    FieldChange, Outcome,
    cells::{Cells, Line, Reading, Wanted},
    device::site_key,
    fault::{Fault, Reason},
    field::Field,
    value,
    words::Worded as _,
};
use crate::domain::{
    borrower::{Level, Reference},
    need::{NeedReason, Reasons},
};

const MAX_WORD_CHARS: usize = 80;
const MAX_NAME_CHARS: usize = 160;
const MAX_REASONS_CHARS: usize = 300;

/// A row that could be read.
#[derive(Clone, Debug)]
pub struct NeedRecord {
    /// Its line.
    pub line: u32,
    number: Option<String>,
    /// The borrower's reference.
    pub reference: Option<Reference>,
    /// The borrower's number at school.
    pub school_number: Option<String>,
    site: Option<String>,
    programme: Option<String>,
    level: Wanted<Level>,
    reasons: Wanted<Reasons>,
}

/// A borrower whom rows name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeedBorrower {
    /// Which one.
    pub id: Uuid,
    /// Its site.
    pub site: Option<Uuid>,
    /// A person's class level.
    pub level: Option<Level>,
}

/// A need, as imports know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownNeed {
    /// Which one.
    pub id: Uuid,
    /// The keyed hash of what names it in a list.
    pub key: Option<Vec<u8>>,
    /// The site that asks.
    pub site: Uuid,
    /// Under which programme.
    pub programme: Uuid,
    /// The class level.
    pub level: Option<Level>,
    /// Why it may come before others.
    pub reasons: Reasons,
    /// For whom.
    pub borrower: Option<Uuid>,
    /// Whether it still waits.
    pub open: bool,
}

/// What is known of what some rows name.
#[derive(Clone, Debug, Default)]
pub struct KnownNeeds {
    /// Sites by code, and by folded name where only one has it.
    pub sites: HashMap<String, Uuid>,
    /// Programmes by code: which one, and whether it is open.
    pub programmes: HashMap<String, (Uuid, bool)>,
    /// Borrowers by reference and by the hash of their number.
    pub borrowers: (HashMap<String, NeedBorrower>, HashMap<Vec<u8>, NeedBorrower>),
    /// Needs that have one of the ids or keys.
    pub needs: Vec<KnownNeed>,
}

/// The hashes of what a row names.
#[derive(Clone, Copy, Debug, Default)]
pub struct Named {
    /// Of [`NeedRecord::key`].
    pub need: Option<[u8; 32]>,
    /// Of the borrower's number at school.
    pub pupil: Option<[u8; 32]>,
}

impl NeedRecord {
    /// Reads a row.
    pub fn read(reading: Reading<'_>, line: &Line) -> Result<Self, Vec<Fault>> {
        let mut cells = Cells::new(reading, line);
        let record = Self {
            line: line.number,
            number: cells.text(Field::NeedNumber, MAX_WORD_CHARS).over(None),
            reference: cells
                .parse(Field::Reference, MAX_WORD_CHARS, |text| text.parse().map_err(|_| Reason::ReferenceForm))
                .over(None),
            school_number: cells.text(Field::SchoolNumber, MAX_WORD_CHARS).over(None),
            // Neither can be erased: a blank cell says nothing.
            site: cells.parse(Field::Site, MAX_NAME_CHARS, site_key).over(None),
            programme: cells.parse(Field::Programme, MAX_WORD_CHARS, value::programme).over(None),
            level: cells.parse(Field::Level, MAX_WORD_CHARS, |t| Level::from_word(t).ok_or(Reason::UnknownWord)),
            reasons: cells.parse(Field::Reasons, MAX_REASONS_CHARS, reasons),
        };
        if cells.is_sound() && record.same_as().is_none() {
            cells.refuse_row(Reason::NoKey);
        }
        if cells.is_sound() { Ok(record) } else { Err(cells.faults()) }
    }

    /// The need's id, where the row's number is one: exports write it there.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        self.number.as_ref().and_then(|number| Uuid::try_parse(number).ok())
    }

    /// What no other row of the file may have; none where the row names no need.
    #[must_use]
    pub fn same_as(&self) -> Option<String> {
        let pupil = || {
            let reference = self.reference.as_ref().map(ToString::to_string);
            let pupil = reference.or_else(|| self.school_number.as_ref().map(|number| number.to_lowercase()))?;
            Some(format!("pupil {pupil} {}", self.programme.as_deref().unwrap_or_default()))
        };
        let numbered =
            |number: &String| format!("number {} {}", number.to_lowercase(), self.site.as_deref().unwrap_or_default());
        self.number.as_ref().map(numbered).or_else(pupil)
    }

    /// What the need is recognised by when the list comes again: its number at the site, or its pupil under the
    /// programme. None where the row does not say enough, or where the number is an id.
    #[must_use]
    pub fn key(&self, known: &KnownNeeds) -> Option<String> {
        if self.id().is_some_and(|id| known.needs.iter().any(|need| need.id == id)) {
            return None;
        }
        if let Some(number) = &self.number {
            let site = known.sites.get(self.site.as_ref()?)?;
            return Some(format!("need {site} {number}"));
        }
        let (programme, _) = known.programmes.get(self.programme.as_ref()?)?;
        let reference = self.reference.as_ref().map(Reference::as_str);
        Some(format!("need {programme} {}", reference.or(self.school_number.as_deref())?))
    }

    /// What the row does.
    pub fn decide(
        &self,
        known: &KnownNeeds,
        named: Named,
        touched: &mut HashSet<Uuid>,
        new_id: Uuid,
    ) -> Outcome<KnownNeed> {
        let of_key = |need: &&KnownNeed| named.need.is_some_and(|key| need.key.as_deref() == Some(&key[..]));
        let of_id = self.id().and_then(|id| known.needs.iter().find(|need| need.id == id));
        let before = of_id.or_else(|| known.needs.iter().find(of_key));
        let mark = named.need.and_then(|key| Uuid::from_slice(&key[..16]).ok()).or(before.map(|before| before.id));
        if mark.is_some_and(|mark| !touched.insert(mark)) {
            return Outcome::Bad(vec![Fault::of_row(Reason::DuplicateRow)]);
        }
        match (self.after(known, named, before, new_id), before) {
            (Err(fault), _) => Outcome::Bad(vec![fault]),
            (Ok(after), None) => Outcome::New(after),
            (Ok(after), Some(before)) if after == *before || !before.open => Outcome::Same,
            (Ok(after), Some(before)) => {
                let changes = changes(before, &after, known);
                Outcome::Changed(after, changes)
            }
        }
    }

    fn after(
        &self,
        known: &KnownNeeds,
        named: Named,
        before: Option<&KnownNeed>,
        new_id: Uuid,
    ) -> Result<KnownNeed, Fault> {
        let fault = |field: Field, reason| Fault { column: Some(field.as_str().to_owned()), reason, value: None };
        let site = match &self.site {
            Some(site) => Some(*known.sites.get(site).ok_or_else(|| fault(Field::Site, Reason::UnknownSite))?),
            None => before.map(|before| before.site),
        };
        let site = site.ok_or_else(|| fault(Field::Site, Reason::Missing))?;
        let programme = match &self.programme {
            Some(code) => {
                let (id, open) =
                    known.programmes.get(code).ok_or_else(|| fault(Field::Programme, Reason::UnknownProgramme))?;
                if !open && before.is_none_or(|before| before.programme != *id) {
                    return Err(fault(Field::Programme, Reason::ProgrammeClosed));
                }
                Some(*id)
            }
            None => before.map(|before| before.programme),
        };
        let programme = programme.ok_or_else(|| fault(Field::Programme, Reason::Missing))?;
        let borrower = self.borrower(known, named)?;
        if borrower.is_some_and(|borrower| borrower.site != Some(site)) {
            return Err(fault(Field::Reference, Reason::BorrowerElsewhere));
        }
        let stored = before.map_or_else(|| borrower.and_then(|borrower| borrower.level), |before| before.level);
        let reasons = self.reasons.clone().over(before.map(|before| before.reasons.clone()));
        Ok(KnownNeed {
            id: before.map_or(new_id, |before| before.id),
            key: before.map_or_else(|| named.need.map(|key| key.to_vec()), |before| before.key.clone()),
            site,
            programme,
            level: self.level.clone().over(stored),
            reasons: reasons.unwrap_or_default(),
            borrower: borrower.map(|borrower| borrower.id).or_else(|| before.and_then(|before| before.borrower)),
            open: before.is_none_or(|before| before.open),
        })
    }

    /// For whom it is. A number that no borrower has yet is no fault: the list of pupils may come later.
    fn borrower(&self, known: &KnownNeeds, named: Named) -> Result<Option<NeedBorrower>, Fault> {
        let (by_reference, by_number) = &known.borrowers;
        let numbered = named.pupil.and_then(|key| by_number.get(&key[..])).copied();
        let Some(reference) = &self.reference else { return Ok(numbered) };
        let unknown = || Fault {
            column: Some(Field::Reference.as_str().to_owned()),
            reason: Reason::UnknownBorrower,
            value: None,
        };
        let referred = *by_reference.get(reference.as_str()).ok_or_else(unknown)?;
        if numbered.is_some_and(|numbered| numbered.id != referred.id) {
            return Err(Fault::of_row(Reason::KeyConflict));
        }
        Ok(Some(referred))
    }
}

/// Reasons as people list them: separated by commas, semicolons, slashes, bars or plus signs.
fn reasons(text: &str) -> Result<Reasons, Reason> {
    let words = text.split([',', ';', '/', '|', '+']).map(str::trim).filter(|word| !word.is_empty());
    let reasons: Option<Vec<NeedReason>> = words.map(NeedReason::from_word).collect();
    Reasons::new(reasons.ok_or(Reason::UnknownWord)?).map_err(|_| Reason::ReasonsExclude)
}

/// What changes; of whom it is for, only that it changes.
fn changes(before: &KnownNeed, after: &KnownNeed, known: &KnownNeeds) -> Vec<FieldChange> {
    let code =
        |programme: Uuid| known.programmes.iter().find(|(_, (id, _))| *id == programme).map(|(code, _)| code.clone());
    let level = |need: &KnownNeed| need.level.map(|level| level.to_string());
    let reasons = |need: &KnownNeed| Some(need.reasons.codes().join(", ")).filter(|codes| !codes.is_empty());
    let shown = [
        (Field::Programme, code(before.programme), code(after.programme)),
        (Field::Site, Some(before.site.to_string()), Some(after.site.to_string())),
        (Field::Level, level(before), level(after)),
        (Field::Reasons, reasons(before), reasons(after)),
    ];
    let mut changes: Vec<FieldChange> = shown
        .into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(field, before, after)| FieldChange { field, before, after })
        .collect();
    if before.borrower != after.borrower {
        changes.push(FieldChange { field: Field::Reference, before: None, after: None });
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_read_as_lists_write_them() {
        use NeedReason::{Band2, NoComputer, Ulis};
        let read = reasons("échelon 2 ; ULIS, sans ordinateur").unwrap();
        assert_eq!(read.iter().collect::<Vec<_>>(), [Ulis, NoComputer, Band2]);
        assert_eq!(reasons("pauvre"), Err(Reason::UnknownWord));
        assert_eq!(reasons("Bourse échelon 1 + Bourse échelon 3"), Err(Reason::ReasonsExclude));
        assert_eq!(reasons(";").unwrap(), Reasons::default());
    }
}
