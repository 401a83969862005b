//! Exports: each list as CSV, written as it is read, or as a workbook. Scope and membership hold as on the pages.

use std::sync::Arc;

use askama::Template;
use axum::{
    body::Body,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use serde::Deserialize;

use super::{
    device_list,
    error::{Refusal, require},
    flag_list,
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, Object, SignedIn},
    exchange::{
        export::{Export, ExportFailed, ExportKind},
        write::Delimiter,
    },
    store::{device_list::DeviceQuery, flag_list::FlagQuery, loan_list::LoanQuery, page::Cursor},
};

/// Bytes of a workbook sent at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// How a file is written, and the filters that loans have.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    delimiter: String,
}

/// The filters of the list that is exported: an export holds what its page shows.
#[derive(Clone, Debug)]
pub(super) struct Filters {
    devices: DeviceQuery,
    flags: FlagQuery,
    loans: LoanQuery,
}

/// `GET /devices.csv`
pub(super) async fn devices(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<Asked>,
    Query(devices): Query<device_list::Asked>,
) -> Result<Response, Refusal> {
    let devices = DeviceQuery { after: None, ..devices.query()? };
    let filters = Filters { devices, flags: FlagQuery::default(), loans: LoanQuery::default() };
    send(&app, &signed_in, &visitor, (ExportKind::Devices, "csv"), &asked, filters).await
}

/// `GET /exports/{file}`
pub(super) async fn file(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(file): Path<String>,
    Query(asked): Query<Asked>,
    Query(devices): Query<device_list::Asked>,
    Query(flags): Query<flag_list::Asked>,
) -> Result<Response, Refusal> {
    let (kind, format) = file.split_once('.').ok_or(Refusal::NotFound)?;
    let kind: ExportKind = kind.parse().map_err(|_| Refusal::NotFound)?;
    let mut filters =
        Filters { devices: DeviceQuery::default(), flags: FlagQuery::default(), loans: LoanQuery::default() };
    match kind {
        ExportKind::Devices | ExportKind::SnipeIt | ExportKind::Glpi => {
            filters.devices = DeviceQuery { after: None, ..devices.query()? };
        }
        ExportKind::Flags => filters.flags = FlagQuery { after: None, ..flags.query()? },
        ExportKind::Loans | ExportKind::Borrowers | ExportKind::Sites | ExportKind::Programmes => {}
    }
    send(&app, &signed_in, &visitor, (kind, format), &asked, filters).await
}

async fn send(
    app: &App,
    signed_in: &SignedIn,
    visitor: &Visitor,
    (kind, format): (ExportKind, &str),
    asked: &Asked,
    filters: Filters,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::ExportData, Object::OwnScope))?;
    require(person.can(kind.needs(), Object::OwnScope))?;
    let words = visitor.words;
    let export = Export {
        kind,
        language: words.language,
        role: person.role,
        scope: person.scope.clone(),
        devices: filters.devices,
        loans: filters.loans,
        flags: filters.flags,
        now: signed_in.now,
        say: Arc::new(move |family, code| words.word(family, code)),
    };
    match format {
        "csv" => Ok(csv(app, export, delimiter(&asked.delimiter)?)),
        "xlsx" => workbook(app, &export).await,
        _ => Err(Refusal::NotFound),
    }
}

fn delimiter(asked: &str) -> Result<Delimiter, Refusal> {
    match asked {
        "" | "comma" => Ok(Delimiter::Comma),
        "semicolon" => Ok(Delimiter::Semicolon),
        _ => Err(Refusal::Nonsense),
    }
}

fn named(kind: ExportKind, format: &str) -> String {
    format!("attachment; filename=\"cartable-{kind}.{format}\"")
}

/// What is left to write.
enum Left {
    From(Option<Cursor>),
    Nothing,
}

fn csv(app: &App, export: Export, delimiter: Delimiter) -> Response {
    let (store, kind) = (app.store.clone(), export.kind);
    let pieces = stream::try_unfold(Left::From(None), move |left| {
        let (store, export) = (store.clone(), export.clone());
        async move {
            let Left::From(after) = left else { return Ok::<_, ExportFailed>(None) };
            let (text, next) = export.csv_piece(&store, after, delimiter).await?;
            Ok(Some((text, next.map_or(Left::Nothing, |cursor| Left::From(Some(cursor))))))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, named(kind, "csv")),
    ];
    (headers, Body::from_stream(pieces)).into_response()
}

async fn workbook(app: &App, export: &Export) -> Result<Response, Refusal> {
    let file = export.workbook(&app.store).await.map_err(|error| match error {
        ExportFailed::Store(error) => error.into(),
        ExportFailed::Workbook(error) => {
            tracing::error!(%error, "an export could not be written");
            Refusal::Broken
        }
    })?;
    let pieces = stream::try_unfold(tokio::fs::File::from_std(file), |mut file| async move {
        use tokio::io::AsyncReadExt as _;
        let mut piece = vec![0; PIECE_BYTES];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then_some((piece, file)))
    });
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet".to_owned();
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, named(export.kind, "xlsx"))];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

#[derive(Debug)]
struct Line {
    kind: &'static str,
    name: String,
    hint: String,
}

/// The page that offers every export.
#[derive(Debug, Template)]
#[template(path = "exports.html")]
pub(super) struct ExportsPage {
    shell: Shell,
    lines: Vec<Line>,
}

impl ExportsPage {
    /// The page with the exports that `may` have.
    pub(super) fn new(shell: Shell, may: impl Fn(Action) -> bool) -> Self {
        let words = shell.words;
        let line = |kind: &ExportKind| Line {
            kind: kind.as_str(),
            name: words.word("export", kind.as_str()),
            hint: words.word("export-hint", kind.as_str()),
        };
        let lines = ExportKind::ALL.iter().filter(|kind| may(kind.needs())).map(line).collect();
        Self { shell, lines }
    }
}

/// `GET /exports`
pub(super) async fn page(signed_in: SignedIn, visitor: Visitor) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::ExportData, Object::OwnScope))?;
    let shell = visitor.shell(Section::Exports, visitor.words.say("exports-title"), &signed_in);
    let may = |action| person.can(action, Object::OwnScope).is_allowed();
    Ok(shell::page(StatusCode::OK, &ExportsPage::new(shell, may)))
}
