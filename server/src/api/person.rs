//! Who the API token acts for.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::problem::Problem;
use crate::{auth::BearerToken, domain::scope::Scope};

/// A person.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PersonBody {
    /// Never given to another.
    id: Uuid,
    /// What the person types to sign in.
    login: String,
    /// The name.
    display_name: String,
    /// `administrator` or `technician`.
    role: &'static str,
    /// The sites whose devices the person sees; null is the whole programme.
    site_ids: Option<Vec<Uuid>>,
}

/// The person this token acts for
///
/// Any valid token.
#[utoipa::path(get, path = "/v1/me", tag = "people", responses((status = 200, body = PersonBody), (status = 401, response = Problem)))]
pub async fn me(BearerToken { person, .. }: BearerToken) -> Json<PersonBody> {
    Json(PersonBody {
        id: person.id,
        login: person.login.to_string(),
        display_name: person.display_name,
        role: person.role.as_str(),
        site_ids: match person.scope {
            Scope::Everything => None,
            Scope::Sites(sites) => Some(sites),
        },
    })
}
