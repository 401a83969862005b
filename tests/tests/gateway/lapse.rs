//! Requests that nobody decides about end by themselves, and their agents can go on: they ask anew as long as their token lets
//! them, and else are told to bring another.

use cartable_common::{identity::SerialNumber, protocol::EnrolRequest, report::Hardware};
use cartable_server::{clock, domain::approval::WAITING_DAYS, jobs::retention, store::Store};
use cartable_tests::{
    gateway_client::{Port, SITE, enrol_request},
    raw::Raw,
};
use rcgen::KeyPair;
use tokio_util::sync::CancellationToken;

on_both_engines! {
    a_request_that_nobody_decides_about_lapses_and_is_made_anew_while_the_token_lets_it,
}

fn request(token: &str, serial: &str) -> EnrolRequest {
    let hardware = Hardware { serial_number: SerialNumber::parse(serial).into(), ..Hardware::default() };
    enrol_request(token, &KeyPair::generate().unwrap(), hardware).unwrap()
}

/// How many requests wait once those that wait have waited for `days` and the nightly job has run.
async fn left_after(port: &Port, days: i64) -> usize {
    let url = port.installation.database_url();
    let mut raw = Raw::connect(&url).await.unwrap();
    let since = clock::now().plus_days(-days).get();
    raw.execute(&format!("UPDATE newcomer SET created_at = {since}")).await.unwrap();
    raw.execute(&format!("UPDATE enrolment SET created_at = {since} WHERE status = 'pending'")).await.unwrap();
    let store = Store::open(&url).await.unwrap();
    retention::run(&store, clock::now(), &CancellationToken::new()).await.unwrap();
    store.close().await;
    port.installation.run("device waiting", &[], "").unwrap().lines().count()
}

async fn a_request_that_nobody_decides_about_lapses_and_is_made_anew_while_the_token_lets_it(port: Port) {
    let token = port.installation.create_enrolment_token(SITE, 1).unwrap();
    assert_eq!(port.enrol(&request(&token, "PF2FIRST")).await.unwrap().status, 200);
    let asking = [request(&token, "PF2STRANGE"), request(&token, "PF2FIRST")];
    let mut told = Vec::new();
    for one in &asking {
        let answer = port.enrol(one).await.unwrap();
        assert_eq!(answer.status, 202, "{answer:?}");
        told.push(answer.body);
    }
    assert_eq!(told[0], told[1]);
    let days = format!("{WAITING_DAYS} days");
    assert!(String::from_utf8_lossy(&told[0]).contains(&days), "what to expect is said");
    // The job rounds to the day what is older than a month.
    assert_eq!(left_after(&port, WAITING_DAYS - 2).await, 2);
    assert_eq!(left_after(&port, WAITING_DAYS + 1).await, 0);
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    let gone = "SELECT (SELECT count(*) FROM newcomer) + (SELECT count(*) FROM enrolment WHERE status <> 'active')";
    assert_eq!(raw.number(gone).await.unwrap(), 0, "nothing is kept of what they said of themselves");
    let acts = "SELECT action FROM audit WHERE action LIKE '%.lapse' AND details NOT LIKE '%PF2%' ORDER BY action";
    assert_eq!(raw.texts(acts).await.unwrap(), ["enrolment.lapse", "newcomer.lapse"]);

    // Both are still there: they wait anew, for as long, and nothing of the first device was touched.
    for one in &asking {
        assert_eq!(port.enrol(one).await.unwrap().status, 202);
    }
    assert_eq!(left_after(&port, 1).await, 2);
    assert_eq!(left_after(&port, WAITING_DAYS + 1).await, 0);
    // The token's time is long over: today's agents tell a person to bring another, and one that is brought lets them go on.
    let ended = clock::now().plus_days(-40).get();
    raw.execute(&format!("UPDATE enrolment_token SET expires_at = {ended}")).await.unwrap();
    for one in &asking {
        assert_eq!(port.enrol(one).await.unwrap().outcome(), (403, "token".to_owned()));
    }
    let other = port.installation.create_enrolment_token(SITE, 5).unwrap();
    let [stranger, known] = asking.map(|one| EnrolRequest { token: other.clone(), ..one });
    assert_eq!(port.enrol(&stranger).await.unwrap().status, 200);
    assert_eq!(port.enrol(&known).await.unwrap().status, 202);
}
