//! The language in which the agent speaks to a technician: French where the system speaks French, else English.

use std::str::FromStr;

/// Of Windows' numbers of languages these bits name one, the others where it is spoken.
const WINDOWS_LANGUAGE: u16 = 0x03ff;
/// French, as those bits name it.
const WINDOWS_FRENCH: u16 = 0x000c;

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Français.
    French,
    /// English.
    English,
}

impl Language {
    /// The language of a locale's name (`fr_FR.UTF-8`).
    pub fn of_locale(locale: &str) -> Self {
        if locale.to_ascii_lowercase().starts_with("fr") { Self::French } else { Self::English }
    }

    /// The language of the environment: the first of LC_ALL, LC_MESSAGES and LANG that is set; on Windows, where they
    /// usually are not, the system's own.
    pub fn of_environment() -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        Self::of_locale(&locale.or_else(system_locale).unwrap_or_default())
    }

    /// The language of Windows' number for one (LANGID).
    pub const fn of_windows(number: u16) -> Self {
        if number & WINDOWS_LANGUAGE == WINDOWS_FRENCH { Self::French } else { Self::English }
    }

    /// Its code (ISO 639-1).
    pub const fn code(self) -> &'static str {
        self.pick("fr", "en")
    }

    /// The one of two texts that is in this language.
    pub const fn pick<'a>(self, french: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::French => french,
            Self::English => english,
        }
    }
}

/// The name of the user's region (`fr-FR`).
#[cfg(windows)]
fn system_locale() -> Option<String> {
    windows_registry::CURRENT_USER.open(r"Control Panel\International").ok()?.get_string("LocaleName").ok()
}

#[cfg(not(windows))]
const fn system_locale() -> Option<String> {
    None
}

impl FromStr for Language {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "fr" => Ok(Self::French),
            "en" => Ok(Self::English),
            _ => Err("write fr or en".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_french_system_is_answered_in_french() {
        assert_eq!(Language::of_locale("fr_FR.UTF-8"), Language::French);
        assert_eq!(Language::of_locale("C.UTF-8"), Language::English);
        assert_eq!("fr".parse(), Ok(Language::French));
        // France, Canada; the United States, Germany.
        assert_eq!([0x040c, 0x0c0c].map(Language::of_windows), [Language::French; 2]);
        assert_eq!([0x0409, 0x0407].map(Language::of_windows), [Language::English; 2]);
    }
}
