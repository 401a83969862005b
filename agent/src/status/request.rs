//! What a request to join means: of a computer that is not enrolled, and beside an enrolment that serves.

use cartable_common::UtcMillis;

use super::{Facts, Verdict, enrol_advice, failed, verdict_of};
use crate::{language::Language, state::Pending, trouble::TroubleKind};

/// Whether a person must let another key in, beside an enrolment. A request that was made because the TPM had lost the key
/// counts in the contacts that say so.
pub(super) fn waits(facts: &Facts) -> bool {
    another(facts).is_some_and(|pending| pending.reason.is_some())
}

/// What is said of a request beside an enrolment.
pub(super) fn beside(facts: &Facts, language: Language) -> Vec<String> {
    if let Some(words) = &facts.unread_request {
        return vec![words.clone()];
    }
    let Some(pending) = another(facts) else { return Vec::new() };
    let Some(reason) = pending.reason.as_ref().filter(|_| !pending.is_refused) else {
        let line = language.pick(
            "Un autre enrôlement a été demandé, et le serveur ne l'a pas accordé ; celui-ci continue. Relancez cartable-agent enrol --new-key, avec un autre jeton si celui-là a été refusé.",
            "Another enrolment was asked for, and the server has not granted it; this one goes on. Run cartable-agent enrol --new-key again, with another token if that one was refused.",
        );
        return vec![line.to_owned()];
    };
    let line = language.pick(
        "Un nouvel enrôlement attend l'accord d'une personne dans la console (Demandes d'entrée) ; l'ancien continue d'ici là, et le premier contact après l'accord passe au nouveau.",
        "A new enrolment waits for a person's approval in the console (Requests to join); the old one goes on until then, and the first contact after the approval takes the new one.",
    );
    vec![line.to_owned(), servers_words(reason, language)]
}

fn another(facts: &Facts) -> Option<&Pending> {
    facts.pending.as_ref().filter(|pending| pending.lost_key.is_none())
}

/// The lines and the verdict of a computer that is not enrolled.
pub(super) fn alone(facts: &Facts, language: Language, now: UtcMillis) -> (Vec<String>, Verdict) {
    let say = |french: &str, english: &str| language.pick(french, english).to_owned();
    let Some(pending) = &facts.pending else { return (not_enrolled(language), Verdict::NotEnrolled) };
    let mut lines = vec![
        format!("{} {}", say("Serveur :", "Server:"), pending.server),
        say("Cet ordinateur n'est pas encore enrôlé.", "This computer is not enrolled yet."),
    ];
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
    lines.push(say(
        "L'enrôlement attend l'accord d'une personne dans la console (Demandes d'entrée).",
        "The enrolment waits for a person's approval in the console (Requests to join).",
    ));
    lines.push(servers_words(reason, language));
    (lines, Verdict::Waiting)
}

/// An agent that was told to leave keeps nothing by which it would know: both are said.
fn not_enrolled(language: Language) -> Vec<String> {
    let say = |french: &str, english: &str| language.pick(french, english).to_owned();
    vec![
        say(
            "Cet ordinateur n'est pas enrôlé. Créez un jeton dans la console, puis : cartable-agent enrol --server https://SERVEUR:PORT --token-file FICHIER --roots roots.pem",
            "This computer is not enrolled. Create a token in the console, then: cartable-agent enrol --server https://SERVER:PORT --token-file FILE --roots roots.pem",
        ),
        say(
            "S'il l'était et a été donné ou vendu, tout est en ordre : l'agent s'est retiré et n'a rien gardé. Désinstallez-le.",
            "If it was, and was given away or sold, all is in order: the agent removed itself and kept nothing. Uninstall it.",
        ),
    ]
}

/// The server speaks English to agents.
fn servers_words(reason: &str, language: Language) -> String {
    format!("{} {reason}", language.pick("Le serveur dit, en anglais :", "The server says:"))
}
