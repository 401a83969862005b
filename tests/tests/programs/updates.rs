//! Debian's own apt, in folders of its own, against the running server: it takes what the key's holder signed, and nothing
//! that was changed, is over, or is older than what it knows. And the key is never where the server is.

#![cfg(target_os = "linux")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use cartable_common::update::UpdateKey;
use cartable_server::{
    clock,
    domain::{paris, update::publication::Publication},
    store::{Store, agent_package, agent_publication},
};
use cartable_tests::{
    harness::{Binaries, Installation, Server},
    raw::Raw,
};

/// A server, a machine with the key, and a laptop's apt.
struct Repository {
    installation: Installation,
    server: Server,
    folder: tempfile::TempDir,
    key: PathBuf,
}

/// Runs the server's program without a data directory, as on the machine with the key.
fn elsewhere(arguments: &[&str]) -> Output {
    Command::new(&Binaries::find().unwrap().server).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A key in `folder`, and its public part.
fn new_key(folder: &Path, name: &str) -> (PathBuf, UpdateKey) {
    let path = folder.join(name);
    let made = elsewhere(&["updates", "new-key", "--out", path.to_str().unwrap()]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    (path, text(&made.stdout).trim().parse().unwrap())
}

impl Repository {
    fn start() -> Self {
        let installation = Installation::temporary().unwrap();
        let server = installation.serve().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (key, _) = new_key(folder.path(), "update.key");
        for made in ["etc/sources.list.d", "etc/preferences.d", "state/lists/partial", "cache/archives/partial"] {
            std::fs::create_dir_all(folder.path().join("apt").join(made)).unwrap();
        }
        std::fs::write(folder.path().join("apt/status"), "").unwrap();
        // Read before any option: nothing of this machine's own apt is, such as what it runs after each update.
        let nothing_else = "Dir::Etc::main \"/dev/null\";\nDir::Etc::parts \"/dev/null\";\n";
        std::fs::write(folder.path().join("apt/apt.conf"), nothing_else).unwrap();
        Self { installation, server, folder, key }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn built(&self, version: &str) -> String {
        self.path(&format!("built-{version}.deb"))
    }

    /// A package of that version, built by Debian's own tool and taken in.
    fn add(&self, version: &str) {
        let tree = self.folder.path().join(format!("tree-{version}"));
        std::fs::create_dir_all(tree.join("DEBIAN")).unwrap();
        let control = format!(
            "Package: cartable-agent\nVersion: {version}\nArchitecture: amd64\nMaintainer: Test <test@example.invalid>\n\
             Description: Reads hardware\n Two lines.\n"
        );
        std::fs::write(tree.join("DEBIAN/control"), control).unwrap();
        let package = self.built(version);
        let mut build = Command::new("dpkg-deb");
        build.args(["-Zxz", "--root-owner-group", "--build"]).arg(&tree).arg(&package);
        let built = build.output().expect("dpkg-deb is part of every Debian");
        assert!(built.status.success(), "{}", text(&built.stderr));
        self.installation.run("updates add", &[&package], "").unwrap();
    }

    fn publish(&self) {
        self.installation.run("updates publish", &["--key", self.key.to_str().unwrap()], "").unwrap();
    }

    /// Tells apt of the repository, with the key that it has now.
    async fn trust(&self) {
        let address = format!("{}/apt", self.server.console());
        let store = self.store().await;
        let mut tx = store.read().await.unwrap();
        let key = agent_publication::text(&mut tx, "cartable.asc").await.unwrap().unwrap();
        drop(tx);
        std::fs::write(self.path("cartable.asc"), key).unwrap();
        let source = format!(
            "Types: deb\nURIs: {address}\nSuites: stable\nComponents: main\nSigned-By: {}\n",
            self.path("cartable.asc")
        );
        std::fs::write(self.path("apt/etc/sources.list.d/cartable.sources"), source).unwrap();
    }

    async fn store(&self) -> Store {
        Store::open(&self.installation.database_url()).await.unwrap()
    }

    /// Publishes these packages as of so many hours ago, for a day, past what the command allows.
    async fn publish_as_of(&self, number: u64, hours_ago: i64) {
        let store = self.store().await;
        let mut tx = store.write().await.unwrap();
        let (listed, releases) = agent_package::to_publish(agent_package::current(&mut tx).await.unwrap());
        let packages: Vec<String> = listed.iter().map(|one| self.built(&one.version)).collect();
        let made_at = clock::now().plus_millis(-hours_ago * 3_600_000);
        let draft = Publication::draft(number, (made_at, made_at.plus_days(1)), &listed, releases);
        let file = self.path("as-of.json");
        std::fs::write(&file, serde_json::to_string(&draft).unwrap()).unwrap();
        let mut arguments = vec!["updates", "sign", "--key", self.key.to_str().unwrap(), file.as_str()];
        arguments.extend(packages.iter().map(String::as_str));
        let signed = elsewhere(&arguments);
        assert!(signed.status.success(), "{}", text(&signed.stderr));
        let signed: Publication = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        agent_publication::publish(&mut tx, &signed, signed.signatures[0].key, clock::now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    fn apt(&self, program: &str, arguments: &[&str]) -> (bool, String) {
        let folder = |option: &str, name: &str| ["-o".to_owned(), format!("{option}={}", self.path(name))];
        let fixed = [
            "APT::Architecture=amd64",
            "APT::Sandbox::User=",
            "Acquire::Languages=none",
            "Acquire::http::Proxy=DIRECT",
            "Acquire::Check-Date=true",
            "Acquire::Check-Valid-Until=true",
        ];
        let ran = Command::new(program)
            .args(folder("Dir::Etc", "apt/etc"))
            .args(folder("Dir::State", "apt/state"))
            .args(folder("Dir::State::status", "apt/status"))
            .args(folder("Dir::Cache", "apt/cache"))
            .args(fixed.iter().flat_map(|option| ["-o", *option]))
            .args(arguments)
            .env("LC_ALL", "C")
            .env("APT_CONFIG", self.path("apt/apt.conf"))
            .output()
            .expect("apt is part of every Debian");
        (ran.status.success(), text(&ran.stdout) + &text(&ran.stderr))
    }

    /// Whether apt knows this version as the one to install.
    fn candidate(&self, version: &str) -> bool {
        self.apt("apt-cache", &["policy", "cartable-agent"]).1.contains(&format!("Candidate: {version}\n"))
    }

    fn download(&self) -> (bool, String) {
        self.apt("apt-get", &["-y", "install", "--download-only", "cartable-agent"])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn apt_takes_what_is_signed_and_nothing_else() {
    let repository = Repository::start();
    let mut raw = Raw::connect(&repository.installation.database_url()).await.unwrap();
    repository.add("9.1.0-1");
    repository.publish();
    repository.trust().await;
    let (updated, said) = repository.apt("apt-get", &["update"]);
    assert!(updated && repository.candidate("9.1.0-1"), "{said}");
    let (downloaded, said) = repository.download();
    assert!(downloaded, "{said}");
    let arrived = std::fs::read(repository.path("apt/cache/archives/cartable-agent_9.1.0-1_amd64.deb")).unwrap();
    assert_eq!(arrived, std::fs::read(repository.path("built-9.1.0-1.deb")).unwrap());

    // A list that was changed: apt keeps the one it has.
    repository.add("9.2.0-1");
    repository.publish();
    raw.execute("UPDATE agent_published SET content = replace(content, '9.2.0', '9.3.0') WHERE path LIKE '%Packages'")
        .await
        .unwrap();
    let (_, said) = repository.apt("apt-get", &["update"]);
    assert!(said.contains("Hash Sum mismatch") || said.contains("unexpected size"), "{said}");
    assert!(!repository.candidate("9.3.0-1"), "{said}");
    // A list whose signature does not fit.
    repository.publish();
    raw.execute("UPDATE agent_published SET content = replace(content, 'Label', 'Lable') WHERE path LIKE '%Release'")
        .await
        .unwrap();
    let (_, said) = repository.apt("apt-get", &["update"]);
    assert!(said.contains("BADSIG") || said.contains("invalid"), "{said}");
    // What is published well is taken again.
    repository.publish();
    let (updated, said) = repository.apt("apt-get", &["update"]);
    assert!(updated && repository.candidate("9.2.0-1"), "{said}");
    // A package that was changed.
    raw.execute("UPDATE agent_package SET content = substr(content, 2) WHERE version = '9.2.0-1'").await.unwrap();
    let (downloaded, said) = repository.download();
    assert!(!downloaded && said.contains("unexpected size"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn apt_takes_no_list_that_is_over_or_older_and_a_halt_counts_at_once() {
    let repository = Repository::start();
    repository.add("9.1.0-1");
    repository.publish();
    repository.trust().await;
    assert!(repository.apt("apt-get", &["update"]).0);
    repository.add("9.2.0-1");
    repository.publish_as_of(2, 0).await;
    assert!(repository.apt("apt-get", &["update"]).0 && repository.candidate("9.2.0-1"));
    repository.installation.run("updates halt", &["9.2.0"], "").unwrap();
    let (downloaded, said) = repository.download();
    assert!(!downloaded && said.contains("404"), "{said}");
    // Signed by the right key, and old: somebody hands on what was once published.
    for (number, hours_ago) in [(3, 2), (4, 48)] {
        repository.publish_as_of(number, hours_ago).await;
        let (_, said) = repository.apt("apt-get", &["update"]);
        assert!(repository.candidate("9.2.0-1"), "an older list changes nothing: {said}");
    }
    std::fs::remove_dir_all(repository.path("apt/state/lists")).unwrap();
    std::fs::create_dir_all(repository.path("apt/state/lists/partial")).unwrap();
    let (updated, said) = repository.apt("apt-get", &["update"]);
    assert!(!updated && said.contains("expired"), "a laptop that knows nothing yet refuses it too: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_stays_elsewhere_and_another_follows_it_only_with_its_word() {
    let repository = Repository::start();
    let run = |command: &str, arguments: &[&str]| repository.installation.run(command, arguments, "");
    repository.add("9.1.0-1");
    let file = repository.path("publication.json");
    let own = repository.key.to_str().unwrap();
    run("updates prepare", &["--out", &file]).unwrap();
    let unsigned = run("updates publish", &[&file]).unwrap_err().to_string();
    assert!(unsigned.contains("not signed yet"), "{unsigned}");
    let package = repository.built("9.1.0-1");
    let signed = elsewhere(&["updates", "sign", "--key", own, &file, &package]);
    assert!(text(&signed.stdout).contains("Filename: pool/cartable-agent_9.1.0-1_amd64.deb"), "who signs sees what");
    repository.add("9.2.0-1");
    let other = run("updates publish", &[&file]).unwrap_err().to_string();
    assert!(other.contains("packages were added"), "{other}");
    run("updates halt", &["9.2.0"]).unwrap();
    run("updates publish", &[&file]).unwrap();
    let again = run("updates publish", &[&file]).unwrap_err().to_string();
    assert!(again.contains("published already"), "{again}");

    let (stranger, new) = new_key(repository.folder.path(), "new.key");
    let stranger = stranger.to_str().unwrap();
    let refused = run("updates publish", &["--key", stranger]).unwrap_err().to_string();
    assert!(refused.contains("did not sign it"), "{refused}");
    run("updates publish", &["--key", own, "--key", stranger]).unwrap();
    run("updates publish", &["--key", stranger]).unwrap();
    let listed = run("updates list", &[]).unwrap();
    assert!(listed.starts_with("published\t") && listed.contains(&new.to_string()), "{listed}");
    let acts = run("audit list", &[]).unwrap();
    assert_eq!(acts.matches("agent_release.publish").count(), 3, "{acts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_in_foreign_hands_has_nothing_signed_that_the_holder_of_the_key_did_not_build() {
    let repository = Repository::start();
    let run = |command: &str, arguments: &[&str]| repository.installation.run(command, arguments, "");
    repository.add("9.1.0-1");
    let (file, msi, deb) = (repository.path("list.json"), repository.path("agent.msi"), repository.built("9.1.0-1"));
    std::fs::write(&msi, [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, 7]).unwrap();
    run("updates add", &["--version", "9.1.0", "--from", "0.1.5", &msi]).unwrap();
    run("updates prepare", &["--out", &file]).unwrap();
    let prepared = std::fs::read_to_string(&file).unwrap();
    let windows = format!("9.1.0:0.1.5={msi}");
    let sign = |packages: &[&str]| {
        let own = repository.key.to_str().unwrap();
        elsewhere(&[&["updates", "sign", "--key", own, file.as_str()][..], packages].concat())
    };
    let (_, attacker) = new_key(repository.folder.path(), "attacker.key");
    let forge = |path: &str, change: &dyn Fn(&str) -> String| {
        let mut forged: Publication = serde_json::from_str(&prepared).unwrap();
        let changed = change(&forged.files[path]);
        assert_ne!(changed, forged.files[path], "{path}");
        forged.files.insert(path.to_owned(), changed);
        serde_json::to_string(&forged).unwrap()
    };
    // apt would fetch another index than the one whose hashes are printed.
    let other_index = |text: &str| {
        let hash = text.lines().next_back().and_then(|line| line.split_whitespace().next()).unwrap();
        text.replace(hash, &"ab".repeat(32))
    };
    // Agents would pin this key, and believe no other from then on.
    let another_key = |text: &str| text.replace("release ", &format!("key {attacker}\nrelease "));
    for forged in [forge("dists/stable/Release", &other_index), forge("windows/manifest", &another_key)] {
        std::fs::write(&file, &forged).unwrap();
        let refused = sign(&[&deb, &windows]);
        assert!(!refused.status.success() && refused.stdout.is_empty(), "{}", text(&refused.stdout));
        assert!(text(&refused.stderr).contains("something else than these packages give"), "{}", text(&refused.stderr));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), forged, "nothing was signed");
    }
    std::fs::write(&file, &prepared).unwrap();
    assert!(!sign(&[&deb]).status.success(), "a package that its holder does not have");
    for other in ["9.2.0:0.1.5", "9.1.0"] {
        assert!(!sign(&[&deb, &format!("{other}={msi}")]).status.success(), "{other}");
    }
    let signed = sign(&[&windows, &deb]);
    assert!(signed.status.success(), "{}", text(&signed.stderr));
    assert!(text(&signed.stdout).contains("release 9.1.0 9 "), "{}", text(&signed.stdout));
    run("updates publish", &[&file]).unwrap();
}

#[test]
fn a_restored_server_offers_no_release_until_somebody_does() {
    let installation = Installation::temporary().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let msi = folder.path().join("agent.msi");
    std::fs::write(&msi, [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, 7]).unwrap();
    let run = |command: &str, arguments: &[&str]| installation.run(command, arguments, "").unwrap();
    run("updates add", &["--version", "9.1.0", msi.to_str().unwrap()]);
    run("updates stage", &["9.1.0", "--percent", "100"]);
    assert!(run("updates list", &[]).contains("release\t9.1.0\t100 %\t"));
    // There was nothing yet of which a backup could have been taken.
    let early = installation.run("restored", &["--backup-taken", "2024-01-01T03:00"], "").unwrap_err().to_string();
    assert!(early.contains("was not taken before that"), "{early}");
    assert!(run("updates list", &[]).contains("release\t9.1.0\t100 %\t"), "and nothing was done");
    run("restored", &["--backup-taken", &paris::date_time(clock::now()).to_string()]);
    assert!(run("updates list", &[]).contains("release\t9.1.0\t0 %\t"));
    assert_eq!(run("audit list", &[]).matches("agent_release.stage").count(), 2);
}
