//! What can be worked out of a check-in without the database: hashes, judgements, the dates of its reports.

use cartable_common::{
    ContentHash, DeviceId, EnrolmentId, ReportId, UtcMillis,
    protocol::{RefusalReason, RefusedReport, ReportEnvelope},
    report::HealthReport,
};

use super::CheckIn;
use crate::domain::{battery, daily::DailyFigures, drive, policy::Policy, verdict::Verdict};

/// How far back a laptop may date what it measured offline, in days: its spool holds less.
const OLDEST_MEASUREMENT_DAYS: i64 = 120;

/// A check-in, ready to be written.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub(super) device: DeviceId,
    pub(super) enrolment: EnrolmentId,
    pub(super) received_at: UtcMillis,
    pub(super) skew_millis: i64,
    pub(super) agent_version: String,
    /// The content that the machine has now, as it says.
    pub(super) content_hash: Option<ContentHash>,
    pub(super) reports: Vec<PreparedReport>,
    pub(super) refused: Vec<RefusedReport>,
}

/// A report, ready to be written.
#[derive(Clone, Debug)]
pub(super) struct PreparedReport {
    pub(super) id: ReportId,
    pub(super) sequence: i64,
    /// By the agent's clock.
    pub(super) measured_at: UtcMillis,
    /// By the agent's clock less its skew, never after its arrival.
    pub(super) estimated_at: UtcMillis,
    pub(super) body_hash: ContentHash,
    pub(super) content_hash: ContentHash,
    pub(super) drive_verdict: Verdict,
    pub(super) battery_verdict: Verdict,
    pub(super) figures: DailyFigures,
    pub(super) json: String,
    pub(super) report: HealthReport,
}

impl Prepared {
    pub(super) fn new(check_in: CheckIn, policy: &Policy) -> Self {
        let CheckIn { device_id, enrolment_id, received_at, request } = check_in;
        let skew_millis = request.sent_at.millis_since(received_at);
        let mut reports = Vec::with_capacity(request.reports.len());
        let mut refused = Vec::new();
        for envelope in request.reports {
            if envelope.report.check().is_ok() {
                reports.push(PreparedReport::new(envelope, received_at, skew_millis, policy));
            } else {
                refused.push(RefusedReport { report_id: envelope.report_id, reason: RefusalReason::TooMany });
            }
        }
        Self {
            device: device_id,
            enrolment: enrolment_id,
            received_at,
            skew_millis,
            agent_version: request.agent_version.as_str().to_owned(),
            content_hash: request.content_hash,
            reports,
            refused,
        }
    }

    /// When `report` shows its machine as it was: on its arrival; of an inventory that a person brought, for which no enrolment
    /// speaks, when that was made.
    pub(super) const fn shown_at(&self, report: &PreparedReport) -> UtcMillis {
        if self.enrolment.0.is_nil() { report.measured_at } else { self.received_at }
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.reports.iter().map(|report| report.json.len() * 3).sum()
    }
}

impl PreparedReport {
    fn new(envelope: ReportEnvelope, received_at: UtcMillis, skew_millis: i64, policy: &Policy) -> Self {
        let ReportEnvelope { report_id, sequence, measured_at, report } = envelope;
        // Serialising plain structures to memory cannot fail (see HealthReport::content_hash).
        let json = serde_json::to_string(&report).unwrap_or_default();
        let body = format!("{sequence} {measured_at} {json}");
        let oldest = received_at.plus_days(-OLDEST_MEASUREMENT_DAYS);
        Self {
            id: report_id,
            sequence: i64::try_from(sequence).unwrap_or(i64::MAX),
            measured_at,
            estimated_at: measured_at.plus_millis(skew_millis.saturating_neg()).clamp(oldest, received_at),
            body_hash: ContentHash::of(body.as_bytes()),
            content_hash: report.content_hash(),
            drive_verdict: drive::worst(&report, &[], received_at, policy),
            battery_verdict: battery::worst(&report, policy),
            figures: DailyFigures::of(&report),
            json,
            report,
        }
    }
}
