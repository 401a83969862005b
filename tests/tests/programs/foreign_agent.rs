//! The real fusioninventory-agent of Debian reports to the real server by a certificate of its device: unmodified, over mutual
//! TLS, a whole inventory, of which only what a report has a place for is kept.
//!
//! Needs root (for what the agent asks) and fusioninventory-agent; ./tests/run installs it. It has no setting for a client
//! certificate: docs/other-agents.md shows the four lines of Perl that give it one, and they are tested here. Firmware, battery
//! and the machine's name are invented as in `inventory_import`.

use std::{fs, path::Path};

use cartable_common::DeviceId;
use cartable_server::{domain::reading::agents::Tool, gateway::foreign};
use cartable_tests::{
    harness::{Installation, Server, stored},
    simulator::site::uai_code,
    stores::seen,
};

use super::inventory_import::{HOST, agent};

const PAGE: &str = include_str!("../../../docs/other-agents.md");
/// In an environment variable of the agent, which lists them all.
const INDISCRET: &str = "indiscret-by-environment";

/// The module that the page shows.
fn module() -> &'static str {
    let (_, after) = PAGE.split_once("```perl\n").unwrap();
    after.split_once("```").unwrap().0
}

/// Runs the agent once, and returns what it says.
fn run(folder: &Path, server: &Server, certificate: Option<&Path>) -> String {
    let modules: &[&str] = if certificate.is_some() { &["CartableCertificate"] } else { &[] };
    let mut agent = agent(folder, modules);
    agent.arg("--server").arg(format!("{}{}", server.gateway(), foreign::PATH));
    agent.arg("--ca-cert-file").arg(folder.join("roots.pem")).arg("--no-task=wakeonlan,wmi,maintenance");
    agent.env("CARTABLE_TEST_VARIABLE", INDISCRET);
    if let Some(certificate) = certificate {
        agent.env("CARTABLE_CERTIFICATE", certificate);
    }
    let output = agent.output().unwrap();
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_fusioninventory_agent_reports_by_itself() {
    let installation = Installation::temporary().unwrap();
    let uai = uai_code(96, 1);
    installation.create_site(&uai, "Collège des Tilleuls", "Valmarin", "B").unwrap();
    let server = installation.serve().unwrap();
    let listed = ["--serial", "PF2CART7", "--manufacturer", "LENOVO", "--kind", "laptop", "--site", uai.as_str()];
    let device = installation.run("device add", &listed, "").unwrap().trim().to_owned();
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let certificate = folder.join("cartable.pem");
    let issue = ["--out", certificate.to_str().unwrap(), device.as_str()];
    installation.run("foreign-agent issue", &issue, "").unwrap();
    fs::write(folder.join("roots.pem"), installation.roots_pem().unwrap()).unwrap();
    fs::write(folder.join("CartableCertificate.pm"), module()).unwrap();
    let id: DeviceId = device.parse().unwrap();

    let said = run(folder, &server, Some(&certificate));
    let found = seen(&installation, id).await.unwrap();
    assert_eq!(found.reported_by, Some(Tool::FusionInventory), "{said}\n{}", server.log().text());
    let report = found.health.unwrap().report;
    let battery = &report.batteries[0];
    let energy = [battery.design_milliwatt_hours, battery.full_milliwatt_hours].map(|energy| energy.unwrap().get());
    assert_eq!(energy, [50_000, 31_250]);
    let contact = found.contact.unwrap();
    assert_eq!(contact.check_ins, 1);
    assert!(contact.agent_version.starts_with("FusionInventory"), "{}", contact.agent_version);

    // Without the certificate, and once it has ended, nothing arrives.
    run(folder, &server, None);
    installation.run("foreign-agent revoke", &[device.as_str()], "").unwrap();
    let refused = run(folder, &server, Some(&certificate));
    assert!(refused.contains("403"), "{refused}");
    assert_eq!(seen(&installation, id).await.unwrap().contact.unwrap().check_ins, 1);

    let mut is_found = false;
    for (path, bytes) in stored::files(installation.directory()).unwrap() {
        let text = String::from_utf8_lossy(&bytes);
        is_found |= text.contains("L19M3PG1");
        for trace in [INDISCRET, HOST, "libc6", "/usr/sbin/nologin"] {
            assert!(!text.contains(trace), "{trace} in {path}");
        }
    }
    assert!(is_found, "what is read is stored");
    let log = server.log().text();
    assert!(!log.contains(INDISCRET) && !log.contains(HOST), "{log}");
}
