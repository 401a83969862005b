//! Flags to handle, over the whole programme.

use askama::Template;
use cartable_common::UtcMillis;
use serde::Deserialize;

use super::{
    component::{Badge, Pager, When},
    device_list::{Nonsense, Select, address, device_name, model_name, optional},
    download::Downloads,
    flag::{handled, sentence},
    i18n::Words,
    shell::Shell,
};
use crate::{
    domain::flag::{FlagCode, Severity},
    store::{
        flag_list::{FlagQuery, FlagSummary, Handling},
        page::{Cursor, CursorKey, Page},
    },
};

/// The list's address; empty values mean "any".
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) handling: String,
    pub(super) code: String,
    pub(super) severity: String,
    pub(super) site: String,
    pub(super) after: String,
}

impl Asked {
    /// The query, if all of it makes sense.
    pub(super) fn query(&self) -> Result<FlagQuery, Nonsense> {
        let after: Option<Cursor> = optional(&self.after)?;
        if after.as_ref().is_some_and(|cursor| !matches!(cursor.key, CursorKey::Pair(..))) {
            return Err(Nonsense);
        }
        Ok(FlagQuery {
            handling: match self.handling.as_str() {
                "" => Handling::default(),
                name => Handling::from_name(name).ok_or(Nonsense)?,
            },
            code: optional(&self.code)?,
            min_severity: optional(&self.severity)?,
            site: optional(&self.site)?,
            after,
            limit: 0,
        })
    }

    fn address(&self, path: &str) -> String {
        let parts = [
            ("handling", self.handling.as_str()),
            ("code", &self.code),
            ("severity", &self.severity),
            ("site", &self.site),
        ];
        address(path, &parts)
    }
}

#[derive(Debug)]
struct Row {
    severity: Badge,
    href: String,
    title: String,
    sentence: String,
    handled: Option<Badge>,
    device: String,
    model: Option<String>,
    site: Option<String>,
    since: When,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "flags.html")]
pub(super) struct FlagsPage {
    shell: Shell,
    selects: Vec<Select>,
    filtered: bool,
    rows: Vec<Row>,
    pager: Pager,
    downloads: Downloads,
}

impl FlagsPage {
    /// The page for what was asked and found.
    pub(super) fn new(shell: Shell, asked: &Asked, query: &FlagQuery, page: Page<FlagSummary>, now: UtcMillis) -> Self {
        let words = shell.words;
        let pager = Pager::new(&page, "flags-found", &asked.address("/flags"), query.after.as_ref(), words);
        Self {
            selects: selects(asked, query, words),
            filtered: [&asked.handling, &asked.code, &asked.severity, &asked.site].iter().any(|v| !v.is_empty()),
            rows: page.rows.into_iter().map(|flag| row(flag, now, words)).collect(),
            pager,
            downloads: Downloads::new("/exports/flags", |path| asked.address(path), words),
            shell,
        }
    }
}

fn selects(asked: &Asked, query: &FlagQuery, words: Words) -> Vec<Select> {
    let handlings = Handling::ALL.map(Handling::as_str);
    let codes: Vec<&str> = FlagCode::ALL.iter().map(|code| code.as_str()).collect();
    let severities: Vec<&str> = Severity::ALL.iter().rev().map(|severity| severity.as_str()).collect();
    let mut handling =
        Select::new("handling", "flags-handling", "handling", &handlings, query.handling.as_str(), words);
    // There is always one of them in force.
    handling.choices.remove(0);
    vec![
        handling,
        Select::new("code", "flags-code", "flag", &codes, &asked.code, words),
        Select::new("severity", "devices-severity", "at-least", &severities, &asked.severity, words),
    ]
}

fn row(flag: FlagSummary, now: UtcMillis, words: Words) -> Row {
    let model = model_name(flag.manufacturer.as_deref(), flag.model.as_deref(), words);
    Row {
        severity: Badge::severity(flag.severity, words),
        href: format!("/devices/{}#flag-{}", flag.device_id, flag.id),
        title: words.word("flag", flag.code.as_str()),
        sentence: sentence(&flag.evidence, words).to_owned(),
        handled: handled(flag.acknowledged_at.is_some(), flag.snoozed_until, now, words),
        device: device_name(flag.serial_number.as_deref(), flag.asset_tag.as_deref(), flag.device_id),
        model: Some(model),
        site: flag.site_name,
        since: When::relative(flag.since, now, words),
    }
}
