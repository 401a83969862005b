//! Server-rendered pages, French and English: what each address answers, and what every answer carries.
//!
//! A handler extracts, begins a unit of work, makes one call, commits and shows the page; decisions are in `domain`,
//! SQL in `store`. Nothing needs JavaScript: links and forms do it all.

mod acts;
mod assets;
mod audit;
mod chart;
mod component;
mod csv;
mod design;
mod device;
mod device_list;
mod error;
mod facts;
mod flag;
mod flag_list;
mod format;
mod guard;
mod i18n;
mod overview;
mod pages;
mod shell;
mod sign_in;
mod token;
mod visitor;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod words_test;

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::{get, post},
};

use crate::app::App;

/// Every address of the console.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/", get(pages::overview))
        .route("/devices", get(pages::devices))
        .route("/devices.csv", get(csv::devices))
        .route("/devices/{id}", get(pages::device))
        .route("/devices/{id}/asset-tag", post(acts::set_asset_tag))
        .route("/devices/{id}/baseline", post(acts::accept_baseline))
        .route("/devices/{id}/status", post(acts::set_status))
        .route("/devices/{id}/archive", post(acts::archive))
        .route("/flags", get(pages::flags))
        .route("/flags/{id}/handle", post(acts::handle_flag))
        .route("/tokens", get(pages::tokens).post(acts::create_token))
        .route("/tokens/{id}/revoke", post(acts::revoke_token))
        .route("/audit", get(pages::audit))
        .route("/design", get(pages::design))
        .route("/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/language", post(sign_in::choose_language))
        .route("/static/{file}", get(assets::serve))
        .fallback(pages::nowhere)
        .layer(from_fn(guard::dress_refusals))
        .layer(from_fn_with_state(app.clone(), guard::protect))
        .with_state(app)
}
