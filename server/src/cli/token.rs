//! `token`: makes, lists and ends enrolment tokens. A token's text is printed once and kept nowhere.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use uuid::Uuid;

use super::{DataArguments, print, say};
use crate::{
    clock,
    domain::{
        enrolment_token::{Admits, DEFAULT_HOURS, TokenTerms, TokenText},
        scope::Scope,
        uai::UaiCode,
    },
    random,
    store::{
        audit::{self, COMMAND_LINE, NewAudit},
        enrolment_token, site,
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Makes a token and prints it.
    Create(Create),
    /// Lists all tokens: id, site, used/cap, state, label.
    List(DataArguments),
    /// Ends a token.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    data: DataArguments,
    /// The UAI code of the site that its laptops belong to.
    #[arg(long)]
    site: UaiCode,
    /// How many laptops it lets in.
    #[arg(long, visible_alias = "bulk", default_value_t = 1)]
    cap: u32,
    /// Days until it ends.
    #[arg(long, conflicts_with = "hours")]
    days: Option<u32>,
    /// Hours until it ends; 24 where neither is given.
    #[arg(long)]
    hours: Option<u32>,
    /// What people call it.
    #[arg(long)]
    label: Option<String>,
    /// Neutral code of the scheme its laptops belong to.
    #[arg(long)]
    programme: Option<String>,
    /// Only laptops whose serial number is recorded already come in by themselves; others wait for approval.
    #[arg(long)]
    recorded_only: bool,
    /// Prints one JSON line {id, token, expires_at} instead of the token alone.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    data: DataArguments,
    /// The token's id, as `token list` shows it.
    id: Uuid,
}

pub(super) async fn run(command: Token) -> anyhow::Result<()> {
    match command {
        Token::Create(create) => self::create(create).await,
        Token::List(data) => list(&data).await,
        Token::Revoke(revoke) => self::revoke(revoke).await,
    }
}

async fn create(create: Create) -> anyhow::Result<()> {
    let now = clock::now();
    let term = create.days.map(|days| format!("{days} day(s)"));
    let hours = create.days.map(|days| days.saturating_mul(24)).or(create.hours).unwrap_or(DEFAULT_HOURS);
    let label = create.label.unwrap_or_else(|| format!("{} ({})", create.site, create.cap));
    let admits = if create.recorded_only { Admits::Recorded } else { Admits::Anyone };
    let terms = TokenTerms::new(&label, create.programme.as_deref(), create.cap, hours, now)?.admitting(admits);
    let text = TokenText::from_random(random::bytes()?);

    let store = create.data.open_store().await?;
    let mut tx = store.write().await?;
    let site = site::find_by_uai(&mut tx, &Scope::Everything, &create.site)
        .await?
        .with_context(|| format!("no site has the code {}; add it with `cartable-server site add`", create.site))?;
    let id = enrolment_token::create(&mut tx, &text, &terms, site.id, COMMAND_LINE, now).await?;
    let details = serde_json::json!({"label": terms.label(), "site": site.uai, "cap": terms.cap(),
        "expires_at": terms.expires_at(), "admits": admits.as_str()});
    append(&mut tx, "enrolment_token.create", id, details, now).await?;
    tx.commit().await?;
    store.close().await;

    if create.json {
        let line = serde_json::json!({"id": id, "token": text.to_string(), "expires_at": terms.expires_at()});
        return print(&format!("{line}\n"));
    }
    let term = term.unwrap_or_else(|| format!("{hours} hour(s)"));
    say(&format!("Lets {} laptop(s) into {} for {term}. It is shown once:", terms.cap(), site.name));
    print(&format!("{text}\n"))
}

async fn list(data: &DataArguments) -> anyhow::Result<()> {
    let store = data.open_store().await?;
    let mut tx = store.read().await?;
    let now = clock::now();
    for token in enrolment_token::list(&mut tx, &Scope::Everything).await? {
        let state = format!("{:?}", token.state(now)).to_lowercase();
        print(&format!("{}\t{}\t{}/{}\t{state}\t{}\n", token.id, token.site_uai, token.used, token.cap, token.label))?;
    }
    drop(tx);
    store.close().await;
    Ok(())
}

async fn revoke(revoke: Revoke) -> anyhow::Result<()> {
    let store = revoke.data.open_store().await?;
    let now = clock::now();
    let mut tx = store.write().await?;
    let ended = enrolment_token::revoke(&mut tx, &Scope::Everything, revoke.id, now).await?;
    anyhow::ensure!(ended, "no open token has the id {}; see `cartable-server token list`", revoke.id);
    append(&mut tx, "enrolment_token.revoke", revoke.id, serde_json::json!({}), now).await?;
    tx.commit().await?;
    store.close().await;
    say("ended");
    Ok(())
}

async fn append(
    tx: &mut crate::store::Tx,
    action: &str,
    id: Uuid,
    details: serde_json::Value,
    now: cartable_common::UtcMillis,
) -> anyhow::Result<()> {
    let object_id = id.to_string();
    let entry =
        NewAudit { actor: COMMAND_LINE, action, object_kind: "enrolment_token", object_id: &object_id, details };
    audit::append(tx, entry, now).await?;
    Ok(())
}
