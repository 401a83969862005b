//! What scripts do about those whom a running campaign still expects: excuse them and expect them again, write to them
//! again, print their letters.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    act::{reason, record},
    campaign::named,
    document::{maker, pdf},
    extract::{Body, Path},
    need::site_id,
    problem::Problem,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    documents::{LettersWanted, Names},
    domain::language::Language,
    store::{
        campaign_excuse,
        campaign_letter::{self, WriteError},
    },
};

/// A loan that need not come.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExcuseBody {
    /// The loan.
    loan: Uuid,
    /// Why; stands in the campaign and in the audit.
    reason: String,
}

/// A loan that has to come after all.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectBody {
    /// The loan.
    loan: Uuid,
}

/// To how many a letter was written.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct WrittenBody {
    /// Loans whose borrowers get a letter.
    loans: u64,
}

/// Which letters to print.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LettersBody {
    /// UAI code of the site.
    site: String,
    /// Whether names stand on them, for roles that see who borrowers are; opening them leaves a row in the audit.
    #[serde(default)]
    names: bool,
    /// Which part of the site's letters, from 1: a part holds those of 400 places.
    part: Option<u32>,
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Refused(refused) => Self::unprocessable(format!("Refused: {refused}.")),
            WriteError::Store(error) => error.into(),
        }
    }
}

/// Excuse a loan that is expected
///
/// Roles: administrator, programme manager, referent, within their sites.
#[utoipa::path(post, path = "/v1/campaigns/{id}/excuse", tag = "campaigns", request_body = ExcuseBody,
    params(("id" = Uuid, Path, description = "The campaign")), responses((status = 204), (status = 400, response = Problem),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem)))]
pub async fn excuse(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<ExcuseBody>,
) -> Result<StatusCode, Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::ChangeLoan, Object::OwnScope), "")?;
    let why = reason(&body.reason)?;
    let mut tx = app.store.write().await?;
    let by = person.login.as_str();
    if !campaign_excuse::excuse(&mut tx, &person.scope, (id, body.loan), (why, by), bearer.now).await? {
        return Err(Problem::not_found(UNKNOWN_LOAN));
    }
    let details = json!({ "campaign": id, "reason": why });
    record(&mut tx, &bearer, "campaign.excuse", ("loan", body.loan), details).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Expect a loan again that is excused
///
/// Roles: administrator, programme manager, referent, within their sites.
#[utoipa::path(post, path = "/v1/campaigns/{id}/expect", tag = "campaigns", request_body = ExpectBody,
    params(("id" = Uuid, Path, description = "The campaign")), responses((status = 204), (status = 400, response = Problem),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem)))]
pub async fn expect(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<ExpectBody>,
) -> Result<StatusCode, Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::ChangeLoan, Object::OwnScope), "")?;
    let mut tx = app.store.write().await?;
    if !campaign_excuse::undo(&mut tx, &person.scope, (id, body.loan)).await? {
        return Err(Problem::not_found(NOT_EXCUSED));
    }
    record(&mut tx, &bearer, "campaign.undo_excuse", ("loan", body.loan), json!({ "campaign": id })).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Write again to those still expected, at most once a day
///
/// Those whose earlier letter has not left yet get no other. Roles: administrator, programme manager, who see all sites.
#[utoipa::path(post, path = "/v1/campaigns/{id}/write-again", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign")), responses((status = 200, body = WrittenBody),
    (status = 400, response = Problem), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn write_again(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<WrittenBody>, Problem> {
    Problem::check(bearer.person.can(Action::ChangeCampaigns, Object::Programme), "")?;
    let mut tx = app.store.write().await?;
    named(&mut tx, id).await?;
    let loans = campaign_letter::write_again(&mut tx, id, bearer.now).await?;
    record(&mut tx, &bearer, "campaign.write_again", ("campaign", id), json!({ "loans": loans })).await?;
    tx.commit().await?;
    Ok(Json(WrittenBody { loans }))
}

/// Print the letters to the borrowers of a site whose devices are still expected
///
/// Answers the PDF (PDF/A-2a, PDF/UA-1), a page for each loan in its borrower's language (French where that
/// is not known); its number is the file's name
/// in Content-Disposition. Roles: those that see borrowers (administrator, programme manager, referent, auditor), within
/// their sites; names stand on it only for those who may see them.
#[utoipa::path(post, path = "/v1/campaigns/{id}/letters", tag = "campaigns", request_body = LettersBody,
    params(("id" = Uuid, Path, description = "The campaign")), responses(
    (status = 201, content_type = "application/pdf", body = Vec<u8>), (status = 400, response = Problem),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem), (status = 503, response = Problem)))]
pub async fn letters(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<LettersBody>,
) -> Result<Response, Problem> {
    Problem::check(bearer.person.can(Action::SeeCampaigns, Object::OwnScope), "")?;
    Problem::check(bearer.person.can(Action::SeeBorrowers, Object::OwnScope), "")?;
    let mut tx = app.store.read().await?;
    let site = site_id(&mut tx, &bearer, &body.site).await?;
    named(&mut tx, id).await?;
    drop(tx);
    let wanted = LettersWanted {
        campaign: id,
        site,
        part: body.part.unwrap_or(1),
        names: if body.names { Names::Shown } else { Names::Hidden },
        language: Language::French,
    };
    Ok(pdf(app.documents.campaign_letters(maker(&app, &bearer), wanted).await?))
}

const UNKNOWN_LOAN: &str = "No such loan of your sites is expected in this campaign, or the campaign does not run.";
const NOT_EXCUSED: &str = "No such loan of your sites is excused from this campaign, or the campaign does not run.";
