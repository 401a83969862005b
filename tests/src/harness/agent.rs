//! The real agent binary with its own state directory.

use std::{path::PathBuf, process::Command};

use anyhow::Context as _;

use super::{
    installation::Installation,
    process::{Process, run_with_input},
};

/// One installed agent.
#[derive(Debug)]
pub struct Agent {
    binary: PathBuf,
    state: PathBuf,
}

impl Agent {
    /// The agent whose state is in `state`, made at its enrolment.
    pub fn new(installation: &Installation, state: PathBuf) -> Self {
        Self { binary: installation.agent_binary().to_owned(), state }
    }

    /// Where its state lies.
    pub fn state(&self) -> &std::path::Path {
        &self.state
    }

    /// `cartable-agent SUBCOMMAND --state DIR`.
    pub fn command(&self, subcommand: &str) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg(subcommand).arg("--state").arg(&self.state);
        // A proxy of this computer must not stand between two programs on loopback.
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"] {
            command.env_remove(name);
        }
        command
    }

    /// Enrols with `token` at `server`, trusting only the roots in `roots`.
    pub fn enrol(&self, server: &str, token: &str, roots: &std::path::Path) -> anyhow::Result<String> {
        let mut command = self.command("enrol");
        command.args(["--server", server, "--token", token, "--roots"]).arg(roots);
        run_with_input(&mut command, "")
    }

    /// Which device it is to the server.
    pub fn device_id(&self) -> anyhow::Result<String> {
        let status = self.status()?;
        let line = status.lines().find_map(|line| line.trim().strip_prefix("Device:"));
        let id = line.with_context(|| format!("the agent is not enrolled: {status}"))?.trim();
        Ok(uuid::Uuid::try_parse(id)?.to_string())
    }

    /// What a technician reads; the command's exit code, which tells that something is wrong, is no failure here.
    pub fn status(&self) -> anyhow::Result<String> {
        let output = self.command("status").args(["--lang", "en"]).output()?;
        Ok(String::from_utf8(output.stdout)? + &String::from_utf8(output.stderr)?)
    }

    /// Checks in once.
    pub fn once(&self) -> anyhow::Result<String> {
        run_with_input(&mut self.command("once"), "")
    }

    /// The exact JSON that it would send.
    pub fn show(&self) -> anyhow::Result<serde_json::Value> {
        Ok(serde_json::from_str(&run_with_input(self.command("show").arg("--json"), "")?)?)
    }

    /// Starts it as a service would.
    pub fn start(&self) -> anyhow::Result<Process> {
        Process::start("cartable-agent", self.command("run").args(["--first-within", "2"]))
    }
}
