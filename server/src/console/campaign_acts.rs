//! What people do about return campaigns: plan, plan otherwise, give up, start, follow, close, export what is missing.

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    acts::{Bare, gone, record},
    campaign::{CampaignPage, CampaignsPage, Found, May, ReturnsAsked},
    campaign_form::{CampaignForm, desks, problem},
    campaign_sheet::{CampaignLoans, CampaignProgress},
    download,
    error::{Refusal, parsed, require},
    loan_list::programmes_shown,
    shell::{self, Section},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, Person, SignedIn},
    domain::{campaign::CampaignState, paris, scope::Scope},
    store::{
        Tx,
        campaign::{self, Campaign, StartError, StartRefused},
        campaign_count,
        campaign_list::{self, ReturnQuery},
        campaign_plan::{self, PlanError},
        programme,
        site::{self, SiteRow},
    },
};

/// `GET /campaigns`
pub(super) async fn list(signed_in: SignedIn, visitor: Visitor, State(app): State<App>) -> Result<Response, Refusal> {
    let form = CampaignForm { desks: "1".to_owned(), slots: "40".to_owned(), ..CampaignForm::default() };
    show(&signed_in, &visitor, &app, (StatusCode::OK, None, form)).await
}

async fn show(
    signed_in: &SignedIn,
    visitor: &Visitor,
    app: &App,
    (status, problem, form): (StatusCode, Option<String>, CampaignForm),
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::SeeCampaigns, Object::OwnScope))?;
    let mut tx = app.store.read().await?;
    let campaigns = campaign::list(&mut tx).await?;
    let sites = site::list(&mut tx, &person.scope).await?;
    let programmes = programme::list(&mut tx).await?;
    let may = person.can(Action::ChangeCampaigns, Object::Programme).is_allowed();
    let shell = visitor.shell(Section::Campaigns, visitor.words.say("campaigns-title"), signed_in);
    let page = CampaignsPage::new(shell, &campaigns, (&sites, &programmes), (may, problem, form));
    Ok(shell::page(status, &page))
}

/// `POST /campaigns`
pub(super) async fn plan(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<CampaignForm>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::ChangeCampaigns, Object::Programme))?;
    let planned = async {
        let mut tx = app.store.write().await?;
        let planned = campaign_plan::plan(&mut tx, form.read()?, person.login.as_str(), signed_in.now).await?;
        Ok((tx, planned))
    };
    match planned.await {
        Ok((mut tx, planned)) => {
            let details = campaign_plan::details(&planned);
            record(&mut tx, &signed_in, "campaign.plan", ("campaign", planned.id), details).await?;
            tx.commit().await?;
            Ok(Redirect::to(&format!("/campaigns/{}", planned.id)).into_response())
        }
        Err(PlanError::Refused(invalid)) => {
            let outcome = (StatusCode::UNPROCESSABLE_ENTITY, Some(visitor.words.say(problem(invalid))), form);
            show(&signed_in, &visitor, &app, outcome).await
        }
        Err(PlanError::Store(error)) => Err(error.into()),
    }
}

/// `GET /campaigns/{id}`
pub(super) async fn one(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    Query(asked): Query<ReturnsAsked>,
) -> Result<Response, Refusal> {
    show_one(&signed_in, &visitor, &app, parsed(&id)?, (&asked, StatusCode::OK, None, None)).await
}

fn sees_borrowers(person: &Person) -> bool {
    person.can(Action::SeeBorrowers, Object::OwnScope).is_allowed()
}

fn sees_identities(person: &Person) -> bool {
    person.can(Action::SeeIdentity, Object::OwnScope).is_allowed()
}

/// A campaign's page with what was refused on it, and what was asked of its plan.
pub(super) async fn refused(
    signed_in: &SignedIn,
    visitor: &Visitor,
    app: &App,
    id: Uuid,
    (problem, form): (String, Option<CampaignForm>),
) -> Result<Response, Refusal> {
    let outcome = (&ReturnsAsked::default(), StatusCode::UNPROCESSABLE_ENTITY, Some(problem), form);
    show_one(signed_in, visitor, app, id, outcome).await
}

async fn show_one(
    signed_in: &SignedIn,
    visitor: &Visitor,
    app: &App,
    id: Uuid,
    (asked, status, problem, form): (&ReturnsAsked, StatusCode, Option<String>, Option<CampaignForm>),
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::SeeCampaigns, Object::OwnScope))?;
    let query = asked.query()?;
    let today = campaign_count::day_of(paris::date(signed_in.now));
    let mut tx = app.store.read().await?;
    let found = Found {
        campaign: campaign::find(&mut tx, id).await?.ok_or(Refusal::NotFound)?,
        progress: campaign_count::progress(&mut tx, &person.scope, id, today).await?,
        page: campaign_list::list(&mut tx, &person.scope, id, &query).await?,
        sites: site::list(&mut tx, &person.scope).await?,
        programmes: programmes_shown(&mut tx, signed_in).await?,
        problem,
        form,
    };
    let may = May {
        change: person.can(Action::ChangeCampaigns, Object::Programme).is_allowed(),
        excuse: person.can(Action::ChangeLoan, Object::OwnScope).is_allowed(),
        see_borrowers: sees_borrowers(person),
        see_identities: sees_identities(person),
    };
    let shell = visitor.shell(Section::Campaigns, found.campaign.name.clone(), signed_in);
    Ok(shell::page(status, &CampaignPage::new(shell, (asked, &query), found, may)))
}

pub(super) fn done(id: Uuid) -> Response {
    Redirect::to(&format!("/campaigns/{id}?done=saved")).into_response()
}

/// The campaign's page after a form that came once more.
pub(super) fn already(id: Uuid) -> Response {
    Redirect::to(&format!("/campaigns/{id}?done=already")).into_response()
}

/// The campaign that an address names, for somebody who may change it, and the unit of work that does.
pub(super) async fn change_of(app: &App, signed_in: &SignedIn, id: &str) -> Result<(Tx, Campaign), Refusal> {
    require(signed_in.person.can(Action::ChangeCampaigns, Object::Programme))?;
    let id = parsed(id)?;
    let mut tx = app.store.write().await?;
    let found = campaign::find(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    Ok((tx, found))
}

/// `POST /campaigns/{id}/start`
pub(super) async fn start(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    let (mut tx, Campaign { id, .. }) = change_of(&app, &signed_in, &id).await?;
    let started = campaign::start(&mut tx, id, &app.policy, signed_in.now).await;
    let words = visitor.words;
    let problem = match started {
        Ok(loans) => {
            record(&mut tx, &signed_in, "campaign.start", ("campaign", id), json!({ "loans": loans })).await?;
            tx.commit().await?;
            return Ok(done(id));
        }
        Err(StartError::Store(error)) => return Err(error.into()),
        Err(StartError::Refused(StartRefused::NotPlanned)) => words.say("campaign-problem-not-planned"),
        Err(StartError::Refused(StartRefused::NoLoans)) => words.say("campaign-problem-no-loans"),
        Err(StartError::Refused(StartRefused::Past)) => words.say("campaign-problem-past"),
        Err(StartError::Refused(StartRefused::TooFew { site, missing })) => {
            words.with_two("campaign-problem-too-few", &site, &missing.to_string())
        }
    };
    drop(tx);
    refused(&signed_in, &visitor, &app, id, (problem, None)).await
}

/// `POST /campaigns/{id}/close`
pub(super) async fn close(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    let (mut tx, Campaign { id, state, .. }) = change_of(&app, &signed_in, &id).await?;
    if state == CampaignState::Closed {
        return Ok(already(id));
    }
    if !campaign::close(&mut tx, id, signed_in.now).await? {
        return Err(Refusal::Told("campaign-problem-not-running"));
    }
    record(&mut tx, &signed_in, "campaign.close", ("campaign", id), json!({})).await?;
    tx.commit().await?;
    Ok(done(id))
}

/// `POST /campaigns/{id}/plan`: plans it otherwise, while it is planned.
pub(super) async fn change(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<CampaignForm>,
) -> Result<Response, Refusal> {
    let (mut tx, Campaign { id, .. }) = change_of(&app, &signed_in, &id).await?;
    let changed = match form.read() {
        Ok(plan) => campaign_plan::change(&mut tx, id, plan).await,
        Err(invalid) => Err(invalid.into()),
    };
    let key = match changed {
        Ok(Some(planned)) => {
            let details = campaign_plan::details(&planned);
            record(&mut tx, &signed_in, "campaign.change", ("campaign", id), details).await?;
            tx.commit().await?;
            return Ok(done(id));
        }
        Ok(None) => "campaign-problem-not-planned",
        Err(PlanError::Refused(invalid)) => problem(invalid),
        Err(PlanError::Store(error)) => return Err(error.into()),
    };
    drop(tx);
    refused(&signed_in, &visitor, &app, id, (visitor.words.say(key), Some(form))).await
}

/// `POST /campaigns/{id}/drop`: gives it up, while it is planned.
pub(super) async fn drop_planned(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    let (mut tx, found) = match change_of(&app, &signed_in, &id).await {
        Ok(found) => found,
        Err(Refusal::NotFound) => {
            return gone(&app, ("campaign", parsed(&id)?), "campaign.drop", "/campaigns").await;
        }
        Err(refusal) => return Err(refusal),
    };
    let id = found.id;
    if !campaign_plan::drop_planned(&mut tx, id).await? {
        drop(tx);
        let problem = visitor.words.say("campaign-problem-not-planned");
        return refused(&signed_in, &visitor, &app, id, (problem, None)).await;
    }
    record(&mut tx, &signed_in, "campaign.drop", ("campaign", id), campaign_plan::details(&found)).await?;
    tx.commit().await?;
    Ok(Redirect::to("/campaigns?done=saved").into_response())
}

/// A site's own desks.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct DesksForm {
    site: String,
    desks: String,
    slots: String,
}

/// `POST /campaigns/{id}/desks`
pub(super) async fn set_desks(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<DesksForm>,
) -> Result<Response, Refusal> {
    let (mut tx, Campaign { id, .. }) = change_of(&app, &signed_in, &id).await?;
    let wrong = match desks(&form.desks, &form.slots) {
        Err(invalid) => problem(invalid),
        Ok(desks) => match site_named(&mut tx, &form.site).await? {
            None => "campaign-problem-choice",
            Some(site) if campaign::set_desks(&mut tx, id, site.id, desks).await? => {
                let details = json!({ "site": site.uai, "desks": desks.desks, "slots": desks.slots });
                record(&mut tx, &signed_in, "campaign.set_desks", ("campaign", id), details).await?;
                tx.commit().await?;
                return Ok(done(id));
            }
            Some(_) => "campaign-problem-not-planned",
        },
    };
    drop(tx);
    refused(&signed_in, &visitor, &app, id, (visitor.words.say(wrong), None)).await
}

async fn site_named(tx: &mut Tx, text: &str) -> Result<Option<SiteRow>, Refusal> {
    let Ok(id) = text.parse::<Uuid>() else { return Ok(None) };
    Ok(site::find(tx, &Scope::Everything, id).await?)
}

/// `GET /campaigns/{id}/{file}`
pub(super) async fn export(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path((id, file)): Path<(String, String)>,
    Query(asked): Query<ReturnsAsked>,
    Query(how): Query<download::Asked>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::SeeCampaigns, Object::OwnScope))?;
    require(person.can(Action::ExportData, Object::OwnScope))?;
    let (id, query) = (parsed(&id)?, ReturnQuery { after: None, ..asked.query()? });
    let mut tx = app.store.read().await?;
    campaign::find(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    drop(tx);
    let (scope, words) = (person.scope.clone(), visitor.words);
    match file.split('.').next() {
        Some("loans") => {
            let (borrowers, levels) = (sees_borrowers(person), sees_identities(person));
            download::send(&app, &file, &how, CampaignLoans { id, scope, query, borrowers, levels, words }).await
        }
        Some("progress") => {
            let today = campaign_count::day_of(paris::date(signed_in.now));
            download::send(&app, &file, &how, CampaignProgress { id, scope, today, words }).await
        }
        Some(_) | None => Err(Refusal::NotFound),
    }
}
