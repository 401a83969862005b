//! kill -9 at each step of enrolment, report, renewal, recovery and healing, and a disk that is full from each durable write
//! on: the laptop comes back by itself, with the key that the server knows, and what it measured arrives.
//!
//! The steps are the agent's own system calls, as strace sees them in a first run: files made, written, made durable,
//! renamed and removed, and each word to and from the server. Killed at the n-th, it did all before it and nothing after.

#![cfg(target_os = "linux")]

use std::process::Command;

use anyhow::Context as _;
use cartable_tests::year::{
    Laptop, Year,
    traced::{self, Step},
};

/// Most steps of a journey that are tried; of more, every second or third. (A recovery has about 60.)
const MOST_STEPS: usize = 72;

/// Laptops beyond that, for a step that did not come: it is tried again with another one.
const SPARE: usize = 8;

/// How often a step is tried until somebody is killed at it. The server's words may come in one piece or in two, so that one
/// word more or fewer is read.
const ATTEMPTS: usize = 3;

/// Of so many steps, one may never have come in all its attempts: never one that changes files.
const ONE_WORD_OF: usize = 8;

/// More than any journey's durable writes: a recovery has 12.
const MOST_WRITES: usize = 16;

/// What a laptop is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Journey {
    Enrol,
    Report,
    Renew,
    Recover,
    /// A key of its own in the place of one that a copy of its state has too.
    Heal,
    /// The same on the copy, which a person has let in: what the image brought is dropped.
    HealCopy,
}

impl Journey {
    /// Days from the enrolment until it is due.
    const fn days(self) -> i64 {
        match self {
            Self::Enrol | Self::Report | Self::Heal | Self::HealCopy => 0,
            // Between 60 and 70 days, by chance; from 75 on the server would ask for it.
            Self::Renew => 72,
            Self::Recover => 300,
        }
    }

    /// Whether it makes another key.
    const fn heals(self) -> bool {
        matches!(self, Self::Heal | Self::HealCopy)
    }

    /// Reports of its device that have arrived afterwards. One more is measured where the cut came between the server's
    /// acknowledgement and what the agent remembers of it.
    const fn reports(self) -> usize {
        match self {
            // One before the image was taken, one that is in it.
            Self::Heal => 2,
            Self::Enrol | Self::Report | Self::Renew | Self::Recover | Self::HealCopy => 1,
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
    let mut laptops: Vec<Laptop> = (0..=count).map(|_| journey.laptop(&mut year)).collect();
    if journey.days() > 0 {
        year.pass_days(journey.days()).unwrap();
        year.server_is_back().unwrap();
    }
    if journey.heals() {
        let copies = copies_ask(&mut year, &mut laptops);
        if journey == Journey::HealCopy {
            year.everybody_is_let_in().unwrap();
            laptops = copies;
        }
    }
    let first = laptops.remove(0);
    let (steps, output) = traced::steps(&journey.command(&year, &first)).unwrap();
    assert!(output.status.success(), "{journey:?}: {output:?}");
    (year, laptops, steps)
}

/// An image is taken of each laptop's disk, with a report in it that waits for the server; the machine that it is copied to
/// asks for a key of its own. Gives those machines.
fn copies_ask(year: &mut Year, laptops: &mut [Laptop]) -> Vec<Laptop> {
    for laptop in &mut *laptops {
        laptop.comes_back(&year.clock).unwrap();
        laptop.changes().unwrap();
    }
    year.server_falls();
    let mut copies = Vec::new();
    for laptop in laptops {
        let ran = laptop.once(&year.clock).unwrap();
        assert_eq!((ran.code, laptop.spooled().len()), (Some(1), 1), "{}", ran.words);
        copies.push(year.copy(laptop).unwrap());
    }
    year.server_is_back().unwrap();
    for copy in &mut copies {
        let ran = copy.once(&year.clock).unwrap();
        assert_eq!((ran.code, copy.spooled().len()), (Some(4), 2), "{}", ran.words);
    }
    copies
}

/// Whoever was cut short starts again, and everything is as if nothing had been.
async fn comes_back(year: &mut Year, laptop: &mut Laptop, journey: Journey, cut: &str) {
    let key = laptop.public_key().unwrap();
    if journey == Journey::Enrol {
        // A person repeats the command.
        let ran = laptop.enrol(&year.clock).unwrap();
        assert_eq!(ran.code, Some(0), "{journey:?}, {cut}: {}", ran.words);
    }
    laptop.comes_back(&year.clock).with_context(|| format!("{journey:?}, {cut}")).unwrap();
    if journey.heals() {
        // The new key may have come with the last word of that contact: the old one ends when the new one is used.
        laptop.comes_back(&year.clock).with_context(|| format!("{journey:?}, {cut}")).unwrap();
        let enrolments = if journey == Journey::Heal { 2 } else { 1 };
        year.assert_enrolments(laptop, enrolments).await.with_context(|| format!("{journey:?}, {cut}")).unwrap();
        assert!(
            !laptop.state().join("healing.json").exists(),
            "{journey:?}, {cut}: one new key was made, and is in use"
        );
    } else {
        assert!(key.is_none() || laptop.public_key().unwrap() == key, "{journey:?}, {cut}: another key");
        year.assert_one_identity(laptop).await.unwrap();
    }
    let arrived = year.assert_delivered(laptop, laptop.from_image()).await.unwrap();
    let expected = journey.reports()..=journey.reports() + 1;
    assert!(expected.contains(&arrived), "{journey:?}, {cut}: {arrived} reports");
    let runs_from = laptop.enrolment().unwrap().unwrap().grant.renew_from;
    assert!(runs_from > year.now(), "{journey:?}, {cut}: its certificate was not renewed");
    let recoveries = i64::from(journey == Journey::Recover);
    assert_eq!(year.recoveries(laptop).await.unwrap(), recoveries, "{journey:?}, {cut}");
    assert!(year.certificates(laptop).await.unwrap() <= 3, "{journey:?}, {cut}");
}

/// Whether `laptop` was killed at `step`. It comes back in any case.
async fn killed_at(year: &mut Year, mut laptop: Laptop, journey: Journey, step: Step) -> bool {
    let key = laptop.public_key().unwrap();
    let is_killed = traced::killed_at(&journey.command(year, &laptop), step).unwrap();
    laptop.look();
    // A torn file would be an error here.
    let after = laptop.public_key().unwrap();
    assert!(key.is_none() || after == key || journey.heals(), "{journey:?}, killed at {step}: another key");
    comes_back(year, &mut laptop, journey, &format!("killed at {step}")).await;
    is_killed
}

async fn killed_at_each_step(journey: Journey) {
    let (mut year, laptops, steps) = due(journey, MOST_STEPS + SPARE).await;
    let tried: Vec<Step> = steps.iter().copied().step_by(steps.len().div_ceil(MOST_STEPS)).collect();
    let mut laptops = laptops.into_iter();
    let mut missed = tried.clone();
    for _ in 0..ATTEMPTS {
        let mut again = Vec::new();
        for step in missed {
            // Without another laptop it stays missed.
            let is_killed = match laptops.next() {
                Some(laptop) => killed_at(&mut year, laptop, journey, step).await,
                None => false,
            };
            if !is_killed {
                again.push(step);
            }
        }
        missed = again;
    }
    let words = missed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    assert!(!missed.iter().any(|step| step.changes_files()), "{journey:?}: nobody was killed at {words}");
    assert!(missed.len() * ONE_WORD_OF <= tried.len(), "{journey:?}: nobody was killed at {words} of {}", tried.len());
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
async fn a_kill_at_any_step_of_healing_makes_one_key_and_loses_nothing() {
    killed_at_each_step(Journey::Heal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_step_of_a_copys_healing_makes_one_key_and_mixes_no_history() {
    killed_at_each_step(Journey::HealCopy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_in_the_middle_of_anything_costs_neither_the_key_nor_the_contact() {
    for journey in [Journey::Enrol, Journey::Report, Journey::Renew, Journey::Recover] {
        full_from_each_write(journey).await;
    }
}
