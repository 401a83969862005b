//! What another policy would change: other values are tried, and the page says how many devices would move from which
//! disposition to which. It changes nothing: thresholds stay in the operator's file, whose lines it gives.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    advice::version,
    error::{Refusal, require},
    format,
    i18n::Words,
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, Object, SignedIn},
    domain::{
        disposition::{Disposition, disposition_of},
        policy::{NotAValue, Policy, Tried},
        scope::Scope,
    },
    store::{Store, StoreError, advice_list},
};

/// Devices read at a time.
const CHUNK: i64 = 1_000;
/// Most devices that one page tries, so that an answer takes seconds at most. A larger programme is told that there are
/// more.
const MOST_DEVICES: usize = 100_000;

/// How many devices are what now and would be what then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Moves {
    pub(super) counts: BTreeMap<(Disposition, Disposition), i64>,
    pub(super) devices: usize,
    /// Whether there are more devices than were tried.
    pub(super) more: bool,
}

/// Tries `next` against `present` on the facts of every device of `scope`.
async fn try_out(
    store: &Store,
    scope: &Scope,
    present: &Policy,
    next: &Policy,
    now: UtcMillis,
) -> Result<Moves, StoreError> {
    let (mut moves, mut after) = (Moves::default(), Uuid::nil());
    loop {
        let mut tx = store.read().await?;
        let facts = advice_list::facts(&mut tx, scope, after, CHUNK).await?;
        drop(tx);
        let Some((last, _)) = facts.last() else { return Ok(moves) };
        after = *last;
        if moves.devices >= MOST_DEVICES {
            moves.more = true;
            return Ok(moves);
        }
        for (_, one) in &facts {
            let pair = (disposition_of(one, present, now), disposition_of(one, next, now));
            *moves.counts.entry(pair).or_default() += 1;
        }
        moves.devices += facts.len();
    }
}

#[derive(Debug)]
struct Field {
    id: String,
    name: String,
    label: String,
    hint: String,
    source: String,
    value: String,
    /// Whether a question of yes or no is answered with yes.
    chosen: bool,
    present: String,
    changed: bool,
    range: Option<(u32, u32)>,
    yes: String,
    no: String,
}

#[derive(Debug)]
struct Part {
    title: String,
    open: bool,
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Row {
    name: String,
    cells: Vec<(String, bool)>,
}

/// What a trial came to.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) moves: Moves,
    /// The lines of the policy file.
    pub(super) lines: String,
    pub(super) version: String,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "what_if.html")]
pub(super) struct WhatIfPage {
    shell: Shell,
    problem: Option<String>,
    sections: Vec<Part>,
    present: String,
    moved: Option<String>,
    left_out: Option<String>,
    heads: Vec<String>,
    rows: Vec<Row>,
    lines: Option<String>,
    next: Option<String>,
}

impl WhatIfPage {
    /// The page with the values that were asked for, and what came of them.
    pub(super) fn new(
        shell: Shell,
        policy: &Policy,
        asked: &[(String, String)],
        tried: Result<Option<Trial>, NotAValue>,
    ) -> Self {
        let words = shell.words;
        let (trial, problem) = match tried {
            Ok(trial) => (trial, None),
            Err(NotAValue { said }) => (None, Some(words.with("what-if-problem", &words.said(&said)))),
        };
        let moves = trial.as_ref().map(|trial| &trial.moves);
        Self {
            problem,
            sections: sections(policy, asked, words),
            present: version(&policy.version()),
            moved: moves.map(|moves| {
                let others = moves.counts.iter().filter(|((from, to), _)| from != to).map(|(_, count)| count).sum();
                let all = i64::try_from(moves.devices).unwrap_or(i64::MAX);
                words.with_two(
                    "what-if-moved",
                    &words.count("devices-found", others),
                    &words.count("devices-found", all),
                )
            }),
            left_out: moves
                .filter(|moves| moves.more)
                .map(|moves| words.count("what-if-left-out", i64::try_from(moves.devices).unwrap_or(i64::MAX))),
            heads: Disposition::ALL.iter().map(|one| words.word("disposition", one.as_str())).collect(),
            rows: moves.map_or_else(Vec::new, |moves| rows(moves, words)),
            lines: trial.as_ref().map(|trial| trial.lines.clone()).filter(|lines| !lines.is_empty()),
            next: trial.map(|trial| version(&trial.version)),
            shell,
        }
    }
}

fn rows(moves: &Moves, words: Words) -> Vec<Row> {
    let row = |from: &Disposition| Row {
        name: words.word("disposition", from.as_str()),
        cells: Disposition::ALL
            .iter()
            .map(|to| {
                let count = moves.counts.get(&(*from, *to)).copied().unwrap_or_default();
                (format::number(count, words.language), from != to && count > 0)
            })
            .collect(),
    };
    Disposition::ALL.iter().map(row).collect()
}

fn sections(policy: &Policy, asked: &[(String, String)], words: Words) -> Vec<Part> {
    let all = policy.tried();
    ["battery", "disposition"]
        .into_iter()
        .map(|section| {
            let of = all.iter().filter(|one| one.path.split_once('.').is_some_and(|(found, _)| found == section));
            let fields: Vec<Field> = of.map(|one| field(one, asked, words)).collect();
            let open = section == "battery" || fields.iter().any(|field| field.changed);
            Part { title: words.word("what-if", section), open, fields }
        })
        .collect()
}

fn field(one: &Tried, asked: &[(String, String)], words: Words) -> Field {
    let value = asked.iter().find(|(name, _)| *name == one.path).map_or(&one.value, |(_, value)| value);
    let unit = words.of_pair(one.unit);
    let (yes, no) = (words.word("yes-no", "yes"), words.word("yes-no", "no"));
    let present = match one.value.as_str() {
        "true" => &yes,
        "false" => &no,
        number => number,
    };
    Field {
        id: one.path.replace('.', "-"),
        name: one.path.clone(),
        label: words.said(&one.said),
        hint: words.with_two("what-if-hint", &one.path, unit),
        source: words.with("what-if-source", &words.said(&one.source)),
        changed: *value != one.value,
        chosen: value == "true",
        value: value.clone(),
        present: words.with("what-if-present", present),
        range: one.range,
        yes,
        no,
    }
}

/// `GET /dispositions/what-if`
pub(super) async fn page(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::SeeDevices, Object::OwnScope))?;
    let policy: &Policy = &app.policy;
    let tried = if asked.is_empty() {
        Ok(None)
    } else {
        match policy.with_values(&asked) {
            Ok((next, lines)) => {
                let moves = try_out(&app.store, &person.scope, policy, &next, signed_in.now).await?;
                Ok(Some(Trial { moves, lines, version: next.version() }))
            }
            Err(refused) => Err(refused),
        }
    };
    let status = if tried.is_err() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shell = visitor.shell(Section::Dispositions, visitor.words.say("what-if-title"), &signed_in);
    Ok(shell::page(status, &WhatIfPage::new(shell, policy, &asked, tried)))
}
