//! The real cartable-agent.exe under Wine with its key in Windows' key store: made, used, refused for now, lost, removed.
//!
//! Wine's own key store makes no keys of the kind, which is a case of its own; for the others a stand-in lies beside the
//! program (tests/wine/ncrypt.c). How a real TPM behaves behind these calls nobody has seen.

#![cfg(target_os = "linux")]

use std::{fs, path::Path};

use cartable_tests::wine::Wine;
use serde_json::Value;

use crate::windows_agent::{School, installer};

const LABEL: &str = "-----BEGIN CARTABLE KEY STORE KEY-----";
const SOFTWARE: &str = "-----BEGIN PRIVATE";

impl School {
    /// One whose computer has a key store.
    fn with_key_store() -> Self {
        Self::with(Wine::with_key_store().unwrap())
    }

    /// The names of the keys in the key store.
    fn keys(&self) -> Vec<String> {
        let names = fs::read_dir(self.wine.key_store()).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.into_string().unwrap());
        names.filter(|name| name.starts_with("cartable-agent-")).collect()
    }

    /// What stands in the key store's folder to make it fail.
    fn set_fault(&self, name: &str) {
        fs::write(self.wine.key_store().join(name), "").unwrap();
    }

    fn end_fault(&self, name: &str) {
        fs::remove_file(self.wine.key_store().join(name)).unwrap();
    }

    fn kept(&self, file: &str) -> Value {
        serde_json::from_slice(&fs::read(self.state().join(file)).unwrap()).unwrap()
    }

    fn key_is(&self, file: &str, label: &str) -> bool {
        self.kept(file)["key_pem"].as_str().unwrap().starts_with(label)
    }

    /// Checks in; gives where the report says that the key is.
    async fn reported(&self, id: &str) -> String {
        self.wine.agent_well(&["once"]).unwrap();
        let device = self.device(id).await;
        device["health"]["report"]["firmware"]["key_protection"].as_str().unwrap().to_owned()
    }

    /// A person lets in the one machine that waits.
    fn approve(&self) {
        let lines = self.cartable.installation.run("device waiting", &[], "").unwrap();
        let waiting: Vec<&str> = lines.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(waiting.len(), 1, "{lines}");
        self.cartable.installation.run("device approve", &waiting, "").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Wine and the .exe: tests/windows"]
async fn where_the_key_store_makes_no_key_it_is_a_file() {
    let school = School::new();
    let said = school.enrol(&["--key-store", "platform"]);
    assert!(said.contains("the key is kept in a file") && said.contains("0x80090029"), "{said}");
    assert!(school.key_is("enrolment.json", SOFTWARE));
    assert_eq!(school.reported(&school.device_id(&[])).await, "software");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Wine and the .exe: tests/windows"]
async fn a_key_store_that_signs_wrongly_is_not_used_and_keeps_nothing() {
    let school = School::with_key_store();
    school.set_fault("wrong");
    let said = school.enrol(&["--key-store", "platform"]);
    assert!(said.contains("its signature does not hold"), "{said}");
    assert!(school.key_is("enrolment.json", SOFTWARE));
    assert!(school.keys().is_empty(), "{:?}", school.keys());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Wine and the .exe: tests/windows"]
async fn a_key_in_the_key_store_serves_from_the_enrolment_to_the_removal() {
    let school = School::with_key_store();
    school.enrol(&["--key-store", "platform"]);
    assert!(school.key_is("enrolment.json", LABEL));
    let [first]: [String; 1] = school.keys().try_into().unwrap();
    assert_eq!(school.reported(&school.device_id(&[])).await, "platform");
    let before = school.kept("enrolment.json");

    school.set_fault("refuse");
    let ran = school.wine.agent(&["once"]).unwrap();
    assert_eq!(ran.code, 1, "not ready: {}", ran.text);
    let status = school.wine.agent(&["status", "--lang", "en"]).unwrap().text;
    assert!(status.contains("The key is not lost"), "{status}");
    assert!(!school.state().join("pending.json").exists(), "no other key asked");
    school.end_fault("refuse");
    school.wine.agent_well(&["once"]).unwrap();

    fs::remove_file(school.wine.key_store().join(&first)).unwrap();
    for _ in 0..2 {
        let ran = school.wine.agent(&["once"]).unwrap();
        assert_eq!(ran.code, 4, "lost: {}", ran.text);
    }
    assert_eq!(school.kept("enrolment.json"), before, "nothing is given up before a person agreed");
    let [second]: [String; 1] = school.keys().try_into().unwrap();
    assert!(school.key_is("pending.json", LABEL) && second != first, "one other key, in the key store too");
    school.approve();
    school.wine.agent_well(&["once"]).unwrap();
    assert!(school.key_is("enrolment.json", LABEL));
    assert_eq!(school.keys(), [second]);

    school.wine.agent_well(&["service", "uninstall", "--erase"]).unwrap();
    assert!(!school.state().exists() && school.keys().is_empty(), "{:?}", school.keys());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Wine and the .exe: tests/windows"]
async fn the_installer_asks_for_the_key_store_where_it_is_told_to_and_knows_no_other_word() {
    let school = School::new();
    let program = school.wine.drive_c().join("Program Files/Cartable");
    school.wine.add_key_store(&program).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let package = installer(folder.path(), "0.1.0");
    let refused = install(&school, &package, "KEYSTORE=tpm");
    assert!(refused != 0 && !has_program(&program), "{refused}");

    assert_eq!(install(&school, &package, "KEYSTORE=platform"), 0);
    school.await_service("RUNNING");
    assert!(school.key_is("enrolment.json", LABEL));
    let [_]: [String; 1] = school.keys().try_into().unwrap();
    // The service, which is another process, signs with it.
    school.await_check_in(&school.device_id(&[]), 0).await;

    let removed = school.wine.run("msiexec", &["/x", &package, "/qn"]).unwrap();
    assert_eq!(removed.code, 0, "{removed:?}");
    assert!(!school.state().exists() && school.keys().is_empty(), "{:?}", school.keys());
}

fn install(school: &School, package: &str, key_store: &str) -> i32 {
    let properties = school.properties();
    let mut arguments = vec!["/i", package, "/qn", key_store];
    arguments.extend(properties.iter().map(String::as_str));
    school.wine.run("msiexec", &arguments).unwrap().code
}

fn has_program(folder: &Path) -> bool {
    folder.join("cartable-agent.exe").exists()
}
