//! nwipe, run for real on a loop device of 64 MiB, and the real server: the drive of a device that reported is wiped, its
//! evidence brought, the gate opens, a certificate is made and checked; then the device is used again and the gate closes.
//!
//! Needs root, loop devices and nwipe (Debian); ./tests/run installs it. Debian 12's nwipe writes no PDF certificate: the
//! one in `server/src/domain/erasure/samples` was made by Debian 13's, which this test also takes where it is installed.

use anyhow::Context as _;
use cartable_common::{
    Bytes, UtcMillis,
    report::{DriveKind, HealthReport},
};
use cartable_server::clock;
use cartable_tests::{
    erasing::{LOOP_BYTES, LoopDevice, has_certificates, multipart},
    harness::{Cartable, http::plain_client},
    paper,
    simulator::{Machine, programme::Programme},
};
use serde_json::{Value, json};

const SERIAL: &str = "CTBL-LOOP-7731";

/// A machine whose drive is the loop device, as a rotating disk.
fn machine() -> Machine {
    let mut machine = Machine::drawn(7, 3, Programme::PupilLaptops, 1);
    machine.new_drive = None;
    SERIAL.clone_into(&mut machine.drive.serial);
    machine.drive.model.kind = DriveKind::Hdd;
    machine
}

/// What it reports: the drive is as small as the loop device, its volumes lie elsewhere.
fn report(machine: &Machine, at: UtcMillis) -> HealthReport {
    let mut report = machine.report(at, at);
    report.drives[0].capacity_bytes = Bytes::new(LOOP_BYTES);
    report
}

struct Bench<'c> {
    cartable: &'c Cartable,
    http: reqwest::Client,
    device: String,
}

impl Bench<'_> {
    async fn bring(&self, files: &[(&str, &[u8])]) -> anyhow::Result<(u16, Value)> {
        let (kind, body) = multipart(&[], files);
        let base = self.cartable.server.console();
        let answer = self
            .http
            .post(format!("{base}/api/v1/devices/{}/erasures/evidence?clock=utc", self.device))
            .bearer_auth(&self.cartable.api_token)
            .header("content-type", kind)
            .body(body)
            .send()
            .await?;
        let status = answer.status().as_u16();
        Ok((status, answer.json().await?))
    }

    async fn missing(&self) -> anyhow::Result<Vec<String>> {
        let body = self.cartable.api()?.get(&format!("/api/v1/devices/{}/erasures", self.device)).await?;
        let gaps = body["missing_to_leave"].as_array().context("a list")?.clone();
        Ok(gaps
            .iter()
            .map(|gap| format!("{} {}", gap["drive"].as_str().unwrap_or("-"), gap["why"].as_str().unwrap_or("?")))
            .collect())
    }

    async fn certificate(&self) -> anyhow::Result<reqwest::Response> {
        let base = self.cartable.server.console();
        let request = self.http.post(format!("{base}/api/v1/devices/{}/erasures/certificate", self.device));
        Ok(request
            .bearer_auth(&self.cartable.api_token)
            .json(&json!({ "demand": "leave", "language": "fr" }))
            .send()
            .await?)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_drive_opens_the_gate_until_it_is_used_again() {
    let cartable = Cartable::start().unwrap();
    let machine = machine();
    let mut device = cartable.enrolled_device(&machine).await.unwrap();
    let now = clock::now();
    device.contact(report(&machine, now), now, now).await.unwrap();
    let id = device.granted().device_id.to_string();
    let bench = Bench { cartable: &cartable, http: plain_client().unwrap(), device: id.clone() };
    assert_eq!(bench.missing().await.unwrap(), [format!("{SERIAL} nothing_recorded")]);
    assert_eq!(bench.certificate().await.unwrap().status().as_u16(), 422);
    // nwipe counts in whole seconds: the contact is in an earlier one.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;

    let drive = LoopDevice::attach().expect("root and a free loop device");
    assert!(drive.content().unwrap().iter().all(|byte| *byte == 0xA5));
    let unverified = drive.wipe(SERIAL, "zero", "off").unwrap();
    assert!(drive.content().unwrap().iter().all(|byte| *byte == 0), "nwipe did what it says");
    let (status, body) = bench.bring(&[("nwipe.log", &unverified.log)]).await.unwrap();
    assert_eq!(status, 201, "{body}");
    assert_eq!(bench.missing().await.unwrap(), [format!("{SERIAL} unverified")]);

    let wiped = drive.wipe(SERIAL, "random", "last").unwrap();
    assert_eq!(wiped.certificate.is_some(), has_certificates().unwrap());
    // One word altered, and the log is refused; so is another drive's.
    let forged =
        String::from_utf8(wiped.log.clone()).unwrap().replacen("67108864 bytes read", "67108863 bytes read", 1);
    let (status, body) = bench.bring(&[("nwipe.log", forged.as_bytes())]).await.unwrap();
    assert_eq!(status, 422);
    assert!(body["detail"].as_str().unwrap().contains("altered or is damaged"), "{body}");
    let other = drive.wipe("CTBL-LOOP-OTHER", "zero", "last").unwrap();
    let (status, body) = bench.bring(&[("nwipe.log", &other.log)]).await.unwrap();
    assert_eq!((status, body["detail"].as_str().unwrap().contains("CTBL-LOOP-OTHER")), (422, true), "{body}");
    assert_eq!(bench.missing().await.unwrap(), [format!("{SERIAL} unverified")], "nothing came of it");

    let mut files: Vec<(&str, &[u8])> = vec![("nwipe.log", &wiped.log)];
    files.extend(wiped.certificate.as_deref().map(|pdf| ("report.pdf", pdf)));
    let (status, body) = bench.bring(&files).await.unwrap();
    assert_eq!(status, 201, "{body}");
    assert_eq!(bench.missing().await.unwrap(), [] as [String; 0]);
    assert_eq!(bench.bring(&files).await.unwrap().0, 422, "recorded already");

    let made = bench.certificate().await.unwrap();
    assert_eq!(made.status().as_u16(), 201);
    let pdf = made.bytes().await.unwrap().to_vec();
    let text = paper::text(&pdf).unwrap();
    for word in [SERIAL, "ERA-", "Clear", "nwipe", "Signature (Ed25519)"] {
        assert!(text.contains(word), "{word}: {text}");
    }

    // The laptop starts again with that drive: what was proven is no longer.
    let later = clock::now();
    device.contact(report(&machine, later), later, later).await.unwrap();
    assert_eq!(bench.missing().await.unwrap(), [format!("{SERIAL} used_since")]);
    let told = cartable.installation.run("erasure missing", &[&id], "").unwrap();
    assert_eq!(told.trim(), format!("{SERIAL}\tused_since\tclear"));
}

#[test]
fn the_command_line_says_what_it_would_record() {
    let drive = LoopDevice::attach().expect("root and a free loop device");
    let wiped = drive.wipe(SERIAL, "dodshort", "all").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("nwipe.log");
    std::fs::write(&log, &wiped.log).unwrap();
    let binaries = cartable_tests::harness::Binaries::find().unwrap();
    let read = |file: &std::path::Path| {
        std::process::Command::new(&binaries.server)
            .args(["erasure", "read", "--clock", "utc"])
            .arg(file)
            .output()
            .unwrap()
    };
    let output = read(&log);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(line["drive"], SERIAL);
    assert_eq!((&line["method"], &line["method_name"]), (&json!("overwrite"), &json!("DoD Short")));
    assert_eq!((&line["outcome"], &line["verification"]), (&json!("erased"), &json!("all_passes")));
    assert_eq!((&line["passes"], &line["bytes_erased"]), (&json!(4), &json!(LOOP_BYTES)));
    std::fs::write(&log, b"nonsense").unwrap();
    let output = read(&log);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("docs/erasure.md"));
}
