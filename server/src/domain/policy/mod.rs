//! The thresholds of all rules, from one TOML file with documented defaults and their sources.
//!
//! Reading refuses what it does not understand, with line and reason: a mistyped threshold must never silently be the
//! default. The table of settings is in `settings`; reading is in `read`, writing the documented file in `write`.

mod live;
#[cfg(test)]
mod page;
mod read;
mod setting;
mod settings;
mod what_if;
mod write;

pub use live::LivePolicy;
pub use read::{PolicyError, PolicyProblem};
pub use settings::*;
pub use what_if::{NotAValue, Tried};
pub(crate) use write::source_of;

impl Policy {
    /// The policy in `text`; a setting that is not there has its default.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        read::from_toml(text)
    }

    /// The default policy as a commented file.
    pub fn documented() -> String {
        write::documented()
    }
}
