//! The promises of a return campaign in the store: it starts whole or not at all, every loan has a place and a letter,
//! counters follow each loan and agree with its rows, and what is missing is listed page by page within the scope.

use cartable_common::{DeviceId, UtcMillis};
use cartable_server::{
    domain::{
        borrower::Level,
        campaign::{CampaignState, Choice, Desks, InvalidPlan, Plan, ReturnState},
        device::DeviceStatus,
        loan::{Condition, Loan, LoanState},
        policy::Policy,
        school_calendar::Zone,
        scope::Scope,
        uai::UaiCode,
    },
    store::{
        borrower,
        campaign::{self, Campaign, StartError, StartRefused},
        campaign_count::{self, SiteProgress},
        campaign_excuse,
        campaign_letter::{self, WriteError, WriteRefused},
        campaign_list::{self, ReturnQuery, ReturnRow},
        campaign_plan::{self, PlanError},
        device::{self, NewDevice},
        lending::{Clerk, Lending},
        lending_bulk, notice,
        site::{self, NewSite},
    },
};
use cartable_tests::{lending, on_both_engines, raw::Raw, simulator::site::uai_code, stores::TestStore};
use jiff::civil::date;
use serde_json::json;
use uuid::Uuid;

on_both_engines! {
    a_campaign_starts_whole_or_not_at_all,
    counters_follow_every_loan,
    a_return_beside_the_start_is_not_expected,
    what_is_missing_is_listed_once_and_within_the_scope,
    a_planned_campaign_is_changed_or_given_up,
    an_excuse_is_undone_while_the_campaign_runs,
    those_still_expected_are_written_to_once_a_day,
    letters_are_those_of_a_site_and_of_its_part,
    every_campaign_is_read_page_by_page,
    no_loan_is_expected_twice_and_nothing_starts_when_it_is_over,
}

/// Midday in Paris on a day of June 2027.
fn june(day: i8) -> UtcMillis {
    let noon = jiff::tz::TimeZone::UTC.to_timestamp(date(2027, 6, day).at(10, 0, 0, 0)).unwrap();
    UtcMillis::new(noon.as_millisecond()).unwrap()
}

/// A site with so many loans: every third pupil is of troisième.
async fn lend(test: &TestStore, number: u32, loans: usize) -> (Uuid, Vec<Loan>) {
    let mut tx = test.store.write().await.unwrap();
    let now = june(1);
    let uai: UaiCode = uai_code(96, number).parse().unwrap();
    let new = NewSite { uai, name: format!("Collège {number}"), commune: "Valmarin".into(), zone: Zone::A };
    let site = site::put(&mut tx, &new, now).await.unwrap();
    let programme = lending::programme(&mut tx, now).await.unwrap();
    let mut lent = Vec::new();
    for index in 0..loans {
        let id = DeviceId(Uuid::new_v4());
        let new = NewDevice {
            id,
            status: DeviceStatus::Active,
            hardware: serde_json::from_value(json!({ "serial_number": format!("SN{number}{index:04}") })).unwrap(),
            asset_tag: None,
            programme: None,
            site: Some(site),
            enrolled_at: None,
        };
        device::insert(&mut tx, &new, now).await.unwrap();
        let mut pupil = lending::pupil(Some(site), now);
        pupil.level = Some(if index % 3 == 0 { Level::Troisieme } else { Level::Sixieme });
        borrower::insert(&mut tx, &pupil, None).await.unwrap();
        let state = LoanState::HandedOver(lending::handed(now, Some(june(30))));
        lent.push(lending::loan_of(id, &pupil, &programme, now, state));
    }
    lending_bulk::record(&mut tx, &lent, "test").await.unwrap();
    tx.commit().await.unwrap();
    (site, lent)
}

async fn planned(test: &TestStore, choice: Choice, desks: Desks) -> Uuid {
    let id = Uuid::now_v7();
    let campaign = Campaign {
        id,
        name: "Juin".into(),
        state: CampaignState::Planned,
        choice,
        first: date(2027, 6, 14),
        last: date(2027, 6, 18),
        desks,
        created_by: "test".into(),
        created_at: june(1),
    };
    let mut tx = test.store.write().await.unwrap();
    campaign::insert(&mut tx, &campaign).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn start(test: &TestStore, id: Uuid) -> Result<usize, StartError> {
    let mut tx = test.store.write().await?;
    let started = campaign::start(&mut tx, id, &Policy::default(), june(2)).await?;
    tx.commit().await?;
    Ok(started)
}

async fn progress(test: &TestStore, scope: &Scope, id: Uuid, day: i8) -> Vec<SiteProgress> {
    let mut tx = test.store.read().await.unwrap();
    campaign_count::progress(&mut tx, scope, id, campaign_count::day_of(date(2027, 6, day))).await.unwrap()
}

async fn all(test: &TestStore, scope: &Scope, id: Uuid, state: ReturnState) -> Vec<ReturnRow> {
    let mut query = ReturnQuery { state, site: None, after: None, limit: 4 };
    let mut rows = Vec::new();
    loop {
        let mut tx = test.store.read().await.unwrap();
        let page = campaign_list::list(&mut tx, scope, id, &query).await.unwrap();
        rows.extend(page.rows);
        match page.next {
            Some(next) => query.after = Some(next.to_string().parse().unwrap()),
            None => return rows,
        }
    }
}

fn figures(progress: &[SiteProgress]) -> [i64; 5] {
    let sum = |pick: fn(&SiteProgress) -> i64| progress.iter().map(pick).sum();
    [
        sum(|one| one.expected),
        sum(|one| one.returned),
        sum(|one| one.overdue),
        sum(|one| one.excused),
        sum(|one| one.ended),
    ]
}

async fn a_campaign_starts_whole_or_not_at_all(test: &TestStore) {
    lend(test, 1, 12).await;
    let everything = Scope::Everything;
    let narrow = planned(test, Choice::default(), Desks { desks: 1, slots: 2 }).await;
    let refused = start(test, narrow).await;
    let too_few = StartRefused::TooFew { site: "Collège 1".into(), missing: 2 };
    assert!(matches!(&refused, Err(StartError::Refused(found)) if *found == too_few), "{refused:?}");
    assert!(all(test, &everything, narrow, ReturnState::Expected).await.is_empty(), "nothing was written");
    let mut tx = test.store.write().await.unwrap();
    let site = site::list(&mut tx, &everything).await.unwrap()[0].id;
    campaign::set_desks(&mut tx, narrow, site, Desks { desks: 2, slots: 2 }).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(start(test, narrow).await.unwrap(), 12);
    let mut tx = test.store.read().await.unwrap();
    assert_eq!(notice::waiting(&mut tx).await.unwrap(), 12, "a letter for each loan");
    drop(tx);
    let again = start(test, narrow).await;
    assert!(matches!(again, Err(StartError::Refused(StartRefused::NotPlanned))), "{again:?}");
    let mut tx = test.store.write().await.unwrap();
    assert!(campaign::close(&mut tx, narrow, june(2)).await.unwrap());
    tx.commit().await.unwrap();
    let leaving = planned(test, Choice { leaving: true, ..Choice::default() }, Desks { desks: 1, slots: 4 }).await;
    assert_eq!(start(test, leaving).await.unwrap(), 4);
    let nobody = Choice { sites: vec![Uuid::new_v4()], ..Choice::default() };
    let empty = start(test, planned(test, nobody, Desks { desks: 1, slots: 4 }).await).await;
    assert!(matches!(empty, Err(StartError::Refused(StartRefused::NoLoans))), "{empty:?}");
}

async fn counters_follow_every_loan(test: &TestStore) {
    let (site, loans) = lend(test, 1, 6).await;
    let id = planned(test, Choice::default(), Desks { desks: 1, slots: 2 }).await;
    start(test, id).await.unwrap();
    let everything = Scope::Everything;
    assert_eq!(figures(&progress(test, &everything, id, 14).await), [6, 0, 0, 0, 0]);
    assert_eq!(figures(&progress(test, &everything, id, 16).await), [6, 0, 4, 0, 0], "two days of two have passed");
    let policy = Policy::default();
    let clerk = Clerk { actor: "marie", token: None, scope: &everything, policy: &policy, now: june(14) };
    let mut lending = Lending::begin(&test.store, clerk).await.unwrap();
    lending.take_back(loans[0].id, Condition::Good, vec![]).await.unwrap();
    lending.take_back(loans[1].id, Condition::Good, vec![]).await.unwrap();
    lending.undo_return(loans[1].id).await.unwrap();
    lending.lose(loans[2].id).await.unwrap();
    lending.steal(loans[3].id, "PV 1").await.unwrap();
    lending.take_back(loans[3].id, Condition::Worn, vec![]).await.unwrap();
    lending.commit().await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let (own, other) = (Scope::Sites(vec![site]), Scope::Sites(vec![Uuid::new_v4()]));
    let excused = (id, loans[4].id);
    assert!(!campaign_excuse::excuse(&mut tx, &other, excused, ("ill", "marie"), june(14)).await.unwrap());
    assert!(campaign_excuse::excuse(&mut tx, &own, excused, ("ill", "marie"), june(14)).await.unwrap());
    assert!(!campaign_excuse::excuse(&mut tx, &own, excused, ("ill", "marie"), june(14)).await.unwrap());
    assert!(!campaign_excuse::excuse(&mut tx, &own, (id, loans[0].id), ("x", "marie"), june(14)).await.unwrap());
    tx.commit().await.unwrap();
    let [expected, returned, _, excused, ended] = figures(&progress(test, &own, id, 14).await);
    assert_eq!([expected, returned, excused, ended], [2, 2, 1, 1]);
    for (state, count) in [
        (ReturnState::Expected, expected),
        (ReturnState::Returned, returned),
        (ReturnState::Excused, excused),
        (ReturnState::Ended, ended),
    ] {
        let rows = all(test, &everything, id, state).await;
        assert_eq!(i64::try_from(rows.len()).unwrap(), count, "{state}");
    }
    // Closed, it counts no more.
    let mut tx = test.store.write().await.unwrap();
    assert!(campaign::close(&mut tx, id, june(18)).await.unwrap());
    assert!(!campaign::close(&mut tx, id, june(18)).await.unwrap());
    let mut lending = Lending::within(tx, Clerk { now: june(21), ..clerk });
    lending.take_back(loans[5].id, Condition::Good, vec![]).await.unwrap();
    lending.commit().await.unwrap();
    assert_eq!(figures(&progress(test, &own, id, 14).await)[0], 2);
}

/// A return that is under way when the campaign starts: whichever comes first, nobody is waited for in vain.
async fn a_return_beside_the_start_is_not_expected(test: &TestStore) {
    let (_, loans) = lend(test, 1, 5).await;
    let id = planned(test, Choice::default(), Desks { desks: 1, slots: 2 }).await;
    let (everything, policy) = (Scope::Everything, Policy::default());
    let clerk = Clerk { actor: "marie", token: None, scope: &everything, policy: &policy, now: june(2) };
    let mut lending = Lending::begin(&test.store, clerk).await.unwrap();
    lending.take_back(loans[0].id, Condition::Good, vec![]).await.unwrap();
    let (started, ()) = tokio::join!(start(test, id), async {
        // Long enough for the start to have looked at the loans, on an engine where it can.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        lending.commit().await.unwrap();
    });
    assert_eq!(started.unwrap(), 4);
    assert_eq!(figures(&progress(test, &everything, id, 18).await), [4, 0, 4, 0, 0]);
}

async fn what_is_missing_is_listed_once_and_within_the_scope(test: &TestStore) {
    let (own, _) = lend(test, 1, 9).await;
    lend(test, 2, 7).await;
    let id = planned(test, Choice::default(), Desks { desks: 2, slots: 1 }).await;
    start(test, id).await.unwrap();
    let rows = all(test, &Scope::Everything, id, ReturnState::Expected).await;
    let mut loans: Vec<Uuid> = rows.iter().map(|row| row.loan).collect();
    loans.sort_unstable();
    loans.dedup();
    assert_eq!((rows.len(), loans.len()), (16, 16));
    let levels: Vec<Option<Level>> = rows.iter().filter(|row| row.site == own).map(|row| row.level).collect();
    assert!(levels.is_sorted(), "a level comes together: {levels:?}");
    let scope = Scope::Sites(vec![own]);
    assert_eq!(all(test, &scope, id, ReturnState::Expected).await.len(), 9);
    assert_eq!(progress(test, &scope, id, 14).await.len(), 1);
    assert!(all(test, &Scope::Sites(vec![]), id, ReturnState::Expected).await.is_empty());
}

async fn a_planned_campaign_is_changed_or_given_up(test: &TestStore) {
    let (site, _) = lend(test, 1, 4).await;
    let id = planned(test, Choice::default(), Desks { desks: 1, slots: 1 }).await;
    let choice = Choice { sites: vec![site], leaving: true, ..Choice::default() };
    let days = (date(2027, 6, 15), date(2027, 6, 17));
    let plan = Plan::new("Départs", days, Desks::new(2, 3).unwrap(), choice.clone()).unwrap();
    let mut tx = test.store.write().await.unwrap();
    campaign::set_desks(&mut tx, id, site, Desks { desks: 1, slots: 2 }).await.unwrap();
    let nobody = Choice { sites: vec![Uuid::new_v4()], ..Choice::default() };
    let refused = campaign_plan::change(&mut tx, id, Plan { choice: nobody, ..plan.clone() }).await;
    assert!(matches!(refused, Err(PlanError::Refused(InvalidPlan::Choice))), "{refused:?}");
    let changed = campaign_plan::change(&mut tx, id, plan.clone()).await.unwrap().unwrap();
    assert_eq!((changed.name.as_str(), changed.first, changed.last), ("Départs", days.0, days.1));
    assert_eq!((&changed.choice, changed.desks), (&choice, Desks { desks: 2, slots: 3 }));
    assert_eq!(campaign::own_desks(&mut tx, id).await.unwrap().len(), 1, "a site keeps its own");
    tx.commit().await.unwrap();
    // Given up, nothing of it stays.
    let other = planned(test, Choice::default(), Desks { desks: 1, slots: 4 }).await;
    let mut tx = test.store.write().await.unwrap();
    campaign::set_desks(&mut tx, other, site, Desks { desks: 1, slots: 2 }).await.unwrap();
    assert!(campaign_plan::drop_planned(&mut tx, other).await.unwrap());
    assert!(!campaign_plan::drop_planned(&mut tx, other).await.unwrap());
    assert!(campaign::find(&mut tx, other).await.unwrap().is_none());
    tx.commit().await.unwrap();
    assert_eq!(start(test, id).await.unwrap(), 2, "as it was changed: those who leave");
    // Once people were told, neither.
    let mut tx = test.store.write().await.unwrap();
    assert!(campaign_plan::change(&mut tx, id, plan).await.unwrap().is_none());
    assert!(!campaign_plan::drop_planned(&mut tx, id).await.unwrap());
}

async fn an_excuse_is_undone_while_the_campaign_runs(test: &TestStore) {
    let (site, loans) = lend(test, 1, 2).await;
    let id = planned(test, Choice::default(), Desks { desks: 1, slots: 2 }).await;
    start(test, id).await.unwrap();
    let (own, other) = (Scope::Sites(vec![site]), Scope::Sites(vec![Uuid::new_v4()]));
    let one = (id, loans[0].id);
    let before = all(test, &own, id, ReturnState::Expected).await;
    let mut tx = test.store.write().await.unwrap();
    assert!(!campaign_excuse::undo(&mut tx, &own, one).await.unwrap(), "it is not excused");
    assert!(campaign_excuse::excuse(&mut tx, &own, one, ("ill", "marie"), june(14)).await.unwrap());
    assert!(!campaign_excuse::undo(&mut tx, &other, one).await.unwrap());
    assert!(campaign_excuse::undo(&mut tx, &own, one).await.unwrap());
    assert!(!campaign_excuse::undo(&mut tx, &own, one).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(figures(&progress(test, &own, id, 14).await), [2, 0, 0, 0, 0]);
    assert_eq!(all(test, &own, id, ReturnState::Expected).await, before, "at the place that it had");
    let mut tx = test.store.write().await.unwrap();
    assert!(campaign_excuse::excuse(&mut tx, &own, one, ("ill", "marie"), june(15)).await.unwrap());
    assert!(campaign::close(&mut tx, id, june(18)).await.unwrap());
    assert!(!campaign_excuse::undo(&mut tx, &own, one).await.unwrap(), "it is over");
}

async fn write(test: &TestStore, id: Uuid, day: i8) -> Result<u64, WriteError> {
    let mut tx = test.store.write().await?;
    let written = campaign_letter::write_again(&mut tx, id, june(day)).await?;
    tx.commit().await?;
    Ok(written)
}

async fn those_still_expected_are_written_to_once_a_day(test: &TestStore) {
    let (_, loans) = lend(test, 1, 3).await;
    let id = planned(test, Choice::default(), Desks { desks: 1, slots: 2 }).await;
    let refused = |outcome: Result<u64, WriteError>, why: WriteRefused| {
        assert!(matches!(&outcome, Err(WriteError::Refused(found)) if *found == why), "{outcome:?}");
    };
    refused(write(test, id, 1).await, WriteRefused::NotRunning);
    start(test, id).await.unwrap();
    refused(write(test, id, 2).await, WriteRefused::WrittenToday);
    assert_eq!(write(test, id, 3).await.unwrap(), 0, "the first letters wait to leave");
    let mut raw = Raw::connect(test.url()).await.unwrap();
    raw.execute("UPDATE notice SET state = 'dropped', dropped_why = 'expired'").await.unwrap();
    let everything = Scope::Everything;
    let policy = Policy::default();
    let clerk = Clerk { actor: "marie", token: None, scope: &everything, policy: &policy, now: june(14) };
    let mut lending = Lending::begin(&test.store, clerk).await.unwrap();
    lending.take_back(loans[0].id, Condition::Good, vec![]).await.unwrap();
    lending.commit().await.unwrap();
    refused(write(test, id, 3).await, WriteRefused::WrittenToday);
    assert_eq!(write(test, id, 15).await.unwrap(), 2, "who brought it back is not asked again");
    let letters = "SELECT count(*) FROM notice WHERE kind = 'campaign'";
    assert_eq!(raw.number(letters).await.unwrap(), 5);
    // The second day's place is still to come, the first day's is missed: any desk will do, from today on.
    let details = raw.texts("SELECT details FROM notice WHERE kind = 'campaign' AND state = 'waiting'").await.unwrap();
    let mut places: Vec<String> = details
        .iter()
        .map(|text| {
            let letter: serde_json::Value = serde_json::from_str(text).unwrap();
            format!("{} {}", letter["first"].as_str().unwrap(), letter["place"].as_str().unwrap())
        })
        .collect();
    places.sort();
    assert!(places.iter().all(|place| place.starts_with("2027-06-15 Collège 1")), "{places:?}");
    refused(write(test, id, 19).await, WriteRefused::Over);
}

async fn letters_are_those_of_a_site_and_of_its_part(test: &TestStore) {
    let (own, loans) = lend(test, 1, 3).await;
    lend(test, 2, 1).await;
    let id = planned(test, Choice::default(), Desks { desks: 1, slots: 2 }).await;
    start(test, id).await.unwrap();
    let scope = Scope::Sites(vec![own]);
    let everything = Scope::Everything;
    let mut tx = test.store.write().await.unwrap();
    let excused = (id, loans[1].id);
    assert!(campaign_excuse::excuse(&mut tx, &scope, excused, ("ill", "marie"), june(14)).await.unwrap());
    let rows = campaign_letter::of_site(&mut tx, &scope, (id, own, 1)).await.unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.is_sorted_by_key(|row| row.slot));
    assert!(rows.iter().all(|row| row.borrower != loans[1].borrower && row.serial.is_some()));
    assert!(campaign_letter::of_site(&mut tx, &scope, (id, own, 2)).await.unwrap().is_empty());
    let nobody = Scope::Sites(vec![Uuid::new_v4()]);
    assert!(campaign_letter::of_site(&mut tx, &nobody, (id, own, 1)).await.unwrap().is_empty());
    assert_eq!(campaign_letter::of_site(&mut tx, &everything, (id, own, 1)).await.unwrap(), rows);
}

async fn every_campaign_is_read_page_by_page(test: &TestStore) {
    let mut ids = Vec::new();
    for _ in 0..5 {
        // All of one moment: the id decides.
        ids.push(planned(test, Choice::default(), Desks { desks: 1, slots: 2 }).await);
    }
    ids.sort_unstable();
    ids.reverse();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let mut tx = test.store.read().await.unwrap();
        let (rows, next) = campaign::page(&mut tx, after.as_ref(), 2).await.unwrap();
        assert!(rows.len() <= 2);
        found.extend(rows.into_iter().map(|row| row.id));
        match next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(found, ids);
}

async fn no_loan_is_expected_twice_and_nothing_starts_when_it_is_over(test: &TestStore) {
    let (site, loans) = lend(test, 1, 3).await;
    let desks = Desks { desks: 1, slots: 3 };
    let (first, second, third) = (
        planned(test, Choice::default(), desks).await,
        planned(test, Choice::default(), desks).await,
        planned(test, Choice::default(), desks).await,
    );
    assert_eq!(start(test, first).await.unwrap(), 3);
    let refused = start(test, second).await;
    assert!(matches!(refused, Err(StartError::Refused(StartRefused::NoLoans))), "{refused:?}");
    let mut tx = test.store.write().await.unwrap();
    let own = Scope::Sites(vec![site]);
    assert!(campaign_excuse::excuse(&mut tx, &own, (first, loans[0].id), ("ill", "marie"), june(2)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(start(test, second).await.unwrap(), 1, "who is excused there is expected here");
    let mut tx = test.store.write().await.unwrap();
    assert!(campaign::close(&mut tx, first, june(3)).await.unwrap());
    tx.commit().await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let late = campaign::start(&mut tx, third, &Policy::default(), june(19)).await;
    assert!(matches!(late, Err(StartError::Refused(StartRefused::Past))), "{late:?}");
    drop(tx);
    assert_eq!(start(test, third).await.unwrap(), 2, "a campaign that is closed expects nobody");
}
