//! Sites in a file: one row an institution, by its UAI code.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    FieldChange, Outcome,
    cells::{Cells, Line, Reading, Wanted},
    fault::{Fault, Reason},
    field::Field,
    value,
    words::Worded as _,
};
use crate::domain::school_calendar::Zone;

/// Longest name and commune in characters.
const MAX_NAME_CHARS: usize = 120;
const MAX_WORD_CHARS: usize = 80;

/// A row that could be read.
#[derive(Clone, Debug)]
pub struct SiteRecord {
    /// Its line.
    pub line: u32,
    /// The code, its key.
    pub uai: String,
    name: Wanted<String>,
    commune: Wanted<String>,
    zone: Wanted<Zone>,
}

/// A site, as imports know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSite {
    /// Which one.
    pub id: Uuid,
    /// Its code.
    pub uai: String,
    /// Its name.
    pub name: String,
    /// Its commune.
    pub commune: String,
    /// Its zone.
    pub zone: Zone,
}

impl SiteRecord {
    /// Reads a row.
    pub fn read(reading: Reading<'_>, line: &Line) -> Result<Self, Vec<Fault>> {
        let mut cells = Cells::new(reading, line);
        let uai = cells.parse(Field::Uai, MAX_WORD_CHARS, value::uai);
        if cells.is_sound() && uai.value().is_none() {
            cells.refuse_row(Reason::NoKey);
        }
        let name = cells.text(Field::Name, MAX_NAME_CHARS);
        let commune = cells.text(Field::Commune, MAX_NAME_CHARS);
        let zone = cells.parse(Field::Zone, MAX_WORD_CHARS, |text| Zone::from_word(text).ok_or(Reason::UnknownWord));
        for (field, erased) in [
            (Field::Name, name == Wanted::Erase),
            (Field::Commune, commune == Wanted::Erase),
            (Field::Zone, zone == Wanted::Erase),
        ] {
            if erased {
                cells.refuse(field, Reason::CannotErase);
            }
        }
        let uai = uai.value().cloned();
        match uai.filter(|_| cells.is_sound()) {
            Some(uai) => Ok(Self { line: line.number, uai, name, commune, zone }),
            None => Err(cells.faults()),
        }
    }

    /// What the row does, given the sites that are known by code.
    pub fn decide(&self, known: &HashMap<String, KnownSite>, new_id: Uuid) -> Outcome<KnownSite> {
        let Some(before) = known.get(&self.uai) else { return self.new_site(new_id) };
        let after = KnownSite {
            id: before.id,
            uai: before.uai.clone(),
            name: self.name.clone().over(None).unwrap_or_else(|| before.name.clone()),
            commune: self.commune.clone().over(None).unwrap_or_else(|| before.commune.clone()),
            zone: self.zone.clone().over(None).unwrap_or(before.zone),
        };
        if after == *before {
            return Outcome::Same;
        }
        let pairs = [
            (Field::Name, before.name.clone(), after.name.clone()),
            (Field::Commune, before.commune.clone(), after.commune.clone()),
            (Field::Zone, before.zone.to_string(), after.zone.to_string()),
        ];
        let changes = pairs.into_iter().filter(|(_, before, after)| before != after);
        let changes =
            changes.map(|(field, before, after)| FieldChange { field, before: Some(before), after: Some(after) });
        Outcome::Changed(after, changes.collect())
    }

    /// A new site needs all of it: its holidays depend on the zone.
    fn new_site(&self, id: Uuid) -> Outcome<KnownSite> {
        let missing =
            |field: Field| Fault { column: Some(field.as_str().to_owned()), reason: Reason::Missing, value: None };
        match (self.name.value(), self.commune.value(), self.zone.value()) {
            (Some(name), Some(commune), Some(zone)) => {
                let (name, commune) = (name.clone(), commune.clone());
                Outcome::New(KnownSite { id, uai: self.uai.clone(), name, commune, zone: *zone })
            }
            (name, commune, zone) => {
                let absent =
                    [(name.is_none(), Field::Name), (commune.is_none(), Field::Commune), (zone.is_none(), Field::Zone)];
                Outcome::Bad(
                    absent.into_iter().filter(|(absent, _)| *absent).map(|(_, field)| missing(field)).collect(),
                )
            }
        }
    }
}
