//! Inventories of other agents, imported: facts of the device that they name, once, never older than what is known, no contact,
//! and no trace of what a report has no place for.

use cartable_common::{
    DeviceId, EnrolmentId, SerialNumber, Text, UtcMillis,
    report::{Hardware, HealthReport},
};
use cartable_server::{
    domain::{
        brought::BroughtRefused,
        device::DeviceStatus,
        enrolment::EnrolmentStatus,
        erasure::{
            BenchClock,
            evidence::{self, File},
            gap::{Demand, Why},
        },
        flag::FlagCode,
        policy::Policy,
        reading::{
            Reading,
            agents::{AgentInventory, Tool},
            read,
        },
        scope::Scope,
    },
    store::{
        audit::{self, COMMAND_LINE},
        brought_report::{self, Bringing, BroughtError, By, Taken},
        detail::{self, DeviceDetail},
        device::{self, NewDevice},
        enrolment::{self, NewEnrolment},
        erasure_entry::{self, Strangers},
        erasure_gap, flag, history,
    },
};
use cartable_tests::{
    erasing::nvme_sanitized,
    fleet::{Enrolled, RunningIngest, at, envelope, laptop},
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};
use uuid::Uuid;

const XML: &str = include_str!("../../../server/src/domain/reading/agents/samples/fusioninventory-2.6.xml");
const SERIAL: &str = "PF2CART7";
/// The drive that the sample shows, and another one.
const FIRST: &str = "91FPC0A0PQSL";
const SECOND: &str = "91FPC0A0PQSM";

on_both_engines! {
    a_file_becomes_the_devices_report_and_is_no_contact,
    a_file_is_taken_once_and_never_after_a_newer_one,
    a_file_goes_to_the_one_device_that_it_names,
    where_an_agent_speaks_no_file_is_taken,
    an_inventory_shows_drives_as_of_its_own_date,
    an_exchanged_drive_was_seen_when_its_inventories_were_made,
    a_machine_recorded_by_its_inventory_had_its_drives_when_that_was_made,
    nothing_of_a_file_is_stored_that_a_report_has_no_place_for,
}

async fn recorded(test: &TestStore, maker: &str, status: DeviceStatus) -> DeviceId {
    recorded_at(test, maker, status, at(-60, 0, 0)).await
}

async fn recorded_at(test: &TestStore, maker: &str, status: DeviceStatus, now: UtcMillis) -> DeviceId {
    let id = DeviceId(Uuid::new_v4());
    let hardware = Hardware {
        manufacturer: Text::meaningful(maker),
        serial_number: SerialNumber::parse(SERIAL).into(),
        ..Hardware::default()
    };
    let new = NewDevice { id, status, hardware, asset_tag: None, programme: None, site: None, enrolled_at: None };
    let mut tx = test.store.write().await.unwrap();
    device::insert(&mut tx, &new, now).await.unwrap();
    tx.commit().await.unwrap();
    id
}

fn inventory(text: &str) -> AgentInventory {
    match read(text.as_bytes()) {
        Ok(Reading::Agent(found)) => *found,
        other => panic!("{other:?}"),
    }
}

/// Takes a file in, in a unit of work of its own.
async fn take(test: &TestStore, text: &str, now: UtcMillis) -> Result<Taken, BroughtRefused> {
    let (inventory, policy) = (inventory(text), Policy::default());
    let by = By { login: COMMAND_LINE, api_token: None };
    let bringing = Bringing { file: text.as_bytes(), inventory: &inventory, by, policy: &policy, now };
    let mut tx = test.store.write().await.unwrap();
    match brought_report::take_in(&mut tx, &Scope::Everything, bringing).await {
        Ok(taken) => {
            tx.commit().await.unwrap();
            Ok(taken)
        }
        Err(BroughtError::Refused(why)) => Err(why),
        Err(BroughtError::Store(error)) => panic!("{error}"),
    }
}

async fn seen(test: &TestStore, id: DeviceId) -> DeviceDetail {
    let mut tx = test.store.read().await.unwrap();
    detail::find(&mut tx, &Scope::Everything, id).await.unwrap().unwrap()
}

fn report(detail: &DeviceDetail) -> &HealthReport {
    &detail.health.as_ref().unwrap().report
}

/// The file as it would be on another day of November, with that much energy in the full battery.
fn on_day(day: u8, milliwatt_hours: u32) -> String {
    let text = XML.replace("2026-11-24 12:00:00", &format!("2026-11-{day:02} 12:00:00"));
    text.replace("<REAL_CAPACITY>31250<", &format!("<REAL_CAPACITY>{milliwatt_hours}<"))
}

async fn a_file_becomes_the_devices_report_and_is_no_contact(test: &TestStore) {
    let id = recorded(test, "Lenovo", DeviceStatus::Active).await;
    assert_eq!(take(test, XML, at(1, 0, 0)).await, Ok(Taken::Stored(id)));
    let found = seen(test, id).await;
    assert_eq!((found.brought_of, found.contact.as_ref()), (Some(Tool::FusionInventory), None));
    let health = found.health.as_ref().unwrap();
    assert_eq!((health.measured_at, health.received_at), (at(0, -1, 0), at(1, 0, 0)));
    assert_eq!(report(&found), &inventory(XML).report);
    assert_eq!(found.device.model.as_deref(), Some("20VH0019FR"), "the device learns its model");
    let mut tx = test.store.read().await.unwrap();
    let open: Vec<FlagCode> = flag::open_of_device(&mut tx, &Scope::Everything, id)
        .await
        .unwrap()
        .into_iter()
        .map(|flag| flag.code)
        .collect();
    assert!(open.contains(&FlagCode::BatteryWorn), "{open:?}");
    assert!(!open.contains(&FlagCode::StockInUse), "{open:?}");
    let acts = audit::of_object(&mut tx, "device", &id.to_string(), 10).await.unwrap();
    let said: Vec<&str> = acts.iter().map(|act| act.action.as_str()).collect();
    assert_eq!(said, ["device.bring_inventory"]);
    drop(tx);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    for table in ["contact", "contact_hourly"] {
        assert_eq!(raw.number(&format!("SELECT count(*) FROM {table}")).await.unwrap(), 0, "{table}");
    }
}

async fn a_file_is_taken_once_and_never_after_a_newer_one(test: &TestStore) {
    let id = recorded(test, "LENOVO", DeviceStatus::Active).await;
    let (first, second) = (on_day(10, 40_000), on_day(20, 31_250));
    assert_eq!(take(test, &first, at(1, 0, 0)).await, Ok(Taken::Stored(id)));
    assert_eq!(take(test, &second, at(1, 1, 0)).await, Ok(Taken::Stored(id)));
    for file in [&first, &second] {
        assert_eq!(take(test, file, at(1, 2, 0)).await, Ok(Taken::Already(id)));
    }
    let known = inventory(&second).made_at.unwrap();
    for late in [on_day(15, 35_000), on_day(20, 30_000)] {
        assert_eq!(take(test, &late, at(1, 3, 0)).await, Err(BroughtRefused::Older(known)));
    }
    let ahead = inventory(&on_day(30, 1)).made_at.unwrap();
    assert_eq!(take(test, &on_day(30, 1), at(1, 4, 0)).await, Err(BroughtRefused::Future(ahead)));
    let newest = seen(test, id).await;
    let battery = &report(&newest).batteries[0];
    assert_eq!(battery.full_milliwatt_hours.unwrap().get(), 31_250);
    let mut tx = test.store.read().await.unwrap();
    let changes = history::changes_of(&mut tx, &Scope::Everything, id).await.unwrap();
    let told: Vec<(Option<&str>, Option<&str>)> =
        changes.iter().map(|row| (row.change.before.as_deref(), row.change.after.as_deref())).collect();
    assert_eq!(told, [(Some("40000"), Some("31250"))], "from one file to the next");
    drop(tx);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    for table in ["report", "brought_report", "audit"] {
        assert_eq!(raw.number(&format!("SELECT count(*) FROM {table}")).await.unwrap(), 2, "{table}");
    }
}

async fn a_file_goes_to_the_one_device_that_it_names(test: &TestStore) {
    let serial = SerialNumber::parse(SERIAL).unwrap();
    let now = at(1, 0, 0);
    assert_eq!(take(test, XML, now).await, Err(BroughtRefused::Unknown(serial.clone())));
    let other = recorded(test, "Dell Inc.", DeviceStatus::Active).await;
    assert_eq!(take(test, XML, now).await, Err(BroughtRefused::Unknown(serial.clone())), "another maker's");
    let waiting = recorded(test, "Lenovo", DeviceStatus::Pending).await;
    assert_eq!(take(test, XML, now).await, Err(BroughtRefused::NotInService(DeviceStatus::Pending)));
    let mut tx = test.store.write().await.unwrap();
    device::set_status(&mut tx, &Scope::Everything, waiting, DeviceStatus::Active).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        take(test, &XML.replace(SERIAL, "pf2cart7"), now).await,
        Ok(Taken::Stored(waiting)),
        "whatever the case"
    );
    assert_eq!(seen(test, other).await.health, None);
    recorded(test, "LENOVO", DeviceStatus::Active).await;
    assert_eq!(take(test, XML, now).await, Err(BroughtRefused::Several(serial)));
}

async fn where_an_agent_speaks_no_file_is_taken(test: &TestStore) {
    // The file first, then an agent on the same machine.
    let id = recorded(test, "LENOVO", DeviceStatus::Active).await;
    assert_eq!(take(test, XML, at(1, 0, 0)).await, Ok(Taken::Stored(id)));
    let one = Enrolled { device: id, enrolment: EnrolmentId(Uuid::new_v4()) };
    let new = NewEnrolment {
        id: one.enrolment,
        device: id,
        request: Uuid::new_v4(),
        key: &[7; 32],
        token: None,
        status: EnrolmentStatus::Active,
    };
    let mut tx = test.store.write().await.unwrap();
    enrolment::insert(&mut tx, &new, at(1, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    let running = RunningIngest::start(&test.store);
    let sent = envelope(1, at(2, 0, 0), laptop(50));
    running.ingest.check_in(one.check_in(at(2, 0, 0), vec![sent.clone()])).await.unwrap();
    let found = seen(test, id).await;
    assert_eq!((report(&found), found.brought_of), (&sent.report, None), "the agent's word is the current one");
    let newer = on_day(28, 20_000);
    assert_eq!(take(test, &newer, at(10, 0, 0)).await, Err(BroughtRefused::AgentSpeaks));
    assert_eq!(take(test, XML, at(10, 0, 0)).await, Ok(Taken::Already(id)));
    let mut tx = test.store.write().await.unwrap();
    device::set_status(&mut tx, &Scope::Everything, id, DeviceStatus::Revoked).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(take(test, &newer, at(10, 0, 0)).await, Err(BroughtRefused::AgentSpeaks), "revoked, it keeps its key");
}

/// Why the drives of a device keep it from leaving.
async fn missing(test: &TestStore, id: DeviceId) -> Vec<Why> {
    let device = seen(test, id).await.device;
    let mut tx = test.store.read().await.unwrap();
    let gaps = erasure_gap::of_device(&mut tx, &device, Demand::Leave, &Policy::default().erasure).await.unwrap();
    gaps.into_iter().map(|gap| gap.why).collect()
}

/// Enters, at the second moment, that this drive was erased at the first.
async fn erased(test: &TestStore, id: DeviceId, serial: &str, (ended, now): (UtcMillis, UtcMillis)) {
    let policy = Policy::default();
    let transcript = nvme_sanitized(serial, ended);
    let files = [File { name: "nvme.txt", bytes: transcript.as_bytes() }];
    let readings = evidence::read(&files, BenchClock::Utc, now).unwrap();
    let device = seen(test, id).await.device;
    let mut tx = test.store.write().await.unwrap();
    let by = erasure_entry::By { login: "rosa", now, policy: &policy };
    erasure_entry::enter_files(&mut tx, &device, &readings, &files, Strangers::LeftOut, by).await.unwrap();
    tx.commit().await.unwrap();
}

async fn an_exchanged_drive_was_seen_when_its_inventories_were_made(test: &TestStore) {
    let id = recorded(test, "LENOVO", DeviceStatus::Active).await;
    // Made fourteen days ago, brought three days ago; the drive was erased in between.
    take(test, &on_day(10, 40_000), at(-3, 0, 0)).await.unwrap();
    erased(test, id, FIRST, (at(-5, 0, 0), at(-2, 0, 0))).await;
    assert_eq!(missing(test, id).await, [], "erased after the inventory, before somebody brought it");
    // Made four days ago, brought now; its drive was erased in between too.
    take(test, &on_day(20, 40_000).replace(FIRST, SECOND), at(0, 0, 0)).await.unwrap();
    assert_eq!(missing(test, id).await, [Why::NothingRecorded], "of the second alone");
    erased(test, id, SECOND, (at(-2, 0, 0), at(0, 1, 0))).await;
    assert_eq!(missing(test, id).await, []);
    // The first is back, a day ago: nothing else says that it was in use, or the second.
    take(test, &on_day(23, 40_000), at(0, 2, 0)).await.unwrap();
    assert_eq!(missing(test, id).await, [Why::UsedSince], "of the first alone");
}

async fn a_machine_recorded_by_its_inventory_had_its_drives_when_that_was_made(test: &TestStore) {
    let id = recorded_at(test, "LENOVO", DeviceStatus::Active, at(0, 0, 0)).await;
    take(test, &on_day(10, 40_000), at(0, 0, 0)).await.unwrap();
    erased(test, id, FIRST, (at(-5, 0, 0), at(0, 1, 0))).await;
    assert_eq!(missing(test, id).await, [], "erased before the machine was recorded");
    let mut tx = test.store.write().await.unwrap();
    let accepted = device::accept_baseline(&mut tx, &Scope::Everything, id, &Policy::default(), at(0, 2, 0)).await;
    assert!(accepted.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(missing(test, id).await, [], "accepted, it is as old");
}

async fn an_inventory_shows_drives_as_of_its_own_date(test: &TestStore) {
    let id = recorded(test, "LENOVO", DeviceStatus::Active).await;
    take(test, &on_day(10, 40_000), at(-12, 0, 0)).await.unwrap();
    erased(test, id, FIRST, (at(-4, 0, 0), at(-3, 0, 0))).await;
    assert_eq!(missing(test, id).await, []);
    take(test, &on_day(15, 40_000), at(0, 0, 0)).await.unwrap();
    assert_eq!(missing(test, id).await, [], "made before the erasure, brought after it");
    take(test, &on_day(22, 40_000), at(0, 1, 0)).await.unwrap();
    assert_eq!(missing(test, id).await, [Why::UsedSince], "made after the erasure");
}

async fn nothing_of_a_file_is_stored_that_a_report_has_no_place_for(test: &TestStore) {
    const STORED: [&str; 7] = [
        "SELECT report FROM health",
        "SELECT path || ' ' || COALESCE(before, '') || ' ' || COALESCE(after, '') FROM health_change",
        "SELECT details FROM audit",
        "SELECT evidence FROM flag",
        "SELECT COALESCE(serial_number, '') || ' ' || COALESCE(manufacturer, '') || ' ' || COALESCE(model, '') || ' ' \
         || COALESCE(baseline, '') || ' ' || COALESCE(search_text, '') FROM device",
        "SELECT drive_key || ' ' || COALESCE(model, '') FROM drive_seen",
        "SELECT tool FROM brought_report",
    ];
    recorded(test, "LENOVO", DeviceStatus::Active).await;
    take(test, &on_day(10, 40_000), at(1, 0, 0)).await.unwrap();
    // Another drive, so that the history and the drives that were seen tell of the first.
    let exchanged = XML.replace(FIRST, SECOND);
    take(test, &exchanged, at(1, 1, 0)).await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let mut all = String::new();
    for sql in STORED {
        let rows = raw.texts(sql).await.unwrap();
        assert!(!rows.is_empty(), "{sql}");
        all.push_str(&rows.join("\n").to_lowercase());
    }
    assert!(all.contains("pf2cart7"), "what is read is stored");
    for trace in ["indiscret", "192.0.2", "02:00:5e", "/home", "/srv"] {
        assert!(!all.contains(trace), "{trace} in {all}");
    }
}
