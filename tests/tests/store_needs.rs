//! The promises of needs: imported twice they stand once, a scope hides the others', pages give every one once, totals
//! agree with the rows, and a need whose reservation is dropped waits again.

use std::collections::BTreeSet;

use cartable_common::UtcMillis;
use cartable_server::{
    domain::{
        borrower::Level,
        need::{Need, NeedReason, NeedState, Reasons},
        programme::{Programme, ProgrammeKind, Term},
        school_calendar::Zone,
        scope::Scope,
        uai::UaiCode,
    },
    store::{
        Store,
        need::{self, Put},
        need_entry::{self, Entry, EntryError, EntryRefused},
        need_list::{self, NeedQuery, NeedSummary},
        page::Total,
        programme,
        site::{self, NewSite},
    },
};
use cartable_tests::{fleet::at, on_both_engines, simulator::site::uai_code, stores::TestStore};
use uuid::Uuid;

on_both_engines! {
    a_second_import_changes_nothing_and_an_edit_only_what_is_open,
    pages_give_every_need_once_and_totals_agree,
    a_scope_hides_the_needs_of_others,
    several_are_entered_at_once_and_nonsense_is_refused,
}

async fn a_site(store: &Store, number: u32) -> Uuid {
    let mut tx = store.write().await.unwrap();
    let uai: UaiCode = uai_code(96, number).parse().unwrap();
    let new = NewSite { uai, name: format!("Collège {number}"), commune: "Valmarin".into(), zone: Zone::A };
    let id = site::put(&mut tx, &new, at(0, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn a_programme(store: &Store, code: &str) -> Uuid {
    let made = Programme {
        id: Uuid::new_v4(),
        code: code.parse().unwrap(),
        name: format!("Dispositif {code}"),
        kind: ProgrammeKind::IndividualLoan,
        term: Term::SchoolYearEnd,
        renewals_allowed: 1,
        accessories: vec![],
        owner: "Département".into(),
        agreement_template: "pret".into(),
        membership: vec![],
        notice_days: vec![],
        open: true,
    };
    let mut tx = store.write().await.unwrap();
    programme::put(&mut tx, &made, at(0, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    made.id
}

fn a_need(site: Uuid, programme: Uuid, reasons: &[NeedReason], entered_at: UtcMillis) -> Need {
    let reasons = Reasons::new(reasons.iter().copied()).unwrap();
    Need { id: Uuid::new_v4(), site, programme, level: Some(Level::Sixieme), reasons, borrower: None, entered_at }
}

async fn all(store: &Store, scope: &Scope, query: &NeedQuery) -> Vec<NeedSummary> {
    let (mut rows, mut query) = (Vec::new(), query.clone());
    loop {
        let mut tx = store.read().await.unwrap();
        let page = need_list::list(&mut tx, scope, &query).await.unwrap();
        rows.extend(page.rows);
        match page.next {
            Some(next) => query.after = Some(next.to_string().parse().unwrap()),
            None => return rows,
        }
    }
}

async fn a_second_import_changes_nothing_and_an_edit_only_what_is_open(test: &TestStore) {
    let (site, programme) = (a_site(&test.store, 1).await, a_programme(&test.store, "D1").await);
    let first = a_need(site, programme, &[NeedReason::Ulis], at(1, 0, 0));
    let mut tx = test.store.write().await.unwrap();
    assert_eq!(need::put(&mut tx, &first, b"key-1", "import").await.unwrap(), Put::Entered(first.id));
    let again = Need { id: Uuid::new_v4(), entered_at: at(2, 0, 0), ..first.clone() };
    assert_eq!(need::put(&mut tx, &again, b"key-1", "import").await.unwrap(), Put::Unchanged(first.id));
    let edited = Need { level: Some(Level::Troisieme), ..again.clone() };
    assert_eq!(need::put(&mut tx, &edited, b"key-1", "import").await.unwrap(), Put::Changed(first.id));
    let found = need::find(&mut tx, &Scope::Everything, first.id).await.unwrap().unwrap();
    assert_eq!(found.need, Need { level: Some(Level::Troisieme), ..first.clone() });
    assert!(need::withdraw(&mut tx, &Scope::Everything, first.id, at(3, 0, 0)).await.unwrap());
    assert!(!need::withdraw(&mut tx, &Scope::Everything, first.id, at(3, 0, 0)).await.unwrap());
    assert_eq!(need::put(&mut tx, &again, b"key-1", "import").await.unwrap(), Put::Unchanged(first.id));
    let found = need::find(&mut tx, &Scope::Everything, first.id).await.unwrap().unwrap();
    assert_eq!(found.state, NeedState::Withdrawn, "what a site withdrew is not asked for again by an old list");
    tx.commit().await.unwrap();
}

async fn pages_give_every_need_once_and_totals_agree(test: &TestStore) {
    let sites = [a_site(&test.store, 1).await, a_site(&test.store, 2).await];
    let programmes = [a_programme(&test.store, "D1").await, a_programme(&test.store, "D2").await];
    let mut tx = test.store.write().await.unwrap();
    for number in 0..60 {
        let reasons: &[NeedReason] = if number % 3 == 0 { &[NeedReason::Band1] } else { &[] };
        // Many at the same moment: only the id tells them apart.
        let one = a_need(sites[number % 2], programmes[number % 4 / 2], reasons, at(1, 0, 0));
        need::insert(&mut tx, &one, None, "test").await.unwrap();
        if number % 10 == 0 {
            assert!(need::withdraw(&mut tx, &Scope::Everything, one.id, at(2, 0, 0)).await.unwrap());
        }
    }
    tx.commit().await.unwrap();
    let query = NeedQuery { limit: 7, ..NeedQuery::default() };
    let rows = all(&test.store, &Scope::Everything, &query).await;
    assert_eq!(rows.len(), 60);
    assert_eq!(rows.iter().map(|row| row.id).collect::<BTreeSet<_>>().len(), 60);
    let of = |reason| NeedQuery { reason: Some(reason), limit: 7, ..NeedQuery::default() };
    assert_eq!(all(&test.store, &Scope::Everything, &of(NeedReason::Band1)).await.len(), 20);
    assert_eq!(all(&test.store, &Scope::Everything, &of(NeedReason::Ulis)).await.len(), 0);
    let mut tx = test.store.read().await.unwrap();
    let totals = need_list::totals(&mut tx, &Scope::Everything, &NeedQuery::default()).await.unwrap();
    assert_eq!(totals.len(), 4);
    for total in &totals {
        let state = |state| {
            let here =
                |row: &&NeedSummary| (row.site, row.programme, row.state) == (total.site_id, total.programme_id, state);
            i64::try_from(rows.iter().filter(here).count()).unwrap()
        };
        let (open, met, withdrawn) = (state(NeedState::Open), state(NeedState::Met), state(NeedState::Withdrawn));
        assert_eq!((total.open, total.met, total.withdrawn), (open, met, withdrawn));
    }
    let page = need_list::list(&mut tx, &Scope::Everything, &query).await.unwrap();
    assert_eq!(page.total, Total::Exact(60));
}

async fn a_scope_hides_the_needs_of_others(test: &TestStore) {
    let (own, other) = (a_site(&test.store, 1).await, a_site(&test.store, 2).await);
    let programme = a_programme(&test.store, "D1").await;
    let mut tx = test.store.write().await.unwrap();
    let foreign = a_need(other, programme, &[], at(1, 0, 0));
    need::insert(&mut tx, &foreign, None, "test").await.unwrap();
    need::insert(&mut tx, &a_need(own, programme, &[], at(1, 0, 0)), None, "test").await.unwrap();
    let scope = Scope::Sites(vec![own]);
    assert!(need::find(&mut tx, &scope, foreign.id).await.unwrap().is_none());
    assert!(!need::withdraw(&mut tx, &scope, foreign.id, at(2, 0, 0)).await.unwrap());
    let totals = need_list::totals(&mut tx, &scope, &NeedQuery::default()).await.unwrap();
    assert_eq!(totals.iter().map(|total| total.site_id).collect::<Vec<_>>(), [own]);
    tx.commit().await.unwrap();
    let rows = all(&test.store, &scope, &NeedQuery::default()).await;
    assert!(rows.len() == 1 && rows[0].site == own);
    assert!(all(&test.store, &Scope::Sites(vec![]), &NeedQuery::default()).await.is_empty());
}

async fn several_are_entered_at_once_and_nonsense_is_refused(test: &TestStore) {
    let (site, programme) = (a_site(&test.store, 1).await, a_programme(&test.store, "D1").await);
    let reasons = Reasons::new([NeedReason::NoComputer]).unwrap();
    let entry = Entry { site, programme, level: None, reasons, borrower: None, count: 30 };
    let mut tx = test.store.write().await.unwrap();
    let everything = Scope::Everything;
    let ids = need_entry::enter(&mut tx, &everything, &entry, "marie", at(1, 0, 0)).await.unwrap();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 30);
    let elsewhere = Scope::Sites(vec![Uuid::new_v4()]);
    let nobody = "B-7K3M-Q2ZD".parse().unwrap();
    programme::close(&mut tx, programme, at(1, 0, 0)).await.unwrap();
    for (scope, entry, why) in [
        (&everything, Entry { count: 0, ..entry.clone() }, EntryRefused::Count),
        (&everything, Entry { count: 501, ..entry.clone() }, EntryRefused::Count),
        (&elsewhere, entry.clone(), EntryRefused::Site),
        (&everything, entry.clone(), EntryRefused::Programme),
    ] {
        let refused = need_entry::enter(&mut tx, scope, &entry, "marie", at(1, 0, 0)).await;
        assert!(matches!(refused, Err(EntryError::Refused(found)) if found == why), "{why:?}");
    }
    programme::reopen(&mut tx, programme).await.unwrap();
    let unknown = Entry { count: 1, borrower: Some(nobody), ..entry };
    let refused = need_entry::enter(&mut tx, &everything, &unknown, "marie", at(1, 0, 0)).await;
    assert!(matches!(refused, Err(EntryError::Refused(EntryRefused::Borrower))));
    tx.commit().await.unwrap();
}
