//! The desks over HTTP on both engines: what a scan is answered, who took back, undo; the hand-over with its signature
//! sealed; and how long a return takes with 21,000 loans.

use std::time::Instant;

use cartable_common::UtcMillis;
use cartable_server::{
    auth::Role,
    clock,
    domain::{paris, scope::Scope},
};
use cartable_tests::{
    in_process::InProcess,
    on_both_engines,
    pages::Pages,
    raw::Raw,
    school::{School, labels},
    stores::TestStore,
};

on_both_engines! {
    each_scan_is_answered_in_clear_words,
    a_scan_is_understood_whatever_the_scanner_adds,
    a_hand_over_is_recorded_with_its_signature_sealed,
    the_api_lends_and_hides_what_a_role_must_not_see,
}

/// A scan as the script sends it: the line alone.
async fn scan(desk: &Pages, fields: &str) -> String {
    let answer = desk.line("/returns", fields).await.unwrap();
    assert_eq!(answer.status, 200, "{fields}: {}", answer.body);
    assert!(answer.body.starts_with("<li") && answer.body.matches("<li").count() == 1, "{}", answer.body);
    answer.body
}

async fn number(test: &TestStore, sql: &str) -> i64 {
    Raw::connect(test.url()).await.unwrap().number(sql).await.unwrap()
}

async fn each_scan_is_answered_in_clear_words(test: &TestStore) {
    let (cartable, now) = (InProcess::new(&test.store), clock::now());
    let here = School::found(&test.store, 1, 3, now).await.unwrap();
    let there = School::found(&test.store, 2, 1, now).await.unwrap();
    let lent = here.stock(&test.store, &labels(4), now).await.unwrap();
    here.lend(&test.store, &lent[..3], now).await.unwrap();
    let foreign = there.stock(&test.store, &["CD-9001".to_owned()], now).await.unwrap();
    there.lend(&test.store, &foreign, now).await.unwrap();
    let desk = cartable.desk("bruno", Role::Referent, Scope::Sites(vec![here.site])).await.unwrap();

    let line = scan(&desk, "code=CD-0001&condition=damaged&missing:sacoche=on&missing:souris=on").await;
    for word in ["data-outcome=\"good\"", "Taken back", "SNCD-0001", "CD-0001", "Damaged", "without: sacoche", "B-"] {
        assert!(line.contains(word), "{word}: {line}");
    }
    assert!(!line.contains("souris"), "what never went with the device is not missing");
    for (code, words) in [
        ("CD-0001", "Already returned"),
        ("CD-0004", "it is in stock"),
        ("CD-9001", "another site"),
        ("NOBODY", "another site"),
        ("%3Cscript%3E", "&#60;script&#62;"),
        ("", "Unknown code"),
    ] {
        let line = scan(&desk, &format!("code={code}&condition=good")).await;
        assert!(line.contains("data-outcome=\"bad\"") && line.contains(words), "{code}: {line}");
        assert!(!line.contains("SNCD-9001"), "nothing is said of the other site's device");
    }
    // A scanner that sends small letters, and one that reads the serial number.
    assert!(scan(&desk, "code=cd-0002").await.contains("data-outcome=\"good\""));
    assert!(scan(&desk, "code=SNCD-0003").await.contains("data-outcome=\"good\""));

    // Without script the page comes back with the field ready, the newest line first and its undo.
    let page = desk.post("/returns", "code=CD-0003&condition=good").await.unwrap();
    assert_eq!(page.status, 200);
    let first = page.body.find("Already returned").unwrap();
    assert!(first < page.body.find("SNCD-0003").unwrap() && page.body.contains("autofocus"));
    assert_eq!(page.body.matches("action=\"/returns/undo\"").count(), 1, "the last return alone");
    let events = "SELECT count(*) FROM loan_event WHERE kind = 'returned' AND actor = 'bruno'";
    assert_eq!(number(test, events).await, 3, "who took it back is recorded");
    assert_eq!(number(test, "SELECT count(*) FROM device WHERE lending_state = 'intake'").await, 3);
    assert_eq!(number(test, "SELECT count(*) FROM audit WHERE action = 'loan.take_back'").await, 3);

    let loan = page.body.split("name=\"loan\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let undone = desk.post("/returns/undo", &format!("loan={loan}")).await.unwrap();
    assert_eq!(undone.header("location"), "/returns?done=return-undone");
    assert_eq!(number(test, "SELECT count(*) FROM device WHERE lending_state = 'lent'").await, 2);
    let again = desk.post("/returns/undo", &format!("loan={loan}")).await.unwrap();
    assert_eq!(again.header("location"), "/returns?done=refused-not-undoable");
}

async fn a_scan_is_understood_whatever_the_scanner_adds(test: &TestStore) {
    let (cartable, now) = (InProcess::new(&test.store), clock::now());
    let school = School::found(&test.store, 1, 1, now).await.unwrap();
    let devices = school.stock(&test.store, &labels(7), now).await.unwrap();
    school.lend(&test.store, &devices[..6], now).await.unwrap();
    let desk = cartable.desk("rosa", Role::Referent, Scope::Sites(vec![school.site])).await.unwrap();
    // Framed by STX and ETX, with a byte order mark and a zero width space, marked as Code 128, starred as Code 39.
    for code in ["%02CD-0001%03", "%EF%BB%BFCD-%E2%80%8B0002", "%5DC1CD-0003", "*CD-0004*", "%5DC1%1DCD-0005"] {
        let line = scan(&desk, &format!("code={code}&condition=good")).await;
        assert!(line.contains("data-outcome=\"good\""), "{code}: {line}");
    }
    // An English scanner on a French keyboard: CD-0006, and a label that is nobody's.
    let line = scan(&desk, "code=CD)%C3%A0%C3%A0%C3%A0-&condition=good").await;
    assert!(line.contains("data-outcome=\"good\"") && line.contains("the code was translated"), "{line}");
    let line = scan(&desk, "code=CD)%C3%A7%C3%A7%C3%A7&condition=good").await;
    assert!(line.contains("set to another keyboard") && line.contains("data-outcome=\"bad\""), "{line}");
    let (reference, programme) = (school.borrowers[0].reference.to_string(), school.programme);
    let asked = format!("/hand-over?code=CD)%C3%A0%C3%A0%C3%A0%C3%A8&borrower=*{reference}*&programme={programme}");
    let page = desk.get(&asked).await.unwrap();
    assert!(page.body.contains("CD-0007") && page.body.contains("name=\"due\""), "{}", page.body);
}

async fn a_hand_over_is_recorded_with_its_signature_sealed(test: &TestStore) {
    let (cartable, now) = (InProcess::new(&test.store), clock::now());
    let school = School::found(&test.store, 1, 2, now).await.unwrap();
    let devices = school.stock(&test.store, &labels(2), now).await.unwrap();
    let scope = Scope::Sites(vec![school.site]);
    let desk = cartable.desk("rosa", Role::Referent, scope.clone()).await.unwrap();
    let (reference, programme) = (school.borrowers[0].reference.to_string(), school.programme);

    let empty = desk.get("/hand-over").await.unwrap();
    assert!(empty.header("content-security-policy").contains("script-src 'self'"));
    assert!(empty.header("permissions-policy").contains("camera=(self)"));
    let elsewhere = desk.get("/loans").await.unwrap();
    assert!(!elsewhere.header("content-security-policy").contains("script-src"));
    assert!(elsewhere.header("permissions-policy").contains("camera=()"));

    let asked = desk.get(&format!("/hand-over?code=cd-0001&borrower={reference}&programme={programme}")).await.unwrap();
    assert!(asked.body.contains("chargeur") && asked.body.contains("agreement 1"), "{}", asked.body);
    let due = asked.body.split("name=\"due\" type=\"date\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(
        due.starts_with("20") && (due.contains("-07-") || due.contains("-06-")),
        "the end of the school year: {due}"
    );

    let form = format!("device={}&borrower={reference}&programme={programme}&due={due}&accessory-0=on", devices[0]);
    let undrawn = desk.post("/hand-over", &format!("{form}&signature=drawn&drawn=")).await.unwrap();
    assert_eq!(undrawn.status, 422);
    assert!(undrawn.body.contains("was not drawn"));
    let strokes = "10,10 20,20 30,30 40,40;50,50 60,60";
    let done = desk
        .post("/hand-over", &format!("{form}&signature=drawn&drawn={}&agreement=pret-1", strokes.replace(' ', "+")))
        .await
        .unwrap();
    assert_eq!(done.status, 303, "{}", done.body);
    let loan = done.header("location").split("last=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let twice = desk.post("/hand-over", &format!("{form}&signature=paper")).await.unwrap();
    assert!(twice.status == 422 && twice.body.contains("already handed over to this borrower"), "{}", twice.body);
    let late = desk
        .post("/hand-over", &format!("device={}&borrower={reference}&programme={programme}&due=2020-01-01", devices[1]))
        .await
        .unwrap();
    assert!(late.status == 422 && late.body.contains("already passed"), "{}", late.body);

    let sealed = Raw::connect(test.url()).await.unwrap().texts("SELECT sealed FROM loan_signature").await.unwrap();
    assert!(sealed.len() == 1 && !sealed[0].contains("10,10"), "only sealed");
    let shown = desk.post(&format!("/loans/{loan}/signature"), "").await.unwrap();
    assert!(shown.body.contains("M10 10L20 20L30 30L40 40M50 50L60 60"), "{}", shown.body);
    assert_eq!(number(test, "SELECT count(*) FROM audit WHERE action = 'loan.see_signature'").await, 1);
    let technician = cartable.desk("tom", Role::Technician, scope).await.unwrap();
    let page = technician.get(&format!("/loans/{loan}")).await.unwrap();
    assert!(
        !page.body.contains(&reference) && !page.body.contains("/signature") && page.status == 200,
        "{}",
        page.body
    );
    assert_eq!(technician.post(&format!("/loans/{loan}/signature"), "").await.unwrap().status, 403);
    assert_eq!(technician.get("/hand-over").await.unwrap().status, 403);
    let card = desk.get(&format!("/devices/{}", devices[0])).await.unwrap();
    assert!(card.body.contains(&format!("/loans/{loan}")) && card.body.contains("On loan"));
    for (asked, shown) in [("cd-0001", true), (reference.as_str(), true), ("CD-0002", false)] {
        let page = desk.get(&format!("/loans?q={asked}")).await.unwrap();
        assert_eq!(page.body.contains(&format!("/loans/{loan}")), shown, "{asked}");
    }
    assert_eq!(desk.get("/loans?q=a%00b").await.unwrap().status, 400);
    let list = desk.get("/loans.csv").await.unwrap();
    assert!(list.body.contains(&reference) && list.body.lines().count() == 2, "{}", list.body);
}

async fn the_api_lends_and_hides_what_a_role_must_not_see(test: &TestStore) {
    let (cartable, now) = (InProcess::new(&test.store), clock::now());
    let school = School::found(&test.store, 1, 1, now).await.unwrap();
    let devices = school.stock(&test.store, &labels(2), now).await.unwrap();
    for (login, role) in [("manager", Role::ProgrammeManager), ("tech", Role::Technician)] {
        cartable.person(login, role, Scope::Everything).await.unwrap();
    }
    let (manager, tech) = (cartable.token("manager").await.unwrap(), cartable.token("tech").await.unwrap());
    let reference = school.borrowers[0].reference.to_string();
    let in_days = |days| paris::date(clock::now().plus_days(days)).to_string();
    let due = in_days(200);
    let new = |device: usize| {
        serde_json::json!({ "device": devices[device], "borrower": reference, "programme": "D1",
            "handing_over": { "due": due, "accessories": ["chargeur"], "signature": "paper" } })
    };
    let post = async |path: &str, body| {
        cartable.call(&axum::http::Method::POST, path, Some(&manager), Some(body)).await.unwrap()
    };
    let made = post("/api/v1/loans", new(0)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.json()["state"], "handed_over");
    let again = post("/api/v1/loans", new(0)).await;
    assert!(again.status == 422 && again.body.contains("not in stock"), "{}", again.body);
    assert_eq!(post("/api/v1/loans", new(1)).await.status, 201);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let past = post(&format!("/api/v1/loans/{id}/extend"), serde_json::json!({ "due": in_days(199) })).await;
    assert!(past.status == 422 && past.body.contains("later"), "{}", past.body);
    let back = serde_json::json!({ "condition": "worn", "missing_accessories": ["chargeur"] });
    let back = post(&format!("/api/v1/loans/{id}/return"), back).await.json();
    assert_eq!((&back["state"], &back["missing_accessories"][0]), (&"returned".into(), &"chargeur".into()));
    assert_eq!(
        cartable.get(&format!("/api/v1/loans?due_before={}", in_days(201)), &manager).await.unwrap().json()["total"]["count"],
        1
    );
    // By tag in any case, by serial number; by reference for those who may know who holds what.
    for (code, who, found) in [
        ("cd-0001", &manager, 1),
        ("SNCD-0002", &tech, 1),
        (reference.to_lowercase().as_str(), &manager, 2),
        (reference.as_str(), &tech, 0),
        ("nowhere", &manager, 0),
    ] {
        let list = cartable.get(&format!("/api/v1/loans?code={code}"), who).await.unwrap().json();
        assert_eq!(list["total"]["count"], found, "{code}: {list}");
    }
    assert_eq!(cartable.get("/api/v1/loans?code=%20", &manager).await.unwrap().status, 400);
    let seen = cartable.get(&format!("/api/v1/loans/{id}"), &manager).await.unwrap();
    assert!(seen.body.contains(&reference) && seen.json()["steps"][2]["kind"] == "returned", "{}", seen.body);
    // The programme shows its members to referents, not to technicians, who see no borrower either.
    let hidden = cartable.get(&format!("/api/v1/loans/{id}"), &tech).await.unwrap();
    assert!(!hidden.body.contains(&reference) && hidden.json()["programme"].is_null(), "{}", hidden.body);
    assert_eq!(cartable.get("/api/v1/loans?programme=D1", &tech).await.unwrap().status, 400);
    assert_eq!(
        cartable.get("/api/v1/loans?programme=D1&limit=1", &manager).await.unwrap().json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

/// Devices and loans beyond those of the desk: a programme in its fifth year.
const LOANS: usize = 21_000;

async fn fill(test: &TestStore, school: &School, now: UtcMillis) {
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let (site, programme, borrower) =
        (raw.uuid(school.site), raw.uuid(school.programme), raw.uuid(school.borrowers[0].id));
    let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {LOANS})");
    let statement = format!(
        "INSERT INTO device (id, status, serial_number, asset_tag, site_id, created_at, enrolled_at, sort_serial, \
         sort_model, sort_site, search_text, lending_state) {numbers} SELECT randomblob(16), 'active', 'S' || i, \
         'F-' || i, {site}, {now}, {now}, 's' || i, 'x', 'x', 'x', 'lent' FROM n; \
         INSERT INTO loan (id, device_id, borrower_id, programme_id, site_id, state, reserved_at, handed_over_at, \
         due_day, accessories) SELECT randomblob(16), id, {borrower}, {programme}, {site}, 'handed_over', {now}, {now}, \
         30000, '[]' FROM device WHERE asset_tag LIKE 'F-%'; \
         INSERT INTO loan_event (loan_id, number, at, kind, actor, details) SELECT id, 1, {now}, 'handed_over', 'x', \
         'null' FROM loan",
        now = now.get(),
    );
    raw.execute(&statement).await.unwrap();
}

/// The budget is 50 ms on a machine of its own; here, beside other tests and unoptimised, five times that still fails
/// where a return reads the whole table. The figure is printed.
#[tokio::test(flavor = "multi_thread")]
async fn a_return_is_quick_with_21_000_loans() {
    let test = TestStore::sqlite().await.unwrap();
    let (cartable, now) = (InProcess::new(&test.store), clock::now());
    let school = School::found(&test.store, 1, 1, now).await.unwrap();
    fill(&test, &school, now).await;
    let desk = cartable.desk("bruno", Role::Refurbisher, Scope::Everything).await.unwrap();
    let mut times = Vec::new();
    for number in 1..=200 {
        let began = Instant::now();
        let line = scan(&desk, &format!("code=F-{}&condition=good", number * 97)).await;
        times.push(began.elapsed());
        assert!(line.contains("data-outcome=\"good\""), "{line}");
    }
    times.sort();
    let (median, p95) = (times[100], times[190]);
    println!("a return with {LOANS} loans on SQLite: median {median:?}, p95 {p95:?}");
    assert!(p95.as_millis() <= 250, "p95 {p95:?}");
    for list in ["/loans", "/loans?due=overdue", "/loans?state=returned", &format!("/loans?site={}", school.site)] {
        let mut times = Vec::new();
        for _ in 0..20 {
            let began = Instant::now();
            assert_eq!(desk.get(list).await.unwrap().status, 200);
            times.push(began.elapsed());
        }
        times.sort();
        println!("{list} with {LOANS} loans on SQLite: median {:?}, p95 {:?}", times[10], times[18]);
        assert!(times[18].as_millis() <= 250, "{list}: {times:?}");
    }
}
