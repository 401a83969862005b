//! CSV in whatever encoding and with whatever delimiter a spreadsheet wrote it.

use std::borrow::Cow;

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{
    limits,
    read::{Sheet, Unreadable, kept},
};

/// Bytes at the beginning from which the encoding and the delimiter are told.
const LOOKED_AT: usize = 64 * 1024;
const DELIMITERS: [u8; 3] = *b";,\t";

/// Reads a CSV file into `sheet`.
pub(super) fn read(bytes: &[u8], sheet: &mut Sheet) -> Result<(), Unreadable> {
    let text = decode(bytes)?;
    let (text, first_line, told) = without_hint(&text);
    let delimiter = told.unwrap_or_else(|| delimiter(text));
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut lines = Lines { text: text.as_bytes(), seen: 0, line: 1 + first_line };
    // The text is valid UTF-8 and rows may be of any length: nothing else can fail.
    while reader.read_record(&mut record).map_err(|_| Unreadable::UnknownFormat)? {
        let start = record.position().and_then(|place| usize::try_from(place.byte()).ok()).unwrap_or(usize::MAX);
        let number = u32::try_from(lines.of(start)).unwrap_or(u32::MAX);
        // A line of delimiters alone has millions of cells: only those up to the last filled one are copied.
        let filled = record.len() - record.iter().rev().take_while(|cell| cell.trim().is_empty()).count();
        if filled > limits::MAX_COLUMNS {
            return Err(Unreadable::TooManyColumns);
        }
        sheet.push(number, record.iter().take(filled).map(|cell| kept(cell).to_owned()).collect())?;
    }
    Ok(())
}

/// Counts lines as text editors do. The reader's own count stands still at the line feed of `\r\n`, and before empty
/// lines.
struct Lines<'a> {
    text: &'a [u8],
    seen: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line on which the record stands that was read from `start` on.
    fn of(&mut self, start: usize) -> u64 {
        let mut start = start.min(self.text.len());
        while self.text.get(start).is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
            start += 1;
        }
        let passed = self.text.get(self.seen..start).unwrap_or_default();
        self.line += passed.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        self.seen = self.seen.max(start);
        self.line
    }
}

/// The text: by its byte order mark, else UTF-8 where it is valid, else UTF-16 where every other byte is zero, else
/// Windows-1252, which Excel writes in France.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Unreadable> {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        return Ok(encoding.decode_without_bom_handling(&bytes[mark..]).0);
    }
    let start = &bytes[..bytes.len().min(LOOKED_AT)];
    let zeros = |offset: usize| start.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), start.len() / 2);
    if even + odd > 0 {
        return match (even, odd) {
            (even, odd) if odd > half / 2 && even == 0 => Ok(UTF_16LE.decode_without_bom_handling(bytes).0),
            (even, odd) if even > half / 2 && odd == 0 => Ok(UTF_16BE.decode_without_bom_handling(bytes).0),
            _ => Err(Unreadable::UnknownFormat),
        };
    }
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    })
}

/// The text without Excel's `sep=;` line, the lines passed over, and what it says.
fn without_hint(text: &str) -> (&str, u64, Option<u8>) {
    let Some(rest) = text.strip_prefix("sep=") else { return (text, 0, None) };
    let Some((hint, rest)) = rest.split_once('\n') else { return (text, 0, None) };
    match hint.trim_end_matches('\r').as_bytes() {
        [delimiter] => (rest, 1, Some(*delimiter)),
        _ => (text, 0, None),
    }
}

/// The delimiter that stands most often in the first line, outside quotes.
fn delimiter(text: &str) -> u8 {
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut quoted = false;
    for byte in text.trim_start_matches(['\r', '\n']).bytes().take(LOOKED_AT) {
        match byte {
            b'"' => quoted = !quoted,
            b'\r' | b'\n' if !quoted => break,
            other if !quoted => {
                if let Some(place) = DELIMITERS.iter().position(|delimiter| *delimiter == other) {
                    counts[place] += 1;
                }
            }
            _ => {}
        }
    }
    let best = (0..DELIMITERS.len()).rev().max_by_key(|place| counts[*place]).unwrap_or(0);
    DELIMITERS[best]
}
