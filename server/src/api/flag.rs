//! Flags: what needs a person, and why.

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
    domain::flag::{Evidence, Explanation, FlagCode, Severity},
    store::{
        flag::FlagRow,
        flag_list::{self, FlagSummary, Handling},
    },
};

/// Which flags, by what staff said about them.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HandlingParameter {
    /// Neither acknowledged nor snoozed.
    Waiting,
    /// Acknowledged.
    Acknowledged,
    /// Snoozed until later.
    Snoozed,
    /// All open ones.
    All,
}

impl From<HandlingParameter> for Handling {
    fn from(parameter: HandlingParameter) -> Self {
        match parameter {
            HandlingParameter::Waiting => Self::Waiting,
            HandlingParameter::Acknowledged => Self::Acknowledged,
            HandlingParameter::Snoozed => Self::Snoozed,
            HandlingParameter::All => Self::All,
        }
    }
}

/// Which flags.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FlagsQuery {
    /// By what staff said about them; `waiting` if absent.
    #[param(inline)]
    handling: Option<HandlingParameter>,
    /// Only flags of this rule.
    #[param(inline)]
    code: Option<FlagCode>,
    /// Only flags of this severity or worse.
    #[param(inline)]
    min_severity: Option<Severity>,
    /// Only devices of this site, by its UAI code.
    site: Option<String>,
    /// The value of `next` of the page before.
    after: Option<String>,
    /// Rows on the page, 1 to 200.
    limit: Option<u16>,
}

/// Why a flag stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EvidenceBody {
    /// The statement, in English.
    sentence_en: String,
    /// The statement, in French.
    sentence_fr: String,
    /// What was measured, with its unit.
    value: String,
    /// What it was compared with.
    threshold: Option<String>,
    /// Where the threshold comes from.
    source: String,
    /// When it was measured.
    evidence_at: Option<Moment>,
    /// What would have made the statement surer and was not there.
    missing: Vec<String>,
    /// Value, threshold, source and what is missing, in French.
    in_french: ExplanationBody,
}

/// The parts of the evidence in French.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ExplanationBody {
    /// What was measured, with its unit.
    value: String,
    /// What it was compared with.
    threshold: Option<String>,
    /// Where the threshold comes from.
    source: String,
    /// What would have made the statement surer and was not there.
    missing: Vec<String>,
}

impl From<Evidence> for EvidenceBody {
    fn from(evidence: Evidence) -> Self {
        let Explanation { value, threshold, source, missing } = evidence.in_french;
        Self {
            sentence_en: evidence.sentence_en,
            sentence_fr: evidence.sentence_fr,
            value: evidence.value,
            threshold: evidence.threshold,
            source: evidence.source,
            evidence_at: evidence.evidence_at.map(Moment),
            missing: evidence.missing,
            in_french: ExplanationBody { value, threshold, source, missing },
        }
    }
}

/// A flag of a device.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FlagBody {
    /// Never given to another.
    id: Uuid,
    /// Which rule.
    code: FlagCode,
    /// Which drive, battery or volume; empty where it is about the whole device.
    subject: String,
    /// How much it needs a person.
    severity: Severity,
    /// Since when it stands.
    since: Moment,
    /// When its severity or evidence last changed.
    updated_at: Moment,
    /// When it was cleared; null while it stands.
    cleared_at: Option<Moment>,
    /// Why it stands.
    evidence: EvidenceBody,
    /// When somebody acknowledged it.
    acknowledged_at: Option<Moment>,
    /// Who.
    acknowledged_by: Option<String>,
    /// And why.
    acknowledged_reason: Option<String>,
    /// Until when it is set aside.
    snoozed_until: Option<Moment>,
}

impl From<FlagRow> for FlagBody {
    fn from(row: FlagRow) -> Self {
        let remark = row.acknowledged;
        Self {
            id: row.id,
            code: row.code,
            subject: row.subject,
            severity: row.severity,
            since: row.since.into(),
            updated_at: row.updated_at.into(),
            cleared_at: row.cleared_at.map(Moment),
            evidence: row.evidence.into(),
            acknowledged_at: remark.as_ref().map(|remark| Moment(remark.at)),
            acknowledged_by: remark.as_ref().map(|remark| remark.by.clone()),
            acknowledged_reason: remark.map(|remark| remark.reason),
            snoozed_until: row.snoozed_until.map(Moment),
        }
    }
}

/// A flag with the device it stands on.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FlagLine {
    /// Never given to another.
    id: Uuid,
    /// Which rule.
    code: FlagCode,
    /// How much it needs a person.
    severity: Severity,
    /// Since when it stands.
    since: Moment,
    /// Why it stands.
    evidence: EvidenceBody,
    /// When somebody acknowledged it.
    acknowledged_at: Option<Moment>,
    /// Who.
    acknowledged_by: Option<String>,
    /// Until when it is set aside.
    snoozed_until: Option<Moment>,
    /// The device.
    device: FlaggedDevice,
}

/// The device a flag stands on.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FlaggedDevice {
    /// Its id.
    id: Uuid,
    /// Its serial number.
    serial_number: Option<String>,
    /// Its maker.
    manufacturer: Option<String>,
    /// Its model.
    model: Option<String>,
    /// Its label.
    asset_tag: Option<String>,
    /// The name of its site.
    site_name: Option<String>,
    /// The site's town.
    commune: Option<String>,
}

impl From<FlagSummary> for FlagLine {
    fn from(flag: FlagSummary) -> Self {
        Self {
            id: flag.id,
            code: flag.code,
            severity: flag.severity,
            since: flag.since.into(),
            evidence: flag.evidence.into(),
            acknowledged_at: flag.acknowledged_at.map(Moment),
            acknowledged_by: flag.acknowledged_by,
            snoozed_until: flag.snoozed_until.map(Moment),
            device: FlaggedDevice {
                id: flag.device_id.0,
                serial_number: flag.serial_number,
                manufacturer: flag.manufacturer,
                model: flag.model,
                asset_tag: flag.asset_tag,
                site_name: flag.site_name,
                commune: flag.commune,
            },
        }
    }
}

/// Open flags, worst and newest first
///
/// Roles: all, within their sites.
#[utoipa::path(get, path = "/v1/flags", tag = "flags", params(FlagsQuery), responses(
    (status = 200, body = PageBody<FlagLine>), (status = 400, response = Problem), (status = 401, response = Problem)))]
pub async fn list(
    State(app): State<App>,
    bearer: BearerToken,
    Query(query): Query<FlagsQuery>,
) -> Result<Json<PageBody<FlagLine>>, Problem> {
    Problem::check(bearer.person.can(Action::SeeFlags, Object::OwnScope), "")?;
    let scope = &bearer.person.scope;
    let mut tx = app.store.read().await?;
    let query = flag_list::FlagQuery {
        handling: query.handling.map(Handling::from).unwrap_or_default(),
        code: query.code,
        min_severity: query.min_severity,
        site: site_of(&mut tx, scope, query.site.as_deref()).await?,
        after: page::after(query.after.as_deref())?,
        limit: page::limit(query.limit)?.into(),
    };
    let page = flag_list::list(&mut tx, scope, &query, bearer.now).await?;
    Ok(Json(PageBody::of(page, FlagLine::from)))
}
