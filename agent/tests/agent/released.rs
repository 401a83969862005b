//! A computer that changed owner: its agent leaves nothing behind, and only when its own server orders this very agent.

use crate::support::{Answers, Gateway, Laptop, write};

/// A refusal with the order to leave. The test's gateway grants device 7 and enrolment 8.
fn words(device: u128, enrolment: u128) -> String {
    let (device, enrolment) = (uuid::Uuid::from_u128(device), uuid::Uuid::from_u128(enrolment));
    format!(
        r#"{{"type":"urn:cartable:problem:released","title":"Device released","status":403,"detail":"This device has left the programme.","release":{{"device_id":"{device}","enrolment_id":"{enrolment}"}}}}"#
    )
}

fn order(device: u128, enrolment: u128) -> Answers {
    Answers::Http(403, "", words(device, enrolment))
}

#[test]
fn an_agent_that_is_ordered_to_leave_removes_key_spool_and_state() {
    for command in [&["once"][..], &["run", "--first-within", "0"]] {
        let gateway = Gateway::start();
        let laptop = Laptop::enrolled(&gateway);
        // Something is spooled that nobody will take any more.
        gateway.answer(Answers::Http(503, "", String::new()));
        assert_eq!(laptop.agent(&["once"]).code, 1);
        assert!(laptop.state().join("spool").exists());
        gateway.answer(order(7, 8));
        let done = laptop.agent(command);
        assert!(done.code == 7 && done.words.contains("changed owner"), "{command:?}: {} {}", done.code, done.words);
        let left: Vec<_> = std::fs::read_dir(laptop.state()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "{command:?}: {left:?}");
        let again = laptop.agent(command);
        assert_eq!(again.code, 3, "{}", again.words);
        let status = laptop.agent(&["status"]);
        assert!(status.code == 3 && status.words.contains("the agent removed itself"), "{}", status.words);
    }
}

#[test]
fn the_order_to_leave_counts_although_another_key_was_asked_for_when_the_tpm_lost_this_one() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let other = Laptop::new();
    gateway.answer(Answers::Queue);
    assert_eq!(other.enrol(&gateway).code, 4);
    let waits = std::fs::read_to_string(other.state().join("pending.json")).unwrap();
    let mut waits: serde_json::Value = serde_json::from_str(&waits).unwrap();
    waits["lost_key"] = "AAAA".into();
    write(&laptop.state().join("pending.json"), &waits.to_string());
    gateway.answer(order(7, 8));
    let done = laptop.agent(&["once"]);
    assert_eq!(done.code, 7, "{}", done.words);
    assert_eq!(std::fs::read_dir(laptop.state()).unwrap().count(), 0);
}

#[test]
fn no_other_refusal_removes_anything() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let key = laptop.key();
    let own = words(7, 8);
    for (answers, code) in [
        // Another device's order, another enrolment's, and a refusal without one.
        (order(9, 8), 5),
        (order(7, 9), 5),
        (Answers::Http(403, "", r#"{"type":"urn:cartable:problem:released","title":"x","status":403}"#.into()), 5),
        // The right words in the wrong place: no refusal, or not from the pinned server.
        (Answers::Http(503, "", own.clone()), 1),
        (Answers::Http(404, "", own.clone()), 1),
        (Answers::Http(200, "", own), 1),
        (Answers::Interceptor, 1),
    ] {
        gateway.answer(answers.clone());
        let done = laptop.agent(&["once"]);
        assert_eq!(done.code, code, "{answers:?}: {}", done.words);
        assert_eq!(laptop.key(), key, "{answers:?}");
    }
    gateway.answer(Answers::Cartable);
    assert_eq!(laptop.agent(&["once"]).code, 0, "it goes on as before");
}
