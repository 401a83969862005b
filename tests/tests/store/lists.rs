//! The promises of the lists: every row once whatever the sort, the way and the page size; nothing outside the scope;
//! what people type is searched as text; totals that agree with the rows.

use std::collections::BTreeSet;

use cartable_common::{DeviceId, SerialNumber, Text, UtcMillis, report::Hardware};
use cartable_server::{
    domain::{
        device::DeviceStatus,
        facts::Zone,
        flag::{Evidence, Explanation, Finding, FlagCode, Severity},
        scope::Scope,
        uai::UaiCode,
    },
    store::{
        Store,
        device::{self, NewDevice},
        device_archive,
        device_list::{self, Archived, COUNT_CAP, DeviceQuery, DeviceSort, Direction},
        flag,
        flag_list::{self, FlagQuery, Handling},
        judgement, overview,
        page::Total,
        site::{self, NewSite},
    },
};
use cartable_tests::{
    fleet::{RunningIngest, at, enrol, envelope, laptop},
    on_both_engines,
    stores::TestStore,
};
use uuid::Uuid;

on_both_engines! {
    every_sort_gives_every_device_once_in_order,
    a_scope_hides_everything_else_from_lists_totals_and_figures,
    search_finds_words_however_written_and_takes_wildcards_as_text,
    filters_combine_and_totals_agree,
    a_total_stops_at_its_cap,
    flags_wait_until_somebody_handles_them,
    never_seen_devices_keep_their_place_across_pages,
}

async fn add_site(store: &Store, uai: &str, name: &str) -> Uuid {
    let mut tx = store.write().await.unwrap();
    let new = NewSite {
        uai: uai.parse::<UaiCode>().unwrap(),
        name: name.to_owned(),
        commune: "Le Mans".to_owned(),
        zone: Zone::ALL[0],
    };
    let id = site::put(&mut tx, &new, at(0, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    id
}

fn named(serial: &str, model: &str, site: Option<Uuid>) -> NewDevice {
    NewDevice {
        id: DeviceId(Uuid::new_v4()),
        status: DeviceStatus::Active,
        hardware: Hardware {
            manufacturer: Text::meaningful("Lenovo"),
            model: Text::meaningful(model),
            serial_number: SerialNumber::parse(serial).into(),
            ..Hardware::default()
        },
        asset_tag: None,
        programme: None,
        site,
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

fn finding(code: FlagCode, severity: Severity) -> Finding {
    let evidence = Evidence {
        value: "1".to_owned(),
        threshold: None,
        source: "test".to_owned(),
        evidence_at: None,
        sentence_fr: "Une phrase.".to_owned(),
        sentence_en: "A sentence.".to_owned(),
        missing: Vec::new(),
        in_french: Explanation::default(),
    };
    Finding { code, subject: String::new(), severity, evidence }
}

async fn raise(store: &Store, id: DeviceId, code: FlagCode, severity: Severity, now: UtcMillis) {
    let mut tx = store.write().await.unwrap();
    judgement::apply(&mut tx, id, vec![finding(code, severity)], now).await.unwrap();
    tx.commit().await.unwrap();
}

/// Every row of a list, page by page.
async fn all(store: &Store, scope: &Scope, query: &DeviceQuery) -> Vec<device_list::DeviceSummary> {
    let (mut rows, mut query) = (Vec::new(), query.clone());
    loop {
        let mut tx = store.read().await.unwrap();
        let page = device_list::list(&mut tx, scope, &query).await.unwrap();
        rows.extend(page.rows);
        match page.next {
            Some(next) => query.after = Some(next.to_string().parse().unwrap()),
            None => return rows,
        }
    }
}

async fn found(store: &Store, search: &str) -> BTreeSet<String> {
    let query = DeviceQuery { search: Some(search.to_owned()), ..DeviceQuery::default() };
    all(store, &Scope::Everything, &query).await.into_iter().filter_map(|row| row.serial_number).collect()
}

async fn every_sort_gives_every_device_once_in_order(test: &TestStore) {
    let site = add_site(&test.store, "0720001K", "Collège Les Tilleuls").await;
    let models = ["Élite", "elite", "ThinkPad", "Zbook", "ThinkPad"];
    let devices: Vec<NewDevice> = (0..23)
        .map(|number| named(&format!("S{:03}", number / 2), models[number % 5], (number % 3 > 0).then_some(site)))
        .collect();
    add(&test.store, &devices).await;
    for (number, new) in devices.iter().enumerate().take(9) {
        raise(&test.store, new.id, FlagCode::BatteryWorn, Severity::ALL[number % 3], at(0, 0, 0)).await;
    }
    let ids: BTreeSet<_> = devices.iter().map(|new| new.id).collect();
    for sort in DeviceSort::ALL {
        let mut ways = Vec::new();
        for direction in [Direction::Ascending, Direction::Descending] {
            let query = DeviceQuery { sort, direction, limit: 4, ..DeviceQuery::default() };
            let rows: Vec<_> =
                all(&test.store, &Scope::Everything, &query).await.into_iter().map(|row| row.id).collect();
            assert_eq!(rows.len(), ids.len(), "{sort:?} {direction:?}");
            assert_eq!(rows.iter().copied().collect::<BTreeSet<_>>(), ids);
            ways.push(rows);
        }
        ways[1].reverse();
        assert_eq!(ways[0], ways[1], "{sort:?}: one way is the other reversed");
    }
    let query = DeviceQuery { sort: DeviceSort::Severity, direction: Direction::Descending, ..DeviceQuery::default() };
    let worst: Vec<_> =
        all(&test.store, &Scope::Everything, &query).await.iter().map(|row| row.worst_severity).collect();
    assert!(worst.is_sorted_by(|one, next| one >= next), "{worst:?}");
}

async fn a_scope_hides_everything_else_from_lists_totals_and_figures(test: &TestStore) {
    let own = add_site(&test.store, "0720001K", "Collège A").await;
    let other = add_site(&test.store, "0720002L", "Collège B").await;
    let devices = [named("OWN", "a", Some(own)), named("OTHER", "a", Some(other)), named("LOOSE", "a", None)];
    add(&test.store, &devices).await;
    for new in &devices {
        raise(&test.store, new.id, FlagCode::DriveFailing, Severity::Critical, at(0, 0, 0)).await;
    }
    for (scope, serials) in [
        (Scope::Everything, vec!["LOOSE", "OTHER", "OWN"]),
        (Scope::Sites(vec![own]), vec!["OWN"]),
        (Scope::Sites(vec![own, other]), vec!["OTHER", "OWN"]),
        (Scope::Sites(vec![]), vec![]),
    ] {
        let count = i64::try_from(serials.len()).unwrap();
        let rows = all(&test.store, &scope, &DeviceQuery::default()).await;
        assert_eq!(rows.iter().filter_map(|row| row.serial_number.as_deref()).collect::<Vec<_>>(), serials);
        let mut tx = test.store.read().await.unwrap();
        let query = DeviceQuery { limit: 1, ..DeviceQuery::default() };
        assert_eq!(device_list::list(&mut tx, &scope, &query).await.unwrap().total, Total::Exact(count));
        let flags = flag_list::list(&mut tx, &scope, &FlagQuery::default(), at(0, 0, 0)).await.unwrap();
        assert_eq!(flags.total, Total::Exact(count));
        let figures = overview::read(&mut tx, &scope, at(0, 0, 0)).await.unwrap();
        assert_eq!(figures.devices(), count);
        assert_eq!(figures.last_heard.never, count);
        assert_eq!(figures.by_severity.iter().map(|(_, count)| count).sum::<i64>(), count);
        assert_eq!(figures.hourly.is_some(), scope == Scope::Everything);
    }
}

async fn search_finds_words_however_written_and_takes_wildcards_as_text(test: &TestStore) {
    let site = add_site(&test.store, "0720001K", "Collège de l’Élysée").await;
    add(
        &test.store,
        &[
            named("PF2ABC", "ThinkPad X13", Some(site)),
            named("PF2XYZ", "Latitude 3190", None),
            named("100%_A\\B", "O'Brien \" --", None),
        ],
    )
    .await;
    let set = |serials: &[&str]| serials.iter().map(|serial| (*serial).to_owned()).collect::<BTreeSet<_>>();
    for (search, serials) in [
        ("pf2", &["PF2ABC", "PF2XYZ"][..]),
        ("ELYSEE", &["PF2ABC"]),
        ("  thinkpad   élysée ", &["PF2ABC"]),
        ("0720001k", &["PF2ABC"]),
        ("latitude élysée", &[]),
        ("%", &["100%_A\\B"]),
        ("_", &["100%_A\\B"]),
        ("a\\b", &["100%_A\\B"]),
        ("o'brien \"", &["100%_A\\B"]),
        ("'; DROP TABLE device; --", &[]),
        ("", &["100%_A\\B", "PF2ABC", "PF2XYZ"]),
    ] {
        assert_eq!(found(&test.store, search).await, set(serials), "{search:?}");
    }
}

async fn filters_combine_and_totals_agree(test: &TestStore) {
    let site = add_site(&test.store, "0720001K", "Collège A").await;
    let mut devices: Vec<NewDevice> = (0..12).map(|n| named(&format!("S{n}"), "m", (n < 6).then_some(site))).collect();
    devices[0].status = DeviceStatus::Revoked;
    add(&test.store, &devices).await;
    raise(&test.store, devices[1].id, FlagCode::BatteryWorn, Severity::Warning, at(0, 0, 0)).await;
    raise(&test.store, devices[7].id, FlagCode::DriveFailing, Severity::Critical, at(0, 0, 0)).await;
    let mut tx = test.store.write().await.unwrap();
    device_archive::archive(&mut tx, &Scope::Everything, devices[11].id, "cassé", at(0, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    let everything = DeviceQuery::default();
    for (query, count) in [
        (everything.clone(), 11),
        (DeviceQuery { archived: Archived::Only, ..everything.clone() }, 1),
        (DeviceQuery { archived: Archived::Include, ..everything.clone() }, 12),
        (DeviceQuery { status: Some(DeviceStatus::Active), ..everything.clone() }, 10),
        (DeviceQuery { site: Some(site), status: Some(DeviceStatus::Active), ..everything.clone() }, 5),
        (DeviceQuery { flag: Some(FlagCode::BatteryWorn), ..everything.clone() }, 1),
        (DeviceQuery { min_severity: Some(Severity::Warning), ..everything.clone() }, 2),
        (DeviceQuery { min_severity: Some(Severity::Warning), site: Some(site), ..everything.clone() }, 1),
        (DeviceQuery { search: Some("s1".to_owned()), ..everything.clone() }, 2),
    ] {
        assert_eq!(all(&test.store, &Scope::Everything, &query).await.len(), count, "{query:?}");
        let mut tx = test.store.read().await.unwrap();
        let page =
            device_list::list(&mut tx, &Scope::Everything, &DeviceQuery { limit: 1, ..query.clone() }).await.unwrap();
        assert_eq!(page.total, Total::Exact(i64::try_from(count).unwrap()), "{query:?}");
    }
    let flagged = DeviceQuery { flag: Some(FlagCode::DriveFailing), ..everything };
    let rows = all(&test.store, &Scope::Everything, &flagged).await;
    assert_eq!(rows[0].flags, [(FlagCode::DriveFailing, Severity::Critical)]);
    assert_eq!(rows[0].open_flags, 1);
}

async fn a_total_stops_at_its_cap(test: &TestStore) {
    let devices: Vec<NewDevice> = (0..=COUNT_CAP).map(|number| named(&format!("S{number:05}"), "same", None)).collect();
    add(&test.store, &devices).await;
    let mut tx = test.store.read().await.unwrap();
    let total = async |tx: &mut _, search: Option<&str>| {
        let query = DeviceQuery { search: search.map(str::to_owned), ..DeviceQuery::default() };
        device_list::list(tx, &Scope::Everything, &query).await.unwrap().total
    };
    assert_eq!(total(&mut tx, None).await, Total::Exact(COUNT_CAP + 1), "a maintained counter has no cap");
    assert_eq!(total(&mut tx, Some("same")).await, Total::MoreThan(COUNT_CAP));
    assert_eq!(total(&mut tx, Some("s000")).await, Total::Exact(100));
}

async fn flags_wait_until_somebody_handles_them(test: &TestStore) {
    let devices: Vec<NewDevice> = (0..5).map(|number| named(&format!("S{number}"), "m", None)).collect();
    add(&test.store, &devices).await;
    for (number, new) in devices.iter().enumerate() {
        let severity = if number == 2 { Severity::Critical } else { Severity::Warning };
        raise(&test.store, new.id, FlagCode::BatteryWorn, severity, at(0, i64::try_from(number).unwrap(), 0)).await;
    }
    let now = at(1, 0, 0);
    let query = FlagQuery { limit: 2, ..FlagQuery::default() };
    let mut rows = Vec::new();
    let mut page_query = query.clone();
    loop {
        let mut tx = test.store.read().await.unwrap();
        let page = flag_list::list(&mut tx, &Scope::Everything, &page_query, now).await.unwrap();
        if page_query.after.is_none() {
            assert_eq!(page.total, Total::Exact(5));
        }
        rows.extend(page.rows);
        let Some(next) = page.next else { break };
        page_query.after = Some(next);
    }
    let serials: Vec<_> = rows.iter().filter_map(|row| row.serial_number.as_deref()).collect();
    assert_eq!(serials, ["S2", "S4", "S3", "S1", "S0"], "worst first, then newest");
    let mut tx = test.store.write().await.unwrap();
    flag::acknowledge(&mut tx, &Scope::Everything, rows[0].id, "anne", "vu", now).await.unwrap().unwrap();
    flag::snooze(&mut tx, &Scope::Everything, rows[1].id, "anne", "vu", now.plus_days(7)).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    for (handling, moment, count) in [
        (Handling::Waiting, now, 3),
        (Handling::Acknowledged, now, 1),
        (Handling::Snoozed, now, 1),
        (Handling::All, now, 5),
        (Handling::Waiting, now.plus_days(8), 4),
    ] {
        let mut tx = test.store.read().await.unwrap();
        let query = FlagQuery { handling, ..FlagQuery::default() };
        let page = flag_list::list(&mut tx, &Scope::Everything, &query, moment).await.unwrap();
        assert_eq!(page.total, Total::Exact(count), "{handling:?}");
    }
}

async fn never_seen_devices_keep_their_place_across_pages(test: &TestStore) {
    let running = RunningIngest::start(&test.store);
    let mut seen = Vec::new();
    for day in [3, 1, 2] {
        let one = enrol(&test.store, test.url(), None, at(-60, 0, 0)).await.unwrap();
        let check_in = one.check_in(at(day, 0, 0), vec![envelope(1, at(day, 0, 0), laptop(50))]);
        running.ingest.check_in(check_in).await.unwrap();
        seen.push((day, one.device));
    }
    running.stop().await;
    let never = [named("N1", "m", None), named("N2", "m", None), named("N3", "m", None)];
    add(&test.store, &never).await;
    seen.sort_unstable();
    let contacted: Vec<DeviceId> = seen.into_iter().map(|(_, id)| id).collect();
    for limit in 1..=7 {
        let query = DeviceQuery { sort: DeviceSort::Contact, limit, ..DeviceQuery::default() };
        let rows: Vec<_> = all(&test.store, &Scope::Everything, &query).await.into_iter().map(|row| row.id).collect();
        assert_eq!(rows.len(), 6, "pages of {limit}");
        assert_eq!(rows[3..], contacted, "the longest gone first: never, then the oldest contact");
        let query = DeviceQuery { direction: Direction::Descending, ..query };
        let mut turned: Vec<_> =
            all(&test.store, &Scope::Everything, &query).await.into_iter().map(|row| row.id).collect();
        turned.reverse();
        assert_eq!(turned, rows, "pages of {limit}");
    }
}
