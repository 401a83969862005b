//! Return campaigns: their list, and one with its live progress and what is still missing.

use askama::Template;
use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    campaign_form::{CampaignForm, Ticks, choices},
    component::{Badge, Choice as Pick, Pager, Tone},
    device_list::{Nonsense, Select, address, device_name, optional},
    download::Downloads,
    format,
    i18n::Words,
    need::{any_of, site_choices},
    shell::Shell,
};
use crate::{
    domain::{
        borrower::Level,
        campaign::{CampaignState, ReturnState},
        device_record::ContactExpected,
        programme::Programme,
    },
    exchange::export::ExportKind,
    store::{
        campaign::Campaign,
        campaign_count::SiteProgress,
        campaign_letter,
        campaign_list::{ReturnQuery, ReturnRow},
        page::{Cursor, CursorKey, Page},
        site::SiteRow,
    },
};

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
    choices: Vec<Ticks>,
    form: CampaignForm,
    downloads: Downloads,
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
        around: (&[SiteRow], &[Programme]),
        (may_change, problem, form): (bool, Option<String>, CampaignForm),
    ) -> Self {
        let words = shell.words;
        let row = |campaign: &Campaign| Row {
            href: format!("/campaigns/{}", campaign.id),
            name: campaign.name.clone(),
            window: window(campaign, words),
            state: state(campaign.state, words),
        };
        Self {
            csrf: shell.person.as_ref().map_or_else(String::new, |person| person.csrf.clone()),
            may_change,
            problem,
            rows: campaigns.iter().map(row).collect(),
            choices: choices(&form, around, words),
            downloads: Downloads::whole(ExportKind::Campaigns, words),
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
    pub(super) programmes: Vec<Programme>,
    pub(super) problem: Option<String>,
    /// What was asked of a campaign that is planned, if it was refused.
    pub(super) form: Option<CampaignForm>,
}

/// What the person may see and do.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one right")]
pub(super) struct May {
    pub(super) change: bool,
    pub(super) excuse: bool,
    pub(super) see_borrowers: bool,
    /// Names on letters, and class levels: in a small collège a level beside a device is a name.
    pub(super) see_identities: bool,
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
#[expect(clippy::struct_excessive_bools, reason = "a page has many parts that are there or not")]
pub(super) struct CampaignPage {
    shell: Shell,
    csrf: String,
    id: Uuid,
    about: Vec<String>,
    state: Badge,
    planned: bool,
    running: bool,
    may: May,
    excusable: bool,
    /// Whether lines show excuses that can be undone.
    excused: bool,
    problem: Option<String>,
    figures: Vec<Figure>,
    progress: Vec<SiteLine>,
    selects: Vec<Select>,
    sites: Vec<Pick>,
    /// Sites, in parts where they have many, whose letters can be printed.
    letters: Vec<Pick>,
    form: CampaignForm,
    choices: Vec<Ticks>,
    lines: Vec<Line>,
    pager: Pager,
    downloads: Downloads,
    progress_files: Downloads,
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
        let form = found.form.clone().unwrap_or_else(|| CampaignForm::of(&found.campaign));
        let letters = if running && may.see_borrowers { letters(&found.progress, words) } else { Vec::new() };
        Self {
            csrf: shell.person.as_ref().map_or_else(String::new, |person| person.csrf.clone()),
            id: found.campaign.id,
            about: about(&found, may.see_identities, words),
            state: state(found.campaign.state, words),
            planned: found.campaign.state == CampaignState::Planned,
            running,
            may,
            excusable: may.excuse && running && query.state == ReturnState::Expected,
            excused: may.excuse && running && query.state == ReturnState::Excused,
            problem: found.problem,
            figures: COLUMNS.iter().enumerate().map(figure).collect(),
            progress: found.progress.iter().map(site).collect(),
            selects: vec![
                by_state,
                any_of("site", "devices-site", &asked.site, site_choices(&found.sites, &asked.site, words), words),
            ],
            sites: site_choices(&found.sites, "", words),
            letters,
            choices: choices(&form, (&found.sites, &found.programmes), words),
            form,
            lines: found.page.rows.into_iter().map(|row| line(row, may, words)).collect(),
            pager,
            downloads: Downloads::new(&format!("{path}/loans"), |path| address(path, &parts), words),
            progress_files: Downloads::new(&format!("{path}/progress"), |path| format!("{path}?"), words),
            shell,
        }
    }
}

/// When it is, and which loans it takes back: only what is chosen is said.
fn about(found: &Found, see_levels: bool, words: Words) -> Vec<String> {
    let choice = &found.campaign.choice;
    let mut about = vec![window(&found.campaign, words)];
    // None where one of them is not for the reader to know: with it the devices listed would tell who is in it.
    let programmes: Option<Vec<&str>> = choice
        .programmes
        .iter()
        .map(|id| found.programmes.iter().find(|one| one.id == *id).map(|one| one.name.as_str()))
        .collect();
    about.extend(programmes.filter(|names| !names.is_empty()).map(|names| names.join(", ")));
    let levels: Vec<String> = Level::ALL
        .iter()
        .filter(|level| see_levels && choice.levels.contains(level))
        .map(|level| words.word("need-level", level.as_str()))
        .collect();
    about.extend(Some(levels.join(", ")).filter(|levels| !levels.is_empty()));
    let count = i64::try_from(choice.sites.len()).unwrap_or(i64::MAX);
    let sites: Vec<&str> = choice
        .sites
        .iter()
        .filter_map(|id| found.sites.iter().find(|site| site.id == *id).map(|site| site.name.as_str()))
        .collect();
    match sites.len() {
        0 if count == 0 => {}
        1..=3 if sites.len() == choice.sites.len() => about.push(sites.join(", ")),
        _ => about.push(words.count("campaign-of-sites", count)),
    }
    about.extend(choice.leaving.then(|| words.say("campaign-leaving-only")));
    about
}

/// What a device last said, in words.
pub(super) fn contact(row: &ReturnRow, words: Words) -> String {
    let silence =
        || words.say(if row.contact_expected == ContactExpected::None { "campaign-no-contact" } else { "never" });
    row.last_contact_day.map_or_else(silence, |number| format::day(number, words))
}

/// The open flags of a device, in words, worst first.
pub(super) fn flags(row: &ReturnRow, words: Words, between: &str) -> String {
    let names: Vec<String> = row.flags.iter().map(|code| words.word("flag", code.as_str())).collect();
    names.join(between)
}

/// What letters can be printed of: each site that is still expected to bring something, its parts apart.
fn letters(progress: &[SiteProgress], words: Words) -> Vec<Pick> {
    let of_site = |site: &SiteProgress| {
        let parts = campaign_letter::parts(site.places());
        let name = words.with_two("site-named", &site.site_name, &site.uai);
        let (id, many) = (site.site_id, parts > 1);
        (1..=parts).map(move |part| Pick {
            value: format!("{id}:{part}"),
            label: if many { format!("{name} · {part}/{parts}") } else { name.clone() },
            selected: false,
        })
    };
    progress.iter().filter(|site| site.expected > 0).flat_map(of_site).collect()
}

fn line(row: ReturnRow, may: May, words: Words) -> Line {
    let id = cartable_common::DeviceId(row.device);
    let desk = words.with_two("campaign-desk-slot", &row.slot.desk.to_string(), &row.slot.slot.to_string());
    Line {
        loan: row.loan,
        level: row
            .level
            .filter(|_| may.see_identities)
            .map_or_else(String::new, |level| words.word("need-level", level.as_str())),
        device: (format!("/devices/{id}"), device_name(row.serial.as_deref(), row.asset_tag.as_deref(), id)),
        place: format!("{} · {desk}", civil(row.slot.day, words)),
        contact: contact(&row, words),
        flags: flags(&row, words, ", "),
        reference: if may.see_borrowers { row.reference } else { String::new() },
        site: row.site_name,
        excuse: row.excuse,
    }
}
