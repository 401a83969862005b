//! A master image was cloned with its key: the original and two clones end with a device each, and no history holds what
//! another machine measured.

use cartable_common::{
    DeviceId, ReportId, SerialNumber, Text, UtcMillis,
    protocol::{
        CertificateGrant, CheckInRequest, CheckInResponse, EnrolPending, HEAL_PATH, HealRequest, ReportEnvelope,
    },
    report::{Hardware, HealthReport},
};
use cartable_server::clock;
use cartable_tests::{
    gateway_client::{Answer, Credentials, Port, SITE, csr, enrol_request},
    raw::Raw,
};
use rcgen::KeyPair;
use uuid::Uuid;

mod sqlite {
    #[tokio::test(flavor = "multi_thread")]
    async fn three_machines_with_one_key_end_with_a_device_each() {
        super::three_machines_with_one_key_end_with_a_device_each(super::Port::start().unwrap()).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_key_vouches_for_a_bounded_number_of_machines_and_for_nobody_elses_request() {
        super::a_key_vouches_for_a_bounded_number_of_machines(super::Port::start().unwrap()).await;
    }
}

mod postgres {
    #[tokio::test(flavor = "multi_thread")]
    async fn three_machines_with_one_key_end_with_a_device_each() {
        let port = super::Port::start_on_postgres().await.unwrap();
        super::three_machines_with_one_key_end_with_a_device_each(port).await;
    }
}

/// A machine, its clock and what it has.
struct Machine {
    hardware: Hardware,
    sequence: u64,
}

impl Machine {
    fn new(serial: &str) -> Self {
        Self {
            hardware: Hardware { serial_number: SerialNumber::parse(serial).into(), ..Hardware::default() },
            sequence: 0,
        }
    }

    fn report(&self) -> HealthReport {
        HealthReport { hardware: self.hardware.clone(), ..HealthReport::default() }
    }

    /// A check-in with a whole report.
    fn whole(&mut self) -> Vec<u8> {
        self.sequence += 1;
        let report_id = ReportId(Uuid::new_v4());
        let envelope =
            ReportEnvelope { report_id, sequence: self.sequence, measured_at: clock::now(), report: self.report() };
        self.check_in(vec![envelope])
    }

    /// A check-in that says that nothing changed.
    fn unchanged(&self) -> Vec<u8> {
        self.check_in(Vec::new())
    }

    fn check_in(&self, reports: Vec<ReportEnvelope>) -> Vec<u8> {
        let content_hash = Some(self.report().content_hash());
        let sent_at: UtcMillis = clock::now();
        serde_json::to_vec(&CheckInRequest { agent_version: Text::clean("test"), sent_at, content_hash, reports })
            .unwrap()
    }

    fn heal(&self, key: &KeyPair) -> HealRequest {
        HealRequest {
            request_id: Uuid::now_v7(),
            csr_pem: csr(key).unwrap(),
            hardware: self.hardware.clone(),
            agent_version: Text::clean("test"),
        }
    }
}

async fn say(port: &Port, own: &Credentials, body: &[u8]) -> Answer {
    port.connect_as(own).await.unwrap().check_in(body).await.unwrap()
}

async fn ask(port: &Port, own: &Credentials, request: &HealRequest) -> Answer {
    port.connect_as(own).await.unwrap().post(HEAL_PATH, &serde_json::to_vec(request).unwrap()).await.unwrap()
}

fn granted(answer: &Answer, key: &KeyPair) -> (DeviceId, Credentials) {
    assert_eq!(answer.status, 200, "{answer:?}");
    let grant: CertificateGrant = serde_json::from_slice(&answer.body).unwrap();
    (grant.device_id, Credentials::of(&grant.certificate_chain_pem, key))
}

fn cloned() -> (u16, String) {
    (403, "key-cloned".to_owned())
}

/// A machine that is enrolled with a token, and its credentials.
async fn enrolled(port: &Port, serial: &str) -> (Machine, DeviceId, Credentials) {
    let machine = Machine::new(serial);
    let token = port.installation.create_enrolment_token(SITE, 1).unwrap();
    let key = KeyPair::generate().unwrap();
    let answer = port.enrol(&enrol_request(&token, &key, machine.hardware.clone()).unwrap()).await.unwrap();
    let (device, own) = granted(&answer, &key);
    (machine, device, own)
}

async fn three_machines_with_one_key_end_with_a_device_each(port: Port) {
    let (mut master, device, image) = enrolled(&port, "PF2MASTER").await;
    assert_eq!(say(&port, &image, &master.whole()).await.status, 200);
    let listed = ["--serial", "PF2LISTED", "--kind", "laptop", "--site", SITE, "--agent"];
    let recorded = port.installation.run("device add", &listed, "").unwrap().trim().to_owned();

    // A clone that is recorded and awaited has its own device at once.
    let mut listed = Machine::new("PF2LISTED");
    assert_eq!(say(&port, &image, &listed.whole()).await.outcome(), cloned());
    let key = KeyPair::generate().unwrap();
    let request = listed.heal(&key);
    let (listed_device, listed_own) = granted(&ask(&port, &image, &request).await, &key);
    assert_eq!(listed_device.to_string(), recorded);
    assert_eq!(granted(&ask(&port, &image, &request).await, &key).0, listed_device, "the answer was lost");

    // One that nobody knows waits for a person, on a device of its own.
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
    let waiting = port.installation.run("device pending", &[], "").unwrap();
    assert_eq!(waiting.lines().count(), 1, "{waiting}");
    assert!(waiting.contains("PF2UNKNOWN") && !waiting.contains(&device.to_string()), "{waiting}");
    port.installation.run("device approve", &[waiting.split('\t').next().unwrap()], "").unwrap();
    let (unknown_device, unknown_own) = granted(&ask(&port, &image, &request).await, &key);

    // The master itself is heard, told, and keeps its device.
    let answer = say(&port, &image, &master.unchanged()).await;
    let response: CheckInResponse = serde_json::from_slice(&answer.body).unwrap();
    assert!(response.heal, "{answer:?}");
    let key = KeyPair::generate().unwrap();
    let (master_device, master_own) = granted(&ask(&port, &image, &master.heal(&key)).await, &key);
    assert_eq!(master_device, device);

    // The old key opens nothing any more: not even the master's device to who says to be the master.
    assert_eq!(say(&port, &image, &master.unchanged()).await.outcome(), cloned());
    let late = Machine::new("PF2MASTER");
    assert_eq!(ask(&port, &image, &late.heal(&KeyPair::generate().unwrap())).await.status, 202);

    for (machine, own) in [(&mut master, &master_own), (&mut listed, &listed_own), (&mut unknown, &unknown_own)] {
        let answer = say(&port, own, &machine.whole()).await;
        let response: CheckInResponse = serde_json::from_slice(&answer.body).unwrap();
        assert!(response.acknowledged.len() == 1 && !response.heal, "{answer:?}");
    }
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM device").await.unwrap(), 3);
    for (serial, id, reports) in
        [("PF2MASTER", device, 2), ("PF2LISTED", listed_device, 1), ("PF2UNKNOWN", unknown_device, 1)]
    {
        let id = raw.uuid(id.0);
        let health = raw.texts(&format!("SELECT report FROM health WHERE device_id = {id}")).await.unwrap();
        assert!(health.len() == 1 && health[0].contains(serial), "{serial}: {health:?}");
        let sql = format!("SELECT count(*) FROM report WHERE device_id = {id}");
        assert_eq!(raw.number(&sql).await.unwrap(), reports, "{serial}");
    }
    assert_eq!(raw.number("SELECT count(*) FROM health_change").await.unwrap(), 0, "no history was mixed");
    let acts = raw.texts("SELECT action FROM audit WHERE action LIKE 'enrolment.%' ORDER BY seq").await.unwrap();
    let count = |action: &str| acts.iter().filter(|act| *act == action).count();
    assert_eq!((count("enrolment.quarantine"), count("enrolment.heal")), (1, 4), "{acts:?}");
}

async fn a_key_vouches_for_a_bounded_number_of_machines(port: Port) {
    let (_, device, image) = enrolled(&port, "PF2MASTER").await;
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    let clone = Machine::new("PF2CLONE");
    let key = KeyPair::generate().unwrap();
    let request = clone.heal(&key);
    // Its agent noticed by itself: nothing was said under the old key. The first one may be the device with a new board.
    assert_eq!(ask(&port, &image, &request).await.status, 202);
    let id = raw.uuid(device.0);
    let waits = format!("SELECT count(*) FROM enrolment WHERE status = 'pending' AND device_id = {id}");
    assert_eq!(raw.number(&waits).await.unwrap(), 1, "on the device that it may be");
    let other = HealRequest { hardware: Machine::new("PF2OTHER").hardware, ..request.clone() };
    let copied = ask(&port, &image, &other).await;
    assert_eq!(copied.outcome(), (409, "foreign-key".to_owned()), "a request that was copied with an image");
    let again = HealRequest { request_id: Uuid::now_v7(), ..request.clone() };
    assert_eq!(ask(&port, &image, &again).await.outcome(), (409, "foreign-key".to_owned()));

    // Another clone: now it is known that none of them is the device, and each has one of its own to wait on.
    let second = Machine::new("PF2OTHER").heal(&KeyPair::generate().unwrap());
    assert_eq!(ask(&port, &image, &second).await.status, 202);
    assert_eq!(ask(&port, &image, &request).await.status, 202);
    assert_eq!(raw.number(&waits).await.unwrap(), 0, "none waits on the master's device");
    assert_eq!(raw.number("SELECT count(*) FROM device").await.unwrap(), 3);

    let most = cartable_server::domain::clone::HEALINGS_PER_KEY;
    for number in 2..most {
        let request = Machine::new(&format!("PF2N{number}X")).heal(&KeyPair::generate().unwrap());
        assert_eq!(ask(&port, &image, &request).await.status, 202, "{number}");
    }
    let more = Machine::new("PF2MORE").heal(&KeyPair::generate().unwrap());
    assert_eq!(ask(&port, &image, &more).await.outcome(), (429, "too-many-healings".to_owned()));
    assert_eq!(ask(&port, &image, &request).await.status, 202, "who asked before is not counted again");
    port.installation.run("device revoke", &[&device.to_string()], "").unwrap();
    assert_eq!(ask(&port, &image, &more).await.outcome(), (403, "revoked".to_owned()));
}
