//! A database of an earlier version is brought up to date whatever it was allowed to hold, on both engines.

use std::{collections::BTreeMap, fs};

use cartable_server::clock;
use cartable_tests::{postgres::Database, raw::Raw, stores::migrations};
use tempfile::TempDir;
use uuid::Uuid;

/// A database that lacks the newest migrations.
pub(crate) struct Old {
    pub(crate) engine: &'static str,
    pub(crate) raw: Raw,
    /// What it lacks.
    pub(crate) new: BTreeMap<u32, String>,
    _files: Option<TempDir>,
    _database: Option<Database>,
}

/// One of each engine, as it was before the migration `number`.
pub(crate) async fn before(number: u32) -> [Old; 2] {
    let (files, database) = (tempfile::tempdir().unwrap(), Database::create().await.unwrap());
    let file = files.path().join("old.db");
    fs::write(&file, []).unwrap();
    let lite = format!("sqlite:{}", file.display());
    let post = database.url().to_owned();
    [
        old("sqlite", &lite, number, (Some(files), None)).await,
        old("postgres", &post, number, (None, Some(database))).await,
    ]
}

async fn old(
    engine: &'static str,
    url: &str,
    number: u32,
    (files, database): (Option<TempDir>, Option<Database>),
) -> Old {
    let mut raw = Raw::connect(url).await.unwrap();
    let mut earlier = migrations(engine).unwrap();
    let new = earlier.split_off(&number);
    for sql in earlier.values() {
        raw.execute(sql).await.unwrap();
    }
    Old { engine, raw, new, _files: files, _database: database }
}

/// From here on labels that differ in case alone are one.
const LABELS_WITHOUT_CASE: u32 = 32;

#[tokio::test]
async fn labels_that_differ_in_case_alone_do_not_stop_an_upgrade() {
    for Old { engine, mut raw, new, .. } in before(LABELS_WITHOUT_CASE).await {
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

/// From here on the key of another machine may vouch for a newcomer; SQLite makes the table anew for it.
const VOUCHED_NEWCOMERS: u32 = 39;

#[tokio::test]
async fn who_waited_with_a_token_waits_on_and_one_without_anything_that_vouches_is_none() {
    for Old { engine, mut raw, new, .. } in before(VOUCHED_NEWCOMERS).await {
        let (id, key) = (raw.uuid(Uuid::from_u128(1)), raw.bytes(&[7; 32]));
        for sql in [
            format!("INSERT INTO site VALUES ({id}, '0750655E', 'Les Tilleuls', 'Valmarin', 'B', 'tilleuls', 0)"),
            format!(
                "INSERT INTO enrolment_token (id, token_hash, label, kind, site_id, cap, expires_at, created_at, \
                 created_by) VALUES ({id}, {key}, 'livraison', 'bulk', {id}, 30, 9, 0, 'anne')"
            ),
            format!(
                "INSERT INTO newcomer (id, request_id, spki_sha256, token_id, waits_for, state, hardware, created_at) \
                 VALUES ({id}, {id}, {key}, {id}, 'unlisted_serial', 'waiting', '{{}}', 5)"
            ),
        ] {
            raw.execute(&sql).await.unwrap();
        }
        for sql in new.values() {
            raw.execute(sql).await.unwrap();
        }
        let kept =
            "SELECT waits_for FROM newcomer WHERE created_at = 5 AND token_id IS NOT NULL AND vouched_by IS NULL";
        assert_eq!(raw.texts(kept).await.unwrap(), ["unlisted_serial"], "{engine}");
        let unvouched = raw.execute("UPDATE newcomer SET token_id = NULL").await;
        assert!(unvouched.is_err(), "{engine}");
        let other_reason = raw.execute("UPDATE newcomer SET waits_for = 'cloned_key'").await;
        assert!(other_reason.is_err(), "{engine}");
    }
}

/// From here on a machine may wait for the people of another site; SQLite makes the table anew for it.
const OTHER_SITES: u32 = 46;

#[tokio::test]
async fn who_waited_waits_on_and_another_sites_machine_names_its_device() {
    for Old { engine, mut raw, new, .. } in before(OTHER_SITES).await {
        let (id, key) = (raw.uuid(Uuid::from_u128(1)), raw.bytes(&[7; 32]));
        for sql in [
            format!("INSERT INTO site VALUES ({id}, '0750655E', 'Les Tilleuls', 'Valmarin', 'B', 'tilleuls', 0)"),
            format!(
                "INSERT INTO enrolment_token (id, token_hash, label, kind, site_id, cap, expires_at, created_at, \
                 created_by) VALUES ({id}, {key}, 'livraison', 'bulk', {id}, 30, 9, 0, 'anne')"
            ),
            format!(
                "INSERT INTO device (id, status, created_at, sort_serial, sort_model, sort_site, search_text) \
                 VALUES ({id}, 'pending', 5, '', '', '', '')"
            ),
            format!(
                "INSERT INTO newcomer (id, request_id, spki_sha256, token_id, waits_for, state, hardware, created_at, \
                 decided_at) VALUES ({id}, {id}, {key}, {id}, 'spent_token', 'refused', '{{}}', 5, 6)"
            ),
        ] {
            raw.execute(&sql).await.unwrap();
        }
        for sql in new.values() {
            raw.execute(sql).await.unwrap();
        }
        let kept = "SELECT state || ' ' || waits_for FROM newcomer WHERE created_at = 5 AND decided_at = 6 \
                    AND token_id IS NOT NULL AND vouched_by IS NULL AND listed_as IS NULL";
        assert_eq!(raw.texts(kept).await.unwrap(), ["refused spent_token"], "{engine}");
        let nameless = raw.execute("UPDATE newcomer SET waits_for = 'other_site'").await;
        assert!(nameless.is_err(), "{engine}");
        let named = format!("UPDATE newcomer SET waits_for = 'other_site', listed_as = {id}");
        raw.execute(&named).await.unwrap();
    }
}

/// From here on a request lapses by its last ask.
const LAST_ASKS: u32 = 47;

#[tokio::test]
async fn who_waited_for_long_counts_from_the_upgrade_and_one_that_was_let_in_once_never() {
    for Old { engine, mut raw, new, .. } in before(LAST_ASKS).await {
        let ids = [1, 2, 3].map(|number| raw.uuid(Uuid::from_u128(number)));
        let keys = [7, 8, 9].map(|byte| raw.bytes(&[byte; 32]));
        let ([one, two, three], [first, second, third]) = (&ids, &keys);
        for sql in [
            format!("INSERT INTO site VALUES ({one}, '0750655E', 'Les Tilleuls', 'Valmarin', 'B', 'tilleuls', 0)"),
            format!(
                "INSERT INTO enrolment_token (id, token_hash, label, kind, site_id, cap, expires_at, created_at, \
                 created_by) VALUES ({one}, {first}, 'livraison', 'bulk', {one}, 30, 9, 0, 'anne')"
            ),
            format!(
                "INSERT INTO device (id, status, created_at, sort_serial, sort_model, sort_site, search_text) \
                 VALUES ({one}, 'active', 5, '', '', '', '')"
            ),
            format!(
                "INSERT INTO newcomer (id, request_id, spki_sha256, token_id, waits_for, state, hardware, created_at) \
                 VALUES ({one}, {one}, {first}, {one}, 'spent_token', 'waiting', '{{}}', 5)"
            ),
            // One named a lost key; a restored database forgot the other, whose request has its own name.
            format!(
                "INSERT INTO enrolment (id, device_id, request_id, spki_sha256, status, created_at, waits_for) VALUES \
                 ({two}, {one}, {one}, {second}, 'pending', 5, 'replacement'), \
                 ({three}, {one}, {three}, {third}, 'pending', 5, 'replacement')"
            ),
        ] {
            raw.execute(&sql).await.unwrap();
        }
        for sql in new.values() {
            raw.execute(sql).await.unwrap();
        }
        let yesterday = clock::now().plus_days(-1).get();
        let fresh = format!("asked_on > {yesterday} - 86400000 AND asked_on % 86400000 = 0");
        for (what, expected) in [("newcomer", 1), ("enrolment", 1)] {
            let counted = format!("SELECT count(*) FROM {what} WHERE {fresh}");
            assert_eq!(raw.number(&counted).await.unwrap(), expected, "{engine}: {what}");
        }
        let never = format!("SELECT count(*) FROM enrolment WHERE id = {three} AND asked_on IS NULL");
        assert_eq!(raw.number(&never).await.unwrap(), 1, "{engine}");
        assert!(raw.execute("UPDATE newcomer SET asked_on = 5").await.is_err(), "{engine}: a day has no hour");
    }
}
