//! The real agent with its key in a TPM, against the real server: it enrols, checks in, renews and recovers; a TPM that fails
//! for now costs nothing, and one that was cleared leads back through a person.

#![cfg(target_os = "linux")]

use cartable_agent::{
    identity::{Key, Protection},
    tpm::TpmKey,
};
use cartable_server::clock;
use cartable_tests::{
    gateway_client::Port,
    harness::{EmulatedTpm, stored},
};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::laptop::{Laptop, PAST, Ran, approve, waiting};

/// A server, and a laptop whose TPM can be exchanged.
struct Protected {
    port: Port,
    tpm: Option<EmulatedTpm>,
    laptop: Laptop,
}

impl Protected {
    /// One that was enrolled with the TPM "first".
    fn new() -> Self {
        let port = Port::start().unwrap();
        let laptop = Laptop::new(&port, "PF2TPM");
        let mut protected = Self { port, tpm: None, laptop };
        protected.power_on("first");
        let tpm = protected.laptop.path("tpm");
        let (code, words) = protected.laptop.enrol(&protected.port, &["--tpm", tpm.to_str().unwrap()]);
        assert_eq!(code, Some(0), "{words}");
        protected
    }

    /// With the TPM of that name in it from now on.
    fn power_on(&mut self, name: &str) {
        self.tpm = None;
        self.tpm = Some(EmulatedTpm::start(&self.laptop.path(name), &self.laptop.path("tpm")).unwrap());
    }

    fn kept(&self, name: &str) -> Option<Value> {
        self.laptop.kept(name)
    }

    fn enrolment(&self) -> Value {
        self.laptop.enrolment()
    }

    /// The grant says so from now on.
    fn set_grant(&self, name: &str, at: i64) {
        let mut enrolment = self.enrolment();
        enrolment["grant"][name] = json!(at);
        self.laptop.set_enrolment(&enrolment);
    }

    fn contact(&self) -> Ran {
        self.laptop.contact()
    }

    fn contact_goes_well(&self) {
        self.laptop.contact_goes_well();
    }

    async fn count(&self, what: &str) -> i64 {
        stored::count(&self.port.installation.database_url(), what).await.unwrap()
    }
}

#[test]
fn a_tpm_makes_keys_that_it_alone_can_use_and_keeps_nothing_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("tpm");
    let first = EmulatedTpm::start(&folder.path().join("first"), &socket).unwrap();
    let key = TpmKey::create(first.socket()).unwrap();
    // More often than an emulator has room for what is not forgotten.
    for round in 0..8 {
        let message = [b'a', round];
        let signature = key.sign(&message).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.point()).verify(&message, &signature).unwrap();
    }
    assert_ne!(TpmKey::create(first.socket()).unwrap().point(), key.point());
    first.set_owner_password("secret").unwrap();
    let refused = key.sign(b"a").unwrap_err();
    assert!(!refused.is_lost() && refused.to_string().contains("has a password"), "{refused}");
    let protection = Protection::TpmOrSoftware(socket.clone());
    let instead = Key::make(&protection).unwrap();
    assert_eq!(instead.protection().as_str(), "software", "an administrator's TPM is none of ours");
    drop(first);
    assert!(!key.sign(b"a").unwrap_err().is_lost(), "it is off");
    let second = EmulatedTpm::start(&folder.path().join("second"), &socket).unwrap();
    assert!(key.sign(b"a").unwrap_err().is_lost(), "another one");
    drop(second);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_the_tpm_serves_from_the_enrolment_to_the_recovery() {
    let mut laptop = Protected::new();
    let key = laptop.enrolment()["key_pem"].clone();
    assert!(key.as_str().unwrap().starts_with("-----BEGIN CARTABLE TPM KEY-----"), "{key}");
    laptop.contact_goes_well();
    let shown = laptop.kept("shown.json").unwrap();
    assert_eq!(shown["report"]["report"]["firmware"]["key_protection"], "tpm");
    assert_eq!(laptop.count("report").await, 1);

    laptop.set_grant("not_after", PAST);
    laptop.contact_goes_well();
    let until = laptop.enrolment()["grant"]["not_after"].as_i64().unwrap();
    assert!(until > clock::now().plus_days(100).get(), "recovered: {until}");

    laptop.set_grant("renew_from", PAST);
    laptop.contact_goes_well();
    assert_eq!(laptop.count("certificate WHERE state = 'issued'").await, 2, "renewed");
    laptop.power_on("first");
    laptop.contact_goes_well();
    assert_eq!(laptop.enrolment()["key_pem"], key, "the same key all the time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tpm_that_fails_for_now_costs_nothing() {
    let mut laptop = Protected::new();
    let enrolment = laptop.enrolment();
    laptop.tpm = None;
    let (code, words) = laptop.contact();
    assert_eq!(code, Some(1), "switched off: {words}");
    let status = laptop.laptop.agent.status().unwrap();
    assert!(status.contains("The key is not lost"), "{status}");
    laptop.power_on("first");
    laptop.contact_goes_well();
    laptop.tpm.as_ref().unwrap().set_owner_password("secret").unwrap();
    let (code, words) = laptop.contact();
    assert_eq!(code, Some(1), "an owner's password: {words}");
    assert_eq!((laptop.enrolment(), laptop.kept("pending.json")), (enrolment, None), "no other key asked");
    assert_eq!(laptop.count("enrolment").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tpm_that_was_exchanged_leads_back_through_a_person() {
    let mut laptop = Protected::new();
    laptop.contact_goes_well();
    let before = laptop.enrolment();
    laptop.power_on("second");
    for _ in 0..2 {
        let (code, words) = laptop.contact();
        assert_eq!(code, Some(4), "{words}");
    }
    assert_eq!(laptop.enrolment(), before, "nothing is given up before a person agreed");
    assert_eq!(laptop.count("enrolment WHERE status = 'pending'").await, 1, "asked once, however often repeated");
    let status = laptop.laptop.agent.status().unwrap();
    assert!(status.contains("Requests to join"), "{status}");

    laptop.power_on("first");
    laptop.contact_goes_well();
    laptop.power_on("second");
    approve(&laptop.port);
    laptop.contact_goes_well();
    let after = laptop.enrolment();
    assert_eq!(after["grant"]["device_id"], before["grant"]["device_id"], "the same device and history");
    assert_ne!(after["key_pem"], before["key_pem"]);
    assert_eq!(laptop.kept("pending.json"), None);
    assert_eq!(laptop.count("device").await, 1);
    assert_eq!(laptop.count("enrolment WHERE status = 'replaced'").await, 1);
    laptop.contact_goes_well();
}

/// What lies in the state folder of the key that asks to take another's place is of no use to the TPM: damaged, or made before
/// it was cleared.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_to_heal_and_is_lost_gives_way_to_another() {
    let mut laptop = Protected::new();
    laptop.contact_goes_well();
    let enrolment = laptop.enrolment();
    laptop.power_on("second");
    let lost = Key::make(&Protection::Tpm(laptop.laptop.path("tpm"))).unwrap().to_pem();
    laptop.power_on("first");

    // Another machine by what it says of itself: it asks for a key of its own, and waits.
    laptop.laptop.set_serial("PF2OTHER");
    let (code, words) = laptop.contact();
    assert_eq!(code, Some(4), "{words}");
    let mut asked = laptop.kept("healing.json").unwrap();
    asked["key_pem"] = json!(lost);
    laptop.laptop.set_kept("healing.json", &asked);

    for _ in 0..2 {
        let (code, words) = laptop.contact();
        assert_eq!(code, Some(4), "{words}");
    }
    let again = laptop.kept("healing.json").unwrap();
    assert_ne!(again["key_pem"], asked["key_pem"]);
    assert_ne!(again["request_id"], asked["request_id"]);
    let lines = waiting(&laptop.port);
    assert_eq!(lines.len(), 2, "with the lost key and, once, with the other: {lines:?}");
    laptop.port.installation.run("device approve", &[&lines[1][0]], "").unwrap();
    laptop.contact_goes_well();
    assert_eq!(laptop.enrolment()["key_pem"], again["key_pem"]);
    assert_ne!(laptop.enrolment()["grant"]["device_id"], enrolment["grant"]["device_id"]);
}
