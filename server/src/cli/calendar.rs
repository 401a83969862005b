//! `calendar`: the Ministry's school calendars, as iCalendar files.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::{DataArguments, print, say};
use crate::{
    clock,
    domain::{ical, school_calendar::Zone},
    store::{
        audit::{self, COMMAND_LINE, NewAudit},
        school_closure,
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Calendar {
    /// Imports the holidays of one zone from an iCalendar file (.ics) of education.gouv.fr.
    Import(Import),
    /// Lists what was imported: zone, first day, last day, name, file.
    List(DataArguments),
}

#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(flatten)]
    data: DataArguments,
    /// The file.
    file: PathBuf,
    /// The zone: A, B or C.
    #[arg(long)]
    zone: Zone,
}

pub(super) async fn run(command: Calendar) -> anyhow::Result<()> {
    match command {
        Calendar::Import(import) => self::import(import).await,
        Calendar::List(data) => list(&data).await,
    }
}

async fn import(import: Import) -> anyhow::Result<()> {
    let path = import.file.display().to_string();
    let size = std::fs::metadata(&import.file).with_context(|| path.clone())?.len();
    let small = usize::try_from(size).is_ok_and(|size| size <= ical::MAX_BYTES);
    anyhow::ensure!(small, "{path}: larger than 1 MiB: this is not a school calendar");
    let text = std::fs::read_to_string(&import.file).with_context(|| path.clone())?;
    let holidays = ical::holidays(&text, import.zone).with_context(|| path.clone())?;
    let name = import.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let store = import.data.open_store().await?;
    let now = clock::now();
    let mut tx = store.write().await?;
    school_closure::import(&mut tx, import.zone, &holidays, &name, now).await?;
    let entry = NewAudit {
        actor: COMMAND_LINE,
        action: "calendar.import",
        object_kind: "school_calendar",
        object_id: import.zone.as_str(),
        details: serde_json::json!({ "file": name, "holidays": holidays.len() }),
    };
    audit::append(&mut tx, entry, now).await?;
    tx.commit().await?;
    store.close().await;
    for one in &holidays {
        print(&format!("{}\t{}\t{}\t{}\n", import.zone, one.closure.first, one.closure.last, one.label))?;
    }
    say("imported; a running server follows within a minute");
    Ok(())
}

async fn list(data: &DataArguments) -> anyhow::Result<()> {
    let store = data.open_store().await?;
    let mut tx = store.read().await?;
    for row in school_closure::list(&mut tx).await? {
        let zone = row.closure.zone.map_or("-", Zone::as_str);
        print(&format!("{zone}\t{}\t{}\t{}\t{}\n", row.closure.first, row.closure.last, row.label, row.source))?;
    }
    drop(tx);
    store.close().await;
    Ok(())
}
