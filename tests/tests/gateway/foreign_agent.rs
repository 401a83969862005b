//! GLPI Agent and FusionInventory at the device port, as they speak: what they are told, what is kept of what they send, and
//! that a certificate of either kind opens only its own door.

use std::{fs, io::Write as _, path::Path, time::Duration};

use cartable_common::{
    DeviceId,
    protocol::{CHECK_IN_PATH, RENEW_PATH, RenewRequest},
    report::Hardware,
};
use cartable_server::{
    clock,
    domain::{reading::agents::Tool, timestamp},
    gateway::foreign::PATH,
};
use cartable_tests::{
    gateway_client::{Answer, Connection, Credentials, Port, SITE, UNCHANGED, csr, enrol_request},
    harness::stored,
    stores::seen,
};
use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};
use rcgen::KeyPair;
use serde_json::{Value, json};

use super::recovery::recover;

on_both_engines! {
    glpi_agent_is_told_what_to_leave_out_and_its_inventory_becomes_the_report,
    fusioninventory_is_asked_and_taken_in_xml,
    a_certificate_opens_only_the_door_of_its_kind,
    a_revocation_counts_from_the_next_request,
    a_certificate_that_was_copied_to_another_machine_brings_nothing,
    what_is_no_inventory_is_refused_in_the_agents_own_terms,
    a_key_of_the_machine_is_certified_and_renewed,
    after_a_change_of_the_root_a_certificate_counts_until_the_earlier_intermediate_is_dropped,
}

const JSON: &str = include_str!("../../../server/src/domain/reading/agents/samples/glpi-agent-1.11.json");
const XML: &str = include_str!("../../../server/src/domain/reading/agents/samples/fusioninventory-2.6.xml");
const SERIAL: &str = "PF2CART7";
const ZLIB: &str = "application/x-compress-zlib";
/// As GLPI Agent names itself; nothing is decided by it.
const GLPI: &str = "glpi-agent-id: 5c0ee5d2-ef04-4b1e-8d5c-8b2a7e3c1f00\r\nglpi-request-id: 0A1B2C3D\r\n";
/// As GLPI Agent and FusionInventory ask first.
const PROLOG: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<REQUEST>\n  <DEVICEID>indiscret-host-2026-11-24-12-00-00\
    </DEVICEID>\n  <QUERY>PROLOG</QUERY>\n  <TOKEN>12345678</TOKEN>\n</REQUEST>\n";
const CONTACT: &str = r#"{
   "action": "contact",
   "deviceid": "indiscret-host-2026-11-24-12-00-00",
   "enabled-tasks": ["inventory"],
   "installed-tasks": ["inventory", "remoteinventory"],
   "name": "GLPI-Agent",
   "version": "1.11"
}
"#;

fn zlib(text: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Records a machine and returns its id.
fn recorded(port: &Port, serial: &str) -> DeviceId {
    let printed = port.installation.run("device add", &["--serial", serial, "--kind", "laptop", "--site", SITE], "");
    printed.unwrap().trim().parse().unwrap()
}

/// What a technician puts on the machine.
fn issued(port: &Port, device: DeviceId) -> Credentials {
    let folder = tempfile::tempdir().unwrap();
    let pem = issue(port, device, folder.path(), &[]);
    Credentials::of(&pem, &key_in(&pem))
}

/// The private key behind the certificates in a file.
fn key_in(pem: &str) -> KeyPair {
    let begins = concat!("-----BEGIN PRIV", "ATE KEY-----");
    KeyPair::from_pem(&pem[pem.find(begins).unwrap()..]).unwrap()
}

fn issue(port: &Port, device: DeviceId, folder: &Path, further: &[&str]) -> String {
    let out = folder.join("agent.pem");
    let (path, id) = (out.to_str().unwrap(), device.to_string());
    let arguments = [&["--out", path][..], further, &[id.as_str()]].concat();
    let printed = port.installation.run("foreign-agent issue", &arguments, "").unwrap();
    assert!(printed.starts_with(&id) && printed.contains(PATH) && !printed.contains("KEY"), "{printed}");
    assert!(port.installation.run("foreign-agent issue", &arguments, "").is_err(), "no file is written over");
    fs::read_to_string(&out).unwrap()
}

async fn post(connection: &mut Connection, (media, headers): (&str, &str), body: &[u8]) -> Answer {
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: cartable\r\ncontent-type: {media}\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    connection.send(head.as_bytes()).await.unwrap();
    connection.send(body).await.unwrap();
    connection.answer().await.unwrap()
}

fn told(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

/// What GLPI Agent logs of an answer: its status and the message of an error.
fn outcome(answer: &Answer) -> (u16, Option<String>) {
    (answer.status, told(answer)["message"].as_str().map(str::to_owned))
}

/// A moment so many days ago, as a machine writes it whose clock shows UTC.
fn written(days: i64) -> String {
    let text = timestamp::rfc3339(clock::now().plus_days(-days)).replace('T', " ");
    text.split('.').next().unwrap().to_owned()
}

/// The sample, made just now on a machine whose clock shows UTC.
fn glpi(serial: &str) -> String {
    let mut inventory: Value = serde_json::from_str(JSON).unwrap();
    inventory["content"]["bios"]["ssn"] = json!(serial);
    inventory["content"]["accesslog"]["logdate"] = json!(written(0));
    inventory.to_string()
}

async fn glpi_agent_is_told_what_to_leave_out_and_its_inventory_becomes_the_report(port: Port) {
    let device = recorded(&port, SERIAL);
    let own = issued(&port, device);
    let mut connection = port.connect_as(&own).await.unwrap();
    // It asks in XML until it knows whom it speaks to; without an expiration it then asks again at once, in JSON.
    let first = post(&mut connection, (ZLIB, GLPI), &zlib(PROLOG)).await;
    assert_eq!((first.status, told(&first)), (200, json!({"status": "pending"})));
    assert!(first.head.contains("glpi-request-id: 0a1b2c3d"), "{}", first.head);
    let contact = post(&mut connection, (ZLIB, GLPI), &zlib(CONTACT)).await;
    let wanted = told(&contact);
    assert_eq!((contact.status, &wanted["status"], &wanted["expiration"]), (200, &json!("ok"), &json!(24)));
    let task = &wanted["tasks"]["inventory"];
    assert_eq!(task["server"], "glpi", "with a server and a version it asks in XML no more");
    assert!(task["version"].is_string(), "{task}");
    for category in ["software", "user", "process", "environment", "network"] {
        assert!(task["no-category"].as_str().unwrap().split(',').any(|one| one == category), "{task}");
    }
    assert_eq!(seen(&port.installation, device).await.unwrap().contact, None, "a question is no contact");

    let inventory = glpi(SERIAL);
    let taken = post(&mut connection, (ZLIB, GLPI), &zlib(&inventory)).await;
    assert_eq!((taken.status, told(&taken)), (200, json!({"status": "ok", "expiration": 24})));
    let found = seen(&port.installation, device).await.unwrap();
    assert_eq!((found.reported_by, found.brought_of), (Some(Tool::Glpi), None));
    let report = found.health.unwrap().report;
    assert_eq!(report.hardware.model.unwrap().as_str(), "Latitude 3190");
    assert_eq!(report.volumes.len(), 1, "neither the network drive nor the stick is of it");
    let contact = found.contact.unwrap();
    assert_eq!((contact.check_ins, contact.skew_millis, contact.agent_version.as_str()), (1, 0, "GLPI-Agent_v1.11"));

    // Unchanged, in every packing, and the very same once more: contacts alone.
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(glpi(SERIAL).as_bytes()).unwrap();
    for (media, body) in [
        (ZLIB, zlib(&inventory)),
        ("application/x-compress-gzip", gzip.finish().unwrap()),
        ("application/json", glpi(SERIAL).into_bytes()),
    ] {
        assert_eq!(post(&mut connection, (media, GLPI), &body).await.status, 200, "{media}");
    }
    // Changes alone: the machine spoke, and nothing of it is gone.
    let partial = r#"{"action":"inventory","partial":true,"content":{"versionclient":"GLPI-Agent_v1.11","bios":{}}}"#;
    assert_eq!(post(&mut connection, (ZLIB, GLPI), &zlib(partial)).await.status, 200);
    let found = seen(&port.installation, device).await.unwrap();
    assert_eq!(found.contact.unwrap().check_ins, 5);
    assert_eq!(found.health.unwrap().report.volumes.len(), 1);
    let reports = stored::reports(&port.installation.database_url()).await.unwrap();
    assert_eq!(reports.into_values().collect::<Vec<_>>(), [1]);
    let listed = port.installation.run("foreign-agent list", &[], "").unwrap();
    assert!(listed.starts_with(&format!("{device}\t{SERIAL}\t")) && listed.contains("\tGLPI\t"), "{listed}");
}

async fn fusioninventory_is_asked_and_taken_in_xml(port: Port) {
    let device = recorded(&port, SERIAL);
    let mut connection = port.connect_as(&issued(&port, device)).await.unwrap();
    let asked = post(&mut connection, (ZLIB, ""), &zlib(PROLOG)).await;
    let words = String::from_utf8(asked.body).unwrap();
    assert_eq!(asked.status, 200);
    assert!(words.contains("<REPLY><RESPONSE>SEND</RESPONSE><PROLOG_FREQ>24</PROLOG_FREQ></REPLY>"), "{words}");
    let inventory = XML.replace("2026-11-24 12:00:00", &written(1));
    let taken = post(&mut connection, (ZLIB, ""), &zlib(&inventory)).await;
    assert_eq!(taken.status, 200, "{}", String::from_utf8_lossy(&taken.body));
    assert!(taken.head.contains("content-type: application/xml"), "{}", taken.head);
    let found = seen(&port.installation, device).await.unwrap();
    assert_eq!(found.reported_by, Some(Tool::FusionInventory));
    assert_eq!(found.health.unwrap().report.hardware.serial_number.get().unwrap().as_str(), SERIAL);
}

async fn a_certificate_opens_only_the_door_of_its_kind(port: Port) {
    let device = recorded(&port, SERIAL);
    let folder = tempfile::tempdir().unwrap();
    let pem = issue(&port, device, folder.path(), &[]);
    let key = key_in(&pem);
    let foreign = Credentials::of(&pem, &key);
    let other = (403, "other-agent".to_owned());
    let mut connection = port.connect_as(&foreign).await.unwrap();
    assert_eq!(connection.post(CHECK_IN_PATH, UNCHANGED).await.unwrap().outcome(), other);
    for next in [&key, &KeyPair::generate().unwrap()] {
        let body = serde_json::to_vec(&RenewRequest { csr_pem: csr(next).unwrap() }).unwrap();
        assert_eq!(connection.post(RENEW_PATH, &body).await.unwrap().outcome(), other);
        assert_eq!(recover(&port, &key, next).await.outcome(), other);
    }
    let token = port.installation.create_enrolment_token(SITE, 5).unwrap();
    let request = enrol_request(&token, &key, Hardware::default()).unwrap();
    assert_eq!(port.enrol(&request).await.unwrap().outcome(), other);

    let (grant, ours) = port.enrolled().await.unwrap();
    let mut connection = port.connect_as(&ours).await.unwrap();
    let refused = post(&mut connection, (ZLIB, GLPI), &zlib(&glpi(SERIAL))).await;
    let (status, message) = outcome(&refused);
    assert_eq!((status, &told(&refused)["status"]), (403, &json!("error")));
    assert!(message.unwrap().contains("bring inventories and nothing else"), "{refused:?}");
    assert_eq!(connection.check_in(UNCHANGED).await.unwrap().status, 200, "it goes on as before");
    assert_eq!(seen(&port.installation, grant.device_id).await.unwrap().health, None);
    // Ours takes over no key of another system's, and asks for none.
    let body = serde_json::to_vec(&RenewRequest { csr_pem: csr(&key).unwrap() }).unwrap();
    assert_eq!(connection.post(RENEW_PATH, &body).await.unwrap().outcome(), (409, "foreign-key".to_owned()));
    let id = grant.device_id.to_string();
    let out = folder.path().join("second.pem");
    let arguments = ["--out", out.to_str().unwrap(), id.as_str()];
    let refused = port.installation.run("foreign-agent issue", &arguments, "").unwrap_err().to_string();
    assert!(refused.contains("an agent of Cartable is enrolled") && !out.exists(), "{refused}");
    // Without a certificate there is no such path.
    let mut connection = port.connect_to_enrol().await.unwrap();
    assert_eq!(post(&mut connection, (ZLIB, GLPI), &zlib(&glpi(SERIAL))).await.status, 404);
    assert_eq!(seen(&port.installation, device).await.unwrap().health, None);
}

async fn a_revocation_counts_from_the_next_request(port: Port) {
    let device = recorded(&port, SERIAL);
    let mut connection = port.connect_as(&issued(&port, device)).await.unwrap();
    assert_eq!(post(&mut connection, (ZLIB, GLPI), &zlib(CONTACT)).await.status, 200);
    port.installation.run("foreign-agent revoke", &[&device.to_string()], "").unwrap();
    for message in [CONTACT, PROLOG, &glpi(SERIAL)] {
        let refused = post(&mut connection, (ZLIB, GLPI), &zlib(message)).await;
        assert_eq!((refused.status, &told(&refused)["status"]), (403, &json!("error")), "{refused:?}");
    }
    assert_eq!(seen(&port.installation, device).await.unwrap().contact, None);
    assert!(
        port.installation.run("foreign-agent revoke", &[&device.to_string()], "").is_err(),
        "there is none any more"
    );
    // The device itself, on a connection that was there before.
    let mut connection = port.connect_as(&issued(&port, device)).await.unwrap();
    assert_eq!(post(&mut connection, (ZLIB, GLPI), &zlib(CONTACT)).await.status, 200);
    port.installation.run("device revoke", &[&device.to_string()], "").unwrap();
    assert_eq!(post(&mut connection, (ZLIB, GLPI), &zlib(&glpi(SERIAL))).await.status, 403);
}

async fn a_certificate_that_was_copied_to_another_machine_brings_nothing(port: Port) {
    let device = recorded(&port, SERIAL);
    let mut connection = port.connect_as(&issued(&port, device)).await.unwrap();
    let (status, message) = outcome(&post(&mut connection, (ZLIB, GLPI), &zlib(&glpi("PF2OTHER"))).await);
    let message = message.unwrap();
    assert_eq!(status, 422, "{message}");
    assert!(message.contains(SERIAL) && message.contains("another machine"), "{message}");
    assert!(!message.contains("PF2OTHER"), "{message}");
    let found = seen(&port.installation, device).await.unwrap();
    assert_eq!((found.health, found.contact), (None, None));
    // The log is read by a thread of its own.
    let is_logged = || port.server.log().text().contains("used on another machine");
    for _ in 0..100 {
        if is_logged() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(is_logged(), "{}", port.server.log().text());
}

async fn what_is_no_inventory_is_refused_in_the_agents_own_terms(port: Port) {
    let device = recorded(&port, SERIAL);
    let own = issued(&port, device);
    let spaces = |bytes: usize| zlib(&" ".repeat(bytes));
    let deep = format!("{{\"action\":\"inventory\",\"content\":{}", "[".repeat(100_000));
    let bomb =
        "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><REQUEST><QUERY>INVENTORY</QUERY></REQUEST>";
    for (what, media, body, status) in [
        ("not packed", ZLIB, b"{}".to_vec(), 400),
        ("a bomb", ZLIB, spaces(5 << 20), 413),
        ("no message", ZLIB, zlib("hello"), 400),
        ("another task", ZLIB, zlib(r#"{"action":"get_params"}"#), 400),
        ("no content", ZLIB, zlib(r#"{"action":"inventory"}"#), 400),
        ("deep", ZLIB, zlib(&deep), 400),
        ("entities", ZLIB, zlib(bomb), 400),
        ("old", ZLIB, zlib(&JSON.replace("2026-11-24", "2020-11-24")), 422),
        ("another type", "text/plain", glpi(SERIAL).into_bytes(), 415),
    ] {
        let mut connection = port.connect_as(&own).await.unwrap();
        let refused = post(&mut connection, (media, GLPI), &body).await;
        let (found, message) = outcome(&refused);
        assert_eq!((found, &told(&refused)["status"]), (status, &json!("error")), "{what}: {refused:?}");
        assert!(message.is_some_and(|message| !message.is_empty()), "{what}");
        let mut connection = port.connect_as(&own).await.unwrap();
        let words = post(&mut connection, (media, ""), &body).await;
        assert_eq!(words.status, status, "{what}");
        assert!(String::from_utf8_lossy(&words.body).contains("<REPLY><ERROR>"), "{what}: {words:?}");
    }
    assert_eq!(seen(&port.installation, device).await.unwrap().health, None);
}

async fn a_key_of_the_machine_is_certified_and_renewed(port: Port) {
    let device = recorded(&port, SERIAL);
    let (folder, key) = (tempfile::tempdir().unwrap(), KeyPair::generate().unwrap());
    let request = folder.path().join("request.pem");
    fs::write(&request, csr(&key).unwrap()).unwrap();
    let pem = issue(&port, device, folder.path(), &["--csr", request.to_str().unwrap()]);
    assert!(!pem.contains("PRIVATE KEY"), "the machine has it");
    let old = Credentials::of(&pem, &key);
    let mut before = port.connect_as(&old).await.unwrap();
    assert_eq!(post(&mut before, (ZLIB, GLPI), &zlib(&glpi(SERIAL))).await.status, 200);
    let renewed = issued(&port, device);
    assert_eq!(post(&mut before, (ZLIB, GLPI), &zlib(&glpi(SERIAL))).await.status, 200, "until the new one is used");
    let mut after = port.connect_as(&renewed).await.unwrap();
    assert_eq!(post(&mut after, (ZLIB, GLPI), &zlib(&glpi(SERIAL))).await.status, 200);
    let refused = post(&mut before, (ZLIB, GLPI), &zlib(&glpi(SERIAL))).await;
    assert_eq!(refused.status, 403, "{refused:?}");
}

/// The status that answers an inventory; none where the certificates of one side count nothing to the other.
async fn brought(port: &Port, own: &Credentials) -> Option<u16> {
    let mut connection = port.connect_as(own).await.ok()?;
    Some(connection.post(PATH, glpi(SERIAL).as_bytes()).await.ok()?.status)
}

async fn after_a_change_of_the_root_a_certificate_counts_until_the_earlier_intermediate_is_dropped(mut port: Port) {
    let (device, folder) = (recorded(&port, SERIAL), tempfile::tempdir().unwrap());
    let pem = issue(&port, device, folder.path(), &[]);
    let key = key_in(&pem);
    let old = Credentials::of(&pem, &key);
    let change = |port: &mut Port, steps: &[&str]| {
        for step in steps {
            port.installation.run(&format!("authority {step}"), &[], "").unwrap();
        }
        port.restart().unwrap();
    };
    assert_eq!(brought(&port, &old).await, Some(200));
    change(&mut port, &["begin-root", "switch-root"]);
    assert_eq!(brought(&port, &old).await, None, "its file of roots is from before");
    port.trust_anew().unwrap();
    assert_eq!(brought(&port, &old).await, Some(200), "with what show-roots prints now");

    change(&mut port, &["drop-earlier"]);
    assert_eq!(brought(&port, &old).await, None);
    assert_eq!(recover(&port, &key, &key).await.outcome(), (403, "other-agent".to_owned()), "nothing brings it back");
    let new = issued(&port, device);
    assert_eq!(brought(&port, &new).await, Some(200), "but a person");
    change(&mut port, &["retire-root"]);
    port.trust_anew().unwrap();
    assert_eq!(brought(&port, &new).await, Some(200));
    assert_eq!(seen(&port.installation, device).await.unwrap().contact.unwrap().check_ins, 4);
}

/// A whole inventory of either agent, with everything that must not be kept, by a machine that was told nothing.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_names_people_programs_and_networks_is_kept_or_logged() {
    let port = Port::start().unwrap();
    let xml = XML.replace("2026-11-24 12:00:00", &written(1));
    for (serial, message) in [("PF2CART8", glpi("PF2CART8")), (SERIAL, xml)] {
        assert!(message.contains("indiscret") && message.contains("192.0.2"), "the samples are full of it");
        let device = recorded(&port, serial);
        let mut connection = port.connect_as(&issued(&port, device)).await.unwrap();
        for text in [PROLOG, CONTACT, message.as_str()] {
            let answer = post(&mut connection, (ZLIB, GLPI), &zlib(text)).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        // Refused ones leave nothing either.
        assert_eq!(post(&mut connection, (ZLIB, GLPI), &zlib(&glpi("indiscret-serial"))).await.status, 422);
        assert!(seen(&port.installation, device).await.unwrap().health.is_some());
    }
    let mut is_found = false;
    for (path, bytes) in stored::files(port.installation.directory()).unwrap() {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        is_found |= text.contains("latitude 3190");
        for trace in ["indiscret", "192.0.2", "02:00:5e"] {
            assert!(!text.contains(trace), "{trace} in {path}");
        }
    }
    assert!(is_found, "what is read is stored");
    let log = port.server.log().text().to_lowercase();
    assert!(!log.contains("indiscret") && !log.contains("192.0.2"), "{log}");
}
