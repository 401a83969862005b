//! The rows that could not be taken, as CSV: the file's own columns, the line, the reasons. Corrected, it is imported
//! again as it is: the two added columns are no column of any kind of file.

use std::collections::HashMap;

use super::{
    read::Table,
    write::{BYTE_ORDER_MARK, Delimiter, csv_line},
};
use crate::{domain::import::fault::Fault, store::import::RowReport};

/// The reasons of a row's outcome.
#[must_use]
pub fn faults(report: &RowReport) -> Vec<Fault> {
    serde_json::from_value(report.details.clone()).unwrap_or_default()
}

/// The bad rows of `table`. `headings` name the two added columns, `say` puts a reason into words.
#[must_use]
pub fn csv(
    table: &Table,
    reports: &[RowReport],
    headings: [&str; 2],
    delimiter: Delimiter,
    say: impl Fn(&Fault) -> String,
) -> String {
    let width = table.headings.len();
    let mut text = BYTE_ORDER_MARK.to_owned();
    text.push_str(&csv_line(headings.into_iter().chain(table.headings.iter().map(String::as_str)), delimiter));
    let lines: HashMap<i64, &[String]> =
        table.lines.iter().map(|line| (i64::from(line.number), line.cells.as_slice())).collect();
    for report in reports {
        let Some(cells) = lines.get(&report.line) else { continue };
        let reasons = faults(report).iter().map(&say).collect::<Vec<_>>().join(" ; ");
        let mut row = vec![report.line.to_string(), reasons];
        // What stood guarded in the file is guarded once: the cell is written as it was read.
        row.extend(cells.iter().map(|cell| crate::domain::import::cells::without_guard(cell).to_owned()));
        row.resize(row.len().max(width + 2), String::new());
        text.push_str(&csv_line(&row, delimiter));
    }
    text
}
