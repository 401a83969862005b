//! What is taken from a unit that serves for parts, on both engines: no more than a unit has, nothing that was found broken
//! or gone, and into no unit that the refurbisher does not see.

use cartable_common::DeviceId;
use cartable_server::{
    auth::Role,
    clock,
    domain::{policy::Policy, scope::Scope},
    store::{lending::Clerk, work_order_act::Bench},
};
use cartable_tests::{
    in_process::InProcess,
    on_both_engines,
    pages::Pages,
    raw::Raw,
    school::School,
    stores::TestStore,
    work_model::{Try, a_move},
};
use uuid::Uuid;

on_both_engines! {
    a_unit_yields_no_more_than_it_has,
    a_foreign_unit_is_no_place_for_a_part,
}

/// A unit whose screen is broken, kept for parts.
const FOR_PARTS: [Try; 4] = [Try::Begin, Try::InspectFaulty, Try::GiveUp, Try::Parts];

/// A device of the school under that label, and the address of its order, which took these steps with its erasure waived.
async fn unit(test: &TestStore, (school, label): (&School, &str), steps: &[Try]) -> (DeviceId, String) {
    let (now, policy) = (clock::now(), Policy::default());
    let device = school.stock(&test.store, &[label.to_owned()], now).await.unwrap()[0];
    let clerk = Clerk { actor: "anne", token: None, scope: &Scope::Everything, policy: &policy, now };
    let mut bench = Bench::begin(&test.store, clerk).await.unwrap();
    let order = bench.take_in(device).await.unwrap().0.id;
    bench.waive_erasure(order, "pas de disque").await.unwrap();
    for step in steps {
        bench.take(order, a_move(*step).unwrap()).await.unwrap();
    }
    bench.commit().await.unwrap();
    (device, format!("/work-orders/{order}"))
}

/// What the workshop's page is told when somebody harvests.
async fn harvested(refurbisher: &Pages, donor: &str, fields: &str) -> String {
    let answer = refurbisher.post(&format!("{donor}/harvest"), &format!("model=&price=0&{fields}")).await.unwrap();
    answer.header("location").strip_prefix(&format!("{donor}?done=")).unwrap().to_owned()
}

async fn a_unit_yields_no_more_than_it_has(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    let school = School::found(&test.store, 1, 1, clock::now()).await.unwrap();
    let (device, donor) = unit(test, (&school, "CD-0001"), &FOR_PARTS).await;
    let rita = cartable.desk("rita", Role::Refurbisher, Scope::Everything).await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(harvested(&rita, &donor, "kind=keyboard&count=10000").await, "bench-more-than-it-has");
    assert_eq!(harvested(&rita, &donor, "kind=screen&count=1").await, "bench-found-faulty");
    assert_eq!(raw.number("SELECT count(*) FROM part").await.unwrap(), 0, "nothing of it was written");
    assert_eq!(harvested(&rita, &donor, "kind=memory&count=1").await, "saved");
    // Counted down on the shelf, which gives the unit nothing back.
    raw.execute("UPDATE part SET count = 0").await.unwrap();
    assert_eq!(harvested(&rita, &donor, "kind=memory&count=2").await, "bench-more-than-it-has");
    assert_eq!(harvested(&rita, &donor, "kind=memory&count=1").await, "saved");
    assert_eq!(harvested(&rita, &donor, "kind=memory&count=1").await, "bench-more-than-it-has");
    assert_eq!(harvested(&rita, &donor, "kind=drive&count=1").await, "saved", "nothing is known of its drives");
    let (id, device, now) = (raw.uuid(Uuid::from_u128(1)), raw.uuid(device.0), clock::now().get());
    raw.execute(&format!(
        "INSERT INTO erasure_absence (id, device_id, drive_key, reason, declared_by, declared_at) \
         VALUES ({id}, {device}, 'D1', 'détruit', 'rita', {now})"
    ))
    .await
    .unwrap();
    assert_eq!(harvested(&rita, &donor, "kind=drive&count=1").await, "bench-drives-absent");
}

async fn a_foreign_unit_is_no_place_for_a_part(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    let school = School::found(&test.store, 1, 1, clock::now()).await.unwrap();
    let (_, donor) = unit(test, (&school, "CD-0001"), &FOR_PARTS).await;
    let other = School::found(&test.store, 2, 1, clock::now()).await.unwrap();
    unit(test, (&other, "EF-0001"), &[Try::Begin, Try::InspectFaulty, Try::Repair]).await;
    let lea = cartable.desk("lea", Role::Refurbisher, Scope::Sites(vec![school.site])).await.unwrap();
    let fields = "kind=keyboard&count=1&into=EF-0001";
    assert_eq!(harvested(&lea, &donor, fields).await, "bench-no-device");
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM part").await.unwrap(), 0, "nor is it taken out");
    let rita = cartable.desk("rita", Role::Refurbisher, Scope::Everything).await.unwrap();
    assert_eq!(harvested(&rita, &donor, fields).await, "saved");
}
