//! One flag with its evidence, as a card; and what staff say about it.

use askama::{Template, filters::HtmlSafe};
use cartable_common::UtcMillis;

use super::{
    component::{Badge, Tone, When},
    format,
    i18n::Words,
};
use crate::{
    domain::{flag::Evidence, language::Language},
    store::flag::FlagRow,
};

/// The flag's statement in the reader's language.
pub(super) fn sentence(evidence: &Evidence, words: Words) -> &str {
    match words.language {
        Language::French => &evidence.sentence_fr,
        Language::English => &evidence.sentence_en,
    }
}

/// A flag with everything that it rests on.
#[derive(Clone, Debug, Template)]
#[template(path = "flag_card.html")]
pub(super) struct FlagCard {
    words: Words,
    id: String,
    tone: Tone,
    title: String,
    severity: Badge,
    handled: Option<Badge>,
    sentence: String,
    since: When,
    value: String,
    threshold: Option<String>,
    source: String,
    measured: Option<When>,
    missing: Vec<String>,
    remarks: Vec<(String, String)>,
    csrf: String,
    next: String,
}

impl HtmlSafe for FlagCard {}

impl FlagCard {
    /// The card of `flag`; its form comes back to `next`.
    pub(super) fn new(flag: &FlagRow, csrf: &str, next: &str, now: UtcMillis, words: Words) -> Self {
        let evidence = &flag.evidence;
        let french = words.language == Language::French && !evidence.in_french.value.is_empty();
        let (value, threshold, source, missing) = if french {
            let told = &evidence.in_french;
            (&told.value, &told.threshold, &told.source, &told.missing)
        } else {
            (&evidence.value, &evidence.threshold, &evidence.source, &evidence.missing)
        };
        Self {
            id: flag.id.to_string(),
            tone: flag.severity.into(),
            title: title(flag, words),
            severity: Badge::severity(flag.severity, words),
            handled: handled(flag.acknowledged.is_some(), flag.snoozed_until, now, words),
            sentence: sentence(evidence, words).to_owned(),
            since: When::recorded(flag.since, words),
            value: value.clone(),
            threshold: threshold.clone(),
            source: source.clone(),
            measured: evidence.evidence_at.map(|at| When::exact(at, words)),
            missing: missing.clone(),
            remarks: remarks(flag, words),
            csrf: csrf.to_owned(),
            next: next.to_owned(),
            words,
        }
    }
}

fn title(flag: &FlagRow, words: Words) -> String {
    let name = words.word("flag", flag.code.as_str());
    if flag.subject.is_empty() { name } else { words.with_two("flag-about", &name, &flag.subject) }
}

/// The mark of a flag that somebody has seen.
pub(super) fn handled(
    acknowledged: bool,
    snoozed_until: Option<UtcMillis>,
    now: UtcMillis,
    words: Words,
) -> Option<Badge> {
    match snoozed_until.filter(|until| *until > now) {
        Some(until) => Some(Badge::new(Tone::Plain, words.with("flag-snoozed-until", &format::date(until, words)))),
        None if acknowledged => Some(Badge::new(Tone::Plain, words.say("flag-acknowledged"))),
        None => None,
    }
}

fn remarks(flag: &FlagRow, words: Words) -> Vec<(String, String)> {
    let mut remarks = Vec::new();
    if let Some(remark) = &flag.acknowledged {
        let who = words.with_two("flag-remark-by", &remark.by, &format::date_time(remark.at, words));
        remarks.push((words.say("flag-acknowledged"), words.with_two("flag-remark", &remark.reason, &who)));
    }
    if let (Some((by, reason)), Some(until)) = (&flag.snoozed, flag.snoozed_until) {
        let label = words.with("flag-snoozed-until", &format::date(until, words));
        remarks.push((label, words.with_two("flag-remark", reason, by)));
    }
    remarks
}
