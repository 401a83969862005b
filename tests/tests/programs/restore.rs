//! A server is restored from an old backup with the real commands: laptops that were enrolled after it come back by
//! themselves, send their state whole, and mix no history.

use std::{fs, path::PathBuf, time::Duration};

use cartable_server::{clock, domain::paris};
use cartable_tests::{gateway_client::Port, harness::stored};

use crate::laptop::{Laptop, restart};

/// A server with a backup, and what was enrolled before and after that.
struct Old {
    port: Port,
    early: Laptop,
    late: Laptop,
    backup: PathBuf,
    /// When the backup was taken, as an operator writes it.
    taken: String,
    _home: tempfile::TempDir,
}

impl Old {
    fn new() -> Self {
        let port = Port::start().unwrap();
        let home = tempfile::tempdir().unwrap();
        let early = Laptop::enrolled(&port, "PF2EARLY");
        assert_eq!(early.contact().0, Some(0));
        let backup = home.path().join("backup");
        port.installation.run("backup", &["--to", &backup.to_string_lossy()], "").unwrap();
        let taken = paris::date_time(clock::now()).to_string();
        let late = Laptop::enrolled(&port, "PF2LATE");
        assert_eq!(late.contact().0, Some(0));
        // Acknowledged, and then lost with the server.
        early.set_memory(8_000_000);
        assert_eq!(early.contact().0, Some(0));
        Self { port, early, late, backup, taken, _home: home }
    }

    /// The database of the backup takes the place of the present one.
    fn restore(&mut self) {
        self.port.restore(&self.backup).unwrap();
    }

    fn serve(&mut self) {
        restart(&mut self.port);
    }

    async fn count(&self, what: &str) -> i64 {
        stored::count(&self.port.installation.database_url(), what).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn laptops_enrolled_after_the_backup_come_back_by_themselves_and_send_everything_again() {
    let mut old = Old::new();
    let (early, late) = (old.early.device(), old.late.device());
    let key = fs::read(old.late.agent.state().join("enrolment.json")).unwrap();
    old.restore();
    let words = old.port.installation.run("restored", &["--backup-taken", &old.taken], "").unwrap();
    assert!(words.contains("come in by themselves until"), "{words}");
    old.serve();
    assert_eq!((old.count("device").await, old.count("report").await), (1, 1));

    for laptop in [&old.early, &old.late] {
        let (code, words) = laptop.contact();
        assert_eq!(code, Some(0), "{words}");
    }
    // No hand, no other key, the same names; each one's newest state is there again.
    assert_eq!(fs::read(old.late.agent.state().join("enrolment.json")).unwrap(), key);
    assert_eq!((old.early.device(), old.late.device()), (early, late));
    assert_eq!((old.count("device").await, old.count("enrolment").await), (2, 2));
    assert_eq!(old.count("device WHERE serial_number = 'PF2LATE'").await, 1, "its report says what it is");
    assert_eq!((old.count("report").await, old.count("health").await), (3, 2));
    assert_eq!(old.count("audit WHERE action = 'enrolment.readmit'").await, 1);
    // And then nothing more to say.
    for laptop in [&old.early, &old.late] {
        assert_eq!(laptop.contact().0, Some(0));
    }
    assert_eq!(old.count("report").await, 3);
    // What changes next is no old report.
    old.early.set_memory(16_000_000);
    assert_eq!(old.early.contact().0, Some(0));
    assert_eq!(old.count("report").await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_operators_word_such_a_laptop_is_refused_and_loses_nothing() {
    let mut old = Old::new();
    old.restore();
    old.serve();
    let (code, words) = old.late.contact();
    assert_eq!(code, Some(5), "{words}");
    assert_eq!(old.count("device").await, 1);
    // Said later, it helps as well.
    old.port.installation.run("restored", &["--backup-taken", &old.taken], "").unwrap();
    let (code, words) = old.late.contact();
    assert_eq!(code, Some(0), "{words}");
    assert_eq!(old.count("device").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_from_before_the_backup_helps_nobody() {
    let mut old = Old::new();
    old.restore();
    // Certificates count in whole seconds.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    // As if the backup had been taken now: what the late laptop has is older.
    let taken = paris::date_time(clock::now()).to_string();
    old.port.installation.run("restored", &["--backup-taken", &taken], "").unwrap();
    old.serve();
    assert_eq!(old.late.contact().0, Some(5));
    assert_eq!(old.count("device").await, 1);
}
