//! What was closed and put away: an archived unit's order is not reopened, no page offers what would be refused, and the board
//! shows what was closed last.

use cartable_common::{DeviceId, UtcMillis};
use cartable_server::{
    auth::Role,
    clock,
    domain::{policy::Policy, scope::Scope},
    store::{
        device_archive,
        lending::Clerk,
        work_order_act::{Bench, Refused, WorkError},
        work_order_list,
    },
};
use cartable_tests::{
    donation::people,
    fleet::at,
    in_process::InProcess,
    on_both_engines,
    school::{School, labels},
    stores::TestStore,
    work_model::{Try, a_move},
};
use uuid::Uuid;

on_both_engines! {
    an_archived_unit_does_not_come_back_to_the_board,
    the_order_that_was_closed_last_is_shown_first,
    what_was_given_away_is_offered_no_way_out_of_the_archive,
}

/// From intake to recycling.
const RECYCLED: [Try; 4] = [Try::Begin, Try::InspectClean, Try::GiveUp, Try::Recycle];

fn clerk(policy: &Policy, now: UtcMillis) -> Clerk<'_> {
    Clerk { actor: "anne", token: None, scope: &Scope::Everything, policy, now }
}

/// Takes a unit in, its erasure waived.
async fn taken_in(test: &TestStore, device: DeviceId, now: UtcMillis) -> Uuid {
    let policy = Policy::default();
    let mut bench = Bench::begin(&test.store, clerk(&policy, now)).await.unwrap();
    let order = bench.take_in(device).await.unwrap().0.id;
    bench.waive_erasure(order, "no drive").await.unwrap();
    bench.commit().await.unwrap();
    order
}

async fn take(test: &TestStore, order: Uuid, steps: &[Try], now: UtcMillis) -> Result<(), WorkError> {
    let policy = Policy::default();
    let mut bench = Bench::begin(&test.store, clerk(&policy, now)).await.unwrap();
    for step in steps {
        bench.take(order, a_move(*step).unwrap()).await?;
    }
    bench.commit().await.unwrap();
    Ok(())
}

async fn archived(test: &TestStore, device: DeviceId, now: UtcMillis) {
    let mut tx = test.store.write().await.unwrap();
    device_archive::archive(&mut tx, &Scope::Everything, device, "recycled", now).await.unwrap();
    tx.commit().await.unwrap();
}

async fn an_archived_unit_does_not_come_back_to_the_board(test: &TestStore) {
    let now = clock::now();
    let school = School::found(&test.store, 1, 1, now).await.unwrap();
    let device = school.stock(&test.store, &labels(1), now).await.unwrap()[0];
    let order = taken_in(test, device, now).await;
    take(test, order, &RECYCLED, now).await.unwrap();
    let cartable = InProcess::new(&test.store);
    let refurbisher = cartable.desk("rita", Role::Refurbisher, Scope::Everything).await.unwrap();
    let page = format!("/work-orders/{order}");
    let reopen = "value=\"reopen\"";
    assert!(refurbisher.get(&page).await.unwrap().body.contains(reopen));
    archived(test, device, now).await;
    let refused = take(test, order, &[Try::Reopen], now).await;
    assert!(matches!(refused, Err(WorkError::Refused(Refused::Archived))), "{refused:?}");
    assert!(!refurbisher.get(&page).await.unwrap().body.contains(reopen));
}

async fn what_was_given_away_is_offered_no_way_out_of_the_archive(test: &TestStore) {
    let now = at(0, 0, 0);
    let who = people(&test.store, now).await.unwrap();
    let (given, kept) =
        (who.ready(&test.store, "G1", now).await.unwrap(), who.ready(&test.store, "K1", now).await.unwrap());
    who.give(&test.store, &[given], now).await.unwrap();
    archived(test, kept, now).await;
    let cartable = InProcess::new(&test.store);
    let administrator = cartable.desk("chief", Role::Administrator, Scope::Everything).await.unwrap();
    for (device, offered) in [(kept, true), (given, false)] {
        let page = administrator.get(&format!("/devices/{device}")).await.unwrap().body;
        assert_eq!(page.contains(&format!("/devices/{device}/unarchive")), offered, "{page}");
    }
}

async fn the_order_that_was_closed_last_is_shown_first(test: &TestStore) {
    let now = clock::now();
    let school = School::found(&test.store, 1, 1, now.plus_days(-60)).await.unwrap();
    let devices = school.stock(&test.store, &labels(16), now.plus_days(-60)).await.unwrap();
    // Opened long before all others, closed after all of them.
    let old = taken_in(test, devices[0], now.plus_days(-50)).await;
    let mut first = None;
    for (device, days) in devices[1..].iter().zip(-40..) {
        let order = taken_in(test, *device, now.plus_days(days)).await;
        take(test, order, &RECYCLED, now.plus_days(days)).await.unwrap();
        first = first.or(Some(order));
    }
    take(test, old, &RECYCLED, now).await.unwrap();
    let mut tx = test.store.read().await.unwrap();
    let closed = work_order_list::closed_last(&mut tx, &Scope::Everything, 15).await.unwrap();
    assert_eq!((closed.len(), closed[0].id), (15, old));
    assert!(closed.is_sorted_by(|one, next| one.since >= next.since), "{closed:?}");
    drop(tx);
    let cartable = InProcess::new(&test.store);
    let refurbisher = cartable.desk("rita", Role::Refurbisher, Scope::Everything).await.unwrap();
    let board = refurbisher.get("/work-orders").await.unwrap().body;
    assert!(board.contains(&format!("/work-orders/{old}")), "{board}");
    assert!(!board.contains(&format!("/work-orders/{}", first.unwrap())), "{board}");
}
