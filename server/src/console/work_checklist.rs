//! The checklist on one page: every check with its answers as large targets, in the order of the hands, by keyboard alone
//! and without script.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};

use super::{
    component::{Badge, Choice},
    device_list::device_name,
    error::{Refusal, parsed, require},
    i18n::Words,
    shell::{self, Section, Shell},
    visitor::Visitor,
    work_acts::{back, begin, end, read},
    work_order::OrderRead,
    work_past::{ClaimLine, claim_lines, tone},
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    domain::work_order::{
        Move, Position, Stage,
        checklist::{Check, Finding, Findings, InvalidFindings, KEYS, Kind},
    },
    store::device,
};

/// Begins the name of the box of a key.
const KEY: &str = "key:";

/// One check of the form.
#[derive(Debug)]
struct Line {
    name: &'static str,
    label: String,
    hint: String,
    answers: Vec<Choice>,
    /// What was found before, on a final test.
    before: Option<Badge>,
    keys: Vec<Vec<Choice>>,
    open: bool,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "work_checklist.html")]
pub(super) struct ChecklistPage {
    shell: Shell,
    id: String,
    csrf: String,
    device: String,
    submit: String,
    problem: Option<String>,
    claims: Vec<ClaimLine>,
    lines: Vec<Line>,
    note: String,
}

impl ChecklistPage {
    /// The page for an order and its device's kind, with what was answered.
    pub(super) fn new(
        shell: Shell,
        read: &OrderRead,
        kind: Kind,
        (answers, problem): (&BTreeMap<String, String>, Option<String>),
    ) -> Self {
        let words = shell.words;
        let test = read.order.position == Position::Open(Stage::FinalTest);
        let summary = &read.summary;
        let line = |check: &Check| line(*check, read, answers, words);
        Self {
            csrf: shell.csrf(),
            id: read.order.id.to_string(),
            device: device_name(summary.serial_number.as_deref(), summary.asset_tag.as_deref(), read.order.device),
            submit: words.word("work-submit", if test { "final_test" } else { "inspection" }),
            problem,
            claims: claim_lines(read, words),
            lines: kind.checks().iter().map(line).collect(),
            note: answers.get("note").cloned().unwrap_or_default(),
            shell,
        }
    }
}

fn line(check: Check, read: &OrderRead, answers: &BTreeMap<String, String>, words: Words) -> Line {
    let given = answers.get(check.as_str()).map(String::as_str);
    let answer = |finding: &Finding| Choice {
        value: finding.to_string(),
        label: words.word("work-finding", finding.as_str()),
        selected: given == Some(finding.as_str()),
    };
    let key = |name: &&str| Choice {
        value: format!("{KEY}{name}"),
        label: (*name).to_owned(),
        selected: answers.contains_key(&format!("{KEY}{name}")),
    };
    let keys: Vec<Vec<Choice>> = if check == Check::Keyboard {
        KEYS.iter().map(|row| row.iter().map(key).collect()).collect()
    } else {
        Vec::new()
    };
    let before = read.order.findings.as_ref().and_then(|findings| findings.found.get(&check));
    Line {
        name: check.as_str(),
        label: words.word("work-check", check.as_str()),
        hint: words.word("work-hint", check.as_str()),
        answers: check.answers().iter().map(answer).collect(),
        before: before.map(|found| Badge::new(tone(*found), words.word("work-finding", found.as_str()))),
        open: keys.iter().flatten().any(|key| key.selected),
        keys,
    }
}

/// What the form's fields say, or what is wrong with them.
fn findings(kind: Kind, fields: &BTreeMap<String, String>) -> Result<Findings, InvalidFindings> {
    let mut found = BTreeMap::new();
    for check in kind.checks() {
        let given = fields.get(check.as_str()).ok_or(InvalidFindings::Unanswered(*check))?;
        found.insert(*check, given.parse::<Finding>().map_err(|_| InvalidFindings::Impossible(*check))?);
    }
    let dead: BTreeSet<String> = fields.keys().filter_map(|name| name.strip_prefix(KEY)).map(str::to_owned).collect();
    Findings::new(kind, found, dead, fields.get("note").map_or("", String::as_str))
}

fn problem(invalid: InvalidFindings, words: Words) -> String {
    match invalid {
        InvalidFindings::Unanswered(check) | InvalidFindings::Impossible(check) => {
            words.with("work-unanswered", &words.word("work-check", check.as_str()))
        }
        InvalidFindings::DeadKeys => words.say("work-problem-keys"),
        InvalidFindings::Note => words.say("work-problem-note"),
    }
}

/// Whether the checklist is open now; elsewhere the bench page is shown instead.
fn is_open(read: &OrderRead) -> bool {
    matches!(read.order.position, Position::Open(Stage::Inspection | Stage::FinalTest))
}

/// `GET /work-orders/{id}/inspection`
pub(super) async fn form(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::WorkOnOrders, Object::OwnScope))?;
    let mut tx = app.store.read().await?;
    let (read, kind) = with_kind(&mut tx, &app, &signed_in, &id).await?;
    if !is_open(&read) {
        return Ok(Redirect::to(&format!("/work-orders/{id}")).into_response());
    }
    Ok(show(&signed_in, &visitor, &read, kind, (StatusCode::OK, &BTreeMap::new(), None)))
}

async fn with_kind(
    tx: &mut crate::store::Tx,
    app: &App,
    signed_in: &SignedIn,
    id: &str,
) -> Result<(OrderRead, Kind), Refusal> {
    let read = read(tx, app, signed_in, id).await?;
    let device = device::find(tx, &signed_in.person.scope, read.order.device).await?.ok_or(Refusal::NotFound)?;
    Ok((read, device::kind(&device)))
}

fn show(
    signed_in: &SignedIn,
    visitor: &Visitor,
    read: &OrderRead,
    kind: Kind,
    (status, answers, problem): (StatusCode, &BTreeMap<String, String>, Option<String>),
) -> Response {
    let words = visitor.words;
    let test = read.order.position == Position::Open(Stage::FinalTest);
    let title = words.word("work-inspection", if test { "final_test" } else { "inspection" });
    let mut shell = visitor.shell(Section::WorkOrders, title, signed_in);
    shell.here = format!("/work-orders/{}/inspection", read.order.id);
    shell::page(status, &ChecklistPage::new(shell, read, kind, (answers, problem)))
}

/// `POST /work-orders/{id}/inspection`
pub(super) async fn submit(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<BTreeMap<String, String>>,
) -> Result<Response, Refusal> {
    let mut bench = begin(&app, &signed_in, Action::WorkOnOrders).await?;
    let (read, kind) = with_kind(bench.tx(), &app, &signed_in, &id).await?;
    if !is_open(&read) {
        // A second click on what the first one finished.
        let last = read.steps.last().filter(|last| last.actor == signed_in.person.login.as_str());
        let mine = last.is_some_and(|last| matches!(last.kind.as_str(), "inspect" | "test"));
        return Ok(back(&id, if mine { "already" } else { "bench-not-from" }));
    }
    let findings = match findings(kind, &form) {
        Ok(findings) => findings,
        Err(invalid) => {
            let problem = Some(problem(invalid, visitor.words));
            let told = (StatusCode::UNPROCESSABLE_ENTITY, &form, problem);
            return Ok(show(&signed_in, &visitor, &read, kind, told));
        }
    };
    let test = read.order.position == Position::Open(Stage::FinalTest);
    let step = if test { Move::Test(findings) } else { Move::Inspect(findings) };
    let done = bench.take(parsed(&id)?, step).await;
    end(bench, done, &id).await
}
