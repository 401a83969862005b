//! What people do about erasures: bring a tool's files, enter one by hand, confirm somebody else's, declare a drive gone,
//! have the certificate made.

use axum::{
    extract::{Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    acts::{Bare, device_for, reason, record},
    device_list::device_name,
    document::{maker, pdf},
    erasure::{ErasureRead, ErasuresPage, May},
    error::Refusal,
    i18n::Words,
    shell::{self, Section},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn, UploadLimits, upload},
    documents::MakeError,
    domain::erasure::{
        BenchClock, DriveKey,
        evidence::{self, File, MAX_FILE_BYTES, MAX_FILES, Unreadable},
        gap::Demand,
        hand::{ByHand, InvalidHand},
    },
    store::{
        device::DeviceRow,
        erasure_certificate,
        erasure_entry::{self, By, EntryError, Refused, Strangers},
        erasure_file, erasure_gap,
    },
};

/// Largest form with evidence: its files, and some room for the fields around them.
pub(super) const LARGEST_FORM: usize = MAX_FILES * MAX_FILE_BYTES + 64 * 1024;

/// `GET /devices/{id}/erasures`
pub(super) async fn show(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    page(&signed_in, &visitor, &app, &id, (StatusCode::OK, None)).await
}

async fn page(
    signed_in: &SignedIn,
    visitor: &Visitor,
    app: &App,
    id: &str,
    (status, problem): (StatusCode, Option<String>),
) -> Result<Response, Refusal> {
    let mut tx = app.store.read().await?;
    let device = device_for(&mut tx, signed_in, id, Action::SeeDevices).await?;
    let read = ErasureRead {
        device: device.id,
        name: device_name(device.serial_number.as_deref(), device.asset_tag.as_deref(), device.id),
        drives: erasure_gap::drives(&mut tx, &device).await?,
        files: erasure_file::of_device(&mut tx, device.id).await?,
        certificates: erasure_certificate::of_device(&mut tx, device.id).await?,
    };
    let may = |action| signed_in.person.can(action, Object::OfSite(device.site)).is_allowed();
    let may = May { record: may(Action::RecordErasure), declare: may(Action::WaiveErasure) };
    let viewer = (signed_in.person.login.as_str(), may);
    let shell = visitor.shell(Section::Devices, visitor.words.say("erasure-title"), signed_in);
    let page = ErasuresPage::new(shell, &read, &app.policy.erasure, viewer, (problem, signed_in.now));
    Ok(shell::page(status, &page))
}

fn back(device: &DeviceRow) -> Response {
    Redirect::to(&format!("/devices/{}/erasures?done=saved", device.id)).into_response()
}

fn by<'a>(app: &'a App, signed_in: &'a SignedIn) -> By<'a> {
    By { login: signed_in.person.login.as_str(), now: signed_in.now, policy: &app.policy }
}

/// What is wrong, in words.
enum Wrong {
    Unreadable(Unreadable),
    Refused(Refused),
    Hand(InvalidHand),
}

impl Wrong {
    fn told(&self, words: Words) -> String {
        match self {
            Self::Unreadable(Unreadable::Inconsistent { what }) => words.with("erasure-unreadable-inconsistent", what),
            Self::Unreadable(Unreadable::UnknownMethod(name)) => words.with("erasure-unreadable-unknown_method", name),
            Self::Unreadable(Unreadable::TooMuch(most, parts)) => {
                let parts = words.word("erasure-parts", parts.as_str());
                words.with_two("erasure-unreadable-too_much", &most.to_string(), &parts)
            }
            Self::Unreadable(other) => words.word("erasure-unreadable", other.code()),
            Self::Refused(refused @ (Refused::OtherDrives(drives) | Refused::UnknownDrive(drives))) => {
                let drives: Vec<&str> = drives.iter().map(DriveKey::as_str).collect();
                words.with(&format!("erasure-refused-{}", refused.code()), &drives.join(", "))
            }
            Self::Refused(Refused::OtherDevice { drive, device }) => {
                words.with_two("erasure-refused-other_device", drive.as_str(), device)
            }
            Self::Refused(other) => words.word("erasure-refused", other.code()),
            Self::Hand(InvalidHand::Drive) => words.say("erasure-hand-drive"),
            Self::Hand(InvalidHand::With) => words.say("erasure-hand-with"),
            Self::Hand(InvalidHand::Model) => words.say("erasure-hand-model"),
            Self::Hand(InvalidHand::Day) => words.say("erasure-hand-day"),
        }
    }
}

/// Done: back to the page; or the page with what is wrong.
async fn ended(
    done: Result<Result<DeviceRow, Wrong>, Refusal>,
    (signed_in, visitor, app, id): (&SignedIn, &Visitor, &App, &str),
) -> Result<Response, Refusal> {
    match done? {
        Ok(device) => Ok(back(&device)),
        Err(wrong) => {
            let told = wrong.told(visitor.words);
            page(signed_in, visitor, app, id, (StatusCode::UNPROCESSABLE_ENTITY, Some(told))).await
        }
    }
}

fn sorted<T>(entered: Result<T, EntryError>) -> Result<Result<T, Wrong>, Refusal> {
    match entered {
        Ok(done) => Ok(Ok(done)),
        Err(EntryError::Refused(refused)) => Ok(Err(Wrong::Refused(refused))),
        Err(EntryError::Store(error)) => Err(error.into()),
    }
}

/// `POST /devices/{id}/erasures/evidence`
pub(super) async fn bring(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Response> {
    let refused = |refusal: Refusal| refusal.into_response();
    // Nobody else may make the server read large files.
    let mut tx = app.store.read().await.map_err(|error| refused(error.into()))?;
    device_for(&mut tx, &signed_in, &id, Action::RecordErasure).await.map_err(refused)?;
    drop(tx);
    let form = upload(&signed_in, request, UploadLimits::of_file(MAX_FILE_BYTES))
        .await
        .map_err(IntoResponse::into_response)?;
    let strangers = if form.fields.contains_key("strangers") { Strangers::Taken } else { Strangers::LeftOut };
    let clock = form.fields.get("clock").and_then(|clock| clock.parse().ok()).unwrap_or(BenchClock::Paris);
    let last = (form.file_name, form.file);
    let files: Vec<(String, Vec<u8>)> =
        form.others.into_iter().chain([last]).filter(|(_, bytes)| !bytes.is_empty()).collect();
    let files: Vec<File<'_>> = files.iter().map(|(name, bytes)| File { name, bytes }).collect();
    let done = bring_files(&signed_in, &app, &id, &files, (strangers, clock)).await;
    ended(done, (&signed_in, &visitor, &app, &id)).await.map_err(refused)
}

async fn bring_files(
    signed_in: &SignedIn,
    app: &App,
    id: &str,
    files: &[File<'_>],
    (strangers, clock): (Strangers, BenchClock),
) -> Result<Result<DeviceRow, Wrong>, Refusal> {
    let readings = match evidence::read(files, clock, signed_in.now) {
        Ok(readings) => readings,
        Err(unreadable) => return Ok(Err(Wrong::Unreadable(unreadable))),
    };
    let mut tx = app.store.write().await?;
    let device = device_for(&mut tx, signed_in, id, Action::RecordErasure).await?;
    let entered = erasure_entry::enter_files(&mut tx, &device, &readings, files, strangers, by(app, signed_in)).await;
    let details = match sorted(entered)? {
        Ok(details) => details,
        Err(wrong) => return Ok(Err(wrong)),
    };
    record(&mut tx, signed_in, "erasure.evidence", ("device", device.id.0), details).await?;
    tx.commit().await?;
    Ok(Ok(device))
}

/// What is entered by hand, as typed.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct HandForm {
    drive: String,
    #[serde(default)]
    model: String,
    method: String,
    with: String,
    on: String,
}

/// `POST /devices/{id}/erasures/by-hand`
pub(super) async fn by_hand(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<HandForm>,
) -> Result<Response, Refusal> {
    let done = enter(&signed_in, &app, &id, form).await;
    ended(done, (&signed_in, &visitor, &app, &id)).await
}

async fn enter(signed_in: &SignedIn, app: &App, id: &str, form: HandForm) -> Result<Result<DeviceRow, Wrong>, Refusal> {
    let HandForm { drive, model, method, with, on } = form;
    let mut tx = app.store.write().await?;
    let device = device_for(&mut tx, signed_in, id, Action::RecordErasure).await?;
    let method = method.parse().map_err(|_| Refusal::Nonsense)?;
    let Ok(on) = on.trim().parse() else { return Ok(Err(Wrong::Hand(InvalidHand::Day))) };
    let reading = match (ByHand { drive, model, method, with, on }).read(signed_in.now) {
        Ok(reading) => reading,
        Err(wrong) => return Ok(Err(Wrong::Hand(wrong))),
    };
    let entered = erasure_entry::enter_by_hand(&mut tx, &device, &reading, by(app, signed_in)).await;
    let (_, details) = match sorted(entered)? {
        Ok(done) => done,
        Err(wrong) => return Ok(Err(wrong)),
    };
    record(&mut tx, signed_in, "erasure.by_hand", ("device", device.id.0), details).await?;
    tx.commit().await?;
    Ok(Ok(device))
}

/// `POST /devices/{id}/erasures/{erasure}/witness`
pub(super) async fn witness(
    visitor: Visitor,
    State(app): State<App>,
    Path((id, erasure)): Path<(String, String)>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    let done = confirm(&signed_in, &app, &id, &erasure).await;
    ended(done, (&signed_in, &visitor, &app, &id)).await
}

async fn confirm(
    signed_in: &SignedIn,
    app: &App,
    id: &str,
    erasure: &str,
) -> Result<Result<DeviceRow, Wrong>, Refusal> {
    let erasure: Uuid = erasure.parse().map_err(|_| Refusal::NotFound)?;
    let mut tx = app.store.write().await?;
    let device = device_for(&mut tx, signed_in, id, Action::RecordErasure).await?;
    let witnessed = erasure_entry::witness(&mut tx, &device, erasure, by(app, signed_in)).await;
    let details = match sorted(witnessed)? {
        Ok(details) => details,
        Err(Wrong::Refused(Refused::NoSuchErasure)) => return Err(Refusal::NotFound),
        Err(wrong) => return Ok(Err(wrong)),
    };
    record(&mut tx, signed_in, "erasure.witness", ("device", device.id.0), details).await?;
    tx.commit().await?;
    Ok(Ok(device))
}

/// A drive that is gone, and why.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct AbsentForm {
    drive: String,
    reason: String,
}

/// `POST /devices/{id}/erasures/absent`
pub(super) async fn absent(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<AbsentForm>,
) -> Result<Response, Refusal> {
    let done = declare(&signed_in, &app, &id, &form).await;
    ended(done, (&signed_in, &visitor, &app, &id)).await
}

async fn declare(
    signed_in: &SignedIn,
    app: &App,
    id: &str,
    form: &AbsentForm,
) -> Result<Result<DeviceRow, Wrong>, Refusal> {
    let mut tx = app.store.write().await?;
    let device = device_for(&mut tx, signed_in, id, Action::WaiveErasure).await?;
    let why = reason(&form.reason)?;
    let Ok(drive) = form.drive.parse::<DriveKey>() else { return Ok(Err(Wrong::Hand(InvalidHand::Drive))) };
    let declared = erasure_entry::declare_absent(&mut tx, &device, &drive, why, by(app, signed_in)).await;
    let details = match sorted(declared)? {
        Ok(details) => details,
        Err(wrong) => return Ok(Err(wrong)),
    };
    record(&mut tx, signed_in, "erasure.absent", ("device", device.id.0), details).await?;
    tx.commit().await?;
    Ok(Ok(device))
}

/// For what the certificate is.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct CertificateForm {
    demand: String,
}

/// `POST /devices/{id}/erasures/certificate`
pub(super) async fn certificate(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<CertificateForm>,
) -> Result<Response, Refusal> {
    let demand: Demand = form.demand.parse().map_err(|_| Refusal::Nonsense)?;
    let mut tx = app.store.read().await?;
    let device = device_for(&mut tx, &signed_in, &id, Action::RecordErasure).await?;
    drop(tx);
    let (asked, language) = ((demand, &app.policy.erasure), visitor.words.language);
    match app.documents.erasure_certificate(maker(&app, &signed_in), device.id, asked, language).await {
        Ok(made) => Ok(pdf(made)),
        Err(MakeError::NotErased) => {
            let told = visitor.words.say("erasure-no-certificate");
            page(&signed_in, &visitor, &app, &id, (StatusCode::UNPROCESSABLE_ENTITY, Some(told))).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /devices/{id}/erasures/files/{file}`: the evidence as it was brought. Never shown by the browser: it is a
/// stranger's file.
pub(super) async fn file(
    signed_in: SignedIn,
    State(app): State<App>,
    Path((id, file)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let file: Uuid = file.parse().map_err(|_| Refusal::NotFound)?;
    let mut tx = app.store.read().await?;
    let device = device_for(&mut tx, &signed_in, &id, Action::SeeDevices).await?;
    let (name, content) = erasure_file::content(&mut tx, device.id, file).await?.ok_or(Refusal::NotFound)?;
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let name: String = name.chars().map(plain).collect();
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, content).into_response())
}
