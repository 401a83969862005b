//! GET /v1/roots, and which bundle an agent is told of: to anybody, on the connection for enrolment alone.

use cartable_common::{
    protocol::ROOTS_PATH,
    trust::{FIRST_BUNDLE, TrustChain},
};
use cartable_tests::{
    gateway_client::{Port, UNCHANGED},
    raw::Raw,
};
use data_encoding::BASE64;
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::Value;

on_both_engines! {
    anybody_is_given_the_chain_where_enrolment_is_and_nowhere_else,
    an_agent_that_holds_another_bundle_is_told_the_number_and_what_it_holds_is_kept,
}

async fn anybody_is_given_the_chain_where_enrolment_is_and_nowhere_else(port: Port) {
    let answer = port.connect_to_enrol().await.unwrap().get(ROOTS_PATH).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let chain: TrustChain = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(chain.bundles.len(), 1, "{chain:?}");
    let first = &chain.bundles[0];
    let root = CertificateDer::from_pem_slice(port.installation.roots_pem().unwrap().as_bytes()).unwrap();
    assert_eq!((first.number, first.roots.as_slice()), (FIRST_BUNDLE, [BASE64.encode(&root)].as_slice()));
    assert_eq!(first.signature, "", "a technician vouches for the first");

    let posted = port.connect_to_enrol().await.unwrap().post(ROOTS_PATH, b"{}").await.unwrap();
    assert_eq!(posted.outcome(), (405, "method".to_owned()));
    let (_, credentials) = port.enrolled().await.unwrap();
    let elsewhere = port.connect_as(&credentials).await.unwrap().get(ROOTS_PATH).await.unwrap();
    assert_eq!(elsewhere.outcome(), (404, "not-found".to_owned()));
}

async fn an_agent_that_holds_another_bundle_is_told_the_number_and_what_it_holds_is_kept(port: Port) {
    let (_, credentials) = port.enrolled().await.unwrap();
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    let mut connection = port.connect_as(&credentials).await.unwrap();
    let other = br#"{"agent_version":"test","sent_at":1796000000000,"trust_bundle":7}"#;
    for (body, told, kept) in [(UNCHANGED, None, 1), (&other[..], Some(1), 7), (UNCHANGED, None, 1)] {
        let answer = connection.check_in(body).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        let response: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(response.get("trust_bundle").and_then(Value::as_i64), told);
        assert_eq!(raw.number("SELECT trust_bundle FROM enrolment").await.unwrap(), kept);
    }
}
