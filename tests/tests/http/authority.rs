//! The authority matrix: every route of the router × six roles and nobody × own, foreign, absent and mixed things.
//! Its rows are in `src/authority/rows_*.rs`; a route without one makes this test fail.

use cartable_server::{auth::Role, domain::scope::Scope};
use cartable_tests::{
    authority::{self, Mixed, On, Row},
    in_process::InProcess,
    on_both_engines,
    simulator::site::uai_code,
    stores::TestStore,
};

on_both_engines! {
    the_matrix_holds,
    what_another_site_may_not_see_is_not_in_its_lists,
}

async fn the_matrix_holds(test: &TestStore) {
    let wrong = authority::run(test).await.unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn every_route_has_its_row() {
    let test = TestStore::sqlite().await.unwrap();
    let wrong = authority::without_a_row(&InProcess::new(&test.store)).unwrap();
    assert!(wrong.is_empty(), "tests/src/authority/rows_*.rs: {wrong:#?}");
}

const MIXED: &[Mixed] = &[Mixed::body("borrower={foreign-borrower-reference}", 404)];
const OWN: &[Mixed] = &[Mixed::body("borrower={borrower-reference}", 404)];

#[test]
fn a_route_that_takes_several_things_has_a_mixed_request() {
    let wrong = |row: Row| row.misspelt().unwrap_or_default();
    let one = Row::new("POST /returns", "APTRF-", On::Scope, 200).sends("code={lent-device}");
    assert_eq!(wrong(one), "");
    assert!(wrong(one.bulk()).contains("has no mixed request"));
    let two = Row::new("POST /x/{device}", "A-----", On::Site, 200).sends("borrower={borrower-reference}");
    assert!(wrong(two).contains("has no mixed request"), "nobody needs to mark it");
    assert_eq!(wrong(two.mixed(MIXED)), "");
    assert!(wrong(two.mixed(OWN)).contains("names nothing foreign"));
    let marked = authority::rows().filter(|row| !row.mixed.is_empty()).count();
    assert!(marked >= 14, "the rows use it: {marked}");
}

async fn what_another_site_may_not_see_is_not_in_its_lists(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    let (one, two) = (cartable.site(1).await.unwrap(), cartable.site(2).await.unwrap());
    cartable.person("own", Role::Technician, Scope::Sites(vec![one])).await.unwrap();
    cartable.person("foreign", Role::Technician, Scope::Sites(vec![two])).await.unwrap();
    let things = authority::make(&cartable, 1).await.unwrap();
    let (own, foreign) = (cartable.token("own").await.unwrap(), cartable.token("foreign").await.unwrap());
    let uai = uai_code(96, 1);
    let names = [things.get("device"), "SECRET-SERIAL", things.get("token"), &uai];
    for list in ["/api/v1/devices", "/api/v1/flags", "/api/v1/enrolment-tokens", "/api/v1/sites"] {
        let seen = cartable.get(list, &own).await.unwrap().body;
        assert!(names.iter().any(|name| seen.contains(name)), "{list} shows its own: {seen}");
        let hidden = cartable.get(list, &foreign).await.unwrap().body;
        assert!(names.iter().all(|name| !hidden.contains(name)), "{list} shows a foreign site's: {hidden}");
    }
    let counts = cartable.get("/api/v1/overview", &foreign).await.unwrap().json();
    assert_eq!(counts["devices"], 0);
    let by_site = format!("/api/v1/devices?site={uai}");
    assert_eq!(cartable.get(&by_site, &foreign).await.unwrap().status, 400);
}
