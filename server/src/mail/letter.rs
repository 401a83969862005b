//! What an e-mail says: plain text in French or English, one text for everything that a recipient is told.
//!
//! A device is named by its label and serial number, a borrower by its reference, never by name. Dates are given as
//! dates, not as "in three days": a repeat after a failure says the same.

use std::fmt::Write as _;

use fluent_bundle::FluentValue;
use jiff::civil::Date;

use super::words::Words;
use crate::domain::{
    language::Language,
    notice::{CampaignLetter, Reason, RecipientKind},
};

/// One loan that a letter speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Why.
    pub reason: Reason,
    /// Its due day.
    pub due: Option<Date>,
    /// The device's label.
    pub asset_tag: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Maker and model.
    pub model: Option<String>,
    /// The borrower's reference.
    pub borrower: String,
    /// What was missing when it came back.
    pub missing: Vec<String>,
}

/// A letter, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// What a group of lines is about, in the order of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Topic {
    Overdue,
    Due,
    Campaign,
    Unreachable,
    HandedOver,
    Returned,
}

impl Topic {
    fn of(reason: &Reason) -> Self {
        match reason {
            Reason::LoanDue { step, .. } if *step > 0 => Self::Overdue,
            Reason::LoanDue { .. } => Self::Due,
            Reason::Campaign { .. } => Self::Campaign,
            Reason::Unreachable { .. } => Self::Unreachable,
            Reason::HandedOver { .. } => Self::HandedOver,
            Reason::Returned { .. } => Self::Returned,
        }
    }

    /// Its part of the catalogue's keys.
    const fn key(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::Due => "due",
            Self::Campaign => "campaign",
            Self::Unreachable => "unreachable",
            Self::HandedOver => "handed-over",
            Self::Returned => "returned",
        }
    }
}

/// The letter about `items` to a recipient of that kind, signed by `sender`.
#[must_use]
pub fn write(items: &[Item], to: RecipientKind, language: Language, sender: &str) -> Letter {
    let words = Words(language);
    let mut topics: Vec<(Topic, Vec<&Item>)> = Vec::new();
    for item in items {
        let topic = Topic::of(&item.reason);
        match topics.iter_mut().find(|(known, _)| *known == topic) {
            Some((_, group)) => group.push(item),
            None => topics.push((topic, vec![item])),
        }
    }
    topics.sort_by_key(|(topic, _)| *topic);
    let mut text = words.say("greeting", &[]);
    text.push_str("\n\n");
    for (topic, group) in &topics {
        section(&mut text, words, *topic, group, to);
    }
    let closing = if to == RecipientKind::Borrower { "closing-family" } else { "closing-site" };
    text.push_str(&words.say(closing, &[]));
    text.push_str("\n\n");
    let _ = write!(text, "-- \n{}\n{}\n", one_line(sender), words.say("automatic", &[]));
    Letter { subject: subject(words, &topics, items.len()), text }
}

fn subject(words: Words, topics: &[(Topic, Vec<&Item>)], count: usize) -> String {
    let count = FluentValue::from(count);
    match topics {
        [(Topic::Due, group)] if group.iter().all(|item| item.due == group[0].due) => {
            let date = group[0].due.map(|date| words.date(date)).unwrap_or_default();
            words.say("subject-due-on", &[("count", count), ("date", date.into())])
        }
        [(topic, _)] => words.say(&format!("subject-{}", topic.key()), &[("count", count)]),
        _ => words.say("subject-several", &[("count", count)]),
    }
}

fn section(text: &mut String, words: Words, topic: Topic, items: &[&Item], to: RecipientKind) {
    let count = FluentValue::from(items.len());
    if topic == Topic::Campaign {
        campaigns(text, words, items, to);
        return;
    }
    text.push_str(&words.say(&format!("about-{}", topic.key()), &[("count", count)]));
    text.push_str("\n\n");
    list(text, words, items, to);
}

/// Each campaign with its days and place, and the devices that it asks for.
fn campaigns(text: &mut String, words: Words, items: &[&Item], to: RecipientKind) {
    let mut letters: Vec<(&CampaignLetter, Vec<&Item>)> = Vec::new();
    for item in items {
        let Reason::Campaign { letter, .. } = &item.reason else { continue };
        let same = |(known, _): &&mut (&CampaignLetter, Vec<&Item>)| *known == letter;
        match letters.iter_mut().find(same) {
            Some((_, group)) => group.push(item),
            None => letters.push((letter, vec![item])),
        }
    }
    for (letter, group) in letters {
        let values = [
            ("title", one_line(&letter.title).into()),
            ("first", words.date(letter.first).into()),
            ("last", words.date(letter.last).into()),
            ("place", one_line(&letter.place).into()),
            ("count", FluentValue::from(group.len())),
        ];
        text.push_str(&words.say("about-campaign", &values));
        text.push_str("\n\n");
        list(text, words, &group, to);
    }
}

/// The devices: in sentences for a family with a few, as a table for who has many.
fn list(text: &mut String, words: Words, items: &[&Item], to: RecipientKind) {
    /// From so many on, a table is easier to read.
    const TABLE_FROM: usize = 6;
    if to != RecipientKind::Borrower || items.len() >= TABLE_FROM {
        table(text, words, items, to);
        return;
    }
    for item in items {
        let _ = writeln!(text, "– {}", sentence(words, item));
    }
    text.push('\n');
}

fn sentence(words: Words, item: &Item) -> String {
    let mut line = device(words, item);
    if let (Some(date), false) = (item.due, matches!(item.reason, Reason::Returned { .. })) {
        line.push_str(&words.say("line-due", &[("date", words.date(date).into())]));
    }
    if !item.missing.is_empty() {
        let missing: Vec<String> = item.missing.iter().map(|part| one_line(part)).collect();
        line.push_str(&words.say("line-missing", &[("what", missing.join(", ").into())]));
    }
    line
}

/// A device as people recognise it: its model, its label, its serial number.
fn device(words: Words, item: &Item) -> String {
    let model = item.model.as_deref().map_or_else(|| words.say("device", &[]), one_line);
    let marks: Vec<String> = [("mark-label", &item.asset_tag), ("mark-serial", &item.serial)]
        .into_iter()
        .filter_map(|(key, mark)| Some(words.say(key, &[("value", one_line(mark.as_deref()?).into())])))
        .collect();
    if marks.is_empty() { model } else { format!("{model} ({})", marks.join(", ")) }
}

fn table(text: &mut String, words: Words, items: &[&Item], to: RecipientKind) {
    let head = ["table-label", "table-serial", "table-due", "table-borrower"].map(|key| words.say(key, &[]));
    let mut rows = vec![head];
    for item in items {
        let mark = |mark: &Option<String>| mark.as_deref().map_or_else(|| "–".to_owned(), one_line);
        let due = item.due.map_or_else(|| "–".to_owned(), |date| date.to_string());
        rows.push([mark(&item.asset_tag), mark(&item.serial), due, item.borrower.clone()]);
    }
    // A borrower knows its own reference.
    let columns = if to == RecipientKind::Borrower { 3 } else { 4 };
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    text.push('\n');
}

/// Text from people and machines, harmless in a line of a letter.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 120;
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
}

/// What `mail test` sends.
#[must_use]
pub fn test_letter(language: Language, sender: &str) -> Letter {
    let words = Words(language);
    Letter {
        subject: words.say("subject-test", &[]),
        text: format!("{}\n\n-- \n{}\n", words.say("about-test", &[]), one_line(sender)),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use uuid::Uuid;

    use super::*;

    fn item(number: u32, reason: Reason) -> Item {
        Item {
            reason,
            due: Some(date(2027, 7, 2)),
            asset_tag: Some(format!("PC-{number:04}")),
            serial: Some(format!("5CG{number}")),
            model: Some("HP ProBook 430".into()),
            borrower: "B-7K3M-Q2ZD".into(),
            missing: vec![],
        }
    }

    fn due(step: i32) -> Reason {
        Reason::LoanDue { loan: Uuid::nil(), due: date(2027, 7, 2), step }
    }

    #[test]
    fn a_family_reads_one_short_letter() {
        let letter = write(&[item(1, due(-7))], RecipientKind::Borrower, Language::French, "Département du Val");
        assert_eq!(letter.subject, "Appareil prêté : à rendre le vendredi 2 juillet 2027".replace(" :", "\u{a0}:"));
        insta::assert_snapshot!(letter.text);
        let english = write(&[item(1, due(-7))], RecipientKind::Borrower, Language::English, "Département du Val");
        insta::assert_snapshot!(english.text);
        assert!(!letter.text.contains("B-7K3M"), "a family needs no reference");
    }

    #[test]
    fn a_referent_reads_a_table_of_everything() {
        let mut items: Vec<Item> = (1..=3).map(|number| item(number, due(7))).collect();
        items.push(item(4, due(-1)));
        items.push(Item { missing: vec!["chargeur".into()], ..item(5, Reason::Returned { loan: Uuid::nil() }) });
        let letter = CampaignLetter {
            campaign: Uuid::nil(),
            letter: 1,
            title: "Restitution 2027".into(),
            first: date(2027, 6, 14),
            last: date(2027, 6, 18),
            place: "CDI, 12 h – 14 h".into(),
        };
        items.push(item(6, Reason::Campaign { loan: Uuid::nil(), letter }));
        let french = write(&items, RecipientKind::Referent, Language::French, "Cartable");
        insta::assert_snapshot!(format!("{}\n\n{}", french.subject, french.text));
        let english = write(&items, RecipientKind::Referent, Language::English, "Cartable");
        insta::assert_snapshot!(format!("{}\n\n{}", english.subject, english.text));
    }

    #[test]
    fn text_from_a_machine_cannot_break_out_of_its_line() {
        let hostile =
            Item { model: Some("HP\r\nBcc: x@y".into()), asset_tag: Some("\n.\n".into()), ..item(1, due(-1)) };
        let letter = write(&[hostile], RecipientKind::Borrower, Language::English, "a\nb");
        assert!(letter.text.lines().all(|line| line != "." && !line.starts_with("Bcc")), "{}", letter.text);
    }
}
