//! The promises of documents in the store: numbers without a gap or a double, a scope hides the others', and a loan takes
//! over what was made while it was prepared, and says which agreement was signed.

use std::collections::BTreeSet;

use cartable_common::UtcMillis;
use cartable_server::{
    clock,
    domain::{
        document::{DocumentKind, DocumentNumber},
        label::wanted,
        language::Language,
        loan::Signature,
        policy::Policy,
        scope::Scope,
    },
    store::{
        Store,
        device_list::DeviceQuery,
        document::{self, Document, Subject},
        label,
        lending::{Clerk, Handing, Lending, Wish},
        loan,
    },
};
use cartable_tests::{
    on_both_engines,
    raw::Raw,
    school::{School, labels},
    stores::TestStore,
};
use uuid::Uuid;

on_both_engines! {
    numbers_count_each_kind_and_year_without_gap_or_double,
    a_scope_hides_the_documents_of_others,
    a_loan_takes_over_what_was_made_while_it_was_prepared,
    labels_are_found_by_list_range_and_search,
    a_database_that_later_migrations_were_applied_to_gains_documents,
}

fn made(number: DocumentNumber, subject: Subject, made_at: UtcMillis) -> Document {
    Document {
        number,
        subject,
        template: "agreement".into(),
        version: "1".into(),
        template_sha256: [7; 32],
        pdf_sha256: [9; 32],
        language: Language::English,
        made_by: "anne".into(),
        made_at,
    }
}

async fn next(store: &Store, kind: DocumentKind, year: i16) -> DocumentNumber {
    let mut tx = store.write().await.unwrap();
    let number = document::next_number(&mut tx, kind, year).await.unwrap();
    tx.commit().await.unwrap();
    number
}

async fn record(store: &Store, document: &Document) {
    let mut tx = store.write().await.unwrap();
    document::insert(&mut tx, document).await.unwrap();
    tx.commit().await.unwrap();
}

async fn numbers_count_each_kind_and_year_without_gap_or_double(test: &TestStore) {
    let mut taking = Vec::new();
    for _ in 0..20 {
        let store = test.store.clone();
        taking.push(tokio::spawn(async move { next(&store, DocumentKind::Agreement, 2026).await.serial }));
    }
    let mut taken = BTreeSet::new();
    for one in taking {
        assert!(taken.insert(one.await.unwrap()), "a number twice");
    }
    assert_eq!(taken, (1..=20).collect());
    assert_eq!(next(&test.store, DocumentKind::Receipt, 2026).await.to_string(), "REC-2026-000001");
    assert_eq!(next(&test.store, DocumentKind::Agreement, 2027).await.to_string(), "AGR-2027-000001");
    // What is not committed was not taken.
    let mut tx = test.store.write().await.unwrap();
    document::next_number(&mut tx, DocumentKind::Agreement, 2026).await.unwrap();
    drop(tx);
    assert_eq!(next(&test.store, DocumentKind::Agreement, 2026).await.serial, 21);
}

async fn a_scope_hides_the_documents_of_others(test: &TestStore) {
    let now = clock::now();
    let here = School::found(&test.store, 1, 1, now).await.unwrap();
    let there = School::found(&test.store, 2, 1, now).await.unwrap();
    let of_site = |site| Subject::Site(site);
    let (list, all) =
        (next(&test.store, DocumentKind::SiteList, 2026).await, next(&test.store, DocumentKind::Labels, 2026).await);
    let written = made(list, of_site(Some(here.site)), now);
    record(&test.store, &written).await;
    record(&test.store, &made(all, of_site(None), now)).await;
    let mut tx = test.store.read().await.unwrap();
    let (own, foreign) = (Scope::Sites(vec![here.site]), Scope::Sites(vec![there.site]));
    assert_eq!(document::find(&mut tx, &own, list).await.unwrap(), Some(written), "read as it was written");
    assert_eq!(document::find(&mut tx, &foreign, list).await.unwrap(), None);
    assert_eq!(document::find(&mut tx, &own, all).await.unwrap(), None, "what spans sites is for those who see all");
    assert!(document::find(&mut tx, &Scope::Everything, all).await.unwrap().is_some());
    let unknown = DocumentNumber { serial: 99, ..list };
    assert_eq!(document::find(&mut tx, &Scope::Everything, unknown).await.unwrap(), None);
    drop(tx);
    // A receipt without its loan, a list without its site: the database refuses them.
    let receipt = next(&test.store, DocumentKind::Receipt, 2026).await;
    let mut tx = test.store.write().await.unwrap();
    assert!(document::insert(&mut tx, &made(receipt, of_site(Some(here.site)), now)).await.is_err());
}

async fn a_loan_takes_over_what_was_made_while_it_was_prepared(test: &TestStore) {
    let now = clock::now();
    let school = School::found(&test.store, 1, 2, now).await.unwrap();
    let devices = school.stock(&test.store, &labels(3), now).await.unwrap();
    let (mine, other) = (school.borrowers[0].id, school.borrowers[1].id);
    let subject = |borrower| Subject::HandOver { device: devices[0].0, borrower, site: Some(school.site) };
    let first = next(&test.store, DocumentKind::Agreement, 2026).await;
    let second = next(&test.store, DocumentKind::Agreement, 2026).await;
    let foreign = next(&test.store, DocumentKind::Agreement, 2026).await;
    record(&test.store, &made(first, subject(mine), now)).await;
    let newer = Document { version: "2".into(), ..made(second, subject(mine), now.plus_millis(1)) };
    record(&test.store, &newer).await;
    record(&test.store, &made(foreign, subject(other), now.plus_millis(2))).await;
    // Printed for a loan of last year that came to nothing.
    let stale = next(&test.store, DocumentKind::Agreement, 2025).await;
    record(&test.store, &made(stale, subject(mine), now.plus_days(-200))).await;

    let hand_over = async |device: usize, borrower: Uuid, agreement: Option<&str>| {
        let (scope, policy) = (Scope::Everything, Policy::default());
        let mut lending =
            Lending::begin(&test.store, Clerk { actor: "test", token: None, scope: &scope, policy: &policy, now })
                .await
                .unwrap();
        let handing = Handing {
            signature: Some(Signature::Paper),
            agreement_version: agreement.map(str::to_owned),
            ..Handing::default()
        };
        let wish = Wish { device: devices[device], borrower, programme: school.programme };
        let id = lending.lend(wish, handing).await.unwrap().id;
        lending.commit().await.unwrap();
        id
    };
    let signed = async |id: Uuid| {
        let mut tx = test.store.read().await.unwrap();
        let found = loan::find(&mut tx, &Scope::Everything, id).await.unwrap().unwrap();
        let version = found.state.handed_over().unwrap().agreement_version.clone();
        (version, document::of_loan(&mut tx, id).await.unwrap())
    };
    let loan = hand_over(0, mine, None).await;
    let (version, documents) = signed(loan).await;
    assert_eq!(version.as_deref(), Some("agreement 2"), "the newest that was made for it");
    assert_eq!(documents.iter().map(|one| one.number).collect::<Vec<_>>(), [second, first], "newest first");
    assert!(documents.iter().all(|one| one.subject == Subject::Loan { loan, site: Some(school.site) }));
    let mut tx = test.store.read().await.unwrap();
    let left = document::find(&mut tx, &Scope::Everything, foreign).await.unwrap().unwrap();
    assert_eq!(left.subject, subject(other), "another borrower's stays where it is");
    let of_mine = document::of_borrower(&mut tx, mine).await.unwrap();
    assert_eq!(of_mine.iter().map(|one| one.number).collect::<Vec<_>>(), [stale, first, second]);
    drop(tx);
    let (version, documents) = signed(hand_over(1, mine, Some("pret-7")).await).await;
    assert!(documents.is_empty() && version.as_deref() == Some("pret-7"), "what was typed counts");
    assert_eq!(signed(hand_over(2, mine, None).await).await.0, None);
}

async fn labels_are_found_by_list_range_and_search(test: &TestStore) {
    let now = clock::now();
    let here = School::found(&test.store, 1, 1, now).await.unwrap();
    let there = School::found(&test.store, 2, 1, now).await.unwrap();
    here.stock(&test.store, &labels(4), now).await.unwrap();
    there.stock(&test.store, &["CD-0005".to_owned()], now).await.unwrap();
    let own = Scope::Sites(vec![here.site]);
    let mut tx = test.store.read().await.unwrap();
    let list = wanted("cd-0003\nCD-0001..CD-0009\nSNCD-0003\nNOBODY").unwrap();
    let (found, unknown) = label::of_list(&mut tx, &own, &list).await.unwrap();
    let tags: Vec<_> = found.iter().filter_map(|one| one.asset_tag.as_deref()).collect();
    assert_eq!(tags, ["CD-0003", "CD-0001", "CD-0002", "CD-0004"], "in the list's order, each once, none of others");
    assert_eq!(unknown, ["NOBODY"]);
    assert_eq!(found[0].serial_number.as_deref(), Some("SNCD-0003"));
    assert_eq!(found[0].model.as_deref(), Some("ThinkPad L13"));
    let (_, unknown) = label::of_list(&mut tx, &own, &wanted("CD-0005").unwrap()).await.unwrap();
    assert_eq!(unknown, ["CD-0005"], "another site's device does not exist here");
    let query = DeviceQuery { search: Some("0002".into()), ..DeviceQuery::default() };
    let found = label::of_query(&mut tx, &own, &query).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(label::of_query(&mut tx, &Scope::Everything, &DeviceQuery::default()).await.unwrap().len(), 5);
}

/// Its number is older than those that some databases have had for days.
async fn a_database_that_later_migrations_were_applied_to_gains_documents(test: &TestStore) {
    let mut raw = Raw::connect(test.url()).await.unwrap();
    raw.execute("DROP TABLE document; DROP TABLE document_number; DELETE FROM _sqlx_migrations WHERE version = 7")
        .await
        .unwrap();
    assert!(raw.number("SELECT count(*) FROM _sqlx_migrations WHERE version > 7").await.unwrap() > 0);
    let store = Store::open(test.url()).await.unwrap();
    assert_eq!(next(&store, DocumentKind::Labels, 2026).await.serial, 1);
    store.close().await;
}
