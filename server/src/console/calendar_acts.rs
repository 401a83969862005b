//! The school calendar in the console: anybody who sees sites reads it; an administrator imports the Ministry's files,
//! and sees what each would change before it does.

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde_json::json;

use super::{
    acts::record,
    calendar::{ALL_ZONES, CalendarForm, CalendarPage, Outcome, Problem},
    error::{Refusal, require},
    shell::{self, Section},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, FormRefused, Object, SignedIn, TooLarge, Upload, UploadLimits, upload},
    domain::{
        calendar_import::{ChangeKind, ClosureChange, changes},
        ical::{self, Fault, Holiday, InvalidCalendar},
        school_calendar::Zone,
    },
    store::{Tx, school_closure},
};

/// The file; and beside it the text of one that was sent before, while its preview is looked at.
const LIMITS: UploadLimits = UploadLimits { file: ical::MAX_BYTES, field: ical::MAX_BYTES };
/// Longest name of a file that is kept.
const MAX_NAME_CHARS: usize = 120;

/// `GET /calendar`
pub(super) async fn page(signed_in: SignedIn, visitor: Visitor, State(app): State<App>) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeSites, Object::OwnScope))?;
    let mut tx = app.store.read().await?;
    show(&mut tx, &signed_in, &visitor, Outcome::default()).await
}

async fn show(tx: &mut Tx, signed_in: &SignedIn, visitor: &Visitor, outcome: Outcome) -> Result<Response, Refusal> {
    let imported = school_closure::list(tx).await?;
    let may_import = signed_in.person.can(Action::ImportCalendar, Object::Programme).is_allowed();
    let status = if outcome.problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shell = visitor.shell(Section::Calendar, visitor.words.say("calendar-title"), signed_in);
    Ok(shell::page(status, &CalendarPage::new(shell, &imported, may_import, outcome, signed_in.now)))
}

/// `POST /calendar`: a file to be looked at, or one that was and is to be kept.
pub(super) async fn import(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    request: Request,
) -> Result<Response, Response> {
    require(signed_in.person.can(Action::ImportCalendar, Object::Programme)).map_err(Refusal::into_response)?;
    let sent = match upload(&signed_in, request, LIMITS).await {
        Err(FormRefused::TooLarge(too_large)) => {
            return refuse_large(&app, &signed_in, &visitor, too_large).await.map_err(Refusal::into_response);
        }
        other => other.map_err(FormRefused::into_response)?,
    };
    look_or_keep(&app, &signed_in, &visitor, sent).await.map_err(Refusal::into_response)
}

/// The page again, for a file that is too large, with the zone where it was chosen before the file.
async fn refuse_large(
    app: &App,
    signed_in: &SignedIn,
    visitor: &Visitor,
    TooLarge { mut fields, .. }: TooLarge,
) -> Result<Response, Refusal> {
    let form = CalendarForm { zone: fields.remove("zone").unwrap_or_default(), ..CalendarForm::default() };
    let problem = Problem::File(InvalidCalendar { line: 1, fault: Fault::TooLarge });
    let mut tx = app.store.read().await?;
    let outcome = Outcome { form, problem: Some(problem), changes: None };
    let mut page = show(&mut tx, signed_in, visitor, outcome).await?;
    *page.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    Ok(page)
}

async fn look_or_keep(
    app: &App,
    signed_in: &SignedIn,
    visitor: &Visitor,
    mut sent: Upload,
) -> Result<Response, Refusal> {
    let keeps = match sent.fields.get("how").map(String::as_str) {
        None | Some("") => false,
        // A file that nobody has looked at yet is shown first.
        Some("keep") => sent.file.is_empty(),
        Some(_) => return Err(Refusal::Nonsense),
    };
    let (form, read) = read(&mut sent);
    let mut tx = app.store.write().await?;
    let by_zone = match read {
        Ok(by_zone) => by_zone,
        Err(problem) => {
            let outcome = Outcome { form, problem: Some(problem), changes: None };
            return show(&mut tx, signed_in, visitor, outcome).await;
        }
    };
    let known: Vec<_> = school_closure::list(&mut tx).await?.into_iter().map(|row| (row.closure, row.label)).collect();
    let changed: Vec<Vec<ClosureChange>> =
        by_zone.iter().map(|(zone, holidays)| changes(*zone, &known, holidays)).collect();
    if !keeps {
        let outcome = Outcome { form, problem: None, changes: Some(changed.concat()) };
        return show(&mut tx, signed_in, visitor, outcome).await;
    }
    for ((zone, holidays), changes) in by_zone.iter().zip(&changed) {
        keep(&mut tx, signed_in, (*zone, holidays), changes, &form.name).await?;
    }
    let closures = school_closure::closures(&mut tx).await?;
    tx.commit().await?;
    // Here at once; other processes follow within a minute.
    app.policy.set_imported(&closures);
    Ok(Redirect::to("/calendar?done=saved").into_response())
}

/// Holidays, zone by zone.
type ByZone = Vec<(Zone, Vec<Holiday>)>;

/// What was sent, and its holidays zone by zone; or what is wrong with it.
fn read(sent: &mut Upload) -> (CalendarForm, Result<ByZone, Problem>) {
    let mut field = |name: &str| sent.fields.remove(name).unwrap_or_default();
    let (zone, name, text) = (field("zone"), field("name"), field("calendar"));
    let (name, text) = if sent.file.is_empty() {
        (name, Ok(text))
    } else {
        (std::mem::take(&mut sent.file_name), String::from_utf8(std::mem::take(&mut sent.file)))
    };
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect();
    let text = text.map_err(|_| Problem::File(InvalidCalendar { line: 1, fault: Fault::NoCalendar }));
    let holidays = text.as_ref().map_err(Problem::clone).and_then(|text| {
        let only = match zone.as_str() {
            ALL_ZONES => None,
            one => Some(one.parse::<Zone>().map_err(|_| Problem::Word("site-problem-zone"))?),
        };
        if text.is_empty() {
            return Err(Problem::Word("calendar-no-file"));
        }
        ical::by_zone(text, only).map_err(Problem::File)
    });
    (CalendarForm { zone, name, text: text.unwrap_or_default() }, holidays)
}

/// Keeps the holidays of one zone, if they change anything.
async fn keep(
    tx: &mut Tx,
    signed_in: &SignedIn,
    (zone, holidays): (Zone, &[Holiday]),
    changes: &[ClosureChange],
    file: &str,
) -> Result<(), Refusal> {
    if !changes.iter().any(ClosureChange::matters) {
        return Ok(());
    }
    school_closure::import(tx, zone, holidays, file, signed_in.now).await?;
    let count = |kind: ChangeKind| changes.iter().filter(|change| change.kind == kind).count();
    let details = json!({ "file": file, "holidays": holidays.len(), "new": count(ChangeKind::New),
        "moved": count(ChangeKind::Moved), "gone": count(ChangeKind::Gone) });
    record(tx, signed_in, "calendar.import", ("school_calendar", zone.as_str()), details).await
}
