//! The promise of an approval of a machine whose device somebody took out of service: it is shown before and told after, and leaves
//! the row in the audit that every change of a status leaves.

use cartable_server::{
    domain::{approval::Ruling, device::DeviceStatus, enrolment::EnrolmentStatus},
    store::{
        approval::Outcome,
        approval_queue::{Asking, QueueQuery},
        audit, device,
    },
};
use cartable_tests::{fleet::at, on_both_engines, stores::TestStore};

use crate::approval_queue::{self as queue, ALL, Town, acts, all, decide, enrolled, newcomer, outcomes};

on_both_engines! {
    an_approval_that_lifts_a_revocation_says_so_and_leaves_its_row,
}

async fn an_approval_that_lifts_a_revocation_says_so_and_leaves_its_row(test: &TestStore) {
    let Town { sites, tokens } = Town::begin(test).await;
    let mut tx = test.store.write().await.unwrap();
    let stolen = queue::device(&mut tx, sites[0], "STOLEN", DeviceStatus::Active).await;
    enrolled(&mut tx, stolen, EnrolmentStatus::Active, at(0, 1, 0)).await;
    let asks = enrolled(&mut tx, stolen, EnrolmentStatus::Pending, at(1, 0, 0)).await;
    // Never enrolled, and set aside by a person all the same.
    let listed = queue::device(&mut tx, sites[0], "LISTED", DeviceStatus::Quarantined).await;
    let claims = newcomer(&mut tx, tokens[0], "LISTED", at(1, 0, 1)).await;
    tx.commit().await.unwrap();
    let rows = all(&test.store, &ALL, &QueueQuery::default()).await;
    assert_eq!(rows.iter().map(Asking::lifts).collect::<Vec<_>>(), [None, Some(DeviceStatus::Quarantined)]);
    assert_eq!(rows[1].last_asked_on.map(|day| day.start().day_number()), Some(at(1, 0, 1).day_number()));
    let seen_in_service = Some(rows[0].mark());

    let mut tx = test.store.write().await.unwrap();
    device::set_status(&mut tx, &ALL, stolen, DeviceStatus::Revoked).await.unwrap();
    tx.commit().await.unwrap();
    let decided = decide(&test.store, &ALL, (Ruling::Approve, true), [(asks, seen_in_service)]).await.unwrap();
    assert_eq!(outcomes(&decided), [Outcome::Changed], "whoever looked at it saw no stolen one");
    let decided = decide(&test.store, &ALL, (Ruling::Approve, true), [(claims, None)]).await.unwrap();
    assert_eq!(outcomes(&decided), [Outcome::Changed], "it may have said only now that it is that one");
    assert_eq!(acts(&test.store).await, Vec::<String>::new());

    let rows = all(&test.store, &ALL, &QueueQuery::default()).await;
    assert_eq!(rows[0].lifts(), Some(DeviceStatus::Revoked));
    for row in &rows {
        let decided = decide(&test.store, &ALL, (Ruling::Approve, true), [(row.id, Some(row.mark()))]).await.unwrap();
        assert_eq!(decided[0].asked.as_ref().and_then(Asking::lifts), row.lifts(), "who decided can be told");
        assert!(decided[0].outcome.is_done(), "{decided:?}");
    }
    let mut tx = test.store.read().await.unwrap();
    for (id, before) in [(stolen, "revoked"), (listed, "quarantined")] {
        assert_eq!(device::find(&mut tx, &ALL, id).await.unwrap().unwrap().status, DeviceStatus::Active);
        let told = audit::of_object(&mut tx, "device", &id.to_string(), 5).await.unwrap();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!((told[0].action.as_str(), told[0].actor.as_str()), ("device.set_status", "anne"));
        let details: serde_json::Value = serde_json::from_str(&told[0].details).unwrap();
        let expected = serde_json::json!({ "before": before, "after": "active", "because": "approved" });
        assert_eq!(details, expected);
    }
    drop(tx);
    let acts = acts(&test.store).await;
    let lifted = "device.set_status";
    assert_eq!(acts, [lifted, "newcomer.approve", lifted, "enrolment.approve"], "newest first");
}
