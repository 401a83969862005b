//! `cartable-server user …`: people who sign in.

use std::{
    io::{BufRead as _, Write},
    path::PathBuf,
};

use anyhow::Context as _;
use cartable_common::UtcMillis;
use clap::{Args, Subcommand};
use uuid::Uuid;

use crate::{
    auth::{account, secret::readable_password},
    domain::{
        authority::Role,
        person::{Login, MAX_PASSWORD_BYTES, Person},
        scope::Scope,
        uai::UaiCode,
    },
    store::{Store, audit::COMMAND_LINE, person, site},
};

/// What to do about people.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Create a person who may sign in
    Create(Create),
    /// Give a person another password and end that person's sessions
    Password(Password),
    /// Stop an account: no sign-in, no session, no API token any more
    Disable(Disable),
    /// List people
    List,
}

/// Arguments of `user create`.
#[derive(Debug, Args)]
pub struct Create {
    /// What the person types to sign in: letters without accents, digits and . _ - @
    #[arg(long)]
    login: Login,
    /// administrator, programme_manager, technician, referent, refurbisher or auditor
    #[arg(long)]
    role: Role,
    /// The person's name, for greeting; the login if absent
    #[arg(long)]
    name: Option<String>,
    /// UAI code of a site the person works for; repeat it for several; without it, the whole programme
    #[arg(long = "site", value_name = "UAI")]
    sites: Vec<UaiCode>,
    #[command(flatten)]
    password: PasswordSource,
}

/// Arguments of `user password`.
#[derive(Debug, Args)]
pub struct Password {
    /// Whose password
    #[arg(long)]
    login: Login,
    #[command(flatten)]
    password: PasswordSource,
}

/// Arguments of `user disable`.
#[derive(Debug, Args)]
pub struct Disable {
    /// Whose account
    #[arg(long)]
    login: Login,
}

/// Where a password comes from. Never an argument: those show in the list of processes and in the shell's history.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct PasswordSource {
    /// Read the password from the first line of this file
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
}

/// A password, and whether it was made here and must be shown.
enum Chosen {
    Given(String),
    Generated(String),
}

impl PasswordSource {
    fn read(&self) -> anyhow::Result<Chosen> {
        let line = match &self.password_file {
            Some(path) => {
                let file = std::fs::File::open(path)
                    .with_context(|| format!("cannot open the password file {}", path.display()))?;
                first_line(file).with_context(|| format!("cannot read the password file {}", path.display()))?
            }
            None if self.password_stdin => {
                first_line(std::io::stdin()).context("cannot read the password from standard input")?
            }
            None => return Ok(Chosen::Generated(readable_password()?)),
        };
        Ok(Chosen::Given(line))
    }
}

fn first_line(source: impl std::io::Read) -> std::io::Result<String> {
    let mut line = String::new();
    // One byte more than allowed, so that what is too long is refused instead of cut.
    let longest = u64::try_from(MAX_PASSWORD_BYTES).unwrap_or(u64::MAX).saturating_add(3);
    std::io::BufReader::new(std::io::Read::take(source, longest)).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

impl Chosen {
    fn text(&self) -> &str {
        match self {
            Self::Given(text) | Self::Generated(text) => text,
        }
    }

    /// The password stands alone and last, so that a script can take the last word.
    fn show(&self, out: &mut dyn Write) -> std::io::Result<()> {
        match self {
            Self::Given(_) => Ok(()),
            Self::Generated(text) => writeln!(out, "password, shown only this once: {text}"),
        }
    }
}

/// Does what the command says and writes what came of it to `out`.
pub async fn run(command: UserCommand, store: &Store, now: UtcMillis, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        UserCommand::Create(arguments) => create(arguments, store, now, out).await,
        UserCommand::Password(Password { login, password }) => {
            let password = password.read()?;
            account::change_password(store, COMMAND_LINE, &login, password.text(), now).await?;
            writeln!(out, "{login} has a new password; sessions that were open have ended")?;
            Ok(password.show(out)?)
        }
        UserCommand::Disable(Disable { login }) => {
            account::disable(store, COMMAND_LINE, &login, now).await?;
            Ok(writeln!(out, "{login} can no longer sign in; sessions have ended, API tokens are revoked")?)
        }
        UserCommand::List => list(store, out).await,
    }
}

async fn create(arguments: Create, store: &Store, now: UtcMillis, out: &mut dyn Write) -> anyhow::Result<()> {
    let password = arguments.password.read()?;
    let person = Person {
        id: Uuid::new_v4(),
        display_name: arguments.name.unwrap_or_else(|| arguments.login.to_string()),
        login: arguments.login,
        role: arguments.role,
        scope: scope(store, &arguments.sites).await?,
        language: None,
    };
    let (login, role) = (person.login.clone(), person.role);
    account::create(store, COMMAND_LINE, person, password.text(), now).await?;
    writeln!(out, "{login} can sign in as {}", role.as_str())?;
    Ok(password.show(out)?)
}

async fn scope(store: &Store, codes: &[UaiCode]) -> anyhow::Result<Scope> {
    if codes.is_empty() {
        return Ok(Scope::Everything);
    }
    let mut tx = store.read().await?;
    let mut sites = Vec::with_capacity(codes.len());
    for code in codes {
        let site = site::find_by_uai(&mut tx, &Scope::Everything, code).await?;
        let unknown =
            || format!("there is no site with the code {}: add it with `cartable-server site add`", code.as_str());
        sites.push(site.with_context(unknown)?.id);
    }
    Ok(Scope::Sites(sites))
}

async fn list(store: &Store, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut tx = store.read().await?;
    for account in person::list(&mut tx).await? {
        let person = &account.person;
        let sites = match &person.scope {
            Scope::Everything => "all sites".to_owned(),
            Scope::Sites(sites) => format!("{} sites", sites.len()),
        };
        let state = if account.disabled_at.is_some() { "disabled" } else { "enabled" };
        writeln!(out, "{}\t{}\t{sites}\t{state}\t{}", person.login, person.role.as_str(), person.display_name)?;
    }
    Ok(())
}
