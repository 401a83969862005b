//! `cargo demo --json`: one line when ready, this computer in it, everything stopped by Ctrl-C, and the same fleet when
//! it is run again.

#![cfg(target_os = "linux")]

use std::{
    net::TcpStream,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use cartable_tests::{
    harness::{Api, Process, Visitor, stored},
    postgres::Database,
};
use rustix::process::Signal;
use serde_json::Value;

const DEVICES: usize = 40;
const PATIENCE: Duration = Duration::from_secs(240);

fn start(data: &Path, database: Option<&str>) -> (Process, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    command.args(["--json", "--port", "0", "--devices", &DEVICES.to_string(), "--data"]).arg(data);
    if let Some(url) = database {
        command.args(["--database", url]);
    }
    let mut process = Process::start("demo", &mut command).unwrap();
    let ready = serde_json::from_str(&process.line(PATIENCE).unwrap()).unwrap();
    (process, ready)
}

fn text<'a>(ready: &'a Value, name: &str) -> &'a str {
    ready[name].as_str().unwrap_or_else(|| panic!("{name} is missing from {ready}"))
}

/// Ends the demo with Ctrl-C's signal; nothing of it is left, and it said nothing more on standard output.
fn stop(mut process: Process, data: &Path, ready: &Value) {
    let status = process.signal(Signal::INT).unwrap();
    assert!(status.success(), "{status}: {}", process.log().text());
    assert_eq!(process.remaining_lines(), Vec::<String>::new());
    assert_eq!(programs_of(data), Vec::<String>::new());
    for name in ["console", "gateway"] {
        let authority = text(ready, name).split_once("://").unwrap().1;
        assert!(TcpStream::connect(authority).is_err(), "{name} still answers");
    }
}

/// The command lines of running programs that name the data directory.
fn programs_of(data: &Path) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap();
    let commands = entries.filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    let commands = commands.map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "));
    commands.filter(|command| command.contains(&data.display().to_string())).collect()
}

async fn devices(url: &str) -> i64 {
    stored::count(url, "device").await.unwrap()
}

async fn wait_for_devices(url: &str, wanted: i64) {
    let deadline = Instant::now() + PATIENCE;
    while devices(url).await < wanted {
        assert!(Instant::now() < deadline, "{} of {wanted} devices", devices(url).await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Two runs of one demo: the second is the same fleet, and nobody is enrolled again.
async fn prints_one_line_and_resumes(database: Option<&str>) {
    let temporary = tempfile::tempdir().unwrap();
    let data = temporary.path().join("demo");
    let url =
        database.map_or_else(|| format!("sqlite:{}", data.join("server/cartable.db").display()), ToOwned::to_owned);
    let (process, first) = start(&data, database);
    assert_eq!(first["pid"].as_u64(), Some(u64::from(process.pid())));
    assert!(std::fs::read_to_string(text(&first, "roots")).unwrap().contains("BEGIN CERTIFICATE"));
    assert!(text(&first, "gateway").starts_with("https://127.0.0.1:"));

    let api = Api::new(text(&first, "console"), text(&first, "api_token")).unwrap();
    let this = api.get(&format!("/api/v1/devices/{}", text(&first, "this_device"))).await.unwrap();
    assert!(!this["health"].is_null(), "this computer has reported: {this}");
    Visitor::sign_in(text(&first, "console"), text(&first, "user"), text(&first, "password")).await.unwrap();

    // One person for each role, who all sign in; a referent works for one collège alone.
    let all_sites = stored::count(&url, "site").await.unwrap();
    let people = first["people"].as_array().unwrap();
    assert!(people.len() >= 5 && people.iter().all(|one| one["site"].is_string() == (one["role"] == "referent")));
    for person in people {
        let visitor = Visitor::sign_in(text(&first, "console"), text(person, "login"), text(&first, "password"));
        let sites = visitor.await.unwrap().get("/sites").await.unwrap().html;
        let seen = sites.matches("href=\"/sites/").count();
        assert_eq!(seen == 1, person["role"] == "referent" || all_sites == 1, "{person}: {seen} sites");
    }
    let lent = stored::count(&url, "(SELECT 1 FROM device WHERE lending_state = 'lent') AS lent").await.unwrap();
    assert_eq!(lent, stored::count(&url, "(SELECT 1 FROM loan WHERE ended_at IS NULL) AS running").await.unwrap());
    assert!(lent > i64::try_from(DEVICES).unwrap() / 2, "{lent} devices are lent");

    let registered = i64::try_from(DEVICES).unwrap() + 1;
    wait_for_devices(&url, registered).await;
    stop(process, &data, &first);

    // Without --database: where it is was remembered.
    let (process, second) = start(&data, None);
    for name in ["roots", "user", "password", "api_token", "this_device", "gateway"] {
        assert_eq!(first[name], second[name], "{name} after a restart");
    }
    wait_for_contacts(&url).await;
    stop(process, &data, &second);
    assert_eq!(devices(&url).await, registered);
}

/// Waits until most of the fleet has checked in once more.
async fn wait_for_contacts(url: &str) {
    let deadline = Instant::now() + PATIENCE;
    let sum = "(SELECT 1 FROM contact WHERE check_ins > 1) AS again";
    while stored::count(url, sum).await.unwrap() < i64::try_from(DEVICES).unwrap() * 3 / 4 {
        assert!(Instant::now() < deadline, "the fleet did not come back");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_prints_one_line_and_resumes_on_sqlite() {
    prints_one_line_and_resumes(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_prints_one_line_and_resumes_on_postgres() {
    let database = Database::create().await.unwrap();
    prints_one_line_and_resumes(Some(database.url())).await;
}

#[test]
fn a_busy_port_is_told_in_words() {
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_demo"))
        .args(["--devices", "1", "--port", &busy.local_addr().unwrap().port().to_string(), "--data"])
        .arg(temporary.path())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && words.contains("is used by another program"), "{words}");
    assert!(output.stdout.is_empty());
}
