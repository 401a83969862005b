//! Borrowers: who they are is sealed, shown when asked for with a row in the audit, found by name within one site
//! alone, given out whole, and forgotten: on request, and some time after the last return.

use cartable_common::{DeviceId, UtcMillis, report::Hardware};
use cartable_server::{
    auth::Role,
    clock,
    domain::{
        borrower::{Identity, Level},
        device::DeviceStatus,
        loan::{Condition, HandedOver, Loan, LoanState, LoanStateName, Return},
        need::{Need, NeedReason, NeedState, Reasons},
        paris,
        policy::Policy,
        programme::{DEFAULT_NOTICE_DAYS, Programme, ProgrammeKind, Term},
        scope::Scope,
    },
    jobs::identity_erasure,
    store::{
        audit, borrower,
        borrower_list::{self, BorrowerQuery},
        device::{self, NewDevice},
        loan, need, programme,
    },
};
use cartable_tests::{in_process::InProcess, lending, on_both_engines, pages::Pages, raw::Raw, stores::TestStore};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

on_both_engines! {
    who_a_borrower_is_is_shown_only_when_asked_for,
    a_name_is_found_within_one_site,
    everything_is_given_out_and_then_forgotten,
    time_forgets_those_who_returned_and_nobody_who_holds,
    the_list_reaches_everybody_once_and_nobody_elsewhere,
}

const PERSON: &str = "kind=person&level=5e&number=123ab&name=In%C3%A8s+Martin&class=5e+B&email=&language=fr\
                      &guardian_1_name=Paul+Martin&guardian_1_email=paul%40example.org&guardian_1_phone=06";

async fn started(test: &TestStore) -> (InProcess, Pages, Uuid) {
    let cartable = InProcess::new(&test.store);
    let site = cartable.site(1).await.unwrap();
    cartable.person("rita", Role::Referent, Scope::Sites(vec![site])).await.unwrap();
    let rita = cartable.signed_in("rita").await.unwrap();
    (cartable, rita, site)
}

/// Records a person through the form; gives its page's address and its id.
async fn recorded(pages: &Pages, form: &str, site: Uuid) -> (String, Uuid) {
    let made = pages.post("/borrowers", &format!("{form}&site={site}")).await.unwrap();
    assert_eq!(made.status, 303, "{}", made.body);
    let address = made.header("location").split('?').next().unwrap().to_owned();
    let id = address.rsplit('/').next().unwrap().parse().unwrap();
    (address, id)
}

async fn acts(test: &TestStore, kind: &str, id: Uuid) -> Vec<String> {
    let mut tx = test.store.read().await.unwrap();
    let acts = audit::of_object(&mut tx, kind, &id.to_string(), 50).await.unwrap();
    acts.into_iter().rev().map(|act| act.action).collect()
}

/// Lends a new device to the borrower at `now`.
async fn lent(test: &TestStore, to: Uuid, site: Uuid, now: UtcMillis) -> Loan {
    let (device, of) = (DeviceId(Uuid::new_v4()), Uuid::new_v4());
    let mut tx = test.store.write().await.unwrap();
    let new = NewDevice {
        id: device,
        status: DeviceStatus::Active,
        hardware: Hardware::default(),
        asset_tag: Some(format!("T-{}", device.0.simple())),
        programme: None,
        site: Some(site),
        enrolled_at: Some(now),
    };
    device::insert(&mut tx, &new, now).await.unwrap();
    let terms = Programme {
        id: of,
        code: of.simple().to_string()[..12].parse().unwrap(),
        name: "Prêt".into(),
        kind: ProgrammeKind::IndividualLoan,
        term: Term::Days(30),
        renewals_allowed: 0,
        accessories: vec![],
        owner: "Département".into(),
        agreement_template: "agreement".into(),
        membership: vec![],
        notice_days: DEFAULT_NOTICE_DAYS.to_vec(),
        open: true,
    };
    programme::put(&mut tx, &terms, now).await.unwrap();
    let state = LoanState::Reserved;
    let reserved =
        Loan { id: Uuid::new_v4(), device, borrower: to, programme: of, site: Some(site), reserved_at: now, state };
    loan::reserve(&mut tx, &reserved, "rita", now).await.unwrap();
    let handed = HandedOver {
        at: now,
        due: None,
        extensions: 0,
        accessories: vec!["Chargeur".into()],
        signature: None,
        agreement_version: None,
    };
    let held = reserved.hand_over(handed, paris::date(now)).unwrap();
    save(&mut tx, &held, LoanStateName::HandedOver, now).await;
    tx.commit().await.unwrap();
    held
}

async fn save(tx: &mut cartable_server::store::Tx, loan: &Loan, step: LoanStateName, now: UtcMillis) {
    let step = loan::Event { kind: step.as_str(), actor: "rita", details: Value::Null };
    loan::save(tx, loan, step, now).await.unwrap();
}

async fn returned(test: &TestStore, held: Loan, now: UtcMillis) {
    let back = held.take_back(Return { at: now, condition: Condition::Good, missing: vec![] }).unwrap();
    let mut tx = test.store.write().await.unwrap();
    save(&mut tx, &back, LoanStateName::Returned, now).await;
    tx.commit().await.unwrap();
}

async fn who_a_borrower_is_is_shown_only_when_asked_for(test: &TestStore) {
    let (cartable, rita, site) = started(test).await;
    let (address, id) = recorded(&rita, PERSON, site).await;
    let again = rita.post("/borrowers", &format!("{PERSON}&site={site}")).await.unwrap();
    assert_eq!(again.status, 422);
    assert!(again.body.contains("Une personne est déjà inscrite sous ce numéro."), "{}", again.body);
    for page in [&address, "/borrowers", "/audit", "/"] {
        assert!(!rita.get(page).await.unwrap().body.contains("Martin"), "{page}");
    }
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let sealed = raw.texts("SELECT sealed FROM borrower_identity").await.unwrap().concat();
    assert!(!sealed.contains("Martin") && sealed.len() > 100, "{sealed}");

    let shown = rita.post(&format!("{address}/identity"), "").await.unwrap();
    assert_eq!(shown.status, 200);
    for text in ["Inès Martin", "5e B", "Paul Martin · paul@example.org · 06"] {
        assert!(shown.body.contains(text), "{text}: {}", shown.body);
    }
    assert_eq!(shown.header("cache-control"), "no-store");
    assert_eq!(acts(test, "borrower", id).await, ["borrower.create", "borrower.see_identity"]);

    let wrong = rita.post(&format!("{address}/identity/change"), "name=In%C3%A8s&email=nowhere").await.unwrap();
    assert_eq!(wrong.status, 422);
    let changed = rita.post(&format!("{address}/identity/change"), "name=In%C3%A8s+Durand").await.unwrap();
    assert_eq!(changed.status, 303);
    let token = cartable.token("rita").await.unwrap();
    let told = cartable.get(&format!("/api/v1{address}/identity"), &token).await.unwrap().json();
    assert_eq!(told["identity"]["name"], "Inès Durand");
    assert_eq!(told["identity"]["guardians"], serde_json::json!([]), "what was taken out is gone");
    let of_the_rest = ["borrower.create", "borrower.see_identity", "borrower.change_identity", "borrower.see_identity"];
    assert_eq!(acts(test, "borrower", id).await, of_the_rest);
    let written = raw.texts("SELECT details FROM audit").await.unwrap().concat();
    for name in ["Martin", "Durand", "Inès", "example.org"] {
        assert!(!written.contains(name), "the audit holds {name}: {written}");
    }

    // An auditor sees the reference, neither the class level nor who it is.
    cartable.person("otto", Role::Auditor, Scope::Everything).await.unwrap();
    let otto = cartable.token("otto").await.unwrap();
    let seen = cartable.get(&format!("/api/v1{address}"), &otto).await.unwrap().json();
    assert_eq!((&seen["level"], &seen["identity_known"]), (&Value::Null, &true.into()));
    let own = cartable.get(&format!("/api/v1{address}"), &token).await.unwrap().json();
    assert_eq!(own["level"], "5e");
    let otto = cartable.signed_in("otto").await.unwrap();
    assert_eq!(otto.get("/borrowers?level=5e").await.unwrap().status, 400, "no filter tells it either");
    assert_eq!(otto.post(&format!("{address}/identity"), "").await.unwrap().status, 403);
    for (form, status) in [("day=2026-07-03", 303), ("day=", 303), ("day=9999-12-31", 422), ("day=soon", 422)] {
        assert_eq!(rita.post(&format!("{address}/left"), form).await.unwrap().status, status, "{form}");
    }
}

async fn a_name_is_found_within_one_site(test: &TestStore) {
    let (cartable, rita, site) = started(test).await;
    let (_, id) = recorded(&rita, PERSON, site).await;
    let other = cartable.site(2).await.unwrap();
    cartable.person("paul", Role::ProgrammeManager, Scope::Everything).await.unwrap();
    let paul = cartable.signed_in("paul").await.unwrap();
    recorded(&paul, &PERSON.replace("123ab", "9").replace("Martin", "Ailleurs"), other).await;
    let search = |name: &'static str, site| format!("name={name}&site={site}");
    let found = rita.post("/borrowers/search", &search("ines+MART", site)).await.unwrap();
    assert!(found.status == 200 && found.body.contains("Inès Martin") && !found.body.contains("Ailleurs"));
    let none = rita.post("/borrowers/search", &search("ailleurs", site)).await.unwrap();
    assert!(none.status == 200 && none.body.contains("Personne de ce nom"), "{}", none.body);
    assert_eq!(rita.post("/borrowers/search", &search("ailleurs", other)).await.unwrap().status, 404);
    assert_eq!(rita.post("/borrowers/search", &search("+i+", site)).await.unwrap().status, 422);
    assert_eq!(acts(test, "site", site).await, ["borrower.search_name", "borrower.search_name"]);
    let mut tx = test.store.read().await.unwrap();
    let reference = borrower::find(&mut tx, &Scope::Everything, id).await.unwrap().unwrap().reference;
    let written = audit::of_object(&mut tx, "site", &site.to_string(), 5).await.unwrap();
    assert_eq!(written[1].details, format!(r#"{{"opened":1,"shown":["{reference}"]}}"#));
}

async fn everything_is_given_out_and_then_forgotten(test: &TestStore) {
    let (_, rita, site) = started(test).await;
    let (address, id) = recorded(&rita, PERSON, site).await;
    let held = lent(test, id, site, clock::now()).await;
    let refused = rita.post(&format!("{address}/erase"), "reason=demande").await.unwrap();
    assert_eq!(refused.status, 409);
    assert!(refused.body.contains("Un prêt est en cours"), "{}", refused.body);
    returned(test, held.clone(), clock::now()).await;
    let mut raw = Raw::connect(test.url()).await.unwrap();
    beside_the_loan(&mut raw, id, held.id).await;
    assert_eq!(rita.post(&format!("{address}/left"), "day=2026-07-03").await.unwrap().status, 303);
    let mut tx = test.store.write().await.unwrap();
    let programme = lending::programme(&mut tx, clock::now()).await.unwrap().id;
    for state in [NeedState::Open, NeedState::Withdrawn] {
        let reasons = Reasons::new([NeedReason::Ulis]).unwrap();
        let (need, level) = (Uuid::new_v4(), Some(Level::Cinquieme));
        let asked = Need { id: need, site, programme, level, reasons, borrower: Some(id), entered_at: clock::now() };
        need::insert(&mut tx, &asked, "test").await.unwrap();
        if state == NeedState::Withdrawn {
            assert!(need::withdraw(&mut tx, &Scope::Everything, need, clock::now()).await.unwrap());
        }
    }
    tx.commit().await.unwrap();
    let file = rita.post(&format!("{address}/export"), "").await.unwrap();
    assert!(file.header("content-disposition").starts_with("attachment; filename=\"B-"));
    let file = file.json();
    assert_eq!(file["identity"]["name"], "Inès Martin");
    assert_eq!(file["identity"]["guardians"][0]["email"], "paul@example.org");
    assert_eq!(file["borrower"]["level"], "5e");
    assert_eq!(file["borrower"]["left_site_on"], "2026-07-03");
    assert_eq!(file["loans"][0]["loan"]["state"], "returned");
    assert_eq!(file["loan_steps"].as_array().map(Vec::len), Some(3));
    assert_eq!(file["acts"][1]["act"], "borrower.create");
    assert_eq!((&file["needs"][0]["level"], &file["needs"][0]["reasons"][0]), (&"ulis".into(), &"ulis".into()));
    let appointment = (&file["appointments"][0]["campaign"], &file["appointments"][0]["excuse"]);
    assert_eq!(appointment, (&"Juin".into(), &"absente".into()));
    assert_eq!((&file["letters"][0]["about"], &file["letters"][0]["state"]), (&"returned".into(), &"waiting".into()));
    assert_eq!(file["signatures"], Value::Array(vec![]));
    assert_eq!(rita.post(&format!("{address}/erase"), "reason=demande").await.unwrap().status, 303);
    assert_eq!(raw.number("SELECT count(*) FROM borrower_identity").await.unwrap(), 0);
    let left = "SELECT count(*) FROM borrower WHERE natural_key_hash IS NOT NULL OR level IS NOT NULL \
                OR left_site_day IS NOT NULL";
    assert_eq!(raw.number(left).await.unwrap(), 0, "nothing that leads to the person");
    // Why its needs came first went with it; a need that waits is nobody's now.
    let needs = "SELECT state || ' ' || COALESCE(level, '-') || ' ' || reasons || ' ' || \
                 CASE WHEN borrower_id IS NULL THEN 'anonymous' ELSE 'hers' END FROM need ORDER BY state";
    assert_eq!(
        raw.texts(needs).await.unwrap(),
        ["met - [] hers", "open 5e [\"ulis\"] anonymous", "withdrawn - [] hers"]
    );
    assert_eq!(raw.number("SELECT count(*) FROM audit WHERE details LIKE '%2026-07-03%'").await.unwrap(), 0);
    let after = rita.post(&format!("{address}/export"), "").await.unwrap().json();
    assert_eq!((&after["identity"], &after["loans"][0]["loan"]["state"]), (&Value::Null, &"returned".into()));
    let done = acts(test, "borrower", id).await;
    let expected =
        ["borrower.create", "borrower.left_site", "borrower.export", "borrower.erase_identity", "borrower.export"];
    assert_eq!(done, expected);
    // Nameless, and yet something is known: that is forgotten, and written down, too; nothing left, nothing is done.
    raw.execute("UPDATE borrower SET level = '5e'").await.unwrap();
    for _ in 0..2 {
        assert_eq!(rita.post(&format!("{address}/erase"), "reason=demande").await.unwrap().status, 303);
    }
    assert_eq!(raw.number("SELECT count(*) FROM borrower WHERE level IS NOT NULL").await.unwrap(), 0);
    assert_eq!(acts(test, "borrower", id).await.len(), expected.len() + 1);
}

/// What else is kept about a borrower: a need, an appointment, a letter.
async fn beside_the_loan(raw: &mut Raw, borrower: Uuid, loan: Uuid) {
    let (id, borrower, loan) = (raw.uuid(Uuid::from_u128(7)), raw.uuid(borrower), raw.uuid(loan));
    for sql in [
        format!(
            "INSERT INTO need (id, site_id, programme_id, level, reasons, borrower_id, state, entered_by, entered_at, \
             ended_at, loan_id) SELECT {id}, site_id, programme_id, 'ulis', '[\"ulis\"]', {borrower}, 'met', 'rita', 1, 2, \
             id FROM loan WHERE id = {loan}"
        ),
        format!(
            "INSERT INTO campaign (id, name, state, choice, first_day, last_day, desks, slots, created_by, created_at, \
             started_at) VALUES ({id}, 'Juin', 'running', '{{}}', 20618, 20622, 1, 1, 'paul', 1, 2)"
        ),
        format!(
            "INSERT INTO campaign_loan (campaign_id, loan_id, site_id, state, day, desk, slot, excuse, excused_by, \
             changed_at) SELECT {id}, id, site_id, 'excused', 20618, 1, 1, 'absente', 'rita', 3 FROM loan WHERE id = {loan}"
        ),
        format!(
            "INSERT INTO notice (id, dedupe_key, kind, recipient_kind, recipient_id, loan_id, quiet, not_before_day, \
             not_after_day, details, state, created_at) VALUES ({id}, 'k', 'returned', 'borrower', {borrower}, {loan}, \
             'any_day', 1, 99999, '{{}}', 'waiting', 1)"
        ),
    ] {
        raw.execute(&sql).await.unwrap();
    }
}

/// A table that refers to a borrower or to a loan holds something about a person: it is in the file, or named here with
/// the reason why not.
#[tokio::test]
async fn no_table_about_a_person_is_left_out_of_the_file() {
    let test = TestStore::sqlite().await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND (sql LIKE '%REFERENCES borrower (%' \
               OR sql LIKE '%REFERENCES loan (%') ORDER BY name";
    let found = raw.texts(sql).await.unwrap();
    let in_the_file =
        ["borrower_identity", "campaign_loan", "document", "loan", "loan_event", "loan_signature", "need", "notice"];
    // A line of a proposal says of a need only at which rank it stood among others.
    let expected: Vec<&str> = ["allocation_line"].into_iter().chain(in_the_file).collect();
    assert_eq!(found, expected);
}

async fn time_forgets_those_who_returned_and_nobody_who_holds(test: &TestStore) {
    let (cartable, rita, site) = started(test).await;
    let (_, returns) = recorded(&rita, &PERSON.replace("123ab", "1"), site).await;
    let (_, holds) = recorded(&rita, &PERSON.replace("123ab", "2"), site).await;
    let (_, never) = recorded(&rita, &PERSON.replace("123ab", "3"), site).await;
    // Of whom nothing was ever typed in but a class level and the school's number: that leads to a person too.
    let (_, unnamed) = recorded(&rita, "kind=person&level=5e&number=4&language=fr", site).await;
    let start = clock::now();
    let held = lent(test, returns, site, start).await;
    let earlier = lent(test, holds, site, start).await;
    lent(test, holds, site, start).await;
    let day = |days| start.plus_days(days);
    returned(test, held, day(30)).await;
    returned(test, earlier, day(30)).await;
    let policy = Policy::from_toml("[privacy]\nidentity_days = 60\nunused_identity_days = 200\n").unwrap();
    let known = async || {
        let mut tx = test.store.read().await.unwrap();
        let mut known = Vec::new();
        for id in [returns, holds, never] {
            known.push(borrower::is_identity_known(&mut tx, id).await.unwrap());
        }
        known
    };
    let run = async |days| {
        let running = CancellationToken::new();
        identity_erasure::run(&test.store, &policy, day(days), &running).await.unwrap()
    };
    assert_eq!((run(89).await, known().await), (0, vec![true, true, true]));
    assert_eq!((run(91).await, known().await), (1, vec![false, true, true]), "60 days after the last return");
    assert_eq!(run(92).await, 0, "it may be repeated at will");
    let level = async || {
        let mut tx = test.store.read().await.unwrap();
        borrower::find(&mut tx, &Scope::Everything, unnamed).await.unwrap().unwrap().level
    };
    assert_eq!(level().await, Some(Level::Cinquieme));
    assert_eq!((run(201).await, known().await), (2, vec![false, true, false]), "nobody needs it");
    assert_eq!(level().await, None, "also of who was never named");
    assert_eq!((run(900).await, known().await), (0, vec![false, true, false]), "who holds a device is known");
    assert_eq!(acts(test, "borrower", returns).await, ["borrower.create", "borrower.erase_identity"]);
    // Entered anew after the return, for another loan: not forgotten at once.
    let identity = Identity { name: "Inès".into(), ..Identity::default() };
    let sealed = cartable.app.vault.seal_identity(returns, &identity).unwrap();
    let mut tx = test.store.write().await.unwrap();
    borrower::put_identity(&mut tx, returns, &sealed, day(120)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((run(300).await, known().await), (0, vec![true, true, false]));
    assert_eq!((run(321).await, known().await), (1, vec![false, true, false]));
}

async fn the_list_reaches_everybody_once_and_nobody_elsewhere(test: &TestStore) {
    let (cartable, rita, site) = started(test).await;
    let other = cartable.site(2).await.unwrap();
    cartable.person("paul", Role::ProgrammeManager, Scope::Everything).await.unwrap();
    let paul = cartable.signed_in("paul").await.unwrap();
    for _ in 0..7 {
        recorded(&rita, "kind=person", site).await;
        recorded(&paul, "kind=institution&institution=Syndicat+mixte", other).await;
    }
    let everything = Scope::Everything;
    let mut tx = test.store.read().await.unwrap();
    for (scope, expected) in [(&everything, 14), (&Scope::Sites(vec![site]), 7), (&Scope::Sites(vec![]), 0)] {
        let (mut seen, mut query) = (Vec::new(), BorrowerQuery { limit: 3, ..BorrowerQuery::default() });
        loop {
            let page = borrower_list::list(&mut tx, scope, &query).await.unwrap();
            assert_eq!(page.total, cartable_server::store::page::Total::Exact(expected));
            seen.extend(page.rows.into_iter().map(|row| row.reference.to_string()));
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        assert!(seen.is_sorted() && i64::try_from(seen.len()) == Ok(expected), "{seen:?}");
        seen.dedup();
        assert_eq!(i64::try_from(seen.len()), Ok(expected), "nobody twice");
    }
    let institutions = BorrowerQuery { institution: Some("SYNDICAT".into()), ..BorrowerQuery::default() };
    assert_eq!(borrower_list::list(&mut tx, &everything, &institutions).await.unwrap().rows.len(), 7);
    drop(tx);
    assert!(!rita.get("/borrowers").await.unwrap().body.contains("Syndicat"));
    let foreign = rita.post("/borrowers", &format!("kind=person&site={other}")).await.unwrap();
    assert_eq!(foreign.status, 422, "nobody is recorded elsewhere");
    assert_eq!(rita.post("/borrowers", "kind=institution&institution=X&site=").await.unwrap().status, 422);
}
