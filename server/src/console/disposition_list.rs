//! What the fleet should become: counts by disposition, site and programme, and the list behind them.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use cartable_common::UtcMillis;
use serde::Deserialize;

use super::{
    advice,
    component::{Badge, Choice, Pager, Tone, When},
    device_list::{Nonsense, Select, address, device_name, model_name, optional},
    download::Downloads,
    error::{Refusal, require},
    format,
    i18n::Words,
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, Object, SignedIn},
    domain::{
        disposition::{Confidence, Disposition, is_advised},
        fitness::{euros, months_said},
        loan::LendingState,
        programme::Visibility,
    },
    store::{
        advice_list::{self, AdviceQuery, AdviceSummary, Count},
        page::{Cursor, CursorKey, Page},
        programme,
    },
};

/// The list's address; empty values mean "any".
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) disposition: String,
    pub(super) confidence: String,
    pub(super) lending: String,
    pub(super) site: String,
    pub(super) programme: String,
    pub(super) after: String,
}

impl Asked {
    /// The query, if all of it makes sense and its programme is one whose members the reader may know.
    pub(super) fn query(&self, visibility: &Visibility) -> Result<AdviceQuery, Nonsense> {
        let after: Option<Cursor> = optional(&self.after)?;
        if after.as_ref().is_some_and(|cursor| !matches!(cursor.key, CursorKey::Text(_))) {
            return Err(Nonsense);
        }
        let programme: Option<String> = optional(&self.programme)?;
        if programme.as_deref().is_some_and(|code| !visibility.shows(code) || code.contains('\0')) {
            return Err(Nonsense);
        }
        Ok(AdviceQuery {
            disposition: optional(&self.disposition)?,
            confidence: optional(&self.confidence)?,
            lending: optional(&self.lending)?,
            site: optional(&self.site)?,
            programme,
            after,
            limit: 0,
        })
    }

    fn parts(&self) -> [(&'static str, &str); 5] {
        [
            ("disposition", &self.disposition),
            ("confidence", &self.confidence),
            ("lending", &self.lending),
            ("site", &self.site),
            ("programme", &self.programme),
        ]
    }

    fn address(&self, path: &str) -> String {
        address(path, &self.parts())
    }
}

#[derive(Debug)]
struct Figure {
    tone: Tone,
    value: String,
    label: String,
    hint: String,
    href: String,
}

/// A site's or a programme's counts: a cell for each disposition, in their order.
#[derive(Debug)]
struct Row {
    name: String,
    cells: Vec<(String, Option<String>, String)>,
}

#[derive(Debug)]
struct Group {
    id: &'static str,
    title: String,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Line {
    href: String,
    name: String,
    tag: Option<String>,
    model: String,
    site: Option<String>,
    lending: String,
    disposition: Badge,
    confidence: Badge,
    cost: String,
    value: String,
    months: String,
    evidence: Option<When>,
}

/// What was read for the page.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) page: Page<AdviceSummary>,
    pub(super) counts: Vec<Count>,
    pub(super) programmes: Vec<String>,
    pub(super) visibility: Visibility,
    pub(super) oldest: Option<UtcMillis>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "dispositions.html")]
pub(super) struct DispositionsPage {
    shell: Shell,
    oldest: Option<When>,
    figures: Vec<Figure>,
    groups: Vec<Group>,
    heads: Vec<String>,
    selects: Vec<Select>,
    filtered: bool,
    rows: Vec<Line>,
    pager: Pager,
    downloads: Downloads,
}

impl DispositionsPage {
    /// The page for what was asked and read.
    pub(super) fn new(shell: Shell, asked: &Asked, query: &AdviceQuery, read: Read, now: UtcMillis) -> Self {
        let words = shell.words;
        let pager =
            Pager::new(&read.page, "devices-found", &asked.address("/dispositions"), query.after.as_ref(), words);
        Self {
            oldest: read.oldest.map(|at| When::relative(at, now, words)),
            figures: figures(&read.counts, words),
            groups: groups(&read, words),
            heads: Disposition::ALL.iter().map(|one| words.word("disposition", one.as_str())).collect(),
            selects: selects(asked, &read, words),
            filtered: asked.parts().iter().any(|(_, value)| !value.is_empty()),
            rows: read.page.rows.into_iter().map(|one| line(one, now, words)).collect(),
            pager,
            downloads: Downloads::new("/exports/dispositions", |path| asked.address(path), words),
            shell,
        }
    }
}

fn figures(counts: &[Count], words: Words) -> Vec<Figure> {
    let figure = |disposition: &Disposition| {
        let of = || counts.iter().filter(|count| count.disposition == *disposition);
        let cost = u32::try_from(of().map(|count| count.cost_euros).sum::<i64>()).unwrap_or(u32::MAX);
        Figure {
            tone: (*disposition).into(),
            value: format::number(of().map(|count| count.devices).sum(), words.language),
            label: words.word("disposition", disposition.as_str()),
            hint: words.with("dispositions-cost", &words.said(&euros(cost))),
            href: format!("/dispositions?disposition={disposition}"),
        }
    };
    Disposition::ALL.iter().map(figure).collect()
}

/// Counts by site and by programme. Devices of programmes whose members the reader may not know stand together.
fn groups(read: &Read, words: Words) -> Vec<Group> {
    let mut by_site: BTreeMap<(String, String), BTreeMap<Disposition, i64>> = BTreeMap::new();
    let mut by_programme: BTreeMap<(String, String), BTreeMap<Disposition, i64>> = BTreeMap::new();
    for count in &read.counts {
        let site = count
            .site
            .as_ref()
            .map_or_else(|| (words.say("no-site"), String::new()), |(id, name)| (name.clone(), format!("site={id}")));
        *by_site.entry(site).or_default().entry(count.disposition).or_default() += count.devices;
        let programme = read.visibility.filter(count.programme.clone()).map_or_else(
            || (words.say("programme-not-shown"), String::new()),
            |code| (code.clone(), address("", &[("programme", code.as_str())]).trim_matches(['?', '&']).to_owned()),
        );
        *by_programme.entry(programme).or_default().entry(count.disposition).or_default() += count.devices;
    }
    let group = |id, key: &str, rows: BTreeMap<(String, String), BTreeMap<Disposition, i64>>| Group {
        id,
        title: words.say(key),
        rows: rows.into_iter().map(|((name, part), cells)| row(name, &part, &cells, words)).collect(),
    };
    vec![
        group("by-programme", "dispositions-by-programme", by_programme),
        group("by-site", "dispositions-by-site", by_site),
    ]
}

fn row(name: String, part: &str, cells: &BTreeMap<Disposition, i64>, words: Words) -> Row {
    let cell = |disposition: &Disposition| {
        let count = cells.get(disposition).copied().unwrap_or_default();
        let href = (count > 0 && !part.is_empty()).then(|| format!("/dispositions?disposition={disposition}&{part}"));
        (format::number(count, words.language), href, words.word("disposition", disposition.as_str()))
    };
    Row { name, cells: Disposition::ALL.iter().map(cell).collect() }
}

fn selects(asked: &Asked, read: &Read, words: Words) -> Vec<Select> {
    let dispositions: Vec<&str> = Disposition::ALL.iter().map(|one| one.as_str()).collect();
    let confidences: Vec<&str> = Confidence::ALL.iter().map(|one| one.as_str()).collect();
    let states: Vec<&str> =
        LendingState::ALL.iter().filter(|state| is_advised(**state)).map(|state| state.as_str()).collect();
    let any = |selected: bool| Choice { value: String::new(), label: words.say("any"), selected };
    let choice = |value: &str, label: &str, present: &str| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        selected: value == present,
    };
    let named: BTreeSet<(String, String)> = read
        .counts
        .iter()
        .filter_map(|count| count.site.as_ref().map(|(id, name)| (name.clone(), id.to_string())))
        .collect();
    let sites = named.iter().map(|(name, id)| choice(id, name, &asked.site));
    let programmes = read.programmes.iter().map(|code| choice(code, code, &asked.programme));
    vec![
        Select::new("disposition", "dispositions-what", "disposition", &dispositions, &asked.disposition, words),
        Select::new("confidence", "dispositions-confidence", "confidence", &confidences, &asked.confidence, words),
        Select::new("lending", "dispositions-lending", "lending", &states, &asked.lending, words),
        Select {
            name: "site",
            label: words.say("devices-site"),
            choices: std::iter::once(any(asked.site.is_empty())).chain(sites).collect(),
        },
        Select {
            name: "programme",
            label: words.say("token-programme"),
            choices: std::iter::once(any(asked.programme.is_empty())).chain(programmes).collect(),
        },
    ]
}

fn line(one: AdviceSummary, now: UtcMillis, words: Words) -> Line {
    let money = |amount: i64| words.said(&euros(u32::try_from(amount).unwrap_or_default()));
    Line {
        href: format!("/devices/{}#advice", one.device),
        name: device_name(one.serial_number.as_deref(), one.asset_tag.as_deref(), one.device),
        tag: one.asset_tag.filter(|_| one.serial_number.is_some()),
        model: model_name(one.manufacturer.as_deref(), one.model.as_deref(), words),
        site: one.site.map(|(_, name)| name),
        lending: words.word("lending", one.lending.as_str()),
        disposition: advice::disposition(one.disposition, one.confidence, words),
        confidence: advice::confidence(one.confidence, words),
        cost: money(one.cost_euros),
        value: words.with_two("advice-limit", &words.say("advice-value"), &money(one.value_euros)),
        months: words.said(&months_said(one.months_left)),
        evidence: one.evidence_at.map(|at| When::relative(at, now, words)),
    }
}

/// `GET /dispositions`
pub(super) async fn list(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::SeeDevices, Object::OwnScope))?;
    let mut tx = app.store.read().await?;
    let visibility = programme::visibility(&mut tx, person.role).await?;
    let query = asked.query(&visibility)?;
    let all = programme::list(&mut tx).await?;
    let codes = all.iter().map(|one| one.code.as_str().to_owned()).filter(|code| visibility.shows(code));
    let read = Read {
        page: advice_list::list(&mut tx, &person.scope, &query).await?,
        counts: advice_list::counts(&mut tx, &person.scope).await?,
        programmes: codes.collect(),
        oldest: advice_list::oldest(&mut tx, &person.scope).await?,
        visibility,
    };
    let shell = visitor.shell(Section::Dispositions, visitor.words.say("dispositions-title"), &signed_in);
    Ok(shell::page(StatusCode::OK, &DispositionsPage::new(shell, &asked, &query, read, signed_in.now)))
}
