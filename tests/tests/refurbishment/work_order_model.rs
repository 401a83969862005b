//! Work orders against a small model, on both engines: whatever is tried in whatever order by whom, the store allows
//! exactly what the model allows, and says the same of where each device is; also when units of work meet.

use std::collections::BTreeMap;

use cartable_common::{DeviceId, UtcMillis};
use cartable_server::{
    clock,
    domain::{
        loan::Condition,
        part::{NewPart, PartKind},
        policy::Policy,
        scope::Scope,
    },
    store::{
        Store,
        lending::{self, Clerk, Handing, Lending, LendingError},
        part, work_order,
        work_order_act::{Bench, WorkError},
    },
};
use cartable_tests::{
    on_both_engines,
    raw::Raw,
    school::School,
    stores::TestStore,
    work_model::{Known, Step, TRIES, Try, a_move},
};
use proptest::{
    collection::vec,
    option,
    strategy::{Strategy, ValueTree as _},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use uuid::Uuid;

on_both_engines! {
    whatever_is_tried_the_store_and_the_model_agree,
    units_of_work_that_meet_open_one_order_and_use_no_part_twice,
}

const SEQUENCES: usize = 60;
/// Pieces in stock at the beginning of a sequence.
const PIECES: i64 = 2;

/// Somebody who tries something: anything, or what would take the unit on just then, so that long lives are seen too.
#[derive(Clone, Copy, Debug)]
struct Wish {
    step: Step,
    sensible: Option<usize>,
}

impl Wish {
    fn of(self, known: &Known, pieces: i64) -> Step {
        let onward = known.onward(pieces);
        let what = self.sensible.and_then(|which| onward.get(which % onward.len().max(1)));
        Step { what: *what.unwrap_or(&self.step.what), ..self.step }
    }
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let sensible = option::weighted(0.7, 0usize..TRIES.len() * TRIES.len());
    vec(
        (0..TRIES.len(), 0usize..2, 0usize..2, sensible).prop_map(|(number, clerk, device, sensible)| Wish {
            step: Step { what: TRIES[number], clerk, device },
            sensible,
        }),
        30..120,
    )
}

/// Sites, clerks and a policy: made once.
struct World {
    store: Store,
    schools: [School; 2],
    scopes: [Scope; 2],
    policy: Policy,
}

impl World {
    async fn new(test: &TestStore) -> Self {
        let now = clock::now();
        let schools = [
            School::found(&test.store, 1, 1, now).await.unwrap(),
            School::found(&test.store, 2, 1, now).await.unwrap(),
        ];
        let scopes = [Scope::Everything, Scope::Sites(vec![schools[0].site])];
        Self { store: test.store.clone(), schools, scopes, policy: Policy::default() }
    }

    async fn device(&self, school: usize) -> DeviceId {
        let label = Uuid::new_v4().simple().to_string();
        self.schools[school].stock(&self.store, &[label], clock::now()).await.unwrap()[0]
    }

    async fn part(&self, count: i64) -> Uuid {
        let id = Uuid::now_v7();
        let mut tx = self.store.write().await.unwrap();
        let new = NewPart::new(PartKind::Keyboard, "thinkpad l13", 2500, count).unwrap();
        part::insert(&mut tx, id, &new, None, clock::now()).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    fn clerk(&self, index: usize, now: UtcMillis) -> Clerk<'_> {
        Clerk { actor: ["anne", "bruno"][index], token: None, scope: &self.scopes[index], policy: &self.policy, now }
    }

    /// Takes the step in a unit of work of its own; false when it is refused.
    async fn take(&self, step: Step, id: DeviceId, part: Uuid, now: UtcMillis) -> bool {
        if matches!(step.what, Try::Lend | Try::Return) {
            return self.lend(step, id, now).await;
        }
        let mut bench = Bench::begin(&self.store, self.clerk(step.clerk, now)).await.unwrap();
        // What a page would have shown somebody without limits.
        let newest = work_order::newest_of_device(bench.tx(), &Scope::Everything, id).await.unwrap();
        let order = newest.map_or_else(Uuid::nil, |order| order.id);
        let done = match step.what {
            Try::TakeIn => bench.take_in(id).await.map(drop),
            Try::Waive => bench.waive_erasure(order, "pas de disque").await.map(drop),
            Try::UsePart => bench.use_part(order, part, Uuid::now_v7()).await.map(drop),
            Try::Harvest => {
                let new = NewPart::new(PartKind::Keyboard, "", 0, 1).unwrap();
                bench.harvest(order, (Uuid::now_v7(), &new), None).await
            }
            other => bench.take(order, a_move(other).unwrap()).await.map(drop),
        };
        // A refusal leaves nothing behind, even when the unit of work goes on.
        bench.commit().await.unwrap();
        match done {
            Ok(()) => true,
            Err(WorkError::Refused(_)) => false,
            Err(error) => panic!("{step:?}: {error}"),
        }
    }

    async fn lend(&self, step: Step, id: DeviceId, now: UtcMillis) -> bool {
        let school = &self.schools[step.device];
        let mut lending = Lending::begin(&self.store, self.clerk(step.clerk, now)).await.unwrap();
        let wish = lending::Wish { device: id, borrower: school.borrowers[0].id, programme: school.programme };
        let done = if step.what == Try::Lend {
            lending.lend(wish, Handing::default()).await.map(drop)
        } else {
            lending.take_back_device(id, Condition::Good, &[]).await.map(drop)
        };
        lending.commit().await.unwrap();
        match done {
            Ok(()) => true,
            Err(LendingError::Refused(_)) => false,
            Err(error) => panic!("{step:?}: {error}"),
        }
    }
}

/// What stands against a device in the database: where it is, its newest order's stage, and how many are open.
async fn stored(raw: &mut Raw, id: DeviceId) -> (String, String, i64) {
    let device = raw.uuid(id.0);
    let at = raw.texts(&format!("SELECT lending_state FROM device WHERE id = {device}")).await.unwrap().remove(0);
    let newest =
        format!("SELECT stage FROM work_order WHERE device_id = {device} ORDER BY opened_at DESC, id DESC LIMIT 1");
    let newest = raw.texts(&newest).await.unwrap().pop().unwrap_or_default();
    let open = format!("SELECT count(*) FROM work_order WHERE device_id = {device} AND stage <> 'closed'");
    (at, newest, raw.number(&open).await.unwrap())
}

async fn whatever_is_tried_the_store_and_the_model_agree(test: &TestStore) {
    let world = World::new(test).await;
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let mut taken = BTreeMap::<Try, [u32; 2]>::new();
    for _ in 0..SEQUENCES {
        let wishes = wishes().new_tree(&mut runner).unwrap().current();
        let mut so_far = Vec::with_capacity(wishes.len());
        let devices = [world.device(0).await, world.device(1).await];
        let part = world.part(PIECES).await;
        let (mut known, mut pieces) = ([Known::in_stock(), Known::in_stock()], PIECES);
        let began = clock::now();
        for (number, wish) in wishes.iter().enumerate() {
            let step = wish.of(&known[wish.step.device], pieces);
            so_far.push(step);
            let id = devices[step.device];
            let allowed = known[step.device].take(step, &mut pieces);
            let now = began.plus_millis(i64::try_from(number).unwrap() * 1000);
            let done = world.take(step, id, part, now).await;
            assert_eq!(done, allowed, "step {number}: {:?} after {:?} of {so_far:?}", step.what, known[step.device]);
            taken.entry(step.what).or_default()[usize::from(done)] += 1;
            let (at, stage, open) = stored(&mut raw, id).await;
            assert_eq!((at.as_str(), stage.as_str()), (known[step.device].at.as_str(), known[step.device].stored()));
            assert_eq!(open, i64::from(at == "refurbishment"), "step {number} of {so_far:?}");
        }
        let count = format!("SELECT count FROM part WHERE id = {}", raw.uuid(part));
        assert_eq!(raw.number(&count).await.unwrap(), pieces);
    }
    assert_eq!(taken.len(), TRIES.len());
    // But for a gift: every erasure is waived here, and a waiver opens none. One after a proof is `browser_refurbishment`'s.
    let seen = |(what, [refused, done]): (&Try, &[u32; 2])| *refused > 0 && (*done > 0) == (*what != Try::Donate);
    assert!(taken.iter().all(seen), "each act is seen both ways: {taken:?}");
    let acts = "SELECT count(*) FROM audit WHERE object_kind = 'work_order'";
    let events = raw.number("SELECT count(*) FROM work_order_event").await.unwrap();
    assert_eq!(raw.number(acts).await.unwrap(), events, "each step leaves one row in the audit");
    let graded = "SELECT count(*) FROM device d JOIN work_order w ON w.device_id = d.id WHERE w.stage = 'closed' \
                  AND w.disposition = 'relend' AND d.lending_state = 'in_stock' AND d.grade IS NULL";
    assert_eq!(raw.number(graded).await.unwrap(), 0, "what is back in stock has its grade");
}

async fn units_of_work_that_meet_open_one_order_and_use_no_part_twice(test: &TestStore) {
    let world = std::sync::Arc::new(World::new(test).await);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let part = world.part(3).await;
    let mut devices = vec![];
    for _ in 0..6 {
        devices.push(world.device(0).await);
    }
    let race = async |what: Try, devices: Vec<DeviceId>| {
        let mut tasks = vec![];
        for id in devices {
            let world = std::sync::Arc::clone(&world);
            let step = Step { what, clerk: 0, device: 0 };
            tasks.push(tokio::spawn(async move { world.take(step, id, part, clock::now()).await }));
        }
        let mut won = 0;
        for task in tasks {
            won += u32::from(task.await.unwrap());
        }
        won
    };
    race(Try::TakeIn, vec![devices[0]; 6]).await;
    assert_eq!(stored(&mut raw, devices[0]).await, ("refurbishment".into(), "intake".into(), 1), "one order");
    race(Try::TakeIn, devices.clone()).await;
    for what in [Try::Begin, Try::InspectFaulty, Try::Waive, Try::Repair] {
        assert_eq!(race(what, devices.clone()).await, 6, "{what:?}");
    }
    assert_eq!(race(Try::UsePart, devices.clone()).await, 3, "three pieces serve three units");
    assert_eq!(raw.number(&format!("SELECT count FROM part WHERE id = {}", raw.uuid(part))).await.unwrap(), 0);
    assert_eq!(raw.number("SELECT count(*) FROM part_use").await.unwrap(), 3);
    assert_eq!(race(Try::Reinstall, vec![devices[0]; 6]).await, 1, "one of six moves it on");
}
