//! What scripts do about erasures: bring a tool's files, enter one by hand, confirm one, declare a drive gone, have the
//! certificate made.

use axum::{
    Json,
    extract::{FromRequest as _, Multipart, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    act::{reason, record},
    document::maker,
    erasure::device_for,
    extract::{Body, Path, Query},
    loan::day,
    problem::Problem,
};
use crate::{
    app::App,
    auth::{Action, BearerToken},
    domain::{
        erasure::{
            BenchClock, DriveKey, Method,
            evidence::{self, File, MAX_FILE_BYTES, MAX_FILES},
            gap::Demand,
            hand::ByHand,
        },
        language::Language,
    },
    store::erasure_entry::{self, By, EntryError, Refused, Strangers},
};

/// Largest body in bytes: all files of a run, and what stands between them.
pub(super) const LARGEST_BODY: usize = MAX_FILES * MAX_FILE_BYTES + 64 * 1024;

impl From<EntryError> for Problem {
    fn from(error: EntryError) -> Self {
        match error {
            EntryError::Refused(Refused::NoSuchErasure) => Self::not_found("There is no such erasure of this device."),
            EntryError::Refused(refused) => Self::unprocessable(format!("Refused: {refused}.")),
            EntryError::Store(error) => error.into(),
        }
    }
}

fn by<'a>(app: &'a App, bearer: &'a BearerToken) -> By<'a> {
    By { login: bearer.person.login.as_str(), now: bearer.now, policy: &app.policy }
}

/// How files are read.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EvidenceAsked {
    /// What nwipe's times are: `paris` (if absent) or `utc`.
    #[param(value_type = Option<String>)]
    clock: Option<BenchClock>,
    /// Record drives that no report ever showed in this device too: another person confirms each.
    strangers: bool,
}

/// Its names, which a form may hold by mistake.
const QUERY: [&str; 2] = ["clock", "strangers"];

/// What was recorded.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BroughtBody {
    /// The drives, their methods and outcomes, and the files' hashes: as the audit has them.
    recorded: serde_json::Value,
}

/// Bring the files of one run of a tool
///
/// As `multipart/form-data`, one or more files. nwipe: its log, and its PDF certificates beside it. nvme, hdparm: what they
/// printed, with the commands: docs/erasure.md. Roles: administrator, technician, refurbisher, within their sites.
#[utoipa::path(post, path = "/v1/devices/{id}/erasures/evidence", tag = "erasures",
    params(("id" = Uuid, Path, description = "The device"), EvidenceAsked),
    request_body(content = Vec<u8>, content_type = "multipart/form-data"), responses(
    (status = 201, body = BroughtBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem), (status = 413, response = Problem),
    (status = 422, response = Problem)))]
pub async fn bring(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Query(asked): Query<EvidenceAsked>,
    request: Request,
) -> Result<(StatusCode, Json<BroughtBody>), Problem> {
    let mut tx = app.store.read().await?;
    device_for(&mut tx, &bearer, id, Action::RecordErasure).await?;
    drop(tx);
    let files = files(request).await?;
    let files: Vec<File<'_>> = files.iter().map(|(name, bytes)| File { name, bytes }).collect();
    let readings = evidence::read(&files, asked.clock.unwrap_or(BenchClock::Paris), bearer.now)
        .map_err(|error| Problem::unprocessable(format!("Refused: {error}.")))?;
    let strangers = if asked.strangers { Strangers::Taken } else { Strangers::LeftOut };
    let mut tx = app.store.write().await?;
    let device = device_for(&mut tx, &bearer, id, Action::RecordErasure).await?;
    let details = erasure_entry::enter_files(&mut tx, &device, &readings, &files, strangers, by(&app, &bearer)).await?;
    record(&mut tx, &bearer, "erasure.evidence", ("device", id), details.clone()).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(BroughtBody { recorded: details })))
}

/// The files of a form, read only once it is known who asks.
async fn files(request: Request) -> Result<Vec<(String, Vec<u8>)>, Problem> {
    let unreadable = || Problem::unprocessable("Send the files as multipart/form-data, each as a part of its own.");
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| unreadable())?;
    let mut files = Vec::new();
    while let Some(part) = form.next_field().await.map_err(|_| unreadable())? {
        let field = part.name().unwrap_or_default();
        if let Some(asked) = QUERY.iter().find(|name| part.file_name().is_none() && **name == field) {
            let told = format!("`{asked}` is a parameter of the query, no part of the form: send it as `?{asked}=…`.");
            return Err(Problem::unprocessable(told));
        }
        let name = part.file_name().or(part.name()).unwrap_or_default().to_owned();
        let bytes = part.bytes().await.map_err(|_| Problem::too_large("The files are larger than 64 MiB together."))?;
        files.push((name, bytes.to_vec()));
        if files.len() > MAX_FILES {
            return Err(Problem::too_large("More than 16 files at once."));
        }
    }
    Ok(files)
}

/// An erasure that no tool wrote down.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ByHandBody {
    /// The drive's serial number.
    drive: String,
    /// Its model.
    #[serde(default)]
    model: String,
    /// What was done: `destruction`, `opal_crypto`, `overwrite`…
    #[schema(value_type = String)]
    method: Method,
    /// With what, or by whom.
    with: String,
    /// On which day (`2026-11-29`).
    on: String,
}

/// What was just entered.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EnteredBody {
    /// Its id: another person confirms it under this.
    id: Uuid,
}

/// Enter an erasure by hand
///
/// It proves nothing until another person confirms it. Roles: administrator, technician, refurbisher, within their sites.
#[utoipa::path(post, path = "/v1/devices/{id}/erasures", tag = "erasures", request_body = ByHandBody,
    params(("id" = Uuid, Path, description = "The device")), responses((status = 201, body = EnteredBody),
    (status = 400, response = Problem), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn by_hand(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<ByHandBody>,
) -> Result<(StatusCode, Json<EnteredBody>), Problem> {
    let mut tx = app.store.write().await?;
    let device = device_for(&mut tx, &bearer, id, Action::RecordErasure).await?;
    let on = day("on", &body.on)?;
    let ByHandBody { drive, model, method, with, .. } = body;
    let reading = ByHand { drive, model, method, with, on }
        .read(bearer.now)
        .map_err(|wrong| Problem::unprocessable(format!("Refused: {wrong}.")))?;
    let (erasure, details) = erasure_entry::enter_by_hand(&mut tx, &device, &reading, by(&app, &bearer)).await?;
    record(&mut tx, &bearer, "erasure.by_hand", ("device", id), details).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(EnteredBody { id: erasure })))
}

/// Confirm an erasure that somebody else entered by hand, or that an unseen drive was in the device
///
/// By another person than the one who entered it or brought its files. Roles: administrator, technician, refurbisher, within their sites.
#[utoipa::path(post, path = "/v1/devices/{id}/erasures/{erasure}/witness", tag = "erasures",
    params(("id" = Uuid, Path, description = "The device"), ("erasure" = Uuid, Path, description = "The erasure")),
    responses((status = 204), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn witness(
    State(app): State<App>,
    bearer: BearerToken,
    Path((id, erasure)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.store.write().await?;
    let device = device_for(&mut tx, &bearer, id, Action::RecordErasure).await?;
    let details = erasure_entry::witness(&mut tx, &device, erasure, by(&app, &bearer)).await?;
    record(&mut tx, &bearer, "erasure.witness", ("device", id), details).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A drive that is gone.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AbsentBody {
    /// The drive's serial number, as the device reported it.
    drive: String,
    /// Why, and where it is; at least 10 characters.
    reason: String,
}

/// Declare a drive absent
///
/// One that was seen in the device or recorded of it; of a device without any known drive, that there is none. Seen in the
/// device again, it counts as there again. Roles: administrator.
#[utoipa::path(post, path = "/v1/devices/{id}/erasures/absent", tag = "erasures", request_body = AbsentBody,
    params(("id" = Uuid, Path, description = "The device")), responses((status = 204), (status = 400, response = Problem),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem)))]
pub async fn absent(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<AbsentBody>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.store.write().await?;
    let device = device_for(&mut tx, &bearer, id, Action::WaiveErasure).await?;
    let why = reason(&body.reason)?;
    let drive: DriveKey = body.drive.parse().map_err(|wrong| Problem::unprocessable(format!("Refused: {wrong}.")))?;
    let details = erasure_entry::declare_absent(&mut tx, &device, &drive, why, by(&app, &bearer)).await?;
    record(&mut tx, &bearer, "erasure.absent", ("device", id), details).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which certificate.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateBody {
    /// What it allows: `relend` or `leave`.
    #[schema(value_type = String)]
    demand: Demand,
    /// `fr` (if absent) or `en`.
    language: Option<String>,
}

/// Make the certificate of a device's erasure
///
/// Answers the PDF; its number is the file's name in Content-Disposition, and its QR code leads to the public page
/// `/check/{number}`. Only where nothing is missing; the one that exists while its facts are the same. Roles: administrator, technician, refurbisher, within their sites.
#[utoipa::path(post, path = "/v1/devices/{id}/erasures/certificate", tag = "erasures", request_body = CertificateBody,
    params(("id" = Uuid, Path, description = "The device")), responses(
    (status = 201, content_type = "application/pdf", body = Vec<u8>), (status = 400, response = Problem),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem), (status = 503, response = Problem)))]
pub async fn certificate(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<CertificateBody>,
) -> Result<Response, Problem> {
    let mut tx = app.store.read().await?;
    let device = device_for(&mut tx, &bearer, id, Action::RecordErasure).await?;
    drop(tx);
    let language: Language = match body.language.as_deref() {
        None => Language::French,
        Some(text) => text.parse().map_err(|_| Problem::unprocessable("`language` is fr or en."))?,
    };
    let asked = (body.demand, &app.policy.erasure);
    let made = app.documents.erasure_certificate(maker(&app, &bearer), device.id, asked, language).await?;
    let name = format!("attachment; filename=\"{}.pdf\"", made.document.number);
    let headers = [(header::CONTENT_TYPE, "application/pdf".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((StatusCode::CREATED, headers, made.pdf).into_response())
}
