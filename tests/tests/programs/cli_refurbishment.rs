//! The commands of refurbishment, run as an operator runs them: the report of a year, a forecast, the policy under which was
//! decided, evidence of an erasure brought from a bench.

use std::{path::Path, process::Command};

use cartable_common::{
    SerialNumber, UtcMillis,
    report::{Drive, DriveKind, HealthReport},
};
use cartable_server::{
    auth::Role,
    clock,
    domain::{figures::Year, paris, policy::Policy, scope::Scope},
    jobs::flag_sweep,
    store::{Store, audit::COMMAND_LINE, figures},
};
use cartable_tests::{
    donation::people,
    erasing::nvme_sanitized,
    fleet::{Enrolled, RunningIngest, enrol, envelope, laptop},
    harness::{Binaries, Installation, process::run_with_input},
    in_process::InProcess,
    raw::Raw,
};
use data_encoding::HEXLOWER;
use jiff::{Span, civil::Date};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Makes two tests of each `async fn(&Installation)`: one on SQLite, one on PostgreSQL.
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(&super::Installation::temporary().unwrap()).await;
            })*
        }
        mod postgres {
            use cartable_tests::postgres::Database;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let database = Database::create().await.unwrap();
                super::$name(&super::Installation::temporary_on(Some(database.url())).unwrap()).await;
            })*
        }
    };
}

on_both_engines! {
    a_report_is_two_files_that_are_named_with_their_hashes,
    a_forecast_is_a_sentence_a_table_and_what_the_api_answers,
    the_policy_under_which_was_decided_is_printed,
    evidence_from_a_bench_is_recorded_once_for_its_own_device,
}

/// What a command that must fail says.
fn refused(installation: &Installation, command: &str, arguments: &[&str]) -> String {
    installation.run(command, arguments, "").unwrap_err().to_string()
}

fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

async fn fingerprint(store: &Store, today: Date) -> String {
    let year = Year::new(today.year(), today).unwrap();
    let mut tx = store.read().await.unwrap();
    figures::of_year(&mut tx, year, &Policy::default()).await.unwrap().fingerprint().to_string()
}

async fn a_report_is_two_files_that_are_named_with_their_hashes(installation: &Installation) {
    let store = Store::open(&installation.database_url()).await.unwrap();
    let (now, out) = (clock::now(), tempfile::tempdir().unwrap());
    let today = paris::date(now);
    let who = people(&store, now).await.unwrap();
    let before = fingerprint(&store, today).await;
    let given = who.ready(&store, "R1", now).await.unwrap();
    who.give(&store, &[given], now).await.unwrap();
    let counted = fingerprint(&store, today).await;
    assert_ne!(counted, before, "a gift is counted");

    // The directory is made.
    let (year, folder) = (today.year().to_string(), out.path().join("made").join("here"));
    let arguments = ["--year", year.as_str(), "--out", folder.to_str().unwrap(), "--language", "en"];
    let said = installation.run("report", &arguments, "").unwrap();
    let lines: Vec<(&str, &str)> = said.lines().map(|line| line.split_once('\t').unwrap()).collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert_eq!(lines[0], ("figures", counted.as_str()));
    for (line, (ending, magic)) in lines[1..].iter().zip([("pdf", "%PDF-"), ("xlsx", "PK")]) {
        let path = folder.join(format!("cartable-{year}-report.{ending}"));
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes.starts_with(magic.as_bytes()), "{ending}");
        assert_eq!(*line, (path.to_str().unwrap(), sha256(&bytes).as_str()));
    }
    let again = installation.run("report", &arguments, "").unwrap();
    assert_eq!(again.lines().next(), said.lines().next(), "the same facts are the same figures");
    let early = refused(installation, "report", &["--year", "2019", "--out", folder.to_str().unwrap()]);
    assert!(early.contains("--year 2019: there are figures from"), "{early}");
}

async fn a_forecast_is_a_sentence_a_table_and_what_the_api_answers(installation: &Installation) {
    let store = Store::open(&installation.database_url()).await.unwrap();
    let now = clock::now();
    let who = people(&store, now).await.unwrap();
    // In stock: it can be lent as it is.
    who.ready(&store, "R1", now).await.unwrap();
    let by = paris::date(now).checked_add(Span::new().days(60)).unwrap().to_string();
    let asked = ["--ready", "lend", "--target", "1", "--by", by.as_str(), "--seed", "5", "--runs", "40"];
    let french = installation.run("forecast", &asked, "").unwrap();
    assert!(french.lines().next().unwrap().contains("appareil prêt à prêter"), "{french}");
    let english = installation.run("forecast", &[&asked[..], &["--language", "en"]].concat(), "").unwrap();
    assert!(english.lines().next().unwrap().contains("unit ready to lend"), "{english}");
    // Today, every seventh day, and the day that was asked for: one unit in each.
    assert_eq!(english.lines().filter(|line| line.ends_with(" 1")).count(), 10, "{english}");

    let text = installation.run("forecast", &[&asked[..], &["--json"]].concat(), "").unwrap();
    let answer: Value = serde_json::from_str(&text).unwrap();
    let told = ["ready", "target", "seed", "runs", "percent", "ready_now"].map(|name| answer[name].clone());
    assert_eq!(told, [json!("lend"), json!(1), json!(5), json!(40), json!(100), json!(1)]);
    let cartable = InProcess::new(&store);
    cartable.person("rita", Role::Refurbisher, Scope::Everything).await.unwrap();
    let token = cartable.token("rita").await.unwrap();
    let path = format!("/api/v1/forecast?ready=lend&target=1&by={by}&seed=5&runs=40");
    assert_eq!(answer, cartable.get(&path, &token).await.unwrap().json());

    let none = refused(installation, "forecast", &["--target", "0", "--by", by.as_str()]);
    assert!(none.contains("the target is a whole number from 1"), "{none}");
    let past = refused(installation, "forecast", &["--target", "1", "--by", "2020-01-01"]);
    assert!(past.contains("the day must come after today"), "{past}");
}

/// `policy version`, which takes no data directory.
fn version(file: Option<&Path>) -> String {
    let program = &Binaries::find().unwrap().server;
    run_with_input(Command::new(program).args(["policy", "version"]).args(file), "").unwrap().trim().to_owned()
}

#[test]
fn a_policy_has_the_version_of_what_decides_in_it() {
    let installation = Installation::temporary().unwrap();
    let own = installation.directory().join("policy.toml");
    assert_eq!(version(None), Policy::default().version());
    assert_eq!(version(Some(&own)), version(None), "what init wrote are the defaults");
    let other = installation.directory().join("other.toml");
    std::fs::write(&other, "[forecast]\nbench_minutes_per_day = 420\n").unwrap();
    assert_eq!(version(Some(&other)), version(None), "no decision about a device rests on it");
    std::fs::write(&other, "[battery]\nrelend_percent = 85\n").unwrap();
    let mut stricter = Policy::default();
    stricter.battery.relend_percent = 85;
    assert_eq!(version(Some(&other)), stricter.version());
    assert_ne!(stricter.version(), version(None));
}

/// A device that reported a drive with that serial number three days before `now`.
async fn reported(url: &str, store: &Store, serial: &str, now: UtcMillis) -> Enrolled {
    let one = enrol(store, url, None, now.plus_days(-9)).await.unwrap();
    let drive =
        Drive { serial_number: SerialNumber::parse(serial).into(), kind: Some(DriveKind::Nvme), ..Drive::default() };
    let report = HealthReport { drives: vec![drive], ..laptop(50) };
    let (running, seen) = (RunningIngest::start(store), now.plus_days(-3));
    running.ingest.check_in(one.check_in(seen, vec![envelope(1, seen, report)])).await.unwrap();
    running.stop().await;
    one
}

async fn the_policy_under_which_was_decided_is_printed(installation: &Installation) {
    let (url, now) = (installation.database_url(), clock::now());
    let store = Store::open(&url).await.unwrap();
    let policy = Policy::default();
    let own = policy.version();
    let nothing = refused(installation, "policy used", &[own.as_str()]);
    assert!(nothing.contains(&format!("nothing was decided under version {own}")), "{nothing}");
    reported(&url, &store, "S5GX1", now).await;
    flag_sweep::run(&store, &policy, now, &CancellationToken::new()).await.unwrap();
    let said = installation.run("policy used", &[own.as_str()], "").unwrap();
    assert!(said.starts_with(&format!("# {own}, first used ")), "{said}");
    // What is printed is a policy file, and decides the same.
    assert_eq!(Policy::from_toml(&said).unwrap().version(), own);
    // One version of 64 begins like an option.
    let hyphen = refused(installation, "policy used", &["-Zq"]);
    assert!(hyphen.contains("nothing was decided under version -Zq"), "{hyphen}");
}

async fn evidence_from_a_bench_is_recorded_once_for_its_own_device(installation: &Installation) {
    let (url, now) = (installation.database_url(), clock::now());
    let store = Store::open(&url).await.unwrap();
    let id = reported(&url, &store, "S5GX1", now).await.device.to_string();
    let missing = || installation.run("erasure missing", &[id.as_str()], "").unwrap();
    assert_eq!(missing().trim(), "S5GX1\tnothing_recorded\tpurge");
    let write = |name: &str, serial: &str| {
        let (path, text) = (installation.directory().join(name), nvme_sanitized(serial, now.plus_millis(-60_000)));
        std::fs::write(&path, &text).unwrap();
        (path.to_str().unwrap().to_owned(), sha256(text.as_bytes()))
    };
    let (own, own_sha256) = write("own.txt", "S5GX1");
    let (other, other_sha256) = write("other.txt", "ELSE9");
    let strange = refused(installation, "erasure add", &[id.as_str(), other.as_str()]);
    assert!(strange.contains("no drive of these files was ever seen in this device"), "{strange}");
    let nobody = Uuid::new_v4().to_string();
    let unknown = refused(installation, "erasure add", &[nobody.as_str(), own.as_str()]);
    assert!(unknown.contains(&format!("no device has the id {nobody}")), "{unknown}");
    let mut raw = Raw::connect(&url).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM erasure").await.unwrap(), 0, "nothing came of it");

    let said = installation.run("erasure add", &[id.as_str(), own.as_str()], "").unwrap();
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["drive"], &said["outcome"]), (&json!(["S5GX1"]), &json!(["erased"])));
    assert_eq!(said["files_sha256"], json!([own_sha256]));
    assert_eq!(missing(), "", "all is proven");
    assert_eq!(raw.texts("SELECT operator FROM erasure").await.unwrap(), [COMMAND_LINE]);
    assert_eq!(raw.texts("SELECT name FROM erasure_file").await.unwrap(), ["own.txt"]);
    let acts = "SELECT actor FROM audit WHERE action = 'erasure.evidence'";
    assert_eq!(raw.texts(acts).await.unwrap(), [COMMAND_LINE]);
    let again = refused(installation, "erasure add", &[id.as_str(), own.as_str()]);
    assert!(again.contains("is recorded for this device already"), "{again}");
    let taken = installation.run("erasure add", &[id.as_str(), other.as_str(), "--strangers"], "").unwrap();
    assert!(taken.contains("ELSE9") && taken.contains(&other_sha256), "{taken}");
    assert_eq!(raw.number("SELECT count(*) FROM erasure_evidence").await.unwrap(), 2);
}
