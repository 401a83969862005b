//! Flags of the workshop, on both engines: what time raises and steps clear, and a part that nobody has.

use cartable_server::{
    clock,
    domain::{flag::FlagCode, policy::Policy, scope::Scope},
    jobs::flag_sweep,
    store::{flag, review},
};
use cartable_tests::{on_both_engines, stores::TestStore};
use tokio_util::sync::CancellationToken;

use crate::workshop::Workshop;

on_both_engines! {
    time_raises_flags_and_steps_clear_them,
    a_part_that_nobody_has_is_flagged_until_one_comes,
}

async fn a_part_that_nobody_has_is_flagged_until_one_comes(test: &TestStore) {
    let workshop = Workshop::new(test, 1).await;
    workshop.to_repair("CD-0001").await;
    let flagged = async || {
        let mut tx = test.store.read().await.unwrap();
        let open = flag::open_of_device(&mut tx, &Scope::Everything, workshop.devices[0]).await.unwrap();
        open.into_iter().find(|flag| flag.code == FlagCode::PartToOrder).map(|flag| flag.evidence.value)
    };
    assert_eq!(flagged().await.as_deref(), Some("keyboard"), "from the act itself");
    for (model, stands) in [("another+model", true), ("thinkpad+l13", false)] {
        let part = format!("kind=keyboard&model={model}&price=54&count=1");
        workshop.refurbisher.post("/parts", &part).await.unwrap();
        flag_sweep::run(&test.store, &Policy::default(), clock::now(), &CancellationToken::new()).await.unwrap();
        assert_eq!(flagged().await.is_some(), stands, "{model}");
    }
}

async fn time_raises_flags_and_steps_clear_them(test: &TestStore) {
    let workshop = Workshop::new(test, 1).await;
    let device = workshop.devices[0];
    let codes = async |days: i64| {
        let now = clock::now().plus_days(days);
        let mut tx = test.store.write().await.unwrap();
        review::device(&mut tx, device, &Policy::default(), now).await.unwrap();
        let open = flag::open_of_device(&mut tx, &Scope::Everything, device).await.unwrap();
        tx.commit().await.unwrap();
        let of_work = |code: &FlagCode| matches!(code, FlagCode::StageOverdue | FlagCode::ReadyUnassigned);
        open.into_iter().map(|flag| flag.code).filter(of_work).collect::<Vec<_>>()
    };
    let order = workshop.to_repair("CD-0001").await;
    assert_eq!(codes(15).await, []);
    assert_eq!(codes(17).await, [FlagCode::StageOverdue]);
    for step in ["step=reinstall", "step=installed"] {
        workshop.step(&order, step).await;
    }
    assert_eq!(codes(0).await, [], "a step clears it");
    assert_eq!(workshop.inspect(&order, &[], "").await.status, 303);
    workshop.step(&order, "step=grade&grade=A").await;
    workshop.step(&order, "step=dispose&disposition=relend").await;
    assert_eq!(codes(32).await, [FlagCode::ReadyUnassigned]);
    workshop.school.lend(&test.store, &[device], clock::now()).await.unwrap();
    assert_eq!(codes(32).await, []);
}
