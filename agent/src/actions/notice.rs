//! The return notice: a small file that everybody on the laptop may read, made into a sentence in the language of whoever
//! reads it. A program of the desktop's own session shows it: the service has no way into anybody's session and wants none.

use std::{fs, io, path::Path};

use cartable_common::{UtcMillis, action::ReturnNotice};
use serde::{Deserialize, Serialize};

use crate::{disclosure, language::Language};

/// The name of the file.
const FILE: &str = "notice.json";

/// A notice, and how long it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesktopNotice {
    /// What it says.
    pub notice: ReturnNotice,
    /// Until when it is shown: whoever has the laptop next is not told of an earlier loan.
    pub until: UtcMillis,
}

impl DesktopNotice {
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
        let notice: Self = serde_json::from_slice(&fs::read(folder.join(FILE)).ok()?).ok()?;
        notice.is_current(now).then_some(notice)
    }

    /// Whether it is shown at `now`.
    #[must_use]
    pub fn is_current(&self, now: UtcMillis) -> bool {
        now < self.until
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
    fn it_is_shown_until_its_end_and_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let shown = notice("Collège A");
        let due = shown.notice.due_at;
        assert_eq!(DesktopNotice::published(folder.path(), due), None);
        shown.publish(folder.path()).unwrap();
        assert_eq!(DesktopNotice::published(folder.path(), due), Some(shown.clone()));
        assert_eq!(DesktopNotice::published(folder.path(), shown.until), None);
        DesktopNotice::withdraw(folder.path()).unwrap();
        DesktopNotice::withdraw(folder.path()).unwrap();
        assert_eq!(DesktopNotice::published(folder.path(), due), None);
    }
}
