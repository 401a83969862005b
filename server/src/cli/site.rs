//! `site`: adds and lists sites.

use clap::{Args, Subcommand};

use super::{DataArguments, print, say};
use crate::{
    clock,
    domain::{school_calendar::Zone, scope::Scope, uai::UaiCode},
    store::{
        audit::{self, COMMAND_LINE, NewAudit},
        site::{self, NewSite},
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Site {
    /// Adds a site, or corrects the one with that code.
    #[command(visible_alias = "create")]
    Add(Add),
    /// Lists all sites: code, zone, name, commune.
    List(DataArguments),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    data: DataArguments,
    /// Its UAI code: seven digits and a letter.
    #[arg(long)]
    uai: UaiCode,
    /// Its name.
    #[arg(long)]
    name: String,
    /// Its commune.
    #[arg(long)]
    commune: String,
    /// The zone of its school holidays: A, B or C.
    #[arg(long)]
    zone: Zone,
}

pub(super) async fn run(command: Site) -> anyhow::Result<()> {
    match command {
        Site::Add(add) => self::add(add).await,
        Site::List(data) => list(&data).await,
    }
}

async fn add(add: Add) -> anyhow::Result<()> {
    anyhow::ensure!(!add.name.trim().is_empty(), "a site needs a name");
    let store = add.data.open_store().await?;
    let new = NewSite {
        uai: add.uai,
        name: add.name.trim().to_owned(),
        commune: add.commune.trim().to_owned(),
        zone: add.zone,
    };
    let now = clock::now();
    let mut tx = store.write().await?;
    let id = site::put(&mut tx, &new, now).await?;
    let entry = NewAudit {
        actor: COMMAND_LINE,
        action: "site.put",
        object_kind: "site",
        object_id: &id.to_string(),
        details: serde_json::json!({"uai": new.uai.as_str(), "name": new.name, "commune": new.commune,
            "zone": new.zone.as_str()}),
    };
    audit::append(&mut tx, entry, now).await?;
    tx.commit().await?;
    store.close().await;
    say(&format!("{} {}: recorded", new.uai, new.name));
    Ok(())
}

async fn list(data: &DataArguments) -> anyhow::Result<()> {
    let store = data.open_store().await?;
    let mut tx = store.read().await?;
    for site in site::list(&mut tx, &Scope::Everything).await? {
        print(&format!("{}\t{}\t{}\t{}\n", site.uai, site.zone, site.name, site.commune))?;
    }
    drop(tx);
    store.close().await;
    Ok(())
}
