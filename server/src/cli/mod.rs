//! The command line: one file per subcommand.

pub mod api_token;
mod assess;
pub mod audit;
mod authority;
mod backup;
mod borrower;
mod calendar;
mod device;
mod device_action;
mod device_action_bulk;
mod device_approval;
mod device_recovery;
mod documents;
mod erasure;
mod exam;
mod export;
mod forecast;
mod foreign_agent;
mod import;
mod import_inventory;
mod init;
mod jobs;
mod mail;
mod policy;
mod programme;
mod report;
mod restored;
mod roots;
mod serve;
mod site;
mod token;
mod updates;
mod updates_publish;
pub mod user;
mod webhook;

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context as _;
use cartable_common::said_once;
use clap::{Args, Parser, Subcommand};

use crate::{
    clock,
    config::{Overrides, Settings},
    domain::policy::Policy,
    store::Store,
};

/// Knows each lent laptop's health and says, with its reasons, which ones need a person.
#[derive(Debug, Parser)]
#[command(name = "cartable-server", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a data directory: device authority, database, configuration.
    Init(init::Arguments),
    /// Runs the server.
    Serve(serve::Arguments),
    /// Copies the data directory while the server runs; a server can start from the copy.
    Backup(backup::Arguments),
    /// Says that the data directory was restored from a backup, so that laptops enrolled since find their way back.
    Restored(restored::Arguments),
    /// Enrolment tokens.
    #[command(subcommand)]
    Token(token::Token),
    /// Devices.
    #[command(subcommand)]
    Device(device::Device),
    /// Sites (établissements).
    #[command(subcommand)]
    Site(site::Site),
    /// Takes a CSV or XLSX file of devices, sites, borrowers or loans in.
    Import(import::Arguments),
    /// Takes inventories of FusionInventory or GLPI Agent in, of machines that Cartable's agent cannot run on.
    ImportInventory(import_inventory::Arguments),
    /// Certificates for GLPI Agent or FusionInventory on machines that Cartable's agent cannot run on.
    #[command(subcommand)]
    ForeignAgent(foreign_agent::ForeignAgent),
    /// Writes a list as CSV or XLSX.
    Export(export::Arguments),
    /// Writes the figures of a year as a PDF and a workbook.
    Report(report::Arguments),
    /// School calendars.
    #[command(subcommand)]
    Calendar(calendar::Calendar),
    /// Exams, during which laptops make no contact.
    #[command(subcommand)]
    Exam(exam::ExamCommand),
    /// Borrowers' rights: everything that is kept, and forgetting it.
    #[command(subcommand)]
    Borrower(borrower::Borrower),
    /// Programmes (dispositifs).
    #[command(subcommand)]
    Programme(programme::Programme),
    /// Templates of agreements, receipts, lists and labels.
    #[command(subcommand)]
    Documents(documents::DocumentsCommand),
    /// The erasure of drives, and its evidence.
    #[command(subcommand)]
    Erasure(erasure::ErasureCommand),
    /// People who sign in.
    User(On<user::UserCommand>),
    /// Tokens with which programs use the API for a person.
    ApiToken(On<api_token::ApiTokenCommand>),
    /// The record of who did what.
    Audit(On<audit::AuditCommand>),
    /// The mail server.
    #[command(subcommand)]
    Mail(mail::Mail),
    /// Periodic jobs.
    #[command(subcommand)]
    Jobs(jobs::Jobs),
    /// Other systems that are told of events.
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
    /// Releases of the agent: packages, who gets them, what is published.
    #[command(subcommand)]
    Updates(updates::Updates),
    /// Judges readings of drives, batteries and devices in files, without a database.
    Assess(assess::Arguments),
    /// Says how many units will be ready by a day, and what holds them up.
    Forecast(forecast::Arguments),
    /// The rules' thresholds.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// The keys that certificates are signed with, and their change.
    #[command(subcommand)]
    Authority(authority::AuthorityCommand),
    /// Prints the certificates that agents pin, PEM, and the number of their trust bundle.
    ShowRoots(DataArguments),
}

/// Which data a command works on.
#[derive(Clone, Debug, Args)]
pub(crate) struct DataArguments {
    /// The data directory.
    #[arg(long, value_name = "DIR", env = "CARTABLE_DATA")]
    pub(crate) data: PathBuf,
    /// The database, instead of the one in config.toml.
    #[arg(long, value_name = "URL", env = "CARTABLE_DATABASE", hide_env_values = true)]
    pub(crate) database: Option<String>,
}

/// A command of a group and which data it works on.
#[derive(Debug, Args)]
struct On<C: Subcommand> {
    /// The data directory.
    #[arg(long, value_name = "DIR", env = "CARTABLE_DATA", global = true)]
    data: Option<PathBuf>,
    /// The database, instead of the one in config.toml.
    #[arg(long, value_name = "URL", env = "CARTABLE_DATABASE", hide_env_values = true, global = true)]
    database: Option<String>,
    #[command(subcommand)]
    command: C,
}

impl<C: Subcommand> On<C> {
    /// Opens the database and gives the command.
    async fn open(self) -> anyhow::Result<(Store, C)> {
        let data = self.data.context("say which data directory: --data DIR")?;
        let store = DataArguments { data, database: self.database }.open_store().await?;
        Ok((store, self.command))
    }
}

impl DataArguments {
    /// The policy that the data directory's configuration names.
    pub(crate) fn policy(&self) -> anyhow::Result<Policy> {
        let overrides = Overrides { database: self.database.clone(), ..Overrides::default() };
        let Some(path) = Settings::load(&self.data, overrides)?.policy else { return Ok(Policy::default()) };
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Policy::from_toml(&text).with_context(|| path.display().to_string())
    }

    /// Opens the database that the data directory's configuration names.
    pub(crate) async fn open_store(&self) -> anyhow::Result<Store> {
        let overrides = Overrides { database: self.database.clone(), ..Overrides::default() };
        let settings = Settings::load(&self.data, overrides)?;
        Ok(Store::open(&settings.database.0).await?)
    }
}

/// Every command with its arguments: for tests that must know them all.
#[must_use]
pub fn commands() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Parses the arguments and does what they say.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match runtime().and_then(|runtime| runtime.block_on(dispatch(cli.command))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nowhere is left to say that standard error is closed.
            let _ = writeln!(io::stderr(), "cartable-server: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes, each said once.
pub(crate) fn told(error: &anyhow::Error) -> String {
    said_once(error.chain().map(ToString::to_string))
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the asynchronous runtime")
}

async fn dispatch(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Init(arguments) => init::run(arguments).await,
        Command::Serve(arguments) => serve::run(arguments).await,
        Command::Backup(arguments) => backup::run(arguments).await,
        Command::Restored(arguments) => restored::run(arguments).await,
        Command::Token(command) => token::run(command).await,
        Command::Device(command) => device::run(command).await,
        Command::Site(command) => site::run(command).await,
        Command::Export(arguments) => export::run(arguments).await,
        Command::Import(arguments) => import::run(arguments).await,
        Command::ImportInventory(arguments) => import_inventory::run(arguments).await,
        Command::ForeignAgent(command) => foreign_agent::run(command).await,
        Command::Report(arguments) => report::run(arguments).await,
        Command::Calendar(command) => calendar::run(command).await,
        Command::Exam(command) => exam::run(command).await,
        Command::Borrower(command) => borrower::run(command).await,
        Command::Programme(command) => programme::run(command).await,
        Command::User(on) => {
            let (store, command) = on.open().await?;
            user::run(command, &store, clock::now(), &mut io::stdout()).await
        }
        Command::ApiToken(on) => {
            let (store, command) = on.open().await?;
            api_token::run(command, &store, clock::now(), &mut io::stdout()).await
        }
        Command::Audit(on) => {
            let (store, command) = on.open().await?;
            audit::run(command, &store, &mut io::stdout()).await
        }
        Command::Mail(command) => mail::run(command).await,
        Command::Jobs(command) => jobs::run(command).await,
        Command::Webhook(command) => webhook::run(command).await,
        Command::Updates(command) => updates::run(command).await,
        Command::Documents(command) => documents::run(command),
        Command::Erasure(command) => erasure::run(command).await,
        Command::Assess(arguments) => assess::run(&arguments),
        Command::Forecast(arguments) => forecast::run(arguments).await,
        Command::Policy(command) => policy::run(command).await,
        Command::Authority(command) => authority::run(command).await,
        Command::ShowRoots(arguments) => roots::run(&arguments),
    }
}

/// Prints to standard output; a closed pipe is an error like any other.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).context("standard output")
}

/// Tells a person something that is not the command's result.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_error_says_each_cause_once() {
        let cause = || std::io::Error::from(std::io::ErrorKind::NotFound);
        let of_itself = crate::pki::PkiError::File { path: "/srv/root.key".into(), source: cause() };
        let words = format!("/srv/root.key: {}", cause());
        assert_eq!(told(&anyhow::Error::new(of_itself)), words);
        let around = anyhow::Error::new(cause()).context("/srv/root.key");
        assert_eq!(told(&around), words);
        assert_eq!(told(&around.context("nothing was made")), format!("nothing was made: {words}"));
    }

    #[test]
    fn the_pages_about_the_agent_show_commands_as_they_are() {
        const PAGES: [&str; 6] = [
            include_str!("../../../docs/actions.md"),
            include_str!("../../../docs/agent.md"),
            include_str!("../../../docs/authorities.md"),
            include_str!("../../../docs/enrolment.md"),
            include_str!("../../../docs/other-agents.md"),
            include_str!("../../../docs/updates.md"),
        ];
        for page in PAGES {
            let shown: Vec<&str> = page.lines().filter(|line| line.starts_with("cartable-server ")).collect();
            assert!(shown.len() > 3, "{shown:?}");
            for line in shown {
                // Without its comment, and with what may be left out.
                let command = line.split(" #").next().unwrap_or_default().replace(['[', ']'], "");
                let mut words: Vec<&str> = Vec::new();
                for (index, part) in command.split('"').enumerate() {
                    // Every second one stood in quotes: one word.
                    if index % 2 == 1 { words.push(part) } else { words.extend(part.split_whitespace()) }
                }
                // And so on.
                words.retain(|word| *word != "…");
                for word in &mut words {
                    if ["DEVICE", "ORDER", "ID"].contains(word) {
                        *word = "019a7c1e-5b7e-7d3c-9b1a-3f6f2d9a4c10";
                    }
                }
                let parsed = commands().try_get_matches_from(words);
                assert!(parsed.is_ok(), "{line}: {parsed:?}");
            }
        }
    }
}
