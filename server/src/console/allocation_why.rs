//! Why a line of a proposal has its device or none, and what its score is made of, in words; for the page and the files.

use super::{format, i18n::Words};
use crate::{
    domain::allocation::{Part, Unfit},
    store::allocation_line::LineRow,
};

/// Why this device, in words.
pub(super) fn why(row: &LineRow, words: Words) -> Vec<String> {
    let Some(given) = row.explanation.given else { return Vec::new() };
    let mut why = vec![words.word("place", given.place.as_str())];
    why.push(words.say(if given.of_programme { "why-of-programme" } else { "why-any-programme" }));
    why.push(given.grade.map_or_else(|| words.say("why-no-grade"), |grade| words.with("why-grade", grade.as_str())));
    if let Some(percent) = given.battery {
        why.push(words.with("why-battery", &format::percent(i64::from(percent), words.language)));
    }
    why.push(given.drive.map_or_else(
        || words.say("why-no-reading"),
        |drive| words.with("why-drive", &words.word("verdict", drive.as_str())),
    ));
    why
}

/// What the score is made of, in words.
pub(super) fn parts(row: &LineRow, words: Words) -> Vec<String> {
    let part = |part: &Part| {
        words.with_two("score-part", &words.word("need-reason", part.reason.as_str()), &part.points.to_string())
    };
    let mut parts: Vec<String> = row.explanation.parts.iter().map(part).collect();
    parts.extend(row.explanation.by_floor.then(|| words.say("score-floor")));
    parts
}

/// Why a line has no device, or why its device could not be reserved, in words.
pub(super) fn cause(code: &str, words: Words) -> String {
    if Unfit::ALL.iter().any(|unfit| unfit.as_str() == code) {
        return words.word("unfit", code);
    }
    let known = CAUSES.contains(&code);
    words.word("cause", if known { code } else { "other" })
}

/// The causes that have words of their own.
pub(super) const CAUSES: [&str; 9] = [
    "none_suitable",
    "exhausted",
    "reserve",
    "dropped",
    "need_closed",
    "programme_closed",
    "not_in_stock",
    "not_for_it",
    "other",
];
