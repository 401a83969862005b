//! The workshop of a demonstration: returned devices at every stage, a stock of parts, one swollen battery.

use cartable_common::{DeviceId, UtcMillis};
use cartable_server::{
    domain::{
        grade::Grade,
        loan::LendingState,
        part::{NewPart, PartKind},
        policy::Policy,
        scope::Scope,
        work_order::{
            Disposition, Move,
            checklist::{Check, Finding, Kind},
        },
    },
    store::{
        Store, device,
        lending::Clerk,
        loan, part,
        work_order_act::{Bench, WorkError},
    },
};
use uuid::Uuid;

use crate::work_model::findings;

/// Who did it, in the orders' histories.
const ACTOR: &str = "cargo demo";
/// Returned devices of which one stays in intake: somebody must scan it.
const LEFT_IN_INTAKE: usize = 3;
/// Most devices on the benches.
const MOST: usize = 40;

/// Each step took two hours, so that no unit was on the bench before it came back.
const STEP_MILLIS: i64 = 2 * 60 * 60_000;

/// How far an order has come, and for how many days it has been there.
#[derive(Clone, Copy, Debug)]
enum Story {
    Arrived(i64),
    Inspecting(i64),
    ToErase(i64),
    InRepair(i64),
    Installing(i64),
    ToGrade(i64),
    ToDecide(i64),
    Swollen(i64),
    Relent(i64),
    ForParts(i64),
}

/// In turn; some beyond their limits.
const STORIES: [Story; 13] = [
    Story::Arrived(1),
    Story::InRepair(3),
    Story::ToErase(4),
    Story::Swollen(3),
    Story::Relent(2),
    Story::Inspecting(0),
    Story::ToDecide(3),
    Story::ForParts(2),
    // A waiver opens no donation, and no drive of a demonstration was ever erased: it waits.
    Story::ToDecide(6),
    Story::Installing(1),
    Story::ToGrade(3),
    Story::InRepair(1),
    Story::Arrived(3),
];

/// Takes returned devices in, and brings each to where its story is.
pub async fn write(store: &Store, devices: impl Iterator<Item = DeviceId>, epoch: UtcMillis) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    for (kind, cents, count) in [
        (PartKind::Battery, 4990, 12),
        (PartKind::Drive, 3890, 9),
        (PartKind::Keyboard, 2750, 6),
        (PartKind::Charger, 1990, 20),
        (PartKind::Screen, 7450, 3),
    ] {
        part::insert(&mut tx, Uuid::now_v7(), &NewPart::new(kind, "", cents, count)?, None, epoch).await?;
    }
    let mut returned = vec![];
    for id in devices {
        if loan::lending_state(&mut tx, id).await? == Some(LendingState::Intake) {
            let found = device::find(&mut tx, &Scope::Everything, id).await?;
            returned.extend(found.map(|found| (id, device::kind(&found))));
        }
    }
    tx.commit().await?;
    let on_benches = returned.iter().enumerate().filter(|(place, _)| place % LEFT_IN_INTAKE != 0).take(MOST);
    for ((_, (id, kind)), story) in on_benches.zip(STORIES.iter().cycle()) {
        tell(store, (*id, *kind), *story, epoch).await?;
    }
    Ok(())
}

async fn tell(store: &Store, (id, kind): (DeviceId, Kind), story: Story, epoch: UtcMillis) -> anyhow::Result<()> {
    let good = || findings(kind, &[]);
    let broken = || findings(kind, &[(Check::Charger, Finding::Missing), (Check::Casing, Finding::Marked)]);
    let marked = || findings(kind, &[(Check::Casing, Finding::Marked)]);
    let installed = || vec![Move::Begin, Move::Inspect(good()), Move::Reinstall];
    let tested = || {
        let mut steps = installed();
        steps.extend([Move::Installed, Move::Test(marked())]);
        steps
    };
    let with = |mut steps: Vec<Move>, more: &[Move]| {
        steps.extend_from_slice(more);
        steps
    };
    let (steps, days) = match story {
        Story::Arrived(days) => (vec![], days),
        Story::Inspecting(days) => (vec![Move::Begin], days),
        Story::ToErase(days) => (vec![Move::Begin, Move::Inspect(good())], days),
        Story::InRepair(days) => (vec![Move::Begin, Move::Inspect(broken()), Move::Repair], days),
        Story::Installing(days) => (installed(), days),
        Story::ToGrade(days) => (tested(), days),
        Story::ToDecide(days) => (with(tested(), &[Move::Grade(Grade::B)]), days),
        Story::Swollen(days) => (vec![Move::Quarantine], days),
        Story::Relent(days) => (with(tested(), &[Move::Grade(Grade::B), Move::Dispose(Disposition::Relend)]), days),
        Story::ForParts(days) => {
            let given_up = [Move::Begin, Move::Inspect(broken()), Move::GiveUp, Move::Dispose(Disposition::Parts)];
            (given_up.to_vec(), days)
        }
    };
    let last = i64::try_from(steps.len())?;
    let at = |number: i64| epoch.plus_days(-days).plus_millis((number - last) * STEP_MILLIS);
    let (scope, policy) = (Scope::Everything, Policy::default());
    let clerk = |now| Clerk { actor: ACTOR, token: None, scope: &scope, policy: &policy, now };
    let mut bench = Bench::begin(store, clerk(at(0))).await?;
    let (order, _) = bench.take_in(id).await?;
    if steps.len() > 2 {
        bench.waive_erasure(order.id, "démonstration : aucun disque réel").await?;
    }
    bench.commit().await?;
    for (number, step) in (1..).zip(steps) {
        let mut bench = Bench::begin(store, clerk(at(number))).await?;
        bench.take(order.id, step).await.map_err(|error: WorkError| anyhow::anyhow!("{story:?}: {error}"))?;
        bench.commit().await?;
    }
    Ok(())
}
