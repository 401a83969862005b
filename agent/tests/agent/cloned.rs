//! A state folder that was copied to other machines: each makes a key of its own, and sends what it measured itself, once.
//! (Killed on the way, at each step, by tests/tests/programs/year_crash.rs.)

use crate::support::{Answers, Gateway, Laptop, now, public_key, write};
use cartable_agent::{actions::DesktopNotice, spool::Spool};
use cartable_common::{
    ActionId, Text,
    action::{ActionOutcome, ActionResult, ReturnNotice},
};
use uuid::Uuid;

/// A laptop that was enrolled as PF2MASTER, spooled a report there, and is PF2CLONE now.
pub(crate) fn copied(gateway: &Gateway) -> Laptop {
    let laptop = Laptop::new();
    laptop.set_serial("PF2MASTER");
    let done = laptop.enrol(gateway);
    assert_eq!(done.code, 0, "{}", done.words);
    gateway.answer(Answers::Http(503, "", String::new()));
    assert_eq!(laptop.agent(&["once"]).code, 1);
    assert_eq!(spooled(&laptop), 1);
    laptop.set_serial("PF2CLONE");
    laptop
}

pub(crate) fn spooled(laptop: &Laptop) -> usize {
    Spool::peek(&laptop.state().join("spool")).len()
}

/// Takes the memory of the machine out of the enrolment, as an older agent left it.
fn as_of_an_older_agent(laptop: &Laptop) {
    let path = laptop.state().join("enrolment.json");
    let mut enrolment: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert!(enrolment.as_object_mut().unwrap().remove("machine").is_some());
    std::fs::write(&path, enrolment.to_string()).unwrap();
}

/// The serial numbers of the reports that arrived.
pub(crate) fn arrived(gateway: &Gateway) -> Vec<String> {
    let seen = gateway.seen.lock().unwrap();
    let reports = seen.check_ins.iter().flat_map(|check_in| &check_in.reports);
    reports.map(|one| one.report.hardware.serial_number.get().unwrap().to_string()).collect()
}

#[test]
fn a_copied_agent_asks_for_its_own_key_before_it_says_anything() {
    let gateway = Gateway::start();
    let laptop = copied(&gateway);
    let key = laptop.key();
    // This gateway would take the old key.
    gateway.answer(Answers::Cartable);
    let done = laptop.agent(&["once"]);
    assert_eq!(done.code, 0, "{}", done.words);
    assert!(done.words.contains("reports that came with the image were dropped"), "{}", done.words);
    assert_ne!(laptop.key(), key);
    assert_eq!(arrived(&gateway), ["PF2CLONE"], "its own report, not the master's");
    assert!(!laptop.state().join("healing.json").exists());
    assert_eq!(laptop.agent(&["once"]).code, 0);
    let seen = gateway.seen.lock().unwrap();
    assert_eq!(seen.heals.len(), 1, "once");
    assert_eq!(seen.heals[0].hardware.serial_number.get().unwrap().as_str(), "PF2CLONE");
    assert_eq!(seen.enrolments.len(), 1, "without a token");
}

#[test]
fn what_was_ordered_of_the_master_is_neither_shown_nor_told_by_its_copy() {
    for told_by_the_server in [false, true] {
        let gateway = Gateway::start();
        let laptop = copied(&gateway);
        let place = Text::clean("Atelier du master");
        let notice = DesktopNotice::new(ReturnNotice { due_at: now().plus_days(3), place }, now().plus_days(14));
        let result = ActionResult::plain(ActionId(Uuid::from_u128(5)), ActionOutcome::Done);
        let kept = serde_json::json!({ "highest": 5, "results": [result], "notice": notice });
        let actions = laptop.state().join("actions.json");
        write(&actions, &kept.to_string());
        if told_by_the_server {
            as_of_an_older_agent(&laptop);
        }
        gateway.answer(if told_by_the_server { Answers::Cloned } else { Answers::Cartable });
        let done = laptop.agent(&["once"]);
        assert_eq!(done.code, 0, "{}", done.words);
        let seen = gateway.seen.lock().unwrap();
        assert!(seen.check_ins.iter().all(|check_in| check_in.action_results.is_empty()), "{:?}", seen.check_ins);
        let left: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&actions).unwrap()).unwrap();
        assert_eq!(left, serde_json::json!({ "highest": 5 }));
    }
}

#[test]
fn an_agent_that_remembers_no_machine_heals_when_it_is_told() {
    let gateway = Gateway::start();
    let laptop = copied(&gateway);
    as_of_an_older_agent(&laptop);
    gateway.answer(Answers::Cloned);
    let done = laptop.agent(&["once"]);
    assert_eq!(done.code, 0, "{}", done.words);
    assert_eq!(arrived(&gateway), ["PF2CLONE"]);
    assert_eq!(gateway.seen.lock().unwrap().heals.len(), 1);
}

#[test]
fn who_waits_for_a_person_keeps_its_reports_and_asks_the_same_again() {
    let gateway = Gateway::start();
    let laptop = copied(&gateway);
    let key = laptop.key();
    gateway.answer(Answers::ClonedWaits);
    for size in [5_000_000, 6_000_000] {
        laptop.set_memory(size);
        let done = laptop.agent(&["once"]);
        assert_eq!(done.code, 4, "{}", done.words);
        assert!(done.words.contains("a person must approve it"), "{}", done.words);
    }
    assert_eq!(laptop.key(), key, "the old key stays until there is another");
    assert_eq!(spooled(&laptop), 3, "the master's report and its own two");
    assert!(laptop.agent(&["status", "--lang", "en"]).words.contains("another machine's"));
    gateway.answer(Answers::Cloned);
    let done = laptop.agent(&["once"]);
    assert_eq!(done.code, 0, "{}", done.words);
    assert_eq!(arrived(&gateway), ["PF2CLONE", "PF2CLONE"]);
    let seen = gateway.seen.lock().unwrap();
    assert_eq!(seen.heals.len(), 3);
    assert!(seen.heals.iter().all(|heal| heal.request_id == seen.heals[0].request_id), "one request");
}

#[test]
fn a_lost_answer_is_asked_for_again_with_the_same_key() {
    let gateway = Gateway::start();
    let laptop = copied(&gateway);
    gateway.answer(Answers::ClonedLost);
    assert_eq!(laptop.agent(&["once"]).code, 1);
    gateway.answer(Answers::Cloned);
    let done = laptop.agent(&["once"]);
    assert_eq!(done.code, 0, "{}", done.words);
    let seen = gateway.seen.lock().unwrap();
    assert_eq!(seen.heals.len(), 2);
    assert_eq!(seen.heals[0].request_id, seen.heals[1].request_id);
    assert_eq!(public_key(&seen.heals[0].csr_pem), public_key(&seen.heals[1].csr_pem));
}

#[test]
fn a_copied_agent_whose_certificate_has_ended_recovers_the_old_key_and_heals_with_it() {
    for of_an_older_agent in [false, true] {
        let gateway = Gateway::start();
        let laptop = copied(&gateway);
        if of_an_older_agent {
            as_of_an_older_agent(&laptop);
        }
        gateway.answer(Answers::ClonedEnded);
        let done = laptop.agent(&["once"]);
        assert_eq!(done.code, 0, "{}", done.words);
        assert_eq!(arrived(&gateway), ["PF2CLONE"]);
        let seen = gateway.seen.lock().unwrap();
        assert_eq!((seen.recoveries.len(), seen.heals.len()), (1, 1), "once each");
    }
}
