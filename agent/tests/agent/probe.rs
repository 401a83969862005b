//! The packages' probe: a process of the program for each question, behind a socket that systemd may hold open for longer.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use cartable_agent::{
    client::Proxy,
    contact::Agent,
    fairness::Surroundings,
    reader::{Occasion, Reader},
    state::StateDir,
};
use cartable_common::report::{Subject, UnreadReason};

use crate::support::{Gateway, Laptop, write};

/// Longest that a contact may take here. Who waits for the end of the socket waits six minutes.
const LONGEST: Duration = Duration::from_mins(1);

/// systemd's part, for a laptop whose probe fails at its drives: the program answers `facts`, and the connection stays open as
/// where a process of the unit hangs; at any other question it is closed. Gives the socket, and what is asked.
fn probe(laptop: &Laptop) -> (PathBuf, Arc<Mutex<Vec<String>>>) {
    let (socket, root) = (laptop.path("probe"), laptop.path("root"));
    let listener = UnixListener::bind(&socket).unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let questions = asked.clone();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut question = String::new();
            BufReader::new(&stream).read_line(&mut question).unwrap();
            questions.lock().unwrap().push(question.trim_end().to_owned());
            if question == "facts\n" {
                stream.write_all(&answer(&root, &question)).unwrap();
                held.push(stream);
            }
        }
    });
    (socket, asked)
}

/// What a probe writes, to its last byte.
fn answer(root: &Path, question: &str) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cartable-agent"));
    command.args(["probe", "--root"]).arg(root).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut probe = command.spawn().unwrap();
    probe.stdin.take().unwrap().write_all(question.as_bytes()).unwrap();
    probe.wait_with_output().unwrap().stdout
}

#[test]
fn where_the_drives_question_fails_the_report_comes_and_the_next_contact_does_not_put_it_again() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    write(&laptop.path("root/sys/block/sda/size"), "500118192\n");
    let (socket, asked) = probe(&laptop);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for contact in 1..=2 {
        // Each time as after a start of the service.
        let state = StateDir::open(&laptop.state()).unwrap();
        let enrolment = state.enrolment().unwrap().unwrap();
        let mut agent = Agent::open(state, enrolment, Reader::Probe(socket.clone()), Proxy::Direct).unwrap();
        let around = Surroundings::default();
        let done = runtime.block_on(async {
            let contact = agent.check_in(Occasion::Planned, &around);
            tokio::time::timeout(LONGEST, contact).await
        });
        assert_eq!(done.unwrap().unwrap().spooled, 0, "contact {contact}");
    }
    assert_eq!(*asked.lock().unwrap(), ["facts", "drives 0", "facts"]);
    let seen = gateway.seen.lock().unwrap();
    let reports: Vec<_> = seen.check_ins.iter().flat_map(|request| &request.reports).collect();
    let Some(arrived) = reports.first() else { panic!("the facts were thrown away") };
    assert_eq!(arrived.report.drives.len(), 1);
    let gap = arrived.report.unread.iter().find(|entry| entry.subject == Some(Subject::DriveHealth));
    assert_eq!(gap.and_then(|entry| entry.reason), Some(UnreadReason::ToolFailed));
}
