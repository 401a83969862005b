//! Which of a device's new reports becomes its current state, and what changed on the way there. Decides, writes nothing.

use std::collections::BTreeSet;

use cartable_common::{DeviceId, UtcMillis, report::HealthReport};
use uuid::Uuid;

use super::prepare::PreparedReport;
use crate::{
    domain::{
        change::changes,
        erasure::{DriveKey, gap::SeenDrive, seen::in_report},
    },
    store::{
        StoreError,
        health::{NewHealth, RawHealth},
        history::NewChange,
    },
};

/// A report that was not stored before, with where it came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fresh<'a> {
    pub(super) device: Uuid,
    pub(super) enrolment: Uuid,
    pub(super) received_at: UtcMillis,
    /// When its drives were seen: see `Prepared::shown_at`.
    pub(super) shown_at: UtcMillis,
    pub(super) report: &'a PreparedReport,
}

/// What a device's new reports lead to.
#[derive(Debug, Default)]
pub(super) struct Succession<'a> {
    /// The one that becomes current; absent if all were late.
    pub(super) current: Option<Fresh<'a>>,
    /// What changed from each current state to the next.
    pub(super) changes: Vec<NewChange>,
    /// The drives that no current state shows any more, or ever did: those that went, and those of late reports.
    pub(super) drives: Vec<(DeviceId, SeenDrive)>,
}

/// Orders `fresh` by their sequence and lets each that is not late succeed the one before it. Reports of another
/// enrolment than the current state's come after it: the laptop was set up anew.
pub(super) fn succession<'a>(
    before: Option<&RawHealth>,
    mut fresh: Vec<Fresh<'a>>,
) -> Result<Succession<'a>, StoreError> {
    fresh.sort_by_key(|one| one.report.sequence);
    let mut place = before.map(|health| (health.enrolment_id, health.sequence));
    let mut hash = before.map(|health| health.content_hash.clone());
    let mut found = Succession::default();
    for one in fresh {
        let late =
            place.is_some_and(|(enrolment, sequence)| enrolment == one.enrolment && one.report.sequence <= sequence);
        if late {
            let shown = in_report(&one.report.report, one.shown_at);
            found.drives.extend(shown.into_iter().map(|drive| (DeviceId(one.device), drive)));
            continue;
        }
        let new_hash = one.report.content_hash.to_string();
        if hash.is_some() && hash.as_ref() != Some(&new_hash) {
            // The stored report is only read back when there is something to compare.
            let stored: HealthReport;
            let (previous, seen_at) = match (&found.current, before) {
                (Some(current), _) => (&current.report.report, current.shown_at),
                (None, Some(before)) => {
                    stored = before.report()?;
                    (&stored, before.shown_at()?)
                }
                (None, None) => continue,
            };
            let gone = gone(previous, seen_at, &one.report.report);
            found.drives.extend(gone.into_iter().map(|drive| (DeviceId(one.device), drive)));
            found.changes.extend(changes(previous, &one.report.report).into_iter().map(|change| NewChange {
                device: one.device,
                report_id: one.report.id.0,
                received_at: one.shown_at,
                measured_at: one.report.estimated_at,
                change,
            }));
        }
        place = Some((one.enrolment, one.report.sequence));
        hash = Some(new_hash);
        found.current = Some(one);
    }
    Ok(found)
}

/// The drives of `previous`, which showed them at `seen_at`, that `next` does not have. The history may not tell of them: of a
/// report with very many changes it keeps the first alone.
fn gone(previous: &HealthReport, seen_at: UtcMillis, next: &HealthReport) -> Vec<SeenDrive> {
    let kept: BTreeSet<DriveKey> = in_report(next, seen_at).into_iter().map(|drive| drive.key).collect();
    in_report(previous, seen_at).into_iter().filter(|drive| !kept.contains(&drive.key)).collect()
}

impl<'a> Fresh<'a> {
    pub(super) fn health(&self) -> NewHealth<'a> {
        NewHealth {
            device: self.device,
            enrolment: self.enrolment,
            report_id: self.report.id.0,
            sequence: self.report.sequence,
            measured_at: self.report.measured_at,
            received_at: self.received_at,
            content_hash: self.report.content_hash.to_string(),
            drive_verdict: self.report.drive_verdict,
            battery_verdict: self.report.battery_verdict,
            report: &self.report.report,
            json: &self.report.json,
        }
    }
}
