//! Imports beside the desk, campaigns, webhooks and other processes, on both engines: what others did meanwhile stays,
//! what every step of a loan does is done, and nothing that goes wrong in one import ends the others.

use std::{fmt::Write as _, time::Duration};

use cartable_common::{DeviceId, UtcMillis};
use cartable_server::{
    auth::Role,
    clock,
    domain::{
        campaign::{CampaignState, Choice, Desks},
        import::{Blanks, Counts, ImportState, Kind, OnError},
        loan::Condition,
        paris,
        policy::Policy,
        scope::Scope,
    },
    exchange::{
        ledger::{self, Brought},
        limits,
        run::{self, Begun, GoOn, RunError, Runner},
    },
    jobs,
    store::{
        campaign::{self, Campaign},
        import::{self, Import},
        lending::{Clerk, Handing, Lending, Wish},
        webhook::{self, Webhook},
    },
};
use cartable_tests::{
    imports::{begun, vault},
    in_process::InProcess,
    on_both_engines,
    raw::Raw,
    school::{School, labels},
    stores::TestStore,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

on_both_engines! {
    a_device_that_is_lent_meanwhile_stays_lent,
    a_loan_that_ends_meanwhile_stays_as_the_desk_ended_it,
    campaigns_and_webhooks_hear_of_imported_steps_and_nobody_is_written_to,
    a_loan_does_not_end_before_it_began,
    a_long_file_is_not_written_whole,
    a_panic_ends_one_import_and_no_other,
    a_resumed_import_remembers_what_it_was_about,
    the_columns_are_shown_without_the_file,
    a_process_that_lost_an_import_does_not_end_it,
}

const SKIP: (OnError, Blanks) = (OnError::Skip, Blanks::Keep);
const LOANS: &str = "Étiquette;Référence;Dispositif;Remis le;Rendu le;État au retour\n";

async fn texts(test: &TestStore, sql: &str) -> Vec<String> {
    Raw::connect(test.url()).await.unwrap().texts(sql).await.unwrap()
}

fn runner(test: &TestStore) -> Runner {
    Runner::new(test.store.clone(), vault())
}

async fn found(test: &TestStore, id: Uuid) -> Import {
    import::find(&mut test.store.read().await.unwrap(), id).await.unwrap().unwrap()
}

async fn applied(test: &TestStore, kind: Kind, text: &str) -> Import {
    let id = begun(test, kind, text, SKIP, true).await.unwrap();
    runner(test).run(id, |_| GoOn::Yes).await.unwrap()
}

/// A school with devices `CD-0001` and so on.
async fn school(test: &TestStore, devices: usize, now: UtcMillis) -> (School, Vec<DeviceId>) {
    let school = School::found(&test.store, 1, devices, now).await.unwrap();
    let devices = school.stock(&test.store, &labels(devices), now).await.unwrap();
    (school, devices)
}

/// Runs an import while `desk` holds what it has done, and lets the desk end first.
async fn beside(test: &TestStore, id: Uuid, desk: Lending<'_>) -> Import {
    let runner = runner(test);
    let running = tokio::spawn(async move { runner.run(id, |_| GoOn::Yes).await });
    if test.url().starts_with("sqlite") {
        tokio::time::sleep(Duration::from_millis(200)).await;
    } else {
        let sql =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let mut raw = Raw::connect(test.url()).await.unwrap();
        let mut looks = 0;
        while raw.number(sql).await.unwrap() == 0 {
            looks += 1;
            assert!(looks < 500, "the import waits for nobody");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    desk.commit().await.unwrap();
    running.await.unwrap().unwrap()
}

async fn a_device_that_is_lent_meanwhile_stays_lent(test: &TestStore) {
    let now = clock::now();
    let (school, devices) = school(test, 1, now).await;
    let id = begun(test, Kind::Devices, "Étiquette;Grade\nCD-0001;B\n", SKIP, true).await.unwrap();
    let (scope, policy) = (Scope::Everything, Policy::default());
    let clerk = Clerk { actor: "rosa", token: None, scope: &scope, policy: &policy, now };
    let mut desk = Lending::begin(&test.store, clerk).await.unwrap();
    let wish = Wish { device: devices[0], borrower: school.borrowers[0].id, programme: school.programme };
    desk.lend(wish, Handing::default()).await.unwrap();
    assert_eq!(beside(test, id, desk).await.counts.changed, 1);
    let device = texts(test, "SELECT lending_state || ' ' || grade FROM device").await;
    assert_eq!(device, ["lent B"]);
}

async fn a_loan_that_ends_meanwhile_stays_as_the_desk_ended_it(test: &TestStore) {
    let now = clock::now();
    let (school, devices) = school(test, 1, now).await;
    school.lend(&test.store, &devices, now).await.unwrap();
    let (today, reference) = (paris::date(now), &school.borrowers[0].reference);
    let text = format!("{LOANS}CD-0001;{reference};D1;{today};{today};Usé\n");
    let id = begun(test, Kind::Loans, &text, SKIP, true).await.unwrap();
    let (scope, policy) = (Scope::Everything, Policy::default());
    let clerk = Clerk { actor: "rosa", token: None, scope: &scope, policy: &policy, now };
    let mut desk = Lending::begin(&test.store, clerk).await.unwrap();
    desk.take_back_device(devices[0], Condition::Good, &[]).await.unwrap();
    desk.put_in_stock(devices[0]).await.unwrap();
    let import = beside(test, id, desk).await;
    assert_eq!(import.counts, Counts { same: 1, ..Counts::default() });
    let sql = "SELECT l.condition || ' ' || d.lending_state FROM loan l JOIN device d ON d.id = l.device_id";
    assert_eq!(texts(test, sql).await, ["good in_stock"]);
}

async fn campaigns_and_webhooks_hear_of_imported_steps_and_nobody_is_written_to(test: &TestStore) {
    let now = clock::now();
    let (school, devices) = school(test, 4, now).await;
    school.lend(&test.store, &devices[..3], now).await.unwrap();
    let (campaign, today) = (Uuid::now_v7(), paris::date(now));
    let mut tx = test.store.write().await.unwrap();
    let planned = Campaign {
        id: campaign,
        name: "Juin".into(),
        state: CampaignState::Planned,
        choice: Choice::default(),
        first: jiff::civil::date(2027, 6, 14),
        last: jiff::civil::date(2027, 6, 18),
        desks: Desks { desks: 1, slots: 10 },
        created_by: "test".into(),
        created_at: now,
    };
    campaign::insert(&mut tx, &planned).await.unwrap();
    assert_eq!(campaign::start(&mut tx, campaign, &Policy::default(), now).await.unwrap(), 3);
    let told = Webhook {
        id: Uuid::new_v4(),
        label: "test".into(),
        url: "https://hooks.example/".into(),
        events: vec![],
        created_at: now,
        disabled_at: None,
    };
    webhook::insert(&mut tx, &told, "sealed").await.unwrap();
    tx.commit().await.unwrap();
    let reference = |index: usize| &school.borrowers[index].reference;
    let notices = "SELECT CAST(count(*) AS TEXT) FROM notice";
    let before = texts(test, notices).await;
    let text = format!(
        "{LOANS}CD-0001;{};D1;{today};{today};Bon\nCD-0002;{};D1;{today};{today};Usé\nCD-0004;{};D1;2025-09-01;2025-10-01;Bon\n",
        reference(0),
        reference(1),
        reference(3)
    );
    let import = applied(test, Kind::Loans, &text).await;
    assert_eq!(import.counts, Counts { new: 1, changed: 2, ..Counts::default() });
    let states = "SELECT state FROM campaign_loan ORDER BY state";
    assert_eq!(texts(test, states).await, ["expected", "returned", "returned"]);
    let events = texts(test, "SELECT event || ' ' || payload FROM webhook_delivery ORDER BY event").await;
    let kinds: Vec<&str> = events.iter().map(|event| event.split(' ').next().unwrap()).collect();
    assert_eq!(kinds, ["loan.handed_over", "loan.returned", "loan.returned", "loan.returned"]);
    for event in &events {
        let state = if event.starts_with("loan.handed_over") { "handed_over" } else { "returned" };
        assert!(event.contains(&format!("\"state\":\"{state}\"")), "{event}");
    }
    assert_eq!(texts(test, notices).await, before);
}

async fn a_loan_does_not_end_before_it_began(test: &TestStore) {
    let now = clock::now();
    let day = now.get().div_euclid(UtcMillis::DAY) - 2;
    let afternoon = UtcMillis::new(day * UtcMillis::DAY + 15 * 3_600_000).unwrap();
    let (school, devices) = school(test, 1, afternoon).await;
    school.lend(&test.store, &devices, afternoon).await.unwrap();
    let (date, reference) = (paris::date(afternoon), &school.borrowers[0].reference);
    let import = applied(test, Kind::Loans, &format!("{LOANS}CD-0001;{reference};D1;{date};{date};Bon\n")).await;
    assert_eq!(import.counts.changed, 1);
    let ended = texts(test, "SELECT CAST(ended_at - handed_over_at AS TEXT) FROM loan").await;
    assert_eq!(ended, ["0"], "at three, not at noon");
}

async fn a_long_file_is_not_written_whole(test: &TestStore) {
    let mut text = "Étiquette\n".to_owned();
    for number in 0..=limits::MAX_WHOLE_ROWS {
        let _ = writeln!(text, "T{number}");
    }
    let brought = Brought { kind: Kind::Devices, name: "x.csv", by: "marie" };
    let now = clock::now();
    let import = ledger::take_in(&test.store, &vault(), &brought, text.into_bytes(), now).await.unwrap();
    let asked = |on_error, state| import::Asked { mapping: &import.mapping, blanks: Blanks::Keep, on_error, state };
    let mut tx = test.store.write().await.unwrap();
    for (on_error, state, begun) in [
        (OnError::Stop, ImportState::Applying, Begun::TooLong),
        (OnError::Stop, ImportState::Checking, Begun::Yes),
        (OnError::Skip, ImportState::Applying, Begun::Yes),
    ] {
        let asked = asked(on_error, state);
        assert_eq!(run::begin(&mut tx, &import, &asked, "marie", now).await.unwrap(), begun);
    }
}

async fn a_panic_ends_one_import_and_no_other(test: &TestStore) {
    let id = begun(test, Kind::Devices, "Étiquette\nT1\n", SKIP, true).await.unwrap();
    let other = begun(test, Kind::Devices, "Étiquette\nT2\n", SKIP, true).await.unwrap();
    let runner = runner(test);
    jobs::imports::one(&runner, id, |_| {
        assert!(std::hint::black_box(false), "as intended");
        GoOn::Yes
    })
    .await;
    assert_eq!(found(test, id).await.state, ImportState::Failed);
    jobs::imports::round(&test.store, &runner, clock::now(), &CancellationToken::new()).await.unwrap();
    assert_eq!(found(test, other).await.state, ImportState::Done);
}

async fn a_resumed_import_remembers_what_it_was_about(test: &TestStore) {
    applied(test, Kind::Devices, "Numéro de série;Étiquette\nA1;T1\n").await;
    let mut text = "Numéro de série;Étiquette;Modèle\nA1;;one\n".to_owned();
    for number in 1..limits::CHUNK_ROWS {
        let _ = writeln!(text, "F{number};;x");
    }
    text.push_str(";T1;two\n");
    let id = begun(test, Kind::Devices, &text, SKIP, true).await.unwrap();
    let runner = runner(test);
    let stopped = runner.run(id, |_| GoOn::No).await.unwrap();
    assert_eq!(usize::try_from(stopped.done).unwrap(), limits::CHUNK_ROWS);
    let import = runner.run(id, |_| GoOn::Yes).await.unwrap();
    assert_eq!((import.state, import.counts.bad), (ImportState::Done, 1), "the same device twice");
    assert_eq!(texts(test, "SELECT model FROM device WHERE asset_tag = 'T1'").await, ["one"]);
}

async fn the_columns_are_shown_without_the_file(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    cartable.person("marie", Role::ProgrammeManager, Scope::Everything).await.unwrap();
    let marie = cartable.signed_in("marie").await.unwrap();
    let brought = Brought { kind: Kind::Devices, name: "x.csv", by: "marie" };
    let bytes = "Étiquette;Remarque\nT1;un\nT2;\nT3;deux\n".as_bytes().to_vec();
    let id = ledger::take_in(&test.store, &vault(), &brought, bytes, clock::now()).await.unwrap().id;
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let sealed = texts(test, "SELECT sealed_preview FROM import").await.remove(0);
    assert!(!sealed.contains("Remarque") && !sealed.contains("deux"), "{sealed}");
    raw.execute("UPDATE import_part SET sealed = 'nobody reads it'").await.unwrap();
    let page = marie.get(&format!("/imports/{id}")).await.unwrap();
    assert_eq!(page.status, 200);
    assert!(["Remarque", "T3", "deux"].iter().all(|text| page.body.contains(text)), "{}", page.body);
    let token = cartable.token("marie").await.unwrap();
    let read = cartable.get(&format!("/api/v1/imports/{id}"), &token).await.unwrap();
    assert_eq!(read.json()["columns"][1]["heading"], "Remarque", "{}", read.body);
}

async fn a_process_that_lost_an_import_does_not_end_it(test: &TestStore) {
    let id = begun(test, Kind::Devices, "Étiquette\nT1\n", SKIP, true).await.unwrap();
    let (store, later) = (test.store.clone(), clock::now().plus_days(1));
    let ran = runner(test)
        .run(id, |_| {
            // The last chunk is committed, and another process takes the import.
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(async {
                    let mut tx = store.write().await.unwrap();
                    assert!(import::take(&mut tx, id, Uuid::new_v4(), later, later.plus_days(1)).await.unwrap());
                    tx.commit().await.unwrap();
                });
            });
            GoOn::Yes
        })
        .await;
    assert!(matches!(ran, Err(RunError::NotOurs)), "{ran:?}");
    assert_eq!(found(test, id).await.state, ImportState::Applying);
    assert_eq!(texts(test, "SELECT action FROM audit WHERE action = 'import.end'").await, [""; 0]);
}
