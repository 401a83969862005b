//! The rows that could not be taken, as CSV: the file's own columns, the line, the reasons. Corrected, it is imported
//! again as it is: the two added columns are no column of any kind of file.

use std::collections::HashMap;

use super::{
    read::Table,
    write::{BYTE_ORDER_MARK, Delimiter, csv_line},
};
use crate::{
    domain::import::{cells::without_guard, fault::Fault},
    store::import::RowReport,
};

/// The reasons of a row's outcome.
#[must_use]
pub fn faults(report: &RowReport) -> Vec<Fault> {
    serde_json::from_value(report.details.clone()).unwrap_or_default()
}

/// The file of bad rows, written a page of reports at a time.
#[derive(Debug)]
pub struct BadRows {
    table: Table,
    /// Where each line of the file stands in the table.
    places: HashMap<i64, usize>,
    delimiter: Delimiter,
}

impl BadRows {
    /// Of the file that was read as `table`.
    #[must_use]
    pub fn of(table: Table, delimiter: Delimiter) -> Self {
        let places = table.lines.iter().enumerate().map(|(place, line)| (i64::from(line.number), place)).collect();
        Self { table, places, delimiter }
    }

    /// Its first line; `headings` name the two added columns.
    #[must_use]
    pub fn head(&self, headings: [&str; 2]) -> String {
        let columns = headings.into_iter().chain(self.table.headings.iter().map(String::as_str));
        BYTE_ORDER_MARK.to_owned() + &csv_line(columns, self.delimiter)
    }

    /// The lines of these reports; `say` puts a reason into words.
    #[must_use]
    pub fn page(&self, reports: &[RowReport], say: impl Fn(&Fault) -> String) -> String {
        let mut text = String::new();
        for report in reports {
            let Some(place) = self.places.get(&report.line) else { continue };
            let reasons = faults(report).iter().map(&say).collect::<Vec<_>>().join(" ; ");
            let mut row = vec![report.line.to_string(), reasons];
            // What stood guarded in the file is guarded once: the cell is written as it was read.
            row.extend(self.table.lines[*place].cells.iter().map(|cell| without_guard(cell).to_owned()));
            row.resize(row.len().max(self.table.headings.len() + 2), String::new());
            text.push_str(&csv_line(&row, self.delimiter));
        }
        text
    }
}
