//! `webhook`: which other systems are told of events. A signing secret is printed once.

use std::fmt::Write as _;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use uuid::Uuid;

use super::{DataArguments, print, say};
use crate::{
    clock,
    config::{Overrides, Settings},
    domain::{timestamp::rfc3339, webhook::EventKind},
    pki::MasterKey,
    store::{
        Store,
        audit::{self, COMMAND_LINE, NewAudit},
        webhook::{self, Webhook},
    },
    vault::Vault,
    webhook::{Secret, Teller},
};

/// What to do about webhooks.
#[derive(Debug, Subcommand)]
pub(super) enum WebhookCommand {
    /// Adds one and prints its signing secret
    Add(Add),
    /// Lists them with what waits and what failed
    List(DataArguments),
    /// Stops one; what waits for it is given up
    Disable(Disable),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    data: DataArguments,
    /// What people call it
    #[arg(long)]
    label: String,
    /// https://HOST/PATH; the host must stand in [webhooks] hosts in config.toml
    #[arg(long)]
    url: String,
    /// Which events, repeated: flag.raised, loan.returned…; without any, all
    #[arg(long = "event", value_name = "EVENT")]
    events: Vec<EventKind>,
}

#[derive(Debug, Args)]
pub(super) struct Disable {
    #[command(flatten)]
    data: DataArguments,
    /// Which one, by the id that `webhook list` prints
    id: Uuid,
}

pub(super) async fn run(command: WebhookCommand) -> anyhow::Result<()> {
    match command {
        WebhookCommand::Add(arguments) => add(arguments).await,
        WebhookCommand::List(data) => list(&data.open_store().await?).await,
        WebhookCommand::Disable(Disable { data, id }) => disable(&data.open_store().await?, id).await,
    }
}

async fn add(arguments: Add) -> anyhow::Result<()> {
    let Add { data, label, url, events } = arguments;
    let overrides = Overrides { database: data.database.clone(), ..Overrides::default() };
    let settings = Settings::load(&data.data, overrides)?;
    let vault = Vault::new(&MasterKey::find(settings.key_file.as_deref())?);
    Teller::new(settings.webhooks.clone())?.target(&url)?;
    let (id, secret, now) = (Uuid::now_v7(), Secret::new()?, clock::now());
    let sealed = vault.seal("webhook", id, secret.expose().as_bytes())?;
    let label = label.trim().to_owned();
    if label.is_empty() || label.chars().count() > 80 || label.contains(char::is_control) {
        bail!("a label has 1 to 80 characters");
    }
    let new = Webhook { id, label, url, events, created_at: now, disabled_at: None };
    let store = Store::open(&settings.database.0).await?;
    let mut tx = store.write().await?;
    match webhook::insert(&mut tx, &new, &sealed).await {
        Err(error) if error.is_duplicate_of("url") => bail!("this address is told already"),
        other => other?,
    }
    record(&mut tx, "webhook.add", id, json!({ "label": new.label, "url": new.url, "events": new.events })).await?;
    tx.commit().await?;
    say("The signing secret is shown this once; give it to the receiver:");
    print(&format!("{id} {}\n", secret.expose()))
}

async fn list(store: &Store) -> anyhow::Result<()> {
    let mut text = String::new();
    for one in webhook::list(&mut store.read().await?).await? {
        let state = if one.webhook.disabled_at.is_some() { "disabled" } else { "told" };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{} {state} {} {} waiting {} given up {}",
            one.webhook.id, one.webhook.label, one.webhook.url, one.waiting, one.given_up
        );
        if let Some((at, error)) = one.last_error {
            let _ = writeln!(text, "    {} {error}", rfc3339(at));
        }
    }
    print(&text)
}

async fn disable(store: &Store, id: Uuid) -> anyhow::Result<()> {
    let now = clock::now();
    let mut tx = store.write().await?;
    if !webhook::disable(&mut tx, id, now).await? {
        bail!("no webhook with this id is told of anything");
    }
    record(&mut tx, "webhook.disable", id, json!({})).await?;
    Ok(tx.commit().await?)
}

async fn record(tx: &mut crate::store::Tx, action: &str, id: Uuid, details: serde_json::Value) -> anyhow::Result<()> {
    let object_id = id.to_string();
    let row = NewAudit { actor: COMMAND_LINE, action, object_kind: "webhook", object_id: &object_id, details };
    audit::append(tx, row, clock::now()).await.context("the audit").map(drop)
}
