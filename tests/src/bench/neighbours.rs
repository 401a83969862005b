//! What other agents cost that Debian packages: the inventories of FusionInventory and OCS, which run and end, and
//! Prometheus' node exporter and Zabbix' agent, which stay and are asked.
//!
//! They do other work than ours, so that none is a yardstick; but each is what a département may already run. They speak
//! plain HTTP or Zabbix' protocol on loopback, without TLS. A program that is not installed is left out.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use super::usage;
use crate::harness::Process;

/// Longest time for one inventory.
const INVENTORY_LIMIT: Duration = Duration::from_mins(10);
/// How often the memory of a program that will end is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Questions of one contact with Zabbix' agent: about what a report of ours tells that it can tell too.
const ITEMS: [&str; 8] = [
    "agent.version",
    "system.uname",
    "system.uptime",
    "system.cpu.num[online]",
    "vm.memory.size[total]",
    "vfs.fs.size[/,total]",
    "vfs.fs.size[/,free]",
    "system.sw.arch",
];

/// What a program cost that ran and ended, the programs that it started included.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Its processor time.
    pub cpu: Duration,
    /// Its own largest memory in KiB, without that of the programs it started.
    pub peak_kib: u64,
}

/// Runs an inventory program to its end.
pub fn run(command: &mut Command) -> anyhow::Result<Run> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let (pid, begun, mut peak_kib) = (child.id(), Instant::now(), 0);
    // Ended but not yet waited for, its processor time can still be read, and its memory no more.
    while let Ok(now) = usage::status(pid, "VmHWM") {
        peak_kib = peak_kib.max(now);
        if begun.elapsed() > INVENTORY_LIMIT {
            child.kill()?;
            break;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let cpu = usage::cpu_with_children(pid)?;
    let status = child.wait()?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(Run { cpu, peak_kib })
}

/// fusioninventory-agent: one whole inventory, sent to `server`; its settings lie in `folder`.
pub fn fusioninventory(server: SocketAddr, folder: &Path) -> anyhow::Result<Command> {
    let mut command = fusioninventory_on(server, folder)?;
    command.arg("--force");
    Ok(command)
}

/// The same program as a service that waits for its hour.
pub fn fusioninventory_waiting(server: SocketAddr, folder: &Path) -> anyhow::Result<Process> {
    let mut command = fusioninventory_on(server, folder)?;
    Process::start("fusioninventory-agent", command.args(["--daemon", "--no-fork"]))
}

fn fusioninventory_on(server: SocketAddr, folder: &Path) -> anyhow::Result<Command> {
    let settings = folder.join("fusioninventory.cfg");
    fs::write(&settings, "logger = stderr\n")?;
    let mut command = direct(Command::new("fusioninventory-agent"));
    command.args(["--no-httpd", "--tasks=inventory"]);
    command.arg(format!("--server=http://{server}/")).arg(format!("--conf-file={}", settings.display()));
    Ok(command)
}

/// ocsinventory-agent: one whole inventory, sent to `server`; what it keeps lies below `folder`.
pub fn ocsinventory(server: SocketAddr, folder: &Path) -> anyhow::Result<Command> {
    let kept = folder.join("ocsinventory");
    fs::create_dir_all(&kept)?;
    let mut command = direct(Command::new("ocsinventory-agent"));
    // Debian's settings write to a folder instead.
    command.args(["--local", "", "--force", "--ssl=0"]);
    command.arg(format!("--server=http://{server}/ocsinventory")).arg(format!("--basevardir={}", kept.display()));
    Ok(command)
}

/// Prometheus' node exporter and the address that it answers at.
pub fn node_exporter() -> anyhow::Result<(Process, SocketAddr)> {
    let address = free_address()?;
    let mut command = direct(Command::new("prometheus-node-exporter"));
    command.arg(format!("--web.listen-address={address}"));
    Ok((Process::start("prometheus-node-exporter", &mut command)?, address))
}

/// Zabbix' agent and the address that it answers at; its sockets and settings lie in `folder`.
pub fn zabbix_agent(folder: &Path) -> anyhow::Result<(Process, SocketAddr)> {
    let address = free_address()?;
    let settings = folder.join("zabbix_agent2.conf");
    let (socket, plugins) = (folder.join("control.sock"), folder.join("plugins.sock"));
    let text = format!(
        "Server=127.0.0.1\nListenIP=127.0.0.1\nListenPort={}\nHostname=bench\nLogType=console\nControlSocket={}\n\
         PluginSocket={}\n",
        address.port(),
        socket.display(),
        plugins.display(),
    );
    fs::write(&settings, text)?;
    let mut command = direct(Command::new("zabbix_agent2"));
    command.arg("--foreground").arg("--config").arg(&settings);
    Ok((Process::start("zabbix_agent2", &mut command)?, address))
}

/// Waits until something listens at `address`.
pub fn wait_for(address: SocketAddr) -> anyhow::Result<()> {
    let patience = Instant::now() + Duration::from_secs(120);
    while TcpStream::connect(address).is_err() {
        ensure!(Instant::now() < patience, "nothing listens at {address}");
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// One question to the node exporter: all its figures.
pub fn scrape(address: SocketAddr) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    let accept = "text/plain;version=0.0.4";
    write!(
        stream,
        "GET /metrics HTTP/1.1\r\nHost: {address}\r\nAccept: {accept}\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    ensure!(answer.starts_with(b"HTTP/1.1 200"), "the exporter did not answer");
    Ok(())
}

/// One contact with Zabbix' agent: each question over a connection of its own, as its server asks.
pub fn ask_zabbix(address: SocketAddr) -> anyhow::Result<()> {
    for item in ITEMS {
        let mut stream = TcpStream::connect(address)?;
        let length = u64::try_from(item.len())?.to_le_bytes();
        stream.write_all(&[b"ZBXD\x01", &length[..], item.as_bytes()].concat())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        ensure!(answer.starts_with(b"ZBXD"), "{item}: no answer");
        let words = String::from_utf8_lossy(&answer);
        ensure!(!words.contains("ZBX_NOTSUPPORTED"), "{item}: {words}");
    }
    Ok(())
}

/// Whether the program `name` is here.
pub fn is_installed(name: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).chain(["/usr/sbin".into()]).any(|folder| folder.join(name).is_file())
}

/// A server of inventories: asks for one at each contact and takes whatever comes.
pub async fn inventory_server() -> anyhow::Result<SocketAddr> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let answer = || async {
        let reply = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<REPLY><RESPONSE>SEND</RESPONSE><PROLOG_FREQ>24</PROLOG_FREQ></REPLY>\n";
        ([("content-type", "application/x-compress-zlib")], zlib(reply.as_bytes()))
    };
    let routes = axum::Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address)
}

/// `content` as zlib carries what it does not compress (RFC 1950, RFC 1951 3.2.4).
fn zlib(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in content {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    let header = [&[0x78, 0x9C, 0x01][..], &length.to_le_bytes(), &(!length).to_le_bytes()].concat();
    [&header[..], content, &(high << 16 | low).to_be_bytes()].concat()
}

/// Without a proxy between two programs on loopback.
fn direct(mut command: Command) -> Command {
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(name);
    }
    command
}

/// An address that nobody listens at. Zabbix' agent takes no port above 32767, where those lie that the system gives.
fn free_address() -> anyhow::Result<SocketAddr> {
    let mut free = (20_000..=32_767_u16).filter_map(|port| TcpListener::bind(("127.0.0.1", port)).ok());
    free.next().context("no port is free on loopback")?.local_addr().context("an address on loopback")
}
