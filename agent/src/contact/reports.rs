//! The reports of a contact: made, spooled, settled with what the server answered, and kept for the borrower to read.

use cartable_common::{
    ContentHash, ReportId, UtcMillis,
    limits::FULL_REPORT_EVERY_DAYS,
    protocol::{CheckInRequest, CheckInResponse},
    report::HealthReport,
};
use uuid::Uuid;

use super::Agent;
use crate::{
    clock,
    disclosure::Shown,
    fairness::{self, Surroundings},
    reader::Occasion,
    state::Memory,
};

impl Agent {
    /// Reads the machine. Where that fails the contact still takes place, and says nothing of the machine.
    pub(super) async fn measure(&self, occasion: Occasion, around: &Surroundings) -> Option<HealthReport> {
        let kept = self.state.drives();
        match self.reader.read_fairly(occasion, kept.as_ref(), around, clock::now()).await {
            Ok((mut report, new)) => {
                report.firmware.key_protection = self.enrolment.key_protection();
                if let Some(Err(error)) = new.map(|drives| self.state.keep_drives(&drives)) {
                    tracing::warn!(%error, "what the drives said could not be kept; they are asked again");
                }
                Some(report)
            }
            Err(error) => {
                tracing::error!(%error, "the machine could not be read; the contact goes on without a report");
                None
            }
        }
    }

    pub(super) fn newest_spooled(&self) -> Option<ContentHash> {
        self.spool.records().last().map(|record| record.content_hash)
    }

    /// A full disk must not silence a laptop: without room for the report the contact still takes place. False where there is
    /// none.
    pub(super) fn spool_report(&mut self, report: &HealthReport) -> bool {
        let pushed = self.spool.push(ReportId(Uuid::new_v4()), clock::now(), report.clone());
        if let Err(error) = &pushed {
            tracing::error!(%error, "the new report could not be kept; the contact goes on without it");
        }
        pushed.is_ok()
    }

    /// Forgets what the server answered for; returns how many reports that were.
    pub(super) fn settle(
        &mut self,
        response: &CheckInResponse,
        content: Option<ContentHash>,
        sent: CheckInRequest,
    ) -> usize {
        for refused in &response.refused {
            tracing::warn!(reason = ?refused.reason, "the server will never accept a report; it is dropped");
        }
        let refused = response.refused.iter().map(|refused| refused.report_id);
        let answered: Vec<ReportId> = response.acknowledged.iter().copied().chain(refused).collect();
        let was_current = |id: &ReportId| {
            self.spool.records().iter().any(|record| record.report_id == *id && Some(record.content_hash) == content)
        };
        if response.acknowledged.iter().any(was_current) {
            self.memory.last_full_at = Some(clock::now());
        }
        self.memory.server_content = response.content_hash;
        self.memory.server_time = Some(response.server_time);
        self.memory.exams_until = fairness::exams_until(response.exams_for_seconds, clock::now());
        if response.disclosure.is_some() {
            self.memory.disclosure.clone_from(&response.disclosure);
        }
        self.disclose(sent);
        self.spool.forget(&answered).unwrap_or_else(|error| {
            // They will be sent again, and the server will know them again.
            tracing::warn!(%error, "acknowledged reports could not be removed");
            0
        })
    }

    /// Keeps for the borrower what was just sent, if a report was in it or if who runs the agent changed.
    fn disclose(&mut self, sent: CheckInRequest) {
        // What the server leaves open, whoever installed the agent may have said.
        let told = self.memory.disclosure.clone().unwrap_or_default();
        let disclosure = told.or(self.enrolment.disclosure.clone());
        let shown = Shown::after(self.shown.as_ref(), self.enrolment.server.to_string(), sent, disclosure);
        let Some(shown) = shown else { return };
        if let Err(error) = self.state.keep_shown(&shown) {
            tracing::warn!(%error, "what was sent could not be kept for the borrower");
        }
        self.shown = Some(shown);
    }
}

/// How far the last whole report may lie ahead: a clock that was set right goes back a little. One that went back by more has
/// jumped, and nobody knows how old that report is.
const CORRECTED_MILLIS: i64 = 60 * 60 * 1000;

/// Whether `content` must be told: it differs from what the server holds, or will hold once the spool has arrived, or
/// the last whole report is a week old.
#[must_use]
pub(super) fn needs_report(
    newest_spooled: Option<ContentHash>,
    memory: &Memory,
    content: ContentHash,
    now: UtcMillis,
) -> bool {
    if let Some(spooled) = newest_spooled {
        return spooled != content;
    }
    let is_fresh = |at: UtcMillis| {
        let age = now.millis_since(at);
        (-CORRECTED_MILLIS..i64::from(FULL_REPORT_EVERY_DAYS) * UtcMillis::DAY).contains(&age)
    };
    memory.server_content != Some(content) || !memory.last_full_at.is_some_and(is_fresh)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_made_when_content_changed_or_weekly() {
        let (a, b) = (ContentHash::of(b"a"), ContentHash::of(b"b"));
        let now = UtcMillis::default().plus_days(100);
        let memory = |content, days: i64| Memory {
            server_content: content,
            last_full_at: Some(now.plus_days(-days)),
            ..Memory::default()
        };
        assert!(needs_report(None, &Memory::default(), a, now), "the first");
        assert!(!needs_report(None, &memory(Some(a), 6), a, now), "unchanged");
        assert!(needs_report(None, &memory(Some(a), 7), a, now), "weekly");
        assert!(needs_report(None, &memory(Some(b), 1), a, now), "changed");
        assert!(needs_report(None, &memory(None, 1), a, now), "the server lost it");
        assert!(needs_report(None, &memory(Some(a), -2), a, now), "the clock went back");
        let corrected = Memory { last_full_at: Some(now.plus_millis(60_000)), ..memory(Some(a), 0) };
        assert!(!needs_report(None, &corrected, a, now), "the clock was set right");
        assert!(!needs_report(Some(a), &memory(Some(b), 1), a, now), "already spooled");
        assert!(needs_report(Some(b), &memory(Some(a), 1), a, now), "changed back while away");
    }
}
