//! What the server reads: of agents, of whoever asks for a certificate, of files that people bring.

use std::io::Write as _;

use axum::{
    body::Body,
    extract::{FromRequest as _, Request},
    http::header,
};
use cartable_common::{
    UtcMillis,
    limits::MAX_CSR_BYTES,
    protocol::{CheckInRequest, EnrolRequest, RecoverRequest, RenewRequest, recovery_message},
};
use cartable_server::{
    domain::{
        erasure::{
            BenchClock,
            evidence::{self, File},
        },
        ical,
        policy::Policy,
        reading::{self, Reading},
    },
    exchange::{
        limits::{MAX_CELL_CHARS, MAX_COLUMNS, MAX_ROWS},
        read::{self, Table},
    },
    gateway::message::Message,
    pki::{PresentedKey, ProvenKey},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{is_a_report, survives_the_wire};

/// How every zstd frame begins (RFC 8878, 3.1.1).
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// The body of a check-in, compressed if it begins so.
pub fn check_in(bytes: &[u8]) {
    let Some(request) = message::<CheckInRequest>(bytes) else { return };
    for one in &request.reports {
        // What is too long is refused later, report by report.
        if one.report.check().is_ok() {
            is_a_report(&one.report);
        }
    }
}

/// The body of an enrolment, a renewal or a recovery, and the keys in it.
pub fn enrol(bytes: &[u8]) {
    let requests = (message::<EnrolRequest>(bytes), message::<RenewRequest>(bytes), message::<RecoverRequest>(bytes));
    for pem in [requests.0.map(|enrol| enrol.csr_pem), requests.1.map(|renew| renew.csr_pem)].into_iter().flatten() {
        proven(&pem);
    }
    if let Some(recover) = requests.2
        && let Ok(key) = PresentedKey::from_base64(&recover.public_key)
    {
        let signed = recovery_message(&recover.nonce, &recover.csr_pem);
        if key.has_signed(&signed, &recover.signature) {
            assert!(!key.has_signed(&[&signed[..], b"\n"].concat(), &recover.signature), "it signs one message");
        }
    }
}

/// A request that an agent sends, through the extractor that the device port has.
fn message<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(bytes: &[u8]) -> Option<T> {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime of one thread");
    }
    let mut request = Request::post("/").header(header::CONTENT_TYPE, "application/json");
    if bytes.starts_with(&ZSTD) {
        request = request.header(header::CONTENT_ENCODING, "zstd");
    }
    let request = request.body(Body::from(bytes.to_vec())).expect("a request");
    match RUNTIME.with(|runtime| runtime.block_on(Message::<T>::from_request(request, &()))) {
        Ok(message) => {
            survives_the_wire(&message.value);
            Some(message.value)
        }
        Err(refusal) => {
            assert!(refusal.status().is_client_error(), "what a stranger sends is the stranger's fault");
            None
        }
    }
}

/// A certificate request: PEM if it begins so, else what such a text would hold.
pub fn csr(bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(pem) if pem.starts_with("-----") => proven(pem),
        _ => {
            let lines = data_encoding::BASE64.encode(bytes);
            proven(&format!("-----BEGIN CERTIFICATE REQUEST-----\n{lines}\n-----END CERTIFICATE REQUEST-----\n"));
        }
    }
}

fn proven(pem: &str) {
    let Ok(key) = ProvenKey::from_csr_pem(pem) else { return };
    assert!(pem.len() <= MAX_CSR_BYTES);
    assert_eq!(ProvenKey::from_csr_pem(pem).expect("it was proven").sha256(), key.sha256());
}

/// Whatever a person brings of a machine: `assess` and the imports tell by themselves what it is.
pub fn reading(bytes: &[u8]) {
    match reading::read(bytes) {
        Ok(Reading::Drive { drive, .. }) => survives_the_wire(&drive),
        Ok(Reading::Batteries(batteries)) => survives_the_wire(&batteries),
        Ok(Reading::Device(reports)) => reports.iter().for_each(|one| survives_the_wire(&one.report)),
        Ok(Reading::Inventory(report)) => survives_the_wire(&report),
        Ok(Reading::Agent(inventory)) => is_a_report(&inventory.report),
        Err(why) => assert!(!why.said().en.is_empty() && !why.code().is_empty()),
    }
}

/// FusionInventory's XML.
pub fn inventory_xml(bytes: &[u8]) {
    reading(&[b"<", bytes.strip_prefix(b"<").unwrap_or(bytes)].concat());
}

/// GLPI Agent's JSON.
pub fn inventory_json(bytes: &[u8]) {
    reading(&[b"{", bytes.strip_prefix(b"{").unwrap_or(bytes)].concat());
}

/// A table in CSV, or a whole workbook.
pub fn table(bytes: &[u8]) {
    for table in [read::table(bytes), read::list(bytes)].into_iter().flatten() {
        within_bounds(&table);
    }
}

fn within_bounds(table: &Table) {
    let rows = || std::iter::once(&table.headings).chain(table.lines.iter().map(|line| &line.cells));
    assert!(table.lines.len() <= MAX_ROWS && !table.headings.is_empty());
    assert!(rows().all(|cells| cells.len() <= MAX_COLUMNS));
    assert!(rows().flatten().all(|cell| cell.chars().count() <= MAX_CELL_CHARS));
    assert!(table.lines.iter().all(|line| line.cells.iter().any(|cell| !cell.trim().is_empty())));
}

/// The sheet of a workbook and, after a zero, its shared strings and its styles. What an office writes around them is
/// added, for no chance puts a zip together.
pub fn workbook(bytes: &[u8]) {
    let mut parts = bytes.splitn(3, |byte| *byte == 0);
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let around = WORKBOOK.map(|(name, text)| (name, text.as_bytes()));
    let inside = ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"];
    for (name, content) in around.into_iter().chain(inside.map(|name| (name, parts.next().unwrap_or_default()))) {
        zip.start_file(name, stored).expect("a part begins");
        zip.write_all(content).expect("memory takes it");
    }
    table(&zip.finish().expect("the end is written").into_inner());
}

/// The parts of a workbook that say where the others are (ECMA-376, part 1, 18 and part 2, 9).
const WORKBOOK: [(&str, &str); 4] = [
    (
        "[Content_Types].xml",
        r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>"#,
    ),
    (
        "_rels/.rels",
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
    ),
    (
        "xl/workbook.xml",
        r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>"#,
    ),
    (
        "xl/_rels/workbook.xml.rels",
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="r3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#,
    ),
];

/// The operator's policy.
pub fn policy(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(error) = Policy::from_toml(&text) {
        let lines = text.matches('\n').count() + 1;
        assert!(!error.problems.is_empty());
        for problem in error.problems {
            assert!((1..=lines).contains(&problem.line) && !problem.reason.is_empty(), "{problem}");
        }
    }
}

/// A school calendar.
pub fn calendar(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match ical::by_zone(&text, None) {
        Ok(zones) => {
            for (zone, holidays) in zones {
                assert!(!holidays.is_empty());
                assert!(holidays.iter().all(|one| one.closure.first <= one.closure.last));
                assert!(holidays.iter().all(|one| one.closure.zone == Some(zone)));
            }
        }
        Err(error) => assert!(error.line >= 1 && !error.fault.parts().0.is_empty()),
    }
}

/// The evidence of an erasure: files of one run, a zero between them.
pub fn erasure(bytes: &[u8]) {
    let now = UtcMillis::new(1_795_521_600_000).expect("2026-11-24");
    let files: Vec<File<'_>> = bytes.split(|byte| *byte == 0).map(|bytes| File { name: "evidence", bytes }).collect();
    for clock in [BenchClock::Paris, BenchClock::Utc] {
        for reading in evidence::read(&files, clock, now).into_iter().flatten() {
            assert!(reading.started_at <= reading.ended_at, "an erasure ends after it begins");
        }
    }
}
