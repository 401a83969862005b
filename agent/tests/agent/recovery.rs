//! An ended certificate: recovered by the key that there is, before the contact, unless the server says that it runs on; and
//! whatever is answered, key and reports stay.

use cartable_agent::spool::Spool;
use cartable_common::protocol::recovery_message;
use data_encoding::BASE64;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

use crate::support::{Answers, Gateway, Laptop, now};

/// Bytes of a SubjectPublicKeyInfo before the point of a P-256 key.
const BEFORE_POINT: usize = 26;

#[test]
fn an_ended_certificate_is_recovered_before_the_contact_by_the_same_key() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let key = laptop.key();
    laptop.set_end(now().plus_days(-10));
    for _ in 0..2 {
        let done = laptop.agent(&["once"]);
        assert_eq!(done.code, 0, "{}", done.words);
    }
    assert_eq!(laptop.key(), key);
    let seen = gateway.seen.lock().unwrap();
    assert_eq!((seen.nonces, seen.recoveries.len(), seen.check_ins.len()), (1, 1, 2), "once, and then no more");
    let request = &seen.recoveries[0];
    assert_eq!(request.nonce, "nonce-0");
    let public_key = BASE64.decode(request.public_key.as_bytes()).unwrap();
    let csr = rcgen::CertificateSigningRequestParams::from_pem(&request.csr_pem).unwrap();
    assert_eq!(rcgen::PublicKeyData::der_bytes(&csr.public_key), &public_key[BEFORE_POINT..], "for the same key");
    let signature = BASE64.decode(request.signature.as_bytes()).unwrap();
    let message = recovery_message(&request.nonce, &request.csr_pem);
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &public_key[BEFORE_POINT..]).verify(&message, &signature).unwrap();
}

#[test]
fn the_servers_clock_counts_where_the_laptops_runs_ahead() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    laptop.set_end(now().plus_days(-50));
    gateway.answer(Answers::CartableOfDaysAgo(100));
    let done = laptop.agent(&["once"]);
    assert_eq!(done.code, 0, "{}", done.words);
    let seen = gateway.seen.lock().unwrap();
    assert_eq!((seen.nonces, seen.recoveries.len(), seen.check_ins.len()), (1, 0, 1));
}

#[test]
fn a_clock_that_is_wrong_and_a_recovery_that_fails_silence_no_laptop() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let key = laptop.key();
    for (number, answers) in
        [Answers::NoRecovery(429, "retry-after: 30\r\n"), Answers::NoRecovery(404, ""), Answers::NoRecovery(403, "")]
            .into_iter()
            .enumerate()
    {
        // Again each time: a contact that goes well may renew it.
        laptop.set_end(now().plus_days(-10));
        laptop.set_memory(5_000_000 + 1_000_000 * u64::try_from(number).unwrap());
        gateway.answer(answers.clone());
        let done = laptop.agent(&["once"]);
        assert_eq!(done.code, 0, "{answers:?}: {}", done.words);
        let seen = gateway.seen.lock().unwrap();
        assert_eq!((seen.nonces, seen.check_ins.len()), (number + 1, number + 1), "asked once in each contact");
        assert_eq!(seen.check_ins[number].reports.len(), 1, "{answers:?}");
    }
    assert_eq!(laptop.key(), key);
}

#[test]
fn enrolling_with_a_key_whose_certificate_has_ended_recovers_it() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let key = laptop.key();
    gateway.answer(Answers::Ended);
    let done = laptop.enrol(&gateway);
    assert!(done.code == 0 && done.words.contains("enrolled: device"), "{} {}", done.code, done.words);
    assert_eq!(laptop.key(), key);
    let seen = gateway.seen.lock().unwrap();
    assert_eq!((seen.enrolments.len(), seen.nonces, seen.recoveries.len()), (2, 1, 1));
}

#[test]
fn a_recovery_that_waits_is_said_and_goes_on_with_the_same_key() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let key = laptop.key();
    laptop.set_end(now().plus_days(-10));
    gateway.answer(Answers::Approval);
    for _ in 0..2 {
        let done = laptop.agent(&["once"]);
        assert!(done.code == 4 && done.words.contains("it was away for long"), "{} {}", done.code, done.words);
    }
    let status = laptop.agent(&["status"]);
    assert!(status.code == 4 && status.words.contains("a person must agree in the console"), "{}", status.words);
    gateway.answer(Answers::Cartable);
    assert_eq!(laptop.agent(&["once"]).code, 0);
    assert_eq!(laptop.key(), key);
    let seen = gateway.seen.lock().unwrap();
    let nonces: Vec<&str> = seen.recoveries.iter().map(|request| request.nonce.as_str()).collect();
    assert_eq!(nonces, ["nonce-0", "nonce-1", "nonce-2"], "a new one each time");
    assert!(seen.recoveries.iter().all(|request| request.public_key == seen.recoveries[0].public_key));
    assert_eq!(seen.check_ins.iter().map(|request| request.reports.len()).sum::<usize>(), 1, "nothing was lost");
}

#[test]
fn no_answer_to_a_recovery_costs_the_key_or_a_report() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let key = laptop.key();
    laptop.set_end(now().plus_days(-10));
    let problem =
        |kind: &str| format!(r#"{{"type":"urn:cartable:problem:{kind}","title":"x","status":403,"detail":"y"}}"#);
    for (answers, code) in [
        (Answers::Http(403, "", problem("unproven")), 5),
        (Answers::Http(403, "", problem("recovery-refused")), 5),
        (Answers::Http(404, "", problem("not-found")), 1),
        (Answers::Http(429, "retry-after: 30\r\n", problem("throttled")), 1),
        (Answers::Http(503, "", problem("unavailable")), 1),
        (Answers::Http(200, "", "<html>portal</html>".into()), 1),
        (Answers::Interceptor, 1),
        (Answers::Plain("HTTP/1.1 302 Found\r\nlocation: http://portal.example/\r\n\r\n"), 1),
    ] {
        gateway.answer(answers.clone());
        let done = laptop.agent(&["once"]);
        assert_eq!(done.code, code, "{answers:?}: {}", done.words);
        assert_eq!(laptop.key(), key, "{answers:?}");
        assert_eq!(Spool::peek(&laptop.state().join("spool")).len(), 1, "{answers:?}");
    }
    gateway.answer(Answers::Cartable);
    assert_eq!(laptop.agent(&["once"]).code, 0, "it goes on as before");
    assert_eq!(gateway.seen.lock().unwrap().check_ins[0].reports.len(), 1);
}
