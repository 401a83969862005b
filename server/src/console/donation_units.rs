//! What people do about the units of a lot of donation: add them, take them out, value them.

use axum::{
    extract::{Path, State},
    response::Response,
};
use cartable_common::DeviceId;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    acts::record,
    donation::Typed,
    donation_acts::{done, invalid, refused, told},
    error::{Refusal, parsed, require},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object},
    domain::{
        donation::{MAX_UNITS, entry::ValueEntry},
        scope::Scope,
    },
    store::{
        device_code::{self, Found as Code},
        donation_line::{self, Valued},
        donation_lot::LotRefused,
    },
};

/// Labels or serial numbers, one on a line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AddForm {
    codes: String,
}

/// `POST /lots/{id}/add`
pub(super) async fn add(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<AddForm>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::PrepareDonation, Object::Programme))?;
    let id: Uuid = parsed(&id)?;
    let words = visitor.words;
    let typed = || Typed { codes: form.codes.clone(), ..Typed::default() };
    let codes: Vec<&str> = form.codes.lines().map(str::trim).filter(|code| !code.is_empty()).collect();
    // Nothing is added, so whoever pressed the button has not helped to put the lot together and may still approve it.
    if codes.is_empty() {
        return refused(&signed_in, &visitor, &app, id, (words.say("lot-no-codes"), typed())).await;
    }
    if codes.len() > MAX_UNITS {
        let problem = words.word("lot-problem", LotRefused::TooMany.code());
        return refused(&signed_in, &visitor, &app, id, (problem, typed())).await;
    }
    let mut tx = app.store.write().await?;
    let mut devices = Vec::with_capacity(codes.len());
    for code in codes {
        match device_code::find(&mut tx, &Scope::Everything, code).await? {
            Code::One(row) => devices.push(row.id),
            Code::Nothing | Code::Several => {
                drop(tx);
                let problem = words.with("lot-unknown-code", code);
                return refused(&signed_in, &visitor, &app, id, (problem, typed())).await;
            }
        }
    }
    if let Err(error) = donation_line::add(&mut tx, id, &devices, person.id, signed_in.now).await {
        drop(tx);
        return refused(&signed_in, &visitor, &app, id, (told(error, words)?, typed())).await;
    }
    record(&mut tx, &signed_in, "donation_lot.add", ("donation_lot", id), json!({ "devices": devices })).await?;
    tx.commit().await?;
    Ok(done(id))
}

/// One unit of a lot.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct UnitForm {
    device: String,
}

/// `POST /lots/{id}/remove`
pub(super) async fn remove(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<UnitForm>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::PrepareDonation, Object::Programme))?;
    let (id, device): (Uuid, DeviceId) = (parsed(&id)?, parsed(&form.device)?);
    let mut tx = app.store.write().await?;
    if let Err(error) = donation_line::remove(&mut tx, id, device, person.id, signed_in.now).await {
        drop(tx);
        let problem = told(error, visitor.words)?;
        return refused(&signed_in, &visitor, &app, id, (problem, Typed::default())).await;
    }
    record(&mut tx, &signed_in, "donation_lot.remove", ("donation_lot", id), json!({ "device": device })).await?;
    tx.commit().await?;
    Ok(done(id))
}

/// What units are worth.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ValueForm {
    /// A device; empty for all units without a value.
    device: String,
    value: String,
    estimation: String,
    note: String,
}

/// `POST /lots/{id}/value`
pub(super) async fn value(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<ValueForm>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::PrepareDonation, Object::Programme))?;
    let id: Uuid = parsed(&id)?;
    let valued = match form.device.as_str() {
        "" => Valued::AllWithout,
        device => Valued::One(parsed(device)?),
    };
    let entry = ValueEntry { value: form.value, estimation: form.estimation, note: form.note };
    let valuation = match entry.read() {
        Ok(valuation) => valuation,
        Err(wrong) => {
            let typed = Typed { value: entry, ..Typed::default() };
            return refused(&signed_in, &visitor, &app, id, (invalid(wrong, visitor.words), typed)).await;
        }
    };
    let mut tx = app.store.write().await?;
    let by = (person.id, person.login.as_str());
    let units = match donation_line::value(&mut tx, id, (valued, &valuation), by, signed_in.now).await {
        Ok(units) => units,
        Err(error) => {
            drop(tx);
            let typed = Typed { value: entry, ..Typed::default() };
            return refused(&signed_in, &visitor, &app, id, (told(error, visitor.words)?, typed)).await;
        }
    };
    let device = if let Valued::One(device) = valued { Some(device) } else { None };
    let details = json!({
        "device": device, "units": units, "value": valuation.value.to_string(), "estimation": valuation.estimation,
    });
    record(&mut tx, &signed_in, "donation_lot.value", ("donation_lot", id), details).await?;
    tx.commit().await?;
    Ok(done(id))
}
