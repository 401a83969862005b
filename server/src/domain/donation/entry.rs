//! What people type about recipients, lots and values, read once for the console and the API alike.

use cartable_common::UtcMillis;
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    Cents, Deliberation, Estimation, InvalidCents, MAX_NAME_CHARS, MAX_NOTE_CHARS, Recipient, RecipientClass, Terms,
    Valuation, basis::LegalBasis, is_printable,
};

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEntry {
    /// The recipient's or the lot's name.
    #[error("`name` has 1 to {MAX_NAME_CHARS} printable characters")]
    Name,
    /// The recipient's class.
    #[error("`class` is one of the classes of recipients")]
    Class,
    /// The legal form.
    #[error("`legal_form` has 1 to {MAX_NAME_CHARS} printable characters, such as association loi 1901")]
    LegalForm,
    /// The registration.
    #[error("`registration` has at most {MAX_NAME_CHARS} printable characters")]
    Registration,
    /// The commitments.
    #[error("`commitments` has at most {MAX_NOTE_CHARS} printable characters")]
    Commitments,
    /// The proof.
    #[error("`proof` has at most {MAX_NOTE_CHARS} printable characters")]
    Proof,
    /// The recipient of a lot.
    #[error("`recipient` is the id of a recipient")]
    Recipient,
    /// The legal basis.
    #[error("`basis` is one of the legal bases")]
    Basis,
    /// A deliberation without its number or without its day.
    #[error("a deliberation has a number of 1 to {MAX_NAME_CHARS} printable characters and a day (2026-10-16)")]
    Deliberation,
    /// The value.
    #[error("`value`: {0}")]
    Value(InvalidCents),
    /// How it was estimated.
    #[error("`estimation` is market, book, appraisal or comparable")]
    Estimation,
    /// On what it rests.
    #[error("`note` says on what the value rests, in 1 to {MAX_NOTE_CHARS} printable characters")]
    Note,
}

impl InvalidEntry {
    /// Every code, for catalogues of words.
    pub const CODES: [&'static str; 12] = [
        "name",
        "class",
        "legal-form",
        "registration",
        "commitments",
        "proof",
        "recipient",
        "basis",
        "deliberation",
        "value",
        "estimation",
        "note",
    ];

    /// What it is called in catalogues of words.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Class => "class",
            Self::LegalForm => "legal-form",
            Self::Registration => "registration",
            Self::Commitments => "commitments",
            Self::Proof => "proof",
            Self::Recipient => "recipient",
            Self::Basis => "basis",
            Self::Deliberation => "deliberation",
            Self::Value(_) => "value",
            Self::Estimation => "estimation",
            Self::Note => "note",
        }
    }
}

/// `text` trimmed; an empty one is absent.
fn given(text: &str, most: usize, invalid: InvalidEntry) -> Result<Option<String>, InvalidEntry> {
    let text = text.trim();
    match text {
        "" => Ok(None),
        text if is_printable(text, most) => Ok(Some(text.to_owned())),
        _ => Err(invalid),
    }
}

fn needed(text: &str, most: usize, invalid: InvalidEntry) -> Result<String, InvalidEntry> {
    given(text, most, invalid)?.ok_or(invalid)
}

/// The name of a lot or a recipient.
pub fn name(text: &str) -> Result<String, InvalidEntry> {
    needed(text, MAX_NAME_CHARS, InvalidEntry::Name)
}

/// A recipient as typed; empty texts are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct RecipientEntry {
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: String,
    /// Its legal form.
    pub legal_form: String,
    /// SIREN, RNA, UAI.
    pub registration: String,
    /// What it commits itself to.
    pub commitments: String,
    /// What proves that.
    pub proof: String,
}

impl RecipientEntry {
    /// The recipient, under `id`.
    pub fn read(&self, id: Uuid, now: UtcMillis) -> Result<Recipient, InvalidEntry> {
        Ok(Recipient {
            id,
            name: name(&self.name)?,
            class: self.class.parse::<RecipientClass>().map_err(|_| InvalidEntry::Class)?,
            legal_form: needed(&self.legal_form, MAX_NAME_CHARS, InvalidEntry::LegalForm)?,
            registration: given(&self.registration, MAX_NAME_CHARS, InvalidEntry::Registration)?,
            commitments: given(&self.commitments, MAX_NOTE_CHARS, InvalidEntry::Commitments)?,
            proof: given(&self.proof, MAX_NOTE_CHARS, InvalidEntry::Proof)?,
            created_at: now,
            ended_at: None,
        })
    }
}

/// A lot's name and terms as typed; empty texts are absent, for a draft may lack anything but its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct TermsEntry {
    /// The lot's name.
    pub name: String,
    /// The recipient's id.
    pub recipient: String,
    /// The legal basis.
    pub basis: String,
    /// The deliberation's number.
    pub deliberation_number: String,
    /// The deliberation's day, `2026-10-16`.
    pub deliberation_day: String,
}

impl TermsEntry {
    /// The name and the terms.
    pub fn read(&self) -> Result<(String, Terms), InvalidEntry> {
        let parsed = |text: &str, invalid| match text.trim() {
            "" => Ok(None),
            text => text.parse::<Uuid>().map(Some).map_err(|_| invalid),
        };
        let basis = match self.basis.trim() {
            "" => None,
            text => Some(text.parse::<LegalBasis>().map_err(|_| InvalidEntry::Basis)?),
        };
        let number = given(&self.deliberation_number, MAX_NAME_CHARS, InvalidEntry::Deliberation)?;
        let deliberation = match (number, self.deliberation_day.trim()) {
            (None, "") => None,
            (Some(number), day) if !day.is_empty() => {
                Some(Deliberation { number, day: day.parse::<Date>().map_err(|_| InvalidEntry::Deliberation)? })
            }
            _ => return Err(InvalidEntry::Deliberation),
        };
        let recipient = parsed(&self.recipient, InvalidEntry::Recipient)?;
        Ok((name(&self.name)?, Terms { recipient, basis, deliberation }))
    }
}

/// A unit's value as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct ValueEntry {
    /// Euros.
    pub value: String,
    /// How it was estimated.
    pub estimation: String,
    /// On what it rests.
    pub note: String,
}

impl ValueEntry {
    /// The valuation.
    pub fn read(&self) -> Result<Valuation, InvalidEntry> {
        Ok(Valuation {
            value: self.value.parse::<Cents>().map_err(InvalidEntry::Value)?,
            estimation: self.estimation.parse::<Estimation>().map_err(|_| InvalidEntry::Estimation)?,
            note: needed(&self.note, MAX_NOTE_CHARS, InvalidEntry::Note)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn recipient() -> RecipientEntry {
        RecipientEntry {
            name: " Emmaüs Connect ".into(),
            class: "reuse_body".into(),
            legal_form: "association loi 1901".into(),
            ..RecipientEntry::default()
        }
    }

    #[test]
    fn a_recipient_needs_a_name_a_class_and_a_legal_form() {
        let read = |entry: RecipientEntry| entry.read(Uuid::nil(), UtcMillis::default());
        let made = read(recipient()).unwrap();
        assert_eq!((made.name.as_str(), made.proof), ("Emmaüs Connect", None));
        assert_eq!(read(RecipientEntry { name: " ".into(), ..recipient() }), Err(InvalidEntry::Name));
        assert_eq!(read(RecipientEntry { class: "family".into(), ..recipient() }), Err(InvalidEntry::Class));
        assert_eq!(read(RecipientEntry { legal_form: String::new(), ..recipient() }), Err(InvalidEntry::LegalForm));
        assert_eq!(read(RecipientEntry { proof: "a\u{0}".into(), ..recipient() }), Err(InvalidEntry::Proof));
    }

    #[test]
    fn a_deliberation_is_whole_or_absent() {
        let with = |number: &str, day: &str| TermsEntry {
            name: "Lot 1".into(),
            deliberation_number: number.into(),
            deliberation_day: day.into(),
            ..TermsEntry::default()
        };
        assert_eq!(with("", "").read().unwrap().1, Terms { recipient: None, basis: None, deliberation: None });
        let decided = with("CD-2026-118", "2026-10-16").read().unwrap().1.deliberation.unwrap();
        assert_eq!(decided.day, date(2026, 10, 16));
        for (number, day) in [("CD-1", ""), ("", "2026-10-16"), ("CD-1", "16/10/2026")] {
            assert_eq!(with(number, day).read(), Err(InvalidEntry::Deliberation), "{number} {day}");
        }
    }

    #[test]
    fn a_value_says_how_it_is_known() {
        let entry = |value: &str, estimation: &str, note: &str| ValueEntry {
            value: value.into(),
            estimation: estimation.into(),
            note: note.into(),
        };
        assert_eq!(entry("85", "market", "trois annonces").read().unwrap().value, Cents::of_euros(85));
        assert!(matches!(entry("x", "market", "a").read(), Err(InvalidEntry::Value(_))));
        assert_eq!(entry("85", "guess", "a").read(), Err(InvalidEntry::Estimation));
        assert_eq!(entry("85", "market", " ").read(), Err(InvalidEntry::Note));
        let all = [InvalidEntry::Name, InvalidEntry::Deliberation, InvalidEntry::Note];
        assert!(all.iter().all(|one| InvalidEntry::CODES.contains(&one.code())));
    }
}
