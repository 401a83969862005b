//! The version of an agent: as it tells it with each check-in, as the policy asks for a least one, as it is updated to.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A text that is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no version: three numbers with points between them, such as 1.4.2")]
pub struct InvalidVersion {
    /// The text.
    pub found: String,
}

/// `1.4.2`: three numbers, compared from the first on. What follows a `-` or a `+` is left out: a trial version counts as the one
/// that it becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentVersion {
    major: u32,
    minor: u32,
    patch: u32,
}

impl AgentVersion {
    /// The version of these three numbers.
    #[must_use]
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }
}

impl std::fmt::Display for AgentVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl std::str::FromStr for AgentVersion {
    type Err = InvalidVersion;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split(['-', '+']).next().unwrap_or_default();
        let mut numbers = numbers.split('.').map(str::parse::<u32>);
        match (numbers.next(), numbers.next(), numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch)), None) => Ok(Self { major, minor, patch }),
            _ => Err(InvalidVersion { found: text.to_owned() }),
        }
    }
}

impl Serialize for AgentVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AgentVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers_and_anything_else_is_none() {
        let version = |text: &str| text.parse::<AgentVersion>();
        assert_eq!(version("1.10.0"), Ok(AgentVersion::new(1, 10, 0)));
        assert!(version("1.10.0").unwrap() > version("1.9.12").unwrap());
        assert_eq!(version("0.2.0-rc1"), Ok(AgentVersion::new(0, 2, 0)));
        assert_eq!(version("0.2.0+git"), version("0.2.0"));
        assert_eq!(version("1.10.0").unwrap().to_string(), "1.10.0");
        for odd in ["", "test", "1", "1.2", "1.2.3.4", "1.2.x", "1..2", "99999999999.0.0"] {
            assert_eq!(version(odd).unwrap_err().found, odd);
        }
    }
}
