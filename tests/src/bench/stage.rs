//! The stage of a benchmark: a data directory with a filled store, the real server on a core of its own, devices of
//! the load generator enrolled at it.

use std::{net::SocketAddr, path::PathBuf, process::Command};

use cartable_server::{
    clock,
    pki::{MasterKey, write_private},
    store::Store,
};
use uuid::Uuid;

use super::{fleet, load, load::LoadDevice, storeless, usage};
use crate::{
    harness::{
        Installation, Server,
        cartable::{LOGIN, PASSWORD},
        installation::random_key,
    },
    postgres::Database,
    simulator::{Roster, device::Link, keyring::Identity, site::uai_code},
};

/// The core that servers under measurement are held to.
pub const SERVER_CORE: usize = 0;
/// The core of the load generator.
pub const LOAD_CORE: usize = 1;

/// The hosts in the gateway's certificate, as the harness asks for them.
pub fn hosts() -> Vec<String> {
    vec!["127.0.0.1".to_owned(), "localhost".to_owned()]
}

/// A data directory with a filled store.
#[derive(Debug)]
pub struct Stage {
    /// The data directory.
    pub installation: Installation,
    /// The sites of its fleet.
    pub sites: Vec<Uuid>,
    /// The administrator's API token.
    pub api_token: String,
    uai: String,
    key_file: PathBuf,
    database: Option<Database>,
    _directory: tempfile::TempDir,
}

impl Stage {
    /// On `engine` (sqlite or postgres), with `devices` devices.
    pub async fn set(engine: &str, devices: usize) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let database = if engine == "postgres" { Some(Database::create().await?) } else { None };
        let key = random_key()?;
        let key_file = directory.path().join("key");
        write_private(&key_file, key.as_bytes())?;
        let data = directory.path().join("data");
        let installation = Installation::at(&data, &key, database.as_ref().map(Database::url))?;
        installation.init()?;
        installation.create_user(LOGIN, "administrator", PASSWORD)?;
        let api_token = installation.create_api_token(LOGIN, "bench")?;
        let uai = uai_code(95, 1);
        installation.create_site(&uai, "Collège des Tilleuls", "Valmarin", "B")?;
        let store = Store::open(&installation.database_url()).await?;
        let sites = fleet::fill(&store, devices, clock::now()).await?;
        store.close().await;
        Ok(Self { installation, sites, api_token, uai, key_file, database, _directory: directory })
    }

    /// The real server, on its core.
    pub fn serve(&self) -> anyhow::Result<Server> {
        let mut command = self.installation.command("serve");
        command.args(["--console", "127.0.0.1:0", "--gateway", "127.0.0.1:0", "--ready-json"]);
        command.env("CARTABLE_LOG", "warn");
        Server::start(&mut usage::on_core(SERVER_CORE, &command))
    }

    /// The device port without storage, on the same core.
    pub fn serve_without_storage(&self) -> anyhow::Result<Server> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(storeless::COMMAND).arg(self.installation.directory()).arg(&self.key_file);
        Server::start(&mut usage::on_core(SERVER_CORE, &command))
    }

    /// The key for keys at rest.
    pub fn master_key(&self) -> anyhow::Result<MasterKey> {
        Ok(MasterKey::find(Some(&self.key_file))?)
    }

    /// An enrolment token for `cap` devices.
    pub fn token(&self, cap: usize) -> anyhow::Result<String> {
        self.installation.create_enrolment_token(&self.uai, cap)
    }

    /// Where the database is.
    pub fn database_url(&self) -> String {
        self.database.as_ref().map_or_else(|| self.installation.database_url(), |database| database.url().to_owned())
    }

    /// `count` new devices enrolled at `server`, each with one whole report behind it.
    pub async fn devices(&self, server: &Server, count: usize) -> anyhow::Result<(Vec<Identity>, Vec<LoadDevice>)> {
        let (roots, now) = (self.installation.roots_pem()?, clock::now());
        let link = Link::new(server.gateway(), &roots)?;
        let token = self.token(count)?;
        let address: SocketAddr = server.gateway_authority().parse()?;
        let (mut identities, mut devices) = (Vec::new(), Vec::new());
        for machine in &Roster::drawn(2, count).machines {
            let mut identity = Identity::generate(machine.index)?;
            let report = machine.report(now, now);
            load::enrol(&link, &mut identity, &token, &report).await?;
            let device = LoadDevice::new(&roots, &identity, report, address, now)?;
            device.report(address).await?;
            identities.push(identity);
            devices.push(device);
        }
        Ok((identities, devices))
    }
}
