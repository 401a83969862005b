//! What a drive counts over its reports, through the ingest: growth raises more than the value does, one odd reading
//! clears with its history kept, and what ended long ago no longer speaks. Reports that come in one check-in may come in any
//! order; one that comes after a newer one is no history, as docs/EVIDENCE.md says.

use cartable_common::{
    Percent, SerialNumber,
    report::{HealthReport, NvmeHealth},
};
use cartable_server::{
    domain::{disposition::Disposition, flag::FlagCode, policy::Policy, scope::Scope, verdict::Verdict},
    store::{advice, detail, flag, history, review},
};
use cartable_tests::{
    fleet::{Enrolled, RunningIngest, at, enrol, envelope, laptop},
    on_both_engines,
    stores::TestStore,
};

on_both_engines! {
    errors_that_grow_between_reports_raise_more_than_errors_that_stand,
    one_odd_reading_clears_and_stays_in_the_history,
    the_sweep_judges_by_the_same_history,
    a_drive_that_stops_answering_stays_what_it_was,
    one_missed_reading_hides_no_growth,
    the_order_of_reports_in_a_check_in_does_not_matter,
    a_rise_that_only_a_report_after_a_newer_one_shows_is_not_told,
}

fn with_errors(media_errors: u64) -> HealthReport {
    let mut report = laptop(50);
    let log = NvmeHealth {
        critical_warning: Some(0),
        available_spare_percent: Percent::new(100),
        available_spare_threshold_percent: Percent::new(10),
        percentage_used_percent: Percent::new(4),
        media_errors: Some(media_errors),
        unsafe_shutdowns: None,
    };
    report.drives[0].nvme = Some(log);
    report
}

struct Device<'t> {
    test: &'t TestStore,
    running: RunningIngest,
    one: Enrolled,
}

impl<'t> Device<'t> {
    async fn new(test: &'t TestStore) -> Self {
        let one = enrol(&test.store, test.url(), None, at(-60, 0, 0)).await.unwrap();
        Self { test, running: RunningIngest::start(&test.store), one }
    }

    /// Reports `errors` on `day`; the verdict that is stored and the open flags about its drive.
    async fn reports(&self, day: i64, errors: u64) -> (Verdict, Vec<FlagCode>) {
        self.brings(day, &[(day, errors)]).await
    }

    /// Brings reports of these days with these errors in one check-in on `day`; what stands then.
    async fn brings(&self, day: i64, reports: &[(i64, u64)]) -> (Verdict, Vec<FlagCode>) {
        let report = |(measured, errors): &(i64, u64)| {
            let sequence = u64::try_from(measured + 1_000).unwrap();
            envelope(sequence, at(*measured, 0, 0), with_errors(*errors))
        };
        let reports = reports.iter().map(report).collect();
        self.running.ingest.check_in(self.one.check_in(at(day, 0, 0), reports)).await.unwrap();
        self.stands().await
    }

    async fn stands(&self) -> (Verdict, Vec<FlagCode>) {
        let mut tx = self.test.store.read().await.unwrap();
        let health = detail::find(&mut tx, &Scope::Everything, self.one.device).await.unwrap().unwrap().health.unwrap();
        let judged = health.drives(&Policy::default())[0].verdict;
        assert_eq!(judged, health.drive_verdict, "the page and the list say the same");
        let open = flag::open_of_device(&mut tx, &Scope::Everything, self.one.device).await.unwrap();
        let of_drive = |code: &FlagCode| matches!(code, FlagCode::DriveFailing | FlagCode::DriveWorn);
        (judged, open.into_iter().map(|flag| flag.code).filter(of_drive).collect())
    }
}

async fn errors_that_grow_between_reports_raise_more_than_errors_that_stand(test: &TestStore) {
    let device = Device::new(test).await;
    assert_eq!(device.reports(0, 3).await, (Verdict::Worn, vec![FlagCode::DriveWorn]));
    assert_eq!(device.reports(10, 3).await, (Verdict::Worn, vec![FlagCode::DriveWorn]));
    assert_eq!(device.reports(20, 5).await, (Verdict::Failing, vec![FlagCode::DriveFailing]));
    assert_eq!(device.reports(30, 5).await, (Verdict::Failing, vec![FlagCode::DriveFailing]));
    // The window of 90 days is over: five errors that stand are five errors that stand.
    assert_eq!(device.reports(130, 5).await, (Verdict::Worn, vec![FlagCode::DriveWorn]));
}

async fn one_odd_reading_clears_and_stays_in_the_history(test: &TestStore) {
    let device = Device::new(test).await;
    assert_eq!(device.reports(0, 0).await, (Verdict::Healthy, vec![]));
    assert_eq!(device.reports(1, 285_002).await, (Verdict::Failing, vec![FlagCode::DriveFailing]));
    assert_eq!(device.reports(2, 0).await, (Verdict::Healthy, vec![]));
    let mut tx = test.store.read().await.unwrap();
    let health = detail::find(&mut tx, &Scope::Everything, device.one.device).await.unwrap().unwrap().health.unwrap();
    let judged = &health.drives(&Policy::default())[0];
    assert_eq!((judged.reasons[0].code, judged.reasons[0].value.en.as_str()), ("recovered", "285,002 → 0"));
    let changes = history::changes_of(&mut tx, &Scope::Everything, device.one.device).await.unwrap();
    assert!(changes.iter().any(|row| row.change.after.as_deref() == Some("285002")), "{changes:?}");
}

async fn the_sweep_judges_by_the_same_history(test: &TestStore) {
    let device = Device::new(test).await;
    device.reports(0, 3).await;
    let before = device.reports(5, 4).await;
    assert_eq!(before, (Verdict::Failing, vec![FlagCode::DriveFailing]));
    let mut tx = test.store.write().await.unwrap();
    review::device(&mut tx, device.one.device, &Policy::default(), at(6, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(device.stands().await, before);
}

/// smartctl is killed after 20 s, for a dying drive hangs its bus: the drive is then listed without figures. Its flag was
/// cleared, receivers were told so, and the laptop was to be lent again.
async fn a_drive_that_stops_answering_stays_what_it_was(test: &TestStore) {
    let device = Device::new(test).await;
    let policy = Policy::default();
    device.reports(0, 3).await;
    assert_eq!(device.reports(5, 9).await, (Verdict::Failing, vec![FlagCode::DriveFailing]));
    let mut silent = with_errors(0);
    silent.drives[0].nvme = None;
    silent.drives[0].self_assessment = None;
    let says = async |day: i64, report: HealthReport| {
        let report = envelope(u64::try_from(day + 1_000).unwrap(), at(day, 0, 0), report);
        device.running.ingest.check_in(device.one.check_in(at(day, 0, 0), vec![report])).await.unwrap();
        let mut tx = test.store.read().await.unwrap();
        let advice = advice::of_device(&mut tx, device.one.device, &policy, at(day, 1, 0)).await.unwrap().unwrap();
        drop(tx);
        (device.stands().await, advice.disposition)
    };
    let stays = ((Verdict::Unknown, vec![FlagCode::DriveFailing]), Disposition::Repair);
    assert_eq!(says(6, silent.clone()).await, stays, "nothing was read of it, and nothing is better");
    let mut tx = test.store.write().await.unwrap();
    review::device(&mut tx, device.one.device, &policy, at(7, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(device.stands().await, stays.0, "a sweep says so too");
    // Another drive took its place: nothing is left of the old one.
    silent.drives[0].serial_number = SerialNumber::parse("91FPC0A0NEW1").into();
    assert_eq!(says(8, silent).await, ((Verdict::Unknown, vec![]), Disposition::Relend));
}

/// Two errors, a reading without figures, forty errors: that was "worn", as if forty had always stood there.
async fn one_missed_reading_hides_no_growth(test: &TestStore) {
    let device = Device::new(test).await;
    device.reports(0, 2).await;
    let mut silent = with_errors(0);
    silent.drives[0].nvme = None;
    let report = envelope(1_001, at(1, 0, 0), silent);
    device.running.ingest.check_in(device.one.check_in(at(1, 0, 0), vec![report])).await.unwrap();
    assert_eq!(device.reports(2, 40).await, (Verdict::Failing, vec![FlagCode::DriveFailing]));
    let mut tx = test.store.write().await.unwrap();
    review::device(&mut tx, device.one.device, &Policy::default(), at(3, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(device.stands().await.0, Verdict::Failing, "the sweep reads the same from what is stored");
}

/// Three reports, each with the day on which it was made and its errors: they rose once.
const RISEN: [(i64, u64); 3] = [(0, 3), (10, 5), (20, 5)];

async fn the_order_of_reports_in_a_check_in_does_not_matter(test: &TestStore) {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let device = Device::new(test).await;
        let told = device.brings(20, &order.map(|place: usize| RISEN[place])).await;
        assert_eq!(told, (Verdict::Failing, vec![FlagCode::DriveFailing]), "{order:?}");
        let mut tx = test.store.read().await.unwrap();
        let changes = history::changes_of(&mut tx, &Scope::Everything, device.one.device).await.unwrap();
        drop(tx);
        let rises: Vec<_> = changes.iter().filter(|row| row.change.path.ends_with("media_errors")).collect();
        assert_eq!(rises.len(), 1, "{order:?}: {changes:?}");
        let (before, after) = (rises[0].change.before.as_deref(), rises[0].change.after.as_deref());
        assert_eq!((before, after), (Some("3"), Some("5")), "{order:?}");
        device.running.stop().await;
    }
}

async fn a_rise_that_only_a_report_after_a_newer_one_shows_is_not_told(test: &TestStore) {
    let (risen, standing) = ((Verdict::Failing, FlagCode::DriveFailing), (Verdict::Worn, FlagCode::DriveWorn));
    for (order, (verdict, flag)) in [
        ([0_usize, 1, 2], risen),
        ([0, 2, 1], risen),
        // The report before the rise comes too late to be history: what is known is five errors that stand.
        ([1, 0, 2], standing),
        ([1, 2, 0], standing),
        ([2, 0, 1], standing),
        ([2, 1, 0], standing),
    ] {
        let device = Device::new(test).await;
        let mut told = Vec::new();
        for (received, place) in (21..).zip(order) {
            told.push(device.brings(received, &[RISEN[place]]).await);
        }
        assert_eq!(told.last(), Some(&(verdict, vec![flag])), "{order:?}: {told:?}");
        device.running.stop().await;
    }
}
