//! What is said of each state of things, and the verdict.

use super::*;
use crate::{identity::Key, trouble::Trouble};
use cartable_common::{DeviceId, EnrolmentId, protocol::CertificateGrant};
use uuid::Uuid;

fn enrolled(now: UtcMillis) -> Facts {
    let key = Key::generate().unwrap();
    let pending = Pending::new("https://parc.example".parse().unwrap(), String::new(), Uuid::nil(), &key, "tok".into());
    let grant = CertificateGrant {
        device_id: DeviceId(Uuid::nil()),
        enrolment_id: EnrolmentId(Uuid::nil()),
        certificate_chain_pem: String::new(),
        not_after: now.plus_days(100),
        renew_from: now.plus_days(40),
        next_check_in_seconds: 60,
    };
    let memory = Memory { last_success_at: Some(now.plus_millis(-600_000)), ..Memory::default() };
    Facts { enrolment: Some(pending.granted(grant)), memory, service: Service::Running, ..Facts::default() }
}

fn later() -> UtcMillis {
    crate::clock::built_at().plus_days(1)
}

#[test]
fn a_healthy_agent_says_so() {
    let (lines, verdict) = describe(&enrolled(later()), Language::English, later());
    assert_eq!(verdict, Verdict::Well);
    assert!(lines.contains(&"Certificate: 100 days left.".to_owned()), "{lines:?}");
    assert!(lines.contains(&"Last contact that went well: 10 min ago.".to_owned()), "{lines:?}");
}

#[test]
fn every_trouble_has_its_remedy_in_both_languages() {
    for kind in [
        "name_resolution",
        "unreachable",
        "timed_out",
        "proxy",
        "captive_portal",
        "untrusted_server",
        "clock",
        "refused",
        "certificate_ended",
        "awaits_approval",
        "queue_full",
        "released",
        "busy",
        "server_fault",
        "rejected",
        "local",
        "not_understood",
    ] {
        let kind: TroubleKind = serde_json::from_value(kind.into()).unwrap();
        let mut facts = enrolled(later());
        facts.memory.last_failure = Some(Failure { at: later(), trouble: Trouble::new(kind, "words") });
        let (french, verdict) = describe(&facts, Language::French, later());
        let (english, _) = describe(&facts, Language::English, later());
        assert_ne!(french.last(), english.last());
        assert_eq!(verdict == Verdict::Refused, kind == TroubleKind::Refused);
        let waits = [TroubleKind::AwaitsApproval, TroubleKind::QueueFull].contains(&kind);
        assert_eq!(verdict == Verdict::Waiting, waits);
        assert_ne!(verdict, Verdict::Well);
    }
}

#[test]
fn enrolment_is_explained_and_no_secret_shows() {
    let (_, verdict) = describe(&Facts::default(), Language::French, later());
    assert_eq!(verdict, Verdict::NotEnrolled);
    let key = Key::generate().unwrap();
    let pending =
        Pending::new("https://a.example".parse().unwrap(), String::new(), Uuid::nil(), &key, "tok-secret".into());
    let facts = Facts { pending: Some(pending.waiting("serial known".to_owned())), ..Facts::default() };
    let (lines, verdict) = describe(&facts, Language::English, later());
    assert_eq!(verdict, Verdict::Waiting);
    assert!(lines[1].contains("not enrolled yet"), "{lines:?}");
    assert!(lines[3].ends_with("serial known") && !lines.join("").contains("tok-secret"), "{lines:?}");
    // Not even in the queue.
    let mut full = facts;
    full.pending.as_mut().unwrap().reason = None;
    full.memory.last_failure = Some(Failure { at: later(), trouble: Trouble::new(TroubleKind::QueueFull, "words") });
    let (lines, verdict) = describe(&full, Language::English, later());
    assert_eq!(verdict, Verdict::Waiting);
    assert!(lines.last().is_some_and(|line| line.contains("import the list")), "{lines:?}");
}

#[test]
fn a_stopped_a_new_and_a_late_service_are_told_apart() {
    let say = |change: fn(&mut Facts)| {
        let mut facts = enrolled(later());
        change(&mut facts);
        let (lines, verdict) = describe(&facts, Language::English, later());
        assert_eq!(verdict, Verdict::Trouble, "{lines:?}");
        lines.last().unwrap().clone()
    };
    let stopped = say(|facts| facts.service = Service::Stopped);
    assert!(stopped.contains("not running") && stopped.contains(platform::START), "{stopped}");
    let new = say(|facts| facts.memory.last_success_at = None);
    assert!(new.contains("within a minute"), "{new}");
    let late = say(|facts| facts.memory.last_success_at = Some(later().plus_days(-1)));
    assert!(late.contains("journalctl"), "{late}");
}

#[test]
fn silence_during_an_exam_is_said_and_no_trouble() {
    let mut facts = enrolled(later());
    facts.memory.last_success_at = Some(later().plus_millis(-5 * 3_600_000));
    facts.memory.exams_until = Some(later().plus_millis(90 * 60_000));
    let (lines, verdict) = describe(&facts, Language::English, later());
    assert!(lines.contains(&"Silent during an exam, for 90 min at most.".to_owned()), "{lines:?}");
    assert_eq!(verdict, Verdict::Well);
    let (lines, verdict) = describe(&facts, Language::French, later().plus_millis(2 * 3_600_000));
    assert!(!lines.iter().any(|line| line.contains("examen")), "it is over: {lines:?}");
    assert_eq!(verdict, Verdict::Trouble, "no contact for seven hours");
}

#[test]
fn a_refused_token_is_said_to_be_the_tokens_fault() {
    let key = Key::generate().unwrap();
    let pending =
        Pending::new("https://a.example".parse().unwrap(), String::new(), Uuid::nil(), &key, "tok-secret".into());
    let trouble = Trouble::new(TroubleKind::Refused, "HTTP 403: Token not accepted");
    let memory = Memory { last_failure: Some(Failure { at: later(), trouble }), ..Memory::default() };
    let facts = Facts { pending: Some(pending), memory, ..Facts::default() };
    let (lines, verdict) = describe(&facts, Language::English, later());
    assert_eq!(verdict, Verdict::Refused);
    let words = lines.join("\n");
    assert!(words.contains("another token") && words.contains("Token not accepted"), "{words}");
    assert!(!words.contains("tok-secret"), "{words}");
}

#[test]
fn the_last_days_of_a_certificate_are_counted_as_people_count() {
    let line = |days: i64, language| {
        let (lines, _) = describe(&enrolled(later()), language, later().plus_days(100 - days));
        lines.into_iter().find(|line| line.starts_with("Certifi")).unwrap()
    };
    assert_eq!(line(1, Language::French), "Certificat : encore 1 jour.");
    assert_eq!(line(0, Language::English), "Certificate: less than a day left.");
    assert_eq!(line(2, Language::English), "Certificate: 2 days left.");
}

#[test]
fn silence_and_an_ended_certificate_are_noticed() {
    let mut facts = enrolled(later());
    facts.memory.last_success_at = Some(later().plus_days(-3));
    let (lines, verdict) = describe(&facts, Language::English, later().plus_days(101));
    assert_eq!(verdict, Verdict::Trouble);
    assert!(lines.iter().any(|line| line.starts_with("Certificate: ended")), "{lines:?}");
}

/// An enrolled laptop that asked for another enrolment; the server's words on why that waits.
fn asking(reason: Option<&str>) -> Facts {
    let key = Key::generate().unwrap();
    let server = "https://parc.example".parse().unwrap();
    let pending = Pending::new(server, String::new(), Uuid::nil(), &key, "tok-secret".into());
    let pending = if let Some(reason) = reason { pending.waiting(reason.to_owned()) } else { pending };
    Facts { pending: Some(pending), ..enrolled(later()) }
}

#[test]
fn a_request_that_waits_beside_an_enrolment_is_said() {
    for language in [Language::French, Language::English] {
        let (lines, verdict) = describe(&asking(Some("serial known")), language, later());
        assert_eq!(verdict, Verdict::Waiting);
        let words = lines.join("\n");
        assert!(
            words.contains("serial known") && words.contains(language.pick("après l'accord", "after the approval")),
            "{words}"
        );
        assert!(
            !words.contains("tok-secret") && !words.contains(language.pick("Tout va bien", "All is well")),
            "{words}"
        );
    }
    // Refused, and asking anew: what was to be done is done.
    let mut refused = asking(Some("serial known"));
    refused.memory.last_failure = Some(Failure { at: later(), trouble: Trouble::new(TroubleKind::Refused, "x") });
    assert_eq!(describe(&refused, Language::English, later()).1, Verdict::Waiting);
    // Out of reach: that comes first.
    let mut away = asking(Some("serial known"));
    away.memory.last_failure = Some(Failure { at: later(), trouble: Trouble::new(TroubleKind::Unreachable, "x") });
    assert_eq!(describe(&away, Language::English, later()).1, Verdict::Trouble);
    let mut stopped = asking(Some("serial known"));
    stopped.service = Service::Stopped;
    let (lines, verdict) = describe(&stopped, Language::English, later());
    assert_eq!(verdict, Verdict::Waiting);
    assert!(lines.last().is_some_and(|line| line.contains("not running")), "{lines:?}");
}

#[test]
fn a_request_that_came_to_nothing_does_not_call_a_good_enrolment_bad() {
    let (lines, verdict) = describe(&asking(None), Language::English, later());
    assert_eq!(verdict, Verdict::Well);
    assert!(lines.last().is_some_and(|line| line.contains("has not granted it")), "{lines:?}");
    let facts = Facts { unread_request: Some("pending.json is damaged".to_owned()), ..enrolled(later()) };
    let (lines, verdict) = describe(&facts, Language::English, later());
    assert_eq!((verdict, lines.last().map(String::as_str)), (Verdict::Well, Some("pending.json is damaged")));
    // One that was made in the place of a lost key, which is there again.
    let mut found = asking(Some("key lost"));
    found.pending.as_mut().unwrap().lost_key = Some(String::new());
    let (lines, verdict) = describe(&found, Language::English, later());
    assert_eq!((verdict, lines.last().map(String::as_str)), (Verdict::Well, Some("All is well.")));
}

#[test]
fn contacts_that_battery_or_network_hold_back_are_said_and_no_trouble_after_the_first() {
    let mut facts = enrolled(later());
    facts.memory.last_success_at = Some(later().plus_millis(-21 * 3_600_000));
    facts.memory.held_since = Some(later().plus_millis(-20 * 3_600_000));
    let (lines, verdict) = describe(&facts, Language::English, later());
    assert_eq!(verdict, Verdict::Well, "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("Contacts held back for 20 h: battery below 15 %")), "{lines:?}");
    let (lines, _) = describe(&facts, Language::French, later());
    assert!(lines.iter().any(|line| line.starts_with("Contacts retenus depuis 20 h : ")), "{lines:?}");
    // Held for longer than an agent holds back: it was not there to look again.
    let (lines, verdict) = describe(&facts, Language::English, later().plus_days(1));
    assert_eq!(verdict, Verdict::Trouble);
    assert!(lines.last().is_some_and(|line| line.contains("has not tried lately")), "{lines:?}");

    facts.memory.last_success_at = None;
    let (lines, verdict) = describe(&facts, Language::English, later());
    assert_eq!(verdict, Verdict::Trouble, "none yet");
    let words = lines.join("\n");
    assert!(words.contains("held back for 20 h") && !words.contains("within a minute"), "{words}");
    assert!(!words.contains("All is well"), "{words}");

    facts.service = Service::Stopped;
    let (lines, _) = describe(&facts, Language::English, later());
    assert!(!lines.iter().any(|line| line.contains("held back")), "nobody looks again: {lines:?}");
}

#[test]
fn what_is_not_enrolled_is_called_so_whatever_became_of_its_request() {
    let (lines, _) = describe(&Facts::default(), Language::French, later());
    assert!(lines[1].contains("donné ou vendu"), "an agent that left keeps nothing by which to know: {lines:?}");
    let mut facts = Facts { enrolment: None, ..asking(None) };
    for kind in [TroubleKind::Refused, TroubleKind::CaptivePortal, TroubleKind::Unreachable] {
        facts.memory.last_failure = Some(Failure { at: later(), trouble: Trouble::new(kind, "words") });
        let (lines, _) = describe(&facts, Language::English, later());
        assert!(lines.contains(&"This computer is not enrolled yet.".to_owned()), "{kind:?}: {lines:?}");
    }
}

#[test]
fn a_stranger_at_an_enrolments_address_may_be_the_wrong_port() {
    for language in [Language::French, Language::English] {
        let of_enrolment = enrol_advice(TroubleKind::CaptivePortal, language).unwrap();
        assert!(of_enrolment.contains("port") && of_enrolment.contains("console"), "{of_enrolment}");
        assert_ne!(
            Some(of_enrolment),
            advice(TroubleKind::CaptivePortal, language),
            "an enrolled one had the right port"
        );
        assert_eq!(enrol_advice(TroubleKind::Busy, language), advice(TroubleKind::Busy, language));
    }
}
