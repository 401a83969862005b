//! A class handed over from a list, pasted or from a file; and the way from the desk to a new borrower and back, on both
//! engines, without script.

use std::io::Cursor;

use cartable_server::{auth::Role, clock, domain::scope::Scope, exchange::write::Workbook};
use cartable_tests::{
    in_process::{Answer, InProcess},
    on_both_engines,
    pages::{File, Pages},
    raw::Raw,
    school::{School, labels},
    stores::TestStore,
};

on_both_engines! {
    a_class_is_handed_over_from_a_list_whole_or_in_part,
    a_list_from_a_file_is_seen_corrected_and_then_handed_over,
    a_file_that_is_no_list_loses_nothing,
    a_file_is_read_before_anything_is_held,
    a_borrower_is_recorded_on_the_way_and_the_hand_over_goes_on,
}

const LENT: &str = "SELECT count(*) FROM loan WHERE state = 'handed_over'";

async fn number(test: &TestStore, sql: &str) -> i64 {
    Raw::connect(test.url()).await.unwrap().number(sql).await.unwrap()
}

/// A referent at the desk of a school.
struct Desk {
    school: School,
    rosa: Pages,
}

impl Desk {
    async fn open(test: &TestStore, borrowers: usize, devices: usize) -> Self {
        let (cartable, now) = (InProcess::new(&test.store), clock::now());
        let school = School::found(&test.store, 1, borrowers, now).await.unwrap();
        school.stock(&test.store, &labels(devices), now).await.unwrap();
        cartable.person("rosa", Role::Referent, Scope::Sites(vec![school.site])).await.unwrap();
        let rosa = cartable.signed_in("rosa").await.unwrap();
        Self { school, rosa }
    }

    fn reference(&self, index: usize) -> String {
        self.school.borrowers[index].reference.to_string()
    }

    async fn class(&self, lines: &str, how: &str, file: Option<File<'_>>) -> Answer {
        let programme = self.school.programme.to_string();
        let fields = [("programme", programme.as_str()), ("lines", lines), ("how", how)];
        self.rosa.upload("/hand-over/class", &fields, file).await.unwrap()
    }
}

/// What stands in the field of lines.
fn lines_of(page: &Answer) -> Vec<String> {
    let field = page.body.split("name=\"lines\"").nth(1).unwrap();
    let text = field.split_once('>').unwrap().1.split("</textarea>").next().unwrap();
    text.trim().lines().map(str::to_owned).collect()
}

async fn a_class_is_handed_over_from_a_list_whole_or_in_part(test: &TestStore) {
    let desk = Desk::open(test, 3, 3).await;
    let lines = format!(
        "CD-0001;{}\nCD-0002;{}\nNOBODY;{}\nCD-0003;B-0000-0000\nCD-0001;{}\nCD-0003",
        desk.reference(0),
        desk.reference(1),
        desk.reference(2),
        desk.reference(2)
    );
    let preview = desk.class(&lines, "", None).await;
    assert_eq!(preview.status, 200, "{}", preview.body);
    for words in ["Aucun appareil", "Aucun emprunteur", "pas en stock", "Il faut deux choses", "2 sur 6"] {
        assert!(preview.body.contains(words), "{words}: {}", preview.body);
    }
    assert_eq!(lines_of(&preview).join("\n"), lines, "what was typed stays");
    assert_eq!(number(test, LENT).await, 0, "a preview keeps nothing");
    assert_eq!(desk.class(&lines, "all", None).await.status, 422);
    assert_eq!(number(test, LENT).await, 0, "all or nothing");
    let part = desk.class(&lines, "good", None).await;
    assert_eq!(part.status, 303, "{}", part.body);
    assert_eq!(number(test, LENT).await, 2);
    assert_eq!(number(test, "SELECT count(*) FROM audit WHERE action = 'loan.hand_over'").await, 2);
}

async fn a_list_from_a_file_is_seen_corrected_and_then_handed_over(test: &TestStore) {
    let desk = Desk::open(test, 3, 3).await;
    let csv = format!(
        "Nom;Étiquette;Référence bénéficiaire\nDurand Inès;CD-0001;{}\nPetit Paul;CD-0009;{}\nMartin;CD-0003;\n",
        desk.reference(0),
        desk.reference(1)
    );
    // As Excel saves it in France: in one byte a letter.
    let windows: Vec<u8> = csv.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    let file = Some(File { name: "6e B.csv", content: &windows });
    // Somebody who asks to hand over at once is shown the file's lines first: nobody has seen them.
    let typed = format!("CD-0001 ; {}", desk.reference(0));
    let seen = desk.class(&typed, "good", file).await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    assert_eq!(number(test, LENT).await, 0);
    let known = [typed.clone(), format!("CD-0009 ; {}", desk.reference(1)), "CD-0003".to_owned()];
    assert_eq!(lines_of(&seen), known, "below what was typed, none doubled");
    assert!(!seen.body.contains("Durand") && !seen.body.contains("Martin"), "names are left behind");
    assert!(seen.body.contains("1 sur 3") && seen.body.contains("Il faut deux choses"), "{}", seen.body);

    let mut book = Workbook::new(&["CD-0002", &desk.reference(1)]).unwrap();
    book.push(["CD-0003", &desk.reference(2)]).unwrap();
    let mut content = Cursor::new(Vec::new());
    book.finish(&mut content).unwrap();
    let content = content.into_inner();
    let file = Some(File { name: "6e B.xlsx", content: &content });
    let seen = desk.class(&typed, "", file).await;
    assert!(seen.body.contains("3 sur 3"), "a workbook without headings: {}", seen.body);
    let done = desk.class(&lines_of(&seen).join("\n"), "all", None).await;
    assert_eq!((done.status.as_u16(), number(test, LENT).await), (303, 3), "{}", done.body);
}

async fn a_file_is_read_before_anything_is_held(test: &TestStore) {
    let desk = Desk::open(test, 1, 1).await;
    // Somebody else writes all the while; on SQLite a second unit of work would have to wait.
    let writing = test.store.write().await.unwrap();
    let refused = desk.class("", "all", Some(File { name: "x.xlsx", content: b"PK\x03\x04x" })).await;
    assert!(refused.status == 422 && refused.body.contains("abîmé"), "{}", refused.body);
    drop(writing);
}

async fn a_file_that_is_no_list_loses_nothing(test: &TestStore) {
    let desk = Desk::open(test, 1, 1).await;
    let typed = format!("CD-0001 ; {}", desk.reference(0));
    let long = "CD-1;B-1\n".repeat(251);
    for (content, words) in [
        (&[0xD0, 0xCF, 0x11, 0xE0, 0, 0][..], "ancien classeur"),
        (&b"a\0b\0\x01\x02\0\0\0\0\x03\n"[..], "CSV"),
        (long.as_bytes(), "251 lignes"),
    ] {
        let refused = desk.class(&typed, "all", Some(File { name: "x", content })).await;
        assert!(refused.status == 422 && refused.body.contains(words), "{words}: {}", refused.body);
        assert_eq!(lines_of(&refused), [typed.as_str()], "what was typed stays");
    }
    let neither = desk.class(" \n", "", None).await;
    assert!(neither.status == 422 && neither.body.contains("choisissez un fichier"), "{}", neither.body);
    // The file's lines are kept although the programme was forgotten.
    let file = Some(File { name: "x.txt", content: typed.as_bytes() });
    let unknown = desk.rosa.upload("/hand-over/class", &[("programme", ""), ("lines", "")], file).await.unwrap();
    assert_eq!((unknown.status.as_u16(), lines_of(&unknown)), (422, vec![typed]));
    let huge = vec![b'x'; (1 << 20) + 1];
    assert_eq!(desk.class("", "", Some(File { name: "x", content: &huge })).await.status, 413);
    assert_eq!(number(test, LENT).await, 0);
}

async fn a_borrower_is_recorded_on_the_way_and_the_hand_over_goes_on(test: &TestStore) {
    let desk = Desk::open(test, 0, 1).await;
    let (site, programme) = (desk.school.site, desk.school.programme);
    let asked = desk.rosa.get(&format!("/hand-over?code=CD-0001&programme={programme}")).await.unwrap();
    let way =
        asked.body.split("href=\"/borrowers/new").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let form = desk.rosa.get(&format!("/borrowers/new{way}")).await.unwrap();
    for carried in
        ["name=\"desk\" value=\"hand-over\"", "name=\"code\" value=\"CD-0001\"", &format!("value=\"{programme}\"")]
    {
        assert!(form.body.contains(carried), "{carried}: {}", form.body);
    }
    assert!(form.body.contains(&format!("value=\"{site}\" selected")), "the device's site: {}", form.body);

    let carried = format!("desk=hand-over&code=CD-0001&programme={programme}&kind=person&site={site}");
    let refused = desk.rosa.post("/borrowers", &format!("{carried}&name=In%C3%A8s+Durand&level=x")).await.unwrap();
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(refused.body.contains("name=\"desk\" value=\"hand-over\"") && refused.body.contains("Inès Durand"));
    let made = desk.rosa.post("/borrowers", &format!("{carried}&name=In%C3%A8s+Durand&level=5e")).await.unwrap();
    assert_eq!(made.status, 303, "{}", made.body);
    let back = made.header("location").to_owned();
    assert!(back.starts_with("/hand-over?code=CD%2D0001&borrower=B%2D"), "{back}");
    assert!(
        !back.contains("In") && !back.contains("Durand") && !back.contains("name"),
        "nobody is in an address: {back}"
    );
    let confirm = desk.rosa.get(&back).await.unwrap();
    let reference = Raw::connect(test.url()).await.unwrap().texts("SELECT reference FROM borrower").await.unwrap();
    assert!(confirm.body.contains(&format!("name=\"borrower\" value=\"{}\"", reference[0])), "{}", confirm.body);
    assert!(!confirm.body.contains("Durand") && !confirm.body.contains("/borrowers/new"), "{}", confirm.body);

    // Somebody who does not come from the desk goes to the borrower, wherever the fields point.
    let elsewhere = desk.rosa.post("/borrowers", &format!("desk=https://evil&kind=person&site={site}")).await.unwrap();
    assert!(elsewhere.header("location").starts_with("/borrowers/"), "{}", elsewhere.header("location"));
}
