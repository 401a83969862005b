//! Text that came from a machine: bounded, without control or direction-changing characters.
//!
//! Firmware writes odd things. A laptop must not fall silent because its model name holds a NUL, so such text is
//! made harmless instead of being refused: what cannot be shown becomes U+FFFD, what is too long is cut.

use serde::{Deserialize, Deserializer, Serialize};

use crate::{describe::Described, limits::MAX_TEXT_CHARS};

/// What stands between two sentences.
const SENTENCE_END: &str = ". ";

/// What stands in the place of words that are left out.
const ELLIPSIS: char = '…';

/// A cleaned text of at most [`MAX_TEXT_CHARS`] characters; may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Text(String);

impl Text {
    /// Cleans `raw`: trims it, joins runs of white space, replaces what cannot be shown, cuts what is too long.
    pub fn clean(raw: &str) -> Self {
        Self(cleaned(raw, MAX_TEXT_CHARS))
    }

    /// Cleans `raw` as [`Text::clean`] does, but ends what is too long where a sentence ends, or else a word, and says by
    /// an ellipsis that more followed a word: half a number is another number.
    pub fn in_whole_words(raw: &str) -> Self {
        // Twice as much tells whether more follows.
        let all = cleaned(raw, MAX_TEXT_CHARS * 2);
        let Some((end, _)) = all.char_indices().nth(MAX_TEXT_CHARS) else { return Self(all) };
        let head = all.get(..end).unwrap_or_default();
        // A sentence that ends in the first half would cost too many words.
        let sentence = head.rfind(SENTENCE_END).map(|at| at + 1).filter(|at| *at > end / 2);
        if let Some(sentence) = sentence {
            return Self(head.get(..sentence).unwrap_or_default().to_owned());
        }
        let short: String = head.chars().take(MAX_TEXT_CHARS - 1).collect();
        let words = short.rsplit_once(' ').map_or(short.as_str(), |(words, _)| words);
        Self(format!("{}{ELLIPSIS}", words.trim_end_matches(|c: char| !c.is_alphanumeric())))
    }

    /// Cleans `raw`, absent when nothing is left or when it is a placeholder that a board maker left in place
    /// (see [`is_placeholder`]).
    pub fn meaningful(raw: &str) -> Option<Self> {
        let text = Self::clean(raw);
        (!is_placeholder(text.as_str())).then_some(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|raw| Self::clean(&raw))
    }
}

impl Described for Text {
    const UNIT: &'static str = "text";
}

/// `raw` with white space joined, unshowable characters replaced and everything past `max_chars` cut.
pub(crate) fn cleaned(raw: &str, max_chars: usize) -> String {
    // Only the head can survive: a 64 KB name costs no more than a short one.
    let head: String = raw.chars().take(max_chars * 4).collect();
    let shown: String = head
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .map(|c| if is_unshowable(c) { char::REPLACEMENT_CHARACTER } else { c })
        .take(max_chars)
        .collect();
    shown.trim_end().to_owned()
}

/// Control characters, and the invisible ones that reorder or hide text (Trojan Source, CVE-2021-42574).
pub fn is_unshowable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
}

/// Whether `text` is what a maker leaves in an SMBIOS field that nobody filled in. Compared without case.
///
/// The list is what linuxhw/DMI and GLPI's dumps show for school laptops and white-box boards.
pub fn is_placeholder(text: &str) -> bool {
    const PLACEHOLDERS: &[&str] = &[
        "to be filled by o.e.m.",
        "to be filled by o.e.m",
        "tobefilledbyo.e.m.",
        "default string",
        "not specified",
        "not applicable",
        "not available",
        "system serial number",
        "system manufacturer",
        "system product name",
        "system version",
        "chassis serial number",
        "base board serial number",
        "serial number",
        "none",
        "n/a",
        "na",
        "null",
        "unknown",
        "undefined",
        "invalid",
        "oem",
        "o.e.m.",
        "empty",
        "123456789",
        "0123456789",
        "1234567890",
        "filled by oem",
        "no asset tag",
        "asset-1234567890",
        "xxxxxxxxxx",
        "type1productconfigid",
        "insyde",
        "sn",
        // What people write over a number before they share a reading.
        "redacted",
        "masked",
        "hidden",
        "removed",
    ];
    let folded = text.trim().to_ascii_lowercase();
    let mut characters = folded.chars().filter(|c| c.is_alphanumeric());
    let first = characters.next();
    let repeats_one = first.is_some_and(|first| matches!(first, '0' | 'f' | 'x') && characters.all(|c| c == first));
    first.is_none() || repeats_one || PLACEHOLDERS.contains(&folded.as_str())
}

/// An error and its causes in one line, the error first. Many tell their cause themselves: what was said is not said again.
#[must_use]
pub fn said_once(causes: impl IntoIterator<Item = String>) -> String {
    causes.into_iter().fold(String::new(), |said, cause| {
        if said.is_empty() {
            cause
        } else if said.contains(&cause) {
            said
        } else {
            format!("{said}: {cause}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn placeholders_become_absent() {
        for raw in
            ["To be filled by O.E.M.", "Default string", " ", "0", "0000000", "FFFF-FFFF", "None", "XXXXXXX", "--"]
        {
            assert_eq!(Text::meaningful(raw), None, "{raw}");
        }
        for raw in ["PF2ABCDE", "0A1B", "Latitude 3190 2-in-1", "F0"] {
            assert_eq!(Text::meaningful(raw).unwrap().as_str(), raw);
        }
    }

    #[test]
    fn long_and_hostile_text_is_made_harmless() {
        let long: Text = serde_json::from_str(&format!("\"{}\"", "A".repeat(64 * 1024))).unwrap();
        assert_eq!(long.as_str().chars().count(), MAX_TEXT_CHARS);
        let nul: Text = serde_json::from_str(r#""a\u0000b\u202Ec""#).unwrap();
        assert_eq!(nul.as_str(), "a\u{FFFD}b\u{FFFD}c");
        assert!(serde_json::from_str::<Text>(r#""\ud800""#).is_err(), "a lone surrogate is no text");
    }

    #[test]
    fn a_long_text_ends_with_a_sentence_or_a_word() {
        let chain = "client error (Connect): tunnel error: failed to create underlying connection: tcp connect error: Connection refused (os error 111)";
        assert_eq!(
            Text::in_whole_words(chain).as_str(),
            "client error (Connect): tunnel error: failed to create underlying connection: tcp connect error: Connection refused (os error…"
        );
        assert!(Text::clean(chain).as_str().ends_with("11"), "the number that it is not");
        let first = format!("{}.", "word ".repeat(20).trim_end());
        assert_eq!(
            Text::in_whole_words(&format!("{first} {first}")).as_str(),
            first,
            "a sentence that fits stands alone"
        );
        let early = format!("HTTP 403. {}", "word ".repeat(40));
        assert!(Text::in_whole_words(&early).as_str().ends_with("word…"), "{}", Text::in_whole_words(&early));
        assert_eq!(Text::in_whole_words("Asset 12.").as_str(), "Asset 12.", "what is short stays as it is");
        assert_eq!(Text::in_whole_words(&"9".repeat(500)).as_str().chars().count(), MAX_TEXT_CHARS);
    }

    proptest! {
        #[test]
        fn whole_words_are_bounded_and_a_short_text_loses_nothing(raw in ".{0,400}") {
            let text = Text::in_whole_words(&raw);
            prop_assert!(text.as_str().chars().count() <= MAX_TEXT_CHARS);
            if raw.chars().count() <= MAX_TEXT_CHARS {
                prop_assert_eq!(text, Text::clean(&raw));
            }
        }

        #[test]
        fn cleaning_is_idempotent_and_bounded(raw in ".{0,400}") {
            let once = Text::clean(&raw);
            prop_assert!(once.as_str().chars().count() <= MAX_TEXT_CHARS);
            prop_assert_eq!(Text::clean(once.as_str()), once);
        }
    }
}
