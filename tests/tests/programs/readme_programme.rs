//! README's "A programme of 20 laptops, for real" and its backup, run as they stand with the real programs.

#![cfg(target_os = "linux")]

use std::{
    fs,
    time::{Duration, Instant},
};

use cartable_server::{clock, domain::paris};
use cartable_tests::{
    harness::{Process, Server, Visitor},
    readme::{Scratch, blocks, split_at},
};

/// Starts the installed server; free ports are all that README does not say.
fn serve(scratch: &Scratch, gateway: &str) -> Server {
    let more = ["--console", "127.0.0.1:0", "--gateway", gateway, "--ready-json"];
    Server::start(&mut scratch.service("cartable-server.service", &more).unwrap()).unwrap()
}

fn checks_in(agent: &Process) {
    let patience = Instant::now() + Duration::from_secs(60);
    while !agent.log().text().contains("checked in") {
        assert!(Instant::now() < patience, "the agent does not check in:\n{}", agent.log().text());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The server's side, up to its start: nothing but root reads the key, and the service starts all the same.
fn set_up(scratch: &Scratch, block: &str) -> Server {
    let hosts = block.replace("--host cartable.example.fr", "--host localhost");
    assert_ne!(hosts, block, "README names the host");
    let (until_start, rest) = split_at(&hosts, "sudo systemctl enable --now cartable-server").unwrap();
    assert_eq!(rest, "");
    scratch.run(&until_start).unwrap();
    let calls = scratch.calls();
    for call in ["cargo build --release -p cartable-server", "cargo build --profile agent -p cartable-agent", "useradd"]
    {
        assert!(calls.contains(call), "{call} in {calls}");
    }
    if scratch.changes_users() {
        let key = scratch.run("sudo -u cartable cat /etc/cartable/cartable-key");
        assert!(key.unwrap_err().to_string().contains("Permission denied"));
    }
    serve(scratch, "127.0.0.1:0")
}

async fn finds_devices(server: &Server, password: &str) {
    let marie = Visitor::sign_in(server.console(), "marie", password).await.unwrap();
    let page = marie.get("/devices").await.unwrap();
    assert!(page.html.contains("Collège Exemple"), "the laptop of the programme is in the list:\n{}", page.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_programme_starts_and_comes_back_from_its_backup_as_readme_says() {
    let scratch = Scratch::new().unwrap();
    let [server_block, people_block, laptop_block] = &blocks("A programme of 20 laptops, for real").unwrap()[..] else {
        panic!("three blocks: the server, its people, a laptop");
    };
    let [backup, restore] = &blocks("Where data lies, and how to keep it").unwrap()[..] else {
        panic!("two blocks: a backup, its restoration");
    };

    let server = set_up(&scratch, server_block);
    let printed = scratch.run(people_block).unwrap();
    let secret = |line: Option<&str>| line.and_then(|line| line.split_whitespace().last()).unwrap().to_owned();
    let password = secret(printed.lines().find(|line| line.starts_with("password")));
    let token = secret(printed.lines().last());
    for path in ["cartable.db", "pki/root.key", "config.toml", "policy.toml"] {
        assert!(scratch.path("var/lib/cartable").join(path).is_file(), "README says where {path} lies");
    }

    let port = server.gateway_authority().rsplit(':').next().unwrap().to_owned();
    let on_laptop = laptop_block.replace("cartable.example.fr:8443", &format!("localhost:{port}"));
    let (until_start, later) = split_at(&on_laptop, "sudo systemctl enable --now cartable-agent").unwrap();
    scratch.run(&until_start.replace("--token TOKEN", &format!("--token {token}"))).unwrap();
    let mut agent_service = scratch.service("cartable-agent.service", &["--first-within", "0"]).unwrap();
    let agent = Process::start("cartable-agent", &mut agent_service).unwrap();
    checks_in(&agent);
    let status = scratch.run(later).unwrap();
    assert!(status.contains("All is well."), "{status}");
    finds_devices(&server, &password).await;
    drop(agent);

    let shell = people_block.lines().next().unwrap();
    assert!(shell.starts_with("cartable()"), "the first line makes the short name: {shell}");
    scratch.run(&format!("{shell}\n{backup}")).unwrap();
    let (until_stop, rest) = split_at(restore, "sudo systemctl stop cartable-server").unwrap();
    scratch.run(&until_stop).unwrap();
    server.stop().unwrap();
    // As after a change of keys: what is kept is the newer pki, not the backup's.
    fs::write(scratch.path("var/lib/cartable/pki/newest"), "").unwrap();
    let (until_start, rest) = split_at(rest, "sudo systemctl start cartable-server").unwrap();
    assert_eq!(rest, "");
    // This installation is younger than README's backup, which would be refused.
    let (example, taken) = ("2026-11-20T03:00", paris::written(clock::now()));
    assert!(until_start.contains(example), "{until_start}");
    let said = scratch.run(&format!("{shell}\n{}", until_start.replace(example, &taken))).unwrap();
    assert!(said.contains("come in by themselves until"), "said before the start: {said}");
    assert!(scratch.path("var/lib/cartable/pki/newest").is_file(), "laptops trust no older pki");
    // As README says: the root's key may lie in a safe.
    fs::remove_file(scratch.path("var/lib/cartable/pki/root.key")).unwrap();
    let server = serve(&scratch, &format!("127.0.0.1:{port}"));
    finds_devices(&server, &password).await;
    let checked_in = scratch.run("sudo cartable-agent once").unwrap();
    assert!(checked_in.starts_with("checked in"), "{checked_in}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_never_laid_over_another() {
    let scratch = Scratch::new().unwrap();
    let block = &blocks("A programme of 20 laptops, for real").unwrap()[0];
    drop(set_up(&scratch, block));
    let backup = "sudo cartable-server backup --data /var/lib/cartable --to /var/backups/one";
    scratch.run(backup).unwrap();
    let again = scratch.run(backup).unwrap_err().to_string();
    assert!(again.contains("exists already"), "{again}");
    fs::create_dir(scratch.path("var/backups/two.unfinished")).unwrap();
    let interrupted = scratch.run(&backup.replace("/one", "/two")).unwrap_err().to_string();
    assert!(interrupted.contains("interrupted"), "{interrupted}");
}
