//! What concerns those whom a running campaign still expects: excuse them and expect them again, write to them again,
//! print their letters.

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    acts::{Bare, reason, record, was_last},
    campaign_acts::{already, change_of, done, refused},
    document::{maker, pdf},
    error::{Refusal, parsed, require},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    documents::{LettersWanted, MakeError, Names},
    store::{
        Tx,
        campaign::Campaign,
        campaign_excuse,
        campaign_letter::{self, WriteError, WriteRefused},
        loan,
    },
};

/// A loan that need not come, and why.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ExcuseForm {
    loan: String,
    reason: String,
}

/// `POST /campaigns/{id}/excuse`
pub(super) async fn excuse(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<ExcuseForm>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::ChangeLoan, Object::OwnScope))?;
    let (id, loan, why) = (parsed(&id)?, parsed(&form.loan)?, reason(&form.reason)?);
    let mut tx = app.store.write().await?;
    let by = person.login.as_str();
    if !campaign_excuse::excuse(&mut tx, &person.scope, (id, loan), (why, by), signed_in.now).await? {
        return once_more(&mut tx, &signed_in, (id, loan), "campaign.excuse").await;
    }
    record(&mut tx, &signed_in, "campaign.excuse", ("loan", loan), json!({ "campaign": id, "reason": why })).await?;
    tx.commit().await?;
    Ok(done(id))
}

/// The campaign's page where the last that was done to this loan of the person's sites is what the form asks for again;
/// else there is no such loan in it.
async fn once_more(
    tx: &mut Tx,
    signed_in: &SignedIn,
    (id, loan): (Uuid, Uuid),
    asked: &str,
) -> Result<Response, Refusal> {
    loan::find(tx, &signed_in.person.scope, loan).await?.ok_or(Refusal::NotFound)?;
    let campaign = json!(id);
    let came_before = was_last(tx, ("loan", loan), asked, |details| details["campaign"] == campaign).await?;
    if came_before { Ok(already(id)) } else { Err(Refusal::NotFound) }
}

/// A loan that has to come after all.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ExpectForm {
    loan: String,
}

/// `POST /campaigns/{id}/expect`
pub(super) async fn expect(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<ExpectForm>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::ChangeLoan, Object::OwnScope))?;
    let (id, loan) = (parsed(&id)?, parsed(&form.loan)?);
    let mut tx = app.store.write().await?;
    if !campaign_excuse::undo(&mut tx, &person.scope, (id, loan)).await? {
        return once_more(&mut tx, &signed_in, (id, loan), "campaign.undo_excuse").await;
    }
    record(&mut tx, &signed_in, "campaign.undo_excuse", ("loan", loan), json!({ "campaign": id })).await?;
    tx.commit().await?;
    Ok(done(id))
}

/// The key of why nobody is written to again.
const fn problem(refused: WriteRefused) -> &'static str {
    match refused {
        WriteRefused::NotRunning => "campaign-problem-not-running",
        WriteRefused::WrittenToday => "campaign-problem-written-today",
        WriteRefused::Over => "campaign-problem-over",
    }
}

/// `POST /campaigns/{id}/write-again`
pub(super) async fn write_again(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    let (mut tx, Campaign { id, .. }) = change_of(&app, &signed_in, &id).await?;
    match campaign_letter::write_again(&mut tx, id, signed_in.now).await {
        Ok(loans) => {
            record(&mut tx, &signed_in, "campaign.write_again", ("campaign", id), json!({ "loans": loans })).await?;
            tx.commit().await?;
            Ok(done(id))
        }
        Err(WriteError::Refused(why)) => {
            drop(tx);
            refused(&signed_in, &visitor, &app, id, (visitor.words.say(problem(why)), None)).await
        }
        Err(WriteError::Store(error)) => Err(error.into()),
    }
}

/// Which letters: a site and its part (`id:1`), and whether names stand on them.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct LettersForm {
    site: String,
    names: Option<String>,
}

/// `POST /campaigns/{id}/letters`
pub(super) async fn letters(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<LettersForm>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeCampaigns, Object::OwnScope))?;
    require(signed_in.person.can(Action::SeeBorrowers, Object::OwnScope))?;
    let (site, part) = form.site.split_once(':').unwrap_or((form.site.as_str(), "1"));
    let wanted = LettersWanted {
        campaign: parsed(&id)?,
        site: parsed(site)?,
        part: part.parse::<u32>().ok().filter(|part| *part > 0).ok_or(Refusal::Nonsense)?,
        names: if form.names.is_some() { Names::Shown } else { Names::Hidden },
        language: visitor.words.language,
    };
    match app.documents.campaign_letters(maker(&app, &signed_in), wanted).await {
        Ok(made) => Ok(pdf(made)),
        Err(MakeError::Nothing) => {
            let problem = visitor.words.say("campaign-problem-no-letters");
            refused(&signed_in, &visitor, &app, wanted.campaign, (problem, None)).await
        }
        Err(MakeError::NotInState) => {
            let problem = visitor.words.say("campaign-problem-not-running");
            refused(&signed_in, &visitor, &app, wanted.campaign, (problem, None)).await
        }
        Err(error) => Err(error.into()),
    }
}
