//! What people do about return campaigns: plan, start, follow, excuse, close, export what is missing.

use axum::{
    body::Body,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    acts::{reason, record},
    campaign::{CampaignForm, CampaignPage, CampaignsPage, Found, May, ReturnsAsked, contact, desks},
    error::{Refusal, require},
    i18n::Words,
    shell::{self, Section},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, Person, SignedIn},
    domain::{
        campaign::{CampaignState, ReturnState},
        paris,
        scope::Scope,
    },
    exchange::write::{Delimiter, csv_line},
    store::{
        StoreError,
        campaign::{self, Campaign, StartError, StartRefused},
        campaign_count,
        campaign_list::{self, ReturnQuery, ReturnRow},
        page::Cursor,
        programme, site,
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
    let (name, (first, last), desks, choice) = match form.read() {
        Ok(read) => read,
        Err(key) => {
            let outcome = (StatusCode::UNPROCESSABLE_ENTITY, Some(visitor.words.say(key)), form);
            return show(&signed_in, &visitor, &app, outcome).await;
        }
    };
    let details = json!({
        "name": name, "first": first.to_string(), "last": last.to_string(), "choice": choice,
        "desks": desks.desks, "slots": desks.slots,
    });
    let (id, state) = (Uuid::now_v7(), CampaignState::Planned);
    let created_by = person.login.as_str().to_owned();
    let planned = Campaign { id, name, state, choice, first, last, desks, created_by, created_at: signed_in.now };
    let mut tx = app.store.write().await?;
    campaign::insert(&mut tx, &planned).await?;
    record(&mut tx, &signed_in, "campaign.plan", ("campaign", id), details).await?;
    tx.commit().await?;
    Ok(Redirect::to(&format!("/campaigns/{id}")).into_response())
}

fn parsed(id: &str) -> Result<Uuid, Refusal> {
    id.parse().map_err(|_| Refusal::NotFound)
}

/// `GET /campaigns/{id}`
pub(super) async fn one(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    Query(asked): Query<ReturnsAsked>,
) -> Result<Response, Refusal> {
    show_one(&signed_in, &visitor, &app, parsed(&id)?, (&asked, StatusCode::OK, None)).await
}

fn sees_borrowers(person: &Person) -> bool {
    person.can(Action::SeeBorrowers, Object::OwnScope).is_allowed()
}

async fn show_one(
    signed_in: &SignedIn,
    visitor: &Visitor,
    app: &App,
    id: Uuid,
    (asked, status, problem): (&ReturnsAsked, StatusCode, Option<String>),
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
        problem,
    };
    let may = May {
        change: person.can(Action::ChangeCampaigns, Object::Programme).is_allowed(),
        excuse: person.can(Action::ChangeLoan, Object::OwnScope).is_allowed(),
        see_borrowers: sees_borrowers(person),
    };
    let shell = visitor.shell(Section::Campaigns, found.campaign.name.clone(), signed_in);
    Ok(shell::page(status, &CampaignPage::new(shell, (asked, &query), found, may)))
}

/// Nothing but the session's proof.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Nothing {}

fn done(id: Uuid) -> Response {
    Redirect::to(&format!("/campaigns/{id}?done=saved")).into_response()
}

/// `POST /campaigns/{id}/start`
pub(super) async fn start(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, .. }: CsrfForm<Nothing>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::ChangeCampaigns, Object::Programme))?;
    let id = parsed(&id)?;
    let mut tx = app.store.write().await?;
    campaign::find(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
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
        Err(StartError::Refused(StartRefused::TooFew { site, missing })) => {
            words.with_two("campaign-problem-too-few", &site, &missing.to_string())
        }
    };
    drop(tx);
    let outcome = (&ReturnsAsked::default(), StatusCode::UNPROCESSABLE_ENTITY, Some(problem));
    show_one(&signed_in, &visitor, &app, id, outcome).await
}

/// `POST /campaigns/{id}/close`
pub(super) async fn close(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, .. }: CsrfForm<Nothing>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::ChangeCampaigns, Object::Programme))?;
    let id = parsed(&id)?;
    let mut tx = app.store.write().await?;
    campaign::find(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    if !campaign::close(&mut tx, id, signed_in.now).await? {
        return Err(Refusal::Nonsense);
    }
    record(&mut tx, &signed_in, "campaign.close", ("campaign", id), json!({})).await?;
    tx.commit().await?;
    Ok(done(id))
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
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<DesksForm>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::ChangeCampaigns, Object::Programme))?;
    let (id, desks) = (parsed(&id)?, desks(&form.desks, &form.slots)?);
    let site: Uuid = form.site.parse().map_err(|_| Refusal::Nonsense)?;
    let mut tx = app.store.write().await?;
    let found = campaign::find(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    let site = site::find(&mut tx, &Scope::Everything, site).await?.ok_or(Refusal::Nonsense)?;
    if found.state != CampaignState::Planned {
        return Err(Refusal::Nonsense);
    }
    campaign::set_desks(&mut tx, id, site.id, desks).await?;
    let details = json!({ "site": site.uai, "desks": desks.desks, "slots": desks.slots });
    record(&mut tx, &signed_in, "campaign.set_desks", ("campaign", id), details).await?;
    tx.commit().await?;
    Ok(done(id))
}

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
    if !campaign::excuse(&mut tx, &person.scope, (id, loan), (why, by), signed_in.now).await? {
        return Err(Refusal::NotFound);
    }
    record(&mut tx, &signed_in, "campaign.excuse", ("loan", loan), json!({ "campaign": id, "reason": why })).await?;
    tx.commit().await?;
    Ok(done(id))
}

/// Rows read at a time.
const ROWS_AT_A_TIME: usize = 500;

enum Left {
    From(Option<Cursor>),
    Nothing,
}

/// `GET /campaigns/{id}/missing.csv`
pub(super) async fn export(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeCampaigns, Object::OwnScope))?;
    let (id, words, person) = (parsed(&id)?, visitor.words, signed_in.person);
    let mut tx = app.store.read().await?;
    campaign::find(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    drop(tx);
    let pages = stream::try_unfold(Left::From(None), move |left| {
        let (app, person) = (app.clone(), person.clone());
        async move {
            match left {
                Left::From(after) => next(&app, &person, id, after, words).await.map(Some),
                Left::Nothing => Ok(None),
            }
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"cartable-missing.csv\""),
    ];
    Ok((headers, Body::from_stream(pages)).into_response())
}

async fn next(
    app: &App,
    person: &Person,
    id: Uuid,
    after: Option<Cursor>,
    words: Words,
) -> Result<(String, Left), StoreError> {
    let first = after.is_none();
    let query = ReturnQuery { state: ReturnState::Expected, site: None, after, limit: ROWS_AT_A_TIME };
    let mut tx = app.store.read().await?;
    let page = campaign_list::list(&mut tx, &person.scope, id, &query).await?;
    let mut text = String::new();
    if first {
        let keys = [
            "csv-uai",
            "devices-site",
            "need-borrower",
            "need-level-label",
            "devices-serial",
            "csv-asset-tag",
            "campaign-due",
            "campaign-day",
            "devices-contact",
            "campaign-open-flags",
        ];
        let names = keys.map(|key| words.say(key));
        text.push('\u{feff}');
        text.push_str(&csv_line(&names, Delimiter::Comma));
    }
    for row in &page.rows {
        text.push_str(&csv_row(row, sees_borrowers(person), words));
    }
    Ok((text, page.next.map_or(Left::Nothing, |cursor| Left::From(Some(cursor)))))
}

fn csv_row(row: &ReturnRow, shows_borrower: bool, words: Words) -> String {
    let cells = [
        row.site_uai.clone(),
        row.site_name.clone(),
        if shows_borrower { row.reference.clone() } else { String::new() },
        row.level.map_or_else(String::new, |level| words.word("need-level", level.as_str())),
        row.serial.clone().unwrap_or_default(),
        row.asset_tag.clone().unwrap_or_default(),
        row.due.map(|day| day.to_string()).unwrap_or_default(),
        row.slot.day.to_string(),
        contact(row, words),
        row.open_flags.to_string(),
    ];
    csv_line(&cells, Delimiter::Comma)
}
