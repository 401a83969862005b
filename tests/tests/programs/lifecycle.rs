//! One agent's life on this computer: enrolled, heard, revoked, refused, and able to say so in plain words.

#![cfg(target_os = "linux")]

use cartable_tests::harness::{Cartable, http::hidden_field};
use serde_json::Value;

async fn device(cartable: &Cartable, id: &str) -> Value {
    cartable.api().unwrap().get(&format!("/api/v1/devices/{id}")).await.unwrap()
}

/// As an administrator does: the form on the device's page.
async fn revoke_in_console(cartable: &Cartable, id: &str) {
    let visitor = cartable.visitor().await.unwrap();
    let page = visitor.get(&format!("/devices/{id}")).await.unwrap();
    let csrf = hidden_field(&page.html, "csrf").expect("the page has a form");
    let fields = [("csrf", csrf.as_str()), ("status", "revoked"), ("reason", "perdu dans le bus")];
    let answer = visitor.post(&format!("/devices/{id}/status"), &fields).await.unwrap();
    assert!(answer.status.is_redirection(), "{}: {}", answer.status, answer.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_enrolled_heard_revoked_refused_and_says_so() {
    let cartable = Cartable::start().unwrap();
    let agent = cartable.enrolled_agent("agent").unwrap();
    let id = agent.device_id().unwrap();
    assert_eq!(device(&cartable, &id).await["status"], "active");

    agent.once().unwrap();
    let heard = device(&cartable, &id).await;
    assert!(!heard["health"].is_null(), "{heard}");

    revoke_in_console(&cartable, &id).await;
    assert_eq!(device(&cartable, &id).await["status"], "revoked");
    let refused = agent.once().unwrap_err().to_string();
    assert!(refused.to_lowercase().contains("refus"), "{refused}");

    let told = agent.status().unwrap();
    assert!(told.to_lowercase().contains("refus"), "the status does not say that it is refused: {told}");
    assert_eq!(agent.device_id().unwrap(), id, "a refused agent keeps its identity");
}
