//! Sheets of labels: where each label lies, and which devices a pasted list or a range of asset tags means.

use super::verdict::text_enum;

text_enum! {
    /// A format of label sheet that shops sell. A4, measured in micrometres below.
    pub enum SheetFormat {
        /// Avery L7160: 21 labels of 63.5 × 38.1 mm.
        L7160 = "l7160",
        /// Generic 70 × 37 mm, 3 × 8 without gaps (Avery 3474).
        Generic24 = "70x37",
        /// Avery L7651: 65 labels of 38.1 × 21.2 mm.
        L7651 = "l7651",
        /// Avery L4731: 189 labels of 25.4 × 10 mm: a QR code and the tag, no bar code.
        L4731 = "l4731",
    }
}

/// How the labels of a format lie on an A4 page, in micrometres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Labels side by side.
    pub columns: u32,
    /// Labels below one another.
    pub rows: u32,
    /// A label's width.
    pub width: u32,
    /// A label's height.
    pub height: u32,
    /// From one label's left edge to the next one's.
    pub pitch_x: u32,
    /// From one label's upper edge to the next one's.
    pub pitch_y: u32,
}

/// A4 in micrometres.
const PAGE: (u32, u32) = (210_000, 297_000);

impl SheetFormat {
    /// Its measures.
    #[must_use]
    pub const fn sheet(self) -> Sheet {
        let (columns, rows, width, height, gap) = match self {
            Self::L7160 => (3, 7, 63_500, 38_100, 2_540),
            Self::Generic24 => (3, 8, 70_000, 37_000, 0),
            Self::L7651 => (5, 13, 38_100, 21_200, 2_540),
            Self::L4731 => (7, 27, 25_400, 10_000, 2_540),
        };
        Sheet { columns, rows, width, height, pitch_x: width + gap, pitch_y: height }
    }

    /// Whether its labels are wide enough for a bar code of an asset tag that scanners read.
    #[must_use]
    pub const fn has_bar_code(self) -> bool {
        !matches!(self, Self::L4731)
    }
}

/// Where a label lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which page, from 0.
    pub page: u32,
    /// From the page's left edge, in micrometres.
    pub x: u32,
    /// From its upper edge, in micrometres.
    pub y: u32,
}

impl Sheet {
    /// Labels on one page.
    #[must_use]
    pub const fn labels(&self) -> u32 {
        self.columns * self.rows
    }

    /// The place of the `index`th label, from 0, where the first one takes the `start`th place, from 1: a sheet that was
    /// begun is used up.
    #[must_use]
    pub const fn place(&self, index: u32, start: u32) -> Place {
        let cell = index + start.saturating_sub(1);
        let (page, on_page) = (cell / self.labels(), cell % self.labels());
        let (column, row) = (on_page % self.columns, on_page / self.columns);
        // The labels stand in the middle of the page, as on every sheet that is sold.
        let left = (PAGE.0 - (self.columns - 1) * self.pitch_x - self.width) / 2;
        let top = (PAGE.1 - (self.rows - 1) * self.pitch_y - self.height) / 2;
        Place { page, x: left + column * self.pitch_x, y: top + row * self.pitch_y }
    }
}

/// Most labels in one document.
pub const MAX_LABELS: usize = 500;
/// Between the first and the last tag of a range.
const RANGE: &str = "..";

/// What one line of a pasted list asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The device with this tag, serial number or address: it must exist.
    One(String),
    /// Those of these tags that exist.
    Range(Vec<String>),
}

/// A list that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidList {
    /// More labels than one document holds.
    #[error("at most {MAX_LABELS} labels at once")]
    TooMany,
    /// A range whose ends do not belong together.
    #[error("{0:?} is no range: both ends have the same letters and as many digits, the last not before the first")]
    NoRange(String),
}

/// Reads a list: one code a line, or several between commas or semicolons; `CD-0001..CD-0040` is a range.
pub fn wanted(text: &str) -> Result<Vec<Wanted>, InvalidList> {
    let mut list = Vec::new();
    let mut labels = 0;
    for code in text.split(['\n', ',', ';']).map(str::trim).filter(|code| !code.is_empty()) {
        let next = if let Some((first, last)) = code.split_once(RANGE) {
            let tags = range(first.trim(), last.trim())
                .ok_or_else(|| InvalidList::NoRange(code.chars().take(60).collect()))?;
            labels += tags.len();
            Wanted::Range(tags)
        } else {
            labels += 1;
            Wanted::One(code.to_owned())
        };
        if labels > MAX_LABELS {
            return Err(InvalidList::TooMany);
        }
        list.push(next);
    }
    Ok(list)
}

/// The tags from `first` to `last`, which differ in the digits at their end; one more than is allowed where there are
/// too many.
fn range(first: &str, last: &str) -> Option<Vec<String>> {
    let split = |tag: &str| {
        let at = tag
            .rfind(|c: char| !c.is_ascii_digit())
            .map_or(0, |at| at + tag[at..].chars().next().map_or(1, char::len_utf8));
        let (letters, digits) = tag.split_at(at);
        Some((letters.to_owned(), digits.len(), digits.parse::<u64>().ok()?))
    };
    let ((letters, width, from), (other, as_wide, to)) = (split(first)?, split(last)?);
    if letters != other || width != as_wide || to < from {
        return None;
    }
    let most = u64::try_from(MAX_LABELS).unwrap_or(u64::MAX);
    Some((from..=to.min(from.saturating_add(most))).map(|number| format!("{letters}{number:0width$}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_lies_on_its_page_and_touches_no_other() {
        for format in SheetFormat::ALL {
            let sheet = format.sheet();
            let places: Vec<Place> = (0..=sheet.labels()).map(|index| sheet.place(index, 1)).collect();
            for place in &places {
                assert!(place.x + sheet.width <= PAGE.0 && place.y + sheet.height <= PAGE.1, "{format} {place:?}");
            }
            assert!(sheet.pitch_x >= sheet.width && sheet.pitch_y >= sheet.height);
            assert_eq!(places.last().map(|place| place.page), Some(1));
            // Left and right, above and below, the margins are the same.
            let (first, last) = (places[0], places[places.len() - 2]);
            assert_eq!(first.x, PAGE.0 - last.x - sheet.width, "{format}");
            assert_eq!(first.y, PAGE.1 - last.y - sheet.height, "{format}");
        }
        assert_eq!(SheetFormat::L7160.sheet().labels(), 21);
        assert_eq!(SheetFormat::L4731.sheet().labels(), 189);
    }

    #[test]
    fn a_sheet_that_was_begun_is_used_up() {
        let sheet = SheetFormat::L7160.sheet();
        assert_eq!(sheet.place(0, 4), sheet.place(3, 1));
        assert_eq!(sheet.place(0, 21).page, 0);
        assert_eq!(sheet.place(1, 21), Place { page: 1, ..sheet.place(0, 1) });
    }

    #[test]
    fn a_list_holds_codes_and_ranges() {
        let one = |code: &str| Wanted::One(code.to_owned());
        assert_eq!(wanted(" CD-1 \n\nCD-2; CD-3,x"), Ok(vec![one("CD-1"), one("CD-2"), one("CD-3"), one("x")]));
        let tags = |list: &[&str]| Wanted::Range(list.iter().map(|tag| (*tag).to_owned()).collect());
        assert_eq!(wanted("CD-0009..CD-0011"), Ok(vec![tags(&["CD-0009", "CD-0010", "CD-0011"])]));
        assert_eq!(wanted("7 .. 8"), Ok(vec![tags(&["7", "8"])]));
        assert_eq!(wanted("é9..é9"), Ok(vec![tags(&["é9"])]));
        for bad in ["CD-1..CE-2", "CD-1..CD-10", "CD-2..CD-1", "..", "A..B", "CD-1.."] {
            assert_eq!(wanted(bad), Err(InvalidList::NoRange(bad.to_owned())), "{bad}");
        }
        assert_eq!(wanted("0000..9999"), Err(InvalidList::TooMany));
        assert_eq!(wanted("0..99999999999999999999"), Err(InvalidList::NoRange("0..99999999999999999999".into())));
        assert_eq!(wanted(&"x\n".repeat(MAX_LABELS + 1)), Err(InvalidList::TooMany));
        assert_eq!(wanted(&"x\n".repeat(MAX_LABELS)).map(|list| list.len()), Ok(MAX_LABELS));
    }
}
