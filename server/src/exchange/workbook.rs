//! The first sheet of an Excel workbook that holds anything. What it unpacks to is measured before it is parsed.

use std::io::{Cursor, Read as _};

use calamine::{DataRef, Reader as _, Xlsx};

use super::{
    limits,
    read::{Sheet, Unreadable, kept},
};
use crate::fault;

/// Reads a workbook that may unpack to `most` bytes into `sheet`. calamine calculates with whatever a cell says of its place,
/// and panics at some numbers: such a workbook is damaged.
pub(super) fn read(bytes: &[u8], most: u64, sheet: &mut Sheet) -> Result<(), Unreadable> {
    measure(bytes, most)?;
    fault::contain_now("the reader of workbooks", || sheets(bytes, sheet)).unwrap_or(Err(Unreadable::DamagedWorkbook))
}

/// Reads the first sheet that holds anything.
fn sheets(bytes: &[u8], sheet: &mut Sheet) -> Result<(), Unreadable> {
    let damaged = |_| Unreadable::DamagedWorkbook;
    let mut book: Xlsx<Cursor<&[u8]>> = Xlsx::new(Cursor::new(bytes)).map_err(damaged)?;
    for name in book.sheet_names() {
        if read_sheet(&mut book, &name, sheet)? {
            break;
        }
    }
    Ok(())
}

/// Unpacks every part to nowhere, and stops at the limit: what a workbook says about its sizes may be a lie.
fn measure(bytes: &[u8], most: u64) -> Result<(), Unreadable> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| Unreadable::DamagedWorkbook)?;
    if archive.len() > limits::MAX_PARTS {
        return Err(Unreadable::Bomb);
    }
    let mut left = most;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|_| Unreadable::OldWorkbook)?;
        let unpacked = std::io::copy(&mut part.take(left + 1), &mut std::io::sink());
        let unpacked = unpacked.map_err(|_| Unreadable::DamagedWorkbook)?;
        left = left.checked_sub(unpacked).ok_or(Unreadable::Bomb)?;
    }
    Ok(())
}

/// Reads one sheet; whether it holds anything.
fn read_sheet(book: &mut Xlsx<Cursor<&[u8]>>, name: &str, sheet: &mut Sheet) -> Result<bool, Unreadable> {
    // Charts are sheets too, and have no cells.
    let Ok(mut reader) = book.worksheet_cells_reader(name) else { return Ok(false) };
    let mut row: Option<u32> = None;
    let mut cells: Vec<String> = Vec::new();
    while let Some(cell) = reader.next_cell().map_err(|_| Unreadable::DamagedWorkbook)? {
        let (at_row, at_column) = cell.get_position();
        if row != Some(at_row)
            && let Some(done) = row.replace(at_row)
        {
            sheet.push(done + 1, std::mem::take(&mut cells))?;
        }
        let text = text(cell.get_value());
        if text.is_empty() {
            continue;
        }
        let column = usize::try_from(at_column).unwrap_or(usize::MAX);
        if column >= limits::MAX_COLUMNS {
            return Err(Unreadable::TooManyColumns);
        }
        if cells.len() <= column {
            cells.resize(column + 1, String::new());
        }
        cells[column] = text;
    }
    let Some(done) = row else { return Ok(false) };
    sheet.push(done + 1, cells)?;
    Ok(true)
}

/// A cell as people see it: days as days, whole numbers without a fraction. Of a text only what is [`kept`] is copied:
/// any number of cells may name the same long one.
fn text(cell: &DataRef<'_>) -> String {
    match cell {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => kept(text).to_owned(),
        DataRef::SharedString(text) => kept(text).to_owned(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::DateTime(moment) if moment.is_datetime() => {
            let (year, month, day, ..) = moment.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        DataRef::DateTime(duration) => duration.as_f64().to_string(),
        // An error such as #N/A is not a value: the cell is as good as unreadable.
        DataRef::Error(_) => "\u{fffd}".to_owned(),
        DataRef::Empty => String::new(),
    }
}
