//! kill -9 of the server at random moments under load: what was acknowledged is there, once, for ever.
//!
//! `CARTABLE_KILL_ROUNDS=1000` runs more rounds than the usual 50.

use std::{
    collections::HashSet,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use cartable_agent::{spool::Spool, trouble::Trouble};
use cartable_common::ReportId;
use cartable_tests::{
    harness::{Installation, Server, stored},
    postgres::Database,
    simulator::{
        Machine, Roster,
        device::{Device, Link},
        keyring::Identity,
        random::Random,
        site::uai_code,
    },
};
use uuid::Uuid;

const DEVICES: usize = 24;
/// Reports of a device that wait in its spool.
const SPOOLED: usize = 3;

/// A device with the agent's own spool, and what it was told.
struct Reporter {
    machine: Machine,
    device: Device,
    spool: Spool,
    sent: HashSet<ReportId>,
    acknowledged: HashSet<ReportId>,
}

impl Reporter {
    async fn enrolled(link: &Link, machine: Machine, token: &str, spools: &Path) -> Self {
        let mut identity = Identity::generate(machine.index).unwrap();
        identity.granted = Some(link.enrol(&identity, token, machine.hardware()).await.unwrap());
        let device = link.device(&identity).unwrap();
        let spool = Spool::open(&spools.join(machine.index.to_string())).unwrap();
        Self { machine, device, spool, sent: HashSet::new(), acknowledged: HashSet::new() }
    }

    /// Sends new reports until `over`, then hands itself back with what was not acknowledged in its spool.
    async fn report_until(mut self, over: Arc<AtomicBool>) -> Self {
        while !over.load(Ordering::Relaxed) {
            while self.spool.records().len() < SPOOLED {
                self.measure();
            }
            if self.send().await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        self
    }

    fn measure(&mut self) {
        let now = cartable_agent::clock::now();
        // A report from another day: its content differs from the one before.
        let days = i64::try_from(self.spool.next_sequence() % 300).unwrap();
        let report = self.machine.report(now.plus_days(days), now);
        let report_id = ReportId(Uuid::now_v7());
        self.spool.push(report_id, now, report).unwrap();
        self.sent.insert(report_id);
    }

    async fn send(&mut self) -> Result<(), Trouble> {
        let Some(last) = self.spool.records().last() else { return Ok(()) };
        let hash = last.content_hash;
        let answer = self.device.send(cartable_agent::clock::now(), hash, self.spool.batch()).await?;
        assert!(answer.refused.is_empty(), "{:?}", answer.refused);
        self.spool.forget(&answer.acknowledged).unwrap();
        self.acknowledged.extend(answer.acknowledged);
        Ok(())
    }

    fn id(&self) -> Uuid {
        self.device.granted().device_id.0
    }
}

/// Where the spools lie: in memory where there is such a place, so that the disk's time belongs to the server.
fn spools() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

async fn reporters(installation: &Installation, server: &Server, spools: &Path) -> Vec<Reporter> {
    let uai = uai_code(96, 1);
    installation.create_site(&uai, "Collège des Tilleuls", "Valmarin", "B").unwrap();
    let token = installation.create_enrolment_token(&uai, DEVICES).unwrap();
    let link = Link::new(server.gateway(), &installation.roots_pem().unwrap()).unwrap();
    let mut reporters = Vec::new();
    for machine in Roster::drawn(7, DEVICES).machines {
        reporters.push(Reporter::enrolled(&link, machine, &token, spools).await);
    }
    reporters
}

/// One round of load with a kill at a random moment.
async fn killed_under_load(server: &mut Server, reporters: Vec<Reporter>, patience: Duration) -> Vec<Reporter> {
    let over = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = reporters.into_iter().map(|one| tokio::spawn(one.report_until(Arc::clone(&over)))).collect();
    tokio::time::sleep(patience).await;
    server.kill();
    over.store(true, Ordering::Relaxed);
    let mut back = Vec::new();
    for task in tasks {
        back.push(task.await.unwrap());
    }
    back
}

async fn assert_acknowledged_once(url: &str, reporters: &[Reporter], round: usize) {
    let stored = stored::reports(url).await.unwrap();
    for reporter in reporters {
        for report in &reporter.acknowledged {
            let times = stored.get(&(reporter.id(), report.0)).copied().unwrap_or_default();
            assert_eq!(times, 1, "round {round}: an acknowledged report is stored {times} times");
        }
    }
    let sent: HashSet<_> =
        reporters.iter().flat_map(|one| one.sent.iter().map(|report| (one.id(), report.0))).collect();
    for key in stored.keys() {
        assert!(sent.contains(key), "round {round}: {key:?} is stored but was never sent");
    }
}

async fn survive(installation: &Installation, rounds: usize) {
    let url = installation.database_url();
    let mut server = installation.serve().unwrap();
    let addresses = (server.console_authority().to_owned(), server.gateway_authority().to_owned());
    let spools = spools();
    let mut reporters = reporters(installation, &server, spools.path()).await;
    let mut random = Random::of(42, "kill", u64::try_from(rounds).unwrap());
    let mut acknowledged_before_kills = 0;
    // On a busy machine some rounds end before anything was acknowledged: there are more, and longer ones, until the load was
    // one.
    for round in 1..=4 * rounds {
        if round > rounds && acknowledged_before_kills > rounds {
            break;
        }
        let longer = u64::try_from(1 + (round - 1) / rounds).unwrap();
        let patience = Duration::from_millis(random.between(10, 500) * longer);
        reporters = killed_under_load(&mut server, reporters, patience).await;
        assert_acknowledged_once(&url, &reporters, round).await;
        acknowledged_before_kills = reporters.iter().map(|one| one.acknowledged.len()).sum();
        server = installation.serve_at(&addresses.0, &addresses.1).unwrap();
    }
    assert!(acknowledged_before_kills > rounds, "the load was no load: {acknowledged_before_kills} reports");
    // What was not acknowledged is sent again, as an agent would, and then everything is there once.
    for reporter in &mut reporters {
        while !reporter.spool.records().is_empty() {
            reporter.send().await.unwrap();
        }
        assert_eq!(reporter.acknowledged, reporter.sent);
    }
    assert_acknowledged_once(&url, &reporters, rounds).await;
    stored::check_integrity(&url).await.unwrap();
    assert_eq!(stored::count(&url, "device").await.unwrap(), i64::try_from(DEVICES).unwrap());
    assert!(server.stop().unwrap().success());
}

fn rounds(usual: usize) -> usize {
    std::env::var("CARTABLE_KILL_ROUNDS").map_or(usual, |text| text.parse().expect("CARTABLE_KILL_ROUNDS is a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_reports_survive_kill_on_sqlite() {
    survive(&Installation::temporary().unwrap(), rounds(50)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_reports_survive_kill_on_postgres() {
    let database = Database::create().await.unwrap();
    survive(&Installation::temporary_on(Some(database.url())).unwrap(), rounds(6)).await;
}
