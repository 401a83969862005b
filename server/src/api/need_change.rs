//! Changing a need that is open.

use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    act::{given, record, wanted},
    extract::{Body, Path},
    need::{UNKNOWN, programme_id},
    problem::Problem,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        borrower::Level,
        import::cells::Wanted,
        need::{NeedReason, Reasons},
    },
    store::{
        need,
        need_change::{self, Change, ChangeError},
        programme,
    },
};

/// What to change of a need. A field that is absent stays as it is; one that is null is erased.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent and null say different things")]
pub struct NeedChangeBody {
    /// The programme's code.
    programme: Option<String>,
    /// The class level.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Level>)]
    level: Option<Option<Level>>,
    /// Why it may come before others: all the reasons it has then.
    reasons: Option<Vec<NeedReason>>,
    /// For whom, by reference.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    borrower: Option<Option<String>>,
}

/// Change a need
///
/// Roles: administrator, programme manager, referent, within their sites. Only one that is open.
#[utoipa::path(post, path = "/v1/needs/{id}/change", tag = "needs", request_body = NeedChangeBody,
    params(("id" = Uuid, Path, description = "The need")), responses(
    (status = 204), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn change(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<NeedChangeBody>,
) -> Result<StatusCode, Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::ChangeNeeds, Object::OwnScope), "")?;
    let wrong = |why: &dyn std::fmt::Display| Problem::unprocessable(format!("{why}."));
    let mut tx = app.store.write().await?;
    let found = need::find(&mut tx, &person.scope, id).await?.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    Problem::check(person.can(Action::ChangeNeeds, Object::OfSite(Some(found.need.site))), UNKNOWN)?;
    let programmes = programme::list(&mut tx).await?;
    let borrower = match wanted(body.borrower) {
        Wanted::Set(text) => Wanted::Set(text.parse().map_err(|error| wrong(&error))?),
        Wanted::Erase => Wanted::Erase,
        Wanted::Keep => Wanted::Keep,
    };
    let change = Change {
        programme: body.programme.as_deref().map(|code| programme_id(&programmes, code)).transpose()?,
        level: wanted(body.level),
        reasons: body.reasons.map(Reasons::new).transpose().map_err(|error| wrong(&error))?,
        borrower,
    };
    let changed = need_change::change(&mut tx, &person.scope, &found, change).await.map_err(|error| match error {
        ChangeError::Refused(refused) => wrong(&refused),
        ChangeError::Store(error) => error.into(),
    })?;
    record(&mut tx, &bearer, "need.change", ("need", id), json!({ "changed": changed })).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
