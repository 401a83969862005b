//! A year in the life of a laptop: a school year, a server that is killed now and then and lies down for three days, a
//! summer in a cupboard, half a year more. The service itself lives it, by a clock that the test drives; nobody helps.

#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use cartable_tests::year::{Laptop, Year};

/// From one contact that is looked at to the next, in days.
const STEP: i64 = 4;

/// So much of the school year passes, with a change of the machine at each step.
async fn passes(year: &mut Year, laptop: &mut Laptop, steps: i64) {
    for _ in 0..steps {
        year.pass_days(STEP).unwrap();
        year.heard(laptop).await.unwrap();
        laptop.changes().unwrap();
    }
}

/// The laptop is opened after so many days in a cupboard; the server was started again meanwhile.
async fn opened_after(year: &mut Year, laptop: &mut Laptop, days: i64) {
    laptop.shuts().unwrap();
    year.pass_days(days).unwrap();
    year.server_is_back().unwrap();
    laptop.changes().unwrap();
    laptop.opens(&year.clock).unwrap();
    year.heard(laptop).await.unwrap();
}

/// The laptop asks once more, whether or not anybody answers.
async fn asks(year: &Year, laptop: &Laptop, day: usize) {
    let before = year.network.connections();
    let until = Instant::now() + Duration::from_secs(30);
    while year.network.connections() == before {
        assert!(Instant::now() < until, "day {day} without a server, and nobody asks: {}", laptop.words());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_school_year_a_summer_and_half_a_year_in_a_cupboard_lose_neither_the_key_nor_a_report() {
    let mut year = Year::begin().await.unwrap();
    let mut laptop = year.laptop().unwrap();
    let key = laptop.public_key().unwrap();
    laptop.opens(&year.clock).unwrap();
    // Ten months. Every two of them the server is killed and started anew, as for its upkeep.
    for _ in 0..5 {
        passes(&mut year, &mut laptop, 14).await;
        year.server_falls();
        year.pass_days(4).unwrap();
        year.server_is_back().unwrap();
    }
    let renewed = year.certificates(&laptop).await.unwrap();
    assert!((4..=6).contains(&renewed), "300 days, a renewal after each 60 to 75: {renewed} certificates");
    assert_eq!(year.recoveries(&laptop).await.unwrap(), 0);

    // The server lies down for three days, and the laptop goes on asking.
    year.server_falls();
    for day in 1..=3 {
        year.pass_days(1).unwrap();
        laptop.changes().unwrap();
        asks(&year, &laptop, day).await;
    }
    year.server_is_back().unwrap();
    year.pass_days(1).unwrap();
    year.heard(&laptop).await.unwrap();
    assert!(laptop.is_open(), "nothing ended the service: {}", laptop.words());

    opened_after(&mut year, &mut laptop, 62).await;
    assert_eq!(year.recoveries(&laptop).await.unwrap(), 0, "a summer is shorter than a certificate");
    passes(&mut year, &mut laptop, 5).await;

    opened_after(&mut year, &mut laptop, 200).await;
    assert_eq!(year.recoveries(&laptop).await.unwrap(), 1, "its certificate had ended");
    passes(&mut year, &mut laptop, 3).await;

    // Killed once more, and looked at when all is told.
    laptop.shuts().unwrap();
    let ran = laptop.once(&year.clock).unwrap();
    assert_eq!(ran.code, Some(0), "{}", ran.words);
    assert_eq!(laptop.public_key().unwrap(), key);
    year.assert_one_identity(&laptop).await.unwrap();
    let arrived = year.assert_delivered(&laptop, &[]).await.unwrap();
    let last = year.number("SELECT max(sequence) FROM report").await.unwrap();
    assert_eq!(i64::try_from(arrived).unwrap(), last, "each number arrived, none twice");
    assert!(arrived > 40, "a year that says nothing: {arrived} reports");
}
