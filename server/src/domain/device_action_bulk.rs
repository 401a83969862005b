//! One order to many devices: what may be ordered so, what it is for each of them, and why some are left out. Whether one
//! of them may be given it is [`device_action`]'s to say, as for a single order.

use std::collections::BTreeMap;

use cartable_common::{Text, action::MAX_PLACE_CHARS};
use data_encoding::HEXLOWER;
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use super::{
    device_action::{self, Facts, Hindrance, InvalidOrder, Kind, Order},
    verdict::text_enum,
};

/// Most devices that one form or one call orders something of. The form that confirms names each of them and what was shown
/// of it, in 48 of the 64 KiB that a form may hold, and the person waits for the answer: some seconds.
pub const MOST_AT_ONCE: usize = 1_000;

/// Orders in one unit of work: while it lasts no laptop's contact is written down (SQLite), nor any other act (the audit).
pub const IN_ONE_UNIT: usize = 100;

/// Bytes of a mark: enough that what changed shows.
const MARK_BYTES: usize = 4;

/// What is ordered of many devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkOrder {
    kind: Kind,
    due_by: Option<Date>,
    place: Option<Text>,
}

/// Why nothing can be ordered of many devices as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBulk {
    /// Logs of many.
    #[error("a log is one laptop's, and looked at on that device's page: it is not ordered of many")]
    Log,
    /// A day or a place without a notice.
    #[error("a day and a place go with a return notice alone")]
    TooMuch,
    /// The place is no line.
    #[error("the place is a line of 1 to {MAX_PLACE_CHARS} characters without < and >")]
    Place,
}

impl Kind {
    /// Whether it is ordered of many devices at once: a log is somebody's look at one laptop.
    #[must_use]
    pub const fn goes_to_many(self) -> bool {
        match self {
            Self::CheckIn | Self::FullReport | Self::SelfTest | Self::ReturnNotice => true,
            Self::SendLog => false,
        }
    }
}

text_enum! {
    /// Why a device is left out.
    pub enum LeftOut {
        /// It is not in service, or put away.
        NotInService = "not_in_service",
        /// No agent speaks for it.
        NoAgent = "no_agent",
        /// The same waits already.
        Already = "already",
        /// Nobody has it: there is nothing to bring back.
        NotLent = "not_lent",
        /// It is lent without a day that a notice could name.
        OtherDay = "other_day",
        /// It is due later than the notices are for.
        NotDue = "not_due",
        /// It has no site whose name would say where to bring it.
        NoPlace = "no_place",
        /// It is no longer as it was shown.
        Changed = "changed",
        /// The same form was sent before, and ordered it then.
        Before = "before",
    }
}

impl LeftOut {
    /// In words, for scripts and the command line.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotInService => Hindrance::NotInService.words(),
            Self::NoAgent => Hindrance::NoAgent.words(),
            Self::Already => Hindrance::Already.words(),
            Self::NotLent => Hindrance::NotLent.words(),
            Self::OtherDay => "the device is lent without a day that a return notice could name",
            Self::NotDue => "the device is due later than the day that was given",
            Self::NoPlace => "the device has no site whose name could say where to bring it: give a place",
            Self::Changed => "the device changed meanwhile",
            Self::Before => "the same form was sent before",
        }
    }
}

impl From<Hindrance> for LeftOut {
    fn from(hindrance: Hindrance) -> Self {
        match hindrance {
            Hindrance::NotInService => Self::NotInService,
            Hindrance::NoAgent => Self::NoAgent,
            Hindrance::Already => Self::Already,
            Hindrance::NotLent => Self::NotLent,
            Hindrance::OtherDay => Self::OtherDay,
        }
    }
}

impl BulkOrder {
    /// An order of `kind` to many; a return notice for those who are due until `due_by`, to be brought to `place` instead of
    /// the site of each.
    pub fn new(kind: Kind, due_by: Option<Date>, place: Option<&str>) -> Result<Self, InvalidBulk> {
        let place = place.map(str::trim).filter(|place| !place.is_empty());
        if !kind.goes_to_many() {
            return Err(InvalidBulk::Log);
        }
        if kind != Kind::ReturnNotice && (due_by.is_some() || place.is_some()) {
            return Err(InvalidBulk::TooMuch);
        }
        let place = place.map(device_action::place).transpose().map_err(|_| InvalidBulk::Place)?;
        Ok(Self { kind, due_by, place })
    }

    /// What is ordered.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What is ordered of one device at the site of that name, or why it is left out; `today` is the day in Paris.
    pub fn of(&self, facts: &Facts, site: Option<&str>, today: Date) -> Result<Order, LeftOut> {
        let due = facts.due.filter(|_| self.kind == Kind::ReturnNotice);
        device_action::may_be_ordered(self.kind, due, facts)?;
        if self.due_by.zip(due).is_some_and(|(last, due)| due > last) {
            return Err(LeftOut::NotDue);
        }
        let place = due.and_then(|_| self.place_at(site));
        Order::new(self.kind, due, place.as_deref(), today).map_err(|invalid| match invalid {
            InvalidOrder::Day => LeftOut::OtherDay,
            InvalidOrder::Incomplete | InvalidOrder::TooMuch | InvalidOrder::Place => LeftOut::NoPlace,
        })
    }

    /// Where to bring a laptop of that site.
    fn place_at(&self, site: Option<&str>) -> Option<String> {
        match &self.place {
            Some(place) => Some(place.to_string()),
            None => site.map(|name| name.chars().take(MAX_PLACE_CHARS).collect()),
        }
    }
}

impl Order {
    /// What a preview showed of it, in a few characters: with another day or another place it has another mark.
    #[must_use]
    pub fn mark(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.kind().as_str());
        if let Some(notice) = self.notice() {
            hash.update(notice.due.to_string());
            hash.update(notice.place.as_str());
        }
        let digest: [u8; 32] = hash.finalize().into();
        HEXLOWER.encode(&digest[..MARK_BYTES])
    }
}

/// How many devices get an order, and how many are left out, by why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Those that get it.
    pub ordered: usize,
    /// Those that do not.
    pub left_out: BTreeMap<LeftOut, usize>,
}

impl Tally {
    /// All of them.
    #[must_use]
    pub fn devices(&self) -> usize {
        self.ordered + self.left_out.values().sum::<usize>()
    }
}

impl Extend<Result<(), LeftOut>> for Tally {
    fn extend<I: IntoIterator<Item = Result<(), LeftOut>>>(&mut self, outcomes: I) {
        for outcome in outcomes {
            match outcome {
                Ok(()) => self.ordered += 1,
                Err(why) => *self.left_out.entry(why).or_default() += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::{device::DeviceStatus, loan::LendingState};

    const TODAY: Date = date(2027, 6, 1);
    const DUE: Date = date(2027, 7, 2);
    const SITE: Option<&str> = Some("Collège des Tilleuls");

    fn facts() -> Facts {
        Facts {
            status: DeviceStatus::Active,
            is_archived: false,
            lending: LendingState::Lent,
            due: Some(DUE),
            has_agent: true,
            waiting: Vec::new(),
        }
    }

    fn notice(due_by: Option<Date>, place: Option<&str>) -> BulkOrder {
        BulkOrder::new(Kind::ReturnNotice, due_by, place).unwrap()
    }

    /// The day and the place that a notice for one device names.
    fn of(order: &BulkOrder, due: Date, site: Option<&str>) -> Result<(Date, String), LeftOut> {
        let order = order.of(&Facts { due: Some(due), ..facts() }, site, TODAY)?;
        let notice = order.notice().unwrap();
        Ok((notice.due, notice.place.to_string()))
    }

    #[test]
    fn a_notice_names_each_loans_own_day_and_each_sites_name() {
        let later = date(2027, 9, 1);
        assert_eq!(of(&notice(None, None), DUE, SITE), Ok((DUE, "Collège des Tilleuls".to_owned())));
        assert_eq!(of(&notice(None, None), later, SITE), Ok((later, "Collège des Tilleuls".to_owned())));
        assert_eq!(of(&notice(None, Some(" CDI ")), DUE, None), Ok((DUE, "CDI".to_owned())));
        assert_eq!(of(&notice(Some(DUE), None), DUE, SITE), Ok((DUE, "Collège des Tilleuls".to_owned())));
        assert_eq!(of(&notice(Some(DUE), None), later, SITE), Err(LeftOut::NotDue));
        for nowhere in [None, Some(" "), Some("<b>")] {
            assert_eq!(of(&notice(None, None), DUE, nowhere), Err(LeftOut::NoPlace), "{nowhere:?}");
        }
        let long = "é".repeat(MAX_PLACE_CHARS + 1);
        assert_eq!(of(&notice(None, None), DUE, Some(&long)), Ok((DUE, "é".repeat(MAX_PLACE_CHARS))));
        assert_eq!(of(&notice(None, None), date(2040, 1, 1), SITE), Err(LeftOut::OtherDay), "no notice names it");
    }

    #[test]
    fn a_device_is_left_out_for_what_a_single_order_is_refused_for() {
        for kind in Kind::ALL.iter().copied().filter(|kind| kind.goes_to_many()) {
            let order = BulkOrder::new(kind, None, None).unwrap();
            let left = |facts: Facts| order.of(&facts, SITE, TODAY).err();
            assert_eq!(left(facts()), None, "{kind}");
            assert_eq!(left(Facts { status: DeviceStatus::Quarantined, ..facts() }), Some(LeftOut::NotInService));
            assert_eq!(left(Facts { has_agent: false, ..facts() }), Some(LeftOut::NoAgent));
            assert_eq!(left(Facts { waiting: vec![kind], ..facts() }), Some(LeftOut::Already));
            let of_notices = |why| (kind == Kind::ReturnNotice).then_some(why);
            let stock = Facts { lending: LendingState::InStock, due: None, ..facts() };
            assert_eq!(left(stock), of_notices(LeftOut::NotLent));
            assert_eq!(left(Facts { due: None, ..facts() }), of_notices(LeftOut::OtherDay));
        }
        for hindrance in Hindrance::ALL.iter().copied() {
            assert_eq!(LeftOut::from(hindrance).as_str(), hindrance.as_str());
        }
    }

    #[test]
    fn logs_are_not_ordered_of_many_and_only_notices_have_a_day_and_a_place() {
        assert_eq!(BulkOrder::new(Kind::SendLog, None, None), Err(InvalidBulk::Log));
        assert_eq!(BulkOrder::new(Kind::SelfTest, Some(DUE), None), Err(InvalidBulk::TooMuch));
        assert_eq!(BulkOrder::new(Kind::SelfTest, None, Some("CDI")), Err(InvalidBulk::TooMuch));
        assert!(BulkOrder::new(Kind::SelfTest, None, Some(" ")).is_ok(), "an empty field of a form");
        assert_eq!(BulkOrder::new(Kind::ReturnNotice, None, Some("<b>")), Err(InvalidBulk::Place));
    }

    #[test]
    fn a_mark_changes_with_the_day_and_the_place() {
        let mark = |order: &BulkOrder, due| order.of(&Facts { due: Some(due), ..facts() }, SITE, TODAY).unwrap().mark();
        let first = mark(&notice(None, None), DUE);
        assert_eq!(first.len(), 2 * MARK_BYTES);
        assert_eq!(mark(&notice(Some(DUE), None), DUE), first, "what is shown is the order, not how it was asked for");
        assert_ne!(mark(&notice(None, None), date(2027, 7, 3)), first);
        assert_ne!(mark(&notice(None, Some("CDI")), DUE), first);
    }

    #[test]
    fn a_tally_counts_every_device_once() {
        let mut tally = Tally::default();
        tally.extend([Ok(()), Err(LeftOut::NotLent), Ok(()), Err(LeftOut::NotLent), Err(LeftOut::Changed)]);
        assert_eq!((tally.ordered, tally.devices()), (2, 5));
        assert_eq!(tally.left_out, BTreeMap::from([(LeftOut::NotLent, 2), (LeftOut::Changed, 1)]));
    }
}
