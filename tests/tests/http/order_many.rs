//! One order to the laptops of a list, in the console and by API: a preview that counts by reason, done as it was shown,
//! once, within the person's sites and role.

use axum::http::Method;
use cartable_server::{auth::Role, domain::scope::Scope};
use cartable_tests::{authority::make, in_process::InProcess, on_both_engines, raw::Raw, stores::TestStore};
use serde_json::{Value, json};

on_both_engines! {
    a_list_is_previewed_and_ordered_once,
    a_role_is_offered_what_it_may_order,
    scripts_count_first_and_order_when_they_say_so,
}

/// What a page's hidden field holds.
fn field<'a>(page: &'a str, name: &str) -> &'a str {
    let start = format!("name=\"{name}\" value=\"");
    page.split_once(&start).and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default()
}

async fn a_list_is_previewed_and_ordered_once(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    let foreign = make(&cartable, 2).await.unwrap();
    let (one, two) = (make(&cartable, 1).await.unwrap(), make(&cartable, 1).await.unwrap());
    let own = Scope::Sites(vec![one.get("site").parse().unwrap()]);
    let rose = cartable.desk("rose", Role::Referent, own).await.unwrap();
    let list = rose.get("/devices?status=active&sort=model").await.unwrap().body;
    assert!(list.contains("href=\"/devices/orders?status=active\""), "{list}");
    let orders = "/devices/orders?status=active&kind=return_notice";
    let preview = rose.get(orders).await.unwrap().body;
    assert!(preview.contains("Would get the order: 2 of "), "{preview}");
    assert!(preview.contains("2 · Not lent: nobody would read the notice"), "{preview}");
    assert!(preview.contains("No agent speaks for the device"), "{preview}");
    let mark = |id: &str| field(&preview, &format!("id-{id}")).to_owned();
    let (first, second) = (one.get("lent-device"), two.get("lent-device"));
    assert!(!mark(first).is_empty() && !mark(second).is_empty(), "{preview}");
    assert!(!preview.contains(foreign.get("lent-device")), "of another site");
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(
        raw.number("SELECT count(*) FROM audit WHERE actor = 'rose' AND action LIKE 'device_action%'").await.unwrap(),
        0,
        "nothing was done"
    );

    // One of them is lent until another day before she confirms.
    let loan = raw.uuid(two.get("loan").parse().unwrap());
    raw.execute(&format!("UPDATE loan SET due_day = due_day + 7 WHERE id = {loan}")).await.unwrap();
    let form = format!(
        "once={}&kind=return_notice&due_by=&place=&status=active&id-{first}={}&id-{second}={}",
        field(&preview, "once"),
        mark(first),
        mark(second),
    );
    let done = rose.post("/devices/orders", &form).await.unwrap();
    assert_eq!(done.status, 200, "{}", done.body);
    assert!(done.body.contains("Ordered: 1 of 2"), "{}", done.body);
    assert!(done.body.contains("1 · Changed since the preview"), "{}", done.body);
    let acts = "SELECT action FROM audit WHERE actor = 'rose' AND action LIKE 'device_action%' ORDER BY seq";
    let expected = ["device_action.order", "device_action.order_many"];
    assert_eq!(raw.texts(acts).await.unwrap(), expected);
    let elsewhere = "SELECT count(*) FROM device_action a JOIN device d ON d.id = a.device_id \
                     JOIN site s ON s.id = d.site_id WHERE a.place <> s.name";
    assert_eq!(raw.number(elsewhere).await.unwrap(), 0, "to the site's own name");

    // Sent again, also once nothing waits any more, it does nothing.
    raw.execute("UPDATE device_action SET closed_at = ordered_at WHERE kind = 'return_notice'").await.unwrap();
    let again = rose.post("/devices/orders", &form).await.unwrap().body;
    assert!(again.contains("Ordered: 0 of 2") && again.contains("1 · Ordered by this same form before"), "{again}");
    assert_eq!(raw.texts(acts).await.unwrap(), expected);
    assert!(rose.get(orders).await.unwrap().body.contains("Would get the order: 2 of "), "another form may");
}

async fn a_role_is_offered_what_it_may_order(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    let own = make(&cartable, 1).await.unwrap();
    let rose = cartable.desk("rose", Role::Referent, Scope::Everything).await.unwrap();
    let theo = cartable.desk("theo", Role::Technician, Scope::Everything).await.unwrap();
    let ugo = cartable.desk("ugo", Role::Auditor, Scope::Everything).await.unwrap();
    let (page, tests) = ("/devices/orders", "/devices/orders?kind=self_test");
    let offered = rose.get(page).await.unwrap().body;
    assert!(offered.contains("value=\"return_notice\"") && !offered.contains("value=\"self_test\""), "{offered}");
    assert_eq!(rose.get(tests).await.unwrap().status, 403);
    assert!(!ugo.get("/devices").await.unwrap().body.contains(page));
    assert_eq!(ugo.get(page).await.unwrap().status, 403);
    let offered = theo.get(tests).await.unwrap().body;
    assert!(offered.contains("Would get the order: 2 of ") && !offered.contains("value=\"send_log\""), "{offered}");
    let log = theo.get("/devices/orders?kind=send_log").await.unwrap();
    assert_eq!(log.status, 422);
    assert!(log.body.contains("on its device’s page, not of many"), "{}", log.body);
    for (query, status) in
        [("kind=shell", 400), ("kind=self_test&place=CDI", 422), ("kind=return_notice&due_by=x", 400)]
    {
        assert_eq!(theo.get(&format!("{page}?{query}")).await.unwrap().status, status, "{query}");
    }
    let device = own.get("device");
    assert_eq!(theo.post(page, "kind=self_test").await.unwrap().status, 422, "nobody is named");
    assert_eq!(theo.post(page, &format!("kind=send_log&id-{device}=")).await.unwrap().status, 422);
}

async fn scripts_count_first_and_order_when_they_say_so(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    let own = make(&cartable, 1).await.unwrap();
    make(&cartable, 2).await.unwrap();
    cartable.person("tom", Role::Technician, Scope::Everything).await.unwrap();
    cartable.person("pia", Role::ProgrammeManager, Scope::Everything).await.unwrap();
    let (tom, pia) = (cartable.token("tom").await.unwrap(), cartable.token("pia").await.unwrap());
    let call = async |token: &str, body: Value| {
        cartable.call(&Method::POST, "/api/v1/devices/actions", Some(token), Some(body)).await.unwrap()
    };
    let filter = json!({ "site": own.get("uai") });
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let tests = "SELECT count(*) FROM device_action WHERE kind = 'self_test'";
    let counted = call(&tom, json!({ "kind": "self_test", "filter": filter })).await.json();
    assert_eq!((&counted["dry_run"], &counted["ordered"]), (&json!(true), &json!(2)), "{counted}");
    assert_eq!(counted["left_out"][0]["reason"], "no_agent", "{counted}");
    assert_eq!(raw.number(tests).await.unwrap(), 0);
    for (ordered, waiting) in [(2, 0), (0, 2)] {
        let body = json!({ "kind": "self_test", "filter": filter, "dry_run": false });
        let done = call(&tom, body).await.json();
        assert_eq!(done["ordered"], ordered, "{done}");
        let already = done["left_out"].as_array().unwrap().iter().find(|left| left["reason"] == "already");
        assert_eq!(already.map_or(0, |left| left["devices"].as_i64().unwrap()), waiting, "{done}");
    }
    assert_eq!(raw.number(tests).await.unwrap(), 2);
    let by_token = "SELECT count(*) FROM audit WHERE actor = 'tom' AND action LIKE 'device_action%' \
                    AND details LIKE '%api_token%'";
    assert_eq!(raw.number(by_token).await.unwrap(), 3, "one for each, and one of the whole");

    let notices = json!({ "kind": "return_notice", "filter": filter });
    assert_eq!(call(&pia, notices).await.json()["ordered"], 1);
    let overdue = json!({ "kind": "return_notice", "filter": filter, "due_by": "2020-01-01" });
    let overdue = call(&pia, overdue).await.json();
    assert_eq!(overdue["ordered"], 0);
    let later = overdue["left_out"].as_array().unwrap().iter().find(|left| left["reason"] == "not_due");
    assert_eq!(later.unwrap()["devices"], 1, "{overdue}");
    assert_eq!(call(&pia, json!({ "kind": "self_test", "filter": filter })).await.status, 403);
    for (body, status) in [
        (json!({ "kind": "send_log", "filter": filter }), 422),
        (json!({ "kind": "self_test", "filter": filter, "place": "CDI" }), 422),
        (json!({ "kind": "return_notice", "filter": filter, "due_by": "soon" }), 422),
        (json!({ "kind": "self_test" }), 400),
        (json!({ "kind": "self_test", "filter": { "model": "x" } }), 400),
    ] {
        assert_eq!(call(&tom, body.clone()).await.status, status, "{body}");
    }
}
