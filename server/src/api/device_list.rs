//! The list of devices: the same search, filters and sorts as the console's.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    extract::Query,
    page::{self, PageBody},
    problem::Problem,
    schema::Moment,
    site::SiteName,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        device::DeviceStatus,
        flag::{FlagCode, Severity},
        scope::Scope,
        uai::UaiCode,
        verdict::Verdict,
    },
    store::{
        Tx,
        device_list::{self, Archived, DeviceQuery, DeviceSort, DeviceSummary, Direction},
        site,
    },
};

/// Longest text to search for, in characters.
pub(super) const MAX_SEARCH_CHARS: usize = 200;

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SortParameter {
    /// Serial number.
    Serial,
    /// Maker and model.
    Model,
    /// Site's name.
    Site,
    /// Worst open flag.
    Severity,
    /// Day of the last contact; devices that never came are the longest gone.
    Contact,
}

/// Which way a list runs.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderParameter {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// Which devices, by whether they were archived.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArchivedParameter {
    /// Those in service.
    Exclude,
    /// Only archived ones.
    Only,
    /// All.
    Include,
}

/// Which devices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DevicesQuery {
    /// Words of a serial number, model, asset tag or site, however they are written; every word must occur.
    search: Option<String>,
    /// Only this status.
    #[param(inline)]
    status: Option<DeviceStatus>,
    /// Only this site, by its UAI code.
    site: Option<String>,
    /// Only devices with this flag open.
    #[param(inline)]
    flag: Option<FlagCode>,
    /// Only devices whose worst open flag is at least this.
    #[param(inline)]
    min_severity: Option<Severity>,
    /// Archived devices; `exclude` if absent.
    #[param(inline)]
    archived: Option<ArchivedParameter>,
    /// What the list is sorted by; `serial` if absent.
    #[param(inline)]
    sort: Option<SortParameter>,
    /// Which way; `ascending` if absent.
    #[param(inline)]
    order: Option<OrderParameter>,
    /// The value of `next` of the page before.
    after: Option<String>,
    /// Rows on the page, 1 to 200.
    limit: Option<u16>,
}

impl DevicesQuery {
    /// The query of the store, once the site is known.
    fn into_query(self, site: Option<Uuid>) -> Result<DeviceQuery, Problem> {
        if self.search.as_ref().is_some_and(|text| text.chars().count() > MAX_SEARCH_CHARS) {
            return Err(Problem::invalid(format!("`search` has at most {MAX_SEARCH_CHARS} characters.")));
        }
        let query = DeviceQuery {
            status: self.status,
            site,
            flag: self.flag,
            min_severity: self.min_severity,
            archived: match self.archived {
                None | Some(ArchivedParameter::Exclude) => Archived::Exclude,
                Some(ArchivedParameter::Only) => Archived::Only,
                Some(ArchivedParameter::Include) => Archived::Include,
            },
            sort: match self.sort {
                None | Some(SortParameter::Serial) => DeviceSort::Serial,
                Some(SortParameter::Model) => DeviceSort::Model,
                Some(SortParameter::Site) => DeviceSort::Site,
                Some(SortParameter::Severity) => DeviceSort::Severity,
                Some(SortParameter::Contact) => DeviceSort::Contact,
            },
            direction: match self.order {
                None | Some(OrderParameter::Ascending) => Direction::Ascending,
                Some(OrderParameter::Descending) => Direction::Descending,
            },
            after: page::after(self.after.as_deref())?,
            limit: page::limit(self.limit)?.into(),
            search: self.search,
        };
        match &query.after {
            Some(cursor) if !query.sort.has_key(&cursor.key) => Err(page::foreign_cursor()),
            _ => Ok(query),
        }
    }
}

/// One device of the list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeviceLine {
    /// Never given to another.
    id: Uuid,
    /// Where it stands with the server.
    status: DeviceStatus,
    /// The maker's serial number.
    serial_number: Option<String>,
    /// The maker.
    manufacturer: Option<String>,
    /// The model.
    model: Option<String>,
    /// `laptop`, `tablet`, `desktop`…
    chassis: Option<String>,
    /// The label that staff stuck on it.
    asset_tag: Option<String>,
    /// Its site.
    site: Option<SiteName>,
    /// When it was archived.
    archived_at: Option<Moment>,
    /// Its last contact, by the server's clock; to the day after 30 days.
    last_contact_at: Option<Moment>,
    /// Operating system.
    os_name: Option<String>,
    /// Its version.
    os_version: Option<String>,
    /// Memory, in bytes.
    memory_bytes: Option<u64>,
    /// Worst verdict on its drives; null before the first report.
    drive_verdict: Option<Verdict>,
    /// Worst verdict on its batteries.
    battery_verdict: Option<Verdict>,
    /// Severity of its worst open flag.
    worst_severity: Option<Severity>,
    /// How many flags are open.
    open_flags: i64,
    /// The open flags' rules, worst first, each once.
    flags: Vec<FlagName>,
}

/// A flag in a list.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct FlagName {
    /// Which rule.
    code: FlagCode,
    /// How much it needs a person.
    severity: Severity,
}

impl From<DeviceSummary> for DeviceLine {
    fn from(device: DeviceSummary) -> Self {
        Self {
            id: device.id.0,
            status: device.status,
            serial_number: device.serial_number,
            manufacturer: device.manufacturer,
            model: device.model,
            chassis: device.chassis,
            asset_tag: device.asset_tag,
            site: device.site.map(|site| SiteName {
                id: site.id,
                uai: site.uai,
                name: site.name,
                commune: site.commune,
            }),
            archived_at: device.archived_at.map(Moment),
            last_contact_at: device.last_contact_at.map(Moment),
            os_name: device.os_name,
            os_version: device.os_version,
            memory_bytes: device.memory.map(cartable_common::Bytes::get),
            drive_verdict: device.drives,
            battery_verdict: device.batteries,
            worst_severity: device.worst_severity,
            open_flags: device.open_flags,
            flags: device.flags.into_iter().map(|(code, severity)| FlagName { code, severity }).collect(),
        }
    }
}

/// The site with this UAI code. One that lies outside the scope does not exist.
pub(super) async fn site_of(tx: &mut Tx, scope: &Scope, uai: Option<&str>) -> Result<Option<Uuid>, Problem> {
    let Some(uai) = uai else { return Ok(None) };
    let code: UaiCode = uai.parse().map_err(|error| Problem::invalid(format!("`site` is a UAI code: {error}.")))?;
    match site::find_by_uai(tx, scope, &code).await? {
        Some(site) => Ok(Some(site.id)),
        None => Err(Problem::invalid("There is no site with this UAI code among those you see.")),
    }
}

/// Devices, by search, filters and sort
///
/// Roles: all, within their sites.
#[utoipa::path(get, path = "/v1/devices", tag = "devices", params(DevicesQuery), responses(
    (status = 200, body = PageBody<DeviceLine>), (status = 400, response = Problem), (status = 401, response = Problem)))]
pub async fn list(
    State(app): State<App>,
    bearer: BearerToken,
    Query(query): Query<DevicesQuery>,
) -> Result<Json<PageBody<DeviceLine>>, Problem> {
    Problem::check(bearer.person.can(Action::SeeDevices, Object::OwnScope), "")?;
    let scope = &bearer.person.scope;
    let mut tx = app.store.read().await?;
    let site = site_of(&mut tx, scope, query.site.as_deref()).await?;
    let page = device_list::list(&mut tx, scope, &query.into_query(site)?).await?;
    Ok(Json(PageBody::of(page, DeviceLine::from)))
}
