//! A request to join is what its machine asked last: whoever may decide about it sees it, as what it is.

use cartable_common::{
    DeviceId,
    identity::{SerialNumber, SystemUuid},
    protocol::EnrolRequest,
    report::Hardware,
};
use cartable_server::{
    domain::{
        approval::{Effect, WaitsFor},
        scope::Scope,
    },
    store::{
        Store,
        approval_queue::{self, Asking, QueueQuery},
    },
};
use cartable_tests::{
    gateway_client::{Port, SITE, enrol_request},
    raw::Raw,
};
use rcgen::KeyPair;

on_both_engines! {
    the_people_of_its_site_see_it_whichever_token_it_brings,
    a_name_that_is_read_later_counts_and_is_not_forgotten,
    who_takes_another_name_with_the_same_key_stays_what_a_person_saw,
}

/// Another site's code, and its name.
const ELSEWHERE: (&str, &str) = ("0691670R", "Collège d'ailleurs");

fn hardware(serial: &str) -> Hardware {
    Hardware { serial_number: SerialNumber::parse(serial).into(), ..Hardware::default() }
}

fn request(token: &str, hardware: Hardware) -> EnrolRequest {
    enrol_request(token, &KeyPair::generate().unwrap(), hardware).unwrap()
}

/// The device with that serial number, recorded at the other site.
fn recorded(port: &Port, serial: &str) -> DeviceId {
    port.installation.create_site(ELSEWHERE.0, ELSEWHERE.1, "Lyon", "A").unwrap();
    let device = ["--serial", serial, "--kind", "laptop", "--site", ELSEWHERE.0, "--agent"];
    DeviceId(port.installation.run("device add", &device, "").unwrap().trim().parse().unwrap())
}

/// The one request that waits.
async fn only(port: &Port) -> Asking {
    let store = Store::open(&port.installation.database_url()).await.unwrap();
    let mut tx = store.read().await.unwrap();
    let mut rows = approval_queue::list(&mut tx, &Scope::Everything, &QueueQuery::default()).await.unwrap().rows;
    drop(tx);
    store.close().await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

async fn the_people_of_its_site_see_it_whichever_token_it_brings(port: Port) {
    let device = recorded(&port, "PF2THEIRS");
    let here = port.installation.create_enrolment_token(SITE, 5).unwrap();
    let asking = request(&here, hardware("PF2THEIRS"));
    assert_eq!(port.enrol(&asking).await.unwrap().status, 202);
    let first = only(&port).await;
    assert_eq!((first.site_name.as_deref(), first.waits_for), (Some(ELSEWHERE.1), WaitsFor::OtherSite));
    // With the token of its own site, that is used up.
    let there = port.installation.create_enrolment_token(ELSEWHERE.0, 1).unwrap();
    assert_eq!(port.enrol(&request(&there, hardware("PF2FIRST"))).await.unwrap().status, 200);
    assert_eq!(port.enrol(&EnrolRequest { token: there, ..asking.clone() }).await.unwrap().status, 202);
    let second = only(&port).await;
    assert_eq!((second.id, second.site), (first.id, first.site), "its people still decide about it");
    assert_eq!((second.waits_for, second.effect), (WaitsFor::SpentToken, Effect::FirstKey(device)));
    // And back.
    assert_eq!(port.enrol(&asking).await.unwrap().status, 202);
    let third = only(&port).await;
    assert_eq!((third.site, third.waits_for), (first.site, WaitsFor::OtherSite));
}

async fn a_name_that_is_read_later_counts_and_is_not_forgotten(port: Port) {
    let device = recorded(&port, "PF2THEIRS");
    let made = port.installation.run("token create", &["--site", SITE, "--bulk", "5", "--recorded-only"], "").unwrap();
    // What reads the firmware is not there yet.
    let nameless = request(made.trim(), Hardware::default());
    assert_eq!(port.enrol(&nameless).await.unwrap().status, 202);
    let first = only(&port).await;
    assert_eq!((first.serial_number, first.effect), (None, Effect::NewDevice));
    let named = EnrolRequest { hardware: hardware("PF2THEIRS"), ..nameless.clone() };
    for asked in [&named, &nameless, &named] {
        assert_eq!(port.enrol(asked).await.unwrap().status, 202);
        let now = only(&port).await;
        assert_eq!((now.serial_number.as_deref(), now.effect), (Some("PF2THEIRS"), Effect::FirstKey(device)));
        assert_eq!((now.id, now.site_name.as_deref()), (first.id, Some(ELSEWHERE.1)));
    }
    port.installation.run("device approve", &[&first.id.to_string()], "").unwrap();
    let answer = port.enrol(&named).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(
        String::from_utf8_lossy(&answer.body).contains(&device.to_string()),
        "it is the recorded one, and no second one"
    );
}

async fn who_takes_another_name_with_the_same_key_stays_what_a_person_saw(port: Port) {
    let first = port.installation.create_enrolment_token(SITE, 1).unwrap();
    assert_eq!(port.enrol(&request(&first, hardware("PF2CLASSMATE"))).await.unwrap().status, 200);
    let made = port.installation.run("token create", &["--site", SITE, "--bulk", "5", "--recorded-only"], "").unwrap();
    let uuid = SystemUuid::parse("11d2f6a5-7c3e-4b0a-9d61-0c5b8e2f7a91");
    let asking = request(made.trim(), Hardware { system_uuid: uuid.into(), ..hardware("PF2NEW") });
    assert_eq!(port.enrol(&asking).await.unwrap().status, 202);
    let seen = only(&port).await;
    for said in [
        hardware("PF2CLASSMATE"),
        Hardware { serial_number: SerialNumber::parse("PF2CLASSMATE").into(), ..asking.hardware.clone() },
        Hardware { serial_number: None::<SerialNumber>.into(), ..asking.hardware.clone() },
    ] {
        let again = EnrolRequest { hardware: said, ..asking.clone() };
        assert_eq!(port.enrol(&again).await.unwrap().status, 202);
        assert_eq!(only(&port).await, seen);
    }
    port.installation.run("device approve", &[&seen.id.to_string()], "").unwrap();
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM enrolment WHERE status = 'active'").await.unwrap(), 2);
    assert_eq!(raw.number("SELECT count(*) FROM device WHERE serial_number = 'PF2NEW'").await.unwrap(), 1);
}
