//! What happened to each unit, in order: what stood on a day is read from here.

use std::collections::BTreeMap;

use cartable_common::{DeviceId, UtcMillis};
use jiff::civil::Date;

use super::{
    fact::{Facts, Left, LotUnit, StepKind, Unit, Way},
    line::{Event, How},
};
use crate::domain::{paris, work_order::Disposition};

/// The units with their histories.
#[derive(Debug)]
pub(super) struct Histories<'a>(BTreeMap<DeviceId, History<'a>>);

/// What happened to one unit.
#[derive(Debug)]
pub(super) struct History<'a> {
    pub(super) unit: &'a Unit,
    /// Closings (what became of it) and reopenings (none) of its orders.
    decided: Vec<(UtcMillis, i64, Option<Disposition>)>,
    lots: Vec<&'a LotUnit>,
    exits: Vec<Exit<'a>>,
}

/// A way out of the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit<'a> {
    Delivered(&'a LotUnit, Date),
    Left(&'a Left),
}

/// The decision to part with a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reform {
    pub(super) day: Date,
    pub(super) how: How,
}

impl Exit<'_> {
    pub(super) const fn day(self) -> Date {
        match self {
            Self::Delivered(_, day) => day,
            Self::Left(left) => left.day,
        }
    }

    /// Of several on a day, the one that says most comes first.
    const fn rank(self) -> u8 {
        match self {
            Self::Delivered(..) => 0,
            Self::Left(left) => match left.way {
                Way::CededByLoan => 1,
                Way::WrittenOff => 2,
                Way::Archived => 3,
            },
        }
    }

    pub(super) fn event(self) -> Event {
        match self {
            Self::Delivered(one, _) => {
                Event::Delivered { lot: one.lot.clone(), recipient: one.recipient.clone(), basis: one.basis }
            }
            Self::Left(left) => Event::Left(left.way),
        }
    }
}

impl<'a> Histories<'a> {
    pub(super) fn new(facts: &'a Facts) -> Self {
        let blank = |unit| History { unit, decided: Vec::new(), lots: Vec::new(), exits: Vec::new() };
        let mut all: BTreeMap<DeviceId, History<'a>> = facts.units.iter().map(|unit| (unit.id, blank(unit))).collect();
        for order in &facts.orders {
            let Some(history) = all.get_mut(&order.device) else { continue };
            history.decided.extend(order.steps.iter().filter_map(|step| match step.kind {
                StepKind::Closed(disposition) => Some((step.at, step.number, Some(disposition))),
                StepKind::Reopened => Some((step.at, step.number, None)),
                StepKind::Other => None,
            }));
        }
        for lot in &facts.lots {
            let Some(history) = all.get_mut(&lot.device) else { continue };
            history.lots.push(lot);
            history.exits.extend(lot.delivered.map(|day| Exit::Delivered(lot, day)));
        }
        for left in &facts.left {
            let Some(history) = all.get_mut(&left.device) else { continue };
            history.exits.push(Exit::Left(left));
        }
        for history in all.values_mut() {
            // A device is on one bench: its orders follow each other.
            history.decided.sort_by_key(|(at, number, _)| (*at, *number));
            history.lots.sort_by(|a, b| (a.approved, &a.lot).cmp(&(b.approved, &b.lot)));
            history.exits.sort_by_key(|exit| (exit.day(), exit.rank()));
        }
        Self(all)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &History<'a>> {
        self.0.values()
    }

    pub(super) fn of(&self, device: DeviceId) -> Option<&History<'a>> {
        self.0.get(&device)
    }
}

impl<'a> History<'a> {
    /// Its ways out, first to last: no more than one is true, and the first is taken to be it.
    pub(super) fn exits(&self) -> &[Exit<'a>] {
        &self.exits
    }

    /// The day on which it left.
    pub(super) fn left(&self) -> Option<Date> {
        self.exits.first().map(|exit| exit.day())
    }

    /// What its last order had become before the moment `end`, and when: none while one is open, or was never closed.
    pub(super) fn standing(&self, end: UtcMillis) -> Option<(UtcMillis, Disposition)> {
        let (at, _, disposition) = self.decided.iter().rev().find(|(at, ..)| *at < end)?;
        disposition.map(|disposition| (*at, disposition))
    }

    /// The decision to part with it that stood before the day `end` began: its last order was closed for anything but to
    /// lend it again, or it was in an approved lot. The earlier of both.
    pub(super) fn reform(&self, end: Date) -> Option<Reform> {
        let closed = self.standing(paris::midnight(end)).filter(|(_, became)| *became != Disposition::Relend);
        let closed = closed.map(|(at, became)| Reform { day: paris::date(at), how: How::Workshop(became) });
        let stands = |lot: &&&LotUnit| lot.approved < end && lot.dropped.is_none_or(|dropped| dropped >= end);
        let lot = self.lots.iter().find(stands);
        let lot = lot.map(|lot| Reform { day: lot.approved, how: How::Lot(lot.lot.clone()) });
        match (closed, lot) {
            (Some(closed), Some(lot)) => Some(if lot.day < closed.day { lot } else { closed }),
            (closed, lot) => closed.or(lot),
        }
    }
}
