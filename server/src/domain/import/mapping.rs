//! Which column of a file holds what: guessed from its headings, corrected by a person, remembered for the next file.

use serde::{Deserialize, Serialize};

use super::{
    Kind,
    field::{Field, bare},
    foreign::Format,
};

/// For each column of a file, what it holds; nothing where it is not imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// Who wrote the file.
    pub format: Format,
    /// What each column holds.
    pub columns: Vec<Option<Field>>,
}

/// A mapping that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMapping {
    /// A field stands for two columns.
    #[error("two columns are both taken for `{0}`: keep one of them")]
    Twice(Field),
    /// A field that this kind of file does not have.
    #[error("`{0}` is not a column of this kind of file")]
    Foreign(Field),
    /// Nothing tells which thing a row is about.
    #[error("no column tells which thing a row is about")]
    NoKey,
}

impl Mapping {
    /// The mapping that the headings suggest: each field takes the column that fits it best, and none twice.
    #[must_use]
    pub fn guess(kind: Kind, headings: &[String]) -> Self {
        let format = Format::recognise(kind, headings);
        let mut columns = vec![None; headings.len()];
        let mut fits: Vec<(usize, usize, Field)> = Vec::new();
        for (column, heading) in headings.iter().enumerate() {
            for &field in Field::of(kind) {
                let fit = match format {
                    Format::Cartable => field.fits(heading),
                    Format::SnipeIt | Format::Glpi => format.fits(field, heading),
                };
                fits.extend(fit.map(|fit| (fit, column, field)));
            }
        }
        fits.sort_unstable();
        for (_, column, field) in fits {
            if columns[column].is_none() && !columns.contains(&Some(field)) {
                columns[column] = Some(field);
            }
        }
        Self { format, columns }
    }

    /// The column of a field.
    #[must_use]
    pub fn column(&self, field: Field) -> Option<usize> {
        self.columns.iter().position(|column| *column == Some(field))
    }

    /// Whether it can be used for a file of that kind.
    pub fn check(&self, kind: Kind) -> Result<(), InvalidMapping> {
        let fields: Vec<Field> = self.columns.iter().flatten().copied().collect();
        for (place, field) in fields.iter().enumerate() {
            if fields[..place].contains(field) {
                return Err(InvalidMapping::Twice(*field));
            }
            if !Field::of(kind).contains(field) {
                return Err(InvalidMapping::Foreign(*field));
            }
        }
        let has = |field: &Field| fields.contains(field);
        let keyed = match kind {
            Kind::Devices => has(&Field::SerialNumber) || has(&Field::AssetTag),
            Kind::Sites => has(&Field::Uai),
            Kind::Borrowers => has(&Field::Reference) || has(&Field::SchoolNumber),
            Kind::Needs => has(&Field::NeedNumber) || has(&Field::Reference) || has(&Field::SchoolNumber),
            Kind::Loans => (has(&Field::SerialNumber) || has(&Field::AssetTag)) && has(&Field::StartDay),
        };
        if keyed { Ok(()) } else { Err(InvalidMapping::NoKey) }
    }
}

/// What a set of headings is remembered by.
#[must_use]
pub fn signature(headings: &[String]) -> String {
    headings.iter().map(|heading| bare(heading)).collect::<Vec<_>>().join("\u{1f}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headings(list: &[&str]) -> Vec<String> {
        list.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn columns_are_recognised_in_both_languages_and_none_twice() {
        let mapping =
            Mapping::guess(Kind::Devices, &headings(&["N° de série", "Étiquette", "Lieu", "UAI", "Remarque"]));
        assert_eq!(mapping.format, Format::Cartable);
        assert_eq!(mapping.columns, [Some(Field::SerialNumber), Some(Field::AssetTag), None, Some(Field::Site), None]);
        assert_eq!(mapping.check(Kind::Devices), Ok(()));
        let mapping =
            Mapping::guess(Kind::Borrowers, &headings(&["INE", "Nom", "Prénom", "Division", "Établissement"]));
        assert_eq!(mapping.column(Field::PersonName), Some(1));
        assert_eq!(mapping.column(Field::SchoolNumber), Some(0));
        assert_eq!(mapping.check(Kind::Borrowers), Ok(()));
    }

    #[test]
    fn a_mapping_without_a_key_or_with_one_field_twice_is_refused() {
        let of = |columns: &[Option<Field>]| Mapping { format: Format::Cartable, columns: columns.to_vec() };
        assert_eq!(of(&[Some(Field::Model)]).check(Kind::Devices), Err(InvalidMapping::NoKey));
        let twice = of(&[Some(Field::AssetTag), Some(Field::AssetTag)]);
        assert_eq!(twice.check(Kind::Devices), Err(InvalidMapping::Twice(Field::AssetTag)));
        let foreign = of(&[Some(Field::Uai)]);
        assert_eq!(foreign.check(Kind::Devices), Err(InvalidMapping::Foreign(Field::Uai)));
        assert_eq!(of(&[Some(Field::SerialNumber)]).check(Kind::Loans), Err(InvalidMapping::NoKey));
    }
}
