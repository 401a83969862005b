//! `enrol`: binds this computer to a server, or says why it waits.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cartable_common::{Text, limits::MAX_TOKEN_CHARS, protocol::Disclosure};
use clap::Args;

use super::{
    Machine,
    exit::{Given, code},
    print,
};
#[cfg(windows)]
use crate::key_store::KeyStore;
use crate::{
    client::Proxy,
    collect::{Drives, collect},
    enrol::{self, Invitation, KeyChoice, Progress},
    identity::KeyPlace,
    privilege,
    server_url::ServerUrl,
    state::StateDir,
    status::Verdict,
    tpm,
};

#[derive(Debug, Args)]
pub(super) struct Enrol {
    /// Address of the server's device port, https://HOST:PORT
    #[arg(long, value_name = "URL")]
    server: ServerUrl,
    /// The enrolment token
    #[arg(
        long,
        env = "CARTABLE_TOKEN",
        hide_env_values = true,
        required_unless_present = "token_file",
        conflicts_with = "token_file"
    )]
    token: Option<String>,
    /// File that holds the token; `-` for standard input
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The server's root certificates (cartable-server show-roots)
    #[arg(long, value_name = "FILE")]
    roots: PathBuf,
    /// Ask with a new key: for a computer whose enrolment was revoked
    #[arg(long)]
    new_key: bool,
    /// Where a new key is made: auto (the TPM where there is one, else a file), tpm or software
    #[arg(long, value_name = "WHERE", default_value = "auto")]
    key: KeyPlace,
    /// The TPM to ask; otherwise this computer's first
    #[arg(long, value_name = "PATH")]
    tpm: Option<PathBuf>,
    /// Where Windows keeps a new key: file, or platform (its key store in the TPM; try that on one computer first)
    #[cfg(windows)]
    #[arg(long, value_name = "STORE", default_value = "file", conflicts_with_all = ["key", "tpm"])]
    key_store: KeyStore,
    /// Who lends this computer, for the page that the borrower reads
    #[arg(long, value_name = "WORDS")]
    organisation: Option<String>,
    /// Whom the borrower can write to
    #[arg(long, value_name = "WORDS")]
    contact: Option<String>,
    /// The key that releases are signed with (cartable-server updates new-key); without one the agent does not update itself
    #[cfg(windows)]
    #[arg(long, value_name = "KEY", default_value = "")]
    update_key: String,
    #[command(flatten)]
    machine: Machine,
}

pub(super) async fn enrol_once(state: &Path, options: Enrol) -> anyhow::Result<u8> {
    let roots_pem = std::fs::read_to_string(&options.roots).with_context(|| Given::Roots(options.roots.clone()))?;
    let token = match (options.token, &options.token_file) {
        (Some(token), _) => token,
        (None, Some(file)) => read_token(file).with_context(|| Given::TokenFile(file.clone()))?,
        (None, None) => anyhow::bail!("a token is needed: --token or --token-file"),
    };
    anyhow::ensure!((1..=MAX_TOKEN_CHARS).contains(&token.trim().chars().count()), Given::Token);
    // Root's last act: what only it may read.
    let root = options.machine.root.clone();
    let hardware = collect(&options.machine.sources(), Drives::Leave).await.hardware;
    privilege::become_owner_of(state)?;
    let state = StateDir::open(state)?;
    let _lock = state.lock()?;
    #[cfg(windows)]
    crate::update::pin(&state, crate::update::given_key(&options.update_key)?)?;
    let key = if options.new_key { KeyChoice::New } else { KeyChoice::Keep };
    let words = |text: &Option<String>| text.as_deref().and_then(Text::meaningful);
    let disclosure = Disclosure::named(words(&options.organisation), words(&options.contact));
    let protection = options.key.with(tpm::place(options.tpm, &root));
    #[cfg(windows)]
    let protection = options.key_store.or(protection);
    let invitation = Invitation { server: options.server, roots_pem, token, key, protection, disclosure };
    let pending = enrol::prepare(&state, invitation, &hardware)?;
    match enrol::ask(&state, pending, hardware, Proxy::FromEnvironment).await? {
        Progress::Enrolled(enrolment) => {
            print(&format!("enrolled: device {}", enrolment.grant.device_id))?;
            Ok(code(Verdict::Well))
        }
        Progress::Waiting { reason, .. } => {
            print(&format!("waiting for approval: {reason}\nThe service goes on asking; or run this command again."))?;
            Ok(code(Verdict::Waiting))
        }
    }
}

fn read_token(file: &Path) -> std::io::Result<String> {
    if file == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) }
}
