//! The hostile list of the device port: each input with its exact answer, after which an honest device is served.

use std::{sync::Arc, time::Duration};

use cartable_common::{
    limits::MAX_BODY_BYTES,
    protocol::{CHECK_IN_PATH, CheckInResponse},
};
use cartable_tests::{
    gateway_client::{Port, UNCHANGED, head},
    raw::Raw,
};
use futures_util::future::join_all;
use uuid::Uuid;

fn with_report(report_id: Uuid, report: &str) -> Vec<u8> {
    format!(
        r#"{{"agent_version":"test","sent_at":1796000000000,"reports":[{{"report_id":"{report_id}","sequence":1,
        "measured_at":1796000000000,"report":{report}}}]}}"#
    )
    .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_messages_are_refused_and_odd_values_made_harmless() {
    let port = Port::start().unwrap();
    let (_, own) = port.enrolled().await.unwrap();
    let mut connection = port.connect_as(&own).await.unwrap();
    let deep = format!(r#"{{"agent_version":"t","sent_at":1,"x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let bad = |value: &str| with_report(Uuid::now_v7(), &format!(r#"{{"memory":{{"total_bytes":{value}}}}}"#));
    let refused: &[(&str, Vec<u8>)] = &[
        ("100,000 deep", deep.into_bytes()),
        ("1e999", bad("1e999")),
        ("NaN", bad("NaN")),
        ("400 digits", bad(&"9".repeat(400))),
        ("negative", bad("-1")),
        ("lone surrogate", with_report(Uuid::now_v7(), r#"{"hardware":{"model":"\ud800"}}"#)),
        ("not UTF-8", b"{\"agent_version\":\"\xff\",\"sent_at\":1}".to_vec()),
        ("after 9999", br#"{"agent_version":"t","sent_at":253402300800000}"#.to_vec()),
        ("duplicate", br#"{"agent_version":"t","sent_at":1,"sent_at":2}"#.to_vec()),
        ("empty", Vec::new()),
    ];
    for (name, body) in refused {
        let answer = connection.check_in(body).await.unwrap();
        assert_eq!(answer.outcome(), (400, "message".to_owned()), "{name}");
    }
    let long = "A".repeat(64 * 1024);
    let taken: &[(&str, Vec<u8>)] = &[
        ("NUL", with_report(Uuid::now_v7(), r#"{"hardware":{"model":"a\u0000b"}}"#)),
        ("64 KB model", with_report(Uuid::now_v7(), &format!(r#"{{"hardware":{{"model":"{long}"}}}}"#))),
        ("1970", br#"{"agent_version":"t","sent_at":0}"#.to_vec()),
        ("9999", br#"{"agent_version":"t","sent_at":253402300799999}"#.to_vec()),
        ("unknown fields", br#"{"agent_version":"t","sent_at":1,"role":"administrator","device_id":1}"#.to_vec()),
    ];
    for (name, body) in taken {
        let answer = connection.check_in(body).await.unwrap();
        assert_eq!(answer.status, 200, "{name}: {}", String::from_utf8_lossy(&answer.body));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_bounded_before_and_after_decompression() {
    let port = Port::start().unwrap();
    let (_, own) = port.enrolled().await.unwrap();
    let mut connection = port.connect_as(&own).await.unwrap();
    let answer = connection.check_in(&vec![b' '; MAX_BODY_BYTES + 1]).await.unwrap();
    assert_eq!(answer.outcome(), (413, "too-large".to_owned()));
    assert!(connection.is_closed().await);

    let mut connection = port.connect_as(&own).await.unwrap();
    let small = zstd::encode_all(UNCHANGED, 3).unwrap();
    let answer = connection.post_with(CHECK_IN_PATH, "content-encoding: zstd\r\n", &small).await.unwrap();
    assert_eq!(answer.status, 200);
    let twice = zstd::encode_all(&small[..], 3).unwrap();
    let answer = connection.post_with(CHECK_IN_PATH, "content-encoding: zstd\r\n", &twice).await.unwrap();
    assert_eq!(answer.outcome(), (400, "message".to_owned()));
    let answer = connection.post_with(CHECK_IN_PATH, "content-encoding: gzip\r\n", UNCHANGED).await.unwrap();
    assert_eq!(answer.outcome(), (415, "content-encoding".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_body_is_cut() {
    let port = Port::start().unwrap();
    let (_, own) = port.enrolled().await.unwrap();
    let mut connection = port.connect_as(&own).await.unwrap();
    let start = "POST /v1/check-in HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
        transfer-encoding: chunked\r\n\r\n";
    connection.send(start.as_bytes()).await.unwrap();
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
    let mut sent = 0_usize;
    // The server stops reading: sooner or later a write fails, or it answers.
    while sent < 64 << 20 && connection.send(&chunk).await.is_ok() {
        sent += chunk.len();
    }
    assert!(sent < 16 << 20, "{sent} bytes were taken");
    if let Ok(answer) = connection.answer().await {
        assert_eq!(answer.outcome(), (413, "too-large".to_owned()));
    }
    let mut honest = port.connect_as(&own).await.unwrap();
    assert_eq!(honest.check_in(UNCHANGED).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_lengths_never_smuggle_a_second_request() {
    let port = Port::start().unwrap();
    let (_, own) = port.enrolled().await.unwrap();
    let mut connection = port.connect_as(&own).await.unwrap();
    // By its length the body ends after the hidden request; by its chunks, before it.
    let hidden = "0\r\n\r\nPOST /v1/check-in HTTP/1.1\r\nhost: a\r\n\r\n";
    let request = head("/v1/check-in", "transfer-encoding: chunked\r\n", hidden.len()) + hidden;
    connection.send(request.as_bytes()).await.unwrap();
    assert_eq!(connection.answer().await.unwrap().outcome(), (400, "message".to_owned()));
    assert!(connection.is_closed().await, "what follows is never read as a request");
    let mut connection = port.connect_as(&own).await.unwrap();
    connection
        .send(b"POST /v1/check-in HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(connection.answer().await.unwrap().status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_report_a_hundred_times_at_once_is_stored_once_and_acknowledged_each_time() {
    let port = Port::start().unwrap();
    let (_, own) = port.enrolled().await.unwrap();
    let report = Uuid::now_v7();
    let body = with_report(report, r#"{"memory":{"total_bytes":8589934592}}"#);
    let config = Arc::new(port.config(Some(&own), &[b"http/1.1"]).unwrap());
    let answers =
        join_all((0..100).map(|_| async { port.connect(&config).await.unwrap().check_in(&body).await.unwrap() })).await;
    for answer in answers {
        assert_eq!(answer.status, 200);
        let response: CheckInResponse = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(response.acknowledged.iter().map(|id| id.0).collect::<Vec<_>>(), [report]);
    }
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM report").await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_devices_identity_in_the_body_changes_nothing_of_it() {
    let port = Port::start().unwrap();
    let (mine, own) = port.enrolled().await.unwrap();
    let (theirs, _) = port.enrolled().await.unwrap();
    let body = format!(
        r#"{{"agent_version":"t","sent_at":1,"device_id":"{0}","enrolment_id":"{1}","reports":[{{"report_id":"{2}",
        "device_id":"{0}","sequence":1,"measured_at":1,"report":{{"memory":{{"total_bytes":1024}}}}}}]}}"#,
        theirs.device_id,
        theirs.enrolment_id,
        Uuid::now_v7(),
    );
    let answer = port.connect_as(&own).await.unwrap().check_in(body.as_bytes()).await.unwrap();
    assert_eq!(answer.status, 200);
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    for table in ["report", "contact", "health"] {
        for (id, rows) in [(mine.device_id.0, 1), (theirs.device_id.0, 0)] {
            let sql = format!("SELECT count(*) FROM {table} WHERE device_id = {}", raw.uuid(id));
            assert_eq!(raw.number(&sql).await.unwrap(), rows, "{table}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_idle_connections_hinder_nobody_and_are_cut() {
    let port = Port::start().unwrap();
    let (_, own) = port.enrolled().await.unwrap();
    raise_own_file_limit();
    let address = port.server.gateway_authority().to_owned();
    let mut idle = Vec::new();
    for _ in 0..2_000 {
        idle.push(tokio::net::TcpStream::connect(&address).await.unwrap());
    }
    // Half a hello, one byte at a time, is slow, not idle.
    let mut slow = tokio::net::TcpStream::connect(&address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut slow, &[0x16]).await.unwrap();
    let mut honest = port.connect_as(&own).await.unwrap();
    assert_eq!(honest.check_in(UNCHANGED).await.unwrap().status, 200);
    let console = get_sign_in(port.server.console_authority()).await;
    assert!(console.starts_with("HTTP/1.1 "), "{console}");
    idle.push(slow);
    for mut stream in idle {
        let mut byte = [0];
        let closed =
            tokio::time::timeout(Duration::from_secs(60), tokio::io::AsyncReadExt::read(&mut stream, &mut byte));
        assert!(matches!(closed.await.unwrap(), Ok(0) | Err(_)), "an idle connection was answered");
    }
}

async fn get_sign_in(authority: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(authority).await.unwrap();
    stream.write_all(b"GET /sign-in HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn raise_own_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_at_a_snails_pace_is_cut() {
    let port = Port::start().unwrap();
    let (_, own) = port.enrolled().await.unwrap();
    let mut slow = port.connect_as(&own).await.unwrap();
    slow.send(head(CHECK_IN_PATH, "", 1_000).as_bytes()).await.unwrap();
    slow.send(b"{").await.unwrap();
    let mut honest = port.connect_as(&own).await.unwrap();
    assert_eq!(honest.check_in(UNCHANGED).await.unwrap().status, 200);
    assert_eq!(slow.answer().await.unwrap().outcome(), (408, "slow-body".to_owned()));
    let mut headers = port.connect_as(&own).await.unwrap();
    headers.send(b"POST /v1/check-in HTTP/1.1\r\nx: ").await.unwrap();
    assert!(headers.is_closed().await, "headers that never end");
}
