//! `authority`: changes the keys that certificates are signed with, and says which devices trust which roots.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cartable_common::UtcMillis;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{DataArguments, print, say};
use crate::{
    clock,
    config::{Overrides, Settings},
    domain::{paris, scope::Scope},
    pki::{MasterKey, PkiError, RootRole, Rotation, Standing},
    store::{
        Tx,
        audit::{self, COMMAND_LINE, NewAudit},
        foreign_agent, trust_bundle,
    },
};

/// Devices that are read at a time.
const PAGE: i64 = 500;

/// Running servers read the authority when they start.
const RESTART: &str = "Restart each server now (copy pki/ to those on other machines first).";

#[derive(Debug, Subcommand)]
pub(super) enum AuthorityCommand {
    /// Says which roots are trusted until when, and how many devices hold the newest trust bundle.
    Status(DataArguments),
    /// Lists the devices that do not hold the newest trust bundle: id, serial number, model, bundle, last contact.
    Sleepers(DataArguments),
    /// Makes a new intermediate for device certificates; those of the earlier one stay accepted.
    RenewDevices(Change),
    /// Makes a new intermediate for the gateway's certificate.
    RenewGateway(Change),
    /// Makes a new signer of orders to agents, or the first where an installation is older than orders.
    RenewSigner(Change),
    /// Stops accepting device certificates of earlier intermediates; their devices recover by their keys.
    DropEarlier(Change),
    /// Begins to change the root: makes the new one and a trust bundle with both.
    BeginRoot(Change),
    /// Issues under the new root from now on.
    SwitchRoot(Change),
    /// Retires the old root: makes the trust bundle without it.
    RetireRoot(Change),
}

#[derive(Debug, Args)]
pub(super) struct Change {
    #[command(flatten)]
    data: DataArguments,
    /// The file with the key that seals the private keys at rest.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The root's private key, where it was moved away: the new root's for switch-root and retire-root.
    #[arg(long, value_name = "FILE")]
    root_key: Option<PathBuf>,
}

/// What a step does to the authority, with the root's key, at a moment.
type Step = fn(&mut Rotation, Option<&Path>, UtcMillis) -> Result<(), PkiError>;

/// One change: what it does, its name in the audit, and what follows from it.
struct Deed {
    step: Step,
    action: &'static str,
    words: &'static str,
    /// What is to be done for other systems' agents, whose roots are a file that follows no bundle.
    by_hand: Option<&'static str>,
}

pub(super) async fn run(command: AuthorityCommand) -> anyhow::Result<()> {
    let (change, deed) = match command {
        AuthorityCommand::Status(data) => return status(&data).await,
        AuthorityCommand::Sleepers(data) => return sleepers(&data).await,
        AuthorityCommand::RenewDevices(change) => (change, RENEW_DEVICES),
        AuthorityCommand::RenewGateway(change) => (change, RENEW_GATEWAY),
        AuthorityCommand::RenewSigner(change) => (change, RENEW_SIGNER),
        AuthorityCommand::DropEarlier(change) => (change, DROP_EARLIER),
        AuthorityCommand::BeginRoot(change) => (change, BEGIN_ROOT),
        AuthorityCommand::SwitchRoot(change) => (change, SWITCH_ROOT),
        AuthorityCommand::RetireRoot(change) => (change, RETIRE_ROOT),
    };
    self::change(change, &deed).await?;
    say(deed.words);
    say(RESTART);
    Ok(())
}

const RENEW_DEVICES: Deed = Deed {
    step: Rotation::renew_devices,
    action: "authority.renew_devices",
    words: "New device certificates come from the new intermediate; the others stay accepted. After 180 days none is left: \
            then cartable-server authority drop-earlier.",
    by_hand: None,
};
const RENEW_GATEWAY: Deed = Deed {
    step: Rotation::renew_gateway,
    action: "authority.renew_gateway",
    words: "The gateway gets another certificate when it starts.",
    by_hand: None,
};
const RENEW_SIGNER: Deed = Deed {
    step: Rotation::renew_signer,
    action: "authority.renew_signer",
    words: "Orders are signed by the new key. Those of the one before stay good until they end.",
    by_hand: None,
};
const DROP_EARLIER: Deed = Deed {
    step: |rotation, _, _| rotation.drop_earlier(),
    action: "authority.drop_earlier",
    words: "Whoever still has an earlier certificate recovers by its key at its next contact.",
    by_hand: Some("those of an earlier intermediate count no more after the restart: issue them again"),
};
const BEGIN_ROOT: Deed = Deed {
    step: Rotation::begin,
    action: "authority.begin_root",
    words: "Agents take the new trust bundle at their next contact. Next, once `authority status` says that most hold it: \
            cartable-server authority switch-root, which needs the new root's key; then move that away.",
    by_hand: Some("bring what show-roots prints now to each machine of `foreign-agent list` before switch-root"),
};
const SWITCH_ROOT: Deed = Deed {
    step: Rotation::switch,
    action: "authority.switch_root",
    words: "Certificates are issued under the new root; devices that sleep learn of it when they wake. Next, after 180 days: \
            cartable-server authority retire-root.",
    by_hand: Some(
        "without what show-roots has printed since begin-root, a machine of `foreign-agent list` is silent after the \
         restart; each needs another certificate (`foreign-agent issue`) before retire-root",
    ),
};
const RETIRE_ROOT: Deed = Deed {
    step: Rotation::retire,
    action: "authority.retire_root",
    words: "The old root is trusted no more. Keep its certificate while backups need it.",
    by_hand: Some("those issued before switch-root count no more after the restart: issue them again"),
};

/// Does one step, with its row in the audit, and says how far the fleet is.
async fn change(change: Change, deed: &Deed) -> anyhow::Result<()> {
    let Change { data, key_file, root_key } = change;
    let overrides = Overrides { database: data.database.clone(), key_file, ..Overrides::default() };
    let settings = Settings::load(&data.data, overrides)?;
    let master = MasterKey::find(settings.key_file.as_deref())?;
    let store = data.open_store().await?;
    let now = clock::now();
    let mut tx = store.write().await?;
    // Two steps at once would lose one: the second reads the keys after the first is done.
    trust_bundle::lock(&mut tx).await?;
    let mut rotation = Rotation::open(&settings.data.join("pki"), &master)?;
    tell_spread(&mut tx, rotation.bundle()).await?;
    if let Some(words) = deed.by_hand {
        tell_by_hand(&mut tx, words).await?;
    }
    (deed.step)(&mut rotation, root_key.as_deref(), now)?;
    // The step stands on the disk: should the database refuse now, the words say so, and nothing is half done.
    let entry = NewAudit {
        actor: COMMAND_LINE,
        action: deed.action,
        object_kind: "authority",
        object_id: "authority",
        details: json!({ "bundle": rotation.bundle() }),
    };
    audit::append(&mut tx, entry, now).await.context("the step is done, but its row in the audit is missing")?;
    tx.commit().await.context("the step is done, but its row in the audit is missing")?;
    store.close().await;
    Ok(())
}

async fn tell_spread(tx: &mut Tx, bundle: u32) -> anyhow::Result<()> {
    let spread = trust_bundle::spread(tx, bundle).await?;
    let (holders, behind) = (spread.holders, spread.devices - spread.holders);
    say(&format!(
        "Trust bundle {bundle}: {holders} devices hold it, {behind} do not (`authority sleepers` lists them)."
    ));
    Ok(())
}

/// Says how many certificates of other systems' agents there are, where there are any, and what becomes of them.
async fn tell_by_hand(tx: &mut Tx, words: &str) -> anyhow::Result<()> {
    let count = foreign_agent::list(tx, &Scope::Everything).await?.len();
    if count > 0 {
        say(&format!("Certificates of other systems' agents: {count}; {words}."));
    }
    Ok(())
}

async fn status(data: &DataArguments) -> anyhow::Result<()> {
    let standing = Standing::of(&data.data.join("pki"))?;
    for root in &standing.roots {
        let role = match root.role {
            RootRole::Issuing => "issuing",
            RootRole::Next => "next",
            RootRole::Old => "old",
        };
        print(&format!("root\t{}\t{role}\t{}\n", root.name, paris::date(root.not_after)))?;
    }
    print(&format!("bundle\t{}\nearlier intermediates\t{}\n", standing.bundle, standing.earlier))?;
    let store = data.open_store().await?;
    let mut tx = store.read().await?;
    let spread = trust_bundle::spread(&mut tx, standing.bundle).await?;
    drop(tx);
    store.close().await;
    print(&format!("devices\t{}\nholders\t{}\n", spread.devices, spread.holders))
}

async fn sleepers(data: &DataArguments) -> anyhow::Result<()> {
    let bundle = Standing::of(&data.data.join("pki"))?.bundle;
    let store = data.open_store().await?;
    let mut tx = store.read().await?;
    let mut after = None;
    loop {
        let page = trust_bundle::behind(&mut tx, bundle, after, PAGE).await?;
        for one in &page {
            let (serial, model) = (one.serial_number.as_deref(), one.model.as_deref());
            let last = one.last_contact.map_or_else(|| "never".to_owned(), |at| paris::date(at).to_string());
            let (serial, model) = (serial.unwrap_or_default(), model.unwrap_or_default());
            print(&format!("{}\t{serial}\t{model}\t{}\t{last}\n", one.device, one.held))?;
        }
        after = page.last().map(|one| one.device);
        if after.is_none() {
            break;
        }
    }
    drop(tx);
    store.close().await;
    Ok(())
}
