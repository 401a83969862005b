//! `restored`: said once after a server was restored from a backup, before it serves again.

use cartable_common::UtcMillis;
use clap::Args;
use serde_json::json;

use super::{DataArguments, print, say, updates};
use crate::{
    clock,
    domain::{
        paris,
        restored::{DEFAULT_DAYS, Restored},
    },
    store::{
        agent_package,
        audit::{self, COMMAND_LINE, NewAudit},
        readmission,
    },
};

/// What nothing tells any more.
const FORGOTTEN: &str = "What was done after the backup is gone, and nothing tells it. Look through what you have on paper, in mail and in \
    other systems, and do again before the server serves:\n\
    - revocations and quarantines: a laptop that was stolen since is let in as it was\n\
    - donations: a laptop that was given away since counts as yours\n\
    - refused requests to join, and tokens that were ended or used up since\n\
    - loans, returns, work orders and people who may sign in\n\
    - releases of the agent that were halted: apt serves them again until you halt them once more and publish. To Windows\n\
    \x20 none is offered from now on; stage those that are good\n\
    Reports that were acknowledged since are gone; each laptop sends its newest state whole by itself.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    data: DataArguments,
    /// When the backup was taken, in Paris: 2026-11-20T03:00. Where you are not sure, somewhat earlier.
    #[arg(long, value_name = "TIME", value_parser = paris::typed)]
    backup_taken: UtcMillis,
    /// Days for which laptops that were enrolled since then come in by themselves.
    #[arg(long, default_value_t = DEFAULT_DAYS)]
    days: u16,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { data, backup_taken, days } = arguments;
    let now = clock::now();
    let store = data.open_store().await?;
    let mut tx = store.write().await?;
    let restored = Restored::new(backup_taken, audit::first_at(&mut tx).await?, now, days)?;
    readmission::declare(&mut tx, &restored).await?;
    let entry = NewAudit {
        actor: COMMAND_LINE,
        action: "authority.restored",
        object_kind: "authority",
        object_id: "authority",
        details: json!({ "made_at": backup_taken, "days": days }),
    };
    audit::append(&mut tx, entry, now).await?;
    for release in agent_package::withdraw(&mut tx, now).await? {
        let details = json!({ "percent": 0, "sites": [], "because": "restored" });
        updates::append(&mut tx, "agent_release.stage", &release.to_string(), details, now).await?;
    }
    tx.commit().await?;
    store.close().await;
    say(FORGOTTEN);
    print(&format!(
        "laptops enrolled since {} come in by themselves until {}\n",
        paris::written(backup_taken),
        paris::date(restored.until)
    ))
}
