//! A form that is sent twice does its work once: by two clicks, by Back and sending it again, by a lost answer.
//!
//! The form carries a mark that was drawn when it was made; from the mark and from all that was typed comes the id of
//! what it makes. The same form sent again has the same id, which is there already. Whoever goes back and types
//! something else, a sister's name, has another id and makes another thing.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// A mark for a form that is being made.
pub(super) fn mark() -> String {
    Uuid::now_v7().to_string()
}

/// The id of what a form with this mark makes; nothing where the mark is none of ours. The mark is kept nowhere and
/// cannot be guessed, so that the id tells nothing of what was typed.
pub(super) fn id(mark: &str, typed: &[&str]) -> Option<Uuid> {
    let mark: Uuid = mark.parse().ok()?;
    if mark.get_version_num() != 7 {
        return None;
    }
    let mut hash = Sha256::new();
    hash.update(mark.as_bytes());
    for text in typed {
        hash.update(text.len().to_be_bytes());
        hash.update(text.as_bytes());
    }
    let digest: [u8; 32] = hash.finalize().into();
    // The moment of the mark stays in front, as in every other id of a row.
    let mut bytes = *mark.as_bytes();
    bytes[6..].copy_from_slice(&digest[..10]);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    Some(Uuid::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_form_makes_the_same_thing_and_another_makes_another() {
        let mark = mark();
        let made = id(&mark, &["person", "Inès"]).unwrap();
        assert_eq!(id(&mark, &["person", "Inès"]), Some(made));
        assert_eq!(made.get_version_num(), 7);
        assert_eq!(made.as_bytes()[..6], mark.parse::<Uuid>().unwrap().as_bytes()[..6], "its moment");
        for other in [["person", "Léa"], ["personI", "nès"], ["", "personInès"]] {
            assert_ne!(id(&mark, &other), Some(made), "{other:?}");
        }
        assert_ne!(id(&self::mark(), &["person", "Inès"]), Some(made));
        for none in ["", "x", "8f14e45f-ceea-467f-a0e6-b0a2d1f0c8b5"] {
            assert_eq!(id(none, &["person"]), None, "{none}");
        }
    }
}
