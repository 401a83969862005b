//! The stock of parts, however long it is: nothing of it is out of reach, and what it is worth is what all of it is worth.

use cartable_server::{
    auth::Role,
    domain::{part::PartKind, scope::Scope},
    store::part,
};
use cartable_tests::{in_process::InProcess, on_both_engines, raw::Raw, stores::TestStore};
use uuid::Uuid;

on_both_engines! {
    a_stock_of_more_than_a_page_is_counted_and_reached_whole,
}

/// As many batteries as a page has, each a row as harvested parts are, and a Wi-Fi card behind them.
const BATTERIES: u128 = 500;
const CARD: Uuid = Uuid::from_u128(BATTERIES + 1);

async fn a_stock_of_more_than_a_page_is_counted_and_reached_whole(test: &TestStore) {
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let mut rows: Vec<String> = (1..=BATTERIES)
        .map(|number| format!("({}, 'battery', NULL, 'bought', 100, 1, {number})", raw.uuid(Uuid::from_u128(number))))
        .collect();
    rows.push(format!("({}, 'wifi', NULL, 'bought', 250, 2, 1)", raw.uuid(CARD)));
    let into = "INSERT INTO part (id, kind, model, origin, unit_cents, count, created_at) VALUES ";
    raw.execute(&format!("{into}{}", rows.join(", "))).await.unwrap();

    let mut tx = test.store.read().await.unwrap();
    let first = part::list(&mut tx, None, false, None).await.unwrap();
    assert_eq!((first.parts.len(), first.value_cents), (part::LISTED, 50_500));
    let next = part::list(&mut tx, None, false, first.next).await.unwrap();
    let told: Vec<(Uuid, i64)> = next.parts.iter().map(|part| (part.id, part.count)).collect();
    assert_eq!((told, next.next, next.value_cents), (vec![(CARD, 2)], None, 50_500));
    let cards = part::list(&mut tx, Some(PartKind::WiFi), false, None).await.unwrap();
    assert_eq!((cards.parts.len(), cards.next, cards.value_cents), (1, None, 500));
    let offered = part::fitting(&mut tx, None).await.unwrap();
    assert!(offered.iter().any(|part| part.id == CARD), "at the bench too");
    drop(tx);

    let cartable = InProcess::new(&test.store);
    let refurbisher = cartable.desk("rita", Role::Refurbisher, Scope::Everything).await.unwrap();
    let page = refurbisher.get("/parts").await.unwrap().body;
    let recount = format!("/parts/{CARD}/count");
    assert!(page.contains("worth €505.00") && page.contains("rel=\"next\"") && !page.contains(&recount), "{page}");
    let page = refurbisher.get(&format!("/parts?after={}", first.next.unwrap())).await.unwrap().body;
    assert!(page.contains("worth €505.00") && !page.contains("rel=\"next\"") && page.contains(&recount), "{page}");
    assert_eq!(refurbisher.get("/parts?after=x").await.unwrap().status, 400);
}
