//! Handing a device over by scan: the device, the borrower and the programme first; then until when, with what and how
//! it is signed. Each step is a form of its own, so that a scanner's Enter leads to the next.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    component::Choice,
    desk_way::DeskWay,
    device_scan::Keyboard,
    document,
    error::{Refusal, require},
    hand_over_device::{Scanned, There},
    i18n::Words,
    loan::{Accessory, accessories},
    scanned,
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, Object, SignedIn},
    domain::{
        borrower::{Borrower, BorrowerKind, Reference},
        loan::{LendingState, Signature},
        paris,
        programme::Programme,
        signature::Drawing,
    },
    store::{Tx, borrower, device::DeviceRow, loan_due, programme},
};

/// What was scanned and chosen so far.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) code: String,
    pub(super) borrower: String,
    pub(super) programme: String,
    /// The loan of the hand-over before.
    pub(super) last: String,
}

impl Asked {
    /// What the second form carries of the first one.
    pub(super) fn of(form: &BTreeMap<String, String>) -> Self {
        let text = |name: &str| form.get(name).cloned().unwrap_or_default();
        Self { code: text("device"), borrower: text("borrower"), programme: text("programme"), last: String::new() }
    }
}

/// What is left to confirm.
#[derive(Clone, Debug)]
pub(super) struct Confirm {
    pub(super) device: String,
    pub(super) borrower: String,
    pub(super) borrower_label: String,
    pub(super) programme: String,
    pub(super) programme_label: String,
    pub(super) due: String,
    /// What may go with it, and whether it does.
    pub(super) accessories: Vec<(Accessory, bool)>,
    /// How it is signed: `paper`, `drawn`, or nothing.
    pub(super) signature: String,
    /// The strokes that were drawn, where a form came back.
    pub(super) drawn: String,
    pub(super) agreement: String,
    /// Who may sign; empty for a borrower who signs for itself.
    pub(super) holders: Vec<Choice>,
    /// Whether it may be reserved only: it is in stock, not reserved already.
    pub(super) may_reserve: bool,
}

impl Confirm {
    /// With what was typed in the form that comes back, instead of what is suggested.
    fn with_typed(self, form: &BTreeMap<String, String>) -> Self {
        let text = |name: &str| form.get(name).cloned().unwrap_or_default();
        let ticked = |(accessory, _): (Accessory, bool)| {
            let ticked = form.contains_key(&accessory.field);
            (accessory, ticked)
        };
        let signs = text("holders");
        let chosen = |holder: Choice| Choice { selected: holder.value == signs, ..holder };
        Self {
            due: text("due"),
            accessories: self.accessories.into_iter().map(ticked).collect(),
            signature: text("signature"),
            // The script draws it anew: nothing but strokes comes back.
            drawn: text("drawn").parse::<Drawing>().map(|drawing| drawing.to_string()).unwrap_or_default(),
            agreement: text("agreement"),
            holders: self.holders.into_iter().map(chosen).collect(),
            ..self
        }
    }
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "hand_over.html")]
pub(super) struct HandOverPage {
    pub(super) shell: Shell,
    pub(super) csrf: String,
    pub(super) asked: Asked,
    pub(super) last: Option<String>,
    pub(super) problem: Option<String>,
    pub(super) scanned: Option<Scanned>,
    pub(super) programmes: Vec<Choice>,
    /// Whether nothing but the programme is missing.
    pub(super) choose_programme: bool,
    pub(super) confirm: Option<Confirm>,
    /// The form of a borrower who is not recorded yet, for those who may record one.
    pub(super) new_borrower: Option<String>,
}

/// `GET /hand-over`
pub(super) async fn form(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    show(&app, &signed_in, &visitor, asked, None).await
}

async fn show(
    app: &App,
    signed_in: &SignedIn,
    visitor: &Visitor,
    asked: Asked,
    refused: Option<(&BTreeMap<String, String>, String)>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::HandOver, Object::OwnScope))?;
    let words = visitor.words;
    let mut tx = app.store.read().await?;
    let mut step = step(&mut tx, app, signed_in, &asked, words).await?;
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let new_borrower = new_borrower(signed_in, &step);
    if let Some((form, problem)) = refused {
        step.confirm = step.confirm.map(|confirm| confirm.with_typed(form));
        step.problem = Some(problem);
    }
    let page = HandOverPage {
        csrf: signed_in.csrf.as_str().to_owned(),
        last: asked.last.parse().ok().map(|id: Uuid| format!("/loans/{id}")),
        problem: step.problem,
        scanned: step.scanned,
        programmes: step.programmes,
        choose_programme: step.choose_programme,
        new_borrower,
        confirm: step.confirm,
        asked: step.asked,
        shell: visitor.shell(Section::HandOver, words.say("handing-title"), signed_in),
    };
    Ok(shell::scripted(shell::page(status, &page)))
}

/// The page once more with all that was typed, for a form that could not be done.
pub(super) async fn again(
    app: &App,
    signed_in: &SignedIn,
    visitor: &Visitor,
    form: &BTreeMap<String, String>,
    problem: String,
) -> Result<Response, Refusal> {
    show(app, signed_in, visitor, Asked::of(form), Some((form, problem))).await
}

/// How far the scans have come.
#[derive(Default)]
struct Progress {
    asked: Asked,
    problem: Option<String>,
    scanned: Option<Scanned>,
    programmes: Vec<Choice>,
    choose_programme: bool,
    confirm: Option<Confirm>,
}

impl Progress {
    /// Says the first thing that is wrong.
    fn wrong(&mut self, problem: Option<String>) {
        self.problem = self.problem.take().or(problem);
    }
}

/// Where to record the borrower, until one is known.
fn new_borrower(signed_in: &SignedIn, step: &Progress) -> Option<String> {
    let may = signed_in.person.can(Action::ChangeBorrowers, Object::OwnScope).is_allowed();
    (may && step.confirm.is_none())
        .then(|| DeskWay::from_hand_over(&step.asked.code, &step.asked.programme).to_new_borrower())
}

async fn step(tx: &mut Tx, app: &App, signed_in: &SignedIn, asked: &Asked, words: Words) -> Result<Progress, Refusal> {
    let mut progress = Progress { asked: asked.clone(), ..Progress::default() };
    progress.asked.code = scanned::clean(&asked.code);
    progress.asked.borrower = scanned::clean(&asked.borrower);
    // Who may hand over chooses among all that lend: a name tells nothing of who is in it.
    let mut programmes = programme::list(tx).await?;
    programmes.retain(|programme| programme.open);
    let mut found = None;
    if !progress.asked.code.is_empty() {
        match There::find(tx, signed_in, &progress.asked.code).await? {
            Err(key) => progress.problem = Some(words.say(key)),
            Ok(there) => {
                progress.scanned = Some(there.shown(words));
                there.prefer(tx, signed_in, &mut progress.asked, &mut programmes).await?;
                found = Some(there);
            }
        }
    }
    let borrower = match borrower_of(tx, signed_in, &progress.asked.borrower).await? {
        Ok(borrower) => borrower,
        Err(key) => {
            progress.wrong(Some(words.say(key)));
            None
        }
    };
    if let Some(refused) = found.as_ref().and_then(|there| there.refused(borrower.as_ref(), words)) {
        (found, progress.problem) = (None, Some(refused));
    }
    let chosen = programmes.iter().find(|one| one.id.to_string() == progress.asked.programme).cloned();
    progress.programmes = choices(&programmes, &progress.asked.programme, words);
    match (&found, &borrower, &chosen) {
        (Some(_), _, Some(programme)) if !programme.open => {
            progress.problem = Some(words.say("refused-programme-closed"));
        }
        (Some(there), Some(borrower), Some(programme)) => {
            let mut confirm = confirm(tx, app, signed_in, (&there.device, borrower, programme), words).await?;
            confirm.may_reserve = there.at == LendingState::InStock;
            progress.confirm = Some(confirm);
        }
        (Some(_), Some(_), None) => {
            progress.choose_programme = true;
            progress.wrong(Some(words.say("refused-no-programme")));
        }
        (None, ..) | (Some(_), None, _) => {}
    }
    let guessed = found.is_some_and(|there| there.keyboard == Keyboard::Wrong);
    progress.wrong(guessed.then(|| words.say("scan-keyboard-guessed")));
    Ok(progress)
}

fn choices(programmes: &[Programme], present: &str, words: Words) -> Vec<Choice> {
    let choice = |programme: &Programme| Choice {
        value: programme.id.to_string(),
        label: words.with_two("programme-named", programme.code.as_str(), &programme.name),
        selected: programme.id.to_string() == present,
    };
    programmes.iter().map(choice).collect()
}

/// The borrower whose reference was typed; or the key of what is wrong with it.
pub(super) async fn borrower_of(
    tx: &mut Tx,
    signed_in: &SignedIn,
    text: &str,
) -> Result<Result<Option<Borrower>, &'static str>, Refusal> {
    let text = scanned::clean(text);
    if text.is_empty() {
        return Ok(Ok(None));
    }
    let meant = scanned::retyped(&text);
    let reference = match (text.parse::<Reference>(), meant.as_deref().map(str::parse::<Reference>)) {
        (Ok(reference), _) | (Err(_), Some(Ok(reference))) => reference,
        (Err(_), Some(Err(_))) => return Ok(Err("scan-wrong-keyboard")),
        (Err(_), None) => return Ok(Err("handing-no-reference")),
    };
    let found = borrower::find_by_reference(tx, &signed_in.person.scope, &reference).await?;
    Ok(found.map(Some).ok_or("refused-no-borrower"))
}

/// Who may sign for a person: all who hold parental authority, unless one of them is chosen.
fn holders(words: Words) -> Vec<Choice> {
    let all = Choice { value: "all".to_owned(), label: words.say("document-all-holders"), selected: true };
    let one = |(place, label): (usize, String)| Choice { value: place.to_string(), label, selected: false };
    std::iter::once(all).chain(document::places(words).into_iter().map(one)).collect()
}

async fn confirm(
    tx: &mut Tx,
    app: &App,
    signed_in: &SignedIn,
    (device, borrower, programme): (&DeviceRow, &Borrower, &Programme),
    words: Words,
) -> Result<Confirm, Refusal> {
    let today = paris::date(signed_in.now);
    let due = loan_due::suggested(tx, programme, device.site.or(borrower.site), today, &app.policy).await?;
    let kind = words.word("borrower", borrower.kind.as_str());
    let name = borrower.institution_name.clone().unwrap_or_else(|| borrower.reference.to_string());
    Ok(Confirm {
        device: device.id.to_string(),
        borrower: borrower.reference.to_string(),
        borrower_label: words.with_two("loan-borrower-named", &name, &kind),
        programme: programme.id.to_string(),
        programme_label: words.with_two("programme-named", programme.code.as_str(), &programme.name),
        due: due.map(|due| due.to_string()).unwrap_or_default(),
        accessories: accessories(&programme.accessories).into_iter().map(|accessory| (accessory, true)).collect(),
        signature: Signature::Paper.as_str().to_owned(),
        drawn: String::new(),
        agreement: app.documents.agreement_label(&programme.agreement_template),
        holders: if borrower.kind == BorrowerKind::Person { holders(words) } else { Vec::new() },
        may_reserve: false,
    })
}
