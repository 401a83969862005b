//! What scripts do about lots of donation: put them together, value their units, approve what others put
//! together, print, hand over. None of these calls makes a device change owner but the last, and only as a whole.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use cartable_common::DeviceId;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    act::{clerk, record},
    document::{maker, pdf},
    donation::{LotBody, UNKNOWN, named},
    extract::{Body, Path},
    problem::Problem,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    documents::LotPaper,
    domain::{
        document::DocumentNumber,
        donation::{
            MAX_UNITS,
            entry::{InvalidEntry, TermsEntry, ValueEntry},
        },
        language::Language,
    },
    store::{
        donation_approval,
        donation_delivery::{self, HandOver},
        donation_line::{self, Valued},
        donation_lot::{self, LotError, LotRefused},
    },
};

impl From<LotError> for Problem {
    fn from(error: LotError) -> Self {
        match error {
            LotError::Store(error) => error.into(),
            LotError::Refused(LotRefused::NoLot) => Self::not_found(UNKNOWN),
            LotError::Refused(LotRefused::NotListed) => Self::not_found("This device is not in this lot."),
            LotError::Refused(refused) => Self::unprocessable(format!("Refused: {refused}.")),
        }
    }
}

impl From<InvalidEntry> for Problem {
    fn from(invalid: InvalidEntry) -> Self {
        Self::unprocessable(format!("Refused: {invalid}."))
    }
}

/// A lot's name and terms. A draft may lack anything but its name.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TermsBody {
    /// What people call it.
    name: String,
    /// The recipient's id.
    recipient: Option<Uuid>,
    /// The legal basis: see docs/donation.md. `families_by_deliberation`: families are not among the recipients of CG3P
    /// L. 3212-2; a direct gift needs another basis, which the deliberation must establish. Verify with counsel before
    /// approving.
    #[schema(example = "associations")]
    basis: Option<String>,
    /// The number of the deliberation; needed for gifts to families.
    deliberation_number: Option<String>,
    /// Its day.
    #[schema(example = "2026-10-16")]
    deliberation_day: Option<String>,
}

impl From<TermsBody> for TermsEntry {
    fn from(body: TermsBody) -> Self {
        Self {
            name: body.name,
            recipient: body.recipient.map(|id| id.to_string()).unwrap_or_default(),
            basis: body.basis.unwrap_or_default(),
            deliberation_number: body.deliberation_number.unwrap_or_default(),
            deliberation_day: body.deliberation_day.unwrap_or_default(),
        }
    }
}

/// Devices to add.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DevicesBody {
    /// At most 300 in a lot.
    devices: Vec<Uuid>,
}

/// What a unit is worth, and how anybody knows.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueBody {
    /// The device; all units without a value if absent.
    device: Option<Uuid>,
    /// Euros.
    #[schema(example = "85.00")]
    value: String,
    /// `market`, `book`, `appraisal` or `comparable`.
    estimation: String,
    /// On what it rests: offers seen, the invoice, who appraised it.
    note: String,
}

/// How a lot was handed over.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryBody {
    /// The day on which the recipient took the devices: between the approval and today.
    #[schema(example = "2026-11-29")]
    day: String,
    /// The number of the deed that was signed.
    #[schema(example = "DON-2026-000001")]
    deed: String,
}

/// Devices that changed owner.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct DeliveredBody {
    /// How many.
    devices: usize,
}

/// Which paper of a lot.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LotDocument {
    /// The deed of the hand-over; of an approved lot.
    Deed,
    /// The packing list.
    PackingList,
}

/// A paper to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LotDocumentBody {
    /// What it is.
    kind: LotDocument,
    /// `fr` or `en`; French if absent.
    language: Option<String>,
}

fn may(bearer: &BearerToken, action: Action) -> Result<(), Problem> {
    Problem::check(bearer.person.can(action, Object::Programme), "")
}

/// Begin a lot
///
/// Whoever begins or changes a lot cannot approve it. Roles: administrator, programme manager, refurbisher, who see all
/// sites.
#[utoipa::path(post, path = "/v1/donation-lots", tag = "donations", request_body = TermsBody, responses(
    (status = 201, body = LotBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 422, response = Problem)))]
pub async fn create(
    State(app): State<App>,
    bearer: BearerToken,
    Body(body): Body<TermsBody>,
) -> Result<(StatusCode, Json<LotBody>), Problem> {
    may(&bearer, Action::PrepareDonation)?;
    let (name, terms) = TermsEntry::from(body).read()?;
    let mut tx = app.store.write().await?;
    let id = donation_lot::create(&mut tx, &name, &terms, bearer.person.id, bearer.now).await?;
    let details = json!({ "name": name, "recipient": terms.recipient, "basis": terms.basis });
    record(&mut tx, &bearer, "donation_lot.create", ("donation_lot", id), details).await?;
    let lot = named(&mut tx, id).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(lot.into())))
}

/// Change the name and the terms of a draft
///
/// Roles: administrator, programme manager, refurbisher, who see all sites.
#[utoipa::path(put, path = "/v1/donation-lots/{id}", tag = "donations", request_body = TermsBody,
    params(("id" = Uuid, Path, description = "The lot")), responses((status = 200, body = LotBody),
    (status = 400, response = Problem), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn set_terms(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<TermsBody>,
) -> Result<Json<LotBody>, Problem> {
    may(&bearer, Action::PrepareDonation)?;
    let (name, terms) = TermsEntry::from(body).read()?;
    let mut tx = app.store.write().await?;
    donation_lot::set_terms(&mut tx, id, (&name, &terms), bearer.person.id, bearer.now).await?;
    let details = json!({ "name": name, "recipient": terms.recipient, "basis": terms.basis });
    record(&mut tx, &bearer, "donation_lot.set_terms", ("donation_lot", id), details).await?;
    let lot = named(&mut tx, id).await?;
    tx.commit().await?;
    Ok(Json(lot.into()))
}

/// Add devices to a draft: all or none
///
/// Roles: administrator, programme manager, refurbisher, who see all sites.
#[utoipa::path(post, path = "/v1/donation-lots/{id}/units", tag = "donations", request_body = DevicesBody,
    params(("id" = Uuid, Path, description = "The lot")), responses((status = 204), (status = 400, response = Problem),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem)))]
pub async fn add(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<DevicesBody>,
) -> Result<StatusCode, Problem> {
    may(&bearer, Action::PrepareDonation)?;
    if body.devices.is_empty() || body.devices.len() > MAX_UNITS {
        return Err(Problem::unprocessable(format!("`devices` has 1 to {MAX_UNITS} ids.")));
    }
    let devices: Vec<DeviceId> = body.devices.iter().copied().map(DeviceId).collect();
    let mut tx = app.store.write().await?;
    donation_line::add(&mut tx, id, &devices, bearer.person.id, bearer.now).await?;
    record(&mut tx, &bearer, "donation_lot.add", ("donation_lot", id), json!({ "devices": body.devices })).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a device out of a draft
///
/// Roles: administrator, programme manager, refurbisher, who see all sites.
#[utoipa::path(delete, path = "/v1/donation-lots/{id}/units/{device}", tag = "donations",
    params(("id" = Uuid, Path, description = "The lot"), ("device" = Uuid, Path, description = "The device")), responses(
    (status = 204), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn remove(
    State(app): State<App>,
    bearer: BearerToken,
    Path((id, device)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    may(&bearer, Action::PrepareDonation)?;
    let mut tx = app.store.write().await?;
    donation_line::remove(&mut tx, id, DeviceId(device), bearer.person.id, bearer.now).await?;
    record(&mut tx, &bearer, "donation_lot.remove", ("donation_lot", id), json!({ "device": device })).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Say what units of a draft are worth
///
/// Roles: administrator, programme manager, refurbisher, who see all sites.
#[utoipa::path(post, path = "/v1/donation-lots/{id}/value", tag = "donations", request_body = ValueBody,
    params(("id" = Uuid, Path, description = "The lot")), responses((status = 204), (status = 400, response = Problem),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem)))]
pub async fn value(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<ValueBody>,
) -> Result<StatusCode, Problem> {
    may(&bearer, Action::PrepareDonation)?;
    let valuation = ValueEntry { value: body.value, estimation: body.estimation, note: body.note }.read()?;
    let valued = body.device.map_or(Valued::AllWithout, |device| Valued::One(DeviceId(device)));
    let mut tx = app.store.write().await?;
    let by = (bearer.person.id, bearer.person.login.as_str());
    let units = donation_line::value(&mut tx, id, (valued, &valuation), by, bearer.now).await?;
    let details = json!({
        "device": body.device, "units": units, "value": valuation.value.to_string(),
        "estimation": valuation.estimation,
    });
    record(&mut tx, &bearer, "donation_lot.value", ("donation_lot", id), details).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Approve a lot that others put together
///
/// Refused while anything is missing for any unit, and to everybody who began or changed it. Roles: administrator,
/// programme manager, who see all sites.
#[utoipa::path(post, path = "/v1/donation-lots/{id}/approve", tag = "donations",
    params(("id" = Uuid, Path, description = "The lot")), responses((status = 200, body = LotBody),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem)))]
pub async fn approve(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<LotBody>, Problem> {
    may(&bearer, Action::ApproveDonation)?;
    let mut tx = app.store.write().await?;
    donation_approval::approve(&mut tx, id, bearer.person.id, clerk(&app, &bearer)).await?;
    let lot = named(&mut tx, id).await?;
    tx.commit().await?;
    Ok(Json(lot.into()))
}

/// Record that an approved lot was handed over: its devices change owner
///
/// All of them or none: everything is looked at once more. Their keys end, their agents are told at their next contact to
/// remove themselves, what links them to borrowers is erased, and they are archived. This is final. Roles: administrator,
/// programme manager, refurbisher, who see all sites.
#[utoipa::path(post, path = "/v1/donation-lots/{id}/deliver", tag = "donations", request_body = DeliveryBody,
    params(("id" = Uuid, Path, description = "The lot")), responses((status = 200, body = DeliveredBody),
    (status = 400, response = Problem), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn deliver(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<DeliveryBody>,
) -> Result<Json<DeliveredBody>, Problem> {
    may(&bearer, Action::PrepareDonation)?;
    let day: Date = body.day.parse().map_err(|_| Problem::unprocessable("`day` is a day such as 2026-11-29."))?;
    let deed: DocumentNumber =
        body.deed.parse().map_err(|error| Problem::unprocessable(format!("`deed`: {error}.")))?;
    let mut tx = app.store.write().await?;
    let hand_over = HandOver { day, deed };
    let devices = donation_delivery::deliver(&mut tx, id, bearer.person.id, hand_over, clerk(&app, &bearer)).await?;
    tx.commit().await?;
    Ok(Json(DeliveredBody { devices }))
}

/// Give up a lot that was not handed over: its devices are free again
///
/// Roles: administrator, programme manager, refurbisher, who see all sites.
#[utoipa::path(post, path = "/v1/donation-lots/{id}/drop", tag = "donations",
    params(("id" = Uuid, Path, description = "The lot")), responses((status = 204), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn give_up(State(app): State<App>, bearer: BearerToken, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    may(&bearer, Action::PrepareDonation)?;
    let mut tx = app.store.write().await?;
    donation_lot::drop_lot(&mut tx, id, bearer.now).await?;
    record(&mut tx, &bearer, "donation_lot.drop", ("donation_lot", id), json!({})).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make the deed or the packing list of a lot
///
/// Answers the PDF (PDF/A-2a, PDF/UA-1); its number is the file's name in Content-Disposition, and is given when the
/// hand-over is recorded. Roles: administrator, programme manager, refurbisher, who see all sites.
#[utoipa::path(post, path = "/v1/donation-lots/{id}/documents", tag = "donations", request_body = LotDocumentBody,
    params(("id" = Uuid, Path, description = "The lot")), responses(
    (status = 201, content_type = "application/pdf", body = Vec<u8>), (status = 400, response = Problem),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem)))]
pub async fn documents(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<LotDocumentBody>,
) -> Result<Response, Problem> {
    may(&bearer, Action::PrepareDonation)?;
    let language = match body.language.as_deref() {
        None => Language::French,
        Some(text) => text.parse().map_err(|_| Problem::unprocessable("`language` is fr or en."))?,
    };
    let paper = match body.kind {
        LotDocument::Deed => LotPaper::Deed,
        LotDocument::PackingList => LotPaper::PackingList,
    };
    Ok(pdf(app.documents.of_lot(maker(&app, &bearer), (id, paper), language, &app.policy).await?))
}
