//! Recovery: a registered key whose certificate has ended gets another by its proof, once a nonce, within the rule or by a
//! person's word; nobody learns from it which keys exist.

use cartable_common::{
    UtcMillis,
    protocol::{
        CertificateGrant, EnrolPending, RECOVER_NONCE_PATH, RECOVER_PATH, RecoverNonce, RecoverNonceRequest,
        RecoverRequest, recovery_message,
    },
    report::Hardware,
};
use cartable_server::clock;
use cartable_tests::{
    gateway_client::{Answer, Credentials, Port, SITE, UNCHANGED, csr, enrol_request},
    raw::Raw,
};
use data_encoding::BASE64;
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};

on_both_engines! {
    a_laptop_that_was_shut_gets_another_certificate_and_a_lost_answer_costs_nothing,
    a_nonce_serves_one_key_once,
    nothing_tells_which_keys_exist_and_nothing_is_written_for_strangers,
    a_key_out_of_service_is_told_why_and_gets_nothing,
    a_laptop_that_was_away_too_long_waits_for_a_person,
    the_third_recovery_in_a_year_waits,
    a_new_key_may_take_over_and_another_devices_may_not,
}

async fn enrolled(port: &Port) -> (CertificateGrant, KeyPair) {
    let token = port.installation.create_enrolment_token(SITE, 1).unwrap();
    let key = KeyPair::generate().unwrap();
    let answer = port.enrol(&enrol_request(&token, &key, Hardware::default()).unwrap()).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    (serde_json::from_slice(&answer.body).unwrap(), key)
}

fn public_key(key: &KeyPair) -> String {
    BASE64.encode(&key.subject_public_key_info())
}

async fn nonce(port: &Port, key: &KeyPair) -> RecoverNonce {
    let request = RecoverNonceRequest { public_key: public_key(key) };
    let mut connection = port.connect_to_enrol().await.unwrap();
    let answer = connection.post(RECOVER_NONCE_PATH, &serde_json::to_vec(&request).unwrap()).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::from_slice(&answer.body).unwrap()
}

/// What an agent sends: `key` proves itself and asks for a certificate for `next`.
fn request(key: &KeyPair, nonce: &str, next: &KeyPair) -> RecoverRequest {
    let csr_pem = csr(next).unwrap();
    let signature = BASE64.encode(&key.sign(&recovery_message(nonce, &csr_pem)).unwrap());
    RecoverRequest { public_key: public_key(key), nonce: nonce.to_owned(), csr_pem, signature }
}

async fn send(port: &Port, request: &RecoverRequest) -> Answer {
    let mut connection = port.connect_to_enrol().await.unwrap();
    connection.post(RECOVER_PATH, &serde_json::to_vec(request).unwrap()).await.unwrap()
}

/// Both steps.
pub(super) async fn recover(port: &Port, key: &KeyPair, next: &KeyPair) -> Answer {
    send(port, &request(key, &nonce(port, key).await.nonce, next)).await
}

fn granted(answer: &Answer) -> CertificateGrant {
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::from_slice(&answer.body).unwrap()
}

async fn raw(port: &Port) -> Raw {
    Raw::connect(&port.installation.database_url()).await.unwrap()
}

/// Every device was last heard, and given its certificate, so many days ago.
async fn shut_for(raw: &mut Raw, days: i64) {
    let then = clock::now().plus_days(-days);
    let (began, ends) = (then.get(), then.plus_days(180).get());
    let sql = format!("UPDATE certificate SET not_before = {began}, not_after = {ends}, created_at = {began}");
    raw.execute(&sql).await.unwrap();
    raw.execute(&format!("UPDATE contact SET first_at = {began}, last_at = {began}")).await.unwrap();
}

async fn a_laptop_that_was_shut_gets_another_certificate_and_a_lost_answer_costs_nothing(port: Port) {
    let (first, key) = enrolled(&port).await;
    let mut raw = raw(&port).await;
    shut_for(&mut raw, 200).await;
    let given = nonce(&port, &key).await;
    assert_eq!(given.valid_for_seconds, 120);
    assert!(clock::now().millis_since(given.server_time).abs() < 60_000);
    let recovered = granted(&send(&port, &request(&key, &given.nonce, &key)).await);
    assert_eq!((recovered.device_id, recovered.enrolment_id), (first.device_id, first.enrolment_id));
    assert!(recovered.not_after > clock::now().plus_days(179));
    let credentials = Credentials::of(&recovered.certificate_chain_pem, &key);
    assert_eq!(port.connect_as(&credentials).await.unwrap().check_in(UNCHANGED).await.unwrap().status, 200);

    // The answer was lost, or its reader killed: the same certificate, and no second recovery.
    for _ in 0..3 {
        let again = granted(&recover(&port, &key, &key).await);
        assert_eq!(again.certificate_chain_pem, recovered.certificate_chain_pem);
    }
    assert_eq!(raw.number("SELECT count(*) FROM recovery WHERE state = 'granted'").await.unwrap(), 1);
    assert_eq!(raw.number("SELECT count(*) FROM recovery_nonce").await.unwrap(), 1, "nothing was written");
    assert_eq!(raw.number("SELECT count(*) FROM certificate").await.unwrap(), 2);
    // Killed between the record of the intent and the signature.
    raw.execute("UPDATE certificate SET state = 'intended', pem = NULL").await.unwrap();
    let finished = granted(&recover(&port, &key, &key).await);
    assert_eq!(finished.not_after, recovered.not_after);
    assert_eq!(raw.number("SELECT count(*) FROM certificate").await.unwrap(), 2);
}

async fn a_nonce_serves_one_key_once(port: Port) {
    let (_, key) = enrolled(&port).await;
    let (revoked, other) = enrolled(&port).await;
    let mut raw = raw(&port).await;
    shut_for(&mut raw, 200).await;
    let refused = (403, "nonce".to_owned());

    let first = nonce(&port, &key).await.nonce;
    granted(&send(&port, &request(&key, &first, &key)).await);
    // As it was, and for another certificate request.
    assert_eq!(send(&port, &request(&key, &first, &key)).await.outcome(), refused);
    assert_eq!(send(&port, &request(&key, &first, &KeyPair::generate().unwrap())).await.outcome(), refused);
    assert_eq!(raw.number("SELECT count(*) FROM recovery_nonce").await.unwrap(), 1);

    // Another key's, a changed one, an invented one, none.
    let second = nonce(&port, &key).await.nonce;
    assert_eq!(send(&port, &request(&other, &second, &other)).await.outcome(), refused);
    let changed = format!("{}{}", if second.starts_with('A') { 'B' } else { 'A' }, &second[1..]);
    for text in [changed.as_str(), &"A".repeat(second.len()), "", "no nonce"] {
        assert_eq!(send(&port, &request(&key, text, &key)).await.outcome(), refused, "{text}");
    }
    // None of that used it.
    granted(&send(&port, &request(&key, &second, &key)).await);

    // A refusal uses it too.
    port.installation.run("device revoke", &[&revoked.device_id.to_string()], "").unwrap();
    let third = nonce(&port, &other).await.nonce;
    assert_eq!(send(&port, &request(&other, &third, &other)).await.outcome(), (403, "revoked".to_owned()));
    assert_eq!(send(&port, &request(&other, &third, &other)).await.outcome(), refused);
}

async fn nothing_tells_which_keys_exist_and_nothing_is_written_for_strangers(port: Port) {
    let (_, key) = enrolled(&port).await;
    let mut raw = raw(&port).await;
    shut_for(&mut raw, 200).await;
    let stranger = KeyPair::generate().unwrap();
    let known = nonce(&port, &key).await.nonce;
    let unknown = nonce(&port, &stranger).await.nonce;
    assert_eq!(known.len(), unknown.len());

    let forged = |mut request: RecoverRequest, signature: String| {
        request.signature = signature;
        request
    };
    let good = request(&key, &known, &key);
    let sign = |key: &KeyPair, nonce: &str, csr_pem: &str| {
        BASE64.encode(&key.sign(&recovery_message(nonce, csr_pem)).unwrap())
    };
    let by_stranger = sign(&stranger, &known, &good.csr_pem);
    let other_nonce = sign(&key, &unknown, &good.csr_pem);
    let other_request = sign(&key, &known, &csr(&stranger).unwrap());
    // A handshake's or a certificate request's signature is none of these.
    let bare = BASE64.encode(&key.sign(known.as_bytes()).unwrap());
    let mut bodies = Vec::new();
    for refused in [
        request(&stranger, &unknown, &stranger),
        forged(request(&stranger, &unknown, &stranger), String::new()),
        forged(good.clone(), by_stranger),
        forged(good.clone(), other_nonce),
        forged(good.clone(), other_request),
        forged(good.clone(), bare),
        forged(good.clone(), "AAAA".to_owned()),
    ] {
        let answer = send(&port, &refused).await;
        assert_eq!(answer.outcome(), (403, "unproven".to_owned()), "{answer:?}");
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "one answer for all of them");
    for table in ["recovery", "recovery_nonce"] {
        assert_eq!(raw.number(&format!("SELECT count(*) FROM {table}")).await.unwrap(), 0, "{table}");
    }
    // And the nonce is still good for its key.
    granted(&send(&port, &good).await);
}

async fn a_key_out_of_service_is_told_why_and_gets_nothing(port: Port) {
    let (grant, key) = enrolled(&port).await;
    let (replaced, old) = enrolled(&port).await;
    let mut raw = raw(&port).await;
    shut_for(&mut raw, 200).await;
    let id = grant.device_id.to_string();
    for (command, outcome) in
        [("quarantine", "quarantined"), ("revoke", "revoked"), ("release", "released"), ("revoke", "revoked")]
    {
        port.installation.run(&format!("device {command}"), &[&id], "").unwrap();
        let answer = recover(&port, &key, &key).await;
        assert_eq!(answer.outcome(), (403, outcome.to_owned()));
        let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(problem["release"].is_null(), "nobody ordered it to leave");
    }
    for (status, outcome) in
        [("pending", "pending"), ("quarantined", "quarantined"), ("revoked", "revoked"), ("replaced", "replaced")]
    {
        let device = raw.uuid(replaced.device_id.0);
        let sql = format!("UPDATE enrolment SET status = '{status}' WHERE device_id = {device}");
        raw.execute(&sql).await.unwrap();
        assert_eq!(recover(&port, &old, &old).await.outcome(), (403, outcome.to_owned()));
    }
    assert_eq!(raw.number("SELECT count(*) FROM recovery").await.unwrap(), 0);
    assert_eq!(raw.number("SELECT count(*) FROM certificate").await.unwrap(), 2);
    // Back in service, it recovers.
    port.installation.run("device activate", &[&id], "").unwrap();
    granted(&recover(&port, &key, &key).await);
}

async fn a_laptop_that_was_away_too_long_waits_for_a_person(port: Port) {
    let (grant, key) = enrolled(&port).await;
    let (_, lost) = enrolled(&port).await;
    let mut raw = raw(&port).await;
    shut_for(&mut raw, 401).await;
    for key in [&key, &key, &lost] {
        let answer = recover(&port, key, key).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let pending: EnrolPending = serde_json::from_slice(&answer.body).unwrap();
        assert!(pending.retry_after_seconds == 3600 && pending.reason.contains("a person must agree"), "{pending:?}");
    }
    assert_eq!(raw.number("SELECT count(*) FROM recovery WHERE state = 'waiting'").await.unwrap(), 2, "once a key");
    assert_eq!(raw.number("SELECT count(*) FROM certificate").await.unwrap(), 2);

    let waiting = port.installation.run("device recoveries", &[], "").unwrap();
    let lines: Vec<Vec<&str>> = waiting.lines().map(|line| line.split('\t').collect()).collect();
    assert!(lines.len() == 2 && lines.iter().all(|line| line[4] == "too_long"), "{waiting}");
    let device = grant.device_id.to_string();
    let (own, others): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line[1] == device);
    port.installation.run("device approve-recovery", &[own[0][0]], "").unwrap();
    port.installation.run("device refuse-recovery", &[others[0][0]], "").unwrap();
    for command in ["device approve-recovery", "device refuse-recovery"] {
        assert!(port.installation.run(command, &[own[0][0]], "").is_err(), "decided once");
    }

    let recovered = granted(&recover(&port, &key, &key).await);
    assert_eq!(recovered.enrolment_id, grant.enrolment_id);
    assert_eq!(recover(&port, &lost, &lost).await.outcome(), (403, "recovery-refused".to_owned()));
    let acts = raw.texts("SELECT action FROM audit WHERE object_kind = 'recovery' ORDER BY seq").await.unwrap();
    assert_eq!(acts, ["recovery.approve", "recovery.refuse"]);
    // The approval was for once.
    shut_for(&mut raw, 401).await;
    assert_eq!(recover(&port, &key, &key).await.status, 202);
}

async fn the_third_recovery_in_a_year_waits(port: Port) {
    let (_, key) = enrolled(&port).await;
    let mut raw = raw(&port).await;
    for expected in [200, 200, 202] {
        shut_for(&mut raw, 181).await;
        assert_eq!(recover(&port, &key, &key).await.status, expected);
    }
    assert_eq!(raw.texts("SELECT cause FROM recovery WHERE state = 'waiting'").await.unwrap(), ["too_often"]);
    // A year later the rule allows it again, and nobody needs to look at what waited.
    let year = 366 * UtcMillis::DAY;
    raw.execute(&format!("UPDATE recovery SET used_at = used_at - {year} WHERE used_at IS NOT NULL")).await.unwrap();
    granted(&recover(&port, &key, &key).await);
    assert_eq!(raw.number("SELECT count(*) FROM recovery WHERE state = 'granted'").await.unwrap(), 3);
}

async fn a_new_key_may_take_over_and_another_devices_may_not(port: Port) {
    let (grant, old) = enrolled(&port).await;
    let (_, foreign) = enrolled(&port).await;
    let mut raw = raw(&port).await;
    shut_for(&mut raw, 200).await;
    assert_eq!(recover(&port, &old, &foreign).await.outcome(), (409, "foreign-key".to_owned()));
    // Nor one that asked for itself: whether it is let in, a person decides.
    let recorded_only = ["--site", SITE, "--bulk", "5", "--recorded-only"];
    let token = port.installation.run("token create", &recorded_only, "").unwrap();
    let waits = KeyPair::generate().unwrap();
    let asked = enrol_request(token.trim(), &waits, Hardware::default()).unwrap();
    assert_eq!(port.enrol(&asked).await.unwrap().status, 202);
    assert_eq!(recover(&port, &old, &waits).await.outcome(), (409, "foreign-key".to_owned()));
    assert_eq!(raw.number("SELECT count(*) FROM recovery").await.unwrap(), 0);
    let new = KeyPair::generate().unwrap();
    let recovered = granted(&recover(&port, &old, &new).await);
    assert_eq!(recovered.device_id, grant.device_id);
    assert_ne!(recovered.enrolment_id, grant.enrolment_id);
    let again = granted(&recover(&port, &old, &new).await);
    assert_eq!(again.certificate_chain_pem, recovered.certificate_chain_pem);
    let acts = raw.texts("SELECT details FROM audit WHERE action = 'recovery.grant'").await.unwrap();
    assert!(acts.len() == 1 && acts[0].contains(&recovered.enrolment_id.to_string()), "{acts:?}");
    let credentials = Credentials::of(&recovered.certificate_chain_pem, &new);
    assert_eq!(port.connect_as(&credentials).await.unwrap().check_in(UNCHANGED).await.unwrap().status, 200);
    assert_eq!(recover(&port, &old, &old).await.outcome(), (403, "replaced".to_owned()), "the new key was used");
}

/// Nothing is kept of a nonce before it is used, and then it is in the database: any server gives it, one takes it.
#[tokio::test(flavor = "multi_thread")]
async fn another_server_of_the_installation_takes_the_nonce_and_none_takes_it_twice() {
    let mut port = Port::start_on_postgres().await.unwrap();
    let (_, key) = enrolled(&port).await;
    shut_for(&mut raw(&port).await, 200).await;
    let request = request(&key, &nonce(&port, &key).await.nonce, &key);
    let mut other = port.installation.serve().unwrap();
    std::mem::swap(&mut port.server, &mut other);
    granted(&send(&port, &request).await);
    std::mem::swap(&mut port.server, &mut other);
    assert_eq!(send(&port, &request).await.outcome(), (403, "nonce".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_malformed_is_said_and_recovery_exists_on_its_own_connections_alone() {
    let port = Port::start().unwrap();
    let (grant, key) = enrolled(&port).await;
    let good = request(&key, &nonce(&port, &key).await.nonce, &key);
    let bad_key = RecoverRequest { public_key: "AAAA".to_owned(), ..good.clone() };
    assert_eq!(send(&port, &bad_key).await.outcome(), (400, "public-key".to_owned()));
    let bad_csr = RecoverRequest { csr_pem: "AAAA".to_owned(), ..good.clone() };
    assert_eq!(send(&port, &bad_csr).await.outcome(), (400, "certificate-request".to_owned()));
    let mut connection = port.connect_to_enrol().await.unwrap();
    let answer = connection.post(RECOVER_PATH, b"{}").await.unwrap();
    assert_eq!(answer.outcome(), (400, "message".to_owned()));
    let long = vec![b' '; cartable_common::limits::MAX_BODY_BYTES + 1];
    let mut connection = port.connect_to_enrol().await.unwrap();
    assert_eq!(connection.post(RECOVER_NONCE_PATH, &long).await.unwrap().outcome(), (413, "too-large".to_owned()));
    let credentials = Credentials::of(&grant.certificate_chain_pem, &key);
    let mut device = port.connect_as(&credentials).await.unwrap();
    for path in [RECOVER_NONCE_PATH, RECOVER_PATH] {
        assert_eq!(device.post(path, b"{}").await.unwrap().outcome(), (404, "not-found".to_owned()), "{path}");
    }
    // Its certificate has not ended: it is given that one, and nothing is counted.
    assert_eq!(granted(&send(&port, &good).await).certificate_chain_pem, grant.certificate_chain_pem);
    assert_eq!(raw(&port).await.number("SELECT count(*) FROM recovery").await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_proves_nothing_too_often_waits_and_enrolments_from_there_go_on() {
    let port = Port::start().unwrap();
    let stranger = KeyPair::generate().unwrap();
    let nonce = nonce(&port, &stranger).await.nonce;
    let request = request(&stranger, &nonce, &stranger);
    for attempt in 0..20 {
        assert_eq!(send(&port, &request).await.outcome(), (403, "unproven".to_owned()), "{attempt}");
    }
    let answer = send(&port, &request).await;
    assert_eq!(answer.outcome(), (429, "throttled".to_owned()));
    assert!(answer.head.contains("retry-after: "), "{}", answer.head);
    // A laptop behind the same address proves its key, and is not kept waiting.
    let (_, key) = enrolled(&port).await;
    shut_for(&mut raw(&port).await, 200).await;
    granted(&recover(&port, &key, &key).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_proves_itself_too_often_waits_alone() {
    let port = Port::start().unwrap();
    let ((revoked, key), (_, other)) = (enrolled(&port).await, enrolled(&port).await);
    shut_for(&mut raw(&port).await, 200).await;
    port.installation.run("device revoke", &[&revoked.device_id.to_string()], "").unwrap();
    for attempt in 0..20 {
        assert_eq!(recover(&port, &key, &key).await.outcome(), (403, "revoked".to_owned()), "{attempt}");
    }
    assert_eq!(recover(&port, &key, &key).await.outcome(), (429, "throttled".to_owned()));
    granted(&recover(&port, &other, &other).await);
}
