//! Random secrets that are shown or sent once, and stored only as their hash.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};

use crate::random::{self, NoRandomness};

/// Bytes of randomness in a secret: 256 bits (ASVS 7.2.3 asks for 128 at least), so a plain SHA-256 suffices to
/// store it.
const SECRET_BYTES: usize = 32;

/// A random secret. It never shows itself in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new one, beginning with `prefix`, which tells people and secret scanners what they found.
    pub fn random(prefix: &str) -> Result<Self, NoRandomness> {
        let bytes = random::bytes::<SECRET_BYTES>()?;
        Ok(Self(format!("{prefix}{}", BASE64URL_NOPAD.encode(&bytes))))
    }

    /// The secret, for its owner's eyes.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What is stored of a secret: finding the row by it compares hashes, so its time tells nothing about the secret.
pub fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Whether two secrets are equal, in a time that does not tell where they differ.
pub fn equal(one: &str, other: &str) -> bool {
    let differences = hash(one).iter().zip(hash(other)).fold(0, |differences, (a, b)| differences | (a ^ b));
    differences == 0
}

/// A password for a person who has none yet: words would need a list; this is 25 characters in groups of five that
/// can be read aloud, 125 bits.
pub fn readable_password() -> Result<String, NoRandomness> {
    // Without 0, 1, i, l, o: nobody has to ask which one it is. 32 symbols, so that a byte falls on each alike.
    const ALPHABET: &[u8; 32] = b"23456789abcdefghjkmnpqrstuvwxyz+";
    const GROUPS: usize = 5;
    const GROUP: usize = 5;
    let bytes = random::bytes::<{ GROUPS * GROUP }>()?;
    let characters: Vec<char> = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    Ok(characters.chunks(GROUP).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_random_and_never_shown_by_accident() {
        let (one, other) = (Secret::random("x_").unwrap(), Secret::random("x_").unwrap());
        assert_ne!(one, other);
        assert_eq!(one.expose().len(), 2 + 43);
        assert_eq!(format!("{one:?}"), "[redacted]");
        assert!(equal(one.expose(), one.expose()) && !equal(one.expose(), other.expose()));
    }

    #[test]
    fn a_given_password_can_be_read_aloud() {
        let password = readable_password().unwrap();
        assert_eq!(password.len(), 29);
        assert!(!password.contains(['0', '1', 'i', 'l', 'o']), "{password}");
    }
}
