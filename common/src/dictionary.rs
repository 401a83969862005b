//! The dictionary of everything that an agent sends, generated from the report's types.

use std::fmt::Write as _;

use crate::{
    action::ActionResult,
    describe::{Described, Field},
    report::HealthReport,
};

/// One line of the dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The path in the JSON, with `[]` for each element of a list: `drives[].capacity_bytes`.
    pub path: String,
    /// The unit or the form of the value.
    pub unit: &'static str,
    /// Why it is collected, in English.
    pub why: &'static str,
    /// Why it is collected, in French.
    pub why_fr: &'static str,
}

/// Every field of a report, in the order in which it is written.
pub fn entries() -> Vec<Entry> {
    let mut entries = Vec::new();
    collect("", HealthReport::FIELDS, &mut entries);
    entries
}

fn collect(prefix: &str, fields: &[Field], entries: &mut Vec<Entry>) {
    for field in fields {
        let path = format!("{prefix}{}", field.name);
        let separator = if field.unit == "list" { "[]." } else { "." };
        entries.push(Entry { path: path.clone(), unit: field.unit, why: field.why, why_fr: field.why_fr });
        collect(&format!("{path}{separator}"), field.fields, entries);
    }
}

/// docs/what-is-sent.md, whole.
pub fn markdown() -> String {
    let mut page = String::from(HEADER);
    for entry in entries() {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| `{}` | {} | {} | {} |", entry.path, entry.unit, entry.why_fr, entry.why);
    }
    page.push_str(ANSWERS);
    for entry in answers() {
        let _ = writeln!(page, "| `{}` | {} | {} | {} |", entry.path, entry.unit, entry.why_fr, entry.why);
    }
    page.push_str(FOOTER);
    page
}

/// Every field of an answer to an order.
pub fn answers() -> Vec<Entry> {
    let mut entries = Vec::new();
    collect("", ActionResult::FIELDS, &mut entries);
    entries
}

const ANSWERS: &str = "
## Réponse à une demande · Answer to an order

Une personne qui s'occupe des prêts peut demander cinq choses à l'agent, auxquelles il répond une fois, et une sixième, sans
réponse : se retirer quand l'ordinateur est donné ; et rien d'autre ([actions.md](actions.md)). Le journal est celui de
l'agent seul : des mots qui figurent dans son programme, et des nombres. Sous Windows, le programme peut aussi se renouveler
lui-même, avec des versions signées ([updates.md](updates.md)).

Whoever looks after the loans can order five things of the agent, which it answers once, and a sixth without an answer: to
leave when the computer is given away; and nothing else ([actions.md](actions.md)). The log is the agent's own alone: words
that stand in its program, and numbers. On Windows the program may also renew itself, with signed versions
([updates.md](updates.md)).

| Champ · Field | Unité · Unit | Pourquoi | Why |
| --- | --- | --- | --- |
";

const HEADER: &str = "\
<!-- Generated from common/src/report.rs. To renew: CARTABLE_BLESS=1 cargo test -p cartable-common what_is_sent -->

# Ce qui est envoyé · What is sent

Voici tout ce que l'agent peut envoyer au sujet d'un ordinateur prêté. Ce qui n'est pas dans ce tableau ne peut pas
être envoyé : ni position, ni adresse, ni réseau Wi-Fi, ni nom d'utilisateur ou d'ordinateur, ni fichier, ni liste de
logiciels, ni programme en cours, ni navigation, ni caméra, ni écran. Sur l'ordinateur, `cartable-agent show` montre le
relevé exact.

This is everything the agent can send about a lent computer. What is not in this table cannot be sent: no location, no
address, no Wi-Fi network, no user or computer name, no file, no list of software, no running program, no browsing, no
camera, no screen. On the computer, `cartable-agent show` prints the exact report.

| Champ · Field | Unité · Unit | Pourquoi | Why |
| --- | --- | --- | --- |
";

const FOOTER: &str = "
Avec chaque relevé voyagent : un numéro de relevé, un numéro d'ordre, l'heure de l'agent, sa version et une empreinte
du contenu. Une valeur qui n'a pas été lue est absente, jamais zéro.

L'agent écrit au serveur quand l'ordinateur est allumé, en général une fois par heure : le serveur peut donc savoir à peu
près quand il l'est, mais pas qui s'en sert ni pour quoi faire. Au bout de 30 jours, il n'en garde que le jour, sauf quand
l'agent a reçu son certificat : à l'inscription, puis tous les deux mois environ. Le journal d'audit ne note que le jour où
l'agent a répondu à une demande, mais il garde l'ordre de ses lignes.

Là où cet agent ne peut pas être installé, GLPI Agent ou FusionInventory peut rapporter à sa place
([other-agents.md](other-agents.md)). Ils listent davantage ; le serveur dit au premier ce qu'il doit taire, et ne garde
de l'un et de l'autre que des champs de ce tableau.

With each report travel: a report number, a sequence number, the agent's clock, its version and a hash of the content.
A value that was not read is absent, never zero.

The agent writes to the server while the computer is on, usually once an hour: so the server can know more or less when it
is on, but not who uses it or what for. After 30 days it keeps only the day, except of when the agent got its certificate: as
it enrolled, then about every two months. The audit notes only the day on which the agent answered an order, but it keeps the
order of its rows.

Where this agent cannot be installed, GLPI Agent or FusionInventory may report instead
([other-agents.md](other-agents.md)). They list more; the server tells the former what to leave out, and keeps of either
only fields of this table.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/what-is-sent.md");
        if std::env::var_os("CARTABLE_BLESS").is_some() {
            std::fs::write(path, markdown()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == markdown(), "docs/what-is-sent.md is stale: run this test with CARTABLE_BLESS=1");
    }

    #[test]
    fn every_field_has_a_unit_and_a_reason_in_both_languages() {
        let entries = entries();
        assert!(entries.len() > 60);
        for entry in entries.into_iter().chain(answers()) {
            assert!(
                !entry.unit.is_empty() && entry.why.ends_with('.') && entry.why_fr.ends_with('.'),
                "{}",
                entry.path
            );
        }
    }

    #[test]
    fn nothing_private_has_a_name_in_the_schema() {
        for entry in entries().into_iter().chain(answers()) {
            for private in ["path", "user", "host", "ip", "ssid", "location", "mac", "file_name", "process"] {
                let last = entry.path.rsplit('.').next().unwrap_or_default();
                assert!(!last.split('_').any(|word| word == private), "{}", entry.path);
            }
        }
    }
}
