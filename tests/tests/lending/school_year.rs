//! A simulated school year ends with every device accounted for, the expected flags and no other at each checkpoint,
//! and each hand-over and return confirmed once. The benchmark `school_year` passes it with 21,000 devices.

use cartable_tests::{school_year, stores::TestStore};

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_devices_pass_a_year_on_sqlite() {
    let test = TestStore::sqlite().await.unwrap();
    school_year::pass(&test.store, test.url(), 2_000).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_devices_pass_a_year_on_postgres() {
    let test = TestStore::postgres().await.unwrap();
    school_year::pass(&test.store, test.url(), 200).await.unwrap();
}
