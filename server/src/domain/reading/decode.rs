//! Bytes into text: UTF-8, or UTF-16 as Windows writes it, with a byte-order mark or without.

use super::Unreadable;

pub(super) fn text(bytes: &[u8]) -> Result<String, Unreadable> {
    let text = match bytes {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ if zeros(bytes, 1) => utf16(bytes, u16::from_le_bytes),
        _ if zeros(bytes, 0) => utf16(bytes, u16::from_be_bytes),
        // Accents of an older Windows become U+FFFD: no value that is read here has one.
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    // What /sys and C programs leave at the end.
    let text = text.trim_end_matches('\0');
    if text.trim().is_empty() {
        return Err(Unreadable::Empty);
    }
    if is_binary(text) { Err(Unreadable::Binary) } else { Ok(text.to_owned()) }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair)).collect();
    let text = String::from_utf16_lossy(&units);
    text.strip_prefix('\u{FEFF}').map_or_else(|| text.clone(), str::to_owned)
}

/// Whether nearly every second byte, from `first` on, is zero: Latin text in UTF-16 without a mark.
fn zeros(bytes: &[u8], first: usize) -> bool {
    const ENOUGH: usize = 16;
    let head = bytes.get(..bytes.len().min(512)).unwrap_or_default();
    let pairs = head.len() / 2;
    let count = |from: usize| head.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    pairs >= ENOUGH && count(first) * 10 >= pairs * 9 && count(1 - first) == 0
}

/// Characters that are enough to tell text from what is none.
const LOOKED_AT: usize = 4_096;

/// Text has no zeros, and few characters that cannot be shown.
fn is_binary(text: &str) -> bool {
    let odd =
        |c: &char| (c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{1B}')) || *c == char::REPLACEMENT_CHARACTER;
    let head = || text.chars().take(LOOKED_AT);
    text.contains('\0') || head().filter(odd).count() * 10 > head().count()
}
