//! Imports: a file comes in, its columns are looked at, it is checked, then written. The work itself is a job's.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    extract::{Path, Query, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    acts::{Bare, gone, record},
    error::{Refusal, parsed, require},
    i18n::Words,
    import_page::{ImportPage, ImportsPage, ReportAsked, Seen, mapping_problem, said},
    shell::{self, Section},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, FormRefused, Object, SignedIn, TooLarge, UploadLimits, upload},
    domain::import::{Blanks, ImportState, Kind, OnError, OutcomeName, mapping::Mapping},
    exchange::{
        bad_rows::BadRows,
        ledger::{self, Brought, LedgerError},
        limits,
        read::Unreadable,
        run::{self, Begun},
        write::Delimiter,
    },
    store::{
        Store, StoreError,
        import::{self, Import},
    },
};

/// Largest form with a file: the file, and some room for the fields around it.
pub(super) const LARGEST_FORM: usize = limits::MAX_FILE_BYTES + 64 * 1024;
/// Rows of a report on a page.
const REPORT_ROWS: i64 = 100;
/// Bad rows that are read at a time for their file.
const BAD_ROWS_AT_A_TIME: i64 = 500;

fn allowed(signed_in: &SignedIn) -> Result<(), Refusal> {
    require(signed_in.person.can(Action::ImportData, Object::Programme))
}

/// `GET /imports`
pub(super) async fn list(signed_in: SignedIn, visitor: Visitor, State(app): State<App>) -> Result<Response, Refusal> {
    show_list(&signed_in, &visitor, &app, StatusCode::OK, None).await
}

async fn show_list(
    signed_in: &SignedIn,
    visitor: &Visitor,
    app: &App,
    status: StatusCode,
    problem: Option<(Kind, String)>,
) -> Result<Response, Refusal> {
    allowed(signed_in)?;
    let mut tx = app.store.read().await?;
    let imports = import::newest(&mut tx).await?;
    let shell = visitor.shell(Section::Imports, visitor.words.say("imports-title"), signed_in);
    Ok(shell::page(status, &ImportsPage::new(shell, imports, problem, signed_in.now)))
}

/// `POST /imports`
pub(super) async fn take_in(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    request: Request,
) -> Result<Response, Response> {
    allowed(&signed_in).map_err(axum::response::IntoResponse::into_response)?;
    let form = match upload(&signed_in, request, UploadLimits::of_file(limits::MAX_FILE_BYTES)).await {
        Err(FormRefused::TooLarge(TooLarge { fields, .. })) => {
            return too_large(&signed_in, &visitor, &app, &fields).await.map_err(Refusal::into_response);
        }
        other => other.map_err(FormRefused::into_response)?,
    };
    let kind: Option<Kind> = form.fields.get("kind").and_then(|kind| kind.parse().ok());
    let taken = async {
        let kind = kind.ok_or(Refusal::Nonsense)?;
        if form.file.is_empty() {
            let problem = visitor.words.say("import-no-file");
            return show_list(&signed_in, &visitor, &app, StatusCode::UNPROCESSABLE_ENTITY, Some((kind, problem)))
                .await;
        }
        let by = signed_in.person.login.as_str();
        let brought = Brought { kind, name: &form.file_name, by };
        match ledger::take_in(&app.store, &app.vault, &brought, form.file, signed_in.now).await {
            Ok(import) => Ok(Redirect::to(&format!("/imports/{}", import.id)).into_response()),
            Err(LedgerError::Unreadable(why)) => {
                let problem = visitor.words.word("import-unreadable", why.as_str());
                show_list(&signed_in, &visitor, &app, StatusCode::UNPROCESSABLE_ENTITY, Some((kind, problem))).await
            }
            Err(error) => Err(broken(error)),
        }
    };
    taken.await.map_err(axum::response::IntoResponse::into_response)
}

/// The list again, with what was chosen beside a file that is too large.
async fn too_large(
    signed_in: &SignedIn,
    visitor: &Visitor,
    app: &App,
    fields: &BTreeMap<String, String>,
) -> Result<Response, Refusal> {
    let kind = fields.get("kind").and_then(|kind| kind.parse().ok()).ok_or(Refusal::Nonsense)?;
    let problem = visitor.words.word("import-unreadable", Unreadable::TooLarge.as_str());
    show_list(signed_in, visitor, app, StatusCode::PAYLOAD_TOO_LARGE, Some((kind, problem))).await
}

fn broken(error: LedgerError) -> Refusal {
    match error {
        LedgerError::Store(error) => error.into(),
        other @ (LedgerError::Unreadable(_) | LedgerError::Vault(_) | LedgerError::Gone) => {
            tracing::error!(error = %other, "an import's file");
            Refusal::Broken
        }
    }
}

/// Whether a person may see what the rows of an import say: who people are, only the one who brought it.
fn may_see_rows(import: &Import, signed_in: &SignedIn) -> bool {
    !import.kind.is_personal() || import.created_by == signed_in.person.login.as_str()
}

/// The import that an address names.
async fn named(app: &App, id: &str) -> Result<Import, Refusal> {
    let id: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    let mut tx = app.store.read().await?;
    import::find(&mut tx, id).await?.ok_or(Refusal::NotFound)
}

/// `GET /imports/{id}`
pub(super) async fn show(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    Query(asked): Query<ReportAsked>,
) -> Result<Response, Refusal> {
    allowed(&signed_in)?;
    let import = named(&app, &id).await?;
    show_import(&signed_in, &visitor, &app, import, &asked, (StatusCode::OK, None)).await
}

async fn show_import(
    signed_in: &SignedIn,
    visitor: &Visitor,
    app: &App,
    import: Import,
    asked: &ReportAsked,
    (status, problem): (StatusCode, Option<String>),
) -> Result<Response, Refusal> {
    let outcome: Option<OutcomeName> = super::device_list::optional(&asked.outcome)?;
    let mut tx = app.store.read().await?;
    let rows = import::rows(&mut tx, import.id, outcome, asked.after, REPORT_ROWS + 1).await?;
    drop(tx);
    // The columns are shown while they can still be changed.
    let preview = match import.state {
        ImportState::Checking | ImportState::Applying | ImportState::Done => None,
        ImportState::Mapping | ImportState::Checked | ImportState::Refused | ImportState::Failed => {
            match ledger::preview(&app.store, &app.vault, import.id).await {
                Ok(preview) => Some(preview),
                Err(LedgerError::Gone) => None,
                Err(error) => return Err(broken(error)),
            }
        }
    };
    // Who people are is shown to nobody but the person who brought it.
    let samples = may_see_rows(&import, signed_in);
    let seen = Seen { samples, preview, rows, most: REPORT_ROWS, outcome, problem };
    let shell = visitor.shell(Section::Imports, import.file_name.clone(), signed_in);
    Ok(shell::page(status, &ImportPage::new(shell, &import, seen, asked)))
}

/// `POST /imports/{id}/check`
pub(super) async fn check(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<BTreeMap<String, String>>,
) -> Result<Response, Refusal> {
    allowed(&signed_in)?;
    let import = named(&app, &id).await?;
    let headings = match ledger::preview(&app.store, &app.vault, import.id).await {
        Err(LedgerError::Gone) => return Err(Refusal::NotFound),
        other => other.map_err(broken)?.headings,
    };
    let mut mapping = Mapping { format: import.mapping.format, columns: Vec::new() };
    for column in 0..headings.len() {
        let field = form.get(&format!("column-{column}")).map_or("", String::as_str);
        mapping.columns.push(super::device_list::optional(field)?);
    }
    if let Err(invalid) = mapping.check(import.kind) {
        let problem = Some(mapping_problem(invalid, visitor.words));
        let import = Import { mapping, ..import };
        let outcome = (StatusCode::UNPROCESSABLE_ENTITY, problem);
        return show_import(&signed_in, &visitor, &app, import, &ReportAsked::default(), outcome).await;
    }
    ledger::remember(&app.store, &headings, import.kind, &mapping, signed_in.now).await?;
    let blanks = if form.contains_key("erase_blanks") { Blanks::Erase } else { Blanks::Keep };
    let asked = import::Asked { mapping: &mapping, blanks, on_error: import.on_error, state: ImportState::Checking };
    begin(&app, &signed_in, &import, &asked).await
}

async fn begin(
    app: &App,
    signed_in: &SignedIn,
    import: &Import,
    asked: &import::Asked<'_>,
) -> Result<Response, Refusal> {
    let mut tx = app.store.write().await?;
    let begun = run::begin(&mut tx, import, asked, signed_in.person.login.as_str(), signed_in.now).await?;
    let done = match begun {
        Begun::Yes => {
            tx.commit().await?;
            ""
        }
        Begun::Busy => "?done=import-busy",
        Begun::TooLong => "?done=import-too-long",
    };
    Ok(Redirect::to(&format!("/imports/{}{done}", import.id)).into_response())
}

/// What happens with bad rows.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ApplyForm {
    on_error: String,
}

/// `POST /imports/{id}/apply`
pub(super) async fn apply(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<ApplyForm>,
) -> Result<Response, Refusal> {
    allowed(&signed_in)?;
    let on_error: OnError = form.on_error.parse().map_err(|_| Refusal::Nonsense)?;
    let import = named(&app, &id).await?;
    if !import.state.may_be_written() {
        return Ok(Redirect::to(&format!("/imports/{}?done=import-busy", import.id)).into_response());
    }
    let (mapping, blanks) = (import.mapping.clone(), import.blanks);
    let asked = import::Asked { mapping: &mapping, blanks, on_error, state: ImportState::Applying };
    begin(&app, &signed_in, &import, &asked).await
}

/// `POST /imports/{id}/bad.csv`: it tells who people are, so no page that is merely opened asks for it.
pub(super) async fn bad(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    allowed(&signed_in)?;
    let import = named(&app, &id).await?;
    if !may_see_rows(&import, &signed_in) {
        return Err(Refusal::Forbidden);
    }
    let table = match ledger::find(&app.store, &app.vault, import.id).await {
        Err(LedgerError::Gone) => return Err(Refusal::NotFound),
        other => other.map_err(broken)?,
    };
    if import.kind.is_personal() {
        let mut tx = app.store.write().await?;
        let details = json!({ "kind": import.kind.as_str(), "rows": import.counts.bad });
        record(&mut tx, &signed_in, "import.read_bad_rows", ("import", import.id), details).await?;
        tx.commit().await?;
    }
    let disposition = "attachment; filename=\"cartable-import.csv\"";
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, disposition)];
    let file = BadRows::of(table, Delimiter::Semicolon);
    Ok((headers, bad_file(app.store, import.id, file, visitor.words)).into_response())
}

/// The file of bad rows, a page of them at a time.
fn bad_file(store: Store, id: Uuid, file: BadRows, words: Words) -> Body {
    let headings = [words.say("import-bad-line"), words.say("import-bad-reason")];
    let head = file.head(headings.each_ref().map(String::as_str));
    let pages = stream::try_unfold((store, file, 0), move |(store, file, after)| async move {
        let mut tx = store.read().await?;
        let rows = import::rows(&mut tx, id, Some(OutcomeName::Bad), after, BAD_ROWS_AT_A_TIME).await?;
        drop(tx);
        let Some(last) = rows.last().map(|row| row.line) else { return Ok::<_, StoreError>(None) };
        Ok(Some((file.page(&rows, |fault| said(fault, words)), (store, file, last))))
    });
    Body::from_stream(stream::once(async { Ok(head) }).chain(pages))
}

/// `POST /imports/{id}/delete`
pub(super) async fn delete(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    allowed(&signed_in)?;
    let import = match named(&app, &id).await {
        Ok(import) => import,
        Err(Refusal::NotFound) => {
            return gone(&app, ("import", parsed(&id)?), "import.delete", "/imports").await;
        }
        Err(refusal) => return Err(refusal),
    };
    let mut tx = app.store.write().await?;
    if !import.state.may_be_deleted() || !import::delete(&mut tx, import.id, signed_in.now).await? {
        return Ok(Redirect::to(&format!("/imports/{}?done=import-busy", import.id)).into_response());
    }
    let details = json!({ "kind": import.kind.as_str(), "state": import.state.as_str() });
    record(&mut tx, &signed_in, "import.delete", ("import", import.id), details).await?;
    tx.commit().await?;
    Ok(Redirect::to("/imports?done=import-deleted").into_response())
}
