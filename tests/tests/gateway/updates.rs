//! What the device port hands on of releases: an offer to those whose turn it is, the signed list, and packages in parts; to
//! enrolled devices alone, and nothing of a release that was halted.

use std::time::{Duration, Instant};

use cartable_common::{
    Text,
    protocol::{CheckInRequest, CheckInResponse},
    update::{Manifest, UPDATE_FILES_PATH, UPDATE_MANIFEST_PATH, UPDATE_PART_BYTES, UpdateKey},
};
use cartable_server::{clock, pki::update_signer};
use cartable_tests::gateway_client::{Answer, Connection, Port, SITE};
use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest as _, Sha256};

/// What is staged is heeded by every process within ten seconds; a busy machine needs some more to ask.
const PATIENCE: Duration = Duration::from_secs(20);

fn has_signed(key: &UpdateKey, message: &[u8], signature: &[u8; 64]) -> bool {
    update_signer::has_signed(key, message, &BASE64.encode(signature))
}

async fn get(connection: &mut Connection, path: &str) -> Answer {
    connection.send(format!("GET {path} HTTP/1.1\r\nhost: cartable\r\n\r\n").as_bytes()).await.unwrap();
    connection.answer().await.unwrap()
}

/// What a device of that version is offered.
async fn offered(connection: &mut Connection, version: &str) -> Option<String> {
    let request = CheckInRequest {
        agent_version: Text::clean(version),
        sent_at: clock::now(),
        content_hash: None,
        disclosure_mark: None,
        reports: Vec::new(),
    };
    let answer = connection.check_in(&serde_json::to_vec(&request).unwrap()).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let response: CheckInResponse = serde_json::from_slice(&answer.body).unwrap();
    response.update.map(|version| version.to_string())
}

/// Asks until the offer is this one.
async fn until(connection: &mut Connection, version: &str, expected: Option<&str>) {
    let begun = Instant::now();
    loop {
        let told = offered(connection, version).await;
        if told.as_deref() == expected {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{told:?} instead of {expected:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_reaches_those_whose_turn_it_is_part_by_part_until_it_is_halted() {
    let port = Port::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let run = |command: &str, arguments: &[&str]| port.installation.run(command, arguments, "").unwrap();
    // A compound file by its first bytes; what is in it is Windows Installer's to read.
    let mut package = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    package.resize(UPDATE_PART_BYTES * 2 + 100, 7);
    std::fs::write(path("agent.msi"), &package).unwrap();
    // This command takes no data directory.
    let key = update_signer::UpdateSigner::make(&folder.path().join("key"), clock::now()).unwrap().public();
    run("updates add", &["--version", "9.1.0", &path("agent.msi")]);
    run("updates publish", &["--key", &path("key")]);

    let (_, credentials) = port.enrolled().await.unwrap();
    let mut connection = port.connect_as(&credentials).await.unwrap();
    assert_eq!(offered(&mut connection, "0.1.0").await, None, "it is offered to nobody yet");
    run("updates stage", &["9.1.0", "--percent", "0", "--site", SITE]);
    until(&mut connection, "0.1.0", Some("9.1.0")).await;
    assert_eq!(offered(&mut connection, "9.1.0").await, None, "it has it");
    assert_eq!(offered(&mut connection, "9.2.0").await, None, "nobody is taken back");
    assert_eq!(offered(&mut connection, "test").await, None);

    let answer = get(&mut connection, UPDATE_MANIFEST_PATH).await;
    let text = String::from_utf8(answer.body).unwrap();
    let manifest = Manifest::read(&text, &[key], has_signed).unwrap();
    let release = &manifest.releases[0];
    assert_eq!((release.version.to_string().as_str(), release.bytes as usize), ("9.1.0", package.len()));
    let mut arrived = Vec::new();
    loop {
        let part = format!("{UPDATE_FILES_PATH}/{}/{}", release.sha256_hex(), arrived.len());
        let answer = get(&mut connection, &part).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        if answer.body.is_empty() {
            break;
        }
        arrived.extend(answer.body);
    }
    assert!(arrived == package && release.sha256[..] == Sha256::digest(&arrived)[..]);
    for odd in ["x", &HEXLOWER.encode(&[1; 32])] {
        assert_eq!(get(&mut connection, &format!("{UPDATE_FILES_PATH}/{odd}/0")).await.status, 404, "{odd}");
    }
    let unplaced = format!("{UPDATE_FILES_PATH}/{}/-1", release.sha256_hex());
    assert_eq!(get(&mut connection, &unplaced).await.status, 404);

    run("updates halt", &["9.1.0"]);
    let whole = format!("{UPDATE_FILES_PATH}/{}/0", release.sha256_hex());
    assert_eq!(get(&mut connection, &whole).await.status, 404, "a halt counts at once");
    until(&mut connection, "0.1.0", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_certificate_gets_nothing_from_the_device_port() {
    let port = Port::start().unwrap();
    let mut connection = port.connect_to_enrol().await.unwrap();
    assert_eq!(get(&mut connection, UPDATE_MANIFEST_PATH).await.status, 404);
}
