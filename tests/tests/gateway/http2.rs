//! The device port over HTTP/2: the same identity, judged anew on each stream, and the same limits.

use std::sync::Arc;

use axum::http::{HeaderMap, Request, StatusCode};
use cartable_common::{
    limits::MAX_BODY_BYTES,
    protocol::{CHECK_IN_PATH, CheckInResponse, ENROL_PATH, PROBLEM_PREFIX},
};
use cartable_server::gateway::limits;
use cartable_tests::{
    gateway_client::{Credentials, Port, UNCHANGED},
    raw::Raw,
};
use futures_util::future::join_all;
use h2::client::SendRequest;
use tokio_util::bytes::Bytes;
use uuid::Uuid;

/// A connection that speaks HTTP/2.
async fn connect(port: &Port, credentials: Option<&Credentials>) -> anyhow::Result<SendRequest<Bytes>> {
    let stream = port.connect(&Arc::new(port.config(credentials, &[b"h2"])?)).await?.into_stream();
    anyhow::ensure!(stream.get_ref().1.alpn_protocol() == Some(b"h2"), "the server chose HTTP/2");
    // How many streams the server takes is known once its settings are here; a client that sends more before that has
    // them refused, and is cut off at the 17th.
    let (requests, connection) = h2::client::Builder::new().initial_max_send_streams(1).handshake(stream).await?;
    tokio::spawn(connection);
    Ok(requests.ready().await?)
}

/// Sends a request and reads its answer: the status, and the kind of problem where it is one.
async fn post(
    requests: &SendRequest<Bytes>,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> anyhow::Result<(StatusCode, Vec<u8>)> {
    let mut request = Request::post(format!("https://cartable{path}")).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let mut ready = requests.clone().ready().await?;
    let (answer, mut stream) = ready.send_request(request.body(())?, false)?;
    let mut rest = Bytes::copy_from_slice(body);
    while !rest.is_empty() {
        stream.reserve_capacity(rest.len());
        match std::future::poll_fn(|context| stream.poll_capacity(context)).await {
            Some(Ok(room)) => stream.send_data(rest.split_to(room.min(rest.len())), false)?,
            // The server wants no more: it has answered.
            Some(Err(_)) | None => break,
        }
    }
    let _ = stream.send_data(Bytes::new(), true);
    let mut answer = answer.await?;
    let mut body = Vec::new();
    while let Some(part) = answer.body_mut().data().await {
        let part = part?;
        answer.body_mut().flow_control().release_capacity(part.len())?;
        body.extend_from_slice(&part);
    }
    Ok((answer.status(), body))
}

async fn check_in(requests: &SendRequest<Bytes>, body: &[u8]) -> (u16, String) {
    let (status, body) = post(requests, CHECK_IN_PATH, &HeaderMap::new(), body).await.unwrap();
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    (status.as_u16(), problem["type"].as_str().unwrap_or_default().trim_start_matches(PROBLEM_PREFIX).to_owned())
}

fn with_report(id: Uuid) -> String {
    format!(
        r#"{{"agent_version":"t","sent_at":1796000000000,"reports":[{{"report_id":"{id}","sequence":1,
        "measured_at":1796000000000,"report":{{"memory":{{"total_bytes":8589934592}}}}}}]}}"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn check_ins_on_one_connection_are_stored_once_each_and_acknowledged() {
    let port = Port::start().unwrap();
    let (_, own) = port.enrolled().await.unwrap();
    let requests = connect(&port, Some(&own)).await.unwrap();
    let report = Uuid::now_v7();
    let body = with_report(report);
    let none = HeaderMap::new();
    // More streams than the server serves at once: the rest waits.
    let answers =
        join_all((0..4 * limits::MAX_STREAMS).map(|_| post(&requests, CHECK_IN_PATH, &none, body.as_bytes()))).await;
    for answer in answers {
        let (status, body) = answer.unwrap();
        assert_eq!(status, StatusCode::OK);
        let response: CheckInResponse = serde_json::from_slice(&body).unwrap();
        assert_eq!(response.acknowledged.iter().map(|id| id.0).collect::<Vec<_>>(), [report]);
    }
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM report").await.unwrap(), 1);
    let compressed = zstd::encode_all(UNCHANGED, 3).unwrap();
    let mut zstd = HeaderMap::new();
    zstd.insert("content-encoding", "zstd".parse().unwrap());
    assert_eq!(post(&requests, CHECK_IN_PATH, &zstd, &compressed).await.unwrap().0, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn identity_is_judged_on_each_stream_and_no_certificate_gets_none() {
    let port = Port::start().unwrap();
    let (grant, own) = port.enrolled().await.unwrap();
    let anonymous = match connect(&port, None).await {
        Ok(requests) => post(&requests, CHECK_IN_PATH, &HeaderMap::new(), UNCHANGED).await.is_err(),
        Err(_) => true,
    };
    assert!(anonymous, "without a certificate there is no answer at all");
    let requests = connect(&port, Some(&own)).await.unwrap();
    assert_eq!(check_in(&requests, UNCHANGED).await.0, 200);
    let (status, _) = post(&requests, ENROL_PATH, &HeaderMap::new(), b"{}").await.unwrap();
    assert_eq!(status, StatusCode::NOT_FOUND, "enrolment has connections of its own");
    let mut forged = HeaderMap::new();
    forged.insert("x-forwarded-client-cert", "Subject=\"CN=somebody\"".parse().unwrap());
    assert_eq!(post(&requests, CHECK_IN_PATH, &forged, UNCHANGED).await.unwrap().0, StatusCode::OK);

    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    let id = raw.uuid(grant.device_id.0);
    raw.execute(&format!("UPDATE device SET status = 'revoked' WHERE id = {id}")).await.unwrap();
    assert_eq!(check_in(&requests, UNCHANGED).await, (403, "revoked".to_owned()), "on the connection it already had");
    raw.execute(&format!("UPDATE device SET status = 'active' WHERE id = {id}")).await.unwrap();
    assert_eq!(check_in(&requests, UNCHANGED).await.0, 200);
    assert_eq!(raw.number("SELECT count(*) FROM contact").await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_headers_and_streams_are_bounded() {
    let port = Port::start().unwrap();
    let (_, own) = port.enrolled().await.unwrap();
    let requests = connect(&port, Some(&own)).await.unwrap();
    assert_eq!(check_in(&requests, &vec![b' '; MAX_BODY_BYTES + 1]).await, (413, "too-large".to_owned()));
    assert_eq!(check_in(&requests, b"{").await, (400, "message".to_owned()));
    let requests = connect(&port, Some(&own)).await.unwrap();
    let mut long = HeaderMap::new();
    long.insert("x-long", "a".repeat(limits::MAX_HEADER_BYTES).parse().unwrap());
    let refused = post(&requests, CHECK_IN_PATH, &long, UNCHANGED).await;
    assert!(
        refused.as_ref().map_or(true, |(status, _)| *status == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        "{refused:?}"
    );
    let requests = connect(&port, Some(&own)).await.unwrap();
    assert_eq!(check_in(&requests, UNCHANGED).await.0, 200);
    // Opened and reset, again and again (CVE-2023-44487): the connection is cut, the server serves on.
    let mut cut = false;
    for _ in 0..2_000 {
        let Ok(mut ready) = requests.clone().ready().await else {
            cut = true;
            break;
        };
        let request = Request::post(format!("https://cartable{CHECK_IN_PATH}")).body(()).unwrap();
        match ready.send_request(request, false) {
            Ok((_, mut stream)) => stream.send_reset(h2::Reason::CANCEL),
            Err(_) => {
                cut = true;
                break;
            }
        }
        tokio::task::yield_now().await;
    }
    assert!(cut, "2,000 streams were opened and reset");
    let honest = connect(&port, Some(&own)).await.unwrap();
    assert_eq!(check_in(&honest, UNCHANGED).await.0, 200);
}
