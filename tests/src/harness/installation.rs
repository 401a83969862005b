//! A data directory made by the real `cartable-server init`, and its administration through the real command line.
//!
//! Every flag of the command line that tests and the demo rely on stands in this file.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;
use cartable_server::{pki::MasterKey, vault::Vault};
use data_encoding::BASE64;

use super::{binaries::Binaries, process::run_with_input, server::Server};

/// A data directory with what is needed to run a server on it.
#[derive(Debug)]
pub struct Installation {
    binaries: &'static Binaries,
    directory: PathBuf,
    key: String,
    database: Option<String>,
    /// Removes a directory made for a test; `None` where the caller keeps it.
    _temporary: Option<tempfile::TempDir>,
}

impl Installation {
    /// A new installation in a temporary directory, on SQLite.
    pub fn temporary() -> anyhow::Result<Self> {
        Self::temporary_on(None)
    }

    /// A new installation in a temporary directory, on the database at `url` where there is one.
    pub fn temporary_on(url: Option<&str>) -> anyhow::Result<Self> {
        let temporary = tempfile::tempdir().context("a temporary directory")?;
        let directory = temporary.path().join("data");
        let mut installation = Self::at(&directory, &random_key()?, url)?;
        installation._temporary = Some(temporary);
        installation.init()?;
        Ok(installation)
    }

    /// The installation at `directory`, whose keys are encrypted with `key`; nothing is made yet.
    pub fn at(directory: &Path, key: &str, database: Option<&str>) -> anyhow::Result<Self> {
        Ok(Self {
            binaries: Binaries::find()?,
            directory: directory.to_owned(),
            key: key.to_owned(),
            database: database.map(ToOwned::to_owned),
            _temporary: None,
        })
    }

    /// The data directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The database's address.
    pub fn database_url(&self) -> String {
        self.database.clone().unwrap_or_else(|| format!("sqlite:{}", self.directory.join("cartable.db").display()))
    }

    /// What seals who borrowers are, as the server does.
    pub fn vault(&self) -> anyhow::Result<Vault> {
        let bytes = BASE64.decode(self.key.as_bytes()).context("the key")?;
        let bytes = bytes.try_into().map_err(|_| anyhow::anyhow!("the key has another length"))?;
        Ok(Vault::new(&MasterKey::of(bytes)))
    }

    /// Whether `init` was run.
    pub fn exists(&self) -> bool {
        self.directory.join("config.toml").is_file()
    }

    /// Makes the data directory: authority, gateway certificate for this host, database.
    pub fn init(&self) -> anyhow::Result<()> {
        let mut command = self.command("init");
        command.args(["--host", "127.0.0.1", "--host", "localhost"]);
        if let Some(url) = &self.database {
            command.args(["--database", url]);
        }
        run_with_input(&mut command, "").map(drop)
    }

    /// `cartable-server SUBCOMMAND --data DIR`, without inherited settings.
    pub fn command(&self, subcommand: &str) -> Command {
        let mut command = Command::new(&self.binaries.server);
        command.args(subcommand.split(' ')).arg("--data").arg(&self.directory);
        command.env("CARTABLE_KEY", &self.key);
        command
    }

    /// Runs `cartable-server SUBCOMMAND --data DIR ARGUMENTS…` with `input` and returns what it prints.
    pub fn run(&self, subcommand: &str, arguments: &[&str], input: &str) -> anyhow::Result<String> {
        run_with_input(self.command(subcommand).args(arguments), input)
    }

    /// The pinned roots, as agents get them.
    pub fn roots_pem(&self) -> anyhow::Result<String> {
        self.run("show-roots", &[], "")
    }

    /// Makes a person; the password goes through standard input.
    pub fn create_user(&self, login: &str, role: &str, password: &str) -> anyhow::Result<()> {
        self.run("user create", &["--login", login, "--role", role, "--password-stdin"], &format!("{password}\n"))
            .map(drop)
    }

    /// Makes a person who works for one collège, the one with the code `uai`.
    pub fn create_user_of(&self, login: &str, role: &str, uai: &str, password: &str) -> anyhow::Result<()> {
        let arguments = ["--login", login, "--role", role, "--site", uai, "--password-stdin"];
        self.run("user create", &arguments, &format!("{password}\n")).map(drop)
    }

    /// Makes an API token of `login` and returns it.
    pub fn create_api_token(&self, login: &str, label: &str) -> anyhow::Result<String> {
        let printed = self.run("api-token create", &["--login", login, "--label", label], "")?;
        last_word(&printed)
    }

    /// Adds a collège.
    pub fn create_site(&self, uai: &str, name: &str, commune: &str, zone: &str) -> anyhow::Result<()> {
        self.run("site add", &["--uai", uai, "--name", name, "--commune", commune, "--zone", zone], "").map(drop)
    }

    /// Makes an enrolment token for `cap` devices of the collège with the code `uai` and returns it.
    pub fn create_enrolment_token(&self, uai: &str, cap: usize) -> anyhow::Result<String> {
        let cap = cap.to_string();
        let printed = self.run("token create", &["--site", uai, "--cap", &cap, "--label", "test"], "")?;
        last_word(&printed)
    }

    /// Starts the server on free ports and waits until it is ready.
    pub fn serve(&self) -> anyhow::Result<Server> {
        self.serve_at("127.0.0.1:0", "127.0.0.1:0")
    }

    /// Starts the server with its console and its device port at the given addresses.
    pub fn serve_at(&self, console: &str, gateway: &str) -> anyhow::Result<Server> {
        let mut command = self.command("serve");
        command.args(["--console", console, "--gateway", gateway, "--ready-json"]);
        Server::start(&mut command)
    }

    /// The agent's binary.
    pub fn agent_binary(&self) -> &Path {
        &self.binaries.agent
    }
}

/// A new key for keys at rest: 32 bytes in base64.
pub fn random_key() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context("the system's random source")?;
    Ok(BASE64.encode(&bytes))
}

/// Secrets are printed once, as the last word.
pub(crate) fn last_word(printed: &str) -> anyhow::Result<String> {
    printed.split_whitespace().last().map(ToOwned::to_owned).context("the command printed no secret")
}
