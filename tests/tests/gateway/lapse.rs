//! Requests that nobody decides about end by themselves once their machines ask no more. Who asks on waits on, however long ago its
//! token was over; who lapsed is told to bring another.

use cartable_common::{UtcDay, identity::SerialNumber, protocol::EnrolRequest, report::Hardware};
use cartable_server::{
    clock, domain::approval::WAITING_DAYS, gateway::limits::LOST_KEYS_WAITING_PER_DEVICE, jobs::retention, store::Store,
};
use cartable_tests::{
    gateway_client::{Port, SITE, enrol_request},
    raw::Raw,
};
use rcgen::KeyPair;
use tokio_util::sync::CancellationToken;

use crate::enrolment::in_place_of;

on_both_engines! {
    who_asks_on_waits_on_and_who_is_silent_lapses,
    requests_that_name_a_lost_key_lapse_and_give_their_places_back,
}

fn request(token: &str, serial: &str) -> EnrolRequest {
    let hardware = Hardware { serial_number: SerialNumber::parse(serial).into(), ..Hardware::default() };
    enrol_request(token, &KeyPair::generate().unwrap(), hardware).unwrap()
}

/// How many requests wait once the nightly job has run in so many days from now.
async fn left_in(port: &Port, days: i64) -> usize {
    let store = Store::open(&port.installation.database_url()).await.unwrap();
    retention::run(&store, clock::now().plus_days(days), &CancellationToken::new()).await.unwrap();
    store.close().await;
    port.installation.run("device waiting", &[], "").unwrap().lines().count()
}

async fn who_asks_on_waits_on_and_who_is_silent_lapses(port: Port) {
    let token = port.installation.create_enrolment_token(SITE, 1).unwrap();
    assert_eq!(port.enrol(&request(&token, "PF2FIRST")).await.unwrap().status, 200);
    let asking = [request(&token, "PF2STRANGE"), request(&token, "PF2FIRST")];
    let silent = [request(&token, "PF2GONE"), request(&token, "PF2FIRST")];
    let mut told = Vec::new();
    for one in asking.iter().chain(&silent) {
        let answer = port.enrol(one).await.unwrap();
        assert_eq!(answer.status, 202, "{answer:?}");
        told.push(answer.body);
    }
    assert!(told.iter().all(|body| *body == told[0]));
    let days = format!("{WAITING_DAYS} days");
    assert!(String::from_utf8_lossy(&told[0]).contains(&days), "what to expect is said");

    // All that was eighty days ago, and the token lived for three.
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    let since = UtcDay::from(clock::now().plus_days(-80)).start();
    let ended = since.plus_days(3).get();
    let since = since.get();
    for sql in [
        format!("UPDATE newcomer SET created_at = {since}, asked_on = {since}"),
        format!("UPDATE enrolment SET created_at = {since}, asked_on = {since} WHERE status = 'pending'"),
        format!("UPDATE enrolment_token SET created_at = {since}, expires_at = {ended}"),
    ] {
        raw.execute(&sql).await.unwrap();
    }
    for one in &asking {
        assert_eq!(port.enrol(one).await.unwrap().status, 202);
    }
    assert_eq!(left_in(&port, 11).await, asking.len());
    let kept = "SELECT (SELECT count(*) FROM newcomer) + (SELECT count(*) FROM enrolment WHERE status <> 'active')";
    assert_eq!(raw.number(kept).await.unwrap(), 2, "nothing is kept of what the silent ones said of themselves");
    let named = "SELECT count(*) FROM newcomer WHERE hardware LIKE '%PF2STRANGE%'";
    assert_eq!(raw.number(named).await.unwrap(), 1);
    let acts = "SELECT action FROM audit WHERE action LIKE '%.lapse' AND details NOT LIKE '%PF2%' ORDER BY action";
    assert_eq!(raw.texts(acts).await.unwrap(), ["enrolment.lapse", "newcomer.lapse"]);
    for one in &asking {
        assert_eq!(port.enrol(one).await.unwrap().status, 202, "they wait on");
    }

    // Who lapsed is told to bring another token, and one that is brought lets it go on.
    for one in &silent {
        assert_eq!(port.enrol(one).await.unwrap().outcome(), (403, "token".to_owned()));
    }
    let other = port.installation.create_enrolment_token(SITE, 5).unwrap();
    let [stranger, known] = silent.map(|one| EnrolRequest { token: other.clone(), ..one });
    assert_eq!(port.enrol(&stranger).await.unwrap().status, 200);
    assert_eq!(port.enrol(&known).await.unwrap().status, 202);
    assert_eq!(left_in(&port, WAITING_DAYS - 1).await, 3);
    assert_eq!(left_in(&port, WAITING_DAYS + 1).await, 0);
}

async fn requests_that_name_a_lost_key_lapse_and_give_their_places_back(port: Port) {
    let token = port.installation.create_enrolment_token(SITE, 1).unwrap();
    let old = KeyPair::generate().unwrap();
    let hardware = Hardware { serial_number: SerialNumber::parse("PF2LOST").into(), ..Hardware::default() };
    assert_eq!(port.enrol(&enrol_request(&token, &old, hardware).unwrap()).await.unwrap().status, 200);
    // As one that came back after a restore: no token speaks for it.
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    raw.execute("UPDATE enrolment SET token_id = NULL").await.unwrap();
    // Its TPM gives up each key before it is let in.
    let asked = async || {
        let request = in_place_of(&old, &KeyPair::generate().unwrap(), "PF2LOST");
        port.enrol(&request).await.unwrap().status
    };
    for _ in 0..LOST_KEYS_WAITING_PER_DEVICE {
        assert_eq!(asked().await, 202);
    }
    assert_eq!(asked().await, 429);
    let all = usize::try_from(LOST_KEYS_WAITING_PER_DEVICE).unwrap();
    assert_eq!(left_in(&port, WAITING_DAYS - 1).await, all);
    assert_eq!(left_in(&port, WAITING_DAYS + 1).await, 0);
    assert_eq!(asked().await, 202);
    assert_eq!(raw.number("SELECT count(*) FROM enrolment WHERE status = 'active'").await.unwrap(), 1);
}
