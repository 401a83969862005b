//! What the store promises about devices and flags, on both engines: scope in every read, nothing deleted, and staff's
//! words kept with what they speak of.

use cartable_common::{Bytes, DeviceId, SerialNumber, SystemUuid, Text, UtcMillis, report::Hardware};
use cartable_server::{
    domain::{
        device::DeviceStatus,
        flag::{Evidence, Explanation, Finding, FlagCode, Severity},
        policy::Policy,
        school_calendar::Zone,
        scope::Scope,
    },
    store::{
        Tx, contact, detail,
        device::{self, NewDevice},
        device_archive::{self, Archiving, Unarchiving},
        device_list::{self, DeviceQuery},
        flag, history, judgement, lease, review,
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
    a_device_is_found_by_what_is_on_its_label,
    a_device_outside_the_scope_does_not_exist,
    a_device_moves_with_its_site,
    an_asset_tag_belongs_to_one_device,
    archiving_keeps_everything_and_silences_its_flags,
    staff_accept_what_changed,
    a_flag_remembers_who_said_what_until_it_gets_worse,
    a_part_that_comes_back_has_a_new_flag_and_the_old_one_stays_as_history,
    changes_and_days_are_kept,
    a_lease_is_held_by_one_and_runs_out,
}

const ALL: Scope = Scope::Everything;

fn device(serial: &str, site: Option<Uuid>) -> NewDevice {
    NewDevice {
        id: DeviceId(Uuid::new_v4()),
        status: DeviceStatus::Active,
        hardware: Hardware {
            manufacturer: Text::meaningful("Dell"),
            model: Text::meaningful("Latitude 3190"),
            serial_number: SerialNumber::parse(serial).into(),
            system_uuid: SystemUuid::parse("4C4C4544-0035-3810-8051-B4C04F473332").into(),
            ..Hardware::default()
        },
        asset_tag: Some(format!("CD-{serial}")),
        programme: Some("P1".to_owned()),
        site,
        enrolled_at: None,
    }
}

async fn college(tx: &mut Tx, uai: &str, name: &str) -> Uuid {
    let new = NewSite { uai: uai.parse().unwrap(), name: name.to_owned(), commune: "Évry".to_owned(), zone: Zone::C };
    site::put(tx, &new, at(0, 0, 0)).await.unwrap()
}

fn finding(code: FlagCode, subject: &str, severity: Severity, value: &str) -> Finding {
    let evidence = Evidence {
        value: value.to_owned(),
        threshold: Some("1".to_owned()),
        source: "test".to_owned(),
        evidence_at: Some(at(0, 0, 0)),
        sentence_fr: "Une phrase.".to_owned(),
        sentence_en: "A sentence.".to_owned(),
        missing: Vec::new(),
        in_french: Explanation::default(),
    };
    Finding { code, subject: subject.to_owned(), severity, evidence }
}

async fn inserted(test: &TestStore, new: &NewDevice) {
    let mut tx = test.store.write().await.unwrap();
    device::insert(&mut tx, new, at(0, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn a_device_is_found_by_what_is_on_its_label(test: &TestStore) {
    let (first, second) = (device("AB12", None), device("AB13", None));
    inserted(test, &first).await;
    inserted(test, &second).await;
    let mut tx = test.store.write().await.unwrap();
    let found = device::find(&mut tx, &ALL, first.id).await.unwrap().unwrap();
    assert_eq!((found.serial_number.as_deref(), found.model.as_deref()), (Some("AB12"), Some("Latitude 3190")));
    assert_eq!((found.status, found.created_at, found.enrolled_at), (DeviceStatus::Active, at(0, 0, 0), None));
    let found = device::by_serial(&mut tx, &ALL, &SerialNumber::parse("AB13").unwrap()).await.unwrap();
    assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), [second.id]);
    let uuid = SystemUuid::parse("4c4c4544-0035-3810-8051-b4c04f473332").unwrap();
    assert_eq!(device::by_system_uuid(&mut tx, &ALL, uuid).await.unwrap().len(), 2);
    assert!(device::set_enrolled(&mut tx, first.id, at(0, 1, 0)).await.unwrap());
    assert!(!device::set_enrolled(&mut tx, DeviceId(Uuid::new_v4()), at(0, 1, 0)).await.unwrap());
    assert_eq!(device::find(&mut tx, &ALL, first.id).await.unwrap().unwrap().enrolled_at, Some(at(0, 1, 0)));
}

async fn a_device_outside_the_scope_does_not_exist(test: &TestStore) {
    let mut tx = test.store.write().await.unwrap();
    let (mine, theirs) = (college(&mut tx, "0750655E", "A").await, college(&mut tx, "0752700C", "B").await);
    let new = device("AB12", Some(theirs));
    device::insert(&mut tx, &new, at(0, 0, 0)).await.unwrap();
    let homeless = device("AB14", None);
    device::insert(&mut tx, &homeless, at(0, 0, 0)).await.unwrap();
    let raised = vec![finding(FlagCode::DriveWorn, "x", Severity::Warning, "9")];
    judgement::apply(&mut tx, new.id, raised, at(0, 0, 0)).await.unwrap();
    let open = flag::open_of_device(&mut tx, &ALL, new.id).await.unwrap().remove(0);
    let scope = Scope::Sites(vec![mine]);
    for id in [new.id, homeless.id] {
        assert_eq!(device::find(&mut tx, &scope, id).await.unwrap(), None);
        assert_eq!(detail::find(&mut tx, &scope, id).await.unwrap(), None);
        assert_eq!(device::set_status(&mut tx, &scope, id, DeviceStatus::Revoked).await.unwrap(), None);
        assert!(!device::set_site(&mut tx, &scope, id, Some(mine)).await.unwrap());
        assert!(!device::set_asset_tag(&mut tx, &scope, id, None).await.unwrap());
        assert_eq!(
            device_archive::archive(&mut tx, &scope, id, "mine now", at(0, 0, 0)).await.unwrap(),
            Archiving::Unknown
        );
        assert_eq!(
            device_archive::unarchive(&mut tx, &scope, id, &Policy::default(), at(0, 0, 0)).await.unwrap(),
            Unarchiving::Unknown
        );
        assert!(!device::accept_baseline(&mut tx, &scope, id, &Policy::default(), at(0, 0, 0)).await.unwrap());
        assert_eq!(flag::history_of_device(&mut tx, &scope, id).await.unwrap(), []);
        assert_eq!(history::changes_of(&mut tx, &scope, id).await.unwrap(), []);
        assert_eq!(history::daily_of(&mut tx, &scope, id, 0).await.unwrap(), []);
    }
    assert_eq!(device::by_serial(&mut tx, &scope, &SerialNumber::parse("AB12").unwrap()).await.unwrap(), []);
    assert_eq!(flag::find(&mut tx, &scope, open.id).await.unwrap(), None);
    assert_eq!(flag::acknowledge(&mut tx, &scope, open.id, "eve", "mine", at(0, 0, 0)).await.unwrap(), None);
    assert_eq!(flag::snooze(&mut tx, &scope, open.id, "eve", "mine", at(1, 0, 0)).await.unwrap(), None);
    let untouched = detail::find(&mut tx, &Scope::Sites(vec![theirs]), new.id).await.unwrap().unwrap();
    assert_eq!(untouched.device.status, DeviceStatus::Active);
    assert_eq!(untouched.flags, [open]);
    assert_eq!(untouched.site.unwrap().uai, "0752700C");
}

async fn a_device_moves_with_its_site(test: &TestStore) {
    let mut tx = test.store.write().await.unwrap();
    let (from, to) = (college(&mut tx, "0750655E", "A").await, college(&mut tx, "0752700C", "B").await);
    let new = device("AB12", Some(from));
    device::insert(&mut tx, &new, at(0, 0, 0)).await.unwrap();
    let raised = vec![finding(FlagCode::DriveWorn, "x", Severity::Warning, "9")];
    judgement::apply(&mut tx, new.id, raised, at(0, 0, 0)).await.unwrap();
    assert!(device::set_site(&mut tx, &ALL, new.id, Some(to)).await.unwrap());
    assert_eq!(device::find(&mut tx, &Scope::Sites(vec![to]), new.id).await.unwrap().unwrap().site, Some(to));
    let of_device = |text: &str| DeviceQuery { search: Some(text.to_owned()), ..DeviceQuery::default() };
    college(&mut tx, "0752700C", "Élisée Reclus").await;
    for (text, found) in [("elisee", 1), ("0752700c", 1), ("0750655e", 0)] {
        let page = device_list::list(&mut tx, &ALL, &of_device(text)).await.unwrap();
        assert_eq!(page.rows.len(), found, "{text}: a device is found by what its site is called now");
    }
    let totals = cartable_server::store::counter::totals(&mut tx, &Scope::Sites(vec![from])).await.unwrap();
    assert!(totals.iter().all(|total| total.value == 0), "{totals:?}");
    let totals = cartable_server::store::counter::totals(&mut tx, &Scope::Sites(vec![to])).await.unwrap();
    let shown: Vec<_> = totals.iter().map(|total| format!("{} {} {}", total.name, total.key, total.value)).collect();
    assert_eq!(shown.len(), 3, "{shown:?}");
    for expected in ["device_status active 1", "flag_code drive_worn 1", "flag_severity 2 1"] {
        assert!(shown.iter().any(|total| total == expected), "{expected} in {shown:?}");
    }
}

async fn an_asset_tag_belongs_to_one_device(test: &TestStore) {
    let (first, second) = (device("AB12", None), device("AB13", None));
    inserted(test, &first).await;
    inserted(test, &second).await;
    let mut tx = test.store.write().await.unwrap();
    let taken = device::set_asset_tag(&mut tx, &ALL, second.id, Some("CD-AB12")).await;
    assert!(taken.is_err(), "{taken:?}");
    drop(tx);
    let mut tx = test.store.write().await.unwrap();
    assert!(device::set_asset_tag(&mut tx, &ALL, second.id, Some("CD-99")).await.unwrap());
    assert!(device::set_asset_tag(&mut tx, &ALL, first.id, None).await.unwrap());
    assert_eq!(device::find(&mut tx, &ALL, second.id).await.unwrap().unwrap().asset_tag.as_deref(), Some("CD-99"));
}

async fn archiving_keeps_everything_and_silences_its_flags(test: &TestStore) {
    let new = device("AB12", None);
    inserted(test, &new).await;
    let mut tx = test.store.write().await.unwrap();
    let raised = vec![finding(FlagCode::DriveWorn, "x", Severity::Warning, "9")];
    judgement::apply(&mut tx, new.id, raised, at(0, 0, 0)).await.unwrap();
    assert_eq!(device_archive::archive(&mut tx, &ALL, new.id, "perdu", at(1, 0, 0)).await.unwrap(), Archiving::Done);
    assert_eq!(device_archive::archive(&mut tx, &ALL, new.id, "volé", at(2, 0, 0)).await.unwrap(), Archiving::Done);
    let found = device::find(&mut tx, &ALL, new.id).await.unwrap().unwrap();
    assert_eq!((found.archived_at, found.archive_reason.as_deref()), (Some(at(1, 0, 0)), Some("perdu")));
    assert_eq!((found.open_flags, found.worst_severity), (0, 0));
    assert_eq!(flag::history_of_device(&mut tx, &ALL, new.id).await.unwrap()[0].cleared_at, Some(at(1, 0, 0)));
    let back = device_archive::unarchive(&mut tx, &ALL, new.id, &Policy::default(), at(40, 0, 0)).await.unwrap();
    assert_eq!(back, Unarchiving::Done);
    let found = device::find(&mut tx, &ALL, new.id).await.unwrap().unwrap();
    assert_eq!((found.archived_at, found.archive_reason), (None, None));
    let open = flag::open_of_device(&mut tx, &ALL, new.id).await.unwrap();
    assert_eq!(open.iter().map(|flag| flag.code).collect::<Vec<_>>(), [FlagCode::NeverEnrolled], "it is judged anew");
}

async fn staff_accept_what_changed(test: &TestStore) {
    let one = enrol(&test.store, test.url(), None, at(-1, 0, 0)).await.unwrap();
    let running = RunningIngest::start(&test.store);
    let mut smaller = laptop(50);
    smaller.memory.total_bytes = Bytes::new(4 << 30);
    let reports = vec![envelope(1, at(0, 0, 0), laptop(50)), envelope(2, at(0, 0, 0), smaller)];
    running.ingest.check_in(one.check_in(at(0, 0, 0), reports)).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let open = flag::open_of_device(&mut tx, &ALL, one.device).await.unwrap();
    assert_eq!(open.iter().map(|flag| flag.code).collect::<Vec<_>>(), [FlagCode::MemoryChanged]);
    assert!(device::accept_baseline(&mut tx, &ALL, one.device, &Policy::default(), at(0, 1, 0)).await.unwrap());
    assert_eq!(flag::open_of_device(&mut tx, &ALL, one.device).await.unwrap(), []);
    let never_reported = device("AB12", None);
    device::insert(&mut tx, &never_reported, at(0, 0, 0)).await.unwrap();
    let accepted = device::accept_baseline(&mut tx, &ALL, never_reported.id, &Policy::default(), at(0, 1, 0)).await;
    assert!(!accepted.unwrap(), "there is nothing to accept");
    tx.commit().await.unwrap();
    // A late first report does not undo what staff accepted.
    let late = vec![envelope(0, at(-1, 0, 0), laptop(50))];
    running.ingest.check_in(one.check_in(at(0, 2, 0), late)).await.unwrap();
    let mut tx = test.store.read().await.unwrap();
    let found = device::find(&mut tx, &ALL, one.device).await.unwrap().unwrap();
    assert_eq!((found.baseline.unwrap().memory_bytes, found.open_flags), (Bytes::new(4 << 30), 0));
}

async fn a_flag_remembers_who_said_what_until_it_gets_worse(test: &TestStore) {
    let new = device("AB12", None);
    inserted(test, &new).await;
    let mut tx = test.store.write().await.unwrap();
    let worn = |value| vec![finding(FlagCode::DriveWorn, "x", Severity::Warning, value)];
    judgement::apply(&mut tx, new.id, worn("80"), at(0, 0, 0)).await.unwrap();
    let raised = flag::open_of_device(&mut tx, &ALL, new.id).await.unwrap().remove(0);
    flag::acknowledge(&mut tx, &ALL, raised.id, "zoé", "commandé", at(0, 1, 0)).await.unwrap().unwrap();
    flag::snooze(&mut tx, &ALL, raised.id, "zoé", "vacances", at(9, 0, 0)).await.unwrap().unwrap();
    judgement::apply(&mut tx, new.id, worn("81"), at(1, 0, 0)).await.unwrap();
    let kept = flag::open_of_device(&mut tx, &ALL, new.id).await.unwrap().remove(0);
    assert_eq!((kept.id, kept.since, kept.updated_at), (raised.id, at(0, 0, 0), at(1, 0, 0)));
    assert_eq!(kept.evidence.value, "81");
    let said = kept.acknowledged.unwrap();
    assert_eq!((said.at, said.by.as_str(), said.reason.as_str()), (at(0, 1, 0), "zoé", "commandé"));
    assert_eq!((kept.snoozed_until, kept.snoozed.unwrap().1.as_str()), (Some(at(9, 0, 0)), "vacances"));
    let worse = vec![finding(FlagCode::DriveWorn, "x", Severity::Critical, "99")];
    judgement::apply(&mut tx, new.id, worse, at(2, 0, 0)).await.unwrap();
    let worse = flag::open_of_device(&mut tx, &ALL, new.id).await.unwrap().remove(0);
    assert_eq!((worse.id, worse.acknowledged, worse.snoozed_until), (raised.id, None, None));
    judgement::apply(&mut tx, new.id, Vec::new(), at(3, 0, 0)).await.unwrap();
    assert_eq!(flag::acknowledge(&mut tx, &ALL, raised.id, "zoé", "trop tard", at(3, 0, 0)).await.unwrap(), None);
}

async fn a_part_that_comes_back_has_a_new_flag_and_the_old_one_stays_as_history(test: &TestStore) {
    let new = device("AB12", None);
    inserted(test, &new).await;
    let mut tx = test.store.write().await.unwrap();
    let two = || {
        vec![
            finding(FlagCode::DriveWorn, "x", Severity::Warning, "80"),
            finding(FlagCode::DriveWorn, "y", Severity::Critical, "99"),
            finding(FlagCode::DriveWorn, "y", Severity::Info, "1"),
        ]
    };
    let first = judgement::apply(&mut tx, new.id, two(), at(0, 0, 0)).await.unwrap();
    assert_eq!((first.raised, first.cleared), (2, 0), "the worse of two findings about one part stands");
    let found = device::find(&mut tx, &ALL, new.id).await.unwrap().unwrap();
    assert_eq!((found.open_flags, found.worst_severity), (2, 3));
    judgement::apply(&mut tx, new.id, vec![two().remove(0)], at(1, 0, 0)).await.unwrap();
    judgement::apply(&mut tx, new.id, two(), at(2, 0, 0)).await.unwrap();
    let again = judgement::apply(&mut tx, new.id, two(), at(3, 0, 0)).await.unwrap();
    assert_eq!((again.raised, again.cleared), (0, 0));
    let history = flag::history_of_device(&mut tx, &ALL, new.id).await.unwrap();
    let mut told: Vec<_> = history.iter().map(|flag| (flag.subject.as_str(), flag.since, flag.cleared_at)).collect();
    told.sort();
    assert_eq!(told, [("x", at(0, 0, 0), None), ("y", at(0, 0, 0), Some(at(1, 0, 0))), ("y", at(2, 0, 0), None)]);
    review::device(&mut tx, new.id, &Policy::default(), at(4, 0, 0)).await.unwrap();
    assert_eq!(flag::open_of_device(&mut tx, &ALL, new.id).await.unwrap(), [], "a review goes by what is stored");
}

async fn changes_and_days_are_kept(test: &TestStore) {
    let one = enrol(&test.store, test.url(), None, at(-9, 0, 0)).await.unwrap();
    let running = RunningIngest::start(&test.store);
    for day in 0..3_u64 {
        let when = at(day.cast_signed() - 3, 0, 0);
        let mut report = laptop(60 - day * 10);
        report.memory.total_bytes = Bytes::new((8 + day) << 30);
        running.ingest.check_in(one.check_in(when, vec![envelope(day, when, report)])).await.unwrap();
    }
    let mut tx = test.store.read().await.unwrap();
    let changes = history::changes_of(&mut tx, &ALL, one.device).await.unwrap();
    let memory: Vec<_> = changes.iter().filter(|row| row.change.path.contains("memory")).collect();
    assert_eq!(memory.iter().map(|row| row.received_at).collect::<Vec<_>>(), [at(-1, 0, 0), at(-2, 0, 0)]);
    assert_ne!(memory[0].change.before, memory[0].change.after);
    let days = history::daily_of(&mut tx, &ALL, one.device, at(-2, 0, 0).day_number()).await.unwrap();
    let free: Vec<_> = days.iter().map(|day| (day.day, day.figures.system_volume_available_percent)).collect();
    let day = |at: UtcMillis| at.day_number();
    assert_eq!(free, [(day(at(-2, 0, 0)), Some(50)), (day(at(-1, 0, 0)), Some(40))]);
    let hours = contact::hours(&mut tx, at(-3, 0, 0)).await.unwrap();
    assert_eq!(hours.iter().map(|hour| (hour.check_ins, hour.reports)).collect::<Vec<_>>(), [(1, 1), (1, 1), (1, 1)]);
    let found = detail::find(&mut tx, &ALL, one.device).await.unwrap().unwrap();
    assert_eq!(found.device.last_contact_day, Some(day(at(-1, 0, 0))));
    assert_eq!(found.device.model.as_deref(), Some("ThinkPad L13 Gen 2"), "the report named it");
    assert_eq!(found.health.unwrap().sequence, 2);
}

async fn a_lease_is_held_by_one_and_runs_out(test: &TestStore) {
    let (me, you) = (Uuid::new_v4(), Uuid::new_v4());
    let mut tx = test.store.write().await.unwrap();
    assert!(lease::take(&mut tx, "sweep", me, at(0, 0, 0), at(0, 0, 10)).await.unwrap());
    assert!(lease::take(&mut tx, "sweep", me, at(0, 0, 1), at(0, 0, 11)).await.unwrap(), "it may be prolonged");
    assert!(lease::take(&mut tx, "other", you, at(0, 0, 1), at(0, 0, 11)).await.unwrap());
    assert!(!lease::take(&mut tx, "sweep", you, at(0, 0, 10), at(0, 0, 20)).await.unwrap());
    assert!(lease::take(&mut tx, "sweep", you, at(0, 0, 11), at(0, 0, 20)).await.unwrap(), "it ran out");
    lease::release(&mut tx, "sweep", me, at(0, 0, 12)).await.unwrap();
    assert!(!lease::take(&mut tx, "sweep", me, at(0, 0, 12), at(0, 0, 20)).await.unwrap(), "not mine to release");
    lease::release(&mut tx, "sweep", you, at(0, 0, 12)).await.unwrap();
    assert!(lease::take(&mut tx, "sweep", me, at(0, 0, 12), at(0, 0, 20)).await.unwrap());
}
