//! A unit of more than ten years is given knowingly: the lot says so to people and to programs before anybody approves it.

use cartable_server::{auth::Role, clock, domain::scope::Scope};
use cartable_tests::{donation::people, in_process::InProcess, on_both_engines, raw::Raw, stores::TestStore};

on_both_engines! {
    a_lot_says_which_of_its_units_are_too_old,
}

async fn a_lot_says_which_of_its_units_are_too_old(test: &TestStore) {
    let now = clock::now();
    let who = people(&test.store, now).await.unwrap();
    let (old, young) =
        (who.ready(&test.store, "A1", now).await.unwrap(), who.ready(&test.store, "A2", now).await.unwrap());
    let lot = who.draft(&test.store, &[old, young], now).await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let long_ago = now.plus_days(-11 * 366).get();
    let recorded = format!("UPDATE device SET created_at = {long_ago} WHERE id = {}", raw.uuid(old.0));
    raw.execute(&recorded).await.unwrap();

    let cartable = InProcess::new(&test.store);
    cartable.person("paul", Role::ProgrammeManager, Scope::Everything).await.unwrap();
    let token = cartable.token("paul").await.unwrap();
    let told = cartable.get(&format!("/api/v1/donation-lots/{lot}"), &token).await.unwrap().json();
    assert_eq!((&told["too_old"], &told["unready"]), (&1.into(), &0.into()), "a warning, no condition: {told}");
    let marked: Vec<_> = told["unit_list"].as_array().unwrap().iter().map(|unit| &unit["older_than_years"]).collect();
    assert_eq!(marked, [&serde_json::json!(10), &serde_json::Value::Null]);
    let page = cartable.signed_in("paul").await.unwrap().get(&format!("/lots/{lot}")).await.unwrap().body;
    assert!(page.contains("Appareils de plus de 10 ans : 1.") && page.contains("recyclage"), "{page}");
    assert_eq!(page.matches("Plus de 10 ans").count(), 1, "beside the one unit: {page}");

    // Nobody is kept from giving it, and nothing is said of what is given.
    let mut tx = test.store.write().await.unwrap();
    cartable_server::store::donation_lot::drop_lot(&mut tx, lot, now).await.unwrap();
    tx.commit().await.unwrap();
    who.give(&test.store, &[old, young], now).await.unwrap();
    let given = raw.number("SELECT count(*) FROM device WHERE lending_state = 'ceded'").await.unwrap();
    assert_eq!(given, 2);
}
