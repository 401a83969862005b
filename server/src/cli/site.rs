//! `site`: adds and lists sites.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use uuid::Uuid;

use super::{DataArguments, print, say};
use crate::{
    clock,
    domain::{identity::is_email, language::Language, school_calendar::Zone, scope::Scope, uai::UaiCode},
    store::{
        audit::{self, COMMAND_LINE, NewAudit},
        site::{self, NewSite},
        site_referent::{self, Referent},
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Site {
    /// Adds a site, or corrects the one with that code.
    #[command(visible_alias = "create")]
    Add(Add),
    /// Adds a referent, who answers for a site's loans and receives its digests.
    AddReferent(AddReferent),
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

#[derive(Debug, Args)]
pub(super) struct AddReferent {
    #[command(flatten)]
    data: DataArguments,
    /// The site's UAI code.
    #[arg(long)]
    uai: UaiCode,
    /// First and last name.
    #[arg(long)]
    name: String,
    /// Where notices go.
    #[arg(long)]
    email: String,
    /// The language of notices: fr or en.
    #[arg(long, default_value = "fr")]
    language: Language,
}

pub(super) async fn run(command: Site) -> anyhow::Result<()> {
    match command {
        Site::Add(add) => self::add(add).await,
        Site::AddReferent(add) => add_referent(add).await,
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

async fn add_referent(add: AddReferent) -> anyhow::Result<()> {
    let (name, email) = (add.name.trim(), add.email.trim().to_lowercase());
    anyhow::ensure!(!name.is_empty() && !name.contains(char::is_control), "a referent needs a name");
    anyhow::ensure!(is_email(&email), "an e-mail address looks like name@example.org");
    let store = add.data.open_store().await?;
    let now = clock::now();
    let mut tx = store.write().await?;
    let found = site::find_by_uai(&mut tx, &Scope::Everything, &add.uai).await?;
    let found = found.with_context(|| format!("no site has the UAI code {}", add.uai))?;
    let (id, name) = (Uuid::now_v7(), name.to_owned());
    let new = Referent { id, site: found.id, name, email, language: add.language, created_at: now };
    anyhow::ensure!(site_referent::add(&mut tx, &new).await?, "the site has a referent with this address already");
    let entry = NewAudit {
        actor: COMMAND_LINE,
        action: "site.add_referent",
        object_kind: "site",
        object_id: &found.id.to_string(),
        details: serde_json::json!({ "referent": id }),
    };
    audit::append(&mut tx, entry, now).await?;
    tx.commit().await?;
    store.close().await;
    say(&format!("{}: referent recorded", add.uai));
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
