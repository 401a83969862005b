//! The languages that Cartable speaks.

/// A language of the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// French, unless something else is asked for.
    #[default]
    French,
    /// English.
    English,
}

impl Language {
    /// Both, French first.
    pub const ALL: [Self; 2] = [Self::French, Self::English];

    /// The code of ISO 639-1, as stored and as written in `lang` attributes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::French => "fr",
            Self::English => "en",
        }
    }
}

/// A text that names no language of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the languages are fr and en")]
pub struct UnknownLanguage;

impl std::str::FromStr for Language {
    type Err = UnknownLanguage;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|language| language.as_str() == text).ok_or(UnknownLanguage)
    }
}
