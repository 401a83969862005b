//! Every reader of what strangers write, one function for each kind of text.
//!
//! Each takes any bytes and panics if the reader panics or breaks what it promises: bounds, a report that survives the
//! wire, a refusal that is the sender's fault. `tests/fuzz` feeds them with libFuzzer; the test `project/foreign_text`
//! feeds them with the corpus that this left, and with small changes of it.

mod agent;
mod machine;
mod server;
mod signed;

use std::fmt::Debug;

use cartable_common::report::HealthReport;
use serde::{Serialize, de::DeserializeOwned};

pub use self::{
    agent::{answer, smartctl, uevent, wmi},
    machine::{apple, bus, linux, tpm},
    server::{
        calendar, check_in, csr, enrol, erasure, inventory_json, inventory_xml, policy, reading, table, workbook,
    },
    signed::{orders, trust_chain, update_manifest},
};

/// A reader under its name: that of its program in `tests/fuzz/fuzz_targets` and of its folder in `tests/fuzz/corpus`.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 22] = [
    ("answer", answer),
    ("apple", apple),
    ("bus", bus),
    ("calendar", calendar),
    ("check_in", check_in),
    ("csr", csr),
    ("enrol", enrol),
    ("erasure", erasure),
    ("inventory_json", inventory_json),
    ("inventory_xml", inventory_xml),
    ("linux", linux),
    ("orders", orders),
    ("policy", policy),
    ("reading", reading),
    ("smartctl", smartctl),
    ("table", table),
    ("tpm", tpm),
    ("trust_chain", trust_chain),
    ("uevent", uevent),
    ("update_manifest", update_manifest),
    ("wmi", wmi),
    ("workbook", workbook),
];

/// A value that is sent arrives as it was.
fn survives_the_wire<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let sent = serde_json::to_vec(value).expect("plain values can always be written");
    let arrived: T = serde_json::from_slice(&sent).expect("what was written can be read");
    assert_eq!(&arrived, value);
}

/// A report that an agent may send: within its limits, the same after the wire, its content's hash that of its essence.
fn is_a_report(report: &HealthReport) {
    assert_eq!(report.check(), Ok(()));
    survives_the_wire(report);
    assert_eq!(report.content_hash(), report.essence().content_hash());
}
