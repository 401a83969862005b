//! What an operator types is done as it was meant, or refused with words that help and with the exit code of a failure.

use std::process::Output;

use cartable_tests::{harness::Installation, simulator::site::uai_code};
use uuid::Uuid;

struct Operator {
    installation: Installation,
    uai: String,
}

impl Operator {
    fn new() -> Self {
        let (installation, uai) = (Installation::temporary().unwrap(), uai_code(96, 1));
        installation.create_site(&uai, "Collège des Tilleuls", "Valmarin", "B").unwrap();
        Self { installation, uai }
    }

    fn output(&self, subcommand: &str, arguments: &[&str]) -> Output {
        self.installation.command(subcommand).args(arguments).output().unwrap()
    }

    /// What it prints and what it says, where it does what it was told to.
    fn done(&self, subcommand: &str, arguments: &[&str]) -> (String, String) {
        let output = self.output(subcommand, arguments);
        let said = text(&output.stderr);
        assert!(output.status.success(), "{subcommand}: {said}");
        (text(&output.stdout), said)
    }

    /// What it says, where it ends with that code.
    fn refused(&self, code: i32, subcommand: &str, arguments: &[&str]) -> String {
        let output = self.output(subcommand, arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{subcommand}: {said}");
        said
    }

    fn device(&self) -> String {
        let listed = ["--serial", "PF2CART7", "--kind", "laptop", "--site", self.uai.as_str()];
        self.done("device add", &listed).0.trim().to_owned()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn an_exam_is_ordered_by_whole_times_of_paris_and_told_as_it_was_understood() {
    let operator = Operator::new();
    let order = |from: &'static str, to: &'static str| ["--label", "Brevet blanc", "--from", from, "--to", to];
    let day = operator.refused(2, "exam order", &order("2090-06-14", "2090-06-14T12:00"));
    assert!(day.contains("the day and the time"), "{day}");
    let left_out = operator.refused(2, "exam order", &order("2090-03-26T02:30", "2090-03-26T08:00"));
    assert!(left_out.contains("does not exist in Paris"), "{left_out}");
    assert_eq!(operator.done("exam list", &[]).0, "", "neither was ordered");

    let (id, said) = operator.done("exam order", &order("2090-06-14T08:00", "2090-06-14T11:00"));
    assert!(id.trim().parse::<Uuid>().is_ok(), "{id}");
    assert!(said.contains("from 2090-06-14T08:00 to 2090-06-14T11:00 (Paris), all sites"), "{said}");
    let listed = operator.done("exam list", &[]).0;
    assert!(listed.contains("\t2090-06-14T08:00\t2090-06-14T11:00\tall\t"), "{listed}");
    let (again, said) = operator.done("exam order", &order("2090-06-14T08:00", "2090-06-14T11:00"));
    assert!(again.is_empty() && said.contains("ordered before"), "{said}");
    let (_, said) = operator.done("exam order", &order("2090-06-14T08:00", "2090-06-14T12:00"));
    assert!(said.contains(&format!("exam end {}", id.trim())), "the one with the wrong end is told: {said}");
}

#[test]
fn a_backup_of_the_future_or_of_before_the_installation_is_none() {
    let operator = Operator::new();
    for (taken, why) in [("2020-01-01T03:00", "was not taken before that"), ("2090-01-01T03:00", "before now")] {
        let said = operator.refused(1, "restored", &["--backup-taken", taken]);
        assert!(said.contains(why), "{said}");
    }
    assert!(!operator.done("audit list", &[]).0.contains("authority.restored"));
}

#[test]
fn what_does_nothing_is_no_success() {
    let operator = Operator::new();
    let list = operator.installation.directory().join("delivery.txt");
    std::fs::write(&list, "PF2NOBODY\n").unwrap();
    let said = operator.refused(1, "device approve", &["--serials", list.to_str().unwrap()]);
    assert!(said.contains("nobody was approved"), "{said}");
    let said = operator.refused(1, "authority drop-earlier", &[]);
    assert!(said.contains("no earlier intermediate") && !said.contains("Restart"), "{said}");
    assert!(!operator.done("audit list", &[]).0.contains("authority.drop_earlier"));
}

#[test]
fn a_refusal_names_what_would_be_right_and_its_cause_once() {
    let operator = Operator::new();
    let device = operator.device();
    let said = operator.refused(2, "device order", &[&device, "shell"]);
    assert!(said.contains("none of check_in, full_report, self_test, return_notice, send_log"), "{said}");
    let said = operator.refused(2, "device order-all", &["check_in", "--flag", "broken"]);
    assert!(said.contains("disk_nearly_full"), "{said}");

    let broken = operator.installation.directory().join("agent.MSI");
    std::fs::write(&broken, "no package").unwrap();
    let said = operator.refused(1, "updates add", &["--version", "9.1.0", broken.to_str().unwrap()]);
    assert!(said.contains(".msi") && !said.contains("Debian"), "{said}");
    let said = operator.refused(1, "updates add", &["/nowhere/agent.msi"]);
    assert_eq!(said.matches("os error 2").count(), 1, "{said}");
    let unsealed = operator
        .installation
        .command("authority renew-devices")
        .args(["--key-file", "/nowhere/key"])
        .env_remove("CARTABLE_KEY")
        .output();
    let said = text(&unsealed.unwrap().stderr);
    assert_eq!(said.matches("os error 2").count(), 1, "{said}");
}

#[test]
fn a_certificate_that_cannot_be_written_is_not_recorded() {
    let operator = Operator::new();
    let device = operator.device();
    let said = operator.refused(1, "foreign-agent issue", &["--out", "/nowhere/cartable.pem", &device]);
    assert!(said.contains("cannot be written"), "{said}");
    assert_eq!(operator.done("foreign-agent list", &[]).0, "");
    // Nor is a file left of a device that there is not.
    let file = operator.installation.directory().join("cartable.pem");
    let (out, unknown) = (file.to_str().unwrap(), Uuid::new_v4().to_string());
    operator.refused(1, "foreign-agent issue", &["--out", out, &unknown]);
    assert!(!file.exists());
    operator.done("foreign-agent issue", &["--out", out, &device]);
    assert!(std::fs::read_to_string(&file).unwrap().contains("PRIVATE KEY"));
    assert_eq!(operator.done("foreign-agent list", &[]).0.lines().count(), 1);
}

#[test]
fn a_token_lives_as_long_as_it_was_asked_for() {
    let operator = Operator::new();
    let site = ["--site", operator.uai.as_str()];
    for (term, told) in [
        (vec!["--cap", "30", "--days", "14"], "for 14 day(s)"),
        (vec!["--hours", "36"], "for 36 hour(s)"),
        (vec![], "for 24 hour(s)"),
    ] {
        let said = operator.done("token create", &[&site[..], &term[..]].concat()).1;
        assert!(said.contains(told), "{said}");
    }
}
