//! A laptop that enrols once more: beside an enrolment that serves, after a mistyped address, on a disk that came from another
//! machine. Of the requests that a person sees, the laptop holds the key.

use std::{process::Child, time::Instant};

use crate::{
    cloned::{arrived, copied, spooled},
    support::{Answers, Gateway, Laptop, public_key, write},
};
use uuid::Uuid;

/// The ids of the requests to enrol, in their order.
fn asked(gateway: &Gateway) -> Vec<Uuid> {
    gateway.seen.lock().unwrap().enrolments.iter().map(|request| request.request_id).collect()
}

/// Asks with a new key; gives the exit code.
fn enrol_anew(laptop: &Laptop, gateway: &Gateway) -> i32 {
    laptop.enrol_at(&gateway.url(), gateway, &["--new-key"]).code
}

/// Waits until `is_so`, then ends the service.
fn until(mut service: Child, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed().as_secs() < 30, "nothing happens");
        assert!(service.try_wait().unwrap().is_none(), "the service ended");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    service.kill().unwrap();
    service.wait().unwrap();
}

#[test]
fn a_request_beside_an_enrolment_is_repeated_in_each_contact_and_taken_in_the_first_after_its_approval() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let key = laptop.key();
    gateway.answer(Answers::Queue);
    assert_eq!(enrol_anew(&laptop, &gateway), 4);
    assert_eq!(laptop.agent(&["once"]).code, 0, "the old one serves");
    assert_eq!(laptop.key(), key);
    let ids = asked(&gateway);
    assert!(ids.len() == 3 && ids[0] != ids[1] && ids[1] == ids[2], "{ids:?}");
    gateway.answer(Answers::Cartable);
    let done = laptop.agent(&["once"]);
    assert_eq!(done.code, 0, "{}", done.words);
    assert_ne!(laptop.key(), key);
    assert!(!laptop.state().join("pending.json").exists());
    assert_eq!(asked(&gateway).len(), 4);
    assert_eq!(laptop.agent(&["once"]).code, 0);
    assert_eq!(asked(&gateway).len(), 4, "it is over");
}

#[test]
fn another_new_key_is_made_once_the_one_that_asked_is_refused_and_not_before() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    gateway.answer(Answers::Queue);
    assert_eq!([enrol_anew(&laptop, &gateway), enrol_anew(&laptop, &gateway)], [4, 4]);
    // A token that is worth nothing says nothing of the key.
    gateway.answer(Answers::NoEnrolment("token"));
    assert_eq!(enrol_anew(&laptop, &gateway), 5);
    gateway.answer(Answers::NoEnrolment("revoked"));
    assert_eq!(enrol_anew(&laptop, &gateway), 5);
    let ids = asked(&gateway);
    assert!(ids[1..].iter().all(|id| *id == ids[1]), "{ids:?}");
    assert_eq!(laptop.agent(&["once"]).code, 0, "and a contact asks no more for what is refused");
    assert_eq!(asked(&gateway).len(), ids.len());
    gateway.answer(Answers::Queue);
    assert_eq!(enrol_anew(&laptop, &gateway), 4);
    assert_ne!(asked(&gateway)[5], ids[1]);
}

#[test]
fn a_mistyped_address_costs_no_request_that_waits() {
    let (gateway, other) = (Gateway::start(), Gateway::start());
    let laptop = Laptop::new();
    gateway.answer(Answers::Queue);
    other.answer(Answers::Queue);
    assert_eq!(laptop.enrol(&gateway).code, 4);
    assert_eq!(laptop.enrol_at("https://127.0.0.1:1", &gateway, &[]).code, 1);
    assert_eq!(laptop.enrol(&other).code, 4);
    assert_eq!(laptop.enrol(&gateway).code, 4);
    assert_eq!(laptop.enrol(&other).code, 4);
    let [ids, others] = [asked(&gateway), asked(&other)];
    assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
    assert!(others.len() == 2 && others[0] == others[1] && others[0] != ids[0], "{others:?}");
    gateway.answer(Answers::Cartable);
    assert_eq!(laptop.enrol(&gateway).code, 0);
    let csr = |at: usize| gateway.seen.lock().unwrap().enrolments[at].csr_pem.clone();
    assert_eq!(public_key(&csr(0)), public_key(&csr(2)), "the key that waited");
}

#[test]
fn a_copy_that_enrols_with_a_token_leaves_to_the_other_what_it_measured() {
    for more in [&[][..], &["--new-key"]] {
        let gateway = Gateway::start();
        let laptop = copied(&gateway);
        let key = laptop.key();
        gateway.answer(Answers::Cartable);
        gateway.seen.lock().unwrap().device = Some(9);
        let done = laptop.enrol_at(&gateway.url(), &gateway, more);
        assert_eq!(done.code, 0, "{}", done.words);
        assert_ne!(laptop.key(), key, "the key is the other's");
        assert_eq!(spooled(&laptop), 0);
        let done = laptop.agent(&["once"]);
        assert_eq!(done.code, 0, "{}", done.words);
        assert_eq!(arrived(&gateway), ["PF2CLONE"]);
        assert!(gateway.seen.lock().unwrap().heals.is_empty());
    }
}

#[test]
fn a_copy_that_waits_for_a_key_of_its_own_shows_the_token_with_that_key() {
    let gateway = Gateway::start();
    let laptop = copied(&gateway);
    gateway.answer(Answers::ClonedWaits);
    assert_eq!(laptop.agent(&["once"]).code, 4);
    let waits = gateway.seen.lock().unwrap().heals[0].request_id;
    gateway.answer(Answers::Queue);
    assert_eq!(laptop.enrol(&gateway).code, 4);
    assert_eq!(asked(&gateway)[1], waits);
    assert!(laptop.state().join("healing.json").exists());
}

#[test]
fn a_laptop_that_is_locked_out_by_another_ones_report_lets_it_go() {
    let gateway = Gateway::start();
    let laptop = copied(&gateway);
    gateway.answer(Answers::Cartable);
    // As an agent from before left it: enrolled as itself, with the master's report before its own.
    assert_eq!(enrol_anew(&laptop, &gateway), 0);
    assert_eq!(spooled(&laptop), 1, "the device is the same to this gateway");
    gateway.seen.lock().unwrap().device = Some(7);
    gateway.answer(Answers::Cloned);
    let done = laptop.agent(&["once"]);
    assert_eq!(done.code, 0, "{}", done.words);
    assert!(done.words.contains("reports that came with the image were dropped"), "{}", done.words);
    assert_eq!(arrived(&gateway), ["PF2CLONE"]);
}

#[test]
fn a_broken_invitation_stops_no_laptop_that_is_enrolled_or_waits() {
    let gateway = Gateway::start();
    for is_enrolled in [true, false] {
        let laptop = Laptop::new();
        gateway.answer(if is_enrolled { Answers::Cartable } else { Answers::Queue });
        assert_eq!(laptop.enrol(&gateway).code, if is_enrolled { 0 } else { 4 });
        let folder = laptop.path("invitations");
        write(&folder.join("enrol.conf"), "sever = https://mistyped.example\n");
        gateway.answer(Answers::Cartable);
        let folder = folder.to_string_lossy().into_owned();
        let before = gateway.seen.lock().unwrap().check_ins.len();
        let mut command = laptop.command(&["run", "--first-within", "0", "--invitations", &folder]);
        until(command.spawn().unwrap(), || gateway.seen.lock().unwrap().check_ins.len() > before);
        assert!(!laptop.path("invitations").join("enrol.conf").exists(), "it is followed no more");
    }
}
