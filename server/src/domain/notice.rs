//! Notices: why somebody must be written to, and whether the reason still holds when the e-mail is about to leave.
//!
//! A recipient is named by its id; addresses are looked up when a message leaves and are never part of a notice.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{loan::LoanStateName, verdict::text_enum};

/// Why a message to somebody without an address failed, as the store keeps it.
pub const NO_ADDRESS: &str = "no e-mail address is known";
/// Why one to an address that is none failed.
pub const MALFORMED_ADDRESS: &str = "the address is malformed";

text_enum! {
    /// What a notice is about.
    pub enum NoticeKind {
        /// A device is due back, soon or since a while.
        LoanDue = "loan_due",
        /// A return campaign asks for a device.
        Campaign = "campaign",
        /// A device was handed over.
        HandedOver = "handed_over",
        /// A device was taken back.
        Returned = "returned",
        /// A borrower has no address that works: whoever answers for the site passes the word on.
        Unreachable = "unreachable",
    }
}

text_enum! {
    /// Who is written to.
    pub enum RecipientKind {
        /// A borrower: a person's family, or an institution.
        Borrower = "borrower",
        /// Who answers for a site's loans.
        Referent = "referent",
        /// A person who signs in.
        Person = "person",
    }
}

/// Who is written to, by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Recipient {
    /// Which table the id is of.
    pub kind: RecipientKind,
    /// Which one.
    pub id: Uuid,
}

impl Recipient {
    /// A borrower.
    pub const fn borrower(id: Uuid) -> Self {
        Self { kind: RecipientKind::Borrower, id }
    }

    /// A site's referent.
    pub const fn referent(id: Uuid) -> Self {
        Self { kind: RecipientKind::Referent, id }
    }

    /// A person who signs in.
    pub const fn person(id: Uuid) -> Self {
        Self { kind: RecipientKind::Person, id }
    }
}

impl std::fmt::Display for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

text_enum! {
    /// On which days something may leave.
    pub enum Quiet {
        /// When there is school.
        SchoolDays = "school_days",
        /// At once: somebody has just been at a desk.
        AnyDay = "any_day",
    }
}

text_enum! {
    /// Where an e-mail stands.
    pub enum MessageState {
        /// Not sent yet.
        Waiting = "waiting",
        /// An attempt began, and nobody knows yet how it ended.
        Sending = "sending",
        /// A mail server took it.
        Sent = "sent",
        /// Given up.
        Failed = "failed",
        /// A mail server took it and could not deliver it.
        Bounced = "bounced",
        /// Nothing in it was true any more when it was to leave.
        Cancelled = "cancelled",
    }
}

text_enum! {
    /// Why a notice never left.
    pub enum Dropped {
        /// The device came back, or its loan ended otherwise.
        LoanEnded = "loan_ended",
        /// The loan was extended.
        DueChanged = "due_changed",
        /// A later reminder about the same loan takes its place.
        Superseded = "superseded",
        /// Its time has passed.
        Expired = "expired",
        /// The recipient is no longer there.
        RecipientGone = "recipient_gone",
        /// The return campaign was closed, or excused the loan.
        NotExpected = "not_expected",
    }
}

/// A letter of a return campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignLetter {
    /// Which campaign.
    pub campaign: Uuid,
    /// Which of its letters: the first, a reminder… A letter is written once to a recipient about a loan.
    pub letter: u32,
    /// What people call the campaign.
    pub title: String,
    /// The first day on which the device can be brought back.
    #[serde(with = "iso_date")]
    pub first: Date,
    /// The last one.
    #[serde(with = "iso_date")]
    pub last: Date,
    /// Where, and at what time, in one line; no personal data.
    pub place: String,
}

/// Why somebody is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A loan is due on a day; `step` is the place in the programme's schedule, in days relative to it.
    LoanDue {
        /// Which loan.
        loan: Uuid,
        /// Its due day.
        due: Date,
        /// Days relative to it.
        step: i32,
    },
    /// A return campaign asks for the device of a loan.
    Campaign {
        /// Which loan.
        loan: Uuid,
        /// What is asked.
        letter: CampaignLetter,
    },
    /// A device was handed over.
    HandedOver {
        /// Which loan.
        loan: Uuid,
    },
    /// A device was taken back.
    Returned {
        /// Which loan.
        loan: Uuid,
    },
    /// The borrower of a loan could not be reached about it.
    Unreachable {
        /// Which loan.
        loan: Uuid,
    },
}

impl Reason {
    /// What it is about.
    pub const fn kind(&self) -> NoticeKind {
        match self {
            Self::LoanDue { .. } => NoticeKind::LoanDue,
            Self::Campaign { .. } => NoticeKind::Campaign,
            Self::HandedOver { .. } => NoticeKind::HandedOver,
            Self::Returned { .. } => NoticeKind::Returned,
            Self::Unreachable { .. } => NoticeKind::Unreachable,
        }
    }

    /// The loan that it is about.
    pub const fn loan(&self) -> Uuid {
        match self {
            Self::LoanDue { loan, .. }
            | Self::Campaign { loan, .. }
            | Self::HandedOver { loan }
            | Self::Returned { loan }
            | Self::Unreachable { loan } => *loan,
        }
    }

    /// On which days it may leave: what was done at a desk is confirmed at once.
    pub const fn quiet(&self) -> Quiet {
        match self {
            Self::LoanDue { .. } | Self::Campaign { .. } | Self::Unreachable { .. } => Quiet::SchoolDays,
            Self::HandedOver { .. } | Self::Returned { .. } => Quiet::AnyDay,
        }
    }

    /// What says that two notices are the same one. `on` tells apart what may happen to one loan again: a device that
    /// was lost, found and taken back twice.
    #[must_use]
    pub fn dedupe_key(&self, recipient: Recipient, on: Date) -> String {
        let kind = self.kind();
        match self {
            Self::LoanDue { loan, due, step } => format!("{kind}:{loan}:{due}:{step}:{recipient}"),
            Self::Campaign { loan, letter } => {
                format!("{kind}:{}:{}:{loan}:{recipient}", letter.campaign, letter.letter)
            }
            Self::HandedOver { loan } | Self::Returned { loan } | Self::Unreachable { loan } => {
                format!("{kind}:{loan}:{on}:{recipient}")
            }
        }
    }
}

/// A loan, as of the moment when a message about it is to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoanNow {
    /// Where it stands.
    pub state: LoanStateName,
    /// Its due day.
    pub due: Option<Date>,
    /// Of a campaign's letter: whether the campaign still runs and still expects the loan.
    pub expected: bool,
}

/// Why `reason` no longer holds on `today`, if it does not. `not_after` is the last day on which it means something.
#[must_use]
pub fn dropped(reason: &Reason, loan: LoanNow, not_after: Date, today: Date) -> Option<Dropped> {
    let wanted = match reason {
        Reason::Returned { .. } => LoanStateName::Returned,
        Reason::LoanDue { .. } | Reason::Campaign { .. } | Reason::HandedOver { .. } | Reason::Unreachable { .. } => {
            LoanStateName::HandedOver
        }
    };
    if loan.state != wanted {
        return Some(Dropped::LoanEnded);
    }
    if let Reason::LoanDue { due, .. } = reason
        && loan.due != Some(*due)
    {
        return Some(Dropped::DueChanged);
    }
    if matches!(reason, Reason::Campaign { .. }) && !loan.expected {
        return Some(Dropped::NotExpected);
    }
    (today > not_after).then_some(Dropped::Expired)
}

/// Dates in JSON as `2027-07-02`.
mod iso_date {
    use jiff::civil::Date;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
    pub(super) fn serialize<S: Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(date)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const LOAN: Uuid = Uuid::from_u128(5);

    fn due(step: i32) -> Reason {
        Reason::LoanDue { loan: LOAN, due: date(2027, 6, 15), step }
    }

    #[test]
    fn the_same_reason_has_the_same_key_and_another_has_another() {
        let (mine, yours) = (Recipient::borrower(Uuid::from_u128(1)), Recipient::referent(Uuid::from_u128(1)));
        let on = date(2027, 6, 1);
        let key = due(-7).dedupe_key(mine, on);
        assert_eq!(key, due(-7).dedupe_key(mine, date(2027, 6, 9)), "the day of writing does not matter");
        assert_ne!(key, due(-1).dedupe_key(mine, on));
        assert_ne!(key, due(-7).dedupe_key(yours, on));
        let back = Reason::Returned { loan: LOAN };
        assert_ne!(back.dedupe_key(mine, on), back.dedupe_key(mine, date(2027, 6, 2)));
    }

    #[test]
    fn a_reason_falls_with_what_it_rests_on() {
        let lent = LoanNow { state: LoanStateName::HandedOver, due: Some(date(2027, 6, 15)), expected: true };
        let (until, today) = (date(2027, 6, 30), date(2027, 6, 14));
        assert_eq!(dropped(&due(-1), lent, until, today), None);
        let back = LoanNow { state: LoanStateName::Returned, ..lent };
        assert_eq!(dropped(&due(-1), back, until, today), Some(Dropped::LoanEnded));
        assert_eq!(dropped(&Reason::HandedOver { loan: LOAN }, back, until, today), Some(Dropped::LoanEnded));
        assert_eq!(dropped(&Reason::Returned { loan: LOAN }, back, until, today), None);
        let extended = LoanNow { due: Some(date(2027, 8, 31)), ..lent };
        assert_eq!(dropped(&due(-1), extended, until, today), Some(Dropped::DueChanged));
        assert_eq!(dropped(&due(-1), lent, until, date(2027, 7, 1)), Some(Dropped::Expired));
    }

    #[test]
    fn a_letter_survives_being_stored() {
        let letter = CampaignLetter {
            campaign: Uuid::from_u128(9),
            letter: 1,
            title: "Restitution 2027".into(),
            first: date(2027, 6, 14),
            last: date(2027, 6, 18),
            place: "CDI, 12 h – 14 h".into(),
        };
        let json = serde_json::to_string(&letter).unwrap();
        assert!(json.contains("\"2027-06-14\""), "{json}");
        assert_eq!(serde_json::from_str::<CampaignLetter>(&json).unwrap(), letter);
    }
}
