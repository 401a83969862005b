//! Return campaigns: their list, and one with its live progress and what is still missing.

use askama::Template;
use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    component::{Badge, Choice as Pick, Pager, Tone},
    device_list::{Nonsense, Select, address, device_name, optional},
    format,
    i18n::Words,
    need::{any_of, programme_choices, site_choices},
    shell::Shell,
};
use crate::{
    domain::{
        borrower::Level,
        campaign::{CampaignState, Choice, Desks, ReturnState},
        programme::Programme,
    },
    store::{
        campaign::Campaign,
        campaign_count::SiteProgress,
        campaign_list::{ReturnQuery, ReturnRow},
        page::{Cursor, CursorKey, Page},
        site::SiteRow,
    },
};

/// What the form of a new campaign holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CampaignForm {
    pub(super) name: String,
    pub(super) first: String,
    pub(super) last: String,
    pub(super) desks: String,
    pub(super) slots: String,
    pub(super) programme: String,
    pub(super) level: String,
    pub(super) site: String,
    pub(super) leaving: Option<String>,
}

/// Longest name in characters.
const MAX_NAME_CHARS: usize = 80;
/// Most desks at a site, most returns of a desk in a day: the database holds the same.
const MOST: (u32, u32) = (20, 1000);

/// Desks as typed.
pub(super) fn desks(desks: &str, slots: &str) -> Result<Desks, Nonsense> {
    let number =
        |text: &str, most: u32| text.trim().parse().ok().filter(|number| (1..=most).contains(number)).ok_or(Nonsense);
    Ok(Desks { desks: number(desks, MOST.0)?, slots: number(slots, MOST.1)? })
}

/// What a form asks: name, window, desks, choice.
type Planned = (String, (Date, Date), Desks, Choice);

impl CampaignForm {
    /// What it asks: name, window, desks and choice, or the key of what is wrong.
    pub(super) fn read(&self) -> Result<Planned, &'static str> {
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > MAX_NAME_CHARS || name.contains(char::is_control) {
            return Err("campaign-problem-name");
        }
        let window: (Date, Date) = match (self.first.parse(), self.last.parse()) {
            (Ok(first), Ok(last)) if first <= last => (first, last),
            _ => return Err("campaign-problem-window"),
        };
        let desks = desks(&self.desks, &self.slots).map_err(|Nonsense| "campaign-problem-desks")?;
        let wrong = |Nonsense| "campaign-problem-choice";
        let choice = Choice {
            programmes: optional(&self.programme).map_err(wrong)?.into_iter().collect(),
            levels: optional(&self.level).map_err(wrong)?.into_iter().collect(),
            sites: optional(&self.site).map_err(wrong)?.into_iter().collect(),
            leaving: self.leaving.is_some(),
        };
        Ok((name.to_owned(), window, desks, choice))
    }
}

#[derive(Debug)]
struct Row {
    href: String,
    name: String,
    window: String,
    state: Badge,
}

/// The list.
#[derive(Debug, Template)]
#[template(path = "campaigns.html")]
pub(super) struct CampaignsPage {
    shell: Shell,
    csrf: String,
    may_change: bool,
    problem: Option<String>,
    rows: Vec<Row>,
    selects: Vec<Select>,
    form: CampaignForm,
}

fn state(state: CampaignState, words: Words) -> Badge {
    let tone = match state {
        CampaignState::Planned => Tone::Info,
        CampaignState::Running => Tone::Good,
        CampaignState::Closed => Tone::Plain,
    };
    Badge::new(tone, words.word("campaign-state", state.as_str()))
}

fn window(campaign: &Campaign, words: Words) -> String {
    words.with_two("campaign-window", &civil(campaign.first, words), &civil(campaign.last, words))
}

fn civil(day: Date, words: Words) -> String {
    let month = words.word("month", &day.month().to_string());
    format!("{}\u{a0}{month}\u{a0}{}", day.day(), day.year())
}

impl CampaignsPage {
    /// The page for these campaigns.
    pub(super) fn new(
        shell: Shell,
        campaigns: &[Campaign],
        (sites, programmes): (&[SiteRow], &[Programme]),
        (may_change, problem, form): (bool, Option<String>, CampaignForm),
    ) -> Self {
        let words = shell.words;
        let row = |campaign: &Campaign| Row {
            href: format!("/campaigns/{}", campaign.id),
            name: campaign.name.clone(),
            window: window(campaign, words),
            state: state(campaign.state, words),
        };
        let levels: Vec<&str> = Level::ALL.iter().map(|level| level.as_str()).collect();
        let selects = vec![
            any_of(
                "programme",
                "token-programme",
                &form.programme,
                programme_choices(programmes.iter(), &form.programme),
                words,
            ),
            Select::new("level", "need-level-label", "need-level", &levels, &form.level, words),
            any_of("site", "devices-site", &form.site, site_choices(sites, &form.site, words), words),
        ];
        Self {
            csrf: shell.person.as_ref().map_or_else(String::new, |person| person.csrf.clone()),
            may_change,
            problem,
            rows: campaigns.iter().map(row).collect(),
            selects,
            form,
            shell,
        }
    }
}

/// What a campaign's address asks for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ReturnsAsked {
    pub(super) state: String,
    pub(super) site: String,
    pub(super) after: String,
}

impl ReturnsAsked {
    /// The query, if all of it makes sense.
    pub(super) fn query(&self) -> Result<ReturnQuery, Nonsense> {
        let after: Option<Cursor> = optional(&self.after)?;
        if after.as_ref().is_some_and(|cursor| !matches!(cursor.key, CursorKey::Pair(..))) {
            return Err(Nonsense);
        }
        let state = optional(&self.state)?.unwrap_or(ReturnState::Expected);
        Ok(ReturnQuery { state, site: optional(&self.site)?, after, limit: 0 })
    }
}

/// Everything that a campaign's page shows.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) campaign: Campaign,
    pub(super) progress: Vec<SiteProgress>,
    pub(super) page: Page<ReturnRow>,
    pub(super) sites: Vec<SiteRow>,
    pub(super) problem: Option<String>,
}

/// What the person may see and do.
#[derive(Clone, Copy, Debug)]
pub(super) struct May {
    pub(super) change: bool,
    pub(super) excuse: bool,
    pub(super) see_borrowers: bool,
}

#[derive(Debug)]
struct Figure {
    value: String,
    label: String,
}

#[derive(Debug)]
struct SiteLine {
    site: String,
    cells: [String; 5],
}

#[derive(Debug)]
struct Line {
    loan: Uuid,
    site: String,
    reference: String,
    level: String,
    device: (String, String),
    place: String,
    contact: String,
    flags: String,
    excuse: Option<String>,
}

/// One campaign.
#[derive(Debug, Template)]
#[template(path = "campaign.html")]
pub(super) struct CampaignPage {
    shell: Shell,
    csrf: String,
    id: Uuid,
    window: String,
    state: Badge,
    planned: bool,
    running: bool,
    may: May,
    excusable: bool,
    problem: Option<String>,
    figures: Vec<Figure>,
    progress: Vec<SiteLine>,
    selects: Vec<Select>,
    sites: Vec<Pick>,
    lines: Vec<Line>,
    pager: Pager,
}

/// The figures of progress, in the order of the page's columns.
const COLUMNS: [&str; 5] = ["expected", "returned", "overdue", "excused", "ended"];

fn cells(progress: &SiteProgress) -> [i64; 5] {
    [progress.expected, progress.returned, progress.overdue, progress.excused, progress.ended]
}

impl CampaignPage {
    /// The page for what was found.
    pub(super) fn new(shell: Shell, (asked, query): (&ReturnsAsked, &ReturnQuery), found: Found, may: May) -> Self {
        let words = shell.words;
        let number = |value: i64| format::number(value, words.language);
        let path = format!("/campaigns/{}", found.campaign.id);
        let parts = [("state", asked.state.as_str()), ("site", &asked.site)];
        let pager = Pager::new(&found.page, "campaign-loans", &address(&path, &parts), query.after.as_ref(), words);
        let sum = |column: usize| found.progress.iter().map(|site| cells(site)[column]).sum::<i64>();
        let figure =
            |(column, name): (usize, &&str)| Figure { value: number(sum(column)), label: words.word("return", name) };
        let site = |site: &SiteProgress| SiteLine {
            site: words.with_two("site-named", &site.site_name, &site.uai),
            cells: cells(site).map(number),
        };
        let states: Vec<&str> = ReturnState::ALL.iter().map(|state| state.as_str()).collect();
        let mut by_state = Select::new("state", "need-state-label", "return", &states, query.state.as_str(), words);
        by_state.choices.remove(0);
        let running = found.campaign.state == CampaignState::Running;
        Self {
            csrf: shell.person.as_ref().map_or_else(String::new, |person| person.csrf.clone()),
            id: found.campaign.id,
            window: window(&found.campaign, words),
            state: state(found.campaign.state, words),
            planned: found.campaign.state == CampaignState::Planned,
            running,
            may,
            excusable: may.excuse && running && query.state == ReturnState::Expected,
            problem: found.problem,
            figures: COLUMNS.iter().enumerate().map(figure).collect(),
            progress: found.progress.iter().map(site).collect(),
            selects: vec![
                by_state,
                any_of("site", "devices-site", &asked.site, site_choices(&found.sites, &asked.site, words), words),
            ],
            sites: site_choices(&found.sites, "", words),
            lines: found.page.rows.into_iter().map(|row| line(row, may, words)).collect(),
            pager,
            shell,
        }
    }
}

/// What a device last said, in words.
pub(super) fn contact(row: &ReturnRow, words: Words) -> String {
    row.last_contact_day.map_or_else(|| words.say("never"), |number| format::day(number, words))
}

fn line(row: ReturnRow, may: May, words: Words) -> Line {
    let id = cartable_common::DeviceId(row.device);
    let desk = words.with_two("campaign-desk-slot", &row.slot.desk.to_string(), &row.slot.slot.to_string());
    Line {
        loan: row.loan,
        level: row.level.map_or_else(String::new, |level| words.word("need-level", level.as_str())),
        device: (format!("/devices/{id}"), device_name(row.serial.as_deref(), row.asset_tag.as_deref(), id)),
        place: format!("{} · {desk}", civil(row.slot.day, words)),
        contact: contact(&row, words),
        flags: format::number(row.open_flags, words.language),
        reference: if may.see_borrowers { row.reference } else { String::new() },
        site: row.site_name,
        excuse: row.excuse,
    }
}
