//! The Debian repository of the agent, for everybody's apt: it holds nothing but the published program, and proves itself by
//! its signature, whichever way it comes.

use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};

use super::error::Refusal;
use crate::{
    app::App,
    domain::update::repository,
    store::{agent_package, agent_publication},
};

/// A package never changes under its name.
const OF_A_PACKAGE: &str = "public, max-age=86400";
/// Indexes are asked for anew each time: an old one beside a new one is an error to apt.
const OF_AN_INDEX: &str = "no-cache";

/// `GET /apt/{*path}`
pub(super) async fn serve(State(app): State<App>, Path(path): Path<String>) -> Result<Response, Refusal> {
    let mut tx = app.store.read().await?;
    if let Some((version, architecture)) = repository::in_pool(&path) {
        let package = agent_package::deb(&mut tx, version, architecture).await?.ok_or(Refusal::NotFound)?;
        return Ok(answer("application/vnd.debian.binary-package", OF_A_PACKAGE, package));
    }
    if !repository::is_index(&path) {
        return Err(Refusal::NotFound);
    }
    let text = agent_publication::text(&mut tx, &path).await?.ok_or(Refusal::NotFound)?;
    Ok(answer("text/plain; charset=utf-8", OF_AN_INDEX, text))
}

fn answer(content_type: &'static str, cached: &'static str, body: impl IntoResponse) -> Response {
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, cached)], body).into_response()
}
