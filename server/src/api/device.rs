//! One device: everything its page in the console shows.

use axum::{Json, extract::State};
use cartable_common::DeviceId;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{extract::Path, flag::FlagBody, problem::Problem, schema::Moment, site::SiteName};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        battery,
        device::DeviceStatus,
        device_record::ContactExpected,
        flag::Baseline,
        grade::Grade,
        policy::Policy,
        reading::agents::Tool,
        timestamp,
        verdict::{Judgement, Verdict},
    },
    store::{
        contact::Contact,
        detail::{self, DeviceDetail},
        device_record::{self, Recorded},
        flag,
        health::Health,
        history::{self, ChangeRow, Day},
        programme,
    },
};

/// Days of figures that are given.
const DAYS: i64 = 400;

/// A device with its health, flags and history.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeviceBody {
    /// Never given to another.
    id: Uuid,
    /// Where it stands with the server.
    status: DeviceStatus,
    /// The maker's serial number; null where the machine does not say one.
    serial_number: Option<String>,
    /// The main board's identifier.
    system_uuid: Option<String>,
    /// The maker.
    manufacturer: Option<String>,
    /// The model.
    model: Option<String>,
    /// `laptop`, `tablet`, `desktop`…
    chassis: Option<String>,
    /// The label that staff stuck on it.
    asset_tag: Option<String>,
    /// Neutral code of the programme under which it is lent; null without one, and where your role may not see who
    /// is in it.
    programme: Option<String>,
    /// Its site.
    site: Option<SiteName>,
    /// What an inspection found; null before the first.
    grade: Option<Grade>,
    /// The last day of the maker's warranty.
    #[schema(format = Date)]
    warranty_until: Option<String>,
    /// Whether an agent is awaited on it.
    contact_expected: ContactExpected,
    /// When it was recorded.
    created_at: Moment,
    /// When an agent was last enrolled on it.
    enrolled_at: Option<Moment>,
    /// When it was archived.
    archived_at: Option<Moment>,
    /// Why.
    archive_reason: Option<String>,
    /// Memory and drives as staff know them: what "changed" is measured against.
    #[schema(value_type = Option<Object>)]
    baseline: Option<Baseline>,
    /// Its contacts; null before the first.
    contact: Option<ContactBody>,
    /// Its current report; null before the first.
    health: Option<HealthBody>,
    /// Its open flags, worst first.
    flags: Vec<FlagBody>,
    /// Its flags, open and cleared, newest first.
    flag_history: Vec<FlagBody>,
    /// What changed from one report to the next, newest first.
    changes: Vec<ChangeBody>,
    /// A few figures for each day, oldest first.
    daily: Vec<DayBody>,
}

/// The contacts of a device.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ContactBody {
    /// The first one; to the day after 30 days.
    first_at: Moment,
    /// The last one; to the day after 30 days.
    last_at: Moment,
    /// How many check-ins there were.
    check_ins: i64,
    /// The agent's clock minus the server's.
    clock_skew_milliseconds: i64,
    /// The agent's version.
    agent_version: String,
}

/// The current report of a device and what it means.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HealthBody {
    /// The report's id.
    report_id: Uuid,
    /// Its place among the reports of its enrolment.
    sequence: i64,
    /// When it was measured, by the device's own clock.
    measured_at: Moment,
    /// When the server received it; to the day after 30 days.
    received_at: Moment,
    /// `fusioninventory` or `glpi` where it was imported from an inventory of that agent, made at `measured_at`; null where
    /// Cartable's own agent measured it.
    imported_from: Option<String>,
    /// `fusioninventory` or `glpi` where that agent reported it by itself, with a certificate of this device; null elsewhere.
    reported_by: Option<String>,
    /// The hash of its content.
    content_hash: String,
    /// The worst verdict on its drives.
    drive_verdict: Verdict,
    /// The worst verdict on its batteries.
    battery_verdict: Verdict,
    /// The verdict on each drive of the report, with its reasons.
    #[schema(value_type = Vec<Object>)]
    drives: Vec<Judgement>,
    /// The verdict on each battery of the report, with its reasons.
    #[schema(value_type = Vec<Object>)]
    batteries: Vec<Judgement>,
    /// The whole report as the agent sent it; its fields are listed in docs/what-is-sent.md.
    #[schema(value_type = Object)]
    report: cartable_common::report::HealthReport,
}

/// A change from one report to the next.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ChangeBody {
    /// When the server learned of it; to the day after 30 days.
    received_at: Moment,
    /// When it was measured, by the device's own clock.
    measured_at: Moment,
    /// The report that told.
    report_id: Uuid,
    /// Which field.
    path: String,
    /// Its value before; null where there was none.
    before: Option<String>,
    /// Its value since; null where there is none any more.
    after: Option<String>,
}

/// The figures of a day; null where they were not read.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DayBody {
    /// The day, in UTC.
    #[schema(format = Date)]
    date: Option<String>,
    /// Room left on the system volume.
    system_volume_available_percent: Option<i64>,
    /// Wear of the most worn drive.
    drive_wear_percent: Option<i64>,
    /// What the weakest battery still holds.
    battery_health_percent: Option<i64>,
    /// The hottest sensor.
    hottest_celsius: Option<i64>,
}

impl From<Contact> for ContactBody {
    fn from(contact: Contact) -> Self {
        Self {
            first_at: contact.first_at.into(),
            last_at: contact.last_at.into(),
            check_ins: contact.check_ins,
            clock_skew_milliseconds: contact.skew_millis,
            agent_version: contact.agent_version,
        }
    }
}

impl HealthBody {
    fn new(health: Health, [brought_of, reported_by]: [Option<Tool>; 2], policy: &Policy) -> Self {
        let drives = health.drives(policy);
        Self {
            report_id: health.report_id.0,
            sequence: health.sequence,
            measured_at: health.measured_at.into(),
            received_at: health.received_at.into(),
            imported_from: brought_of.map(|tool| tool.as_str().to_owned()),
            reported_by: reported_by.map(|tool| tool.as_str().to_owned()),
            content_hash: health.content_hash,
            drive_verdict: health.drive_verdict,
            battery_verdict: health.battery_verdict,
            drives,
            batteries: health.report.batteries.iter().map(|battery| battery::judge(battery, policy)).collect(),
            report: health.report,
        }
    }
}

impl From<ChangeRow> for ChangeBody {
    fn from(row: ChangeRow) -> Self {
        Self {
            received_at: row.received_at.into(),
            measured_at: row.measured_at.into(),
            report_id: row.report_id.0,
            path: row.change.path,
            before: row.change.before,
            after: row.change.after,
        }
    }
}

impl From<Day> for DayBody {
    fn from(day: Day) -> Self {
        Self {
            date: timestamp::date(day.day),
            system_volume_available_percent: day.figures.system_volume_available_percent,
            drive_wear_percent: day.figures.drive_wear_percent,
            battery_health_percent: day.figures.battery_health_percent,
            hottest_celsius: day.figures.hottest_celsius,
        }
    }
}

impl DeviceBody {
    fn new(detail: DeviceDetail, recorded: Recorded, policy: &Policy) -> Self {
        let device = detail.device;
        Self {
            id: device.id.0,
            status: device.status,
            serial_number: device.serial_number,
            system_uuid: device.system_uuid,
            manufacturer: device.manufacturer,
            model: device.model,
            chassis: device.chassis,
            asset_tag: device.asset_tag,
            programme: device.programme,
            site: detail.site.map(|site| SiteName {
                id: site.id,
                uai: site.uai,
                name: site.name,
                commune: site.commune,
            }),
            grade: recorded.grade,
            warranty_until: recorded.warranty_until.map(|day| day.to_string()),
            contact_expected: recorded.contact_expected,
            created_at: device.created_at.into(),
            enrolled_at: device.enrolled_at.map(Moment),
            archived_at: device.archived_at.map(Moment),
            archive_reason: device.archive_reason,
            baseline: device.baseline,
            contact: detail.contact.map(ContactBody::from),
            health: detail
                .health
                .map(|health| HealthBody::new(health, [detail.brought_of, detail.reported_by], policy)),
            flags: detail.flags.into_iter().map(FlagBody::from).collect(),
            flag_history: Vec::new(),
            changes: Vec::new(),
            daily: Vec::new(),
        }
    }
}

/// One device with its report, verdicts, flags and history
///
/// Roles: all, within their sites. A device outside them does not exist (404).
#[utoipa::path(get, path = "/v1/devices/{id}", tag = "devices", params(("id" = Uuid, Path, description = "The device")),
    responses((status = 200, body = DeviceBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 404, response = Problem)))]
pub async fn read(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<DeviceBody>, Problem> {
    const UNKNOWN: &str = "There is no device with this id among those you see.";
    let (id, scope) = (DeviceId(id), &bearer.person.scope);
    let mut tx = app.store.read().await?;
    let detail = detail::find(&mut tx, scope, id).await?.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    Problem::check(bearer.person.can(Action::SeeDevices, Object::OfSite(detail.device.site)), UNKNOWN)?;
    let recorded = device_record::of_device(&mut tx, id).await?;
    let mut body = DeviceBody::new(detail, recorded, &app.policy);
    body.programme = programme::visibility(&mut tx, bearer.person.role).await?.filter(body.programme);
    body.flag_history = flag::history_of_device(&mut tx, scope, id).await?.into_iter().map(FlagBody::from).collect();
    body.changes = history::changes_of(&mut tx, scope, id).await?.into_iter().map(ChangeBody::from).collect();
    let from_day = bearer.now.day_number() - DAYS;
    body.daily = history::daily_of(&mut tx, scope, id, from_day).await?.into_iter().map(DayBody::from).collect();
    Ok(Json(body))
}
