//! Donation: lots, and each unit of a lot with what is missing for it.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{extract::Path, problem::Problem, schema::Moment};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        donation::{Estimation, LotState, UnitState, basis::LegalBasis, conditions::Unmet},
        grade::Grade,
    },
    store::{
        Tx,
        donation_line::{self, LineRow},
        donation_lot::{self, LotRow},
    },
};

pub(super) const UNKNOWN: &str = "There is no lot with this id.";

/// A lot.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LotBody {
    /// Never given to another.
    id: Uuid,
    /// What people call it.
    name: String,
    /// Where it stands.
    state: LotState,
    /// The recipient's id.
    recipient: Option<Uuid>,
    /// The recipient's name.
    recipient_name: Option<String>,
    /// The legal basis. Of `families_by_deliberation`: families are not among the recipients of CG3P L. 3212-2; whether
    /// the deliberation establishes another basis is to be verified with counsel before approving.
    basis: Option<LegalBasis>,
    /// The number of the deliberation that decided it.
    deliberation_number: Option<String>,
    /// That deliberation's day.
    #[schema(example = "2026-10-16")]
    deliberation_day: Option<String>,
    /// How many units it has.
    units: i64,
    /// Who began it.
    prepared_by: String,
    /// When.
    prepared_at: Moment,
    /// Who approved it.
    approved_by: Option<String>,
    /// When.
    approved_at: Option<Moment>,
    /// Who recorded the hand-over.
    delivered_by: Option<String>,
    /// When.
    delivered_at: Option<Moment>,
    /// The day on which the recipient took the devices.
    #[schema(example = "2026-11-29")]
    delivered_day: Option<String>,
    /// The number of the deed that was signed.
    deed: Option<String>,
}

impl From<LotRow> for LotBody {
    fn from(lot: LotRow) -> Self {
        let (terms, delivered) = (lot.terms, lot.delivered);
        Self {
            id: lot.id,
            name: lot.name,
            state: lot.state,
            recipient: terms.recipient,
            recipient_name: lot.recipient_name,
            basis: terms.basis,
            deliberation_number: terms.deliberation.as_ref().map(|decided| decided.number.clone()),
            deliberation_day: terms.deliberation.as_ref().map(|decided| decided.day.to_string()),
            units: lot.units,
            prepared_by: lot.prepared_by.name,
            prepared_at: lot.prepared_at.into(),
            approved_by: lot.approved_by.map(|who| who.name),
            approved_at: lot.approved_at.map(Moment),
            delivered_by: delivered.as_ref().map(|done| done.by.name.clone()),
            delivered_at: delivered.as_ref().map(|done| Moment(done.at)),
            delivered_day: delivered.as_ref().map(|done| done.day.to_string()),
            deed: delivered.map(|done| done.deed.to_string()),
        }
    }
}

/// Lots.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LotsBody {
    /// Newest first: the last 200.
    items: Vec<LotBody>,
}

/// Something that is missing for a unit.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UnmetBody {
    /// A code.
    code: &'static str,
    /// Of an erasure: which drive.
    drive: Option<String>,
    /// In words.
    detail: String,
}

impl From<&Unmet> for UnmetBody {
    fn from(unmet: &Unmet) -> Self {
        let drive = if let Unmet::Erasure(gap) = unmet { Some(gap.drive.clone()) } else { None };
        Self { code: unmet.code(), drive, detail: unmet.to_string() }
    }
}

/// A unit of a lot.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UnitBody {
    /// The device.
    device_id: Uuid,
    /// Serial number.
    serial_number: Option<String>,
    /// Label stuck on by staff.
    asset_tag: Option<String>,
    /// Model.
    model: Option<String>,
    /// Its grade, if it was inspected.
    grade: Option<Grade>,
    /// Where it stands in the lot.
    state: UnitState,
    /// Its value in euros.
    #[schema(example = "85.00")]
    value: Option<String>,
    /// How that was estimated.
    estimation: Option<Estimation>,
    /// On what it rests.
    note: Option<String>,
    /// The highest value that the legal basis allows, in euros: as of the approval, else as of today.
    #[schema(example = "300.00")]
    ceiling: Option<String>,
    /// Drives whose erasure is proven as a donation asks: as of the approval, else as of today.
    drives_proven: Vec<String>,
    /// More than that many years old: the law steers it to recycling, and its gift is no reuse. A warning: it keeps
    /// nobody from giving it. Nothing where it is not, where its age is not known, and after the hand-over.
    #[schema(example = 10)]
    older_than_years: Option<u32>,
    /// What is missing before it may change owner; empty when nothing is.
    unmet: Vec<UnmetBody>,
}

impl From<LineRow> for UnitBody {
    fn from(line: LineRow) -> Self {
        let valuation = line.facts.valuation;
        Self {
            device_id: line.device.0,
            serial_number: line.serial,
            asset_tag: line.asset_tag,
            model: line.model,
            grade: line.grade,
            state: line.state,
            value: valuation.as_ref().map(|valuation| valuation.value.to_string()),
            estimation: valuation.as_ref().map(|valuation| valuation.estimation),
            note: valuation.map(|valuation| valuation.note),
            ceiling: line.ceiling.map(|ceiling| ceiling.to_string()),
            drives_proven: line.proven,
            older_than_years: line.older_than,
            unmet: line.unmet.iter().map(UnmetBody::from).collect(),
        }
    }
}

/// A lot with its units.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LotDetailBody {
    /// The lot.
    #[serde(flatten)]
    lot: LotBody,
    /// Whether you may not approve it: you helped to put it together.
    own: bool,
    /// For how many units something is missing.
    unready: usize,
    /// How many units are older than the law has in mind for a gift: to be looked at before the lot is approved.
    too_old: usize,
    /// Its units, by model and serial number.
    unit_list: Vec<UnitBody>,
}

/// Lots of donation, newest first
///
/// Roles: administrator, programme manager, refurbisher, auditor, who see all sites.
#[utoipa::path(get, path = "/v1/donation-lots", tag = "donations", responses(
    (status = 200, body = LotsBody), (status = 401, response = Problem), (status = 403, response = Problem)))]
pub async fn list(State(app): State<App>, bearer: BearerToken) -> Result<Json<LotsBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeDonations, Object::Programme), "")?;
    let mut tx = app.store.read().await?;
    let found = donation_lot::list(&mut tx).await?;
    Ok(Json(LotsBody { items: found.into_iter().map(LotBody::from).collect() }))
}

/// The lot that an address names.
pub(super) async fn named(tx: &mut Tx, id: Uuid) -> Result<LotRow, Problem> {
    donation_lot::find(tx, id).await?.ok_or_else(|| Problem::not_found(UNKNOWN))
}

/// One lot, and what is missing for each of its units
///
/// Roles: administrator, programme manager, refurbisher, auditor, who see all sites.
#[utoipa::path(get, path = "/v1/donation-lots/{id}", tag = "donations",
    params(("id" = Uuid, Path, description = "The lot")), responses((status = 200, body = LotDetailBody),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem)))]
pub async fn read(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<LotDetailBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeDonations, Object::Programme), "")?;
    let mut tx = app.store.read().await?;
    let lot = named(&mut tx, id).await?;
    let own = donation_lot::is_own(&mut tx, &lot, bearer.person.id).await?;
    let lines = donation_line::of_lot(&mut tx, &lot, &app.policy, bearer.now).await?;
    Ok(Json(LotDetailBody {
        own,
        unready: lines.iter().filter(|line| !line.unmet.is_empty()).count(),
        too_old: lines.iter().filter(|line| line.older_than.is_some()).count(),
        unit_list: lines.into_iter().map(UnitBody::from).collect(),
        lot: lot.into(),
    }))
}
