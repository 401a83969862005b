//! Labels: for a pasted list, a range, a site or a search, on sheets that shops sell.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    component::Choice,
    document::{maker, pdf},
    error::{Refusal, require},
    i18n::Words,
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    documents::{LabelsWanted, MakeError},
    domain::{
        label::{InvalidList, MAX_LABELS, SheetFormat, wanted},
        scope::Scope,
    },
    store::{
        Tx,
        device_list::DeviceQuery,
        label::{self, Labelled},
        site::{self, SiteRow},
    },
};

/// Unknown codes that are named; of more, how many.
const UNKNOWN_NAMED: usize = 8;

/// What the form holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LabelForm {
    pub(super) codes: String,
    pub(super) site: String,
    pub(super) search: String,
    pub(super) format: String,
    pub(super) start: String,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "labels.html")]
pub(super) struct LabelsPage {
    shell: Shell,
    csrf: String,
    form: LabelForm,
    sites: Vec<Choice>,
    formats: Vec<Choice>,
    most: String,
    problem: Option<String>,
}

impl LabelsPage {
    /// The page with what was typed, and what is wrong with it.
    pub(super) fn new(shell: Shell, sites: &[SiteRow], form: LabelForm, problem: Option<String>) -> Self {
        let words = shell.words;
        let site = |site: &SiteRow| Choice {
            value: site.id.to_string(),
            label: words.with_two("site-named", &site.name, &site.uai),
            selected: site.id.to_string() == form.site,
        };
        let format = |format: &SheetFormat| Choice {
            value: format.as_str().to_owned(),
            label: words.word("sheet", format.as_str()),
            selected: format.as_str() == form.format,
        };
        Self {
            csrf: shell.csrf(),
            sites: sites.iter().map(site).collect(),
            formats: SheetFormat::ALL.iter().map(format).collect(),
            most: words.count("labels-most", i64::try_from(MAX_LABELS).unwrap_or(i64::MAX)),
            problem,
            form,
            shell,
        }
    }
}

/// `GET /labels`
pub(super) async fn form(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(form): Query<LabelForm>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::PrintLabels, Object::OwnScope))?;
    let mut tx = app.store.read().await?;
    show(&mut tx, &signed_in, &visitor, form, None).await
}

async fn show(
    tx: &mut Tx,
    signed_in: &SignedIn,
    visitor: &Visitor,
    form: LabelForm,
    problem: Option<String>,
) -> Result<Response, Refusal> {
    let sites = site::list(tx, &signed_in.person.scope).await?;
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shell = visitor.shell(Section::Labels, visitor.words.say("labels-title"), signed_in);
    Ok(shell::page(status, &LabelsPage::new(shell, &sites, form, problem)))
}

/// `POST /labels`
pub(super) async fn print(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<LabelForm>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::PrintLabels, Object::OwnScope))?;
    let format: SheetFormat = form.format.parse().map_err(|_| Refusal::Nonsense)?;
    let words = visitor.words;
    let mut tx = app.store.read().await?;
    let Some(start) = start(&form.start, format) else {
        let most = i64::from(format.sheet().labels());
        return show(&mut tx, &signed_in, &visitor, form, Some(words.count("labels-problem-start", most))).await;
    };
    let site = site_of(&mut tx, &signed_in, &form).await?;
    let devices = match devices(&mut tx, &signed_in.person.scope, &form, site, words).await? {
        Ok(devices) => devices,
        Err(problem) => return show(&mut tx, &signed_in, &visitor, form, Some(problem)).await,
    };
    drop(tx);
    let wanted =
        LabelsWanted { devices, format, start, site: recorded(&signed_in, &form, site), language: words.language };
    let problem = match app.documents.labels(maker(&app, &signed_in), wanted).await {
        Ok(made) => return Ok(pdf(made)),
        Err(MakeError::Nothing) => words.say("labels-problem-nothing"),
        Err(MakeError::TooMany(_)) => words.say("labels-problem-many"),
        Err(error) => return Err(error.into()),
    };
    let mut tx = app.store.read().await?;
    show(&mut tx, &signed_in, &visitor, form, Some(problem)).await
}

/// The first free place on the first sheet; none where the sheet has no such place.
fn start(text: &str, format: SheetFormat) -> Option<u32> {
    let text = text.trim();
    let start = if text.is_empty() { 1 } else { text.parse().ok()? };
    (1..=format.sheet().labels()).contains(&start).then_some(start)
}

async fn site_of(tx: &mut Tx, signed_in: &SignedIn, form: &LabelForm) -> Result<Option<Uuid>, Refusal> {
    if form.site.is_empty() {
        return Ok(None);
    }
    let id: Uuid = form.site.parse().map_err(|_| Refusal::Nonsense)?;
    Ok(Some(site::find(tx, &signed_in.person.scope, id).await?.ok_or(Refusal::NotFound)?.id))
}

/// The site that the document is recorded for: the one that was chosen, or the only one that the person has.
fn recorded(signed_in: &SignedIn, form: &LabelForm, chosen: Option<Uuid>) -> Option<Uuid> {
    let only = match &signed_in.person.scope {
        Scope::Sites(sites) if sites.len() == 1 => sites.first().copied(),
        Scope::Sites(_) | Scope::Everything => None,
    };
    chosen.filter(|_| form.codes.trim().is_empty()).or(only)
}

/// The devices that the form asks for; or what is wrong with it.
async fn devices(
    tx: &mut Tx,
    scope: &Scope,
    form: &LabelForm,
    site: Option<Uuid>,
    words: Words,
) -> Result<Result<Vec<Labelled>, String>, Refusal> {
    if !form.codes.trim().is_empty() {
        let wanted = match wanted(&form.codes) {
            Ok(wanted) => wanted,
            Err(InvalidList::TooMany) => return Ok(Err(words.say("labels-problem-many"))),
            Err(InvalidList::NoRange(range)) => return Ok(Err(words.with("labels-problem-range", &range))),
        };
        let (found, unknown) = label::of_list(tx, scope, &wanted).await?;
        return Ok(if unknown.is_empty() { Ok(found) } else { Err(not_found(&unknown, words)) });
    }
    let search = Some(form.search.trim().to_owned()).filter(|search| !search.is_empty());
    if site.is_none() && search.is_none() {
        return Ok(Err(words.say("labels-problem-empty")));
    }
    let query = DeviceQuery { search, site, ..DeviceQuery::default() };
    Ok(Ok(label::of_query(tx, scope, &query).await?))
}

fn not_found(unknown: &[String], words: Words) -> String {
    let shorten = |code: &String| code.chars().take(40).collect::<String>();
    let mut named: Vec<String> = unknown.iter().take(UNKNOWN_NAMED).map(shorten).collect();
    if unknown.len() > UNKNOWN_NAMED {
        named.push("…".to_owned());
    }
    words.with("labels-problem-unknown", &named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::language::Language;

    #[test]
    fn a_start_is_a_place_of_the_sheet() {
        let format = SheetFormat::L7160;
        for (text, place) in [("", Some(1)), (" 4 ", Some(4)), ("21", Some(21)), ("0", None), ("22", None), ("x", None)]
        {
            assert_eq!(start(text, format), place, "{text}");
        }
    }

    #[test]
    fn of_many_unknown_codes_some_are_named() {
        let codes: Vec<String> = (0..20).map(|code| format!("CD-{code}")).collect();
        let told = not_found(&codes, Words::of(Language::French));
        assert!(told.contains("CD-7, …") && !told.contains("CD-8"), "{told}");
    }
}
