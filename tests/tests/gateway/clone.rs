//! A master image was cloned with its key: the original and two clones end with a device each, and no history holds what
//! another machine measured. Whoever has a copy of a key gets no further with it than the machine that it is of.

use cartable_common::{
    DeviceId, ReportId, SerialNumber, Text,
    protocol::{
        CertificateGrant, CheckInRequest, CheckInResponse, EnrolPending, HEAL_PATH, HealRequest, ReportEnvelope,
    },
    report::{Hardware, HealthReport},
};
use cartable_server::{
    clock,
    domain::clone::{HEALINGS_PER_DEVICE, MACHINES_PER_KEY},
};
use cartable_tests::{
    gateway_client::{Answer, Credentials, Port, SITE, csr, enrol_request},
    raw::Raw,
};
use rcgen::KeyPair;
use uuid::Uuid;

/// Another collège than the one that tokens are for.
const ELSEWHERE: &str = "0691670R";

on_both_engines! {
    three_machines_with_one_key_end_with_a_device_each,
    a_device_vouches_for_a_bounded_number_of_machines_and_for_nobody_elses_request,
    a_serial_number_and_another_machines_key_open_no_door,
    a_device_that_is_set_aside_gets_nothing_by_healing,
}

/// A machine, its clock and what it has.
pub(crate) struct Machine {
    pub(crate) hardware: Hardware,
    sequence: u64,
}

impl Machine {
    pub(crate) fn new(serial: &str) -> Self {
        Self {
            hardware: Hardware { serial_number: SerialNumber::parse(serial).into(), ..Hardware::default() },
            sequence: 0,
        }
    }

    fn report(&self) -> HealthReport {
        HealthReport { hardware: self.hardware.clone(), ..HealthReport::default() }
    }

    /// A check-in with a whole report.
    pub(crate) fn whole(&mut self) -> Vec<u8> {
        self.sequence += 1;
        let report_id = ReportId(Uuid::new_v4());
        let envelope =
            ReportEnvelope { report_id, sequence: self.sequence, measured_at: clock::now(), report: self.report() };
        self.check_in(vec![envelope])
    }

    /// A check-in that says that nothing changed.
    pub(crate) fn unchanged(&self) -> Vec<u8> {
        self.check_in(Vec::new())
    }

    fn check_in(&self, reports: Vec<ReportEnvelope>) -> Vec<u8> {
        let content_hash = Some(self.report().content_hash());
        let bare = CheckInRequest::bare(Text::clean("test"), clock::now());
        let request = CheckInRequest { content_hash, reports, ..bare };
        serde_json::to_vec(&request).unwrap()
    }

    pub(crate) fn heal(&self, key: &KeyPair) -> HealRequest {
        HealRequest {
            request_id: Uuid::now_v7(),
            csr_pem: csr(key).unwrap(),
            hardware: self.hardware.clone(),
            agent_version: Text::clean("test"),
        }
    }
}

pub(crate) async fn say(port: &Port, own: &Credentials, body: &[u8]) -> Answer {
    port.connect_as(own).await.unwrap().check_in(body).await.unwrap()
}

pub(crate) async fn ask(port: &Port, own: &Credentials, request: &HealRequest) -> Answer {
    port.connect_as(own).await.unwrap().post(HEAL_PATH, &serde_json::to_vec(request).unwrap()).await.unwrap()
}

pub(crate) fn granted(answer: &Answer, key: &KeyPair) -> (DeviceId, Credentials) {
    assert_eq!(answer.status, 200, "{answer:?}");
    let grant: CertificateGrant = serde_json::from_slice(&answer.body).unwrap();
    (grant.device_id, Credentials::of(&grant.certificate_chain_pem, key))
}

pub(crate) fn cloned() -> (u16, String) {
    (403, "key-cloned".to_owned())
}

/// A machine that is enrolled with a token, and its credentials.
pub(crate) async fn enrolled(port: &Port, serial: &str) -> (Machine, DeviceId, Credentials) {
    let key = KeyPair::generate().unwrap();
    let machine = Machine::new(serial);
    let (device, own) = granted(&enrol(port, &machine, &key).await, &key);
    (machine, device, own)
}

pub(crate) async fn enrol(port: &Port, machine: &Machine, key: &KeyPair) -> Answer {
    let token = port.installation.create_enrolment_token(SITE, 1).unwrap();
    port.enrol(&enrol_request(&token, key, machine.hardware.clone()).unwrap()).await.unwrap()
}

/// Records a machine on which an agent is awaited; its id.
fn recorded(port: &Port, serial: &str, site: &str) -> String {
    let device = ["--serial", serial, "--kind", "laptop", "--site", site, "--agent"];
    port.installation.run("device add", &device, "").unwrap().trim().to_owned()
}

/// The lines of `device waiting`, each in its columns.
pub(crate) fn waiting(port: &Port) -> Vec<Vec<String>> {
    let lines = port.installation.run("device waiting", &[], "").unwrap();
    lines.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

pub(crate) async fn raw(port: &Port) -> Raw {
    Raw::connect(&port.installation.database_url()).await.unwrap()
}

/// Asks with a new key for the machine; the answer and the key.
pub(crate) async fn heal(port: &Port, own: &Credentials, machine: &Machine) -> (Answer, KeyPair) {
    let key = KeyPair::generate().unwrap();
    (ask(port, own, &machine.heal(&key)).await, key)
}

async fn three_machines_with_one_key_end_with_a_device_each(port: Port) {
    let (mut master, device, image) = enrolled(&port, "PF2MASTER").await;
    assert_eq!(say(&port, &image, &master.whole()).await.status, 200);
    let recorded = recorded(&port, "PF2LISTED", SITE);

    // A clone that is recorded and awaited beside the master, and that was turned away, has its own device at once.
    let mut listed = Machine::new("PF2LISTED");
    assert_eq!(say(&port, &image, &listed.whole()).await.outcome(), cloned());
    let key = KeyPair::generate().unwrap();
    let request = listed.heal(&key);
    let (listed_device, listed_own) = granted(&ask(&port, &image, &request).await, &key);
    assert_eq!(listed_device.to_string(), recorded);
    assert_eq!(granted(&ask(&port, &image, &request).await, &key).0, listed_device, "the answer was lost");

    // One that nobody knows waits for a person, and is no device until then.
    let mut unknown = Machine::new("PF2UNKNOWN");
    assert_eq!(say(&port, &image, &unknown.whole()).await.outcome(), cloned());
    let key = KeyPair::generate().unwrap();
    let request = unknown.heal(&key);
    for _ in 0..2 {
        let answer = ask(&port, &image, &request).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let pending: EnrolPending = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(pending.retry_after_seconds, 3600);
    }
    let lines = waiting(&port);
    assert_eq!(lines.len(), 1, "asked twice, it waits once");
    assert_eq!(lines[0][1..6], ["-", "PF2UNKNOWN", "", "cloned_key", "new_device"]);
    port.installation.run("device approve", &[&lines[0][0]], "").unwrap();
    let (unknown_device, unknown_own) = granted(&ask(&port, &image, &request).await, &key);

    // The master itself is heard, told, and keeps its device.
    let answer = say(&port, &image, &master.unchanged()).await;
    let response: CheckInResponse = serde_json::from_slice(&answer.body).unwrap();
    assert!(response.heal, "{answer:?}");
    let (answer, key) = heal(&port, &image, &master).await;
    let (master_device, master_own) = granted(&answer, &key);
    assert_eq!(master_device, device);

    for (machine, own) in [(&mut master, &master_own), (&mut listed, &listed_own), (&mut unknown, &unknown_own)] {
        let answer = say(&port, own, &machine.whole()).await;
        let response: CheckInResponse = serde_json::from_slice(&answer.body).unwrap();
        assert!(response.acknowledged.len() == 1 && !response.heal, "{answer:?}");
    }
    // The old key opens nothing any more: not even the master's device to who says to be the master.
    assert_eq!(say(&port, &image, &master.unchanged()).await.outcome(), cloned());
    let late = Machine::new("PF2MASTER");
    assert_eq!(heal(&port, &image, &late).await.0.status, 202);
    nothing_was_mixed(
        &port,
        [("PF2MASTER", device, 2), ("PF2LISTED", listed_device, 1), ("PF2UNKNOWN", unknown_device, 1)],
    )
    .await;
}

/// There are these devices, with so many reports, each of its own machine.
pub(crate) async fn histories_are_apart(port: &Port, devices: [(&str, DeviceId, i64); 3]) {
    let mut raw = raw(port).await;
    assert_eq!(raw.number("SELECT count(*) FROM device").await.unwrap(), 3);
    for (serial, id, reports) in devices {
        let id = raw.uuid(id.0);
        let health = raw.texts(&format!("SELECT report FROM health WHERE device_id = {id}")).await.unwrap();
        assert!(health.len() == 1 && health[0].contains(serial), "{serial}: {health:?}");
        let sql = format!("SELECT count(*) FROM report WHERE device_id = {id}");
        assert_eq!(raw.number(&sql).await.unwrap(), reports, "{serial}");
    }
    assert_eq!(raw.number("SELECT count(*) FROM health_change").await.unwrap(), 0, "no history was mixed");
}

/// The same, and the audit tells how.
async fn nothing_was_mixed(port: &Port, devices: [(&str, DeviceId, i64); 3]) {
    histories_are_apart(port, devices).await;
    let mut raw = raw(port).await;
    let acts = raw.texts("SELECT action FROM audit ORDER BY seq").await.unwrap();
    let count = |action: &str| acts.iter().filter(|act| *act == action).count();
    assert_eq!(
        (count("enrolment.quarantine"), count("enrolment.heal"), count("newcomer.approve")),
        (1, 2, 1),
        "{acts:?}"
    );
}

async fn a_device_vouches_for_a_bounded_number_of_machines_and_for_nobody_elses_request(port: Port) {
    let (_, device, image) = enrolled(&port, "PF2MASTER").await;
    let mut raw = raw(&port).await;
    let key = KeyPair::generate().unwrap();
    let request = Machine::new("PF2CLONE").heal(&key);
    // Its agent noticed by itself: nothing was said under the old key. The first one may be the device with a new board.
    assert_eq!(ask(&port, &image, &request).await.status, 202);
    let lines = waiting(&port);
    let bound = device.to_string();
    assert_eq!(
        lines[0][1..6],
        [bound.as_str(), "PF2CLONE", "", "cloned_key", "replaces"],
        "what asks, and what it may be"
    );
    let other = HealRequest { hardware: Machine::new("PF2OTHER").hardware, ..request.clone() };
    let copied = ask(&port, &image, &other).await;
    assert_eq!(copied.outcome(), (409, "foreign-key".to_owned()), "a request that was copied with an image");
    let again = HealRequest { request_id: Uuid::now_v7(), ..request.clone() };
    assert_eq!(ask(&port, &image, &again).await.outcome(), (409, "foreign-key".to_owned()));

    // Another clone: now it is known that none of them is the device.
    assert_eq!(heal(&port, &image, &Machine::new("PF2OTHER")).await.0.status, 202);
    assert_eq!(ask(&port, &image, &request).await.status, 202);
    let effects: Vec<String> = waiting(&port).into_iter().map(|line| line[5].clone()).collect();
    assert_eq!(effects, ["new_device"; 2]);

    for number in 2..HEALINGS_PER_DEVICE {
        let (answer, _) = heal(&port, &image, &Machine::new(&format!("PF2N{number}X"))).await;
        assert_eq!(answer.status, 202, "{number}");
    }
    let more = Machine::new("PF2MORE");
    let too_many = (429, "too-many-healings".to_owned());
    assert_eq!(heal(&port, &image, &more).await.0.outcome(), too_many);
    assert_eq!(ask(&port, &image, &request).await.status, 202, "who asked before is not counted again");
    assert_eq!(raw.number("SELECT count(*) FROM device").await.unwrap(), 1, "nobody who waits is a device");
    assert_eq!(raw.number("SELECT count(*) FROM enrolment").await.unwrap(), 1);
    assert!(raw.number("SELECT count(*) FROM cloned_key").await.unwrap() <= MACHINES_PER_KEY);

    // Its own machine is not kept from its key by that; and a refusal makes no room for the next at once.
    let (answer, key) = heal(&port, &image, &Machine::new("PF2MASTER")).await;
    assert_eq!(granted(&answer, &key).0, device);
    port.installation.run("device refuse", &[&lines[0][0]], "").unwrap();
    assert_eq!(ask(&port, &image, &request).await.outcome(), (403, "revoked".to_owned()));
    assert_eq!(heal(&port, &image, &more).await.0.outcome(), too_many);
    port.installation.run("device revoke", &[&bound], "").unwrap();
    assert_eq!(heal(&port, &image, &more).await.0.outcome(), (403, "revoked".to_owned()));
}

async fn a_serial_number_and_another_machines_key_open_no_door(port: Port) {
    let (_, device, image) = enrolled(&port, "PF2LENT").await;
    port.installation.create_site(ELSEWHERE, "Collège d'ailleurs", "Lyon", "A").unwrap();
    let here = recorded(&port, "PF2AWAITED", SITE);
    let there = recorded(&port, "PF2ELSEWHERE", ELSEWHERE);

    // Whoever has the key and knows, or guesses, a serial number is told the same as with any other.
    let mut answers = Vec::new();
    for serial in ["PF2AWAITED", "PF2ELSEWHERE", "PF2NOBODY"] {
        let (answer, _) = heal(&port, &image, &Machine::new(serial)).await;
        assert_eq!(answer.status, 202, "{serial}: {answer:?}");
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "nothing tells which serial numbers are recorded");
    let mut told: Vec<[String; 3]> =
        waiting(&port).into_iter().map(|line| [line[2].clone(), line[1].clone(), line[5].clone()]).collect();
    told.sort();
    let expected = [
        ["PF2AWAITED", here.as_str(), "first_key"],
        ["PF2ELSEWHERE", there.as_str(), "first_key"],
        ["PF2NOBODY", "-", "new_device"],
    ];
    assert_eq!(told, expected.map(|line| line.map(str::to_owned)));

    // No list of serial numbers lets in who merely claims one of them.
    let list = port.installation.directory().join("delivery.txt");
    std::fs::write(&list, "PF2AWAITED\nPF2NOBODY\n").unwrap();
    let nobody = port.installation.run("device approve", &["--serials", list.to_str().unwrap()], "").unwrap_err();
    assert!(nobody.to_string().contains("nobody was approved"), "{nobody}");
    assert_eq!(waiting(&port).len(), 3);

    // At another site a check-in before it changes nothing.
    let mut elsewhere = Machine::new("PF2ELSEWHERE");
    assert_eq!(say(&port, &image, &elsewhere.whole()).await.outcome(), cloned());
    assert_eq!(heal(&port, &image, &elsewhere).await.0.status, 202);
    // And the machine itself is not kept out by who claimed to be it: its token lets it in.
    let key = KeyPair::generate().unwrap();
    let (awaited, _) = granted(&enrol(&port, &Machine::new("PF2AWAITED"), &key).await, &key);
    assert_eq!(awaited.to_string(), here);
    assert_ne!(awaited, device);
}

async fn a_device_that_is_set_aside_gets_nothing_by_healing(port: Port) {
    let (machine, device, own) = enrolled(&port, "PF2MASTER").await;
    let recorded = recorded(&port, "PF2LISTED", SITE);
    let mut listed = Machine::new("PF2LISTED");
    assert_eq!(say(&port, &own, &listed.whole()).await.outcome(), cloned());
    port.installation.run("device quarantine", &[&device.to_string()], "").unwrap();
    for machine in [&machine, &listed] {
        assert_eq!(heal(&port, &own, machine).await.0.outcome(), (403, "quarantined".to_owned()));
    }
    let mut raw = raw(&port).await;
    assert_eq!(raw.number("SELECT count(*) FROM certificate").await.unwrap(), 1);
    port.installation.run("device activate", &[&device.to_string()], "").unwrap();
    let (answer, key) = heal(&port, &own, &machine).await;
    assert_eq!(granted(&answer, &key).0, device);
    let (answer, key) = heal(&port, &own, &listed).await;
    assert_eq!(granted(&answer, &key).0.to_string(), recorded);
}
