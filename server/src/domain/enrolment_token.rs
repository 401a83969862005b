//! Enrolment tokens: what a technician types to let laptops in. How one looks, what it may allow, and its hash.
//!
//! Randomness and the clock are arguments. Only the hash is ever stored; the text is shown once.

use cartable_common::{UtcMillis, limits::MAX_TOKEN_CHARS};
use sha2::{Digest as _, Sha256};

use super::verdict::text_enum;

/// Crockford's base 32: no I, L, O or U, which are misread or make words.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 26 characters of 5 bits: 130 random bits, which nobody guesses however long a token lives.
const RANDOM_CHARS: usize = 26;
/// 10 bits that find a mistyped character before the database is asked.
const CHECK_CHARS: usize = 2;
/// Characters in a group, as printed.
const GROUP: usize = 4;

/// Random bytes that a token is made from.
pub const RANDOM_BYTES: usize = 17;
/// Most laptops that one bulk token lets in: the largest school pool of a collège.
pub const MAX_BULK_CAP: u32 = 1_000;
/// Longest life of a one-time token in hours.
pub const MAX_ONE_TIME_HOURS: u32 = 72;
/// Longest life of a bulk token in hours: a delivery is unpacked within a month.
pub const MAX_BULK_HOURS: u32 = 31 * 24;
/// Life of a token in hours when nothing else is said: a working day and its night.
pub const DEFAULT_HOURS: u32 = 24;
/// Longest label in characters.
pub const MAX_LABEL_CHARS: usize = 80;
/// Longest programme code in characters.
pub const MAX_PROGRAMME_CHARS: usize = 40;

/// A token's text. Printing it through `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenText(String);

/// A typed text that cannot be a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not an enrolment token: it has 28 letters and digits in groups of four; check what was typed")]
pub struct Mistyped;

impl TokenText {
    /// The token that `random` makes.
    pub fn from_random(random: [u8; RANDOM_BYTES]) -> Self {
        let mut text = data_encoding::BASE32_NOPAD.encode(&random);
        // The encoding's own alphabet (A–Z, 2–7) is only a way to take five bits at a time.
        text.truncate(RANDOM_CHARS);
        let mut text: String = text.bytes().map(|b| letter(if b < b'A' { b - b'2' + 26 } else { b - b'A' })).collect();
        text.push_str(&check(&text));
        Self(text)
    }

    /// Reads what a person typed: case, spaces and hyphens do not matter, nor O for 0, I and L for 1.
    pub fn parse(typed: &str) -> Result<Self, Mistyped> {
        if typed.chars().count() > MAX_TOKEN_CHARS {
            return Err(Mistyped);
        }
        let mut text = String::with_capacity(RANDOM_CHARS + CHECK_CHARS);
        for character in typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '–' | '_')) {
            let plain = match character.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            if !ALPHABET.iter().any(|&b| char::from(b) == plain) {
                return Err(Mistyped);
            }
            text.push(plain);
        }
        let (random, typed_check) = text.split_at_checked(RANDOM_CHARS).ok_or(Mistyped)?;
        if typed_check == check(random) { Ok(Self(text)) } else { Err(Mistyped) }
    }

    /// What the database keeps instead of the token.
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl std::fmt::Display for TokenText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, character) in self.0.chars().enumerate() {
            if index > 0 && index % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{character}")?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for TokenText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenText([redacted])")
    }
}

fn letter(five_bits: u8) -> char {
    char::from(ALPHABET[usize::from(five_bits) % ALPHABET.len()])
}

fn check(random: &str) -> String {
    let digest = Sha256::digest(random.as_bytes());
    digest.iter().take(CHECK_CHARS).map(|byte| letter(byte % 32)).collect()
}

text_enum! {
    /// How often a token may be used.
    pub enum TokenKind {
        /// For one laptop.
        OneTime = "one_time",
        /// For a delivery of several.
        Bulk = "bulk",
    }
}

text_enum! {
    /// Which machines a token lets in without a person.
    #[derive(Default)]
    pub enum Admits {
        /// Every machine that nobody knows, and those that are recorded and awaited.
        #[default]
        Anyone = "anyone",
        /// Only those that are recorded and awaited; another waits for a person.
        Recorded = "recorded",
    }
}

/// What a token allows, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenTerms {
    label: String,
    kind: TokenKind,
    programme: Option<String>,
    cap: u32,
    expires_at: UtcMillis,
    admits: Admits,
}

/// Terms that no token may have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTerms {
    /// No label, one that is too long, or one with characters that cannot be shown.
    #[error("a token needs a label of 1 to {MAX_LABEL_CHARS} characters, so that people know what it was for")]
    Label,
    /// The programme code is empty or too long.
    #[error("a programme code has 1 to {MAX_PROGRAMME_CHARS} letters, digits, hyphens or underscores")]
    Programme,
    /// Not a number of laptops that a token may let in.
    #[error("a token lets in 1 to {MAX_BULK_CAP} laptops")]
    Cap,
    /// It would live too short or too long.
    #[error("a token for one laptop lives 1 to {MAX_ONE_TIME_HOURS} hours, one for several 1 to {MAX_BULK_HOURS}")]
    Life,
}

impl TokenTerms {
    /// Terms of a token for `cap` laptops (one makes it a one-time token) that ends `hours` after `now`.
    pub fn new(
        label: &str,
        programme: Option<&str>,
        cap: u32,
        hours: u32,
        now: UtcMillis,
    ) -> Result<Self, InvalidTerms> {
        let label = label.trim();
        if label.is_empty() || label.chars().count() > MAX_LABEL_CHARS || label.contains(char::is_control) {
            return Err(InvalidTerms::Label);
        }
        let programme = programme.map(str::trim);
        let code = |text: &str| {
            (1..=MAX_PROGRAMME_CHARS).contains(&text.len())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        };
        if programme.is_some_and(|text| !code(text)) {
            return Err(InvalidTerms::Programme);
        }
        let (kind, longest) = match cap {
            1 => (TokenKind::OneTime, MAX_ONE_TIME_HOURS),
            2..=MAX_BULK_CAP => (TokenKind::Bulk, MAX_BULK_HOURS),
            _ => return Err(InvalidTerms::Cap),
        };
        if !(1..=longest).contains(&hours) {
            return Err(InvalidTerms::Life);
        }
        Ok(Self {
            label: label.to_owned(),
            kind,
            programme: programme.map(str::to_owned),
            cap,
            expires_at: now.plus_millis(i64::from(hours) * 60 * 60 * 1000),
            admits: Admits::default(),
        })
    }

    /// The same, letting in these without a person.
    #[must_use]
    pub fn admitting(self, admits: Admits) -> Self {
        Self { admits, ..self }
    }

    /// Which machines it lets in without a person.
    pub const fn admits(&self) -> Admits {
        self.admits
    }

    /// What people call it.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// One laptop or several.
    pub const fn kind(&self) -> TokenKind {
        self.kind
    }

    /// Neutral code of the scheme its laptops belong to.
    pub fn programme(&self) -> Option<&str> {
        self.programme.as_deref()
    }

    /// How many laptops it lets in.
    pub const fn cap(&self) -> u32 {
        self.cap
    }

    /// From when on it lets none in.
    pub const fn expires_at(&self) -> UtcMillis {
        self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_is_read_back_as_people_type_it() {
        let token = TokenText::from_random([7; RANDOM_BYTES]);
        let printed = token.to_string();
        assert_eq!(printed.len(), 34);
        assert_eq!(TokenText::parse(&printed).unwrap(), token);
        let sloppy = printed.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        assert_eq!(TokenText::parse(&sloppy).unwrap(), token);
        assert_eq!(format!("{token:?}"), "TokenText([redacted])");
    }

    #[test]
    fn all_130_bits_matter() {
        let zero = TokenText::from_random([0; RANDOM_BYTES]);
        for bit in 0..130 {
            let mut random = [0; RANDOM_BYTES];
            random[bit / 8] = 0x80 >> (bit % 8);
            assert_ne!(TokenText::from_random(random).sha256(), zero.sha256(), "bit {bit}");
        }
    }

    #[test]
    fn terms_have_limits() {
        let now = UtcMillis::default();
        assert_eq!(TokenTerms::new("6e B", Some("ULIS"), 1, 24, now).unwrap().kind(), TokenKind::OneTime);
        let bulk = TokenTerms::new("6e B", None, 30, 24, now).unwrap();
        assert_eq!((bulk.kind(), bulk.admits()), (TokenKind::Bulk, Admits::Anyone));
        assert_eq!(bulk.admitting(Admits::Recorded).admits(), Admits::Recorded);
        assert_eq!(TokenTerms::new(" ", None, 30, 24, now), Err(InvalidTerms::Label));
        assert_eq!(TokenTerms::new("a", Some("a b"), 30, 24, now), Err(InvalidTerms::Programme));
        assert_eq!(TokenTerms::new("a", None, 0, 24, now), Err(InvalidTerms::Cap));
        assert_eq!(TokenTerms::new("a", None, MAX_BULK_CAP + 1, 24, now), Err(InvalidTerms::Cap));
        assert_eq!(TokenTerms::new("a", None, 1, MAX_ONE_TIME_HOURS + 1, now), Err(InvalidTerms::Life));
        assert_eq!(TokenTerms::new("a", None, 2, 0, now), Err(InvalidTerms::Life));
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_almost_always_found(random: [u8; RANDOM_BYTES], at in 0_usize..26) {
            let token = TokenText::from_random(random);
            let mut text: Vec<char> = token.to_string().replace('-', "").chars().collect();
            text[at] = if text[at] == '7' { '8' } else { '7' };
            let typed: String = text.into_iter().collect();
            if let Ok(other) = TokenText::parse(&typed) {
                // One chance in 1,024 passes the check; it is then simply an unknown token.
                prop_assert_ne!(other.sha256(), token.sha256());
            }
        }

        #[test]
        fn no_text_breaks_the_parser(typed in ".{0,200}") {
            let _ = TokenText::parse(&typed);
        }
    }
}
