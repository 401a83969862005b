//! What people may order of an agent: who orders what of which device, for how long, and how much at once. The list is
//! closed; docs/actions.md says why nothing else is on it.

use cartable_common::{
    Text, UtcMillis,
    action::{ActionKind, MAX_PLACE_CHARS},
    text::is_unshowable,
};
use jiff::civil::Date;

use super::{authority::Action, device::DeviceStatus, loan::LendingState, verdict::text_enum};

/// Most orders of one device that wait at once: one of each kind.
pub const MOST_WAITING: usize = Kind::ALL.len();

/// How far in years a day of return may lie from today: a loan lasts up to four school years.
const DUE_WITHIN_YEARS: u16 = 5;

text_enum! {
    /// What is ordered.
    pub enum Kind {
        /// Come back two minutes after the next contact.
        CheckIn = "check_in",
        /// Send a whole report at the next contact.
        FullReport = "full_report",
        /// Start the short self-test of each drive.
        SelfTest = "self_test",
        /// Tell whoever uses the laptop until when and where to bring it back.
        ReturnNotice = "return_notice",
        /// Send the agent's own log.
        SendLog = "send_log",
    }
}

impl Kind {
    /// As agents read it.
    #[must_use]
    pub const fn wire(self) -> ActionKind {
        match self {
            Self::CheckIn => ActionKind::CheckIn,
            Self::FullReport => ActionKind::FullReport,
            Self::SelfTest => ActionKind::SelfTest,
            Self::ReturnNotice => ActionKind::ReturnNotice,
            Self::SendLog => ActionKind::SendLog,
        }
    }

    /// The right that orders it.
    #[must_use]
    pub const fn right(self) -> Action {
        match self {
            Self::ReturnNotice => Action::OrderReturnNotice,
            Self::CheckIn | Self::FullReport | Self::SelfTest | Self::SendLog => Action::OrderActions,
        }
    }

    /// Days after which an order that was not fetched is over: a laptop that comes back after the holidays does not do what
    /// somebody wondered about in June. A notice stays on the desktop as long.
    #[must_use]
    pub const fn lives_for_days(self) -> i64 {
        match self {
            Self::CheckIn => 1,
            Self::FullReport | Self::SelfTest | Self::SendLog => 7,
            Self::ReturnNotice => 14,
        }
    }
}

text_enum! {
    /// Where an order stands.
    pub enum ActionState {
        /// The laptop has not been in contact since.
        Waiting = "waiting",
        /// The laptop was told and has not answered.
        Told = "told",
        /// The laptop answered.
        Answered = "answered",
        /// Its time is over.
        Over = "over",
    }
}

/// An order, as it may be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    kind: Kind,
    notice: Option<Notice>,
}

/// What a return notice says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The last day.
    pub due: Date,
    /// Where to bring the laptop.
    pub place: Text,
}

/// Why an order cannot be given as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOrder {
    /// A notice without a day or a place.
    #[error("a return notice needs a day and a place")]
    Incomplete,
    /// A day or a place without a notice.
    #[error("a day and a place go with a return notice alone")]
    TooMuch,
    /// The place is no line.
    #[error("the place is a line of 1 to {MAX_PLACE_CHARS} characters without < and >")]
    Place,
    /// The day is no day of a loan.
    #[error("the day lies within {DUE_WITHIN_YEARS} years of today")]
    Day,
}

impl Order {
    /// An order of `kind`, with what a return notice says; `today` is the day in Paris.
    pub fn new(kind: Kind, due: Option<Date>, place: Option<&str>, today: Date) -> Result<Self, InvalidOrder> {
        let place = place.map(str::trim).filter(|place| !place.is_empty());
        let notice = match (kind, due, place) {
            (Kind::ReturnNotice, Some(due), Some(place)) => Some(Notice { due, place: self::place(place)? }),
            (Kind::ReturnNotice, ..) => return Err(InvalidOrder::Incomplete),
            (_, None, None) => None,
            (..) => return Err(InvalidOrder::TooMuch),
        };
        let is_near = |day: Date| day.year().abs_diff(today.year()) <= DUE_WITHIN_YEARS;
        if notice.as_ref().is_some_and(|notice| !is_near(notice.due)) {
            return Err(InvalidOrder::Day);
        }
        Ok(Self { kind, notice })
    }

    /// As it was stored, unjudged.
    pub(crate) const fn stored(kind: Kind, notice: Option<Notice>) -> Self {
        Self { kind, notice }
    }

    /// What is ordered.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What a return notice says.
    #[must_use]
    pub const fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }
}

/// A place as a notice says it.
pub(super) fn place(text: &str) -> Result<Text, InvalidOrder> {
    let is_line = text.chars().count() <= MAX_PLACE_CHARS
        && !text.contains(|sign: char| is_unshowable(sign) || matches!(sign, '<' | '>'));
    if is_line { Ok(Text::clean(text)) } else { Err(InvalidOrder::Place) }
}

/// What an order depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Where the device stands.
    pub status: DeviceStatus,
    /// Whether it was put away.
    pub is_archived: bool,
    /// Where it is in its lending.
    pub lending: LendingState,
    /// Until when it is lent; none where it is not lent, or without a day.
    pub due: Option<Date>,
    /// Whether an agent speaks for it.
    pub has_agent: bool,
    /// The kinds of orders that wait for it.
    pub waiting: Vec<Kind>,
}

text_enum! {
    /// Why an order is not given.
    pub enum Hindrance {
        /// The device is not in service, or put away.
        NotInService = "not_in_service",
        /// No agent speaks for it.
        NoAgent = "no_agent",
        /// The same waits already.
        Already = "already",
        /// Nobody has it: there is nothing to bring back.
        NotLent = "not_lent",
        /// The notice names another day than the loan, or the loan has none.
        OtherDay = "other_day",
    }
}

impl Hindrance {
    /// In words, for scripts and the command line.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotInService => "the device is not in service, or is in the archive",
            Self::NoAgent => "no agent speaks for the device",
            Self::Already => "the same order waits for the device already",
            Self::NotLent => "the device is not lent: a return notice has nobody to read it",
            Self::OtherDay => {
                "the device is lent until another day, or without one: a return notice says until when it is lent"
            }
        }
    }
}

/// Whether `order` may be given now.
pub fn may_order(order: &Order, facts: &Facts) -> Result<(), Hindrance> {
    may_be_ordered(order.kind(), order.notice().map(|notice| notice.due), facts)
}

/// Whether an order of that kind may be given now, a return notice where it names `due`.
pub(super) fn may_be_ordered(kind: Kind, due: Option<Date>, facts: &Facts) -> Result<(), Hindrance> {
    if facts.status != DeviceStatus::Active || facts.is_archived {
        return Err(Hindrance::NotInService);
    }
    if !facts.has_agent {
        return Err(Hindrance::NoAgent);
    }
    let is_notice = kind == Kind::ReturnNotice;
    if is_notice && facts.lending != LendingState::Lent {
        return Err(Hindrance::NotLent);
    }
    if is_notice && (due.is_none() || facts.due != due) {
        return Err(Hindrance::OtherDay);
    }
    if facts.waiting.contains(&kind) {
        return Err(Hindrance::Already);
    }
    Ok(())
}

/// The counter of the next order of a device whose last one had `last`. A server that was restored from an old backup goes on
/// above whatever it gave since: the time in milliseconds grows faster than people order.
#[must_use]
pub fn next_counter(last: Option<i64>, now: UtcMillis) -> i64 {
    last.map_or(0, |last| last.saturating_add(1)).max(now.get())
}

/// Where an order stands at `now`.
#[must_use]
pub fn state(is_told: bool, is_answered: bool, expires_at: UtcMillis, now: UtcMillis) -> ActionState {
    if is_answered {
        ActionState::Answered
    } else if expires_at <= now {
        ActionState::Over
    } else if is_told {
        ActionState::Told
    } else {
        ActionState::Waiting
    }
}

#[cfg(test)]
mod tests {
    use cartable_common::action::{MAX_ACTION_DAYS, MAX_ACTIONS};
    use jiff::civil::date;

    use super::*;

    const DUE: Date = date(2027, 7, 2);

    fn order(kind: Kind) -> Order {
        let notice = Notice { due: DUE, place: Text::clean("CDI") };
        Order::stored(kind, (kind == Kind::ReturnNotice).then_some(notice))
    }

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

    #[test]
    fn agents_know_every_kind_and_take_each_as_long_as_it_lives() {
        for kind in Kind::ALL {
            assert_eq!(kind.wire().as_str(), kind.as_str());
            assert!((1..=MAX_ACTION_DAYS).contains(&kind.lives_for_days()), "{kind}");
        }
        assert_eq!(MOST_WAITING.min(MAX_ACTIONS), MOST_WAITING, "one answer carries all that may wait");
    }

    #[test]
    fn an_order_is_given_only_where_an_agent_may_do_it_and_once() {
        let in_stock = Facts { lending: LendingState::InStock, ..facts() };
        for kind in Kind::ALL.iter().copied() {
            assert_eq!(may_order(&order(kind), &facts()), Ok(()));
            let away = Facts { status: DeviceStatus::Quarantined, ..facts() };
            assert_eq!(may_order(&order(kind), &away), Err(Hindrance::NotInService));
            let archived = Facts { is_archived: true, ..facts() };
            assert_eq!(may_order(&order(kind), &archived), Err(Hindrance::NotInService));
            let silent = Facts { has_agent: false, ..facts() };
            assert_eq!(may_order(&order(kind), &silent), Err(Hindrance::NoAgent));
            let again = Facts { waiting: vec![kind], ..facts() };
            assert_eq!(may_order(&order(kind), &again), Err(Hindrance::Already));
            assert_eq!(may_order(&order(kind), &in_stock).is_err(), kind == Kind::ReturnNotice);
            for due in [None, Some(date(2027, 9, 1))] {
                let extended = may_order(&order(kind), &Facts { due, ..facts() });
                assert_eq!(extended, if kind == Kind::ReturnNotice { Err(Hindrance::OtherDay) } else { Ok(()) });
            }
        }
    }

    #[test]
    fn a_notice_has_a_day_and_a_place_and_nothing_else_has() {
        let today = date(2027, 6, 1);
        let new = |kind, due, place| Order::new(kind, due, place, today);
        let due = Some(date(2027, 7, 2));
        let notice = new(Kind::ReturnNotice, due, Some("  Collège A, CDI ")).unwrap();
        assert_eq!(notice.notice().unwrap().place.as_str(), "Collège A, CDI");
        assert_eq!(new(Kind::ReturnNotice, None, Some("A")), Err(InvalidOrder::Incomplete));
        assert_eq!(new(Kind::ReturnNotice, due, Some(" ")), Err(InvalidOrder::Incomplete));
        assert_eq!(new(Kind::SendLog, due, None), Err(InvalidOrder::TooMuch));
        let long = "x".repeat(MAX_PLACE_CHARS + 1);
        for place in ["<b>A</b>", "A\nB", "A\u{202E}B", &long] {
            assert_eq!(new(Kind::ReturnNotice, due, Some(place)), Err(InvalidOrder::Place), "{place}");
        }
        assert_eq!(new(Kind::ReturnNotice, Some(date(2040, 1, 1)), Some("A")), Err(InvalidOrder::Day));
        assert!(new(Kind::SelfTest, None, None).is_ok());
    }

    #[test]
    fn counters_grow_whatever_the_clock_and_the_backups_do() {
        let now = UtcMillis::default().plus_days(20_000);
        assert_eq!(next_counter(None, now), now.get());
        assert_eq!(next_counter(Some(now.get() - 5), now), now.get());
        assert_eq!(next_counter(Some(now.get()), now), now.get() + 1, "twice in a millisecond");
        assert_eq!(next_counter(Some(now.get() + 99), now), now.get() + 100, "the clock went back");
    }

    #[test]
    fn an_answer_counts_even_when_it_came_late() {
        let now = UtcMillis::default().plus_days(20_000);
        let later = now.plus_days(1);
        assert_eq!(state(false, false, later, now), ActionState::Waiting);
        assert_eq!(state(true, false, later, now), ActionState::Told);
        assert_eq!(state(true, false, now, now), ActionState::Over);
        assert_eq!(state(true, true, now, now), ActionState::Answered);
    }
}
