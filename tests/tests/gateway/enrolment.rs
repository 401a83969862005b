//! Enrolment: tokens are capped however many use them at once, retries change nothing, a serial number proves nothing.

use cartable_common::{
    identity::SerialNumber,
    protocol::{CertificateGrant, EnrolPending, EnrolRequest, RENEW_PATH, RenewRequest},
    report::Hardware,
};
use cartable_server::{
    auth::Role,
    clock,
    domain::{approval::MAX_WAITING_PER_TOKEN, enrolment_token::TokenText, policy::Policy, scope::Scope},
    gateway::limits::LOST_KEYS_WAITING_PER_DEVICE,
    jobs::flag_sweep,
    store::Store,
};
use cartable_tests::{
    gateway_client::{Credentials, Port, SITE, UNCHANGED, csr, enrol_request},
    in_process::InProcess,
    raw::Raw,
};
use data_encoding::BASE64;
use futures_util::future::join_all;
use rcgen::KeyPair;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

on_both_engines! {
    five_hundred_uses_of_a_token_for_thirty_let_in_exactly_thirty,
    the_same_request_again_gives_the_same_certificate_even_when_its_record_was_interrupted,
    a_key_whose_certificate_has_ended_gets_no_other_by_a_token,
    a_known_serial_with_a_new_key_waits_for_a_person_and_the_old_key_stays_live,
    a_key_that_a_tpm_lost_lets_nobody_in_without_a_person,
    so_does_a_lost_key_that_no_token_let_in,
    useless_tokens_and_requests_are_told_apart_only_as_far_as_a_technician_needs,
    an_enrolled_device_reports_renews_and_is_stored,
}

/// The whole way: token, certificate, report, new key, and what stands in the database.
async fn an_enrolled_device_reports_renews_and_is_stored(port: Port) {
    let (grant, own) = port.enrolled().await.unwrap();
    let body = r#"{"agent_version":"t","sent_at":1796000000000,"reports":[{"sequence":1,"measured_at":1796000000000,
        "report_id":"0192f3a0-0000-7000-8000-000000000001","report":{"memory":{"total_bytes":8589934592}}}]}"#;
    let mut connection = port.connect_as(&own).await.unwrap();
    for _ in 0..2 {
        assert_eq!(connection.check_in(body.as_bytes()).await.unwrap().status, 200);
    }
    let key = KeyPair::generate().unwrap();
    let renew = serde_json::to_vec(&RenewRequest { csr_pem: csr(&key).unwrap() }).unwrap();
    let answer = connection.post(RENEW_PATH, &renew).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let renewed: CertificateGrant = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(renewed.device_id, grant.device_id);
    let new = Credentials::of(&renewed.certificate_chain_pem, &key);
    assert_eq!(port.connect_as(&new).await.unwrap().check_in(UNCHANGED).await.unwrap().status, 200);
    assert_eq!(connection.check_in(UNCHANGED).await.unwrap().outcome(), (403, "replaced".to_owned()));
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    for (table, rows) in [("device", 1), ("report", 1), ("health", 1), ("contact", 1), ("certificate", 2)] {
        assert_eq!(raw.number(&format!("SELECT count(*) FROM {table}")).await.unwrap(), rows, "{table}");
    }
    assert_eq!(raw.number("SELECT check_ins FROM contact").await.unwrap(), 3);
}

async fn five_hundred_uses_of_a_token_for_thirty_let_in_exactly_thirty(port: Port) {
    let token = port.installation.create_enrolment_token(SITE, 30).unwrap();
    let answers = join_all((0..500).map(|_| async {
        let key = KeyPair::generate().unwrap();
        port.enrol(&enrol_request(&token, &key, Hardware::default()).unwrap()).await.unwrap().outcome()
    }))
    .await;
    let answered = |status| answers.iter().filter(|outcome| outcome.0 == status).count();
    let share = usize::try_from(MAX_WAITING_PER_TOKEN).unwrap();
    assert_eq!((answered(200), answered(202), answered(429)), (30, share, 470 - share));
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM device").await.unwrap(), 30);
    assert_eq!(raw.number("SELECT count(*) FROM certificate WHERE state = 'issued'").await.unwrap(), 30);
    assert_eq!(raw.number("SELECT used FROM enrolment_token").await.unwrap(), 30);
}

async fn the_same_request_again_gives_the_same_certificate_even_when_its_record_was_interrupted(port: Port) {
    let token = port.installation.create_enrolment_token(SITE, 1).unwrap();
    let key = KeyPair::generate().unwrap();
    let request = enrol_request(&token, &key, Hardware::default()).unwrap();
    let first = port.enrol(&request).await.unwrap();
    assert_eq!(first.status, 200, "{first:?}");
    let grant = |body: &[u8]| serde_json::from_slice::<CertificateGrant>(body).unwrap();
    let again = grant(&port.enrol(&request).await.unwrap().body);
    let first = grant(&first.body);
    assert_eq!(again.certificate_chain_pem, first.certificate_chain_pem);
    assert_eq!((again.device_id, again.enrolment_id), (first.device_id, first.enrolment_id));

    // As after a crash between signature and record: the intent alone is left.
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    raw.execute("UPDATE certificate SET state = 'intended', pem = NULL").await.unwrap();
    let finished = grant(&port.enrol(&request).await.unwrap().body);
    let serial = |pem: &str| {
        let chain = Credentials::of(pem, &key).chain;
        x509_parser::parse_x509_certificate(&chain[0]).unwrap().1.raw_serial().to_vec()
    };
    assert_eq!(serial(&finished.certificate_chain_pem), serial(&first.certificate_chain_pem));
    assert_eq!(raw.number("SELECT count(*) FROM certificate").await.unwrap(), 1);
    assert_eq!(raw.number("SELECT count(*) FROM certificate WHERE state = 'issued'").await.unwrap(), 1);
    assert_eq!(raw.number("SELECT count(*) FROM device").await.unwrap(), 1);
}

async fn a_key_whose_certificate_has_ended_gets_no_other_by_a_token(port: Port) {
    let token = port.installation.create_enrolment_token(SITE, 5).unwrap();
    let key = KeyPair::generate().unwrap();
    let first = enrol_request(&token, &key, Hardware::default()).unwrap();
    let grant = |body: &[u8]| serde_json::from_slice::<CertificateGrant>(body).unwrap();
    let given = grant(&port.enrol(&first).await.unwrap().body);
    let no_token = enrol_request(&TokenText::from_random([9; 17]).to_string(), &key, Hardware::default()).unwrap();
    // Whoever was let in by this request needs no token; an agent that forgot its request needs one.
    let no_token = EnrolRequest { request_id: first.request_id, ..no_token };
    let another = enrol_request(&token, &key, Hardware::default()).unwrap();
    let another = EnrolRequest { request_id: Uuid::new_v4(), ..another };
    let all = [&first, &no_token, &another];
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    let end = async |raw: &mut Raw, days: i64| {
        let at = clock::now().plus_days(days).get();
        raw.execute(&format!("UPDATE certificate SET not_after = {at}")).await.unwrap();
    };
    let device = given.device_id.to_string();
    for (command, refused) in [("activate", (401, "certificate-expired")), ("quarantine", (403, "quarantined"))] {
        port.installation.run(&format!("device {command}"), &[&device], "").unwrap();
        end(&mut raw, -1).await;
        for request in all {
            let answer = port.enrol(request).await.unwrap();
            assert_eq!(answer.outcome(), (refused.0, refused.1.to_owned()), "{command}");
        }
        end(&mut raw, 90).await;
        for request in all {
            let again = grant(&port.enrol(request).await.unwrap().body);
            assert_eq!(again.certificate_chain_pem, given.certificate_chain_pem, "{command}: it runs");
        }
    }
    assert_eq!(raw.number("SELECT count(*) FROM certificate").await.unwrap(), 1);
    // Let in, and no certificate was ever given: set aside it gets none, in service it gets its first.
    raw.execute("DELETE FROM certificate").await.unwrap();
    assert_eq!(port.enrol(&first).await.unwrap().outcome(), (403, "quarantined".to_owned()));
    port.installation.run("device activate", &[&device], "").unwrap();
    assert_eq!(port.enrol(&first).await.unwrap().status, 200);
}

async fn a_known_serial_with_a_new_key_waits_for_a_person_and_the_old_key_stays_live(port: Port) {
    let token = port.installation.create_enrolment_token(SITE, 5).unwrap();
    let hardware = Hardware { serial_number: SerialNumber::parse("PF2ABCDE").into(), ..Hardware::default() };
    let old_key = KeyPair::generate().unwrap();
    let answer = port.enrol(&enrol_request(&token, &old_key, hardware.clone()).unwrap()).await.unwrap();
    let old: CertificateGrant = serde_json::from_slice(&answer.body).unwrap();
    let old_credentials = Credentials::of(&old.certificate_chain_pem, &old_key);

    let new_key = KeyPair::generate().unwrap();
    let request = enrol_request(&token, &new_key, hardware).unwrap();
    for _ in 0..2 {
        let answer = port.enrol(&request).await.unwrap();
        assert_eq!(answer.status, 202, "{answer:?}");
        let pending: EnrolPending = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(pending.retry_after_seconds, 3600);
    }
    let mut old_connection = port.connect_as(&old_credentials).await.unwrap();
    assert_eq!(old_connection.check_in(UNCHANGED).await.unwrap().status, 200);

    let waiting = port.installation.run("device pending", &[], "").unwrap();
    let (enrolment, rest) = waiting.trim().split_once('\t').unwrap();
    assert!(rest.starts_with(&old.device_id.to_string()), "{waiting}");
    port.installation.run("device approve", &[enrolment], "").unwrap();
    let answer = port.enrol(&request).await.unwrap();
    let new: CertificateGrant = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(new.device_id, old.device_id);
    assert_eq!(old_connection.check_in(UNCHANGED).await.unwrap().outcome(), (403, "replaced".to_owned()));
    let new = Credentials::of(&new.certificate_chain_pem, &new_key);
    assert_eq!(port.connect_as(&new).await.unwrap().check_in(UNCHANGED).await.unwrap().status, 200);
}

async fn a_key_that_a_tpm_lost_lets_nobody_in_without_a_person(port: Port) {
    let token = port.installation.create_enrolment_token(SITE, 1).unwrap();
    let old_key = KeyPair::generate().unwrap();
    let asking = |lost: Option<String>, serial: &str| {
        let hardware = Hardware { serial_number: SerialNumber::parse(serial).into(), ..Hardware::default() };
        let request = enrol_request("", &KeyPair::generate().unwrap(), hardware).unwrap();
        EnrolRequest { lost_key: lost, ..request }
    };
    let name = |key: &KeyPair| Some(BASE64.encode(&rcgen::PublicKeyData::subject_public_key_info(key)));
    let hardware = Hardware { serial_number: SerialNumber::parse("PF2LOST").into(), ..Hardware::default() };
    let answer = port.enrol(&enrol_request(&token, &old_key, hardware).unwrap()).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");

    let unknown = KeyPair::generate().unwrap();
    for (request, outcome) in [
        (asking(name(&unknown), "PF2LOST"), (403, "token")),
        (asking(Some("AAAA".to_owned()), "PF2LOST"), (400, "public-key")),
        (asking(None, "PF2LOST"), (403, "token-mistyped")),
    ] {
        let answer = port.enrol(&request).await.unwrap();
        assert_eq!(answer.outcome(), (outcome.0, outcome.1.to_owned()));
    }
    let known = asking(name(&old_key), "PF2LOST");
    // As a disk that was put into another machine: no device of ours, and none before a person says so.
    for request in [&known, &known, &asking(name(&old_key), "PF2OTHER")] {
        assert_eq!(port.enrol(request).await.unwrap().status, 202);
    }
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    for (what, rows) in [("device", 1), ("enrolment WHERE status = 'pending'", 1), ("newcomer", 1)] {
        assert_eq!(raw.number(&format!("SELECT count(*) FROM {what}")).await.unwrap(), rows, "{what}");
    }
    // Once another key speaks for the device, the old one is no reason any more.
    let waiting = port.installation.run("device pending", &[], "").unwrap();
    let (enrolment, _) = waiting.trim().split_once('\t').unwrap();
    port.installation.run("device approve", &[enrolment], "").unwrap();
    assert_eq!(port.enrol(&known).await.unwrap().status, 200);
    let late = port.enrol(&asking(name(&old_key), "PF2LOST")).await.unwrap();
    assert_eq!(late.outcome(), (403, "token".to_owned()));
}

/// `lost` in place of a token, for another key of that machine.
pub(crate) fn in_place_of(lost: &KeyPair, key: &KeyPair, serial: &str) -> EnrolRequest {
    let hardware = Hardware { serial_number: SerialNumber::parse(serial).into(), ..Hardware::default() };
    let name = BASE64.encode(&rcgen::PublicKeyData::subject_public_key_info(lost));
    EnrolRequest { lost_key: Some(name), ..enrol_request("", key, hardware).unwrap() }
}

async fn so_does_a_lost_key_that_no_token_let_in(port: Port) {
    let [first, second, third, other] = std::array::from_fn(|_| KeyPair::generate().unwrap());
    let token = port.installation.create_enrolment_token(SITE, 1).unwrap();
    let hardware = Hardware { serial_number: SerialNumber::parse("PF2LOST").into(), ..Hardware::default() };
    let answer = port.enrol(&enrol_request(&token, &first, hardware).unwrap()).await.unwrap();
    let grant: CertificateGrant = serde_json::from_slice(&answer.body).unwrap();
    let own = Credentials::of(&grant.certificate_chain_pem, &first);
    // The second key came by the first.
    let renew = serde_json::to_vec(&RenewRequest { csr_pem: csr(&second).unwrap() }).unwrap();
    let answer = port.connect_as(&own).await.unwrap().post(RENEW_PATH, &renew).await.unwrap();
    let renewed: CertificateGrant = serde_json::from_slice(&answer.body).unwrap();
    let own = Credentials::of(&renewed.certificate_chain_pem, &second);
    assert_eq!(port.connect_as(&own).await.unwrap().check_in(UNCHANGED).await.unwrap().status, 200);

    let refused = (403, "token".to_owned());
    let elsewhere = in_place_of(&second, &other, "PF2OTHER");
    assert_eq!(
        port.enrol(&elsewhere).await.unwrap().outcome(),
        refused,
        "a name proves nothing, and no token speaks for it"
    );
    let request = in_place_of(&second, &third, "PF2LOST");
    for _ in 0..2 {
        assert_eq!(port.enrol(&request).await.unwrap().status, 202);
    }
    let waiting = port.installation.run("device pending", &[], "").unwrap();
    assert_eq!(waiting.lines().count(), 1, "{waiting}");
    let (enrolment, rest) = waiting.trim().split_once('\t').unwrap();
    assert!(rest.starts_with(&grant.device_id.to_string()), "{waiting}");
    port.installation.run("device approve", &[enrolment], "").unwrap();
    let answer = port.enrol(&request).await.unwrap();
    let back: CertificateGrant = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(back.device_id, grant.device_id);

    // The third key came by a person's word alone, and is as good as one that came by a token.
    for number in 0..=LOST_KEYS_WAITING_PER_DEVICE {
        let asked = in_place_of(&third, &KeyPair::generate().unwrap(), "PF2LOST");
        let expected = if number < LOST_KEYS_WAITING_PER_DEVICE { 202 } else { 429 };
        assert_eq!(port.enrol(&asked).await.unwrap().status, expected, "{number}");
    }
    assert_eq!(port.enrol(&in_place_of(&second, &other, "PF2LOST")).await.unwrap().outcome(), refused, "replaced");
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM newcomer").await.unwrap(), 0);
    assert_eq!(raw.number("SELECT count(*) FROM enrolment WHERE status = 'active'").await.unwrap(), 1);
    // Nor does a key of another system's agent.
    raw.execute("UPDATE enrolment SET kind = 'foreign' WHERE status = 'active'").await.unwrap();
    assert_eq!(port.enrol(&in_place_of(&third, &other, "PF2LOST")).await.unwrap().outcome(), refused);
}

async fn useless_tokens_and_requests_are_told_apart_only_as_far_as_a_technician_needs(port: Port) {
    let key = KeyPair::generate().unwrap();
    let revoked = port.installation.run("token create", &["--site", SITE, "--json"], "").unwrap();
    let revoked: serde_json::Value = serde_json::from_str(&revoked).unwrap();
    port.installation.run("token revoke", &[revoked["id"].as_str().unwrap()], "").unwrap();
    let unknown = TokenText::from_random([9; 17]).to_string();
    for token in [revoked["token"].as_str().unwrap(), &unknown] {
        let answer = port.enrol(&enrol_request(token, &key, Hardware::default()).unwrap()).await.unwrap();
        assert_eq!(answer.outcome(), (403, "token".to_owned()));
    }
    let answer = port.enrol(&enrol_request("ABCD-EFGH", &key, Hardware::default()).unwrap()).await.unwrap();
    assert_eq!(answer.outcome(), (403, "token-mistyped".to_owned()));
    let mut request = enrol_request(&unknown, &key, Hardware::default()).unwrap();
    request.csr_pem = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n".to_owned();
    assert_eq!(port.enrol(&request).await.unwrap().outcome(), (400, "certificate-request".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_on_a_device_without_one_joins_the_same_record_once_a_technician_approves() {
    let port = Port::start().unwrap();
    let url = port.installation.database_url();
    let listed =
        ["--serial", "PF2TABLET", "--kind", "tablet", "--model", "Tab M10", "--site", SITE, "--asset-tag", "T-7"];
    let recorded = port.installation.run("device add", &listed, "").unwrap();
    let recorded = recorded.trim().to_owned();
    assert!(port.installation.run("device add", &listed, "").is_err(), "a serial number is recorded once");
    let mut raw = Raw::connect(&url).await.unwrap();
    // A year of silence says nothing: no agent is awaited.
    let long_ago = clock::now().plus_days(-365).get();
    raw.execute(&format!("UPDATE device SET created_at = {long_ago}")).await.unwrap();
    let store = Store::open(&url).await.unwrap();
    let running = CancellationToken::new();
    let swept = flag_sweep::run(&store, &Policy::default(), clock::now(), &running).await.unwrap();
    assert_eq!((swept.devices, swept.raised), (1, 0));

    let token = port.installation.create_enrolment_token(SITE, 5).unwrap();
    let hardware = Hardware { serial_number: SerialNumber::parse("PF2TABLET").into(), ..Hardware::default() };
    let key = KeyPair::generate().unwrap();
    let request = enrol_request(&token, &key, hardware).unwrap();
    assert_eq!(port.enrol(&request).await.unwrap().status, 202, "a serial number proves nothing");
    let waiting = port.installation.run("device pending", &[], "").unwrap();
    let (enrolment, rest) = waiting.trim().split_once('\t').unwrap();
    assert!(rest.starts_with(&recorded), "{waiting}");

    // Approved on the device's page.
    let cartable = InProcess::new(&store);
    cartable.person("theo", Role::Technician, Scope::Everything).await.unwrap();
    let theo = cartable.signed_in("theo").await.unwrap();
    let page = theo.get(&format!("/devices/{recorded}")).await.unwrap().body;
    assert!(page.contains("Une installation attend votre accord") && page.contains("contacts ne sont pas attendus"));
    let approve = format!("/devices/{recorded}/enrolments/{enrolment}/approve");
    assert_eq!(theo.post(&approve, "").await.unwrap().status, 303);
    assert_eq!(theo.post(&approve, "").await.unwrap().status, 404, "once");
    store.close().await;

    let answer = port.enrol(&request).await.unwrap();
    let grant: CertificateGrant = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(grant.device_id.to_string(), recorded, "the same device");
    let credentials = Credentials::of(&grant.certificate_chain_pem, &key);
    assert_eq!(port.connect_as(&credentials).await.unwrap().check_in(UNCHANGED).await.unwrap().status, 200);
    assert_eq!(raw.number("SELECT count(*) FROM device").await.unwrap(), 1);
    assert_eq!(raw.texts("SELECT asset_tag FROM device").await.unwrap(), ["T-7"]);
    assert_eq!(raw.texts("SELECT contact_expected FROM device").await.unwrap(), ["agent"], "now its silence counts");
}
