//! The promises of needs: imported twice they stand once, a scope hides the others', pages give every one once, totals
//! agree with the rows, and a need whose reservation is dropped waits again.

use std::collections::BTreeSet;

use cartable_common::UtcMillis;
use cartable_server::{
    clock,
    domain::{
        borrower::Level,
        import::{Blanks, Counts, ImportState, Kind, OnError, OutcomeName},
        need::{Need, NeedReason, NeedState, Reasons},
        programme::{Programme, ProgrammeKind, Term},
        school_calendar::Zone,
        scope::Scope,
        uai::UaiCode,
    },
    exchange::{
        bad_rows,
        ledger::{self, Brought},
        run::{self, Begun, GoOn, Runner},
    },
    store::{
        Store,
        import::{self, Import},
        need,
        need_entry::{self, Entry, EntryError, EntryRefused},
        need_list::{self, NeedQuery, NeedSummary},
        page::Total,
        programme,
        site::{self, NewSite},
    },
};
use cartable_tests::{fleet::at, in_process::InProcess, on_both_engines, simulator::site::uai_code, stores::TestStore};
use uuid::Uuid;

on_both_engines! {
    a_need_is_withdrawn_once_and_stays_so,
    a_list_comes_in_once_and_what_was_decided_stays,
    a_row_that_contradicts_what_is_known_is_told_why,
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
        agreement_template: "agreement".into(),
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

async fn a_need_is_withdrawn_once_and_stays_so(test: &TestStore) {
    let (site, programme) = (a_site(&test.store, 1).await, a_programme(&test.store, "D1").await);
    let asked = a_need(site, programme, &[NeedReason::Ulis], at(1, 0, 0));
    let mut tx = test.store.write().await.unwrap();
    need::insert(&mut tx, &asked, "marie").await.unwrap();
    let elsewhere = Scope::Sites(vec![Uuid::new_v4()]);
    assert!(!need::withdraw(&mut tx, &elsewhere, asked.id, at(2, 0, 0)).await.unwrap());
    assert!(need::withdraw(&mut tx, &Scope::Everything, asked.id, at(3, 0, 0)).await.unwrap());
    assert!(!need::withdraw(&mut tx, &Scope::Everything, asked.id, at(3, 0, 0)).await.unwrap());
    let found = need::find(&mut tx, &Scope::Everything, asked.id).await.unwrap().unwrap();
    assert_eq!((found.need, found.state), (asked, NeedState::Withdrawn));
    tx.commit().await.unwrap();
}

async fn imported(test: &TestStore, kind: Kind, text: &str) -> Import {
    let app = InProcess::new(&test.store).app;
    let (store, now) = (&test.store, clock::now());
    let brought = Brought { kind, name: "besoins.csv", by: "marie" };
    let import = ledger::take_in(store, &app.vault, &brought, text.as_bytes().to_vec(), now).await.unwrap();
    assert_eq!(import.mapping.check(kind), Ok(()), "{:?}", import.mapping);
    let (blanks, on_error, state) = (Blanks::Keep, OnError::Skip, ImportState::Applying);
    let asked = import::Asked { mapping: &import.mapping, blanks, on_error, state };
    let mut tx = store.write().await.unwrap();
    assert_eq!(run::begin(&mut tx, &import, &asked, "marie", now).await.unwrap(), Begun::Yes);
    tx.commit().await.unwrap();
    Runner::new(store.clone(), app.vault.clone()).run(import.id, |_| GoOn::Yes).await.unwrap()
}

async fn reasons_of_bad_rows(test: &TestStore, import: &Import) -> Vec<String> {
    let mut tx = test.store.read().await.unwrap();
    let rows = import::rows(&mut tx, import.id, Some(OutcomeName::Bad), 0, i64::MAX).await.unwrap();
    rows.iter().map(|row| format!("{} {}", row.line, bad_rows::faults(row)[0].reason.as_str())).collect()
}

async fn a_list_comes_in_once_and_what_was_decided_stays(test: &TestStore) {
    a_site(&test.store, 1).await;
    a_programme(&test.store, "D1").await;
    let uai = uai_code(96, 1);
    let pupils = format!("INE;Niveau;Nom;Site\nE1;5e;A;{uai}\nE2;ULIS;B;{uai}\n");
    assert_eq!(imported(test, Kind::Borrowers, &pupils).await.counts.new, 2);
    let list = format!(
        "N° besoin;INE;Dispositif;Établissement;Niveau;Motifs\n7;;D1;{uai};6e;ULIS, échelon 2\n8;;d1;Collège 1;;\n\
         ;e1;D1;{uai};;Aucun ordinateur\n;E9;D1;{uai};4e;Ordinateur partagé + Remplacement\n"
    );
    let first = imported(test, Kind::Needs, &list).await;
    assert_eq!(first.counts, Counts { new: 4, ..Counts::default() }, "{:?}", reasons_of_bad_rows(test, &first).await);
    let rows = all(&test.store, &Scope::Everything, &NeedQuery::default()).await;
    let found = |reason| rows.iter().find(|row| row.reasons.iter().any(|one| one == reason)).unwrap();
    let (ulis, alone, shared) =
        (found(NeedReason::Ulis), found(NeedReason::NoComputer), found(NeedReason::Replacement));
    assert_eq!((ulis.level, ulis.borrower.is_some()), (Some(Level::Sixieme), false));
    assert_eq!((alone.level, alone.borrower.is_some()), (Some(Level::Cinquieme), true), "the pupil's own level");
    assert!(shared.borrower.is_none(), "the list of pupils may come later");
    assert!(rows.iter().all(|row| row.entered_by == "marie" && row.state == NeedState::Open));

    assert_eq!(imported(test, Kind::Needs, &list).await.counts, Counts { same: 4, ..Counts::default() });
    let mut tx = test.store.write().await.unwrap();
    assert!(need::withdraw(&mut tx, &Scope::Everything, shared.id, at(3, 0, 0)).await.unwrap());
    tx.commit().await.unwrap();
    let edited = list.replace("6e;ULIS, échelon 2", "3e;").replace("4e;Ordinateur partagé", "3e;Aucun ordinateur");
    let again = imported(test, Kind::Needs, &edited).await;
    assert_eq!(again.counts, Counts { changed: 1, same: 3, ..Counts::default() }, "what was withdrawn stays so");
    let mut tx = test.store.read().await.unwrap();
    let changed = need::find(&mut tx, &Scope::Everything, ulis.id).await.unwrap().unwrap();
    assert_eq!(changed.need.level, Some(Level::Troisieme));
    assert_eq!(changed.need.reasons.codes(), ["ulis", "band_2"], "a blank cell says nothing");
}

async fn a_row_that_contradicts_what_is_known_is_told_why(test: &TestStore) {
    a_site(&test.store, 1).await;
    a_site(&test.store, 2).await;
    let closed = a_programme(&test.store, "D2").await;
    a_programme(&test.store, "D1").await;
    let mut tx = test.store.write().await.unwrap();
    programme::close(&mut tx, closed, clock::now()).await.unwrap();
    tx.commit().await.unwrap();
    let (here, there) = (uai_code(96, 1), uai_code(96, 2));
    imported(test, Kind::Borrowers, &format!("INE;Nom;Site\nE1;A;{here}\n")).await;
    let list = format!(
        "N° besoin;Référence bénéficiaire;INE;Dispositif;Établissement;Niveau;Motifs\n;;;D1;{here};;\n\
         1;;;D1;;;\n2;;;D9;{here};;\n3;;;D2;{here};;\n4;B-0000-0000;;D1;{here};;\n;;E1;D1;{there};;\n\
         5;;;D1;{here};;Échelon 1, Échelon 2\n6;;;D1;{here};;pauvre\n7;;;D1;{here};2de;\n8;;;;{here};;\n\
         9;;;D1;{here};;\n9;;;D1;Collège 1;;\n"
    );
    let import = imported(test, Kind::Needs, &list).await;
    assert_eq!(
        reasons_of_bad_rows(test, &import).await,
        [
            "2 no_key",
            "3 missing",
            "4 unknown_programme",
            "5 programme_closed",
            "6 unknown_borrower",
            "7 borrower_elsewhere",
            "8 reasons_exclude",
            "9 unknown_word",
            "10 unknown_word",
            "11 missing",
            "13 duplicate_row",
        ]
    );
    assert_eq!(import.counts.new, 1);
}

async fn pages_give_every_need_once_and_totals_agree(test: &TestStore) {
    let sites = [a_site(&test.store, 1).await, a_site(&test.store, 2).await];
    let programmes = [a_programme(&test.store, "D1").await, a_programme(&test.store, "D2").await];
    let mut tx = test.store.write().await.unwrap();
    for number in 0..60 {
        let reasons: &[NeedReason] = if number % 3 == 0 { &[NeedReason::Band1] } else { &[] };
        // Many at the same moment: only the id tells them apart.
        let one = a_need(sites[number % 2], programmes[number % 4 / 2], reasons, at(1, 0, 0));
        need::insert(&mut tx, &one, "test").await.unwrap();
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
    need::insert(&mut tx, &foreign, "test").await.unwrap();
    need::insert(&mut tx, &a_need(own, programme, &[], at(1, 0, 0)), "test").await.unwrap();
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
