//! What staff know of a device besides its agent's word: record one without an agent, correct what was recorded.

use axum::{Json, extract::State, http::StatusCode};
use cartable_common::{DeviceId, SerialNumber, Text};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    act::{given, record, wanted},
    extract::{Body, Path},
    loan::day,
    need::{site_id, site_or_none},
    problem::Problem,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        device_record::{ContactExpected, Correction, Typed},
        grade::Grade,
        import::cells::Wanted,
    },
    store::{
        device_correction::{self, CorrectionError},
        device_entry::{self, Entry, EntryError},
    },
};

pub(super) const UNKNOWN: &str = "There is no device with this id among those you see.";

/// A device to record.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDeviceBody {
    /// The maker's serial number. A device has one or an asset tag.
    #[serde(default)]
    serial_number: String,
    /// The label that staff stuck on it.
    #[serde(default)]
    asset_tag: String,
    /// `laptop`, `tablet`, `desktop`…
    kind: String,
    /// The maker.
    #[serde(default)]
    manufacturer: String,
    /// The model.
    #[serde(default)]
    model: String,
    /// UAI code of its site; without one it is in the depot, which only those record who see all sites.
    site: Option<String>,
    /// The code of its programme.
    programme: Option<String>,
    /// The last day of the maker's warranty (`2028-08-31`).
    warranty_until: Option<String>,
    /// What an inspection found.
    grade: Option<Grade>,
    /// Whether an agent will be installed on it; none if absent.
    contact_expected: Option<ContactExpected>,
}

/// The device that was just recorded.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RecordedBody {
    /// Its id.
    id: Uuid,
}

/// What to correct. A field that is absent stays as it is; one that is null is erased.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent and null say different things")]
pub struct CorrectionBody {
    /// UAI code of its site; null for the depot.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    site: Option<Option<String>>,
    /// The code of its programme.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    programme: Option<Option<String>>,
    /// The maker's serial number, where no agent was enrolled.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    serial_number: Option<Option<String>>,
    /// The maker, where no agent was enrolled.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    manufacturer: Option<Option<String>>,
    /// The model, where no agent was enrolled.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    model: Option<Option<String>>,
    /// The last day of the maker's warranty (`2028-08-31`).
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    warranty_until: Option<Option<String>>,
    /// What an inspection found.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Grade>)]
    grade: Option<Option<Grade>>,
    /// Whether an agent is awaited.
    contact_expected: Option<ContactExpected>,
}

/// Record a device that has no agent
///
/// Roles: administrator, programme manager, technician and refurbisher, within their sites.
#[utoipa::path(post, path = "/v1/devices", tag = "devices", request_body = NewDeviceBody, responses(
    (status = 201, body = RecordedBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 422, response = Problem)))]
pub async fn create(
    State(app): State<App>,
    bearer: BearerToken,
    Body(new): Body<NewDeviceBody>,
) -> Result<(StatusCode, Json<RecordedBody>), Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::AddDevice, Object::OwnScope), "")?;
    let typed = Typed {
        serial: &new.serial_number,
        asset_tag: &new.asset_tag,
        kind: &new.kind,
        manufacturer: &new.manufacturer,
        model: &new.model,
    };
    let described = typed.read().map_err(|wrong| Problem::unprocessable(format!("{wrong}.")))?;
    let warranty_until = new.warranty_until.as_deref().map(|text| day("warranty_until", text)).transpose()?;
    let mut tx = app.store.write().await?;
    let site = site_or_none(&mut tx, &bearer, Action::AddDevice, (new.site.as_deref(), "device")).await?;
    let contact_expected = new.contact_expected.unwrap_or(ContactExpected::None);
    let entry = Entry { described, site, programme: new.programme, warranty_until, grade: new.grade, contact_expected };
    let entered = device_entry::enter(&mut tx, &person.scope, entry, (&app.policy, bearer.now)).await;
    let (id, details) = entered.map_err(|error| match error {
        EntryError::Refused(refused) => Problem::unprocessable(format!("{refused}.")),
        EntryError::Store(error) => error.into(),
    })?;
    record(&mut tx, &bearer, "device.create", ("device", id.0), details).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(RecordedBody { id: id.0 })))
}

/// A text as it may be written down; one that says nothing is refused rather than erased.
fn named<T>(field: Wanted<String>, name: &'static str, read: impl Fn(&str) -> Option<T>) -> Result<Wanted<T>, Problem> {
    match field {
        Wanted::Keep => Ok(Wanted::Keep),
        Wanted::Erase => Ok(Wanted::Erase),
        Wanted::Set(text) => {
            let wrong = || Problem::unprocessable(format!("`{name}` is empty, a placeholder, or too long."));
            read(&text).map(Wanted::Set).ok_or_else(wrong)
        }
    }
}

/// Correct the record of a device
///
/// What the agent of an enrolled device says is not corrected, nor anything that contradicts an open loan. Roles:
/// administrator, programme manager, technician and refurbisher, within their sites.
#[utoipa::path(post, path = "/v1/devices/{id}/record", tag = "devices", request_body = CorrectionBody,
    params(("id" = Uuid, Path, description = "The device")), responses((status = 204), (status = 400, response = Problem),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem)))]
pub async fn correct(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<CorrectionBody>,
) -> Result<StatusCode, Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::ChangeDevice, Object::OwnScope), "")?;
    let mut tx = app.store.write().await?;
    let before = device_correction::held(&mut tx, &person.scope, DeviceId(id)).await?;
    let before = before.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    Problem::check(person.can(Action::ChangeDevice, Object::OfSite(before.site)), UNKNOWN)?;
    let site = match wanted(body.site) {
        Wanted::Set(uai) => Wanted::Set(site_id(&mut tx, &bearer, &uai).await?),
        Wanted::Erase => Wanted::Erase,
        Wanted::Keep => Wanted::Keep,
    };
    if !person.can(Action::ChangeDevice, Object::OfSite(site.clone().over(before.site))).is_allowed() {
        return Err(Problem::unprocessable("`site`: only who sees all sites leaves a device without one."));
    }
    let warranty_until = match wanted(body.warranty_until) {
        Wanted::Set(text) => Wanted::Set(day("warranty_until", &text)?),
        Wanted::Erase => Wanted::Erase,
        Wanted::Keep => Wanted::Keep,
    };
    let correction = Correction {
        site,
        programme: wanted(body.programme),
        serial: named(wanted(body.serial_number), "serial_number", SerialNumber::parse)?,
        manufacturer: named(wanted(body.manufacturer), "manufacturer", Text::meaningful)?,
        model: named(wanted(body.model), "model", Text::meaningful)?,
        warranty_until,
        grade: wanted(body.grade),
        contact_expected: body.contact_expected,
    };
    let done = device_correction::correct(&mut tx, &person.scope, &before, correction, (&app.policy, bearer.now)).await;
    let details = done.map_err(|error| match error {
        CorrectionError::Refused(refused) => Problem::unprocessable(format!("Refused: {refused}.")),
        CorrectionError::Store(error) => error.into(),
    })?;
    record(&mut tx, &bearer, "device.correct", ("device", id), details).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
