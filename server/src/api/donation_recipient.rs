//! Recipients of donations: the list, recording one, ending one.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    act::record,
    extract::{Body, Path},
    problem::Problem,
    schema::Moment,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::donation::{Recipient, RecipientClass, entry::RecipientEntry},
    store::donation_recipient,
};

/// A recipient.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RecipientBody {
    /// Never given to another.
    id: Uuid,
    /// Its name: a legal person's.
    name: String,
    /// What it is, as the law lists it.
    class: RecipientClass,
    /// Its legal form.
    legal_form: String,
    /// SIREN, RNA or UAI.
    registration: Option<String>,
    /// What it commits itself to.
    commitments: Option<String>,
    /// What proves that commitment.
    proof: Option<String>,
    /// When it was recorded.
    created_at: Moment,
    /// Since when nothing goes to it any more.
    ended_at: Option<Moment>,
}

impl From<Recipient> for RecipientBody {
    fn from(recipient: Recipient) -> Self {
        Self {
            id: recipient.id,
            name: recipient.name,
            class: recipient.class,
            legal_form: recipient.legal_form,
            registration: recipient.registration,
            commitments: recipient.commitments,
            proof: recipient.proof,
            created_at: recipient.created_at.into(),
            ended_at: recipient.ended_at.map(Moment),
        }
    }
}

/// Recipients.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RecipientsBody {
    /// By name, those that ended too: at most 500.
    items: Vec<RecipientBody>,
}

/// A recipient to record.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRecipientBody {
    /// Its name: a legal person's, never a natural one's.
    name: String,
    /// What it is, as the law lists it: see docs/donation.md.
    #[schema(example = "reuse_body")]
    class: String,
    /// Its legal form.
    #[schema(example = "association loi 1901")]
    legal_form: String,
    /// SIREN, RNA or UAI.
    registration: Option<String>,
    /// What it commits itself to: reuse, for whom, at which price.
    commitments: Option<String>,
    /// What proves it: the signed agreement, its date, where it is kept.
    proof: Option<String>,
}

/// Recipients of donations, by name
///
/// Roles: administrator, programme manager, refurbisher, auditor, who see all sites.
#[utoipa::path(get, path = "/v1/donation-recipients", tag = "donations", responses(
    (status = 200, body = RecipientsBody), (status = 401, response = Problem), (status = 403, response = Problem)))]
pub async fn list(State(app): State<App>, bearer: BearerToken) -> Result<Json<RecipientsBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeDonations, Object::Programme), "")?;
    let mut tx = app.store.read().await?;
    let found = donation_recipient::list(&mut tx).await?;
    Ok(Json(RecipientsBody { items: found.into_iter().map(RecipientBody::from).collect() }))
}

/// Record a recipient of donations
///
/// Roles: administrator, programme manager, refurbisher, who see all sites.
#[utoipa::path(post, path = "/v1/donation-recipients", tag = "donations", request_body = NewRecipientBody, responses(
    (status = 201, body = RecipientBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 422, response = Problem)))]
pub async fn create(
    State(app): State<App>,
    bearer: BearerToken,
    Body(body): Body<NewRecipientBody>,
) -> Result<(StatusCode, Json<RecipientBody>), Problem> {
    Problem::check(bearer.person.can(Action::PrepareDonation, Object::Programme), "")?;
    let entry = RecipientEntry {
        name: body.name,
        class: body.class,
        legal_form: body.legal_form,
        registration: body.registration.unwrap_or_default(),
        commitments: body.commitments.unwrap_or_default(),
        proof: body.proof.unwrap_or_default(),
    };
    let made = entry.read(Uuid::now_v7(), bearer.now)?;
    let mut tx = app.store.write().await?;
    donation_recipient::insert(&mut tx, &made, bearer.person.login.as_str()).await?;
    let details = json!({ "name": made.name, "class": made.class });
    record(&mut tx, &bearer, "donation_recipient.create", ("donation_recipient", made.id), details).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Say that nothing goes to a recipient any more
///
/// Roles: administrator, programme manager, refurbisher, who see all sites.
#[utoipa::path(post, path = "/v1/donation-recipients/{id}/end", tag = "donations",
    params(("id" = Uuid, Path, description = "The recipient")), responses((status = 204),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem)))]
pub async fn end(State(app): State<App>, bearer: BearerToken, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    Problem::check(bearer.person.can(Action::PrepareDonation, Object::Programme), "")?;
    let mut tx = app.store.write().await?;
    if !donation_recipient::end(&mut tx, id, bearer.now).await? {
        return Err(Problem::not_found("There is no such recipient, or it has ended already."));
    }
    record(&mut tx, &bearer, "donation_recipient.end", ("donation_recipient", id), json!({})).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
