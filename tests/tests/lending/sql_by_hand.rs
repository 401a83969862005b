//! SQL that is written by hand beside loans, on both engines: what the domain refuses, the database refuses too.

use cartable_tests::{fleet::at, on_both_engines, raw::Raw, stores::TestStore};
use uuid::Uuid;

use crate::model::{Move, Try, World, stored};

on_both_engines! {
    sql_written_by_hand_is_refused_what_the_domain_refuses,
    sql_written_by_hand_moves_no_device_away_from_its_loan,
    sql_written_by_hand_takes_no_step_that_a_loan_cannot_take,
}

async fn sql_written_by_hand_is_refused_what_the_domain_refuses(test: &TestStore) {
    let world = World::new(test).await;
    let id = world.device(0).await;
    let step = |what| Move { what, clerk: 0, device: 0, borrower: 0, programme: 0 };
    assert!(world.take(step(Try::Lend), id, at(1, 0, 0)).await);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let device = raw.uuid(id.0);
    let (other, borrower, programme) =
        (raw.uuid(Uuid::new_v4()), raw.uuid(world.borrowers[0]), raw.uuid(world.programmes[0]));
    for (what, sql) in [
        (
            "a second open loan",
            format!(
                "INSERT INTO loan (id, device_id, borrower_id, programme_id, state, reserved_at, accessories) \
                 VALUES ({other}, {device}, {borrower}, {programme}, 'reserved', 0, '[]')"
            ),
        ),
        ("an open loan that ended", format!("UPDATE loan SET ended_at = 1 WHERE device_id = {device}")),
        (
            "a return without a condition",
            format!("UPDATE loan SET state = 'returned', ended_at = 1 WHERE device_id = {device}"),
        ),
        (
            "a theft without a complaint",
            format!("UPDATE loan SET state = 'stolen', ended_at = 1 WHERE device_id = {device}"),
        ),
        ("a loss that did not end", format!("UPDATE loan SET state = 'lost' WHERE device_id = {device}")),
        ("a hand-over at no moment", format!("UPDATE loan SET handed_over_at = NULL WHERE device_id = {device}")),
        (
            "a state that nobody knows",
            format!("UPDATE loan SET state = 'sold', ended_at = 1 WHERE device_id = {device}"),
        ),
        ("extensions below none", format!("UPDATE loan SET extensions = -1 WHERE device_id = {device}")),
        ("a device nowhere", format!("UPDATE device SET lending_state = 'sold' WHERE id = {device}")),
        ("a step that nobody knows", "UPDATE loan_event SET kind = 'sold'".to_owned()),
        ("a loan of no device", format!("UPDATE loan SET device_id = {other} WHERE device_id = {device}")),
        (
            "a condition that nobody knows",
            format!("UPDATE loan SET state = 'returned', ended_at = 1, condition = 'fine' WHERE device_id = {device}"),
        ),
    ] {
        assert!(raw.execute(&sql).await.is_err(), "{what} was taken: {sql}");
    }
    assert_eq!(stored(&mut raw, id).await, ("lent".into(), "handed_over".into(), 1));
}

async fn sql_written_by_hand_moves_no_device_away_from_its_loan(test: &TestStore) {
    let world = World::new(test).await;
    let id = world.device(0).await;
    let step = |what| Move { what, clerk: 0, device: 0, borrower: 0, programme: 0 };
    assert!(world.take(step(Try::Lend), id, at(1, 0, 0)).await);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let device = raw.uuid(id.0);
    // A device is where its open loan says.
    let place = |at: &str| format!("UPDATE device SET lending_state = '{at}' WHERE id = {device}");
    for at in ["in_stock", "reserved", "intake", "lost", "stolen", "written_off", "ceded"] {
        assert!(raw.execute(&place(at)).await.is_err(), "it is lent, not {at}");
    }
    let moved = world.device(0).await;
    let elsewhere = raw.uuid(moved.0);
    let sql = format!("UPDATE loan SET device_id = {elsewhere} WHERE device_id = {device}");
    assert!(raw.execute(&sql).await.is_err(), "a loan keeps its device");
    let reserved = "UPDATE loan SET state = 'reserved', handed_over_at = NULL";
    assert!(raw.execute(reserved).await.is_err(), "a hand-over does not become a reservation");
}

async fn sql_written_by_hand_takes_no_step_that_a_loan_cannot_take(test: &TestStore) {
    let world = World::new(test).await;
    let id = world.device(0).await;
    let step = |what| Move { what, clerk: 0, device: 0, borrower: 0, programme: 0 };
    assert!(world.take(step(Try::Lend), id, at(1, 0, 0)).await);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let device = raw.uuid(id.0);
    // What ended stays as it ended; a return can be undone as long as the device waits in the intake.
    let again = format!(
        "UPDATE loan SET state = 'handed_over', ended_at = NULL, condition = NULL, missing_accessories = NULL \
         WHERE device_id = {device}"
    );
    let cancelled = format!(
        "UPDATE loan SET state = 'cancelled', handed_over_at = NULL, condition = NULL WHERE device_id = {device}"
    );
    assert!(world.take(step(Try::TakeBack), id, at(2, 0, 0)).await);
    assert!(raw.execute(&cancelled).await.is_err(), "what was handed over was no reservation");
    assert!(world.take(step(Try::UndoReturn), id, at(2, 0, 1)).await);
    assert!(world.take(step(Try::TakeBack), id, at(3, 0, 0)).await);
    let place = |at: &str| format!("UPDATE device SET lending_state = '{at}' WHERE id = {device}");
    assert!(raw.execute(&place("lent")).await.is_err(), "nobody holds it");
    assert!(world.take(step(Try::PutInStock), id, at(3, 0, 1)).await);
    assert!(raw.execute(&again).await.is_err(), "it was put in stock since");
    assert!(raw.execute(&place("reserved")).await.is_err(), "for nobody");
    assert_eq!(stored(&mut raw, id).await, ("in_stock".into(), "returned".into(), 0));
    let moved = world.device(0).await;
    let elsewhere = raw.uuid(moved.0);
    assert!(world.take(step(Try::Lend), moved, at(4, 0, 0)).await);
    // No loan leads to a new owner: that is a lot's alone.
    let ceded = format!("UPDATE loan SET state = 'ceded', ended_at = 1 WHERE device_id = {elsewhere}");
    assert!(raw.execute(&ceded).await.is_err(), "a loan does not cede its device");
    assert_eq!(stored(&mut raw, moved).await, ("lent".into(), "handed_over".into(), 1));
}
