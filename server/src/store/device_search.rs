//! How the words of a search find devices: through trigrams where that reads less, else by looking at each.
//!
//! Both ways find the same devices: every word is compared with LIKE in the end. PostgreSQL has an index of trigrams
//! and chooses by itself; for SQLite the choice is made here, from how many devices the trigrams find.

use super::{
    StoreError, Tx,
    clause::{Clause, containing},
};
use crate::domain::fold::fold;

/// Fewest characters of a word that trigrams can find.
const TRIGRAM: usize = 3;
/// Most devices that are collected and sorted. Among more, a page is found sooner along the index of its sort.
const COLLECTED: i64 = 10_000;

/// A search, and how it is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Search {
    words: Vec<String>,
    /// What SQLite's index of trigrams is asked, where it finds few devices.
    trigrams: Option<String>,
}

impl Search {
    /// The search for every word of `text`.
    pub(super) async fn of(tx: &mut Tx, text: Option<&str>) -> Result<Self, StoreError> {
        let words = words(text.unwrap_or_default());
        let trigrams = match (&tx, expression(&words)) {
            (Tx::Sqlite(_), Some(expression)) => {
                let mut clause =
                    Clause::new("SELECT count(*) FROM (SELECT 1 FROM device_search WHERE device_search MATCH ");
                clause.value(expression.as_str()).sql(" LIMIT ").value(COLLECTED + 1).sql(")");
                (clause.number(tx).await? <= COLLECTED).then_some(expression)
            }
            _ => None,
        };
        Ok(Self { words, trigrams })
    }

    /// Whether there is nothing to search for.
    pub(super) const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether the few devices found are collected before all else.
    pub(super) const fn collects(&self) -> bool {
        self.trigrams.is_some()
    }

    /// Adds the condition to a WHERE of `device`.
    pub(super) fn restrict(&self, clause: &mut Clause) {
        if let Some(expression) = &self.trigrams {
            clause.sql(
                " AND id IN (SELECT n.device_id FROM device_search JOIN device_search_number n \
                 ON n.number = device_search.rowid WHERE device_search MATCH ",
            );
            clause.value(expression.as_str()).sql(")");
        }
        for word in &self.words {
            clause.sql(" AND search_text LIKE ").value(containing(word).as_str()).sql(r" ESCAPE '\'");
        }
    }
}

/// The words as stored text has them. It never holds a NUL, which PostgreSQL refuses even in a question.
fn words(text: &str) -> Vec<String> {
    fold(text).split([' ', '\0']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// What FTS5 is asked: every word long enough, each a quoted text, so that nothing in it is syntax.
fn expression(words: &[String]) -> Option<String> {
    let long = words.iter().filter(|word| word.chars().count() >= TRIGRAM);
    let quoted: Vec<String> = long.map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect();
    (!quoted.is_empty()).then(|| quoted.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_words_are_left_to_comparison_and_nothing_typed_is_syntax() {
        let asked = |text: &str| expression(&words(text));
        assert_eq!(asked("Élysée X1"), Some("\"elysee\"".to_owned()));
        assert_eq!(asked("say \"yes OR no"), Some("\"say\" AND \"\"\"yes\"".to_owned()));
        assert_eq!(asked("a* NEAR(x)"), Some("\"near(x)\"".to_owned()));
        assert_eq!(asked("x1 a"), None);
        assert_eq!(words("a\0b  c"), ["a", "b", "c"]);
    }
}
