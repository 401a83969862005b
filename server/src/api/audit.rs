//! The audit.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{extract::Query, page, problem::Problem, schema::Moment};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    store::audit::{self, Audit},
};

/// Which acts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// The value of `next` of the page before.
    after: Option<i64>,
    /// Rows on the page, 1 to 200.
    limit: Option<u16>,
}

/// One act.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditBody {
    /// Its place in the chain.
    seq: i64,
    /// When. Of what a laptop answered to an order the day alone is recorded, by its beginning (UTC).
    at: Moment,
    /// Who: a login, `command-line`, or `job:` and its name.
    actor: String,
    /// What was done.
    action: String,
    /// To what kind of thing.
    object_kind: String,
    /// To which one.
    object_id: String,
    /// Whatever else says what changed.
    #[schema(value_type = Object)]
    details: serde_json::Value,
}

impl From<Audit> for AuditBody {
    fn from(act: Audit) -> Self {
        Self {
            seq: act.seq,
            at: act.at.into(),
            actor: act.actor,
            action: act.action,
            object_kind: act.object_kind,
            object_id: act.object_id,
            details: serde_json::from_str(&act.details).unwrap_or(serde_json::Value::String(act.details)),
        }
    }
}

/// A page of acts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditsBody {
    /// Newest first.
    items: Vec<AuditBody>,
    /// Give it as `after` for the next page; null on the last.
    next: Option<i64>,
}

/// Who changed what, newest first
///
/// Roles: administrators and auditors, who see the whole programme.
#[utoipa::path(get, path = "/v1/audit", tag = "audit", params(AuditQuery), responses(
    (status = 200, body = AuditsBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem)))]
pub async fn list(
    State(app): State<App>,
    bearer: BearerToken,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditsBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeAudit, Object::Programme), "")?;
    let limit = page::limit(query.limit)?;
    let mut tx = app.store.read().await?;
    let mut acts = audit::list(&mut tx, query.after, i64::from(limit) + 1).await?;
    let more = acts.len() > usize::from(limit);
    acts.truncate(usize::from(limit));
    let next = acts.last().filter(|_| more).map(|act| act.seq);
    Ok(Json(AuditsBody { items: acts.into_iter().map(AuditBody::from).collect(), next }))
}
