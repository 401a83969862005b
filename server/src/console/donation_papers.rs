//! The papers of a lot: its deed and its packing list as documents, and the list as a file.

use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use uuid::Uuid;

use super::{
    acts::Bare,
    document::{maker, pdf},
    donation::Typed,
    donation_acts::refused,
    donation_sheet::Packing,
    download,
    error::{Refusal, parsed, require},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    documents::{LotPaper, MakeError},
    store::donation_lot,
};

/// `POST /lots/{id}/deed`
pub(super) async fn deed(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    paper(&signed_in, &visitor, &app, (parsed(&id)?, LotPaper::Deed)).await
}

/// `POST /lots/{id}/packing-list`
pub(super) async fn packing_list(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    paper(&signed_in, &visitor, &app, (parsed(&id)?, LotPaper::PackingList)).await
}

async fn paper(
    signed_in: &SignedIn,
    visitor: &Visitor,
    app: &App,
    (id, which): (Uuid, LotPaper),
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::PrepareDonation, Object::Programme))?;
    let language = visitor.words.language;
    match app.documents.of_lot(maker(app, signed_in), (id, which), language, &app.policy).await {
        Ok(made) => Ok(pdf(made)),
        Err(error @ (MakeError::NotInState | MakeError::Nothing)) => {
            let key = if matches!(error, MakeError::Nothing) { "empty" } else { "not-approved" };
            let problem = visitor.words.word("lot-problem", key);
            refused(signed_in, visitor, app, id, (problem, Typed::default())).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /lots/{id}/{file}`
pub(super) async fn export(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path((id, file)): Path<(String, String)>,
    Query(how): Query<download::Asked>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeDonations, Object::Programme))?;
    require(signed_in.person.can(Action::ExportData, Object::OwnScope))?;
    let id: Uuid = parsed(&id)?;
    let mut tx = app.store.read().await?;
    let lot = donation_lot::find(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    drop(tx);
    if file.split('.').next() != Some("packing") {
        return Err(Refusal::NotFound);
    }
    let sheet = Packing { lot, policy: app.policy.clone(), words: visitor.words, now: signed_in.now };
    download::send(&app, &file, &how, sheet).await
}
