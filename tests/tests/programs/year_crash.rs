//! kill -9 at each step of enrolment, report, renewal and recovery, and a disk that is full from each durable write on:
//! the laptop comes back by itself, with the key that the server knows, and what it measured arrives.
//!
//! The steps are the agent's own system calls, as strace sees them in a first run: files made, written, made durable,
//! renamed and removed, and each word to and from the server. Killed at the n-th, it did all before it and nothing after.

#![cfg(target_os = "linux")]

use std::process::Command;

use cartable_tests::year::{
    Laptop, Year,
    traced::{self, Step},
};

/// Most steps of a journey that are tried; of more, every second or third. (A recovery has about 60.)
const MOST_STEPS: usize = 72;

/// More than any journey's durable writes: a recovery has 12.
const MOST_WRITES: usize = 16;

/// What a laptop is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Journey {
    Enrol,
    Report,
    Renew,
    Recover,
}

impl Journey {
    /// Days from the enrolment until it is due.
    const fn days(self) -> i64 {
        match self {
            Self::Enrol | Self::Report => 0,
            // Between 60 and 70 days, by chance; from 75 on the server would ask for it.
            Self::Renew => 72,
            Self::Recover => 300,
        }
    }

    fn laptop(self, year: &mut Year) -> Laptop {
        if self == Self::Enrol { year.new_laptop().unwrap() } else { year.laptop().unwrap() }
    }

    fn command(self, year: &Year, laptop: &Laptop) -> Command {
        laptop.command(if self == Self::Enrol { "enrol" } else { "once" }, &year.clock).unwrap()
    }
}

/// A server, so many laptops that are about to do the same, and the steps in which another one did it.
async fn due(journey: Journey, count: usize) -> (Year, Vec<Laptop>, Vec<Step>) {
    let mut year = Year::begin().await.unwrap();
    let first = journey.laptop(&mut year);
    let laptops: Vec<Laptop> = (0..count).map(|_| journey.laptop(&mut year)).collect();
    if journey.days() > 0 {
        year.pass_days(journey.days()).unwrap();
        year.server_is_back().unwrap();
    }
    let (steps, output) = traced::steps(&journey.command(&year, &first)).unwrap();
    assert!(output.status.success(), "{journey:?}: {output:?}");
    (year, laptops, steps)
}

/// Whoever was cut short starts again, and everything is as if nothing had been.
async fn comes_back(year: &mut Year, laptop: &mut Laptop, journey: Journey, cut: &str) {
    let (mut words, key) = (String::new(), laptop.public_key().unwrap());
    if journey == Journey::Enrol {
        // A person repeats the command.
        let ran = laptop.enrol(&year.clock).unwrap();
        assert_eq!(ran.code, Some(0), "{journey:?}, {cut}: {}", ran.words);
    }
    let is_back = (0..5).any(|_| {
        let ran = laptop.once(&year.clock).unwrap();
        words.push_str(&ran.words);
        ran.code == Some(0)
    });
    assert!(is_back, "{journey:?}, {cut}: {words}");
    assert!(key.is_none() || laptop.public_key().unwrap() == key, "{journey:?}, {cut}: another key");
    year.assert_one_identity(laptop).await.unwrap();
    let arrived = year.assert_delivered(laptop, &[]).await.unwrap();
    // Cut off between the acknowledgement and what it remembers of it, the agent measures once more.
    assert!((1..=2).contains(&arrived), "{journey:?}, {cut}: {arrived} reports");
    let runs_from = laptop.enrolment().unwrap().unwrap().grant.renew_from;
    assert!(runs_from > year.now(), "{journey:?}, {cut}: its certificate was not renewed");
    let recoveries = i64::from(journey == Journey::Recover);
    assert_eq!(year.recoveries(laptop).await.unwrap(), recoveries, "{journey:?}, {cut}");
    assert!(year.certificates(laptop).await.unwrap() <= 3, "{journey:?}, {cut}");
}

async fn killed_at_each_step(journey: Journey) {
    let (mut year, laptops, steps) = due(journey, MOST_STEPS).await;
    let tried: Vec<Step> = steps.iter().copied().step_by(steps.len().div_ceil(MOST_STEPS)).collect();
    let mut killed = 0;
    for (step, mut laptop) in tried.iter().zip(laptops) {
        let key = laptop.public_key().unwrap();
        killed += usize::from(traced::killed_at(&journey.command(&year, &laptop), *step).unwrap());
        laptop.look();
        // A torn file would be an error here.
        let after = laptop.public_key().unwrap();
        assert!(key.is_none() || after == key, "{journey:?}, killed at {step}: another key");
        comes_back(&mut year, &mut laptop, journey, &format!("killed at {step}")).await;
    }
    assert!(killed * 4 >= tried.len() * 3, "{journey:?}: killed at {killed} of {} steps alone", tried.len());
}

async fn full_from_each_write(journey: Journey) {
    let (mut year, laptops, steps) = due(journey, MOST_WRITES).await;
    let writes = steps.iter().filter(|step| step.is_durable_write()).count();
    assert!((2..=MOST_WRITES).contains(&writes), "{journey:?} makes {writes} durable writes");
    for (number, mut laptop) in (1..=writes).zip(laptops) {
        let key = laptop.public_key().unwrap();
        let output = traced::full_from(&journey.command(&year, &laptop), number).unwrap();
        laptop.look();
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(key.is_none() || laptop.public_key().unwrap() == key, "{journey:?}, full from {number}: another key");
        if journey == Journey::Enrol {
            let said = output.status.success() || words.contains("not full");
            assert!(said, "full from {number}, and no word of it: {words}");
        } else {
            assert!(
                output.status.success(),
                "{journey:?}, full from {number}: a full disk silences no laptop: {words}"
            );
        }
        comes_back(&mut year, &mut laptop, journey, &format!("full from write {number}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_step_of_an_enrolment_leaves_one_key_and_one_enrolment() {
    killed_at_each_step(Journey::Enrol).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_step_of_a_report_loses_and_doubles_nothing() {
    killed_at_each_step(Journey::Report).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_step_of_a_renewal_leaves_a_certificate_that_fits_its_key() {
    killed_at_each_step(Journey::Renew).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_step_of_a_recovery_costs_neither_the_key_nor_a_second_recovery() {
    killed_at_each_step(Journey::Recover).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_in_the_middle_of_anything_costs_neither_the_key_nor_the_contact() {
    for journey in [Journey::Enrol, Journey::Report, Journey::Renew, Journey::Recover] {
        full_from_each_write(journey).await;
    }
}
