//! The return notice: a small file that everybody on the laptop may read, made into a sentence in the language of whoever
//! reads it. A program in that person's own session shows it, with their rights: on Linux the desktop starts it, on
//! Windows the service does.

use std::{fs, io, path::Path};

use cartable_common::{UtcMillis, action::ReturnNotice, protocol::Disclosure};
use serde::{Deserialize, Serialize};

use crate::{disclosure, language::Language};

/// The name of the file.
const FILE: &str = "notice.json";

/// Days after the day of return for which a notice is shown at most.
const SHOWN_AFTER_DUE_DAYS: i64 = 7;

/// Most units of UTF-16 in a title and in the words of a notification, as Windows has room for them (`NOTIFYICONDATAW`).
const WINDOWS_UNITS: [usize; 2] = [63, 255];

/// A notice, and how long it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesktopNotice {
    /// What it says.
    pub notice: ReturnNotice,
    /// Until when it is shown: whoever has the laptop next is not told of an earlier loan.
    pub until: UtcMillis,
}

impl DesktopNotice {
    /// The notice of an order that is over at `expires_at`.
    #[must_use]
    pub fn new(notice: ReturnNotice, expires_at: UtcMillis) -> Self {
        let until = expires_at.min(notice.due_at.plus_days(SHOWN_AFTER_DUE_DAYS));
        Self { notice, until }
    }

    /// Puts it into `folder`, for everybody to read, whole or not at all.
    pub fn publish(&self, folder: &Path) -> io::Result<()> {
        disclosure::publish(folder, FILE, &serde_json::to_vec(self)?)
    }

    /// Removes it from `folder`.
    pub fn withdraw(folder: &Path) -> io::Result<()> {
        disclosure::withdraw(folder, FILE)
    }

    /// The one in `folder` that is shown at `now`.
    #[must_use]
    pub fn published(folder: &Path, now: UtcMillis) -> Option<Self> {
        Self::read(folder).filter(|notice| notice.is_current(now))
    }

    /// Whether it lies in `folder` already, as it is.
    #[must_use]
    pub fn lies_in(&self, folder: &Path) -> bool {
        Self::read(folder).as_ref() == Some(self)
    }

    fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(FILE)).ok()?).ok()
    }

    /// Whether it is shown at `now`.
    #[must_use]
    pub fn is_current(&self, now: UtcMillis) -> bool {
        now < self.until
    }

    /// Whether it speaks of the loan that runs, by what the server last said of it: another day, or none, is another loan. An
    /// agent that was told nothing yet does not know.
    #[must_use]
    pub fn is_of_loan(&self, told: Option<&Disclosure>) -> bool {
        let day = self.notice.due_at.day_number();
        told.is_none_or(|told| told.until.is_some_and(|until| until.day_number() == day))
    }

    /// Its title and its sentence. Desktops read some signs of a sentence as markup: those are left out.
    #[must_use]
    pub fn words(&self, language: Language) -> [String; 2] {
        let day = disclosure::day(self.notice.due_at, language);
        let and = language.pick(" et ", " and ");
        let place = self.notice.place.as_str().replace('&', and).replace(['<', '>'], " ");
        let place = place.split_whitespace().collect::<Vec<_>>().join(" ");
        match language {
            Language::French => {
                let title = "Cet ordinateur est à rapporter".to_owned();
                [title, format!("Il est prêté jusqu'au {day}. Rapporte-le ici : {place}.")]
            }
            Language::English => {
                let title = "This computer is to be brought back".to_owned();
                [title, format!("It is lent until {day}. Bring it back here: {place}.")]
            }
        }
    }

    /// The same, each as long as a notification of Windows may be.
    #[must_use]
    pub fn short_words(&self, language: Language) -> [String; 2] {
        let [title, words] = self.words(language);
        let [title_units, words_units] = WINDOWS_UNITS;
        [within(title, title_units), within(words, words_units)]
    }
}

/// `text` in at most `units` units of UTF-16: what is longer is cut between two characters and ends with "…".
fn within(text: String, units: usize) -> String {
    if text.encode_utf16().count() <= units {
        return text;
    }
    let mut used = '…'.len_utf16();
    let fits = |sign: &char| {
        used += sign.len_utf16();
        used <= units
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cartable_common::Text;

    fn notice(place: &str) -> DesktopNotice {
        let due_at = UtcMillis::default().plus_millis(1_796_688_000_000);
        let notice = ReturnNotice { due_at, place: Text::clean(place) };
        DesktopNotice { notice, until: due_at.plus_days(3) }
    }

    #[test]
    fn it_is_a_sentence_without_markup_in_the_readers_language() {
        let [title, words] = notice("Collège <b>A</b> & B").words(Language::French);
        assert!(title.contains("rapporter"));
        assert_eq!(words, "Il est prêté jusqu'au 8 décembre 2026. Rapporte-le ici : Collège b A /b et B.");
        let [_, words] = notice("Collège A").words(Language::English);
        assert_eq!(words, "It is lent until 8 December 2026. Bring it back here: Collège A.");
    }

    #[test]
    fn what_windows_shows_is_cut_where_its_room_ends_and_never_within_a_character() {
        assert_eq!(notice("CDI").short_words(Language::French), notice("CDI").words(Language::French));
        let [title, words] = notice(&"🎒".repeat(128)).short_words(Language::French);
        assert_eq!(title, "Cet ordinateur est à rapporter");
        assert!(words.starts_with("Il est prêté jusqu'au 8 décembre 2026.") && words.ends_with('…'), "{words}");
        let units = words.encode_utf16().count();
        assert!((254..=255).contains(&units), "{units}");
        assert_eq!(within("abcd".into(), 4), "abcd");
        assert_eq!(within("abcde".into(), 4), "abc…");
        // A bag is two units, and half of one is none.
        assert_eq!(within("ab🎒🎒".into(), 4), "ab…");
        assert_eq!(within("🎒🎒🎒".into(), 5), "🎒🎒…");
    }

    #[test]
    fn it_is_shown_for_the_loan_that_it_speaks_of_and_a_week_after_it_at_most() {
        let ReturnNotice { due_at, place } = notice("CDI").notice;
        let of = |expires_at| DesktopNotice::new(ReturnNotice { due_at, place: place.clone() }, expires_at);
        assert_eq!(of(due_at.plus_days(3)).until, due_at.plus_days(3));
        assert_eq!(of(due_at.plus_days(14)).until, due_at.plus_days(7));
        let shown = of(due_at.plus_days(3));
        let told = |until| Disclosure { until, ..Disclosure::default() };
        assert!(shown.is_of_loan(None), "nothing is known");
        assert!(shown.is_of_loan(Some(&told(Some(due_at)))));
        assert!(!shown.is_of_loan(Some(&told(Some(due_at.plus_days(300))))), "the next loan");
        assert!(!shown.is_of_loan(Some(&told(None))), "it came back");
    }

    #[test]
    fn it_is_shown_until_its_end_and_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let shown = notice("Collège A");
        let due = shown.notice.due_at;
        assert_eq!(DesktopNotice::published(folder.path(), due), None);
        assert!(!shown.lies_in(folder.path()));
        shown.publish(folder.path()).unwrap();
        assert!(shown.lies_in(folder.path()));
        assert!(!notice("Collège B").lies_in(folder.path()), "another one");
        assert_eq!(DesktopNotice::published(folder.path(), due), Some(shown.clone()));
        assert_eq!(DesktopNotice::published(folder.path(), shown.until), None);
        DesktopNotice::withdraw(folder.path()).unwrap();
        DesktopNotice::withdraw(folder.path()).unwrap();
        assert_eq!(DesktopNotice::published(folder.path(), due), None);
    }
}
