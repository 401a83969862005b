//! Reads a policy and refuses what it does not understand, with the line and what to do.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::settings::{Policy, sections, settings};

/// Why a policy is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct PolicyError {
    /// Everything that is wrong, in the order of the file.
    pub problems: Vec<PolicyProblem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyProblem {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub reason: String,
}

impl std::fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

/// Pairs of settings of which the first must not pass the second, and what happens otherwise.
pub(super) const IN_ORDER: [(&str, &str, &str); 10] = [
    ("silent.warning_school_days", "silent.critical_school_days", "it would be critical before it is a warning"),
    ("disk.critical_percent", "disk.warning_percent", "it would be critical before it is a warning"),
    ("disk.critical_gigabytes", "disk.warning_gigabytes", "it would be critical before it is a warning"),
    ("drive.reallocated_worn", "drive.reallocated_failing", "a drive would be failing before it is worn"),
    ("drive.flash_errors_worn", "drive.flash_errors_failing", "a drive would be failing before it is worn"),
    ("battery.replace_percent", "battery.long_loan_percent", "a battery would be replaced before it is worn"),
    ("battery.long_loan_percent", "battery.relend_percent", "a battery would be replaced before it is worn"),
    ("notices.from_hour", "notices.until_hour", "no e-mail would ever leave"),
    ("clock.warning_minutes", "clock.critical_minutes", "it would be critical before it is a warning"),
    ("check_in.herd_from_hour", "check_in.herd_until_hour", "the hours would end before they begin"),
];

struct Reading<'t> {
    text: &'t str,
    policy: Policy,
    problems: Vec<PolicyProblem>,
    /// Where each setting stands that was read.
    found: Vec<(String, usize)>,
}

pub(super) fn from_toml(text: &str) -> Result<Policy, PolicyError> {
    let mut reading = Reading { text, policy: Policy::default(), problems: Vec::new(), found: Vec::new() };
    match DeTable::parse(text) {
        Ok(document) => {
            for (section, value) in document.get_ref() {
                reading.section(section, value);
            }
            if reading.problems.is_empty() {
                reading.check_order();
            }
        }
        Err(error) => {
            let line = reading.line(&error.span().unwrap_or_default());
            reading.problems.push(PolicyProblem { line, reason: format!("this is not TOML: {}", error.message()) });
        }
    }
    let Reading { policy, mut problems, .. } = reading;
    problems.sort();
    if problems.is_empty() { Ok(policy) } else { Err(PolicyError { problems }) }
}

impl Reading<'_> {
    /// The line, from 1, on which `span` begins.
    fn line(&self, span: &Range<usize>) -> usize {
        self.text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1
    }

    fn refuse(&mut self, line: usize, reason: String) {
        self.problems.push(PolicyProblem { line, reason });
    }

    fn section(&mut self, name: &Spanned<DeString<'_>>, value: &Spanned<DeValue<'_>>) {
        let line = self.line(&name.span());
        let name = name.get_ref().as_ref();
        let known = sections().map(|(section, _)| *section);
        if !known.clone().any(|section| section == name) {
            let all: Vec<_> = known.collect();
            return self.refuse(line, format!("there is no section [{name}]; there are {}", all.join(", ")));
        }
        let DeValue::Table(table) = value.get_ref() else {
            return self.refuse(line, format!("`{name}` is a section: write [{name}] on a line of its own"));
        };
        for (key, value) in table {
            self.setting(name, key, value);
        }
    }

    fn setting(&mut self, section: &str, key: &Spanned<DeString<'_>>, value: &Spanned<DeValue<'_>>) {
        let line = self.line(&key.span());
        let key = key.get_ref().as_ref();
        let of_section = || settings().filter(|setting| setting.section == section);
        let Some(setting) = of_section().find(|setting| setting.key == key) else {
            let all: Vec<_> = of_section().map(|setting| setting.key).collect();
            let reason = format!("[{section}] has no setting `{key}`; it has {}", all.join(", "));
            return self.refuse(line, reason);
        };
        match (setting.read)(&mut self.policy, value.get_ref()) {
            Ok(()) => self.found.push((format!("{section}.{key}"), line)),
            Err(reason) => self.refuse(line, format!("`{section}.{key}` {reason}")),
        }
    }

    /// Refuses thresholds that contradict each other.
    fn check_order(&mut self) {
        for (low, high, otherwise) in IN_ORDER {
            let (low_value, high_value) = (self.number(low), self.number(high));
            if low_value <= high_value {
                continue;
            }
            let lines = self.found.iter().filter(|(path, _)| path == low || path == high).map(|(_, line)| *line);
            let line = lines.max().unwrap_or(1);
            self.refuse(
                line,
                format!("`{low}` is {low_value} and `{high}` is {high_value}: {otherwise}; lower the first or raise the second"),
            );
        }
    }

    fn number(&self, path: &str) -> u32 {
        let setting = settings().find(|setting| path.split_once('.') == Some((setting.section, setting.key)));
        setting.and_then(|setting| setting.value_in(&self.policy).parse().ok()).unwrap_or_default()
    }
}
