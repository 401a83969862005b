//! What is kept with a unit that was given away is what proved its erasure on that day, on both engines.

use cartable_server::{
    domain::{donation::conditions::Proof, erasure::Method},
    store::donation_lot::{self, LotRefused},
};
use cartable_tests::{
    donation::{erased, people, refusal},
    fleet::at,
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};

on_both_engines! {
    a_lot_is_not_handed_over_on_other_evidence_than_was_approved,
}

async fn a_lot_is_not_handed_over_on_other_evidence_than_was_approved(test: &TestStore) {
    let (now, later) = (at(0, 0, 0), at(10, 0, 0));
    let who = people(&test.store, now).await.unwrap();
    let (again, more) =
        (who.ready(&test.store, "E1", now).await.unwrap(), who.ready(&test.store, "E2", now).await.unwrap());
    let mut raw = Raw::connect(test.url()).await.unwrap();
    // The one was used and erased again; a second drive turned up for the other. Both could be given, but not so.
    let mut new = Vec::new();
    for (id, drive) in [(again, "E1-DISK"), (more, "E2-OTHER")] {
        let lot = who.draft(&test.store, &[id], now).await.unwrap();
        who.approve(&test.store, lot, now).await.unwrap();
        let deed = who.print(&test.store, lot, now).await.unwrap();
        if id == again {
            let used = format!("UPDATE erasure SET used_again = 1 WHERE device_id = {}", raw.uuid(id.0));
            raw.execute(&used).await.unwrap();
        }
        let mut tx = test.store.write().await.unwrap();
        let purge = (drive, Method::NvmeSanitizeCrypto);
        new.push(erased(&mut tx, id, purge, &who.policy, later).await.unwrap().simple().to_string());
        tx.commit().await.unwrap();
        let refused = refusal(who.deliver(&test.store, lot, deed, later).await).unwrap();
        assert_eq!(refused, LotRefused::EvidenceChanged, "{drive}");
        let mut tx = test.store.write().await.unwrap();
        donation_lot::drop_lot(&mut tx, lot, later).await.unwrap();
        tx.commit().await.unwrap();
    }
    who.give(&test.store, &[again, more], later).await.unwrap();
    let kept = raw.texts("SELECT erasure_evidence FROM donation_line WHERE state = 'delivered'").await.unwrap();
    let kept: Vec<Proof> = kept.iter().flat_map(|json| serde_json::from_str::<Vec<Proof>>(json).unwrap()).collect();
    assert_eq!(kept.len(), 3, "{kept:?}");
    assert!(new.iter().all(|record| kept.iter().any(|proof| proof.record == *record)), "{kept:?}");
}
