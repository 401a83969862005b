//! Documents of loans: what was made, and making one. The PDF is the answer; it is not kept.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    extract::{Body, Path},
    loan::UNKNOWN,
    problem::Problem,
    schema::Moment,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    documents::{Made, MakeError, Maker, Signatories},
    domain::document::DocumentKind,
    store::{
        document::{self, Document},
        loan,
    },
};

/// A document that was made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DocumentBody {
    /// Its number, as on its pages.
    #[schema(example = "AGR-2026-000123")]
    number: String,
    /// What it is.
    kind: DocumentKind,
    /// The name of its template.
    template: String,
    /// The template's version.
    version: String,
    /// SHA-256 of the template's files, hexadecimal.
    template_sha256: String,
    /// SHA-256 of the PDF, hexadecimal: what a copy is recognised by.
    pdf_sha256: String,
    /// The language it speaks: `fr` or `en`.
    language: String,
    /// The login of the one who made it.
    by: String,
    /// When.
    at: Moment,
}

impl From<Document> for DocumentBody {
    fn from(document: Document) -> Self {
        Self {
            number: document.number.to_string(),
            kind: document.number.kind,
            template: document.template,
            version: document.version,
            template_sha256: HEXLOWER.encode(&document.template_sha256),
            pdf_sha256: HEXLOWER.encode(&document.pdf_sha256),
            language: document.language.as_str().to_owned(),
            by: document.made_by,
            at: document.made_at.into(),
        }
    }
}

/// A document of a loan that can be made.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoanDocument {
    /// The loan agreement.
    Agreement,
    /// The receipt of a device that came back.
    Receipt,
}

/// Which document to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDocumentBody {
    /// What it is.
    kind: LoanDocument,
    /// Of an agreement: the place (1, 2…) of the one holder of parental authority who signs; all of them if absent.
    holder: Option<u16>,
}

impl From<MakeError> for Problem {
    fn from(error: MakeError) -> Self {
        match error {
            MakeError::NotFound => Self::not_found(UNKNOWN),
            MakeError::NoSuchHolder(_)
            | MakeError::NotInState
            | MakeError::NotErased
            | MakeError::Nothing
            | MakeError::TooMany(_) => Self::unprocessable(format!("Refused: {error}.")),
            MakeError::Busy => Self::busy(),
            MakeError::Store(error) => error.into(),
            MakeError::TooLong | MakeError::Broken | MakeError::Template(_) | MakeError::Vault(_) => {
                tracing::error!(%error, "a document could not be made");
                Self::internal()
            }
        }
    }
}

pub(super) fn maker<'a>(app: &'a App, bearer: &'a BearerToken) -> Maker<'a> {
    app.maker(&bearer.person, Some(bearer.token), bearer.now)
}

/// The documents that were made of a loan, newest first
///
/// All roles, within their sites.
#[utoipa::path(get, path = "/v1/loans/{id}/documents", tag = "loans",
    params(("id" = Uuid, Path, description = "The loan")), responses((status = 200, body = Vec<DocumentBody>),
    (status = 400, response = Problem), (status = 401, response = Problem), (status = 404, response = Problem)))]
pub async fn list(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<Vec<DocumentBody>>, Problem> {
    Problem::check(bearer.person.can(Action::SeeLoans, Object::OwnScope), "")?;
    let mut tx = app.store.read().await?;
    loan::find(&mut tx, &bearer.person.scope, id).await?.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    Ok(Json(document::of_loan(&mut tx, id).await?.into_iter().map(DocumentBody::from).collect()))
}

/// Make the agreement or the receipt of a loan
///
/// Answers the PDF (PDF/A-2a, PDF/UA-1); its number is the file's name in Content-Disposition. An agreement: the roles
/// that hand devices over and see who borrowers are (administrator, programme manager, referent). A receipt: all roles
/// but the auditor; it bears names only for those who may see them. Names that are opened leave a row in the audit.
#[utoipa::path(post, path = "/v1/loans/{id}/documents", tag = "loans", request_body = NewDocumentBody,
    params(("id" = Uuid, Path, description = "The loan")), responses(
    (status = 201, content_type = "application/pdf", body = Vec<u8>), (status = 400, response = Problem),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem), (status = 503, response = Problem)))]
pub async fn make(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(new): Body<NewDocumentBody>,
) -> Result<Response, Problem> {
    let by = maker(&app, &bearer);
    let made = match new.kind {
        LoanDocument::Agreement => {
            Problem::check(bearer.person.can(Action::HandOver, Object::OwnScope), "")?;
            Problem::check(bearer.person.can(Action::SeeIdentity, Object::OwnScope), "")?;
            let who = new.holder.map_or(Signatories::All, |place| Signatories::One(place.into()));
            app.documents.agreement(by, id, who).await?
        }
        LoanDocument::Receipt => {
            Problem::check(bearer.person.can(Action::TakeBack, Object::OwnScope), "")?;
            app.documents.receipt(by, id).await?
        }
    };
    Ok(pdf(made))
}

/// The PDF, under its number.
pub(super) fn pdf(made: Made) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}.pdf\"", made.document.number)),
    ];
    (StatusCode::CREATED, headers, made.pdf).into_response()
}
