//! The workshop over HTTP on both engines: intake by scan, a unit's whole way, who may waive an erasure, and two half-working
//! units that make one good. Its photographs and its flags are tested beside.

use cartable_common::{MilliwattHours, report::Battery};
use cartable_server::{
    auth::Role,
    clock,
    domain::{erasure::Method, policy::Policy, scope::Scope},
};
use cartable_tests::{
    donation::erased,
    fleet::{self, RunningIngest},
    in_process::{Answer, InProcess},
    on_both_engines,
    pages::{File, Pages},
    raw::Raw,
    school::{School, labels},
    stores::TestStore,
};
use serde_json::json;

on_both_engines! {
    each_scan_is_answered_in_clear_words,
    a_unit_goes_the_whole_way_back_to_stock,
    two_half_working_units_make_one_good,
    what_staff_found_outranks_what_the_machine_claims_and_both_are_kept,
    a_second_click_does_nothing_more,
    scripts_do_the_same_by_the_api,
}

/// A workshop with a refurbisher and an administrator.
pub(crate) struct Workshop {
    pub(crate) cartable: InProcess,
    pub(crate) refurbisher: Pages,
    administrator: Pages,
    pub(crate) devices: Vec<cartable_common::DeviceId>,
    pub(crate) school: School,
}

impl Workshop {
    pub(crate) async fn new(test: &TestStore, devices: usize) -> Self {
        let cartable = InProcess::new(&test.store);
        let school = School::found(&test.store, 1, 1, clock::now()).await.unwrap();
        let devices = school.stock(&test.store, &labels(devices), clock::now()).await.unwrap();
        let refurbisher = cartable.desk("rita", Role::Refurbisher, Scope::Everything).await.unwrap();
        let administrator = cartable.desk("anne", Role::Administrator, Scope::Everything).await.unwrap();
        Self { cartable, refurbisher, administrator, devices, school }
    }

    /// Takes a unit in by scan; its bench page's address.
    pub(crate) async fn scan(&self, code: &str) -> String {
        let line = self.refurbisher.line("/work-orders/intake", &format!("code={code}")).await.unwrap();
        assert!(line.body.contains("data-outcome=\"good\""), "{}", line.body);
        let path = line.body.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(path.starts_with("/work-orders/"), "{path}");
        path.to_owned()
    }

    pub(crate) async fn step(&self, order: &str, fields: &str) {
        let answer = self.refurbisher.post(&format!("{order}/move"), fields).await.unwrap();
        assert_eq!(answer.header("location"), format!("{order}?done=saved"), "{fields}");
    }

    async fn refused(&self, order: &str, fields: &str, code: &str) {
        let answer = self.refurbisher.post(&format!("{order}/move"), fields).await.unwrap();
        assert_eq!(answer.header("location"), format!("{order}?done=bench-{code}"), "{fields}");
    }

    async fn waive(&self, order: &str) {
        let answer = self.administrator.post(&format!("{order}/waiver"), "reason=no+drive").await.unwrap();
        assert_eq!(answer.header("location"), format!("{order}?done=saved"));
    }

    /// Answers the checklist: all good but what is said.
    pub(crate) async fn inspect(&self, order: &str, but: &[(&str, &str)], more: &str) -> Answer {
        const CHECKS: [&str; 11] = [
            "battery", "casing", "hinges", "charger", "screen", "keyboard", "trackpad", "ports", "camera", "sound",
            "wifi",
        ];
        let answer = |check: &&str| {
            let found = but.iter().find(|(name, _)| name == check).map_or("good", |(_, found)| *found);
            format!("{check}={found}")
        };
        let fields: Vec<String> = CHECKS.iter().map(answer).collect();
        self.refurbisher.post(&format!("{order}/inspection"), &format!("{}{more}", fields.join("&"))).await.unwrap()
    }

    /// From intake to the repair bench.
    pub(crate) async fn to_repair(&self, code: &str) -> String {
        self.broken(code, "keyboard", "&key:A=on&key:Espace=on").await
    }

    /// The same, with another check that is faulty.
    async fn broken(&self, code: &str, check: &str, more: &str) -> String {
        let order = self.scan(code).await;
        self.step(&order, "step=begin").await;
        let done = self.inspect(&order, &[(check, "faulty")], more).await;
        assert_eq!(done.header("location"), format!("{order}?done=saved"), "{}", done.body);
        self.waive(&order).await;
        self.step(&order, "step=repair").await;
        order
    }
}

pub(crate) async fn number(test: &TestStore, sql: &str) -> i64 {
    Raw::connect(test.url()).await.unwrap().number(sql).await.unwrap()
}

async fn each_scan_is_answered_in_clear_words(test: &TestStore) {
    let workshop = Workshop::new(test, 3).await;
    workshop.school.lend(&test.store, &workshop.devices[1..2], clock::now()).await.unwrap();
    let order = workshop.scan("cd-0001").await;
    assert_eq!(workshop.scan("SNCD-0001").await, order, "the same order by its serial number");
    assert_eq!(number(test, "SELECT count(*) FROM work_order").await, 1);
    for (code, words) in [("CD-0002", "take it back"), ("NOBODY", "Unknown code"), ("%3Cb%3E", "&#60;b&#62;")] {
        let line = workshop.refurbisher.line("/work-orders/intake", &format!("code={code}")).await.unwrap();
        assert!(line.body.contains("data-outcome=\"bad\"") && line.body.contains(words), "{code}: {}", line.body);
    }
    // Without script the page comes back with the field ready.
    let page = workshop.refurbisher.post("/work-orders/intake", "code=CD-0003").await.unwrap();
    assert!(page.status == 200 && page.body.contains("autofocus") && page.body.contains("SNCD-0003"));
    // The board's own field finds the unit.
    let found = workshop.refurbisher.get("/work-orders?code=CD-0001").await.unwrap();
    assert_eq!(found.header("location"), order);
    let lost = workshop.refurbisher.get("/work-orders?code=CD-0002").await.unwrap();
    assert!(lost.body.contains("has no work order"), "{}", lost.body);
    // On the bench it can be neither lent nor put in stock behind its order's back.
    let device = workshop.devices[0];
    let stocked = workshop.administrator.post(&format!("/devices/{device}/stock"), "").await.unwrap();
    assert!(stocked.header("location").ends_with("done=refused-not-in-intake"), "{}", stocked.header("location"));
    let returns = workshop.administrator.line("/returns", "code=CD-0001&condition=good").await.unwrap();
    assert!(returns.body.contains("in the workshop already"), "{}", returns.body);
    let technician = workshop.cartable.desk("tom", Role::Technician, Scope::Everything).await.unwrap();
    let page = technician.get(&order).await.unwrap();
    assert!(page.status == 200 && !page.body.contains("name=\"step\""), "a technician reads");
    assert_eq!(technician.post(&format!("{order}/move"), "step=begin").await.unwrap().status, 403);
}

async fn a_unit_goes_the_whole_way_back_to_stock(test: &TestStore) {
    let workshop = Workshop::new(test, 1).await;
    let order = workshop.scan("CD-0001").await;
    workshop.step(&order, "step=begin").await;
    workshop.refused(&order, "step=reinstall", "not-from").await;
    let gap = workshop.refurbisher.post(&format!("{order}/inspection"), "battery=good&casing=marked").await.unwrap();
    assert!(gap.status == 422 && gap.body.contains("answer: Hinges"), "{}", gap.body);
    assert!(gap.body.contains("value=\"marked\" required checked"), "what was answered stays");
    let contradiction = workshop.inspect(&order, &[], "&key:A=on").await;
    assert!(contradiction.status == 422 && contradiction.body.contains("One dead key"), "{}", contradiction.body);
    let done = workshop.inspect(&order, &[("keyboard", "faulty"), ("casing", "marked")], "&key:A=on&note=ink").await;
    assert_eq!(done.status, 303);
    let page = workshop.refurbisher.get(&order).await.unwrap().body;
    for words in ["No erasure is recorded", "ask an administrator", "Do not answer: A", "ink", "Marks of use"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("value=\"repair\""), "what the erasure refuses is not offered");
    workshop.refused(&order, "step=repair", "not-erased").await;
    let own = workshop.refurbisher.post(&format!("{order}/waiver"), "reason=no+drive").await.unwrap();
    assert_eq!(own.status, 403, "a waiver is for those with the right");
    let silent = workshop.administrator.post(&format!("{order}/waiver"), "reason=++").await.unwrap();
    assert_eq!(silent.header("location"), format!("{order}?done=bench-no-reason"));
    workshop.waive(&order).await;
    workshop.refused(&order, "step=reinstall", "faulty").await;
    workshop.step(&order, "step=repair").await;
    let added = workshop.refurbisher.post("/parts", "kind=keyboard&model=thinkpad+l13&price=54,90&count=1").await;
    assert_eq!(added.unwrap().header("location"), "/parts?done=saved");
    let page = workshop.refurbisher.get(&order).await.unwrap().body;
    assert!(page.contains("€54.90"), "{page}");
    let part = page.split("name=\"part\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let used = workshop.refurbisher.post(&format!("{order}/parts"), &format!("part={part}")).await.unwrap();
    assert_eq!(used.header("location"), format!("{order}?done=saved"));
    let again = workshop.refurbisher.post(&format!("{order}/parts"), &format!("part={part}")).await.unwrap();
    assert_eq!(again.header("location"), format!("{order}?done=bench-none-left"));
    assert_eq!(number(test, "SELECT count FROM part").await, 0);
    for step in ["step=reinstall", "step=installed"] {
        workshop.step(&order, step).await;
    }
    assert_eq!(workshop.inspect(&order, &[("casing", "marked")], "").await.status, 303);
    let page = workshop.refurbisher.get(&order).await.unwrap().body;
    assert!(page.contains("support grade B at best") && page.contains("Casing"), "{page}");
    workshop.refused(&order, "step=grade&grade=A", "better-than-found").await;
    workshop.step(&order, "step=grade&grade=B").await;
    workshop.step(&order, "step=dispose&disposition=relend").await;
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(raw.texts("SELECT lending_state FROM device").await.unwrap(), ["in_stock"]);
    assert_eq!(raw.texts("SELECT grade FROM device").await.unwrap(), ["B"]);
    let page = workshop.refurbisher.get(&order).await.unwrap().body;
    for words in ["To be lent", "Time per stage", "Final test done", "Waived by anne: no drive", "€54.90"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(number(test, "SELECT count(*) FROM work_inspection").await, 2, "both are kept");
    assert_eq!(number(test, "SELECT count(*) FROM audit WHERE action = 'work_order.move'").await, 8);
    let decided = "SELECT count(*) FROM audit a JOIN policy_version v ON a.details LIKE '%' || v.version || '%'";
    assert_eq!(number(test, decided).await, 1, "the decision tells by which policy, whose settings are kept");
    let board = workshop.refurbisher.get("/work-orders").await.unwrap().body;
    assert!(board.contains("SNCD-0001") && board.contains("at most 15 days"), "{board}");
    // It is lent as any other, and then its order is not reopened.
    workshop.school.lend(&test.store, &workshop.devices, clock::now()).await.unwrap();
    workshop.refused(&order, "step=reopen", "went-on").await;
}

/// A PNG of our own with a text chunk, as a telephone would write a place.
pub(crate) fn photograph() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 1600, 40);
    encoder.set_color(png::ColorType::Rgb);
    encoder.add_text_chunk("Location".to_owned(), "SECRET-PLACE".to_owned()).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&vec![120; 1600 * 40 * 3]).unwrap();
    writer.finish().unwrap();
    bytes
}

async fn two_half_working_units_make_one_good(test: &TestStore) {
    let workshop = Workshop::new(test, 2).await;
    let (good, donor) = (workshop.to_repair("CD-0001").await, workshop.broken("CD-0002", "hinges", "").await);
    let keyboard = "kind=keyboard&model=&price=0&count=1";
    let early = workshop.refurbisher.post(&format!("{donor}/harvest"), keyboard).await.unwrap();
    assert_eq!(early.header("location"), format!("{donor}?done=bench-not-for-parts"));
    workshop.step(&donor, "step=give_up").await;
    workshop.refused(&donor, "step=dispose&disposition=relend", "not-working").await;
    workshop.refused(&donor, "step=dispose&disposition=donate", "not-working").await;
    workshop.step(&donor, "step=dispose&disposition=parts").await;
    let into =
        workshop.refurbisher.post(&format!("{donor}/harvest"), &format!("{keyboard}&into=CD-0001")).await.unwrap();
    assert_eq!(into.header("location"), format!("{donor}?done=saved"));
    let kept = workshop.refurbisher.post(&format!("{donor}/harvest"), "kind=charger&model=&price=12&count=1").await;
    assert_eq!(kept.unwrap().header("location"), format!("{donor}?done=saved"));
    let page = workshop.refurbisher.get(&good).await.unwrap().body;
    assert!(page.contains("Parts used") && page.contains("Harvested"), "{page}");
    assert_eq!(number(test, "SELECT count(*) FROM part WHERE origin = 'harvested' AND count = 0").await, 1);
    assert_eq!(number(test, "SELECT count(*) FROM part WHERE origin = 'harvested' AND count = 1").await, 1);
    workshop.refused(&donor, "step=reopen", "harvested").await;
    for step in ["step=reinstall", "step=installed"] {
        workshop.step(&good, step).await;
    }
    assert_eq!(workshop.inspect(&good, &[], "").await.status, 303);
    workshop.step(&good, "step=grade&grade=A").await;
    // A waiver opens no donation; the proof does.
    let donate = "step=dispose&disposition=donate";
    assert!(!workshop.refurbisher.get(&good).await.unwrap().body.contains("value=\"donate\""), "nor is it offered");
    workshop.refused(&good, donate, "waived-only").await;
    let mut tx = test.store.write().await.unwrap();
    let purged = ("SN-DISK", Method::NvmeSanitizeCrypto);
    erased(&mut tx, workshop.devices[0], purged, &Policy::default(), clock::now()).await.unwrap();
    tx.commit().await.unwrap();
    workshop.step(&good, donate).await;
    let page = workshop.refurbisher.get(&good).await.unwrap().body;
    assert!(page.contains("Ready for donation"), "{page}");
    assert_eq!(
        number(test, "SELECT count(*) FROM device WHERE lending_state = 'ceded'").await,
        0,
        "nothing is donated"
    );
    workshop.step(&good, "step=reopen").await;
    assert_eq!(number(test, "SELECT count(*) FROM device WHERE lending_state = 'refurbishment'").await, 1);
    let stock = workshop.refurbisher.get("/parts?all=yes").await.unwrap().body;
    assert!(stock.contains("worth €12.00") && stock.contains("Keyboard"), "{stock}");
}

async fn what_staff_found_outranks_what_the_machine_claims_and_both_are_kept(test: &TestStore) {
    let workshop = Workshop::new(test, 0).await;
    let now = clock::now();
    let (flattering, alarming) = (fleet::laptop(50), {
        let mut report = fleet::laptop(50);
        report.batteries.push(Battery {
            design_milliwatt_hours: MilliwattHours::new(50_000),
            full_milliwatt_hours: MilliwattHours::new(15_000),
            ..Battery::default()
        });
        report
    });
    let running = RunningIngest::start(&test.store);
    let token = workshop.cartable.token("rita").await.unwrap();
    // The machine claims a failing battery, a person found it good: grade A. The machine claims nothing, a person found the
    // battery faulty: repair.
    for (report, claimed, found, stage) in
        [(alarming, "failing", "good", "grading"), (flattering, "unknown", "faulty", "repair")]
    {
        let unit = fleet::enrol(&test.store, test.url(), Some(workshop.school.site), now).await.unwrap();
        running.ingest.check_in(unit.check_in(now, vec![fleet::envelope(1, now, report)])).await.unwrap();
        let call = async |path: &str, body: serde_json::Value| {
            workshop.cartable.call(&axum::http::Method::POST, path, Some(token.as_str()), Some(body)).await.unwrap()
        };
        let made = call("/api/v1/work-orders", json!({ "device": unit.device })).await;
        let order = format!("/work-orders/{}", made.json()["id"].as_str().unwrap());
        workshop.step(&order, "step=begin").await;
        assert_eq!(workshop.inspect(&order, &[], "").await.status, 303);
        let page = workshop.refurbisher.get(&order).await.unwrap().body;
        assert!(page.contains("KBG40ZNV256G · 91FPC0A0PQSL"), "the drive to erase is named: {page}");
        workshop.waive(&order).await;
        for step in ["step=reinstall", "step=installed"] {
            workshop.step(&order, step).await;
        }
        assert_eq!(workshop.inspect(&order, &[("battery", found)], "").await.status, 303);
        let read = workshop.cartable.get(&format!("/api/v1{order}"), &token).await.unwrap().json();
        assert_eq!(read["stage"], stage, "{claimed} claimed, {found} found");
        assert_eq!(read["inspections"][0]["claimed_batteries"], claimed, "the claim is kept");
        assert_eq!(read["inspections"][0]["findings"]["found"]["battery"], found, "and what was found");
        if stage == "grading" {
            workshop.step(&order, "step=grade&grade=A").await;
        }
    }
    running.stop().await;
}

async fn a_second_click_does_nothing_more(test: &TestStore) {
    let workshop = Workshop::new(test, 1).await;
    let order = workshop.scan("CD-0001").await;
    let at = |outcome: &str| format!("{order}?done={outcome}");
    let twice = async |path: &str, fields: &str, second: &str| {
        for outcome in ["saved", second] {
            let answer = workshop.refurbisher.post(path, fields).await.unwrap();
            assert!(answer.header("location").ends_with(&format!("?done={outcome}")), "{path} {fields}");
        }
    };
    twice(&format!("{order}/move"), "step=begin", "already").await;
    for outcome in ["saved", "already"] {
        let answer = workshop.inspect(&order, &[("screen", "faulty")], "").await;
        assert_eq!(answer.header("location"), at(outcome));
    }
    for outcome in ["saved", "already"] {
        let answer = workshop.administrator.post(&format!("{order}/waiver"), "reason=no+drive").await.unwrap();
        assert_eq!(answer.header("location"), at(outcome));
    }
    twice(&format!("{order}/move"), "step=repair", "already").await;
    let mark = async |path: &str| {
        let page = workshop.refurbisher.get(path).await.unwrap().body;
        page.split("name=\"once\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let once = mark("/parts").await;
    twice("/parts", &format!("kind=screen&model=&price=75&count=3&once={once}"), "already").await;
    assert_eq!(number(test, "SELECT count(*) FROM part").await, 1);
    let page = workshop.refurbisher.get(&order).await.unwrap().body;
    let part = page.split("name=\"part\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let once = mark(&order).await;
    twice(&format!("{order}/parts"), &format!("part={part}&once={once}"), "saved").await;
    assert_eq!(number(test, "SELECT count FROM part").await, 2, "one screen");
    let photograph = photograph();
    let once = mark(&order).await;
    for _ in 0..2 {
        let file = File { name: "x.png", content: &photograph };
        let fields = [("once", once.as_str())];
        let answer = workshop.refurbisher.upload(&format!("{order}/photos"), &fields, Some(file)).await.unwrap();
        assert_eq!(answer.header("location"), at("saved"));
    }
    assert_eq!(number(test, "SELECT count(*) FROM work_photo").await, 1);
    // Another grade is not what was done.
    for step in ["step=reinstall", "step=installed"] {
        workshop.step(&order, step).await;
    }
    assert_eq!(workshop.inspect(&order, &[], "").await.status, 303);
    twice(&format!("{order}/move"), "step=grade&grade=B", "already").await;
    workshop.refused(&order, "step=grade&grade=A", "not-from").await;
    let acts = "SELECT count(*) FROM work_order_event";
    assert_eq!(number(test, acts).await, 11, "each was done once");
}

async fn scripts_do_the_same_by_the_api(test: &TestStore) {
    let workshop = Workshop::new(test, 1).await;
    let token = workshop.cartable.token("rita").await.unwrap();
    let call = async |path: &str, body: serde_json::Value| {
        workshop.cartable.call(&axum::http::Method::POST, path, Some(token.as_str()), Some(body)).await.unwrap()
    };
    let made = call("/api/v1/work-orders", json!({ "device": workshop.devices[0] })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.json()["stage"], "intake");
    let order = format!("/api/v1/work-orders/{}", made.json()["id"].as_str().unwrap());
    let moved = call(&format!("{order}/move"), json!({ "step": "begin" })).await;
    assert_eq!(moved.json()["stage"], "inspection");
    let missing = call(&format!("{order}/move"), json!({ "step": "inspect" })).await;
    assert!(missing.status == 422 && missing.body.contains("findings"), "{}", missing.body);
    let found = json!({
        "battery": "swollen", "casing": "good", "hinges": "good", "charger": "good", "screen": "good",
        "keyboard": "good", "trackpad": "good", "ports": "good", "camera": "good", "sound": "good", "wifi": "good",
    });
    let findings = json!({ "step": "inspect", "findings": { "found": found } });
    let moved = call(&format!("{order}/move"), findings).await;
    assert_eq!(
        (moved.json()["stage"].as_str(), moved.json()["battery_swollen"].as_bool()),
        (Some("quarantine"), Some(true))
    );
    assert_eq!(moved.json()["offered"], json!(["remove_battery", "dispose"]));
    assert_eq!(moved.json()["inspections"][0]["claimed_batteries"], "unknown", "what the machine claims is kept");
    let stopped = call(&format!("{order}/move"), json!({ "step": "repair" })).await;
    assert!(stopped.status == 422 && stopped.body.contains("swollen"), "{}", stopped.body);
    let waiver = call(&format!("{order}/waiver"), json!({ "reason": "x" })).await;
    assert_eq!(waiver.status, 403);
    let list = workshop.cartable.get("/api/v1/work-orders?stage=quarantine", &token).await.unwrap();
    assert_eq!(list.json()["total"]["count"], 1, "{}", list.body);
    let read = workshop.cartable.get(&order, &token).await.unwrap();
    assert_eq!(read.json()["time"].as_array().unwrap().len(), 3, "{}", read.body);
}
