//! An act's details in words: what they are about, and values as people write them. What has no words here is shown as
//! it was recorded; the page keeps the recorded form beside.

use cartable_common::UtcMillis;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{format, i18n::Words};

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is; days, numbers, yes and no in the reader's language.
    Plain,
    /// A moment in milliseconds.
    Moment,
    /// A word of one of these families.
    Word(&'static [&'static str]),
    /// Something with a page of its own below this address, where it is named by its id.
    Link(&'static str),
}

use Form::{Link, Moment, Plain, Word};

/// Every name in details that has a word, `audit-key-…`, and how its value is written.
pub(super) const KEYS: [(&str, Form); 135] = [
    ("about", Plain),
    ("accessories", Plain),
    ("admits", Word(&["token-admits"])),
    ("after", Word(&["status", "work-stage"])),
    ("agreement_version", Plain),
    ("api_token", Plain),
    ("api_tokens_revoked", Plain),
    ("architecture", Plain),
    ("asset_tag", Plain),
    ("bad", Plain),
    ("basis", Word(&["basis"])),
    ("because", Word(&["audit-because"])),
    ("before", Word(&["status", "work-stage"])),
    ("begins_at", Moment),
    ("blanks", Plain),
    ("borrower", Link("/borrowers")),
    ("bundle", Plain),
    ("bytes", Plain),
    ("campaign", Link("/campaigns")),
    ("cap", Plain),
    ("changed", Word(&["audit-key"])),
    ("choice", Plain),
    ("class", Word(&["recipient-class"])),
    ("coarsened", Plain),
    ("code", Word(&["flag"])),
    ("commune", Plain),
    ("condition", Word(&["condition"])),
    ("contact_expected", Word(&["contact-expected"])),
    ("count", Plain),
    ("day", Plain),
    ("days", Plain),
    ("deed", Plain),
    ("deleted", Plain),
    ("demand", Word(&["erasure-demand"])),
    ("desks", Plain),
    ("device", Link("/devices")),
    ("devices", Link("/devices")),
    ("drive", Plain),
    ("disposition", Word(&["work-disposition"])),
    ("due", Plain),
    ("ended_at", Moment),
    ("ends_at", Moment),
    ("enrolment", Plain),
    ("erasure", Plain),
    ("estimation", Word(&["estimation"])),
    ("events", Plain),
    ("expires_at", Moment),
    ("file", Plain),
    ("files_sha256", Plain),
    ("first", Plain),
    ("for", Plain),
    ("form", Plain),
    ("from", Word(&["loan"])),
    ("given", Plain),
    ("gone", Plain),
    ("grade", Word(&["grade"])),
    ("holidays", Plain),
    ("hours", Plain),
    ("identity", Plain),
    ("institution", Plain),
    ("inventory_of", Plain),
    ("kind", Word(&["programme-kind", "borrower-kind", "import-kind", "action-kind"])),
    ("known_before", Plain),
    ("label", Plain),
    ("last", Plain),
    ("leaving", Plain),
    ("left", Plain),
    ("left_out", Plain),
    ("level", Word(&["level"])),
    ("levels", Word(&["level"])),
    ("loan", Link("/loans")),
    ("loans", Plain),
    ("login", Plain),
    ("lot", Link("/lots")),
    ("made_at", Moment),
    ("manufacturer", Plain),
    ("membership", Word(&["staff-role"])),
    ("message", Link("/notices")),
    ("method", Word(&["erasure-method"])),
    ("missing", Plain),
    ("model", Plain),
    ("moved", Plain),
    ("name", Plain),
    ("needs", Plain),
    ("new", Plain),
    ("new_enrolment", Plain),
    ("on_error", Plain),
    ("opened", Plain),
    ("outcome", Word(&["erasure-outcome", "action-outcome"])),
    ("owner", Plain),
    ("part", Word(&["part-kind"])),
    ("pdf_sha256", Plain),
    ("percent", Plain),
    ("police_report", Plain),
    ("programme", Link("/programmes")),
    ("programme_changed", Plain),
    ("programmes", Link("/programmes")),
    ("rank", Plain),
    ("reason", Plain),
    ("reasons", Word(&["need-reason"])),
    ("recipient", Plain),
    ("reference", Plain),
    ("referent", Plain),
    ("refused", Plain),
    ("renewals", Plain),
    ("reserved", Plain),
    ("role", Plain),
    ("rows", Plain),
    ("same", Plain),
    ("serial", Plain),
    ("serial_before", Plain),
    ("sessions_ended", Plain),
    ("sha256", Plain),
    ("shown", Plain),
    ("signature", Word(&["signature"])),
    ("signing_key", Plain),
    ("site", Link("/sites")),
    ("sites", Link("/sites")),
    ("slots", Plain),
    ("state", Word(&["import-state"])),
    ("step", Word(&["work-step"])),
    ("supported", Plain),
    ("template", Plain),
    ("template_sha256", Plain),
    ("term", Word(&["programme-term"])),
    ("uai", Plain),
    ("unit_cents", Plain),
    ("units", Plain),
    ("until", Moment),
    ("url", Plain),
    ("value", Plain),
    ("version", Plain),
    ("waits_for", Word(&["waits-for"])),
    ("warranty_until", Plain),
    ("zone", Plain),
];

/// Every act that has a word, `audit-act-…`; another is shown by its name.
pub(super) const ACTS: [&str; 134] = [
    "agent_release.add",
    "agent_release.halt",
    "agent_release.publish",
    "agent_release.stage",
    "allocation.approve",
    "allocation.drop",
    "allocation.drop_line",
    "allocation.propose",
    "allocation.swap",
    "api_token.create",
    "api_token.revoke",
    "authority.begin_root",
    "authority.drop_earlier",
    "authority.renew_devices",
    "authority.renew_gateway",
    "authority.renew_signer",
    "authority.restored",
    "authority.retire_root",
    "authority.switch_root",
    "borrower.change",
    "borrower.change_identity",
    "borrower.create",
    "borrower.erase_identity",
    "borrower.export",
    "borrower.identity_read",
    "borrower.left_site",
    "borrower.list_names",
    "borrower.search_name",
    "borrower.see_identity",
    "calendar.import",
    "campaign.change",
    "campaign.close",
    "campaign.drop",
    "campaign.excuse",
    "campaign.plan",
    "campaign.set_desks",
    "campaign.start",
    "campaign.undo_excuse",
    "campaign.write_again",
    "device.accept_baseline",
    "device.archive",
    "device.bring_inventory",
    "device.correct",
    "device.create",
    "device.donate",
    "device.issue_foreign_agent",
    "device.put_in_stock",
    "device.revoke_foreign_agent",
    "device.set_asset_tag",
    "device.set_status",
    "device.unarchive",
    "device_action.answer",
    "device_action.order",
    "device_action.order_many",
    "device_action.withdraw",
    "document.make",
    "donation_lot.add",
    "donation_lot.approve",
    "donation_lot.create",
    "donation_lot.deliver",
    "donation_lot.drop",
    "donation_lot.remove",
    "donation_lot.set_terms",
    "donation_lot.value",
    "donation_recipient.create",
    "donation_recipient.end",
    "enrolment.approve",
    "enrolment.heal",
    "enrolment.quarantine",
    "enrolment.lapse",
    "enrolment.readmit",
    "enrolment.refuse",
    "enrolment_token.create",
    "enrolment_token.revoke",
    "erasure.absent",
    "erasure.by_hand",
    "erasure.evidence",
    "erasure.witness",
    "exam.end",
    "exam.order",
    "exam.remove",
    "flag.acknowledge",
    "flag.snooze",
    "import.begin",
    "import.delete",
    "import.end",
    "import.read_bad_rows",
    "loan.cancel",
    "loan.extend",
    "loan.hand_over",
    "loan.lose",
    "loan.reserve",
    "loan.see_signature",
    "loan.steal",
    "loan.take_back",
    "loan.undo_return",
    "loan.write_off",
    "message.bounce",
    "message.send_again",
    "need.change",
    "need.enter",
    "need.withdraw",
    "newcomer.approve",
    "newcomer.lapse",
    "newcomer.refuse",
    "part.add",
    "part.count",
    "part.harvest",
    "part.use",
    "person.change_password",
    "person.create",
    "person.disable",
    "programme.change",
    "programme.close",
    "programme.create",
    "programme.reopen",
    "recovery.approve",
    "recovery.grant",
    "recovery.refuse",
    "retention.apply",
    "retention.drop_month",
    "session.open",
    "site.add_referent",
    "site.change",
    "site.create",
    "site.end_referent",
    "site.put",
    "webhook.add",
    "webhook.disable",
    "work_order.add_photo",
    "work_order.move",
    "work_order.remove_photo",
    "work_order.take_in",
    "work_order.waive_erasure",
];

/// Every kind of thing that has a word, `audit-kind-…`; another is shown by its name.
pub(super) const KINDS: [&str; 30] = [
    "agent_release",
    "allocation",
    "api_token",
    "authority",
    "borrower",
    "campaign",
    "device",
    "device_action",
    "device_actions",
    "devices_up_to",
    "document",
    "donation_lot",
    "donation_recipient",
    "enrolment",
    "enrolment_token",
    "exam",
    "flag",
    "import",
    "loan",
    "message",
    "need",
    "newcomer",
    "part",
    "person",
    "programme",
    "recovery",
    "school_calendar",
    "site",
    "webhook",
    "work_order",
];

/// What was done, in words where there are any.
pub(super) fn act(action: &str, words: Words) -> String {
    if !ACTS.contains(&action) {
        return action.to_owned();
    }
    words.word("audit-act", &action.replace('.', "-"))
}

/// What kind of thing it was done to, in words where there are any.
pub(super) fn kind(kind: &str, words: Words) -> String {
    if KINDS.contains(&kind) { words.word("audit-kind", kind) } else { kind.to_owned() }
}

/// The page of what it was done to, where it has one.
pub(super) fn page_of(kind: &str, id: &str) -> Option<String> {
    const PAGES: [(&str, &str); 9] = [
        ("allocation", "/allocations"),
        ("borrower", "/borrowers"),
        ("campaign", "/campaigns"),
        ("device", "/devices"),
        ("import", "/imports"),
        ("loan", "/loans"),
        ("programme", "/programmes"),
        ("site", "/sites"),
        ("work_order", "/work-orders"),
    ];
    id.parse::<Uuid>().ok()?;
    PAGES.iter().find(|(known, _)| *known == kind).map(|(_, below)| format!("{below}/{id}"))
}

/// One value of an act's details.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// What it is.
    pub(super) name: String,
    /// Its value.
    pub(super) value: String,
    /// Where what it names is shown.
    pub(super) href: Option<String>,
}

/// The details of an act in words; nothing where they are none.
pub(super) fn entries(details: &str, words: Words) -> Vec<Entry> {
    let Ok(Value::Object(details)) = serde_json::from_str::<Value>(details) else { return Vec::new() };
    if let (Some(Value::Object(before)), Some(Value::Object(after))) = (details.get("before"), details.get("after")) {
        return changed(before, after, words);
    }
    let told = details.iter().filter(|(key, value)| !value.is_null() || is_told_when_absent(key));
    told.flat_map(|(key, value)| entry(key, value, words)).collect()
}

/// Without a value these say something: there was no tag before, nobody left.
fn is_told_when_absent(key: &str) -> bool {
    ["before", "after", "left"].contains(&key)
}

/// What differs between two descriptions of the same thing.
fn changed(before: &Map<String, Value>, after: &Map<String, Value>, words: Words) -> Vec<Entry> {
    let differs = after.iter().filter(|(key, value)| before.get(*key) != Some(value));
    differs
        .map(|(key, value)| {
            let form = form_of(key);
            let before = written(before.get(key).unwrap_or(&Value::Null), form, words);
            let value = words.with_two("audit-from-to", &before, &written(value, form, words));
            Entry { name: name_of(key, words), value, href: None }
        })
        .collect()
}

fn entry(key: &str, value: &Value, words: Words) -> Vec<Entry> {
    if let Value::Object(parts) = value {
        return parts
            .iter()
            .filter(|(_, part)| !is_empty(part))
            .flat_map(|(part, value)| entry(part, value, words))
            .map(|inner| Entry { name: words.with_two("audit-part", &name_of(key, words), &inner.name), ..inner })
            .collect();
    }
    let form = form_of(key);
    let href = match (form, value) {
        (Link(below), Value::String(id)) if id.parse::<Uuid>().is_ok() => Some(format!("{below}/{id}")),
        _ => None,
    };
    vec![Entry { name: name_of(key, words), value: written(value, form, words), href }]
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

fn form_of(key: &str) -> Form {
    KEYS.iter().find(|(known, _)| *known == key).map_or(Plain, |(_, form)| *form)
}

fn name_of(key: &str, words: Words) -> String {
    if KEYS.iter().any(|(known, _)| *known == key) { words.word("audit-key", key) } else { key.replace('_', " ") }
}

fn written(value: &Value, form: Form, words: Words) -> String {
    match value {
        Value::Null => words.say("absent"),
        Value::Bool(yes) => words.word("yes-no", if *yes { "yes" } else { "no" }),
        Value::Number(number) => match (form, number.as_i64()) {
            (Moment, Some(millis)) => {
                let moment = UtcMillis::new(millis);
                moment.map_or_else(|| number.to_string(), |moment| format::date_time(moment, words))
            }
            (_, Some(whole)) => format::number(whole, words.language),
            (_, None) => number.to_string(),
        },
        Value::String(text) => written_text(text, form, words),
        Value::Array(items) if items.is_empty() => words.say("absent"),
        Value::Array(items) => items.iter().map(|item| written(item, form, words)).collect::<Vec<_>>().join(", "),
        Value::Object(_) => value.to_string(),
    }
}

fn written_text(text: &str, form: Form, words: Words) -> String {
    /// `2026-09-07`
    const DAY_CHARS: usize = 10;
    let word = match form {
        Word(families) => families.iter().find_map(|family| words.find(&format!("{family}-{text}"))),
        Plain | Moment | Link(_) => None,
    };
    let day = || (text.len() == DAY_CHARS).then(|| text.parse::<jiff::civil::Date>().ok()).flatten();
    word.or_else(|| day().map(|day| format::civil_date(day, words))).unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::language::Language;

    fn told(details: &str, language: Language) -> Vec<String> {
        let plain = |text: String| text.replace(['\u{a0}', '\u{202f}'], " ");
        let entries = entries(details, Words::of(language)).into_iter();
        entries.map(|entry| plain(format!("{}: {}", entry.name, entry.value))).collect()
    }

    #[test]
    fn details_are_told_in_both_languages() {
        let returned = r#"{"agreement_version":null,"condition":"damaged","due":"2027-07-02","from":"lost",
            "identity":true,"missing":["chargeur","sacoche"],"rows":21000,"until":1795600000000}"#;
        let french = [
            "État: Abîmé",
            "À rendre le: 2 juil. 2027",
            "Était: Perdu",
            "Identité: Oui",
            "Il manque: chargeur, sacoche",
            "Lignes: 21 000",
            "Jusqu’au: 25 nov. 2026 à 10:46",
        ];
        assert_eq!(told(returned, Language::French), french);
        assert_eq!(told(returned, Language::English)[2..4], ["Was: Lost", "Identity: Yes"]);
        assert_eq!(act("loan.take_back", Words::of(Language::French)), "Appareil repris");
        assert_eq!(act("something.else", Words::of(Language::French)), "something.else");
    }

    #[test]
    fn of_a_change_only_what_differs_is_told() {
        let change =
            r#"{"after":{"commune":"Lyon","name":"B","zone":"C"},"before":{"commune":"Lyon","name":"A","zone":"A"}}"#;
        assert_eq!(told(change, Language::English), ["Name: A → B", "Zone: A → C"]);
        let status = r#"{"after":"active","before":"pending","reason":"ok"}"#;
        assert_eq!(told(status, Language::French)[1], "Avant: En attente");
        assert_eq!(told(r#"{"after":"T1","before":null}"#, Language::French), ["Après: T1", "Avant: absent"]);
    }

    #[test]
    fn parts_links_and_what_is_unknown_are_told_as_far_as_they_go() {
        let plan = r#"{"choice":{"leaving":true,"levels":["3e"],"programmes":[]},"something_else":[1,2]}"#;
        let said = told(plan, Language::English);
        assert_eq!(
            said,
            ["Choice · Leaving pupils alone: Yes", "Choice · Levels: 3e (year 10)", "something else: 1, 2"]
        );
        let words = Words::of(Language::French);
        let id = "0192f3a0-0000-7000-8000-000000000001";
        let linked = entries(&format!(r#"{{"device":"{id}","site":"0691234S"}}"#), words);
        assert_eq!(linked[0].href, Some(format!("/devices/{id}")));
        assert_eq!((linked[1].href.as_ref(), linked[1].value.as_str()), (None, "0691234S"));
        for nothing in ["null", "{}", "[1]", "not JSON", ""] {
            assert!(entries(nothing, words).is_empty(), "{nothing}");
        }
    }
}
