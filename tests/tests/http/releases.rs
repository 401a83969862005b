//! Releases of the agent in the console: who offers and halts them, what a form refuses, what is recorded.

use cartable_common::AgentVersion;
use cartable_server::{
    auth::Role,
    clock,
    domain::{scope::Scope, update::PackageKind},
    store::{
        agent_package::{self, Package},
        audit,
    },
};
use cartable_tests::{in_process::InProcess, on_both_engines, stores::TestStore};

on_both_engines! {
    a_technician_offers_a_release_and_takes_it_back,
}

async fn acts(test: &TestStore) -> Vec<String> {
    let mut tx = test.store.read().await.unwrap();
    let acts = audit::list(&mut tx, None, 50).await.unwrap();
    acts.into_iter().map(|act| act.action).filter(|action| action.starts_with("agent_release.")).collect()
}

async fn a_technician_offers_a_release_and_takes_it_back(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    let tom = cartable.desk("tom", Role::Technician, Scope::Everything).await.unwrap();
    let ada = cartable.desk("ada", Role::Auditor, Scope::Everything).await.unwrap();
    assert!(tom.get("/releases").await.unwrap().body.contains("No release was taken in"));
    let package = Package {
        sha256: [1; 32],
        kind: PackageKind::Msi,
        release: AgentVersion::new(9, 1, 0),
        version: "9.1.0".to_owned(),
        architecture: "x64".to_owned(),
        from: AgentVersion::new(0, 1, 0),
        control: String::new(),
        bytes: 1,
    };
    let mut tx = test.store.write().await.unwrap();
    agent_package::add(&mut tx, &package, b"x", clock::now()).await.unwrap();
    tx.commit().await.unwrap();

    for odd in ["", "101", "-1", "ten"] {
        let refused = tom.post("/releases/9.1.0/stage", &format!("percent={odd}")).await.unwrap();
        assert!(
            refused.status == 422 && refused.body.contains("whole number from 0 to 100"),
            "{odd}: {}",
            refused.body
        );
    }
    assert_eq!(tom.post("/releases/9.2.0/stage", "percent=10").await.unwrap().status, 404);
    assert_eq!(
        tom.post("/releases/9.1.0/stage", "percent=10").await.unwrap().header("location"),
        "/releases?done=saved"
    );
    let page = tom.get("/releases").await.unwrap().body;
    assert!(page.contains("9.1.0") && page.contains("Offered") && page.contains("/releases/9.1.0/halt"), "{page}");
    let page = ada.get("/releases").await.unwrap().body;
    assert!(page.contains("9.1.0") && !page.contains("/releases/9.1.0/halt"), "who audits changes nothing: {page}");
    assert_eq!(ada.post("/releases/9.1.0/halt", "").await.unwrap().status, 403);

    assert_eq!(tom.post("/releases/9.1.0/halt", "").await.unwrap().header("location"), "/releases?done=saved");
    assert_eq!(tom.post("/releases/9.1.0/halt", "").await.unwrap().header("location"), "/releases?done=already");
    assert_eq!(tom.post("/releases/9.2.0/halt", "").await.unwrap().status, 404);
    assert_eq!(tom.post("/releases/9.1.0/stage", "percent=20").await.unwrap().status, 404, "what is halted stays so");
    assert_eq!(acts(test).await, ["agent_release.halt", "agent_release.stage"]);
    let mut tx = test.store.read().await.unwrap();
    assert!(agent_package::stages(&mut tx).await.unwrap().is_empty());
}
