//! kill -9 while spooling, a full disk, a stop signal, two agents at once: nothing spooled is lost.

use std::{collections::BTreeMap, io::Write as _, process::Command, time::Duration};

use crate::support::{Answers, Gateway, Laptop, write};
use cartable_agent::{
    client::Proxy,
    collect::Sources,
    contact::Agent,
    fairness::Surroundings,
    reader::{Occasion, Reader},
    spool::Spool,
    state::StateDir,
};
use cartable_common::ReportId;

/// Rounds of kill -9. `CARTABLE_KILL_ROUNDS` asks for more.
const ROUNDS: u64 = 50;

#[test]
fn kill_9_while_spooling_loses_and_doubles_nothing() {
    let rounds = std::env::var("CARTABLE_KILL_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(ROUNDS);
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    // Nobody answers: each start spools one report.
    gateway.answer(Answers::Http(503, "", String::new()));
    let folder = laptop.state().join("spool");
    let mut known: BTreeMap<u64, ReportId> = BTreeMap::new();
    let (mut killed, mut random) = (0, 88_172_645_463_325_252_u64);
    for round in 0..rounds {
        laptop.set_memory(1_000_000 + round);
        let mut agent = laptop.command(&["once"]).spawn().unwrap();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_micros(random % 30_000));
        killed += u64::from(agent.try_wait().unwrap().is_none());
        agent.kill().unwrap();
        agent.wait().unwrap();
        let found: BTreeMap<u64, ReportId> =
            Spool::peek(&folder).iter().map(|record| (record.sequence, record.report_id)).collect();
        for (sequence, id) in &known {
            assert!(found.get(sequence) == Some(id) || found.len() > 60, "round {round}: report {sequence} was lost");
        }
        known = found;
    }
    assert!(killed > 0, "no agent was ever killed in the middle");
    assert!(known.len() > 1, "no report was ever spooled");
    gateway.answer(Answers::Cartable);
    let spool = Spool::open(&folder).unwrap();
    let expected: Vec<ReportId> = spool.records().iter().map(|record| record.report_id).collect();
    drop(spool);
    let done = laptop.agent(&["once"]);
    assert_eq!(done.code, 0, "{}", done.words);
    let seen = gateway.seen.lock().unwrap();
    let mut arrived: Vec<ReportId> =
        seen.check_ins.iter().flat_map(|r| r.reports.iter().map(|x| x.report_id)).collect();
    assert!(expected.iter().all(|id| arrived.contains(id)));
    let count = arrived.len();
    arrived.sort();
    arrived.dedup();
    assert_eq!(arrived.len(), count, "a report arrived twice");
    let no_damage =
        std::fs::read_dir(&folder).unwrap().flatten().all(|e| e.path().extension().is_none_or(|x| x != "damaged"));
    assert!(no_damage);
}

#[test]
fn a_report_that_is_damaged_while_the_agent_runs_is_told_anew_by_the_same_contact() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let state = StateDir::open(&laptop.state()).unwrap();
    let enrolment = state.enrolment().unwrap().unwrap();
    let reader = Reader::Own(Sources::recorded(&laptop.path("root")));
    let mut agent = Agent::open(state, enrolment, reader, Proxy::Direct).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut contact = || runtime.block_on(agent.check_in(Occasion::Planned, &Surroundings::default()));
    gateway.answer(Answers::Http(503, "", String::new()));
    contact().unwrap_err();
    let folder = laptop.state().join("spool");
    let waiting = Spool::peek(&folder).remove(0);
    write(&folder.join(format!("{:020}.report", waiting.sequence)), "");
    gateway.answer(Answers::Cartable);
    let done = contact().unwrap();
    assert_eq!((done.acknowledged, done.spooled), (1, 0));
    let seen = gateway.seen.lock().unwrap();
    let arrived: Vec<_> = seen.check_ins.iter().flat_map(|request| &request.reports).collect();
    let [again] = arrived.as_slice() else { panic!("{arrived:?}") };
    assert_eq!(again.report.content_hash(), waiting.content_hash);
    assert!(again.report_id != waiting.report_id && again.sequence > waiting.sequence, "under a number of its own");
    assert!(folder.join(format!("{:020}.damaged", waiting.sequence)).exists());
}

/// A small file system of its own at `path`. Only root may mount one.
pub(crate) fn small_disk(path: &std::path::Path) {
    std::fs::create_dir_all(path).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs"]).arg(path).output();
    let mounted = mounted.expect("mount (tests/run installs it)");
    assert!(
        mounted.status.success(),
        "no small file system for a full disk; run this as root: {}",
        String::from_utf8_lossy(&mounted.stderr)
    );
}

#[test]
fn a_full_disk_keeps_what_is_spooled_and_the_contact_goes_on() {
    let gateway = Gateway::start();
    let laptop = Laptop::new();
    small_disk(&laptop.state());
    assert_eq!(laptop.enrol(&gateway).code, 0);
    gateway.answer(Answers::Http(503, "", String::new()));
    laptop.agent(&["once"]);
    fill(&laptop.state().join("ballast"));
    // The reserve gives room for new reports; then there is none, and what is there stays.
    let mut before = Spool::peek(&laptop.state().join("spool")).len();
    assert_eq!(before, 1);
    laptop.set_memory(5_000_000);
    laptop.agent(&["once"]);
    assert_eq!(Spool::peek(&laptop.state().join("spool")).len(), 2, "the reserve was not used");
    fill(&laptop.state().join("ballast"));
    for size in 6_000_000..6_000_030 {
        laptop.set_memory(size);
        laptop.agent(&["once"]);
        fill(&laptop.state().join("ballast"));
        let after = Spool::peek(&laptop.state().join("spool")).len();
        assert!(after >= before, "a spooled report was lost");
        before = after;
    }
    gateway.answer(Answers::Cartable);
    let done = laptop.agent(&["once"]);
    let _ = Command::new("umount").arg("-l").arg(laptop.state()).status();
    assert_eq!(done.code, 0, "{}", done.words);
    let seen = gateway.seen.lock().unwrap();
    assert!(seen.check_ins[0].reports.len() >= 2);
}

/// Fills what is left of the disk, to the last byte that it takes.
pub(crate) fn fill(path: &std::path::Path) {
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    for size in [65_536, 4_096, 512, 1] {
        while file.write_all(&vec![7; size]).is_ok() {}
    }
}

#[test]
fn a_second_agent_and_an_open_folder_are_refused_with_words() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let mut service = laptop.command(&["run", "--first-within", "0"]).spawn().unwrap();
    // It needs no lock, and tells when the first contact is over.
    while laptop.agent(&["status"]).code != 0 {
        assert!(service.try_wait().unwrap().is_none(), "the service ended");
        std::thread::sleep(Duration::from_millis(10));
    }
    let second = laptop.agent(&["once"]);
    assert!(second.code == 6 && second.words.contains("systemctl stop"), "{} {}", second.code, second.words);
    idle_is_idle(service.id());
    stop(&mut service);
    std::fs::set_permissions(laptop.state(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let open = laptop.agent(&["once"]);
    assert!(open.code == 8 && open.words.contains("chmod 700"), "{}", open.words);
}

/// Between check-ins: one thread, and no switch to it.
fn idle_is_idle(pid: u32) {
    let field = |name: &str| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
        line.trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    std::thread::sleep(Duration::from_secs(1));
    let before = field("voluntary_ctxt_switches:");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!((field("Threads:"), field("voluntary_ctxt_switches:") - before), (1, 0));
}

/// SIGTERM, and the exit code 0 of a proper stop.
fn stop(agent: &mut std::process::Child) {
    let pid = rustix::process::Pid::from_child(agent);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(agent.wait().unwrap().code(), Some(0));
}

#[test]
fn a_stop_does_not_wait_for_a_drive_that_hangs() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    let program = laptop.path("smartctl");
    let sign = laptop.path("asked");
    write(&program, &format!("#!/bin/sh\ntouch {}\nexec sleep 600\n", sign.display()));
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    write(&laptop.path("root/sys/block/sda/size"), "1000");
    let smartctl = program.to_string_lossy().into_owned();
    let mut service = laptop.command(&["run", "--first-within", "0", "--smartctl", &smartctl]).spawn().unwrap();
    while !sign.exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    stop(&mut service);
    assert!(gateway.seen.lock().unwrap().check_ins.is_empty());
}

#[test]
fn a_machine_that_is_not_enrolled_says_so() {
    let laptop = Laptop::new();
    for command in ["once", "run", "status"] {
        let done = laptop.agent(&[command]);
        assert_eq!(done.code, 3, "{command}: {}", done.words);
    }
}

#[test]
fn a_recorded_machine_is_replayed_with_its_drive() {
    let laptop = Laptop::new();
    write(&laptop.path("root/sys/block/nvme0n1/size"), "500118192");
    write(
        &laptop.path("root/cartable-recorded/smartctl/nvme0n1.json"),
        r#"{"device":{"protocol":"NVMe"},"model_name":"Example","smart_status":{"passed":true},"nvme_smart_health_information_log":{"percentage_used":3}}"#,
    );
    let done = laptop.agent(&["show", "--report"]);
    let report: cartable_common::report::HealthReport = serde_json::from_str(&done.words).unwrap();
    assert_eq!(report.drives[0].nvme.as_ref().unwrap().percentage_used_percent.unwrap().get(), 3);
    assert_eq!(report.memory.total_bytes.unwrap().get(), 4_000_000 * 1024);
    assert!(report.volumes.is_empty(), "this computer's volumes are not the recorded machine's");
}
