//! Reads stored values back into their types. What does not parse was not written by this program: an error that names
//! the column, never a default.

use std::{fmt::Display, str::FromStr};

use cartable_common::UtcMillis;
use serde::de::DeserializeOwned;

use super::StoreError;

pub(crate) fn moment(what: &'static str, millis: i64) -> Result<UtcMillis, StoreError> {
    UtcMillis::new(millis).ok_or_else(|| StoreError::Corrupt { what, why: format!("{millis} is no moment") })
}

pub(crate) fn optional_moment(what: &'static str, millis: Option<i64>) -> Result<Option<UtcMillis>, StoreError> {
    millis.map(|millis| moment(what, millis)).transpose()
}

pub(crate) fn parsed<T: FromStr<Err: Display>>(what: &'static str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|why: T::Err| StoreError::Corrupt { what, why: why.to_string() })
}

pub(crate) fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|why| StoreError::Corrupt { what, why: why.to_string() })
}

pub(crate) fn to_json<T: serde::Serialize>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|why| StoreError::Corrupt { what, why: why.to_string() })
}
