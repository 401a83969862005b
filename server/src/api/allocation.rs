//! Proposals of who gets which device: the list, one with its fairness, its lines with their explanations.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
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
    auth::{Action, BearerToken, Object, Role},
    domain::{
        allocation::{Given, Part, Place, SiteShare},
        borrower::Level,
        need::{NeedReason, shows_level, shows_person, shows_programme},
        programme::Programme,
        scope::Scope,
        verdict::Verdict,
    },
    store::{
        Tx,
        allocation::{self, AllocationRow, AllocationState, LineState},
        allocation_line::{self, LineQuery, LineRow},
        page::CursorKey,
        programme,
        site::{self, SiteRow},
    },
};

pub(super) const UNKNOWN: &str = "There is no proposal with this id.";

/// A proposal.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AllocationBody {
    /// Never given to another.
    id: Uuid,
    /// Where it stands.
    state: AllocationState,
    /// The code of the programme whose needs it holds; null for those of all that lend, and where your role does not see who
    /// is in it.
    programme: Option<String>,
    /// Who proposed it.
    proposed_by: String,
    /// When.
    proposed_at: Moment,
    /// Who last changed a line.
    adjusted_by: Option<String>,
    /// Who approved it or gave it up.
    decided_by: Option<String>,
    /// When.
    decided_at: Option<Moment>,
    /// How many needs it had.
    needs: u32,
    /// How many of them had a device when it was proposed.
    given: u32,
}

impl AllocationBody {
    pub(super) fn new(row: &AllocationRow, programmes: &[Programme], role: Role) -> Self {
        let shown = |one: &&Programme| one.shows_membership_to(role);
        let code = |id| programmes.iter().filter(shown).find(|one| one.id == id).map(|one| one.code.to_string());
        Self {
            id: row.id,
            state: row.state,
            programme: row.programme.and_then(code),
            proposed_by: row.proposed_by.name.clone(),
            proposed_at: row.proposed_at.into(),
            adjusted_by: row.adjusted_by.as_ref().map(|who| who.name.clone()),
            decided_by: row.decided_by.as_ref().map(|who| who.name.clone()),
            decided_at: row.decided_at.map(Moment),
            needs: row.needs,
            given: row.given,
        }
    }
}

/// Proposals.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AllocationsBody {
    /// Newest first: the last 200.
    items: Vec<AllocationBody>,
}

/// What the stock held when a proposal was made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StockBody {
    /// Devices in stock.
    in_stock: u32,
    /// Those that the policy lets be lent.
    suitable: u32,
    /// Of these, how many stay in reserve.
    reserve: u32,
    /// How many were left out, for each cause.
    unfit: BTreeMap<&'static str, u32>,
}

/// How a proposal, as it now is, treats one site.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShareBody {
    /// UAI code of the site.
    site: String,
    /// Its name.
    site_name: String,
    /// Its needs in the proposal.
    needs: u32,
    /// Those with a device.
    met: u32,
    /// Their share in whole percent, rounded down.
    met_percent: u32,
    /// The average score of its needs, in tenths of a point.
    average_score_tenths: u32,
}

impl ShareBody {
    fn new(share: SiteShare, sites: &[SiteRow]) -> Self {
        let site = sites.iter().find(|site| site.id == share.site);
        Self {
            site: site.map(|site| site.uai.clone()).unwrap_or_default(),
            site_name: site.map(|site| site.name.clone()).unwrap_or_default(),
            needs: share.needs,
            met: share.met,
            met_percent: share.percent,
            average_score_tenths: share.average_tenths,
        }
    }
}

/// A proposal with its figures; its lines have an address of their own.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AllocationDetailBody {
    /// The proposal.
    #[serde(flatten)]
    allocation: AllocationBody,
    /// Whether you may not approve it: you proposed or changed it.
    own: bool,
    /// How many lines are in each state.
    lines: BTreeMap<&'static str, i64>,
    /// How many proposed lines wait for a device or a need that has moved on since.
    stale: i64,
    /// What the stock held.
    stock: StockBody,
    /// How it treats each site.
    fairness: Vec<ShareBody>,
}

/// Which lines.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LinesAsked {
    /// Only this state.
    #[param(value_type = Option<LineState>)]
    state: Option<LineState>,
    /// Only this site, by UAI code.
    site: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// Rows on the page, 1 to 200; 50 if absent.
    limit: Option<u16>,
}

/// A reason with what it weighs.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct PartBody {
    /// The reason.
    reason: NeedReason,
    /// Its points.
    points: u32,
}

impl From<Part> for PartBody {
    fn from(part: Part) -> Self {
        Self { reason: part.reason, points: part.points }
    }
}

/// A device, and why it is this one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GivenBody {
    /// The device.
    device_id: Uuid,
    /// Serial number.
    serial_number: Option<String>,
    /// Label stuck on by staff.
    asset_tag: Option<String>,
    /// Model.
    model: Option<String>,
    /// Where it comes from.
    place: Option<Place>,
    /// Whether it is kept for the need's programme; otherwise it is for any.
    of_programme: Option<bool>,
    /// Its grade, if it was inspected.
    grade: Option<&'static str>,
    /// Its battery's share of the design capacity, if known.
    battery_percent: Option<u32>,
    /// The verdict on its drives, if there is a reading.
    drive: Option<Verdict>,
}

/// One need in a proposal.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LineBody {
    /// Its place among all, from 1: what adjusting names it by.
    rank: i64,
    /// The need.
    need_id: Uuid,
    /// UAI code of the site that asks.
    site: String,
    /// Its name.
    site_name: String,
    /// The programme's code; null where your role does not see who is in it.
    programme: Option<String>,
    /// The class level; null where your role does not see who borrowers are.
    level: Option<Level>,
    /// Where the line stands.
    state: LineState,
    /// The sum of its parts.
    score: i64,
    /// What the score is made of.
    parts: Vec<PartBody>,
    /// Whether it comes early because each site is served a share of its needs first.
    by_floor: bool,
    /// The device; null too where your role does not see whose needs these are.
    given: Option<GivenBody>,
    /// Why there is none, or why it was refused: a code.
    cause: Option<String>,
    /// Why it could not be approved as it now is: a code.
    stale: Option<&'static str>,
    /// Why somebody changed the line.
    remark: Option<String>,
    /// The loan that was made; null too where your role does not see whose needs these are.
    loan_id: Option<Uuid>,
}

impl LineBody {
    fn new(line: LineRow, programmes: &[Programme], role: Role) -> Self {
        let programme = programmes.iter().find(|one| one.id == line.programme);
        let person = shows_person(role, programme);
        let why: Option<Given> = line.explanation.given;
        let given = line.device.filter(|_| person).map(|device| GivenBody {
            device_id: device.id,
            serial_number: device.serial,
            asset_tag: device.asset_tag,
            model: device.model,
            place: why.map(|why| why.place),
            of_programme: why.map(|why| why.of_programme),
            grade: why.and_then(|why| why.grade).map(crate::domain::grade::Grade::as_str),
            battery_percent: why.and_then(|why| why.battery),
            drive: why.and_then(|why| why.drive),
        });
        Self {
            rank: line.rank,
            need_id: line.need,
            site: line.site_uai,
            site_name: line.site_name,
            programme: programme.filter(|one| shows_programme(role, Some(one))).map(|one| one.code.to_string()),
            level: line.level.filter(|_| shows_level(role)),
            state: line.state,
            score: line.score,
            parts: line.explanation.parts.into_iter().map(PartBody::from).collect(),
            by_floor: line.explanation.by_floor,
            given,
            cause: line.cause,
            stale: line.stale,
            remark: line.remark,
            loan_id: line.loan.filter(|_| person),
        }
    }
}

/// Proposals of who gets which device, newest first
///
/// Roles: administrator, programme manager, auditor, who see all sites.
#[utoipa::path(get, path = "/v1/allocations", tag = "allocations", responses(
    (status = 200, body = AllocationsBody), (status = 401, response = Problem), (status = 403, response = Problem)))]
pub async fn list(State(app): State<App>, bearer: BearerToken) -> Result<Json<AllocationsBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeAllocations, Object::Programme), "")?;
    let mut tx = app.store.read().await?;
    let programmes = programme::list(&mut tx).await?;
    let rows = allocation::list(&mut tx).await?;
    Ok(Json(AllocationsBody {
        items: rows.iter().map(|row| AllocationBody::new(row, &programmes, bearer.person.role)).collect(),
    }))
}

/// The proposal that an address names.
pub(super) async fn named(tx: &mut Tx, id: Uuid) -> Result<AllocationRow, Problem> {
    allocation::find(tx, id).await?.ok_or_else(|| Problem::not_found(UNKNOWN))
}

/// One proposal: what there was to give, and how it treats each site
///
/// Roles: administrator, programme manager, auditor, who see all sites.
#[utoipa::path(get, path = "/v1/allocations/{id}", tag = "allocations",
    params(("id" = Uuid, Path, description = "The proposal")), responses(
    (status = 200, body = AllocationDetailBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem)))]
pub async fn read(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<AllocationDetailBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeAllocations, Object::Programme), "")?;
    let mut tx = app.store.read().await?;
    let row = named(&mut tx, id).await?;
    let (programmes, sites) = (programme::list(&mut tx).await?, site::list(&mut tx, &Scope::Everything).await?);
    let counts = allocation_line::counts(&mut tx, id).await?;
    let shares = allocation::fairness(&mut tx, id).await?;
    Ok(Json(AllocationDetailBody {
        allocation: AllocationBody::new(&row, &programmes, bearer.person.role),
        own: allocation::is_own(&mut tx, &row, bearer.person.id).await?,
        lines: counts.into_iter().map(|(state, count)| (state.as_str(), count)).collect(),
        stale: allocation_line::stale_count(&mut tx, id, &app.policy.allocation).await?,
        stock: StockBody {
            in_stock: row.stock.in_stock,
            suitable: row.stock.suitable,
            reserve: row.stock.reserve,
            unfit: row.stock.unfit.iter().map(|(why, count)| (why.as_str(), *count)).collect(),
        },
        fairness: shares.into_iter().map(|share| ShareBody::new(share, &sites)).collect(),
    }))
}

/// The lines of a proposal by rank, each with its explanation
///
/// Roles: administrator, programme manager, auditor, who see all sites.
#[utoipa::path(get, path = "/v1/allocations/{id}/lines", tag = "allocations",
    params(("id" = Uuid, Path, description = "The proposal"), LinesAsked), responses(
    (status = 200, body = PageBody<LineBody>), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem)))]
pub async fn lines(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Query(asked): Query<LinesAsked>,
) -> Result<Json<PageBody<LineBody>>, Problem> {
    Problem::check(bearer.person.can(Action::SeeAllocations, Object::Programme), "")?;
    let after = page::after(asked.after.as_deref())?;
    if after.as_ref().is_some_and(|cursor| !matches!(cursor.key, CursorKey::Number(_))) {
        return Err(page::foreign_cursor());
    }
    let mut tx = app.store.read().await?;
    named(&mut tx, id).await?;
    let site = site_of(&mut tx, &bearer.person.scope, asked.site.as_deref()).await?;
    let query = LineQuery { state: asked.state, site, after, limit: page::limit(asked.limit)?.into() };
    let page = allocation_line::list(&mut tx, id, &query, &app.policy.allocation).await?;
    let programmes = programme::list(&mut tx).await?;
    Ok(Json(PageBody::of(page, |line| LineBody::new(line, &programmes, bearer.person.role))))
}
