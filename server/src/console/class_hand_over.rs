//! Handing devices over to a class from a list, pasted or from a file: one line for each, device and borrower. The preview
//! does everything and keeps nothing, so that it says exactly what the act will say.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use cartable_common::DeviceId;
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    component::{Badge, Choice, Tone},
    device_list::device_name,
    device_scan,
    error::{Refusal, require, size},
    format,
    i18n::Words,
    loan_acts::clerk,
    scanned,
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, FormRefused, Object, SignedIn, TooLarge, Upload, UploadLimits, upload},
    domain::{
        borrower::Reference,
        class_list::{self, MOST_LINES, split},
        loan::Signature,
        programme::Programme,
    },
    exchange::read,
    store::{
        borrower,
        lending::{Handing, Lending, LendingError, Wish},
        programme,
    },
};

/// A workbook with some columns for each of a year group's pupils, and a list that was typed.
const LIMITS: UploadLimits = UploadLimits { file: 1 << 20, field: 64 << 10 };

/// The form, as typed.
#[derive(Clone, Debug, Default)]
pub(super) struct ClassForm {
    pub(super) lines: String,
    pub(super) programme: String,
    pub(super) due: String,
    pub(super) agreement: String,
    /// `all`: all lines or none; `good`: the good ones. Without it, a preview.
    pub(super) how: String,
}

impl ClassForm {
    fn of(fields: &mut BTreeMap<String, String>) -> Self {
        let mut text = |name: &str| fields.remove(name).unwrap_or_default();
        Self {
            lines: text("lines"),
            programme: text("programme"),
            due: text("due"),
            agreement: text("agreement"),
            how: text("how"),
        }
    }
}

/// One line of the list, and what would happen or why not.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) number: usize,
    pub(super) text: String,
    pub(super) state: Badge,
    pub(super) what: String,
    pub(super) good: bool,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "class_hand_over.html")]
pub(super) struct ClassPage {
    pub(super) shell: Shell,
    pub(super) csrf: String,
    pub(super) form: ClassForm,
    pub(super) programmes: Vec<Choice>,
    pub(super) problem: Option<String>,
    pub(super) rows: Vec<Row>,
    pub(super) summary: String,
}

impl ClassPage {
    fn any_good(&self) -> bool {
        self.rows.iter().any(|row| row.good)
    }

    fn all_good(&self) -> bool {
        self.rows.iter().all(|row| row.good)
    }
}

/// `GET /hand-over/class`
pub(super) async fn form(signed_in: SignedIn, visitor: Visitor, State(app): State<App>) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::HandOver, Object::OwnScope))?;
    let mut tx = app.store.read().await?;
    let programmes = programme::list(&mut tx).await?;
    Ok(show(&signed_in, &visitor, &programmes, ClassForm::default(), Outcome::default()))
}

/// What became of a list.
#[derive(Default)]
struct Outcome {
    problem: Option<String>,
    rows: Vec<Row>,
}

fn show(
    signed_in: &SignedIn,
    visitor: &Visitor,
    programmes: &[Programme],
    form: ClassForm,
    Outcome { problem, rows }: Outcome,
) -> Response {
    let words = visitor.words;
    let good = rows.iter().filter(|row| row.good).count();
    let choices = programmes.iter().filter(|programme| programme.open).map(|programme| Choice {
        value: programme.id.to_string(),
        label: words.with_two("programme-named", programme.code.as_str(), &programme.name),
        selected: programme.id.to_string() == form.programme,
    });
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = ClassPage {
        shell: visitor.shell(Section::HandOver, words.say("class-title"), signed_in),
        csrf: signed_in.csrf.as_str().to_owned(),
        programmes: choices.collect(),
        summary: words.with_two("class-summary", &good.to_string(), &rows.len().to_string()),
        form,
        problem,
        rows,
    };
    shell::page(status, &page)
}

/// `POST /hand-over/class`
pub(super) async fn class(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    request: Request,
) -> Result<Response, Response> {
    require(signed_in.person.can(Action::HandOver, Object::OwnScope)).map_err(Refusal::into_response)?;
    let sent = match upload(&signed_in, request, LIMITS).await {
        Err(FormRefused::TooLarge(too_large)) => {
            return refuse_large(&app, &signed_in, &visitor, too_large).await.map_err(Refusal::into_response);
        }
        other => other.map_err(FormRefused::into_response)?,
    };
    hand_over(&app, &signed_in, &visitor, sent).await.map_err(Refusal::into_response)
}

/// The page again with what was typed, for a list or a file that is too large.
async fn refuse_large(
    app: &App,
    signed_in: &SignedIn,
    visitor: &Visitor,
    TooLarge { most, mut fields }: TooLarge,
) -> Result<Response, Refusal> {
    let words = visitor.words;
    let programmes = programme::list(&mut app.store.read().await?).await?;
    // A list that is too large itself did not come to its end, and cannot be shown again.
    let key = if fields.contains_key("lines") { "class-file-too-large" } else { "error-too-large-most" };
    let problem = Some(words.with(key, &size(most, words)));
    let form = ClassForm::of(&mut fields);
    let mut page = show(signed_in, visitor, &programmes, form, Outcome { problem, rows: Vec::new() });
    *page.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    Ok(page)
}

async fn hand_over(app: &App, signed_in: &SignedIn, visitor: &Visitor, mut sent: Upload) -> Result<Response, Refusal> {
    let words = visitor.words;
    let mut form = ClassForm::of(&mut sent.fields);
    // The file is read before the unit of work begins: nobody who writes waits for a workbook.
    if let Err(problem) = add_file(&mut form, sent.file, words).await? {
        let programmes = programme::list(&mut app.store.read().await?).await?;
        let outcome = Outcome { problem: Some(problem), rows: Vec::new() };
        return Ok(show(signed_in, visitor, &programmes, form, outcome));
    }
    let mut lending = Lending::begin(&app.store, clerk(app, signed_in)).await?;
    let programmes = programme::list(lending.tx()).await?;
    let (programme, due) = match terms(&form, &programmes, words) {
        Ok(terms) => terms,
        Err(problem) => {
            let outcome = Outcome { problem: Some(problem), rows: Vec::new() };
            return Ok(show(signed_in, visitor, &programmes, form, outcome));
        }
    };
    let rows = lend_all(&mut lending, signed_in, &form, (programme, due), words).await?;
    let (good, bad) = (rows.iter().filter(|row| row.good).count(), rows.iter().filter(|row| !row.good).count());
    let wanted = match form.how.as_str() {
        "" => false,
        "all" => bad == 0,
        "good" => true,
        _ => return Err(Refusal::Nonsense),
    };
    if wanted && good > 0 {
        lending.commit().await?;
        return Ok(Redirect::to("/loans?state=handed_over&done=class-handed-over").into_response());
    }
    // Nothing of it was kept.
    drop(lending);
    let problem = (!form.how.is_empty()).then(|| words.say("class-refused"));
    Ok(show(signed_in, visitor, &programmes, form, Outcome { problem, rows }))
}

/// Puts the lines of a file below those that were typed, to be seen before anything is done with them; or says what is
/// wrong with the file.
async fn add_file(form: &mut ClassForm, file: Vec<u8>, words: Words) -> Result<Result<(), String>, Refusal> {
    if file.is_empty() {
        return Ok(Ok(()));
    }
    form.how.clear();
    let read = tokio::task::spawn_blocking(move || {
        read::list(&file).map(|list| class_list::typed(&list.headings, &list.lines))
    });
    let added = match read.await.map_err(|_| Refusal::Broken)? {
        Ok(added) => added,
        Err(why) => return Ok(Err(words.word("import-unreadable", why.as_str()))),
    };
    if added.len() > MOST_LINES {
        return Ok(Err(words.with("class-file-too-long", &added.len().to_string())));
    }
    form.lines = class_list::joined(&form.lines, added);
    Ok(Ok(()))
}

fn terms<'a>(
    form: &ClassForm,
    programmes: &'a [Programme],
    words: Words,
) -> Result<(&'a Programme, Option<Date>), String> {
    let programme = programmes.iter().find(|programme| programme.id.to_string() == form.programme);
    let programme = programme.ok_or_else(|| words.say("refused-no-programme"))?;
    let due = Some(form.due.trim()).filter(|text| !text.is_empty());
    let due = due.map(str::parse).transpose().map_err(|_| words.say("refused-due-in-the-past"))?;
    match class_list::count(&form.lines) {
        0 => Err(words.say("class-empty")),
        count if count > MOST_LINES => Err(words.say("class-too-long")),
        _ => Ok((programme, due)),
    }
}

async fn lend_all(
    lending: &mut Lending<'_>,
    signed_in: &SignedIn,
    form: &ClassForm,
    terms: (&Programme, Option<Date>),
    words: Words,
) -> Result<Vec<Row>, Refusal> {
    let lines = form.lines.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
    // All devices are held in one order before the first is lent.
    let mut wanted = Vec::new();
    for (number, line) in lines {
        let wish = wish(lending, signed_in, line, terms.0.id).await?;
        wanted.push((number + 1, line.trim_start_matches('\u{feff}').to_owned(), wish));
    }
    let devices: Vec<DeviceId> = wanted.iter().filter_map(|(.., wish)| Some(wish.as_ref().ok()?.0.device)).collect();
    lending.hold(devices).await?;
    let mut rows = Vec::new();
    for (number, text, wish) in wanted {
        let done = match wish {
            Ok((wish, name)) => lend_one(lending, wish, form, terms, words).await?.map(|until| (name, until)),
            Err(key) => Err(words.say(key)),
        };
        let text = text.chars().take(120).collect();
        rows.push(match done {
            Ok((name, until)) => {
                let state = Badge::new(Tone::Good, words.say("class-good"));
                Row { number, text, state, what: words.with_two("class-what", &name, &until), good: true }
            }
            Err(why) => {
                Row { number, text, state: Badge::new(Tone::Critical, words.say("class-bad")), what: why, good: false }
            }
        });
    }
    Ok(rows)
}

/// What a line asks for and what its device is called; or the key of what is wrong with it.
async fn wish(
    lending: &mut Lending<'_>,
    signed_in: &SignedIn,
    line: &str,
    programme: Uuid,
) -> Result<Result<(Wish, String), &'static str>, Refusal> {
    let scope = &signed_in.person.scope;
    let Some((code, reference)) = split(line.trim_start_matches('\u{feff}')) else { return Ok(Err("class-not-two")) };
    let device = match device_scan::one(lending.tx(), scope, &scanned::clean(code), "refused-no-device").await? {
        Ok((device, _)) => device,
        Err(key) => return Ok(Err(key)),
    };
    let Ok(reference) = scanned::clean(reference).parse::<Reference>() else { return Ok(Err("handing-no-reference")) };
    let Some(borrower) = borrower::find_by_reference(lending.tx(), scope, &reference).await? else {
        return Ok(Err("refused-no-borrower"));
    };
    let name = device_name(device.serial_number.as_deref(), device.asset_tag.as_deref(), device.id);
    Ok(Ok((Wish { device: device.id, borrower: borrower.id, programme }, name)))
}

/// Hands one over and says until when; or why not.
async fn lend_one(
    lending: &mut Lending<'_>,
    wish: Wish,
    form: &ClassForm,
    (programme, due): (&Programme, Option<Date>),
    words: Words,
) -> Result<Result<String, String>, Refusal> {
    let agreement = Some(form.agreement.trim()).filter(|text| !text.is_empty());
    let handing = Handing {
        due,
        accessories: programme.accessories.clone(),
        signature: Some(Signature::Paper),
        agreement_version: agreement.map(str::to_owned),
    };
    match lending.lend(wish, handing).await {
        Ok(loan) => {
            let due = loan.state.handed_over().and_then(|handed| handed.due);
            Ok(Ok(due.map_or_else(|| words.say("loan-no-due"), |day| format::civil_date(day, words))))
        }
        Err(LendingError::Refused(refused)) => Ok(Err(words.word("refused", refused.code()))),
        Err(LendingError::Store(error)) => Err(error.into()),
    }
}
