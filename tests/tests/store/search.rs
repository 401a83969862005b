//! A search finds the devices whose text holds every word, however it finds them: through trigrams or by reading, few
//! or many, after whatever changed what they are called.

use std::collections::BTreeSet;

use cartable_common::{DeviceId, SerialNumber, Text, report::Hardware};
use cartable_server::{
    domain::{device::DeviceStatus, facts::Zone, fold::fold, scope::Scope},
    store::{
        Store,
        device::{self, NewDevice},
        device_list::{self, COUNT_CAP, DeviceQuery, DeviceSort},
        page::Total,
        site::{self, NewSite},
    },
};
use cartable_tests::{
    fleet::{RunningIngest, at, enrol, envelope, laptop},
    on_both_engines,
    postgres::Database,
    raw::Raw,
    stores::TestStore,
};
use uuid::Uuid;

on_both_engines! {
    every_way_of_asking_finds_what_the_text_says,
    what_a_device_is_called_now_is_found_and_what_it_was_called_is_not,
    a_word_that_many_have_gives_pages_in_order,
}

const ALL: Scope = Scope::Everything;

async fn found(store: &Store, search: &str) -> (BTreeSet<Uuid>, Total) {
    let mut query = DeviceQuery { search: Some(search.to_owned()), ..DeviceQuery::default() };
    let (mut ids, mut total) = (BTreeSet::new(), None);
    loop {
        let mut tx = store.read().await.unwrap();
        let page = device_list::list(&mut tx, &ALL, &query).await.unwrap();
        ids.extend(page.rows.iter().map(|row| row.id.0));
        total.get_or_insert(page.total);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return (ids, total.unwrap()),
        }
    }
}

fn device(serial: &str, model: &str, asset_tag: Option<&str>) -> NewDevice {
    NewDevice {
        id: DeviceId(Uuid::new_v4()),
        status: DeviceStatus::Active,
        hardware: Hardware {
            model: Text::meaningful(model),
            serial_number: SerialNumber::parse(serial).into(),
            ..Hardware::default()
        },
        asset_tag: asset_tag.map(str::to_owned),
        programme: None,
        site: None,
        enrolled_at: None,
    }
}

async fn add(store: &Store, devices: &[NewDevice]) {
    let mut tx = store.write().await.unwrap();
    for new in devices {
        device::insert(&mut tx, new, at(0, 0, 0)).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn every_way_of_asking_finds_what_the_text_says(test: &TestStore) {
    let models = ["ThinkPad X13", "Latitude 3190", "Élan \"œuf\" 50%_\\", "a AND b", "NEAR(x y)", "東京電脳 一", "x"];
    let devices: Vec<NewDevice> = (0..140)
        .map(|n| device(&format!("S{:05}", n * 7919 % 100_000), models[n % models.len()], Some(&format!("T-{n:03}"))))
        .collect();
    add(&test.store, &devices).await;
    let mut asked: Vec<String> = [
        "thinkpad",
        "THINK pad",
        "pad x1",
        "x1",
        "t-0",
        "t-01",
        "t-010",
        "élan",
        "oeuf",
        "œuf",
        "\"œuf\"",
        "50%",
        "%_\\",
        "_\\",
        "and",
        "a and b",
        "near(",
        "near(x y)",
        "東京電脳",
        "東京",
        "京電脳",
        "一",
        "tude 31",
        "x13 latitude",
        "*",
        "thinkpad*",
        "^thinkpad",
        "search_text:x",
        "-thinkpad",
        "\"",
        "\"\"\"",
        "''';--",
        "a\0b",
        "\0",
        "\u{301}",
    ]
    .map(str::to_owned)
    .to_vec();
    asked.extend((0..140).step_by(11).map(|n| format!("s{:05}", n * 7919 % 100_000)));
    asked.extend((0..100).step_by(9).map(|n| format!("{n:02}")));
    for search in asked {
        let words = fold(&search);
        let words: Vec<&str> = words.split([' ', '\0']).collect();
        let holds = |new: &&NewDevice| {
            let text = fold(&format!(
                "{} {} {}",
                new.hardware.serial_number.get().map_or("", SerialNumber::as_str),
                new.asset_tag.as_deref().unwrap(),
                new.hardware.model.as_ref().map_or("", Text::as_str)
            ));
            words.iter().all(|word| text.contains(word))
        };
        let expected: BTreeSet<Uuid> = devices.iter().filter(holds).map(|new| new.id.0).collect();
        let (ids, total) = found(&test.store, &search).await;
        assert_eq!(ids, expected, "{search:?}");
        assert_eq!(total, Total::Exact(i64::try_from(expected.len()).unwrap()), "{search:?}");
    }
}

async fn what_a_device_is_called_now_is_found_and_what_it_was_called_is_not(test: &TestStore) {
    let put = async |name: &str| {
        let new = NewSite {
            uai: "0720001K".parse().unwrap(),
            name: name.to_owned(),
            commune: "Le Mans".to_owned(),
            zone: Zone::ALL[0],
        };
        let mut tx = test.store.write().await.unwrap();
        let id = site::put(&mut tx, &new, at(0, 0, 0)).await.unwrap();
        tx.commit().await.unwrap();
        id
    };
    let new = device("PF2ABCDE", "ThinkPad X13", Some("OLD-0001"));
    let other = device("QG3ZZZZZ", "Latitude 3190", None);
    add(&test.store, &[new.clone(), other]).await;
    let is_found = async |search: &str| found(&test.store, search).await.0 == BTreeSet::from([new.id.0]);
    let site = put("Collège des Tilleuls").await;
    let mut tx = test.store.write().await.unwrap();
    device::set_asset_tag(&mut tx, &ALL, new.id, Some("NEW-0002")).await.unwrap();
    device::set_site(&mut tx, &ALL, new.id, Some(site)).await.unwrap();
    // What is not committed is not found.
    assert!(!is_found("tilleuls").await);
    tx.commit().await.unwrap();
    for (search, expected) in [("new-0002", true), ("old-0001", false), ("tilleuls", true), ("thinkpad tilleuls", true)]
    {
        assert_eq!(is_found(search).await, expected, "{search}");
    }
    put("Collège des Marronniers").await;
    // Rewriting the file gives implicit row numbers anew.
    Raw::connect(test.url()).await.unwrap().execute("VACUUM").await.unwrap();
    for (search, expected) in
        [("marronniers", true), ("tilleuls", false), ("pf2abcde", true), ("latitude tilleuls", false)]
    {
        assert_eq!(is_found(search).await, expected, "{search}");
    }
    // What a report teaches is found too.
    let one = enrol(&test.store, test.url(), None, at(-1, 0, 0)).await.unwrap();
    assert!(found(&test.store, "l13 gen").await.0.is_empty());
    let ingest = RunningIngest::start(&test.store);
    ingest.ingest.check_in(one.check_in(at(0, 0, 0), vec![envelope(1, at(0, 0, 0), laptop(50))])).await.unwrap();
    assert_eq!(found(&test.store, "l13 gen").await.0, BTreeSet::from([one.device.0]));
}

/// More devices than are collected have the word: the page comes along the index of its sort.
async fn a_word_that_many_have_gives_pages_in_order(test: &TestStore) {
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let id = if matches!(raw, Raw::Sqlite(_)) { "randomblob(16)" } else { "gen_random_uuid()" };
    raw.execute(&format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
         INSERT INTO device (id, status, serial_number, created_at, sort_serial, sort_model, sort_site, search_text)
         SELECT {id}, 'active', 'S' || i, 0, 's' || i, CASE WHEN i % 400 = 0 THEN 'rare' ELSE 'common' END, '',
             's' || i || CASE WHEN i % 400 = 0 THEN ' rare' ELSE ' common' END || ' lenovo' FROM n"
    ))
    .await
    .unwrap();
    for (search, expected) in [
        ("lenovo", Total::MoreThan(COUNT_CAP)),
        ("common", Total::MoreThan(COUNT_CAP)),
        ("no", Total::MoreThan(COUNT_CAP)),
        ("rare lenovo", Total::Exact(30)),
        ("s1200", Total::Exact(2)),
        ("lenovo zz", Total::Exact(0)),
    ] {
        for sort in [DeviceSort::Serial, DeviceSort::Model] {
            let mut query = DeviceQuery { search: Some(search.to_owned()), sort, ..DeviceQuery::default() };
            let mut keys = Vec::new();
            for _ in 0..3 {
                let mut tx = test.store.read().await.unwrap();
                let page = device_list::list(&mut tx, &ALL, &query).await.unwrap();
                assert_eq!(page.total, expected, "{search}");
                keys.extend(page.rows.iter().map(|row| (row.serial_number.clone().unwrap(), row.id.0)));
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
            let wanted = match expected {
                Total::Exact(count) => usize::try_from(count).unwrap(),
                Total::MoreThan(_) => 150,
            };
            assert_eq!(keys.len(), wanted, "{search}");
            let unique: BTreeSet<_> = keys.iter().collect();
            assert_eq!(unique.len(), keys.len(), "{search}: a device twice");
            assert!(sort != DeviceSort::Serial || keys.is_sorted(), "{search}");
        }
    }
}

/// A server whose role may not create extensions searches all the same.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_extension_a_search_finds_the_same() {
    let database = Database::create().await.unwrap();
    let mut admin = Raw::connect(database.url()).await.unwrap();
    let role = format!("cartable_plain_{}", Uuid::new_v4().simple());
    admin
        .execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'plain'; GRANT ALL ON SCHEMA public TO {role}"))
        .await
        .unwrap();
    let (_, address) = database.url().rsplit_once('@').unwrap();
    let store = Store::open(&format!("postgres://{role}:plain@{address}")).await.unwrap();
    assert_eq!(admin.number("SELECT count(*) FROM pg_class WHERE relname = 'device_search'").await.unwrap(), 0);
    let new = device("PF2ABCDE", "ThinkPad X13", None);
    add(&store, &[new.clone(), device("QG3ZZZZZ", "Latitude 3190", None)]).await;
    assert_eq!(found(&store, "think 2abc").await.0, BTreeSet::from([new.id.0]));
    store.close().await;
    admin.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.unwrap();
}
