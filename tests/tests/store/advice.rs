//! What devices should become, kept beside them: decided after a report, again when the policy, the grade or the day
//! changes, counted and listed within what a person sees; and another policy tried on the whole fleet.

use std::collections::BTreeMap;

use cartable_common::{Bytes, MilliwattHours, Text, UtcMillis, report::Battery, report::HealthReport, report::Switch};
use cartable_server::{
    domain::{
        disposition::{Confidence, Disposition, disposition_of},
        loan::Condition,
        policy::Policy,
        scope::Scope,
    },
    jobs::flag_sweep,
    store::{
        Tx,
        advice::{self, kept},
        advice_list::{self, AdviceQuery},
        lending::{Clerk, Lending},
        work_order_act::Bench,
    },
};
use cartable_tests::{
    donation,
    fleet::{Enrolled, RunningIngest, at, enrol, envelope, laptop},
    on_both_engines,
    raw::Raw,
    school::School,
    stores::TestStore,
    work_model::{Try, a_move},
};
use tokio_util::sync::CancellationToken;

on_both_engines! {
    a_report_is_decided_about_and_a_new_one_again,
    what_staff_found_counts_while_the_unit_is_on_the_bench,
    every_decision_names_its_policy_and_a_new_policy_decides_anew,
    what_is_gone_is_neither_listed_nor_counted,
    a_scope_sees_its_own_devices_alone,
    another_policy_is_tried_on_every_device_and_changes_none,
}

/// A laptop that takes Windows 11, with that much of its battery left.
fn report(left: u32) -> HealthReport {
    let mut report = laptop(50);
    report.processor.model = Text::meaningful("Intel(R) Core(TM) i5-1135G7 @ 2.40GHz");
    report.operating_system.architecture = Text::meaningful("x86_64");
    report.memory.total_bytes = Bytes::new(8_000_000_000);
    report.firmware.secure_boot = Some(Switch::On);
    report.firmware.tpm_version = Some(2);
    report.batteries = vec![Battery {
        full_milliwatt_hours: MilliwattHours::new(left * 500),
        design_milliwatt_hours: MilliwattHours::new(50_000),
        ..Battery::default()
    }];
    report
}

async fn sweep(test: &TestStore, policy: &Policy, now: UtcMillis) {
    flag_sweep::run(&test.store, policy, now, &CancellationToken::new()).await.unwrap();
}

async fn says(test: &TestStore, one: Enrolled, now: UtcMillis, sequence: u64, left: u32) {
    let running = RunningIngest::start(&test.store);
    let reports = vec![envelope(sequence, now, report(left))];
    running.ingest.check_in(one.check_in(now, reports)).await.unwrap();
    running.stop().await;
}

async fn decided(test: &TestStore, one: Enrolled) -> Option<(Disposition, UtcMillis)> {
    let mut tx = test.store.read().await.unwrap();
    kept(&mut tx, one.device).await.unwrap().map(|kept| (kept.disposition, kept.since))
}

async fn a_report_is_decided_about_and_a_new_one_again(test: &TestStore) {
    let policy = Policy::default();
    let one = enrol(&test.store, test.url(), None, at(-30, 0, 0)).await.unwrap();
    assert_eq!(decided(test, one).await, None, "nothing is decided before the first sweep");
    says(test, one, at(0, 0, 0), 1, 90).await;
    sweep(test, &policy, at(0, 0, 5)).await;
    assert_eq!(decided(test, one).await, Some((Disposition::Relend, at(0, 0, 5))));
    sweep(test, &policy, at(0, 0, 10)).await;
    assert_eq!(decided(test, one).await, Some((Disposition::Relend, at(0, 0, 5))), "the same stands since then");
    says(test, one, at(0, 1, 0), 2, 70).await;
    sweep(test, &policy, at(0, 1, 5)).await;
    assert_eq!(decided(test, one).await, Some((Disposition::Repair, at(0, 1, 5))));
    // The page of the device reads anew, and says the same with everything it rests on.
    let mut tx = test.store.read().await.unwrap();
    let advice = advice::of_device(&mut tx, one.device, &policy, at(0, 1, 5)).await.unwrap().unwrap();
    assert_eq!(advice.disposition, Disposition::Repair);
    assert!(advice.reasons[0].value.en.contains("70%"), "{:?}", advice.reasons);
    assert_eq!(advice.evidence_at, Some(at(0, 1, 0)));
    drop(tx);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    raw.execute("UPDATE device SET grade = 'D'").await.unwrap();
    sweep(test, &policy, at(0, 1, 10)).await;
    let mut tx = test.store.read().await.unwrap();
    let advice = advice::of_device(&mut tx, one.device, &policy, at(0, 1, 10)).await.unwrap().unwrap();
    let page = advice_list::list(&mut tx, &Scope::Everything, &AdviceQuery::default()).await.unwrap();
    assert_eq!(i64::from(advice.cost.euros), page.rows[0].cost_euros, "a grade is decided about without a new report");
    assert_eq!(page.rows[0].disposition, advice.disposition);
}

/// A unit that came back dead was "repair" in the intake and "relend" as soon as it was scanned into the workshop.
async fn what_staff_found_counts_while_the_unit_is_on_the_bench(test: &TestStore) {
    let (policy, scope) = (Policy::default(), Scope::Everything);
    let school = School::found(&test.store, 1, 2, at(-60, 0, 0)).await.unwrap();
    let mut units = Vec::new();
    for _ in 0..2 {
        let one = enrol(&test.store, test.url(), Some(school.site), at(-30, 0, 0)).await.unwrap();
        says(test, one, at(0, 0, 0), 1, 90).await;
        units.push(one);
    }
    let [dead, fine] = units[..] else { panic!("two units") };
    school.lend(&test.store, &[dead.device, fine.device], at(0, 1, 0)).await.unwrap();
    let clerk = |now| Clerk { actor: "test", token: None, scope: &scope, policy: &policy, now };
    let mut lending = Lending::begin(&test.store, clerk(at(1, 0, 0))).await.unwrap();
    for (unit, condition) in [(dead, Condition::NotWorking), (fine, Condition::Good)] {
        lending.take_back_device(unit.device, condition, &[]).await.unwrap();
    }
    lending.commit().await.unwrap();
    let advised = async |now: UtcMillis| {
        sweep(test, &policy, now).await;
        let of = async |one: Enrolled| decided(test, one).await.unwrap().0;
        (of(dead).await, of(fine).await)
    };
    let (repair, relend) = (Disposition::Repair, Disposition::Relend);
    assert_eq!(advised(at(1, 0, 5)).await, (repair, relend), "in the intake");
    let mut bench = Bench::begin(&test.store, clerk(at(1, 1, 0))).await.unwrap();
    let orders = [bench.take_in(dead.device).await.unwrap().0.id, bench.take_in(fine.device).await.unwrap().0.id];
    bench.commit().await.unwrap();
    assert_eq!(advised(at(1, 1, 5)).await, (repair, relend), "scanned into the workshop");
    let mut bench = Bench::begin(&test.store, clerk(at(1, 2, 0))).await.unwrap();
    for (order, found) in orders.into_iter().zip([Try::InspectClean, Try::InspectFaulty]) {
        for step in [Try::Begin, found] {
            bench.take(order, a_move(step).unwrap()).await.unwrap();
        }
    }
    bench.commit().await.unwrap();
    assert_eq!(advised(at(1, 2, 5)).await, (relend, repair), "an inspection stands above what the desk noted");
    let mut bench = Bench::begin(&test.store, clerk(at(1, 3, 0))).await.unwrap();
    bench.take(orders[0], a_move(Try::Quarantine).unwrap()).await.unwrap();
    bench.commit().await.unwrap();
    assert_eq!(advised(at(1, 3, 5)).await, (repair, repair), "a swollen battery is not lent");
    let mut tx = test.store.read().await.unwrap();
    let advice = advice::of_device(&mut tx, dead.device, &policy, at(1, 3, 5)).await.unwrap().unwrap();
    assert!(advice.reasons.iter().any(|reason| reason.value.en == "swollen"), "{:?}", advice.reasons);
}

async fn every_decision_names_its_policy_and_a_new_policy_decides_anew(test: &TestStore) {
    let one = enrol(&test.store, test.url(), None, at(-30, 0, 0)).await.unwrap();
    says(test, one, at(0, 0, 0), 1, 70).await;
    let mut lenient = Policy::default();
    lenient.battery.relend_percent = 65;
    for (policy, expected, now) in
        [(Policy::default(), Disposition::Repair, at(0, 0, 5)), (lenient, Disposition::Relend, at(0, 0, 10))]
    {
        sweep(test, &policy, now).await;
        let mut tx = test.store.read().await.unwrap();
        let kept = kept(&mut tx, one.device).await.unwrap().unwrap();
        assert_eq!((kept.disposition, kept.policy_version.as_str()), (expected, policy.version().as_str()));
        let (settings, first) = advice::policy_version(&mut tx, &kept.policy_version).await.unwrap().unwrap();
        assert_eq!(first, now);
        assert!(settings.contains(&format!("relend_percent = {}\n", policy.battery.relend_percent)), "{settings}");
    }
}

async fn what_is_gone_is_neither_listed_nor_counted(test: &TestStore) {
    let policy = Policy::default();
    let mut devices = Vec::new();
    for _ in 0..3 {
        devices.push(enrol(&test.store, test.url(), None, at(-30, 0, 0)).await.unwrap().device);
    }
    let people = donation::people(&test.store, at(-9, 0, 0)).await.unwrap();
    devices.push(people.ready(&test.store, "PF2GIVEN", at(-8, 0, 0)).await.unwrap());
    sweep(test, &policy, at(0, 0, 0)).await;
    let counted = async |tx: &mut Tx| -> i64 {
        let counts = advice_list::counts(tx, &Scope::Everything).await.unwrap();
        counts.iter().map(|count| count.devices).sum()
    };
    let before = counted(&mut test.store.read().await.unwrap()).await;
    assert!(before >= 3, "{before}");
    people.give(&test.store, &devices[3..], at(1, 0, 0)).await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    for (device, change) in devices.iter().zip(["archived_at = 1", "lending_state = 'lost'"]) {
        let id = raw.uuid(device.0);
        raw.execute(&format!("UPDATE device SET {change} WHERE id = {id}")).await.unwrap();
    }
    let mut tx = test.store.read().await.unwrap();
    let page = advice_list::list(&mut tx, &Scope::Everything, &AdviceQuery::default()).await.unwrap();
    assert_eq!(page.rows.iter().map(|row| row.device).collect::<Vec<_>>(), [devices[2]]);
    assert_eq!(page.rows[0].confidence, Confidence::Low, "nothing was read of it");
    for gone in [devices[0], devices[1], devices[3]] {
        assert_eq!(advice::of_device(&mut tx, gone, &policy, at(1, 0, 0)).await.unwrap(), None);
    }
    assert_eq!(counted(&mut tx).await, before, "as the last sweep counted: no page counts the fleet");
    drop(tx);
    sweep(test, &policy, at(1, 0, 5)).await;
    let mut tx = test.store.read().await.unwrap();
    assert_eq!(counted(&mut tx).await, 1);
    assert_eq!(advice_list::oldest(&mut tx, &Scope::Everything).await.unwrap(), Some(at(1, 0, 5)));
    assert_eq!(advice_list::oldest(&mut tx, &Scope::Sites(vec![])).await.unwrap(), None);
}

async fn a_scope_sees_its_own_devices_alone(test: &TestStore) {
    let policy = Policy::default();
    let here = School::found(&test.store, 1, 0, at(-60, 0, 0)).await.unwrap();
    let there = School::found(&test.store, 2, 0, at(-60, 0, 0)).await.unwrap();
    for (site, left, count) in [(here.site, 90, 3), (there.site, 70, 2)] {
        for _ in 0..count {
            let one = enrol(&test.store, test.url(), Some(site), at(-30, 0, 0)).await.unwrap();
            says(test, one, at(0, 0, 0), 1, left).await;
        }
    }
    sweep(test, &policy, at(0, 0, 5)).await;
    let mut tx = test.store.read().await.unwrap();
    let of = async |tx: &mut Tx, scope: &Scope| {
        let counts = advice_list::counts(tx, scope).await.unwrap();
        let mut totals = BTreeMap::new();
        for count in counts {
            *totals.entry(count.disposition).or_insert(0) += count.devices;
        }
        totals
    };
    let (repair, relend) = (Disposition::Repair, Disposition::Relend);
    assert_eq!(of(&mut tx, &Scope::Everything).await, BTreeMap::from([(relend, 3), (repair, 2)]));
    let scope = Scope::Sites(vec![there.site]);
    assert_eq!(of(&mut tx, &scope).await, BTreeMap::from([(repair, 2)]));
    let all = AdviceQuery { limit: 1, ..AdviceQuery::default() };
    let first = advice_list::list(&mut tx, &scope, &all).await.unwrap();
    assert_eq!(first.rows.len(), 1);
    let second = advice_list::list(&mut tx, &scope, &AdviceQuery { after: first.next, ..all }).await.unwrap();
    assert_eq!((second.rows.len(), second.next), (1, None));
    assert_ne!(first.rows[0].device, second.rows[0].device);
    let foreign = AdviceQuery { site: Some(here.site), ..AdviceQuery::default() };
    assert!(advice_list::list(&mut tx, &scope, &foreign).await.unwrap().rows.is_empty());
    let repaired = AdviceQuery { disposition: Some(repair), ..AdviceQuery::default() };
    assert_eq!(advice_list::list(&mut tx, &Scope::Everything, &repaired).await.unwrap().rows.len(), 2);
}

async fn another_policy_is_tried_on_every_device_and_changes_none(test: &TestStore) {
    let (policy, now) = (Policy::default(), at(0, 0, 5));
    for left in [90, 75, 70, 40] {
        let one = enrol(&test.store, test.url(), None, at(-30, 0, 0)).await.unwrap();
        says(test, one, at(0, 0, 0), 1, left).await;
    }
    sweep(test, &policy, now).await;
    let asked = [("battery.relend_percent".to_owned(), "72".to_owned())];
    let (next, lines) = policy.with_values(&asked).unwrap();
    assert_eq!(lines, "[battery]\nrelend_percent = 72\n");
    let mut tx = test.store.read().await.unwrap();
    let facts = advice_list::facts(&mut tx, &Scope::Everything, uuid::Uuid::nil(), 100).await.unwrap();
    assert_eq!(facts.len(), 4);
    let moved = facts.iter().filter(|(_, facts)| {
        disposition_of(facts, &policy, now) == Disposition::Repair
            && disposition_of(facts, &next, now) == Disposition::Relend
    });
    assert_eq!(moved.count(), 1, "the one at 75 %");
    // What is kept is enough to decide as a whole report does.
    for (id, facts) in &facts {
        let kept = kept(&mut tx, cartable_common::DeviceId(*id)).await.unwrap().unwrap();
        assert_eq!(kept.disposition, disposition_of(facts, &policy, now));
    }
}
