//! The thresholds of all rules, from one TOML file with documented defaults and their sources.

/// The thresholds of all rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {}

/// Why a policy is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct PolicyError {
    /// Everything that is wrong, in the order of the file.
    pub problems: Vec<PolicyProblem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
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

impl Policy {
    /// The policy in `text`; a setting that is not there has its default.
    pub fn from_toml(_text: &str) -> Result<Self, PolicyError> {
        Ok(Self::default())
    }

    /// The default policy as a commented file.
    pub fn documented() -> String {
        String::new()
    }
}
