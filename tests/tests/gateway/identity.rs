//! Who may speak on the device port: only the registered key of a device in service, judged anew with each request.

use std::sync::Arc;

use cartable_common::protocol::{CHECK_IN_PATH, CheckInResponse, ENROL_ALPN, ENROL_PATH, RENEW_PATH, RenewRequest};
use cartable_tests::gateway_client::{Credentials, Port, UNCHANGED, csr, enrol_request, head};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::HandshakeKind;

/// What a device's certificate says, apart from its names.
fn leaf() -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2099, 1, 1);
    params
}

/// In TLS 1.3 the client learns of its refusal with its first read: nothing but an alert may come back.
async fn is_refused(port: &Port, credentials: Option<&Credentials>) -> bool {
    let config = Arc::new(port.config(credentials, &[b"http/1.1"]).unwrap());
    let Ok(mut connection) = port.connect(&config).await else { return true };
    connection.check_in(UNCHANGED).await.is_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_good_certificate_of_this_authority_gets_through_the_handshake() {
    let port = Port::start().unwrap();
    let (_, own) = port.enrolled().await.unwrap();
    assert!(!is_refused(&port, Some(&own)).await);
    assert!(is_refused(&port, None).await, "no certificate");

    let key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let foreign = Issuer::new(ca, KeyPair::generate().unwrap());
    assert!(is_refused(&port, Some(&Credentials::signed(&leaf(), &key, &foreign).unwrap())).await, "another CA");

    let devices = port.stolen_issuer("devices").unwrap();
    let mut expired = leaf();
    expired.not_after = date_time_ymd(2021, 1, 1);
    assert!(is_refused(&port, Some(&Credentials::signed(&expired, &key, &devices).unwrap())).await, "expired");

    let mut authority = leaf();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    assert!(is_refused(&port, Some(&Credentials::signed(&authority, &key, &devices).unwrap())).await, "CA:TRUE");

    let mut server = leaf();
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let gateway = port.stolen_issuer("gateway-ca").unwrap();
    assert!(is_refused(&port, Some(&Credentials::signed(&server, &key, &gateway).unwrap())).await, "server's");
    assert!(is_refused(&port, Some(&Credentials::signed(&server, &key, &devices).unwrap())).await, "server use");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_on_record_is_refused_and_reported() {
    let port = Port::start().unwrap();
    let key = KeyPair::generate().unwrap();
    let stolen = Credentials::signed(&leaf(), &key, &port.stolen_issuer("devices").unwrap()).unwrap();
    let mut connection = port.connect_as(&stolen).await.unwrap();
    let answer = connection.check_in(UNCHANGED).await.unwrap();
    assert_eq!(answer.outcome(), (403, "unknown-key".to_owned()));
    let body = serde_json::to_vec(&RenewRequest { csr_pem: csr(&key).unwrap() }).unwrap();
    assert_eq!(connection.post(RENEW_PATH, &body).await.unwrap().outcome(), (403, "unknown-key".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_counts_from_the_next_request_on_kept_alive_and_resumed_connections() {
    let port = Port::start().unwrap();
    let (grant, own) = port.enrolled().await.unwrap();
    let config = Arc::new(port.config(Some(&own), &[b"http/1.1"]).unwrap());
    let mut kept = port.connect(&config).await.unwrap();
    assert_eq!(kept.check_in(UNCHANGED).await.unwrap().status, 200);
    let mut resumed = port.connect(&config).await.unwrap();
    assert_eq!(resumed.check_in(UNCHANGED).await.unwrap().status, 200);
    assert_eq!(resumed.handshake(), Some(HandshakeKind::Resumed));

    port.installation.run("device revoke", &[&grant.device_id.to_string()], "").unwrap();
    assert_eq!(kept.check_in(UNCHANGED).await.unwrap().outcome(), (403, "revoked".to_owned()));
    let mut again = port.connect(&config).await.unwrap();
    assert_eq!(again.check_in(UNCHANGED).await.unwrap().outcome(), (403, "revoked".to_owned()));
    assert_eq!(again.handshake(), Some(HandshakeKind::Resumed));

    port.installation.run("device quarantine", &[&grant.device_id.to_string()], "").unwrap();
    assert_eq!(kept.check_in(UNCHANGED).await.unwrap().status, 200, "set aside: it may report");
    let body = serde_json::to_vec(&RenewRequest { csr_pem: csr(&KeyPair::generate().unwrap()).unwrap() }).unwrap();
    assert_eq!(kept.post(RENEW_PATH, &body).await.unwrap().outcome(), (403, "quarantined".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn enrolment_and_device_connections_share_neither_sessions_nor_routes() {
    let port = Port::start().unwrap();
    let (_, own) = port.enrolled().await.unwrap();
    // One client, one session store, as rustls clients keep them: first without a certificate for enrolment…
    let mut config = port.config(None, &[ENROL_ALPN]).unwrap();
    let mut enrolment = port.connect(&Arc::new(config.clone())).await.unwrap();
    for path in [CHECK_IN_PATH, RENEW_PATH, "/", "/v1/enrol/"] {
        assert_eq!(enrolment.post(path, UNCHANGED).await.unwrap().outcome(), (404, "not-found".to_owned()), "{path}");
    }
    // …then the same session store on the device configuration: a certificate is asked for and there is none.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if let Ok(mut connection) = port.connect(&Arc::new(config)).await {
        assert!(connection.check_in(UNCHANGED).await.is_err());
        assert_ne!(connection.handshake(), Some(HandshakeKind::Resumed));
    }
    let mut device = port.connect_as(&own).await.unwrap();
    assert_eq!(device.post(ENROL_PATH, b"{}").await.unwrap().outcome(), (404, "not-found".to_owned()));
    device.send(b"GET /v1/check-in HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    assert_eq!(device.answer().await.unwrap().outcome(), (405, "method".to_owned()));
}

/// A refusal that needs no body came before the body, and the agent saw a broken pipe instead of "revoked".
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_waits_for_a_body_that_is_still_on_its_way() {
    let port = Port::start().unwrap();
    let (grant, own) = port.enrolled().await.unwrap();
    port.installation.run("device revoke", &[&grant.device_id.to_string()], "").unwrap();
    let mut connection = port.connect_as(&own).await.unwrap();
    for (path, outcome) in [(CHECK_IN_PATH, (403, "revoked")), ("/", (404, "not-found"))] {
        let body = [b' '; 100_000];
        connection.send(head(path, "", body.len()).as_bytes()).await.unwrap();
        for part in body.chunks(20_000) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            connection.send(part).await.unwrap();
        }
        assert_eq!(connection.answer().await.unwrap().outcome(), (outcome.0, outcome.1.to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_headers_say_of_the_client_is_ignored() {
    let port = Port::start().unwrap();
    let (_, own) = port.enrolled().await.unwrap();
    let (_, other) = port.enrolled().await.unwrap();
    let forged = format!(
        "x-forwarded-for: 192.0.2.1\r\nx-client-cert: {}\r\nx-device-id: 1\r\nforwarded: for=192.0.2.1\r\n",
        data_encoding::BASE64.encode(&other.chain[0])
    );
    let mut connection = port.connect_as(&own).await.unwrap();
    assert_eq!(connection.post_with(CHECK_IN_PATH, &forged, UNCHANGED).await.unwrap().status, 200);
    // Twenty bad tokens with twenty forged addresses are twenty from one.
    let unknown = "0".repeat(26);
    let check = {
        // The check characters of an unknown token: any that the server's own parser accepts.
        use cartable_server::domain::enrolment_token::TokenText;
        TokenText::from_random([0; 17]).to_string()
    };
    assert!(check.replace('-', "").starts_with(&unknown));
    let key = KeyPair::generate().unwrap();
    let body = serde_json::to_vec(&enrol_request(&check, &key, Default::default()).unwrap()).unwrap();
    for attempt in 0..20 {
        let mut connection = port.connect_to_enrol().await.unwrap();
        let header = format!("x-forwarded-for: 192.0.2.{attempt}\r\n");
        let answer = connection.post_with(ENROL_PATH, &header, &body).await.unwrap();
        assert_eq!(answer.outcome(), (403, "token".to_owned()), "{attempt}");
    }
    let mut connection = port.connect_to_enrol().await.unwrap();
    let answer = connection.post_with(ENROL_PATH, "x-forwarded-for: 198.51.100.1\r\n", &body).await.unwrap();
    assert_eq!(answer.outcome(), (429, "throttled".to_owned()));
    assert!(answer.head.contains("retry-after: "), "{}", answer.head);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_gives_a_new_serial_and_a_new_key_ends_the_old_one_with_its_first_use() {
    let port = Port::start().unwrap();
    let (grant, own) = port.enrolled().await.unwrap();
    let mut old = port.connect_as(&own).await.unwrap();
    let fresh = KeyPair::generate().unwrap();
    let body = serde_json::to_vec(&RenewRequest { csr_pem: csr(&fresh).unwrap() }).unwrap();
    let answer = old.post(RENEW_PATH, &body).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let renewed: cartable_common::protocol::CertificateGrant = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(renewed.device_id, grant.device_id);
    let again = old.post(RENEW_PATH, &body).await.unwrap();
    let repeated: cartable_common::protocol::CertificateGrant = serde_json::from_slice(&again.body).unwrap();
    assert_eq!(repeated.enrolment_id, renewed.enrolment_id, "a lost answer costs nothing");
    let serial = |pem: &str| {
        let chain = Credentials::of(pem, &fresh).chain;
        x509_parser::parse_x509_certificate(&chain[0]).unwrap().1.raw_serial().to_vec()
    };
    assert_ne!(serial(&renewed.certificate_chain_pem), serial(&repeated.certificate_chain_pem));

    assert_eq!(old.check_in(UNCHANGED).await.unwrap().status, 200, "live until the new key is used");
    let new = Credentials::of(&renewed.certificate_chain_pem, &fresh);
    let answer = port.connect_as(&new).await.unwrap().check_in(UNCHANGED).await.unwrap();
    assert!(serde_json::from_slice::<CheckInResponse>(&answer.body).is_ok(), "{answer:?}");
    assert_eq!(old.check_in(UNCHANGED).await.unwrap().outcome(), (403, "replaced".to_owned()));
}
