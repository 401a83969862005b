//! The thresholds of all rules, from one TOML file with documented defaults and their sources.

/// The thresholds of all rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {}
