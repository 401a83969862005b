//! The settings that dispositions rest on: to be shown, to be tried with other values, and to be recorded with every
//! decision as a version.

use std::fmt::Write as _;

use cartable_common::ContentHash;

use super::{
    PolicyError,
    settings::{Policy, settings},
};
use crate::domain::wording::Said;

/// The sections that may be tried.
const TRIED: [&str; 2] = ["disposition", "battery"];
/// The sections that a decision rests on: verdicts on drives and the end of systems among them.
const DECISIVE: [&str; 4] = ["battery", "disposition", "drive", "os"];
/// Longest value that is read: the longest number has ten digits.
const MAX_VALUE_CHARS: usize = 12;

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
#[error("{path}: {reason}")]
pub struct NotAValue {
    /// Which setting.
    pub path: String,
    /// Why.
    pub reason: String,
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
            let value = asked.map_or(present.as_str(), |(_, value)| value.trim());
            if asked.is_some()
                && (value.len() > MAX_VALUE_CHARS
                    || !value.chars().all(|c| c.is_ascii_alphanumeric())
                    || value.is_empty())
            {
                let reason = "must be a whole number, or true or false".to_owned();
                return Err(NotAValue { path, reason });
            }
            heading(&mut next, &mut written, setting.section);
            let _ = writeln!(next, "{} = {value}", setting.key);
            if value != present {
                heading(&mut changed, &mut section, setting.section);
                let _ = writeln!(changed, "{} = {value}", setting.key);
            }
        }
        match Self::from_toml(&next) {
            Ok(policy) => Ok((policy, changed)),
            Err(PolicyError { problems }) => {
                let reason = problems.into_iter().map(|problem| problem.reason).collect::<Vec<_>>().join("; ");
                let path = values
                    .iter()
                    .map(|(path, _)| path.clone())
                    .find(|path| reason.contains(path.as_str()))
                    .unwrap_or_default();
                Err(NotAValue { path, reason })
            }
        }
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
    fn nonsense_and_contradictions_are_refused_and_other_settings_cannot_be_reached() {
        for (path, value) in [
            ("battery.relend_percent", "700"),
            ("battery.relend_percent", "40"),
            ("battery.relend_percent", ""),
            ("battery.relend_percent", "80\n[os]\nsoon_days = 1"),
            ("disposition.relend_with_linux", "perhaps"),
        ] {
            assert!(tried(path, value).is_err(), "{path} = {value}");
        }
        assert_eq!(tried("disk.warning_percent", "1").unwrap().0, Policy::default());
    }
}
