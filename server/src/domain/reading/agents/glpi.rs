//! GLPI Agent's JSON into sections (inventory.schema.json of glpi-project/inventory_format).

use serde_json::Value;

use super::Sections;

/// The sections of `value`; nothing if it is no inventory of a computer.
pub(super) fn sections(value: &Value) -> Option<Sections> {
    let content = value.get("content")?.as_object()?;
    let client = content.get("versionclient")?.as_str()?;
    let is_partial = value.get("partial").and_then(word).is_some_and(|word| is_yes(&word));
    let mut found = Sections { client: client.trim().to_owned(), is_partial, ..Sections::default() };
    for (section, entries) in content {
        if let Value::Array(entries) = entries {
            for entry in entries {
                take(&mut found, section, entry);
            }
        } else {
            take(&mut found, section, entries);
        }
    }
    Some(found)
}

/// Takes one entry of a section.
fn take(found: &mut Sections, section: &str, entry: &Value) {
    let Some(fields) = entry.as_object() else { return };
    found.begin(section);
    for (field, value) in fields {
        if let Some(said) = word(value) {
            found.say(section, field, &said);
        }
        for (inner, value) in value.as_object().into_iter().flatten() {
            if let Some(said) = word(value) {
                found.say(section, &format!("{field}/{inner}"), &said);
            }
        }
    }
}

/// A single value as the XML would write it.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(u8::from(*truth).to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether a word means yes: Perl and PHP write truth in several ways.
pub(super) fn is_yes(word: &str) -> bool {
    ["1", "true", "yes"].iter().any(|yes| word.trim().eq_ignore_ascii_case(yes))
}
