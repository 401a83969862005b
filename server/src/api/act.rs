//! What acts of the API share: the row that each leaves in the audit, with the token it came by, and the reasons that
//! some ask for.

use serde_json::{Value, json};
use uuid::Uuid;

use super::problem::Problem;
use crate::{
    auth::BearerToken,
    store::{
        Tx,
        audit::{self, NewAudit},
    },
};

/// Longest reason in characters.
const MAX_REASON_CHARS: usize = 300;

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
