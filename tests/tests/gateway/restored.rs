//! A server that was restored from an old backup has forgotten that a key is on several machines: those that healed since come
//! back by their own keys, and one that slept through all of it still heals, with no history mixed. On SQLite, where a backup is
//! a file that takes the place of another.

use cartable_common::protocol::CheckInResponse;
use cartable_server::{clock, domain::paris};
use cartable_tests::gateway_client::Port;
use rcgen::KeyPair;

use crate::clone::{Machine, ask, cloned, enrolled, granted, heal, histories_are_apart, say, waiting};

/// A person lets in the one machine that waits, as a device that nobody knew.
fn approve(port: &Port) {
    let lines = waiting(port);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0][4..6], ["cloned_key", "new_device"]);
    port.installation.run("device approve", &[&lines[0][0]], "").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloned_key_whose_healing_was_forgotten_mixes_nothing_and_heals_again() {
    let mut port = Port::start().unwrap();
    let (mut master, device, image) = enrolled(&port, "PF2MASTER").await;
    assert_eq!(say(&port, &image, &master.whole()).await.status, 200);
    let home = tempfile::tempdir().unwrap();
    let backup = home.path().join("backup");
    port.installation.run("backup", &["--to", backup.to_str().unwrap()], "").unwrap();
    let taken = paris::date_time(clock::now()).to_string();

    // A clone and the master get a key of their own, and then the server is lost.
    let mut early = Machine::new("PF2EARLY");
    let key = KeyPair::generate().unwrap();
    let request = early.heal(&key);
    assert_eq!(ask(&port, &image, &request).await.status, 202);
    approve(&port);
    let (early_device, early_own) = granted(&ask(&port, &image, &request).await, &key);
    let (answer, key) = heal(&port, &image, &master).await;
    let (_, master_own) = granted(&answer, &key);
    for (machine, own) in [(&mut early, &early_own), (&mut master, &master_own)] {
        assert_eq!(say(&port, own, &machine.whole()).await.status, 200);
    }
    port.restore(&backup).unwrap();
    port.installation.run("restored", &["--backup-taken", &taken], "").unwrap();
    port.restart().unwrap();

    // Another clone speaks first, by the key that counts as the master's alone.
    let mut late = Machine::new("PF2LATE");
    assert_eq!(say(&port, &image, &late.whole()).await.outcome(), cloned());
    let key = KeyPair::generate().unwrap();
    let request = late.heal(&key);
    assert_eq!(ask(&port, &image, &request).await.status, 202);
    // Whoever healed needs nobody, and is not asked to heal once more.
    for (machine, own) in [(&mut early, &early_own), (&mut master, &master_own)] {
        let answer = say(&port, own, &machine.whole()).await;
        let response: CheckInResponse = serde_json::from_slice(&answer.body).unwrap();
        assert!(response.acknowledged.len() == 1 && !response.heal, "{answer:?}");
    }
    // The image's key has ended with that, and what it vouched for is not forgotten.
    assert_eq!(say(&port, &image, &late.whole()).await.outcome(), cloned());
    assert_eq!(ask(&port, &image, &request).await.status, 202);
    approve(&port);
    let (late_device, late_own) = granted(&ask(&port, &image, &request).await, &key);
    assert_eq!(say(&port, &late_own, &late.whole()).await.status, 200);
    let apart = [("PF2MASTER", device, 2), ("PF2EARLY", early_device, 1), ("PF2LATE", late_device, 1)];
    histories_are_apart(&port, apart).await;
}
