//! Machines that ask to be let in and that a person decides about: the list, and what would become of a selection.

use std::collections::BTreeMap;

use askama::Template;
use cartable_common::{UtcDay, UtcMillis};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    component::{Badge, Choice, Pager, Tone, When},
    device_list::{Nonsense, Select, address, device_name, model_name, optional},
    format,
    i18n::Words,
    shell::Shell,
};
use crate::{
    domain::{
        approval::{Effect, LIFTED, WaitsFor},
        device::DeviceStatus,
    },
    store::{
        approval::{Chosen, Decided, Outcome},
        approval_queue::{Asking, Known, QueueQuery},
        page::{Cursor, CursorKey, Page},
        site::SiteRow,
    },
};

/// The list's address; empty values mean "any".
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) reason: String,
    pub(super) site: String,
    pub(super) after: String,
}

impl Asked {
    /// The query, if all of it makes sense.
    pub(super) fn query(&self) -> Result<QueueQuery, Nonsense> {
        let after: Option<Cursor> = optional(&self.after)?;
        if after.as_ref().is_some_and(|cursor| !matches!(cursor.key, CursorKey::Number(_))) {
            return Err(Nonsense);
        }
        Ok(QueueQuery { waits_for: optional(&self.reason)?, site: optional(&self.site)?, after, limit: 0 })
    }
}

/// The requests that a form names: in fields that begin with `prefix`, each with what the preview showed of it.
pub(super) fn chosen(form: &BTreeMap<String, String>, prefix: &str) -> Chosen {
    let named = form.iter().filter_map(|(name, shown)| {
        let id: Uuid = name.strip_prefix(prefix)?.parse().ok()?;
        Some((id, Some(shown.clone()).filter(|shown| !shown.is_empty())))
    });
    named.collect()
}

/// What is known of the device that a machine claims to be.
#[derive(Debug)]
struct KnownRow {
    href: String,
    name: String,
    state: String,
    heard: Option<When>,
}

/// One request.
#[derive(Debug)]
struct Row {
    id: String,
    name: String,
    model: String,
    since: When,
    last_asked: Option<String>,
    lapses: Option<String>,
    why: String,
    token: Option<String>,
    lost_key: Option<String>,
    site: Option<String>,
    effect: String,
    lifts: Option<String>,
    known: Option<KnownRow>,
}

/// The list.
#[derive(Debug, Template)]
#[template(path = "waiting.html")]
pub(super) struct WaitingPage {
    shell: Shell,
    csrf: String,
    selects: Vec<Select>,
    filtered: bool,
    rows: Vec<Row>,
    pager: Pager,
}

impl WaitingPage {
    /// The page for what was asked and found.
    pub(super) fn new(
        shell: Shell,
        (asked, query): (&Asked, &QueueQuery),
        page: &Page<Asking>,
        sites: &[SiteRow],
        now: UtcMillis,
    ) -> Self {
        let words = shell.words;
        let here = address("/devices/waiting", &[("reason", &asked.reason), ("site", &asked.site)]);
        let pager = Pager::new(page, "waiting-found", &here, query.after.as_ref(), words);
        Self {
            csrf: shell.csrf(),
            selects: selects(asked, sites, words),
            filtered: !asked.reason.is_empty() || !asked.site.is_empty(),
            rows: page.rows.iter().map(|one| row(one, now, words)).collect(),
            pager,
            shell,
        }
    }
}

fn selects(asked: &Asked, sites: &[SiteRow], words: Words) -> Vec<Select> {
    let reasons: Vec<&str> = WaitsFor::ALL.iter().map(|value| value.as_str()).collect();
    let mut choices = vec![Choice { value: String::new(), label: words.say("any"), selected: asked.site.is_empty() }];
    choices.extend(sites.iter().map(|site| Choice {
        value: site.id.to_string(),
        label: words.with_two("site-named", &site.name, &site.uai),
        selected: site.id.to_string() == asked.site,
    }));
    vec![
        Select::new("reason", "waiting-why", "waits-for", &reasons, &asked.reason, words),
        Select { name: "site", label: words.say("devices-site"), choices },
    ]
}

fn row(asking: &Asking, now: UtcMillis, words: Words) -> Row {
    Row {
        id: asking.id.to_string(),
        name: asking.serial_number.clone().unwrap_or_else(|| words.say("waiting-no-serial")),
        model: model_name(asking.manufacturer.as_deref(), asking.model.as_deref(), words),
        since: When::relative(asking.since, now, words),
        last_asked: asking.last_asked_on.map(|day| last_asked(day, words)),
        lapses: lapses(asking, now, words),
        why: words.word("waits-for", asking.waits_for.as_str()),
        token: asking.token.clone(),
        lost_key: lost_key(asking, words),
        site: asking.site_name.clone(),
        effect: effect(asking, words),
        lifts: asking.lifts().and_then(|status| lifts(status, words)),
        known: asking.known.as_ref().map(|known| known_row(known, now, words)),
    }
}

/// Whose lost key it named, if it did.
fn lost_key(asking: &Asking, words: Words) -> Option<String> {
    let told = |known: &Known| words.with("waiting-lost-key", &known_name(known));
    let told = asking.lost_key_of.as_ref().map_or_else(|| words.say("waiting-lost-key-elsewhere"), told);
    Some(told).filter(|_| asking.by_lost_key)
}

/// On which day it last asked: of two requests of one machine, one may ask no more.
fn last_asked(day: UtcDay, words: Words) -> String {
    words.with("waiting-last-asked", &format::day(day.start().day_number(), words))
}

/// What letting in a key for a device of that status takes back, where that is something.
pub(super) fn lifts(status: DeviceStatus, words: Words) -> Option<String> {
    LIFTED.contains(&status).then(|| words.word("waiting-lifts", status.as_str()))
}

/// In how many days it lapses: begun ones count, and one that is due goes with the next night.
fn lapses(asking: &Asking, now: UtcMillis, words: Words) -> Option<String> {
    let left = asking.lapses_at?.get() - now.get();
    Some(words.count("waiting-lapses", ((left + UtcMillis::DAY - 1) / UtcMillis::DAY).max(1)))
}

fn known_name(known: &Known) -> String {
    device_name(known.serial_number.as_deref(), known.asset_tag.as_deref(), known.id)
}

fn known_row(known: &Known, now: UtcMillis, words: Words) -> KnownRow {
    let mut state = if known.archived { words.say("archived") } else { words.word("status", known.status.as_str()) };
    if let Some(lending) = known.lending {
        state = words.with_two("waiting-state", &state, &words.word("lending", lending.as_str()));
    }
    KnownRow {
        href: format!("/devices/{}", known.id),
        name: known_name(known),
        state,
        heard: known.last_contact_at.map(|at| When::relative(at, now, words)),
    }
}

/// What letting it in does, in words.
fn effect(asking: &Asking, words: Words) -> String {
    let name = asking.known.as_ref().map(known_name).unwrap_or_default();
    match asking.effect {
        Effect::NewDevice => words.say("waiting-effect-new"),
        Effect::FirstKey(_) => words.with("waiting-effect-first", &name),
        Effect::Replaces(_) => words.with("waiting-effect-replaces", &name),
        Effect::Renews(_) => words.with("waiting-effect-renews", &name),
        Effect::Impossible(hindrance) => words.word("hindrance", hindrance.as_str()),
    }
}

/// What would become of one request, or became of it.
#[derive(Debug)]
struct Line {
    name: String,
    model: Option<String>,
    since: Option<When>,
    last_asked: Option<String>,
    state: Badge,
    what: String,
    lifts: Option<String>,
    known: Option<KnownRow>,
}

/// Whether a selection is looked at or was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It is shown; nothing of it was kept.
    Preview,
    /// It was decided, but for what is told.
    Decided,
}

/// The preview of a selection, or what became of one that was not decided whole.
#[derive(Debug, Template)]
#[template(path = "waiting_preview.html")]
pub(super) struct PreviewPage {
    shell: Shell,
    csrf: String,
    intro: String,
    summary: String,
    lines: Vec<Line>,
    /// Field and mark of each that may be let in.
    approvable: Vec<(String, String)>,
    /// Field and mark of each that still waits.
    refusable: Vec<(String, String)>,
}

impl PreviewPage {
    /// The page for what became, or would become, of each.
    pub(super) fn new(shell: Shell, stage: Stage, decided: &[Decided], now: UtcMillis) -> Self {
        let words = shell.words;
        let field = |one: &Decided| {
            let asked = one.asked.as_ref()?;
            Some((format!("id-{}", asked.id), asked.mark()))
        };
        let is_offered = |one: &&Decided| stage == Stage::Preview && one.outcome != Outcome::Already;
        let approvable = |one: &&Decided| is_offered(one) && one.outcome.is_done();
        let done = decided.iter().filter(|one| one.outcome.is_done()).count();
        let (intro, summary) = match stage {
            Stage::Preview => ("waiting-preview-intro", "waiting-preview-summary"),
            Stage::Decided => ("waiting-decided-intro", "waiting-decided-summary"),
        };
        Self {
            csrf: shell.csrf(),
            intro: words.say(intro),
            summary: words.with_two(summary, &done.to_string(), &decided.len().to_string()),
            lines: decided.iter().map(|one| line(one, stage, now, words)).collect(),
            approvable: decided.iter().filter(approvable).filter_map(field).collect(),
            refusable: decided.iter().filter(is_offered).filter_map(field).collect(),
            shell,
        }
    }
}

/// A key that is replaced speaks for the device no more, and one that was revoked is back: whoever says so has looked at the
/// machine.
fn possible(one: &Decided) -> Tone {
    let is_grave = |asked: &Asking| matches!(asked.effect, Effect::Replaces(_)) || asked.lifts().is_some();
    if one.asked.as_ref().is_some_and(is_grave) { Tone::Warning } else { Tone::Good }
}

fn line(one: &Decided, stage: Stage, now: UtcMillis, words: Words) -> Line {
    let ruled = words.word("decided", one.outcome.code());
    let effect = one.asked.as_ref().map(|asked| effect(asked, words)).unwrap_or_default();
    let (tone, label, what) = match (one.outcome, stage) {
        (Outcome::Approved(_), Stage::Preview) => (possible(one), words.say("waiting-possible"), effect),
        (Outcome::Approved(_), Stage::Decided) => (Tone::Good, ruled, effect),
        (Outcome::Refused, _) => (Tone::Good, ruled, String::new()),
        (Outcome::Already, _) => (Tone::Info, ruled, words.say("waiting-already-explained")),
        (Outcome::Changed, _) => (Tone::Warning, ruled, effect),
        (Outcome::Impossible(why), _) => (Tone::Critical, ruled, words.word("hindrance", why.as_str())),
    };
    let is_let_in = matches!(one.outcome, Outcome::Approved(_) | Outcome::Changed);
    let asked = one.asked.as_ref();
    let serial = asked.and_then(|asked| asked.serial_number.clone());
    let model = |asked: &Asking| model_name(asked.manufacturer.as_deref(), asked.model.as_deref(), words);
    Line {
        name: serial.unwrap_or_else(|| words.say("waiting-no-serial")),
        model: asked.map(model),
        since: asked.map(|asked| When::relative(asked.since, now, words)),
        last_asked: asked.and_then(|asked| asked.last_asked_on).map(|day| last_asked(day, words)),
        state: Badge::new(tone, label),
        lifts: asked.filter(|_| is_let_in).and_then(Asking::lifts).and_then(|status| lifts(status, words)),
        what,
        known: asked.and_then(|asked| asked.known.as_ref()).map(|known| known_row(known, now, words)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_names_requests_and_what_was_shown_of_them() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let form = BTreeMap::from([
            ("csrf".to_owned(), "x".to_owned()),
            (format!("id-{one}"), "new_device".to_owned()),
            (format!("id-{two}"), String::new()),
            (format!("page-{}", Uuid::from_u128(3)), String::new()),
            ("id-nonsense".to_owned(), "x".to_owned()),
        ]);
        let expected = Chosen::from([(one, Some("new_device".to_owned())), (two, None)]);
        assert_eq!(chosen(&form, "id-"), expected);
    }

    #[test]
    fn an_address_of_another_list_is_refused() {
        let asked = |reason: &str| Asked { reason: reason.to_owned(), ..Asked::default() }.query();
        assert!(asked("spent_token").is_ok());
        assert_eq!(asked("boredom"), Err(Nonsense));
        let text = Cursor { key: CursorKey::Text("a".to_owned()), id: Uuid::nil() };
        assert_eq!(Asked { after: text.to_string(), ..Asked::default() }.query(), Err(Nonsense));
    }
}
