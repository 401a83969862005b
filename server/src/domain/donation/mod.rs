//! Donation: a lot of devices goes to one recipient under one legal basis, once nothing is missing for any of them.
//!
//! Which texts allow what stands in [`basis`], dated; what is missing for a unit is said by [`conditions`]. A lot is
//! prepared by some and approved by somebody else. docs/donation.md tells all of it to people, and what to verify with
//! counsel.

pub mod basis;
pub mod conditions;
pub mod entry;

use cartable_common::UtcMillis;
use jiff::civil::Date;
use uuid::Uuid;

use self::basis::LegalBasis;
use super::{verdict::text_enum, wording::plain_euros};

text_enum! {
    /// Where a lot stands.
    pub enum LotState {
        /// Being put together.
        Draft = "draft",
        /// A second person found every condition met: ready to be handed over.
        Approved = "approved",
        /// Handed over: its devices belong to somebody else.
        Delivered = "delivered",
        /// Given up.
        Dropped = "dropped",
    }
}

text_enum! {
    /// Where a unit of a lot stands.
    pub enum UnitState {
        /// In a lot that is being put together.
        Listed = "listed",
        /// In an approved lot.
        Approved = "approved",
        /// Handed over.
        Delivered = "delivered",
        /// Its lot was given up.
        Dropped = "dropped",
    }
}

text_enum! {
    /// What a recipient is, as CG3P art. L. 3212-2 (3°, 5°, 11°) lists them, and collèges that pass devices on.
    pub enum RecipientClass {
        /// An association of pupils' parents.
        ParentsAssociation = "parents_association",
        /// An association that helps pupils with their school work.
        SchoolSupport = "school_support_association",
        /// An association or foundation recognised as of public utility.
        PublicUtility = "public_utility_association",
        /// A body of reuse or repair that is approved as a social enterprise (ESUS).
        ReuseBody = "reuse_body",
        /// An association of general interest that equips, trains and accompanies people in precarity.
        GeneralInterest = "general_interest_association",
        /// An association of students.
        StudentAssociation = "student_association",
        /// The giver's own staff.
        OwnStaff = "own_staff",
        /// Another public body.
        PublicBody = "public_body",
        /// A collège that passes the devices on to families, as a deliberation decided.
        CollegeForFamilies = "college_for_families",
    }
}

text_enum! {
    /// How a unit's value was estimated.
    pub enum Estimation {
        /// Prices asked for the same model in the same condition.
        Market = "market",
        /// The purchase price less depreciation.
        Book = "book",
        /// Somebody who knows the trade looked at it.
        Appraisal = "appraisal",
        /// What the same model in the same grade was worth in an earlier lot.
        Comparable = "comparable",
    }
}

/// Money in cents of a euro.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Cents(u32);

/// Largest value of a unit, in cents: nothing that a programme lends is worth more than 100,000 €.
const MAX_CENTS: u32 = 10_000_000;

/// A text or number that is no amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a value is an amount in euros from 0 to {}, with at most two decimals, such as 85 or 84.50", MAX_CENTS / 100)]
pub struct InvalidCents;

impl Cents {
    /// That many cents.
    pub const fn new(cents: u32) -> Result<Self, InvalidCents> {
        if cents <= MAX_CENTS { Ok(Self(cents)) } else { Err(InvalidCents) }
    }

    /// That many euros.
    #[must_use]
    pub const fn of_euros(euros: u32) -> Self {
        let cents = euros.saturating_mul(100);
        Self(if cents <= MAX_CENTS { cents } else { MAX_CENTS })
    }

    /// The number of cents.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl std::fmt::Display for Cents {
    /// `84.50`, without a unit.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&plain_euros(self.0.into()))
    }
}

impl std::str::FromStr for Cents {
    type Err = InvalidCents;
    /// Euros as people type them: `85`, `84.5`, `84,50`, with or without `€`.
    fn from_str(text: &str) -> Result<Self, InvalidCents> {
        let text = text.trim().trim_end_matches('€').trim_end();
        let (euros, decimals) = text.split_once(['.', ',']).unwrap_or((text, ""));
        let digits = |text: &str, most| text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit());
        if euros.is_empty() || !digits(euros, 6) || !digits(decimals, 2) || text.ends_with(['.', ',']) {
            return Err(InvalidCents);
        }
        let number = |text: &str| text.parse::<u32>().unwrap_or_default();
        let cents = if decimals.len() == 1 { number(decimals) * 10 } else { number(decimals) };
        Self::new(number(euros) * 100 + cents)
    }
}

/// What a unit is worth, and how anybody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Valuation {
    /// The value.
    pub value: Cents,
    /// How it was estimated.
    pub estimation: Estimation,
    /// On what it rests: offers seen, the invoice, who appraised it.
    pub note: String,
}

/// Longest note, commitment and proof, in characters.
pub const MAX_NOTE_CHARS: usize = 500;
/// Longest name, legal form, registration and deliberation number, in characters.
pub const MAX_NAME_CHARS: usize = 160;
/// Most units in a lot: they are checked and handed over in one unit of work, which SQLite's other writers wait for.
pub const MAX_UNITS: usize = 300;

/// A recipient of lots. A legal person: never the name of a natural one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Never given to another.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is, as the law lists it.
    pub class: RecipientClass,
    /// Its legal form: association loi 1901, SCIC, fondation…
    pub legal_form: String,
    /// What it is registered by: SIREN, RNA, UAI.
    pub registration: Option<String>,
    /// What it commits itself to: to reuse, to whom, at which price.
    pub commitments: Option<String>,
    /// What proves that commitment: a signed agreement, its date and where it is kept.
    pub proof: Option<String>,
    /// When it was recorded.
    pub created_at: UtcMillis,
    /// Since when nothing goes to it any more.
    pub ended_at: Option<UtcMillis>,
}

/// The deliberation that a direct gift rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deliberation {
    /// Its number.
    pub number: String,
    /// Its day.
    pub day: Date,
}

/// On what terms a lot is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// To whom.
    pub recipient: Option<Uuid>,
    /// Under which text.
    pub basis: Option<LegalBasis>,
    /// What was decided, where the text asks for it.
    pub deliberation: Option<Deliberation>,
}

/// Whether `text` may stand on a lot: 1 to `most` printable characters.
#[must_use]
pub fn is_printable(text: &str, most: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= most && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn euros_are_read_as_people_type_them() {
        for (text, cents) in
            [("85", 8_500), ("84.5", 8_450), ("84,50 €", 8_450), (" 0 ", 0), ("0,05", 5), ("100000", 10_000_000)]
        {
            assert_eq!(text.parse::<Cents>(), Cents::new(cents), "{text}");
        }
        for bad in ["", "€", "-1", "1.234", "1.", ",5", "1 000", "100000.01", "9999999", "1e3", "٣"] {
            assert_eq!(bad.parse::<Cents>(), Err(InvalidCents), "{bad}");
        }
        let one = Cents::new(8_405).unwrap();
        assert_eq!((one.to_string().as_str(), one.to_string().parse()), ("84.05", Ok(one)));
    }

    #[test]
    fn what_stands_on_a_lot_can_be_printed() {
        assert!(is_printable("Emmaüs Connect", 20));
        for bad in ["", "  ", "a\nb", "aaaaa"] {
            assert!(!is_printable(bad, 4), "{bad:?}");
        }
    }
}
