//! Networks as laptops meet them: portals, proxies, cuts at any byte, lost bytes, silence, a server that is down for three
//! days. Nothing is lost, nothing arrives twice, nobody is enrolled twice, and nobody helps.
//!
//! Loss is made by a relay between agent and server, which is the same on every machine; `netem` is a kernel module that
//! many lack.

#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use cartable_agent::spool::{MAX_BYTES, MAX_RECORDS, Record, to_thin};
use cartable_tests::{
    relay::{Relay, Weather},
    year::{Laptop, Year},
};
use uuid::Uuid;

/// What answers in the server's place: portals, and noise where a handshake should be. The alerts are in clear, so that
/// anybody can send them: "handshake failed", "your certificate has ended", "unknown authority", "access denied".
const STRANGERS: [&[u8]; 9] = [
    b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<!DOCTYPE html><title>Wi-Fi du coll\xc3\xa8ge</title>",
    b"HTTP/1.1 302 Found\r\nlocation: http://portal.example/\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 511 Network Authentication Required\r\ncontent-length: 0\r\n\r\n",
    b"\x16\x03\x03\x00\x20noise that is no hello of a server",
    b"\x15\x03\x03\x00\x02\x02\x28",
    b"\x15\x03\x03\x00\x02\x02\x2d",
    b"\x15\x03\x03\x00\x02\x02\x30",
    b"\x15\x03\x03\x00\x02\x02\x31",
    b"",
];

/// Proxies that do not lead anywhere.
const BAD_PROXIES: [&[u8]; 3] = [
    b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nlocation: http://portal.example/\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n<html>portal</html>",
];

/// The laptop is heard now that the network is fair again.
fn comes_back(year: &Year, laptop: &mut Laptop) {
    year.network.turns(Weather::Fair);
    laptop.comes_back(&year.clock).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn portals_and_noise_cost_neither_the_key_nor_a_report() {
    let mut year = Year::begin().await.unwrap();
    let mut newcomer = year.new_laptop().unwrap();
    let mut laptop = year.laptop().unwrap();
    let key = laptop.public_key().unwrap();
    let mut asked_with = None;
    for (number, words) in STRANGERS.into_iter().enumerate() {
        year.network.turns(Weather::Stranger(words));
        laptop.changes().unwrap();
        let ran = laptop.once(&year.clock).unwrap();
        assert_eq!(ran.code, Some(1), "no refusal of the server's: {}: {ran:?}", String::from_utf8_lossy(words));
        assert_eq!(laptop.spooled().len(), number + 1);
        assert_eq!(laptop.public_key().unwrap(), key);
        // A laptop that is not enrolled yet asks again with the same key.
        let ran = newcomer.enrol(&year.clock).unwrap();
        assert_eq!(ran.code, Some(1), "{}: {ran:?}", String::from_utf8_lossy(words));
        let asks_with = newcomer.public_key().unwrap();
        assert!(asked_with.is_none() || asked_with == asks_with);
        asked_with = asks_with;
        assert!(year.network.connections() >= 2, "they spoke to somebody else");
    }
    comes_back(&year, &mut laptop);
    assert_eq!(year.assert_delivered(&laptop, &[]).await.unwrap(), STRANGERS.len());
    year.assert_one_identity(&laptop).await.unwrap();
    assert_eq!(newcomer.enrol(&year.clock).unwrap().code, Some(0));
    assert_eq!(newcomer.public_key().unwrap(), asked_with);
    comes_back(&year, &mut newcomer);
    year.assert_one_identity(&newcomer).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_leads_through_enrolment_and_contacts_and_its_faults_lose_nothing() {
    let mut year = Year::begin().await.unwrap();
    let proxy = Relay::proxy().await.unwrap();
    let mut laptop = year.new_laptop().unwrap();
    laptop.goes_through(Some(&proxy.authority()));
    let ran = laptop.enrol(&year.clock).unwrap();
    assert_eq!(ran.code, Some(0), "{}", ran.words);
    comes_back(&year, &mut laptop);
    assert_eq!(proxy.connections(), 2, "both went through the proxy");
    let mut changes = 1;
    let bad = BAD_PROXIES.into_iter().map(Weather::Stranger);
    for weather in bad.chain([Weather::Cut { whole: 0, after: 700 }]) {
        proxy.turns(weather);
        laptop.changes().unwrap();
        changes += 1;
        let ran = laptop.once(&year.clock).unwrap();
        assert_eq!(ran.code, Some(1), "{weather:?}: {}", ran.words);
        proxy.turns(Weather::Fair);
    }
    comes_back(&year, &mut laptop);
    // The school gives its proxy up, and somebody takes the address out of the settings.
    drop(proxy);
    laptop.changes().unwrap();
    let ran = laptop.once(&year.clock).unwrap();
    assert!(ran.code == Some(1) && ran.words.contains("proxy"), "{ran:?}");
    laptop.goes_through(None);
    comes_back(&year, &mut laptop);
    assert_eq!(year.assert_delivered(&laptop, &[]).await.unwrap(), changes + 1);
    year.assert_one_identity(&laptop).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_breaks_at_any_byte_is_repeated_and_counts_once() {
    let mut year = Year::begin().await.unwrap();
    let mut laptop = year.laptop().unwrap();
    let back = (0..=4_000).step_by(250).map(|after| Weather::Cut { whole: 0, after });
    let there = (0..=3_000).step_by(250).map(Weather::CutUpwards);
    let others = [Weather::Lossy(400), Weather::Slow(Duration::from_millis(150))];
    let (mut changes, mut broken) = (0, 0);
    for weather in back.chain(there).chain(others) {
        year.network.turns(weather);
        laptop.changes().unwrap();
        changes += 1;
        broken += usize::from(laptop.once(&year.clock).unwrap().code != Some(0));
        comes_back(&year, &mut laptop);
        let arrived = year.assert_delivered(&laptop, &[]).await.unwrap();
        assert_eq!(arrived, changes, "{weather:?}");
    }
    assert!(broken > changes / 2, "{broken} of {changes} contacts broke");
    year.assert_one_identity(&laptop).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_that_breaks_at_any_byte_is_repeated_and_is_one() {
    let mut year = Year::begin().await.unwrap();
    for after in (0..=3_500).step_by(350) {
        let mut laptop = year.new_laptop().unwrap();
        year.network.turns(Weather::Cut { whole: 0, after });
        laptop.enrol(&year.clock).unwrap();
        let key = laptop.public_key().unwrap();
        assert!(key.is_some(), "{after}: the key is kept before the first word");
        year.network.turns(Weather::Fair);
        let ran = laptop.enrol(&year.clock).unwrap();
        assert_eq!(ran.code, Some(0), "{after}: {}", ran.words);
        assert_eq!(laptop.public_key().unwrap(), key, "{after}");
        comes_back(&year, &mut laptop);
        year.assert_one_identity(&laptop).await.unwrap();
        assert_eq!(year.assert_delivered(&laptop, &[]).await.unwrap(), 1, "{after}");
    }
}

/// Enrolled laptops to which the same happens on the same day: what breaks, and how often each one recovers by it.
async fn breaks_after(days: i64, whole: impl Iterator<Item = usize>, recoveries: i64) {
    let mut year = Year::begin().await.unwrap();
    let cuts: Vec<Weather> =
        whole.flat_map(|whole| (0..=3_000).step_by(600).map(move |after| Weather::Cut { whole, after })).collect();
    let laptops: Vec<Laptop> = cuts.iter().map(|_| year.laptop().unwrap()).collect();
    year.pass_days(days).unwrap();
    year.server_is_back().unwrap();
    for (weather, mut laptop) in cuts.into_iter().zip(laptops) {
        let key = laptop.public_key().unwrap();
        year.network.turns(weather);
        laptop.once(&year.clock).unwrap();
        assert_eq!(laptop.public_key().unwrap(), key, "{weather:?}");
        comes_back(&year, &mut laptop);
        assert_eq!(laptop.public_key().unwrap(), key, "{weather:?}");
        assert_eq!(year.recoveries(&laptop).await.unwrap(), recoveries, "{weather:?}");
        let grant = laptop.enrolment().unwrap().unwrap().grant;
        assert!(grant.renew_from > year.now(), "{weather:?}: another certificate was due");
        assert!(year.certificates(&laptop).await.unwrap() <= 3, "{weather:?}");
        year.assert_one_identity(&laptop).await.unwrap();
        assert_eq!(year.assert_delivered(&laptop, &[]).await.unwrap(), 1, "{weather:?}");
    }
}

/// The contact is whole, the connection for the renewal breaks.
#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_breaks_at_any_byte_is_repeated_at_the_next_contact() {
    breaks_after(72, 1..2, 0).await;
}

/// The nonce's connection, the recovery's, the contact's.
#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_that_breaks_at_any_byte_is_repeated_and_is_one() {
    breaks_after(300, 0..3, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_days_without_a_server_are_thinned_by_rule_and_what_is_left_arrives_once() {
    let mut year = Year::begin().await.unwrap();
    let mut laptop = year.laptop().unwrap();
    year.server_falls();
    let (mut kept, mut thinned): (Vec<Record>, Vec<Uuid>) = (Vec::new(), Vec::new());
    // Something changes twice an hour, which is far more than a laptop's life.
    for half_hour in 0..3 * 48 {
        year.pass(30 * 60 * 1000).unwrap();
        laptop.changes().unwrap();
        let ran = laptop.once(&year.clock).unwrap();
        assert_eq!(ran.code, Some(1), "{}", ran.words);
        let spooled = laptop.spooled();
        kept.extend(spooled.last().cloned());
        let dropped = to_thin(&kept, MAX_RECORDS, MAX_BYTES);
        thinned.extend(kept.iter().filter(|one| dropped.contains(&one.sequence)).map(|one| one.report_id.0));
        kept.retain(|one| !dropped.contains(&one.sequence));
        assert_eq!(spooled, kept, "after {half_hour} half hours");
    }
    assert!(thinned.len() > 20 && kept.len() > 64, "{} thinned, {} kept", thinned.len(), kept.len());
    year.server_is_back().unwrap();
    comes_back(&year, &mut laptop);
    assert_eq!(year.assert_delivered(&laptop, &thinned).await.unwrap(), kept.len());
    year.assert_one_identity(&laptop).await.unwrap();
}

/// Takes as long as the agent waits for a connection: 20 seconds.
#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_swallows_everything_is_left_in_time_and_tried_again() {
    let mut year = Year::begin().await.unwrap();
    let mut laptop = year.laptop().unwrap();
    year.network.turns(Weather::Silent);
    let began = Instant::now();
    let ran = laptop.once(&year.clock).unwrap();
    assert_eq!(ran.code, Some(1), "{}", ran.words);
    assert!(began.elapsed() < Duration::from_secs(90), "{:?}", began.elapsed());
    comes_back(&year, &mut laptop);
    assert_eq!(year.assert_delivered(&laptop, &[]).await.unwrap(), 1);
}
