//! What people and other systems are told about what devices should become: the device's page, the list, the export and
//! the API say the same, within each one's sites; another policy is tried and nothing is changed; and who is in which
//! programme is not told by a count.

use cartable_common::{MilliwattHours, Text, report::Battery, report::HealthReport};
use cartable_server::{auth::Role, clock, domain::policy::Policy, domain::scope::Scope, jobs::flag_sweep};
use cartable_tests::{
    fleet::{Enrolled, RunningIngest, enrol, envelope, laptop},
    in_process::InProcess,
    on_both_engines,
    raw::Raw,
    school::School,
    stores::TestStore,
};
use tokio_util::sync::CancellationToken;

on_both_engines! {
    page_list_export_and_api_say_the_same,
    another_policy_is_tried_and_nothing_is_changed,
    a_count_does_not_tell_who_is_in_a_programme,
}

/// A laptop whose battery holds 70 % and that cannot take Windows 11, unless it can.
fn report(processor: &str) -> HealthReport {
    let mut report = laptop(50);
    report.processor.model = Text::meaningful(processor);
    report.operating_system.architecture = Text::meaningful("x86_64");
    report.batteries = vec![Battery {
        full_milliwatt_hours: MilliwattHours::new(35_000),
        design_milliwatt_hours: MilliwattHours::new(50_000),
        ..Battery::default()
    }];
    report
}

struct Fleet {
    cartable: InProcess,
    here: School,
    there: School,
    donated: Enrolled,
}

/// Two sites: one with a device to donate and one to repair, the other with one to repair.
async fn fleet(test: &TestStore) -> Fleet {
    let now = clock::now();
    let here = School::found(&test.store, 1, 0, now).await.unwrap();
    let there = School::found(&test.store, 2, 0, now).await.unwrap();
    let running = RunningIngest::start(&test.store);
    let mut devices = Vec::new();
    for (site, processor) in [
        (here.site, "Intel(R) Core(TM) i5-7200U CPU @ 2.50GHz"),
        (here.site, "11th Gen Intel(R) Core(TM) i5-1135G7 @ 2.40GHz"),
        (there.site, "11th Gen Intel(R) Core(TM) i5-1135G7 @ 2.40GHz"),
    ] {
        let one = enrol(&test.store, test.url(), Some(site), now).await.unwrap();
        running.ingest.check_in(one.check_in(now, vec![envelope(1, now, report(processor))])).await.unwrap();
        devices.push(one);
    }
    running.stop().await;
    flag_sweep::run(&test.store, &Policy::default(), clock::now(), &CancellationToken::new()).await.unwrap();
    Fleet { cartable: InProcess::new(&test.store), here, there, donated: devices[0] }
}

async fn page_list_export_and_api_say_the_same(test: &TestStore) {
    let fleet = fleet(test).await;
    let cartable = &fleet.cartable;
    let person = cartable.desk("tess", Role::Technician, Scope::Sites(vec![fleet.here.site])).await.unwrap();
    let path = format!("/devices/{}", fleet.donated.device);
    let page = person.get(&path).await.unwrap().body;
    for words in ["Advice", "Donate", "70%", "It cannot take Windows 11.", "Look up the day of purchase", "Donated"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let list = person.get("/dispositions").await.unwrap();
    assert_eq!(list.status, 200);
    assert!(list.body.contains(&path) && list.body.contains("2 devices") && !list.body.contains("3 devices"));
    let donated = person.get("/dispositions?disposition=donate").await.unwrap().body;
    assert!(donated.contains(&path) && donated.contains("1 device"), "{donated}");
    let file = person.get("/exports/dispositions.csv").await.unwrap().body;
    assert_eq!(file.lines().count(), 3, "headings and the two devices of the site: {file}");
    assert!(file.contains("Donate") && file.contains(&Policy::default().version()), "{file}");
    let token = cartable.token("tess").await.unwrap();
    let advice = cartable.get(&format!("/api/v1{path}/advice"), &token).await.unwrap().json();
    assert_eq!((&advice["disposition"], &advice["decided"]["disposition"]), (&"donate".into(), &"donate".into()));
    assert_eq!(advice["policy_version"], advice["decided"]["policy_version"]);
    let lines = cartable.get("/api/v1/dispositions/devices?disposition=donate", &token).await.unwrap().json();
    assert_eq!(lines["items"][0]["device"], fleet.donated.device.to_string());
    assert_eq!(lines["items"][0]["cost_euros"], advice["cost"]["euros"]);
    let stranger = cartable.desk("sam", Role::Technician, Scope::Sites(vec![fleet.there.site])).await.unwrap();
    assert_eq!(stranger.get(&path).await.unwrap().status, 404);
    let token = cartable.token("sam").await.unwrap();
    assert_eq!(cartable.get(&format!("/api/v1{path}/advice"), &token).await.unwrap().status, 404);
    let counts = cartable.get("/api/v1/dispositions", &token).await.unwrap().json();
    let devices: i64 = counts.as_array().unwrap().iter().filter_map(|count| count["devices"].as_i64()).sum();
    assert_eq!(devices, 1, "{counts}");
}

async fn another_policy_is_tried_and_nothing_is_changed(test: &TestStore) {
    let fleet = fleet(test).await;
    let person = fleet.cartable.desk("tess", Role::Technician, Scope::Everything).await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let kept = "SELECT disposition FROM advice ORDER BY device_id";
    let before = raw.texts(kept).await.unwrap();
    let tried = person.get("/dispositions/what-if?battery.relend_percent=65").await.unwrap();
    assert_eq!(tried.status, 200);
    assert!(tried.body.contains("2 devices of 3 devices would move."), "{}", tried.body);
    assert!(tried.body.contains("[battery]\nrelend_percent = 65\n"), "{}", tried.body);
    let wrong = person.get("/dispositions/what-if?battery.relend_percent=40").await.unwrap();
    assert_eq!(wrong.status, 422, "it would be below the bound for long loans");
    assert!(
        wrong.body.contains("battery.relend_percent is 40: lower the first or raise the second."),
        "{}",
        wrong.body
    );
    let wrong = person.get("/dispositions/what-if?battery.relend_percent=abc").await.unwrap();
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("“abc” was entered, it must be a whole number from"), "{}", wrong.body);
    assert_eq!(raw.texts(kept).await.unwrap(), before);
    assert_eq!(fleet.cartable.app.policy.battery.relend_percent, 80);
}

async fn a_count_does_not_tell_who_is_in_a_programme(test: &TestStore) {
    let fleet = fleet(test).await;
    let mut raw = Raw::connect(test.url()).await.unwrap();
    raw.execute("UPDATE device SET programme = 'D1'").await.unwrap();
    flag_sweep::run(&test.store, &Policy::default(), clock::now(), &CancellationToken::new()).await.unwrap();
    let technician = fleet.cartable.desk("tess", Role::Technician, Scope::Everything).await.unwrap();
    let manager = fleet.cartable.desk("paul", Role::ProgrammeManager, Scope::Everything).await.unwrap();
    assert_eq!(technician.get("/dispositions?programme=D1").await.unwrap().status, 400);
    assert!(manager.get("/dispositions?programme=D1").await.unwrap().body.contains("3 devices"));
    assert!(!technician.get("/dispositions").await.unwrap().body.contains(">D1<"));
    assert!(manager.get("/dispositions").await.unwrap().body.contains(">D1<"));
    assert!(!technician.get("/exports/dispositions.csv").await.unwrap().body.contains("\"D1\""));
    assert!(manager.get("/exports/dispositions.csv").await.unwrap().body.contains("\"D1\""));
    for (login, shown) in [("tess", false), ("paul", true)] {
        let token = fleet.cartable.token(login).await.unwrap();
        let counts = fleet.cartable.get("/api/v1/dispositions", &token).await.unwrap().body;
        assert_eq!(counts.contains("\"D1\""), shown, "{login}: {counts}");
        let asked = fleet.cartable.get("/api/v1/dispositions/devices?programme=D1", &token).await.unwrap();
        assert_eq!(asked.status, if shown { 200 } else { 400 }, "{login}");
    }
}
