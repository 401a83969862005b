//! Numbers, units and dates as French and English readers expect them.
//!
//! French is typeset here, once: callers write plain spaces and apostrophes. Decides nothing.

use cartable_common::{Bytes, calendar::MONTHS};
use jiff::civil::Date;

use super::language::Language;

/// The same words in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Said {
    /// In French.
    pub fr: String,
    /// In English.
    pub en: String,
}

impl Said {
    /// The same words in both languages; the French is typeset.
    #[must_use]
    pub fn new(fr: impl AsRef<str>, en: impl Into<String>) -> Self {
        Self { fr: typeset(fr.as_ref()), en: en.into() }
    }

    /// A name or a code that reads the same in both languages; left as it is.
    #[must_use]
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { fr: text.clone(), en: text }
    }

    /// The words in this language.
    #[must_use]
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::French => &self.fr,
            Language::English => &self.en,
        }
    }

    /// Both languages, each passed through `change`.
    #[must_use]
    pub fn map(&self, change: impl Fn(&str) -> String) -> Self {
        Self { fr: change(&self.fr), en: change(&self.en) }
    }
}

/// A space that does not break.
const NBSP: char = '\u{A0}';
/// A narrow space that does not break.
const NNBSP: char = '\u{202F}';

/// `text` with French spaces and apostrophes: a no-break space before a colon, a percent sign, a unit and inside
/// quotation marks, a narrow one before `; ! ?` (Imprimerie nationale, *Lexique des règles typographiques*).
#[must_use]
pub fn typeset(text: &str) -> String {
    let mut set = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let after = rest.get(character.len_utf8()..).unwrap_or_default();
        let before = set.chars().next_back();
        set.push(match character {
            '\'' => '’',
            ' ' if after.starts_with([';', '!', '?']) => NNBSP,
            ' ' if after.starts_with([':', '%', '»']) || before == Some('«') => NBSP,
            ' ' if before.is_some_and(|c| c.is_ascii_digit()) && starts_with_unit(after) => NBSP,
            other => other,
        });
        rest = after;
    }
    set
}

/// Whether `text` begins with a word that belongs to the number before it.
fn starts_with_unit(text: &str) -> bool {
    const UNITS: [&str; 16] = [
        "o", "Ko", "Mo", "Go", "To", "h", "°C", "jour", "jours", "heure", "heures", "minute", "minutes", "secteur",
        "secteurs", "fois",
    ];
    let word = text.split(|c: char| !(c.is_alphabetic() || c == '°')).next().unwrap_or_default();
    UNITS.contains(&word)
}

/// A whole number, grouped by thousands.
#[must_use]
pub fn number(value: u64) -> Said {
    let digits = value.to_string();
    let grouped = |separator: char| {
        let mut text = String::with_capacity(digits.len() * 2);
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                text.push(separator);
            }
            text.push(digit);
        }
        text
    };
    Said { fr: grouped(NNBSP), en: grouped(',') }
}

/// An amount of money: 54,90 € in French, €54.90 in English.
#[must_use]
pub fn money(cents: u64) -> Said {
    let (euros, rest) = (number(cents / 100), cents % 100);
    Said { fr: format!("{},{rest:02}{NBSP}€", euros.fr), en: format!("€{}.{rest:02}", euros.en) }
}

/// An amount as programs read it: euros with a point, `54.90`, without a unit.
#[must_use]
pub fn plain_euros(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// A share.
#[must_use]
pub fn percent(value: u64) -> Said {
    Said { fr: format!("{}{NBSP}%", number(value).fr), en: format!("{}%", number(value).en) }
}

/// A size in the decimal units that drive makers and file managers use: megabytes below one gigabyte, one decimal
/// below one hundred.
#[must_use]
pub fn size(bytes: Bytes) -> Said {
    const MEGA: u64 = 1_000_000;
    const TENTH_OF_GIGA: u64 = 100 * MEGA;
    const GIGA: u64 = 10 * TENTH_OF_GIGA;
    let bytes = bytes.get();
    if bytes < GIGA {
        let megabytes = number(bytes / MEGA);
        return Said { fr: format!("{}{NBSP}Mo", megabytes.fr), en: format!("{} MB", megabytes.en) };
    }
    let (whole, tenth) = (number(bytes / GIGA), bytes % GIGA / TENTH_OF_GIGA);
    if tenth == 0 || bytes >= 100 * GIGA {
        Said { fr: format!("{}{NBSP}Go", whole.fr), en: format!("{} GB", whole.en) }
    } else {
        Said { fr: format!("{},{tenth}{NBSP}Go", whole.fr), en: format!("{}.{tenth} GB", whole.en) }
    }
}

/// A calendar day.
#[must_use]
pub fn date(day: Date) -> Said {
    let place = usize::try_from(day.month()).unwrap_or(1).saturating_sub(1);
    let (fr, en) = MONTHS.get(place).copied().unwrap_or_default();
    let first = if day.day() == 1 { "er" } else { "" };
    Said {
        fr: format!("{}{first}{NBSP}{fr}{NBSP}{}", day.day(), day.year()),
        en: format!("{} {en} {}", day.day(), day.year()),
    }
}

/// A count with its noun, in the singular below two in French and at one in English.
#[must_use]
pub fn count(value: u64, one: (&str, &str), many: (&str, &str)) -> Said {
    let shown = number(value);
    Said::new(
        format!("{} {}", shown.fr, if value < 2 { one.0 } else { many.0 }),
        format!("{} {}", shown.en, if value == 1 { one.1 } else { many.1 }),
    )
}

/// A length of time, in its largest fitting unit.
#[must_use]
pub fn duration(millis: u64) -> Said {
    const MINUTE: u64 = 60_000;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match millis {
        0..HOUR => count(millis / MINUTE, ("minute", "minute"), ("minutes", "minutes")),
        HOUR..DAY => count(millis / HOUR, ("heure", "hour"), ("heures", "hours")),
        DAY.. => count(millis / DAY, ("jour", "day"), ("jours", "days")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn french_spaces_and_apostrophes() {
        assert_eq!(
            typeset("Attention : l'espace ; 12 % « ici » ! 40 Go, 3 jours"),
            "Attention\u{A0}: l’espace\u{202F}; 12\u{A0}% «\u{A0}ici\u{A0}»\u{202F}! 40\u{A0}Go, 3\u{A0}jours"
        );
        assert_eq!(typeset("Debian 11 ne"), "Debian 11 ne");
    }

    #[test]
    fn numbers_and_sizes() {
        assert_eq!(number(285_002), Said { fr: "285\u{202F}002".into(), en: "285,002".into() });
        let sizes = [(850_000_000, "850 MB"), (3_250_000_000, "3.2 GB"), (16_000_000_000, "16 GB")];
        for (bytes, shown) in sizes {
            assert_eq!(size(Bytes::new(bytes).unwrap()).en, shown);
        }
        assert_eq!(size(Bytes::new(1_024_209_543_168).unwrap()).fr, "1\u{202F}024\u{A0}Go");
    }

    #[test]
    fn dates_and_counts() {
        assert_eq!(date(jiff::civil::date(2026, 9, 1)).fr, "1er\u{A0}septembre\u{A0}2026");
        assert_eq!(date(jiff::civil::date(2025, 10, 14)).en, "14 October 2025");
        assert_eq!(duration(0).fr, "0\u{A0}minute");
        assert_eq!(duration(90 * 60_000).en, "1 hour");
        assert_eq!(duration(3 * 86_400_000).fr, "3\u{A0}jours");
    }
}
