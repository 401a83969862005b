//! The audit's promise: whoever alters, deletes, reorders or cuts off any row is found out, at that row.

use cartable_server::store::audit::{self, Break, Head, NewAudit, Verification};
use cartable_tests::{fleet::at, on_both_engines, raw::Raw, stores::TestStore};
use futures_util::future::join_all;

on_both_engines! {
    what_was_appended_verifies_and_lists_newest_first,
    every_altered_field_of_every_row_is_found,
    every_deleted_row_is_found,
    every_swapped_pair_is_found,
    a_cut_end_is_found,
    a_rewritten_chain_is_found_by_a_head_kept_elsewhere,
    writers_at_once_make_one_chain,
    what_is_not_committed_leaves_no_trace,
}

const ROWS: i64 = 12;

async fn append(test: &TestStore, number: i64) {
    let mut tx = test.store.write().await.unwrap();
    let id = number.to_string();
    let details = serde_json::json!({ "reason": format!("é\"'\u{0}{number}") });
    let entry = NewAudit { actor: "anne", action: "flag.acknowledge", object_kind: "flag", object_id: &id, details };
    audit::append(&mut tx, entry, at(0, 0, number)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn filled(test: &TestStore) -> Head {
    for number in 1..=ROWS {
        append(test, number).await;
    }
    let Verification::Intact(head) = verify(test, None).await else { panic!("a fresh chain is whole") };
    head
}

async fn verify(test: &TestStore, noted: Option<Head>) -> Verification {
    audit::verify(&mut test.store.read().await.unwrap(), noted).await.unwrap()
}

async fn execute(test: &TestStore, sql: &str) {
    Raw::connect(test.url()).await.unwrap().execute(sql).await.unwrap();
}

async fn what_was_appended_verifies_and_lists_newest_first(test: &TestStore) {
    let empty = verify(test, None).await;
    assert!(matches!(empty, Verification::Intact(Head { seq: 0, .. })), "{empty:?}");
    let head = filled(test).await;
    assert_eq!(head.seq, ROWS);
    assert_eq!(head.to_string().parse(), Ok(head));
    assert_eq!(verify(test, Some(head)).await, Verification::Intact(head));
    let mut tx = test.store.read().await.unwrap();
    let newest = audit::list(&mut tx, None, 2).await.unwrap();
    assert_eq!(newest.iter().map(|act| act.seq).collect::<Vec<_>>(), [12, 11]);
    assert_eq!(audit::list(&mut tx, Some(11), 1).await.unwrap()[0].seq, 10);
    assert_eq!(audit::of_object(&mut tx, "flag", "3", 9).await.unwrap()[0].seq, 3);
}

async fn every_altered_field_of_every_row_is_found(test: &TestStore) {
    filled(test).await;
    for seq in 1..=ROWS {
        for field in ["at", "actor", "action", "object_kind", "object_id", "details"] {
            let (alter, restore) = if field == "at" {
                ("at + 1".to_owned(), "at - 1".to_owned())
            } else {
                (format!("{field} || ' '"), format!("substr({field}, 1, length({field}) - 1)"))
            };
            execute(test, &format!("UPDATE audit SET {field} = {alter} WHERE seq = {seq}")).await;
            assert_eq!(verify(test, None).await, Verification::Broken { seq, what: Break::Altered }, "{field}");
            execute(test, &format!("UPDATE audit SET {field} = {restore} WHERE seq = {seq}")).await;
        }
    }
    assert!(matches!(verify(test, None).await, Verification::Intact(_)), "all was put back");
}

async fn every_deleted_row_is_found(test: &TestStore) {
    let head = filled(test).await;
    for seq in 1..=ROWS {
        execute(test, &format!("CREATE TABLE kept AS SELECT * FROM audit WHERE seq = {seq}")).await;
        execute(test, &format!("DELETE FROM audit WHERE seq = {seq}")).await;
        let what = if seq == ROWS { Break::Truncated } else { Break::Missing };
        assert_eq!(verify(test, None).await, Verification::Broken { seq, what });
        execute(test, "INSERT INTO audit SELECT * FROM kept; DROP TABLE kept").await;
    }
    assert_eq!(verify(test, None).await, Verification::Intact(head));
}

async fn every_swapped_pair_is_found(test: &TestStore) {
    let head = filled(test).await;
    let swap = |one: i64| {
        let other = one + 1;
        format!(
            "UPDATE audit SET seq = -1 WHERE seq = {one}; UPDATE audit SET seq = {one} WHERE seq = {other}; \
             UPDATE audit SET seq = {other} WHERE seq = -1"
        )
    };
    for seq in 1..ROWS {
        execute(test, &swap(seq)).await;
        assert_eq!(verify(test, None).await, Verification::Broken { seq, what: Break::Altered });
        execute(test, &swap(seq)).await;
    }
    assert_eq!(verify(test, None).await, Verification::Intact(head));
}

async fn a_cut_end_is_found(test: &TestStore) {
    let head = filled(test).await;
    execute(test, "DELETE FROM audit WHERE seq > 9").await;
    assert_eq!(verify(test, None).await, Verification::Broken { seq: 10, what: Break::Truncated });
    // Who also resets the head to that of row 9 is found out by the one that was kept elsewhere.
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let hex = if test.url().starts_with("sqlite:") { "lower(hex(hash))" } else { "encode(hash, 'hex')" };
    let sql = format!("SELECT {hex} FROM audit WHERE seq = 9");
    let ninth = raw.texts(&sql).await.unwrap().remove(0);
    raw.execute(&format!("UPDATE setting SET value = '9:{ninth}' WHERE name = 'audit_head'")).await.unwrap();
    assert!(matches!(verify(test, None).await, Verification::Intact(_)), "the documented limit of a chain alone");
    assert_eq!(verify(test, Some(head)).await, Verification::Broken { seq: 10, what: Break::Truncated });
}

async fn a_rewritten_chain_is_found_by_a_head_kept_elsewhere(test: &TestStore) {
    let head = filled(test).await;
    execute(test, "DELETE FROM audit; DELETE FROM setting").await;
    for number in 2..=ROWS + 1 {
        append(test, number).await;
    }
    assert!(matches!(verify(test, None).await, Verification::Intact(_)), "the documented limit of a chain alone");
    assert_eq!(verify(test, Some(head)).await, Verification::Broken { seq: ROWS, what: Break::Rewritten });
    execute(test, "DELETE FROM setting").await;
    assert_eq!(verify(test, None).await, Verification::Broken { seq: 1, what: Break::Overlong });
}

async fn writers_at_once_make_one_chain(test: &TestStore) {
    join_all((0..40).map(|number| append(test, number))).await;
    let found = verify(test, None).await;
    assert!(matches!(found, Verification::Intact(Head { seq: 40, .. })), "{found:?}");
}

async fn what_is_not_committed_leaves_no_trace(test: &TestStore) {
    let head = filled(test).await;
    let mut tx = test.store.write().await.unwrap();
    let details = serde_json::Value::Null;
    let entry = NewAudit { actor: "a", action: "b", object_kind: "c", object_id: "d", details };
    audit::append(&mut tx, entry, at(0, 0, 0)).await.unwrap();
    drop(tx);
    assert_eq!(verify(test, None).await, Verification::Intact(head));
}
