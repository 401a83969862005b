//! What could not be read so far, while the answers of programs become a report.

use std::cell::RefCell;

use cartable_common::report::{Subject, Unread, UnreadReason};

use super::unread;

/// The list, which probes that only read share.
#[derive(Debug, Default)]
pub(super) struct Gaps(RefCell<Vec<Unread>>);

impl Gaps {
    /// Without words it only says that nothing was found, which is left out where the reason was said before.
    pub(super) fn missing(&self, subject: Subject, reason: UnreadReason, words: &str) {
        let mut gaps = self.0.borrow_mut();
        if !words.is_empty() || gaps.iter().all(|entry| entry.subject != Some(subject)) {
            gaps.push(unread(subject, reason, words));
        }
    }

    pub(super) fn into_unread(self) -> Vec<Unread> {
        self.0.into_inner()
    }
}
