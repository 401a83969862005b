//! Who waits for a person: unlisted serial numbers, spent tokens. Nobody who waits is a device, a leaked token fills no more
//! than its share, and who is let in gets the certificate at the next ask.

use cartable_common::{
    identity::SerialNumber,
    protocol::{CertificateGrant, EnrolPending, EnrolRequest, RENEW_PATH, RenewRequest},
    report::Hardware,
};
use cartable_server::{clock, domain::approval::MAX_WAITING_PER_TOKEN};
use cartable_tests::{
    gateway_client::{Answer, Credentials, Port, SITE, UNCHANGED, csr, enrol_request},
    raw::Raw,
};
use rcgen::KeyPair;

fn hardware(serial: &str) -> Hardware {
    Hardware { serial_number: SerialNumber::parse(serial).into(), ..Hardware::default() }
}

fn request(token: &str, serial: &str) -> (EnrolRequest, KeyPair) {
    let key = KeyPair::generate().unwrap();
    (enrol_request(token, &key, hardware(serial)).unwrap(), key)
}

fn reason(answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{answer:?}");
    serde_json::from_slice::<EnrolPending>(&answer.body).unwrap().reason
}

/// The lines of `device waiting`, each in its columns.
fn waiting(port: &Port) -> Vec<Vec<String>> {
    let lines = port.installation.run("device waiting", &[], "").unwrap();
    lines.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

async fn only_recorded_devices_come_in_by_themselves(port: Port) {
    let made = port.installation.run("token create", &["--site", SITE, "--bulk", "5", "--recorded-only"], "").unwrap();
    let token = made.trim();
    let record = |serial: &str| {
        let device = ["--serial", serial, "--kind", "laptop", "--site", SITE, "--agent"];
        port.installation.run("device add", &device, "").unwrap()
    };
    record("PF2LISTED");
    let (listed, _) = request(token, "PF2LISTED");
    assert_eq!(port.enrol(&listed).await.unwrap().status, 200, "a recorded serial number approves itself");

    let (unlisted, key) = request(token, "PF2STRANGE");
    for _ in 0..2 {
        assert!(reason(&port.enrol(&unlisted).await.unwrap()).contains("on no list"));
    }
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM device").await.unwrap(), 1, "who waits is no device");
    assert_eq!(raw.number("SELECT used FROM enrolment_token").await.unwrap(), 1, "and uses no place");
    let lines = waiting(&port);
    assert_eq!(lines.len(), 1, "asked twice, it waits once");
    assert_eq!(lines[0][1..], ["-", "PF2STRANGE", "", "unlisted_serial", "new_device"]);

    port.installation.run("device approve", &[&lines[0][0]], "").unwrap();
    let answer = port.enrol(&unlisted).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let grant: CertificateGrant = serde_json::from_slice(&answer.body).unwrap();
    let own = Credentials::of(&grant.certificate_chain_pem, &key);
    assert_eq!(port.connect_as(&own).await.unwrap().check_in(UNCHANGED).await.unwrap().status, 200);
    assert!(port.installation.run("device approve", &[&lines[0][0]], "").is_err(), "decided once");

    // Recorded after it asked: it comes in at its next ask, and waits no more.
    let (late, _) = request(token, "PF2LATER");
    assert_eq!(port.enrol(&late).await.unwrap().status, 202);
    let recorded = record("PF2LATER");
    let answer = port.enrol(&late).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let grant: CertificateGrant = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(grant.device_id.to_string(), recorded.trim());
    assert_eq!(waiting(&port), Vec::<Vec<String>>::new());
    assert_eq!(raw.number("SELECT count(*) FROM device").await.unwrap(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_recorded_devices_come_in_by_themselves_on_sqlite() {
    only_recorded_devices_come_in_by_themselves(Port::start().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_recorded_devices_come_in_by_themselves_on_postgres() {
    only_recorded_devices_come_in_by_themselves(Port::start_on_postgres().await.unwrap()).await;
}

async fn a_spent_token_makes_wait_and_an_ended_one_refuses(port: Port) {
    let token = port.installation.create_enrolment_token(SITE, 1).unwrap();
    let (first, _) = request(&token, "PF2FIRST");
    assert_eq!(port.enrol(&first).await.unwrap().status, 200);

    // Used up.
    let (second, _) = request(&token, "PF2SECOND");
    assert!(reason(&port.enrol(&second).await.unwrap()).contains("used up"));
    // A known device through it waits too; its own key goes on.
    let (again, _) = request(&token, "PF2FIRST");
    assert_eq!(port.enrol(&again).await.unwrap().status, 202);
    let lines = waiting(&port);
    let told: Vec<[&str; 3]> = lines.iter().map(|line| [2, 4, 5].map(|column| line[column].as_str())).collect();
    assert_eq!(told, [["PF2SECOND", "spent_token", "new_device"], ["PF2FIRST", "spent_token", "replaces"]]);
    for line in &lines {
        port.installation.run("device refuse", &[&line[0], "--reason", "unknown"], "").unwrap();
    }
    for refused in [&second, &again] {
        assert_eq!(port.enrol(refused).await.unwrap().outcome(), (403, "revoked".to_owned()), "refused stays refused");
    }

    // Its time is over, lately.
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    let mut ended = async |days: i64| {
        let at = clock::now().plus_days(-days).get();
        raw.execute(&format!("UPDATE enrolment_token SET used = 0, expires_at = {at}")).await.unwrap();
    };
    ended(1).await;
    let (third, _) = request(&token, "PF2THIRD");
    assert_eq!(port.enrol(&third).await.unwrap().status, 202);
    // Long ago: nobody new may ask, and who waits goes on waiting.
    ended(40).await;
    let (fourth, _) = request(&token, "PF2FOURTH");
    assert_eq!(port.enrol(&fourth).await.unwrap().outcome(), (403, "token".to_owned()));
    assert_eq!(port.enrol(&third).await.unwrap().status, 202);
    // Ended by a person.
    ended(1).await;
    let tokens = port.installation.run("token list", &[], "").unwrap();
    port.installation.run("token revoke", &[tokens.split('\t').next().unwrap()], "").unwrap();
    assert_eq!(port.enrol(&fourth).await.unwrap().outcome(), (403, "token".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spent_token_makes_wait_and_an_ended_one_refuses_on_sqlite() {
    a_spent_token_makes_wait_and_an_ended_one_refuses(Port::start().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spent_token_makes_wait_and_an_ended_one_refuses_on_postgres() {
    a_spent_token_makes_wait_and_an_ended_one_refuses(Port::start_on_postgres().await.unwrap()).await;
}

async fn a_key_that_asked_for_itself_is_brought_in_by_no_renewal(port: Port) {
    let token = port.installation.create_enrolment_token(SITE, 1).unwrap();
    let (first, key) = request(&token, "PF2FIRST");
    let grant: CertificateGrant = serde_json::from_slice(&port.enrol(&first).await.unwrap().body).unwrap();
    let own = Credentials::of(&grant.certificate_chain_pem, &key);
    let renew = async |key: &KeyPair| {
        let body = serde_json::to_vec(&RenewRequest { csr_pem: csr(key).unwrap() }).unwrap();
        port.connect_as(&own).await.unwrap().post(RENEW_PATH, &body).await.unwrap().outcome()
    };
    let foreign = (409, "foreign-key".to_owned());
    let (wanted, wanted_key) = request(&token, "PF2WANTED");
    let (unwanted, unwanted_key) = request(&token, "PF2UNWANTED");
    for (asking, key) in [(&wanted, &wanted_key), (&unwanted, &unwanted_key)] {
        assert_eq!(port.enrol(asking).await.unwrap().status, 202);
        assert_eq!(renew(key).await, foreign, "it waits");
    }
    let lines = waiting(&port);
    port.installation.run("device refuse", &[&lines[1][0]], "").unwrap();
    assert_eq!(renew(&unwanted_key).await, foreign, "it was refused");
    assert_eq!(port.enrol(&unwanted).await.unwrap().outcome(), (403, "revoked".to_owned()));
    port.installation.run("device approve", &[&lines[0][0]], "").unwrap();
    assert_eq!(port.enrol(&wanted).await.unwrap().status, 200);
    assert_eq!(renew(&wanted_key).await, foreign, "it is another device's");
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM enrolment").await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_asked_for_itself_is_brought_in_by_no_renewal_on_sqlite() {
    a_key_that_asked_for_itself_is_brought_in_by_no_renewal(Port::start().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_asked_for_itself_is_brought_in_by_no_renewal_on_postgres() {
    a_key_that_asked_for_itself_is_brought_in_by_no_renewal(Port::start_on_postgres().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaked_token_fills_no_more_than_its_share_of_the_queue() {
    let port = Port::start().unwrap();
    let token = port.installation.create_enrolment_token(SITE, 1).unwrap();
    assert_eq!(port.enrol(&request(&token, "PF2FIRST").0).await.unwrap().status, 200);
    for number in 0..MAX_WAITING_PER_TOKEN {
        let (flood, _) = request(&token, &format!("FLOOD{number:04}"));
        assert_eq!(port.enrol(&flood).await.unwrap().status, 202, "{number}");
    }
    let (late, _) = request(&token, "PF2LATE");
    let full = (429, "approval-queue-full".to_owned());
    let answer = port.enrol(&late).await.unwrap();
    assert_eq!(answer.outcome(), full);
    assert!(answer.head.contains("retry-after: 3600"), "{}", answer.head);
    // Another token is another share, and a place that is free is taken.
    let other = port.installation.create_enrolment_token(SITE, 1).unwrap();
    assert_eq!(port.enrol(&request(&other, "PF2OTHER").0).await.unwrap().status, 200);
    port.installation.run("device refuse", &[&waiting(&port)[0][0]], "").unwrap();
    assert_eq!(port.enrol(&late).await.unwrap().status, 202);
    assert_eq!(port.enrol(&request(&token, "PF2LATER").0).await.unwrap().outcome(), full);
    // A list approves those of it that wait.
    let list = port.installation.directory().join("serials.txt");
    std::fs::write(&list, "flood0007\nFLOOD0008\nPF2NOBODY\n").unwrap();
    port.installation.run("device approve", &["--serials", list.to_str().unwrap()], "").unwrap();
    let left = i64::try_from(waiting(&port).len()).unwrap();
    assert_eq!(left, MAX_WAITING_PER_TOKEN - 2);
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM device").await.unwrap(), 4);
}
