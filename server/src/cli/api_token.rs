//! `cartable-server api-token …`: tokens of scripts and other systems.

use std::io::Write;

use cartable_common::UtcMillis;
use clap::{Args, Subcommand};
use uuid::Uuid;

use crate::{
    auth::account,
    domain::person::Login,
    domain::timestamp::rfc3339,
    store::{Store, api_token, audit::COMMAND_LINE},
};

/// Days after which a token ends unless something else is said: a forgotten one does not live for ever.
const DEFAULT_DAYS: i64 = 90;
/// Longest life of a token, in days.
const MAX_DAYS: i64 = 366;
/// Longest label in characters.
const MAX_LABEL_CHARS: usize = 80;

/// What to do about API tokens.
#[derive(Debug, Subcommand)]
pub enum ApiTokenCommand {
    /// Create a token with the rights of a person, and print it once
    Create(Create),
    /// List tokens, without their secret
    List,
    /// Revoke a token: the next request with it is refused
    Revoke(Revoke),
}

/// Arguments of `api-token create`.
#[derive(Debug, Args)]
pub struct Create {
    /// Whose rights the token carries
    #[arg(long)]
    login: Login,
    /// What it is for, to know later which one to revoke
    #[arg(long, value_parser = label)]
    label: String,
    /// After how many days it ends
    #[arg(long, default_value_t = DEFAULT_DAYS, value_parser = clap::value_parser!(i64).range(1..=MAX_DAYS))]
    days: i64,
}

/// Arguments of `api-token revoke`.
#[derive(Debug, Args)]
pub struct Revoke {
    /// Its id, as `api-token list` prints it
    id: Uuid,
}

fn label(text: &str) -> Result<String, String> {
    let text = text.trim();
    let fits = (1..=MAX_LABEL_CHARS).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned()).ok_or_else(|| format!("a label has 1 to {MAX_LABEL_CHARS} characters"))
}

/// Does what the command says and writes what came of it to `out`.
pub async fn run(command: ApiTokenCommand, store: &Store, now: UtcMillis, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        ApiTokenCommand::Create(Create { login, label, days }) => {
            let ends = now.plus_days(days);
            let (id, secret) = account::create_token(store, COMMAND_LINE, &login, &label, ends, now).await?;
            writeln!(out, "id {id}, ends {}", rfc3339(ends))?;
            // Alone and last, so that a script can take the last word.
            Ok(writeln!(out, "token, shown only this once: {}", secret.expose())?)
        }
        ApiTokenCommand::List => list(store, now, out).await,
        ApiTokenCommand::Revoke(Revoke { id }) => {
            account::revoke_token(store, COMMAND_LINE, id, now).await?;
            Ok(writeln!(out, "{id} is revoked")?)
        }
    }
}

async fn list(store: &Store, now: UtcMillis, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut tx = store.read().await?;
    for token in api_token::list(&mut tx).await? {
        let state = match token.revoked_at {
            Some(at) => format!("revoked {}", rfc3339(at)),
            None if token.expires_at <= now => format!("ended {}", rfc3339(token.expires_at)),
            None => format!("until {}", rfc3339(token.expires_at)),
        };
        writeln!(out, "{}\t{}\t{state}\t{}", token.id, token.login, token.label)?;
    }
    Ok(())
}
