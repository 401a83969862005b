//! Correcting what staff wrote down about a device: the form on its page, and what becomes of it.

use axum::{
    extract::{Path, State},
    response::{IntoResponse as _, Redirect, Response},
};
use cartable_common::{DeviceId, SerialNumber, Text, limits::MAX_TEXT_CHARS};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    acts::record,
    component::Choice,
    error::{Refusal, require},
    i18n::Words,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    domain::{
        device_record::{ContactExpected, Correction, CorrectionRefused},
        grade::Grade,
        import::cells::Wanted,
        programme::Programme,
    },
    store::{
        Tx,
        device::DeviceRow,
        device_correction::{self, CorrectionError},
        device_record::Recorded,
        programme,
        site::{self, SiteRow},
    },
};

/// What stands for "no programme any more" in the form; nothing means "as it is".
const NO_PROGRAMME: &str = "-";

/// What the form offers, as read with the page.
#[derive(Clone, Debug, Default)]
pub(super) struct Offered {
    pub(super) sites: Vec<SiteRow>,
    pub(super) programmes: Vec<Programme>,
    /// Whether it may be at no site: only for those who see all.
    pub(super) depot: bool,
}

impl Offered {
    /// What this person may choose from.
    pub(super) async fn read(tx: &mut Tx, signed_in: &SignedIn) -> Result<Self, Refusal> {
        let programmes = programme::list(tx).await?.into_iter().filter(|one| one.open).collect();
        let depot = signed_in.person.can(Action::ChangeDevice, Object::OfSite(None)).is_allowed();
        Ok(Self { sites: site::list(tx, &signed_in.person.scope).await?, programmes, depot })
    }
}

/// The form, as the page shows it.
#[derive(Debug)]
pub(super) struct Fields {
    pub(super) sites: Vec<Choice>,
    pub(super) programmes: Vec<Choice>,
    pub(super) grades: Vec<Choice>,
    pub(super) contacts: Vec<Choice>,
    pub(super) warranty: String,
    /// Serial number, maker and model, where no agent says them.
    pub(super) machine: Option<[String; 3]>,
}

/// "No site", for those who see all sites, and the sites.
pub(super) fn site_choices(sites: &[SiteRow], depot: bool, present: &str, words: Words) -> Vec<Choice> {
    let none = Choice { value: String::new(), label: words.say("no-site"), selected: present.is_empty() };
    let sites = super::need::site_choices(sites, present, words);
    depot.then_some(none).into_iter().chain(sites).collect()
}

impl Fields {
    /// The form of this device.
    pub(super) fn new(device: &DeviceRow, recorded: Recorded, offered: &Offered, words: Words) -> Self {
        let choice = |value: &str, label: String, present: &str| Choice {
            value: value.to_owned(),
            label,
            selected: value == present,
        };
        let programme = |one: &Programme| {
            choice(one.code.as_str(), words.with_two("programme-named", one.code.as_str(), &one.name), "")
        };
        let first = [choice("", words.say("device-programme-keep"), ""), choice(NO_PROGRAMME, words.say("none"), "")];
        let grade = recorded.grade.map_or("", Grade::as_str);
        let grades = Grade::ALL.iter().map(|one| choice(one.as_str(), words.word("grade", one.as_str()), grade));
        let expected = recorded.contact_expected.as_str();
        let contacts = ContactExpected::ALL
            .iter()
            .map(|one| choice(one.as_str(), words.word("contact-expected", one.as_str()), expected));
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let machine = [text(&device.serial_number), text(&device.manufacturer), text(&device.model)];
        let site = device.site.map(|id| id.to_string()).unwrap_or_default();
        Self {
            sites: site_choices(&offered.sites, offered.depot || device.site.is_none(), &site, words),
            programmes: first.into_iter().chain(offered.programmes.iter().map(programme)).collect(),
            grades: std::iter::once(choice("", words.say("grade-none"), grade)).chain(grades).collect(),
            contacts: contacts.collect(),
            warranty: recorded.warranty_until.map(|day| day.to_string()).unwrap_or_default(),
            machine: device.enrolled_at.is_none().then_some(machine),
        }
    }
}

/// What the form holds. A field that is not sent stays as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CorrectionForm {
    site: Option<String>,
    programme: Option<String>,
    serial: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    warranty: Option<String>,
    grade: Option<String>,
    contact: Option<String>,
}

/// A field: kept without one, erased by an empty one.
fn wanted<T>(field: Option<&String>, read: impl Fn(&str) -> Option<T>) -> Result<Wanted<T>, Refusal> {
    match field.map(|text| text.trim()) {
        None => Ok(Wanted::Keep),
        Some("") => Ok(Wanted::Erase),
        Some(text) => read(text).map(Wanted::Set).ok_or(Refusal::Nonsense),
    }
}

impl CorrectionForm {
    fn read(&self) -> Result<Correction, Refusal> {
        let named = |text: &str| Text::meaningful(text).filter(|_| text.chars().count() <= MAX_TEXT_CHARS);
        let programme = match self.programme.as_deref().map(str::trim) {
            None | Some("") => Wanted::Keep,
            Some(NO_PROGRAMME) => Wanted::Erase,
            Some(code) => Wanted::Set(code.to_owned()),
        };
        let contact = self.contact.as_deref().map(str::parse::<ContactExpected>).transpose();
        Ok(Correction {
            site: wanted(self.site.as_ref(), |text| text.parse::<Uuid>().ok())?,
            programme,
            serial: wanted(self.serial.as_ref(), SerialNumber::parse)?,
            manufacturer: wanted(self.manufacturer.as_ref(), named)?,
            model: wanted(self.model.as_ref(), named)?,
            warranty_until: wanted(self.warranty.as_ref(), |text| text.parse().ok())?,
            grade: wanted(self.grade.as_ref(), |text| text.parse().ok())?,
            contact_expected: contact.map_err(|_| Refusal::Nonsense)?,
        })
    }
}

/// `POST /devices/{id}/record`
pub(super) async fn correct(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<CorrectionForm>,
) -> Result<Response, Refusal> {
    let id: DeviceId = id.parse().map_err(|_| Refusal::NotFound)?;
    let (person, now) = (&signed_in.person, signed_in.now);
    let mut tx = app.store.write().await?;
    let before = device_correction::held(&mut tx, &person.scope, id).await?.ok_or(Refusal::NotFound)?;
    require(person.can(Action::ChangeDevice, Object::OfSite(before.site)))?;
    let correction = form.read()?;
    let site = correction.site.clone().over(before.site);
    let outcome = if person.can(Action::ChangeDevice, Object::OfSite(site)).is_allowed() {
        device_correction::correct(&mut tx, &person.scope, &before, correction, (&app.policy, now)).await
    } else {
        Err(CorrectionRefused::Site.into())
    };
    match outcome {
        Ok(details) => {
            record(&mut tx, &signed_in, "device.correct", ("device", id.0), details).await?;
            tx.commit().await?;
            Ok(Redirect::to(&format!("/devices/{id}?done=saved")).into_response())
        }
        Err(CorrectionError::Refused(refused)) => {
            Ok(Redirect::to(&format!("/devices/{id}?done=record-{}", refused.code())).into_response())
        }
        Err(CorrectionError::Store(error)) => Err(error.into()),
    }
}
