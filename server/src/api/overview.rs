//! Counts.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{problem::Problem, schema::Moment};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        device::DeviceStatus,
        flag::{FlagCode, Severity},
    },
    store::overview::{self, Overview},
};

/// Counts of the devices you see.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OverviewBody {
    /// Devices in service.
    devices: i64,
    /// Archived devices.
    archived_devices: i64,
    /// Devices in service by status.
    devices_by_status: Vec<StatusCount>,
    /// Open flags by rule, most frequent first.
    flags_by_code: Vec<CodeCount>,
    /// Devices by their worst open flag.
    devices_by_severity: Vec<SeverityCount>,
    /// Active devices by the age of their last contact.
    last_contact: LastContact,
    /// Check-ins of the last 48 hours, oldest first; null unless you see the whole programme.
    hours: Option<Vec<HourBody>>,
}

/// Devices with a status.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct StatusCount {
    status: DeviceStatus,
    count: i64,
}

/// Open flags of a rule.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct CodeCount {
    code: FlagCode,
    count: i64,
}

/// Devices with a worst flag of this severity.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct SeverityCount {
    severity: Severity,
    count: i64,
}

/// Active devices by the age of their last contact.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct LastContact {
    /// Today or yesterday.
    today_or_yesterday: i64,
    /// In the last 7 days, before that.
    last_7_days: i64,
    /// In the last 30 days, before that.
    last_30_days: i64,
    /// Longer ago.
    longer_ago: i64,
    /// Never.
    never: i64,
}

/// One hour.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct HourBody {
    /// Its first moment.
    starts_at: Moment,
    /// Check-ins in it.
    check_ins: i64,
    /// New reports in them.
    reports: i64,
}

impl From<Overview> for OverviewBody {
    fn from(overview: Overview) -> Self {
        let heard = overview.last_heard;
        let hour = |hour: overview::Hour| HourBody {
            starts_at: hour.starts.into(),
            check_ins: hour.check_ins,
            reports: hour.reports,
        };
        Self {
            devices: overview.devices(),
            archived_devices: overview.archived,
            devices_by_status: overview
                .by_status
                .iter()
                .map(|&(status, count)| StatusCount { status, count })
                .collect(),
            flags_by_code: overview.by_code.iter().map(|&(code, count)| CodeCount { code, count }).collect(),
            devices_by_severity: overview
                .by_severity
                .iter()
                .map(|&(severity, count)| SeverityCount { severity, count })
                .collect(),
            last_contact: LastContact {
                today_or_yesterday: heard.fresh,
                last_7_days: heard.week,
                last_30_days: heard.month,
                longer_ago: heard.older,
                never: heard.never,
            },
            hours: overview.hourly.map(|hours| hours.into_iter().map(hour).collect()),
        }
    }
}

/// Counts by status, flag and last contact
///
/// Roles: all, within their sites.
#[utoipa::path(get, path = "/v1/overview", tag = "devices", responses((status = 200, body = OverviewBody), (status = 401, response = Problem)))]
pub async fn read(State(app): State<App>, bearer: BearerToken) -> Result<Json<OverviewBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeOverview, Object::OwnScope), "")?;
    let mut tx = app.store.read().await?;
    Ok(Json(overview::read(&mut tx, &bearer.person.scope, bearer.now).await?.into()))
}
