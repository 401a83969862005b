//! Proposals of who gets which device: their list, and one with its fairness and its lines.

use std::collections::BTreeMap;

use askama::Template;
use cartable_common::UtcMillis;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    allocation_why::{cause, parts, why},
    component::{Badge, Choice, Pager, Tone, When},
    device_list::{Nonsense, Select, address, optional},
    download::Downloads,
    format,
    i18n::Words,
    need::{programme_choices, programme_seen},
    shell::Shell,
};
use crate::{
    domain::{allocation::SiteShare, authority::Role, need::shows_person, programme::Programme},
    exchange::export::ExportKind,
    store::{
        allocation::{AllocationRow, AllocationState, LineState},
        allocation_line::{LineQuery, LineRow},
        page::{Cursor, CursorKey, Page},
        site::SiteRow,
    },
};

#[derive(Debug)]
struct Row {
    href: String,
    proposed: When,
    by: String,
    programme: String,
    state: Badge,
    given: String,
}

/// The list.
#[derive(Debug, Template)]
#[template(path = "allocations.html")]
pub(super) struct AllocationsPage {
    shell: Shell,
    csrf: String,
    may_propose: bool,
    rows: Vec<Row>,
    programmes: Vec<Choice>,
    downloads: Downloads,
}

fn csrf(shell: &Shell) -> String {
    shell.person.as_ref().map_or_else(String::new, |person| person.csrf.clone())
}

fn state(state: AllocationState, words: Words) -> Badge {
    let tone = match state {
        AllocationState::Draft => Tone::Info,
        AllocationState::Approved => Tone::Good,
        AllocationState::Dropped => Tone::Plain,
    };
    Badge::new(tone, words.word("allocation-state", state.as_str()))
}

/// Whose needs a proposal holds. To those who may not see every programme's members "restricted" alone would tell which
/// loans are under one: the audit says which were made together.
fn programme_of(row: &AllocationRow, programmes: &[Programme], role: Role, words: Words) -> String {
    let shown = |one: &&Programme| one.shows_membership_to(role);
    match row.programme {
        None if programmes.iter().all(|one| shown(&one)) => words.say("allocation-all-programmes"),
        named => programmes
            .iter()
            .filter(shown)
            .find(|one| Some(one.id) == named)
            .map_or_else(|| words.say("programme-not-shown"), |one| one.name.clone()),
    }
}

impl AllocationsPage {
    /// The page for these proposals.
    pub(super) fn new(
        shell: Shell,
        rows: &[AllocationRow],
        programmes: &[Programme],
        (role, may_propose): (Role, bool),
        now: UtcMillis,
    ) -> Self {
        let words = shell.words;
        let row = |row: &AllocationRow| Row {
            href: format!("/allocations/{}", row.id),
            proposed: When::relative(row.proposed_at, now, words),
            by: words.with("token-by", &row.proposed_by.name),
            programme: programme_of(row, programmes, role, words),
            state: state(row.state, words),
            given: words.with_two(
                "token-used-of",
                &format::number(i64::from(row.given), words.language),
                &format::number(i64::from(row.needs), words.language),
            ),
        };
        Self {
            csrf: csrf(&shell),
            may_propose,
            rows: rows.iter().map(row).collect(),
            programmes: programme_choices(programmes.iter().filter(|programme| programme.open), ""),
            downloads: Downloads::whole(ExportKind::Allocations, words),
            shell,
        }
    }
}

/// What a proposal's address asks for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LinesAsked {
    pub(super) state: String,
    pub(super) site: String,
    pub(super) after: String,
    pub(super) problem: String,
}

impl LinesAsked {
    /// The query, if all of it makes sense.
    pub(super) fn query(&self) -> Result<LineQuery, Nonsense> {
        let after: Option<Cursor> = optional(&self.after)?;
        if after.as_ref().is_some_and(|cursor| !matches!(cursor.key, CursorKey::Number(_))) {
            return Err(Nonsense);
        }
        Ok(LineQuery { state: optional(&self.state)?, site: optional(&self.site)?, after, limit: 0 })
    }
}

/// Codes of refusals that a proposal's page explains.
pub(super) const PROBLEMS: [&str; 7] = ["not-draft", "no-line", "not-in-stock", "unfit", "not-for-it", "taken", "own"];

/// Everything that a proposal's page shows.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) row: AllocationRow,
    pub(super) counts: BTreeMap<LineState, i64>,
    pub(super) stale: i64,
    pub(super) shares: Vec<SiteShare>,
    pub(super) page: Page<LineRow>,
    pub(super) sites: Vec<SiteRow>,
    pub(super) programmes: Vec<Programme>,
}

/// What approving it would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Approval {
    /// Nothing: not by this person, or no longer.
    Closed,
    /// It reserves the devices.
    Open,
    /// It was approved, and not all of its devices are reserved yet.
    Unfinished,
}

/// What the person may do with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct May {
    pub(super) role: Role,
    pub(super) adjust: bool,
    pub(super) approve: Approval,
    pub(super) own: bool,
}

#[derive(Debug)]
struct Figure {
    value: String,
    label: String,
}

#[derive(Debug)]
struct Share {
    site: String,
    needs: String,
    met: String,
    percent: String,
    average: String,
}

#[derive(Debug)]
struct Line {
    rank: i64,
    site: String,
    uai: String,
    programme: String,
    score: i64,
    parts: Vec<String>,
    device: Option<(String, String)>,
    /// There is a device, which this person may not know.
    hidden: bool,
    why: Vec<String>,
    state: Badge,
    cause: Option<String>,
    remark: Option<String>,
    stale: Option<Badge>,
    droppable: bool,
}

/// One proposal.
#[derive(Debug, Template)]
#[template(path = "allocation.html")]
pub(super) struct AllocationPage {
    shell: Shell,
    csrf: String,
    id: Uuid,
    about: Vec<String>,
    state: Badge,
    problem: Option<String>,
    may: May,
    figures: Vec<Figure>,
    stock: Vec<String>,
    shares: Vec<Share>,
    selects: Vec<Select>,
    lines: Vec<Line>,
    pager: Pager,
    downloads: Downloads,
    fairness_files: Downloads,
}

impl AllocationPage {
    /// The page for what was found.
    pub(super) fn new(
        shell: Shell,
        (asked, query): (&LinesAsked, &LineQuery),
        found: Found,
        may: May,
        now: UtcMillis,
    ) -> Self {
        let words = shell.words;
        let path = format!("/allocations/{}", found.row.id);
        let parts = [("state", asked.state.as_str()), ("site", &asked.site)];
        let pager = Pager::new(&found.page, "allocation-lines", &address(&path, &parts), query.after.as_ref(), words);
        let problem = PROBLEMS.contains(&asked.problem.as_str());
        Self {
            csrf: csrf(&shell),
            id: found.row.id,
            about: about(&found.row, &found.programmes, may.role, now, words),
            state: state(found.row.state, words),
            problem: problem.then(|| words.word("allocation-problem", &asked.problem)),
            may,
            figures: figures(&found, words),
            stock: stock(&found.row, words),
            shares: found.shares.iter().map(|one| share(one, &found.sites, words)).collect(),
            selects: selects(asked, &found.sites, words),
            lines: found.page.rows.into_iter().map(|row| line(row, &found.programmes, may, words)).collect(),
            pager,
            downloads: Downloads::new(&format!("{path}/lines"), |path| address(path, &parts), words),
            fairness_files: Downloads::new(&format!("{path}/fairness"), |path| format!("{path}?"), words),
            shell,
        }
    }
}

fn about(row: &AllocationRow, programmes: &[Programme], role: Role, now: UtcMillis, words: Words) -> Vec<String> {
    let when = |moment| format::relative(moment, now, words);
    let mut about = vec![
        programme_of(row, programmes, role, words),
        words.with_two("allocation-proposed-by", &row.proposed_by.name, &when(row.proposed_at)),
    ];
    about.extend(row.adjusted_by.as_ref().map(|who| words.with("allocation-adjusted-by", &who.name)));
    if let (Some(who), Some(at)) = (&row.decided_by, row.decided_at) {
        about.push(words.with_two("allocation-decided-by", &who.name, &when(at)));
    }
    about
}

fn figures(found: &Found, words: Words) -> Vec<Figure> {
    let number = |value: i64| format::number(value, words.language);
    let mut figures: Vec<Figure> = LineState::ALL
        .iter()
        .filter_map(|state| {
            let value = found.counts.get(state)?;
            Some(Figure { value: number(*value), label: words.word("line-state", state.as_str()) })
        })
        .collect();
    if found.stale > 0 {
        figures.push(Figure { value: number(found.stale), label: words.say("allocation-stale") });
    }
    figures
}

fn stock(row: &AllocationRow, words: Words) -> Vec<String> {
    let stock = &row.stock;
    let number = |value: u32| format::number(i64::from(value), words.language);
    let mut lines = vec![
        words.with("stock-in", &number(stock.in_stock)),
        words.with("stock-suitable", &number(stock.suitable)),
        words.with("stock-reserve", &number(stock.reserve)),
    ];
    for (why, count) in &stock.unfit {
        lines.push(words.with_two("stock-left-out", &words.word("unfit", why.as_str()), &number(*count)));
    }
    lines
}

fn share(share: &SiteShare, sites: &[SiteRow], words: Words) -> Share {
    let number = |value: u32| format::number(i64::from(value), words.language);
    let (whole, tenth) = (share.average_tenths / 10, share.average_tenths % 10);
    let site = sites.iter().find(|site| site.id == share.site);
    Share {
        site: site.map_or_else(String::new, |site| words.with_two("site-named", &site.name, &site.uai)),
        needs: number(share.needs),
        met: number(share.met),
        percent: format::percent(i64::from(share.percent), words.language),
        average: words.with_two("allocation-average", &number(whole), &tenth.to_string()),
    }
}

fn selects(asked: &LinesAsked, sites: &[SiteRow], words: Words) -> Vec<Select> {
    let states: Vec<&str> = LineState::ALL.iter().map(|state| state.as_str()).collect();
    let sites = super::need::site_choices(sites, &asked.site, words);
    vec![
        Select::new("state", "need-state-label", "line-state", &states, &asked.state, words),
        super::need::any_of("site", "devices-site", &asked.site, sites, words),
    ]
}

fn line(row: LineRow, programmes: &[Programme], may: May, words: Words) -> Line {
    let tone = match row.state {
        LineState::Proposed => Tone::Info,
        LineState::Reserved => Tone::Good,
        LineState::Unmet | LineState::Dropped => Tone::Plain,
        LineState::Refused => Tone::Warning,
    };
    let programme = programmes.iter().find(|programme| programme.id == row.programme);
    let hidden = row.device.is_some() && !shows_person(may.role, programme);
    let device = row.device.as_ref().filter(|_| !hidden).map(|device| {
        let id = cartable_common::DeviceId(device.id);
        let name = super::device_list::device_name(device.serial.as_deref(), device.asset_tag.as_deref(), id);
        (format!("/devices/{id}"), name)
    });
    Line {
        rank: row.rank,
        programme: programme_seen(programmes, row.programme, may.role, words),
        score: row.score,
        parts: parts(&row, words),
        why: why(&row, words),
        device,
        hidden,
        state: Badge::new(tone, words.word("line-state", row.state.as_str())),
        cause: row.cause.as_deref().map(|code| cause(code, words)),
        stale: row.stale.map(|code| Badge::new(Tone::Warning, cause(code, words))),
        droppable: may.adjust && row.state == LineState::Proposed,
        site: row.site_name,
        uai: row.site_uai,
        remark: row.remark,
    }
}
