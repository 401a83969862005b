//! The schemas of both engines are the same: tables, columns, types, nullability, keys, indexes and triggers. Left out is what
//! each engine has of its own for the same end: SQLite's tables of trigrams and PostgreSQL's index of them
//! (`device_search…`), PostgreSQL's monthly partitions, which have the form of their table. And a fleet that was there before
//! work orders keeps where its devices are.

use std::collections::{BTreeMap, BTreeSet};

use cartable_tests::stores::TestStore;
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::migration::{Old, before};

/// Table → column → (type, may be null).
type Columns = BTreeMap<String, BTreeMap<String, (String, bool)>>;
/// Table → the lists of columns that are indexed, with whether they are unique; the primary key among them.
type Indexes = BTreeMap<String, BTreeSet<(Vec<String>, bool)>>;

const SQLITE_COLUMNS: &str = r#"SELECT t.name, c.name, c.type, c."notnull" = 0 FROM sqlite_schema t, pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE '\_sqlx%' ESCAPE '\' AND t.name NOT LIKE 'sqlite%'
    AND t.name NOT LIKE 'device\_search%' ESCAPE '\'"#;
const POSTGRES_COLUMNS: &str = "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' \
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%' \
    AND NOT EXISTS (SELECT FROM pg_class p WHERE p.oid = table_name::regclass AND p.relispartition)";
const SQLITE_INDEXES: &str = r#"SELECT t.name, i.name, i."unique" = 1, COALESCE(c.name, 'an expression') FROM sqlite_schema t, pragma_index_list(t.name) i,
    pragma_index_info(i.name) c WHERE t.type = 'table' AND t.name NOT LIKE '\_sqlx%' ESCAPE '\'
    AND t.name NOT LIKE 'device\_search%' ESCAPE '\' ORDER BY t.name, i.name, c.seqno"#;
/// A primary key of one integer is SQLite's row number and has no index of its own.
const SQLITE_KEYS: &str = r#"SELECT t.name, 'primary key', true, c.name FROM sqlite_schema t, pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE '\_sqlx%' ESCAPE '\' AND c.pk > 0
    AND t.name NOT LIKE 'device\_search%' ESCAPE '\' ORDER BY t.name, c.pk"#;
const POSTGRES_INDEXES: &str = "SELECT t.relname::text, i.relname::text, x.indisunique, \
    COALESCE(a.attname::text, 'an expression') \
    FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid \
    JOIN pg_namespace n ON n.oid = t.relnamespace \
    JOIN unnest(x.indkey) WITH ORDINALITY AS k (number, place) ON true \
    LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number \
    WHERE n.nspname = 'public' AND t.relname NOT LIKE '\\_sqlx%' AND NOT t.relispartition \
    AND i.relname <> 'device_search' ORDER BY t.relname, i.relname, k.place";

/// Table and name of each trigger; SQLite's that keep its table of trigrams are its own.
const SQLITE_TRIGGERS: &str = r#"SELECT tbl_name, name FROM sqlite_schema WHERE type = 'trigger'
    AND name NOT LIKE 'device\_search%' ESCAPE '\'"#;
const POSTGRES_TRIGGERS: &str = "SELECT DISTINCT event_object_table::text, trigger_name::text \
    FROM information_schema.triggers WHERE trigger_schema = 'public'";

/// What SQLite calls a type of PostgreSQL.
fn as_sqlite(postgres: &str) -> &str {
    match postgres {
        "uuid" | "bytea" => "BLOB",
        "bigint" => "INTEGER",
        "text" => "TEXT",
        other => other,
    }
}

fn columns(rows: Vec<(String, String, String, bool)>) -> Columns {
    let mut columns = Columns::new();
    for (table, column, kind, nullable) in rows {
        columns.entry(table).or_default().insert(column, (as_sqlite(&kind).to_owned(), nullable));
    }
    columns
}

fn indexes(rows: Vec<(String, String, bool, String)>) -> Indexes {
    let mut lists: BTreeMap<(String, String), (Vec<String>, bool)> = BTreeMap::new();
    for (table, index, unique, column) in rows {
        let place = lists.entry((table, index)).or_default();
        place.0.push(column);
        place.1 = unique;
    }
    let mut indexes = Indexes::new();
    for ((table, _), list) in lists {
        indexes.entry(table).or_default().insert(list);
    }
    indexes
}

#[tokio::test]
async fn both_engines_have_the_same_schema() {
    let sqlite = TestStore::sqlite().await.unwrap();
    let postgres = TestStore::postgres().await.unwrap();
    let mut on_sqlite = SqliteConnection::connect(sqlite.url()).await.unwrap();
    let mut on_postgres = PgConnection::connect(postgres.url()).await.unwrap();

    let left = columns(sqlx::query_as(SQLITE_COLUMNS).fetch_all(&mut on_sqlite).await.unwrap());
    let right = columns(sqlx::query_as(POSTGRES_COLUMNS).fetch_all(&mut on_postgres).await.unwrap());
    assert!(left.len() > 15, "the query finds the tables: {left:?}");
    assert_eq!(left, right);

    let triggers = |rows: Vec<(String, String)>| rows.into_iter().collect::<BTreeSet<_>>();
    let left = triggers(sqlx::query_as(SQLITE_TRIGGERS).fetch_all(&mut on_sqlite).await.unwrap());
    let right = triggers(sqlx::query_as(POSTGRES_TRIGGERS).fetch_all(&mut on_postgres).await.unwrap());
    assert!(left.len() > 2, "the query finds the triggers: {left:?}");
    assert_eq!(left, right);

    let mut rows = sqlx::query_as(SQLITE_INDEXES).fetch_all(&mut on_sqlite).await.unwrap();
    rows.extend(sqlx::query_as(SQLITE_KEYS).fetch_all(&mut on_sqlite).await.unwrap());
    let left = indexes(rows);
    let right = indexes(sqlx::query_as(POSTGRES_INDEXES).fetch_all(&mut on_postgres).await.unwrap());
    assert!(left.values().map(BTreeSet::len).sum::<usize>() > 30, "the query finds the indexes: {left:?}");
    assert_eq!(left, right);
}

/// Work orders brought new places of a device; SQLite copies the column for it.
const WORK_ORDERS: u32 = 29;

#[tokio::test]
async fn a_fleet_from_before_work_orders_keeps_where_its_devices_are() {
    const PLACES: [&str; 8] = ["in_stock", "reserved", "lent", "intake", "lost", "stolen", "written_off", "ceded"];
    for Old { engine, mut raw, new, .. } in before(WORK_ORDERS).await {
        for (number, place) in (1..).zip(PLACES) {
            let id = raw.uuid(uuid::Uuid::from_u128(number));
            raw.execute(&format!(
                "INSERT INTO device (id, status, created_at, sort_serial, sort_model, sort_site, search_text, lending_state) \
                 VALUES ({id}, 'active', 0, '{place}', '', '', '', '{place}')"
            ))
            .await
            .unwrap();
        }
        for sql in new.values() {
            raw.execute(sql).await.unwrap();
        }
        let kept = "SELECT sort_serial FROM device WHERE sort_serial = lending_state ORDER BY id";
        assert_eq!(raw.texts(kept).await.unwrap(), PLACES, "{engine}");
        // What refused steps before refuses them now.
        let lent = raw.execute("UPDATE device SET lending_state = 'lent' WHERE lending_state = 'in_stock'").await;
        let refused = lent.unwrap_err().to_string();
        assert!(refused.contains("device_where_its_loan_says"), "{engine}: {refused}");
    }
}
