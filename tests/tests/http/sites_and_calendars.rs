//! Sites with their referents through the console and the API, and imported school calendars that silence alarms at
//! once, in every process.

use cartable_server::{
    auth::Role,
    clock,
    domain::{
        ical,
        policy::{LivePolicy, Policy},
        programme::Term,
        school_calendar::{Zone, is_school_day},
        scope::Scope,
    },
    jobs::{flag_sweep, school_calendar},
    store::{audit, school_closure},
};
use cartable_tests::{
    fleet::{RunningIngest, at, enrol, envelope, laptop},
    harness::Installation,
    in_process::InProcess,
    on_both_engines,
    pages::File,
    raw::Raw,
    stores::TestStore,
};
use jiff::civil::date;
use tokio_util::sync::CancellationToken;

on_both_engines! {
    a_site_is_made_changed_and_has_referents,
    an_imported_calendar_is_followed_and_corrected,
    a_holiday_that_is_imported_raises_no_alarm,
    an_administrator_looks_at_a_file_before_it_is_kept,
}

/// As the Ministry publishes it for a zone.
const FILE: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20280205\r\nDTEND;VALUE=DATE:20280221\r\n\
    SUMMARY:Vacances d'Hiver - Zone C\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20280708\r\n\
    SUMMARY:Début des Vacances d'Été\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

async fn a_site_is_made_changed_and_has_referents(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    cartable.person("paul", Role::ProgrammeManager, Scope::Everything).await.unwrap();
    let paul = cartable.signed_in("paul").await.unwrap();
    let wrong = paul.post("/sites", "uai=0750655F&name=A&commune=Paris&zone=C").await.unwrap();
    assert!(wrong.status == 422 && wrong.body.contains("La lettre de ces chiffres est E"), "{}", wrong.body);
    let made = paul.post("/sites", "uai=0750655e&name=A&commune=Paris&zone=C").await.unwrap();
    assert_eq!(made.status, 303, "{}", made.body);
    let address = made.header("location").split('?').next().unwrap().to_owned();
    assert_eq!(paul.post("/sites", "uai=0750655E&name=B&commune=Paris&zone=C").await.unwrap().status, 422);
    let changed = paul.post(&address, "uai=0000000A&name=Coll%C3%A8ge&commune=Lyon&zone=A").await.unwrap();
    assert_eq!(changed.status, 303);
    let referents = format!("{address}/referents");
    let anne = "name=Anne+Martin&email=Anne%40college.example&language=en";
    assert_eq!(paul.post(&referents, anne).await.unwrap().status, 303);
    assert_eq!(paul.post(&referents, anne).await.unwrap().status, 422, "once");
    assert_eq!(paul.post(&referents, "name=B&email=nowhere").await.unwrap().status, 422);
    let token = cartable.token("paul").await.unwrap();
    let read = cartable.get(&format!("/api/v1{address}"), &token).await.unwrap().json();
    assert_eq!((&read["site"]["uai"], &read["site"]["zone"]), (&"0750655E".into(), &"A".into()), "the code stays");
    assert_eq!(read["referents"][0]["email"], "anne@college.example");
    assert_eq!(read["referents"][0]["language"], "en");
    let end = format!("{referents}/{}/end", read["referents"][0]["id"].as_str().unwrap());
    assert_eq!(paul.post(&end, "").await.unwrap().status, 303);
    let again = paul.post(&end, "").await.unwrap();
    assert!(again.status == 303 && again.header("location").ends_with("done=already"), "once: {}", again.body);
    assert_eq!(paul.post(&referents, anne).await.unwrap().status, 303, "back again");
    let mut tx = test.store.read().await.unwrap();
    let acts = audit::list(&mut tx, None, 20).await.unwrap();
    let acts: Vec<&str> = acts.iter().map(|act| act.action.as_str()).filter(|act| act.starts_with("site.")).collect();
    assert_eq!(acts, ["site.add_referent", "site.end_referent", "site.add_referent", "site.change", "site.create"]);
}

async fn an_imported_calendar_is_followed_and_corrected(test: &TestStore) {
    let policy = LivePolicy::new(Policy::default());
    let import = async |text: &str, zone| {
        let holidays = ical::holidays(text, zone).unwrap();
        let mut tx = test.store.write().await.unwrap();
        school_closure::import(&mut tx, zone, &holidays, "c.ics", clock::now()).await.unwrap();
        tx.commit().await.unwrap();
        school_calendar::run(&test.store, &policy).await.unwrap()
    };
    let winter = date(2028, 2, 8);
    assert!(is_school_day(winter, Some(Zone::C), &policy.calendar.closures));
    assert!(import(FILE, Zone::C).await, "something changed");
    assert!(!import(FILE, Zone::C).await, "the same file twice changes nothing");
    assert!(!is_school_day(winter, Some(Zone::C), &policy.calendar.closures));
    assert!(is_school_day(winter, Some(Zone::A), &policy.calendar.closures), "of its zone alone");
    // Due dates are suggested by it too.
    let due = |start| Term::SchoolYearEnd.due(start, Some(Zone::C), &policy.calendar.closures);
    assert_eq!(due(date(2027, 9, 6)), Some(date(2028, 6, 30)), "July of an unknown year holds no school day");
    assert!(import(&FILE.replace("20280221", "20280214"), Zone::C).await, "a corrected file corrects");
    assert!(is_school_day(date(2028, 2, 15), Some(Zone::C), &policy.calendar.closures));
    let mut tx = test.store.read().await.unwrap();
    assert_eq!(school_closure::list(&mut tx).await.unwrap().len(), 2);
}

async fn a_holiday_that_is_imported_raises_no_alarm(test: &TestStore) {
    let one = enrol(&test.store, test.url(), None, at(-1, 0, 0)).await.unwrap();
    let ingest = RunningIngest::start(&test.store);
    ingest.ingest.check_in(one.check_in(at(0, 0, 0), vec![envelope(1, at(0, 0, 0), laptop(50))])).await.unwrap();
    let (policy, running) = (LivePolicy::new(Policy::default()), CancellationToken::new());
    let later = at(40, 0, 0);
    let silent = flag_sweep::run(&test.store, &policy, later, &running).await.unwrap();
    assert_eq!(silent.raised, 1, "not heard from for weeks");
    // No zone is known of the device: what closes all of them is left out for it.
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let first = cartable_server::domain::paris::date(at(0, 0, 0));
    let days = |more: i64| first.checked_add(jiff::Span::new().days(more)).unwrap().to_string().replace('-', "");
    for zone in Zone::ALL {
        let text = format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:{}\nDTEND;VALUE=DATE:{}\nSUMMARY:Vacances\nEND:VEVENT\nEND:VCALENDAR\n",
            days(0),
            days(41)
        );
        let holidays = ical::holidays(&text, *zone).unwrap();
        school_closure::import(&mut tx, *zone, &holidays, "x.ics", later).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert!(school_calendar::run(&test.store, &policy).await.unwrap());
    let after = flag_sweep::run(&test.store, &policy, later, &running).await.unwrap();
    assert_eq!((after.raised, after.cleared), (0, 1), "holidays are no silence");
    assert_eq!(raw.number("SELECT count(*) FROM school_closure").await.unwrap(), 3);
}

/// What stands in a hidden field of the preview, as a browser would send it again.
fn hidden(page: &str, name: &str) -> String {
    let value = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap().split('"').next().unwrap();
    value.replace("&#34;", "\"").replace("&#39;", "'").replace("&#38;", "&").replace("\r\n", "\n")
}

async fn an_administrator_looks_at_a_file_before_it_is_kept(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    for (login, role) in [("anne", Role::Administrator), ("paul", Role::ProgrammeManager)] {
        cartable.person(login, role, Scope::Everything).await.unwrap();
    }
    let (anne, paul) = (cartable.signed_in("anne").await.unwrap(), cartable.signed_in("paul").await.unwrap());
    let kept = async || Raw::connect(test.url()).await.unwrap().number("SELECT count(*) FROM school_closure").await;
    let look = async |zone: &str, text: &str| {
        let file = Some(File { name: "Zone-C.ics", content: text.as_bytes() });
        let mut answer = anne.upload("/calendar", &[("zone", zone)], file).await.unwrap();
        answer.body = answer.body.replace('\u{a0}', " ");
        answer
    };
    let keep = async |page: &str| {
        let (zone, name, text) = (hidden(page, "zone"), hidden(page, "name"), hidden(page, "calendar"));
        let fields = [("zone", &*zone), ("name", &*name), ("calendar", &*text), ("how", "keep")];
        anne.upload("/calendar", &fields, None).await.unwrap()
    };

    let page = paul.get("/calendar").await.unwrap().body.replace('\u{a0}', " ");
    assert!(page.contains("31 août 2027") && !page.contains("type=\"file\""), "he reads it: {page}");
    let file = Some(File { name: "c.ics", content: FILE.as_bytes() });
    assert_eq!(paul.upload("/calendar", &[("zone", "C")], file).await.unwrap().status, 403);

    let seen = look("C", FILE).await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    for words in ["Zone C, année 2027-2028", "2 nouvelles périodes", "5 févr. 2028", "20 févr. 2028", "Zone-C.ics"]
    {
        assert!(seen.body.contains(words), "{words}: {}", seen.body);
    }
    assert_eq!(kept().await.unwrap(), 0, "a look keeps nothing");
    let winter = date(2028, 2, 8);
    assert!(is_school_day(winter, Some(Zone::C), &cartable.app.policy.calendar.closures));
    let done = keep(&seen.body).await;
    assert_eq!((done.status.as_u16(), done.header("location")), (303, "/calendar?done=saved"), "{}", done.body);
    assert_eq!(kept().await.unwrap(), 2);
    assert!(!is_school_day(winter, Some(Zone::C), &cartable.app.policy.calendar.closures), "followed at once");

    let same = look("C", FILE).await.body;
    assert!(same.contains("ne change rien") && !same.contains("value=\"keep\""), "{same}");
    let moved = look("C", &FILE.replace("20280205", "20280212").replace("20280221", "20280228")).await.body;
    assert!(moved.contains("était : du 5 févr. 2028 au 20 févr. 2028"), "{moved}");
    assert_eq!(keep(&moved).await.status, 303);
    assert!(is_school_day(winter, Some(Zone::C), &cartable.app.policy.calendar.closures), "a corrected file corrects");

    // A file that comes together with the wish to keep it is shown first, and each fault says where it stands.
    let file = Some(File { name: "a.ics", content: FILE.as_bytes() });
    let unseen = anne.upload("/calendar", &[("zone", "all"), ("how", "keep")], file).await.unwrap();
    assert_eq!(unseen.status, 200, "the summer, which names no zone, is of all: {}", unseen.body);
    assert_eq!(kept().await.unwrap(), 2);
    for (zone, text, words) in [
        ("", FILE, "Choisissez une zone"),
        ("B", "BEGIN:VCALENDAR\nEND:VCALENDAR\n", "aucune période de vacances pour la zone B"),
        ("C", "<html>", "Ligne 1 : ce n’est pas un fichier iCalendar"),
        ("C", &*FILE.replace("20280221", "20280101"), "finit avant d’avoir commencé"),
        ("C", "", "Choisissez un fichier"),
    ] {
        let refused = look(zone, text).await;
        assert!(refused.status == 422 && refused.body.contains(words), "{words}: {}", refused.body);
    }
    let latin = Some(File { name: "x.ics", content: b"BEGIN:VCALENDAR\nSUMMARY:\xE9t\xE9\n" });
    assert_eq!(anne.upload("/calendar", &[("zone", "C")], latin).await.unwrap().status, 422);
    let mut tx = test.store.read().await.unwrap();
    let acts = audit::of_object(&mut tx, "school_calendar", "C", 9).await.unwrap();
    assert_eq!(acts.len(), 2);
    assert!(acts[0].details.contains("\"moved\":1") && acts[1].actor == "anne", "{acts:?}");
}

#[test]
fn the_command_line_imports_a_file_and_refuses_another() {
    let installation = Installation::temporary().unwrap();
    let files = tempfile::tempdir().unwrap();
    let (good, bad) = (files.path().join("zone-c.ics"), files.path().join("bad.ics"));
    std::fs::write(&good, FILE).unwrap();
    std::fs::write(&bad, "<html>").unwrap();
    let printed = installation.run("calendar import", &[good.to_str().unwrap(), "--zone", "C"], "").unwrap();
    assert_eq!(printed.lines().next(), Some("C\t2028-02-05\t2028-02-20\tVacances d'Hiver - Zone C"));
    let listed = installation.run("calendar list", &[], "").unwrap();
    assert!(listed.lines().count() == 2 && listed.contains("zone-c.ics"), "{listed}");
    let refused = installation.run("calendar import", &[bad.to_str().unwrap(), "--zone", "C"], "").unwrap_err();
    assert!(refused.to_string().contains("BEGIN:VCALENDAR"), "{refused}");
}
