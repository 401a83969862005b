//! The agent's state was copied to another machine, with real programs on both sides: each ends with a key and a device of its
//! own, and no device's history holds what the other machine measured.

#![cfg(target_os = "linux")]

use std::collections::BTreeSet;

use cartable_common::DeviceId;
use cartable_tests::{gateway_client::Port, harness::stored, raw::Raw};
use uuid::Uuid;

use crate::laptop::{Laptop, approve, restart, waiting};

/// The reports that wait in its spool.
pub(crate) fn spooled(laptop: &Laptop) -> BTreeSet<Uuid> {
    laptop.spooled().iter().map(|record| record.report_id.0).collect()
}

/// The reports that the server has of that device.
pub(crate) async fn arrived(port: &Port, device: &str) -> BTreeSet<Uuid> {
    let device: DeviceId = device.parse().unwrap();
    let stored = stored::reports(&port.installation.database_url()).await.unwrap();
    stored.into_keys().filter(|(of, _)| *of == device.0).map(|(_, report)| report).collect()
}

/// What the server believes that the device is.
pub(crate) async fn known(port: &Port, device: &str) -> String {
    let device: DeviceId = device.parse().unwrap();
    let mut raw = Raw::connect(&port.installation.database_url()).await.unwrap();
    let id = raw.uuid(device.0);
    raw.texts(&format!("SELECT report FROM health WHERE device_id = {id}")).await.unwrap().concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_waits_the_original_heals_at_once_and_each_has_its_own_history() {
    let mut port = Port::start().unwrap();
    let original = Laptop::enrolled(&port, "PF2ORIGINAL");
    original.contact_goes_well();
    let (device, image) = (original.device(), original.enrolment());
    // An image is taken while a report waits for the server.
    port.server.kill();
    original.set_memory(8_000_000);
    assert_eq!(original.contact().0, Some(1));
    let copy = original.copied_to(&port, "PF2COPY");
    let of_original = spooled(&original);
    assert!(of_original.len() == 1 && spooled(&copy) == of_original);
    restart(&mut port);

    // The copy speaks first, and says nothing under a key that is not its own.
    for _ in 0..2 {
        let (code, words) = copy.contact();
        assert_eq!(code, Some(4), "{words}");
    }
    assert_eq!(copy.enrolment(), image, "the old key stays until there is another");
    let of_copy: BTreeSet<Uuid> = spooled(&copy).difference(&of_original).copied().collect();
    assert_eq!(of_copy.len(), 1, "measured once");
    let lines = waiting(&port);
    assert_eq!(lines.len(), 1, "asked twice, it waits once: {lines:?}");
    assert_eq!(lines[0][1..7], ["-", "PF2COPY", "", "cloned_key", "new_device", "-"]);

    // Nobody helps the original.
    original.contact_goes_well();
    assert_ne!(original.enrolment()["key_pem"], image["key_pem"]);
    assert_eq!(original.device(), device);
    original.contact_goes_well();
    assert_eq!(copy.contact().0, Some(4), "its old key ended, and it still waits");

    approve(&port);
    copy.contact_goes_well();
    assert_ne!(copy.device(), device);
    let keys = [&original.enrolment(), &copy.enrolment(), &image].map(|enrolment| enrolment["key_pem"].to_string());
    assert_eq!(BTreeSet::from(keys).len(), 3, "three keys");
    assert!(original.spooled().is_empty() && copy.spooled().is_empty());
    assert_eq!(arrived(&port, &copy.device()).await, of_copy, "its own, and not the image's");
    let with_image = arrived(&port, &device).await;
    assert!(with_image.is_superset(&of_original) && with_image.is_disjoint(&of_copy), "{with_image:?}");
    for (laptop, own, other) in [(&original, "PF2ORIGINAL", "PF2COPY"), (&copy, "PF2COPY", "PF2ORIGINAL")] {
        let known = known(&port, &laptop.device()).await;
        assert!(known.contains(own) && !known.contains(other), "{known}");
        // From now on each is a laptop like any other.
        laptop.set_memory(16_000_000);
        laptop.contact_goes_well();
    }
    assert!(waiting(&port).is_empty());
    let devices = stored::count(&port.installation.database_url(), "device").await.unwrap();
    assert_eq!(devices, 2);
    port.installation.run("audit verify", &[], "").unwrap();
}
