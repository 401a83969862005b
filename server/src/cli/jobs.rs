//! `jobs`: whether the periodic jobs run; for a monitoring system, by the exit code.

use std::fmt::Write as _;

use anyhow::bail;
use clap::Subcommand;

use super::{DataArguments, print};
use crate::{
    clock,
    domain::timestamp::rfc3339,
    store::job_run::{self, Standing},
};

/// What to do about jobs.
#[derive(Debug, Subcommand)]
pub(super) enum Jobs {
    /// Prints when each job last ran, and fails when one is missed
    Status(DataArguments),
}

pub(super) async fn run(command: Jobs) -> anyhow::Result<()> {
    let Jobs::Status(data) = command;
    let store = data.open_store().await?;
    let mut tx = store.read().await?;
    let standing = job_run::standing(&mut tx, clock::now()).await?;
    let mut text = String::new();
    for one in &standing {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", line(one));
    }
    print(&text)?;
    let missed: Vec<&str> = standing.iter().filter(|one| one.missed).map(|one| one.job.as_str()).collect();
    if missed.is_empty() {
        Ok(())
    } else {
        bail!("missed: {}. Is the server running? Its log says why a job failed", missed.join(", "))
    }
}

fn line(one: &Standing) -> String {
    let state = if one.missed { "MISSED" } else { "ok" };
    let Some(run) = &one.run else { return format!("{:14} {state:7} never ran", one.job) };
    let succeeded = run.succeeded_at.map_or_else(|| "never".to_owned(), rfc3339);
    let error = run.error.as_deref().map(|error| format!("; last error: {error}")).unwrap_or_default();
    format!("{:14} {state:7} last begun {}, last ended well {succeeded}{error}", one.job, rfc3339(run.started_at))
}
