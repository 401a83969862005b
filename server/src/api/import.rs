//! Imports: the list, one with its columns, its report row by row.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    extract::{Path, Query},
    page,
    problem::Problem,
    schema::Moment,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::import::{Blanks, ImportState, Kind, OnError, OutcomeName, fault::Fault, field::Field},
    exchange::{
        bad_rows,
        ledger::{self, LedgerError},
    },
    store::import::{self, Import, RowReport},
};

pub(super) const UNKNOWN: &str = "There is no import with this id.";
/// How many rows became what.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct CountsBody {
    /// Rows that add.
    new: i64,
    /// Rows that change.
    changed: i64,
    /// Rows that say what is stored.
    same: i64,
    /// Rows that cannot be taken.
    bad: i64,
}

/// An import.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ImportBody {
    /// Never given to another.
    id: Uuid,
    /// What its file lists.
    kind: Kind,
    /// What the file was called.
    file_name: String,
    /// The login of the one who brought it.
    brought_by: String,
    /// When.
    brought_at: Moment,
    /// Where it has come to.
    state: ImportState,
    /// What happens with bad rows.
    on_error: OnError,
    /// What blank cells mean.
    blanks: Blanks,
    /// Rows of the file.
    rows: i64,
    /// Rows of the present pass that are done.
    done: i64,
    /// What they became, or would become.
    counts: CountsBody,
    /// What failed.
    failure: Option<String>,
    /// When it came to an end.
    finished_at: Option<Moment>,
}

impl From<Import> for ImportBody {
    fn from(import: Import) -> Self {
        let counts = import.counts;
        Self {
            id: import.id,
            kind: import.kind,
            file_name: import.file_name,
            brought_by: import.created_by,
            brought_at: import.created_at.into(),
            state: import.state,
            on_error: import.on_error,
            blanks: import.blanks,
            rows: import.total,
            done: import.done,
            counts: CountsBody { new: counts.new, changed: counts.changed, same: counts.same, bad: counts.bad },
            failure: import.failure,
            finished_at: import.finished_at.map(Moment),
        }
    }
}

/// Imports.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ImportsBody {
    /// Newest first: the last 50.
    items: Vec<ImportBody>,
}

/// A column of the file.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ColumnBody {
    /// Its heading.
    heading: String,
    /// What it is taken for (`serial_number`, `site`: docs/import.md); null where it is not imported.
    field: Option<&'static str>,
}

/// An import with its columns, while its file is kept.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ImportDetailBody {
    /// The import.
    #[serde(flatten)]
    import: ImportBody,
    /// What each column is taken for; empty once the file is deleted.
    columns: Vec<ColumnBody>,
}

/// Which rows of a report.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RowsAsked {
    /// Only with this outcome.
    #[param(value_type = Option<OutcomeName>)]
    outcome: Option<OutcomeName>,
    /// After this line: `next` of the page before.
    after: Option<i64>,
    /// Rows on the page, 1 to 200; 50 if absent.
    limit: Option<u16>,
}

/// Why a row cannot be taken.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FaultBody {
    /// The column's heading; null where the whole row is meant.
    column: Option<String>,
    /// Why: a code of docs/import.md.
    reason: &'static str,
    /// What stood there; never what is personal.
    value: Option<String>,
}

impl From<Fault> for FaultBody {
    fn from(fault: Fault) -> Self {
        Self { column: fault.column, reason: fault.reason.as_str(), value: fault.value }
    }
}

/// One value that a row changes.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ChangeBody {
    /// Which.
    #[serde(alias = "f")]
    field: String,
    /// What is stored; null where it is personal or there is nothing.
    #[serde(alias = "b")]
    before: Option<String>,
    /// What will be; null where it is personal or erased.
    #[serde(alias = "a")]
    after: Option<String>,
}

/// What becomes of a row. Rows that say what is stored are only counted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RowBody {
    /// Its line in the file.
    line: i64,
    /// What becomes of it.
    outcome: OutcomeName,
    /// Why it cannot be taken.
    faults: Vec<FaultBody>,
    /// What it changes.
    changes: Vec<ChangeBody>,
}

impl From<RowReport> for RowBody {
    fn from(report: RowReport) -> Self {
        let bad = report.outcome == OutcomeName::Bad;
        let faults = if bad { bad_rows::faults(&report) } else { Vec::new() };
        let changes = if bad { Vec::new() } else { serde_json::from_value(report.details).unwrap_or_default() };
        let faults = faults.into_iter().map(FaultBody::from).collect();
        Self { line: report.line, outcome: report.outcome, faults, changes }
    }
}

/// A page of a report.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RowsBody {
    /// In the file's order.
    items: Vec<RowBody>,
    /// Give it as `after` for the next page; null on the last.
    next: Option<i64>,
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Unreadable(why) => Self::unprocessable(format!("Refused: {why}.")),
            LedgerError::Store(error) => error.into(),
            LedgerError::Gone => Self::unprocessable("The file of this import is no longer kept: send it again."),
            error @ LedgerError::Vault(_) => {
                tracing::error!(%error, "an import's file");
                Self::internal()
            }
        }
    }
}

pub(super) fn allowed(bearer: &BearerToken) -> Result<(), Problem> {
    Problem::check(bearer.person.can(Action::ImportData, Object::Programme), "")
}

pub(super) async fn named(app: &App, id: Uuid) -> Result<Import, Problem> {
    let mut tx = app.store.read().await?;
    import::find(&mut tx, id).await?.ok_or_else(|| Problem::not_found(UNKNOWN))
}

/// Imports, newest first
///
/// Roles: administrator, programme manager, who see all sites.
#[utoipa::path(get, path = "/v1/imports", tag = "imports", responses(
    (status = 200, body = ImportsBody), (status = 401, response = Problem), (status = 403, response = Problem)))]
pub async fn list(State(app): State<App>, bearer: BearerToken) -> Result<Json<ImportsBody>, Problem> {
    allowed(&bearer)?;
    let mut tx = app.store.read().await?;
    let items = import::newest(&mut tx).await?.into_iter().map(ImportBody::from).collect();
    Ok(Json(ImportsBody { items }))
}

/// One import: how far it is, and what its columns are taken for
///
/// Roles: administrator, programme manager, who see all sites.
#[utoipa::path(get, path = "/v1/imports/{id}", tag = "imports", params(("id" = Uuid, Path, description = "The import")),
    responses((status = 200, body = ImportDetailBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem)))]
pub async fn read(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<ImportDetailBody>, Problem> {
    allowed(&bearer)?;
    let import = named(&app, id).await?;
    let headings = match ledger::preview(&app.store, &app.vault, id).await {
        Ok(preview) => preview.headings,
        Err(LedgerError::Gone) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let fields = import.mapping.columns.clone().into_iter().chain(std::iter::repeat(None));
    let column = |(heading, field): (String, Option<Field>)| ColumnBody { heading, field: field.map(Field::as_str) };
    let columns = headings.into_iter().zip(fields).map(column).collect();
    Ok(Json(ImportDetailBody { import: import.into(), columns }))
}

/// What becomes of each row
///
/// Roles: administrator, programme manager, who see all sites.
#[utoipa::path(get, path = "/v1/imports/{id}/rows", tag = "imports",
    params(("id" = Uuid, Path, description = "The import"), RowsAsked), responses((status = 200, body = RowsBody),
    (status = 400, response = Problem), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem)))]
pub async fn rows(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Query(asked): Query<RowsAsked>,
) -> Result<Json<RowsBody>, Problem> {
    allowed(&bearer)?;
    let limit = page::limit(asked.limit)?;
    named(&app, id).await?;
    let mut tx = app.store.read().await?;
    let mut rows =
        import::rows(&mut tx, id, asked.outcome, asked.after.unwrap_or_default(), i64::from(limit) + 1).await?;
    let more = rows.len() > usize::from(limit);
    rows.truncate(limit.into());
    let next = rows.last().filter(|_| more).map(|row| row.line);
    Ok(Json(RowsBody { items: rows.into_iter().map(RowBody::from).collect(), next }))
}
