//! What the family of a laptop reads on it of those who run the agent: who lends it, whom to write to, until when.
//!
//! Organisation and contact are those of documents (`[documents]` in config.toml). The day is the loan's due day: it tells
//! of this laptop alone, only to the laptop itself, and stands on the agreement that the family has. Nothing in it says
//! who they are.
//!
//! The server keeps no record of what it told. It gives a mark with it, which stands for all of it and comes back with
//! each check-in: while the mark is right nothing is told, which costs an unchanged check-in some 30 bytes. A server that
//! was restored, a setting that changed, a loan that was extended, an agent that lost its memory: the mark is wrong, and
//! the next contact heals it.

use cartable_common::{Text, UtcMillis, protocol::Disclosure};
use jiff::civil::Date;

use super::paris;

/// What is the same for every laptop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discloser {
    organisation: Option<Text>,
    contact: Option<Text>,
}

impl Discloser {
    /// With the names that documents carry.
    pub fn new(organisation: Option<&str>, contact: Option<&str>) -> Self {
        Self { organisation: organisation.and_then(Text::meaningful), contact: contact.and_then(Text::meaningful) }
    }

    /// What the family of a laptop reads that is due back on `due`.
    #[must_use]
    pub fn of_loan(&self, due: Option<Date>) -> Disclosure {
        let (organisation, contact) = (self.organisation.clone(), self.contact.clone());
        Disclosure { organisation, contact, until: due.map(noon), mark: self.mark(due) }
    }

    /// The same, where it is not what `mark` stands for.
    #[must_use]
    pub fn news(&self, due: Option<Date>, mark: Option<u32>) -> Option<Disclosure> {
        (self.mark(due) != mark).then(|| self.of_loan(due))
    }

    /// Stands for all of it (FNV-1a over its parts); none where there is nothing to say.
    fn mark(&self, due: Option<Date>) -> Option<u32> {
        /// The parameters of FNV-1a with 32 bits.
        const START: u32 = 0x811c_9dc5;
        const STEP: u32 = 0x0100_0193;
        if *self == Self::default() && due.is_none() {
            return None;
        }
        let texts = [&self.organisation, &self.contact].map(|text| text.as_ref().map_or("", Text::as_str));
        let due = due.map_or(0, |day| noon(day).get());
        // No text holds a zero byte: the parts cannot run into each other.
        let bytes = texts.iter().flat_map(|text| text.bytes().chain([0])).chain(due.to_le_bytes());
        Some(bytes.fold(START, |mark, byte| (mark ^ u32::from(byte)).wrapping_mul(STEP)))
    }
}

/// Noon in Paris: the same day wherever the laptop's words are made.
fn noon(day: Date) -> UtcMillis {
    paris::midnight(day).plus_millis(UtcMillis::DAY / 2)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn valmarin() -> Discloser {
        Discloser::new(Some("Département de Valmarin"), Some("numerique@valmarin.example"))
    }

    #[test]
    fn a_mark_is_right_until_anything_changes() {
        let due = Some(date(2027, 7, 2));
        let first = valmarin().news(due, None).unwrap();
        assert_eq!(first.organisation.as_ref().map(Text::as_str), Some("Département de Valmarin"));
        assert!(first.mark.is_some());
        assert_eq!(valmarin().news(due, first.mark), None, "told once, by whichever process");
        let others = [
            (Discloser::new(Some("Département de Valmarin"), None), due),
            (Discloser::new(None, Some("numerique@valmarin.example")), due),
            (Discloser::new(Some("Département"), Some(" de Valmarinnumerique@valmarin.example")), due),
            (valmarin(), None),
            (valmarin(), Some(date(2027, 7, 3))),
            (Discloser::default(), due),
        ];
        for (other, due) in others {
            assert!(other.news(due, first.mark).is_some(), "{other:?} {due:?}");
        }
    }

    #[test]
    fn where_there_is_nothing_to_say_it_is_said_once_to_whoever_heard_something() {
        let nothing = Discloser::new(None, Some(" "));
        assert_eq!(nothing.news(None, None), None);
        assert_eq!(nothing.news(None, Some(7)), Some(Disclosure::default()));
    }

    #[test]
    fn the_day_is_the_same_in_paris_and_in_greenwich() {
        for day in [date(2027, 7, 2), date(2027, 1, 31)] {
            let until = valmarin().of_loan(Some(day)).until.unwrap();
            assert_eq!(paris::date(until), day);
            let since_epoch = day.since(date(1970, 1, 1)).unwrap().get_days();
            assert_eq!(until.day_number(), i64::from(since_epoch));
        }
    }
}
