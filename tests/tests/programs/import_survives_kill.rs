//! kill -9 of an import in its middle, from the command line: what was committed stays, and it goes on behind it.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use cartable_tests::{
    harness::{Installation, stored},
    postgres::Database,
};

/// Rows of the file.
const ROWS: usize = 20_000;
/// Committed chunks after which the process is killed.
const CHUNKS: usize = 4;

fn list() -> String {
    let mut text = "Numéro de série;Étiquette;Modèle;Type d'appareil\r\n".to_owned();
    for number in 0..ROWS {
        let _ = write!(text, "KILL{number:05};K{number:05};ThinkPad L13;Portable\r\n");
    }
    text
}

async fn survive(installation: &Installation) {
    let file = installation.directory().join("liste.csv");
    std::fs::write(&file, list()).unwrap();
    let arguments = ["devices", file.to_str().unwrap(), "--apply", "--on-error", "skip"];
    let mut child = installation.command("import").args(arguments).stderr(Stdio::piped()).spawn().unwrap();
    let told = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let chunks = told.filter(|line| line.ends_with("rows")).take(CHUNKS).count();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(chunks, CHUNKS, "the process ended before it was killed");
    let url = installation.database_url();
    let committed = stored::count(&url, "device").await.unwrap();
    assert!((4_000..20_000).contains(&committed), "{committed} devices after {CHUNKS} chunks");
    assert_eq!(committed % 1_000, 0, "half a chunk is there: {committed} devices");

    let said = installation.run("import", &arguments, "").unwrap();
    assert!(said.contains("written: 20000 new, 0 changed, 0 the same, 0 bad"), "{said}");
    assert_eq!(stored::count(&url, "device").await.unwrap(), 20_000);
    assert_eq!(stored::count(&url, "import").await.unwrap(), 1, "it went on; it did not begin anew");
    let said = installation.run("import", &arguments, "").unwrap();
    assert!(said.contains("0 new, 0 changed, 20000 the same") && said.contains("nothing changed"), "{said}");
    stored::check_integrity(&url).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_on_after_kill_on_sqlite() {
    survive(&Installation::temporary().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_on_after_kill_on_postgres() {
    let database = Database::create().await.unwrap();
    survive(&Installation::temporary_on(Some(database.url())).unwrap()).await;
}
