//! JSON API under `/api/v1` with bearer tokens, for people's scripts and other systems.

use axum::Router;

use crate::app::App;

pub mod problem;

/// The routes under `/api`.
pub fn router(app: App) -> Router {
    Router::new().with_state(app)
}
