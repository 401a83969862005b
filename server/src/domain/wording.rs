//! Numbers, units and dates as French and English readers expect them.

/// The same words in both languages.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Said {
    /// In French.
    pub fr: String,
    /// In English.
    pub en: String,
}
