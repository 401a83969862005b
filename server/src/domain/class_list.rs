//! A class's list: which device goes to whom, one line for each, pasted or from a file with or without headings.

use super::import::{
    Kind,
    cells::{Line, without_guard},
    field::Field,
    mapping::Mapping,
};

/// Most lines of one list: a class has thirty pupils, a year group two hundred.
pub const MOST_LINES: usize = 250;
/// What stands between the two things of a line.
const SEPARATORS: [char; 3] = [';', ',', '\t'];

/// Device and borrower of a line: separated by a semicolon, a comma or a tab.
pub fn split(line: &str) -> Option<(&str, &str)> {
    let (device, borrower) = line.split_once(SEPARATORS)?;
    let clean = |text: &'_ str| text.trim().trim_matches('"').trim().len();
    (clean(device) > 0 && clean(borrower) > 0)
        .then(|| (device.trim().trim_matches('"').trim(), borrower.trim().trim_matches('"').trim()))
}

/// The lines of a file as one would type them, and nothing of its other columns: names are no business of the desk.
///
/// Where its first row names the columns they are taken by their names, else it is a line as well and the first two
/// columns count. A row that lacks one of the two stays, to be seen and corrected.
#[must_use]
pub fn typed(first: &[String], rest: &[Line]) -> Vec<String> {
    let named = Named::by(first);
    let rows = named.is_none().then_some(first).into_iter().chain(rest.iter().map(|line| line.cells.as_slice()));
    rows.filter_map(|cells| match &named {
        Some(named) => line(&named.device(cells), &cell(cells, named.borrower)),
        None => line(&cell(cells, 0), &cell(cells, 1)),
    })
    .collect()
}

/// `present` with those of `added` that are not there yet, so that a corrected file may be chosen again.
#[must_use]
pub fn joined(present: &str, added: Vec<String>) -> String {
    let mut lines: Vec<String> = present.lines().map(str::to_owned).filter(|line| !line.trim().is_empty()).collect();
    for line in added {
        if !lines.iter().any(|known| says_the_same(known, &line)) {
            lines.push(line);
        }
    }
    lines.join("\n")
}

/// Whether two lines mean the same device and borrower, or are the same half of a line.
fn says_the_same(one: &str, other: &str) -> bool {
    match (split(one), split(other)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => one.trim() == other.trim(),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// How many lines a list has.
#[must_use]
pub fn count(lines: &str) -> usize {
    lines.lines().filter(|line| !line.trim().is_empty()).count()
}

/// The columns of a file with headings.
struct Named {
    label: Option<usize>,
    serial: Option<usize>,
    borrower: usize,
}

impl Named {
    fn by(headings: &[String]) -> Option<Self> {
        let mapping = Mapping::guess(Kind::Loans, headings);
        let (label, serial) = (mapping.column(Field::AssetTag), mapping.column(Field::SerialNumber));
        let borrower = mapping.column(Field::Reference)?;
        (label.is_some() || serial.is_some()).then_some(Self { label, serial, borrower })
    }

    /// The label, which one device alone has; else the serial number.
    fn device(&self, cells: &[String]) -> String {
        let of = |column: Option<usize>| column.map(|column| cell(cells, column)).filter(|text| !text.is_empty());
        of(self.label).or_else(|| of(self.serial)).unwrap_or_default()
    }
}

/// A cell as a part of a line: what separates parts cannot stand in one.
fn cell(cells: &[String], column: usize) -> String {
    let text = cells.get(column).map_or("", |cell| without_guard(cell.trim()));
    let text = text.replace(SEPARATORS, " ").replace(char::is_control, " ");
    text.trim().to_owned()
}

fn line(device: &str, borrower: &str) -> Option<String> {
    match (device.is_empty(), borrower.is_empty()) {
        (true, true) => None,
        (false, true) => Some(device.to_owned()),
        (true, false) => Some(format!("; {borrower}")),
        (false, false) => Some(format!("{device} ; {borrower}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    fn lines(rows: &[&[&str]]) -> Vec<Line> {
        rows.iter().zip(2..).map(|(row, number)| Line { number, cells: cells(row) }).collect()
    }

    #[test]
    fn a_line_is_two_things_however_they_are_parted() {
        for line in ["PF2 ; B-7K3M-Q2ZD", "PF2,B-7K3M-Q2ZD", "PF2\tB-7K3M-Q2ZD", "\"PF2\";\"B-7K3M-Q2ZD\""] {
            assert_eq!(split(line), Some(("PF2", "B-7K3M-Q2ZD")), "{line}");
        }
        for line in ["PF2", "PF2;", ";B-7K3M-Q2ZD", ""] {
            assert_eq!(split(line), None, "{line}");
        }
    }

    #[test]
    fn columns_are_found_by_their_names_and_names_of_pupils_are_left_behind() {
        let headings = cells(&["Nom", "Référence bénéficiaire", "Numéro de série", "Étiquette"]);
        let rest = lines(&[
            &["Martin", "B-1", "SN1", "CD-1"],
            &["Durand", "B-2", "SN2", ""],
            &["Petit", "B-3"],
            &["Nobody"],
            &["", "", "", "'=CD-4,x"],
        ]);
        assert_eq!(typed(&headings, &rest), ["CD-1 ; B-1", "SN2 ; B-2", "; B-3", "=CD-4 x"]);
    }

    #[test]
    fn without_headings_the_first_row_counts_and_the_first_two_columns() {
        let rest = lines(&[&["CD-2", "B-2"], &["CD-3"]]);
        assert_eq!(typed(&cells(&["CD-1", "B-1", "Martin"]), &rest), ["CD-1 ; B-1", "CD-2 ; B-2", "CD-3"]);
        // One of the two headings alone tells nothing of the other column.
        assert_eq!(typed(&cells(&["Étiquette", "?"]), &[]), ["Étiquette ; ?"]);
    }

    #[test]
    fn a_corrected_file_adds_only_what_is_new() {
        let present = "CD-1,B-1\n\n  CD-2 ; B-2\nCD-3";
        let added = vec!["CD-1 ; B-1".to_owned(), "CD-3".to_owned(), "CD-3 ; B-3".to_owned()];
        assert_eq!(joined(present, added), "CD-1,B-1\n  CD-2 ; B-2\nCD-3\nCD-3 ; B-3");
        assert_eq!((count("\n a;b \n\n c"), count("")), (2, 0));
    }
}
