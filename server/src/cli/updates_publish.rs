//! `updates new-key`, `prepare`, `sign`, `publish`: the key may be where the server is not. `prepare` writes a file there,
//! `sign` signs it wherever the packages are too, `publish` takes it back.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::Context as _;
use cartable_common::{AgentVersion, UtcMillis, update::Manifest};
use clap::Args;
use data_encoding::BASE64;
use serde_json::json;

use super::{
    DataArguments, print, say,
    updates::{self, append},
};
use crate::{
    clock,
    domain::{
        timestamp::rfc3339,
        update::{
            publication::{
                self, MAX_PUBLICATION_BYTES, MAX_VALID_DAYS, NotPublished, Publication, ReplacesKey, SIGNED_MANIFEST,
                Signed, VALID_DAYS,
            },
            repository,
        },
    },
    pki::{
        openpgp,
        update_signer::{self, UpdateSigner},
        write_private,
    },
    store::{Tx, agent_package, agent_publication},
};

#[derive(Debug, Args)]
pub(super) struct NewKey {
    /// Where to write it; nothing may be there.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Prepare {
    #[command(flatten)]
    data: DataArguments,
    /// Where to write what is to be signed.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    valid: Valid,
}

#[derive(Clone, Copy, Debug, Args)]
struct Valid {
    /// For how many days it counts. Publish again before; laptops whose list is over go on as they are.
    #[arg(
        long = "valid-days", value_name = "N", default_value_t = VALID_DAYS,
        value_parser = clap::value_parser!(u16).range(1..=i64::from(MAX_VALID_DAYS))
    )]
    days: u16,
}

#[derive(Debug, Args)]
pub(super) struct Sign {
    /// The key; while one key follows another, the old one, then the new one.
    #[arg(long = "key", value_name = "KEYFILE", required = true)]
    keys: Vec<PathBuf>,
    /// What `updates prepare` wrote; the signed form takes its place.
    file: PathBuf,
    /// The packages, as they were built and came here without the server: FILE.deb; VERSION=FILE.msi, or VERSION:FROM=FILE.msi
    /// where `updates add` was given --from. Only a list that names these, and no others, is signed.
    #[arg(value_name = "PACKAGE")]
    packages: Vec<Built>,
}

/// A package on the machine with the key, and what its holder says of it.
#[derive(Clone, Debug)]
struct Built {
    version: Option<AgentVersion>,
    from: AgentVersion,
    path: PathBuf,
}

impl FromStr for Built {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(windows(text).unwrap_or_else(|| Self { version: None, from: updates::FIRST, path: PathBuf::from(text) }))
    }
}

/// `0.2.0=FILE`, `0.2.0:0.1.5=FILE`.
fn windows(text: &str) -> Option<Built> {
    let (versions, path) = text.split_once('=')?;
    let (version, from) = match versions.split_once(':') {
        Some((version, from)) => (version, from.parse::<AgentVersion>().ok()?),
        None => (versions, updates::FIRST),
    };
    Some(Built { version: Some(version.parse().ok()?), from, path: PathBuf::from(path) })
}

#[derive(Debug, Args)]
pub(super) struct Publish {
    #[command(flatten)]
    data: DataArguments,
    /// What `updates sign` wrote.
    #[arg(required_unless_present = "keys", conflicts_with = "keys")]
    file: Option<PathBuf>,
    /// Signs here and now with this key, instead of a file.
    #[arg(long = "key", value_name = "KEYFILE")]
    keys: Vec<PathBuf>,
    #[command(flatten)]
    valid: Valid,
    /// Takes a key that the last one did not sign for: it is lost. Every laptop then needs the new key by hand.
    #[arg(long)]
    replace_key: bool,
}

pub(super) fn new_key(new: &NewKey) -> anyhow::Result<()> {
    let signer = UpdateSigner::make(&new.out, clock::now()).with_context(|| new.out.display().to_string())?;
    print(&format!("{}\n", signer.public()))?;
    say("keep the file where the server is not, and a copy of it in a safe: without it no laptop takes an update");
    Ok(())
}

pub(super) async fn prepare(prepare: Prepare) -> anyhow::Result<()> {
    let store = prepare.data.open_store().await?;
    let mut tx = store.read().await?;
    let draft = draft(&mut tx, prepare.valid, clock::now()).await?;
    drop(tx);
    store.close().await;
    write(&prepare.out, &draft)?;
    print(&summary(&draft))
}

pub(super) fn sign(sign: &Sign) -> anyhow::Result<()> {
    let now = clock::now();
    let publication = read(&sign.file)?;
    anyhow::ensure!(publication.signatures.is_empty(), "{}: it is signed already", sign.file.display());
    let package = |one: &Built| {
        let read = updates::read(&one.path, one.version, one.from).with_context(|| one.path.display().to_string());
        read.map(|(package, _)| package)
    };
    let packages = sign.packages.iter().map(package).collect::<anyhow::Result<Vec<_>>>()?;
    let (listed, releases) = agent_package::to_publish(packages);
    // The file comes from the server, which may be in foreign hands: nothing of it is signed but what the packages give.
    publication
        .may_be_signed(&listed, releases, now)
        .with_context(|| format!("{}: nothing was signed", sign.file.display()))?;
    let signers = signers(&sign.keys)?;
    // Before: whoever signs sees what.
    print(&summary(&publication))?;
    write(&sign.file, &signed(publication, &signers, now)?)
}

pub(super) async fn publish(publish: Publish) -> anyhow::Result<()> {
    let now = clock::now();
    let brought = publish.file.as_deref().map(read).transpose()?;
    let signers = signers(&publish.keys)?;
    let store = publish.data.open_store().await?;
    let mut tx = store.write().await?;
    let last = agent_publication::last(&mut tx).await?;
    let publication = match brought {
        Some(brought) => {
            let (listed, releases) = agent_package::to_publish(agent_package::current(&mut tx).await?);
            let times = (brought.made_at, brought.expires_at);
            let same = brought.same_packages(&Publication::draft(brought.number, times, &listed, releases));
            anyhow::ensure!(same, NotPublished::OtherPackages);
            brought
        }
        None => signed(draft(&mut tx, publish.valid, now).await?, &signers, now)?,
    };
    let replaces = if publish.replace_key { ReplacesKey::Yes } else { ReplacesKey::No };
    let last = last.map(|last| (last.number, last.signed_by));
    let key = publication.may_follow(last, replaces, now, update_signer::has_signed)?;
    agent_publication::publish(&mut tx, &publication, key, now).await?;
    let details = json!({ "signing_key": key.to_string(), "expires_at": publication.expires_at });
    append(&mut tx, "agent_release.publish", &publication.number.to_string(), details, now).await?;
    tx.commit().await?;
    store.close().await;
    print(&summary(&publication))
}

async fn draft(tx: &mut Tx, valid: Valid, now: UtcMillis) -> anyhow::Result<Publication> {
    let last = agent_publication::last(tx).await?.map(|last| last.number);
    let (listed, releases) = agent_package::to_publish(agent_package::current(tx).await?);
    // Release files count in seconds.
    let made_at = now.plus_millis(-(now.get() % 1000));
    Ok(Publication::draft(
        publication::next_number(last, now),
        (made_at, made_at.plus_days(i64::from(valid.days))),
        &listed,
        releases,
    ))
}

fn signers(files: &[PathBuf]) -> anyhow::Result<Vec<UpdateSigner>> {
    files.iter().map(|path| UpdateSigner::read(path).with_context(|| path.display().to_string())).collect()
}

/// The publication with everything that the keys' holder adds; the last signer's key is the one from now on.
fn signed(publication: Publication, signers: &[UpdateSigner], now: UtcMillis) -> anyhow::Result<Publication> {
    let newest = signers.last().context("say with which key: --key KEYFILE")?;
    let mut signed = publication;
    let release = signed.files.get(repository::RELEASE).context("it holds no list for apt; prepare again")?.clone();
    let mut manifest = signed.manifest().context("it holds no list for Windows; prepare again")?.to_owned();
    if signers.len() > 1 {
        let _ = writeln!(manifest, "key {}", newest.public());
    }
    let lines: String = signers
        .iter()
        .map(|signer| Manifest::signature_line(&signer.public(), &signer.sign(manifest.as_bytes())))
        .collect();
    let added = [
        (repository::IN_RELEASE, openpgp::cleartext(signers, &release, now)),
        (repository::RELEASE_SIGNATURE, openpgp::detached(signers, &release, now)),
        (repository::KEY, openpgp::certificate(newest)),
        (SIGNED_MANIFEST, manifest + &lines),
    ];
    signed.files.extend(added.map(|(path, text)| (path.to_owned(), text)));
    let to_sign = signed.to_sign();
    let sign =
        |signer: &UpdateSigner| Signed { key: signer.public(), signature: BASE64.encode(&signer.sign(&to_sign)) };
    signed.signatures = signers.iter().map(sign).collect();
    Ok(signed)
}

/// What a person compares: number, end, and each package with its hash.
fn summary(publication: &Publication) -> String {
    let head = format!("publication\t{}\tuntil {}\n", publication.number, rfc3339(publication.expires_at));
    let lists = publication.files.iter().filter(|(path, _)| path.ends_with("/Packages")).map(|(_, text)| text.as_str());
    let lines = lists.chain(publication.manifest()).flat_map(str::lines);
    let told = lines.filter(|line| ["Filename: ", "SHA256: ", "release "].iter().any(|start| line.starts_with(start)));
    told.fold(head, |all, line| all + line + "\n")
}

fn read(path: &Path) -> anyhow::Result<Publication> {
    let shown = || path.display().to_string();
    let size = std::fs::metadata(path).with_context(shown)?.len();
    anyhow::ensure!(size <= MAX_PUBLICATION_BYTES, "{}: it is too large for a publication", path.display());
    let text = std::fs::read_to_string(path).with_context(shown)?;
    serde_json::from_str(&text).with_context(|| format!("{}: no file that `updates prepare` wrote", path.display()))
}

fn write(path: &Path, publication: &Publication) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(publication)?;
    write_private(path, text.as_bytes()).with_context(|| path.display().to_string())
}
