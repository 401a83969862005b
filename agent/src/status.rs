//! What is wrong and what to do, in plain words for a technician who stands before the laptop.
//!
//! Pure: takes what is known and the time, gives lines and a verdict. Shows no key and no token.

mod advice;
mod request;
mod silence;
#[cfg(test)]
mod tests;

use cartable_common::UtcMillis;

pub use self::advice::{advice, enrol_advice};
use self::silence::Silence;
use crate::{
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
    /// Why the request that may wait cannot be read, in the reader's language.
    pub unread_request: Option<String>,
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
    let Some(enrolment) = &facts.enrolment else { return request::alone(facts, language, now) };
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
    lines.extend(Silence::of(facts, now).map(|silence| silence.words(language)));
    let mut verdict = Verdict::Well;
    if let Some(failure) = &facts.memory.last_failure {
        lines.push(failed(failure, language, now));
        lines.extend(advice(failure.trouble.kind, language));
        verdict = verdict_of(failure.trouble.kind);
    }
    let asked = request::beside(facts, language);
    if request::waits(facts) && matches!(verdict, Verdict::Well | Verdict::Refused) {
        verdict = Verdict::Waiting;
    }
    let service = service(facts, language, now);
    // Until there was a contact nobody knows that there will be one, whatever it waits for.
    if (service.is_some() || last.is_none()) && verdict == Verdict::Well {
        verdict = Verdict::Trouble;
    }
    if verdict == Verdict::Well && asked.is_empty() {
        lines.push(say("Tout va bien.", "All is well."));
    }
    lines.extend(asked.into_iter().chain(service));
    (lines, verdict)
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
    let is_late =
        last.is_some_and(|at| now.millis_since(at) > LATE_AFTER_MILLIS) && facts.memory.last_failure.is_none();
    let (french, english) = match facts.service {
        Service::Stopped => (
            format!("Le service ne tourne pas : plus rien ne sera envoyé. Démarrez-le : {}", platform::START),
            format!("The service is not running: nothing more will be sent. Start it: {}", platform::START),
        ),
        // Nothing is due.
        Service::Running if Silence::of(facts, now).is_some() => return None,
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

/// "3 hours ago".
fn ago(at: UtcMillis, now: UtcMillis, language: Language) -> String {
    let Ok(minutes) = u64::try_from(now.millis_since(at) / 60_000) else {
        let (french, english) = ("dans l'avenir : l'horloge a reculé.", "in the future: the clock went back.");
        return language.pick(french, english).to_owned();
    };
    let span = span(minutes, language);
    match language {
        Language::French => format!("il y a {span}."),
        Language::English => format!("{span} ago."),
    }
}

/// "3 hours", in the largest whole unit.
fn span(minutes: u64, language: Language) -> String {
    match minutes {
        0..120 => format!("{minutes} min"),
        120..2880 => format!("{} h", minutes / 60),
        _ => format!("{} {}", minutes / 1440, language.pick("jours", "days")),
    }
}
