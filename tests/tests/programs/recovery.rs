//! The real agent after months in a cupboard, against the real server: its certificate has ended, and it finds its way back
//! by itself, whatever its clock believes; or it waits for a person and loses nothing. (Killed at each step: `year_crash`.)

#![cfg(target_os = "linux")]

use cartable_common::DeviceId;
use cartable_server::{clock, domain::erasure::Method, store::Store};
use cartable_tests::{
    donation::{erased, people},
    gateway_client::Port,
    harness::{Agent, stored},
    raw::Raw,
};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd};
use serde_json::{Value, json};

use crate::laptop::{Laptop, PAST, Ran};

/// A moment of 2098, in milliseconds.
pub(crate) const FUTURE: i64 = 4_050_000_000_000;

/// How often a laptop may have to ask: the server's word that its certificate has ended, or counts no more, may be lost with
/// the connection that it refuses. The agent then tries again, as it would within the hour.
const ATTEMPTS: usize = 5;

/// A server, and a laptop that was enrolled there.
pub(crate) struct Cupboard {
    pub(crate) port: Port,
    pub(crate) raw: Raw,
    laptop: Laptop,
}

impl Cupboard {
    pub(crate) async fn new() -> Self {
        let port = Port::start().unwrap();
        let laptop = Laptop::enrolled(&port, "PF2CUPBOARD");
        let raw = Raw::connect(&port.installation.database_url()).await.unwrap();
        Self { port, raw, laptop }
    }

    pub(crate) const fn agent(&self) -> &Agent {
        &self.laptop.agent
    }

    pub(crate) fn enrolment(&self) -> Value {
        self.laptop.enrolment()
    }

    /// So many days pass for the server. The agent's certificate ended in 2021; `ends` is when the agent believes that it
    /// ends, which stands in for its clock: one that is right sees that it is over, one that is years behind does not.
    pub(crate) async fn shut_for(&mut self, days: i64, ends: i64) {
        let then = clock::now().plus_days(-days);
        let (began, ended) = (then.get(), then.plus_days(180).get());
        let sql = format!("UPDATE certificate SET not_before = {began}, not_after = {ended}, created_at = {began}");
        self.raw.execute(&sql).await.unwrap();
        self.raw.execute(&format!("UPDATE contact SET first_at = {began}, last_at = {began}")).await.unwrap();

        let mut enrolment = self.enrolment();
        let key = KeyPair::from_pem(enrolment["key_pem"].as_str().unwrap()).unwrap();
        let mut leaf = CertificateParams::new(Vec::new()).unwrap();
        leaf.is_ca = IsCa::ExplicitNoCa;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        leaf.not_before = date_time_ymd(2020, 1, 1);
        leaf.not_after = date_time_ymd(2021, 1, 1);
        let leaf = leaf.signed_by(&key, &self.port.stolen_issuer("devices").unwrap()).unwrap();
        enrolment["grant"]["certificate_chain_pem"] = json!(leaf.pem());
        enrolment["grant"]["not_after"] = json!(ends);
        enrolment["grant"]["renew_from"] = json!(ends);
        self.laptop.set_enrolment(&enrolment);
    }

    /// Checks in once.
    pub(crate) fn contact(&self) -> Ran {
        self.laptop.contact()
    }

    /// Checks in, more than once where the first contact fails.
    pub(crate) fn comes_back(&self) {
        let mut words = String::new();
        let is_back = (0..ATTEMPTS).any(|_| {
            let (code, said) = self.contact();
            words.push_str(&said);
            code == Some(0)
        });
        assert!(is_back, "{words}");
    }

    pub(crate) fn spooled(&self) -> usize {
        self.laptop.spooled().len()
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        stored::count(&self.port.installation.database_url(), table).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_whose_clock_is_right_recovers_before_its_contact() {
    let mut laptop = Cupboard::new().await;
    laptop.shut_for(300, PAST).await;
    let before = laptop.enrolment();
    let told = laptop.agent().status().unwrap();
    assert!(told.contains("Certificate: ended. The agent asks for another by itself"), "{told}");

    let (code, words) = laptop.contact();
    assert_eq!(code, Some(0), "{words}");
    let after = laptop.enrolment();
    for same in ["key_pem", "server", "request_id"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    assert_eq!(after["grant"]["device_id"], before["grant"]["device_id"]);
    assert!(after["grant"]["not_after"].as_i64().unwrap() > clock::now().plus_days(179).get());
    assert_eq!((laptop.count("recovery").await, laptop.count("report").await, laptop.spooled()), (1, 1, 0));
    // From now on it has a certificate like any other.
    assert_eq!(laptop.contact().0, Some(0));
    assert_eq!(laptop.count("recovery").await, 1);
}

/// The agent learns only from the refused handshake that its certificate has ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_whose_clock_is_years_behind_recovers_when_it_is_refused() {
    let mut laptop = Cupboard::new().await;
    laptop.shut_for(300, FUTURE).await;
    laptop.comes_back();
    assert_eq!((laptop.count("recovery").await, laptop.count("report").await, laptop.spooled()), (1, 1, 0));
}

/// A clock that runs ahead believes that the certificate is over. The server's word counts: nothing is recovered.
#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_whose_clock_is_ahead_is_not_given_what_it_does_not_need() {
    let laptop = Cupboard::new().await;
    let mut enrolment = laptop.enrolment();
    enrolment["grant"]["not_after"] = json!(PAST);
    laptop.laptop.set_enrolment(&enrolment);
    let (code, words) = laptop.contact();
    assert_eq!(code, Some(0), "{words}");
    assert_eq!(laptop.count("recovery").await, 0);
    assert_eq!(laptop.count("report").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_that_was_away_too_long_says_so_keeps_everything_and_goes_on_once_a_person_agrees() {
    let mut laptop = Cupboard::new().await;
    laptop.shut_for(500, PAST).await;
    let before = laptop.enrolment();
    for _ in 0..2 {
        let (code, words) = laptop.contact();
        assert!(code == Some(4) && words.contains("a person must agree"), "{code:?} {words}");
    }
    assert_eq!(laptop.enrolment(), before);
    assert_eq!((laptop.count("recovery").await, laptop.count("report").await, laptop.spooled()), (1, 0, 1));
    let told = laptop.agent().status().unwrap();
    assert!(told.contains("a person must agree in the console"), "{told}");

    let waiting = laptop.port.installation.run("device recoveries", &[], "").unwrap();
    let id = waiting.split('\t').next().unwrap();
    laptop.port.installation.run("device approve-recovery", &[id], "").unwrap();
    let (code, words) = laptop.contact();
    assert_eq!(code, Some(0), "{words}");
    assert_eq!(laptop.enrolment()["key_pem"], before["key_pem"]);
    assert_eq!((laptop.count("report").await, laptop.spooled()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_laptop_is_refused_and_keeps_its_key_and_its_reports() {
    let mut laptop = Cupboard::new().await;
    laptop.shut_for(300, PAST).await;
    let before = laptop.enrolment();
    let id = laptop.agent().device_id().unwrap();
    laptop.port.installation.run("device revoke", &[&id], "").unwrap();
    let (code, words) = laptop.contact();
    assert!(code == Some(5) && words.contains("Device refused"), "{code:?} {words}");
    assert_eq!((laptop.enrolment(), laptop.spooled()), (before, 1));
    laptop.port.installation.run("device activate", &[&id], "").unwrap();
    assert_eq!(laptop.contact().0, Some(0));
    assert_eq!(laptop.count("report").await, 1);
}

/// A laptop was given away while it was shut: its agent hears so although it has no certificate any more.
#[tokio::test(flavor = "multi_thread")]
async fn the_agent_of_a_donated_laptop_leaves_although_its_certificate_has_ended() {
    let mut laptop = Cupboard::new().await;
    let device: DeviceId = laptop.agent().device_id().unwrap().parse().unwrap();
    let store = Store::open(&laptop.port.installation.database_url()).await.unwrap();
    let now = clock::now();
    let who = people(&store, now).await.unwrap();
    let mut tx = store.write().await.unwrap();
    erased(&mut tx, device, ("GIVEN-DISK", Method::NvmeSanitizeCrypto), &who.policy, now).await.unwrap();
    tx.commit().await.unwrap();
    who.give(&store, &[device], now).await.unwrap();
    store.close().await;

    laptop.shut_for(300, PAST).await;
    let (code, words) = laptop.contact();
    assert!(code == Some(7) && words.contains("changed owner"), "{code:?} {words}");
    assert_eq!(std::fs::read_dir(laptop.agent().state()).unwrap().count(), 0);
    assert_eq!(laptop.raw.number("SELECT count(*) FROM device_release WHERE told_at IS NOT NULL").await.unwrap(), 1);
    assert_eq!(laptop.count("recovery").await, 0);
}
