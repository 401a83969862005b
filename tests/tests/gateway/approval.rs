//! Who waits for a person: unlisted serial numbers, spent tokens, what is recorded at another site. Nobody who waits is a device,
//! nor told which serial numbers are recorded; a leaked token fills no more than its share, and who is let in gets the
//! certificate at the next ask.

use cartable_common::{
    identity::SerialNumber,
    protocol::{CertificateGrant, EnrolPending, EnrolRequest, RENEW_PATH, RenewRequest},
    report::Hardware,
};
use cartable_server::{
    clock,
    domain::{approval::MAX_WAITING_PER_TOKEN, enrolment_token::TokenText},
};
use cartable_tests::{
    gateway_client::{Answer, Credentials, Port, SITE, UNCHANGED, csr, enrol_request},
    raw::Raw,
};
use rcgen::KeyPair;
use uuid::Uuid;

/// Another site's code.
const ELSEWHERE: &str = "0691670R";

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
        assert!(reason(&port.enrol(&unlisted).await.unwrap()).contains("A person must"));
    }
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM device").await.unwrap(), 1, "who waits is no device");
    assert_eq!(raw.number("SELECT used FROM enrolment_token").await.unwrap(), 1, "and uses no place");
    let lines = waiting(&port);
    assert_eq!(lines.len(), 1, "asked twice, it waits once");
    assert_eq!(lines[0][1..7], ["-", "PF2STRANGE", "", "unlisted_serial", "new_device", "-"]);

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
    assert!(reason(&port.enrol(&second).await.unwrap()).contains("A person must"));
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

/// Each request that waits, without its id: device, serial number, reason and what approval does.
fn reasons(port: &Port) -> Vec<[String; 4]> {
    waiting(port).into_iter().map(|line| [1, 2, 4, 5].map(|column| line[column].clone())).collect()
}

async fn a_token_opens_no_other_site(port: Port) {
    port.installation.create_site(ELSEWHERE, "Collège d'ailleurs", "Lyon", "A").unwrap();
    let record = |serial: &str| {
        let device = ["--serial", serial, "--kind", "laptop", "--site", ELSEWHERE, "--agent"];
        port.installation.run("device add", &device, "").unwrap().trim().to_owned()
    };
    let device_of = |answer: &Answer| {
        assert_eq!(answer.status, 200, "{answer:?}");
        serde_json::from_slice::<CertificateGrant>(&answer.body).unwrap().device_id.to_string()
    };
    let here = port.installation.create_enrolment_token(SITE, 5).unwrap();
    let theirs = record("PF2THEIRS");
    let (asking, _) = request(&here, "PF2THEIRS");
    for _ in 0..2 {
        assert_eq!(port.enrol(&asking).await.unwrap().status, 202);
    }
    let expected = [theirs.as_str(), "PF2THEIRS", "other_site", "first_key"].map(str::to_owned);
    assert_eq!(reasons(&port), [expected]);
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    assert_eq!(raw.number("SELECT used FROM enrolment_token").await.unwrap(), 0, "it uses no place");
    // Approved, it joins where it is recorded.
    let id = waiting(&port)[0][0].clone();
    port.installation.run("device approve", &[&id], "").unwrap();
    assert_eq!(device_of(&port.enrol(&asking).await.unwrap()), theirs);
    let site = "SELECT s.uai FROM device d JOIN site s ON s.id = d.site_id";
    assert_eq!(raw.texts(site).await.unwrap(), [ELSEWHERE]);

    // With a token of its own site it needs nobody.
    let again = record("PF2AGAIN");
    let (asking, _) = request(&here, "PF2AGAIN");
    assert_eq!(port.enrol(&asking).await.unwrap().status, 202);
    let there = port.installation.create_enrolment_token(ELSEWHERE, 1).unwrap();
    let own = EnrolRequest { token: there, ..asking };
    assert_eq!(device_of(&port.enrol(&own).await.unwrap()), again);

    // Recorded elsewhere after it asked, and moved to its token's site after that.
    let listed =
        port.installation.run("token create", &["--site", SITE, "--bulk", "5", "--recorded-only"], "").unwrap();
    let (asking, _) = request(listed.trim(), "PF2LATER");
    assert_eq!(port.enrol(&asking).await.unwrap().status, 202);
    assert_eq!(reasons(&port)[0][2], "unlisted_serial");
    let later = record("PF2LATER");
    assert_eq!(port.enrol(&asking).await.unwrap().status, 202);
    assert_eq!(reasons(&port), [[later.as_str(), "PF2LATER", "other_site", "first_key"].map(str::to_owned)]);
    let moved = format!(
        "UPDATE device SET site_id = (SELECT id FROM site WHERE uai = '{SITE}') WHERE serial_number = 'PF2LATER'"
    );
    raw.execute(&moved).await.unwrap();
    assert_eq!(device_of(&port.enrol(&asking).await.unwrap()), later);
    assert_eq!(reasons(&port), Vec::<[String; 4]>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_no_other_site_on_sqlite() {
    a_token_opens_no_other_site(Port::start().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_no_other_site_on_postgres() {
    a_token_opens_no_other_site(Port::start_on_postgres().await.unwrap()).await;
}

/// What a machine is told in every way of asking: first, again, after it forgot its request, with a token that was never made;
/// and all that once more after a person refused it.
async fn told(port: &Port, token: &str, serial: &str) -> Vec<(u16, Vec<u8>)> {
    let (first, _) = request(token, serial);
    let forgot = EnrolRequest { request_id: Uuid::new_v4(), ..first.clone() };
    let guess = TokenText::from_random([9; 17]).to_string();
    let guesses = [&first, &forgot].map(|asked| EnrolRequest { token: guess.clone(), ..asked.clone() });
    let mut told = Vec::new();
    for refused in [false, true] {
        for asked in [&first, &first, &forgot].into_iter().chain(&guesses) {
            let answer = port.enrol(asked).await.unwrap();
            told.push((answer.status, answer.body));
        }
        if !refused {
            let line = waiting(port).into_iter().find(|line| line[2] == serial).unwrap();
            port.installation.run("device refuse", &[&line[0]], "").unwrap();
        }
    }
    told
}

async fn nobody_who_waits_learns_which_serial_numbers_are_recorded(port: Port) {
    let spent = port.installation.create_enrolment_token(SITE, 1).unwrap();
    assert_eq!(port.enrol(&request(&spent, "PF2FIRST").0).await.unwrap().status, 200);
    let listed =
        port.installation.run("token create", &["--site", SITE, "--bulk", "5", "--recorded-only"], "").unwrap();
    for (token, stranger) in [(spent.as_str(), "PF2STRANGE"), (listed.trim(), "PF2OTHER")] {
        let told_to_stranger = told(&port, token, stranger).await;
        let statuses: Vec<u16> = told_to_stranger.iter().map(|(status, _)| *status).collect();
        assert_eq!(statuses, [202, 202, 202, 202, 403, 403, 403, 403, 403, 403], "{stranger}");
        assert_eq!(told(&port, token, "PF2FIRST").await, told_to_stranger, "{stranger}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_waits_learns_which_serial_numbers_are_recorded_on_sqlite() {
    nobody_who_waits_learns_which_serial_numbers_are_recorded(Port::start().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_waits_learns_which_serial_numbers_are_recorded_on_postgres() {
    nobody_who_waits_learns_which_serial_numbers_are_recorded(Port::start_on_postgres().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_is_full_for_a_recorded_machine_too() {
    let port = Port::start().unwrap();
    let first = port.installation.create_enrolment_token(SITE, 1).unwrap();
    assert_eq!(port.enrol(&request(&first, "PF2FIRST").0).await.unwrap().status, 200);
    let made = port.installation.run("token create", &["--site", SITE, "--bulk", "5", "--recorded-only"], "").unwrap();
    let token = made.trim();
    for number in 0..MAX_WAITING_PER_TOKEN {
        assert_eq!(port.enrol(&request(token, &format!("FLOOD{number:04}")).0).await.unwrap().status, 202, "{number}");
    }
    for serial in ["PF2STRANGE", "PF2FIRST"] {
        let answer = port.enrol(&request(token, serial).0).await.unwrap();
        assert_eq!(answer.outcome(), (429, "approval-queue-full".to_owned()), "{serial}");
    }
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
