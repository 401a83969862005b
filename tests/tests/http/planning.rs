//! What scripts do about needs, proposals, campaigns and imports, on both engines: the same acts as the console's, the
//! same refusals, and each in the audit with the token that it came by.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use cartable_server::{
    auth::Role,
    clock,
    domain::scope::Scope,
    exchange::run::{GoOn, Runner},
};
use cartable_tests::{
    in_process::{Answer, InProcess},
    on_both_engines,
    raw::Raw,
    school::{School, labels},
    simulator::site::uai_code,
    stores::TestStore,
};
use serde_json::{Value, json};
use uuid::Uuid;

on_both_engines! {
    a_proposal_is_read_adjusted_and_approved_by_somebody_else,
    a_campaign_of_several_is_planned_followed_and_closed,
    a_file_is_sent_checked_written_and_deleted,
}

/// A school with lent and stocked devices, and people with their tokens.
struct Town {
    cartable: InProcess,
    devices: Vec<Uuid>,
}

const LENT: usize = 3;

impl Town {
    async fn begin(test: &TestStore) -> Self {
        let (cartable, now) = (InProcess::new(&test.store), clock::now());
        let school = School::found(&test.store, 1, LENT, now).await.unwrap();
        School::found(&test.store, 2, 0, now).await.unwrap();
        let devices = school.stock(&test.store, &labels(9), now).await.unwrap();
        school.lend(&test.store, &devices[..LENT], now).await.unwrap();
        let mut raw = Raw::connect(test.url()).await.unwrap();
        raw.execute("UPDATE device SET contact_expected = 'none'").await.unwrap();
        for (login, role) in
            [("paul", Role::ProgrammeManager), ("anne", Role::ProgrammeManager), ("tom", Role::Technician)]
        {
            cartable.person(login, role, Scope::Everything).await.unwrap();
        }
        Self { cartable, devices: devices.into_iter().map(|device| device.0).collect() }
    }

    async fn caller(&self, login: &str) -> Caller<'_> {
        Caller { cartable: &self.cartable, token: self.cartable.token(login).await.unwrap() }
    }
}

struct Caller<'a> {
    cartable: &'a InProcess,
    token: String,
}

impl Caller<'_> {
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.cartable.call(&method, &format!("/api/v1{path}"), Some(&self.token), body).await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.call(Method::GET, path, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
        answer.json()
    }

    async fn post(&self, path: &str, body: Value, status: u16) -> Answer {
        let answer = self.call(Method::POST, path, Some(body)).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {answer:?}");
        answer
    }
}

async fn a_proposal_is_read_adjusted_and_approved_by_somebody_else(test: &TestStore) {
    let town = Town::begin(test).await;
    let (paul, anne, tom) = (town.caller("paul").await, town.caller("anne").await, town.caller("tom").await);
    let need = |reasons: Value, count: u32| json!({ "site": uai_code(96, 1), "programme": "D1", "level": "6e", "reasons": reasons, "count": count });
    paul.post("/needs", need(json!(["no_computer"]), 2), 201).await;
    paul.post("/needs", need(json!(["ulis", "band_1"]), 1), 201).await;
    paul.post("/allocations", json!({ "programme": "D9" }), 422).await;
    tom.post("/allocations", json!({}), 403).await;
    let made = paul.post("/allocations", json!({ "programme": "d1" }), 201).await.json();
    let path = format!("/allocations/{}", made["id"].as_str().unwrap());
    assert_eq!((&made["state"], &made["needs"], &made["given"]), (&json!("draft"), &json!(3), &json!(3)));

    let one = paul.get(&path).await;
    assert_eq!(one["stock"]["in_stock"], 6);
    assert_eq!(one["own"], true);
    assert_eq!(one["lines"], json!({ "proposed": 3 }));
    assert_eq!(one["fairness"][0]["site"], json!(uai_code(96, 1)));
    assert_eq!((&one["fairness"][0]["met"], &one["fairness"][0]["met_percent"]), (&json!(3), &json!(100)));
    let first = paul.get(&format!("{path}/lines?limit=1")).await;
    let line = &first["items"][0];
    assert_eq!((&line["rank"], &line["score"], &line["by_floor"]), (&json!(1), &json!(50), &json!(true)));
    assert_eq!(line["parts"][0], json!({ "reason": "ulis", "points": 40 }));
    assert_eq!((&line["given"]["place"], &line["given"]["of_programme"]), (&json!("own_site"), &json!(false)));
    let next = first["next"].as_str().unwrap();
    assert_eq!(paul.get(&format!("{path}/lines?after={next}")).await["items"].as_array().unwrap().len(), 2);

    let swap = |device: Uuid| json!({ "device": device, "reason": "demandé" });
    let refused = paul.post(&format!("{path}/lines/1/swap"), swap(town.devices[0]), 422).await;
    assert!(refused.body.contains("not in stock"), "{}", refused.body);
    paul.post(&format!("{path}/lines/9/swap"), swap(town.devices[8]), 404).await;
    let given = line["given"]["device_id"].as_str().unwrap().parse::<Uuid>().unwrap();
    paul.post(&format!("{path}/lines/2/swap"), swap(given), 422).await;
    paul.post(&format!("{path}/lines/3/drop"), json!({ "reason": " " }), 422).await;
    paul.post(&format!("{path}/lines/3/drop"), json!({ "reason": "déjà équipé" }), 204).await;
    let dropped = paul.get(&format!("{path}/lines?state=dropped")).await;
    assert_eq!((&dropped["items"][0]["remark"], &dropped["items"][0]["given"]), (&json!("déjà équipé"), &Value::Null));

    let own = paul.call(Method::POST, &format!("{path}/approve"), None).await;
    assert!(own.status == 422 && own.body.contains("neither proposed nor adjusted"), "{own:?}");
    let approved = anne.call(Method::POST, &format!("{path}/approve"), None).await;
    assert_eq!(approved.json(), json!({ "reserved": 2, "refused": 0 }), "{approved:?}");
    assert_eq!(anne.call(Method::POST, &format!("{path}/drop"), None).await.status, 422, "it is decided");
    assert_eq!(anne.get("/needs?state=met").await["items"].as_array().unwrap().len(), 2);
    assert_eq!(anne.get("/allocations").await["items"][0]["state"], "approved");
    let acts = "SELECT actor || ' ' || action FROM audit WHERE object_kind = 'allocation' ORDER BY seq";
    let acts = Raw::connect(test.url()).await.unwrap().texts(acts).await.unwrap();
    assert_eq!(acts, ["paul allocation.propose", "paul allocation.drop_line", "anne allocation.approve"]);
}

async fn a_campaign_of_several_is_planned_followed_and_closed(test: &TestStore) {
    let town = Town::begin(test).await;
    let (paul, tom) = (town.caller("paul").await, town.caller("tom").await);
    let plan = |sites: Value, levels: Value, last: &str| {
        json!({ "name": "Juin", "first": "2027-06-14", "last": last, "desks": 1, "slots": 2,
            "programmes": ["D1", "D2"], "levels": levels, "sites": sites })
    };
    let (here, there) = (uai_code(96, 1), uai_code(96, 2));
    paul.post("/campaigns", plan(json!([here]), json!([]), "2027-06-13"), 422).await;
    paul.post("/campaigns", plan(json!([uai_code(96, 3000)]), json!([]), "2027-06-18"), 422).await;
    paul.post("/campaigns", plan(json!([here]), json!(["12e"]), "2027-06-18"), 400).await;
    tom.post("/campaigns", plan(json!([here]), json!([]), "2027-06-18"), 403).await;
    let made = paul.post("/campaigns", plan(json!([here, there]), json!(["5e", "3e"]), "2027-06-18"), 201).await;
    let path = format!("/campaigns/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(made.json()["sites"], json!([here, there]));
    assert_eq!(made.json()["programmes"], json!(["D1", "D2"]));
    let hidden = tom.get(&path).await;
    assert_eq!(hidden["programmes"], Value::Null, "it would tell in which programme the listed devices are");
    assert_eq!((&made.json()["levels"], &hidden["levels"]), (&json!(["5e", "3e"]), &Value::Null), "nor at which level");
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let planned = raw.texts("SELECT details FROM audit WHERE action = 'campaign.plan'").await.unwrap().concat();
    assert!(planned.contains("Juin") && !planned.contains("levels") && !planned.contains("programmes"), "{planned}");
    let desks = json!({ "site": here, "desks": 2, "slots": 1 });
    paul.post(&format!("{path}/desks"), desks.clone(), 204).await;
    paul.post(&format!("{path}/desks"), json!({ "site": here, "desks": 0, "slots": 1 }), 422).await;
    assert_eq!(paul.get(&path).await["own_desks"], json!([desks]));

    // Planned otherwise, and back; another one given up.
    let wider = plan(json!([]), json!([]), "2027-06-25");
    let put = paul.call(Method::PUT, &path, Some(wider)).await;
    assert_eq!((put.status, &put.json()["last"]), (StatusCode::OK, &json!("2027-06-25")), "{put:?}");
    let narrow = plan(json!([here, there]), json!(["5e", "3e"]), "2027-06-18");
    assert_eq!(paul.call(Method::PUT, &path, Some(narrow.clone())).await.status, 200);
    let vain = plan(json!([here]), json!([]), "2027-06-13");
    assert_eq!(paul.call(Method::PUT, &path, Some(vain)).await.status, 422);
    assert_eq!(tom.call(Method::PUT, &path, Some(narrow.clone())).await.status, 403);
    let other = paul.post("/campaigns", narrow.clone(), 201).await;
    let other = format!("/campaigns/{}", other.json()["id"].as_str().unwrap());
    assert_eq!(tom.call(Method::DELETE, &other, None).await.status, 403);
    assert_eq!(paul.call(Method::DELETE, &other, None).await.status, 204);
    assert_eq!(paul.call(Method::DELETE, &other, None).await.status, 404);
    paul.post(&format!("{path}/letters"), json!({ "site": here }), 422).await;

    let started = paul.call(Method::POST, &format!("{path}/start"), None).await;
    assert_eq!(started.json(), json!({ "loans": LENT }), "{started:?}");
    assert_eq!(paul.call(Method::POST, &format!("{path}/start"), None).await.status, 422);
    paul.post(&format!("{path}/desks"), desks, 422).await;
    let missing = paul.get(&format!("{path}/loans?site={here}&limit=2")).await;
    let rows = missing["items"].as_array().unwrap();
    assert_eq!((rows.len(), &missing["total"]["count"]), (2, &json!(LENT)));
    assert_eq!((&rows[0]["day"], &rows[0]["desk"], &rows[0]["level"]), (&json!("2027-06-14"), &json!(1), &json!("5e")));
    let next = missing["next"].as_str().unwrap();
    assert_eq!(paul.get(&format!("{path}/loans?after={next}")).await["items"].as_array().unwrap().len(), 1);
    let unseen = tom.get(&format!("{path}/loans")).await;
    assert_eq!((&unseen["items"][0]["borrower"], &unseen["items"][0]["level"]), (&Value::Null, &Value::Null));

    let loan = |row: usize| rows[row]["loan_id"].as_str().unwrap();
    paul.post(&format!("/loans/{}/return", loan(0)), json!({ "condition": "good" }), 200).await;
    let excuse = json!({ "loan": loan(1), "reason": "hospitalisé" });
    tom.post(&format!("{path}/excuse"), excuse.clone(), 403).await;
    paul.post(&format!("{path}/excuse"), excuse.clone(), 204).await;
    paul.post(&format!("{path}/excuse"), excuse.clone(), 404).await;
    let again = json!({ "loan": loan(1) });
    tom.post(&format!("{path}/expect"), again.clone(), 403).await;
    paul.post(&format!("{path}/expect"), again.clone(), 204).await;
    paul.post(&format!("{path}/expect"), again, 404).await;
    paul.post(&format!("{path}/excuse"), excuse, 204).await;
    assert_eq!(paul.call(Method::PUT, &path, Some(narrow)).await.status, 422);
    assert_eq!(paul.call(Method::DELETE, &path, None).await.status, 422);
    assert_eq!(paul.call(Method::POST, &format!("{path}/write-again"), None).await.status, 422, "written to today");
    tom.post(&format!("{path}/letters"), json!({ "site": here }), 403).await;
    paul.post(&format!("{path}/letters"), json!({ "site": here, "part": 2 }), 422).await;
    let letters = paul.post(&format!("{path}/letters"), json!({ "site": here, "names": true }), 201).await;
    assert!(letters.bytes.starts_with(b"%PDF"), "{letters:?}");
    let progress = &paul.get(&path).await["progress"];
    assert_eq!(progress.as_array().unwrap().len(), 1);
    for (name, count) in [("expected", 1), ("returned", 1), ("excused", 1), ("ended", 0), ("overdue", 0)] {
        assert_eq!(progress[0][name], json!(count), "{name}: {progress}");
    }
    assert_eq!(paul.get(&format!("{path}/loans?state=excused")).await["items"][0]["excuse"], "hospitalisé");
    assert_eq!(paul.call(Method::POST, &format!("{path}/close"), None).await.status, 204);
    assert_eq!(paul.call(Method::POST, &format!("{path}/close"), None).await.status, 422);
    assert_eq!(paul.get("/campaigns").await["items"][0]["state"], "closed");
}

async fn a_file_is_sent_checked_written_and_deleted(test: &TestStore) {
    let town = Town::begin(test).await;
    let (paul, tom) = (town.caller("paul").await, town.caller("tom").await);
    let send = async |caller: &Caller<'_>, query: &str, file: Vec<u8>| {
        let request = Request::post(format!("/api/v1/imports{query}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", caller.token))
            .body(Body::from(file))
            .unwrap();
        town.cartable.send(request).await.unwrap()
    };
    let list = "Repère;Modèle;Site\nX-1;L13;Collège 1\nX-2;L13;Nulle-Part\n";
    assert_eq!(send(&tom, "?kind=devices", list.into()).await.status, 403);
    assert_eq!(send(&paul, "", list.into()).await.status, 400);
    assert_eq!(send(&paul, "?kind=toasters", list.into()).await.status, 400);
    assert_eq!(send(&paul, "?kind=devices", Vec::new()).await.status, 422, "nothing in it");
    assert_eq!(send(&paul, "?kind=devices", vec![b'x'; (32 << 20) + 1]).await.status, 413);
    // Larger than what other calls take.
    let padded = format!("{list}{}", "X-1;L13;\n".repeat(10_000));
    assert_eq!(send(&paul, "?kind=devices", padded.into_bytes()).await.status, 201);
    let sent = send(&paul, "?kind=devices&name=parc.csv", list.into()).await.json();
    assert_eq!((&sent["state"], &sent["file_name"], &sent["rows"]), (&json!("mapping"), &json!("parc.csv"), &json!(2)));
    let path = format!("/imports/{}", sent["id"].as_str().unwrap());
    let columns = paul.get(&path).await["columns"].clone();
    assert_eq!(columns[0], json!({ "heading": "Repère", "field": null }));
    assert_eq!(columns[2], json!({ "heading": "Site", "field": "site" }));

    paul.post(&format!("{path}/apply"), json!({ "on_error": "skip" }), 422).await;
    paul.post(&format!("{path}/check"), json!({}), 422).await;
    paul.post(&format!("{path}/check"), json!({ "columns": { "Repere": "asset_tag" } }), 422).await;
    paul.post(&format!("{path}/check"), json!({ "columns": { "Repère": "colour" } }), 422).await;
    let checking = paul.post(&format!("{path}/check"), json!({ "columns": { "Repère": "asset_tag" } }), 202).await;
    assert_eq!(checking.json()["state"], "checking");
    let work = async || {
        let runner = Runner::new(test.store.clone(), town.cartable.app.vault.clone());
        runner.run(sent["id"].as_str().unwrap().parse().unwrap(), |_| GoOn::Yes).await.unwrap();
    };
    work().await;
    let checked = paul.get(&path).await;
    assert_eq!((&checked["state"], &checked["counts"]["bad"]), (&json!("checked"), &json!(1)), "{checked}");
    let devices = "SELECT count(*) FROM device WHERE asset_tag LIKE 'X-%'";
    assert_eq!(Raw::connect(test.url()).await.unwrap().number(devices).await.unwrap(), 0, "only checked");
    let bad = paul.get(&format!("{path}/rows?outcome=bad")).await;
    assert_eq!(bad["items"][0]["line"], 3);
    let fault = json!({ "column": "site", "reason": "unknown_site", "value": null });
    assert_eq!(bad["items"][0]["faults"][0]["reason"], fault["reason"], "{bad}");
    let first = paul.get(&format!("{path}/rows?limit=1")).await;
    assert_eq!((&first["items"][0]["outcome"], &first["next"]), (&json!("new"), &json!(2)));

    paul.post(&format!("{path}/apply"), json!({ "on_error": "skip" }), 202).await;
    work().await;
    assert_eq!(paul.get(&path).await["state"], "done");
    assert_eq!(Raw::connect(test.url()).await.unwrap().number(devices).await.unwrap(), 1);
    assert_eq!(paul.call(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(paul.call(Method::DELETE, &path, None).await.status, 404);
    assert_eq!(paul.get("/imports").await["items"].as_array().unwrap().len(), 1, "the other one");
}
