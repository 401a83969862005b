//! What names a physical machine or a drive: serial numbers and the SMBIOS system UUID.
//!
//! They identify hardware to people. They never authenticate: that is the enrolment's key alone.

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::{
    describe::Described,
    limits::MAX_SERIAL_CHARS,
    text::{cleaned, is_placeholder},
};

/// A maker's serial number: 1 to [`MAX_SERIAL_CHARS`] characters, white space joined, never a placeholder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SerialNumber(String);

impl SerialNumber {
    /// The serial number in `raw`, absent when it is empty or a placeholder.
    pub fn parse(raw: &str) -> Option<Self> {
        let text = cleaned(raw, MAX_SERIAL_CHARS);
        (!is_placeholder(&text)).then_some(Self(text))
    }

    /// The serial number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Described for SerialNumber {
    const UNIT: &'static str = "text";
}

/// The SMBIOS system UUID; never all zeros, all Fs or another known placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SystemUuid(Uuid);

impl SystemUuid {
    /// UUIDs that whole series of boards share.
    const SHARED: [&'static str; 3] = [
        "03000200-0400-0500-0006-000700080009", // AMI's sample value, on many white boxes
        "12345678-1234-5678-90ab-cddeefaabbcc", // InsydeH2O's sample value
        "fefefefe-fefe-fefe-fefe-fefefefefefe",
    ];

    /// The UUID in `raw`, absent when it is not one or is a placeholder.
    pub fn parse(raw: &str) -> Option<Self> {
        let uuid = Uuid::try_parse(raw.trim()).ok()?;
        let shared = uuid.is_nil() || uuid.is_max() || Self::SHARED.contains(&uuid.to_string().as_str());
        (!shared).then_some(Self(uuid))
    }
}

impl std::fmt::Display for SystemUuid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Described for SystemUuid {
    const UNIT: &'static str = "UUID";
}

/// Reads an optional identifier: one that turns out to be a placeholder is absent, not an error.
pub(crate) trait ParseIdentifier: Sized {
    fn parse_identifier(raw: &str) -> Option<Self>;
}

impl ParseIdentifier for SerialNumber {
    fn parse_identifier(raw: &str) -> Option<Self> {
        Self::parse(raw)
    }
}

impl ParseIdentifier for SystemUuid {
    fn parse_identifier(raw: &str) -> Option<Self> {
        Self::parse(raw)
    }
}

/// An optional identifier as it stands in a report: a placeholder on the wire is absent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Known<T>(Option<T>);

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> From<Option<T>> for Known<T> {
    fn from(value: Option<T>) -> Self {
        Self(value)
    }
}

impl<T> Known<T> {
    /// The identifier, where there is one.
    pub const fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T: Described> Described for Known<T> {
    const UNIT: &'static str = T::UNIT;
    fn is_absent(&self) -> bool {
        self.0.is_none()
    }
}

impl<'de, T: ParseIdentifier> Deserialize<'de> for Known<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Option::<String>::deserialize(deserializer)?;
        Ok(Self(raw.as_deref().and_then(T::parse_identifier)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_uuids_are_absent() {
        for raw in [
            "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
            "00000000-0000-0000-0000-000000000000",
            "03000200-0400-0500-0006-000700080009",
            "x",
        ] {
            assert_eq!(SystemUuid::parse(raw), None, "{raw}");
        }
        assert!(SystemUuid::parse("4C4C4544-0035-3810-8051-B4C04F473332\n").is_some());
    }

    #[test]
    fn a_placeholder_on_the_wire_is_absent() {
        let serial: Known<SerialNumber> = serde_json::from_str("\"Default string\"").unwrap();
        assert_eq!(serial.get(), None);
    }
}
