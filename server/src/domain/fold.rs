//! Folds text for search and sorting: without case, accents or ligatures, so that "Élysée", "ELYSEE" and "elysee" meet.
//!
//! Whoever fills a `sort_*` column or `search_text` uses it, and so does whoever searches: both sides must agree.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// `text` in lower case without accents, ligatures spelled out, white space joined.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match character {
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            'ß' => folded.push_str("ss"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            '’' => folded.push('\''),
            white if white.is_whitespace() => {
                if !folded.is_empty() && !folded.ends_with(' ') {
                    folded.push(' ');
                }
            }
            other => folded.push(other),
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn accents_case_and_ligatures_do_not_matter() {
        assert_eq!(fold("  Collège  de l’ÉLYSÉE — Sacré-Cœur "), "college de l'elysee — sacre-coeur");
        assert_eq!(fold("ThinkPad X13 Gen\u{a0}2"), "thinkpad x13 gen 2");
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "[\\p{Latin}\\p{Zs}0-9' -]{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
