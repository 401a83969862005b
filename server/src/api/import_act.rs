//! What scripts do with files: send one, have it checked, have it written, delete it. The work itself is a job's: after
//! `check` and `apply`, ask again until the state is neither `checking` nor `applying`.

use std::collections::BTreeMap;

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest as _, Request, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    act::record,
    extract::{Body, Path, Query},
    import::{ImportBody, UNKNOWN, allowed, named},
    problem::Problem,
};
use crate::{
    app::App,
    auth::BearerToken,
    domain::import::{Blanks, ImportState, Kind, OnError, field::Field, mapping::Mapping},
    exchange::{
        ledger::{self, Brought},
        limits,
        run::{self, Begun},
    },
    store::import::{self, Import},
};

const BUSY: &str = "Refused: a process works on this import, or it is not in a state for that.";

const TOO_LONG: &str =
    "Refused: a file of more than 5,000 rows is not written all or nothing. Check it, then skip bad rows.";

/// Largest body in bytes: the file as it is.
pub(super) const LARGEST_FILE: usize = limits::MAX_FILE_BYTES;

/// What file comes.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FileAsked {
    /// What it lists.
    #[param(value_type = Kind)]
    kind: Option<Kind>,
    /// What it is called.
    name: Option<String>,
}

/// How a file is read. What was chosen is remembered for files with the same headings.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CheckBody {
    /// What some columns hold, by heading; null leaves one out. The others stay as they are taken.
    columns: BTreeMap<String, Option<String>>,
    /// What blank cells mean: nothing (`keep`, if absent), or that what is stored is erased.
    #[schema(value_type = Option<Blanks>)]
    blanks: Option<Blanks>,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyBody {
    /// What happens with bad rows: nothing is written (`stop`), or they are left out (`skip`).
    on_error: OnError,
}

/// Send a file: CSV or XLSX, as the body
///
/// Nothing is written: look at its columns, then check it. It is kept sealed until the import is deleted, 30 days at the
/// latest. Roles: administrator, programme manager, who see all sites.
#[utoipa::path(post, path = "/v1/imports", tag = "imports", params(FileAsked),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 201, body = ImportBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 413, response = Problem), (status = 422, response = Problem)))]
pub async fn take_in(
    State(app): State<App>,
    bearer: BearerToken,
    Query(asked): Query<FileAsked>,
    request: Request,
) -> Result<(StatusCode, Json<ImportBody>), Problem> {
    allowed(&bearer)?;
    let kind = asked.kind.ok_or_else(|| Problem::invalid("`kind` says what the file lists: devices, sites, …"))?;
    let name = asked.name.unwrap_or_else(|| format!("{kind}.csv"));
    // Read only now: nobody else may make the server hold 32 MiB.
    let file = Bytes::from_request(request, &()).await;
    let file = file.map_err(|_| Problem::too_large("The file is larger than 32 MiB: split it."))?;
    let brought = Brought { kind, name: &name, by: bearer.person.login.as_str() };
    let import = ledger::take_in(&app.store, &app.vault, &brought, file.to_vec(), bearer.now).await?;
    Ok((StatusCode::CREATED, Json(import.into())))
}

/// The mapping with what the body says of some columns.
fn mapped(
    mut mapping: Mapping,
    headings: &[String],
    said: &BTreeMap<String, Option<String>>,
) -> Result<Mapping, Problem> {
    mapping.columns.resize(headings.len(), None);
    for (heading, field) in said {
        let column = headings.iter().position(|known| known == heading);
        let none = || Problem::unprocessable(format!("The file has no column {heading:?}; it has {headings:?}."));
        let field: Option<Field> = field.as_deref().map(str::parse).transpose().map_err(|_| {
            Problem::unprocessable(format!("{heading:?} can hold no such field: see docs/import.md for their names."))
        })?;
        mapping.columns[column.ok_or_else(none)?] = field;
    }
    Ok(mapping)
}

async fn begin(
    app: &App,
    bearer: &BearerToken,
    import: &Import,
    asked: &import::Asked<'_>,
) -> Result<(StatusCode, Json<ImportBody>), Problem> {
    let mut tx = app.store.write().await?;
    match run::begin(&mut tx, import, asked, bearer.person.login.as_str(), bearer.now).await? {
        Begun::Yes => {}
        Begun::Busy => return Err(Problem::unprocessable(BUSY)),
        Begun::TooLong => return Err(Problem::unprocessable(TOO_LONG)),
    }
    let found = import::find(&mut tx, import.id).await?.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(found.into())))
}

/// Check every row without writing
///
/// Roles: administrator, programme manager, who see all sites.
#[utoipa::path(post, path = "/v1/imports/{id}/check", tag = "imports", request_body = CheckBody,
    params(("id" = Uuid, Path, description = "The import")), responses((status = 202, body = ImportBody),
    (status = 400, response = Problem), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn check(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<CheckBody>,
) -> Result<(StatusCode, Json<ImportBody>), Problem> {
    allowed(&bearer)?;
    let import = named(&app, id).await?;
    let headings = ledger::preview(&app.store, &app.vault, id).await?.headings;
    let mapping = mapped(import.mapping.clone(), &headings, &body.columns)?;
    mapping.check(import.kind).map_err(|invalid| Problem::unprocessable(format!("Refused: {invalid}.")))?;
    ledger::remember(&app.store, &headings, import.kind, &mapping, bearer.now).await?;
    let blanks = body.blanks.unwrap_or(Blanks::Keep);
    let asked = import::Asked { mapping: &mapping, blanks, on_error: import.on_error, state: ImportState::Checking };
    begin(&app, &bearer, &import, &asked).await
}

/// Write what was checked
///
/// Roles: administrator, programme manager, who see all sites.
#[utoipa::path(post, path = "/v1/imports/{id}/apply", tag = "imports", request_body = ApplyBody,
    params(("id" = Uuid, Path, description = "The import")), responses((status = 202, body = ImportBody),
    (status = 400, response = Problem), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn apply(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<ApplyBody>,
) -> Result<(StatusCode, Json<ImportBody>), Problem> {
    allowed(&bearer)?;
    let import = named(&app, id).await?;
    if !import.state.may_be_written() {
        return Err(Problem::unprocessable(BUSY));
    }
    let (mapping, blanks, on_error) = (import.mapping.clone(), import.blanks, body.on_error);
    let asked = import::Asked { mapping: &mapping, blanks, on_error, state: ImportState::Applying };
    begin(&app, &bearer, &import, &asked).await
}

/// Delete an import with its file and its report; what it wrote stays
///
/// Roles: administrator, programme manager, who see all sites.
#[utoipa::path(delete, path = "/v1/imports/{id}", tag = "imports", params(("id" = Uuid, Path, description = "The import")),
    responses((status = 204), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn delete(State(app): State<App>, bearer: BearerToken, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    allowed(&bearer)?;
    let import = named(&app, id).await?;
    let mut tx = app.store.write().await?;
    if !import.state.may_be_deleted() || !import::delete(&mut tx, id, bearer.now).await? {
        return Err(Problem::unprocessable(BUSY));
    }
    let details = json!({ "kind": import.kind.as_str(), "state": import.state.as_str() });
    record(&mut tx, &bearer, "import.delete", ("import", id), details).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
