//! Orders with the real programs: given at the command line, obeyed by the agent, read back; and the notice that a lent
//! laptop's desktop shows.

#![cfg(target_os = "linux")]

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use cartable_common::{Text, UtcMillis, action::ReturnNotice};
use cartable_tests::{
    gateway_client::{Port, SITE},
    harness::{Agent, Process, process::run_with_input},
};

/// Two busy cores need some time.
const PATIENCE: Duration = Duration::from_secs(40);

fn enrolled(port: &Port, folder: &tempfile::TempDir) -> Agent {
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, port.installation.roots_pem().unwrap()).unwrap();
    let agent = Agent::new(&port.installation, folder.path().join("agent"));
    let token = port.installation.create_enrolment_token(SITE, 1).unwrap();
    agent.enrol(port.server.gateway(), &token, &roots).unwrap();
    agent
}

#[test]
fn what_is_ordered_is_done_once_and_its_log_is_read() {
    let port = Port::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let agent = enrolled(&port, &folder);
    let device = agent.device_id().unwrap();
    let order = |kind: &str| port.installation.run("device order", &[&device, kind], "").unwrap().trim().to_owned();
    let log = order("send_log");
    order("check_in");
    let mut service = Process::start("cartable-agent", agent.command("run").args(["--first-within", "0"])).unwrap();
    let begun = Instant::now();
    let listed = loop {
        let listed = port.installation.run("device orders", &[&device], "").unwrap();
        if listed.matches("answered\tdone").count() == 2 {
            break listed;
        }
        assert!(begun.elapsed() < PATIENCE, "{listed}\n{}", service.log().text());
        sleep(Duration::from_millis(300));
    };
    assert!(listed.contains(&log), "{listed}");
    let lines = port.installation.run("device agent-log", &[&device, &log], "").unwrap();
    assert!(lines.contains("info\tstarted"), "{lines}");
    for private in [folder.path().to_str().unwrap(), port.server.gateway(), "/"] {
        assert!(!lines.contains(private), "{private} in {lines}");
    }
    service.stop().unwrap();
    // What was answered is told no more.
    agent.once().unwrap();
    let again = port.installation.run("device orders", &[&device], "").unwrap();
    assert_eq!(again.matches("answered\tdone").count(), 2, "{again}");
    let audit = port.installation.run("audit verify", &[], "");
    assert!(audit.is_ok(), "{audit:?}");
}

#[test]
fn a_notice_is_laid_out_for_every_desktop_and_said_in_its_language() {
    let port = Port::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let agent = enrolled(&port, &folder);
    let public = folder.path().join("public");
    std::fs::create_dir(&public).unwrap();
    // As an order leaves it.
    let due_at = UtcMillis::default().plus_millis(1_796_688_000_000);
    let notice = ReturnNotice { due_at, place: Text::clean("Collège A, CDI") };
    let kept = serde_json::json!({"highest": 1, "notice": {"notice": notice, "until": due_at.plus_days(20_000)}});
    std::fs::write(agent.state().join("actions.json"), kept.to_string()).unwrap();
    let mut run = agent.command("run");
    run.args(["--first-within", "0", "--public"]).arg(&public);
    let mut service = Process::start("cartable-agent", &mut run).unwrap();
    let begun = Instant::now();
    while !public.join("notice.json").exists() {
        assert!(begun.elapsed() < PATIENCE, "{}", service.log().text());
        sleep(Duration::from_millis(200));
    }
    let mut say = agent.command("notice");
    let words = run_with_input(say.args(["--lang", "fr", "--public"]).arg(&public), "").unwrap();
    assert_eq!(
        words.lines().collect::<Vec<_>>(),
        ["Cet ordinateur est à rapporter", "Il est prêté jusqu'au 8 décembre 2026. Rapporte-le ici : Collège A, CDI."]
    );
    service.stop().unwrap();
}
