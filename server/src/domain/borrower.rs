//! Borrowers: the persons and institutions that hold loans. An opaque reference everywhere; who a person is stands
//! apart ([`Identity`]), sealed at rest, and is erased some time after the last return.

use cartable_common::UtcMillis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{language::Language, verdict::text_enum};

text_enum! {
    /// Who holds a loan.
    pub enum BorrowerKind {
        /// A pupil, a teacher, a young person in care.
        Person = "person",
        /// A collège's pool, a partner body.
        Institution = "institution",
    }
}

text_enum! {
    /// A person's class level, where campaigns and allocation select by it. A code, never free text about a child.
    pub enum Level {
        /// Sixième.
        Sixieme = "6e",
        /// Cinquième.
        Cinquieme = "5e",
        /// Quatrième.
        Quatrieme = "4e",
        /// Troisième: these pupils leave the collège at the end of the year.
        Troisieme = "3e",
        /// Unité localisée pour l'inclusion scolaire.
        Ulis = "ulis",
        /// Section d'enseignement général et professionnel adapté.
        Segpa = "segpa",
        /// Teachers and other staff.
        Staff = "staff",
        /// None of these.
        Other = "other",
    }
}

/// Letters of a reference: Crockford's base 32, without I, L, O, U, so that it can be read aloud and typed.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Random letters of a reference: 40 bits, so that 100,000 borrowers meet by chance less than once in a hundred such
/// fleets, and a meeting is refused by the database.
const REFERENCE_LETTERS: usize = 8;
/// Random bytes that [`Reference::from_random`] asks for.
pub const REFERENCE_BYTES: usize = 8;

/// What stands for a borrower everywhere: `B-7K3M-Q2ZD`. It says nothing about who it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference(String);

/// A text that is no borrower's reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a borrower's reference is B- and eight letters or digits, such as B-7K3M-Q2ZD")]
pub struct InvalidReference;

impl Reference {
    /// The reference that these random bytes make.
    #[must_use]
    pub fn from_random(random: [u8; REFERENCE_BYTES]) -> Self {
        Self::grouped(random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])))
    }

    fn grouped(letters: impl Iterator<Item = char>) -> Self {
        let mut text = String::from("B-");
        for (place, letter) in letters.enumerate() {
            if place == REFERENCE_LETTERS / 2 {
                text.push('-');
            }
            text.push(letter);
        }
        Self(text)
    }

    /// The reference as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Reference {
    type Err = InvalidReference;
    /// Case, hyphens and the letters that are mistaken for digits (I, L, O) don't count.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().to_ascii_uppercase();
        let letters = text.strip_prefix('B').ok_or(InvalidReference)?;
        let letters: Vec<char> = letters
            .chars()
            .filter(|c| *c != '-')
            .map(|c| match c {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            })
            .collect();
        let known = |c: &char| u8::try_from(*c).is_ok_and(|byte| ALPHABET.contains(&byte));
        let fits = letters.len() == REFERENCE_LETTERS && letters.iter().all(known);
        fits.then(|| Self::grouped(letters.into_iter())).ok_or(InvalidReference)
    }
}

/// A borrower, without who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Borrower {
    /// Never given to another.
    pub id: Uuid,
    /// What stands for it everywhere.
    pub reference: Reference,
    /// A person or an institution.
    pub kind: BorrowerKind,
    /// An institution's name; never a person's.
    pub institution_name: Option<String>,
    /// The site it belongs to.
    pub site: Option<Uuid>,
    /// A person's class level.
    pub level: Option<Level>,
    /// The day on which the person left the site, in days since 1970.
    pub left_site_day: Option<i64>,
    /// When it was recorded.
    pub created_at: UtcMillis,
    /// When its identity was erased.
    pub identity_erased_at: Option<UtcMillis>,
}

/// Who a person is. Kept sealed, shown only to roles that need it; `Debug` shows nothing.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    /// First and last name.
    pub name: String,
    /// The class, such as `5e B`.
    pub class: Option<String>,
    /// The person's own e-mail address.
    pub email: Option<String>,
    /// The holders of parental authority.
    pub guardians: Vec<Guardian>,
    /// The language that the family reads.
    pub language: Option<IdentityLanguage>,
}

/// A holder of parental authority.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Guardian {
    /// First and last name.
    pub name: String,
    /// Where notices go.
    pub email: Option<String>,
    /// For a call.
    pub phone: Option<String>,
}

/// The language of notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdentityLanguage {
    /// French.
    #[serde(rename = "fr")]
    French,
    /// English.
    #[serde(rename = "en")]
    English,
}

impl From<IdentityLanguage> for Language {
    fn from(language: IdentityLanguage) -> Self {
        match language {
            IdentityLanguage::French => Self::French,
            IdentityLanguage::English => Self::English,
        }
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity([redacted])")
    }
}

impl std::fmt::Debug for Guardian {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guardian([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_survives_being_read_aloud() {
        let reference = Reference::from_random([7, 19, 3, 20, 23, 2, 31, 13]);
        assert_eq!(reference.as_str(), "B-7K3M-Q2ZD");
        for typed in ["b-7k3m-q2zd", " B7K3MQ2ZD ", "B-7K3MQ2ZD"] {
            assert_eq!(typed.parse::<Reference>(), Ok(reference.clone()), "{typed}");
        }
        assert_eq!("B-OOOO-IILL".parse::<Reference>().unwrap().as_str(), "B-0000-1111");
        for bad in ["", "B-", "7K3M-Q2ZD", "B-7K3M-Q2Z", "B-7K3M-Q2ZU", "B-7K3M-Q2ZDD", "B-é"] {
            assert_eq!(bad.parse::<Reference>(), Err(InvalidReference), "{bad}");
        }
    }

    #[test]
    fn an_identity_is_never_printed() {
        let identity = Identity {
            name: "Inès Martin".into(),
            guardians: vec![Guardian { name: "Paul".into(), ..Guardian::default() }],
            ..Identity::default()
        };
        assert_eq!(format!("{identity:?} {:?}", identity.guardians[0]), "Identity([redacted]) Guardian([redacted])");
    }
}
