//! What a bench page tells of an order's past: findings beside the machine's claims, time at each stage, and its steps.

use cartable_common::UtcMillis;

use super::{
    component::{Badge, Tone, When},
    format,
    i18n::Words,
    work_order::OrderRead,
};
use crate::{
    domain::work_order::{
        checklist::{Check, Finding as Found, Findings},
        time::Spent,
    },
    store::work_order::Step,
};

/// One check with what staff found.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) check: String,
    pub(super) found: Badge,
    pub(super) more: Option<String>,
}

/// How a finding looks.
pub(super) const fn tone(finding: Found) -> Tone {
    match finding {
        Found::Good => Tone::Good,
        Found::Marked => Tone::Info,
        Found::Faulty | Found::Missing => Tone::Warning,
        Found::Swollen => Tone::Critical,
    }
}

/// Findings in the order of the checklist.
pub(super) fn findings(findings: &Findings, words: Words) -> Vec<Finding> {
    let dead: Vec<&str> = findings.dead_keys.iter().map(String::as_str).collect();
    let line = |check: &Check| {
        let found = *findings.found.get(check)?;
        let more = *check == Check::Keyboard && !dead.is_empty();
        Some(Finding {
            check: words.word("work-check", check.as_str()),
            found: Badge::new(tone(found), words.word("work-finding", found.as_str())),
            more: more.then(|| words.with("work-dead-keys-are", &dead.join(" "))),
        })
    };
    findings.kind.checks().iter().filter_map(line).collect()
}

/// What the machine claims of one of its parts.
#[derive(Debug)]
pub(super) struct ClaimLine {
    pub(super) what: String,
    pub(super) verdict: Badge,
}

/// What the machine claimed at the last inspection; before one, what it claims now.
pub(super) fn claim_lines(read: &OrderRead, words: Words) -> Vec<ClaimLine> {
    let claims = read.inspections.first().map_or(read.claims, |inspection| inspection.claims);
    let line = |key: &str, verdict| ClaimLine { what: words.say(key), verdict: Badge::verdict(verdict, words) };
    vec![line("work-claim-drives", claims.drives), line("work-claim-batteries", claims.batteries)]
}

/// Time at one stage.
#[derive(Debug)]
pub(super) struct SpentLine {
    pub(super) stage: String,
    pub(super) time: String,
    pub(super) visits: u32,
}

/// In days from two on, in hours or minutes below.
fn duration(millis: i64, words: Words) -> String {
    const HOUR: i64 = 60 * 60_000;
    if millis >= 2 * UtcMillis::DAY {
        words.count("work-days", millis / UtcMillis::DAY)
    } else if millis >= HOUR {
        words.count("hours", millis / HOUR)
    } else {
        words.count("work-minutes", millis / 60_000)
    }
}

/// The time at each stage.
pub(super) fn spent_lines(spent: &[Spent], words: Words) -> Vec<SpentLine> {
    let line = |one: &Spent| SpentLine {
        stage: words.word("work-stage", one.stage.as_str()),
        time: duration(one.millis, words),
        visits: one.visits,
    };
    spent.iter().map(line).collect()
}

/// A step that was taken.
#[derive(Debug)]
pub(super) struct Past {
    pub(super) when: When,
    pub(super) what: String,
    pub(super) who: String,
    pub(super) details: Vec<String>,
}

/// A step in words.
pub(super) fn past(step: Step, words: Words) -> Past {
    let details = &step.details;
    let of = |name: &str, family: &str| details[name].as_str().map(|value| words.word(family, value));
    let price = details["unit_cents"].as_i64().map(|cents| format::euros(cents, words.language));
    let told = [
        of("disposition", "work-disposition"),
        of("part", "part-kind"),
        price,
        details["reason"].as_str().map(str::to_owned),
        details["grade"].as_str().map(|grade| words.with("work-graded", grade)),
        details["supported"].as_str().map(|grade| words.with("work-found-grade", grade)),
    ];
    Past {
        when: When::exact(step.at, words),
        what: words.word("work-step", &step.kind),
        who: step.actor,
        details: told.into_iter().flatten().collect(),
    }
}
