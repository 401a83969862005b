//! `borrower`: the rights of persons, for whoever answers their letters: everything that is kept, and forgetting it.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::{DataArguments, print, say};
use crate::{
    clock,
    config::{Overrides, Settings},
    domain::{
        borrower::{Borrower as Known, Reference},
        identity::may_be_erased,
        scope::Scope,
    },
    exchange,
    pki::MasterKey,
    store::{
        Tx,
        audit::{self, COMMAND_LINE, NewAudit},
        borrower, dossier,
    },
    vault::Vault,
};

#[derive(Debug, Subcommand)]
pub(super) enum Borrower {
    /// Prints everything that is kept about a borrower, as JSON.
    Export(Export),
    /// Erases who a borrower was; its reference and loans stay. Refused while a loan is open.
    Erase(Erase),
}

#[derive(Debug, Args)]
pub(super) struct Export {
    #[command(flatten)]
    data: DataArguments,
    /// The file with the key that seals what is at rest.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The borrower's reference, such as B-7K3M-Q2ZD.
    reference: Reference,
}

#[derive(Debug, Args)]
pub(super) struct Erase {
    #[command(flatten)]
    data: DataArguments,
    /// The borrower's reference, such as B-7K3M-Q2ZD.
    reference: Reference,
    /// Why, for the audit.
    #[arg(long)]
    reason: String,
}

pub(super) async fn run(command: Borrower) -> anyhow::Result<()> {
    match command {
        Borrower::Export(export) => self::export(export).await,
        Borrower::Erase(erase) => self::erase(erase).await,
    }
}

async fn known(tx: &mut Tx, reference: &Reference) -> anyhow::Result<Known> {
    let found = borrower::find_by_reference(tx, &Scope::Everything, reference).await?;
    found.with_context(|| format!("no borrower has the reference {reference}"))
}

async fn record(tx: &mut Tx, one: &Known, action: &str, details: serde_json::Value) -> anyhow::Result<()> {
    let object_id = one.id.to_string();
    let entry = NewAudit { actor: COMMAND_LINE, action, object_kind: "borrower", object_id: &object_id, details };
    audit::append(tx, entry, clock::now()).await?;
    Ok(())
}

async fn export(export: Export) -> anyhow::Result<()> {
    let overrides = Overrides { key_file: export.key_file.clone(), ..Overrides::default() };
    let settings = Settings::load(&export.data.data, overrides)?;
    let vault = Vault::new(&MasterKey::find(settings.key_file.as_deref())?);
    let store = export.data.open_store().await?;
    let mut tx = store.write().await?;
    let one = known(&mut tx, &export.reference).await?;
    let file = exchange::dossier::open(&vault, one.id, dossier::read(&mut tx, &one).await?)?;
    record(&mut tx, &one, "borrower.export", serde_json::json!({})).await?;
    tx.commit().await?;
    store.close().await;
    print(&format!("{file:#}\n"))
}

async fn erase(erase: Erase) -> anyhow::Result<()> {
    anyhow::ensure!(!erase.reason.trim().is_empty(), "say why: --reason");
    let store = erase.data.open_store().await?;
    let mut tx = store.write().await?;
    let one = known(&mut tx, &erase.reference).await?;
    may_be_erased(borrower::open_loans(&mut tx, one.id).await?)?;
    let erased = borrower::erase_identity(&mut tx, one.id, clock::now()).await?;
    if erased {
        record(&mut tx, &one, "borrower.erase_identity", serde_json::json!({ "reason": erase.reason.trim() })).await?;
        tx.commit().await?;
    }
    store.close().await;
    say(&format!("{}: {}", one.reference, if erased { "erased" } else { "nothing was known" }));
    Ok(())
}
