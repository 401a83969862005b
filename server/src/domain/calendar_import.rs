//! What the import of a school calendar would change, told before it is done.

use super::{
    ical::Holiday,
    school_calendar::{Closure, Zone},
    verdict::text_enum,
};

text_enum! {
    /// What an import does to days without school.
    pub enum ChangeKind {
        /// They were not known.
        New = "new",
        /// They were imported with other days.
        Moved = "moved",
        /// They are known just so.
        Same = "same",
        /// They were imported before and are in the file no longer.
        Gone = "gone",
    }
}

/// What becomes of some days without school.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosureChange {
    /// The zone.
    pub zone: Zone,
    /// What becomes of them.
    pub kind: ChangeKind,
    /// The days.
    pub closure: Closure,
    /// What they were before they moved.
    pub before: Option<Closure>,
    /// What the calendar calls them.
    pub label: String,
}

impl ClosureChange {
    /// The year in which their school year begins. The summer ends the year before it.
    #[must_use]
    pub fn school_year(&self) -> i16 {
        /// A summer begins in July at the latest; nothing of a school year begins before September.
        const SEPTEMBER: i8 = 9;
        let first = self.closure.first;
        if first.month() >= SEPTEMBER { first.year() } else { first.year().saturating_sub(1) }
    }

    /// Whether the import does anything here.
    #[must_use]
    pub fn matters(&self) -> bool {
        self.kind != ChangeKind::Same
    }
}

/// What putting `holidays` in the place of what was `imported` for their zone would change, in the order of days. As
/// the store does it: all that was imported between their first and their last day makes way.
#[must_use]
pub fn changes(zone: Zone, imported: &[(Closure, String)], holidays: &[Holiday]) -> Vec<ClosureChange> {
    let first = holidays.iter().map(|one| one.closure.first).min();
    let last = holidays.iter().map(|one| one.closure.last).max();
    let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
    let meets = |one: &Closure, first, last| one.first <= last && one.last >= first;
    let mut before: Vec<&(Closure, String)> =
        imported.iter().filter(|(closure, _)| closure.zone == Some(zone) && meets(closure, first, last)).collect();
    let mut found = Vec::new();
    // Those that stay as they are first, so that none of them is taken for the old place of another.
    for holiday in holidays {
        if let Some(place) = before.iter().position(|(closure, _)| same_days(closure, &holiday.closure)) {
            before.remove(place);
            found.push((holiday, ChangeKind::Same, None));
        } else {
            found.push((holiday, ChangeKind::New, None));
        }
    }
    for (holiday, kind, moved_from) in found.iter_mut().filter(|(_, kind, _)| *kind == ChangeKind::New) {
        let new = holiday.closure;
        if let Some(place) = before.iter().position(|(closure, _)| meets(closure, new.first, new.last)) {
            (*kind, *moved_from) = (ChangeKind::Moved, Some(before.remove(place).0));
        }
    }
    let mut changes: Vec<ClosureChange> = found
        .into_iter()
        .map(|(holiday, kind, before)| {
            let (closure, label) = (holiday.closure, holiday.label.clone());
            ClosureChange { zone, kind, closure, before, label }
        })
        .collect();
    changes.extend(before.into_iter().map(|(closure, label)| ClosureChange {
        zone,
        kind: ChangeKind::Gone,
        closure: *closure,
        before: None,
        label: label.clone(),
    }));
    changes.sort_by_key(|change| (change.closure.first, change.closure.last));
    changes
}

fn same_days(one: &Closure, other: &Closure) -> bool {
    (one.first, one.last) == (other.first, other.last)
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::*;

    fn closure(first: Date, last: Date) -> Closure {
        Closure { zone: Some(Zone::A), first, last }
    }

    fn holiday(first: Date, last: Date) -> Holiday {
        Holiday { closure: closure(first, last), label: "Vacances".to_owned() }
    }

    #[test]
    fn each_stretch_is_new_moved_the_same_or_gone() {
        let autumn = (date(2027, 10, 23), date(2027, 11, 7));
        let winter = (date(2028, 2, 12), date(2028, 2, 27));
        let imported = [
            (closure(autumn.0, autumn.1), "Toussaint".to_owned()),
            (closure(date(2028, 2, 5), date(2028, 2, 20)), "Hiver".to_owned()),
            (closure(date(2027, 12, 6), date(2027, 12, 6)), "Pont".to_owned()),
            // Of another zone, and of a year that the file does not speak of.
            (Closure { zone: Some(Zone::B), ..closure(winter.0, winter.1) }, "Hiver".to_owned()),
            (closure(date(2026, 2, 7), date(2026, 2, 22)), "Hiver".to_owned()),
        ];
        let file = [
            holiday(autumn.0, autumn.1),
            holiday(winter.0, winter.1),
            holiday(date(2028, 4, 8), date(2028, 4, 23)),
            holiday(date(2028, 7, 8), date(2028, 8, 31)),
        ];
        let found = changes(Zone::A, &imported, &file);
        let kinds: Vec<_> = found.iter().map(|one| (one.closure.first.month(), one.kind.as_str())).collect();
        assert_eq!(kinds, [(10, "same"), (12, "gone"), (2, "moved"), (4, "new"), (7, "new")]);
        assert_eq!(found[2].before, Some(imported[1].0));
        assert!(found.iter().all(|one| one.school_year() == 2027), "the summer ends its year: {found:?}");
        assert_eq!(found.iter().filter(|one| one.matters()).count(), 4);
        assert!(changes(Zone::A, &imported, &[]).is_empty(), "an empty file takes nothing away");
    }

    #[test]
    fn a_stretch_that_stays_is_not_taken_for_the_old_place_of_its_neighbour() {
        let (one, other) = ((date(2028, 5, 25), date(2028, 5, 28)), (date(2028, 5, 20), date(2028, 5, 26)));
        let imported = [(closure(one.0, one.1), "Pont".to_owned())];
        let found = changes(Zone::A, &imported, &[holiday(other.0, other.1), holiday(one.0, one.1)]);
        let kinds: Vec<_> = found.iter().map(|change| change.kind).collect();
        assert_eq!(kinds, [ChangeKind::New, ChangeKind::Same]);
    }
}
