//! Recording a device that no agent has reported, and letting in the agent that is installed on one later.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use cartable_common::{DeviceId, EnrolmentId, report::Chassis};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    acts::{Bare, device_for, record},
    component::Choice,
    error::{Refusal, require},
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    domain::{
        device::DeviceStatus,
        device_record::{ContactExpected, InvalidDevice, Typed},
        programme::Programme,
    },
    store::{
        Tx,
        device::NewDevice,
        device_record::{self, Recorded},
        enrolment, programme, review,
        site::{self, SiteRow},
    },
};

/// What the form holds, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DeviceForm {
    pub(super) serial: String,
    pub(super) asset_tag: String,
    pub(super) kind: String,
    pub(super) manufacturer: String,
    pub(super) model: String,
    pub(super) site: String,
    pub(super) programme: String,
    pub(super) warranty: String,
    pub(super) agent: Option<String>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "device_new.html")]
pub(super) struct NewDevicePage {
    shell: Shell,
    csrf: String,
    problem: Option<String>,
    kinds: Vec<Choice>,
    sites: Vec<Choice>,
    programmes: Vec<Choice>,
    form: DeviceForm,
}

impl NewDevicePage {
    /// The form, with what was typed and what is wrong with it.
    pub(super) fn new(
        shell: Shell,
        sites: &[SiteRow],
        programmes: &[Programme],
        (form, problem): (DeviceForm, Option<&'static str>),
    ) -> Self {
        let words = shell.words;
        let choice = |value: &str, label: String, present: &str| Choice {
            value: value.to_owned(),
            label,
            selected: value == present,
        };
        let kind = |kind: &Chassis| choice(kind.as_str(), words.word("chassis", kind.as_str()), &form.kind);
        let site = |site: &SiteRow| {
            choice(&site.id.to_string(), words.with_two("site-named", &site.name, &site.uai), &form.site)
        };
        let programme =
            |one: &Programme| choice(one.code.as_str(), format!("{} · {}", one.code, one.name), &form.programme);
        let none = choice("", words.say("none"), &form.programme);
        Self {
            csrf: shell.csrf(),
            problem: problem.map(|key| words.say(key)),
            kinds: Chassis::ALL.iter().map(kind).collect(),
            sites: sites.iter().map(site).collect(),
            programmes: std::iter::once(none).chain(programmes.iter().map(programme)).collect(),
            form,
            shell,
        }
    }
}

const fn problem(wrong: InvalidDevice) -> &'static str {
    match wrong {
        InvalidDevice::Nameless => "device-problem-nameless",
        InvalidDevice::Serial => "device-problem-serial",
        InvalidDevice::AssetTag => "device-problem-asset-tag",
        InvalidDevice::Kind => "device-problem-kind",
        InvalidDevice::Model => "device-problem-model",
    }
}

/// `GET /devices/new`
pub(super) async fn fresh(signed_in: SignedIn, visitor: Visitor, State(app): State<App>) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::AddDevice, Object::OwnScope))?;
    let mut tx = app.store.read().await?;
    let form = DeviceForm { kind: Chassis::Tablet.as_str().to_owned(), ..DeviceForm::default() };
    show(&mut tx, &signed_in, &visitor, StatusCode::OK, (form, None)).await
}

async fn show(
    tx: &mut Tx,
    signed_in: &SignedIn,
    visitor: &Visitor,
    status: StatusCode,
    typed: (DeviceForm, Option<&'static str>),
) -> Result<Response, Refusal> {
    let sites = site::list(tx, &signed_in.person.scope).await?;
    let programmes: Vec<Programme> = programme::list(tx).await?.into_iter().filter(|one| one.open).collect();
    let shell = visitor.shell(Section::Devices, visitor.words.say("device-new"), signed_in);
    Ok(shell::page(status, &NewDevicePage::new(shell, &sites, &programmes, typed)))
}

/// `POST /devices`
pub(super) async fn create(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<DeviceForm>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::AddDevice, Object::OwnScope))?;
    let mut tx = app.store.write().await?;
    match try_create(&mut tx, &app, &signed_in, &form).await? {
        Ok(id) => {
            tx.commit().await?;
            Ok(Redirect::to(&format!("/devices/{id}?done=saved")).into_response())
        }
        Err(wrong) => {
            drop(tx);
            let mut tx = app.store.read().await?;
            show(&mut tx, &signed_in, &visitor, StatusCode::UNPROCESSABLE_ENTITY, (form, Some(wrong))).await
        }
    }
}

/// The new device's id, or the word for what is wrong.
async fn try_create(
    tx: &mut Tx,
    app: &App,
    signed_in: &SignedIn,
    form: &DeviceForm,
) -> Result<Result<DeviceId, &'static str>, Refusal> {
    let DeviceForm { serial, asset_tag, kind, manufacturer, model, .. } = form;
    let described = match (Typed { serial, asset_tag, kind, manufacturer, model }).read() {
        Ok(described) => described,
        Err(wrong) => return Ok(Err(problem(wrong))),
    };
    let scope = &signed_in.person.scope;
    let Ok(site) = form.site.parse::<Uuid>() else { return Ok(Err("token-problem-site")) };
    if site::find(tx, scope, site).await?.is_none() {
        return Ok(Err("token-problem-site"));
    }
    require(signed_in.person.can(Action::AddDevice, Object::OfSite(Some(site))))?;
    let warranty_until = match form.warranty.trim() {
        "" => None,
        text => match text.parse::<Date>() {
            Ok(day) => Some(day),
            Err(_) => return Ok(Err("device-problem-warranty")),
        },
    };
    let programme = match form.programme.trim() {
        "" => None,
        code => match programme::find_by_code(tx, &code.parse().map_err(|_| Refusal::Nonsense)?).await? {
            Some(found) => Some(found.code.to_string()),
            None => return Ok(Err("device-problem-programme")),
        },
    };
    if enrolment::is_hardware_known(tx, &described.hardware).await? {
        return Ok(Err("device-problem-known"));
    }
    let (expected, status) = match form.agent {
        Some(_) => (ContactExpected::Agent, DeviceStatus::Pending),
        None => (ContactExpected::None, DeviceStatus::Active),
    };
    let id = DeviceId(Uuid::now_v7());
    let new = NewDevice {
        id,
        status,
        hardware: described.hardware,
        asset_tag: described.asset_tag,
        programme,
        site: Some(site),
        enrolled_at: None,
    };
    let recorded = Recorded { contact_expected: expected, warranty_until };
    match device_record::insert(tx, &new, recorded, signed_in.now).await {
        Err(error) if error.is_duplicate_of("asset_tag") => return Ok(Err("device-asset-tag-taken")),
        other => other?,
    }
    review::device(tx, id, &app.policy, signed_in.now).await?;
    // Not the programme: the audit is read by roles that may not know who is in it.
    let details = json!({ "site": site, "contact_expected": expected.as_str(), "asset_tag": new.asset_tag });
    record(tx, signed_in, "device.create", ("device", id.0), details).await?;
    Ok(Ok(id))
}

/// `POST /devices/{id}/enrolments/{enrolment}/approve`: lets in the agent that was installed on a device known already.
pub(super) async fn approve(
    State(app): State<App>,
    Path((id, enrolment)): Path<(String, String)>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    let enrolment: EnrolmentId = enrolment.parse().map_err(|_| Refusal::NotFound)?;
    let mut tx = app.store.write().await?;
    let found = device_for(&mut tx, &signed_in, &id, Action::AdmitDevice).await?;
    let waiting = enrolment::pending(&mut tx, &signed_in.person.scope).await?;
    let is_its_own = waiting.iter().any(|one| one.enrolment == enrolment && one.device == found.id);
    if !is_its_own || !enrolment::approve(&mut tx, enrolment, signed_in.now).await? {
        return Err(Refusal::NotFound);
    }
    review::device(&mut tx, found.id, &app.policy, signed_in.now).await?;
    let details = json!({ "device": found.id });
    record(&mut tx, &signed_in, "enrolment.approve", ("enrolment", enrolment.0), details).await?;
    tx.commit().await?;
    Ok(Redirect::to(&format!("/devices/{}?done=saved", found.id)).into_response())
}
