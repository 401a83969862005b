//! What acts of the API share: the row that each leaves in the audit, with the token it came by, and the reasons that
//! some ask for.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use uuid::Uuid;

use super::problem::Problem;
use crate::{
    app::App,
    auth::BearerToken,
    domain::import::cells::Wanted,
    store::{
        Tx,
        audit::{self, NewAudit},
        lending::Clerk,
    },
};

/// Longest reason in characters.
const MAX_REASON_CHARS: usize = 300;

/// The token's person, as the store's clerk.
pub(super) fn clerk<'a>(app: &'a App, bearer: &'a BearerToken) -> Clerk<'a> {
    Clerk {
        actor: bearer.person.login.as_str(),
        token: Some(bearer.token),
        scope: &bearer.person.scope,
        policy: &app.policy,
        now: bearer.now,
    }
}

/// Writes down who did what to which thing, in the unit of work that does it.
pub(super) async fn record(
    tx: &mut Tx,
    bearer: &BearerToken,
    action: &str,
    (object_kind, id): (&str, Uuid),
    mut details: Value,
) -> Result<(), Problem> {
    details["api_token"] = json!(bearer.token);
    let (actor, object_id) = (bearer.person.login.as_str(), id.to_string());
    audit::append(tx, NewAudit { actor, action, object_kind, object_id: &object_id, details }, bearer.now).await?;
    Ok(())
}

/// A reason as it may stand in the audit.
pub(super) fn reason(text: &str) -> Result<&str, Problem> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= MAX_REASON_CHARS && !text.contains(char::is_control);
    fits.then_some(text)
        .ok_or_else(|| Problem::unprocessable(format!("`reason` has 1 to {MAX_REASON_CHARS} printable characters.")))
}

/// A field of a change: absent keeps, null erases.
#[expect(clippy::option_option, reason = "absent and null say different things")]
pub(super) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// What such a field asks for.
#[expect(clippy::option_option, reason = "absent and null say different things")]
pub(super) fn wanted<T>(field: Option<Option<T>>) -> Wanted<T> {
    match field {
        None => Wanted::Keep,
        Some(None) => Wanted::Erase,
        Some(Some(value)) => Wanted::Set(value),
    }
}
