//! The words of e-mails: one Fluent catalogue a language, built into the program. French is typeset at the end.

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use jiff::civil::Date;
use unic_langid::LanguageIdentifier;

use crate::domain::{language::Language, wording};

type Bundle = FluentBundle<FluentResource>;

const FRENCH: &str = include_str!("../../locales/fr/mail.ftl");
const ENGLISH: &str = include_str!("../../locales/en/mail.ftl");

static FRENCH_BUNDLE: LazyLock<Bundle> = LazyLock::new(|| bundle(Language::French, FRENCH));
static ENGLISH_BUNDLE: LazyLock<Bundle> = LazyLock::new(|| bundle(Language::English, ENGLISH));

fn bundle(language: Language, text: &str) -> Bundle {
    let locale: LanguageIdentifier = language.as_str().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![locale]);
    bundle.set_use_isolating(false);
    // A catalogue with a fault keeps its sound messages; the tests refuse any fault.
    let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, _)| resource);
    bundle.add_resource_overriding(resource);
    bundle
}

/// The words of `language`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words(pub(super) Language);

impl Words {
    /// The text of `key`, with values in their places.
    pub(super) fn say(self, key: &str, values: &[(&'static str, FluentValue<'_>)]) -> String {
        let bundle = match self.0 {
            Language::French => &*FRENCH_BUNDLE,
            Language::English => &*ENGLISH_BUNDLE,
        };
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            tracing::error!(key, language = self.0.as_str(), "missing text");
            return String::new();
        };
        let mut args = FluentArgs::new();
        for (name, value) in values {
            args.set(*name, value.clone());
        }
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::error!(key, ?errors, "text with a fault");
        }
        match self.0 {
            Language::French => wording::typeset(&text),
            Language::English => text,
        }
    }

    /// A date as a sentence has it: « vendredi 2 juillet 2027 », "Friday 2 July 2027".
    pub(super) fn date(self, date: Date) -> String {
        let weekday = self.say(&format!("weekday-{}", date.weekday().to_monday_one_offset()), &[]);
        let month = self.say(&format!("month-{}", date.month()), &[]);
        // In French the first of a month is an ordinal.
        let day = if self.0 == Language::French && date.day() == 1 { "1er".to_owned() } else { date.day().to_string() };
        format!("{weekday} {day} {month} {}", date.year())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn keys(text: &str) -> BTreeMap<String, BTreeSet<String>> {
        FluentResource::try_new(text.to_owned()).unwrap_or_else(|(_, errors)| panic!("{errors:?}"));
        let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut key = String::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, _)) =
                line.split_once(" =").filter(|_| line.starts_with(|c: char| c.is_ascii_lowercase()))
            {
                name.clone_into(&mut key);
            }
            let places = line.split("{ $").skip(1).filter_map(|rest| rest.split([' ', '}']).next()).map(str::to_owned);
            keys.entry(key.clone()).or_default().extend(places);
        }
        keys.remove("");
        keys
    }

    #[test]
    fn both_languages_say_the_same_things() {
        let (french, english) = (keys(FRENCH), keys(ENGLISH));
        assert!(french.len() > 35, "{}", french.len());
        assert_eq!(french, english);
    }

    #[test]
    fn dates_read_as_people_say_them() {
        let date = jiff::civil::date(2027, 7, 1);
        assert_eq!(Words(Language::French).date(date), "jeudi 1er juillet 2027");
        assert_eq!(Words(Language::English).date(date), "Thursday 1 July 2027");
    }
}
