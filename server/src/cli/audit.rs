//! `cartable-server audit …`: who changed what, and whether the record of it is whole.

use std::io::Write;

use anyhow::bail;
use clap::{Args, Subcommand};

use crate::{
    domain::timestamp::rfc3339,
    store::{
        Store,
        audit::{self, Head, Verification},
    },
};

/// What to do about the audit.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Recompute the chain of hashes; fails where a row was altered, deleted, moved or cut off
    Verify(Verify),
    /// Print the newest acts, one a line
    List(List),
}

/// Arguments of `audit verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// A head that an earlier `audit verify` printed and that was kept elsewhere: also find out whether everything up
    /// to it is still the same
    #[arg(long, value_name = "SEQ:HASH")]
    head: Option<Head>,
}

/// Arguments of `audit list`.
#[derive(Debug, Args)]
pub struct List {
    /// How many acts to print
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    /// Only acts before this one
    #[arg(long, value_name = "SEQ")]
    before: Option<i64>,
}

/// Does what the command says and writes what came of it to `out`.
pub async fn run(command: AuditCommand, store: &Store, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut tx = store.read().await?;
    match command {
        AuditCommand::Verify(Verify { head }) => match audit::verify(&mut tx, head).await? {
            Verification::Intact(head) => {
                writeln!(out, "the audit is whole: {} acts. Its head is", head.seq)?;
                writeln!(out, "{head}")?;
                Ok(writeln!(
                    out,
                    "Keep this line somewhere that this server cannot write to, and give it as --head next time: whoever \
                     can write to the database could otherwise rewrite the whole chain."
                )?)
            }
            Verification::Broken { seq, what } => {
                bail!(
                    "the audit is broken at act {seq}: {what}. Compare it with a backup, and find out who could write to the database"
                )
            }
        },
        AuditCommand::List(List { limit, before }) => {
            for act in audit::list(&mut tx, before, limit).await? {
                let at = rfc3339(act.at);
                let object = format!("{} {}", act.object_kind, act.object_id);
                writeln!(out, "{}\t{at}\t{}\t{}\t{object}\t{}", act.seq, act.actor, act.action, act.details)?;
            }
            Ok(())
        }
    }
}
