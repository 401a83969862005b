//! A whole running Cartable for one test: server, an administrator, an API token, one collège, and ways to enrol.

use std::path::PathBuf;

use anyhow::Context as _;

use super::{Agent, Api, Installation, Server, Visitor};
use crate::simulator::{Machine, device::Device, device::Link, keyring::Identity, site::uai_code};

/// The administrator of a test.
pub const LOGIN: &str = "admin";
/// Her password.
pub const PASSWORD: &str = "correct-cheval-pile-agrafe";

/// Server, administrator, collège. Dropped, everything is stopped and removed.
#[derive(Debug)]
pub struct Cartable {
    /// The running server.
    pub server: Server,
    /// Its data directory.
    pub installation: Installation,
    /// The administrator's API token.
    pub api_token: String,
    /// The code of its one collège.
    pub uai: String,
    directory: tempfile::TempDir,
}

impl Cartable {
    /// Starts one on SQLite.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_on(None)
    }

    /// Starts one on the database at `url`, where there is one.
    pub fn start_on(url: Option<&str>) -> anyhow::Result<Self> {
        let installation = Installation::temporary_on(url)?;
        installation.create_user(LOGIN, "administrator", PASSWORD)?;
        let api_token = installation.create_api_token(LOGIN, "test")?;
        let uai = uai_code(96, 1);
        installation.create_site(&uai, "Collège des Tilleuls", "Valmarin", "B")?;
        let server = installation.serve()?;
        Ok(Self { server, installation, api_token, uai, directory: tempfile::tempdir()? })
    }

    /// The JSON API.
    pub fn api(&self) -> anyhow::Result<Api> {
        Api::new(self.server.console(), &self.api_token)
    }

    /// The administrator in the console.
    pub async fn visitor(&self) -> anyhow::Result<Visitor> {
        Visitor::sign_in(self.server.console(), LOGIN, PASSWORD).await
    }

    /// An enrolment token for `cap` devices.
    pub fn token(&self, cap: usize) -> anyhow::Result<String> {
        self.installation.create_enrolment_token(&self.uai, cap)
    }

    /// The file of pinned roots.
    pub fn roots(&self) -> anyhow::Result<PathBuf> {
        let path = self.directory.path().join("roots.pem");
        std::fs::write(&path, self.installation.roots_pem()?)?;
        Ok(path)
    }

    /// The real agent on this computer, enrolled; its state directory is named `name`.
    pub fn enrolled_agent(&self, name: &str) -> anyhow::Result<Agent> {
        let agent = Agent::new(&self.installation, self.directory.path().join(name));
        agent.enrol(self.server.gateway(), &self.token(1)?, &self.roots()?).context("enrolling this computer")?;
        Ok(agent)
    }

    /// How simulated devices reach it.
    pub fn link(&self) -> anyhow::Result<Link> {
        Link::new(self.server.gateway(), &self.installation.roots_pem()?)
    }

    /// A simulated machine, enrolled.
    pub async fn enrolled_device(&self, machine: &Machine) -> anyhow::Result<Device> {
        let link = self.link()?;
        let mut identity = Identity::generate(machine.index)?;
        identity.granted = Some(link.enrol(&identity, &self.token(1)?, machine.hardware()).await?);
        link.device(&identity)
    }
}
