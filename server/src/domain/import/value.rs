//! Single cells as values: days, addresses, codes. Each says why it is refused.

use jiff::civil::Date;

use super::fault::Reason;
use crate::domain::{
    identity::is_email,
    programme::ProgrammeCode,
    uai::{InvalidUai, UaiCode},
};

/// The first year that a date in a file may have: no programme lent computers before.
const FIRST_YEAR: i16 = 1990;
/// The last one.
const LAST_YEAR: i16 = 2099;
const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// A day as whole days since 1970: `2026-09-07`, `07/09/2026`, `7.9.2026`, `07-09-2026`, each with a time after it or
/// not. Two digits for the year are refused: they mean different centuries to different programs.
pub fn day(text: &str) -> Result<i64, Reason> {
    let date = text.split(['T', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = date.split(['-', '/', '.']).collect();
    let [first, month, last] = parts.as_slice() else { return Err(Reason::DateForm) };
    let (year, day) = if first.len() == 4 { (first, last) } else { (last, first) };
    if year.len() != 4 || parts.iter().any(|part| part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(Reason::DateForm);
    }
    let number = |text: &str| text.parse::<i16>().map_err(|_| Reason::DateForm);
    let (year, month, day) = (number(year)?, number(month)?, number(day)?);
    let small = |number: i16| i8::try_from(number).map_err(|_| Reason::NoSuchDay);
    let date = Date::new(year, small(month)?, small(day)?).map_err(|_| Reason::NoSuchDay)?;
    if !(FIRST_YEAR..=LAST_YEAR).contains(&year) {
        return Err(Reason::DateRange);
    }
    Ok(date.since(EPOCH).map(|span| i64::from(span.get_days())).unwrap_or_default())
}

/// A day as exports write it.
#[must_use]
pub fn day_text(number: i64) -> String {
    let date = jiff::Span::new().try_days(number).ok().and_then(|span| EPOCH.checked_add(span).ok());
    date.map(|date| date.to_string()).unwrap_or_default()
}

/// An e-mail address, as far as its form can tell.
pub fn email(text: &str) -> Result<String, Reason> {
    if is_email(text) { Ok(text.to_owned()) } else { Err(Reason::EmailForm) }
}

/// A UAI code.
pub fn uai(text: &str) -> Result<String, Reason> {
    text.parse::<UaiCode>().map(|code| code.as_str().to_owned()).map_err(|error| match error {
        InvalidUai::Form => Reason::UaiForm,
        InvalidUai::CheckLetter { .. } => Reason::UaiLetter,
    })
}

/// A programme's code.
pub fn programme(text: &str) -> Result<String, Reason> {
    text.parse::<ProgrammeCode>().map(|code| code.as_str().to_owned()).map_err(|_| Reason::ProgrammeForm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_people_and_spreadsheets_write_them() {
        let expected = day("2026-09-07").unwrap();
        for text in ["07/09/2026", "7.9.2026", "07-09-2026", "2026-09-07T08:00:00", "07/09/2026 08:00", "2026/09/07"] {
            assert_eq!(day(text), Ok(expected), "{text}");
        }
        assert_eq!(day_text(expected), "2026-09-07");
        for (text, reason) in [
            ("7/9/26", Reason::DateForm),
            ("demain", Reason::DateForm),
            ("46272", Reason::DateForm),
            ("31/02/2026", Reason::NoSuchDay),
            ("07/13/2026", Reason::NoSuchDay),
            ("01/01/1904", Reason::DateRange),
            ("01/01/2926", Reason::DateRange),
        ] {
            assert_eq!(day(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn an_address_needs_a_name_a_host_and_nothing_else() {
        assert!(email("marie.dupont@example.org").is_ok());
        for bad in [
            "",
            "marie",
            "@example.org",
            "marie@",
            "marie@example",
            "a@b@example.org",
            "a b@example.org",
            "<a@example.org>",
        ] {
            assert_eq!(email(bad), Err(Reason::EmailForm), "{bad}");
        }
    }
}
