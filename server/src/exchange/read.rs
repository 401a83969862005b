//! A file as a table: headings and lines, whatever its format, encoding and delimiter.

use super::{
    limits::{self, Bounds},
    text, workbook,
};
use crate::domain::import::cells::Line;

/// A file that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The first line that is not empty.
    pub headings: Vec<String>,
    /// The lines below that are not empty.
    pub lines: Vec<Line>,
}

/// Why a file cannot be read, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Nothing in it.
    #[error("the file has no rows: the first line holds the headings, the others the data")]
    Empty,
    /// Too many bytes.
    #[error("the file is larger than {} MiB: split it", limits::MAX_FILE_BYTES >> 20)]
    TooLarge,
    /// Too many rows.
    #[error("the file has more than {} rows: split it", limits::MAX_ROWS)]
    TooManyRows,
    /// Too many columns.
    #[error("the file has more than {} columns: keep those that you import", limits::MAX_COLUMNS)]
    TooManyColumns,
    /// Neither a text nor a workbook.
    #[error("this is neither CSV nor XLSX: save the table as CSV (UTF-8) or as an Excel workbook (.xlsx)")]
    UnknownFormat,
    /// An old workbook.
    #[error(
        "this is an old Excel workbook (.xls), an OpenDocument one or a protected one: save it as .xlsx, without a password"
    )]
    OldWorkbook,
    /// A workbook that cannot be read.
    #[error("this workbook is damaged: open it, save it as .xlsx or as CSV and send that")]
    DamagedWorkbook,
    /// A file that becomes far larger in memory than it should.
    #[error(
        "this file unpacks to far more than its rows need: keep the columns that are used, or save the sheet as CSV"
    )]
    Bomb,
}

impl Unreadable {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Empty,
        Self::TooLarge,
        Self::TooManyRows,
        Self::TooManyColumns,
        Self::UnknownFormat,
        Self::OldWorkbook,
        Self::DamagedWorkbook,
        Self::Bomb,
    ];

    /// Its name in the catalogues.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLarge => "too-large",
            Self::TooManyRows => "too-many-rows",
            Self::TooManyColumns => "too-many-columns",
            Self::UnknownFormat => "unknown-format",
            Self::OldWorkbook => "old-workbook",
            Self::DamagedWorkbook => "damaged-workbook",
            Self::Bomb => "bomb",
        }
    }
}

/// Reads a file whose first line holds the headings.
pub fn table(bytes: &[u8]) -> Result<Table, Unreadable> {
    within(bytes, Bounds::OF_TABLE)
        .and_then(|table| if table.lines.is_empty() { Err(Unreadable::Empty) } else { Ok(table) })
}

/// Reads a short list, which may have no headings: its first line, whatever it is, then stands in their place.
pub fn list(bytes: &[u8]) -> Result<Table, Unreadable> {
    within(bytes, Bounds::OF_LIST)
}

fn within(bytes: &[u8], bounds: Bounds) -> Result<Table, Unreadable> {
    if bytes.len() > limits::MAX_FILE_BYTES {
        return Err(Unreadable::TooLarge);
    }
    let mut sheet = Sheet { table: Table::default(), left: bounds.cells };
    if bytes.starts_with(b"PK\x03\x04") {
        workbook::read(bytes, bounds.unpacked, &mut sheet)?;
    } else if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return Err(Unreadable::OldWorkbook);
    } else {
        text::read(bytes, &mut sheet)?;
    }
    if sheet.table.headings.is_empty() { Err(Unreadable::Empty) } else { Ok(sheet.table) }
}

/// The part of a cell's text that is kept, looked at before anything is copied.
pub(super) fn kept(text: &str) -> &str {
    text.char_indices().nth(limits::MAX_CELL_CHARS).map_or(text, |(cut, _)| &text[..cut])
}

/// A table while it is read.
#[derive(Debug)]
pub(super) struct Sheet {
    table: Table,
    /// Bytes of cells that may still come.
    left: usize,
}

impl Sheet {
    /// Takes the next line, its cells [`kept`]; empty ones are passed over, the first other one holds the headings.
    pub(super) fn push(&mut self, number: u32, mut cells: Vec<String>) -> Result<(), Unreadable> {
        while cells.last().is_some_and(|cell| cell.trim().is_empty()) {
            cells.pop();
        }
        if cells.is_empty() {
            return Ok(());
        }
        if cells.len() > limits::MAX_COLUMNS {
            return Err(Unreadable::TooManyColumns);
        }
        let bytes: usize = cells.iter().map(|cell| size_of::<String>() + cell.len()).sum();
        self.left = self.left.checked_sub(bytes).ok_or(Unreadable::Bomb)?;
        if self.table.headings.is_empty() {
            self.table.headings = cells.into_iter().map(|cell| cell.trim().to_owned()).collect();
        } else if self.table.lines.len() == limits::MAX_ROWS {
            return Err(Unreadable::TooManyRows);
        } else {
            self.table.lines.push(Line { number, cells });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(bytes: &[u8]) -> (Vec<String>, Vec<(u32, Vec<String>)>) {
        let table = table(bytes).unwrap();
        (table.headings, table.lines.into_iter().map(|line| (line.number, line.cells)).collect())
    }

    #[test]
    fn every_usual_encoding_and_delimiter_gives_the_same_table() {
        let text = "Étiquette;Modèle\r\nA1;\"œuf; \"\"n° 1\"\"\r\nà part\"\r\n\r\nA2;L’été\r\n";
        let expected = cells(text.as_bytes());
        assert_eq!(expected.0, ["Étiquette", "Modèle"]);
        assert_eq!(expected.1[0], (2, vec!["A1".to_owned(), "œuf; \"n° 1\"\r\nà part".to_owned()]));
        assert_eq!(expected.1[1].0, 5);
        let utf16 = |units: Vec<[u8; 2]>| units.concat();
        let (windows, _, unmappable) = encoding_rs::WINDOWS_1252.encode(text);
        assert!(!unmappable);
        let variants: Vec<(&str, Vec<u8>)> = vec![
            ("UTF-8 with a mark", ["\u{feff}", text].concat().into_bytes()),
            ("UTF-16 LE with a mark", utf16(format!("\u{feff}{text}").encode_utf16().map(u16::to_le_bytes).collect())),
            ("UTF-16 BE with a mark", utf16(format!("\u{feff}{text}").encode_utf16().map(u16::to_be_bytes).collect())),
            ("UTF-16 LE", utf16(text.encode_utf16().map(u16::to_le_bytes).collect())),
            ("UTF-16 BE", utf16(text.encode_utf16().map(u16::to_be_bytes).collect())),
            ("Windows-1252", windows.into_owned()),
        ];
        for (name, bytes) in variants {
            assert_eq!(cells(&bytes), expected, "{name}");
        }
        for delimiter in [",", "\t"] {
            let text = text.replacen("Étiquette;", &format!("Étiquette{delimiter}"), 1);
            let text = text.replacen("A1;", &format!("A1{delimiter}"), 1).replacen("A2;", &format!("A2{delimiter}"), 1);
            assert_eq!(cells(text.as_bytes()), expected, "{delimiter:?}");
        }
    }

    #[test]
    fn what_excel_says_about_the_delimiter_counts() {
        assert_eq!(cells(b"sep=;\r\na,x;b\r\n1;2\r\n").0, ["a,x", "b"]);
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_reason() {
        assert_eq!(table(b""), Err(Unreadable::Empty));
        assert_eq!(table(b"serial;model\n\n"), Err(Unreadable::Empty));
        assert_eq!(list(b"A1;B1\n\n").map(|list| list.headings), Ok(vec!["A1".to_owned(), "B1".to_owned()]));
        assert_eq!(list(b"\n ;\n"), Err(Unreadable::Empty));
        assert_eq!(table(&[0xD0, 0xCF, 0x11, 0xE0, 0, 0]), Err(Unreadable::OldWorkbook));
        assert_eq!(table(b"PK\x03\x04nonsense"), Err(Unreadable::DamagedWorkbook));
        assert_eq!(table(b"a\0b\0\x01\x02\0\0\0\0\x03\n"), Err(Unreadable::UnknownFormat));
        let wide = vec!["x"; limits::MAX_COLUMNS + 1].join(";");
        assert_eq!(table(format!("{wide}\n{wide}\n").as_bytes()), Err(Unreadable::TooManyColumns));
        assert_eq!(table(&vec![b'x'; limits::MAX_FILE_BYTES + 1]), Err(Unreadable::TooLarge));
        let long = format!("a\n{}", "x\n".repeat(limits::MAX_ROWS + 1));
        assert_eq!(table(long.as_bytes()), Err(Unreadable::TooManyRows));
    }

    #[test]
    fn a_workbook_gives_its_first_sheet_with_days_and_numbers_as_people_see_them() {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        let day = rust_xlsxwriter::Format::new().set_num_format("dd/mm/yyyy");
        sheet.write_string(1, 0, "Étiquette").unwrap();
        sheet.write_string(1, 2, "Fin de garantie").unwrap();
        sheet.write_string(2, 0, "007").unwrap();
        sheet.write_number_with_format(2, 2, 46_272.0, &day).unwrap();
        sheet.write_number(4, 0, 12_345_678_901.0).unwrap();
        sheet.write_boolean(4, 2, true).unwrap();
        let (headings, lines) = cells(&book.save_to_buffer().unwrap());
        assert_eq!(headings, ["Étiquette", "", "Fin de garantie"]);
        let text = |list: &[&str]| list.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>();
        assert_eq!(lines, [(3, text(&["007", "", "2026-09-07"])), (5, text(&["12345678901", "", "true"]))]);
    }

    /// A workbook that holds one text once and names it in `rows` rows of `columns` cells.
    fn repeating(text: &str, rows: u32, columns: u16) -> Vec<u8> {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
            sheet.write_string(row, column, text).unwrap();
        }
        book.save_to_buffer().unwrap()
    }

    #[test]
    fn a_text_that_every_cell_names_is_cut_before_it_is_copied_and_counted_each_time() {
        let text = "é".repeat(32_767);
        let bytes = repeating(&text, 2, 150);
        let cell = limits::MAX_CELL_CHARS * 2 + size_of::<String>();
        let bounds = |cells| Bounds { unpacked: limits::MAX_UNPACKED_BYTES, cells };
        let table = within(&bytes, bounds(300 * cell)).unwrap();
        assert!(table.lines[0].cells.iter().all(|cell| cell.capacity() == limits::MAX_CELL_CHARS * 2));
        assert_eq!(within(&bytes, bounds(300 * cell - 1)), Err(Unreadable::Bomb));
        // What a referent may send: far less than the file names.
        let list = repeating(&text, 20, 150);
        assert!(list.len() < 1 << 20, "{}", list.len());
        assert_eq!(super::list(&list), Err(Unreadable::Bomb));
        // Empty cells cost their place too.
        let wide = format!("a\n{}", format!("{}x\n", ";".repeat(limits::MAX_COLUMNS - 1)).repeat(5_000));
        assert_eq!(super::list(wide.as_bytes()), Err(Unreadable::Bomb));
    }

    /// Found by fuzzing: calamine 0.38 multiplies the digits of a cell's row unchecked, which a debug build does not survive.
    #[test]
    fn a_cell_beyond_every_sheet_stops_nothing() {
        use std::io::{Cursor, Read as _, Write as _};
        let mut archive = zip::ZipArchive::new(Cursor::new(repeating("a", 2, 1))).unwrap();
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let mut changed = 0;
        for index in 0..archive.len() {
            let mut part = archive.by_index(index).unwrap();
            let mut text = String::new();
            part.read_to_string(&mut text).unwrap();
            changed += text.matches("r=\"A2\"").count();
            zip.start_file(part.name().unwrap().into_owned(), zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.replace("r=\"A2\"", "r=\"A99999999999\"").as_bytes()).unwrap();
        }
        assert_eq!(changed, 1);
        let read = table(&zip.finish().unwrap().into_inner());
        // Without checks of arithmetic the cell lies somewhere else in the sheet.
        assert_eq!(read.is_err(), cfg!(debug_assertions), "{read:?}");
    }

    #[test]
    fn a_workbook_that_unpacks_to_gigabytes_is_refused() {
        use std::io::Write as _;
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        zip.start_file("xl/worksheets/sheet1.xml", options).unwrap();
        let block = vec![b' '; 1 << 20];
        for _ in 0..=(limits::MAX_UNPACKED_BYTES >> 20) {
            zip.write_all(&block).unwrap();
        }
        let bytes = zip.finish().unwrap().into_inner();
        assert!(bytes.len() < 1 << 20, "{}", bytes.len());
        assert_eq!(table(&bytes), Err(Unreadable::Bomb));
    }
}
