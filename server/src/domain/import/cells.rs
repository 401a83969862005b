//! One row of a file, read cell by cell: each value in its type, each fault remembered with its column, so that a
//! person corrects a whole row at once.

use super::{
    Blanks, Kind,
    fault::{Fault, Reason},
    field::Field,
    foreign::Format,
    mapping::Mapping,
};

/// Longest value, in characters, that a report repeats.
const VALUE_SHOWN_CHARS: usize = 80;

/// A row of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Where it begins in the file, counted as a text editor does; in a workbook, its row.
    pub number: u32,
    /// Its cells.
    pub cells: Vec<String>,
}

/// What a cell asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wanted<T> {
    /// Nothing: what is stored stays.
    #[default]
    Keep,
    /// Nothing more to be stored.
    Erase,
    /// This.
    Set(T),
}

impl<T> Wanted<T> {
    /// What will be stored, given what is.
    pub fn over(self, stored: Option<T>) -> Option<T> {
        match self {
            Self::Keep => stored,
            Self::Erase => None,
            Self::Set(value) => Some(value),
        }
    }

    /// The value that the cell holds.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Erase => None,
        }
    }
}

/// How a file is read.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// What it lists.
    pub kind: Kind,
    /// Its headings.
    pub headings: &'a [String],
    /// What its columns hold.
    pub mapping: &'a Mapping,
    /// What blank cells mean.
    pub blanks: Blanks,
}

/// A row being read.
#[derive(Clone, Debug)]
pub struct Cells<'a> {
    reading: Reading<'a>,
    line: &'a Line,
    faults: Vec<Fault>,
}

impl<'a> Cells<'a> {
    /// Begins to read a row.
    #[must_use]
    pub fn new(reading: Reading<'a>, line: &'a Line) -> Self {
        let mut cells = Self { reading, line, faults: Vec::new() };
        let beyond = line.cells.get(reading.headings.len()..).unwrap_or_default();
        if beyond.iter().any(|cell| !cell.trim().is_empty()) {
            cells.faults.push(Fault::of_row(Reason::TooManyCells));
        }
        cells
    }

    /// Who wrote the file.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.reading.mapping.format
    }

    /// The faults found; an empty list means that the row can be taken.
    #[must_use]
    pub fn faults(self) -> Vec<Fault> {
        self.faults
    }

    /// Whether nothing was wrong so far.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// A text of at most `longest` characters.
    pub fn text(&mut self, field: Field, longest: usize) -> Wanted<String> {
        self.parse(field, longest, |text| Ok(text.to_owned()))
    }

    /// A value that `read` makes of the cell, whose text has at most `longest` characters.
    pub fn parse<T>(
        &mut self,
        field: Field,
        longest: usize,
        read: impl FnOnce(&str) -> Result<T, Reason>,
    ) -> Wanted<T> {
        let Some(column) = self.reading.mapping.column(field) else { return Wanted::Keep };
        let cell = self.line.cells.get(column).map_or("", String::as_str);
        let plain = self.format().plain(Some(field), without_guard(cell));
        let text = plain.trim();
        if text.is_empty() {
            return if self.reading.blanks == Blanks::Erase { Wanted::Erase } else { Wanted::Keep };
        }
        match sound(text, longest).and_then(|()| read(text)) {
            Ok(value) => Wanted::Set(value),
            Err(reason) => {
                self.refuse_value(field, reason, text);
                Wanted::Keep
            }
        }
    }

    /// Notes a fault of a column.
    pub fn refuse(&mut self, field: Field, reason: Reason) {
        let text = self.reading.mapping.column(field).and_then(|column| self.line.cells.get(column));
        let text = text.map(String::as_str).unwrap_or_default().to_owned();
        self.refuse_value(field, reason, text.trim());
    }

    /// Notes a fault of the whole row.
    pub fn refuse_row(&mut self, reason: Reason) {
        self.faults.push(Fault::of_row(reason));
    }

    fn refuse_value(&mut self, field: Field, reason: Reason, text: &str) {
        let heading = self.reading.mapping.column(field).and_then(|column| self.reading.headings.get(column));
        let shown = !self.reading.kind.is_personal() && !field.is_personal() && !text.is_empty();
        let value = shown.then(|| {
            let printable = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
            printable.take(VALUE_SHOWN_CHARS).collect()
        });
        let column = heading.cloned().or_else(|| Some(field.as_str().to_owned()));
        self.faults.push(Fault { column, reason, value });
    }
}

/// Whether a text can be kept as it is.
fn sound(text: &str, longest: usize) -> Result<(), Reason> {
    if text.contains('\u{fffd}') {
        Err(Reason::Undecodable)
    } else if text.contains(char::is_control) {
        Err(Reason::ControlCharacter)
    } else if text.chars().count() > longest {
        Err(Reason::TooLong)
    } else {
        Ok(())
    }
}

/// Characters with which a cell becomes a formula in a spreadsheet.
pub const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A cell without the apostrophe that exports put before what would be a formula.
#[must_use]
pub fn without_guard(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(FORMULA_STARTS) => rest,
        _ => cell,
    }
}

/// A cell that no spreadsheet takes for a formula, after OWASP's advice on CSV injection: [`without_guard`] gives it
/// back.
#[must_use]
pub fn guarded(cell: &str) -> std::borrow::Cow<'_, str> {
    // What looks guarded already is guarded once more, so that reading back always removes exactly what was added.
    let looks_guarded =
        cell.strip_prefix('\'').is_some_and(|rest| rest.trim_start_matches('\'').starts_with(FORMULA_STARTS));
    if cell.starts_with(FORMULA_STARTS) || looks_guarded { format!("'{cell}").into() } else { cell.into() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read<T>(cells: &[&str], blanks: Blanks, act: impl FnOnce(&mut Cells<'_>) -> T) -> (T, Vec<Fault>) {
        let headings = ["Étiquette".to_owned(), "Modèle".to_owned()];
        let mapping = Mapping::guess(Kind::Devices, &headings);
        let line = Line { number: 2, cells: cells.iter().map(|&cell| cell.to_owned()).collect() };
        let reading = Reading { kind: Kind::Devices, headings: &headings, mapping: &mapping, blanks };
        let mut cells = Cells::new(reading, &line);
        let value = act(&mut cells);
        (value, cells.faults())
    }

    #[test]
    fn a_blank_cell_erases_only_when_asked() {
        let model = |cells: &mut Cells<'_>| cells.text(Field::Model, 10);
        assert_eq!(read(&["A1", "  "], Blanks::Keep, model).0, Wanted::Keep);
        assert_eq!(read(&["A1"], Blanks::Erase, model).0, Wanted::Erase);
        assert_eq!(read(&["A1", " L13 "], Blanks::Erase, model).0, Wanted::Set("L13".to_owned()));
        // A column that the file does not have erases nothing.
        assert_eq!(read(&["A1", "L13"], Blanks::Erase, |cells| cells.text(Field::Grade, 1)).0, Wanted::Keep);
    }

    #[test]
    fn every_fault_of_a_row_is_told_with_its_column() {
        let both = |cells: &mut Cells<'_>| (cells.text(Field::AssetTag, 3), cells.text(Field::Model, 20));
        let (_, faults) = read(&["A12345", "L\t13", "x"], Blanks::Keep, both);
        let told: Vec<(Option<&str>, Reason)> = faults.iter().map(|f| (f.column.as_deref(), f.reason)).collect();
        assert_eq!(
            told,
            [
                (None, Reason::TooManyCells),
                (Some("Étiquette"), Reason::TooLong),
                (Some("Modèle"), Reason::ControlCharacter)
            ]
        );
        assert_eq!(faults[2].value.as_deref(), Some("L\u{fffd}13"));
    }

    proptest! {
        #[test]
        fn what_an_export_guards_the_import_reads_back(cell in "['=+@\\-\t\ra-z]{0,8}") {
            let safe = guarded(&cell);
            prop_assert!(!safe.starts_with(FORMULA_STARTS));
            prop_assert_eq!(without_guard(&safe), cell.as_str());
        }
    }
}
