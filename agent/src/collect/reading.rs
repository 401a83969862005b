//! The answers of a system's programs while they become a report.

use std::cell::RefCell;

use cartable_common::report::{Subject, Unread, UnreadReason};

use super::unread;

/// The answers, and the list of what could not be read so far, which probes that only read share.
pub(super) struct Reading<'a, Answers> {
    pub(super) answers: &'a Answers,
    unread: RefCell<Vec<Unread>>,
}

impl<'a, Answers> Reading<'a, Answers> {
    pub(super) fn new(answers: &'a Answers) -> Self {
        Self { answers, unread: RefCell::default() }
    }

    /// Without words it only says that nothing was found, which is left out where the reason was said before.
    pub(super) fn missing(&self, subject: Subject, reason: UnreadReason, words: &str) {
        let mut list = self.unread.borrow_mut();
        if !words.is_empty() || list.iter().all(|entry| entry.subject != Some(subject)) {
            list.push(unread(subject, reason, words));
        }
    }

    pub(super) fn into_unread(self) -> Vec<Unread> {
        self.unread.into_inner()
    }
}
