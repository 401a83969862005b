//! An erasure that a person enters: what no tool wrote down, such as a shredder's work. It proves nothing until another
//! person, signed in with an account of their own, says that they saw it.

use cartable_common::UtcMillis;
use jiff::civil::Date;

use super::{DriveKey, Medium, Method, Outcome, Reading, Source, Verification};
use crate::domain::paris;

/// Longest name of a tool, and longest note, in characters.
pub const MAX_TEXT_CHARS: usize = 200;
/// Shortest reason for which a drive is declared absent, in characters: where it went is not told in fewer, and one word
/// typed to get past the gate is not a reason.
pub const MIN_ABSENCE_CHARS: usize = 10;
/// How long ago it may have been.
const OLDEST_DAYS: i64 = 366;

/// What a person types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByHand {
    /// Which drive.
    pub drive: String,
    /// Its model.
    pub model: String,
    /// What was done.
    pub method: Method,
    /// With what, or by whom: a program, a shredder, a company with its receipt.
    pub with: String,
    /// On which day.
    pub on: Date,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHand {
    /// The drive.
    #[error("say which drive: its serial number, as the device or the drive's label has it")]
    Drive,
    /// With what.
    #[error("say with what or by whom it was erased, in 1 to {MAX_TEXT_CHARS} printable characters")]
    With,
    /// The model.
    #[error("the drive's model has at most {MAX_TEXT_CHARS} printable characters")]
    Model,
    /// The day.
    #[error("the day lies in the future, or more than a year ago")]
    Day,
}

impl ByHand {
    /// The reading, as if a tool had written it down. It ends with the beginning of its day: a use of the drive on that
    /// day is taken to be later.
    pub fn read(&self, now: UtcMillis) -> Result<Reading, InvalidHand> {
        let printable = |text: &str| !text.contains(char::is_control) && text.chars().count() <= MAX_TEXT_CHARS;
        let (with, model) = (self.with.trim(), self.model.trim());
        if with.is_empty() || !printable(with) {
            return Err(InvalidHand::With);
        }
        if !printable(model) {
            return Err(InvalidHand::Model);
        }
        let today = paris::date(now);
        let oldest = paris::date(now.plus_days(-OLDEST_DAYS));
        if self.on > today || self.on < oldest {
            return Err(InvalidHand::Day);
        }
        let at = super::BenchClock::Paris.moment(self.on.to_datetime(jiff::civil::Time::midnight()));
        let at = at.ok_or(InvalidHand::Day)?;
        Ok(Reading {
            drive: self.drive.parse::<DriveKey>().map_err(|_| InvalidHand::Drive)?,
            model: Some(model.to_owned()).filter(|text| !text.is_empty()),
            medium: Medium::Unknown,
            capacity_bytes: None,
            method: self.method,
            method_name: with.to_owned(),
            tool: "hand".to_owned(),
            tool_version: String::new(),
            started_at: at,
            ended_at: at,
            passes: 1,
            bytes_erased: None,
            errors: 0,
            // Until somebody else has seen it.
            verification: Verification::None,
            outcome: Outcome::Erased,
            host: None,
            source: Source::Hand,
        })
    }
}

/// Whether `witness` may confirm what `operator` entered: two accounts, however they are written.
#[must_use]
pub fn may_witness(operator: &str, witness: &str) -> bool {
    !operator.trim().eq_ignore_ascii_case(witness.trim())
}
