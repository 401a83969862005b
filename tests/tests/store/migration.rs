//! A database of an earlier version is brought up to date whatever it was allowed to hold, on both engines.

use std::fs;

use cartable_tests::{postgres::Database, raw::Raw, stores::migrations};
use uuid::Uuid;

/// From here on labels that differ in case alone are one.
const LABELS_WITHOUT_CASE: u32 = 32;

#[tokio::test]
async fn labels_that_differ_in_case_alone_do_not_stop_an_upgrade() {
    let (files, database) = (tempfile::tempdir().unwrap(), Database::create().await.unwrap());
    let file = files.path().join("old.db");
    fs::write(&file, []).unwrap();
    for (engine, url) in [("sqlite", format!("sqlite:{}", file.display())), ("postgres", database.url().to_owned())] {
        let mut raw = Raw::connect(&url).await.unwrap();
        let mut migrations = migrations(engine).unwrap();
        let new = migrations.split_off(&LABELS_WITHOUT_CASE);
        for sql in migrations.values() {
            raw.execute(sql).await.unwrap();
        }
        // Of one delivery: their ids begin alike.
        for (number, label) in (1..).zip(["CD72-1", "cd72-1", "Cd72-1", "CD72-10", "T-9"]) {
            let id = raw.uuid(Uuid::from_u128(0x0192_f3a0_0000_7000_8000_0000_0000_0000 + number));
            raw.execute(&format!(
                "INSERT INTO device (id, status, asset_tag, created_at, sort_serial, sort_model, sort_site, search_text) \
                 VALUES ({id}, 'active', '{label}', 5, '', '', '', lower('{label}') || ' l13')"
            ))
            .await
            .unwrap();
        }
        for sql in new.values() {
            raw.execute(sql).await.unwrap();
        }
        let kept = "SELECT asset_tag || ': ' || search_text FROM device ORDER BY id";
        let expected = [
            "CD72-1: cd72-1 l13",
            "cd72-1-2-00000002: cd72-1 l13 cd72-1-2-00000002",
            "Cd72-1-2-00000003: cd72-1 l13 cd72-1-2-00000003",
            "CD72-10: cd72-10 l13",
            "T-9: t-9 l13",
        ];
        assert_eq!(raw.texts(kept).await.unwrap(), expected, "{engine}");
        let again = "UPDATE device SET asset_tag = 't-9' WHERE asset_tag = 'CD72-10'";
        assert!(raw.execute(again).await.is_err(), "{engine}");
    }
}
