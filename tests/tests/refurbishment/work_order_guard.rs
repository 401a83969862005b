//! SQL written by hand is refused what `domain::work_order` refuses, on both engines: a step that an order cannot take, a
//! device that is elsewhere than its order says, and any change of what was found, claimed and done.

use std::collections::BTreeSet;

use cartable_common::{DeviceId, UtcMillis};
use cartable_server::{
    clock,
    domain::{
        part::{NewPart, PartKind},
        policy::Policy,
        scope::Scope,
        work_order::{ErasureState, Missing, Move, Stage, WorkOrder},
    },
    store::{
        Store,
        lending::Clerk,
        part,
        work_order_act::{Bench, Refused, WorkError},
    },
};
use cartable_tests::{
    on_both_engines,
    raw::Raw,
    school::School,
    stores::TestStore,
    work_model::{TRIES, Try, a_move},
};
use uuid::Uuid;

on_both_engines! {
    the_database_takes_the_steps_of_the_domain_and_no_other,
    sql_written_by_hand_is_refused_what_the_domain_refuses,
    a_device_is_where_its_order_says,
    what_was_found_claimed_and_done_is_not_rewritten,
    parts_go_where_they_may,
}

/// A workshop with its school.
struct World {
    store: Store,
    school: School,
    policy: Policy,
}

/// A unit and its order.
#[derive(Clone, Copy)]
struct Unit {
    device: DeviceId,
    order: Uuid,
}

impl World {
    async fn new(test: &TestStore) -> Self {
        let school = School::found(&test.store, 1, 1, clock::now()).await.unwrap();
        Self { store: test.store.clone(), school, policy: Policy::default() }
    }

    async fn device(&self) -> DeviceId {
        let label = Uuid::new_v4().simple().to_string();
        self.school.stock(&self.store, &[label], clock::now()).await.unwrap()[0]
    }

    async fn bench(&self) -> Bench<'_> {
        let clerk =
            Clerk { actor: "anne", token: None, scope: &Scope::Everything, policy: &self.policy, now: clock::now() };
        Bench::begin(&self.store, clerk).await.unwrap()
    }

    /// A unit whose order took these steps, its erasure waived.
    async fn unit(&self, steps: &[Try]) -> Unit {
        let device = self.device().await;
        let mut bench = self.bench().await;
        let order = bench.take_in(device).await.unwrap().0.id;
        bench.waive_erasure(order, "pas de disque").await.unwrap();
        for step in steps {
            bench.take(order, a_move(*step).unwrap()).await.unwrap();
        }
        bench.commit().await.unwrap();
        Unit { device, order }
    }
}

/// The steps to each stage.
const WAYS: [(&str, &[Try]); 10] = [
    ("intake", &[]),
    ("inspection", &[Try::Begin]),
    ("erasure", &[Try::Begin, Try::InspectClean]),
    ("repair", &[Try::Begin, Try::InspectClean, Try::Repair]),
    ("reinstallation", &[Try::Begin, Try::InspectClean, Try::Reinstall]),
    ("final_test", &[Try::Begin, Try::InspectClean, Try::Reinstall, Try::Installed]),
    ("grading", &[Try::Begin, Try::InspectClean, Try::Reinstall, Try::Installed, Try::TestClean]),
    ("disposition", &[Try::Begin, Try::InspectClean, Try::GiveUp]),
    ("quarantine", &[Try::Quarantine]),
    ("closed", &[Try::Begin, Try::InspectClean, Try::GiveUp, Try::Recycle]),
];

/// Every pair of stages between which the domain knows a step: found by trying everything from everywhere.
fn steps_of_the_domain() -> BTreeSet<(&'static str, &'static str)> {
    let moves: Vec<Move> = TRIES.iter().filter_map(|what| a_move(*what)).collect();
    let gates = [ErasureState::Proved, ErasureState::Missing(Missing::default())];
    let mut known = vec![WorkOrder::taken_in(Uuid::nil(), DeviceId(Uuid::nil()), UtcMillis::default())];
    let (mut next, mut pairs) = (0, BTreeSet::new());
    while let Some(order) = known.get(next).cloned() {
        next += 1;
        for (step, gate) in moves.iter().flat_map(|step| gates.iter().map(move |gate| (step, gate))) {
            let Ok(after) = order.clone().take(step.clone(), gate, UtcMillis::default()) else { continue };
            if order.position.as_str() != after.position.as_str() {
                pairs.insert((order.position.as_str(), after.position.as_str()));
            }
            let after = WorkOrder { reopened: 0, ..after };
            if !known.contains(&after) {
                known.push(after);
            }
        }
    }
    pairs
}

/// What else the columns of an order at that stage say, so that nothing but the step can be wrong.
fn columns(from: &str, to: &str) -> String {
    let grade = if matches!(to, "disposition" | "closed") { "'D'" } else { "NULL" };
    let disposition = if to == "closed" { "'recycle'" } else { "NULL" };
    let swollen = i32::from(to == "quarantine" || (from, to) == ("quarantine", "closed"));
    let gate = if from == "closed" {
        "findings = NULL, supported_grade = NULL, erasure_basis = NULL, waived_at = NULL, waived_by = NULL, \
         waiver_reason = NULL"
    } else {
        "findings = '{}', supported_grade = 'A', erasure_basis = 'waived'"
    };
    format!("stage = '{to}', grade = {grade}, disposition = {disposition}, battery_swollen = {swollen}, {gate}")
}

async fn the_database_takes_the_steps_of_the_domain_and_no_other(test: &TestStore) {
    let (world, mut raw) = (World::new(test).await, Raw::connect(test.url()).await.unwrap());
    let allowed = steps_of_the_domain();
    assert!(allowed.len() > Stage::ALL.len(), "they are found: {allowed:?}");
    for (from, way) in WAYS {
        let mut unit = world.unit(way).await;
        for (to, _) in WAYS.into_iter().filter(|(to, _)| *to != from) {
            let sql = format!("UPDATE work_order SET {} WHERE id = {}", columns(from, to), raw.uuid(unit.order));
            let done = raw.execute(&sql).await;
            assert_eq!(done.is_ok(), allowed.contains(&(from, to)), "{from} > {to}: {done:?}");
            match done {
                Ok(()) => unit = world.unit(way).await,
                Err(error) => assert!(error.to_string().contains("work_order_step"), "{from} > {to}: {error}"),
            }
        }
    }
}

async fn sql_written_by_hand_is_refused_what_the_domain_refuses(test: &TestStore) {
    let (world, mut raw) = (World::new(test).await, Raw::connect(test.url()).await.unwrap());
    // At the erasure stage, its erasure not waived.
    let device = world.device().await;
    let mut bench = world.bench().await;
    let order = bench.take_in(device).await.unwrap().0.id;
    for step in [Try::Begin, Try::InspectFaulty] {
        bench.take(order, a_move(step).unwrap()).await.unwrap();
    }
    bench.commit().await.unwrap();
    let (id, own, other) = (raw.uuid(device.0), raw.uuid(order), raw.uuid(Uuid::new_v4()));
    let insert = |stage: &str| {
        format!(
            "INSERT INTO work_order (id, device_id, opened_at, stage, since) VALUES ({other}, {id}, 0, '{stage}', 0)"
        )
    };
    assert!(raw.execute(&insert("intake")).await.is_err(), "a second open order of a device");
    for (what, why) in [
        ("stage = 'repair'", "past the erasure stage without anything"),
        ("stage = 'repair', erasure_basis = 'waived'", "a waiver that nobody put down"),
        ("stage = 'repair', erasure_basis = 'believed'", "no such basis"),
        ("stage = 'reinstallation', erasure_basis = 'proved'", "on with what does not work"),
        ("waived_at = 1, waived_by = 'x', waiver_reason = '  '", "a waiver without a reason"),
        ("waiver_reason = 'x'", "half a waiver"),
        ("stage = 'disposition', erasure_basis = 'proved'", "no grade at disposition"),
        ("stage = 'disposition', grade = 'C', erasure_basis = 'proved'", "a better grade than what was found"),
        ("battery_swollen = 1", "a swollen battery on the way"),
        ("stage = 'quarantine'", "quarantine without a reason for it"),
        ("stage = 'somewhere'", "no such stage"),
        ("grade = 'D'", "a grade before its time"),
        ("findings = NULL, supported_grade = NULL", "past the inspection without findings"),
        ("supported_grade = NULL", "findings that support nothing"),
    ] {
        assert!(raw.execute(&format!("UPDATE work_order SET {what} WHERE id = {own}")).await.is_err(), "{why}");
    }
    raw.execute(&format!("UPDATE work_order SET since = since WHERE id = {own}"))
        .await
        .expect("the order itself is sound");

    let given_up = world.unit(&[Try::Begin, Try::InspectFaulty, Try::GiveUp]).await;
    let own = raw.uuid(given_up.order);
    for (what, why) in [
        ("stage = 'closed'", "closed without a disposition"),
        ("stage = 'closed', disposition = 'relend'", "lent broken"),
        ("stage = 'closed', disposition = 'donate'", "given broken"),
        ("stage = 'closed', disposition = 'donate', grade = 'B'", "given broken, and called good"),
        ("stage = 'closed', disposition = 'parts', grade = NULL", "closed without a grade"),
        ("waiver_reason = 'another'", "another waiver"),
        ("waived_at = NULL, waived_by = NULL, waiver_reason = NULL", "the waiver taken back"),
    ] {
        assert!(raw.execute(&format!("UPDATE work_order SET {what} WHERE id = {own}")).await.is_err(), "{why}");
    }
    let swollen = world.unit(&[Try::Quarantine]).await;
    let own = raw.uuid(swollen.order);
    for what in [
        "stage = 'closed', disposition = 'parts', grade = 'D', erasure_basis = 'waived', findings = '{}', supported_grade = 'D'",
        "stage = 'closed', disposition = 'relend', grade = 'A', erasure_basis = 'waived', findings = '{}', \
         supported_grade = 'A', battery_swollen = 0",
    ] {
        assert!(raw.execute(&format!("UPDATE work_order SET {what} WHERE id = {own}")).await.is_err(), "{what}");
    }
}

async fn a_device_is_where_its_order_says(test: &TestStore) {
    let (world, mut raw) = (World::new(test).await, Raw::connect(test.url()).await.unwrap());
    let (plain, spare) = (raw.uuid(world.device().await.0), world.device().await);
    let on_bench = world.unit(&[Try::Begin]).await;
    let aside = world.unit(&[Try::Begin, Try::InspectFaulty, Try::GiveUp, Try::Parts]).await;
    let relent = world.unit(&[Try::Begin, Try::InspectFaulty, Try::GiveUp, Try::Recycle, Try::Reopen]).await;
    for (device, to) in [
        (plain.clone(), "refurbishment"),
        (plain.clone(), "set_aside"),
        (plain.clone(), "bench"),
        (raw.uuid(on_bench.device.0), "in_stock"),
        (raw.uuid(on_bench.device.0), "intake"),
        (raw.uuid(on_bench.device.0), "set_aside"),
        (raw.uuid(on_bench.device.0), "lost"),
        (raw.uuid(on_bench.device.0), "ceded"),
        (raw.uuid(relent.device.0), "in_stock"),
        (raw.uuid(aside.device.0), "in_stock"),
        (raw.uuid(aside.device.0), "intake"),
        (raw.uuid(aside.device.0), "refurbishment"),
        (raw.uuid(aside.device.0), "ceded"),
        (raw.uuid(aside.device.0), "written_off"),
    ] {
        let done = raw.execute(&format!("UPDATE device SET lending_state = '{to}' WHERE id = {device}")).await;
        assert!(done.is_err(), "{device} went to {to}");
    }
    let moved = format!("UPDATE work_order SET device_id = {plain} WHERE id = {}", raw.uuid(aside.order));
    let refused = raw.execute(&moved).await.unwrap_err().to_string();
    assert!(refused.contains("work_order_keeps_device"), "{refused}");
    // An order begins at the intake, for what is at hand.
    world.school.lend(&test.store, &[spare], clock::now()).await.unwrap();
    for (device, stage, words) in [
        (raw.uuid(spare.0), "intake", "from intake or from stock"),
        (raw.uuid(aside.device.0), "intake", "from intake or from stock"),
        (plain, "inspection", "begins at the intake"),
    ] {
        let id = raw.uuid(Uuid::new_v4());
        let sql = format!(
            "INSERT INTO work_order (id, device_id, opened_at, stage, since) VALUES ({id}, {device}, 0, '{stage}', 0)"
        );
        let refused = raw.execute(&sql).await.unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    }
}

async fn what_was_found_claimed_and_done_is_not_rewritten(test: &TestStore) {
    let (world, mut raw) = (World::new(test).await, Raw::connect(test.url()).await.unwrap());
    let unit = world.unit(&[Try::Begin, Try::InspectFaulty]).await;
    let order = raw.uuid(unit.order);
    let count = |table: &str| format!("SELECT count(*) FROM {table} WHERE order_id = {order}");
    for table in ["work_inspection", "work_order_event"] {
        let before = raw.number(&count(table)).await.unwrap();
        assert!(before > 0, "{table}");
        for sql in [
            format!("UPDATE {table} SET actor = 'nobody' WHERE order_id = {order}"),
            format!("DELETE FROM {table} WHERE order_id = {order}"),
        ] {
            let refused = raw.execute(&sql).await.unwrap_err().to_string();
            assert!(refused.contains(&format!("{table}_kept")), "{sql}: {refused}");
        }
        assert_eq!(raw.number(&count(table)).await.unwrap(), before);
    }
}

async fn parts_go_where_they_may(test: &TestStore) {
    let (world, mut raw) = (World::new(test).await, Raw::connect(test.url()).await.unwrap());
    let at_repair = world.unit(&[Try::Begin, Try::InspectFaulty, Try::Repair]).await;
    let early = world.unit(&[Try::Begin]).await;
    let recycled = world.unit(&[Try::Begin, Try::InspectFaulty, Try::GiveUp, Try::Recycle]).await;
    let (fits, wrong) = (Uuid::now_v7(), Uuid::now_v7());
    let mut bench = world.bench().await;
    for (id, model) in [(fits, ""), (wrong, "another model")] {
        let new = NewPart::new(PartKind::Battery, model, 100, 1).unwrap();
        part::insert(bench.tx(), id, &new, None, clock::now()).await.unwrap();
    }
    let refused = bench.use_part(at_repair.order, wrong, Uuid::now_v7()).await;
    assert!(matches!(refused, Err(WorkError::Refused(Refused::OtherModel))), "{refused:?}");
    bench.commit().await.unwrap();
    let (part, order) = (raw.uuid(fits), raw.uuid(early.order));
    let below = raw.execute(&format!("UPDATE part SET count = count - 2 WHERE id = {part}")).await;
    assert!(below.is_err(), "below zero");
    let id = raw.uuid(Uuid::new_v4());
    let used = format!(
        "INSERT INTO part_use (id, part_id, order_id, at, actor, count, unit_cents) VALUES ({id}, {part}, {order}, 0, 'x', 1, 0)"
    );
    let refused = raw.execute(&used).await.unwrap_err().to_string();
    assert!(refused.contains("part_use_at_repair"), "{refused}");
    for from in [early.order, at_repair.order, recycled.order] {
        let taken = format!(
            "INSERT INTO part (id, kind, origin, from_order_id, unit_cents, count, created_at) \
             VALUES ({id}, 'battery', 'harvested', {}, 0, 1, 0)",
            raw.uuid(from)
        );
        let refused = raw.execute(&taken).await.unwrap_err().to_string();
        assert!(refused.contains("part_from_what_is_for_parts"), "{refused}");
    }
    // A unit that parts were taken from is not put together again.
    let donor = world.unit(&[Try::Begin, Try::InspectFaulty, Try::GiveUp, Try::Parts]).await;
    let mut bench = world.bench().await;
    bench
        .harvest(donor.order, (Uuid::now_v7(), &NewPart::new(PartKind::Keyboard, "", 0, 1).unwrap()), None)
        .await
        .unwrap();
    bench.commit().await.unwrap();
    let reopened =
        format!("UPDATE work_order SET {} WHERE id = {}", columns("closed", "inspection"), raw.uuid(donor.order));
    let refused = raw.execute(&reopened).await.unwrap_err().to_string();
    assert!(refused.contains("parts were taken"), "{refused}");
}
