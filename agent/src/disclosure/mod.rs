//! What the borrower of a laptop may read on it: the last report exactly as it was sent, in words for a pupil of eleven
//! and for a parent, what can never be seen, who runs the agent, whom to write to, until when.
//!
//! The words come from the schema of the report, field by field; a test fails where one is missing. Nothing here needs
//! a right: the service publishes a copy that everybody on the laptop may read.

mod html;
mod page;
mod values;

use std::{fs, io, path::Path};

use cartable_common::{
    Text, UtcMillis,
    protocol::{CheckInRequest, Disclosure, ReportEnvelope},
};
use serde::{Deserialize, Serialize};

use crate::language::Language;

pub use html::html;
pub use page::{Block, page, text};
pub(crate) use values::day;

/// The name of the published copy.
const FILE: &str = "shown.json";

/// The name of the page, where a link of the system can open nothing but a file; packaging/windows/agent.wxs names it too.
pub const PAGE: &str = "cartable.html";

/// What is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The server that got it; absent before an enrolment.
    pub server: Option<String>,
    /// When, by this machine's clock; absent for a report that was not sent.
    pub sent_at: Option<UtcMillis>,
    /// The agent that sent it.
    pub agent_version: Text,
    /// The report, exactly.
    pub report: Option<ReportEnvelope>,
    /// Who runs the agent.
    #[serde(default)]
    pub disclosure: Disclosure,
}

impl Shown {
    /// What is to be shown before anything was sent.
    #[must_use]
    pub fn nothing() -> Self {
        let (agent_version, disclosure) = (crate::version(), Disclosure::default());
        Self { server: None, sent_at: None, agent_version, report: None, disclosure }
    }

    /// What is to be shown after `sent` reached the server; nothing where nothing changed.
    #[must_use]
    pub fn after(
        before: Option<&Self>,
        server: String,
        mut sent: CheckInRequest,
        disclosure: Disclosure,
    ) -> Option<Self> {
        let server = Some(server);
        let newest = sent.reports.pop();
        let is_same = before.is_some_and(|before| before.server == server && before.disclosure == disclosure);
        if newest.is_none() && is_same {
            return None;
        }
        let (report, sent_at) = match (newest, before) {
            (Some(report), _) => (Some(report), Some(sent.sent_at)),
            (None, Some(before)) => (before.report.clone(), before.sent_at),
            (None, None) => (None, None),
        };
        Some(Self { server, sent_at, agent_version: sent.agent_version, report, disclosure })
    }

    /// Puts a copy into `folder` that everybody may read, whole or not at all.
    pub fn publish(&self, folder: &Path) -> io::Result<()> {
        publish(folder, FILE, &serde_json::to_vec(self)?)
    }

    /// Puts the page itself there, in both languages, `first` first, whole or not at all.
    pub fn publish_page(&self, folder: &Path, first: Language) -> io::Result<()> {
        publish(folder, PAGE, html(self, first).as_bytes())
    }

    /// Removes copy and page from `folder`: the agent leaves this computer.
    pub fn withdraw(folder: &Path) -> io::Result<()> {
        withdraw(folder, FILE).and(withdraw(folder, PAGE))
    }

    /// The copy in `folder`, if there is one.
    pub fn published(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(FILE)).ok()?).ok()
    }
}

/// Puts `content` into `folder` as `name`, for everybody to read, whole or not at all. What stands there already is not
/// written again: a drive would wake for it at each contact.
pub(crate) fn publish(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    if fs::read(folder.join(name)).is_ok_and(|there| there == content) {
        return Ok(());
    }
    let temporary = folder.join(unfinished(name));
    fs::write(&temporary, content)?;
    #[cfg(unix)]
    fs::set_permissions(&temporary, std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    fs::rename(temporary, folder.join(name))
}

/// Removes what was published in `folder` as `name`, and what a stop in the middle of publishing left.
pub(crate) fn withdraw(folder: &Path, name: &str) -> io::Result<()> {
    let gone = |name: &str| match fs::remove_file(folder.join(name)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    gone(name).and(gone(&unfinished(name)))
}

/// What `name` is called until it is whole.
fn unfinished(name: &str) -> String {
    format!(".new-{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cartable_common::{ReportId, report::HealthReport};

    fn sent(reports: usize) -> CheckInRequest {
        let envelope = |number| ReportEnvelope {
            report_id: ReportId(uuid::Uuid::nil()),
            sequence: number,
            measured_at: UtcMillis::default(),
            report: HealthReport::default(),
        };
        let reports = (0..reports as u64).map(envelope).collect();
        let sent_at = UtcMillis::default().plus_days(20_000);
        let agent_version = Text::clean("1");
        let (content_hash, disclosure_mark, trust_bundle, action_results) = (None, None, None, Vec::new());
        CheckInRequest { agent_version, sent_at, content_hash, disclosure_mark, trust_bundle, reports, action_results }
    }

    fn after(before: Option<&Shown>, reports: usize, who: &str) -> Option<Shown> {
        let disclosure = Disclosure { organisation: Text::meaningful(who), ..Disclosure::default() };
        Shown::after(before, "https://a.example".to_owned(), sent(reports), disclosure)
    }

    #[test]
    fn the_newest_report_is_shown_until_another_is_sent() {
        let first = after(None, 3, "A").unwrap();
        assert_eq!(first.report.as_ref().unwrap().sequence, 2);
        assert_eq!(after(Some(&first), 0, "A"), None, "an unchanged contact writes nothing");
        let renamed = after(Some(&first), 0, "B").unwrap();
        assert_eq!((renamed.report, renamed.sent_at), (first.report, first.sent_at));
    }

    #[test]
    fn what_is_published_may_be_read_by_everybody_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Shown::published(folder.path()), None);
        let shown = after(None, 1, "A").unwrap();
        shown.publish(folder.path()).unwrap();
        assert_eq!(Shown::published(folder.path()), Some(shown));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing half-written stays");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode() & 0o777, 0o644);
        }
        Shown::withdraw(folder.path()).unwrap();
        Shown::withdraw(folder.path()).unwrap();
        assert_eq!(Shown::published(folder.path()), None);
    }

    #[test]
    fn the_page_is_published_in_both_languages_before_and_after_the_first_contact_and_leaves_with_the_copy() {
        let folder = tempfile::tempdir().unwrap();
        let page = || fs::read_to_string(folder.path().join(PAGE)).unwrap();
        Shown::nothing().publish_page(folder.path(), Language::French).unwrap();
        assert!(page().starts_with("<!DOCTYPE html>\n<html lang=\"fr\">"), "{}", page());
        assert!(page().contains("Rien n'a encore été envoyé.") && page().contains("Nothing has been sent yet."));
        let shown = after(None, 1, "Mairie de Valmarin").unwrap();
        shown.publish(folder.path()).unwrap();
        shown.publish_page(folder.path(), Language::English).unwrap();
        assert!(page().contains("<html lang=\"en\">") && page().contains("Mairie de Valmarin"), "{}", page());
        assert_eq!(Shown::published(folder.path()), Some(shown), "the page is not the copy");
        fs::write(folder.path().join(".new-cartable.html"), "<!DOC").unwrap();
        Shown::withdraw(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
