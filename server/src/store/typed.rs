//! From what a column holds to the type it stands for. What cannot be read is an error, never a default.

use cartable_common::UtcMillis;

use super::StoreError;

impl StoreError {
    /// Whether trying again in a moment may help: the database does not answer, rather than refuses.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_)))
    }
}

/// The moment in a column.
pub(crate) fn moment(what: &'static str, millis: i64) -> Result<UtcMillis, StoreError> {
    UtcMillis::new(millis).ok_or_else(|| StoreError::Corrupt { what, why: format!("{millis} is no moment") })
}

/// The moment in a column that may be null.
pub(crate) fn moment_if_any(what: &'static str, millis: Option<i64>) -> Result<Option<UtcMillis>, StoreError> {
    millis.map(|millis| moment(what, millis)).transpose()
}

/// The value whose text is in a column.
pub(crate) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    what: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    text.parse().map_err(|error: T::Err| StoreError::Corrupt { what, why: error.to_string() })
}
