//! The facts that an erasure certificate states and that its signature covers: what was erased, how and when. No person.
//!
//! They are signed as canonical JSON: keys in the order of their bytes, no white space, whole numbers only (RFC 8785
//! agrees on such values). Whoever has the facts, the signature and the public key can check them without this program.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

/// The form of these facts; a later one gets another.
pub const FORM: &str = "cartable-erasure-1";

/// A drive on a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct CertifiedDrive {
    /// Its serial number.
    pub serial: String,
    /// Its model.
    pub model: Option<String>,
    /// What it keeps its data on.
    pub medium: String,
    /// What was done.
    pub method: String,
    /// The level that it reaches on that medium.
    pub level: String,
    /// The tool, and its version.
    pub tool: String,
    /// Passes.
    pub passes: u32,
    /// Its size in bytes.
    pub capacity_bytes: Option<u64>,
    /// Bytes erased.
    pub bytes_erased: Option<u64>,
    /// Errors: always 0 on a certificate.
    pub errors: u64,
    /// How it was looked at.
    pub verification: String,
    /// When it began, to the second (`2026-11-29T20:24:04Z`); of what was entered by hand, the day (`2026-11-29`).
    pub started_at: String,
    /// When it ended, likewise.
    pub ended_at: String,
    /// SHA-256 of each file that proves it, hexadecimal, in their order.
    pub evidence_sha256: Vec<String>,
}

/// What a certificate states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Facts {
    /// [`FORM`].
    pub form: String,
    /// The certificate's number.
    pub number: String,
    /// The day on which it was made (`2026-11-29`).
    pub made_on: String,
    /// The device's serial number.
    pub device_serial: Option<String>,
    /// Its label.
    pub device_label: Option<String>,
    /// Its model.
    pub device_model: Option<String>,
    /// What it allows: `relend` or `leave`.
    pub demand: String,
    /// Its drives.
    pub drives: Vec<CertifiedDrive>,
    /// The drives that were declared absent.
    pub absent: Vec<String>,
}

impl Facts {
    /// The text that is signed.
    #[must_use]
    pub fn canonical(&self) -> String {
        // These types hold nothing that JSON cannot.
        canonical(&serde_json::to_value(self).unwrap_or_default())
    }
}

/// `value` with its keys in order and without white space.
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort_unstable();
            text.push('{');
            for (place, key) in keys.into_iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                // Writing to a String cannot fail.
                let _ = write!(text, "{}:", Value::from(key.as_str()));
                write(&fields[key], text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let _ = write!(text, "{value}");
        }
    }
}
