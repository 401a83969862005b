//! `show`: what is sent and what was sent, in plain words, as a page or as the exact message; sends nothing.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cartable_common::{
    ReportId,
    protocol::{CheckInRequest, ReportEnvelope},
    report::HealthReport,
};
use clap::Args;

use super::{Machine, print};
use crate::{
    clock,
    collect::{Drives, collect},
    disclosure::{self, Shown},
    json,
    language::Language,
    platform,
    spool::Spool,
    state::StateDir,
    version,
};

#[derive(Debug, Args)]
pub(super) struct Show {
    /// fr or en; otherwise as the system speaks
    #[arg(long, value_name = "LANGUAGE")]
    lang: Option<Language>,
    /// Write a page for the browser, in both languages
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "report"])]
    html: Option<PathBuf>,
    /// The exact message that would be sent now
    #[arg(long, conflicts_with = "report")]
    json: bool,
    /// Only the report that would be sent now
    #[arg(long)]
    report: bool,
    /// Where the service publishes what it sent
    #[arg(long, value_name = "DIR", default_value_os_t = platform::public_folder())]
    public: PathBuf,
    #[command(flatten)]
    machine: Machine,
}

pub(super) async fn show(state: &Path, options: Show) -> anyhow::Result<u8> {
    let language = options.lang.unwrap_or_else(Language::of_environment);
    if options.json || options.report {
        let mut report = collect(&options.machine.sources(), Drives::Ask).await;
        report.firmware.key_protection = StateDir::key_protection_at(state);
        return show_message(state, report, options.report);
    }
    let shown = match last_shown(state, &options.public) {
        Some(shown) => shown,
        None => not_yet_sent(collect(&options.machine.sources(), Drives::Ask).await),
    };
    let Some(file) = options.html else {
        return print(&disclosure::text(&disclosure::page(&shown, language))).map(|()| 0);
    };
    std::fs::write(&file, disclosure::html(&shown, language))
        .with_context(|| format!("the page could not be written to {}", file.display()))?;
    Ok(0)
}

/// What was sent last: as the service published it, or as the state folder has it where that may be read.
fn last_shown(state: &Path, public: &Path) -> Option<Shown> {
    Shown::published(public).or_else(|| StateDir::existing(state).ok()?.shown())
}

fn not_yet_sent(report: HealthReport) -> Shown {
    let (report_id, measured_at) = (ReportId(uuid::Uuid::new_v4()), clock::now());
    let report = Some(ReportEnvelope { report_id, sequence: 1, measured_at, report });
    Shown { report, ..Shown::nothing() }
}

/// The message of a first contact: with the whole report, under the number it would get.
fn show_message(state: &Path, report: HealthReport, only_report: bool) -> anyhow::Result<u8> {
    if only_report {
        return print(&json::spread(&report)?).map(|()| 0);
    }
    let waiting = Spool::peek(&state.join("spool"));
    let sequence = waiting.last().map_or(1, |record| record.sequence + 1);
    let now = clock::now();
    let content_hash = Some(report.content_hash());
    let envelope = ReportEnvelope { report_id: ReportId(uuid::Uuid::new_v4()), sequence, measured_at: now, report };
    let message = CheckInRequest {
        agent_version: version(),
        sent_at: now,
        content_hash,
        disclosure_mark: None,
        trust_bundle: None,
        action_results: Vec::new(),
        reports: vec![envelope],
    };
    print(&json::spread(&message)?).map(|()| 0)
}
