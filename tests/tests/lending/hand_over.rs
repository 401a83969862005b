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
    a_refused_hand_over_keeps_all_that_was_typed,
    what_cannot_be_handed_over_is_said_before_it_is_asked_for,
    a_form_that_comes_twice_does_its_work_once,
    honest_mistakes_are_told_what_to_do,
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

/// The value of the first field of that name.
fn value(page: &Answer, name: &str) -> String {
    let field = page.body.split(&format!("name=\"{name}\"")).nth(1).unwrap();
    field.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
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
    assert_eq!((unknown.status.as_u16(), lines_of(&unknown)), (422, vec![typed.clone()]));
    let huge = vec![b'x'; (1 << 20) + 1];
    let refused = desk.class(&typed, "", Some(File { name: "x", content: &huge })).await;
    assert!(refused.status == 413 && refused.body.contains("trop volumineux : 1 Mio"), "{}", refused.body);
    assert_eq!(lines_of(&refused), ["CD-0001 ; ".to_owned() + &desk.reference(0)], "what was typed stays");
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

async fn a_refused_hand_over_keeps_all_that_was_typed(test: &TestStore) {
    let desk = Desk::open(test, 1, 1).await;
    let (reference, programme) = (desk.reference(0), desk.school.programme);
    let asked = format!("/hand-over?code=CD-0001&borrower={reference}&programme={programme}");
    let form = desk.rosa.get(&asked).await.unwrap();
    assert_eq!(form.body.matches("name=\"accessory-").count(), 2);
    let device = value(&form, "device");
    let fields = format!(
        "device={device}&borrower={reference}&programme={programme}&due=2020-01-01&accessory-1=on&signature=drawn\
         &drawn=1,1+2,2+3,3;4,4+5,5&agreement=other-2&holders=2"
    );
    let refused = desk.rosa.post("/hand-over", &fields).await.unwrap();
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert_eq!((value(&refused, "due"), value(&refused, "agreement")), ("2020-01-01".into(), "other-2".into()));
    assert_eq!(value(&refused, "drawn"), "1,1 2,2 3,3;4,4 5,5");
    for kept in ["name=\"accessory-1\" checked", "name=\"signature\" value=\"drawn\" checked", "value=\"2\" selected"] {
        assert!(refused.body.contains(kept), "{kept}: {}", refused.body);
    }
    for left in ["name=\"accessory-0\" checked", "value=\"paper\" checked", "value=\"all\" selected"] {
        assert!(!refused.body.contains(left), "{left}: {}", refused.body);
    }
    // Strokes alone come back, whatever was sent in their place.
    let hostile = fields.replace("drawn=1,1", "drawn=%22%3E%3Cscript%3E");
    let refused = desk.rosa.post("/hand-over", &hostile).await.unwrap();
    assert!(refused.status == 422 && value(&refused, "drawn").is_empty(), "{}", refused.body);
    let unread = desk.rosa.post("/hand-over", &fields.replace("2020-01-01", "soon")).await.unwrap();
    assert!(unread.status == 422 && unread.body.contains("jour du calendrier"), "{}", unread.body);
    assert_eq!(number(test, LENT).await, 0);
}

async fn what_cannot_be_handed_over_is_said_before_it_is_asked_for(test: &TestStore) {
    let desk = Desk::open(test, 1, 3).await;
    let (reference, programme) = (desk.reference(0), desk.school.programme);
    let says = async |address: &str, sentence: &str| {
        let page = desk.rosa.get(address).await.unwrap();
        assert!(page.body.contains(sentence), "{sentence}: {}", page.body);
        assert!(!page.body.contains("name=\"due\""), "nothing more is asked: {}", page.body);
        page
    };
    let two = format!("/hand-over?code=CD-0001&borrower={reference}");
    let page = says(&two, "Choisissez un dispositif").await;
    assert!(page.body.contains("name=\"programme\" autofocus"), "{}", page.body);
    // What the device's record says is chosen, and an open programme alone.
    let mut raw = Raw::connect(test.url()).await.unwrap();
    raw.execute("UPDATE device SET programme = 'd1' WHERE asset_tag = 'CD-0001'").await.unwrap();
    let own = desk.rosa.get(&two).await.unwrap();
    assert!(own.body.contains("name=\"due\""), "{}", own.body);
    let device = value(&own, "device");

    let reserve = format!("device={device}&borrower={reference}&programme={programme}");
    assert_eq!(desk.rosa.post("/hand-over/reserve", &reserve).await.unwrap().status, 303);
    let again = desk.rosa.post("/hand-over/reserve", &reserve).await.unwrap();
    assert!(again.status == 422 && again.body.contains("déjà réservé pour cet emprunteur"), "{}", again.body);
    raw.execute("UPDATE programme SET closed_at = 1").await.unwrap();
    says("/hand-over?code=CD-0001", "dispositif est clos").await;
    raw.execute("UPDATE programme SET closed_at = NULL").await.unwrap();
    assert_eq!(desk.rosa.post("/hand-over", &format!("{reserve}&signature=paper")).await.unwrap().status, 303);
    says(&format!("{two}&programme={programme}"), "déjà remis à cet emprunteur").await;
    raw.execute("UPDATE device SET archived_at = 1 WHERE asset_tag = 'CD-0002'").await.unwrap();
    says(&two.replace("CD-0001", "CD-0002"), "archivé").await;
}

async fn a_form_that_comes_twice_does_its_work_once(test: &TestStore) {
    let desk = Desk::open(test, 0, 0).await;
    let (site, programme) = (desk.school.site, desk.school.programme);
    let borrowers = "SELECT count(*) FROM borrower";
    let form = desk.rosa.get("/borrowers/new").await.unwrap();
    let first = format!("once={}&kind=person&site={site}&level=5e&name=In%C3%A8s+Durand", value(&form, "once"));
    let made = desk.rosa.post("/borrowers", &first).await.unwrap();
    let again = desk.rosa.post("/borrowers", &first).await.unwrap();
    assert_eq!((made.status.as_u16(), again.status.as_u16(), number(test, borrowers).await), (303, 303, 1));
    assert_eq!(again.header("location"), made.header("location").replace("saved", "already"));
    // Back, and a sister's name: another child.
    let sister = desk.rosa.post("/borrowers", &first.replace("In%C3%A8s", "L%C3%A9a")).await.unwrap();
    assert_eq!((sister.status.as_u16(), number(test, borrowers).await), (303, 2), "{}", sister.body);
    assert!(sister.header("location").ends_with("done=saved"));

    let needs = "SELECT count(*) FROM need";
    let page = desk.rosa.get("/needs").await.unwrap();
    let need = format!("once={}&site={site}&programme={programme}&count=2&level=5e", value(&page, "once"));
    for (done, there) in [("saved", 2), ("already", 2)] {
        let sent = desk.rosa.post("/needs", &need).await.unwrap();
        assert_eq!((sent.header("location"), number(test, needs).await), (&*format!("/needs?done={done}"), there));
    }
    desk.rosa.post("/needs", &need.replace("level=5e", "level=3e")).await.unwrap();
    assert_eq!(number(test, needs).await, 4);
    let list = desk.rosa.get("/needs").await.unwrap();
    let one = list.body.split("action=\"/needs/").nth(1).unwrap().split('"').next().unwrap();
    for done in ["saved", "already"] {
        let sent = desk.rosa.post(&format!("/needs/{one}"), "reason=fini").await.unwrap();
        assert_eq!(sent.header("location"), format!("/needs?done={done}"), "{}", sent.body);
    }
    assert_eq!(number(test, "SELECT count(*) FROM audit WHERE action = 'need.withdraw'").await, 1);
}

async fn honest_mistakes_are_told_what_to_do(test: &TestStore) {
    let desk = Desk::open(test, 1, 1).await;
    let (site, programme, rosa) = (desk.school.site, desk.school.programme, desk.rosa.clone().speaking("en"));
    rosa.post("/needs", &format!("site={site}&programme={programme}&count=1")).await.unwrap();
    let list = rosa.get("/needs").await.unwrap();
    let need = list.body.split("action=\"/needs/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let spaces = rosa.post(&format!("/needs/{need}"), "reason=+").await.unwrap();
    assert!(spaces.status == 422 && spaces.body.contains("Give a reason: 1 to 300"), "{}", spaces.body);
    let opened = rosa.get(&format!("/needs/{need}")).await.unwrap();
    assert_eq!(opened.status, 405);
    assert!(opened.body.contains("Error 405") && !opened.body.contains("makes no sense"), "{}", opened.body);
    let large = rosa.post("/needs", &format!("borrower={}", "x".repeat(80 << 10))).await.unwrap();
    assert_eq!(large.status, 413);
    assert!(large.body.contains("64 KiB at most") && large.body.contains("Error 413"), "{}", large.body);

    let handed = format!("/hand-over?code=CD-0001&borrower={}&programme={programme}", desk.reference(0));
    let device = value(&rosa.get(&handed).await.unwrap(), "device");
    let form = format!("device={device}&borrower={}&programme={programme}", desk.reference(0));
    let done = rosa.post("/hand-over", &form).await.unwrap();
    let loan = done.header("location").split("last=").nth(1).unwrap().split('&').next().unwrap();
    let extended = rosa.post(&format!("/loans/{loan}/extend"), "due=").await.unwrap();
    assert_eq!(extended.header("location"), format!("/loans/{loan}?done=due-needed"));
    let told = rosa.get(extended.header("location")).await.unwrap();
    assert!(told.body.contains("Choose the new due date"), "{}", told.body);
}
