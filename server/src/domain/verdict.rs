//! What the facts support about a drive or a battery, and the small macro for enumerations that the database stores
//! as text.

pub use super::wording::Said;

/// Text that is not one of an enumeration's values, which it names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is none of {}", known.join(", "))]
pub struct UnknownValue {
    /// What stood there.
    pub found: String,
    /// What may stand there.
    pub known: Vec<&'static str>,
}

/// Defines an enumeration with its text in the database, in JSON and in addresses.
macro_rules! text_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $text)] $variant,)* }
        impl $name {
            /// Every value, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The text in the database, in JSON and in addresses.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::domain::verdict::UnknownValue;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| {
                    $crate::domain::verdict::UnknownValue { found: text.to_owned(), known: vec![$($text,)*] }
                })
            }
        }
    };
}

pub(crate) use text_enum;

text_enum! {
    /// The outcome that a set of facts supports, from best to worst; what is not known stands last and is never
    /// taken for healthy.
    pub enum Verdict {
        /// Nothing speaks against it.
        Healthy = "healthy",
        /// Not to be lent again without a repair or a new test.
        Worn = "worn",
        /// At risk now: replace it.
        Failing = "failing",
        /// No usable evidence.
        Unknown = "unknown",
    }
}

impl Verdict {
    /// The verdict on two parts together: failing before worn, then unknown, and healthy only when both are.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        if self.rank() >= other.rank() { self } else { other }
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Unknown => 1,
            Self::Worn => 2,
            Self::Failing => 3,
        }
    }
}

/// A verdict with everything it rests on.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[must_use]
pub struct Judgement {
    /// The outcome.
    pub verdict: Verdict,
    /// What speaks for it, heaviest first. A healthy drive may have some too: worth watching, not worth acting on.
    pub reasons: Vec<Reason>,
    /// Evidence that would have helped and was not there.
    pub missing: Vec<Said>,
}

/// One observation and the rule that it meets.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Reason {
    /// Which rule, in snake case (`reallocated_sectors`, `nvme_media_errors`…).
    pub code: &'static str,
    /// What this observation alone supports; `Healthy` means "worth watching".
    pub verdict: Verdict,
    /// The value that was read.
    pub value: Said,
    /// The threshold it met, where the rule has one.
    pub threshold: Option<Said>,
    /// Where the threshold comes from.
    pub source: Said,
    /// The observation in words.
    pub said: Said,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_never_healthy_and_never_hides_a_risk() {
        assert_eq!(Verdict::Healthy.worse(Verdict::Unknown), Verdict::Unknown);
        assert_eq!(Verdict::Unknown.worse(Verdict::Worn), Verdict::Worn);
        assert_eq!(Verdict::Failing.worse(Verdict::Unknown), Verdict::Failing);
    }

    #[test]
    fn texts_read_back() {
        for verdict in Verdict::ALL {
            assert_eq!(verdict.as_str().parse(), Ok(*verdict));
        }
        let unknown = "fine".parse::<Verdict>().unwrap_err().to_string();
        assert_eq!(unknown, "`fine` is none of healthy, worn, failing, unknown");
    }
}
