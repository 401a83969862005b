//! What is looked at on the bench: a list of checks for each kind of device, each answered by what staff found.
//!
//! A list without a gap: what was not looked at is not passed. A machine's own claims are kept beside, and never replace
//! what a person saw.

use std::collections::{BTreeMap, BTreeSet};

use cartable_common::report::Chassis;
use serde::{Deserialize, Serialize};

use crate::domain::verdict::text_enum;

text_enum! {
    /// One thing that is looked at.
    pub enum Check {
        /// Its display: cracks, dead pixels, stains, light; on tablets touch too.
        Screen = "screen",
        /// Every key, each typed once.
        Keyboard = "keyboard",
        /// Pointer and clicks.
        Trackpad = "trackpad",
        /// Hold in every position, no play.
        Hinges = "hinges",
        /// Each socket with something plugged in.
        Ports = "ports",
        /// A picture from it.
        Camera = "camera",
        /// Loudspeakers, microphone, headphones.
        Sound = "sound",
        /// Finds networks and holds one.
        WiFi = "wifi",
        /// The one that goes with it charges it.
        Charger = "charger",
        /// Cracks, missing screws, marks, ink.
        Casing = "casing",
        /// Flat, holds; never swollen.
        Battery = "battery",
    }
}

text_enum! {
    /// What staff found.
    pub enum Finding {
        /// Works, no marks.
        Good = "good",
        /// Works, with marks of use.
        Marked = "marked",
        /// Does not work.
        Faulty = "faulty",
        /// Is not there.
        Missing = "missing",
        /// Is swollen: a fire hazard. Batteries only.
        Swollen = "swollen",
    }
}

text_enum! {
    /// Which list of checks a device has.
    pub enum Kind {
        /// With keyboard, hinges and battery.
        Laptop = "laptop",
        /// A screen and a battery.
        Tablet = "tablet",
        /// A casing with sockets.
        Desktop = "desktop",
    }
}

impl Kind {
    /// The kind of a chassis; what is not known is looked at as a laptop, the longest list.
    #[must_use]
    pub const fn of(chassis: Option<Chassis>) -> Self {
        match chassis {
            Some(Chassis::Tablet) => Self::Tablet,
            Some(Chassis::Desktop | Chassis::Server | Chassis::Virtual) => Self::Desktop,
            Some(_) | None => Self::Laptop,
        }
    }

    /// What is looked at, in the order of the hands: outside, open, switched on.
    #[must_use]
    pub const fn checks(self) -> &'static [Check] {
        use Check::{Battery, Camera, Casing, Charger, Hinges, Keyboard, Ports, Screen, Sound, Trackpad, WiFi};
        match self {
            Self::Laptop => &[Battery, Casing, Hinges, Charger, Screen, Keyboard, Trackpad, Ports, Camera, Sound, WiFi],
            Self::Tablet => &[Battery, Casing, Charger, Screen, Ports, Camera, Sound, WiFi],
            Self::Desktop => &[Casing, Charger, Ports, Sound, WiFi],
        }
    }
}

impl Check {
    /// What may be found.
    #[must_use]
    pub const fn answers(self) -> &'static [Finding] {
        match self {
            Self::Battery => &[Finding::Good, Finding::Marked, Finding::Faulty, Finding::Missing, Finding::Swollen],
            Self::Charger
            | Self::Camera
            | Self::WiFi
            | Self::Screen
            | Self::Keyboard
            | Self::Trackpad
            | Self::Hinges
            | Self::Ports
            | Self::Sound
            | Self::Casing => &[Finding::Good, Finding::Marked, Finding::Faulty, Finding::Missing],
        }
    }
}

/// The keys of a French laptop's keyboard, row by row: what "every key" means. Ids are stable; labels are what is printed
/// on them (NF Z71-300, AZERTY; keypads are left out, laptops of the fleet have none).
pub const KEYS: [&[&str]; 6] = [
    &["Esc", "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12", "Suppr"],
    &["²", "1", "2", "3", "4", "5", "6", "7", "8", "9", "0", ")", "=", "Retour"],
    &["Tab", "A", "Z", "E", "R", "T", "Y", "U", "I", "O", "P", "^", "$", "Entrée"],
    &["Verr", "Q", "S", "D", "F", "G", "H", "J", "K", "L", "M", "ù", "*"],
    &["Maj G", "<", "W", "X", "C", "V", "B", "N", ",", ";", ":", "!", "Maj D"],
    &["Ctrl", "Fn", "Win", "Alt", "Espace", "AltGr", "←", "↑", "↓", "→"],
];

/// Longest note of an inspection, in characters: what the checks do not say, never who had the device.
pub const MAX_NOTE_CHARS: usize = 500;

/// What an inspection or a final test found. Always whole: see [`Findings::new`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Which list was gone through.
    pub kind: Kind,
    /// Each check of the list with what was found.
    pub found: BTreeMap<Check, Finding>,
    /// Keys that do not answer, of [`KEYS`].
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub dead_keys: BTreeSet<String>,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Why findings are not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFindings {
    /// A check was not answered.
    #[error("{0} was not looked at: every check needs an answer")]
    Unanswered(Check),
    /// A check that this kind of device does not have, or an answer that this check does not have.
    #[error("{0} has no such answer on this kind of device")]
    Impossible(Check),
    /// Dead keys on a keyboard that is said to work, or no such key.
    #[error("a keyboard with a dead key does not work: answer faulty, and name keys that exist")]
    DeadKeys,
    /// Too long, or unprintable.
    #[error("a note has at most {MAX_NOTE_CHARS} printable characters")]
    Note,
}

impl Findings {
    /// Findings that answer the whole list of `kind`, and nothing else.
    pub fn new(
        kind: Kind,
        found: BTreeMap<Check, Finding>,
        dead_keys: BTreeSet<String>,
        note: &str,
    ) -> Result<Self, InvalidFindings> {
        for check in kind.checks() {
            let finding = found.get(check).ok_or(InvalidFindings::Unanswered(*check))?;
            if !check.answers().contains(finding) {
                return Err(InvalidFindings::Impossible(*check));
            }
        }
        if let Some(check) = found.keys().find(|check| !kind.checks().contains(check)) {
            return Err(InvalidFindings::Impossible(*check));
        }
        let known = |key: &String| KEYS.iter().any(|row| row.contains(&key.as_str()));
        let keyboard = found.get(&Check::Keyboard);
        if !dead_keys.is_empty() && (keyboard != Some(&Finding::Faulty) || !dead_keys.iter().all(known)) {
            return Err(InvalidFindings::DeadKeys);
        }
        let note = note.trim().replace("\r\n", "\n");
        let unprintable = note.contains(|c: char| c.is_control() && c != '\n');
        if note.chars().count() > MAX_NOTE_CHARS || unprintable {
            return Err(InvalidFindings::Note);
        }
        Ok(Self { kind, found, dead_keys, note })
    }

    /// Whether the battery is swollen.
    #[must_use]
    pub fn swollen(&self) -> bool {
        self.found.values().any(|finding| *finding == Finding::Swollen)
    }

    /// What must be repaired or supplied before the unit works.
    pub fn faults(&self) -> impl Iterator<Item = Check> {
        let bad = |finding: Finding| matches!(finding, Finding::Faulty | Finding::Missing | Finding::Swollen);
        self.found.iter().filter(move |(_, finding)| bad(**finding)).map(|(check, _)| *check)
    }

    /// What has marks of use.
    pub fn marks(&self) -> impl Iterator<Item = Check> {
        self.found.iter().filter(|(_, finding)| **finding == Finding::Marked).map(|(check, _)| *check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(kind: Kind, finding: Finding) -> BTreeMap<Check, Finding> {
        kind.checks().iter().map(|check| (*check, finding)).collect()
    }

    #[test]
    fn a_list_without_a_gap_and_nothing_that_is_not_on_it() {
        for kind in Kind::ALL {
            let found = all(*kind, Finding::Good);
            assert!(Findings::new(*kind, found.clone(), BTreeSet::new(), "").is_ok(), "{kind}");
            for check in kind.checks() {
                let mut gap = found.clone();
                gap.remove(check);
                let refused = Findings::new(*kind, gap, BTreeSet::new(), "");
                assert_eq!(refused, Err(InvalidFindings::Unanswered(*check)), "{kind}");
            }
            let on_list = |check: &&Check| !kind.checks().contains(check);
            for check in Check::ALL.iter().filter(on_list) {
                let mut more = found.clone();
                more.insert(*check, Finding::Good);
                let refused = Findings::new(*kind, more, BTreeSet::new(), "");
                assert_eq!(refused, Err(InvalidFindings::Impossible(*check)), "{kind}");
            }
        }
    }

    #[test]
    fn only_batteries_swell() {
        let mut found = all(Kind::Laptop, Finding::Good);
        found.insert(Check::Screen, Finding::Swollen);
        let refused = Findings::new(Kind::Laptop, found, BTreeSet::new(), "");
        assert_eq!(refused, Err(InvalidFindings::Impossible(Check::Screen)));
    }

    #[test]
    fn a_keyboard_with_one_dead_key_does_not_work() {
        let dead = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>();
        let mut found = all(Kind::Laptop, Finding::Good);
        let refused = Findings::new(Kind::Laptop, found.clone(), dead(&["A"]), "");
        assert_eq!(refused, Err(InvalidFindings::DeadKeys), "it cannot be good");
        found.insert(Check::Keyboard, Finding::Faulty);
        assert!(Findings::new(Kind::Laptop, found.clone(), dead(&["A", "Espace"]), "").is_ok());
        assert_eq!(Findings::new(Kind::Laptop, found, dead(&["£"]), ""), Err(InvalidFindings::DeadKeys), "no such key");
        let keys: Vec<&str> = KEYS.iter().flat_map(|row| row.iter().copied()).collect();
        let once: BTreeSet<&str> = keys.iter().copied().collect();
        assert_eq!(once.len(), keys.len(), "each key once");
    }

    #[test]
    fn notes_are_bounded_and_printable() {
        let with = |note: &str| Findings::new(Kind::Desktop, all(Kind::Desktop, Finding::Good), BTreeSet::new(), note);
        assert_eq!(with("  sent le café\r\nséché ").unwrap().note, "sent le café\nséché");
        assert_eq!(with(&"a".repeat(MAX_NOTE_CHARS + 1)), Err(InvalidFindings::Note));
        assert_eq!(with("a\u{7}"), Err(InvalidFindings::Note));
    }
}
