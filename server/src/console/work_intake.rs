//! Taking units in: one scan after the other, each answered by a line, as at the return desk, whose page and script this
//! is.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Deserialize;

use super::{
    device_list::{device_name, model_name},
    device_scan,
    error::{Refusal, require},
    i18n::Words,
    return_desk::{LINE_HEADER, Line},
    scanned,
    shell::{self, Section, Shell},
    visitor::Visitor,
    work_acts::begin,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    domain::loan::LendingState,
    store::work_order_act::{Refused, WorkError},
};

/// The page.
#[derive(Debug, Template)]
#[template(path = "work_intake.html")]
pub(super) struct IntakePage {
    shell: Shell,
    csrf: String,
    lines: Vec<Line>,
    good: usize,
    bad: usize,
    failed: Line,
    refused: Line,
}

impl IntakePage {
    /// The page, with the line of the last scan.
    pub(super) fn new(shell: Shell, line: Option<Line>) -> Self {
        let words = shell.words;
        let good = usize::from(line.as_ref().is_some_and(Line::is_good));
        Self {
            csrf: shell.csrf(),
            good,
            bad: usize::from(line.is_some()) - good,
            lines: line.into_iter().collect(),
            failed: Line::bad(String::new(), words.say("desk-failed"), words),
            refused: Line::bad(String::new(), words.say("desk-not-accepted"), words),
            shell,
        }
    }
}

fn show(signed_in: &SignedIn, visitor: &Visitor, line: Option<Line>) -> Response {
    let shell = visitor.shell(Section::WorkIntake, visitor.words.say("work-intake-title"), signed_in);
    shell::scripted(shell::page(StatusCode::OK, &IntakePage::new(shell, line)))
}

/// `GET /work-orders/intake`
pub(super) async fn desk(signed_in: SignedIn, visitor: Visitor) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::WorkOnOrders, Object::OwnScope))?;
    Ok(show(&signed_in, &visitor, None))
}

/// What was scanned.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ScanForm {
    code: String,
}

/// `POST /work-orders/intake`
pub(super) async fn scan(
    visitor: Visitor,
    State(app): State<App>,
    headers: HeaderMap,
    CsrfForm { signed_in, form }: CsrfForm<ScanForm>,
) -> Result<Response, Refusal> {
    let line = take_in(&app, &signed_in, visitor.words, &scanned::clean(&form.code)).await?;
    if headers.contains_key(LINE_HEADER) {
        return Ok(shell::page(StatusCode::OK, &line));
    }
    Ok(show(&signed_in, &visitor, Some(line)))
}

async fn take_in(app: &App, signed_in: &SignedIn, words: Words, code: &str) -> Result<Line, Refusal> {
    let scope = &signed_in.person.scope;
    // Long codes are cut: they are somebody's mistake, and stand in a narrow line.
    let shown: String = code.chars().take(64).collect();
    let mut bench = begin(app, signed_in, Action::WorkOnOrders).await?;
    let found = device_scan::one(bench.tx(), scope, code, device_scan::unknown(scope)).await?;
    let (device, keyboard) = match found {
        Ok(found) => found,
        Err(key) => return Ok(Line::bad(shown, words.say(key), words)),
    };
    let name = device_name(device.serial_number.as_deref(), device.asset_tag.as_deref(), device.id);
    let model = model_name(device.manufacturer.as_deref(), device.model.as_deref(), words);
    match bench.take_in(device.id).await {
        Ok((order, opened)) => {
            bench.commit().await?;
            let key = if opened { "work-taken-in" } else { "work-already-in" };
            let href = format!("/work-orders/{}", order.id);
            Ok(Line::taken_in(name, href, words.say(key), model, words).read_with(keyboard))
        }
        Err(WorkError::Refused(refused)) => Ok(Line::bad(shown, why_not(refused, words), words)),
        Err(WorkError::Store(error)) => Err(error.into()),
    }
}

/// Why a unit is not taken in, in the desk's words.
fn why_not(refused: Refused, words: Words) -> String {
    let Refused::NotHere(at) = refused else { return words.word("bench-refused", refused.code()) };
    words.say(match at {
        LendingState::Reserved => "desk-reserved",
        LendingState::Ceded => "desk-ceded",
        LendingState::SetAside => "work-set-aside",
        LendingState::InStock
        | LendingState::Intake
        | LendingState::Refurbishment
        | LendingState::Lent
        | LendingState::Lost
        | LendingState::Stolen
        | LendingState::WrittenOff => "work-take-back-first",
    })
}
