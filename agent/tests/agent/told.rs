//! What the commands tell whoever stands before the laptop, and the code with which they end.

use crate::support::{Answers, Done, Gateway, Laptop, write};

/// `enrol` at `url`, with these further words.
fn enrol(laptop: &Laptop, url: &str, more: &[&str]) -> Done {
    let roots = laptop.path("roots.pem").to_string_lossy().into_owned();
    let given = ["enrol", "--server", url, "--roots", &roots];
    laptop.agent(&[given.as_slice(), more].concat())
}

#[test]
fn a_request_that_waits_beside_an_enrolment_is_told_by_status() {
    let gateway = Gateway::start();
    let laptop = Laptop::enrolled(&gateway);
    assert_eq!(laptop.agent(&["once"]).code, 0);
    gateway.answer(Answers::Approval);
    let done = enrol(&laptop, &gateway.url(), &["--token", "a-secret-token", "--new-key"]);
    assert_eq!(done.code, 4, "{}", done.words);
    let status = laptop.agent(&["status"]);
    assert!(status.code == 4 && status.words.contains("the serial number is known"), "{}", status.words);
    assert!(!status.words.contains("All is well") && !status.words.contains("a-secret-token"), "{}", status.words);
    // One that cannot be read costs the contacts nothing.
    gateway.answer(Answers::Cartable);
    write(&laptop.state().join("pending.json"), "{");
    assert_eq!(laptop.agent(&["once"]).code, 0);
    let status = laptop.agent(&["status", "--lang", "fr"]);
    assert!(status.code == 1 && status.words.contains("ne tourne pas"), "{}", status.words);
    assert!(
        status.words.contains("pending.json est endommagé") && status.words.contains("supprimez-le"),
        "{}",
        status.words
    );
}

#[test]
fn a_request_that_waits_is_told_by_once_as_by_status() {
    let gateway = Gateway::start();
    let laptop = Laptop::new();
    assert_eq!(laptop.agent(&["once"]).code, 3);
    gateway.answer(Answers::Approval);
    assert_eq!(laptop.enrol(&gateway).code, 4);
    let (once, status) = (laptop.agent(&["once"]), laptop.agent(&["status"]));
    assert_eq!((once.code, &once.words), (4, &status.words));
    // Without an enrolment there is nothing beside a damaged request.
    write(&laptop.state().join("pending.json"), "{");
    let status = laptop.agent(&["status"]);
    assert!(status.code == 8 && status.words.contains("delete it and run cartable-agent enrol"), "{}", status.words);
}

#[test]
fn a_part_of_the_enrolment_that_is_none_is_told_with_its_file_by_every_command() {
    let gateway = Gateway::start();
    for (part, word) in [
        (&["key_pem"][..], "the key in it"),
        (&["roots_pem"][..], "the roots in it"),
        (&["grant", "certificate_chain_pem"][..], "the certificate in it"),
    ] {
        let laptop = Laptop::enrolled(&gateway);
        let mut kept = laptop.enrolment();
        *part.iter().fold(&mut kept, |value, name| &mut value[*name]) = "garbage".into();
        write(&laptop.state().join("enrolment.json"), &kept.to_string());
        for command in [&["status"][..], &["once"], &["run", "--first-within", "0"]] {
            let done = laptop.agent(command);
            assert!(done.code == 8 && done.words.contains(word), "{command:?}: {} {}", done.code, done.words);
            assert!(done.words.contains("enrolment.json") && done.words.contains("enrol again"), "{}", done.words);
        }
        let status = laptop.agent(&["status", "--lang", "fr"]);
        assert!(status.code == 8 && status.words.contains("enrôlez à nouveau"), "{}", status.words);
    }
}

#[test]
fn what_was_given_to_enrol_with_and_is_of_no_use_ends_with_one_code() {
    let gateway = Gateway::start();
    let laptop = Laptop::new();
    let token = ["--token", "a-secret-token"];
    let missing = enrol(&laptop, &gateway.url(), &token);
    assert!(missing.code == 8 && missing.words.contains("roots.pem could not be read"), "{}", missing.words);
    write(&laptop.path("roots.pem"), "");
    assert_eq!(enrol(&laptop, &gateway.url(), &token).code, 8);
    write(&laptop.path("roots.pem"), &gateway.authority.pem);
    let nowhere = laptop.path("nowhere").to_string_lossy().into_owned();
    for more in [["--token-file", &nowhere], ["--token", " "]] {
        let done = enrol(&laptop, &gateway.url(), &more);
        assert_eq!(done.code, 8, "{more:?}: {}", done.words);
    }
    assert_eq!(enrol(&laptop, &gateway.url(), &token).code, 0);
}

#[test]
fn a_failed_enrolment_is_said_once_and_a_wrong_port_is_thought_of() {
    let gateway = Gateway::start();
    let laptop = Laptop::new();
    let problem = r#"{"type":"x","title":"Token not accepted","status":403}"#;
    gateway.answer(Answers::Http(403, "", problem.into()));
    let done = laptop.enrol(&gateway);
    assert_eq!((done.code, done.words.matches("HTTP 403").count()), (5, 1), "{}", done.words);
    let status = laptop.agent(&["status"]);
    assert!(status.words.contains("not enrolled yet"), "{}", status.words);
    // The console speaks HTTP where it stands behind nothing.
    gateway.answer(Answers::Plain("HTTP/1.1 400 Bad Request\r\n\r\n"));
    let done = laptop.enrol(&gateway);
    assert!(done.code == 1 && done.words.contains("the console's is another"), "{}", done.words);
}

#[test]
fn a_computer_that_was_given_away_is_not_called_lent() {
    let laptop = Laptop::new();
    let status = laptop.agent(&["status"]);
    assert!(status.code == 3 && status.words.contains("given away or sold"), "{}", status.words);
    let nobody = laptop.path("public").to_string_lossy().into_owned();
    let shown = laptop.agent(&["show", "--lang", "en", "--public", &nobody]);
    assert!(shown.code == 0 && !shown.words.contains("computer is lent"), "{}", shown.words);
    assert!(shown.words.contains("writes to no server"), "{}", shown.words);
}
