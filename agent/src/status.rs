//! What is wrong and what to do, in plain words for a technician who stands before the laptop.
//!
//! Pure: takes what is known and the time, gives lines and a verdict. Shows no key and no token.

mod advice;

use cartable_common::UtcMillis;

pub use self::advice::{advice, enrol_advice};
use crate::{
    fairness,
    language::Language,
    platform,
    spool::Record,
    state::{Enrolment, Failure, Memory, Pending},
    trouble::TroubleKind,
};

/// No contact for so long is worth a word: two missed hours, with room for a lesson without network.
const LATE_AFTER_MILLIS: i64 = 3 * 60 * 60 * 1000;

/// The verdict of a status, and the exit code of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is well.
    Well,
    /// The last contact failed, or there was none for long.
    Trouble,
    /// Not enrolled.
    NotEnrolled,
    /// Waiting for a person's approval.
    Waiting,
    /// The server refuses this computer.
    Refused,
}

/// Whether the agent's service is at work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Service {
    /// It holds the state folder's lock.
    Running,
    /// Nobody does.
    #[default]
    Stopped,
}

/// What is known.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The enrolment.
    pub enrolment: Option<Enrolment>,
    /// The request that waits.
    pub pending: Option<Pending>,
    /// The last contacts.
    pub memory: Memory,
    /// What is spooled.
    pub spooled: Vec<Record>,
    /// Whether somebody checks in.
    pub service: Service,
}

/// The lines to show and the verdict.
#[must_use]
pub fn describe(facts: &Facts, language: Language, now: UtcMillis) -> (Vec<String>, Verdict) {
    let say = |french: &str, english: &str| language.pick(french, english).to_owned();
    let Some(enrolment) = &facts.enrolment else { return not_enrolled(facts, language, now) };
    let mut lines = vec![
        format!("{} {}", say("Serveur :", "Server:"), enrolment.server),
        format!("{} {}", say("Appareil :", "Device:"), enrolment.grant.device_id),
        certificate(enrolment, &facts.memory, language, now),
    ];
    let last = facts.memory.last_success_at;
    lines.push(match last {
        None => say("Dernier contact réussi : aucun.", "Last contact that went well: none."),
        Some(at) => {
            format!("{} {}", say("Dernier contact réussi :", "Last contact that went well:"), ago(at, now, language))
        }
    });
    lines.push(spool(&facts.spooled, language, now));
    lines.extend(exams(&facts.memory, language, now));
    let mut verdict = Verdict::Well;
    if let Some(failure) = &facts.memory.last_failure {
        lines.push(failed(failure, language, now));
        lines.extend(advice(failure.trouble.kind, language));
        verdict = verdict_of(failure.trouble.kind);
    }
    if let Some(line) = service(facts, language, now) {
        lines.push(line);
        verdict = if verdict == Verdict::Well { Verdict::Trouble } else { verdict };
    }
    if verdict == Verdict::Well {
        lines.push(say("Tout va bien.", "All is well."));
    }
    (lines, verdict)
}

/// That the agent is silent because pupils sit an exam, which is well as it is.
fn exams(memory: &Memory, language: Language, now: UtcMillis) -> Option<String> {
    let minutes = fairness::exams_left(memory.exams_until, now)?.as_secs().div_ceil(60);
    Some(match language {
        Language::French => format!("Silencieux pendant un examen, encore {minutes} min au plus."),
        Language::English => format!("Silent during an exam, for {minutes} min at most."),
    })
}

/// What a contact that failed so says of an enrolled computer.
pub(crate) fn verdict_of(kind: TroubleKind) -> Verdict {
    if kind == TroubleKind::Refused {
        Verdict::Refused
    } else if matches!(
        kind,
        TroubleKind::AwaitsApproval | TroubleKind::QueueFull | TroubleKind::KeyCloned | TroubleKind::KeyLost
    ) {
        Verdict::Waiting
    } else {
        Verdict::Trouble
    }
}

/// What is wrong with the service, if anything is.
fn service(facts: &Facts, language: Language, now: UtcMillis) -> Option<String> {
    let last = facts.memory.last_success_at;
    let is_due = fairness::exams_left(facts.memory.exams_until, now).is_none();
    let is_late = last.is_some_and(|at| now.millis_since(at) > LATE_AFTER_MILLIS)
        && facts.memory.last_failure.is_none()
        && is_due;
    let (french, english) = match facts.service {
        Service::Stopped => (
            format!("Le service ne tourne pas : plus rien ne sera envoyé. Démarrez-le : {}", platform::START),
            format!("The service is not running: nothing more will be sent. Start it: {}", platform::START),
        ),
        Service::Running if last.is_none() && facts.memory.last_failure.is_none() => (
            "Le service vient de démarrer : le premier contact a lieu dans la minute.".to_owned(),
            "The service has just started: the first contact comes within a minute.".to_owned(),
        ),
        Service::Running if is_late => (
            format!(
                "Le service tourne mais n'a pas essayé récemment (ordinateur en veille ?). Son journal : {}",
                platform::LOG
            ),
            format!(
                "The service is running but has not tried lately (was the computer asleep?). Its log: {}",
                platform::LOG
            ),
        ),
        Service::Running => return None,
    };
    Some(language.pick(&french, &english).to_owned())
}

/// The last attempt, which failed.
fn failed(failure: &Failure, language: Language, now: UtcMillis) -> String {
    let words = language.pick("Dernière tentative, en échec :", "Last attempt, which failed:");
    format!("{words} {} ({})", ago(failure.at, now, language), failure.trouble.detail)
}

fn not_enrolled(facts: &Facts, language: Language, now: UtcMillis) -> (Vec<String>, Verdict) {
    let say = |french: &str, english: &str| language.pick(french, english).to_owned();
    let Some(pending) = &facts.pending else {
        let line = say(
            "Cet ordinateur n'est pas enrôlé. Créez un jeton dans la console, puis : cartable-agent enrol --server https://SERVEUR:PORT --token-file FICHIER --roots roots.pem",
            "This computer is not enrolled. Create a token in the console, then: cartable-agent enrol --server https://SERVER:PORT --token-file FILE --roots roots.pem",
        );
        return (vec![line], Verdict::NotEnrolled);
    };
    let mut lines = vec![format!("{} {}", say("Serveur :", "Server:"), pending.server)];
    let Some(reason) = &pending.reason else {
        if let Some(failure) = &facts.memory.last_failure {
            lines.push(failed(failure, language, now));
            lines.extend(enrol_advice(failure.trouble.kind, language));
            let of_the_server = [TroubleKind::Refused, TroubleKind::QueueFull].contains(&failure.trouble.kind);
            let verdict = if of_the_server { verdict_of(failure.trouble.kind) } else { Verdict::NotEnrolled };
            return (lines, verdict);
        }
        lines.push(say(
            "L'enrôlement a été demandé mais le serveur n'a pas encore répondu. Vérifiez le réseau, puis relancez cartable-agent enrol.",
            "Enrolment was asked for but the server has not answered yet. Check the network, then run cartable-agent enrol again.",
        ));
        return (lines, Verdict::NotEnrolled);
    };
    lines.push(format!(
        "{} {reason}",
        say(
            "L'enrôlement attend l'accord d'une personne dans la console :",
            "The enrolment waits for a person's approval in the console:"
        )
    ));
    (lines, Verdict::Waiting)
}

fn certificate(enrolment: &Enrolment, memory: &Memory, language: Language, now: UtcMillis) -> String {
    let known_now = memory.clock().latest(now);
    let days = enrolment.grant.not_after.millis_since(known_now).div_euclid(UtcMillis::DAY);
    match (language, days) {
        (Language::French, ..0) => "Certificat : terminé. L'agent en redemande un seul, avec sa clé.".to_owned(),
        (Language::English, ..0) => {
            "Certificate: ended. The agent asks for another by itself, with its key.".to_owned()
        }
        (Language::French, 0) => "Certificat : moins d'un jour.".to_owned(),
        (Language::English, 0) => "Certificate: less than a day left.".to_owned(),
        (Language::French, 1) => "Certificat : encore 1 jour.".to_owned(),
        (Language::English, 1) => "Certificate: 1 day left.".to_owned(),
        (Language::French, _) => format!("Certificat : encore {days} jours."),
        (Language::English, _) => format!("Certificate: {days} days left."),
    }
}

fn spool(records: &[Record], language: Language, now: UtcMillis) -> String {
    let Some(oldest) = records.first() else {
        return language.pick("Relevés en attente : aucun.", "Reports waiting: none.").to_owned();
    };
    let bytes: u64 = records.iter().map(|record| record.bytes).sum();
    let age = ago(oldest.measured_at, now, language);
    match language {
        Language::French => {
            format!("Relevés en attente : {} ({} Ko), le plus ancien {age}", records.len(), bytes / 1024)
        }
        Language::English => format!("Reports waiting: {} ({} KB), the oldest from {age}", records.len(), bytes / 1024),
    }
}

/// "3 hours ago", in the largest whole unit.
fn ago(at: UtcMillis, now: UtcMillis, language: Language) -> String {
    let minutes = now.millis_since(at) / 60_000;
    let (number, french, english) = match minutes {
        ..0 => {
            let words = ("dans l'avenir : l'horloge a reculé.", "in the future: the clock went back.");
            return language.pick(words.0, words.1).to_owned();
        }
        0..120 => (minutes, "min", "min"),
        120..2880 => (minutes / 60, "h", "h"),
        _ => (minutes / 1440, "jours", "days"),
    };
    match language {
        Language::French => format!("il y a {number} {french}."),
        Language::English => format!("{number} {english} ago."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{identity::Key, trouble::Trouble};
    use cartable_common::{DeviceId, EnrolmentId, protocol::CertificateGrant};
    use uuid::Uuid;

    fn enrolled(now: UtcMillis) -> Facts {
        let key = Key::generate().unwrap();
        let pending =
            Pending::new("https://parc.example".parse().unwrap(), String::new(), Uuid::nil(), &key, "tok".into());
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
        assert!(lines[1].ends_with("serial known") && !lines.join("").contains("tok-secret"));
        // Not even in the queue.
        let mut full = facts;
        full.pending.as_mut().unwrap().reason = None;
        full.memory.last_failure =
            Some(Failure { at: later(), trouble: Trouble::new(TroubleKind::QueueFull, "words") });
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
}
