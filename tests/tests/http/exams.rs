//! Exams in the console and the API: who orders and calls off which, what a form refuses and why, what is recorded; and
//! what a device's page says that the family reads.

use axum::http::Method;
use cartable_common::UtcMillis;
use cartable_server::{
    auth::Role,
    clock,
    domain::{device::DeviceStatus, exam::NewExam, loan::LoanState, paris, scope::Scope},
    store::{audit, device, exam, lending_bulk},
};
use cartable_tests::{fleet::enrol, in_process::InProcess, lending, on_both_engines, stores::TestStore};
use serde_json::{Value, json};

on_both_engines! {
    a_technician_orders_an_exam_and_calls_it_off,
    a_technician_of_some_sites_orders_for_them_alone,
    a_script_orders_and_calls_off,
    past_exams_come_page_by_page,
    a_devices_page_says_what_its_family_reads,
}

/// A form for the day after `now`.
fn tomorrow(now: UtcMillis, begins: &str, ends: &str) -> String {
    format!("label=Brevet+blanc&day={}&begins={begins}&ends={ends}", paris::date(now.plus_days(1)))
}

async fn acts(test: &TestStore) -> Vec<String> {
    let mut tx = test.store.read().await.unwrap();
    let acts = audit::list(&mut tx, None, 50).await.unwrap();
    acts.into_iter().map(|act| act.action).filter(|action| action.starts_with("exam.")).collect()
}

async fn a_technician_orders_an_exam_and_calls_it_off(test: &TestStore) {
    let (cartable, now) = (InProcess::new(&test.store), clock::now());
    let site = cartable.site(1).await.unwrap();
    let tom = cartable.desk("tom", Role::Technician, Scope::Everything).await.unwrap();
    assert!(tom.get("/exams").await.unwrap().body.contains("No exam is announced"));
    for (form, why) in [
        (tomorrow(now, "12:00", "08:00"), "The end comes before the beginning"),
        (tomorrow(now, "08:00", "20:30"), "at most: announce each day"),
        (tomorrow(now, "8", "12:00"), "a day and two times"),
        (tomorrow(now.plus_days(-3), "08:00", "12:00"), "over already"),
        (tomorrow(now, "08:00", "12:00").replace("Brevet+blanc", "+"), "1 to 80 characters"),
        (format!("{}&site-x=on", tomorrow(now, "08:00", "12:00")), "not among yours"),
    ] {
        let refused = tom.post("/exams", &form).await.unwrap();
        assert!(refused.status == 422 && refused.body.contains(why), "{why}: {}", refused.body);
    }
    assert_eq!(acts(test).await, Vec::<String>::new());

    let form = format!("{}&site-{site}=on", tomorrow(now, "08:00", "12:00"));
    let done = tom.post("/exams", &form).await.unwrap();
    assert_eq!((done.status.as_u16(), done.header("location")), (303, "/exams?done=saved"), "{}", done.body);
    let again = tom.post("/exams", &form).await.unwrap();
    assert_eq!(again.header("location"), "/exams?done=already", "once");
    let mut tx = test.store.read().await.unwrap();
    let rows = exam::list(&mut tx, &Scope::Everything, (None, 0), now).await.unwrap().rows;
    drop(tx);
    assert_eq!((rows.len(), rows[0].exam.site, rows[0].created_by.as_str()), (1, Some(site), "tom"));
    let page = tom.get("/exams").await.unwrap().body;
    let end = format!("/exams/{}/end", rows[0].id);
    assert!(page.contains("Brevet blanc") && page.contains("Collège 1") && page.contains(&end), "{page}");

    assert_eq!(tom.post(&end, "").await.unwrap().header("location"), "/exams?done=saved");
    assert_eq!(tom.post(&end, "").await.unwrap().header("location"), "/exams?done=already", "gone");
    assert_eq!(acts(test).await, ["exam.remove", "exam.order"]);
}

async fn a_technician_of_some_sites_orders_for_them_alone(test: &TestStore) {
    let (cartable, now) = (InProcess::new(&test.store), clock::now());
    let (own, foreign) = (cartable.site(1).await.unwrap(), cartable.site(2).await.unwrap());
    let tom = cartable.desk("tom", Role::Technician, Scope::Sites(vec![own])).await.unwrap();
    let form = tomorrow(now, "08:00", "12:00");
    let refused = tom.post("/exams", &form).await.unwrap();
    assert!(
        refused.status == 422 && refused.body.contains("role=\"alert\">Choose one or several of your sites"),
        "{}",
        refused.body
    );
    let refused = tom.post("/exams", &format!("{form}&site-{own}=on&site-{foreign}=on")).await.unwrap();
    assert!(refused.status == 422 && refused.body.contains("not among yours"), "{}", refused.body);
    assert_eq!(tom.post("/exams", &format!("{form}&site-{own}=on")).await.unwrap().status, 303);

    // Of the whole programme: it concerns him, and is not his.
    let begins_at = now.plus_days(2);
    let new = NewExam::new("Oral", begins_at, begins_at.plus_millis(3_600_000), now).unwrap();
    let mut tx = test.store.write().await.unwrap();
    let everywhere = exam::add(&mut tx, &new, &[None], "anne", now).await.unwrap()[0].0;
    tx.commit().await.unwrap();
    let page = tom.get("/exams").await.unwrap().body;
    assert!(page.contains("Oral") && page.contains("All sites"), "{page}");
    assert!(!page.contains(&everywhere.to_string()), "no button: {page}");
    assert_eq!(tom.post(&format!("/exams/{everywhere}/end"), "").await.unwrap().status, 403);
    let rita = cartable.desk("rita", Role::Referent, Scope::Sites(vec![own])).await.unwrap();
    let page = rita.get("/exams").await.unwrap().body;
    assert!(page.contains("Brevet blanc") && !page.contains("name=\"begins\""), "she reads: {page}");
}

async fn a_script_orders_and_calls_off(test: &TestStore) {
    let (cartable, now) = (InProcess::new(&test.store), clock::now());
    cartable.site(1).await.unwrap();
    cartable.person("tom", Role::Technician, Scope::Everything).await.unwrap();
    let token = cartable.token("tom").await.unwrap();
    let post =
        async |path: &str, body: Option<Value>| cartable.call(&Method::POST, path, Some(&token), body).await.unwrap();
    let body = |begins: &str, ends: &str| json!({ "label": "Brevet blanc", "begins_at": begins, "ends_at": ends });
    for (body, why) in [
        (body("2035-06-14", "2035-06-14T12:00:00+02:00"), "`begins_at` is a moment"),
        (body("2035-06-14T08:00:00+02:00", "2035-06-15T08:00:00+02:00"), "at most 12 hours"),
        (body("2025-06-14T08:00:00Z", "2025-06-14T12:00:00Z"), "in the past"),
    ] {
        let refused = post("/api/v1/exams", Some(body)).await;
        assert!(refused.status == 422 && refused.body.contains(why), "{why}: {}", refused.body);
    }
    // It began an hour ago.
    let at = |hours: i64| cartable_server::domain::timestamp::rfc3339(now.plus_millis(hours * 3_600_000));
    let made = post("/api/v1/exams", Some(body(&at(-1), &at(1)))).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let exam = &made.json()["items"][0];
    assert_eq!((exam["state"].as_str(), exam["site_id"].is_null()), (Some("current"), true));
    let end = format!("/api/v1/exams/{}/end", exam["id"].as_str().unwrap());
    assert_eq!(post(&end, None).await.status, 204);
    assert_eq!(post(&end, None).await.status, 204, "it is over: nothing changes");
    let listed = cartable.get("/api/v1/exams", &token).await.unwrap().json();
    assert_eq!(listed["items"][0]["state"], "past");
    assert_eq!(acts(test).await, ["exam.end", "exam.order"]);
}

async fn past_exams_come_page_by_page(test: &TestStore) {
    let (cartable, now) = (InProcess::new(&test.store), clock::now());
    let tom = cartable.desk("tom", Role::Technician, Scope::Everything).await.unwrap();
    let token = cartable.token("tom").await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    for days in 1..=51 {
        let begins_at = now.plus_days(-days);
        let label = format!("Oral {days:02}");
        let new = NewExam::new(&label, begins_at, begins_at.plus_millis(3_600_000), begins_at).unwrap();
        exam::add(&mut tx, &new, &[None], "anne", begins_at).await.unwrap();
    }
    let begins_at = now.plus_days(1);
    let new = NewExam::new("Brevet blanc", begins_at, begins_at.plus_millis(3_600_000), now).unwrap();
    exam::add(&mut tx, &new, &[None], "anne", now).await.unwrap();
    tx.commit().await.unwrap();

    let page = tom.get("/exams").await.unwrap().body;
    assert!(page.contains("52 exams") && page.contains("Brevet blanc") && page.contains("Oral 50"), "{page}");
    assert!(!page.contains("Oral 51"), "{page}");
    let next = page.split("href=\"/exams?after=").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let page = tom.get(&format!("/exams?after={next}")).await.unwrap().body;
    assert!(page.contains("52 exams") && page.contains("Oral 51"), "{page}");
    assert!(!page.contains("Oral 50") && !page.contains("Brevet blanc"), "{page}");
    assert_eq!(tom.get("/exams?after=x").await.unwrap().status, 400);

    let listed = async |query: &str| cartable.get(&format!("/api/v1/exams?{query}"), &token).await.unwrap();
    let first = listed("limit=50").await.json();
    assert_eq!((first["items"].as_array().unwrap().len(), first["total"]["count"].as_i64()), (51, Some(52)));
    let second = listed(&format!("after={}", first["next"].as_str().unwrap())).await.json();
    assert_eq!(second["items"][0]["label"], "Oral 51");
    assert_eq!((second["items"].as_array().unwrap().len(), second["next"].is_null()), (1, true));
    assert_eq!((listed("after=x").await.status.as_u16(), listed("limit=0").await.status.as_u16()), (400, 400));
}

async fn a_devices_page_says_what_its_family_reads(test: &TestStore) {
    let (cartable, now) = (InProcess::new(&test.store), clock::now());
    let site = cartable.site(1).await.unwrap();
    let one = enrol(&test.store, test.url(), Some(site), now).await.unwrap();
    let tom = cartable.desk("tom", Role::Technician, Scope::Everything).await.unwrap();
    let path = format!("/devices/{}", one.device);
    let page = tom.get(&path).await.unwrap().body;
    assert!(page.contains("What the family reads") && page.contains("Département de Valmarin"), "{page}");
    assert!(page.contains("As long as the computer is lent"), "{page}");

    let due = now.plus_days(100);
    let mut tx = test.store.write().await.unwrap();
    let programme = lending::programme(&mut tx, now).await.unwrap();
    let borrower = lending::borrower(&mut tx, Some(site), now).await.unwrap();
    let state = LoanState::HandedOver(lending::handed(now, Some(due)));
    let loan = lending::loan_of(one.device, &borrower, &programme, now, state);
    lending_bulk::record(&mut tx, std::slice::from_ref(&loan), "test").await.unwrap();
    tx.commit().await.unwrap();
    let page = tom.get(&path).await.unwrap().body;
    assert!(!page.contains("As long as the computer is lent"), "the day is known: {page}");

    let mut tx = test.store.write().await.unwrap();
    device::set_status(&mut tx, &Scope::Everything, one.device, DeviceStatus::Revoked).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!tom.get(&path).await.unwrap().body.contains("What the family reads"), "no agent says it any more");
}
