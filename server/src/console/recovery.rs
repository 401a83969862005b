//! What a person decides about a laptop whose certificate has ended and that may not recover by itself.

use axum::{
    extract::{Path, State},
    response::{IntoResponse as _, Redirect, Response},
};
use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    acts::{Bare, device_for},
    component::When,
    error::Refusal,
    i18n::Words,
    loan_acts::clerk,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, SignedIn},
    domain::approval::Ruling,
    store::recovery::{self, Waiting},
};

/// One recovery that waits, on the device's page.
#[derive(Debug)]
pub(super) struct RecoveryCard {
    pub(super) id: String,
    pub(super) cause: String,
    pub(super) since: When,
}

impl RecoveryCard {
    pub(super) fn new(waiting: &Waiting, now: UtcMillis, words: Words) -> Self {
        Self {
            id: waiting.id.to_string(),
            cause: words.word("recovery-cause", waiting.cause.as_str()),
            since: When::relative(waiting.since, now, words),
        }
    }
}

/// `POST /devices/{id}/recoveries/{recovery}/approve`: its key gets a certificate when it asks next.
pub(super) async fn approve(
    State(app): State<App>,
    Path((id, recovery)): Path<(String, String)>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    decide(&app, &signed_in, (&id, &recovery), Ruling::Approve).await
}

/// `POST /devices/{id}/recoveries/{recovery}/refuse`: its key gets no certificate any more.
pub(super) async fn refuse(
    State(app): State<App>,
    Path((id, recovery)): Path<(String, String)>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    decide(&app, &signed_in, (&id, &recovery), Ruling::Refuse).await
}

async fn decide(
    app: &App,
    signed_in: &SignedIn,
    (id, recovery): (&str, &str),
    ruling: Ruling,
) -> Result<Response, Refusal> {
    let recovery: Uuid = recovery.parse().map_err(|_| Refusal::NotFound)?;
    let mut tx = app.store.write().await?;
    let found = device_for(&mut tx, signed_in, id, Action::AdmitDevice).await?;
    // Dropping the unit of work undoes what was done to another device's.
    if recovery::decide(&mut tx, recovery, ruling, clerk(app, signed_in)).await? != Some(found.id) {
        return Err(Refusal::NotFound);
    }
    tx.commit().await?;
    Ok(Redirect::to(&format!("/devices/{}?done=saved", found.id)).into_response())
}
