//! What a fleet should become: counts by site and programme, and the list of devices.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    device_list::site_of,
    extract::Query,
    page::{self, PageBody},
    problem::Problem,
    schema::Moment,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        disposition::{Confidence, Disposition},
        grade::Grade,
        loan::LendingState,
        programme::Visibility,
    },
    store::{
        advice_list::{self, AdviceQuery, AdviceSummary, Count},
        page::CursorKey,
        programme,
    },
};

/// How many devices of a site and a programme should become what.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DispositionCountBody {
    /// The site; null for devices without one.
    site_id: Option<Uuid>,
    /// Its name.
    site_name: Option<String>,
    /// The programme's code; null where there is none, or where you may not know who is in it.
    programme: Option<String>,
    /// What they should become.
    disposition: Disposition,
    /// How many.
    devices: i64,
    /// What that costs for all of them, in whole euros.
    cost_euros: i64,
}

/// How many devices should become what, by site and programme
///
/// Roles: all, within their sites.
#[utoipa::path(get, path = "/v1/dispositions", tag = "dispositions",
    responses((status = 200, body = Vec<DispositionCountBody>), (status = 401, response = Problem)))]
pub async fn counts(State(app): State<App>, bearer: BearerToken) -> Result<Json<Vec<DispositionCountBody>>, Problem> {
    Problem::check(bearer.person.can(Action::SeeDevices, Object::OwnScope), "")?;
    let mut tx = app.store.read().await?;
    let visibility = programme::visibility(&mut tx, bearer.person.role).await?;
    let counts = advice_list::counts(&mut tx, &bearer.person.scope).await?;
    Ok(Json(shown(counts, &visibility)))
}

/// The counts as somebody may see them: what stands apart only by a programme that is not shown is added up.
fn shown(counts: Vec<Count>, visibility: &Visibility) -> Vec<DispositionCountBody> {
    let mut bodies: Vec<DispositionCountBody> = Vec::new();
    for count in counts {
        let programme = visibility.filter(count.programme);
        let (site_id, site_name) = count.site.unzip();
        let same = bodies
            .iter_mut()
            .find(|body| (body.site_id, &body.programme, body.disposition) == (site_id, &programme, count.disposition));
        if let Some(body) = same {
            body.devices += count.devices;
            body.cost_euros += count.cost_euros;
        } else {
            let (disposition, devices, cost_euros) = (count.disposition, count.devices, count.cost_euros);
            bodies.push(DispositionCountBody { site_id, site_name, programme, disposition, devices, cost_euros });
        }
    }
    bodies
}

/// Which devices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DispositionsQuery {
    /// Only this disposition.
    #[param(inline)]
    disposition: Option<Disposition>,
    /// Only this confidence.
    #[param(inline)]
    confidence: Option<Confidence>,
    /// Only devices that are there in their lending.
    #[param(inline)]
    lending: Option<LendingState>,
    /// Only devices of this site, by its UAI code.
    site: Option<String>,
    /// Only devices of this programme, by its code; one whose members you may know.
    programme: Option<String>,
    /// The value of `next` of the page before.
    after: Option<String>,
    /// Rows on the page, 1 to 200.
    limit: Option<u16>,
}

/// A device with what it should become.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DispositionLine {
    /// The device.
    device: Uuid,
    /// Its serial number.
    serial_number: Option<String>,
    /// Its label.
    asset_tag: Option<String>,
    /// Its maker.
    manufacturer: Option<String>,
    /// Its model.
    model: Option<String>,
    /// Its programme; null where there is none, or where you may not know who is in it.
    programme: Option<String>,
    /// The UAI code of its site.
    site_uai: Option<String>,
    /// The name of its site.
    site_name: Option<String>,
    /// Where it is in its lending.
    lending: LendingState,
    /// Its grade.
    grade: Option<Grade>,
    /// What it should become.
    disposition: Disposition,
    /// How sure that is.
    confidence: Confidence,
    /// What that costs, in whole euros.
    cost_euros: i64,
    /// What it is worth then, in whole euros.
    value_euros: i64,
    /// Months of use that are left, at most.
    months_left: i64,
    /// The date of the machine's evidence.
    evidence_at: Option<Moment>,
    /// Since when it is this disposition.
    since: Moment,
    /// The version of the policy that decided.
    policy_version: String,
}

impl DispositionLine {
    fn new(one: AdviceSummary, visibility: &Visibility) -> Self {
        let (site_uai, site_name) = one.site.unzip();
        Self {
            device: one.device.0,
            serial_number: one.serial_number,
            asset_tag: one.asset_tag,
            manufacturer: one.manufacturer,
            model: one.model,
            programme: visibility.filter(one.programme),
            site_uai,
            site_name,
            lending: one.lending,
            grade: one.grade,
            disposition: one.disposition,
            confidence: one.confidence,
            cost_euros: one.cost_euros,
            value_euros: one.value_euros,
            months_left: one.months_left,
            evidence_at: one.evidence_at.map(Moment),
            since: one.since.into(),
            policy_version: one.policy_version,
        }
    }
}

/// Devices with what they should become, by serial number
///
/// Roles: all, within their sites. Decided some minutes after a report at most.
#[utoipa::path(get, path = "/v1/dispositions/devices", tag = "dispositions", params(DispositionsQuery), responses(
    (status = 200, body = PageBody<DispositionLine>), (status = 400, response = Problem),
    (status = 401, response = Problem)))]
pub async fn list(
    State(app): State<App>,
    bearer: BearerToken,
    Query(query): Query<DispositionsQuery>,
) -> Result<Json<PageBody<DispositionLine>>, Problem> {
    Problem::check(bearer.person.can(Action::SeeDevices, Object::OwnScope), "")?;
    let scope = &bearer.person.scope;
    let mut tx = app.store.read().await?;
    let visibility = programme::visibility(&mut tx, bearer.person.role).await?;
    if query.programme.as_deref().is_some_and(|code| !visibility.shows(code) || code.contains('\0')) {
        return Err(Problem::invalid("`programme` is the code of a programme whose members you may know."));
    }
    let after = page::after(query.after.as_deref())?;
    if after.as_ref().is_some_and(|cursor| !matches!(cursor.key, CursorKey::Text(_))) {
        return Err(page::foreign_cursor());
    }
    let query = AdviceQuery {
        disposition: query.disposition,
        confidence: query.confidence,
        lending: query.lending,
        site: site_of(&mut tx, scope, query.site.as_deref()).await?,
        programme: query.programme,
        after,
        limit: page::limit(query.limit)?.into(),
    };
    let page = advice_list::list(&mut tx, scope, &query).await?;
    Ok(Json(PageBody::of(page, |one| DispositionLine::new(one, &visibility))))
}
