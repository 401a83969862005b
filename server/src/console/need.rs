//! Needs: the list with its totals, and the form that enters one or several alike.

use askama::Template;
use cartable_common::UtcMillis;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    component::{Badge, Choice, Pager, Tone, When},
    device_list::{Nonsense, Select, address, optional},
    download::Downloads,
    format,
    i18n::Words,
    once,
    shell::Shell,
};
use crate::{
    auth::{Person, Role},
    domain::{
        borrower::Level,
        need::{NeedReason, NeedState, shows_level, shows_person, shows_programme},
        programme::Programme,
    },
    store::{
        need_list::{NeedQuery, NeedSummary, NeedTotal},
        page::{Cursor, CursorKey, Page},
        site::SiteRow,
    },
};

/// The list's address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) state: String,
    pub(super) site: String,
    pub(super) programme: String,
    pub(super) level: String,
    pub(super) reason: String,
    pub(super) after: String,
}

impl Asked {
    /// The query, if all of it makes sense and this role may ask it.
    pub(super) fn query(&self, role: Role, programmes: &[Programme]) -> Result<NeedQuery, Nonsense> {
        let after: Option<Cursor> = optional(&self.after)?;
        if after.as_ref().is_some_and(|cursor| !matches!(cursor.key, CursorKey::Number(_))) {
            return Err(Nonsense);
        }
        let query = NeedQuery {
            state: optional(&self.state)?,
            site: optional(&self.site)?,
            programme: optional(&self.programme)?,
            level: optional(&self.level)?,
            reason: optional(&self.reason)?,
            after,
            limit: 0,
        };
        if query.may_be_asked_by(role, programmes) { Ok(query) } else { Err(Nonsense) }
    }

    fn parts(&self) -> [(&'static str, &str); 5] {
        [
            ("state", &self.state),
            ("site", &self.site),
            ("programme", &self.programme),
            ("level", &self.level),
            ("reason", &self.reason),
        ]
    }
}

/// What the form holds, as typed.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(super) struct NeedForm {
    pub(super) site: String,
    pub(super) programme: String,
    pub(super) level: String,
    pub(super) home: String,
    pub(super) band: String,
    pub(super) ulis: Option<String>,
    pub(super) replacement: Option<String>,
    pub(super) borrower: String,
    pub(super) count: String,
    /// What tells this form from every other: see [`super::once`].
    pub(super) once: String,
}

impl Default for NeedForm {
    fn default() -> Self {
        Self {
            site: String::new(),
            programme: String::new(),
            level: String::new(),
            home: String::new(),
            band: String::new(),
            ulis: None,
            replacement: None,
            borrower: String::new(),
            count: "1".to_owned(),
            once: String::new(),
        }
    }
}

impl NeedForm {
    /// The reasons that were chosen.
    pub(super) fn reasons(&self) -> Result<Vec<NeedReason>, Nonsense> {
        let mut reasons = Vec::new();
        reasons.extend(optional::<NeedReason>(&self.home)?);
        reasons.extend(optional::<NeedReason>(&self.band)?);
        reasons.extend(self.ulis.as_ref().map(|_| NeedReason::Ulis));
        reasons.extend(self.replacement.as_ref().map(|_| NeedReason::Replacement));
        Ok(reasons)
    }

    /// What the form is called where it was done: the same for the same form sent again.
    pub(super) fn id(&self) -> Option<Uuid> {
        let typed = [
            self.site.as_str(),
            &self.programme,
            &self.level,
            &self.home,
            &self.band,
            self.ulis.as_deref().unwrap_or_default(),
            self.replacement.as_deref().unwrap_or_default(),
            &self.borrower,
            &self.count,
        ];
        once::id(&self.once, &typed)
    }
}

/// What the page shows besides the list.
#[derive(Debug)]
pub(super) struct Around {
    pub(super) totals: Vec<NeedTotal>,
    pub(super) sites: Vec<SiteRow>,
    pub(super) programmes: Vec<Programme>,
    pub(super) form: NeedForm,
    pub(super) problem: Option<String>,
}

#[derive(Debug)]
struct Row {
    id: String,
    site: String,
    uai: String,
    programme: String,
    level: String,
    reasons: Vec<String>,
    borrower: Option<String>,
    state: Badge,
    by: String,
    entered: When,
    open: bool,
}

#[derive(Debug)]
struct TotalRow {
    site: String,
    programme: String,
    open: String,
    met: String,
    withdrawn: String,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "needs.html")]
pub(super) struct NeedsPage {
    shell: Shell,
    csrf: String,
    may_change: bool,
    problem: Option<String>,
    selects: Vec<Select>,
    filtered: bool,
    rows: Vec<Row>,
    pager: Pager,
    totals: Vec<TotalRow>,
    sites: Vec<Choice>,
    programmes: Vec<Choice>,
    fields: Vec<Select>,
    form: NeedForm,
    downloads: Downloads,
}

impl NeedsPage {
    /// The page for what was asked and found.
    pub(super) fn new(
        shell: Shell,
        (person, may_change): (&Person, bool),
        (asked, query): (&Asked, &NeedQuery),
        page: Page<NeedSummary>,
        around: Around,
        now: UtcMillis,
    ) -> Self {
        let words = shell.words;
        let pager = Pager::new(&page, "needs-found", &address("/needs", &asked.parts()), query.after.as_ref(), words);
        let Around { totals, sites, programmes, form, problem } = around;
        let rows = page.rows.into_iter().map(|need| row(need, (person, may_change), &programmes, now, words));
        Self {
            csrf: shell.person.as_ref().map_or_else(String::new, |person| person.csrf.clone()),
            may_change,
            problem,
            selects: selects(asked, &sites, &programmes, person.role, words),
            filtered: asked.parts().iter().any(|(_, value)| !value.is_empty()),
            rows: rows.collect(),
            pager,
            totals: totals.iter().map(|total| total_row(total, &programmes, person.role, words)).collect(),
            sites: site_choices(&sites, &form.site, words),
            programmes: programme_choices(programmes.iter().filter(|programme| programme.open), &form.programme),
            fields: fields(&form, words),
            downloads: Downloads::new("/exports/needs", |path| address(path, &asked.parts()), words),
            form,
            shell,
        }
    }
}

/// Sites to choose from.
pub(super) fn site_choices(sites: &[SiteRow], present: &str, words: Words) -> Vec<Choice> {
    let choice = |site: &SiteRow| Choice {
        selected: site.id.to_string() == present,
        value: site.id.to_string(),
        label: words.with_two("site-named", &site.name, &site.uai),
    };
    sites.iter().map(choice).collect()
}

/// Programmes to choose from.
pub(super) fn programme_choices<'a>(programmes: impl Iterator<Item = &'a Programme>, present: &str) -> Vec<Choice> {
    let choice = |programme: &Programme| Choice {
        selected: programme.id.to_string() == present,
        value: programme.id.to_string(),
        label: programme.name.clone(),
    };
    programmes.map(choice).collect()
}

/// "Any", then the choices.
pub(super) fn any_of(name: &'static str, label: &str, present: &str, choices: Vec<Choice>, words: Words) -> Select {
    let any = Choice { value: String::new(), label: words.say("any"), selected: present.is_empty() };
    Select { name, label: words.say(label), choices: std::iter::once(any).chain(choices).collect() }
}

/// A programme's name, for those who may know under which one a need is.
pub(super) fn programme_seen(programmes: &[Programme], id: Uuid, role: Role, words: Words) -> String {
    let shown = programmes.iter().find(|programme| programme.id == id && shows_programme(role, Some(programme)));
    shown.map_or_else(|| words.say("programme-restricted"), |programme| programme.name.clone())
}

fn selects(asked: &Asked, sites: &[SiteRow], programmes: &[Programme], role: Role, words: Words) -> Vec<Select> {
    let states: Vec<&str> = NeedState::ALL.iter().map(|state| state.as_str()).collect();
    let levels: Vec<&str> = Level::ALL.iter().map(|level| level.as_str()).collect();
    let reasons: Vec<&str> = NeedReason::ALL.iter().map(|reason| reason.as_str()).collect();
    let shown = programmes.iter().filter(|programme| shows_programme(role, Some(programme)));
    let mut selects = vec![
        Select::new("state", "need-state-label", "need-state", &states, &asked.state, words),
        any_of("site", "devices-site", &asked.site, site_choices(sites, &asked.site, words), words),
        any_of("programme", "token-programme", &asked.programme, programme_choices(shown, &asked.programme), words),
        Select::new("reason", "need-reason-label", "need-reason", &reasons, &asked.reason, words),
    ];
    if shows_level(role) {
        let level = Select::new("level", "need-level-label", "need-level", &levels, &asked.level, words);
        selects.insert(selects.len() - 1, level);
    }
    selects
}

/// The form's fields with a closed list.
pub(super) fn fields(form: &NeedForm, words: Words) -> Vec<Select> {
    let levels: Vec<&str> = Level::ALL.iter().map(|level| level.as_str()).collect();
    let mut fields = vec![
        Select::new("level", "need-level-label", "need-level", &levels, &form.level, words),
        Select::new("home", "need-home", "need-reason", &["no_computer", "shared"], &form.home, words),
        Select::new("band", "need-band", "need-reason", &["band_1", "band_2", "band_3"], &form.band, words),
    ];
    for field in &mut fields {
        if let Some(first) = field.choices.first_mut() {
            first.label = words.say("need-not-said");
        }
    }
    fields
}

fn row(
    need: NeedSummary,
    (person, may_change): (&Person, bool),
    programmes: &[Programme],
    now: UtcMillis,
    words: Words,
) -> Row {
    let tone = match need.state {
        NeedState::Open => Tone::Info,
        NeedState::Met => Tone::Good,
        NeedState::Withdrawn => Tone::Plain,
    };
    let programme = programmes.iter().find(|programme| programme.id == need.programme);
    let shows = shows_person(person.role, programme);
    Row {
        id: need.id.to_string(),
        programme: programme_seen(programmes, need.programme, person.role, words),
        level: need
            .level
            .filter(|_| shows_level(person.role))
            .map_or_else(String::new, |level| words.word("need-level", level.as_str())),
        reasons: need.reasons.iter().map(|reason| words.word("need-reason", reason.as_str())).collect(),
        borrower: need.borrower.filter(|_| shows).map(|(_, reference)| reference),
        state: Badge::new(tone, words.word("need-state", need.state.as_str())),
        by: words.with("token-by", &need.entered_by),
        entered: When::relative(need.entered_at, now, words),
        open: may_change && need.state == NeedState::Open,
        site: need.site_name,
        uai: need.site_uai,
    }
}

fn total_row(total: &NeedTotal, programmes: &[Programme], role: Role, words: Words) -> TotalRow {
    TotalRow {
        site: total.site_name.clone(),
        programme: programme_seen(programmes, total.programme_id, role, words),
        open: format::number(total.open, words.language),
        met: format::number(total.met, words.language),
        withdrawn: format::number(total.withdrawn, words.language),
    }
}
