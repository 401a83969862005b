//! Orders, as the agent's program takes them from a gateway: obeyed once, from the pinned root's signer alone, in time, and
//! never again after a power cut.

use std::process::Command;

use cartable_common::{
    ActionId, DeviceId, EnrolmentId, Text,
    action::{
        ActionKind, ActionOrder, ActionOutcome, ActionResult, ReturnNotice, SignedAction, SignedActions, signed_message,
    },
};
use data_encoding::BASE64;
use rcgen::{KeyPair, SigningKey as _};
use uuid::Uuid;

use crate::{
    mishaps::{fill, small_disk},
    support::{Authority, Gateway, Laptop, now, write},
};

/// An order for the device and the enrolment that the test's gateway grants.
fn order(id: u128, kind: ActionKind) -> ActionOrder {
    ActionOrder {
        action_id: ActionId(Uuid::from_u128(id)),
        device_id: DeviceId(Uuid::from_u128(7)),
        enrolment_id: EnrolmentId(Uuid::from_u128(8)),
        kind,
        notice: None,
        counter: i64::try_from(id).unwrap(),
        issued_at: now(),
        expires_at: now().plus_days(1),
    }
}

fn signed((certificate, key): &(String, KeyPair), orders: &[ActionOrder]) -> SignedActions {
    let sign = |order: &ActionOrder| {
        let text = serde_json::to_string(order).unwrap();
        let signature = BASE64.encode(&key.sign(&signed_message(&text)).unwrap());
        SignedAction { text, signature }
    };
    SignedActions { certificate: certificate.clone(), orders: orders.iter().map(sign).collect() }
}

/// Tells `actions` at one contact; what it printed, and what it answered.
fn told(gateway: &Gateway, laptop: &Laptop, actions: SignedActions) -> (String, Vec<(u128, ActionOutcome)>) {
    let before = gateway.seen.lock().unwrap().check_ins.len();
    gateway.seen.lock().unwrap().actions = Some(actions);
    let done = laptop.agent(&["once"]);
    assert_eq!(done.code, 0, "{}", done.words);
    let mut seen = gateway.seen.lock().unwrap();
    seen.actions = None;
    let results = seen.check_ins[before..].iter().flat_map(|request| request.action_results.iter());
    let told = results.map(|result: &ActionResult| (result.action_id.0.as_u128(), result.outcome)).collect();
    (done.words, told)
}

#[test]
fn orders_are_obeyed_in_their_turn_and_answered_once() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let signer = gateway.authority.signer();
    let both = signed(&signer, &[order(2, ActionKind::SendLog), order(1, ActionKind::CheckIn)]);
    let (words, answers) = told(&gateway, &laptop, both.clone());
    assert_eq!(answers, [(1, ActionOutcome::Done), (2, ActionOutcome::Done)]);
    assert!(words.contains("next in 120 s"), "it comes back soon: {words}");
    let (words, answers) = told(&gateway, &laptop, both);
    assert_eq!(answers, [(1, ActionOutcome::Replayed), (2, ActionOutcome::Replayed)], "a copy of an order");
    assert!(words.contains("next in 3600 s"), "{words}");
    let older = signed(&signer, &[ActionOrder { counter: 2, ..order(9, ActionKind::CheckIn) }]);
    assert_eq!(told(&gateway, &laptop, older).1, [(9, ActionOutcome::Replayed)], "a counter that was used");
    let test = signed(&signer, &[order(10, ActionKind::SelfTest)]);
    assert_eq!(told(&gateway, &laptop, test).1, [(10, ActionOutcome::NotPossible)], "there is no drive");
}

#[test]
fn a_whole_report_is_sent_although_nothing_changed() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    assert_eq!(laptop.agent(&["once"]).code, 0);
    let before = gateway.seen.lock().unwrap().check_ins.len();
    let whole = signed(&gateway.authority.signer(), &[order(1, ActionKind::FullReport)]);
    assert_eq!(told(&gateway, &laptop, whole).1, [(1, ActionOutcome::Done)]);
    let seen = gateway.seen.lock().unwrap();
    let reports: Vec<usize> = seen.check_ins[before..].iter().map(|request| request.reports.len()).collect();
    assert_eq!(reports, [0, 1]);
}

#[test]
fn a_whole_report_that_the_disk_does_not_take_is_not_said_to_be_sent() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let spool = laptop.state().join("spool");
    small_disk(&spool);
    fill(&spool.join("ballast"));
    let whole = signed(&gateway.authority.signer(), &[order(1, ActionKind::FullReport)]);
    let (words, answers) = told(&gateway, &laptop, whole);
    let _ = Command::new("umount").arg("-l").arg(&spool).status();
    assert_eq!(answers, [(1, ActionOutcome::Failed)], "{words}");
}

#[test]
fn a_notice_that_no_desktop_reads_is_not_said_to_be_laid_ready() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let notice = Some(ReturnNotice { due_at: now().plus_days(3), place: Text::clean("CDI") });
    let own = signed(&gateway.authority.signer(), &[ActionOrder { notice, ..order(1, ActionKind::ReturnNotice) }]);
    // Nobody named the folder that desktops read.
    assert_eq!(told(&gateway, &laptop, own).1, [(1, ActionOutcome::NotPossible)]);
}

#[test]
fn what_is_late_or_of_a_later_version_is_not_done_and_said_to_be_so() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let signer = gateway.authority.signer();
    let late = ActionOrder {
        issued_at: now().plus_days(-2),
        expires_at: now().plus_millis(-1),
        ..order(1, ActionKind::CheckIn)
    };
    let later_version = order(2, ActionKind::Unknown);
    let (words, answers) = told(&gateway, &laptop, signed(&signer, &[late, later_version]));
    assert_eq!(answers, [(1, ActionOutcome::Expired), (2, ActionOutcome::Unsupported)]);
    assert!(words.contains("next in 3600 s"), "nothing was done: {words}");
}

#[test]
fn nobody_else_orders_anything() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let signer = gateway.authority.signer();
    let own = order(1, ActionKind::CheckIn);
    let elsewhere = ActionOrder { device_id: DeviceId(Uuid::from_u128(9)), ..own.clone() };
    let before = ActionOrder { enrolment_id: EnrolmentId(Uuid::from_u128(9)), ..own.clone() };
    let mut changed = signed(&signer, std::slice::from_ref(&own));
    changed.orders[0].text = changed.orders[0].text.replace("check_in", "send_log");
    let (_, other_key) = gateway.authority.signer();
    for (why, actions) in [
        ("another authority", signed(&Authority::new().signer(), std::slice::from_ref(&own))),
        ("another key", signed(&(signer.0.clone(), other_key), std::slice::from_ref(&own))),
        ("another device's", signed(&signer, &[elsewhere])),
        ("another enrolment's", signed(&signer, &[before])),
        ("another text", changed),
    ] {
        let (words, answers) = told(&gateway, &laptop, actions);
        assert!(answers.is_empty() && words.contains("next in 3600 s"), "{why}: {words}");
    }
    assert_eq!(told(&gateway, &laptop, signed(&signer, &[own])).1, [(1, ActionOutcome::Done)], "the signer's is");
}

#[test]
fn after_a_power_cut_an_order_is_told_to_be_interrupted_and_not_done_again() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let own = signed(&gateway.authority.signer(), &[order(5, ActionKind::CheckIn)]);
    // As the disk is between the counter and the act.
    let begun = format!(r#"{{"highest":5,"doing":"{}"}}"#, Uuid::from_u128(5));
    write(&laptop.state().join("actions.json"), &begun);
    let (words, answers) = told(&gateway, &laptop, own.clone());
    assert_eq!(answers, [(5, ActionOutcome::Interrupted)]);
    assert!(words.contains("next in 3600 s"), "{words}");
    assert_eq!(told(&gateway, &laptop, own.clone()).1, [(5, ActionOutcome::Replayed)]);
    // Whatever stood there: nothing of before is done.
    write(&laptop.state().join("actions.json"), "{");
    assert_eq!(told(&gateway, &laptop, own).1, [(5, ActionOutcome::Replayed)]);
}
