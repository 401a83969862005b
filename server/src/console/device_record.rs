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
    device_correction::site_choices,
    error::{Refusal, require},
    loan_acts::clerk,
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    domain::{
        device_record::{ContactExpected, InvalidDevice, Typed},
        programme::Programme,
    },
    store::{
        Tx, approval,
        device_entry::{self, Entry, EntryError, EntryRefused},
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
        (sites, depot): (&[SiteRow], bool),
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
        let programme =
            |one: &Programme| choice(one.code.as_str(), format!("{} · {}", one.code, one.name), &form.programme);
        let none = choice("", words.say("none"), &form.programme);
        Self {
            csrf: shell.csrf(),
            problem: problem.map(|key| words.say(key)),
            kinds: Chassis::ALL.iter().map(kind).collect(),
            sites: site_choices(sites, depot, &form.site, words),
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
    let depot = signed_in.person.can(Action::AddDevice, Object::OfSite(None)).is_allowed();
    Ok(shell::page(status, &NewDevicePage::new(shell, (&sites, depot), &programmes, typed)))
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
    let site = match form.site.trim() {
        "" => None,
        text => match text.parse::<Uuid>() {
            Ok(site) => Some(site),
            Err(_) => return Ok(Err("token-problem-site")),
        },
    };
    if !signed_in.person.can(Action::AddDevice, Object::OfSite(site)).is_allowed() {
        return Ok(Err("token-problem-site"));
    }
    let warranty_until = match form.warranty.trim() {
        "" => None,
        text => match text.parse::<Date>() {
            Ok(day) => Some(day),
            Err(_) => return Ok(Err("device-problem-warranty")),
        },
    };
    let programme = Some(form.programme.trim()).filter(|code| !code.is_empty()).map(str::to_owned);
    let contact_expected = if form.agent.is_some() { ContactExpected::Agent } else { ContactExpected::None };
    let entry = Entry { described, site, programme, warranty_until, grade: None, contact_expected };
    let (scope, now) = (&signed_in.person.scope, signed_in.now);
    let (id, details) = match device_entry::enter(tx, scope, entry, (&app.policy, now)).await {
        Ok(entered) => entered,
        Err(EntryError::Refused(refused)) => return Ok(Err(refused_entry(refused))),
        Err(EntryError::Store(error)) => return Err(error.into()),
    };
    record(tx, signed_in, "device.create", ("device", id.0), details).await?;
    Ok(Ok(id))
}

const fn refused_entry(refused: EntryRefused) -> &'static str {
    match refused {
        EntryRefused::Site => "token-problem-site",
        EntryRefused::Programme => "device-problem-programme",
        EntryRefused::Known => "device-problem-known",
        EntryRefused::AssetTag => "device-asset-tag-taken",
    }
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
    approval::record_lifted(&mut tx, clerk(&app, &signed_in), found.id, found.status).await?;
    tx.commit().await?;
    Ok(Redirect::to(&format!("/devices/{}?done=saved", found.id)).into_response())
}
