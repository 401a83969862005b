//! What the device port hands on of releases: an offer to those whose turn it is, the signed list, and packages in parts; to
//! enrolled devices alone, and nothing of a release that was halted.

use std::{
    cell::{Cell, RefCell},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use cartable_agent::{
    client::Proxy,
    collect::Sources,
    contact::Agent,
    fairness::Surroundings,
    reader::{Occasion, Reader},
    state::StateDir,
    update::{self, Contact, Installer, Process, Progress, UpdateError},
};
use cartable_common::{
    AgentVersion, Text,
    protocol::{CheckInRequest, CheckInResponse},
    update::{Manifest, UPDATE_FILES_PATH, UPDATE_MANIFEST_PATH, UPDATE_PART_BYTES, UpdateKey},
};
use cartable_server::{clock, pki::update_signer};
use cartable_tests::{
    gateway_client::{Connection, Port, SITE},
    harness,
    raw::Raw,
};
use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest as _, Sha256};

/// What is staged is heeded by every process within ten seconds; a busy machine needs some more to ask.
const PATIENCE: Duration = Duration::from_secs(20);

fn has_signed(key: &UpdateKey, message: &[u8], signature: &[u8; 64]) -> bool {
    update_signer::has_signed(key, message, &BASE64.encode(signature))
}

/// What a device of that version is offered.
async fn offered(connection: &mut Connection, version: &str) -> Option<String> {
    let request = CheckInRequest::bare(Text::clean(version), clock::now());
    let answer = connection.check_in(&serde_json::to_vec(&request).unwrap()).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let response: CheckInResponse = serde_json::from_slice(&answer.body).unwrap();
    response.update.map(|version| version.to_string())
}

/// Asks until the offer is this one.
async fn until(connection: &mut Connection, version: &str, expected: Option<&str>) {
    let begun = Instant::now();
    loop {
        let told = offered(connection, version).await;
        if told.as_deref() == expected {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{told:?} instead of {expected:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_reaches_those_whose_turn_it_is_part_by_part_until_it_is_halted() {
    let port = Port::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let run = |command: &str, arguments: &[&str]| port.installation.run(command, arguments, "").unwrap();
    // A compound file by its first bytes; what is in it is Windows Installer's to read.
    let mut package = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    package.resize(UPDATE_PART_BYTES * 2 + 100, 7);
    std::fs::write(path("agent.msi"), &package).unwrap();
    // This command takes no data directory.
    let key = update_signer::UpdateSigner::make(&folder.path().join("key"), clock::now()).unwrap().public();
    run("updates add", &["--version", "9.1.0", &path("agent.msi")]);
    run("updates publish", &["--key", &path("key")]);

    let (_, credentials) = port.enrolled().await.unwrap();
    let mut connection = port.connect_as(&credentials).await.unwrap();
    assert_eq!(offered(&mut connection, "0.1.0").await, None, "it is offered to nobody yet");
    run("updates stage", &["9.1.0", "--percent", "0", "--site", SITE]);
    until(&mut connection, "0.1.0", Some("9.1.0")).await;
    assert_eq!(offered(&mut connection, "9.1.0").await, None, "it has it");
    assert_eq!(offered(&mut connection, "9.2.0").await, None, "nobody is taken back");
    assert_eq!(offered(&mut connection, "test").await, None);

    let answer = connection.get(UPDATE_MANIFEST_PATH).await.unwrap();
    let text = String::from_utf8(answer.body).unwrap();
    let manifest = Manifest::read(&text, &[key], has_signed).unwrap();
    let release = &manifest.releases[0];
    assert_eq!((release.version.to_string().as_str(), release.bytes as usize), ("9.1.0", package.len()));
    let mut arrived = Vec::new();
    loop {
        let part = format!("{UPDATE_FILES_PATH}/{}/{}", release.sha256_hex(), arrived.len());
        let answer = connection.get(&part).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        if answer.body.is_empty() {
            break;
        }
        arrived.extend(answer.body);
    }
    assert!(arrived == package && release.sha256[..] == Sha256::digest(&arrived)[..]);
    for odd in ["x", &HEXLOWER.encode(&[1; 32])] {
        assert_eq!(connection.get(&format!("{UPDATE_FILES_PATH}/{odd}/0")).await.unwrap().status, 404, "{odd}");
    }
    let unplaced = format!("{UPDATE_FILES_PATH}/{}/-1", release.sha256_hex());
    assert_eq!(connection.get(&unplaced).await.unwrap().status, 404);

    run("updates halt", &["9.1.0"]);
    let whole = format!("{UPDATE_FILES_PATH}/{}/0", release.sha256_hex());
    assert_eq!(connection.get(&whole).await.unwrap().status, 404, "a halt counts at once");
    until(&mut connection, "0.1.0", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_certificate_gets_nothing_from_the_device_port() {
    let port = Port::start().unwrap();
    let mut connection = port.connect_to_enrol().await.unwrap();
    assert_eq!(connection.get(UPDATE_MANIFEST_PATH).await.unwrap().status, 404);
}

/// The release of these tests.
const RELEASE: AgentVersion = AgentVersion::new(9, 1, 0);

/// Stands for Windows: notes what it was told to do.
#[derive(Debug, Default)]
struct Notes {
    installed: RefCell<Vec<Vec<u8>>>,
    put_back: RefCell<Vec<Vec<u8>>>,
    /// So many times putting back fails, as on a full disk.
    refusals: Cell<u8>,
    swept: Cell<u8>,
}

impl Installer for Notes {
    fn keep(&self, kept: &Path) -> io::Result<()> {
        std::fs::write(kept, "the program before")
    }

    fn install(&self, package: &Path) -> io::Result<()> {
        self.installed.borrow_mut().push(std::fs::read(package)?);
        Ok(())
    }

    fn put_back(&self, kept: &Path) -> io::Result<()> {
        self.put_back.borrow_mut().push(std::fs::read(kept)?);
        if let Some(fewer) = self.refusals.get().checked_sub(1) {
            self.refusals.set(fewer);
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn sweep(&self) -> io::Result<()> {
        self.swept.set(self.swept.get() + 1);
        Ok(())
    }
}

/// A server that offers a release, and a laptop to which it is offered.
struct Offer {
    port: Port,
    folder: tempfile::TempDir,
    package: Vec<u8>,
    key: UpdateKey,
}

impl Offer {
    fn new() -> Self {
        let port = Port::start().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut package = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
        package.resize(UPDATE_PART_BYTES + 1_000, 9);
        std::fs::write(folder.path().join("agent.msi"), &package).unwrap();
        let signer = update_signer::UpdateSigner::make(&folder.path().join("key"), clock::now()).unwrap();
        let offer = Self { port, folder, package, key: signer.public() };
        offer.run("updates add", &["--version", "9.1.0", &offer.path("agent.msi")]);
        offer.run("updates publish", &["--key", &offer.path("key")]);
        offer.run("updates stage", &["9.1.0", "--percent", "100"]);
        offer
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, command: &str, arguments: &[&str]) -> String {
        self.port.installation.run(command, arguments, "").unwrap()
    }

    /// The machine that the agent reads.
    fn machine(&self) -> PathBuf {
        let machine = self.folder.path().join("root");
        std::fs::create_dir_all(machine.join("proc")).unwrap();
        std::fs::write(machine.join("proc/meminfo"), "MemTotal: 4000000 kB\n").unwrap();
        machine
    }

    /// The agent, enrolled by its own program, then run in this process, with the release's key pinned.
    fn agent(&self) -> (StateDir, Agent) {
        let machine = self.machine();
        let roots = self.path("roots.pem");
        std::fs::write(&roots, self.port.installation.roots_pem().unwrap()).unwrap();
        let program = harness::Agent::new(&self.port.installation, self.folder.path().join("agent"));
        let token = self.port.installation.create_enrolment_token(SITE, 1).unwrap();
        let mut enrol = program.command("enrol");
        enrol.args(["--server", self.port.server.gateway(), "--token", &token, "--roots", &roots]);
        let enrolled = enrol.arg("--root").arg(&machine).output().unwrap();
        assert!(enrolled.status.success(), "{}", String::from_utf8_lossy(&enrolled.stderr));
        let state = StateDir::open(program.state()).unwrap();
        state.keep_update(&Progress { keys: vec![self.key], ..Progress::default() }).unwrap();
        let enrolment = state.enrolment().unwrap().unwrap();
        let reader = Reader::Own(Sources::recorded(&machine));
        let agent = Agent::open(state.clone(), enrolment, reader, Proxy::Direct).unwrap();
        (state, agent)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_installs_what_the_pinned_key_signed_and_nothing_else() {
    let offer = Offer::new();
    let (state, mut agent) = offer.agent();
    let (running, notes) = (update::running().unwrap(), Notes::default());
    let done = agent.check_in(Occasion::Planned, &Surroundings::default()).await.unwrap();
    assert_eq!(done.offered, Some(RELEASE));

    // Another key's list.
    let stranger = Progress { keys: vec![UpdateKey([7; 32])], ..Progress::default() };
    state.keep_update(&stranger).unwrap();
    let refused = update::follow(&agent, RELEASE, running, &notes).await;
    assert!(matches!(refused, Err(UpdateError::Manifest(_))), "{refused:?}");
    state.keep_update(&Progress { keys: vec![offer.key], ..Progress::default() }).unwrap();
    // The server hands on another package of the same size.
    let mut raw = Raw::connect(&offer.port.installation.database_url()).await.unwrap();
    let mut other = offer.package.clone();
    *other.last_mut().unwrap() ^= 1;
    let replace = |content: &[u8]| format!("UPDATE agent_package SET content = {}", raw.bytes(content));
    let (evil, good) = (replace(&other), replace(&offer.package));
    raw.execute(&evil).await.unwrap();
    let refused = update::follow(&agent, RELEASE, running, &notes).await;
    assert!(matches!(refused, Err(UpdateError::OtherContent)), "{refused:?}");
    assert!(notes.installed.borrow().is_empty() && state.update().trial.is_none());
    raw.execute(&good).await.unwrap();

    // Cut off after some bytes, the fetch goes on from there.
    std::fs::write(state.update_folder().unwrap().join("part"), &offer.package[..100]).unwrap();
    update::follow(&agent, RELEASE, running, &notes).await.unwrap();
    assert!(*notes.installed.borrow() == [offer.package.clone()]);
    let trial = state.update().trial.unwrap();
    assert_eq!((trial.from, trial.to), (running, RELEASE));
    assert!(state.update().number > 0, "no older list is believed from now on");
    // The new program starts, and checks in.
    assert_eq!(update::at_start(&state, RELEASE, &notes).unwrap(), Process::GoesOn);
    assert_eq!(update::after_contact(&state, RELEASE, Contact::Success, &notes).unwrap(), Process::GoesOn);
    assert!(state.update().trial.is_none() && notes.put_back.borrow().is_empty());
    assert!(!offer.folder.path().join("agent/update").exists(), "nothing of it is left on the disk");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_cannot_speak_gives_way_to_the_one_before_and_is_not_tried_again() {
    let offer = Offer::new();
    let (state, mut agent) = offer.agent();
    let (running, notes) = (update::running().unwrap(), Notes::default());
    agent.check_in(Occasion::Planned, &Surroundings::default()).await.unwrap();
    update::follow(&agent, RELEASE, running, &notes).await.unwrap();
    let mut starts = 0;
    while update::at_start(&state, RELEASE, &notes).unwrap() == Process::GoesOn {
        starts += 1;
        assert!(starts < 20, "it is started for ever");
    }
    assert_eq!(*notes.put_back.borrow(), [b"the program before".to_vec()]);
    assert_eq!(update::at_start(&state, running, &notes).unwrap(), Process::GoesOn);
    assert!(notes.swept.get() == 1 && !offer.folder.path().join("agent/update").exists(), "nothing is left of it");
    let again = update::follow(&agent, RELEASE, running, &notes).await;
    assert!(matches!(again, Err(UpdateError::Declined(_))), "{again:?}");
    assert_eq!(notes.installed.borrow().len(), 1);
    // The agent itself was never in the way: it goes on reporting.
    assert!(agent.check_in(Occasion::Planned, &Surroundings::default()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn putting_back_that_fails_or_is_cut_off_is_repeated_until_the_program_before_starts() {
    let offer = Offer::new();
    let (state, agent) = offer.agent();
    let (running, notes) = (update::running().unwrap(), Notes::default());
    notes.refusals.set(2);
    update::follow(&agent, RELEASE, running, &notes).await.unwrap();
    for _ in 0..update::progress::MOST_STARTS {
        assert_eq!(update::at_start(&state, RELEASE, &notes).unwrap(), Process::GoesOn);
    }
    for _ in 0..2 {
        let failed = update::at_start(&state, RELEASE, &notes);
        assert!(matches!(failed, Err(UpdateError::Io(_))), "{failed:?}");
        // Held back, or stopped: no word on whether it works.
        assert_eq!(update::after_contact(&state, RELEASE, Contact::Elsewhere, &notes).unwrap(), Process::GoesOn);
    }
    assert_eq!(update::at_start(&state, RELEASE, &notes).unwrap(), Process::Ends);
    // The power went before the renames were on the disk: the same program starts again.
    assert_eq!(update::at_start(&state, RELEASE, &notes).unwrap(), Process::Ends);
    assert!(state.update().given_up.is_empty() && notes.put_back.borrow().len() == 4);
    assert_eq!(update::at_start(&state, running, &notes).unwrap(), Process::GoesOn);
    assert_eq!((state.update().trial, state.update().given_up), (None, vec![RELEASE]));
}

#[tokio::test(flavor = "multi_thread")]
async fn starts_that_end_well_without_a_contact_are_no_crashes() {
    let offer = Offer::new();
    let (state, agent) = offer.agent();
    let (running, notes) = (update::running().unwrap(), Notes::default());
    update::follow(&agent, RELEASE, running, &notes).await.unwrap();
    for _ in 0..20 {
        assert_eq!(update::at_start(&state, RELEASE, &notes).unwrap(), Process::GoesOn);
        assert_eq!(update::after_contact(&state, RELEASE, Contact::Elsewhere, &notes).unwrap(), Process::GoesOn);
    }
    assert!(notes.put_back.borrow().is_empty());
}

#[test]
fn what_was_in_use_when_an_update_ended_goes_at_the_next_start_and_a_half_fetched_package_stays() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDir::open(&folder.path().join("agent")).unwrap();
    let (running, notes) = (update::running().unwrap(), Notes::default());
    let files = state.update_folder().unwrap();
    std::fs::write(files.join("part"), "half of it").unwrap();
    assert_eq!(update::at_start(&state, running, &notes).unwrap(), Process::GoesOn);
    assert!(files.join("part").exists() && notes.swept.get() == 0);
    for left in ["previous", "agent.msi"] {
        std::fs::create_dir_all(&files).unwrap();
        std::fs::write(files.join(left), "in use until now").unwrap();
        assert_eq!(update::at_start(&state, running, &notes).unwrap(), Process::GoesOn);
        assert!(!files.exists(), "{left} is left");
    }
    assert_eq!(notes.swept.get(), 2, "beside the program too");
}
