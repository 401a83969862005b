//! Values in words: amounts in units that a pupil knows, choices as words in both languages.

use cartable_common::{UtcMillis, calendar::MONTHS};
use serde_json::Value;

use crate::language::Language;

/// Each value of each enumeration of a report: on the wire, in French, in English.
const CHOICES: [(&str, &str, &str); 45] = [
    ("laptop", "portable", "laptop"),
    ("tablet", "tablette", "tablet"),
    ("desktop", "ordinateur fixe", "desktop"),
    ("server", "serveur", "server"),
    ("virtual", "machine virtuelle", "virtual machine"),
    ("on", "oui", "yes"),
    ("off", "non", "no"),
    ("linux", "Linux", "Linux"),
    ("windows", "Windows", "Windows"),
    ("macos", "macOS", "macOS"),
    ("system", "le système", "the system"),
    ("data", "des données", "data"),
    ("removable", "amovible", "removable"),
    ("hdd", "disque à plateaux", "rotating disk"),
    ("ssd", "SSD", "SSD"),
    ("nvme", "SSD NVMe", "NVMe SSD"),
    ("emmc", "mémoire soudée eMMC", "soldered eMMC memory"),
    ("passed", "il va bien", "it is well"),
    ("failed", "il va mal", "it is failing"),
    ("never", "jamais", "never"),
    ("now", "maintenant", "now"),
    ("past", "dans le passé", "in the past"),
    ("processor", "le processeur", "the processor"),
    ("drive", "le disque", "the drive"),
    ("battery", "la batterie", "the battery"),
    ("board", "la carte mère", "the main board"),
    ("hardware", "de quelle machine il s'agit", "which machine this is"),
    ("memory", "la mémoire", "the memory"),
    ("firmware", "le micrologiciel", "the firmware"),
    ("secure_boot", "Secure Boot", "Secure Boot"),
    ("tpm", "la puce TPM", "the TPM chip"),
    ("operating_system", "le système d'exploitation", "the operating system"),
    ("volumes", "la place sur les volumes", "the space on the volumes"),
    ("encryption", "le chiffrement", "the encryption"),
    ("drives", "les disques", "the drives"),
    ("drive_health", "la santé des disques", "the drives' health"),
    ("batteries", "les batteries", "the batteries"),
    ("temperatures", "les températures", "the temperatures"),
    ("uptime", "le temps depuis le démarrage", "the time since the start"),
    ("not_present", "absent", "not there"),
    ("permission_denied", "pas le droit de le lire", "no right to read it"),
    ("tool_missing", "un outil manque", "a tool is missing"),
    ("tool_failed", "l'outil n'a pas réussi", "the tool failed"),
    ("asleep", "le disque dort, on ne le réveille pas", "the drive sleeps and is not woken"),
    ("unknown", "inconnu", "unknown"),
];

/// Those that remain.
const MORE_CHOICES: [(&str, &str, &str); 5] = [
    ("software", "un fichier que seul l'agent lit", "a file that only the agent reads"),
    ("platform", "le coffre de clés du système", "the system's key store"),
    ("timed_out", "trop lent", "too slow"),
    ("malformed", "illisible", "not readable"),
    ("unsupported", "pas encore possible sur ce système", "not yet possible on this system"),
];

/// A value of a field whose unit is `unit`.
pub(super) fn value(value: &Value, unit: &str, language: Language) -> String {
    match value {
        Value::Bool(yes) => {
            language.pick(["non", "oui"][usize::from(*yes)], ["no", "yes"][usize::from(*yes)]).to_owned()
        }
        Value::Number(number) => amount(&number.to_string(), unit, language),
        Value::String(text) if unit.starts_with('`') => choice(text, language).to_owned(),
        Value::String(text) => text.clone(),
        Value::Null | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// The words of a choice; what has none stands as it is.
fn choice(text: &str, language: Language) -> &str {
    let found = CHOICES.iter().chain(&MORE_CHOICES).find(|(wire, _, _)| *wire == text);
    found.map_or(text, |(_, french, english)| language.pick(french, english))
}

fn amount(number: &str, unit: &str, language: Language) -> String {
    let whole: u64 = number.parse().unwrap_or(0);
    let in_units = |tenth: u64, name: &str| {
        let tenths = whole.saturating_add(tenth / 2) / tenth;
        // From a hundred on nobody reads tenths.
        let shown = if tenths < 1000 {
            format!("{}{}{}", tenths / 10, language.pick(",", "."), tenths % 10)
        } else {
            (whole.saturating_add(tenth * 5) / (tenth * 10)).to_string()
        };
        format!("{shown} {name}")
    };
    match unit {
        "bytes" if whole < 1_000_000_000 => in_units(100_000, language.pick("Mo", "MB")),
        "bytes" => in_units(100_000_000, language.pick("Go", "GB")),
        "percent" => format!("{number} %"),
        "hours" => format!("{number} h"),
        "degrees Celsius" => format!("{number} °C"),
        "milliwatt-hours" => in_units(100, "Wh"),
        "milliampere-hours" => in_units(100, "Ah"),
        _ => number.to_owned(),
    }
}

/// A day as people write it.
pub(crate) fn day(at: UtcMillis, language: Language) -> String {
    let (year, month, day) = civil(at.day_number());
    let (french, english) = MONTHS[usize::from(month - 1)];
    let first = if day == 1 { "1er".to_owned() } else { day.to_string() };
    match language {
        Language::French => format!("{first} {french} {year}"),
        Language::English => format!("{day} {english} {year}"),
    }
}

/// Year, month and day of a day counted from 1970 (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn civil(day_number: i64) -> (i64, u8, u8) {
    let days = day_number + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = u8::try_from(of_year - (153 * shifted + 2) / 5 + 1).unwrap_or(1);
    let month = u8::try_from(if shifted < 10 { shifted + 3 } else { shifted - 9 }).unwrap_or(1);
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_choice_of_the_schema_has_words_in_both_languages() {
        let mut used = std::collections::BTreeSet::new();
        for entry in cartable_common::dictionary::entries().iter().filter(|entry| entry.unit.starts_with('`')) {
            for wire in entry.unit.split(", ").map(|quoted| quoted.trim_matches('`')) {
                let known = CHOICES.iter().chain(&MORE_CHOICES).any(|(name, _, _)| *name == wire);
                assert!(known, "{}: `{wire}` has no words for a pupil", entry.path);
                used.insert(wire);
            }
        }
        for (wire, french, english) in CHOICES.iter().chain(&MORE_CHOICES) {
            assert!(used.contains(wire), "`{wire}` is in no report");
            assert!(!french.is_empty() && !english.is_empty());
        }
    }

    #[test]
    fn every_unit_of_the_schema_is_known() {
        let known = [
            "structure",
            "list",
            "text",
            "UUID",
            "number",
            "yes or no",
            "bytes",
            "percent",
            "hours",
            "degrees Celsius",
            "milliwatt-hours",
            "milliampere-hours",
        ];
        for entry in cartable_common::dictionary::entries() {
            assert!(known.contains(&entry.unit) || entry.unit.starts_with('`'), "{}: {}", entry.path, entry.unit);
        }
    }

    #[test]
    fn amounts_are_said_as_people_say_them() {
        let say = |number: u64, unit, language| value(&json!(number), unit, language);
        assert_eq!(say(256_060_514_304, "bytes", Language::French), "256 Go");
        assert_eq!(say(8_234_000_000, "bytes", Language::French), "8,2 Go");
        assert_eq!(say(512_000_000, "bytes", Language::English), "512 MB");
        assert_eq!(say(31_250, "milliwatt-hours", Language::French), "31,3 Wh");
        assert_eq!(say(99_949_999_999, "bytes", Language::English), "99.9 GB");
        assert_eq!(value(&json!(-12), "degrees Celsius", Language::French), "-12 °C");
        assert_eq!(value(&json!(true), "yes or no", Language::French), "oui");
        assert_eq!(value(&json!("asleep"), "`asleep`", Language::English), "the drive sleeps and is not woken");
        assert_eq!(value(&json!("on"), "text", Language::French), "on", "a text is never taken for a choice");
    }

    #[test]
    fn days_are_right() {
        for (millis, french, english) in [
            (0, "1er janvier 1970", "1 January 1970"),
            (951_782_400_000, "29 février 2000", "29 February 2000"),
            (1_796_688_000_000, "8 décembre 2026", "8 December 2026"),
            (4_107_542_400_000, "1er mars 2100", "1 March 2100"),
        ] {
            let at = UtcMillis::default().plus_millis(millis);
            assert_eq!((day(at, Language::French), day(at, Language::English)), (french.into(), english.into()));
        }
    }
}
