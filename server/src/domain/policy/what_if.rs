//! The settings that dispositions rest on: to be shown, to be tried with other values, and to be recorded with every
//! decision as a version.

use std::fmt::Write as _;

use cartable_common::ContentHash;

use super::{
    PolicyError,
    read::IN_ORDER,
    setting::Setting,
    settings::{Policy, settings},
};
use crate::domain::wording::Said;

/// The sections that may be tried.
const TRIED: [&str; 2] = ["disposition", "battery"];
/// The sections that a decision rests on: verdicts on drives and the end of systems among them.
const DECISIVE: [&str; 4] = ["battery", "disposition", "drive", "os"];
/// What is shown of a value that cannot be, in characters.
const MAX_SHOWN_CHARS: usize = 40;

/// A setting that may be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// `section.key`.
    pub path: String,
    /// What it means.
    pub said: Said,
    /// Its unit.
    pub unit: &'static str,
    /// Where its default comes from.
    pub source: Said,
    /// Its value, as in the file.
    pub value: String,
    /// The numbers that it may be; none where it is no number.
    pub range: Option<(u32, u32)>,
}

/// A value that a setting cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .said.en)]
pub struct NotAValue {
    /// Which setting, what was entered, and what it may be.
    pub said: Said,
}

impl Policy {
    /// The settings that may be tried, with their present values.
    #[must_use]
    pub fn tried(&self) -> Vec<Tried> {
        let shown = settings().filter(|setting| TRIED.contains(&setting.section));
        shown
            .map(|setting| Tried {
                path: format!("{}.{}", setting.section, setting.key),
                said: Said::new(setting.fr, setting.en),
                unit: setting.unit,
                source: Said::new(setting.source_fr, setting.source),
                value: setting.value_in(self),
                range: setting.range.as_ref().map(|range| (*range.start(), *range.end())),
            })
            .collect()
    }

    /// This policy with other values of settings that may be tried, and the lines of the policy file that make it so.
    /// Paths that are not among them are left alone.
    pub fn with_values(&self, values: &[(String, String)]) -> Result<(Self, String), NotAValue> {
        let mut changed = String::new();
        let mut section = "";
        let mut next = String::new();
        let mut written = "";
        for setting in settings() {
            let path = format!("{}.{}", setting.section, setting.key);
            let present = setting.value_in(self);
            let asked = values.iter().find(|(name, _)| *name == path && TRIED.contains(&setting.section));
            let value = match asked {
                Some((_, entered)) => read(setting, entered.trim())?,
                None => present.clone(),
            };
            heading(&mut next, &mut written, setting.section);
            let _ = writeln!(next, "{} = {value}", setting.key);
            if value != present {
                heading(&mut changed, &mut section, setting.section);
                let _ = writeln!(changed, "{} = {value}", setting.key);
            }
        }
        match Self::from_toml(&next) {
            Ok(policy) => Ok((policy, changed)),
            Err(refused) => Err(self.contradiction(values, &refused)),
        }
    }

    /// What is wrong with values of which each alone could be.
    fn contradiction(&self, values: &[(String, String)], refused: &PolicyError) -> NotAValue {
        let number = |path: &str| -> Option<u32> {
            let setting = settings().find(|setting| path.split_once('.') == Some((setting.section, setting.key)))?;
            let asked = values.iter().find(|(name, _)| name == path && TRIED.contains(&setting.section));
            asked.map_or_else(|| setting.value_in(self), |(_, value)| value.trim().to_owned()).parse().ok()
        };
        let wrong = IN_ORDER.into_iter().find_map(|(low, high, _)| {
            let (first, second) = (number(low)?, number(high)?);
            (first > second).then_some((low, first, high, second))
        });
        let said = match wrong {
            Some((low, first, high, second)) => Said::new(
                format!("{low} vaut {first} et {high} vaut {second} : baisser le premier ou augmenter le second."),
                format!("{low} is {first} and {high} is {second}: lower the first or raise the second."),
            ),
            None => Said::same(refused.to_string()),
        };
        NotAValue { said }
    }

    /// Everything that a decision about dispositions rests on, as lines of a policy file.
    #[must_use]
    pub fn decisive(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        for setting in settings().filter(|setting| DECISIVE.contains(&setting.section)) {
            heading(&mut text, &mut section, setting.section);
            let _ = writeln!(text, "{} = {}", setting.key, setting.value_in(self));
        }
        text
    }

    /// What tells this policy's decisions from another's: the same settings are the same version on every server.
    #[must_use]
    pub fn version(&self) -> String {
        ContentHash::of(self.decisive().as_bytes()).to_string()
    }
}

/// The value of a setting as it stands in the file, from what somebody entered.
fn read(setting: &Setting, entered: &str) -> Result<String, NotAValue> {
    let number = || entered.bytes().all(|byte| byte.is_ascii_digit()).then(|| entered.parse::<u32>().ok()).flatten();
    let wanted = match &setting.range {
        Some(range) => match number().filter(|number| range.contains(number)) {
            Some(number) => return Ok(number.to_string()),
            None => Said::new(
                format!("il faut un nombre entier de {} à {}", range.start(), range.end()),
                format!("it must be a whole number from {} to {}", range.start(), range.end()),
            ),
        },
        None if matches!(entered, "true" | "false") => return Ok(entered.to_owned()),
        None => Said::new("il faut true ou false", "it must be true or false"),
    };
    let shown: String = entered.chars().filter(|c| !c.is_control()).take(MAX_SHOWN_CHARS).collect();
    let path = format!("{}.{}", setting.section, setting.key);
    Err(NotAValue {
        said: Said::new(
            format!("{path} ({}) : « {shown} » a été saisi, {}.", setting.fr.trim_end_matches('.'), wanted.fr),
            format!("{path} ({}): “{shown}” was entered, {}.", setting.en.trim_end_matches('.'), wanted.en),
        ),
    })
}

fn heading(text: &mut String, last: &mut &'static str, section: &'static str) {
    if *last != section {
        *last = section;
        let _ = writeln!(text, "[{section}]");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(path: &str, value: &str) -> Result<(Policy, String), NotAValue> {
        Policy::default().with_values(&[(path.to_owned(), value.to_owned())])
    }

    #[test]
    fn a_value_is_tried_and_its_line_is_what_the_file_needs() {
        let (policy, lines) = tried("battery.relend_percent", "70").unwrap();
        assert_eq!(policy.battery.relend_percent, 70);
        assert_eq!(lines, "[battery]\nrelend_percent = 70\n");
        assert_eq!(Policy::from_toml(&lines).unwrap(), policy, "the lines say the same in a file");
        assert_ne!(policy.version(), Policy::default().version());
        let (same, none) = tried("disposition.relend_with_linux", "false").unwrap();
        assert_eq!((same.version(), none.as_str()), (Policy::default().version(), ""));
    }

    #[test]
    fn a_refusal_names_the_setting_what_was_entered_and_the_range() {
        let refused = tried("battery.relend_percent", "abc").unwrap_err().said;
        let (low, high) = Policy::default()
            .tried()
            .into_iter()
            .find_map(|one| one.range.filter(|_| one.path == "battery.relend_percent"))
            .unwrap();
        assert!(refused.en.starts_with("battery.relend_percent ("), "{refused:?}");
        assert!(refused.en.ends_with(&format!("“abc” was entered, it must be a whole number from {low} to {high}.")));
        assert!(refused.fr.contains("abc") && refused.fr.ends_with(&format!("un nombre entier de {low} à {high}.")));
        let order = tried("battery.relend_percent", "40").unwrap_err().to_string();
        assert!(order.contains("battery.relend_percent is 40: lower the first or raise the second."), "{order}");
    }

    #[test]
    fn nonsense_and_contradictions_are_refused_and_other_settings_cannot_be_reached() {
        for (path, value) in [
            ("battery.relend_percent", "700"),
            ("battery.relend_percent", "40"),
            ("battery.relend_percent", ""),
            ("battery.relend_percent", "80\n[os]\nsoon_days = 1"),
            ("disposition.relend_with_linux", "perhaps"),
        ] {
            let refused = tried(path, value).unwrap_err().said;
            assert!(refused.en.contains(path) && refused.fr.contains(path), "{refused:?}");
            let first = value.lines().next().unwrap_or_default();
            assert!(refused.en.contains(first) && refused.fr.contains(first), "{refused:?}");
        }
        assert_eq!(tried("disk.warning_percent", "1").unwrap().0, Policy::default());
    }
}
