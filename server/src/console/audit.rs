//! The audit, newest first.

use askama::Template;

use super::{
    audit_words::{self, Entry},
    component::When,
    download::Downloads,
    shell::Shell,
};
use crate::{exchange::export::ExportKind, store::audit::Audit};

/// Rows on a page.
pub(super) const ROWS: usize = 50;

#[derive(Debug)]
struct Row {
    seq: i64,
    at: When,
    actor: String,
    action: String,
    kind: String,
    object: String,
    href: Option<String>,
    /// The act's name, where its words stand before it.
    code: Option<String>,
    details: Vec<Entry>,
    /// The details as they were recorded, for which the chain's hash stands.
    raw: String,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "audit.html")]
pub(super) struct AuditPage {
    shell: Shell,
    rows: Vec<Row>,
    first: bool,
    next: Option<String>,
    downloads: Downloads,
}

impl AuditPage {
    /// The page for `acts`, one more of which than [`ROWS`] means that there are more.
    pub(super) fn new(shell: Shell, mut acts: Vec<Audit>, later: bool) -> Self {
        let more = acts.len() > ROWS;
        acts.truncate(ROWS);
        let next = acts.last().filter(|_| more).map(|act| format!("/audit?after={}", act.seq));
        let words = shell.words;
        let row = |act: Audit| {
            let action = audit_words::act(&act.action, words);
            Row {
                seq: act.seq,
                at: When::recorded(act.at, words),
                actor: act.actor,
                href: audit_words::page_of(&act.object_kind, &act.object_id),
                code: (action != act.action).then_some(act.action),
                action,
                kind: audit_words::kind(&act.object_kind, words),
                object: act.object_id,
                details: audit_words::entries(&act.details, words),
                raw: if act.details == "{}" || act.details == "null" { String::new() } else { act.details },
            }
        };
        let downloads = Downloads::whole(ExportKind::Audit, words);
        Self { rows: acts.into_iter().map(row).collect(), first: later, next, downloads, shell }
    }
}
