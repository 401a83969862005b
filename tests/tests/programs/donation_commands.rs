//! No command gives a device away. Every command is listed here, so that a new one is looked at; each one of `device` is run
//! on a device that only its hand-over keeps from belonging to somebody else.

use cartable_server::{cli, domain::loan::LendingState, store::Store};
use cartable_tests::{
    donation::{people, place},
    fleet::at,
    harness::Installation,
    postgres::Database,
    raw::Raw,
    simulator::site::uai_code,
};
use uuid::Uuid;

/// Every command. None of them makes a device belong to somebody else: `import` is asked in `donation_gate`, those of
/// `device` below, and no other writes where a device is.
const COMMANDS: [&str; 86] = [
    "init",
    "serve",
    "backup",
    "restored",
    "token create",
    "token list",
    "token revoke",
    "device add",
    "device revoke",
    "device quarantine",
    "device activate",
    "device release",
    "device waiting",
    "device approve",
    "device refuse",
    "device recoveries",
    "device approve-recovery",
    "device refuse-recovery",
    "device order",
    "device order-all",
    "device orders",
    "device agent-log",
    "site add",
    "site add-referent",
    "site list",
    "import",
    "import-inventory",
    "foreign-agent issue",
    "foreign-agent list",
    "foreign-agent revoke",
    "export",
    "report",
    "calendar import",
    "calendar list",
    "exam order",
    "exam list",
    "exam end",
    "borrower export",
    "borrower erase",
    "programme add",
    "programme list",
    "programme close",
    "programme reopen",
    "documents check",
    "documents templates",
    "erasure read",
    "erasure add",
    "erasure missing",
    "user create",
    "user password",
    "user disable",
    "user list",
    "api-token create",
    "api-token list",
    "api-token revoke",
    "audit verify",
    "audit list",
    "mail test",
    "jobs status",
    "webhook add",
    "webhook list",
    "webhook disable",
    "updates new-key",
    "updates add",
    "updates list",
    "updates stage",
    "updates halt",
    "updates prepare",
    "updates sign",
    "updates publish",
    "assess",
    "forecast",
    "policy check",
    "policy show",
    "policy version",
    "policy used",
    "authority status",
    "authority sleepers",
    "authority renew-devices",
    "authority renew-gateway",
    "authority renew-signer",
    "authority drop-earlier",
    "authority begin-root",
    "authority switch-root",
    "authority retire-root",
    "show-roots",
];

/// The commands below `command` that have none below themselves, but clap's own help.
fn leaves(command: &clap::Command, path: &str) -> Vec<String> {
    let own = command.get_subcommands().filter(|below| below.get_name() != "help");
    own.flat_map(|below| {
        let path = format!("{path} {}", below.get_name()).trim_start().to_owned();
        if below.has_subcommands() { leaves(below, &path) } else { vec![path] }
    })
    .collect()
}

#[test]
fn every_command_is_known_here() {
    let mut all = cli::commands();
    all.build();
    assert_eq!(leaves(&all, ""), COMMANDS, "a new command is listed here once it was seen to give no device away");
}

async fn none_gives_a_device_away(installation: &Installation) {
    let (url, uai, now) = (installation.database_url(), uai_code(96, 1), at(0, 0, 0));
    installation.create_site(&uai, "Collège des Tilleuls", "Valmarin", "B").unwrap();
    let store = Store::open(&url).await.unwrap();
    let who = people(&store, now).await.unwrap();
    let id = who.ready(&store, "M1", now).await.unwrap();
    let lot = who.draft(&store, &[id], now).await.unwrap();
    who.approve(&store, lot, now).await.unwrap();
    let deed = who.print(&store, lot, now).await.unwrap();
    let mut raw = Raw::connect(&url).await.unwrap();
    let enrolments = [Uuid::new_v4(), Uuid::new_v4()];
    for enrolment in enrolments {
        let waits = format!(
            "INSERT INTO enrolment (id, device_id, request_id, spki_sha256, status, created_at) \
             VALUES ({0}, {1}, {0}, {2}, 'pending', {now})",
            raw.uuid(enrolment),
            raw.uuid(id.0),
            raw.bytes(enrolment.as_bytes()),
        );
        raw.execute(&waits).await.unwrap();
    }
    let (device, [enrolment, other]) = (id.to_string(), enrolments.map(|enrolment| enrolment.to_string()));
    for command in COMMANDS.into_iter().filter(|name| name.starts_with("device ")) {
        let recovery = Uuid::new_v4();
        if command.ends_with("-recovery") {
            let asks = format!(
                "INSERT INTO recovery (id, enrolment_id, device_id, cause, asked_at, state) \
                 VALUES ({}, {}, {}, 'too_long', {now}, 'waiting')",
                raw.uuid(recovery),
                raw.uuid(enrolments[0]),
                raw.uuid(id.0),
            );
            raw.execute(&asks).await.unwrap();
        }
        let recovery = recovery.to_string();
        let arguments = match command {
            "device add" => vec!["--serial", "M2", "--kind", "laptop", "--site", uai.as_str()],
            "device waiting" | "device recoveries" => vec![],
            "device approve-recovery" | "device refuse-recovery" => vec![recovery.as_str()],
            "device approve" => vec![enrolment.as_str()],
            "device refuse" => vec![other.as_str()],
            "device order" => vec![device.as_str(), "check_in"],
            "device order-all" => vec!["check_in", "--apply"],
            "device agent-log" => vec![device.as_str(), recovery.as_str()],
            _ => vec![device.as_str()],
        };
        let done = installation.run(command, &arguments, "");
        if let Err(error) = done {
            // An order may find the device out of service, and nobody sent a log: each says so, and nothing else fails.
            let why = match command {
                "device order" => "the device is not in service",
                "device agent-log" => "no log came with the order",
                _ => "nothing may fail",
            };
            assert!(format!("{error:#}").contains(why), "{command}: {error:#}");
        }
        let given = raw.number("SELECT count(*) FROM device WHERE lending_state = 'ceded'").await.unwrap();
        assert_eq!(given, 0, "{command}");
    }
    // Nothing but the hand-over was missing.
    assert_eq!(who.deliver(&store, lot, deed, now).await.unwrap(), 1);
    assert_eq!(place(&store, id).await.unwrap(), LendingState::Ceded);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_gives_a_device_away_on_sqlite() {
    none_gives_a_device_away(&Installation::temporary().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_gives_a_device_away_on_postgres() {
    let database = Database::create().await.unwrap();
    none_gives_a_device_away(&Installation::temporary_on(Some(database.url())).unwrap()).await;
}
