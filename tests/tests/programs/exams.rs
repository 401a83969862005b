//! An exam as the real agent lives it: told by one contact, silent until its end and able to say so; and what its family
//! reads of those who lend the laptop.

#![cfg(target_os = "linux")]

use std::{
    fs::OpenOptions,
    io::Write as _,
    thread::sleep,
    time::{Duration, Instant},
};

use cartable_server::{clock, domain::paris};
use cartable_tests::{
    harness::{Agent, Api, Installation, process::run_with_input},
    simulator::site::uai_code,
};

/// What is ordered is heeded within ten seconds; two busy cores need some more to ask.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long the service is watched being silent: several times what its first contact would take.
const WATCHED: Duration = Duration::from_secs(8);
const SILENT: &str = "Silent during an exam";

/// Says in config.toml who lends the laptops.
fn lend_as_valmarin(installation: &Installation) {
    let mut file = OpenOptions::new().append(true).open(installation.directory().join("config.toml")).unwrap();
    file.write_all(
        "\n[documents]\nissuer = \"Département de Valmarin\"\ncontact = \"aide@valmarin.example\"\n".as_bytes(),
    )
    .unwrap();
}

async fn contacts(api: &Api, device: &str) -> u64 {
    let device = api.get(&format!("/api/v1/devices/{device}")).await.unwrap();
    device["contact"]["check_ins"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_silent_during_an_exam_and_says_so() {
    let installation = Installation::temporary().unwrap();
    lend_as_valmarin(&installation);
    installation.create_user("admin", "administrator", "correct-cheval-pile-agrafe").unwrap();
    let uai = uai_code(96, 1);
    installation.create_site(&uai, "Collège des Tilleuls", "Valmarin", "B").unwrap();
    let server = installation.serve().unwrap();
    let api = Api::new(server.console(), &installation.create_api_token("admin", "test").unwrap()).unwrap();
    let home = tempfile::tempdir().unwrap();
    let roots = home.path().join("roots.pem");
    std::fs::write(&roots, installation.roots_pem().unwrap()).unwrap();
    let agent = Agent::new(&installation, home.path().join("agent"));
    agent.enrol(server.gateway(), &installation.create_enrolment_token(&uai, 1).unwrap(), &roots).unwrap();
    let device = agent.device_id().unwrap();
    agent.once().unwrap();
    assert!(!agent.status().unwrap().contains(SILENT));
    let mut show = agent.command("show");
    show.args(["--lang", "en", "--public"]).arg(home.path());
    let shown = run_with_input(&mut show, "").unwrap();
    assert!(shown.contains("Département de Valmarin") && shown.contains("aide@valmarin.example"), "{shown}");

    let at = |minutes: i64| {
        let moment = paris::date_time(clock::now().plus_millis(minutes * 60_000));
        moment.strftime("%Y-%m-%dT%H:%M").to_string()
    };
    let (from, to) = (at(-5), at(120));
    let order: [&str; 8] = ["--label", "Brevet blanc", "--from", &from, "--to", &to, "--site", &uai];
    installation.run("exam order", &order, "").unwrap();
    let begun = Instant::now();
    while !agent.status().unwrap().contains(SILENT) {
        assert!(begun.elapsed() < PATIENCE, "the agent hears of no exam");
        sleep(Duration::from_secs(1));
        agent.once().unwrap();
    }

    let before = contacts(&api, &device).await;
    let mut service = agent.start().unwrap();
    let begun = Instant::now();
    while !service.log().text().contains(SILENT) {
        assert!(begun.elapsed() < PATIENCE, "{}", service.log().text());
        sleep(Duration::from_millis(200));
    }
    sleep(WATCHED);
    assert!(service.is_running(), "{}", service.log().text());
    assert_eq!(contacts(&api, &device).await, before, "no contact: {}", service.log().text());
    let status = agent.status().unwrap();
    assert!(status.contains(SILENT) && status.contains("All is well"), "{status}");
    service.stop().unwrap();
}
