//! The forecast from what is stored, on both engines: what it reads, and that page, list of parts and API answer the same.

use cartable_common::{DeviceId, UtcMillis};
use cartable_server::{
    auth::Role,
    clock,
    domain::{
        campaign::{CampaignState, Choice, Desks},
        erasure::Method,
        forecast::{Constraint, ForecastInput, LoanEnd, PastLoan, Place, Question, ReadyFor, forecast},
        grade::Grade,
        loan::Condition,
        paris,
        part::{NewPart, PartKind},
        policy::Policy,
        scope::Scope,
        work_order::{
            Disposition, Move, Stage,
            checklist::{Check, Finding, Kind},
        },
    },
    store::{
        Store,
        campaign::{self, Campaign},
        forecast::{snapshot, wanting_today},
        lending::{Clerk, Lending},
        part,
        work_order_act::Bench,
    },
};
use cartable_tests::{
    donation::erased,
    fleet::at,
    in_process::InProcess,
    on_both_engines,
    school::{School, labels},
    stores::TestStore,
    work_model::findings,
};
use jiff::civil::{Date, date};
use serde_json::json;
use uuid::Uuid;

on_both_engines! {
    what_is_stored_is_what_a_forecast_knows,
    a_campaign_says_when_loans_come_and_how_they_came,
    a_scope_knows_its_own_units_alone,
    page_parts_and_api_answer_the_same,
    who_sees_no_programme_sees_no_forecast,
}

const fn clerk<'a>(scope: &'a Scope, policy: &'a Policy, now: UtcMillis) -> Clerk<'a> {
    Clerk { actor: "test", token: None, scope, policy, now }
}

async fn steps(store: &Store, id: DeviceId, steps: Vec<Move>, begin: UtcMillis) -> Uuid {
    let (scope, policy) = (Scope::Everything, Policy::default());
    let mut bench = Bench::begin(store, clerk(&scope, &policy, begin)).await.unwrap();
    let (order, _) = bench.take_in(id).await.unwrap();
    bench.waive_erasure(order.id, "no drive").await.unwrap();
    bench.commit().await.unwrap();
    for (number, step) in (1..).zip(steps) {
        let mut bench = Bench::begin(store, clerk(&scope, &policy, begin.plus_days(number))).await.unwrap();
        bench.take(order.id, step).await.unwrap();
        bench.commit().await.unwrap();
    }
    order.id
}

async fn use_part(store: &Store, order: Uuid, kind: PartKind, now: UtcMillis) {
    let (scope, policy) = (Scope::Everything, Policy::default());
    let mut tx = store.write().await.unwrap();
    let found = part::list(&mut tx, Some(kind), false, None).await.unwrap().parts;
    tx.commit().await.unwrap();
    let mut bench = Bench::begin(store, clerk(&scope, &policy, now)).await.unwrap();
    bench.use_part(order, found[0].id, Uuid::now_v7()).await.unwrap();
    bench.commit().await.unwrap();
}

/// Two devices lent, one that came back and was made ready to donate, one at repair without its charger, one in stock.
async fn workshop(test: &TestStore, now: UtcMillis) -> School {
    let store = &test.store;
    let school = School::found(store, 1, 3, now.plus_days(-300)).await.unwrap();
    let devices = school.stock(store, &labels(5), now.plus_days(-300)).await.unwrap();
    school.lend(store, &devices[..3], now.plus_days(-200)).await.unwrap();
    let mut tx = store.write().await.unwrap();
    let battery = NewPart::new(PartKind::Battery, "thinkpad l13", 4_990, 3).unwrap();
    part::insert(&mut tx, Uuid::now_v7(), &battery, None, now.plus_days(-100)).await.unwrap();
    tx.commit().await.unwrap();
    let (scope, policy) = (Scope::Everything, Policy::default());
    let mut lending = Lending::begin(store, clerk(&scope, &policy, now.plus_days(-40))).await.unwrap();
    lending.take_back_device(devices[2], Condition::Worn, &[]).await.unwrap();
    lending.commit().await.unwrap();
    let faulty = |check| Move::Inspect(findings(Kind::Laptop, &[(check, Finding::Missing)]));
    let order =
        steps(store, devices[2], vec![Move::Begin, faulty(Check::Battery), Move::Repair], now.plus_days(-30)).await;
    use_part(store, order, PartKind::Battery, now.plus_days(-26)).await;
    let good = || findings(Kind::Laptop, &[]);
    let mut tx = store.write().await.unwrap();
    let purged = ("SN-DISK", Method::NvmeSanitizeCrypto);
    erased(&mut tx, devices[2], purged, &policy, now.plus_days(-26)).await.unwrap();
    tx.commit().await.unwrap();
    let rest = [
        Move::Reinstall,
        Move::Installed,
        Move::Test(good()),
        Move::Grade(Grade::B),
        Move::Dispose(Disposition::Donate),
    ];
    for (number, step) in (0..).zip(rest) {
        let mut bench = Bench::begin(store, clerk(&scope, &policy, now.plus_days(number - 25))).await.unwrap();
        bench.take(order, step).await.unwrap();
        bench.commit().await.unwrap();
    }
    steps(store, devices[3], vec![Move::Begin, faulty(Check::Charger), Move::Repair], now.plus_days(-8)).await;
    school
}

async fn what_is_stored_is_what_a_forecast_knows(test: &TestStore) {
    let now = at(0, 0, 0);
    workshop(test, now).await;
    let policy = Policy::default();
    let mut tx = test.store.read().await.unwrap();
    let known = snapshot(&mut tx, &Scope::Everything, &policy, now).await.unwrap();
    assert_eq!((known.today, known.ready_to_donate, known.ready_to_lend), (paris::date(now), 1, 1));
    assert_eq!(known.models, ["ThinkPad L13", ""]);
    let lent = known.units.iter().filter(|unit| matches!(unit.place, Place::Lent { due: Some(_), .. })).count();
    assert_eq!((known.units.len(), lent), (3, 2), "{:?}", known.units);
    let bench = known.units.iter().find(|unit| unit.place == Place::Bench(Stage::Repair)).unwrap();
    assert!(bench.inspected && bench.needs.each().eq([PartKind::Charger]), "{bench:?}");
    let ends: Vec<LoanEnd> = known.loans.iter().map(|loan| loan.end).collect();
    assert_eq!(ends.iter().filter(|end| **end == LoanEnd::Returned).count(), 1, "{ends:?}");
    let returned = known.loans.iter().find(|loan| loan.end == LoanEnd::Returned).unwrap();
    assert_eq!(returned.until - returned.from, 160, "{returned:?}");
    assert_eq!((known.extended.loans, known.extended.extended), (1, 0));
    let given = known.orders.iter().find(|order| order.became == Some(Disposition::Donate)).unwrap();
    assert!(given.used.each().eq([PartKind::Battery]) && known.orders.len() == 2, "{:?}", known.orders);
    assert_eq!(given.opened, paris::date(now.plus_days(-30)));
    assert_eq!(given.begun, Some(paris::date(now.plus_days(-29))));
    assert_eq!(given.closed, Some(paris::date(now.plus_days(-21))));
    let repair = known.stages.iter().find(|time| time.stage == Stage::Repair).unwrap();
    assert_eq!((repair.orders, repair.hours), (1, 48), "{:?}", known.stages);
    let shelf: Vec<(PartKind, Option<usize>, u32)> =
        known.shelf.iter().map(|one| (one.kind, one.model, one.count)).collect();
    assert_eq!(shelf, [(PartKind::Battery, Some(0), 2)]);
    // What is missing on the bench is what holds it up.
    let question =
        Question { ready: ReadyFor::Donate, target: 2, by: paris::date(now.plus_days(60)), seed: 3, runs: 100 };
    let answer = forecast(&known, &policy, question);
    assert!(answer.relaxed.iter().any(|one| one.constraint == Constraint::Part(PartKind::Charger, 0)));
    assert_eq!(answer, forecast(&known, &policy, question));
    let (wanting, models) = wanting_today(&mut tx, &Scope::Everything, &policy, now).await.unwrap();
    let found: Vec<_> = wanting.iter().map(|one| (one.kind, models[one.model].as_str(), one.pieces)).collect();
    assert_eq!(found, [(PartKind::Charger, "ThinkPad L13", 1)]);
}

/// The appointments of the units that are lent.
fn appointments(known: &ForecastInput) -> Vec<Option<Date>> {
    let of = |place: Place| match place {
        Place::Lent { appointed, .. } => Some(appointed),
        Place::Waiting | Place::Bench(_) => None,
    };
    known.units.iter().filter_map(|unit| of(unit.place)).collect()
}

async fn a_campaign_says_when_loans_come_and_how_they_came(test: &TestStore) {
    let (store, now) = (&test.store, at(0, 0, 0));
    let (scope, policy) = (Scope::Everything, Policy::default());
    let school = School::found(store, 1, 2, now.plus_days(-60)).await.unwrap();
    let devices = school.stock(store, &labels(2), now.plus_days(-60)).await.unwrap();
    school.lend(store, &devices, now.plus_days(-50)).await.unwrap();
    // Begun twelve days ago, with everybody's appointment on the Tuesday of last week.
    let tuesday = date(2026, 11, 17);
    let november = Campaign {
        id: Uuid::now_v7(),
        name: "Novembre".to_owned(),
        state: CampaignState::Planned,
        choice: Choice::default(),
        first: tuesday,
        last: tuesday,
        desks: Desks { desks: 1, slots: 2 },
        created_by: "test".to_owned(),
        created_at: now.plus_days(-20),
    };
    let mut tx = store.write().await.unwrap();
    campaign::insert(&mut tx, &november).await.unwrap();
    assert_eq!(campaign::start(&mut tx, november.id, &policy, now.plus_days(-12)).await.unwrap(), 2);
    tx.commit().await.unwrap();
    let mut lending = Lending::begin(store, clerk(&scope, &policy, now)).await.unwrap();
    lending.take_back_device(devices[0], Condition::Good, &[]).await.unwrap();
    lending.commit().await.unwrap();

    let mut tx = store.read().await.unwrap();
    let known = snapshot(&mut tx, &scope, &policy, now).await.unwrap();
    drop(tx);
    assert_eq!(appointments(&known), [Some(tuesday)], "{:?}", known.units);
    let (called, by_due): (Vec<PastLoan>, Vec<PastLoan>) = known.loans.iter().partition(|loan| loan.appointed);
    // From the day on which the campaign began: one came back a week late, the other is as late and still out.
    let since = |end| PastLoan { appointed: true, from: -5, until: 7, end };
    assert!(called.len() == 2 && called.contains(&since(LoanEnd::Returned)), "{called:?}");
    assert!(called.contains(&since(LoanEnd::Open)), "{called:?}");
    // By its due day a loan was seen until the campaign began, and then no more.
    assert_eq!(by_due.len(), 2, "{by_due:?}");
    assert!(by_due.iter().all(|loan| loan.end == LoanEnd::Open && loan.until - loan.from == 38), "{by_due:?}");

    // Over, it expects nobody, and what it saw stays.
    let mut tx = store.write().await.unwrap();
    assert!(campaign::close(&mut tx, november.id, now).await.unwrap());
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let after = snapshot(&mut tx, &scope, &policy, now).await.unwrap();
    assert_eq!(appointments(&after), [None]);
    assert_eq!(after.loans, known.loans);
}

async fn a_scope_knows_its_own_units_alone(test: &TestStore) {
    let now = at(0, 0, 0);
    workshop(test, now).await;
    let other = School::found(&test.store, 2, 0, now).await.unwrap();
    let scope = Scope::Sites(vec![other.site]);
    let mut tx = test.store.read().await.unwrap();
    let known = snapshot(&mut tx, &scope, &Policy::default(), now).await.unwrap();
    assert!(known.units.is_empty() && known.loans.is_empty() && known.orders.is_empty() && known.stages.is_empty());
    assert_eq!((known.ready_to_donate, known.ready_to_lend), (0, 0));
    let (wanting, _) = wanting_today(&mut tx, &scope, &Policy::default(), now).await.unwrap();
    assert!(wanting.is_empty(), "{wanting:?}");
}

async fn page_parts_and_api_answer_the_same(test: &TestStore) {
    let now = clock::now();
    workshop(test, now).await;
    let cartable = InProcess::new(&test.store);
    let person = cartable.desk("rita", Role::Refurbisher, Scope::Everything).await.unwrap();
    assert!(person.get("/forecast").await.unwrap().body.contains("Forecast of ready units"));
    let by = paris::date(now.plus_days(60));
    let asked = format!("ready=donate&target=1&by={by}&seed=5");
    let page = person.get(&format!("/forecast?{asked}")).await.unwrap();
    assert_eq!(page.status, 200);
    for words in ["1 unit ready to donate by", "met in every future played", "<svg class=\"chart fan\"", "Charger"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    assert!(!page.body.contains("<script"), "no script");
    let list = person.get(&format!("/forecast/parts.csv?{asked}")).await.unwrap();
    assert_eq!(list.status, 200);
    assert!(list.body.contains("\"Charger\",\"ThinkPad L13\",\"1\""), "{}", list.body);
    assert_eq!(person.get(&format!("/forecast/other.csv?{asked}")).await.unwrap().status, 404);
    for wrong in ["target=0&by=2100-01-01", "target=1&by=2020-01-01", "target=x&by=2027-01-01", "target=1&by=May"] {
        assert_eq!(person.get(&format!("/forecast?{wrong}")).await.unwrap().status, 422, "{wrong}");
    }
    let token = cartable.token("rita").await.unwrap();
    let answer = cartable.get(&format!("/api/v1/forecast?{asked}"), &token).await.unwrap().json();
    assert_eq!((&answer["percent"], &answer["ready_now"], &answer["met"]), (&json!(100), &json!(1), &json!(1_000)));
    assert_eq!(answer["parts"][0]["part"], "charger");
    assert_eq!(answer["parts"][0]["model"], "ThinkPad L13");
    assert!(answer["sentence"]["fr"].as_str().unwrap().contains("prêt à donner"), "{answer}");
    let again = cartable.get(&format!("/api/v1/forecast?{asked}"), &token).await.unwrap().json();
    assert_eq!(answer, again);
    for wrong in ["target=1", "by=2027-01-01", "target=1&by=2020-01-01"] {
        assert_eq!(cartable.get(&format!("/api/v1/forecast?{wrong}"), &token).await.unwrap().status, 422, "{wrong}");
    }
    let parts = person.get("/parts").await.unwrap().body;
    assert!(parts.contains("1 × Charger · ThinkPad L13") && parts.contains("href=\"/forecast\""), "{parts}");
}

async fn who_sees_no_programme_sees_no_forecast(test: &TestStore) {
    let school = workshop(test, clock::now()).await;
    let cartable = InProcess::new(&test.store);
    let site = Scope::Sites(vec![school.site]);
    let person = cartable.desk("tess", Role::Technician, site).await.unwrap();
    assert_eq!(person.get("/forecast").await.unwrap().status, 403);
    assert!(!person.get("/parts").await.unwrap().body.contains("href=\"/forecast\""));
    let token = cartable.token("tess").await.unwrap();
    assert_eq!(cartable.get("/api/v1/forecast?target=1&by=2027-05-15", &token).await.unwrap().status, 403);
}
