//! The figures of a year: counted from what the acts of the store wrote, as they are by hand; opened into their units by
//! page, file and API; and quick on a whole fleet.

use std::time::{Duration, Instant};

use cartable_common::{DeviceId, Text, UtcMillis};
use cartable_server::{
    auth::Role,
    domain::{
        figures::{Figures, Line, Reason, Work, Year},
        grade::Grade,
        paris,
        part::{NewPart, PartKind},
        policy::Policy,
        scope::Scope,
        work_order::{
            Disposition, Move,
            checklist::{Check, Finding, Kind},
        },
    },
    exchange::read,
    store::{device_archive, donation_lot, figures, part, work_order_act::Bench},
};
use cartable_tests::{
    donation::{self, People},
    fleet::{RunningIngest, enrol, envelope, laptop},
    in_process::InProcess,
    on_both_engines,
    raw::Raw,
    school::School,
    stores::TestStore,
    work_model::findings,
};
use jiff::civil::{Date, date};
use uuid::Uuid;

on_both_engines! {
    a_year_is_counted_as_it_is_by_hand,
    each_number_opens_into_its_units,
    a_whole_fleet_is_counted_quickly,
}

fn noon(day: Date) -> UtcMillis {
    paris::midnight(day).plus_millis(12 * 3_600_000)
}

fn year(number: i16) -> Year {
    Year::new(number, date(2026, 11, 30)).expect("a year with figures")
}

/// A workshop that also gives.
struct Story<'a> {
    test: &'a TestStore,
    people: People,
}

impl Story<'_> {
    /// A laptop whose drive was purged, bought on that day if that is known.
    async fn unit(&self, serial: &str, bought: Option<Date>) -> DeviceId {
        let id = self.people.ready(&self.test.store, serial, noon(date(2024, 6, 3))).await.unwrap();
        if let Some(bought) = bought {
            let end = bought.checked_add(jiff::Span::new().years(3)).unwrap();
            let days = end.since(date(1970, 1, 1)).unwrap().get_days();
            let mut raw = Raw::connect(self.test.url()).await.unwrap();
            let sql = format!("UPDATE device SET warranty_until = {days} WHERE serial_number = '{serial}'");
            raw.execute(&sql).await.unwrap();
        }
        id
    }

    /// Takes it through the workshop, from an hour before `at` to its end then; with that many screens at 12.50 €.
    async fn refurbish(&self, device: DeviceId, became: Disposition, at: UtcMillis, screens: usize) -> Uuid {
        let before = |minutes: i64| at.plus_millis(-minutes * 60_000);
        let kind = Kind::Laptop;
        let order = {
            let mut bench = Bench::begin(&self.test.store, self.people.clerk("rita", before(60))).await.unwrap();
            let (order, _) = bench.take_in(device).await.unwrap();
            bench.commit().await.unwrap();
            order.id
        };
        let broken: &[(Check, Finding)] = if screens > 0 { &[(Check::Screen, Finding::Faulty)] } else { &[] };
        self.step(order, Move::Begin, before(55)).await;
        self.step(order, Move::Inspect(findings(kind, broken)), before(45)).await;
        {
            let mut bench = Bench::begin(&self.test.store, self.people.clerk("anne", before(44))).await.unwrap();
            bench.waive_erasure(order, "nothing to erase here").await.unwrap();
            bench.commit().await.unwrap();
        }
        if screens > 0 {
            self.step(order, Move::Repair, before(40)).await;
            self.screens(order, screens, before(38)).await;
        }
        self.step(order, Move::Reinstall, before(20)).await;
        self.step(order, Move::Installed, before(12)).await;
        self.step(order, Move::Test(findings(kind, &[])), before(4)).await;
        self.step(order, Move::Grade(Grade::B), before(2)).await;
        self.step(order, Move::Dispose(became), at).await;
        order
    }

    async fn step(&self, order: Uuid, step: Move, at: UtcMillis) {
        let mut bench = Bench::begin(&self.test.store, self.people.clerk("rita", at)).await.unwrap();
        bench.take(order, step).await.unwrap();
        bench.commit().await.unwrap();
    }

    async fn screens(&self, order: Uuid, count: usize, at: UtcMillis) {
        let stocked = NewPart { kind: PartKind::Screen, model: None, unit_cents: 1_250, count: 9 };
        let mut tx = self.test.store.write().await.unwrap();
        let id = Uuid::now_v7();
        part::insert(&mut tx, id, &stocked, None, at).await.unwrap();
        tx.commit().await.unwrap();
        for _ in 0..count {
            let mut bench = Bench::begin(&self.test.store, self.people.clerk("rita", at)).await.unwrap();
            bench.use_part(order, id, Uuid::now_v7()).await.unwrap();
            bench.commit().await.unwrap();
        }
    }

    /// Gives them in one lot that was approved on a day and handed over on another.
    async fn give(&self, devices: &[DeviceId], approved: Date, day: Date) {
        let store = &self.test.store;
        let lot = self.people.draft(store, devices, noon(approved)).await.unwrap();
        self.people.approve(store, lot, noon(approved)).await.unwrap();
        let deed = self.people.print(store, lot, noon(day)).await.unwrap();
        self.people.deliver(store, lot, deed, noon(day)).await.unwrap();
    }

    async fn counted(&self, number: i16) -> Figures {
        let mut tx = self.test.store.read().await.unwrap();
        figures::of_year(&mut tx, year(number), &Policy::default()).await.unwrap()
    }
}

/// Tells a year in which every number of the ratio has a unit; see [`a_year_is_counted_as_it_is_by_hand`].
async fn told(test: &TestStore) -> Story<'_> {
    use Disposition::{Donate, Parts, Recycle, Relend};
    let people = donation::people(&test.store, noon(date(2024, 1, 8))).await.unwrap();
    let story = Story { test, people };
    let young = Some(date(2021, 9, 1));
    let autumn = noon(date(2024, 11, 4));
    let (one, two, three) =
        (story.unit("U01", young).await, story.unit("U02", young).await, story.unit("U03", None).await);
    for device in [one, three] {
        story.refurbish(device, Donate, autumn, 0).await;
    }
    let old = story.unit("U04", Some(date(2012, 9, 1))).await;
    story.refurbish(old, Recycle, autumn, 0).await;
    // Half an hour before the year, and half an hour into it: in Paris.
    let (last, first) = (story.unit("U05", young).await, story.unit("U06", young).await);
    let new_year = paris::midnight(date(2025, 1, 1));
    story.refurbish(last, Parts, new_year.plus_millis(-30 * 60_000), 0).await;
    story.refurbish(first, Parts, new_year.plus_millis(30 * 60_000), 0).await;
    let dropped = story.unit("U09", young).await;
    let lot = story.people.draft(&test.store, &[dropped], noon(date(2024, 12, 2))).await.unwrap();
    story.people.approve(&test.store, lot, noon(date(2024, 12, 2))).await.unwrap();
    let back = story.unit("U10", young).await;
    let order = story.refurbish(back, Donate, noon(date(2024, 10, 1)), 0).await;
    story.step(order, Move::Reopen, noon(date(2024, 10, 2))).await;
    story.refurbish(two, Donate, noon(date(2025, 2, 3)), 0).await;
    let mut tx = test.store.write().await.unwrap();
    donation_lot::drop_lot(&mut tx, lot, noon(date(2025, 2, 10))).await.unwrap();
    tx.commit().await.unwrap();
    let again = story.unit("U07", young).await;
    story.refurbish(again, Relend, noon(date(2025, 3, 3)), 2).await;
    story.give(&[one, three], date(2025, 3, 24), date(2025, 4, 1)).await;
    story.give(&[two], date(2025, 4, 28), date(2025, 5, 6)).await;
    let gone = story.unit("U08", young).await;
    let mut tx = test.store.write().await.unwrap();
    device_archive::archive(&mut tx, &Scope::Everything, gone, "?", noon(date(2025, 6, 2))).await.unwrap();
    tx.commit().await.unwrap();
    let school = School::found(&test.store, 1, 1, noon(date(2025, 1, 6))).await.unwrap();
    school.lend(&test.store, &[again], noon(date(2025, 9, 8))).await.unwrap();
    // One that its agent knows: its processor came out in 2017.
    let reported = enrol(&test.store, test.url(), None, noon(date(2024, 6, 3))).await.unwrap();
    let mut report = laptop(50);
    report.hardware.serial_number = cartable_common::SerialNumber::parse("U11").into();
    report.processor.model = Text::meaningful("Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz");
    let at = noon(date(2024, 6, 4));
    let running = RunningIngest::start(&test.store);
    running.ingest.check_in(reported.check_in(at, vec![envelope(1, at, report)])).await.unwrap();
    running.stop().await;
    story.refurbish(reported.device, Parts, autumn, 0).await;
    story
}

fn names(lines: &[Line]) -> Vec<(&str, Option<Reason>)> {
    let mut names: Vec<_> =
        lines.iter().map(|line| (line.unit.serial.as_deref().unwrap_or("U11"), line.reason)).collect();
    names.sort_unstable();
    names
}

async fn a_year_is_counted_as_it_is_by_hand(test: &TestStore) {
    let story = told(test).await;
    let found = story.counted(2025).await;
    let reuse = &found.reuse;
    assert_eq!(names(&reuse.reused), [("U01", None), ("U02", None)]);
    assert_eq!(names(&reuse.not_reused), [("U03", Some(Reason::AgeUnknown)), ("U08", Some(Reason::PutAway))]);
    assert_eq!(names(&reuse.stock), ["U01", "U03", "U05", "U09", "U11"].map(|name| (name, None)));
    assert_eq!(names(&reuse.not_in_stock), [("U04", Some(Reason::TooOld))]);
    assert_eq!((reuse.reused_of_stock, reuse.per_mille(), reuse.is_reached()), (1, Some(400), Some(false)));
    assert_eq!(reuse.target.map(|target| target.percent), Some(50));
    // Approved again in spring, a unit that was in stock was reformed in autumn.
    assert_eq!(names(&found.ages.reformed), [("U02", None), ("U06", None)]);
    assert_eq!(found.ages.months, [40, 41], "September 2021 to January and February 2025");
    assert_eq!(names(&found.impact.given), [("U01", None), ("U02", None), ("U03", None)]);
    assert_eq!(found.impact.saved_given.co2_grams, 3 * 27_000);
    assert_eq!(names(&found.impact.lent_again), [("U07", None)]);
    let all = &found.workshop.all;
    assert_eq!((all.relend, all.donate, all.parts, all.recycle), (1, 1, 1, 0));
    // Inspection 10 minutes, final test 8, grading 2 for each; repair 20 for the one with screens.
    let work = Work { parts_cents: 2_500, ..found.workshop.work };
    assert_eq!((found.workshop.work, work.minutes), (work, 3 * (10 + 8 + 2) + 20));
    let before = story.counted(2024).await;
    assert_eq!((before.reuse.per_mille(), before.reuse.reused.len()), (None, 0));
    assert_eq!(names(&before.workshop.reopened), [("U10", Some(Reason::Open))]);
    // What happens later leaves the year alone.
    let fingerprint = found.fingerprint();
    story.refurbish(story.unit("U12", None).await, Disposition::Recycle, noon(date(2026, 1, 5)), 0).await;
    assert_eq!(story.counted(2025).await.fingerprint(), fingerprint);
    assert_eq!(names(&story.counted(2026).await.reuse.stock), ["U05", "U06", "U11"].map(|name| (name, None)));
}

async fn each_number_opens_into_its_units(test: &TestStore) {
    told(test).await;
    Raw::connect(test.url())
        .await
        .unwrap()
        .execute(
            "UPDATE device SET model = '=HYPERLINK(\"http://x\")', manufacturer = NULL WHERE serial_number = 'U01'",
        )
        .await
        .unwrap();
    let cartable = InProcess::new(&test.store);
    let manager = cartable.desk("maude", Role::ProgrammeManager, Scope::Everything).await.unwrap().speaking("fr");
    let page = manager.get("/figures?year=2025").await.unwrap();
    assert_eq!(page.status, 200, "{}", page.body);
    for expected in
        ["40,0\u{a0}%", "Objectif 50\u{a0}% non atteint", "href=\"/figures?year=2025&#38;list=reused\"", "âge inconnu"]
    {
        assert!(page.body.contains(expected), "{expected}: {}", page.body);
    }
    let list = manager.get("/figures?year=2025&list=not-reused").await.unwrap();
    assert!(list.body.contains("U03") && list.body.contains("U08") && !list.body.contains("U01"), "{}", list.body);
    for (address, status) in
        [("/figures?year=2019", 404), ("/figures?year=x", 400), ("/figures?list=x", 400), ("/figures/2025/x.csv", 404)]
    {
        assert_eq!(manager.get(address).await.unwrap().status, status, "{address}");
    }
    for year in ["2020", "0", "3027"] {
        let none = manager.get(&format!("/figures?year={year}")).await.unwrap();
        assert_eq!(none.status, 404, "{year}");
        assert!(none.body.contains("Il y a des chiffres de 2021 à l’année en cours"), "{year}: {}", none.body);
    }
    let csv = manager.get("/figures/2025/reused.csv").await.unwrap();
    assert!(csv.body.contains("\"U01\",\"'=HYPERLINK(\"\"http://x\"\")\""), "{}", csv.body);
    assert_eq!(csv.body.lines().count(), 3, "{}", csv.body);
    let book = manager.get("/figures/2025/report.xlsx").await.unwrap();
    let table = read::table(&book.bytes).unwrap();
    assert_eq!(table.headings[..2], ["Chiffre", "Valeur"]);
    assert_eq!(table.lines[0].cells[1], "400", "a number");
    let pdf = manager.get("/figures/2025/report.pdf").await.unwrap();
    assert!(pdf.status == 200 && pdf.bytes.starts_with(b"%PDF-1.7"), "{}", pdf.status);
    let token = cartable.token("maude").await.unwrap();
    let answer = cartable.get("/api/v1/figures/2025?list=stock", &token).await.unwrap().json();
    assert_eq!((answer["reuse"]["per_mille"].as_i64(), answer["over"].as_bool()), (Some(400), Some(true)));
    assert_eq!(answer["units"].as_array().map(Vec::len), Some(5));
    assert!(page.body.contains(answer["fingerprint"].as_str().unwrap()), "the same figures");
    let wrong = cartable.get("/api/v1/figures/2025?list=x", &token).await.unwrap();
    assert!(wrong.status == 400 && wrong.body.contains("not-in-stock"), "{}", wrong.body);
    let technician = cartable.desk("theo", Role::Technician, Scope::Everything).await.unwrap();
    assert_eq!(technician.get("/figures?year=2025").await.unwrap().status, 403);
}

async fn a_whole_fleet_is_counted_quickly(test: &TestStore) {
    const FLEET: usize = 21_000;
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let id = if matches!(raw, Raw::Sqlite(_)) { "randomblob(16)" } else { "gen_random_uuid()" };
    let autumn = noon(date(2024, 11, 4)).get();
    // Each had a work order of ten steps; a third was set aside for donation.
    raw.execute(&format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {FLEET}) \
         INSERT INTO device (id, status, serial_number, model, chassis, created_at, sort_serial, sort_model, sort_site, \
         search_text, warranty_until) SELECT {id}, 'active', 'F' || i, 'L13', 'laptop', {autumn}, '', '', '', '', 19000 FROM n; \
         INSERT INTO work_order (id, device_id, opened_at, stage, since) SELECT {id}, id, {autumn}, 'intake', {autumn} FROM device; \
         WITH RECURSIVE k (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 9) \
         INSERT INTO work_order_event (order_id, number, at, kind, stage, actor, details) SELECT w.id, k.i, {autumn} + k.i, \
         'photo', 'inspection', 'x', '{{}}' FROM work_order w CROSS JOIN k; \
         INSERT INTO work_order_event (order_id, number, at, kind, stage, actor, details) SELECT w.id, 10, {autumn} + 60000, \
         'dispose', 'closed', 'x', CASE WHEN length(d.serial_number) = 5 THEN '{{\"disposition\":\"donate\"}}' \
         ELSE '{{\"disposition\":\"relend\"}}' END FROM work_order w JOIN device d ON d.id = w.device_id;"
    ))
    .await
    .unwrap();
    for (number, orders, stock) in [(2024, FLEET, 0), (2025, 0, 9_000)] {
        let begun = Instant::now();
        let mut tx = test.store.read().await.unwrap();
        let found = figures::of_year(&mut tx, year(number), &Policy::default()).await.unwrap();
        let took = begun.elapsed();
        assert_eq!((found.workshop.orders.len(), found.reuse.stock.len()), (orders, stock));
        println!("{number}: {took:?}");
        // Without optimisation and beside other tests; a release build is many times quicker.
        assert!(took < Duration::from_secs(30), "{took:?}");
    }
}
