//! Handing a device over by scan: the device, the borrower and the programme first; then until when, with what and how
//! it is signed. Each step is a form of its own, so that a scanner's Enter leads to the next.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use cartable_common::DeviceId;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    component::{Badge, Choice},
    desk_way::DeskWay,
    device_list::{device_name, model_name},
    document,
    error::{Refusal, require},
    i18n::Words,
    loan::{Accessory, accessories},
    loan_acts::{clerk, ticked},
    loan_line::lending_badge,
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    domain::{
        borrower::{Borrower, BorrowerKind, Reference},
        loan::{LendingState, Loan, Signature},
        paris,
        programme::Programme,
        signature::Drawing,
    },
    store::{
        Tx, borrower,
        device::DeviceRow,
        device_code::{self, Found},
        lending::{Handing, Lending, LendingError, Wish},
        loan, loan_due, loan_signature, programme,
    },
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

/// The device that was scanned.
#[derive(Clone, Debug)]
pub(super) struct Scanned {
    pub(super) name: String,
    pub(super) model: String,
    pub(super) href: String,
    pub(super) at: Badge,
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
    pub(super) accessories: Vec<Accessory>,
    pub(super) agreement: String,
    /// Who may sign, besides all; empty for a borrower who signs for itself.
    pub(super) holders: Vec<(usize, String)>,
    /// Whether it may be reserved only: it is in stock, not reserved already.
    pub(super) may_reserve: bool,
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
    refused: Option<String>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::HandOver, Object::OwnScope))?;
    let words = visitor.words;
    let mut tx = app.store.read().await?;
    let step = step(&mut tx, app, signed_in, &asked, words).await?;
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let new_borrower = new_borrower(signed_in, &step);
    let problem = refused.or(step.problem);
    let page = HandOverPage {
        csrf: signed_in.csrf.as_str().to_owned(),
        last: asked.last.parse().ok().map(|id: Uuid| format!("/loans/{id}")),
        problem,
        scanned: step.scanned,
        programmes: step.programmes,
        new_borrower,
        confirm: step.confirm,
        asked: step.asked,
        shell: visitor.shell(Section::HandOver, words.say("handing-title"), signed_in),
    };
    Ok(shell::scripted(shell::page(status, &page)))
}

/// The page once more, for a form that could not be done.
pub(super) async fn again(
    app: &App,
    signed_in: &SignedIn,
    visitor: &Visitor,
    form: &BTreeMap<String, String>,
    problem: String,
) -> Result<Response, Refusal> {
    show(app, signed_in, visitor, Asked::of(form), Some(problem)).await
}

/// How far the scans have come.
#[derive(Default)]
struct Progress {
    asked: Asked,
    problem: Option<String>,
    scanned: Option<Scanned>,
    programmes: Vec<Choice>,
    confirm: Option<Confirm>,
}

/// Where to record the borrower, until one is known.
fn new_borrower(signed_in: &SignedIn, step: &Progress) -> Option<String> {
    let may = signed_in.person.can(Action::ChangeBorrowers, Object::OwnScope).is_allowed();
    (may && step.confirm.is_none())
        .then(|| DeskWay::from_hand_over(&step.asked.code, &step.asked.programme).to_new_borrower())
}

/// A device that may be handed over, and its reservation.
async fn device_of(
    tx: &mut Tx,
    signed_in: &SignedIn,
    code: &str,
) -> Result<Result<(DeviceRow, LendingState, Option<Loan>), &'static str>, Refusal> {
    let scope = &signed_in.person.scope;
    let device = match device_code::find(tx, scope, code).await? {
        Found::One(device) => *device,
        Found::Several => return Ok(Err("desk-several")),
        Found::Nothing => return Ok(Err("refused-no-device")),
    };
    let at = loan::lending_state(tx, device.id).await?.ok_or(Refusal::NotFound)?;
    let reservation = loan::open_of_device(tx, scope, device.id).await?;
    Ok(Ok((device, at, reservation.filter(|_| at == LendingState::Reserved))))
}

async fn step(tx: &mut Tx, app: &App, signed_in: &SignedIn, asked: &Asked, words: Words) -> Result<Progress, Refusal> {
    let mut progress = Progress { asked: asked.clone(), ..Progress::default() };
    // Who may hand over chooses among all that lend: a name tells nothing of who is in it.
    let mut programmes = programme::list(tx).await?;
    programmes.retain(|programme| programme.open);
    let mut found = None;
    if !asked.code.trim().is_empty() {
        match device_of(tx, signed_in, &asked.code).await? {
            Err(key) => progress.problem = Some(words.say(key)),
            Ok((device, at, reservation)) => {
                progress.scanned = Some(scanned(&device, at, words));
                if let Some(reservation) = reservation {
                    prefer(tx, signed_in, &mut progress.asked, &mut programmes, &reservation).await?;
                }
                if matches!(at, LendingState::InStock | LendingState::Reserved) {
                    found = Some((device, at));
                } else {
                    let state = words.word("lending", at.as_str());
                    progress.problem = Some(words.with("handing-not-in-stock", &state));
                }
            }
        }
    }
    let chosen = programmes.iter().find(|one| one.id.to_string() == progress.asked.programme).cloned();
    progress.programmes = choices(&programmes, &progress.asked.programme, words);
    let borrower = match borrower_of(tx, signed_in, &progress.asked.borrower).await? {
        Err(key) => {
            progress.problem = progress.problem.or_else(|| Some(words.say(key)));
            None
        }
        Ok(borrower) => borrower,
    };
    if let (Some((device, at)), Some(borrower), Some(programme)) = (found, borrower, chosen) {
        let mut confirm = confirm(tx, app, signed_in, (&device, &borrower, &programme), words).await?;
        confirm.may_reserve = at == LendingState::InStock;
        progress.confirm = Some(confirm);
    }
    Ok(progress)
}

/// A reservation says for whom and under what, unless something else was typed.
async fn prefer(
    tx: &mut Tx,
    signed_in: &SignedIn,
    asked: &mut Asked,
    programmes: &mut Vec<Programme>,
    reservation: &Loan,
) -> Result<(), Refusal> {
    if asked.borrower.trim().is_empty() {
        let reserved_for = borrower::find(tx, &signed_in.person.scope, reservation.borrower).await?;
        asked.borrower = reserved_for.map_or_else(String::new, |borrower| borrower.reference.to_string());
        asked.programme = reservation.programme.to_string();
    }
    if programmes.iter().all(|programme| programme.id != reservation.programme) {
        programmes.extend(programme::find(tx, reservation.programme).await?);
    }
    Ok(())
}

fn scanned(device: &DeviceRow, at: LendingState, words: Words) -> Scanned {
    Scanned {
        name: device_name(device.serial_number.as_deref(), device.asset_tag.as_deref(), device.id),
        model: model_name(device.manufacturer.as_deref(), device.model.as_deref(), words),
        href: format!("/devices/{}", device.id),
        at: lending_badge(at, words),
    }
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
    if text.trim().is_empty() {
        return Ok(Ok(None));
    }
    let Ok(reference) = text.parse::<Reference>() else { return Ok(Err("handing-no-reference")) };
    let found = borrower::find_by_reference(tx, &signed_in.person.scope, &reference).await?;
    Ok(found.map(Some).ok_or("refused-no-borrower"))
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
        accessories: accessories(&programme.accessories),
        agreement: app.documents.agreement_label(&programme.agreement_template),
        holders: if borrower.kind == BorrowerKind::Person { document::places(words) } else { Vec::new() },
        may_reserve: false,
    })
}

/// `POST /hand-over`
pub(super) async fn hand_over(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<BTreeMap<String, String>>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::HandOver, Object::OwnScope))?;
    let asked = Asked::of(&form);
    let wanted: DeviceId = asked.code.parse().map_err(|_| Refusal::Nonsense)?;
    match lend(&app, &signed_in, (wanted, &asked, &form), visitor.words).await? {
        Ok(loan) => {
            let next = format!("/hand-over?done=handed-over&last={loan}&programme={}", asked.programme);
            Ok(Redirect::to(&next).into_response())
        }
        Err(problem) => show(&app, &signed_in, &visitor, asked, Some(problem)).await,
    }
}

/// Hands it over; or says what is wrong.
async fn lend(
    app: &App,
    signed_in: &SignedIn,
    (device, asked, form): (DeviceId, &Asked, &BTreeMap<String, String>),
    words: Words,
) -> Result<Result<Uuid, String>, Refusal> {
    let programme: Uuid = asked.programme.parse().map_err(|_| Refusal::Nonsense)?;
    let mut lending = Lending::begin(&app.store, clerk(app, signed_in)).await?;
    let borrower = match borrower_of(lending.tx(), signed_in, &asked.borrower).await? {
        Ok(Some(borrower)) => borrower.id,
        Ok(None) => return Ok(Err(words.say("handing-no-reference"))),
        Err(key) => return Ok(Err(words.say(key))),
    };
    let known = programme::find(lending.tx(), programme).await?.map(|one| one.accessories).unwrap_or_default();
    let (handing, drawing) = match handing(form, &known)? {
        Ok(read) => read,
        Err(key) => return Ok(Err(words.say(key))),
    };
    let loan = match lending.lend(Wish { device, borrower, programme }, handing).await {
        Ok(loan) => loan,
        Err(LendingError::Refused(refused)) => return Ok(Err(words.word("refused", refused.code()))),
        Err(LendingError::Store(error)) => return Err(error.into()),
    };
    if let Some(drawing) = drawing {
        let sealed = app.vault.seal("signature", loan.id, drawing.to_string().as_bytes());
        let sealed = sealed.map_err(|error| {
            tracing::error!(%error, "a signature cannot be sealed");
            Refusal::Broken
        })?;
        loan_signature::put(lending.tx(), loan.id, &sealed, signed_in.now).await?;
    }
    lending.commit().await?;
    Ok(Ok(loan.id))
}

/// How it is handed over, and the signature if it was drawn; or the key of what is wrong.
fn handing(
    form: &BTreeMap<String, String>,
    known: &[String],
) -> Result<Result<(Handing, Option<Drawing>), &'static str>, Refusal> {
    let text = |name: &str| Some(form.get(name)?.trim()).filter(|text| !text.is_empty());
    let signature = text("signature").map(str::parse::<Signature>).transpose().map_err(|_| Refusal::Nonsense)?;
    let drawing = if signature == Some(Signature::Drawn) {
        match text("drawn").unwrap_or_default().parse::<Drawing>() {
            Ok(drawing) => Some(drawing),
            Err(_) => return Ok(Err("handing-no-drawing")),
        }
    } else {
        None
    };
    let handing = Handing {
        due: text("due").map(str::parse).transpose().map_err(|_| Refusal::Nonsense)?,
        accessories: ticked(form, known),
        signature,
        agreement_version: text("agreement").map(str::to_owned),
    };
    Ok(Ok((handing, drawing)))
}
