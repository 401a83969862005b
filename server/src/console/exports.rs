//! Exports: each list as CSV or as a workbook, with the filters of its page. Scope and membership hold as on the pages.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::{StatusCode, Uri},
    response::Response,
};

use super::{
    borrower_list, device_list, disposition_list,
    download::{self, Asked},
    error::{Refusal, require},
    flag_list, loan_list, need, notice,
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, Object, SignedIn},
    exchange::export::{Export, ExportKind, Filters},
    store::{
        advice_list::AdviceQuery, borrower_list::BorrowerQuery, device_list::DeviceQuery, flag_list::FlagQuery,
        loan_list::LoanQuery, need_list::NeedQuery, programme,
    },
};

/// The filters of every list, of which an address names those of one.
#[derive(Clone, Debug)]
pub(super) struct Filtered {
    devices: device_list::Asked,
    loans: loan_list::Asked,
    borrowers: borrower_list::Asked,
    needs: need::Asked,
    flags: flag_list::Asked,
    notices: notice::Asked,
    advice: disposition_list::Asked,
}

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Filtered {
    type Rejection = axum::extract::rejection::QueryRejection;
    async fn from_request_parts(parts: &mut axum::http::request::Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self {
            devices: Query::try_from_uri(&parts.uri)?.0,
            loans: Query::try_from_uri(&parts.uri)?.0,
            borrowers: Query::try_from_uri(&parts.uri)?.0,
            needs: Query::try_from_uri(&parts.uri)?.0,
            flags: Query::try_from_uri(&parts.uri)?.0,
            notices: Query::try_from_uri(&parts.uri)?.0,
            advice: Query::try_from_uri(&parts.uri)?.0,
        })
    }
}

impl Filtered {
    /// The filters of the list `kind`, as its page reads them; the others are not looked at.
    async fn of(&self, app: &App, signed_in: &SignedIn, kind: ExportKind) -> Result<Filters, Refusal> {
        let mut filters = Filters::default();
        match kind {
            ExportKind::Devices | ExportKind::SnipeIt | ExportKind::Glpi => {
                filters.devices = DeviceQuery { after: None, ..self.devices.query()? };
            }
            ExportKind::Loans => {
                let mut tx = app.store.read().await?;
                let (query, _) = loan_list::asked_for(&mut tx, signed_in, &self.loans).await?;
                filters.loans = LoanQuery { after: None, ..query };
            }
            ExportKind::Borrowers => {
                let levels = signed_in.person.can(Action::SeeIdentity, Object::OwnScope).is_allowed();
                filters.borrowers = BorrowerQuery { after: None, ..self.borrowers.query(levels)? };
            }
            ExportKind::Needs => {
                let programmes = programme::list(&mut app.store.read().await?).await?;
                let query = self.needs.query(signed_in.person.role, &programmes)?;
                filters.needs = NeedQuery { after: None, ..query };
            }
            ExportKind::Flags => filters.flags = FlagQuery { after: None, ..self.flags.query()? },
            ExportKind::Notices => filters.messages = Some(self.notices.state()?),
            ExportKind::Dispositions => {
                let mut tx = app.store.read().await?;
                let visibility = programme::visibility(&mut tx, signed_in.person.role).await?;
                filters.advice = AdviceQuery { after: None, ..self.advice.query(&visibility)? };
            }
            ExportKind::Sites
            | ExportKind::Programmes
            | ExportKind::Tokens
            | ExportKind::Allocations
            | ExportKind::Campaigns
            | ExportKind::Imports
            | ExportKind::Audit => {}
        }
        Ok(filters)
    }
}

/// `GET /devices.csv`, `GET /loans.csv`: the same files at shorter addresses.
pub(super) async fn short(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    uri: Uri,
    Query(asked): Query<Asked>,
    filtered: Filtered,
) -> Result<Response, Refusal> {
    send(&app, &signed_in, &visitor, uri.path().trim_start_matches('/'), &asked, &filtered).await
}

/// `GET /exports/{file}`
pub(super) async fn file(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(file): Path<String>,
    Query(asked): Query<Asked>,
    filtered: Filtered,
) -> Result<Response, Refusal> {
    send(&app, &signed_in, &visitor, &file, &asked, &filtered).await
}

async fn send(
    app: &App,
    signed_in: &SignedIn,
    visitor: &Visitor,
    file: &str,
    asked: &Asked,
    filtered: &Filtered,
) -> Result<Response, Refusal> {
    let kind = file.split_once('.').and_then(|(kind, _)| kind.parse::<ExportKind>().ok()).ok_or(Refusal::NotFound)?;
    let person = &signed_in.person;
    require(person.can(Action::ExportData, Object::OwnScope))?;
    require(person.can(kind.needs(), kind.of()))?;
    let words = visitor.words;
    let export = Export {
        kind,
        language: words.language,
        role: person.role,
        scope: person.scope.clone(),
        filters: filtered.of(app, signed_in, kind).await?,
        now: signed_in.now,
        say: Arc::new(move |family, code| words.word(family, code)),
    };
    download::send(app, file, asked, export).await
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
    pub(super) fn new(shell: Shell, may: impl Fn(ExportKind) -> bool) -> Self {
        let words = shell.words;
        let line = |kind: &ExportKind| Line {
            kind: kind.as_str(),
            name: words.word("export", kind.as_str()),
            hint: words.word("export-hint", kind.as_str()),
        };
        let lines = ExportKind::ALL.iter().filter(|kind| may(**kind)).map(line).collect();
        Self { shell, lines }
    }
}

/// `GET /exports`
pub(super) async fn page(signed_in: SignedIn, visitor: Visitor) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::ExportData, Object::OwnScope))?;
    let shell = visitor.shell(Section::Exports, visitor.words.say("exports-title"), &signed_in);
    let may = |kind: ExportKind| person.can(kind.needs(), kind.of()).is_allowed();
    Ok(shell::page(StatusCode::OK, &ExportsPage::new(shell, may)))
}
