//! A throw-away PostgreSQL for tests: a cluster of its own on a free port, stopped and deleted when the last test that
//! uses it ends, even by a panic; a fresh database for each test.
//!
//! `CARTABLE_TEST_POSTGRES=postgres://USER:PASSWORD@HOST/postgres` uses that server instead. Without either, tests fail
//! and say what to install: a test that silently does not run proves nothing.

use std::{
    env,
    fs::File,
    io::ErrorKind,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError, Weak, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;

/// Names the server to use instead of a throw-away one.
const SERVER_VARIABLE: &str = "CARTABLE_TEST_POSTGRES";
/// Where Debian keeps the server's programs, one folder a version.
const DEBIAN_PROGRAMS: &str = "/usr/lib/postgresql";
/// How long the server may take to answer on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Another program may take the free port before PostgreSQL does.
const START_ATTEMPTS: u32 = 4;

/// A database that is dropped at the end.
#[derive(Debug)]
pub struct Database {
    url: String,
    name: String,
    server: Server,
}

#[derive(Debug)]
enum Server {
    ThrowAway(Arc<Cluster>),
    Given(String),
}

impl Server {
    fn url(&self, database: &str) -> String {
        match self {
            Self::ThrowAway(cluster) => format!("postgres://postgres@127.0.0.1:{}/{database}", cluster.port),
            Self::Given(url) => with_database(url, database),
        }
    }
}

impl Database {
    /// Makes an empty database.
    pub async fn create() -> anyhow::Result<Self> {
        let server = match env::var(SERVER_VARIABLE) {
            Ok(url) => Server::Given(url),
            Err(_) => Server::ThrowAway(tokio::task::spawn_blocking(Cluster::shared).await??),
        };
        let name = format!("cartable_test_{}", uuid::Uuid::new_v4().simple());
        let mut admin = PgConnection::connect(&server.url("postgres")).await.context("cannot reach PostgreSQL")?;
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await?;
        admin.close().await?;
        Ok(Self { url: server.url(&name), name, server })
    }

    /// Its address, for [`cartable_server::store::Store::open`].
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A throw-away cluster takes its databases with it.
        let Server::Given(_) = &self.server else { return };
        let (url, name) = (self.server.url("postgres"), self.name.clone());
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut admin = PgConnection::connect(&url).await?;
                sqlx::query(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).execute(&mut admin).await?;
                anyhow::Ok(())
            })
        });
        if !matches!(dropping.join(), Ok(Ok(()))) {
            tracing::warn!(database = self.name, "a test database could not be dropped");
        }
    }
}

/// `url` with the name of another database in it.
fn with_database(url: &str, database: &str) -> String {
    let (address, query) = url.split_once('?').map_or((url, None), |(address, query)| (address, Some(query)));
    let start = address.find("://").map_or(0, |at| at + 3);
    let host_end = address[start..].find('/').map_or(address.len(), |at| start + at);
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    format!("{}/{database}{query}", &address[..host_end])
}

/// A running PostgreSQL server with its data.
#[derive(Debug)]
struct Cluster {
    port: u16,
    /// Tells the keeper to stop the server.
    stop: Option<mpsc::Sender<()>>,
    keeper: Option<JoinHandle<()>>,
    /// Deleted last.
    _data: TempDir,
}

static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());

impl Cluster {
    /// The cluster of this process, started if there is none.
    fn shared() -> anyhow::Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return Ok(running);
        }
        let started = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&started);
        Ok(started)
    }

    fn start() -> anyhow::Result<Self> {
        let programs = programs()?;
        let data = tempfile::Builder::new().prefix("cartable-pg-").tempdir()?;
        if geteuid().is_root() {
            let (user, group) = postgres_account()?;
            chown(data.path(), Some(user), Some(group))?;
        }
        let made = as_postgres(&programs.join("initdb"))
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
            .args(["--pgdata".as_ref(), data.path().join("data").as_os_str()])
            .current_dir(data.path())
            .output()?;
        ensure!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        let mut last = None;
        for _ in 0..START_ATTEMPTS {
            match run(&programs, data.path()) {
                Ok((port, stop, keeper)) => {
                    return Ok(Self { port, stop: Some(stop), keeper: Some(keeper), _data: data });
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.context("never tried")?)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(keeper) = self.keeper.take() {
            let _ = keeper.join();
        }
    }
}

type Running = (u16, mpsc::Sender<()>, JoinHandle<()>);

/// Runs the server under a thread of its own: the server dies with the thread that started it, so that nothing is left
/// behind when the test process is killed, and a test's thread ends before the cluster does.
fn run(programs: &Path, data: &Path) -> anyhow::Result<Running> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let mut server = as_postgres(&programs.join("postgres"));
    let log = data.join("log");
    server
        .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=on"])
        .args(["-c", "max_connections=200", "-c", "shared_buffers=64MB"])
        .args(["-D".as_ref(), data.join("data").as_os_str()])
        .args(["-k".as_ref(), data.as_os_str()])
        .current_dir(data)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log)?);
    let (stop, stopped) = mpsc::channel::<()>();
    let (ready, is_ready) = mpsc::channel();
    let keeper = thread::Builder::new().name("postgres".to_owned()).spawn(move || match server.spawn() {
        Ok(mut child) => {
            let up = await_ready(&mut child, port).with_context(|| std::fs::read_to_string(&log).unwrap_or_default());
            let failed = up.is_err();
            let _ = ready.send(up);
            if !failed {
                // Ends with an error when the cluster is dropped.
                let _ = stopped.recv();
            }
            if let Some(pid) = Pid::from_raw(child.id().cast_signed()) {
                // PostgreSQL's fast shutdown: clients are disconnected.
                let _ = kill_process(pid, Signal::INT);
            }
            let _ = child.wait();
        }
        Err(error) => drop(ready.send(Err(error.into()))),
    })?;
    is_ready.recv().context("the thread that runs PostgreSQL ended")??;
    Ok((port, stop, keeper))
}

fn await_ready(child: &mut Child, port: u16) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            bail!("PostgreSQL ended at start ({status})");
        }
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        if runtime.block_on(PgConnection::connect(&url)).is_ok() {
            return Ok(());
        }
        ensure!(started.elapsed() < START_LIMIT, "PostgreSQL did not answer within {START_LIMIT:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// `program` as the `postgres` account when we are root (PostgreSQL refuses root), dying with us in any case.
fn as_postgres(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "INT"]);
    if geteuid().is_root() {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--init-groups"]);
    }
    command.arg("--").arg(program);
    command
}

fn postgres_account() -> anyhow::Result<(u32, u32)> {
    let id = |flag| -> anyhow::Result<u32> {
        let output = Command::new("id").args([flag, "postgres"]).output()?;
        ensure!(output.status.success(), "there is no account `postgres`: {}", advice());
        Ok(String::from_utf8(output.stdout)?.trim().parse()?)
    };
    Ok((id("-u")?, id("-g")?))
}

/// The newest installed version's programs.
fn programs() -> anyhow::Result<PathBuf> {
    let versions = match std::fs::read_dir(DEBIAN_PROGRAMS) {
        Ok(versions) => versions,
        Err(error) if error.kind() == ErrorKind::NotFound => bail!("PostgreSQL is not installed: {}", advice()),
        Err(error) => return Err(error).context(DEBIAN_PROGRAMS),
    };
    let installed = versions.filter_map(|entry| {
        let programs = entry.ok()?.path();
        let version: u32 = programs.file_name()?.to_str()?.parse().ok()?;
        let programs = programs.join("bin");
        programs.join("initdb").exists().then_some((version, programs))
    });
    let newest = installed.max().with_context(|| format!("PostgreSQL is not installed: {}", advice()))?;
    Ok(newest.1)
}

fn advice() -> String {
    format!("run `apt-get install postgresql`, or set {SERVER_VARIABLE}=postgres://USER:PASSWORD@HOST/postgres")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_server_keeps_its_address_and_options() {
        assert_eq!(
            with_database("postgres://u:p@h:1/postgres?sslmode=require", "t"),
            "postgres://u:p@h:1/t?sslmode=require"
        );
        assert_eq!(with_database("postgres://u@h", "t"), "postgres://u@h/t");
    }
}
