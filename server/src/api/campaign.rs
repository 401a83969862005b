//! Return campaigns: the list, one with its live progress, and its loans: who still has what.

use axum::{Json, extract::State};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    device_list::site_of,
    extract::{Path, Query},
    page::{self, PageBody},
    problem::Problem,
    schema::Moment,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        borrower::Level,
        campaign::{CampaignState, ReturnState},
        flag::FlagCode,
        paris,
        programme::Programme,
        scope::Scope,
    },
    store::{
        StoreError, Tx,
        campaign::{self, Campaign},
        campaign_count::{self, SiteProgress},
        campaign_list::{self, ReturnQuery, ReturnRow},
        page::CursorKey,
        programme,
        site::{self, SiteRow},
    },
};

const UNKNOWN: &str = "There is no campaign with this id.";

/// A campaign.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CampaignBody {
    /// Never given to another.
    id: Uuid,
    /// What people call it.
    name: String,
    /// Where it stands.
    state: CampaignState,
    /// The first day on which devices come back (`2027-06-14`).
    #[schema(value_type = String, format = Date)]
    first: String,
    /// The last one.
    #[schema(value_type = String, format = Date)]
    last: String,
    /// Desks at each site that has none of its own.
    desks: u32,
    /// Returns that a desk takes in a day.
    slots: u32,
    /// Codes of the programmes whose loans it takes back, empty for all; null where your role does not see who is in
    /// one of them.
    programmes: Option<Vec<String>>,
    /// The levels whose loans it takes back; empty for all.
    levels: Vec<Level>,
    /// UAI codes of the sites whose loans it takes back, empty for all; those that you see.
    sites: Vec<String>,
    /// Only pupils who leave.
    leaving: bool,
    /// The login of the one who planned it.
    planned_by: String,
    /// When.
    planned_at: Moment,
}

/// What campaigns name.
pub(super) struct Names {
    programmes: Vec<Programme>,
    sites: Vec<SiteRow>,
}

impl Names {
    pub(super) async fn read(tx: &mut Tx, bearer: &BearerToken) -> Result<Self, StoreError> {
        let mut programmes = programme::list(tx).await?;
        programmes.retain(|programme| programme.shows_membership_to(bearer.person.role));
        Ok(Self { programmes, sites: site::list(tx, &bearer.person.scope).await? })
    }
}

impl CampaignBody {
    pub(super) fn new(campaign: &Campaign, names: &Names) -> Self {
        let code = |id: &Uuid| names.programmes.iter().find(|one| one.id == *id).map(|one| one.code.to_string());
        let uai = |id: &Uuid| names.sites.iter().find(|one| one.id == *id).map(|one| one.uai.clone());
        Self {
            id: campaign.id,
            name: campaign.name.clone(),
            state: campaign.state,
            first: campaign.first.to_string(),
            last: campaign.last.to_string(),
            desks: campaign.desks.desks,
            slots: campaign.desks.slots,
            programmes: campaign.choice.programmes.iter().map(code).collect(),
            levels: campaign.choice.levels.clone(),
            sites: campaign.choice.sites.iter().filter_map(uai).collect(),
            leaving: campaign.choice.leaving,
            planned_by: campaign.created_by.clone(),
            planned_at: campaign.created_at.into(),
        }
    }
}

/// Campaigns.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CampaignsBody {
    /// Newest first: the last 200.
    items: Vec<CampaignBody>,
}

/// How far a campaign has come at one site.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProgressBody {
    /// UAI code of the site.
    site: String,
    /// Its name.
    site_name: String,
    /// Not back yet, overdue ones among them.
    expected: i64,
    /// Taken back.
    returned: i64,
    /// Not back although their day has passed.
    overdue: i64,
    /// Need not come.
    excused: i64,
    /// Lost, stolen, written off or ceded.
    ended: i64,
}

impl From<SiteProgress> for ProgressBody {
    fn from(progress: SiteProgress) -> Self {
        Self {
            site: progress.uai,
            site_name: progress.site_name,
            expected: progress.expected,
            returned: progress.returned,
            overdue: progress.overdue,
            excused: progress.excused,
            ended: progress.ended,
        }
    }
}

/// Desks of a site's own.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SiteDesksBody {
    /// UAI code of the site.
    site: String,
    /// How many desks.
    desks: u32,
    /// Returns that a desk takes in a day.
    slots: u32,
}

/// A campaign with its live progress at each site that you see.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CampaignDetailBody {
    /// The campaign.
    #[serde(flatten)]
    campaign: CampaignBody,
    /// The sites with desks of their own.
    own_desks: Vec<SiteDesksBody>,
    /// How far it has come, by site.
    progress: Vec<ProgressBody>,
}

/// Which loans of a campaign.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReturnsAsked {
    /// In this state; `expected`, which is what is missing, if absent.
    #[param(inline)]
    state: Option<ReturnState>,
    /// Only this site, by UAI code.
    site: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// Rows on the page, 1 to 200; 50 if absent.
    limit: Option<u16>,
}

/// A loan in a campaign.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReturnBody {
    /// The loan.
    loan_id: Uuid,
    /// UAI code of the site.
    site: String,
    /// Its name.
    site_name: String,
    /// What stands for the borrower; null where your role does not see borrowers.
    borrower: Option<String>,
    /// The class level; null where your role does not see who borrowers are.
    level: Option<Level>,
    /// The device.
    device_id: Uuid,
    /// Serial number.
    serial_number: Option<String>,
    /// Label stuck on by staff.
    asset_tag: Option<String>,
    /// The day on which it comes (`2027-06-14`).
    #[schema(value_type = String, format = Date)]
    day: String,
    /// To which desk, from 1.
    desk: u32,
    /// The place in that desk's day, from 1.
    slot: u32,
    /// The day on which the loan is due.
    #[schema(value_type = Option<String>, format = Date)]
    due: Option<String>,
    /// The day on which the device last made contact.
    #[schema(value_type = Option<String>, format = Date)]
    last_contact: Option<String>,
    /// How many flags are open on it.
    open_flags: i64,
    /// Their codes, worst first, each once.
    flags: Vec<FlagCode>,
    /// Why it need not come.
    excuse: Option<String>,
}

impl ReturnBody {
    fn new(row: ReturnRow, bearer: &BearerToken) -> Self {
        let may = |action| bearer.person.can(action, Object::OwnScope).is_allowed();
        let text = |day: Option<Date>| day.map(|day| day.to_string());
        Self {
            loan_id: row.loan,
            site: row.site_uai,
            site_name: row.site_name,
            borrower: may(Action::SeeBorrowers).then_some(row.reference),
            level: row.level.filter(|_| may(Action::SeeIdentity)),
            device_id: row.device,
            serial_number: row.serial,
            asset_tag: row.asset_tag,
            day: row.slot.day.to_string(),
            desk: row.slot.desk,
            slot: row.slot.slot,
            due: text(row.due),
            last_contact: row.last_contact_day.map(crate::domain::import::value::day_text),
            open_flags: row.open_flags,
            flags: row.flags,
            excuse: row.excuse,
        }
    }
}

/// Return campaigns, newest first
///
/// All roles.
#[utoipa::path(get, path = "/v1/campaigns", tag = "campaigns", responses(
    (status = 200, body = CampaignsBody), (status = 401, response = Problem)))]
pub async fn list(State(app): State<App>, bearer: BearerToken) -> Result<Json<CampaignsBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeCampaigns, Object::OwnScope), "")?;
    let mut tx = app.store.read().await?;
    let names = Names::read(&mut tx, &bearer).await?;
    let campaigns = campaign::list(&mut tx).await?;
    Ok(Json(CampaignsBody { items: campaigns.iter().map(|one| CampaignBody::new(one, &names)).collect() }))
}

/// The campaign that an address names.
pub(super) async fn named(tx: &mut Tx, id: Uuid) -> Result<Campaign, Problem> {
    campaign::find(tx, id).await?.ok_or_else(|| Problem::not_found(UNKNOWN))
}

/// One campaign with its live progress by site
///
/// All roles, within their sites.
#[utoipa::path(get, path = "/v1/campaigns/{id}", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign")), responses((status = 200, body = CampaignDetailBody),
    (status = 400, response = Problem), (status = 401, response = Problem), (status = 404, response = Problem)))]
pub async fn read(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<CampaignDetailBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeCampaigns, Object::OwnScope), "")?;
    let scope: &Scope = &bearer.person.scope;
    let today = campaign_count::day_of(paris::date(bearer.now));
    let mut tx = app.store.read().await?;
    let found = named(&mut tx, id).await?;
    let names = Names::read(&mut tx, &bearer).await?;
    let own = campaign::own_desks(&mut tx, id).await?;
    let desks = names.sites.iter().filter_map(|site| {
        let desks = own.get(&site.id)?;
        Some(SiteDesksBody { site: site.uai.clone(), desks: desks.desks, slots: desks.slots })
    });
    let progress = campaign_count::progress(&mut tx, scope, id, today).await?;
    Ok(Json(CampaignDetailBody {
        campaign: CampaignBody::new(&found, &names),
        own_desks: desks.collect(),
        progress: progress.into_iter().map(ProgressBody::from).collect(),
    }))
}

/// The loans of a campaign in one state: what is missing, unless another is asked for
///
/// All roles, within their sites.
#[utoipa::path(get, path = "/v1/campaigns/{id}/loans", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign"), ReturnsAsked), responses(
    (status = 200, body = PageBody<ReturnBody>), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 404, response = Problem)))]
pub async fn loans(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Query(asked): Query<ReturnsAsked>,
) -> Result<Json<PageBody<ReturnBody>>, Problem> {
    Problem::check(bearer.person.can(Action::SeeCampaigns, Object::OwnScope), "")?;
    let scope = &bearer.person.scope;
    let after = page::after(asked.after.as_deref())?;
    if after.as_ref().is_some_and(|cursor| !matches!(cursor.key, CursorKey::Pair(..))) {
        return Err(page::foreign_cursor());
    }
    let mut tx = app.store.read().await?;
    named(&mut tx, id).await?;
    let query = ReturnQuery {
        state: asked.state.unwrap_or(ReturnState::Expected),
        site: site_of(&mut tx, scope, asked.site.as_deref()).await?,
        after,
        limit: page::limit(asked.limit)?.into(),
    };
    let page = campaign_list::list(&mut tx, scope, id, &query).await?;
    Ok(Json(PageBody::of(page, |row| ReturnBody::new(row, &bearer))))
}
