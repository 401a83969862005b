//! The card of a device's advice: what it should become, why, what that costs and is worth, how sure it is, and what it
//! is fit for, each requirement with what was read.

use askama::{Template, filters::HtmlSafe};
use cartable_common::UtcMillis;

use super::{
    component::{Badge, Tone, When},
    format,
    i18n::Words,
};
use crate::{
    domain::{
        disposition::{Advice, Check, Confidence, Disposition, Reason},
        fitness::{Answer, Fitness, Requirement, euros, months_said},
    },
    store::advice::Kept,
};

/// Characters of a policy's version that are shown: enough to tell versions apart.
const VERSION_SHOWN: usize = 8;

impl From<Disposition> for Tone {
    fn from(disposition: Disposition) -> Self {
        match disposition {
            Disposition::Relend => Self::Good,
            Disposition::Repair => Self::Warning,
            Disposition::Donate => Self::Info,
            Disposition::Parts => Self::Plain,
            Disposition::Recycle => Self::Critical,
        }
    }
}

impl From<Confidence> for Tone {
    fn from(confidence: Confidence) -> Self {
        match confidence {
            Confidence::High => Self::Good,
            Confidence::Medium => Self::Info,
            Confidence::Low => Self::Unknown,
        }
    }
}

impl From<Answer> for Tone {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Met => Self::Good,
            Answer::NotMet => Self::Critical,
            Answer::Unknown => Self::Unknown,
        }
    }
}

/// The mark of a disposition. What hardly anything is known of does not look as if it were known.
pub(super) fn disposition(disposition: Disposition, confidence: Confidence, words: Words) -> Badge {
    let tone = if confidence == Confidence::Low { Tone::Unknown } else { disposition.into() };
    Badge::new(tone, words.word("disposition", disposition.as_str()))
}

/// The mark of a confidence.
pub(super) fn confidence(confidence: Confidence, words: Words) -> Badge {
    Badge::new(confidence, words.word("confidence", confidence.as_str()))
}

/// The shown part of a policy's version.
pub(super) fn version(version: &str) -> String {
    version.chars().take(VERSION_SHOWN).collect()
}

#[derive(Debug)]
struct Line {
    what: String,
    answer: Badge,
    read: Option<String>,
    wanted: String,
    source: String,
}

#[derive(Debug)]
struct Use {
    name: String,
    answer: Badge,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Why {
    said: String,
    /// Value, threshold and source, each with its name.
    rests_on: String,
}

/// The card.
#[derive(Debug, Template)]
#[template(path = "advice_card.html")]
pub(super) struct AdviceCard {
    words: Words,
    disposition: Badge,
    confidence: Badge,
    meaning: String,
    reasons: Vec<Why>,
    cost: String,
    cost_parts: String,
    value: String,
    remaining: String,
    limits: Vec<String>,
    evidence: Option<When>,
    support: Option<String>,
    missing: Vec<String>,
    checks: Vec<String>,
    uses: Vec<Use>,
    decided: Option<(When, String)>,
}

impl HtmlSafe for AdviceCard {}

impl AdviceCard {
    /// The card of this advice, and of the decision that lists show.
    pub(super) fn new(advice: &Advice, kept: Option<&Kept>, now: UtcMillis, words: Words) -> Self {
        let limits = advice.remaining.limits.iter();
        let months = |count: u32| words.said(&months_said(i64::from(count)));
        let cost = &advice.cost;
        Self {
            disposition: disposition(advice.disposition, advice.confidence, words),
            confidence: confidence(advice.confidence, words),
            meaning: words.word("disposition-means", advice.disposition.as_str()),
            reasons: advice.reasons.iter().map(|reason| why(reason, words)).collect(),
            cost: words.said(&euros(cost.euros)),
            cost_parts: words.with_two(
                "advice-cost-parts",
                &words.said(&euros(cost.parts_euros)),
                &format::number(i64::from(cost.minutes), words.language),
            ),
            value: words.said(&euros(advice.value_euros)),
            remaining: words.with("advice-at-most", &months(advice.remaining.months)),
            limits: limits
                .map(|limit| {
                    let what = words.with_two("advice-limit", &months(limit.months), &words.said(&limit.said));
                    words.with_two("advice-with-source", &what, &words.said(&limit.source))
                })
                .collect(),
            evidence: advice.evidence_at.map(|at| When::relative(at, now, words)),
            support: advice
                .support
                .as_ref()
                .map(|(name, until)| words.with_two("advice-support", name, &format::civil_date(*until, words))),
            missing: advice.missing.iter().map(|said| words.said(said)).collect(),
            checks: advice.checks.iter().map(|one| check(one, words)).collect(),
            uses: advice.fitness.iter().map(|one| usage(one, words)).collect(),
            decided: kept.map(|kept| (When::relative(kept.since, now, words), version(&kept.policy_version))),
            words,
        }
    }
}

fn why(reason: &Reason, words: Words) -> Why {
    let named = |key: &str, said| words.with_two("advice-limit", &words.say(key), &words.said(said));
    let parts = [
        named("flag-value", &reason.value),
        named("flag-threshold", &reason.threshold),
        named("flag-source", &reason.source),
    ];
    Why { said: words.said(&reason.said), rests_on: parts.join(" · ") }
}

fn check(check: &Check, words: Words) -> String {
    let others: Vec<String> = check.may_become.iter().map(|one| words.word("disposition", one.as_str())).collect();
    words.with_two("advice-check", &words.word("check", check.kind.as_str()), &others.join(", "))
}

fn usage(fitness: &Fitness, words: Words) -> Use {
    let line = |one: &Requirement| Line {
        what: words.word("requirement", one.kind.as_str()),
        answer: Badge::new(one.answer, words.word("answer", one.answer.as_str())),
        read: one.read.as_ref().map(|said| words.said(said)),
        wanted: words.said(&one.wanted),
        source: words.said(&one.source),
    };
    Use {
        name: words.word("use", fitness.usage.as_str()),
        answer: Badge::new(fitness.answer, words.word("fit", fitness.answer.as_str())),
        lines: fitness.requirements.iter().map(line).collect(),
    }
}
