//! Parts: what repairs are made with, bought or taken from units that are given up.

use super::{verdict::text_enum, work_order::checklist::Check};

text_enum! {
    /// What a part is.
    pub enum PartKind {
        /// A battery.
        Battery = "battery",
        /// A drive. One that was harvested is erased with its unit, or waived with it.
        Drive = "drive",
        /// A memory module.
        Memory = "memory",
        /// A screen.
        Screen = "screen",
        /// A keyboard.
        Keyboard = "keyboard",
        /// A trackpad.
        Trackpad = "trackpad",
        /// A pair of hinges.
        Hinges = "hinges",
        /// A board or cable with sockets.
        Ports = "ports",
        /// A camera.
        Camera = "camera",
        /// A loudspeaker or microphone.
        Sound = "sound",
        /// A Wi-Fi card.
        WiFi = "wifi",
        /// A charger.
        Charger = "charger",
        /// A part of the casing.
        Casing = "casing",
        /// A fan.
        Fan = "fan",
        /// Anything else.
        Other = "other",
    }
}

impl PartKind {
    /// Most pieces of this kind that one unit has: two modules of memory, two drives (M.2 and 2.5 inches), a hinge and a
    /// board with sockets on either side, a loudspeaker and a microphone; a casing in four shells. What is named by nothing
    /// else is as many at most. Of everything else there is one. What is counted beyond that did not come out of the unit.
    #[must_use]
    pub const fn most_of(self) -> i64 {
        match self {
            Self::Memory | Self::Drive | Self::Hinges | Self::Ports | Self::Sound => 2,
            Self::Casing | Self::Other => 4,
            Self::Battery
            | Self::Screen
            | Self::Keyboard
            | Self::Trackpad
            | Self::Camera
            | Self::WiFi
            | Self::Charger
            | Self::Fan => 1,
        }
    }

    /// The check of an inspection that looks at it; none where none does.
    #[must_use]
    pub const fn check(self) -> Option<Check> {
        Some(match self {
            Self::Battery => Check::Battery,
            Self::Screen => Check::Screen,
            Self::Keyboard => Check::Keyboard,
            Self::Trackpad => Check::Trackpad,
            Self::Hinges => Check::Hinges,
            Self::Ports => Check::Ports,
            Self::Camera => Check::Camera,
            Self::Sound => Check::Sound,
            Self::WiFi => Check::WiFi,
            Self::Charger => Check::Charger,
            Self::Casing => Check::Casing,
            Self::Drive | Self::Memory | Self::Fan | Self::Other => return None,
        })
    }
}

text_enum! {
    /// Where a part comes from.
    pub enum Origin {
        /// Bought.
        Bought = "bought",
        /// Taken from a unit.
        Harvested = "harvested",
    }
}

/// Longest name of a model, in characters.
pub const MAX_MODEL_CHARS: usize = 120;
/// Most pieces of a part that are counted: a year's batteries for 21,000 laptops stay below.
pub const MAX_COUNT: i64 = 10_000;
/// Highest price of a piece, in cents: 2,000 €, above that of a new laptop.
pub const MAX_UNIT_CENTS: i64 = 200_000;

/// A part to put into stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPart {
    /// What it is.
    pub kind: PartKind,
    /// The model it fits; none fits any.
    pub model: Option<String>,
    /// The price of a piece, in cents.
    pub unit_cents: i64,
    /// How many.
    pub count: i64,
}

/// Why a part is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPart {
    /// The model's name.
    #[error("a model has at most {MAX_MODEL_CHARS} printable characters")]
    Model,
    /// The price.
    #[error("a price lies between 0 and {MAX_UNIT_CENTS} cents")]
    Price,
    /// The count.
    #[error("a count is a whole number up to {MAX_COUNT}")]
    Count,
}

impl NewPart {
    /// A part whose values make sense.
    pub fn new(kind: PartKind, model: &str, unit_cents: i64, count: i64) -> Result<Self, InvalidPart> {
        let model = model.trim();
        if model.chars().count() > MAX_MODEL_CHARS || model.contains(char::is_control) {
            return Err(InvalidPart::Model);
        }
        if !(0..=MAX_UNIT_CENTS).contains(&unit_cents) {
            return Err(InvalidPart::Price);
        }
        if !(1..=MAX_COUNT).contains(&count) {
            return Err(InvalidPart::Count);
        }
        Ok(Self { kind, model: Some(model.to_owned()).filter(|model| !model.is_empty()), unit_cents, count })
    }
}

/// A price as typed, in euros with at most two decimals (`54`, `54,9`, `54.90`), in cents.
#[must_use]
pub fn cents(text: &str) -> Option<i64> {
    let text = text.trim().trim_end_matches('€').trim_end();
    let (euros, decimals) = text.split_once([',', '.']).unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if euros.is_empty() || euros.len() > 6 || decimals.len() > 2 || !digits(euros) || !digits(decimals) {
        return None;
    }
    let euros: i64 = euros.parse().ok()?;
    let cents: i64 = format!("{decimals:0<2}").parse().ok()?;
    Some(euros * 100 + cents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_as_people_write_them() {
        for (text, expected) in
            [("54", 5400), ("54,9", 5490), (" 54.90 € ", 5490), ("0", 0), ("0,05", 5), ("1999,99", 199_999)]
        {
            assert_eq!(cents(text), Some(expected), "{text}");
        }
        for text in ["", "-1", "1,234", "1e3", "a", ",5", "9999999", "5,-1"] {
            assert_eq!(cents(text), None, "{text}");
        }
    }

    #[test]
    fn every_check_of_a_bench_is_of_one_kind_of_part() {
        for check in Check::ALL {
            let kinds: Vec<_> = PartKind::ALL.iter().filter(|kind| kind.check() == Some(*check)).collect();
            assert_eq!(kinds.len(), 1, "{check}");
            assert_eq!(kinds[0].as_str(), check.as_str());
        }
        assert!(PartKind::ALL.iter().all(|kind| (1..=4).contains(&kind.most_of())));
    }

    #[test]
    fn a_part_that_makes_no_sense_is_refused() {
        let new = |model: &str, cents, count| NewPart::new(PartKind::Battery, model, cents, count);
        assert_eq!(new("  ", 100, 1).unwrap().model, None);
        assert_eq!(new(&"m".repeat(MAX_MODEL_CHARS + 1), 100, 1), Err(InvalidPart::Model));
        assert_eq!(new("m", -1, 1), Err(InvalidPart::Price));
        assert_eq!(new("m", MAX_UNIT_CENTS + 1, 1), Err(InvalidPart::Price));
        assert_eq!(new("m", 0, 0), Err(InvalidPart::Count));
        assert_eq!(new("m", 0, MAX_COUNT + 1), Err(InvalidPart::Count));
    }
}
