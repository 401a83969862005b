//! The server's root is changed: a laptop follows while it is awake, catches up when it slept, and believes nobody's chain but
//! that of its own roots.

use cartable_common::trust::{TrustChain, bundle_number};

use crate::support::{Answers, Authority, Gateway, Laptop, now};

fn held(laptop: &Laptop) -> u32 {
    bundle_number(laptop.enrolment()["roots_pem"].as_str().unwrap())
}

fn offer(gateway: &Gateway, chain: TrustChain) {
    gateway.seen.lock().unwrap().chain = chain;
}

/// Root, then both, then the next one alone.
fn rotation(gateway: &Gateway) -> TrustChain {
    let (old, next) = (&gateway.authority, &gateway.next);
    TrustChain { bundles: vec![old.bundle(2, &[old, next]), next.bundle(3, &[next])] }
}

#[test]
fn a_laptop_that_is_awake_takes_the_newer_roots_and_says_so_from_then_on() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let (old, next) = (&gateway.authority, &gateway.next);
    offer(&gateway, TrustChain { bundles: vec![old.bundle(2, &[old, next])] });
    for _ in 0..3 {
        let done = laptop.agent(&["once"]);
        assert_eq!(done.code, 0, "{}", done.words);
    }
    let seen = gateway.seen.lock().unwrap();
    let told: Vec<Option<u32>> = seen.check_ins.iter().map(|request| request.trust_bundle).collect();
    assert_eq!((told, seen.chains), (vec![None, Some(2), Some(2)], 1));
    drop(seen);
    assert_eq!(held(&laptop), 2);
    // Both count now.
    for answers in [Answers::Cartable, Answers::NextRoot] {
        gateway.answer(answers);
        assert_eq!(laptop.agent(&["once"]).code, 0);
    }
    assert_eq!(gateway.seen.lock().unwrap().chains, 1);
}

#[test]
fn a_laptop_that_slept_through_the_change_catches_up_by_itself_and_keeps_its_key() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let key = laptop.key();
    offer(&gateway, rotation(&gateway));
    gateway.answer(Answers::NextRoot);
    for _ in 0..2 {
        let done = laptop.agent(&["once"]);
        assert_eq!(done.code, 0, "{}", done.words);
    }
    assert_eq!((held(&laptop), laptop.key()), (3, key));
    assert_eq!(gateway.seen.lock().unwrap().chains, 1, "asked once, then known");
    // The retired root counts no more, and nothing leads back to it.
    gateway.answer(Answers::Cartable);
    assert_eq!(laptop.agent(&["once"]).code, 1);
    assert_eq!(held(&laptop), 3);
}

#[test]
fn a_certificate_that_ended_meanwhile_is_recovered_with_the_newer_roots() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    offer(&gateway, rotation(&gateway));
    gateway.answer(Answers::NextRoot);
    laptop.set_end(now().plus_days(-10));
    let done = laptop.agent(&["once"]);
    assert_eq!(done.code, 0, "{}", done.words);
    let seen = gateway.seen.lock().unwrap();
    assert_eq!((seen.chains, seen.recoveries.len(), seen.check_ins.len()), (1, 1, 1));
}

#[test]
fn a_request_that_waits_for_a_person_follows_too() {
    let gateway = Gateway::start();
    let laptop = Laptop::new();
    gateway.answer(Answers::Approval);
    assert_eq!(laptop.enrol(&gateway).code, 4);
    offer(&gateway, rotation(&gateway));
    gateway.answer(Answers::NextRoot);
    let done = laptop.enrol(&gateway);
    assert_eq!(done.code, 0, "{}", done.words);
    assert_eq!(held(&laptop), 3);
}

#[test]
fn no_chain_but_that_of_the_own_roots_is_believed() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let before = laptop.enrolment();
    let (old, next, foreign) = (&gateway.authority, &gateway.next, Authority::new());
    let both = old.bundle(2, &[old, next]);
    let mut altered = both.clone();
    altered.roots.reverse();
    for (what, bundles) in [
        ("nothing", vec![]),
        ("a stranger's", vec![foreign.bundle(2, &[&foreign, next])]),
        ("the new root's own word", vec![next.bundle(2, &[old, next])]),
        ("without its middle", vec![next.bundle(3, &[next])]),
        ("altered", vec![altered]),
        ("a number that is not newer", vec![old.bundle(1, &[old, next])]),
    ] {
        offer(&gateway, TrustChain { bundles });
        gateway.answer(Answers::NextRoot);
        let done = laptop.agent(&["once"]);
        assert!(done.code == 1 && done.words.contains("cannot prove"), "{what}: {}", done.words);
        assert_eq!(laptop.enrolment(), before, "{what}");
    }
    assert_eq!(gateway.seen.lock().unwrap().chains, 6, "asked once in a contact");
    // An interceptor that shows the true chain gains nothing by it.
    offer(&gateway, TrustChain { bundles: vec![both] });
    gateway.answer(Answers::Interceptor);
    assert_eq!(laptop.agent(&["once"]).code, 1);
    assert!(gateway.seen.lock().unwrap().check_ins.is_empty());
    gateway.answer(Answers::NextRoot);
    assert_eq!(laptop.agent(&["once"]).code, 0);
}
