//! `serve`: runs the device port, the console, the API and the jobs until a signal.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{Router, extract::Request, middleware};
use clap::Args;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;

use super::{DataArguments, print};
use crate::{
    api,
    app::App,
    auth::client_address::{BehindProxy, ClientAddress},
    clock,
    config::{Overrides, Settings, Transport},
    console,
    documents::Documents,
    domain::{
        disclosure::Discloser,
        policy::{LivePolicy, Policy},
    },
    gateway::{
        self, limits,
        port::{self, Protocol},
        tls::{self, CurrentCertificate, DeviceTls},
    },
    jobs::{self, Jobs},
    lifecycle::Lifecycle,
    mail::smtp::Mailer,
    pki::{Authority, MasterKey},
    store::{Store, ingest::Ingest},
    vault::Vault,
    webhook::Teller,
};

/// How often the gateway's certificate is looked at.
const CERTIFICATE_CHECK: Duration = Duration::from_hours(1);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    data: DataArguments,
    /// The file with the key that seals the private keys at rest.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The device port's address.
    #[arg(long, value_name = "ADDRESS")]
    gateway: Option<SocketAddr>,
    /// The console's address.
    #[arg(long, value_name = "ADDRESS")]
    console: Option<SocketAddr>,
    /// The console's certificate chain, PEM: makes it speak HTTPS.
    #[arg(long, value_name = "FILE")]
    console_certificate: Option<PathBuf>,
    /// The key of the console's certificate, PEM.
    #[arg(long, value_name = "FILE")]
    console_key: Option<PathBuf>,
    /// A reverse proxy that speaks HTTPS stands in front of the console.
    #[arg(long)]
    behind_proxy: bool,
    /// The policy of the rules, instead of policy.toml in the data directory.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Prints one JSON line with both addresses when ready.
    #[arg(long)]
    ready_json: bool,
    /// Writes the log as JSON lines.
    #[arg(long)]
    log_json: bool,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    start_log(arguments.log_json);
    raise_file_limit();
    let ready_json = arguments.ready_json;
    let settings = Settings::load(&arguments.data.data.clone(), overrides(arguments))?;
    let policy = LivePolicy::new(read_policy(&settings)?);
    let key = MasterKey::find(settings.key_file.as_deref())?;
    let authority = Arc::new(Authority::load(&settings.data.join("pki"), &key)?);
    let documents = Documents::new(&settings.documents, settings.console_url.as_deref())?;
    let store = Store::open(&settings.database.0).await?;
    // Before anything is judged: holidays that are imported raise nothing.
    jobs::school_calendar::run(&store, &policy).await?;

    let lifecycle = Lifecycle::default();
    let people = listen(settings.console, "console").await?;
    let gateway = listen(settings.gateway, "device port").await?;
    let addresses = (people.local_addr()?, gateway.local_addr()?);
    let app = App {
        store: store.clone(),
        policy: policy.clone(),
        vault: Vault::new(&key),
        documents,
        secure_cookies: settings.console_transport != Transport::Loopback,
    };
    let jobs = Jobs {
        store: store.clone(),
        policy: policy.clone(),
        vault: app.vault.clone(),
        mailer: settings.mail.clone().map(Mailer::new).transpose()?.map(Arc::new),
        teller: Arc::new(Teller::new(settings.webhooks.clone())?),
    };
    let workers = lifecycle.workers();
    jobs::imports::start(&store, &app.vault, &workers.tasks, &workers.stop);
    jobs::start(jobs, &workers.tasks, &workers.stop);
    serve_console(people, &settings, app, &lifecycle)?;
    serve_gateway(gateway, &settings, &authority, &store, &policy, &lifecycle)?;

    announce(addresses, &settings.console_transport, ready_json)?;
    lifecycle.until_signal().await;
    lifecycle.end(limits::STOP_TIMEOUT).await;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

fn overrides(arguments: Arguments) -> Overrides {
    Overrides {
        database: arguments.data.database,
        key_file: arguments.key_file,
        gateway: arguments.gateway,
        console: arguments.console,
        console_certificate: arguments.console_certificate,
        console_key: arguments.console_key,
        behind_proxy: arguments.behind_proxy,
        policy: arguments.policy,
    }
}

pub(super) fn read_policy(settings: &Settings) -> anyhow::Result<Policy> {
    let Some(path) = &settings.policy else { return Ok(Policy::default()) };
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Policy::from_toml(&text).with_context(|| path.display().to_string())
}

async fn listen(address: SocketAddr, what: &str) -> anyhow::Result<TcpListener> {
    port::bind(address).await.with_context(|| format!("{what} on {address}"))
}

fn serve_gateway(
    listener: TcpListener,
    settings: &Settings,
    authority: &Arc<Authority>,
    store: &Store,
    policy: &LivePolicy,
    lifecycle: &Lifecycle,
) -> anyhow::Result<()> {
    let workers = lifecycle.workers();
    let certificate = authority.gateway_certificate(&settings.hosts, clock::now())?;
    let current = CurrentCertificate::new(&certificate)?;
    let tls = DeviceTls::new(Arc::clone(&current), authority.accepted())?;
    workers.tasks.spawn({
        let (authority, hosts, stop) = (Arc::clone(authority), settings.hosts.clone(), workers.stop.clone());
        async move {
            let mut checks = tokio::time::interval(CERTIFICATE_CHECK);
            while stop.run_until_cancelled(checks.tick()).await.is_some() {
                renew_gateway_certificate(&authority, &hosts, &current);
            }
        }
    });
    let ingest = Ingest::start(store.clone(), policy.clone(), &workers.tasks, workers.stop.clone());
    let (store, authority, policy) = (store.clone(), Arc::clone(authority), policy.clone());
    let discloser = Discloser::new(settings.documents.issuer.as_deref(), settings.documents.contact.as_deref());
    let enrol = gateway::enrol_router(store.clone(), Arc::clone(&authority), policy.clone());
    let device = gateway::device_router(store, authority, ingest, policy, discloser, &workers.tasks);
    let ports = lifecycle.ports();
    let protocol = Protocol::Device { tls, device, enrol };
    ports.tasks.spawn(port::serve(listener, protocol, ports.stop.clone(), ports.tasks.clone()));
    Ok(())
}

/// Gives the listener the stored certificate, which the authority makes anew when it is due.
fn renew_gateway_certificate(authority: &Authority, hosts: &[String], current: &CurrentCertificate) {
    let renewed = authority.gateway_certificate(hosts, clock::now()).map_err(anyhow::Error::from);
    if let Err(error) = renewed.and_then(|certificate| Ok(current.replace(&certificate)?)) {
        tracing::error!(error = format!("{error:#}"), "the gateway's certificate could not be renewed");
    }
}

fn serve_console(listener: TcpListener, settings: &Settings, app: App, lifecycle: &Lifecycle) -> anyhow::Result<()> {
    let transport = &settings.console_transport;
    let behind_proxy = if *transport == Transport::BehindProxy { BehindProxy::Yes } else { BehindProxy::No };
    let pages = console::router(app.clone()).merge(api::router(app)).layer(CatchPanicLayer::new());
    let router: Router = pages.layer(middleware::map_request(move |mut request: Request| async move {
        let peer = request.extensions().get::<axum::extract::ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        if let Some(peer) = peer {
            let client = ClientAddress::of(peer, request.headers(), behind_proxy);
            request.extensions_mut().insert(client);
        }
        request
    }));
    let protocol = match transport {
        Transport::Loopback | Transport::BehindProxy => Protocol::Plain(router),
        Transport::Https { certificate, key } => {
            let chain = CertificateDer::pem_file_iter(certificate)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .with_context(|| certificate.display().to_string())?;
            let key_der = PrivateKeyDer::from_pem_file(key).with_context(|| key.display().to_string())?;
            Protocol::Tls(tls::console(chain, key_der)?, router)
        }
    };
    let ports = lifecycle.ports();
    ports.tasks.spawn(port::serve(listener, protocol, ports.stop.clone(), ports.tasks.clone()));
    Ok(())
}

fn announce((people, gateway): (SocketAddr, SocketAddr), transport: &Transport, json: bool) -> anyhow::Result<()> {
    let scheme = if matches!(transport, Transport::Https { .. }) { "https" } else { "http" };
    let (console, gateway) = (format!("{scheme}://{people}"), format!("https://{gateway}"));
    tracing::info!(console, gateway, "ready");
    if json {
        print(&format!("{}\n", serde_json::json!({"console": console, "gateway": gateway})))?;
    }
    Ok(())
}

fn start_log(json: bool) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("CARTABLE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process (tests) keeps the first log.
    let _ = if json { log.json().try_init() } else { log.with_ansi(false).try_init() };
}

/// Every connection needs a file descriptor; the usual soft limit of 1,024 is below the port's own.
#[cfg(unix)]
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = u64::try_from(2 * limits::MAX_CONNECTIONS + 256).unwrap_or(u64::MAX);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    let current = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum: limit.maximum }) {
        tracing::warn!(%error, "the limit of open files cannot be raised: many laptops at once may have to wait");
    }
}

#[cfg(not(unix))]
fn raise_file_limit() {}
