//! What a person does about the certificate of another system's agent: it is shown on the device's page, and ended there.

use axum::{
    extract::{Path, State},
    response::{IntoResponse as _, Redirect, Response},
};

use super::{
    acts::{Bare, device_for},
    error::Refusal,
    facts::{Fact, fact},
    format,
    i18n::Words,
    loan_acts::clerk,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm},
    domain::reading::agents::Tool,
    store::foreign_agent::{self, ForeignAgent},
};

/// Whose agent may report for the device, and until when.
pub(super) fn shown(agent: &ForeignAgent, words: Words) -> Fact {
    // Before its first inventory nobody knows which of the two it is.
    let tool = agent.tool.map_or("GLPI / FusionInventory", Tool::name);
    let until = agent.ends_at.map_or_else(|| words.say("not-known"), |at| format::date(at, words));
    fact(words, "device-foreign-agent", Some(words.with_two("device-foreign-agent-until", tool, &until)))
}

/// `POST /devices/{id}/foreign-agent/revoke`: from its next request on. Where there is none any more, that is what was asked for.
pub(super) async fn revoke(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    let mut tx = app.store.write().await?;
    let found = device_for(&mut tx, &signed_in, &id, Action::AdmitDevice).await?;
    foreign_agent::revoke(&mut tx, found.id, clerk(&app, &signed_in)).await?;
    tx.commit().await?;
    Ok(Redirect::to(&format!("/devices/{}?done=saved", found.id)).into_response())
}
