//! What the desk refuses to lend is not counted as ready to lend: devices that are promised in a lot, and those that are out
//! of service.

use cartable_server::{
    domain::scope::Scope,
    store::{donation_lot, forecast::snapshot},
};
use cartable_tests::{donation::people, fleet::at, on_both_engines, raw::Raw, stores::TestStore};

on_both_engines! {
    what_is_promised_or_out_of_service_is_not_ready_to_lend,
}

async fn what_is_promised_or_out_of_service_is_not_ready_to_lend(test: &TestStore) {
    let now = at(0, 0, 0);
    let who = people(&test.store, now).await.unwrap();
    let mut devices = Vec::new();
    for serial in ["P1", "P2", "P3", "P4", "P5"] {
        devices.push(who.ready(&test.store, serial, now).await.unwrap());
    }
    let ready = async || {
        let mut tx = test.store.read().await.unwrap();
        let known = snapshot(&mut tx, &Scope::Everything, &who.policy, now).await.unwrap();
        (known.ready_to_lend, known.units.len())
    };
    assert_eq!(ready().await, (5, 0));
    let lot = who.draft(&test.store, &devices[..1], now).await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    for (device, status) in devices[1..].iter().zip(["revoked", "released", "quarantined"]) {
        let set = format!("UPDATE device SET status = '{status}' WHERE id = {}", raw.uuid(device.0));
        raw.execute(&set).await.unwrap();
    }
    assert_eq!(ready().await, (2, 0), "one set apart by its agent alone is lent, and one as any other");
    let mut tx = test.store.write().await.unwrap();
    donation_lot::drop_lot(&mut tx, lot, now).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(ready().await, (3, 0), "given up, it is free again");
}
