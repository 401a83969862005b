//! What scripts do about return campaigns: plan, plan otherwise, give up, give a site its desks, start, close.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    act::record,
    campaign::{CampaignBody, Names, named},
    extract::{Body, Path},
    loan::day,
    need::{programme_id, site_id},
    problem::Problem,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        borrower::Level,
        campaign::{Choice, Desks, InvalidPlan, Plan},
    },
    store::{
        Tx,
        campaign::{self, StartError, StartRefused},
        campaign_plan::{self, PlanError},
        programme,
    },
};

/// A campaign to plan. A list that is empty or absent takes all.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCampaignBody {
    /// What people call it: 1 to 80 characters.
    name: String,
    /// The first day on which devices come back (`2027-06-14`).
    first: String,
    /// The last one.
    last: String,
    /// Desks at each site: 1 to 20.
    desks: u32,
    /// Returns that a desk takes in a day: 1 to 1,000.
    slots: u32,
    /// Only loans under these programmes, by code.
    #[serde(default)]
    programmes: Vec<String>,
    /// Only borrowers of these levels.
    #[serde(default)]
    levels: Vec<Level>,
    /// Only loans of these sites, by UAI code.
    #[serde(default)]
    sites: Vec<String>,
    /// Only pupils who leave: those of troisième, and those who left their site already.
    #[serde(default)]
    leaving: bool,
}

/// Desks of one site.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDesksBody {
    /// UAI code of the site.
    site: String,
    /// How many desks: 1 to 20.
    desks: u32,
    /// Returns that a desk takes in a day: 1 to 1,000.
    slots: u32,
}

/// What a campaign began with.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct StartedBody {
    /// How many loans have a place and a letter.
    loans: usize,
}

impl From<InvalidPlan> for Problem {
    fn from(invalid: InvalidPlan) -> Self {
        Self::unprocessable(format!("Refused: {invalid}."))
    }
}

impl From<PlanError> for Problem {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Refused(invalid) => invalid.into(),
            PlanError::Store(error) => error.into(),
        }
    }
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Store(error) => error.into(),
            StartError::Refused(
                refused @ (StartRefused::NotPlanned
                | StartRefused::NoLoans
                | StartRefused::Past
                | StartRefused::TooFew { .. }),
            ) => Self::unprocessable(format!("Refused: {refused}.")),
        }
    }
}

async fn read_plan(tx: &mut Tx, bearer: &BearerToken, new: NewCampaignBody) -> Result<Plan, Problem> {
    let window = (day("first", &new.first)?, day("last", &new.last)?);
    let known = programme::list(tx).await?;
    let programmes = new.programmes.iter().map(|code| programme_id(&known, code)).collect::<Result<_, _>>()?;
    let mut sites = Vec::with_capacity(new.sites.len());
    for uai in &new.sites {
        sites.push(site_id(tx, bearer, uai).await?);
    }
    let choice = Choice { programmes, levels: new.levels, sites, leaving: new.leaving };
    Ok(Plan::new(&new.name, window, Desks::new(new.desks, new.slots)?, choice)?)
}

/// Plan a return campaign
///
/// Roles: administrator, programme manager, who see all sites.
#[utoipa::path(post, path = "/v1/campaigns", tag = "campaigns", request_body = NewCampaignBody, responses(
    (status = 201, body = CampaignBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 422, response = Problem)))]
pub async fn plan(
    State(app): State<App>,
    bearer: BearerToken,
    Body(new): Body<NewCampaignBody>,
) -> Result<(StatusCode, Json<CampaignBody>), Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::ChangeCampaigns, Object::Programme), "")?;
    let mut tx = app.store.write().await?;
    let plan = read_plan(&mut tx, &bearer, new).await?;
    let planned = campaign_plan::plan(&mut tx, plan, person.login.as_str(), bearer.now).await?;
    record(&mut tx, &bearer, "campaign.plan", ("campaign", planned.id), campaign_plan::details(&planned)).await?;
    let names = Names::read(&mut tx, &bearer).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(CampaignBody::new(&planned, &names))))
}

/// Plan a campaign otherwise, before its start
///
/// All of it is given again; sites keep desks of their own. Roles: administrator, programme manager, who see all sites.
#[utoipa::path(put, path = "/v1/campaigns/{id}", tag = "campaigns", request_body = NewCampaignBody,
    params(("id" = Uuid, Path, description = "The campaign")), responses((status = 200, body = CampaignBody),
    (status = 400, response = Problem), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn change(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(new): Body<NewCampaignBody>,
) -> Result<Json<CampaignBody>, Problem> {
    Problem::check(bearer.person.can(Action::ChangeCampaigns, Object::Programme), "")?;
    let mut tx = app.store.write().await?;
    named(&mut tx, id).await?;
    let plan = read_plan(&mut tx, &bearer, new).await?;
    let changed = campaign_plan::change(&mut tx, id, plan).await?;
    let planned = changed.ok_or_else(|| Problem::unprocessable(NOT_PLANNED))?;
    record(&mut tx, &bearer, "campaign.change", ("campaign", id), campaign_plan::details(&planned)).await?;
    let names = Names::read(&mut tx, &bearer).await?;
    tx.commit().await?;
    Ok(Json(CampaignBody::new(&planned, &names)))
}

/// Give a campaign up, before its start
///
/// Nothing of it stays but the audit. Roles: administrator, programme manager, who see all sites.
#[utoipa::path(delete, path = "/v1/campaigns/{id}", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign")), responses((status = 204), (status = 400, response = Problem),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem)))]
pub async fn drop_planned(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    Problem::check(bearer.person.can(Action::ChangeCampaigns, Object::Programme), "")?;
    let mut tx = app.store.write().await?;
    let found = named(&mut tx, id).await?;
    if !campaign_plan::drop_planned(&mut tx, id).await? {
        return Err(Problem::unprocessable(NOT_PLANNED));
    }
    record(&mut tx, &bearer, "campaign.drop", ("campaign", id), campaign_plan::details(&found)).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give one site desks of its own, before the start
///
/// Roles: administrator, programme manager, who see all sites.
#[utoipa::path(post, path = "/v1/campaigns/{id}/desks", tag = "campaigns", request_body = NewDesksBody,
    params(("id" = Uuid, Path, description = "The campaign")), responses((status = 204), (status = 400, response = Problem),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem)))]
pub async fn set_desks(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<NewDesksBody>,
) -> Result<StatusCode, Problem> {
    Problem::check(bearer.person.can(Action::ChangeCampaigns, Object::Programme), "")?;
    let desks = Desks::new(body.desks, body.slots)?;
    let mut tx = app.store.write().await?;
    named(&mut tx, id).await?;
    let site = site_id(&mut tx, &bearer, &body.site).await?;
    if !campaign::set_desks(&mut tx, id, site, desks).await? {
        return Err(Problem::unprocessable(NOT_PLANNED));
    }
    let details = json!({ "site": body.site, "desks": desks.desks, "slots": desks.slots });
    record(&mut tx, &bearer, "campaign.set_desks", ("campaign", id), details).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Start a campaign: each chosen loan gets a day, a desk and a letter
///
/// Roles: administrator, programme manager, who see all sites.
#[utoipa::path(post, path = "/v1/campaigns/{id}/start", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign")), responses((status = 200, body = StartedBody),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem)))]
pub async fn start(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<StartedBody>, Problem> {
    Problem::check(bearer.person.can(Action::ChangeCampaigns, Object::Programme), "")?;
    let mut tx = app.store.write().await?;
    named(&mut tx, id).await?;
    let loans = campaign::start(&mut tx, id, &app.policy, bearer.now).await?;
    record(&mut tx, &bearer, "campaign.start", ("campaign", id), json!({ "loans": loans })).await?;
    tx.commit().await?;
    Ok(Json(StartedBody { loans }))
}

/// Close a campaign: what is missing stays listed
///
/// Roles: administrator, programme manager, who see all sites.
#[utoipa::path(post, path = "/v1/campaigns/{id}/close", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign")), responses((status = 204), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn close(State(app): State<App>, bearer: BearerToken, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    Problem::check(bearer.person.can(Action::ChangeCampaigns, Object::Programme), "")?;
    let mut tx = app.store.write().await?;
    named(&mut tx, id).await?;
    if !campaign::close(&mut tx, id, bearer.now).await? {
        return Err(Problem::unprocessable("The campaign does not run."));
    }
    record(&mut tx, &bearer, "campaign.close", ("campaign", id), json!({})).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

const NOT_PLANNED: &str = "The campaign is not planned any more: its places are given.";
