//! The audit, newest first.

use askama::Template;

use super::{component::When, shell::Shell};
use crate::store::audit::Audit;

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
    details: String,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "audit.html")]
pub(super) struct AuditPage {
    shell: Shell,
    rows: Vec<Row>,
    first: bool,
    next: Option<String>,
}

impl AuditPage {
    /// The page for `acts`, one more of which than [`ROWS`] means that there are more.
    pub(super) fn new(shell: Shell, mut acts: Vec<Audit>, later: bool) -> Self {
        let more = acts.len() > ROWS;
        acts.truncate(ROWS);
        let next = acts.last().filter(|_| more).map(|act| format!("/audit?after={}", act.seq));
        let words = shell.words;
        let row = |act: Audit| Row {
            seq: act.seq,
            at: When::exact(act.at, words),
            actor: act.actor,
            action: act.action,
            href: (act.object_kind == "device").then(|| format!("/devices/{}", act.object_id)),
            kind: act.object_kind,
            object: act.object_id,
            details: if act.details == "{}" || act.details == "null" { String::new() } else { act.details },
        };
        Self { rows: acts.into_iter().map(row).collect(), first: later, next, shell }
    }
}
