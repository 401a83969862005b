//! The authority's keys are changed with the real commands: the real agent follows while it is awake, and finds its way back
//! when it slept through all of it.

use cartable_common::trust::bundle_number;
use cartable_server::clock;
use serde_json::Value;

use crate::{
    laptop::{PAST, restart},
    recovery::{Cupboard, FUTURE},
};

impl Cupboard {
    fn change(&self, step: &str) {
        self.port.installation.run(&format!("authority {step}"), &[], "").unwrap();
    }

    fn restart(&mut self) {
        restart(&mut self.port);
    }

    fn change_root(&mut self) {
        for step in ["begin-root", "switch-root", "retire-root"] {
            self.change(step);
        }
        self.restart();
    }

    fn bundle(&self) -> u32 {
        bundle_number(self.enrolment()["roots_pem"].as_str().unwrap())
    }

    fn chain(&self) -> Value {
        self.enrolment()["grant"]["certificate_chain_pem"].clone()
    }
}

/// Two changes of the root while the laptop is shut for 399 days; its certificate has ended too.
async fn sleeps_through_two_changes(ends: i64) {
    let mut laptop = Cupboard::new().await;
    let before = laptop.enrolment();
    laptop.shut_for(399, ends).await;
    laptop.change_root();
    laptop.change_root();
    laptop.comes_back();
    let after = laptop.enrolment();
    for same in ["key_pem", "server", "request_id"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    assert_eq!(laptop.bundle(), 5);
    assert!(after["grant"]["not_after"].as_i64().unwrap() > clock::now().plus_days(179).get());
    assert_eq!((laptop.count("recovery").await, laptop.count("report").await, laptop.spooled()), (1, 1, 0));
    // From now on it is a laptop like any other.
    assert_eq!(laptop.contact().0, Some(0));
    assert_eq!(laptop.raw.number("SELECT trust_bundle FROM enrolment").await.unwrap(), 5);
    assert_eq!(laptop.count("recovery").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_that_slept_through_two_changes_of_the_root_comes_back_by_itself() {
    sleeps_through_two_changes(PAST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_does_one_whose_clock_is_years_behind() {
    sleeps_through_two_changes(FUTURE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_that_is_awake_follows_each_step_without_a_recovery() {
    let mut laptop = Cupboard::new().await;
    laptop.comes_back();
    let status = |laptop: &Cupboard| laptop.port.installation.run("authority status", &[], "").unwrap();
    assert!(status(&laptop).contains("bundle\t1\n"), "{}", status(&laptop));
    laptop.change("begin-root");
    laptop.restart();
    assert!(status(&laptop).contains("holders\t0\n"), "{}", status(&laptop));
    let sleepers = laptop.port.installation.run("authority sleepers", &[], "").unwrap();
    assert!(sleepers.contains(&laptop.agent().device_id().unwrap()) && sleepers.contains("PF2CUPBOARD"), "{sleepers}");
    // One contact to hear of it, one to say that it holds it.
    laptop.comes_back();
    laptop.comes_back();
    assert_eq!(laptop.bundle(), 2);
    assert!(status(&laptop).contains("devices\t1\nholders\t1\n"), "{}", status(&laptop));
    assert_eq!(laptop.port.installation.run("authority sleepers", &[], "").unwrap(), "");

    laptop.change("switch-root");
    laptop.restart();
    let before = laptop.chain();
    assert_eq!(laptop.contact().0, Some(0), "certificates under the old root still count");
    assert_eq!(laptop.chain(), before);
    assert_eq!(laptop.count("recovery").await, 0);
    let acts = laptop.port.installation.run("audit list", &[], "").unwrap();
    assert!(acts.contains("authority.begin_root") && acts.contains("authority.switch_root"), "{acts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_intermediates_go_unnoticed_and_the_earlier_one_may_be_dropped() {
    let mut laptop = Cupboard::new().await;
    laptop.comes_back();
    let (key, first) = (laptop.enrolment()["key_pem"].clone(), laptop.chain());
    laptop.change("renew-devices");
    laptop.change("renew-gateway");
    laptop.restart();
    assert_eq!(laptop.contact().0, Some(0));
    assert_eq!((laptop.chain(), laptop.count("recovery").await), (first.clone(), 0));

    // As after a theft of the intermediate's key: its certificates count no more, and the laptop's own still runs.
    laptop.change("drop-earlier");
    laptop.restart();
    laptop.comes_back();
    assert_ne!(laptop.chain(), first);
    assert_eq!((laptop.enrolment()["key_pem"].clone(), laptop.count("recovery").await), (key, 1));
    assert_eq!(laptop.contact().0, Some(0));
}
