//! The agent between its gateway and strangers: nothing is lost, nothing leaks, and the technician is told.

use cartable_agent::{
    client::{Client, Connect, Proxy},
    spool::Spool,
    state::StateDir,
};
use cartable_common::{Text, protocol::CheckInRequest};

use crate::support::{Answers, Gateway, Laptop, now};

#[test]
fn a_laptop_enrols_reports_and_then_only_says_that_nothing_changed() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    for _ in 0..3 {
        let done = laptop.agent(&["once"]);
        assert_eq!(done.code, 0, "{}", done.words);
    }
    let seen = gateway.seen.lock().unwrap();
    let reports: Vec<usize> = seen.check_ins.iter().map(|request| request.reports.len()).collect();
    assert_eq!(reports, [1, 0, 0]);
    assert_eq!(seen.check_ins[0].reports[0].sequence, 1);
    assert_eq!(seen.renewals, 1, "the gateway asked once");
    assert!(seen.request_bytes.last().unwrap() <= &400, "{:?} bytes", seen.request_bytes.last());
    drop(seen);
    let status = laptop.agent(&["status"]);
    assert_eq!(status.code, 1, "{}", status.words);
    assert!(status.words.contains("The service is not running"), "`once` is not the service: {}", status.words);
}

#[test]
fn enrolment_waits_for_approval_and_repeats_the_same_request() {
    let gateway = Gateway::start();
    let laptop = Laptop::new();
    gateway.answer(Answers::Approval);
    assert_eq!(laptop.enrol(&gateway).code, 4);
    let status = laptop.agent(&["status"]);
    assert!(status.code == 4 && status.words.contains("the serial number is known"), "{}", status.words);
    gateway.answer(Answers::Cartable);
    assert_eq!(laptop.enrol(&gateway).code, 0);
    let seen = gateway.seen.lock().unwrap();
    assert_eq!(seen.enrolments[0].request_id, seen.enrolments[1].request_id);
    let key = |index: usize| {
        rcgen::CertificateSigningRequestParams::from_pem(&seen.enrolments[index].csr_pem).unwrap().public_key
    };
    assert_eq!(rcgen::PublicKeyData::der_bytes(&key(0)), rcgen::PublicKeyData::der_bytes(&key(1)));
    assert!(!laptop.state().join("pending.json").exists(), "the token is forgotten");
}

#[test]
fn a_portal_of_any_kind_loses_nothing_and_leaks_nothing() {
    let page = "<!DOCTYPE html><title>Wi-Fi du collège</title>".to_owned();
    let strangers = [
        (Answers::Http(302, "location: http://portal.example/\r\n", String::new()), "portal"),
        (Answers::Http(200, "content-type: text/html\r\n", page.clone()), "portal"),
        (Answers::Http(511, "", page), "portal"),
        (Answers::Http(200, "", "x".repeat(70_000)), "portal"),
        (Answers::Plain("HTTP/1.1 302 Found\r\nlocation: http://portal.example/\r\n\r\n"), "portal"),
        (Answers::Interceptor, "cannot prove"),
    ];
    for (stranger, word) in strangers {
        let gateway = Gateway::start();
        let laptop = Laptop::enrolled(&gateway);
        let key = laptop.key();
        gateway.answer(stranger.clone());
        let done = laptop.agent(&["once"]);
        assert!(done.code == 1 && done.words.contains(word), "{stranger:?}: {}", done.words);
        let status = laptop.agent(&["status"]);
        assert!(status.code == 1 && status.words.contains("Reports waiting: 1"), "{stranger:?}: {}", status.words);
        laptop.set_memory(2_000_000);
        laptop.agent(&["once"]);
        {
            let seen = gateway.seen.lock().unwrap();
            assert!(seen.check_ins.is_empty());
            let clear = String::from_utf8_lossy(&seen.clear_text).into_owned();
            for secret in ["secret", "MemTotal", "memory", "POST", "report"] {
                assert!(!clear.contains(secret), "{stranger:?} saw {secret}");
            }
        }
        gateway.answer(Answers::Cartable);
        let done = laptop.agent(&["once"]);
        assert_eq!(done.code, 0, "{}", done.words);
        let seen = gateway.seen.lock().unwrap();
        let sequences: Vec<u64> = seen.check_ins[0].reports.iter().map(|report| report.sequence).collect();
        assert_eq!(sequences, [1, 2], "{stranger:?}");
        assert_eq!(laptop.key(), key);
    }
}

#[test]
fn a_portal_learns_no_token_at_enrolment() {
    let gateway = Gateway::start();
    let laptop = Laptop::new();
    for stranger in [Answers::Interceptor, Answers::Plain("HTTP/1.1 200 OK\r\n\r\n<html>")] {
        gateway.answer(stranger.clone());
        let done = laptop.enrol(&gateway);
        assert_eq!(done.code, 1, "{}", done.words);
        assert!(!done.words.contains("a-secret-token"), "{}", done.words);
        assert!(!String::from_utf8_lossy(&gateway.seen.lock().unwrap().clear_text).contains("secret"), "{stranger:?}");
    }
}

#[test]
fn each_failure_has_its_words_and_the_key_survives_all() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let key = laptop.key();
    let problem =
        r#"{"type":"urn:cartable:problem:revoked","title":"Revoked","status":403,"detail":"Ask the office."}"#;
    for (answers, code, words) in [
        (Answers::Http(403, "", problem.to_owned()), 5, "Ask the office."),
        (Answers::Http(401, "", String::new()), 5, "refuses this computer"),
        (Answers::Http(503, "retry-after: 120\r\n", String::new()), 1, "server is busy"),
        (Answers::Http(500, "", String::new()), 1, "internal fault"),
        (Answers::Http(404, "", String::new()), 1, "message wrong"),
        (Answers::Http(200, "", "{}".to_owned()), 1, "not a Cartable server"),
        (Answers::CartableOfThePast, 1, "Check date and time"),
    ] {
        gateway.answer(answers.clone());
        let done = laptop.agent(&["once"]);
        assert!(done.code == code && done.words.contains(words), "{answers:?}: {} {}", done.code, done.words);
        assert_eq!(laptop.agent(&["status"]).code, code, "{answers:?}");
    }
    assert_eq!(laptop.key(), key);
    let unknown_name = Laptop::new();
    let roots = laptop.path("roots.pem").to_string_lossy().into_owned();
    let done = unknown_name.agent(&["enrol", "--server", "https://nothing.invalid", "--token", "t", "--roots", &roots]);
    assert!(done.code == 1 && done.words.contains("name cannot be found"), "{}", done.words);
}

#[tokio::test]
async fn the_second_check_in_of_a_process_resumes_its_session() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let enrolment = StateDir::existing(&laptop.state()).unwrap().enrolment().unwrap().unwrap();
    let mut connect = Connect::new(gateway.url().parse().unwrap(), &enrolment.roots_pem).unwrap();
    connect.proxy = Proxy::Direct;
    let client = Client::new(&connect, &enrolment.key().unwrap(), &enrolment.grant.certificate_chain_pem).unwrap();
    let request = CheckInRequest::bare(Text::clean("test"), now());
    client.check_in(&request).await.unwrap();
    // The gateway notes a connection when the agent has closed it: each must be closed by itself.
    let closed = || gateway.seen.lock().unwrap().resumed.len();
    while closed() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    client.check_in(&request).await.unwrap();
    while closed() < 3 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(gateway.seen.lock().unwrap().resumed, [false, false, true]);
}

#[test]
fn a_spool_longer_than_a_message_arrives_whole_and_in_order() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let mut spool = Spool::open(&laptop.state().join("spool")).unwrap();
    for _ in 0..100 {
        let id = cartable_common::ReportId(uuid::Uuid::new_v4());
        spool.push(id, now(), cartable_common::report::HealthReport::default()).unwrap();
    }
    drop(spool);
    assert_eq!(laptop.agent(&["once"]).code, 0);
    let seen = gateway.seen.lock().unwrap();
    let sequences: Vec<u64> =
        seen.check_ins.iter().flat_map(|r| r.reports.iter().map(|report| report.sequence)).collect();
    assert_eq!(sequences, (1..=101).collect::<Vec<_>>());
    assert!(Spool::peek(&laptop.state().join("spool")).is_empty());
}

#[test]
fn a_token_that_is_not_accepted_is_told_from_a_computer_that_is_refused() {
    let gateway = Gateway::start();
    let laptop = Laptop::new();
    let problem = r#"{"type":"urn:cartable:problem:token","title":"Token not accepted","status":403,"detail":"Ask."}"#;
    gateway.answer(Answers::Http(403, "", problem.to_owned()));
    for done in [laptop.enrol(&gateway), laptop.agent(&["status"])] {
        assert!(done.code == 5 && done.words.contains("another token"), "{} {}", done.code, done.words);
        assert!(done.words.contains("Token not accepted"), "{}", done.words);
    }
    gateway.answer(Answers::Cartable);
    assert_eq!(laptop.enrol(&gateway).code, 0);
    assert!(!laptop.agent(&["status"]).words.contains("token"), "what was granted since is not complained about");
}

#[test]
fn a_missing_file_of_roots_is_named_with_what_prints_it() {
    let server = ["enrol", "--server", "https://a.example", "--token", "t", "--roots", "nowhere.pem"];
    let done = Laptop::new().agent(&server);
    assert!(done.code == 8 && done.words.contains("nowhere.pem"), "{}", done.words);
    assert!(done.words.contains("show-roots"), "{}", done.words);
}
