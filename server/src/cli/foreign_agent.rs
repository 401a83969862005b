//! `foreign-agent`: certificates for machines that Cartable's agent cannot run on, so that GLPI Agent or FusionInventory
//! reports by itself.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use cartable_common::{DeviceId, EnrolmentId};
use clap::{Args, Subcommand};
use uuid::Uuid;

use super::{DataArguments, device_recovery::operator, print};
use crate::{
    config::{Overrides, Settings},
    domain::{lease::Lease, paris, reading::agents::Tool, scope::Scope},
    gateway::foreign,
    pki::{Authority, MadeKey, MasterKey, ProvenKey, write_private},
    random,
    store::{Store, certificate, foreign_agent},
};

#[derive(Debug, Subcommand)]
pub(super) enum ForeignAgent {
    /// Issues a certificate for a year, for one recorded device; again before it ends. The file is written once, and what
    /// is in it kept nowhere else.
    Issue(Issue),
    /// Lists them, the first to end first: device, serial number, model, agent, last day, last contact.
    List(DataArguments),
    /// Ends a device's, from its next request on.
    Revoke(One),
}

#[derive(Debug, Args)]
pub(super) struct Issue {
    #[command(flatten)]
    data: DataArguments,
    /// The file with the key that seals what is at rest.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Where certificate and private key go, PEM; it must not exist yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A certificate request (PKCS#10, PEM, ECDSA on P-256) of a key that the machine made itself; then no key is made here.
    #[arg(long, value_name = "FILE")]
    csr: Option<PathBuf>,
    /// The device's id.
    id: DeviceId,
}

#[derive(Debug, Args)]
pub(super) struct One {
    #[command(flatten)]
    data: DataArguments,
    /// The device's id.
    id: DeviceId,
}

pub(super) async fn run(command: ForeignAgent) -> anyhow::Result<()> {
    match command {
        ForeignAgent::Issue(issue) => self::issue(issue).await,
        ForeignAgent::List(data) => list(&data).await,
        ForeignAgent::Revoke(one) => revoke(one).await,
    }
}

async fn issue(issue: Issue) -> anyhow::Result<()> {
    let out = issue.out.display();
    ensure!(!issue.out.exists(), "{out} is there already: name a new file");
    let overrides =
        Overrides { database: issue.data.database.clone(), key_file: issue.key_file.clone(), ..Overrides::default() };
    let settings = Settings::load(&issue.data.data, overrides)?;
    let authority = Authority::load(&settings.data.join("pki"), &MasterKey::find(settings.key_file.as_deref())?)?;
    let store = Store::open(&settings.database.0).await?;
    // First: what was recorded for a file that cannot be written would be a certificate that nobody has.
    write_private(&issue.out, b"").with_context(|| format!("{out} cannot be written"))?;
    let made = make(&issue, &authority, &store).await;
    store.close().await;
    let written = made.and_then(|(pem, lease)| {
        write_private(&issue.out, pem.as_bytes())
            .with_context(|| format!("{out} could not be written: issue another certificate"))?;
        Ok(lease)
    });
    if written.is_err() {
        // It holds nothing; why it does not is what counts.
        let _ = std::fs::remove_file(&issue.out);
    }
    let lease = written?;
    print(&format!("{}\t{out}\t{}\t{}\n", issue.id, paris::date(lease.not_after), foreign::PATH))
}

/// Records the certificate and signs it; gives what goes into the file.
async fn make(issue: &Issue, authority: &Authority, store: &Store) -> anyhow::Result<(String, Lease)> {
    let (key, private_pem) = key(issue.csr.as_deref())?;
    let policy = issue.data.policy()?;
    let mut tx = store.write().await?;
    let new = (EnrolmentId(Uuid::now_v7()), random::bytes()?);
    let lease = foreign_agent::issue(&mut tx, issue.id, key.sha256(), new, operator(&policy)).await?;
    tx.commit().await?;
    let chain = sign(store, authority, &key, &lease).await?;
    Ok((format!("{chain}{private_pem}"), lease))
}

/// The key to certify, and its private half where it is made here.
fn key(csr: Option<&Path>) -> anyhow::Result<(ProvenKey, String)> {
    let Some(csr) = csr else {
        let made = MadeKey::generate()?;
        return Ok((made.proven().clone(), made.private_pem().to_owned()));
    };
    let shown = csr.display().to_string();
    let pem = std::fs::read_to_string(csr).with_context(|| shown.clone())?;
    Ok((ProvenKey::from_csr_pem(&pem).context(shown)?, String::new()))
}

/// Signs what was recorded, and records the certificate before it leaves.
async fn sign(store: &Store, authority: &Authority, key: &ProvenKey, lease: &Lease) -> anyhow::Result<String> {
    let chain = authority.devices().sign(key, lease)?;
    let mut tx = store.write().await?;
    ensure!(certificate::issued(&mut tx, lease, &chain).await?, "the record of this certificate has disappeared");
    tx.commit().await?;
    Ok(chain)
}

async fn list(data: &DataArguments) -> anyhow::Result<()> {
    let store = data.open_store().await?;
    let mut tx = store.read().await?;
    for one in foreign_agent::list(&mut tx, &Scope::Everything).await? {
        let (serial, model) = (one.serial_number.unwrap_or_default(), one.model.unwrap_or_default());
        let tool = one.tool.map_or("none yet", Tool::name);
        let day = |at: Option<_>| at.map_or_else(|| "never".to_owned(), |at| paris::date(at).to_string());
        let (ends, last) = (day(one.ends_at), day(one.last_contact));
        print(&format!("{}\t{serial}\t{model}\t{tool}\t{ends}\t{last}\n", one.device))?;
    }
    drop(tx);
    store.close().await;
    Ok(())
}

async fn revoke(one: One) -> anyhow::Result<()> {
    let policy = one.data.policy()?;
    let store = one.data.open_store().await?;
    let mut tx = store.write().await?;
    let ended = foreign_agent::revoke(&mut tx, one.id, operator(&policy)).await?;
    ensure!(
        ended,
        "no agent of another system has a certificate for {}; see `cartable-server foreign-agent list`",
        one.id
    );
    tx.commit().await?;
    store.close().await;
    print(&format!("{}\n", one.id))
}
