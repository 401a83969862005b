//! One line of a device's history in words: what changed, of which part, and both values as people write them.
//!
//! What has no words here is shown as it stands in the report: a path and its values.

use cartable_common::{
    Bytes,
    report::{KeyProtection, Switch, VolumeRole},
};

use super::{format, i18n::Words};
use crate::domain::change::Change;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Number,
    Percent,
    DiskSize,
    MemorySize,
    Hours,
    Unit(&'static str),
    Switch,
    Key,
    YesNo,
}

/// Part of the report, name of the value in it, key of its word, form.
const KNOWN: [(&str, &str, &str, Form); 28] = [
    ("batteries", "cycle_count", "fact-charge-cycles", Form::Number),
    ("batteries", "design_milliamp_hours", "fact-design", Form::Unit("mAh")),
    ("batteries", "design_milliwatt_hours", "fact-design", Form::Unit("mWh")),
    ("batteries", "full_milliamp_hours", "fact-full", Form::Unit("mAh")),
    ("batteries", "full_milliwatt_hours", "fact-full", Form::Unit("mWh")),
    ("drives", "available_spare_percent", "fact-spare", Form::Percent),
    ("drives", "capacity_bytes", "fact-capacity", Form::DiskSize),
    ("drives", "endurance_used_percent", "fact-wear", Form::Percent),
    ("drives", "firmware", "fact-drive-firmware", Form::Text),
    ("drives", "logged_errors", "fact-logged-errors", Form::Number),
    ("drives", "media_errors", "fact-media-errors", Form::Number),
    ("drives", "model", "fact-model", Form::Text),
    ("drives", "percentage_used_percent", "fact-wear", Form::Percent),
    ("drives", "power_cycles", "fact-cycles", Form::Number),
    ("drives", "power_on_hours", "fact-power-on", Form::Hours),
    ("firmware", "key_protection", "fact-key", Form::Key),
    ("firmware", "secure_boot", "fact-secure-boot", Form::Switch),
    ("firmware", "tpm_version", "fact-tpm", Form::Text),
    ("firmware", "version", "fact-firmware", Form::Text),
    ("memory", "total_bytes", "fact-memory", Form::MemorySize),
    ("operating_system", "architecture", "fact-architecture", Form::Text),
    ("operating_system", "build", "fact-os-build", Form::Text),
    ("operating_system", "reboot_pending", "fact-reboot", Form::YesNo),
    ("operating_system", "version", "fact-os", Form::Text),
    ("volumes", "available_bytes", "fact-free", Form::DiskSize),
    ("volumes", "encryption", "fact-encryption", Form::Switch),
    ("volumes", "file_system", "fact-file-system", Form::Text),
    ("volumes", "total_bytes", "fact-size", Form::DiskSize),
];

/// A change in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Described {
    /// What changed.
    pub(super) what: String,
    /// Of which part, where a report can have several.
    pub(super) of: Option<String>,
    /// What stood there.
    pub(super) before: Option<String>,
    /// What stands there.
    pub(super) after: Option<String>,
    /// Whether `what` is a path of the report instead of a word.
    pub(super) raw: bool,
}

/// `change` in words, or as it stands where there are none.
pub(super) fn described(change: Change, words: Words) -> Described {
    let (part, element) = split(&change.path);
    let leaf = change.path.rsplit('.').next().unwrap_or_default();
    let known =
        KNOWN.iter().find(|(of, name, ..)| *of == part && *name == leaf && !change.path.contains("attributes["));
    let Some((_, _, key, form)) = known else {
        let Change { path, before, after } = change;
        return Described { what: path, of: None, before, after, raw: true };
    };
    let value = |text: Option<String>| text.map(|text| written(&text, *form, words).unwrap_or(text));
    Described {
        what: words.say(key),
        of: element.map(|element| of_part(part, element, words)),
        before: value(change.before),
        after: value(change.after),
        raw: false,
    }
}

/// `drives[S3X9].nvme.media_errors`: the part `drives` and its element `S3X9`.
fn split(path: &str) -> (&str, Option<&str>) {
    let part = path.split(['.', '[']).next().unwrap_or_default();
    let element = path[part.len()..].strip_prefix('[').and_then(|rest| rest.split(']').next());
    (part, element)
}

fn of_part(part: &str, element: &str, words: Words) -> String {
    if part == "volumes" && VolumeRole::ALL.iter().any(|role| role.as_str() == element) {
        return words.word("role", element);
    }
    words.with_two("change-of", &words.word("group", part), element)
}

fn written(text: &str, form: Form, words: Words) -> Option<String> {
    let language = words.language;
    let number = || text.parse::<i64>().ok();
    let bytes = || Bytes::new(text.parse().ok()?);
    match form {
        Form::Text => None,
        Form::Number => Some(format::number(number()?, language)),
        Form::Percent => Some(format::percent(number()?, language)),
        Form::DiskSize => Some(format::disk_size(bytes()?, language)),
        Form::MemorySize => Some(format::memory_size(bytes()?, language)),
        Form::Hours => Some(words.count("hours", number()?)),
        Form::Unit(unit) => Some(format::with_unit(number()?, unit, language)),
        Form::Switch => {
            Switch::ALL.iter().find(|known| known.as_str() == text).map(|known| words.word("switch", known.as_str()))
        }
        Form::Key => {
            let known = KeyProtection::ALL.iter().find(|known| known.as_str() == text);
            known.map(|known| words.word("key-protection", known.as_str()))
        }
        Form::YesNo => match text {
            "true" => Some(words.word("yes-no", "yes")),
            "false" => Some(words.word("yes-no", "no")),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::language::Language;

    fn of(path: &str, before: &str, after: &str) -> Described {
        let change = Change { path: path.into(), before: Some(before.into()), after: Some(after.into()) };
        described(change, Words::of(Language::French))
    }

    #[test]
    fn what_a_technician_reads_is_in_words_with_units() {
        let wear = of("drives[ANB6].nvme.percentage_used_percent", "6", "7");
        assert_eq!((wear.what.as_str(), wear.of.as_deref()), ("Usure", Some("Disques · ANB6")));
        assert_eq!(wear.after.as_deref(), Some("7\u{a0}%"));
        let free = of("volumes[system].available_bytes", "106556717358", "not a number");
        assert_eq!((free.what.as_str(), free.of.as_deref()), ("Libre", Some("Volume système")));
        assert_eq!(free.before.as_deref(), Some("106\u{a0}Go"));
        assert_eq!(free.after.as_deref(), Some("not a number"), "what cannot be read is shown as it is");
        let pending = of("operating_system.reboot_pending", "true", "false");
        assert_eq!((pending.before.as_deref(), pending.of), (Some("Oui"), None));
        let key = of("firmware.key_protection", "software", "tpm");
        assert_eq!((key.before.as_deref(), key.after.as_deref()), (Some("Dans un fichier"), Some("Dans le TPM")));
    }

    #[test]
    fn what_has_no_words_is_shown_as_it_stands() {
        for path in ["drives[X].ata_attributes[5].raw", "drives[X]", "new_part.value", "", "drives["] {
            let raw = of(path, "1", "2");
            assert_eq!((raw.what.as_str(), raw.raw, raw.before.as_deref()), (path, true, Some("1")));
        }
    }
}
