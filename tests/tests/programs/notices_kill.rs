//! kill -9 of the real server between handing a letter over and writing that down, on both engines: at most one repeat,
//! under the same Message-ID, and nothing lost. Also what an administrator sees of the jobs.

use std::{collections::HashMap, time::Duration};

use cartable_common::UtcMillis;
use cartable_server::{
    clock,
    domain::{borrower::BorrowerKind, job::Job, paris},
    pki::MasterKey,
    store::Store,
    vault::Vault,
};
use cartable_tests::{
    harness::{Installation, installation::random_key},
    lent::Lent,
    mail_server::MailServer,
    postgres::Database,
    raw::Raw,
};
use jiff::ToSpan as _;

/// How long what should happen may take: the first run is five seconds after the start.
const PATIENCE: Duration = Duration::from_secs(60);

async fn until(what: &str, mut happened: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !happened().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what} did not happen");
}

/// An installation whose mail goes to `mail`, at any hour.
async fn installation(database: Option<&str>, mail: &MailServer) -> (Installation, tempfile::TempDir, String) {
    let (directory, key) = (tempfile::tempdir().unwrap(), random_key().unwrap());
    let data = directory.path().join("data");
    let installation = Installation::at(&data, &key, database).unwrap();
    installation.init().unwrap();
    let config = data.join("config.toml");
    let mut text = std::fs::read_to_string(&config).unwrap();
    text.push_str(&format!(
        "\n[mail]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\nfrom = \"cartable@val.example\"\n",
        mail.port()
    ));
    std::fs::write(&config, text).unwrap();
    std::fs::write(data.join("policy.toml"), "[notices]\nfrom_hour = 0\nuntil_hour = 24\n").unwrap();
    (installation, directory, key)
}

async fn killed_between_sending_and_recording(database: Option<&str>) {
    let mut mail = MailServer::start().await.unwrap();
    let (installation, _directory, key) = installation(database, &mail).await;
    let url = installation.database_url();
    let store = Store::open(&url).await.unwrap();
    let now = clock::now();
    let bytes = data_encoding::BASE64.decode(key.as_bytes()).unwrap();
    let vault = Vault::new(&MasterKey::of(bytes.try_into().unwrap()));
    let lent = Lent::new(&store, &url, &vault, now).await.unwrap();
    let due = paris::date(now).checked_add(200.days()).unwrap();
    // A hand-over is confirmed at once, whatever the day.
    for number in 1..=3_u8 {
        let family = lent.family(number, &[&format!("f{number}@x.example")], now).await.unwrap();
        lent.lend(number.into(), family, due, now).await.unwrap();
    }
    mail.be_silent(true);
    let mut server = installation.serve().unwrap();
    until("the first letter", async || !mail.taken().is_empty()).await;
    server.kill();
    assert_eq!(mail.taken().len(), 1);
    let mut raw = Raw::connect(&url).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM message WHERE state = 'sending'").await.unwrap(), 1);
    assert_eq!(raw.number("SELECT count(*) FROM message WHERE state = 'sent'").await.unwrap(), 0);
    mail.stop().await;
    mail.be_silent(false);
    mail.resume().await.unwrap();

    // The doubtful one is left alone for ten minutes; the others go at once. The dead process's lease runs out in five.
    raw.execute("DELETE FROM setting WHERE name = 'lease:notices'").await.unwrap();
    let mut server = installation.serve().unwrap();
    until("the other letters", async || mail.taken().len() == 3).await;
    until("their record", async || raw.number("SELECT count(*) FROM message WHERE state = 'sent'").await.unwrap() == 2)
        .await;
    server.kill();
    raw.execute("UPDATE message SET next_attempt_at = 0 WHERE state = 'sending'").await.unwrap();
    raw.execute("DELETE FROM setting WHERE name = 'lease:notices'").await.unwrap();
    let mut server = installation.serve().unwrap();
    until("the repeat", async || raw.number("SELECT count(*) FROM message WHERE state = 'sent'").await.unwrap() == 3)
        .await;
    let mut by_id: HashMap<String, usize> = HashMap::new();
    for letter in mail.taken() {
        *by_id.entry(letter.header("Message-ID").to_owned()).or_default() += 1;
    }
    let mut repeats: Vec<usize> = by_id.into_values().collect();
    repeats.sort_unstable();
    assert_eq!(repeats, [1, 1, 2], "one repeat under its own Message-ID, none lost");
    let log = server.log().text();
    assert!(!log.contains("@x.example"), "no address in the log: {log}");
    server.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_sending_and_recording_on_sqlite() {
    killed_between_sending_and_recording(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_sending_and_recording_on_postgres() {
    let database = Database::create().await.unwrap();
    killed_between_sending_and_recording(Some(database.url())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_stops_is_missed_on_the_command_line() {
    let mail = MailServer::start().await.unwrap();
    let (installation, _directory, _) = installation(None, &mail).await;
    assert!(installation.run("jobs status", &[], "").is_err(), "no server ever ran");
    let sent = installation.command("mail test").arg("somebody@x.example").output().unwrap();
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    assert_eq!(mail.taken()[0].to, ["somebody@x.example"]);

    let mut server = installation.serve().unwrap();
    let mut raw = Raw::connect(&installation.database_url()).await.unwrap();
    let ran = "SELECT count(*) FROM job_run WHERE succeeded_at IS NOT NULL";
    let jobs = i64::try_from(Job::ALL.len()).unwrap();
    until("every job's first run", async || raw.number(ran).await.unwrap() == jobs).await;
    assert!(installation.run("jobs status", &[], "").unwrap().contains("notices "));
    server.kill();
    let hour_ago = clock::now().plus_millis(-3_600_000).get();
    raw.execute(&format!("UPDATE job_run SET succeeded_at = {hour_ago} WHERE job = 'notices'")).await.unwrap();
    let error = installation.run("jobs status", &[], "").unwrap_err().to_string();
    assert!(error.contains("missed: notices"), "{error}");
}

/// A borrower of whom nothing is known, and a clock at the beginning of time, are no reason to stop the others.
#[tokio::test(flavor = "multi_thread")]
async fn one_unknown_borrower_stops_nobody_else() {
    let mail = MailServer::start().await.unwrap();
    let (installation, _directory, key) = installation(None, &mail).await;
    let url = installation.database_url();
    let store = Store::open(&url).await.unwrap();
    let now: UtcMillis = clock::now();
    let bytes = data_encoding::BASE64.decode(key.as_bytes()).unwrap();
    let lent = Lent::new(&store, &url, &Vault::new(&MasterKey::of(bytes.try_into().unwrap())), now).await.unwrap();
    let due = paris::date(now).checked_add(200.days()).unwrap();
    let unknown = lent.borrower(1, BorrowerKind::Person, now).await.unwrap();
    lent.lend(1, unknown, due, now).await.unwrap();
    let family = lent.family(2, &["f2@x.example"], now).await.unwrap();
    lent.lend(2, family, due, now).await.unwrap();
    let mut server = installation.serve().unwrap();
    until("the other's letter", async || mail.taken().len() == 1).await;
    assert_eq!(mail.taken()[0].to, ["f2@x.example"]);
    let mut raw = Raw::connect(&url).await.unwrap();
    let failed = "SELECT count(*) FROM message WHERE state = 'failed' AND error = 'no e-mail address is known'";
    until("the failure is visible", async || raw.number(failed).await.unwrap() == 1).await;
    server.kill();
}
