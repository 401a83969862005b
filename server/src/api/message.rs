//! E-mails to borrowers and referents: which were sent, wait, failed; and those that came back.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    act::record,
    extract::{Body, Path, Query},
    page,
    problem::Problem,
    schema::Moment,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::notice::MessageState,
    store::message_list::{self, MessageRow},
};

/// Longest reason, in characters.
const MAX_REASON_CHARS: usize = 200;

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MessageQuery {
    /// Where they stand: `waiting`, `sending`, `sent`, `failed`, `bounced` or `cancelled`; `sent` if absent.
    #[param(value_type = Option<String>)]
    state: Option<MessageState>,
    /// The value of `next` of the page before.
    after: Option<String>,
    /// Rows on the page, 1 to 200.
    limit: Option<u16>,
}

/// A message; its address is not kept.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MessageBody {
    /// Never given to another.
    id: Uuid,
    /// The Message-ID, without angle brackets.
    message_id: String,
    /// `borrower`, `referent` or `person`.
    recipient_kind: &'static str,
    /// A borrower's reference, a referent's or a person's name.
    recipient: Option<String>,
    /// The site's name.
    site: Option<String>,
    /// Where it stands.
    state: &'static str,
    /// How many attempts there were.
    attempts: i64,
    /// When the next one is, while it waits.
    next_attempt_at: Option<Moment>,
    /// When it was made.
    created_at: Moment,
    /// When it ended.
    finished_at: Option<Moment>,
    /// What last went wrong.
    error: Option<String>,
    /// How many notices are in it.
    notices: i64,
}

impl From<MessageRow> for MessageBody {
    fn from(row: MessageRow) -> Self {
        Self {
            id: row.id,
            message_id: row.mail_id,
            recipient_kind: row.recipient.as_str(),
            recipient: row.named,
            site: row.site,
            state: row.state.as_str(),
            attempts: row.attempts,
            next_attempt_at: row.next_attempt_at.map(Moment),
            created_at: row.created_at.into(),
            finished_at: row.finished_at.map(Moment),
            error: row.error,
            notices: row.notices,
        }
    }
}

/// A page of messages.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MessagesBody {
    /// Newest first.
    items: Vec<MessageBody>,
    /// Give it as `after` for the next page; null on the last.
    next: Option<String>,
}

/// E-mails in one state, newest first
///
/// Roles: programme managers and auditors, within their sites.
#[utoipa::path(get, path = "/v1/messages", tag = "notices", params(MessageQuery), responses(
    (status = 200, body = MessagesBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem)))]
pub async fn list(
    State(app): State<App>,
    bearer: BearerToken,
    Query(query): Query<MessageQuery>,
) -> Result<Json<MessagesBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeNotices, Object::OwnScope), "")?;
    let (limit, after) = (page::limit(query.limit)?, page::after(query.after.as_deref())?);
    let state = query.state.unwrap_or(MessageState::Sent);
    let mut tx = app.store.read().await?;
    let (rows, next) = message_list::list(&mut tx, &bearer.person.scope, state, after.as_ref(), limit).await?;
    let next = next.map(|next| next.to_string());
    Ok(Json(MessagesBody { items: rows.into_iter().map(MessageBody::from).collect(), next }))
}

/// Why a message came back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BounceBody {
    /// At most 200 characters, without an address.
    reason: String,
}

/// Records that a message that was sent came back
///
/// For a program that reads the sender's mailbox. Roles: administrators.
#[utoipa::path(post, path = "/v1/messages/{id}/bounce", tag = "notices", request_body = BounceBody,
    params(("id" = Uuid, Path)), responses(
    (status = 204, description = "It is recorded."), (status = 400, response = Problem),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem)))]
pub async fn bounce(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<BounceBody>,
) -> Result<StatusCode, Problem> {
    Problem::check(bearer.person.can(Action::ChangeNotices, Object::OwnScope), "")?;
    let why = body.reason.trim();
    if why.is_empty() || why.chars().count() > MAX_REASON_CHARS || why.contains(|c: char| c == '@' || c.is_control()) {
        return Err(Problem::invalid("`reason` has 1 to 200 characters and holds no address."));
    }
    let (now, scope) = (bearer.now, &bearer.person.scope);
    let mut tx = app.store.write().await?;
    if message_list::find(&mut tx, scope, id).await?.is_none() {
        return Err(Problem::not_found("There is no such message."));
    }
    if !message_list::bounce(&mut tx, scope, id, why, now).await? {
        return Err(Problem::invalid("This message is not in the state `sent`."));
    }
    record(&mut tx, &bearer, "message.bounce", ("message", id), json!({ "reason": why })).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send a message again that failed or came back
///
/// Roles: administrators.
#[utoipa::path(post, path = "/v1/messages/{id}/again", tag = "notices", params(("id" = Uuid, Path)), responses(
    (status = 204, description = "It is sent with the next run."), (status = 400, response = Problem),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem)))]
pub async fn send_again(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    Problem::check(bearer.person.can(Action::ChangeNotices, Object::OwnScope), "")?;
    let scope = &bearer.person.scope;
    let mut tx = app.store.write().await?;
    if message_list::find(&mut tx, scope, id).await?.is_none() {
        return Err(Problem::not_found("There is no such message."));
    }
    if !message_list::send_again(&mut tx, scope, id, bearer.now).await? {
        return Err(Problem::invalid("This message neither failed nor came back."));
    }
    record(&mut tx, &bearer, "message.send_again", ("message", id), json!({})).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
