//! Documents from the desk to the paper: each is made through HTTP, read as people read it (pdftotext) and scanned as
//! scanners do (zbarimg); names are opened under audit; who may not see them gets a paper without them.

use std::time::Instant;

use axum::http::Method;
use cartable_server::{
    auth::Role,
    clock,
    domain::{
        borrower::{Borrower, Guardian, Identity, IdentityLanguage},
        scope::Scope,
    },
    store::borrower,
};
use cartable_tests::{
    in_process::{Answer, CONSOLE, InProcess},
    on_both_engines, paper,
    raw::Raw,
    school::{School, labels},
    stores::TestStore,
};

on_both_engines! {
    an_agreement_is_made_signed_and_kept_with_its_loan,
    a_receipt_says_what_came_back_and_only_to_whom_it_may,
    letters_of_a_campaign_are_a_page_each_in_the_borrowers_language,
}

async fn known(cartable: &InProcess, who: &Borrower, identity: &Identity) {
    let sealed = cartable.app.vault.seal_identity(who.id, identity).unwrap();
    let mut tx = cartable.app.store.write().await.unwrap();
    borrower::put_identity(&mut tx, who.id, &sealed, clock::now()).await.unwrap();
    tx.commit().await.unwrap();
}

fn family(language: Option<IdentityLanguage>) -> Identity {
    let guardian = |name: &str| Guardian { name: name.into(), ..Guardian::default() };
    Identity {
        name: "Inès Martin".into(),
        class: Some("5e B".into()),
        guardians: vec![guardian("Anne Martin"), guardian("Paul Durand")],
        language,
        ..Identity::default()
    }
}

/// A PDF's text, once it is one and named by its number.
fn read(answer: &Answer, prefix: &str) -> (String, String) {
    assert_eq!(answer.status.as_u16() / 100, 2, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/pdf");
    let name = answer.header("content-disposition");
    let number = name.split('"').nth(1).and_then(|file| file.strip_suffix(".pdf")).unwrap_or_default().to_owned();
    assert!(number.starts_with(prefix), "{name}");
    for mark in ["<pdfaid:part>2<", "<pdfaid:conformance>A<", "<pdfuaid:part>1<"] {
        assert!(answer.body.contains(mark), "{mark}");
    }
    (paper::text(&answer.bytes).unwrap(), number)
}

fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word}: {text}");
    }
}

async fn number(test: &TestStore, sql: &str) -> i64 {
    Raw::connect(test.url()).await.unwrap().number(sql).await.unwrap()
}

async fn audited(test: &TestStore, action: &str) -> i64 {
    number(test, &format!("SELECT count(*) FROM audit WHERE action = '{action}'")).await
}

async fn an_agreement_is_made_signed_and_kept_with_its_loan(test: &TestStore) {
    let (cartable, now) = (InProcess::new(&test.store), clock::now());
    let school = School::found(&test.store, 1, 2, now).await.unwrap();
    let devices = school.stock(&test.store, &labels(2), now).await.unwrap();
    let scope = Scope::Sites(vec![school.site]);
    let desk = cartable.desk("rosa", Role::Referent, scope).await.unwrap();
    known(&cartable, &school.borrowers[0], &family(None)).await;
    let (reference, programme) = (school.borrowers[0].reference.to_string(), school.programme);

    // Before the hand-over, from its page.
    let page = desk.get(&format!("/hand-over?code=CD-0001&borrower={reference}&programme={programme}")).await.unwrap();
    says(&page.body, &["formaction=\"/hand-over/agreement\"", "value=\"agreement 1\""]);
    let form = format!(
        "device={}&borrower={reference}&programme={programme}&due=2030-07-01&accessory-0=on&accessory-1=on",
        devices[0]
    );
    let began = Instant::now();
    let made = desk.post("/hand-over/agreement", &form).await.unwrap();
    println!("one agreement: {:?}, {} bytes", began.elapsed(), made.bytes.len());
    let (text, first) = read(&made, "AGR-");
    let due = "lundi 1er juillet 2030";
    says(
        &text,
        &[&first, "Inès Martin", "5e B", "Anne Martin", "Paul Durand", &reference, "CD-0001", "SNCD-0001", due],
    );
    says(&text, &["Convention de prêt", "chargeur", "sacoche", "Département de Valmarin", "Collège 1", "agreement 1"]);
    says(&text, &["Il ne transmet jamais", "autorité parentale"]);
    let (codes, pages) = paper::codes(&made.bytes).unwrap();
    assert!(codes.contains(&format!("QR-Code:{CONSOLE}/documents/{first}")), "{codes:?}");
    assert!(pages <= 2, "{pages} pages");
    assert_eq!((audited(test, "borrower.see_identity").await, audited(test, "document.make").await), (1, 1));
    let one = desk.post("/hand-over/agreement", &format!("{form}&holders=2")).await.unwrap();
    let (text, _) = read(&one, "AGR-");
    assert!(text.contains("Paul Durand") && !text.contains("Anne Martin"), "{text}");
    let nobody = desk.post("/hand-over/agreement", &format!("{form}&holders=3")).await.unwrap();
    assert_eq!(nobody.status, 422);
    says(&nobody.body, &["no such holder", "CD-0001"]);

    // Signed on the screen: the loan takes both over, and the next one bears the signature.
    let drawn = "signature=drawn&drawn=60,140+120,60+180,150+240,50+300,140";
    let done = desk.post("/hand-over", &format!("{form}&{drawn}")).await.unwrap();
    assert_eq!(done.status, 303, "{}", done.body);
    let loan = done.header("location").split("last=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let page = desk.get(&format!("/loans/{loan}")).await.unwrap();
    says(&page.body, &[&first, "agreement 1", "Make the agreement"]);
    assert!(!page.body.contains("Return receipt (PDF)"));
    let again = desk.post(&format!("/loans/{loan}/agreement"), "holders=all").await.unwrap();
    let (text, last) = read(&again, "AGR-");
    says(&text, &["Signé à l’écran"]);
    assert_eq!(audited(test, "loan.see_signature").await, 1);
    let refused = desk.post(&format!("/loans/{loan}/agreement"), "holders=9").await.unwrap();
    assert_eq!(refused.header("location"), format!("/loans/{loan}?done=document-no-holder"));
    assert!(desk.get(refused.header("location")).await.unwrap().body.contains("no such holder"));
    let early = desk.post(&format!("/loans/{loan}/receipt"), "").await.unwrap();
    assert_eq!(early.header("location"), format!("/loans/{loan}?done=document-not-in-state"));

    // Where the QR code leads: what is recorded, and a copy is recognised by its hash.
    let record = desk.get(&format!("/documents/{last}")).await.unwrap();
    let hash = data_encoding::HEXLOWER.encode(&sha256(&again.bytes));
    says(&record.body, &[&last, &hash, "agreement 1", &format!("/loans/{loan}"), "rosa"]);
    assert_eq!(number(test, "SELECT count(*) FROM document").await, 3, "the refused ones are not there");
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(bytes).to_vec()
}

async fn letters_of_a_campaign_are_a_page_each_in_the_borrowers_language(test: &TestStore) {
    let (cartable, now) = (InProcess::new(&test.store), clock::now());
    let school = School::found(&test.store, 1, 3, now).await.unwrap();
    let devices = school.stock(&test.store, &labels(3), now).await.unwrap();
    school.lend(&test.store, &devices, now).await.unwrap();
    known(&cartable, &school.borrowers[0], &family(Some(IdentityLanguage::French))).await;
    let second = Identity { name: "#read(\"/etc/passwd\") *x*".into(), ..Identity::default() };
    known(&cartable, &school.borrowers[1], &second).await;
    let manager = cartable.desk("anne", Role::ProgrammeManager, Scope::Everything).await.unwrap();
    let today = cartable_server::domain::paris::date(now);
    let last = today.checked_add(jiff::Span::new().weeks(12)).unwrap();
    let plan = format!("name=Juin&first={today}&last={last}&desks=1&slots=40");
    let planned = manager.post("/campaigns", &plan).await.unwrap();
    let path = planned.header("location").to_owned();
    let letters = format!("{path}/letters");
    let of_site = format!("site={}:1", school.site);
    let early = manager.post(&letters, &of_site).await.unwrap();
    assert_eq!(early.status, 422, "it does not run: {}", early.body);
    assert_eq!(manager.post(&format!("{path}/start"), "").await.unwrap().status, 303);

    // Without names: the references, and nothing in the audit but the document.
    let (text, _) = read(&manager.post(&letters, &of_site).await.unwrap(), "LTR-");
    says(&text, &["Juin", "CD-0001", "CD-0002", "CD-0003", "desk 1", "1/3", "3/3", "chargeur"]);
    says(&text, &[school.borrowers[2].reference.as_str()]);
    assert!(!text.contains("Inès") && audited(test, "borrower.list_names").await == 0, "{text}");

    // With names: one row for all, each page in its borrower's language, what people write stays text.
    let page = manager.get(&path).await.unwrap();
    says(&page.body, &["/letters\" target=\"_blank\"", "name=\"names\""]);
    let (text, number) = read(&manager.post(&letters, &format!("{of_site}&names=on")).await.unwrap(), "LTR-");
    says(
        &text,
        &[
            "Inès Martin",
            "5e B",
            "Rendre l’appareil prêté",
            "Bring back the device on loan",
            "#read(\"/etc/passwd\") *x*",
        ],
    );
    assert!(!text.contains("root:"), "a name opens no file");
    assert_eq!(audited(test, "borrower.list_names").await, 1);
    assert_eq!(audited(test, "borrower.see_identity").await, 0);
    says(&manager.get(&format!("/documents/{number}")).await.unwrap().body, &[&path]);

    // A referent of another site, a technician, an auditor.
    let other = School::found(&test.store, 2, 1, now).await.unwrap();
    let foreign = cartable.desk("zoe", Role::Referent, Scope::Sites(vec![other.site])).await.unwrap();
    assert_eq!(foreign.post(&letters, &of_site).await.unwrap().status, 404);
    assert_eq!(foreign.get(&format!("/documents/{number}")).await.unwrap().status, 404);
    let technician = cartable.desk("tom", Role::Technician, Scope::Everything).await.unwrap();
    assert_eq!(technician.post(&letters, &of_site).await.unwrap().status, 403);
    assert!(!technician.get(&path).await.unwrap().body.contains("/letters"));
    let auditor = cartable.desk("ada", Role::Auditor, Scope::Everything).await.unwrap();
    let (text, _) = read(&auditor.post(&letters, &format!("{of_site}&names=on")).await.unwrap(), "LTR-");
    assert!(!text.contains("Inès") && audited(test, "borrower.list_names").await == 1, "{text}");
    let past = manager.post(&letters, &format!("site={}:2", school.site)).await.unwrap();
    assert_eq!(past.status, 422, "there is no second part");
}

async fn a_receipt_says_what_came_back_and_only_to_whom_it_may(test: &TestStore) {
    let (cartable, now) = (InProcess::new(&test.store), clock::now());
    let school = School::found(&test.store, 1, 2, now).await.unwrap();
    let devices = school.stock(&test.store, &labels(2), now).await.unwrap();
    school.lend(&test.store, &devices, now).await.unwrap();
    known(&cartable, &school.borrowers[0], &family(Some(IdentityLanguage::English))).await;
    let hostile = Identity { name: "#read(\"/etc/passwd\") *x*".into(), ..Identity::default() };
    known(&cartable, &school.borrowers[1], &hostile).await;
    let scope = Scope::Sites(vec![school.site]);
    let desk = cartable.desk("bruno", Role::Referent, scope.clone()).await.unwrap();
    let (one, two) = (&school.borrowers[0], &school.borrowers[1]);

    // The list of the site, with names and without.
    let bare = desk.post(&format!("/sites/{}/list", school.site), "").await.unwrap();
    let (text, _) = read(&bare, "LST-");
    says(&text, &["Open loans", "CD-0001", "CD-0002", &one.reference.to_string(), "2 loans"]);
    assert!(!text.contains("Inès") && audited(test, "borrower.list_names").await == 0, "{text}");
    let named = desk.post(&format!("/sites/{}/list", school.site), "names=on").await.unwrap();
    let (text, _) = read(&named, "LST-");
    says(&text, &["Inès Martin", "5e B", "#read(\"/etc/passwd\") *x*"]);
    assert!(!text.contains("root:"), "a name opens no file");
    assert_eq!(audited(test, "borrower.list_names").await, 1);

    let scanned = desk.post("/returns", "code=CD-0001&condition=damaged&missing:sacoche=on").await.unwrap();
    says(&scanned.body, &["/receipt\" target=\"_blank\""]);
    let loan = scanned.body.split("action=\"/loans/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let (text, receipt) = read(&desk.post(&format!("/loans/{loan}/receipt"), "").await.unwrap(), "REC-");
    // The family reads English.
    says(&text, &["Return receipt", "Inès Martin", "CD-0001", "Damaged", "MISSING", "bruno", "chargeur", &receipt]);

    // A technician takes devices back without knowing whose they are: so does the paper.
    let technician = cartable.desk("tom", Role::Technician, scope).await.unwrap();
    let (text, _) = read(&technician.post(&format!("/loans/{loan}/receipt"), "").await.unwrap(), "REC-");
    assert!(!text.contains("Inès") && !text.contains(one.reference.as_str()), "{text}");
    assert_eq!(technician.post(&format!("/loans/{loan}/agreement"), "").await.unwrap().status, 403);

    // By API: the same papers, and the list of what was made.
    let token = cartable.token("bruno").await.unwrap();
    let path = format!("/api/v1/loans/{loan}/documents");
    let body = |kind: &str| Some(serde_json::json!({ "kind": kind }));
    let made = cartable.call(&Method::POST, &path, Some(&token), body("receipt")).await.unwrap();
    assert_eq!(made.status, 201);
    let (_, number) = read(&made, "REC-");
    let listed = cartable.get(&path, &token).await.unwrap().json();
    assert_eq!(listed[0]["number"], number.as_str(), "{listed}");
    assert_eq!((&listed[0]["kind"], &listed[0]["by"]), (&"receipt".into(), &"bruno".into()));
    assert_eq!(listed.as_array().map(Vec::len), Some(3));
    let open = desk.get("/loans?state=handed_over").await.unwrap();
    let other = open.body.split("href=\"/loans/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let path = format!("/api/v1/loans/{other}/documents");
    let refused = cartable.call(&Method::POST, &path, Some(&token), body("receipt")).await.unwrap();
    assert_eq!(refused.status, 422, "{}", refused.body);
    let made = cartable.call(&Method::POST, &path, Some(&token), body("agreement")).await.unwrap();
    let (text, _) = read(&made, "AGR-");
    says(&text, &["#read(\"/etc/passwd\") *x*", two.reference.as_str()]);
    assert!(!text.contains("root:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_read_back_by_a_scanner_on_every_sheet() {
    let test = &TestStore::sqlite().await.unwrap();
    let (cartable, now) = (InProcess::new(&test.store), clock::now());
    let school = School::found(&test.store, 1, 1, now).await.unwrap();
    let devices = school.stock(&test.store, &labels(23), now).await.unwrap();
    let desk = cartable.desk("tom", Role::Technician, Scope::Everything).await.unwrap();
    let page = desk.get("/labels?search=CD").await.unwrap();
    says(&page.body, &["Avery L7160", "value=\"CD\"", "500 labels"]);

    for (format, pages) in [("l7160", 2), ("70x37", 2), ("l7651", 1)] {
        // The first place is taken already, and so the last label comes on the next sheet where 24 do not fit.
        let form = format!("codes=CD-0001..CD-0030&format={format}&start=3");
        let made = desk.post("/labels", &form).await.unwrap();
        read(&made, "LBL-");
        let (codes, found) = paper::codes(&made.bytes).unwrap();
        assert_eq!(found, pages, "{format}");
        for (device, label) in devices.iter().zip(labels(23)) {
            assert!(codes.contains(&format!("QR-Code:{CONSOLE}/devices/{device}")), "{format} {label}: {codes:?}");
            assert!(codes.contains(&format!("CODE-128:{label}")), "{format} {label}: {codes:?}");
        }
    }
    let small = desk.post("/labels", "search=CD&format=l4731&start=1").await.unwrap();
    let (codes, _) = paper::codes(&small.bytes).unwrap();
    assert!(labels(23).iter().all(|label| codes.contains(&format!("QR-Code:{label}"))), "{codes:?}");

    for (fields, words) in [
        ("codes=CD-0001%0ANOBODY&format=l7160", "NOBODY"),
        ("codes=CD-0002..CD-0001&format=l7160", "is no range"),
        ("codes=0000..9999&format=l7160", "Too many"),
        ("search=nothing-like-it&format=l7160", "No device matches"),
        ("format=l7160", "Give codes"),
        ("codes=CD-0001&format=l7160&start=22", "from 1 to 21"),
    ] {
        let refused = desk.post("/labels", fields).await.unwrap();
        assert_eq!(refused.status, 422, "{fields}");
        says(&refused.body, &[words]);
    }
    assert_eq!(desk.post("/labels", "codes=CD-0001&format=a4").await.unwrap().status, 400);
    let referent = cartable.desk("rosa", Role::Referent, Scope::Everything).await.unwrap();
    assert_eq!(referent.get("/labels").await.unwrap().status, 403);
}
