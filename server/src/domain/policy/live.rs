//! The policy that a running server follows: shared by all its parts, and replaced as a whole when the school calendar
//! is imported.

use std::{
    ops::Deref,
    sync::{Arc, PoisonError, RwLock},
};

use super::Policy;
use crate::domain::school_calendar::Closure;

/// A policy that many hold and that changes for all of them at once. Cheap to clone; reads as a [`Policy`].
#[derive(Clone, Debug)]
pub struct LivePolicy {
    /// What was read from the policy's file: imported closures come on top of it.
    file: Arc<Policy>,
    current: Arc<RwLock<&'static Policy>>,
}

impl LivePolicy {
    /// The policy of the file, until closures are imported.
    pub fn new(file: Policy) -> Self {
        let current: &'static Policy = Box::leak(Box::new(file.clone()));
        Self { file: Arc::new(file), current: Arc::new(RwLock::new(current)) }
    }

    /// Follows these imported closures besides those of the file from now on; whether that changes anything.
    ///
    /// Each change keeps the policy before it in memory for as long as the program runs, so that nobody who is reading
    /// it has to hold a lock: some kilobytes, for the few imports of a year.
    pub fn set_imported(&self, imported: &[Closure]) -> bool {
        let mut next = Policy::clone(&self.file);
        for closure in imported {
            if !next.calendar.closures.contains(closure) {
                next.calendar.closures.push(*closure);
            }
        }
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let changed = **current != next;
        if changed {
            *current = Box::leak(Box::new(next));
        }
        changed
    }
}

impl Deref for LivePolicy {
    type Target = Policy;

    fn deref(&self) -> &Policy {
        *self.current.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Policy> for LivePolicy {
    fn from(policy: Policy) -> Self {
        Self::new(policy)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::school_calendar::Zone;

    #[test]
    fn everybody_follows_an_import_and_it_can_be_taken_back() {
        let file = Policy::from_toml("[calendar]\nclosures = [\"2027-09-06 2027-09-06\"]\n").unwrap();
        let live = LivePolicy::new(file.clone());
        let (other, before) = (live.clone(), &*live);
        let autumn = Closure { zone: Some(Zone::C), first: date(2027, 10, 23), last: date(2027, 11, 7) };
        assert!(live.set_imported(&[autumn]));
        assert!(!live.set_imported(&[autumn, file.calendar.closures[0]]), "twice changes nothing");
        assert_eq!(other.calendar.closures, [file.calendar.closures[0], autumn]);
        assert_eq!(before.calendar.closures.len(), 1, "whoever was reading reads on");
        assert!(other.set_imported(&[]) && *live == file);
    }
}
