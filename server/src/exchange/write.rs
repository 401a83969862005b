//! Tables out: CSV line by line, XLSX through a file that holds the rows, so that memory stays small. No cell of either
//! can become a formula.

use std::io::Write;

use crate::domain::import::cells::guarded;

/// What separates the cells of a CSV file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delimiter {
    /// As in RFC 4180.
    #[default]
    Comma,
    /// As Excel expects it in France.
    Semicolon,
}

impl Delimiter {
    const fn as_char(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Semicolon => ';',
        }
    }
}

/// What a CSV file begins with: Excel takes a file without it for Windows-1252.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// One line of CSV (RFC 4180), quoted throughout. A cell that begins like a formula gets an apostrophe first, which the
/// import takes away again.
#[must_use]
pub fn csv_line<S: AsRef<str>>(cells: impl IntoIterator<Item = S>, delimiter: Delimiter) -> String {
    let mut line = String::new();
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            line.push(delimiter.as_char());
        }
        line.push('"');
        line.push_str(&guarded(cell.as_ref()).replace('"', "\"\""));
        line.push('"');
    }
    line.push_str("\r\n");
    line
}

/// A workbook under way. Its rows lie in a temporary file, not in memory.
pub struct Workbook {
    book: rust_xlsxwriter::Workbook,
    next_row: u32,
}

impl std::fmt::Debug for Workbook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workbook").field("next_row", &self.next_row).finish_non_exhaustive()
    }
}

/// A workbook that cannot be written: usually a full disk, or more rows than Excel takes.
#[derive(Debug, thiserror::Error)]
#[error("workbook: {0}")]
pub struct Unwritable(#[from] rust_xlsxwriter::XlsxError);

impl Unwritable {
    /// The task that writes it ended before its time.
    pub(super) fn stopped() -> Self {
        Self(std::io::Error::other("stopped before its end").into())
    }
}

/// The widest column, in characters: beyond it a sheet is unpleasant to scroll.
const COLUMN_WIDTH: f64 = 22.0;

impl Workbook {
    /// Begins a workbook of one sheet with these headings, which stay in sight.
    pub fn new<S: AsRef<str>>(headings: &[S]) -> Result<Self, Unwritable> {
        let mut book = rust_xlsxwriter::Workbook::new();
        let bold = rust_xlsxwriter::Format::new().set_bold();
        let sheet = book.add_worksheet_with_constant_memory()?;
        for (column, heading) in (0..).zip(headings) {
            sheet.set_column_width(column, COLUMN_WIDTH)?;
            sheet.write_string_with_format(0, column, heading.as_ref(), &bold)?;
        }
        sheet.set_freeze_panes(1, 0)?;
        Ok(Self { book, next_row: 1 })
    }

    /// Adds a row of texts. A string cell of a workbook is never computed; the apostrophe stands there too, for the day
    /// on which somebody saves the sheet as CSV.
    pub fn push<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = S>) -> Result<(), Unwritable> {
        let sheet = self.book.worksheet_from_index(0)?;
        for (column, cell) in (0..).zip(cells) {
            let text = guarded(cell.as_ref());
            if !text.is_empty() {
                sheet.write_string(self.next_row, column, text.as_ref())?;
            }
        }
        self.next_row += 1;
        Ok(())
    }

    /// Writes it all.
    pub fn finish<W: Write + std::io::Seek + Send>(mut self, target: W) -> Result<(), Unwritable> {
        Ok(self.book.save_to_writer(target)?)
    }

    /// Writes it all into a file without a name, which disappears with its last user; ready to be read.
    pub(super) fn finish_in_file(self) -> Result<std::fs::File, Unwritable> {
        use std::io::Seek as _;
        let failed = |error: std::io::Error| Unwritable(error.into());
        let mut file = tempfile::tempfile().map_err(failed)?;
        self.finish(&mut file)?;
        file.rewind().map_err(failed)?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::read;

    const HOSTILE: [&str; 7] = ["=HYPERLINK(\"http://x\")", "+1", "-1", "@a", "'=a", "a=b", "c;d, \"e\""];

    #[test]
    fn no_cell_is_a_formula_and_no_quote_ends_it() {
        assert_eq!(
            csv_line(["=HYPERLINK(\"http://x\")", "+1", "-1", "@a", "\tb", "a=b", "c,d\n"], Delimiter::Comma),
            "\"'=HYPERLINK(\"\"http://x\"\")\",\"'+1\",\"'-1\",\"'@a\",\"'\tb\",\"a=b\",\"c,d\n\"\r\n"
        );
    }

    #[test]
    fn both_formats_are_read_back_as_they_were() {
        use crate::domain::import::cells::without_guard;
        let headings = ["a", "b", "c", "d", "e", "f", "g"];
        for delimiter in [Delimiter::Comma, Delimiter::Semicolon] {
            let csv =
                [BYTE_ORDER_MARK.to_owned(), csv_line(headings, delimiter), csv_line(HOSTILE, delimiter)].concat();
            let table = read::table(csv.as_bytes()).unwrap();
            assert_eq!(table.lines[0].cells.iter().map(|cell| without_guard(cell)).collect::<Vec<_>>(), HOSTILE);
        }
        let mut book = Workbook::new(&headings).unwrap();
        book.push(HOSTILE).unwrap();
        let mut bytes = std::io::Cursor::new(Vec::new());
        book.finish(&mut bytes).unwrap();
        let table = read::table(bytes.get_ref()).unwrap();
        assert_eq!(table.headings, headings);
        assert!(table.lines[0].cells.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])));
        assert_eq!(table.lines[0].cells.iter().map(|cell| without_guard(cell)).collect::<Vec<_>>(), HOSTILE);
    }
}
