//! The words of the console: Fluent catalogues in French and English, built into the program.
//!
//! A page holds a [`Words`] and asks it for keys; no visible text stands anywhere else. A missing key shows itself as
//! `⟦key⟧` instead of breaking the page; a test finds missing and unused keys in both languages.

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

use super::format;
use crate::domain::{language::Language, wording::Said};

macro_rules! catalogues {
    ($($name:literal),* $(,)?) => {
        const FRENCH: &[(&str, &str)] = &[$((concat!("fr/", $name), include_str!(concat!("../../locales/fr/", $name)))),*];
        const ENGLISH: &[(&str, &str)] = &[$((concat!("en/", $name), include_str!(concat!("../../locales/en/", $name)))),*];
    };
}

catalogues! {
    "shell.ftl", "words.ftl", "overview.ftl", "devices.ftl", "device.ftl", "dispositions.ftl", "flags.ftl", "tokens.ftl",
    "loans.ftl", "desk.ftl", "borrowers.ftl", "needs.ftl", "allocations.ftl", "campaigns.ftl", "programmes.ftl", "sites.ftl",
    "refurbishment.ftl", "calendar.ftl", "documents.ftl", "imports.ftl", "exports.ftl", "notices.ftl", "audit.ftl",
    "design.ftl", "mistakes.ftl", "erasures.ftl", "donations.ftl", "figures.ftl", "forecast.ftl", "exams.ftl",
    "waiting.ftl", "releases.ftl",
}

type Bundle = FluentBundle<FluentResource>;

static FRENCH_BUNDLE: LazyLock<Bundle> = LazyLock::new(|| bundle(Language::French));
static ENGLISH_BUNDLE: LazyLock<Bundle> = LazyLock::new(|| bundle(Language::English));

fn bundle_of(language: Language) -> &'static Bundle {
    match language {
        Language::French => &FRENCH_BUNDLE,
        Language::English => &ENGLISH_BUNDLE,
    }
}

/// The catalogues of one language, by file name.
pub(super) const fn catalogues(language: Language) -> &'static [(&'static str, &'static str)] {
    match language {
        Language::French => FRENCH,
        Language::English => ENGLISH,
    }
}

fn bundle(language: Language) -> Bundle {
    let locale: LanguageIdentifier = language.as_str().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![locale]);
    // Isolation marks protect mixed writing directions; both languages run left to right.
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(match language {
        Language::French => |value, _| number(value, Language::French),
        Language::English => |value, _| number(value, Language::English),
    }));
    for (_, text) in catalogues(language) {
        // A catalogue with a fault keeps its sound messages; the tests refuse any fault.
        let resource = FluentResource::try_new((*text).to_owned()).unwrap_or_else(|(resource, _)| resource);
        bundle.add_resource_overriding(resource);
    }
    bundle
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only numbers are written differently")]
fn number(value: &FluentValue<'_>, language: Language) -> Option<String> {
    match value {
        #[expect(clippy::cast_possible_truncation, reason = "counts are whole and far below 2^53")]
        FluentValue::Number(number) => Some(format::number(number.value as i64, language)),
        _ => None,
    }
}

/// One language's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// The language.
    pub(super) language: Language,
}

impl Words {
    /// The words of `language`.
    pub(super) const fn of(language: Language) -> Self {
        Self { language }
    }

    /// The text of `key`.
    pub(super) fn say(self, key: &str) -> String {
        self.format(key, None)
    }

    /// The text of `key` about `count` things.
    pub(super) fn count(self, key: &str, count: i64) -> String {
        let mut args = FluentArgs::new();
        args.set("count", count);
        self.format(key, Some(&args))
    }

    /// The text of `key` with `value` in its place.
    pub(super) fn with(self, key: &str, value: &str) -> String {
        let mut args = FluentArgs::new();
        args.set("value", value);
        self.format(key, Some(&args))
    }

    /// The text of `key` with two values in their places.
    pub(super) fn with_two(self, key: &str, one: &str, two: &str) -> String {
        let mut args = FluentArgs::new();
        args.set("one", one);
        args.set("two", two);
        self.format(key, Some(&args))
    }

    /// The word for one value of a closed list: key `family-value`.
    pub(super) fn word(self, family: &str, value: &str) -> String {
        self.format(&format!("{family}-{value}"), None)
    }

    /// What is said in this language.
    pub(super) fn said(self, said: &Said) -> String {
        said.in_language(self.language).to_owned()
    }

    /// The part of a pair such as `jours · days` that is in this language; the whole where it is no pair.
    pub(super) fn of_pair(self, pair: &str) -> &str {
        match (pair.split_once(" · "), self.language) {
            (Some((french, _)), Language::French) => french,
            (Some((_, english)), Language::English) => english,
            (None, _) => pair,
        }
    }

    /// The text of `key`, where there is one.
    pub(super) fn find(self, key: &str) -> Option<String> {
        bundle_of(self.language).has_message(key).then(|| self.say(key))
    }

    fn format(self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        let bundle = bundle_of(self.language);
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            tracing::error!(key, language = self.language.as_str(), "missing text");
            return format!("⟦{key}⟧");
        };
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, args, &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::error!(key, ?errors, "text with a fault");
        }
        text
    }
}

/// The language that a browser's `Accept-Language` asks for; French unless English stands before it.
pub(super) fn preferred(accept_language: &str) -> Language {
    let mut best = (0.0_f32, Language::French);
    for choice in accept_language.split(',') {
        let mut parts = choice.split(';');
        let tag = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let weight: f32 = parts.find_map(|part| part.trim().strip_prefix("q=")?.trim().parse().ok()).unwrap_or(1.0);
        let language = match tag.split('-').next() {
            Some("fr") => Language::French,
            Some("en") => Language::English,
            _ => continue,
        };
        if weight > best.0 {
            best = (weight, language);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn french_is_the_default_and_english_is_had_by_asking() {
        for (header, language) in [
            ("", Language::French),
            ("de-DE,de;q=0.9", Language::French),
            ("en-GB,en;q=0.9,fr;q=0.5", Language::English),
            ("fr;q=0.4, en;q=0.8", Language::English),
            ("fr,en;q=0.9", Language::French),
            ("en;q=nan", Language::French),
        ] {
            assert_eq!(preferred(header), language, "{header}");
        }
    }

    #[test]
    fn plurals_and_numbers_follow_the_language() {
        let say = |language, count| Words::of(language).count("devices-found", count);
        assert_eq!(say(Language::French, 0), "0 appareil");
        assert_eq!(say(Language::French, 1), "1 appareil");
        assert_eq!(say(Language::French, 21_000), "21\u{202f}000 appareils");
        assert_eq!(say(Language::English, 0), "0 devices");
        assert_eq!(say(Language::English, 21_000), "21,000 devices");
    }
}
