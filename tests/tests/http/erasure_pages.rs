//! Erasures through the console, the API and the public page of certificates: what is brought is recorded and audited, a
//! certificate is checked by its signature and by its bytes, and one altered byte of either is found out.

use axum::{
    body::Body,
    http::{Request, header},
};
use cartable_common::report::{Drive, DriveKind, HealthReport};
use cartable_common::{SerialNumber, UtcMillis};
use cartable_server::{auth::Role, clock, domain::scope::Scope};
use cartable_tests::{
    erasing::{multipart, nvme_sanitized},
    fleet::{Enrolled, RunningIngest, enrol, envelope, laptop},
    in_process::{Answer, InProcess},
    on_both_engines,
    pages::File,
    paper,
    raw::Raw,
    stores::TestStore,
};

on_both_engines! {
    a_certificate_is_checked_by_anybody_and_one_altered_byte_is_found,
    a_certificate_of_an_unchanged_state_is_given_again,
    evidence_is_brought_entered_and_witnessed_through_the_console,
}

async fn device_with(test: &TestStore, site: uuid::Uuid, serial: &str, now: UtcMillis) -> Enrolled {
    let one = enrol(&test.store, test.url(), Some(site), now.plus_days(-9)).await.unwrap();
    let drive =
        Drive { serial_number: SerialNumber::parse(serial).into(), kind: Some(DriveKind::Nvme), ..Drive::default() };
    let report = HealthReport { drives: vec![drive], ..laptop(50) };
    let running = RunningIngest::start(&test.store);
    let seen = now.plus_days(-3);
    running.ingest.check_in(one.check_in(seen, vec![envelope(1, seen, report)])).await.unwrap();
    running.stop().await;
    one
}

fn transcript(serial: &str, now: UtcMillis) -> String {
    nvme_sanitized(serial, now.plus_millis(-60_000))
}

async fn public(cartable: &InProcess, path: &str) -> Answer {
    cartable.send(Request::get(path).header(header::ACCEPT_LANGUAGE, "en").body(Body::empty()).unwrap()).await.unwrap()
}

async fn compared(cartable: &InProcess, path: &str, pdf: &[u8]) -> Answer {
    let (kind, body) = multipart(&[], &[("x.pdf", pdf)]);
    let request = Request::post(path).header(header::CONTENT_TYPE, kind).header(header::ACCEPT_LANGUAGE, "en");
    cartable.send(request.body(Body::from(body)).unwrap()).await.unwrap()
}

async fn a_certificate_is_checked_by_anybody_and_one_altered_byte_is_found(test: &TestStore) {
    let (cartable, now) = (InProcess::new(&test.store), clock::now());
    let site = cartable.site(1).await.unwrap();
    let one = device_with(test, site, "S5GX1", now).await;
    let desk = cartable.desk("rosa", Role::Refurbisher, Scope::Sites(vec![site])).await.unwrap();
    let path = format!("/devices/{}/erasures", one.device);
    let refused = desk.post(&format!("{path}/certificate"), "demand=leave").await.unwrap();
    assert_eq!(refused.status.as_u16(), 422, "nothing is proven yet");
    let text = transcript("S5GX1", now);
    let file = File { name: "nvme.txt", content: text.as_bytes() };
    let brought = desk.upload(&format!("{path}/evidence"), &[], Some(file)).await.unwrap();
    assert_eq!(brought.status.as_u16(), 303, "{}", brought.body);
    let made = desk.post(&format!("{path}/certificate"), "demand=leave").await.unwrap();
    assert_eq!((made.status.as_u16(), made.header("content-type")), (200, "application/pdf"));
    let pdf = made.bytes.clone();

    // The paper's code leads to the page, and the page says what was signed.
    let (codes, _) = paper::codes(&pdf).unwrap();
    let code = codes.iter().find_map(|code| code.strip_prefix("QR-Code:https://cartable.example")).unwrap();
    let (address, signature) = code.split_once("?s=").unwrap();
    let good = public(&cartable, code).await;
    assert_eq!(good.status.as_u16(), 200);
    for words in ["Genuine and valid", "S5GX1", "Purge", "NVMe Sanitize, block erase"] {
        assert!(good.body.contains(words), "{words}: {}", good.body);
    }
    assert!(!good.body.contains("rosa"), "nobody is named");
    // Without the paper's signature nothing but the number is told.
    let bare = public(&cartable, address).await;
    assert!(bare.body.contains("Number known") && !bare.body.contains("S5GX1"), "{}", bare.body);
    let mut altered: Vec<char> = signature.chars().collect();
    for place in [0, 40, 85] {
        let old = std::mem::replace(&mut altered[place], 'A');
        if old == 'A' {
            altered[place] = 'B';
        }
        let wrong: String = altered.iter().collect();
        let answer = public(&cartable, &format!("{address}?s={wrong}")).await;
        assert!(answer.body.contains("Altered or foreign") && !answer.body.contains("S5GX1"), "{place}");
        altered[place] = old;
    }
    // A number that nobody gave out is told so, in both languages, with nothing to compare.
    for (language, words) in [
        ("en", "No certificate has this number: it is not one of ours."),
        ("fr", "Aucun certificat ne porte ce numéro"),
    ] {
        let request = Request::get("/check/ERA-2020-000009?s=AAAA").header(header::ACCEPT_LANGUAGE, language);
        let nobodys = cartable.send(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(nobodys.status.as_u16(), 404);
        assert!(nobodys.body.contains(words) && !nobodys.body.contains("<form class=\"lines\""), "{}", nobodys.body);
    }
    assert_eq!(public(&cartable, "/check/AGR-2026-000001").await.status.as_u16(), 404);

    // The file itself: byte for byte.
    assert!(compared(&cartable, address, &pdf).await.body.contains("Genuine and valid"));
    for place in [pdf.len() / 3, pdf.len() / 2, pdf.len() - 1] {
        let mut other = pdf.clone();
        other[place] ^= 1;
        let answer = compared(&cartable, address, &other).await;
        assert!(answer.body.contains("Altered or foreign") && !answer.body.contains("S5GX1"), "byte {place}");
    }
    assert_eq!(compared(&cartable, address, b"").await.status.as_u16(), 400);
    let scan = compared(&cartable, address, &vec![b'x'; (4 << 20) + 1]).await;
    assert_eq!(scan.status.as_u16(), 413);
    assert!(scan.body.contains("4 MiB") && scan.body.contains("Only the original file"), "{}", scan.body);

    // Used again: genuine, and no longer a proof.
    let running = RunningIngest::start(&test.store);
    running.ingest.check_in(one.check_in(clock::now(), Vec::new())).await.unwrap();
    running.stop().await;
    assert!(public(&cartable, code).await.body.contains("Genuine, no longer valid"));
    // Facts that somebody changed in the database fail the signature.
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert!(raw.execute("UPDATE erasure_certificate SET facts = '{}'").await.is_err(), "the database refuses it first");
    let told =
        raw.texts("SELECT details FROM audit WHERE action IN ('erasure.evidence', 'document.make')").await.unwrap();
    assert_eq!(told.len(), 2);
}

async fn a_certificate_of_an_unchanged_state_is_given_again(test: &TestStore) {
    let (cartable, now) = (InProcess::new(&test.store), clock::now());
    let site = cartable.site(1).await.unwrap();
    let one = device_with(test, site, "S5GX3", now).await;
    let desk = cartable.desk("rosa", Role::Refurbisher, Scope::Sites(vec![site])).await.unwrap();
    let path = format!("/devices/{}/erasures", one.device);
    let text = transcript("S5GX3", now);
    let file = File { name: "nvme.txt", content: text.as_bytes() };
    assert_eq!(desk.upload(&format!("{path}/evidence"), &[], Some(file)).await.unwrap().status.as_u16(), 303);
    let wanted = format!("{path}/certificate");
    // By two at once, and again: the same paper under the same number.
    let (first, second) = tokio::join!(desk.post(&wanted, "demand=leave"), desk.post(&wanted, "demand=leave"));
    let pdf = first.unwrap().bytes;
    assert!(pdf.starts_with(b"%PDF"));
    for again in [second.unwrap(), desk.post(&wanted, "demand=leave").await.unwrap()] {
        assert!(again.status.as_u16() == 200 && again.bytes == pdf, "another certificate of the same state");
    }
    let other = desk.post(&wanted, "demand=relend").await.unwrap();
    assert!(other.status.as_u16() == 200 && other.bytes != pdf, "what is stated for lending again is another thing");
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM erasure_certificate").await.unwrap(), 2);
}

async fn evidence_is_brought_entered_and_witnessed_through_the_console(test: &TestStore) {
    let (cartable, now) = (InProcess::new(&test.store), clock::now());
    let site = cartable.site(1).await.unwrap();
    let one = device_with(test, site, "S5GX2", now).await;
    let scope = Scope::Sites(vec![site]);
    let rosa = cartable.desk("rosa", Role::Refurbisher, scope.clone()).await.unwrap();
    let anne = cartable.desk("anne", Role::Technician, scope).await.unwrap();
    let path = format!("/devices/{}/erasures", one.device);
    let text = transcript("OTHER", now);
    let file = || File { name: "nvme.txt", content: text.as_bytes() };
    let other = rosa.upload(&format!("{path}/evidence"), &[], Some(file())).await.unwrap();
    assert_eq!(other.status.as_u16(), 422);
    assert!(other.body.contains("OTHER"), "{}", other.body);
    let taken = rosa.upload(&format!("{path}/evidence"), &[("strangers", "on")], Some(file())).await.unwrap();
    assert_eq!(taken.status.as_u16(), 303);
    let nonsense = File { name: "x.txt", content: b"hello" };
    let refused = rosa.upload(&format!("{path}/evidence"), &[], Some(nonsense)).await.unwrap();
    assert_eq!(refused.status.as_u16(), 422);

    let today = cartable_server::domain::paris::date(now);
    let form = format!("drive=S5GX2&model=&method=destruction&with=Broyeur%2C+bordereau+12&on={today}");
    assert_eq!(rosa.post(&format!("{path}/by-hand"), &form).await.unwrap().status.as_u16(), 303);
    let page = anne.get(&path).await.unwrap();
    let asked = page.body.split("action=\"").map(|part| part.split('"').next().unwrap());
    let waiting: Vec<&str> = asked.filter(|action| action.ends_with("/witness")).collect();
    assert_eq!(waiting.len(), 2, "what was entered by hand, and the drive that no report showed: {}", page.body);
    assert!(!rosa.get(&path).await.unwrap().body.contains("/witness\""), "not offered to the one who entered it");
    for witness in waiting {
        assert_eq!(rosa.post(witness, "").await.unwrap().status.as_u16(), 422, "and refused");
        assert_eq!(anne.post(witness, "").await.unwrap().status.as_u16(), 303);
    }
    let page = anne.get(&path).await.unwrap();
    assert!(page.body.contains("Rien ne manque") || page.body.contains("Nothing is missing"), "{}", page.body);
    // By the API, what belongs into the query is named, and not counted as a file of another run.
    let token = cartable.token("rosa").await.unwrap();
    let (kind, body) = multipart(&[("strangers", "true")], &[("nvme.txt", text.as_bytes())]);
    let request = Request::post(format!("/api/v1{path}/evidence"))
        .header(header::CONTENT_TYPE, kind)
        .header(header::AUTHORIZATION, format!("Bearer {token}"));
    let misplaced = cartable.send(request.body(Body::from(body)).unwrap()).await.unwrap();
    assert_eq!(misplaced.status.as_u16(), 422);
    assert!(misplaced.body.contains("?strangers="), "{}", misplaced.body);
    // That a drive is gone is for administrators to say: others are neither offered it nor let.
    let gone = "drive=S5GX2&reason=taken+out+for+parts";
    assert!(!page.body.contains("/absent\""), "{}", page.body);
    assert_eq!(anne.post(&format!("{path}/absent"), gone).await.unwrap().status.as_u16(), 403);
    let admin = cartable.desk("root", Role::Administrator, Scope::Everything).await.unwrap();
    assert!(admin.get(&path).await.unwrap().body.contains("/absent\""));
    let other = admin.post(&format!("{path}/absent"), "drive=X&reason=taken+out+for+parts").await.unwrap();
    assert_eq!(other.status.as_u16(), 422);
    assert!(other.body.contains("S5GX2"), "{}", other.body);
    assert_eq!(admin.post(&format!("{path}/absent"), gone).await.unwrap().status.as_u16(), 303);
    // The file is given back as it was brought, never shown.
    let href =
        page.body.split("href=\"").find(|part| part.contains("/erasures/files/")).unwrap().split('"').next().unwrap();
    let given = anne.get(href).await.unwrap();
    assert_eq!(given.bytes, text.as_bytes());
    assert!(given.header("content-disposition").starts_with("attachment"), "{:?}", given.headers);
}
