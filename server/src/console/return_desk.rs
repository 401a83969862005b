//! The return desk: one scan after the other, each answered by a line that says in words, by its shape and by its colour
//! whether the device was taken back. Works without script; with it, only the line travels.

use std::collections::BTreeMap;

use askama::{Template, filters::HtmlSafe};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    component::{Badge, Tone},
    device_scan::{self, Keyboard},
    error::{Refusal, require},
    format,
    i18n::Words,
    loan::conditions,
    loan_acts::clerk,
    loan_line::{LoanLine, Sight},
    scanned,
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    domain::loan::{Condition, LendingState, LoanStateName},
    store::{
        Tx,
        lending::{Lending, LendingError, Refused},
        loan, loan_event,
        loan_list::{self, LoanSummary},
        programme,
    },
};

/// Asks for the line alone instead of the whole page; only our script sends it.
pub(super) const LINE_HEADER: &str = "x-cartable-line";
/// Past returns of this person that the page shows, at most and how far back.
const LINES_SHOWN: i64 = 20;
const LINES_MILLIS: i64 = 12 * 60 * 60_000;
/// Accessories that the desk offers to tick off as missing.
const MOST_ACCESSORIES: usize = 12;
/// Begins the name of the field of a missing accessory; the accessory's own name follows.
const MISSING: &str = "missing:";

/// One scan and what became of it.
#[derive(Clone, Debug, Template)]
#[template(path = "desk_line.html")]
pub(super) struct Line {
    words: Words,
    badge: Badge,
    outcome: &'static str,
    what: String,
    href: Option<String>,
    sentence: String,
    details: Vec<String>,
    undo: Option<(String, String)>,
    receipt: Option<(String, String)>,
}

impl HtmlSafe for Line {}

impl Line {
    /// A device that was not taken back.
    pub(super) fn bad(what: String, sentence: String, words: Words) -> Self {
        let badge = Badge::new(Tone::Critical, words.say("desk-refused"));
        let (href, details) = (None, Vec::new());
        Self { words, badge, outcome: "bad", what, href, sentence, details, undo: None, receipt: None }
    }

    /// A device that was.
    pub(super) fn good(loan: &LoanSummary, was: Option<LoanStateName>, sight: Sight, words: Words) -> Self {
        let line = LoanLine::new(loan, sight, words);
        let tag = line.asset_tag.map_or(line.model.clone(), |tag| format!("{tag} · {}", line.model));
        let condition = loan.condition.map(|condition| words.word("condition", condition.as_str()));
        let missing = Some(loan.missing.join(", ")).filter(|names| !names.is_empty());
        let found = was.filter(|state| *state != LoanStateName::HandedOver);
        let details = [
            Some(tag),
            line.borrower.map(|borrower| words.with("desk-borrower", &borrower)),
            condition,
            missing.map(|names| words.with("loan-without", &names)),
            found.map(|state| words.with("desk-found", &words.word("loan", state.as_str()))),
        ];
        Self {
            words,
            badge: Badge::new(Tone::Good, words.say("desk-done")),
            outcome: "good",
            what: line.device,
            href: Some(line.href),
            sentence: loan.ended_at.map(|at| format::date_time(at, words)).unwrap_or_default(),
            details: details.into_iter().flatten().collect(),
            undo: None,
            receipt: None,
        }
    }

    /// A unit that was taken in for refurbishment.
    pub(super) fn taken_in(what: String, href: String, sentence: String, model: String, words: Words) -> Self {
        Self {
            words,
            badge: Badge::new(Tone::Good, words.say("work-in")),
            outcome: "good",
            what,
            href: Some(href),
            sentence,
            details: vec![model],
            undo: None,
            receipt: None,
        }
    }

    /// Whether the scan did what it was for.
    pub(super) fn is_good(&self) -> bool {
        self.outcome == "good"
    }

    /// With the button that makes its receipt.
    fn with_receipt(self, loan: Uuid, csrf: &str) -> Self {
        Self { receipt: Some((loan.to_string(), csrf.to_owned())), ..self }
    }

    /// Says so where another keyboard had to be guessed to understand the code.
    pub(super) fn read_with(mut self, keyboard: Keyboard) -> Self {
        if keyboard == Keyboard::Wrong {
            self.details.push(self.words.say("scan-keyboard-guessed"));
        }
        self
    }

    fn undoable(self, loan: Uuid, csrf: &str) -> Self {
        Self { undo: Some((loan.to_string(), csrf.to_owned())), ..self }
    }
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "returns.html")]
pub(super) struct ReturnsPage {
    shell: Shell,
    csrf: String,
    conditions: Vec<(&'static str, String, bool)>,
    accessories: Vec<String>,
    lines: Vec<Line>,
    good: usize,
    bad: usize,
    failed: Line,
    refused: Line,
}

impl ReturnsPage {
    /// The page with these lines, newest first.
    pub(super) fn new(shell: Shell, accessories: Vec<String>, lines: Vec<Line>) -> Self {
        let words = shell.words;
        let good = lines.iter().filter(|line| line.is_good()).count();
        Self {
            csrf: shell.person.as_ref().map_or_else(String::new, |person| person.csrf.clone()),
            conditions: conditions(words),
            accessories,
            bad: lines.len() - good,
            good,
            lines,
            failed: Line::bad(String::new(), words.say("desk-failed"), words),
            refused: Line::bad(String::new(), words.say("desk-not-accepted"), words),
            shell,
        }
    }
}

/// `GET /returns`
pub(super) async fn desk(signed_in: SignedIn, visitor: Visitor, State(app): State<App>) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::TakeBack, Object::OwnScope))?;
    show(&app, &signed_in, &visitor, None).await
}

async fn show(app: &App, signed_in: &SignedIn, visitor: &Visitor, first: Option<Line>) -> Result<Response, Refusal> {
    let words = visitor.words;
    let mut tx = app.store.read().await?;
    let since = signed_in.now.plus_millis(-LINES_MILLIS);
    let actor = signed_in.person.login.as_str();
    let ids = loan_event::taken_back_by(&mut tx, actor, since, LINES_SHOWN).await?;
    let loans = loan_list::of_ids(&mut tx, &signed_in.person.scope, &ids).await?;
    let line = |(index, loan): (usize, &LoanSummary)| {
        let line = Line::good(loan, None, Sight::of(signed_in), words);
        let line = line.with_receipt(loan.id, signed_in.csrf.as_str());
        if index == 0 { line.undoable(loan.id, signed_in.csrf.as_str()) } else { line }
    };
    // A return that was just made stands among the past ones already; only a refusal is added.
    let refused = first.filter(|line| line.outcome == "bad");
    let lines = refused.into_iter().chain(loans.iter().enumerate().map(line)).collect();
    let accessories = accessories(&mut tx).await?;
    let shell = visitor.shell(Section::Returns, words.say("desk-title"), signed_in);
    Ok(shell::scripted(shell::page(StatusCode::OK, &ReturnsPage::new(shell, accessories, lines))))
}

/// What goes with devices under the programmes that lend.
async fn accessories(tx: &mut Tx) -> Result<Vec<String>, Refusal> {
    let mut names: Vec<String> = Vec::new();
    for name in programme::list(tx).await?.into_iter().filter(|one| one.open).flat_map(|one| one.accessories) {
        if !names.contains(&name) && names.len() < MOST_ACCESSORIES {
            names.push(name);
        }
    }
    Ok(names)
}

/// `POST /returns`
pub(super) async fn scan(
    visitor: Visitor,
    State(app): State<App>,
    headers: HeaderMap,
    CsrfForm { signed_in, form }: CsrfForm<BTreeMap<String, String>>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::TakeBack, Object::OwnScope))?;
    let condition = form.get("condition").map_or(Ok(Condition::Good), |text| text.parse());
    let condition = condition.map_err(|_| Refusal::Nonsense)?;
    let missing: Vec<String> = form.keys().filter_map(|key| key.strip_prefix(MISSING)).map(str::to_owned).collect();
    let code = scanned::clean(form.get("code").map(String::as_str).unwrap_or_default());
    let line = take_back(&app, &signed_in, visitor.words, &code, (condition, &missing)).await?;
    if headers.contains_key(LINE_HEADER) {
        return Ok(shell::page(StatusCode::OK, &line));
    }
    show(&app, &signed_in, &visitor, Some(line)).await
}

async fn take_back(
    app: &App,
    signed_in: &SignedIn,
    words: Words,
    code: &str,
    (condition, missing): (Condition, &[String]),
) -> Result<Line, Refusal> {
    let scope = &signed_in.person.scope;
    // Long codes are cut: they are somebody's mistake, and stand in a narrow line.
    let shown: String = code.chars().take(64).collect();
    let mut lending = Lending::begin(&app.store, clerk(app, signed_in)).await?;
    let found = device_scan::one(lending.tx(), scope, code, device_scan::unknown(scope)).await?;
    let (device, keyboard) = match found {
        Ok(found) => found,
        Err(key) => return Ok(Line::bad(shown, words.say(key), words)),
    };
    let was = loan::newest_state(lending.tx(), device.id).await?;
    match lending.take_back_device(device.id, condition, missing).await {
        Ok(loan) => {
            let summary = loan_list::find(lending.tx(), scope, loan.id).await?.ok_or(Refusal::Broken)?;
            lending.commit().await?;
            let (line, csrf) = (Line::good(&summary, was, Sight::of(signed_in), words), signed_in.csrf.as_str());
            Ok(line.read_with(keyboard).with_receipt(loan.id, csrf).undoable(loan.id, csrf))
        }
        Err(LendingError::Refused(refused)) => Ok(Line::bad(shown, why_not(&refused, words), words)),
        Err(LendingError::Store(error)) => Err(error.into()),
    }
}

/// Why a device that is known here is not taken back, in the desk's words.
fn why_not(refused: &Refused, words: Words) -> String {
    if let Refused::NotLent(at) = refused {
        let key = match at {
            LendingState::Intake => "desk-already",
            LendingState::InStock => "desk-in-stock",
            LendingState::Reserved => "desk-reserved",
            LendingState::Ceded => "desk-ceded",
            LendingState::Refurbishment => "desk-refurbishment",
            LendingState::SetAside => "desk-set-aside",
            LendingState::Lent | LendingState::Lost | LendingState::Stolen | LendingState::WrittenOff => {
                "refused-not-lent"
            }
        };
        return words.say(key);
    }
    if *refused == Refused::NoLoan {
        return words.say("desk-foreign-loan");
    }
    words.word("refused", refused.code())
}

/// Which return to undo.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct UndoForm {
    loan: String,
}

/// `POST /returns/undo`
pub(super) async fn undo(
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<UndoForm>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::TakeBack, Object::OwnScope))?;
    let id: Uuid = form.loan.parse().map_err(|_| Refusal::NotFound)?;
    let mut lending = Lending::begin(&app.store, clerk(&app, &signed_in)).await?;
    let outcome = match lending.undo_return(id).await {
        Ok(_) => {
            lending.commit().await?;
            "return-undone".to_owned()
        }
        Err(LendingError::Refused(Refused::NoLoan)) => return Err(Refusal::NotFound),
        Err(LendingError::Refused(refused)) => format!("refused-{}", refused.code()),
        Err(LendingError::Store(error)) => return Err(error.into()),
    };
    Ok(Redirect::to(&format!("/returns?done={outcome}")).into_response())
}
