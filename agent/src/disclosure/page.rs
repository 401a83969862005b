//! The page as blocks, in one language, and as plain text.

use cartable_common::{Described as _, Field, report::HealthReport};
use serde_json::Value;

use super::{Shown, values};
use crate::{json, language::Language};

/// A piece of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// The title.
    Title(String),
    /// A heading.
    Heading(String),
    /// What a group of values is for.
    Group(String),
    /// A sentence.
    Words(String),
    /// One of a list.
    Item(String),
    /// Why a value is sent, and the value.
    Value(String, String),
    /// The message itself.
    Exact(String),
}

/// What can never be seen: French, English, and words that no field of the schema may bear (a test looks).
const NEVER: [(&str, &str, &[&str]); 8] = [
    (
        "Où se trouve l'ordinateur.",
        "Where the computer is.",
        &["location", "latitude", "longitude", "gps", "position", "place"],
    ),
    (
        "Le nom du Wi-Fi et les autres appareils de la maison.",
        "The name of the Wi-Fi and the other devices at home.",
        &["ip", "ssid", "mac", "address", "network", "wifi"],
    ),
    (
        "Le nom, le compte ou le mot de passe de quelqu'un.",
        "Anybody's name, account or password.",
        &["user", "login", "account", "password", "email", "person", "host"],
    ),
    (
        "Les fichiers, les photos, les devoirs, les messages.",
        "Files, photos, homework, messages.",
        &["files", "filename", "path", "document", "photo", "message", "mail", "label"],
    ),
    (
        "Les programmes et les jeux, installés ou ouverts.",
        "Programs and games, installed or open.",
        &["software", "process", "program", "application", "package", "installed"],
    ),
    (
        "Les sites visités et les recherches.",
        "Sites visited and searches.",
        &["url", "browser", "history", "search", "domain"],
    ),
    (
        "Ce que voient la caméra et l'écran, ce qu'entend le micro, ce qui est tapé au clavier.",
        "What the camera and the screen see, what the microphone hears, what is typed.",
        &["camera", "screen", "microphone", "keyboard", "clipboard", "screenshot"],
    ),
    (
        "Qui est devant l'écran, et ce qu'il y fait.",
        "Who sits in front of the screen, and what they do there.",
        &["session", "usage", "idle", "opened"],
    ),
];

/// What no message says and the server can tell all the same, for it is there when one arrives.
const GUESSED: (&str, &str) = (
    "Quand l'ordinateur est allumé et relié à Internet, l'agent écrit au serveur, en général une fois par heure. Le serveur peut donc savoir à peu près quand l'ordinateur est allumé, mais pas qui s'en sert ni pour quoi faire. Au bout de 30 jours, il n'en garde que le jour, sauf quand l'agent a reçu son certificat : à l'inscription, puis tous les deux mois environ. Comme tout site, il voit l'adresse Internet d'où vient le message ; il ne la note pas avec l'ordinateur.",
    "While the computer is on and has the Internet, the agent writes to the server, usually once an hour. So the server can know more or less when the computer is on, but not who uses it or what for. After 30 days it keeps only the day, except of when the agent got its certificate: as it enrolled, then about every two months. Like any site, it sees the Internet address that the message comes from; it does not note it with the computer.",
);

/// The whole page.
#[must_use]
pub fn page(shown: &Shown, language: Language) -> Vec<Block> {
    let say = |french: &str, english: &str| language.pick(french, english).to_owned();
    let mut blocks = vec![
        Block::Title(say("Ce que cet ordinateur dit de lui-même", "What this computer tells about itself")),
        Block::Words(whose(shown, language).to_owned()),
        Block::Words(say(
            "Un petit programme, l'agent Cartable, surveille la santé de la machine (batterie, disque, mémoire) pour qu'elle soit réparée avant de tomber en panne. Il regarde la machine, jamais les personnes.",
            "A small program, the Cartable agent, watches the machine's health (battery, drive, memory), so that it is repaired before it breaks. It looks at the machine, never at people.",
        )),
        Block::Heading(say("Qui s'en occupe", "Who runs it")),
    ];
    blocks.extend(who(shown, language));
    blocks.push(Block::Heading(say("Ce qui ne peut jamais être vu", "What can never be seen")));
    blocks.push(Block::Words(say(
        "Le message n'a de place pour rien de tout cela, et personne ne peut prendre la main sur l'ordinateur avec cet agent :",
        "The message has no room for any of this, and nobody can take control of the computer with this agent:",
    )));
    blocks.extend(NEVER.iter().map(|(french, english, _)| Block::Item(say(french, english))));
    blocks.push(Block::Heading(say("Ce que le serveur peut deviner", "What the server can guess")));
    blocks.push(Block::Words(say(GUESSED.0, GUESSED.1)));
    blocks.push(Block::Heading(say("Ce qui est envoyé", "What is sent")));
    blocks.extend(sent(shown, language));
    blocks
}

/// Whether it is lent. One that was given away knows no server any more, and one that is not enrolled knows none yet.
fn whose(shown: &Shown, language: Language) -> &'static str {
    if shown.server.is_some() {
        return language.pick("Cet ordinateur est prêté.", "This computer is lent.");
    }
    language.pick("Ici, l'agent n'écrit à aucun serveur.", "Here the agent writes to no server.")
}

fn who(shown: &Shown, language: Language) -> Vec<Block> {
    let say = |french: &str, english: &str| language.pick(french, english).to_owned();
    if shown.server.is_none() {
        return vec![Block::Words(say(
            "Personne, tant que l'agent n'écrit à aucun serveur. Si l'ordinateur a été donné ou vendu, l'agent peut être désinstallé.",
            "Nobody, as long as the agent writes to no server. If the computer was given away or sold, the agent can be uninstalled.",
        ))];
    }
    let disclosure = &shown.disclosure;
    let organisation = disclosure.organisation.as_ref().map_or_else(
        || say("L'organisme qui prête cet ordinateur.", "The body that lends this computer."),
        |name| name.as_str().to_owned(),
    );
    let contact = disclosure.contact.as_ref().map_or_else(
        || {
            say(
                "À la personne qui a remis l'ordinateur, ou à l'établissement.",
                "To whoever handed the computer over, or to the school.",
            )
        },
        |contact| contact.as_str().to_owned(),
    );
    let end = say(
        "Si l'ordinateur est donné ou vendu, l'agent efface sa clé et ses données et s'arrête pour toujours.",
        "If the computer is given away or sold, the agent erases its key and its data and stops for ever.",
    );
    let until = disclosure.until.map_or_else(
        || say("Tant que l'ordinateur est prêté.", "As long as the computer is lent."),
        |at| format!("{} {}.", say("Jusqu'au", "Until"), values::day(at, language)),
    );
    let mut blocks = vec![
        Block::Value(say("Qui", "Who"), organisation),
        Block::Value(say("À qui écrire", "Whom to write to"), contact),
        Block::Value(say("Jusqu'à quand", "Until when"), format!("{until} {end}")),
    ];
    if let Some(server) = &shown.server {
        blocks.push(Block::Value(say("À quel serveur", "To which server"), server.clone()));
    }
    blocks
}

fn sent(shown: &Shown, language: Language) -> Vec<Block> {
    let say = |french: &str, english: &str| language.pick(french, english).to_owned();
    let Some(envelope) = &shown.report else {
        return vec![Block::Words(say("Rien n'a encore été envoyé.", "Nothing has been sent yet."))];
    };
    let when = shown.sent_at.map_or_else(
        || say("Rien n'est envoyé pour l'instant. Voici ce qui le serait :", "Nothing is sent for now. This would be:"),
        |at| {
            let day = values::day(at, language);
            match language {
                Language::French => format!("Voici le dernier relevé, envoyé le {day} :"),
                Language::English => format!("This is the last report, sent on {day}:"),
            }
        },
    );
    let mut blocks = vec![Block::Words(when)];
    // Plain structures become JSON and come back without fail; and the way of the wire costs no second serialiser.
    let wire = serde_json::to_vec(&envelope.report).unwrap_or_default();
    let report: Value = serde_json::from_slice(&wire).unwrap_or_default();
    describe(HealthReport::FIELDS, &report, language, &mut blocks);
    let more = "Avec lui voyagent un numéro, l'heure de l'ordinateur et la version de l'agent. Quand rien n'a changé, seule une empreinte du relevé part, pas le relevé.";
    let more_english = "With it travel a number, the computer's clock and the agent's version. When nothing has changed only a hash of the report goes, not the report.";
    blocks.push(Block::Words(say(more, more_english)));
    let orders = "Qui prête l'ordinateur peut demander six choses à l'agent, et rien d'autre : revenir bientôt, envoyer un relevé entier, faire tester le disque par lui-même, afficher un avis de retour, envoyer son propre journal (ses mots à lui et des nombres avec le jour mais sans l'heure, jamais un nom ni un fichier), se retirer quand l'ordinateur est donné.";
    let orders_english = "Whoever lends the computer can ask six things of the agent, and nothing else: to come back soon, to send a whole report, to have the drive test itself, to show a return notice, to send its own log (its own words and numbers with the day but not the hour, never a name or a file), to leave when the computer is given away.";
    blocks.push(Block::Words(say(orders, orders_english)));
    let renewal = "Sous Windows, le programme peut aussi se renouveler lui-même, quand une version nouvelle est publiée et signée. Sous Linux, il est renouvelé avec le reste du système.";
    let renewal_english = "On Windows the program may also renew itself, when a new version is published and signed. On Linux it is renewed with the rest of the system.";
    blocks.push(Block::Words(say(renewal, renewal_english)));
    blocks.push(Block::Heading(say("Le message exact", "The exact message")));
    blocks.push(Block::Exact(json::spread(envelope).unwrap_or_default()));
    blocks
}

/// The values of a structure, each with its reason; long lists within lists are counted, not told.
fn describe(fields: &[Field], structure: &Value, language: Language, blocks: &mut Vec<Block>) {
    for field in fields {
        let Some(value) = structure.get(field.name) else { continue };
        let why = language.pick(field.why_fr, field.why).trim_end_matches('.').to_owned();
        match value {
            Value::Array(rows) if is_top(fields) => {
                blocks.push(Block::Group(why));
                for row in rows {
                    describe(field.fields, row, language, blocks);
                }
            }
            Value::Array(rows) => {
                let lines = language.pick("mesures (voir le message exact)", "readings (see the exact message)");
                blocks.push(Block::Value(why, format!("{} {lines}", rows.len())));
            }
            Value::Object(_) if is_top(fields) => {
                blocks.push(Block::Group(why));
                describe(field.fields, value, language, blocks);
            }
            Value::Object(_) => describe(field.fields, value, language, blocks),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                blocks.push(Block::Value(why, values::value(value, field.unit, language)));
            }
        }
    }
}

/// Whether these are the parts of a report, of which each is a group of its own.
fn is_top(fields: &[Field]) -> bool {
    std::ptr::eq(fields, HealthReport::FIELDS)
}

/// The page as plain text.
#[must_use]
pub fn text(blocks: &[Block]) -> String {
    let mut lines = Vec::new();
    for block in blocks {
        match block {
            Block::Title(words) => lines.extend([words.to_uppercase(), String::new()]),
            Block::Heading(words) => lines.extend([String::new(), format!("== {words} =="), String::new()]),
            Block::Group(words) => lines.extend([String::new(), format!("{words}:")]),
            Block::Words(words) | Block::Exact(words) => lines.push(words.clone()),
            Block::Item(words) => lines.push(format!("  - {words}")),
            Block::Value(why, value) => lines.push(format!("  - {why}: {value}")),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use cartable_common::{ReportId, UtcMillis, action::ActionKind, dictionary, protocol::ReportEnvelope};

    /// A report in which every field of the schema has a value, made from the schema.
    fn full_report() -> Value {
        fn fill(fields: &[Field]) -> Value {
            let value = |field: &Field| match field.unit {
                "structure" => fill(field.fields),
                "list" => Value::Array(vec![fill(field.fields)]),
                "yes or no" => true.into(),
                "text" => "word".into(),
                "UUID" => "4c4c4544-0046-3010-8052-b4c04f564231".into(),
                choices if choices.starts_with('`') => choices.split('`').nth(1).unwrap().into(),
                _ => 7.into(),
            };
            fields.iter().map(|field| (field.name.to_owned(), value(field))).collect::<serde_json::Map<_, _>>().into()
        }
        fill(HealthReport::FIELDS)
    }

    pub(in crate::disclosure) fn shown() -> Shown {
        let report: HealthReport = serde_json::from_value(full_report()).unwrap();
        assert_eq!(serde_json::to_value(&report).unwrap(), full_report(), "a field of the schema is not in a report");
        let (id, at) = (ReportId(uuid::Uuid::nil()), UtcMillis::default().plus_days(20_000));
        Shown {
            server: Some("https://parc.example".to_owned()),
            sent_at: Some(at),
            agent_version: crate::version(),
            report: Some(ReportEnvelope { report_id: id, sequence: 1, measured_at: at, report }),
            disclosure: cartable_common::protocol::Disclosure::default(),
        }
    }

    #[test]
    fn every_field_of_the_schema_is_told_in_words_in_both_languages() {
        let (shown, sensors) = (shown(), "drives[].ata_attributes[].");
        for language in [Language::French, Language::English] {
            let blocks = page(&shown, language);
            for entry in dictionary::entries().iter().filter(|entry| !entry.path.starts_with(sensors)) {
                let why = language.pick(entry.why_fr, entry.why).trim_end_matches('.');
                // A structure within a structure is told by its fields.
                let is_inner = entry.unit == "structure" && entry.path.contains('.');
                let is_told = blocks.iter().any(|block| match block {
                    Block::Group(words) | Block::Value(words, _) => words == why,
                    Block::Title(_) | Block::Heading(_) | Block::Words(_) | Block::Item(_) | Block::Exact(_) => false,
                });
                assert!(is_told || is_inner, "{} is sent and not told", entry.path);
            }
        }
    }

    #[test]
    fn what_can_be_ordered_is_told_to_the_last_and_counted() {
        for (language, count, last, renewal) in [
            (Language::French, "six choses à l'agent, et rien d'autre : ", "se retirer", "Sous Windows, le programme"),
            (Language::English, "six things of the agent, and nothing else: ", "to leave", "On Windows the program"),
        ] {
            let blocks = page(&shown(), language);
            let words: Vec<&str> = blocks
                .iter()
                .filter_map(|block| if let Block::Words(words) = block { Some(words.as_str()) } else { None })
                .collect();
            let (_, told) = words.iter().find_map(|words| words.split_once(count)).unwrap();
            // What follows the comma within a bracket is no order.
            let orders: Vec<&str> =
                told.split(", ").filter(|order| !order.starts_with("jamais") && !order.starts_with("never")).collect();
            // In the place of `Unknown` there is another: to leave.
            assert_eq!(orders.len(), ActionKind::ALL.len(), "{orders:?}");
            assert!(orders.last().is_some_and(|order| order.starts_with(last)), "{orders:?}");
            assert!(words.iter().any(|words| words.starts_with(renewal)), "{words:?}");
        }
    }

    #[test]
    fn the_exact_message_is_the_exact_message() {
        let shown = shown();
        let exact = page(&shown, Language::French).into_iter().find_map(|block| match block {
            Block::Exact(words) => Some(words),
            Block::Title(_)
            | Block::Heading(_)
            | Block::Group(_)
            | Block::Words(_)
            | Block::Item(_)
            | Block::Value(..) => None,
        });
        let read: ReportEnvelope = serde_json::from_str(&exact.unwrap()).unwrap();
        assert_eq!(Some(read), shown.report);
    }

    /// What a report and an answer to an order can hold.
    fn all_fields() -> Vec<dictionary::Entry> {
        dictionary::entries().into_iter().chain(dictionary::answers()).collect()
    }

    #[test]
    fn what_can_never_be_seen_has_no_field() {
        for (french, _, words) in NEVER {
            for entry in all_fields() {
                let name = entry.path.rsplit('.').next().unwrap_or_default().trim_end_matches("[]").to_owned();
                let told = name.split('_').find(|part| words.contains(part));
                assert!(told.is_none(), "\"{french}\" is a lie: {}", entry.path);
            }
        }
    }

    #[test]
    fn no_field_tells_an_hour_and_the_page_does_not_promise_what_a_contact_tells() {
        for entry in all_fields() {
            assert_ne!(entry.unit, UtcMillis::UNIT, "{} tells at which hours the laptop was open", entry.path);
        }
        // Each contact is a moment at which the laptop was on, and comes from an address.
        for (french, english, _) in NEVER {
            for told in ["heure", "quand", "adresse", "hour", "when", "address"] {
                let words = format!("{french} {english}").to_lowercase();
                assert!(!words.contains(told), "\"{words}\": the server learns it by being written to");
            }
        }
        for (language, told, kept) in [
            (Language::French, "à peu près quand l'ordinateur est allumé", "sauf quand l'agent a reçu son certificat"),
            (Language::English, "more or less when the computer is on", "except of when the agent got its certificate"),
        ] {
            let words = text(&page(&shown(), language));
            assert!(words.contains(told), "what the server can guess is not told");
            assert!(
                words.contains(kept),
                "a certificate bears the second of its contact for ever, and that is not told"
            );
        }
    }

    #[test]
    fn who_whom_and_until_when_are_always_answered() {
        let mut shown = shown();
        for language in [Language::French, Language::English] {
            let words = text(&page(&shown, language));
            assert!(words.contains("https://parc.example"), "{words}");
            assert!(
                words.contains(language.pick("Tant que l'ordinateur est prêté.", "As long as the computer is lent."))
            );
        }
        shown.disclosure.organisation = cartable_common::Text::meaningful("Département du Nord");
        shown.disclosure.until = Some(UtcMillis::default().plus_days(20_000));
        let words = text(&page(&shown, Language::French));
        assert!(words.contains("Département du Nord") && words.contains("Jusqu'au 4 octobre 2024."), "{words}");
        shown.report = None;
        assert!(text(&page(&shown, Language::English)).contains("Nothing has been sent yet."));
    }

    #[test]
    fn a_computer_that_writes_to_no_server_is_not_called_lent() {
        for (language, lent) in [(Language::French, "ordinateur est prêté"), (Language::English, "omputer is lent")] {
            assert!(text(&page(&shown(), language)).contains(lent));
            let given = Shown { server: None, sent_at: None, ..shown() };
            let words = text(&page(&given, language));
            assert!(!words.contains(lent), "its owner reads this: {words}");
            assert!(words.contains(language.pick("peut être désinstallé", "can be uninstalled")), "{words}");
        }
    }
}
