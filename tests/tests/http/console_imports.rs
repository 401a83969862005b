//! An import through the console as a browser sends it: file, columns, check, write, refused rows; and what is refused.

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use cartable_server::{
    auth::Role,
    clock,
    domain::scope::Scope,
    exchange::{limits, run::Runner},
    jobs,
};
use cartable_tests::{
    in_process::{Answer, InProcess},
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};
use tokio_util::sync::CancellationToken;

on_both_engines! {
    a_file_is_sent_checked_corrected_and_written,
    refused_rows_that_name_people_are_for_the_one_who_brought_them,
    what_is_no_form_of_ours_or_no_table_is_refused,
}

/// A person of the console.
struct Person {
    cartable: InProcess,
    cookie: String,
    csrf: String,
}

async fn manager(test: &TestStore) -> Person {
    let cartable = InProcess::new(&test.store);
    cartable.person("marie", Role::ProgrammeManager, Scope::Everything).await.unwrap();
    let cookie = cartable.cookie("marie", clock::now()).await.unwrap();
    let csrf = Raw::connect(test.url()).await.unwrap().texts("SELECT csrf_token FROM session").await.unwrap().remove(0);
    Person { cartable, cookie, csrf }
}

/// A form with a file, as browsers write it.
fn form(csrf: &str, kind: &str, file: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in [("csrf", csrf), ("kind", kind)] {
        body.extend(format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    body.extend(b"--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"parc.csv\"\r\n");
    body.extend(b"Content-Type: text/csv\r\n\r\n");
    body.extend(file);
    body.extend(b"\r\n--X--\r\n");
    body
}

impl Person {
    async fn send(&self, method: &str, path: &str, kind: &str, origin: &str, body: Vec<u8>) -> Answer {
        let request = Request::builder().method(method).uri(path).header(header::COOKIE, &self.cookie);
        let request = request.header(header::HOST, "cartable.example").header(header::ORIGIN, origin);
        let request = request.header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap();
        self.cartable.send(request).await.unwrap()
    }

    async fn upload(&self, body: Vec<u8>) -> Answer {
        self.send("POST", "/imports", "multipart/form-data; boundary=X", "https://cartable.example", body).await
    }

    async fn post(&self, path: &str, fields: &str) -> Answer {
        let body = format!("csrf={}&{fields}", self.csrf).into_bytes();
        self.send("POST", path, "application/x-www-form-urlencoded", "https://cartable.example", body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "text/plain", "https://cartable.example", vec![]).await
    }

    /// The job that works on imports, once.
    async fn work(&self) {
        let app = &self.cartable.app;
        let runner = Runner::new(app.store.clone(), app.vault.clone());
        jobs::imports::round(&app.store, &runner, clock::now(), &CancellationToken::new()).await.unwrap();
    }
}

async fn a_file_is_sent_checked_corrected_and_written(test: &TestStore) {
    let marie = manager(test).await;
    let file = "Numéro de série;Étiquette;Remarque\nA1;T1;x\nA2;T1;<script>\nA3;T3;y\n";
    let sent = marie.upload(form(&marie.csrf, "devices", file.as_bytes())).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let page = sent.header("location").to_owned();
    let shown = marie.get(&page).await.body;
    assert!(
        shown.contains("Remarque") && shown.contains("name=\"column-2\"") && !shown.contains("<script>"),
        "{shown}"
    );
    let again = marie.post(&format!("{page}/check"), "column-0=model").await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    let columns = "column-0=serial_number&column-1=asset_tag&column-2=model";
    assert_eq!(marie.post(&format!("{page}/check"), columns).await.status, StatusCode::SEE_OTHER);
    assert!(marie.get(&page).await.body.contains("<progress"), "it waits for the job");
    marie.work().await;
    let checked = marie.get(&page).await.body;
    assert!(checked.contains("/apply") && checked.contains("T1"), "{checked}");
    assert!(marie.get(&format!("{page}?outcome=bad")).await.body.contains("étiquette"));
    assert_eq!(marie.get(&format!("{page}/bad.csv")).await.status, StatusCode::METHOD_NOT_ALLOWED);
    let bad = marie.post(&format!("{page}/bad.csv"), "").await;
    assert!(bad.body.contains("\"3\";") && bad.body.contains("\"A2\";\"T1\";\"<script>\""), "{}", bad.body);

    assert_eq!(marie.post(&format!("{page}/apply"), "on_error=stop").await.status, StatusCode::SEE_OTHER);
    marie.work().await;
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM device").await.unwrap(), 0, "all or nothing");
    assert_eq!(marie.post(&format!("{page}/apply"), "on_error=skip").await.status, StatusCode::SEE_OTHER);
    marie.work().await;
    assert_eq!(raw.number("SELECT count(*) FROM device").await.unwrap(), 2);
    assert!(marie.get("/imports").await.body.contains("parc.csv"));
    // What was written is not written again by a form left open.
    let again = marie.post(&format!("{page}/apply"), "on_error=skip").await;
    assert!(again.header("location").contains("import-busy"));
    assert!(marie.post(&format!("{page}/delete"), "").await.header("location").contains("import-deleted"));
    assert_eq!(marie.get(&page).await.status, StatusCode::NOT_FOUND);
    assert_eq!(raw.number("SELECT count(*) FROM import_part").await.unwrap(), 0);
    assert_eq!(raw.number("SELECT count(*) FROM device").await.unwrap(), 2);
}

async fn refused_rows_that_name_people_are_for_the_one_who_brought_them(test: &TestStore) {
    let marie = manager(test).await;
    let mut file = "INE;Nom;Courriel\n".to_owned();
    for number in 0..1_100 {
        file.push_str(&format!("E{number};Martin;nowhere\n"));
    }
    let sent = marie.upload(form(&marie.csrf, "borrowers", file.as_bytes())).await;
    let page = sent.header("location").to_owned();
    let columns = "column-0=school_number&column-1=person_name&column-2=email";
    assert_eq!(marie.post(&format!("{page}/check"), columns).await.status, StatusCode::SEE_OTHER);
    marie.work().await;
    let read = "SELECT count(*) FROM audit WHERE action = 'import.read_bad_rows'";
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let luc = marie.cartable.desk("luc", Role::ProgrammeManager, Scope::Everything).await.unwrap();
    let shown = luc.get(&page).await.unwrap().body;
    assert!(!shown.contains("bad.csv") && shown.contains("only by the person"), "{shown}");
    assert_eq!(luc.post(&format!("{page}/bad.csv"), "").await.unwrap().status, StatusCode::FORBIDDEN);
    let kind = "application/x-www-form-urlencoded";
    let path = format!("{page}/bad.csv");
    let forged = marie.send("POST", &path, kind, "https://cartable.example", b"csrf=guessed".to_vec()).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert_eq!(raw.number(read).await.unwrap(), 0);
    assert!(marie.get(&page).await.body.contains("bad.csv"));
    let bad = marie.post(&path, "").await;
    assert_eq!((bad.status, bad.body.lines().count()), (StatusCode::OK, 1_101), "all pages");
    assert!(bad.body.contains("\"E1099\";\"Martin\""), "{}", bad.body);
    assert_eq!(raw.number(read).await.unwrap(), 1);
}

async fn what_is_no_form_of_ours_or_no_table_is_refused(test: &TestStore) {
    let marie = manager(test).await;
    let file = b"serial\nA1\n";
    assert_eq!(marie.upload(form("guessed", "devices", file)).await.status, StatusCode::FORBIDDEN);
    let foreign = form(&marie.csrf, "devices", file);
    let kind = "multipart/form-data; boundary=X";
    let answer = marie.send("POST", "/imports", kind, "https://evil.example", foreign).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    // The token after the file: a form of ours never is written so, and nothing of it is kept.
    let mut late = form("x", "devices", file);
    late.truncate(late.len() - 8);
    assert_eq!(marie.upload(late).await.status, StatusCode::FORBIDDEN);
    assert_eq!(marie.upload(form(&marie.csrf, "toasters", file)).await.status, StatusCode::BAD_REQUEST);
    for (file, word) in [(&b""[..], "Choisissez"), (b"PK\x03\x04x", "abîmé"), (b"serial\n", "ligne")] {
        let answer = marie.upload(form(&marie.csrf, "devices", file)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.contains(word), "{}", answer.body);
    }
    let large = vec![b'x'; limits::MAX_FILE_BYTES + 2];
    assert_eq!(marie.upload(form(&marie.csrf, "devices", &large)).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    // The limit is raised on that address alone.
    let elsewhere = marie.post("/language", &"x".repeat(3 << 20)).await;
    assert_eq!(elsewhere.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(Raw::connect(test.url()).await.unwrap().number("SELECT count(*) FROM import").await.unwrap(), 0);
}
