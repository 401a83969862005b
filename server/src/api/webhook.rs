//! Webhooks and how it goes with each; they are added on the command line, which prints the signing secret once.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{problem::Problem, schema::Moment};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    store::webhook::{self, Standing},
};

/// A webhook.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WebhookBody {
    /// Never given to another.
    id: Uuid,
    /// What people call it.
    label: String,
    /// Where it goes.
    url: String,
    /// Which events; none named is all.
    events: Vec<&'static str>,
    /// Since when it is not told any more.
    disabled_at: Option<Moment>,
    /// Events that wait.
    waiting: i64,
    /// Events that were given up.
    given_up: i64,
    /// The last thing that went wrong.
    last_error: Option<String>,
    /// When that was.
    last_error_at: Option<Moment>,
}

impl From<Standing> for WebhookBody {
    fn from(one: Standing) -> Self {
        let (at, error) = one.last_error.unzip();
        Self {
            id: one.webhook.id,
            label: one.webhook.label,
            url: one.webhook.url,
            events: one.webhook.events.iter().map(|event| event.as_str()).collect(),
            disabled_at: one.webhook.disabled_at.map(Moment),
            waiting: one.waiting,
            given_up: one.given_up,
            last_error: error,
            last_error_at: at.map(Moment),
        }
    }
}

/// All webhooks.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WebhooksBody {
    /// Those that are told first, by name.
    items: Vec<WebhookBody>,
}

/// Who is told of events, and how it goes
///
/// Roles: programme managers and auditors who see the whole programme.
#[utoipa::path(get, path = "/v1/webhooks", tag = "notices", responses(
    (status = 200, body = WebhooksBody), (status = 401, response = Problem), (status = 403, response = Problem)))]
pub async fn list(State(app): State<App>, bearer: BearerToken) -> Result<Json<WebhooksBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeNotices, Object::Programme), "")?;
    let mut tx = app.store.read().await?;
    let items = webhook::list(&mut tx).await?.into_iter().map(WebhookBody::from).collect();
    Ok(Json(WebhooksBody { items }))
}
