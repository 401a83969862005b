//! A lot from preparation to release with the real programs: the drive's erasure is recorded and witnessed in the console,
//! the lot put together by API, approved by somebody else, its deed printed, its hand-over recorded; then the agent on the
//! computer asks once more, is told to leave, and leaves nothing behind.

#![cfg(target_os = "linux")]

use std::process::Command;

use cartable_tests::harness::{Agent, Api, Cartable, Visitor, cartable::PASSWORD, http::hidden_field};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Posts a form of the page at `from` to `to`.
async fn post(visitor: &Visitor, from: &str, to: &str, fields: &[(&str, &str)]) -> StatusCode {
    let page = visitor.get(from).await.unwrap();
    let csrf = hidden_field(&page.html, "csrf").expect("the page has a form");
    let fields: Vec<(&str, &str)> = [("csrf", csrf.as_str())].into_iter().chain(fields.iter().copied()).collect();
    let answer = visitor.post(to, &fields).await.unwrap();
    assert!(answer.status.is_redirection() || answer.status.is_client_error(), "{to}: {}", answer.status);
    answer.status
}

async fn call(api: &Api, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    let body = (!body.is_null()).then_some(&body);
    api.request(method, path, body).await.unwrap()
}

/// Checks in from a recorded machine without drives; the exit code and the words.
fn once(agent: &Agent, root: &std::path::Path) -> (i32, String) {
    let mut command: Command = agent.command("once");
    let output = command.arg("--root").arg(root).env("LANG", "C").output().unwrap();
    let words = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), words)
}

fn today() -> String {
    cartable_server::domain::paris::date(cartable_server::clock::now()).to_string()
}

/// Records by hand that the device's drive was shredded, and has it confirmed by somebody else.
async fn erase(cartable: &Cartable, id: &str) {
    let (admin, witness) = (cartable.visitor().await.unwrap(), visitor(cartable, "zoe").await);
    let page = format!("/devices/{id}/erasures");
    let fields = [("drive", "X1"), ("model", ""), ("method", "destruction"), ("with", "broyeur"), ("on", &today())];
    assert!(post(&admin, &page, &format!("{page}/by-hand"), &fields).await.is_redirection());
    let shown = witness.get(&page).await.unwrap().html;
    let end = shown.find("/witness\"").expect("it waits for a witness");
    let start = shown[..end].rfind("action=\"").unwrap() + "action=\"".len();
    let confirm = format!("{}/witness", &shown[start..end]);
    assert!(post(&witness, &page, &confirm, &[]).await.is_redirection());
}

async fn visitor(cartable: &Cartable, login: &str) -> Visitor {
    Visitor::sign_in(cartable.server.console(), login, PASSWORD).await.unwrap()
}

/// A lot of that device, with its terms and its value, put together by the administrator.
async fn lot(api: &Api, id: &str) -> String {
    let recipient = json!({
        "name": "Emmaüs Connect", "class": "reuse_body", "legal_form": "association loi 1901",
        "commitments": "réemploi, sans revente", "proof": "convention du 2 septembre 2026",
    });
    let (status, recipient) = call(api, Method::POST, "/api/v1/donation-recipients", recipient).await;
    assert_eq!(status, StatusCode::CREATED, "{recipient}");
    let terms = json!({ "name": "Lot 1", "recipient": recipient["id"], "basis": "associations" });
    let (status, lot) = call(api, Method::POST, "/api/v1/donation-lots", terms).await;
    assert_eq!(status, StatusCode::CREATED, "{lot}");
    let path = format!("/api/v1/donation-lots/{}", lot["id"].as_str().unwrap());
    let (status, told) = call(api, Method::POST, &format!("{path}/units"), json!({ "devices": [id] })).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{told}");
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lot_is_given_and_the_agent_leaves_nothing_behind() {
    let cartable = Cartable::start().unwrap();
    for (login, role) in [("anne", "programme_manager"), ("zoe", "refurbisher")] {
        cartable.installation.create_user(login, role, PASSWORD).unwrap();
    }
    let anne =
        Api::new(cartable.server.console(), &cartable.installation.create_api_token("anne", "t").unwrap()).unwrap();
    let admin = cartable.api().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    std::fs::create_dir_all(root.join("proc")).unwrap();
    std::fs::write(root.join("proc/meminfo"), "MemTotal: 8000000 kB\n").unwrap();
    let agent = cartable.enrolled_agent("agent").unwrap();
    let id = agent.device_id().unwrap();
    let (code, words) = once(&agent, &root);
    assert_eq!(code, 0, "{words}");

    // Everything is missing but the place; then nothing.
    let path = lot(&admin, &id).await;
    let unmet = async || {
        let read = admin.get(&path).await.unwrap();
        let unit = &read["unit_list"][0];
        unit["unmet"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(unmet().await, ["no_drive_known", "no_value"]);
    let (status, _) = call(&anne, Method::POST, &format!("{path}/approve"), Value::Null).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    erase(&cartable, &id).await;
    let value = json!({ "value": "85", "estimation": "market", "note": "trois annonces" });
    let (status, told) = call(&admin, Method::POST, &format!("{path}/value"), value).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{told}");
    assert_eq!(unmet().await, Vec::<String>::new());

    // Not by whoever put it together; by somebody else.
    let (status, told) = call(&admin, Method::POST, &format!("{path}/approve"), Value::Null).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
    let (status, told) = call(&anne, Method::POST, &format!("{path}/approve"), Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_eq!(once(&agent, &root).0, 0, "an approved device is not given yet");

    // The deed, as a person prints it; then the hand-over.
    let console = path.replace("/api/v1/donation-lots", "/lots");
    let visitor = cartable.visitor().await.unwrap();
    let page = visitor.get(&console).await.unwrap();
    let csrf = hidden_field(&page.html, "csrf").unwrap();
    let pdf = visitor.file(&format!("{console}/deed"), &[("csrf", &csrf)]).await.unwrap();
    assert!(pdf.starts_with(b"%PDF-1.7"));
    let shown = visitor.get(&console).await.unwrap().html;
    let deed = &shown[shown.find("DON-").expect("the page lists it")..][.."DON-2026-000001".len()];
    let early = json!({ "day": "2020-01-01", "deed": deed });
    let (status, _) = call(&admin, Method::POST, &format!("{path}/deliver"), early).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let delivery = json!({ "day": today(), "deed": deed });
    let (status, told) = call(&admin, Method::POST, &format!("{path}/deliver"), delivery).await;
    assert_eq!((status, told["devices"].as_i64()), (StatusCode::OK, Some(1)), "{told}");
    let device = admin.get(&format!("/api/v1/devices/{id}")).await.unwrap();
    assert_eq!(device["status"], "released");
    assert!(!device["archived_at"].is_null(), "{device}");

    // Its last contact: told to leave, it leaves.
    let (code, words) = once(&agent, &root);
    assert!(code == 7 && words.contains("changed owner"), "{code}: {words}");
    let state = agent.state();
    assert_eq!(std::fs::read_dir(state).unwrap().count(), 0, "nothing of it stays");
    assert_eq!(once(&agent, &root).0, 3, "it is not enrolled any more");
}
