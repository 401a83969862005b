//! Numbers, sizes and moments as French and English readers write them. Times are those of Paris.

use cartable_common::{Bytes, UtcMillis};
use jiff::Timestamp;

use super::i18n::Words;
use crate::domain::{language::Language, paris, wording::money};

/// Between the thousands in French: U+202F.
const NARROW_SPACE: char = '\u{202f}';
/// Between a number and its unit: U+00A0.
pub(super) const NO_BREAK_SPACE: char = '\u{a0}';

/// A whole number with its thousands apart.
pub(super) fn number(value: i64, language: Language) -> String {
    let separator = match language {
        Language::French => NARROW_SPACE,
        Language::English => ',',
    };
    let digits = value.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    if value < 0 {
        text.push('−');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

/// A number of tenths as a decimal.
fn tenths(value: u64, language: Language) -> String {
    let whole = number(i64::try_from(value / 10).unwrap_or(i64::MAX), language);
    let mark = match language {
        Language::French => ',',
        Language::English => '.',
    };
    format!("{whole}{mark}{}", value % 10)
}

/// A size on a drive, in thousands as makers print it: 256 Go, 1,0 To.
pub(super) fn disk_size(bytes: Bytes, language: Language) -> String {
    let units = match language {
        Language::French => ["o", "ko", "Mo", "Go", "To", "Po"],
        Language::English => ["B", "kB", "MB", "GB", "TB", "PB"],
    };
    scaled(bytes.get(), 1000, units, language)
}

/// A size of memory, in powers of two as modules are sold: 7,7 Gio.
pub(super) fn memory_size(bytes: Bytes, language: Language) -> String {
    let units = match language {
        Language::French => ["o", "Kio", "Mio", "Gio", "Tio", "Pio"],
        Language::English => ["B", "KiB", "MiB", "GiB", "TiB", "PiB"],
    };
    scaled(bytes.get(), 1024, units, language)
}

fn scaled(bytes: u64, step: u64, units: [&str; 6], language: Language) -> String {
    let mut unit = 0;
    let mut size = 1;
    while unit + 1 < units.len() && bytes >= size * step {
        size *= step;
        unit += 1;
    }
    let in_tenths = bytes.saturating_mul(10) / size;
    let amount = if unit == 0 || in_tenths >= 1000 {
        number(i64::try_from(bytes / size).unwrap_or(i64::MAX), language)
    } else {
        tenths(in_tenths, language)
    };
    format!("{amount}{NO_BREAK_SPACE}{}", units[unit])
}

/// A share: 12 % in French, 12% in English.
pub(super) fn percent(value: i64, language: Language) -> String {
    match language {
        Language::French => format!("{}{NO_BREAK_SPACE}%", number(value, language)),
        Language::English => format!("{}%", number(value, language)),
    }
}

/// An amount of money: 54,90 € in French, €54.90 in English.
pub(super) fn euros(cents: i64, language: Language) -> String {
    // No price is below zero: the database holds that.
    money(cents.unsigned_abs()).in_language(language).to_owned()
}

/// A number with its unit.
pub(super) fn with_unit(value: i64, unit: &str, language: Language) -> String {
    format!("{}{NO_BREAK_SPACE}{unit}", number(value, language))
}

/// For machines: the moment in UTC, to the second.
pub(super) fn iso(moment: UtcMillis) -> String {
    Timestamp::from_millisecond(moment.get())
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

/// The day in Paris: 24 nov. 2026.
pub(super) fn date(moment: UtcMillis, words: Words) -> String {
    civil_date(paris::date(moment), words)
}

/// A civil day: 2 juil. 2027.
pub(super) fn civil_date(day: jiff::civil::Date, words: Words) -> String {
    let month = words.word("month", &day.month().to_string());
    format!("{}{NO_BREAK_SPACE}{month}{NO_BREAK_SPACE}{}", day.day(), day.year())
}

/// The moment in Paris to the minute: 24 nov. 2026 à 11:05.
pub(super) fn date_time(moment: UtcMillis, words: Words) -> String {
    words.with_two("moment-exact", &date(moment, words), &paris::date_time(moment).strftime("%H:%M").to_string())
}

/// A whole day since 1970, which is a UTC day: shown as such.
pub(super) fn day(number: i64, words: Words) -> String {
    date(UtcMillis::default().plus_days(number).plus_millis(UtcMillis::DAY / 2), words)
}

/// How long ago, or how far ahead, in the largest unit that fits.
pub(super) fn relative(moment: UtcMillis, now: UtcMillis, words: Words) -> String {
    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    let passed = now.millis_since(moment);
    let (size, past, ahead) = match passed.abs() {
        ..MINUTE => return words.say("moment-now"),
        MINUTE..HOUR => (MINUTE, "minutes-ago", "minutes-ahead"),
        HOUR..UtcMillis::DAY => (HOUR, "hours-ago", "hours-ahead"),
        UtcMillis::DAY.. => (UtcMillis::DAY, "days-ago", "days-ahead"),
    };
    words.count(if passed > 0 { past } else { ahead }, passed.abs() / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FR: Words = Words::of(Language::French);
    const EN: Words = Words::of(Language::English);

    #[test]
    fn numbers_and_sizes_follow_the_language() {
        assert_eq!(number(-1_234_567, Language::French), "−1\u{202f}234\u{202f}567");
        assert_eq!(number(123, Language::English), "123");
        let size = |bytes| disk_size(Bytes::new(bytes).unwrap(), Language::French);
        assert_eq!(size(256_060_514_304), "256\u{a0}Go");
        assert_eq!(size(1_500_000_000_000), "1,5\u{a0}To");
        assert_eq!(size(999), "999\u{a0}o");
        assert_eq!(memory_size(Bytes::new(8_226_816_000).unwrap(), Language::English), "7.6\u{a0}GiB");
        assert_eq!(percent(12, Language::French), "12\u{a0}%");
    }

    #[test]
    fn moments_are_those_of_paris_in_summer_and_winter() {
        let at = |text: &str| UtcMillis::new(text.parse::<Timestamp>().unwrap().as_millisecond()).unwrap();
        assert_eq!(date_time(at("2026-11-24T23:30:00Z"), FR), "25\u{a0}nov.\u{a0}2026 à 00:30");
        assert_eq!(date_time(at("2026-07-14T10:00:00Z"), EN), "14\u{a0}Jul\u{a0}2026, 12:00");
        assert_eq!(iso(at("2026-07-14T10:00:00Z")), "2026-07-14T10:00:00Z");
        let now = at("2026-11-24T12:00:00Z");
        assert_eq!(relative(now, now, FR), "à l’instant");
        assert_eq!(relative(now.plus_days(-1), now, FR), "il y a 1 jour");
        assert_eq!(relative(now.plus_millis(-7_200_000), now, EN), "2 hours ago");
        assert_eq!(relative(now.plus_days(3), now, EN), "in 3 days");
    }
}
