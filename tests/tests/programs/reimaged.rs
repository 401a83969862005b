//! A laptop was installed anew, or enrols with a new key, with real programs on both sides: it waits for a person, and is the
//! same device with the same history; the old key serves until then and is refused afterwards.

#![cfg(target_os = "linux")]

use cartable_common::DeviceId;
use cartable_tests::{gateway_client::Port, harness::stored, raw::Raw};

use crate::laptop::{Laptop, approve, waiting};

const SERIAL: &str = "PF2REIMAGED";

/// Asked as often as it likes, the machine waits once, to take the place of the key that `device` has.
fn waits_as_a_replacement(port: &Port, device: &str) {
    let lines = waiting(port);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!([1, 2, 5].map(|column| lines[0][column].as_str()), [device, SERIAL, "replaces"]);
}

/// There is one device, and all that was ever reported is its own; gives how many reports there are.
async fn one_history(port: &Port, device: &str) -> usize {
    let url = port.installation.database_url();
    let device: DeviceId = device.parse().unwrap();
    assert_eq!(stored::count(&url, "device").await.unwrap(), 1);
    assert_eq!(stored::count(&url, "enrolment WHERE status = 'active'").await.unwrap(), 1);
    assert_eq!(stored::count(&url, "enrolment WHERE status = 'replaced'").await.unwrap(), 1);
    let reports = stored::reports(&url).await.unwrap();
    assert!(reports.keys().all(|(of, _)| *of == device.0), "{reports:?}");
    reports.len()
}

async fn memory(port: &Port) -> i64 {
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    raw.number("SELECT memory_bytes FROM health").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_that_was_installed_anew_waits_and_is_the_same_device() {
    let port = Port::start().unwrap();
    let before = Laptop::enrolled(&port, SERIAL);
    before.contact_goes_well();
    before.set_memory(6_000_000);
    before.contact_goes_well();
    let device = before.device();

    // The same machine with an empty disk: what was on the old one shows what its key is still good for.
    let after = Laptop::new(&port, SERIAL);
    after.set_memory(8_000_000);
    for _ in 0..2 {
        let (code, words) = after.enrol(&port, &[]);
        assert_eq!(code, Some(4), "{words}");
    }
    waits_as_a_replacement(&port, &device);
    before.contact_goes_well();

    approve(&port);
    let (code, words) = after.enrol(&port, &[]);
    assert_eq!(code, Some(0), "{words}");
    assert_eq!(after.device(), device);
    after.contact_goes_well();
    assert_eq!(one_history(&port, &device).await, 3, "two of before, one of after");
    assert_eq!(memory(&port).await, 8_000_000 * 1024, "what the new installation says is newer");

    before.set_memory(7_000_000);
    let (code, words) = before.contact();
    assert!(code == Some(5) && before.spooled().len() == 1, "{code:?} {words}");
    assert_eq!(one_history(&port, &device).await, 3);
    port.installation.run("audit verify", &[], "").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_waits_while_the_old_one_serves_and_takes_its_place() {
    let port = Port::start().unwrap();
    let laptop = Laptop::enrolled(&port, SERIAL);
    laptop.contact_goes_well();
    let (device, first) = (laptop.device(), laptop.enrolment());
    let (code, words) = laptop.enrol(&port, &["--new-key"]);
    assert_eq!(code, Some(4), "{words}");
    waits_as_a_replacement(&port, &device);
    laptop.set_memory(6_000_000);
    laptop.contact_goes_well();
    assert_eq!(laptop.enrolment(), first, "the old key serves until the new one is granted");
    let old = laptop.copied_to(&port, SERIAL);
    old.lose_request();

    approve(&port);
    // No command and no new start of the service: the old key has ended, and the contact takes the new one.
    laptop.contact_goes_well();
    assert_eq!(laptop.device(), device);
    assert_ne!(laptop.enrolment()["key_pem"], first["key_pem"]);
    laptop.set_memory(8_000_000);
    laptop.contact_goes_well();
    assert!(one_history(&port, &device).await >= 3 && laptop.spooled().is_empty());
    assert_eq!(memory(&port).await, 8_000_000 * 1024);

    let (code, words) = old.contact();
    assert_eq!(code, Some(5), "{words}");
    assert_eq!(memory(&port).await, 8_000_000 * 1024);
}
