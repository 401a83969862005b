//! Laptops whose clock is wrong by years, from their enrolment on: they are heard, get through a summer and come back
//! after their certificate ended, by themselves; and a clock that is a season ahead, which is the one that must be set.

#![cfg(target_os = "linux")]

use cartable_common::UtcMillis;
use cartable_tests::year::{Clock, Year};

/// 1 January 2017 and 2099, in days since 1970.
const JANUARY_2017: i64 = 17_167;
const JANUARY_2099: i64 = 47_117;

async fn lives_at(day: i64) {
    let wrong = UtcMillis::default().plus_days(day);
    let mut year = Year::begin().await.unwrap();
    let mut laptop = year.new_laptop().unwrap();
    let clock = Clock::at(wrong).unwrap();
    let ran = laptop.enrol(&clock).unwrap();
    assert_eq!(ran.code, Some(0), "{}", ran.words);
    let key = laptop.public_key().unwrap();
    laptop.comes_back(&clock).unwrap();
    // A summer: the gateway has another certificate since. Then its own has ended. Each start begins at the wrong time.
    for (days, recoveries) in [(100, 0), (250, 1)] {
        year.pass_days(days).unwrap();
        year.server_is_back().unwrap();
        clock.set(wrong).unwrap();
        laptop.changes().unwrap();
        laptop.comes_back(&clock).unwrap();
        assert_eq!(year.recoveries(&laptop).await.unwrap(), recoveries, "after {days} days");
        year.assert_delivered(&laptop, &[]).await.unwrap();
    }
    // The service does not end when somebody sets the clock right, and wrong again.
    laptop.opens(&clock).unwrap();
    for right in [false, true, false] {
        year.pass_days(1).unwrap();
        clock.set(if right { year.now() } else { wrong }).unwrap();
        year.heard(&laptop).await.unwrap();
    }
    assert!(laptop.is_open(), "{}", laptop.words());
    laptop.shuts().unwrap();
    laptop.comes_back(&clock).unwrap();
    assert_eq!(laptop.public_key().unwrap(), key);
    year.assert_one_identity(&laptop).await.unwrap();
    year.assert_delivered(&laptop, &[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_in_2017_is_heard_and_comes_back_after_a_summer_and_after_its_certificate() {
    lives_at(JANUARY_2017).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_in_2099_is_heard_and_comes_back_after_a_summer_and_after_its_certificate() {
    lives_at(JANUARY_2099).await;
}

/// Nothing tells such a clock from the right one: the laptop might have slept for as long. It says what to do, keeps what
/// it measures, and needs nothing but the right time.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_a_season_ahead_waits_to_be_set_and_loses_nothing() {
    let mut year = Year::begin().await.unwrap();
    let mut laptop = year.laptop().unwrap();
    let clock = Clock::at(year.now().plus_days(150)).unwrap();
    let ran = laptop.once(&clock).unwrap();
    assert!(ran.code == Some(1) && ran.words.contains("Check date and time"), "{ran:?}");
    assert_eq!(laptop.spooled().len(), 1);
    clock.set(year.now()).unwrap();
    laptop.comes_back(&clock).unwrap();
    assert_eq!(year.assert_delivered(&laptop, &[]).await.unwrap(), 1);
    year.assert_one_identity(&laptop).await.unwrap();
}
